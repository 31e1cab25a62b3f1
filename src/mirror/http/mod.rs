//! HTTP, the one stack of the mirror: TLS, proxies of the environment, time limits, attempts, and
//! downloads that continue where they stopped.
//!
//! Every host is asked of a [`Hosts`] list first, also where a redirect leads. Nothing that is hashed
//! is ever decoded: no content encoding is asked for or accepted. No credentials are sent, but where a
//! caller gives them, and then to no other host.

mod large;
mod range;
mod retry;
mod send;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, redirect};
use url::Url;

pub use retry::Attempt;
pub(super) use retry::absent;
use send::{failed, validators};

use super::record::now;
use super::{Fetched, Hosts, shown};
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// How to speak HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Certificate authorities (PEM) that are believed besides those of the system.
    pub ca_pem: Vec<Vec<u8>>,
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// `HOST=ADDRESS:PORT`: where to find a host, in place of asking the name service. The certificate must
    /// still be the host's.
    pub connect_to: Vec<String>,
    /// How often something is tried again.
    pub retries: u32,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still.
    pub stall_timeout: Duration,
    /// The first pause before trying again; it doubles each time.
    pub backoff: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            ca_pem: Vec::new(),
            allow_http: false,
            connect_to: Vec::new(),
            retries: 5,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
        }
    }
}

/// By what a server tells one state of a file from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// The answer to a request for a small file.
#[derive(Debug)]
pub enum Small {
    /// It is what is known.
    Unchanged,
    /// Its bytes.
    Body(Vec<u8>, Fetched),
}

/// The answer to a request for a file of any size.
#[derive(Debug)]
pub enum Large {
    /// It is what is known.
    Unchanged,
    /// It lies in the folder.
    Done(Fetched),
}

/// What a server says of a file without sending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Size in bytes.
    pub size: Option<u64>,
    /// Its state.
    pub validators: Validators,
}

/// The client.
#[derive(Debug)]
pub struct Http {
    runtime: tokio::runtime::Runtime,
    client: Client,
    options: HttpOptions,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// [`Code::Usage`] for certificates that can't be read.
    pub fn new(options: HttpOptions) -> Result<Self, Fault> {
        // Whoever installed one before, it is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut certificates = Vec::new();
        for pem in &options.ca_pem {
            let some = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| Fault::new(Code::Usage, format!("--ca-file: {error}")))?;
            if some.is_empty() {
                return Err(Fault::new(Code::Usage, "--ca-file: there is no certificate in it"));
            }
            certificates.extend(some);
        }
        let fail = |error: String| Fault::new(Code::NetworkFailed, error);
        let mut builder = Client::builder();
        for text in &options.connect_to {
            let (host, address) = place(text)?;
            builder = builder.resolve(host, address);
        }
        let client = builder
            .user_agent(concat!("sealift/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(!options.allow_http)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.stall_timeout)
            .tls_certs_merge(certificates)
            .build()
            .map_err(|error| fail(failed_words(&error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| fail(error.to_string()))?;
        Ok(Self { runtime, client, options })
    }

    /// The options.
    #[must_use]
    pub const fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// The client itself; it follows no redirect.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// How long the head of an answer, or a small body, may take in all.
    pub(super) fn patience(&self) -> Duration {
        self.options.stall_timeout.saturating_mul(5)
    }

    /// The attempt of a server that does not come to an end.
    fn too_slow(&self) -> Attempt {
        let message = format!("no whole answer within {} s", self.patience().as_secs());
        Attempt::Again(Fault::new(Code::NetworkFailed, message))
    }

    /// Runs a future to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a future beside everything else.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// Fetches a small file into memory, at most `cap` bytes.
    ///
    /// # Errors
    /// [`Code::HostNotAllowed`], [`Code::NetworkFailed`], [`Code::HttpRefused`],
    /// [`Code::ResponseInvalid`] and [`Code::ResponseTooLarge`].
    pub fn small(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        known: Option<&Validators>,
    ) -> Result<Small, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            send::conditional(&mut headers, known);
        }
        self.small_by(url, hosts, cap, &headers)
    }

    /// The same with an `Authorization` header, which no other host sees.
    ///
    /// # Errors
    /// Those of [`Http::small`].
    pub fn small_with(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        authorization: Option<&str>,
    ) -> Result<Small, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            let mut value = HeaderValue::from_str(text)
                .map_err(|_| Fault::new(Code::CredentialsFailed, "not a header's text"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        self.small_by(url, hosts, cap, &headers)
    }

    fn small_by(
        &self,
        url: &Url,
        hosts: &Hosts,
        cap: u64,
        headers: &HeaderMap,
    ) -> Result<Small, Fault> {
        self.retrying(&shown(url), || {
            self.block_on(async {
                let mut response = self.send(Method::GET, url, hosts, headers).await?;
                if response.status().as_u16() == 304 {
                    return Ok(Small::Unchanged);
                }
                send::whole(&response)?;
                let stated = response.content_length();
                let large = || {
                    let message = format!("more than {cap} bytes");
                    Attempt::Stop(Fault::new(Code::ResponseTooLarge, message))
                };
                if stated.is_some_and(|stated| stated > cap) {
                    return Err(large());
                }
                let mut bytes = Vec::new();
                let body = async {
                    while let Some(chunk) = response.chunk().await.map_err(|it| failed(&it))? {
                        if bytes.len().saturating_add(chunk.len()) as u64 > cap {
                            return Err(large());
                        }
                        bytes.extend_from_slice(&chunk);
                    }
                    Ok(())
                };
                // A server that sends a byte now and then never stands still.
                match tokio::time::timeout(self.patience(), body).await {
                    Ok(read) => read?,
                    Err(_) => return Err(self.too_slow()),
                }
                let state = validators(response.headers());
                let fetched = Fetched {
                    time: now(),
                    url: shown(url),
                    status: response.status().as_u16(),
                    size: bytes.len() as u64,
                    sha256: Sha256Digest::of(&bytes),
                    path: None,
                    etag: state.etag,
                    last_modified: state.last_modified,
                    resumed_from: 0,
                };
                Ok(Small::Body(bytes, fetched))
            })
        })
    }

    /// Asks what a file is, without fetching it.
    ///
    /// # Errors
    /// Those of [`Http::small`].
    pub fn ask(&self, url: &Url, hosts: &Hosts) -> Result<Asked, Fault> {
        let ask = |method: Method| {
            self.retrying(&shown(url), || {
                self.block_on(async {
                    let response = self.send(method.clone(), url, hosts, &HeaderMap::new()).await?;
                    send::whole(&response)?;
                    let stated = response.headers().get(reqwest::header::CONTENT_LENGTH);
                    let size = stated.and_then(|it| it.to_str().ok()?.parse().ok());
                    Ok(Asked { size, validators: validators(response.headers()) })
                })
            })
        };
        match ask(Method::HEAD) {
            // Some servers know GET alone; its body is not read.
            Err(fault) if fault.code() == Code::HttpRefused => ask(Method::GET),
            other => other,
        }
    }
}

/// `HOST=ADDRESS:PORT`.
fn place(text: &str) -> Result<(&str, SocketAddr), Fault> {
    let parts = text.split_once('=').and_then(|(host, to)| Some((host, to.parse().ok()?)));
    parts.filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
        Fault::new(Code::Usage, "--connect-to is HOST=ADDRESS:PORT, with an IP address").at(text)
    })
}

/// An error with all its causes.
fn failed_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
