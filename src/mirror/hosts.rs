//! Which hosts may be asked. A label, a JSON file and a redirect are untrusted text: they can't lead
//! anywhere else.

use url::Url;

use super::urls::{host, host_and_port, redacted};
use crate::verdict::{Code, Fault};

/// A list of allowed hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    patterns: Vec<String>,
    allow_http: bool,
    anywhere: bool,
}

impl Hosts {
    /// Allows these hosts: `download.example.com`, or `*.example.com` for every host below. With a
    /// port (`host:8443`) only that port; without one only the scheme's own. Plain HTTP only where it is allowed.
    #[must_use]
    pub fn new(patterns: impl IntoIterator<Item = String>, allow_http: bool) -> Self {
        let patterns = patterns.into_iter().map(|it| it.to_ascii_lowercase()).collect();
        Self { patterns, allow_http, anywhere: false }
    }

    /// Allows every host: for what has to have a known digest, and is asked for without a secret.
    #[must_use]
    pub const fn anywhere(allow_http: bool) -> Self {
        Self { patterns: Vec::new(), allow_http, anywhere: true }
    }

    /// The same and the host of a URL that the operator named, with its port.
    #[must_use]
    pub fn and(&self, url: &Url) -> Self {
        let mut hosts = self.clone();
        hosts.patterns.extend(host_and_port(url));
        hosts
    }

    /// Accepts a URL: its scheme, its host and port, and that no user name or password stands in it.
    ///
    /// # Errors
    /// [`Code::HostNotAllowed`].
    pub fn check(&self, url: &Url) -> Result<(), Fault> {
        let refuse = |message: String| Err(Fault::new(Code::HostNotAllowed, message));
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return refuse(format!("{} is plain HTTP", redacted(url))),
            other => return refuse(format!("{other}: is not a scheme to fetch by")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(format!("the URL for {} names a user or password", host(url)));
        }
        let Some(place) = host_and_port(url) else {
            return refuse(String::from("the URL names no host"));
        };
        let listed = self.patterns.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(end) => end.starts_with('.') && place.len() > end.len() && place.ends_with(end),
            None => place == *pattern,
        });
        if listed || self.anywhere {
            Ok(())
        } else {
            refuse(format!("{place} is not among the allowed hosts"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &Hosts, url: &str) -> bool {
        hosts.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn only_listed_hosts_over_tls() {
        let hosts = Hosts::new(["V.example".to_owned(), "*.cdn.example".to_owned()], false);
        for good in ["https://v.example/a", "https://V.EXAMPLE/", "https://a.cdn.example:443/x"] {
            assert!(allowed(&hosts, good), "{good}");
        }
        for bad in [
            "http://v.example/a",
            "https://v.example:8443/a",
            "https://cdn.example/",
            "https://evilcdn.example/",
            "https://v.example.evil/",
            "https://u:p@v.example/",
            "https://u@v.example/",
            "ftp://v.example/",
            "file:///etc/passwd",
            "https://127.0.0.1/",
        ] {
            assert!(!allowed(&hosts, bad), "{bad}");
        }
        let secret = Url::parse("http://u:pass@v.example/a?token=secret").unwrap();
        let words = hosts.check(&secret).unwrap_err().to_string();
        assert!(!words.contains("secret") && !words.contains("pass"), "{words}");
        let named = hosts.and(&Url::parse("https://other.example:8443/x").unwrap());
        assert!(allowed(&named, "https://other.example:8443/y"));
        assert!(!allowed(&named, "https://other.example/y"));
        assert!(allowed(&Hosts::new(["v.example".to_owned()], true), "http://v.example/"));
    }
}
