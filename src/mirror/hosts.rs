//! Which hosts may be contacted. Labels, JSON files and redirects are untrusted text; none of them can lead
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
    /// Allows these hosts: `download.example.com`, or `*.example.com` for every host below it. With a port
    /// (`host:8443`) only that port, without one only the scheme's default.
    #[must_use]
    pub fn new(patterns: impl IntoIterator<Item = String>, allow_http: bool) -> Self {
        let patterns = patterns.into_iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
        Self { patterns, allow_http, anywhere: false }
    }

    /// Allows every host: for content with a known digest, requested without a secret.
    #[must_use]
    pub const fn anywhere(allow_http: bool) -> Self {
        Self { patterns: Vec::new(), allow_http, anywhere: true }
    }

    /// Also allows the host and port of a URL that the operator named.
    #[must_use]
    pub fn and(&self, url: &Url) -> Self {
        let mut hosts = self.clone();
        hosts.patterns.extend(host_and_port(url));
        hosts
    }

    /// Checks the scheme, host and port of a URL, and that it holds no user name or password.
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
