//! What went wrong, and whether it helps to try again.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use url::Url;

use super::retry_after::retry_after;
use crate::verdict::{Code, Fault, ServerAnswer};

/// A step that did not succeed.
#[derive(Debug)]
pub enum AttemptError {
    /// It may succeed when it is tried again, after this time if the server named one.
    Retry(Fault, Option<Duration>),
    /// It would not.
    Fatal(Fault),
}

impl AttemptError {
    /// The server contradicts itself, and may not do so again.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Retry(Fault::new(Code::ResponseInvalid, message), None)
    }

    /// Says where it lies.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        match self {
            Self::Retry(fault, wait) => Self::Retry(fault.at(place), wait),
            Self::Fatal(fault) => Self::Fatal(fault.at(place)),
        }
    }
}

impl From<Fault> for AttemptError {
    fn from(fault: Fault) -> Self {
        Self::Fatal(fault)
    }
}

impl From<reqwest::Error> for AttemptError {
    fn from(error: reqwest::Error) -> Self {
        let certificate = is_certificate(&error);
        let broken = error.is_body() || error.is_decode();
        let words = causes(error);
        if certificate {
            let message = format!("the server's certificate is not accepted: {words}");
            return Self::Fatal(Fault::new(Code::NetworkFailed, message));
        }
        let message = if broken { format!("the transfer broke off: {words}") } else { words };
        Self::Retry(Fault::new(Code::NetworkFailed, message), None)
    }
}

/// A status that is not what was asked for: some pass by themselves.
#[must_use]
pub fn refused(status: StatusCode, headers: &HeaderMap, url: &Url) -> AttemptError {
    let host = url.host_str().unwrap_or_default();
    let message = format!("{host} answers {status} for {}", url.path());
    refusal(status.as_u16(), headers, Fault::new(Code::HttpRefused, message))
}

/// A status that only answers what was not asked.
pub(super) fn unasked(response: &Response) -> AttemptError {
    let message =
        format!("the response is {}, which the request did not ask for", response.status());
    AttemptError::Fatal(Fault::new(Code::ResponseInvalid, message))
}

/// A fault that a status stands for: tried again where that can help, when the server says.
pub(in crate::mirror) fn refusal(status: u16, headers: &HeaderMap, fault: Fault) -> AttemptError {
    let fault = fault.answered(ServerAnswer::Status(status));
    if passes(status) {
        AttemptError::Retry(fault, retry_after(headers, jiff::Timestamp::now()))
    } else {
        AttemptError::Fatal(fault)
    }
}

/// Whether a status is one that passes by itself, so that it helps to try again.
#[must_use]
pub const fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// An error and what caused it, without the URL, whose query may hold a secret.
pub(in crate::mirror) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !words.iter().any(|known| known.contains(&text)) {
            words.push(text);
        }
        next = cause.source();
    }
    words.join(": ")
}

/// Whether a certificate was refused: that is a decision, not an accident.
fn is_certificate(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(tls) = tls(cause) {
            return matches!(
                tls,
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
            );
        }
        next = cause.source();
    }
    false
}

/// The TLS error in an error: an `io::Error` hides its own from `source()`, and another one in it.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = |io: &'a io::Error| tls(io.get_ref()?);
    error.downcast_ref().or_else(|| inner(error.downcast_ref()?))
}
