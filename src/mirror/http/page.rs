//! Web pages in place of files, as proxies and logins send them with a status of success.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::AttemptError;
use crate::verdict::{Code, Fault, ServerAnswer};

/// Whether bytes start like a web page. No bundle, key, manifest or archive does.
#[must_use]
pub(in crate::mirror) fn is_page(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins =
        |word: &[u8]| bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<head") || begins(b"<script")
}

/// Whether a response calls itself a web page.
#[must_use]
pub(in crate::mirror) fn says_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|page| kind.eq_ignore_ascii_case(page))
}

/// The fault for a web page in place of a file.
#[must_use]
pub(in crate::mirror) fn page() -> Fault {
    let message = "a web page came in place of the file: a proxy or login page";
    Fault::new(Code::ResponseInvalid, message).answered(ServerAnswer::WebPage)
}

/// Refuses a web page in place of a small file, and a file that was compressed on the way.
pub(super) fn expected(headers: &HeaderMap, body: &[u8]) -> Result<(), AttemptError> {
    if is_page(body) || says_page(headers) && body.trim_ascii_start().starts_with(b"<") {
        return Err(page().into());
    }
    let encoded = headers.contains_key(reqwest::header::CONTENT_ENCODING);
    if encoded && body.starts_with(b"\x1f\x8b") {
        let message = "the response is compressed, although the request asked for no encoding";
        return Err(Fault::new(Code::ResponseInvalid, message).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_like_pages() {
        for page in ["<!DOCTYPE html>", "\u{feff}\r\n <HTML>", "<html lang=en>", "<head><title>"] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for file in ["{\"a\":\"<html>\"}", "-----BEGIN PUBLIC KEY-----", "", "<", "\u{1f}\u{8b}"] {
            assert!(!is_page(file.as_bytes()), "{file}");
        }
    }
}
