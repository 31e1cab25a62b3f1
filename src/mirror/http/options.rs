//! The options of the client, and the client made of them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Proxy, redirect};
use url::{Host, Url};

use super::Proxies;
use super::error::causes;
use crate::verdict::{Code, Fault};

/// What an operator can set about the network.
#[derive(Clone)]
pub struct HttpOptions {
    /// Roots in addition to the platform's: PEM files, each of one or more certificates.
    pub ca_pem: Vec<Vec<u8>>,
    /// Whether plain HTTP is allowed, also as the target of a redirect.
    pub allow_http: bool,
    /// `HOST=ADDRESS:PORT`: the address of a host, instead of looking it up. The certificate must still be
    /// the host's. No proxy is used for such a host.
    pub connect_to: Vec<String>,
    /// The proxies to use.
    pub proxies: Proxies,
    /// How often a request is retried.
    pub retries: u32,
    /// How long a connection, with its TLS handshake, may take.
    pub connect_timeout: Duration,
    /// How long a server may send nothing, or almost nothing. A small response may take twice as long in
    /// all.
    pub stall_timeout: Duration,
    /// The wait before the first retry; each further one is twice as long.
    pub backoff: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            ca_pem: Vec::new(),
            allow_http: false,
            connect_to: Vec::new(),
            proxies: Proxies::default(),
            retries: 5,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
        }
    }
}

impl std::fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpOptions")
            .field("ca_pem", &self.ca_pem.len())
            .field("allow_http", &self.allow_http)
            .field("connect_to", &self.connect_to)
            .field("proxies", &self.proxies)
            .field("retries", &self.retries)
            .field("connect_timeout", &self.connect_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("backoff", &self.backoff)
            .finish()
    }
}

/// Parses `HOST=ADDRESS:PORT`, with the host as URLs write it.
pub(super) fn parse_connect_to(text: &str) -> Result<(String, SocketAddr), Fault> {
    let refuse = |message: &str| Fault::new(Code::Usage, message).at(text);
    let parts = text.split_once('=').and_then(|(host, to)| Some((host, to.parse().ok()?)));
    let (host, address) = parts
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| refuse("--connect-to is HOST=ADDRESS:PORT, with an IP address"))?;
    if host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok() {
        return Err(refuse("--connect-to takes a host name, not an address"));
    }
    match Host::parse(host) {
        Ok(Host::Domain(host)) => Ok((host, address)),
        _ => Err(refuse("--connect-to takes a host without a port; it applies to every port")),
    }
}

impl HttpOptions {
    /// The address of a host, if `--connect-to` gives one.
    pub(super) fn address_of(&self, url: &Url) -> Option<SocketAddr> {
        let Some(Host::Domain(name)) = url.host() else { return None };
        let mut places = self.connect_to.iter().filter_map(|text| parse_connect_to(text).ok());
        places.rfind(|(host, _)| host == name).map(|(_, address)| address)
    }

    /// The client for everything, or the one for hosts of `--connect-to`, which takes the port from there.
    pub(super) fn client(&self, placed: bool) -> Result<Client, Fault> {
        // reqwest and other crates use the default provider. A second call is refused, but the first one
        // set the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut builder = Client::builder().no_proxy();
        for text in &self.connect_to {
            let (host, address) = parse_connect_to(text)?;
            builder = builder.resolve(&host, address);
        }
        if placed {
            // In HTTP/1.1 the host is a header, and may name a port other than the one connected to.
            builder = builder.http1_only();
        }
        let own = self.clone();
        let proxy = Proxy::custom(move |url| match own.address_of(url) {
            Some(_) => None,
            None => own.proxies.of_url(url),
        });
        let builder = builder
            .proxy(proxy)
            .user_agent(concat!("sealift/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(!self.allow_http)
            .tls_certs_merge(self.roots()?)
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.stall_timeout);
        builder.build().map_err(|error| {
            let code = if self.ca_pem.is_empty() { Code::NetworkFailed } else { Code::Usage };
            Fault::new(code, format!("no TLS client: {}", causes(error)))
        })
    }

    fn roots(&self) -> Result<Vec<Certificate>, Fault> {
        let mut roots = Vec::new();
        for pem in &self.ca_pem {
            let found = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if found.is_empty() {
                return Err(Fault::new(Code::Usage, "the CA file holds no PEM certificate"));
            }
            roots.extend(found);
        }
        Ok(roots)
    }
}
