//! Where the body of a response ends: without that a complete file can't be told from a broken one.

use reqwest::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, Version};

use super::AttemptError;
use super::headers::{number, one};
use crate::verdict::{Code, Fault};

/// `Content-Length`.
///
/// # Errors
/// A value that is not a number.
pub(in crate::mirror) fn length(headers: &HeaderMap) -> Result<Option<u64>, AttemptError> {
    if !headers.contains_key(CONTENT_LENGTH) {
        return Ok(None);
    }
    let length = one(headers, &CONTENT_LENGTH).and_then(number);
    length.map(Some).ok_or_else(|| AttemptError::invalid("the Content-Length is not a number"))
}

/// Refuses a body whose end looks like a broken connection. Its encoding does not matter: the request asked
/// for none, servers name the encoding of what they store, and the digest decides.
pub(super) fn delimited(response: &Response) -> Result<(), AttemptError> {
    let headers = response.headers();
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    if response.version() <= Version::HTTP_11 && !chunked && length(headers)?.is_none() {
        let message = "the response states no length, so nobody can tell whether it is complete";
        return Err(AttemptError::Fatal(Fault::new(Code::ResponseInvalid, message)));
    }
    Ok(())
}
