//! Why an attempt failed, and whether a retry can help.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use url::Url;

use super::retry_after::retry_after;
use crate::verdict::{Code, Fault, ServerAnswer};

/// Why an attempt failed.
#[derive(Debug)]
pub enum AttemptError {
    /// A retry may succeed, after this time if the server named one.
    Retry(Fault, Option<Duration>),
    /// A retry would fail too.
    Fatal(Fault),
}

impl AttemptError {
    /// The server contradicts itself; it may not do so again.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Retry(Fault::new(Code::ResponseInvalid, message), None)
    }

    /// Says where it happened.
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

/// The error for a status that is not a success. Some go away by themselves.
#[must_use]
pub fn refused(status: StatusCode, headers: &HeaderMap, url: &Url) -> AttemptError {
    let host = url.host_str().unwrap_or_default();
    let message = format!("{host} answers {status} for {}", url.path());
    refusal(status.as_u16(), headers, Fault::new(Code::HttpRefused, message))
}

/// The error for a status that only fits another request.
pub(super) fn unasked(response: &Response) -> AttemptError {
    let message =
        format!("the response is {}, which the request did not ask for", response.status());
    AttemptError::Fatal(Fault::new(Code::ResponseInvalid, message))
}

/// The error for a status, with its fault: to be retried if that can help, and when the server says.
pub(in crate::mirror) fn refusal(status: u16, headers: &HeaderMap, fault: Fault) -> AttemptError {
    let fault = fault.answered(ServerAnswer::Status(status));
    if is_transient(status) {
        AttemptError::Retry(fault, retry_after(headers, jiff::Timestamp::now()))
    } else {
        AttemptError::Fatal(fault)
    }
}

/// Whether a status goes away by itself, so that a retry can help.
#[must_use]
pub const fn is_transient(status: u16) -> bool {
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

/// Whether a certificate was refused: that is a decision, and a retry would not change it.
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
