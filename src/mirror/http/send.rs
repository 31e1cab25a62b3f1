//! One request: redirects, statuses and encodings judged, errors told apart.

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, Response};
use url::Url;

use super::retry::{Attempt, refusal};
use super::{Hosts, Http, Validators, failed_words, shown};
use crate::verdict::{Code, Fault};

/// Redirects in one request.
const REDIRECTS: usize = 5;

impl Http {
    /// Sends a request and follows its redirects; the answer is 200, 206, 304 or 416.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        hosts: &Hosts,
        headers: &HeaderMap,
    ) -> Result<Response, Attempt> {
        let mut url = url.clone();
        let mut headers = headers.clone();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for _ in 0..=REDIRECTS {
            hosts.check(&url)?;
            let request = self.client().request(method.clone(), url.clone());
            let asked = request.headers(headers.clone()).send();
            let response = match tokio::time::timeout(self.patience(), asked).await {
                Ok(answer) => answer.map_err(|error| failed(&error))?,
                Err(_) => return Err(self.too_slow()),
            };
            if let Some(next) = redirection(&response, &url)? {
                if next.origin() != url.origin() {
                    headers.remove(AUTHORIZATION);
                }
                url = next;
                continue;
            }
            let after = response.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
            if let Some(attempt) = refusal(response.status().as_u16(), after) {
                return Err(attempt);
            }
            not_encoded(&response)?;
            unasked(&response, &headers)?;
            return Ok(response);
        }
        Err(invalid(format!("more than {REDIRECTS} redirects")))
    }
}

fn redirection(response: &Response, url: &Url) -> Result<Option<Url>, Attempt> {
    if ![301, 302, 303, 307, 308].contains(&response.status().as_u16()) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.map(Some).ok_or_else(|| invalid("a redirect that leads nowhere".to_owned()))
}

/// What is hashed is what the server has, not what a filter on the way makes of it.
fn not_encoded(response: &Response) -> Result<(), Attempt> {
    match response.headers().get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            let encoding = encoding.to_str().unwrap_or("?");
            Err(invalid(format!("the answer is encoded ({encoding}), which was not asked for")))
        }
        _ => Ok(()),
    }
}

/// 304 and 206 are answers to questions.
fn unasked(response: &Response, headers: &HeaderMap) -> Result<(), Attempt> {
    let asked = |names: &[HeaderName]| names.iter().any(|name| headers.contains_key(name));
    match response.status().as_u16() {
        304 if !asked(&[IF_NONE_MATCH, IF_MODIFIED_SINCE]) => {
            Err(invalid("304 to a request without a condition".to_owned()))
        }
        206 | 416 if !asked(&[reqwest::header::RANGE]) => {
            Err(invalid("a part, where the whole was asked for".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The answer is the whole file.
pub(super) fn whole(response: &Response) -> Result<(), Attempt> {
    match response.status().as_u16() {
        200 => Ok(()),
        other => Err(invalid(format!("status {other}, where 200 was expected"))),
    }
}

pub(super) fn invalid(message: String) -> Attempt {
    Attempt::Stop(Fault::new(Code::ResponseInvalid, message))
}

/// Tells an error that may pass from one that will not.
pub(super) fn failed(error: &reqwest::Error) -> Attempt {
    // The query of a URL may be a secret, and this text goes into the manifest.
    let words = match error.url() {
        Some(url) => failed_words(error).replace(url.as_str(), &shown(url)),
        None => failed_words(error),
    };
    let fault = Fault::new(Code::NetworkFailed, words.as_str());
    // A certificate that is not believed will not be so later.
    if error.is_builder() || error.is_connect() && words.contains("certificate") {
        Attempt::Stop(fault)
    } else {
        Attempt::Again(fault)
    }
}

/// The state of a file as a server tells it.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let text =
        |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
    Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
}

/// Asks for a file only if it is another one than is known.
pub(super) fn conditional(headers: &mut HeaderMap, known: &Validators) {
    let mut set = |name: HeaderName, value: &Option<String>| {
        if let Some(value) = value.as_ref().and_then(|it| HeaderValue::from_str(it).ok()) {
            headers.insert(name, value);
        }
    };
    set(IF_NONE_MATCH, &known.etag);
    // With an entity tag the date does not count (RFC 9110, section 13.1.3).
    if known.etag.is_none() {
        set(IF_MODIFIED_SINCE, &known.last_modified);
    }
}
