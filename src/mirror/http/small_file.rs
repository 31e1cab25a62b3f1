//! Fetches a small file into memory.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use super::error::unasked;
use super::send::HttpRequest;
use super::{AttemptError, Http, Validators, framing, page, refused};
use crate::digest::Sha256Digest;
use crate::mirror::urls::{query_digest, redacted};
use crate::mirror::{FetchRecord, Hosts};
use crate::verdict::{Code, Fault};

/// A small file, unless it is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and never kept")]
pub enum SmallFile {
    /// The server says that the file has not changed.
    Unchanged,
    /// The file.
    Body(Vec<u8>, FetchRecord),
}

impl Http {
    /// Fetches a file of at most `cap` bytes, such as a bundle or a key. A web page is refused.
    ///
    /// # Errors
    /// [`Code::HostNotAllowed`], [`Code::ResponseTooLarge`], and those of the network.
    pub fn small(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        known: Option<&Validators>,
    ) -> Result<SmallFile, Fault> {
        let mut headers = HeaderMap::new();
        let asked = known.is_some_and(|known| known.ask(&mut headers));
        self.small_of(url, hosts, cap, &headers, asked)
    }

    /// The same with an `Authorization`, which no host but the URL's own gets to see.
    ///
    /// # Errors
    /// Those of [`Http::small`], and [`Code::CredentialsFailed`] for what a header can't hold.
    pub fn small_with(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        authorization: Option<&str>,
    ) -> Result<SmallFile, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            let mut value = HeaderValue::from_str(text).map_err(|_| {
                let message = "the credentials contain characters that a header can't hold";
                Fault::new(Code::CredentialsFailed, message).at(redacted(url))
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        self.small_of(url, hosts, cap, &headers, false)
    }

    fn small_of(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        headers: &HeaderMap,
        asked: bool,
    ) -> Result<SmallFile, Fault> {
        let shown = redacted(url);
        self.retrying(&shown, |_| {
            let headers = headers.clone();
            let mut response = self.send(HttpRequest::get(url, hosts, headers))?;
            match response.status().as_u16() {
                200 => {}
                304 if asked => return Ok(SmallFile::Unchanged),
                206 | 304 => return Err(unasked(&response)),
                _ => return Err(refused(response.status(), response.headers(), response.url())),
            }
            let body = self.body(&mut response, cap)?;
            page::expected(response.headers(), &body)?;
            let Validators { etag, last_modified } = Validators::of(response.headers());
            let fetched = FetchRecord {
                url_sha256: query_digest(url),
                status: response.status().as_u16(),
                etag,
                last_modified,
                ..FetchRecord::new(shown.clone(), body.len() as u64, Sha256Digest::of(&body))
            };
            Ok(SmallFile::Body(body, fetched))
        })
        .map_err(|fault| fault.at(shown.as_str()))
    }

    fn body(&self, response: &mut reqwest::Response, cap: u64) -> Result<Vec<u8>, AttemptError> {
        framing::delimited(response)?;
        let length = framing::length(response.headers())?;
        let body = self.whole(response, cap)?;
        if length.is_some_and(|length| length != body.len() as u64) {
            return Err(AttemptError::invalid("the body is not as long as the response says"));
        }
        Ok(body)
    }
}
