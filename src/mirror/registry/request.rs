//! Requests to a registry over the mirror's one HTTP stack: small answers, and the streams of blobs.
//!
//! Whatever comes must have a digest that is known, or is a token; so redirects may lead anywhere, as
//! registries keep blobs elsewhere, but never away from TLS unless that is allowed, and nothing that
//! opens the registry is shown there.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response};
use url::Url;

use crate::mirror::Hosts;
use crate::mirror::http::{AttemptError, Http, Request, opening, refusal};
use crate::verdict::{Code, Fault};

/// A request.
#[derive(Default)]
pub(super) struct RegistryRequest<'a> {
    pub(super) accept: &'a str,
    /// The header `Authorization`, which is shown to no other place than that of the URL.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post; redirects are not followed then, nor with `secret`.
    pub(super) form: Option<String>,
    pub(super) secret: bool,
    /// The most that a good answer may have.
    pub(super) cap: u64,
}

/// An answer, whatever its status.
pub(super) struct RegistryResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The whole body of a good answer, the beginning of another.
    pub(super) body: Vec<u8>,
}

/// Asks once for something small.
pub(super) fn ask(
    http: &Http,
    url: &Url,
    ask: &RegistryRequest<'_>,
) -> Result<RegistryResponse, AttemptError> {
    let hosts = Hosts::anywhere(http.options().allow_http);
    let mut headers = HeaderMap::new();
    if let Ok(accept) = HeaderValue::from_str(ask.accept) {
        headers.insert(ACCEPT, accept);
    }
    if let Some(authorization) = &ask.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    let mut request = Request::get(url, &hosts, headers);
    request.follow = !ask.secret;
    request.form = ask.form.as_deref();
    if ask.form.is_some() {
        request.method = Method::POST;
    }
    let mut response = http.send(request)?;
    let body = match response.status().is_success() {
        true => http.whole(&mut response, ask.cap)?,
        false => opening(http, &mut response),
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(RegistryResponse { status, headers, body })
}

/// Asks for a blob from one of its bytes on; the body is still to come.
pub(super) fn stream(
    http: &Http,
    url: &Url,
    authorization: Option<HeaderValue>,
    from: u64,
) -> Result<Response, AttemptError> {
    let hosts = Hosts::anywhere(http.options().allow_http);
    let mut headers = HeaderMap::new();
    headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
    if let Some(range) = HeaderValue::from_str(&format!("bytes={from}-")).ok().filter(|_| from > 0)
    {
        headers.insert(RANGE, range);
    }
    http.send(Request::get(url, &hosts, headers))
}

/// A status that means no, with what the server says about it; some are worth another try.
pub(super) fn refused(status: u16, headers: &HeaderMap, body: &[u8]) -> AttemptError {
    let said = said(body);
    let reason = match status {
        401 => "not authorised",
        403 => "forbidden",
        404 => "not found",
        429 => "too many requests",
        500.. => "server error",
        _ => "refused",
    };
    let fault = Fault::new(Code::HttpRefused, format!("status {status}, {reason}{said}"));
    refusal(status, headers, fault)
}

/// The messages of a registry's error document, if it is one.
fn said(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(default)]
        message: String,
    }
    let errors = serde_json::from_slice::<Errors>(body).map(|it| it.errors).unwrap_or_default();
    let texts: Vec<String> =
        errors.into_iter().map(|one| one.message).filter(|it| !it.is_empty()).take(3).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) }
}
