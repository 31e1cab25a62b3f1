//! What a server says about a file before it is fetched.

use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use super::send::HttpRequest;
use super::{AttemptError, Http, Validators, framing, refused};
use crate::mirror::Hosts;
use crate::mirror::urls::redacted;
use crate::verdict::Fault;

/// What a server says about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its size, if the server states it.
    pub size: Option<u64>,
    /// Its validators.
    pub validators: Validators,
}

impl Http {
    /// Asks for the headers of a file without fetching it.
    ///
    /// # Errors
    /// [`Code::HostNotAllowed`](crate::verdict::Code::HostNotAllowed) and those of the network.
    pub fn head(&self, url: &Url, hosts: &Hosts) -> Result<RemoteFile, Fault> {
        let shown = redacted(url);
        self.retrying(&shown, |_| self.head_once(url, hosts))
            .map_err(|fault| fault.at(shown.as_str()))
    }

    fn head_once(&self, url: &Url, hosts: &Hosts) -> Result<RemoteFile, AttemptError> {
        let send = |method| {
            self.send(HttpRequest { method, ..HttpRequest::get(url, hosts, HeaderMap::new()) })
        };
        let mut response = send(Method::HEAD)?;
        // Some servers sign URLs for one method only, or support only GET. The body is not read.
        if matches!(response.status().as_u16(), 403 | 405 | 501) {
            response = send(Method::GET)?;
        }
        if response.status().as_u16() != 200 {
            return Err(refused(response.status(), response.headers(), response.url()));
        }
        let headers = response.headers();
        Ok(RemoteFile { size: framing::length(headers)?, validators: Validators::of(headers) })
    }
}
