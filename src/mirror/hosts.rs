//! Which hosts may be asked. A label, a JSON file and a redirect are untrusted text: they can't lead
//! anywhere else.

use url::{Host, Url};

use super::http::shown;
use crate::verdict::{Code, Fault};

/// A list of allowed hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    patterns: Vec<String>,
    allow_http: bool,
    anywhere: bool,
}

/// Whether a URL leads to this machine: by its address, never by what its name begins with.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|it| it.is_loopback())
        }
        Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
        None => false,
    }
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
        hosts.patterns.extend(place(url));
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
            "http" => return refuse(format!("{} is plain HTTP", shown(url))),
            other => return refuse(format!("{other}: is no scheme to fetch by")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(format!("the URL for {} names a user or password", host(url)));
        }
        let Some(place) = place(url) else { return refuse(String::from("the URL names no host")) };
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

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_ascii_lowercase()
}

/// Host and, where it is not the scheme's own, port.
pub(super) fn place(url: &Url) -> Option<String> {
    url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{}:{port}", host(url)),
        None => host(url),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_address() {
        let here = |host: &str| is_this_machine(&Url::parse(&format!("http://{host}/")).unwrap());
        for yes in
            ["127.0.0.1", "127.1.2.3:5000", "localhost", "LOCALHOST:1", "[::1]:5000", "127.1"]
        {
            assert!(here(yes), "{yes}");
        }
        for no in
            ["127.evil.example", "127.0.0.1.example", "localhost.example", "128.0.0.1", "[::2]"]
        {
            assert!(!here(no), "{no}");
        }
    }

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
