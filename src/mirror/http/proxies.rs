//! Which proxy to use for a URL, by the rules by which Docker and Go's `httpproxy` read the environment. The
//! caller reads the environment itself.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::mirror::is_this_machine;
use crate::verdict::{Code, Fault};

/// Proxies, and the hosts for which none is used.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    direct: Vec<NoProxyRule>,
}

impl fmt::Debug for Proxies {
    /// Without the URLs, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("direct", &self.direct)
            .finish()
    }
}

/// One entry of `NO_PROXY`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NoProxyRule {
    All,
    /// The addresses that share this many first bits with this one.
    Net {
        address: IpAddr,
        bits: u32,
        port: Option<u16>,
    },
    /// Everything below a domain; also the domain itself unless it was written with a leading dot or `*.`.
    Domain {
        name: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, each in upper case or else in lower
    /// case.
    ///
    /// # Errors
    /// [`Code::Usage`] for a proxy that is not an `http` or `https` URL. Its text, which may hold a password,
    /// is not shown.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Fault> {
        let get = |name: &str| {
            let set = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
            set(name).or_else(|| set(&name.to_ascii_lowercase()))
        };
        let proxy = |name: &str| match get(name) {
            None => Ok(None),
            Some(text) => parse(&text).map(Some).ok_or_else(|| {
                Fault::new(Code::Usage, "not the URL of an HTTP proxy").at(name.to_owned())
            }),
        };
        // In a CGI program the client can set this one with a header `Proxy`.
        let http = if variable("REQUEST_METHOD").is_some() { None } else { proxy("HTTP_PROXY")? };
        // A proxy for all schemes is often a SOCKS proxy, which this program does not support.
        let all = get("ALL_PROXY").as_deref().and_then(parse);
        let direct = get("NO_PROXY").unwrap_or_default();
        Ok(Self {
            http: http.or_else(|| all.clone()),
            https: proxy("HTTPS_PROXY")?.or(all),
            direct: direct.split([',', ' ', '\t', '\n']).filter_map(rule).collect(),
        })
    }

    /// The proxy for a URL; none for this machine.
    #[must_use]
    pub fn of_url(&self, url: &Url) -> Option<Url> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        }?;
        let host = url.host()?;
        let port = url.port_or_known_default()?;
        let direct =
            is_this_machine(url) || self.direct.iter().any(|rule| rule.covers(&host, port));
        (!direct).then(|| proxy.clone())
    }
}

/// Parses a proxy's URL, or its host and port alone.
fn parse(text: &str) -> Option<Url> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
}

fn rule(text: &str) -> Option<NoProxyRule> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return None;
    }
    if text == "*" {
        return Some(NoProxyRule::All);
    }
    if let Some((address, bits)) = text.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits: u32 = bits.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        return (bits <= most).then_some(NoProxyRule::Net { address, bits, port: None });
    }
    let (host, port) = host_and_port(&text)?;
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        return Some(NoProxyRule::Net { address, bits, port });
    }
    let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let below = name.strip_prefix('.');
    let name = below.unwrap_or(name).trim_end_matches('.');
    let Ok(Host::Domain(name)) = Host::parse(name) else { return None };
    Some(NoProxyRule::Domain { name, itself: below.is_none(), port })
}

/// Splits off a port: `[::1]:80`, `::1`, `a:80`, `a`.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.parse::<IpAddr>().is_ok() {
        return Some((text, None));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => Some((host, Some(port.parse().ok()?))),
        _ => Some((text, None)),
    }
}

impl NoProxyRule {
    fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        let fits = |own: &Option<u16>| own.is_none_or(|own| own == port);
        match self {
            Self::All => true,
            Self::Net { address, bits, port } => match host {
                Host::Ipv4(host) => fits(port) && within(IpAddr::V4(*host), *address, *bits),
                Host::Ipv6(host) => fits(port) && within(IpAddr::V6(*host), *address, *bits),
                Host::Domain(_) => false,
            },
            Self::Domain { name, itself, port } => {
                let Host::Domain(host) = host else { return false };
                let host = host.trim_end_matches('.');
                let before = host.strip_suffix(name.as_str());
                let below = before.is_some_and(|before| before.ends_with('.') && before.len() > 1);
                fits(port) && (below || *itself && host == name)
            }
        }
    }
}

