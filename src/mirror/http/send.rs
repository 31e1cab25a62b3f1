//! One request and the redirects that follow it, each checked before it is asked.

use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Method, Response};
use url::Url;

use super::{Http, Trouble};
use crate::limits;
use crate::mirror::Hosts;
use crate::verdict::{Code, Fault};

/// A URL as it may be shown and written down: without user, password, query and fragment.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Refused only where there is no host, and then there is no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// One request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) hosts: &'a Hosts,
    pub(super) headers: HeaderMap,
}

impl Http {
    /// Sends a request and follows redirects; the answer has any other status.
    pub(super) fn send(&self, request: Request<'_>) -> Result<Response, Trouble> {
        let Request { method, url: first, hosts, mut headers } = request;
        let mut url = first.clone();
        let mut been: Vec<Url> = Vec::new();
        loop {
            let place = |trouble: Trouble| match been.is_empty() {
                true => trouble,
                false => trouble.at(shown(&url)),
            };
            self.check(hosts, &url).map_err(|fault| place(fault.into()))?;
            if url.origin() != first.origin() {
                headers.remove(AUTHORIZATION);
            }
            let sent = self.client().request(method.clone(), url.clone()).headers(headers.clone());
            // Sent inside: the time limits begin with the call, and need the runtime.
            let response = self.block_on(async { sent.send().await });
            let response = response.map_err(|error| place(error.into()))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let next = target(&url, &response).map_err(|fault| place(fault.into()))?;
            been.push(url);
            if been.contains(&next) {
                return Err(invalid("the redirects lead in a circle").into());
            }
            if been.len() > limits::REDIRECTS {
                return Err(invalid("too many redirects").into());
            }
            url = next;
        }
    }

    fn check(&self, hosts: &Hosts, url: &Url) -> Result<(), Fault> {
        if url.scheme() == "http" && !self.options().allow_http {
            return Err(Fault::new(Code::HostNotAllowed, "the URL is plain HTTP"));
        }
        hosts.check(url)
    }
}

/// Where a redirect leads.
fn target(url: &Url, response: &Response) -> Result<Url, Fault> {
    let mut values = response.headers().get_all(LOCATION).iter();
    let (Some(location), None) = (values.next(), values.next()) else {
        return Err(invalid("a redirect without one Location"));
    };
    let location = location.to_str().ok().and_then(|text| url.join(text).ok());
    let mut next = location.ok_or_else(|| invalid("a redirect to what is no URL"))?;
    next.set_fragment(None);
    Ok(next)
}

fn invalid(message: &str) -> Fault {
    Fault::new(Code::ResponseInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let url = Url::parse("https://u:p@v.example:8443/a/b?token=t#f").unwrap();
        assert_eq!(shown(&url), "https://v.example:8443/a/b");
    }
}
