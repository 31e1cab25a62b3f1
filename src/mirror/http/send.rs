//! One request and its redirects, each checked before it is followed.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use url::Url;

use super::{AttemptError, Http};
use crate::limits;
use crate::mirror::Hosts;
use crate::mirror::urls::redacted;
use crate::verdict::{Code, Fault};

/// One request.
#[derive(Debug)]
pub(in crate::mirror) struct HttpRequest<'a> {
    pub(in crate::mirror) method: Method,
    pub(in crate::mirror) url: &'a Url,
    pub(in crate::mirror) hosts: &'a Hosts,
    pub(in crate::mirror) headers: HeaderMap,
    /// A form to post; with it no redirect is followed.
    pub(in crate::mirror) form: Option<&'a str>,
    /// Whether redirects are followed.
    pub(in crate::mirror) follow: bool,
}

impl<'a> HttpRequest<'a> {
    /// A request for a file.
    pub(in crate::mirror) const fn get(url: &'a Url, hosts: &'a Hosts, headers: HeaderMap) -> Self {
        Self { method: Method::GET, url, hosts, headers, form: None, follow: true }
    }
}

impl Http {
    /// Sends a request and follows redirects; the response has any other status.
    pub(in crate::mirror) fn send(
        &self,
        request: HttpRequest<'_>,
    ) -> Result<Response, AttemptError> {
        let HttpRequest { method, url: first, hosts, mut headers, form, follow } = request;
        let follow = follow && form.is_none();
        let mut url = first.clone();
        let mut been: Vec<Url> = Vec::new();
        loop {
            let place = |error: AttemptError| match been.is_empty() {
                true => error,
                false => error.at(redacted(&url)),
            };
            self.check(hosts, &url).map_err(|fault| place(fault.into()))?;
            // Credentials for one origin are not shown to another, and not again after that.
            if url.origin() != first.origin() {
                headers.remove(AUTHORIZATION);
            }
            let response = self.once(&method, &url, headers.clone(), form).map_err(place)?;
            let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !moved || !follow {
                return Ok(response);
            }
            let next = target(&url, &response).map_err(|fault| place(fault.into()))?;
            been.push(url);
            if been.contains(&next) {
                return Err(invalid("the redirects form a loop").into());
            }
            if been.len() > limits::REDIRECTS {
                return Err(invalid("too many redirects").into());
            }
            url = next;
        }
    }

    /// Requests one URL.
    fn once(
        &self,
        method: &Method,
        url: &Url,
        mut headers: HeaderMap,
        form: Option<&str>,
    ) -> Result<Response, AttemptError> {
        let mut asked = url.clone();
        let mut client = self.client();
        if let (Some(_), Some(port)) = (self.options().address_of(url), url.port()) {
            // A port in the URL would override that of `--connect-to`.
            let name = format!("{}:{port}", url.host_str().unwrap_or_default());
            let name = HeaderValue::from_str(&name).map_err(|_| invalid("not a host name"))?;
            if asked.set_port(None).is_ok() {
                headers.insert(HOST, name);
                client = &self.placed;
            }
        }
        let mut request = client.request(method.clone(), asked).headers(headers);
        if let Some(form) = form {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.to_owned());
        }
        // Sent inside the future: the time limits begin with the call, and need the runtime.
        self.block_on(async { request.send().await }).map_err(AttemptError::from)
    }

    fn check(&self, hosts: &Hosts, url: &Url) -> Result<(), Fault> {
        if url.scheme() == "http" && !self.options().allow_http {
            return Err(Fault::new(Code::HostNotAllowed, "the URL is plain HTTP"));
        }
        hosts.check(url)
    }
}

/// The URL that a redirect leads to.
fn target(url: &Url, response: &Response) -> Result<Url, Fault> {
    let mut values = response.headers().get_all(LOCATION).iter();
    let (Some(location), None) = (values.next(), values.next()) else {
        return Err(invalid("a redirect without exactly one Location"));
    };
    let location = location.to_str().ok().and_then(|text| url.join(text).ok());
    let mut next = location.ok_or_else(|| invalid("a redirect to something that is not a URL"))?;
    next.set_fragment(None);
    Ok(next)
}

fn invalid(message: &str) -> Fault {
    Fault::new(Code::ResponseInvalid, message)
}
