//! Requests to a registry over the mirror's one HTTP stack: small responses, and the streams of blobs.
//!
//! Everything that comes must have a known digest, or is a token. So redirects may lead to any host, as
//! registries store blobs elsewhere, but never away from TLS unless that is allowed. Other hosts get no
//! credentials.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response};
use url::Url;

use crate::mirror::Hosts;
use crate::mirror::http::{AttemptError, Http, HttpRequest, opening, refusal};
use crate::verdict::{Code, Fault};

/// A request for something small.
#[derive(Default)]
pub(super) struct RegistryRequest<'a> {
    pub(super) accept: &'a str,
    /// The header `Authorization`, which only the URL's own origin gets.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post. Redirects are not followed then, nor with `secret`.
    pub(super) form: Option<String>,
    pub(super) secret: bool,
    /// The most bytes of a successful response.
    pub(super) cap: u64,
}

/// A response, whatever its status.
pub(super) struct RegistryResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The complete body of a success, the start of any other.
    pub(super) body: Vec<u8>,
}

/// Requests something small, once.
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
    let mut request = HttpRequest::get(url, &hosts, headers);
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

/// Requests a blob from one of its bytes on; the body is still to be read.
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
    http.send(HttpRequest::get(url, &hosts, headers))
}

/// The error for a refusal, with the server's own message.
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

/// The messages of a registry's error document, if the body is one.
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
    let errors =
        serde_json::from_slice::<Errors>(body).map(|document| document.errors).unwrap_or_default();
    let texts: Vec<String> =
        errors.into_iter().map(|one| one.message).filter(|text| !text.is_empty()).take(3).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) }
}
