//! What of a URL may be shown, and which machine it names.

use url::{Host, Url};

use crate::digest::Sha256Digest;

/// A URL without user, password, query and fragment, which may be secret: fit to be shown and recorded.
pub(super) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    // Refused only where there is no host, and then there is no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// SHA-256 of a URL that has a query: distinguishes it from others that look alike once redacted.
pub(super) fn query_digest(url: &Url) -> Option<Sha256Digest> {
    url.query().map(|_| Sha256Digest::of(url.as_str().as_bytes()))
}

/// The host in lower case; empty where there is none.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_ascii_lowercase()
}

/// The host, and the port unless it is the scheme's default.
pub(super) fn host_and_port(url: &Url) -> Option<String> {
    url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{}:{port}", host(url)),
        None => host(url),
    })
}

/// Whether a URL leads to this machine: judged by its address, never by a prefix of its name.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let url = Url::parse("https://u:p@v.example:8443/a/b?token=t#f").unwrap();
        assert_eq!(redacted(&url), "https://v.example:8443/a/b");
    }

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
}