/// Whether the first bits of two addresses of the same kind are equal.
fn within(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let equal = |different: u128, width: u32| {
        different.checked_shr(width.saturating_sub(bits)).unwrap_or(0) == 0
    };
    match (one.to_canonical(), other.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            equal(u128::from(one.to_bits() ^ other.to_bits()), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => equal(one.to_bits() ^ other.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, Fault> {
        Proxies::of(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// Whether a URL goes past the proxy with this `NO_PROXY`.
    fn direct(no_proxy: &str, url: &str) -> bool {
        let all =
            [("HTTP_PROXY", "p.example:1"), ("HTTPS_PROXY", "p.example:2"), ("NO_PROXY", no_proxy)];
        proxies(&all).unwrap().of_url(&Url::parse(url).unwrap()).is_none()
    }

    #[test]
    fn as_go_reads_it() {
        for (no_proxy, url) in [
            ("*", "https://a.example/"),
            ("a.example", "https://a.example/"),
            ("a.example", "https://b.a.example/"),
            ("A.Example", "https://b.a.example/"),
            (".example", "https://a.example/"),
            ("*.example", "https://a.b.example/"),
            ("x, a.example:443", "https://a.example/"),
            ("a.example:5000", "https://a.example:5000/v2/"),
            ("*.example:5000", "https://a.example:5000/v2/"),
            ("10.1.0.0/16", "https://10.1.2.3/"),
            ("10.1.2.3", "https://10.1.2.3:8443/"),
            ("10.1.2.3:8443", "https://10.1.2.3:8443/"),
            ("[fd00::1]:8443", "https://[fd00::1]:8443/"),
            ("fd00::/8", "https://[fd00::1]/"),
            ("fd00::1", "http://[fd00::1]/"),
            ("0.0.0.0/0", "http://1.2.3.4/"),
            ("bücher.example", "https://xn--bcher-kva.example/"),
            ("x a.example", "https://a.example/"),
            // This machine is never asked through a proxy.
            ("", "http://127.0.0.1:5000/"),
            ("", "http://127.9.9.9/"),
            ("", "http://localhost:5000/"),
            ("", "http://[::1]/"),
        ] {
            assert!(direct(no_proxy, url), "{no_proxy:?} {url}");
        }
        for (no_proxy, url) in [
            ("", "https://a.example/"),
            (".example", "https://example/"),
            ("*.a.example", "https://a.example/"),
            ("a.example", "https://ba.example/"),
            ("a.example:443", "https://a.example:5000/"),
            ("a.example:443", "http://a.example/"),
            ("a.example:x", "https://a.example/"),
            ("10.1.0.0/16", "https://10.2.0.1/"),
            ("10.1.0.0/33", "https://10.1.0.1/"),
            ("10.1", "https://10.10.0.1/"),
            ("127.0.0.1", "https://127.evil.example/"),
            ("*example", "https://a.example/"),
        ] {
            assert!(!direct(no_proxy, url), "{no_proxy:?} {url}");
        }
    }

    #[test]
    fn capitals_first_and_one_for_all() {
        let of = |variables: &[(&str, &str)], url: &str| {
            let found = proxies(variables).unwrap().of_url(&Url::parse(url).unwrap());
            found.map(|proxy| proxy.to_string())
        };
        let (plain, tls) = ("http://a.example/", "https://a.example/");
        let both = [("HTTPS_PROXY", "http://u:p@one:1"), ("https_proxy", "http://two:2")];
        assert_eq!(of(&both, tls).as_deref(), Some("http://u:p@one:1/"));
        assert_eq!(of(&both[1..], tls).as_deref(), Some("http://two:2/"));
        assert_eq!(of(&both, plain), None);
        assert_eq!(of(&[("all_proxy", "one:1")], plain).as_deref(), Some("http://one:1/"));
        assert_eq!(of(&[("ALL_PROXY", "socks5://one:1")], tls), None);
        assert_eq!(of(&[("HTTP_PROXY", "one"), ("REQUEST_METHOD", "GET")], plain), None);
        let bad = proxies(&[("HTTPS_PROXY", "socks5://u:secret@one:1")]).unwrap_err();
        assert!(bad.code() == Code::Usage && !bad.to_string().contains("secret"), "{bad}");
        let debug = format!("{:?}", proxies(&both).unwrap());
        assert!(!debug.contains("u:p"), "{debug}");
    }
}
