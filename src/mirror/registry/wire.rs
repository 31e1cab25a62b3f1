//! Small answers over HTTP, bounded: the challenge of a registry, tokens and manifests. `oci-client`
//! reads a manifest of any size into memory and keeps the status and headers to itself; blobs, which
//! it streams, are fetched through it.

use futures_util::StreamExt as _;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

use crate::mirror::http::{Http, Trouble as Attempt, causes, passes};
use crate::verdict::{Code, Fault};

/// What is read of an answer that is not wanted, to find words in it.
const REFUSAL_BYTES: u64 = 64 << 10;
/// How many redirects are followed.
const REDIRECTS: usize = 5;
pub(super) const USER_AGENT: &str = concat!("sealift/", env!("CARGO_PKG_VERSION"));

/// Two clients: one that follows redirects, and one for tokens that does not, because a request for
/// a token has a secret in it.
#[derive(Debug)]
pub(super) struct Wire {
    follows: reqwest::Client,
    stays: reqwest::Client,
}

/// A request.
#[derive(Default)]
pub(super) struct Ask<'a> {
    pub(super) accept: &'a str,
    /// The header `Authorization`. reqwest leaves it out where a redirect leads to another place.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post; redirects are not followed then, nor with `secret`.
    pub(super) form: Option<String>,
    pub(super) secret: bool,
    /// The most that a good answer may have.
    pub(super) cap: u64,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn new(http: &Http) -> Result<Self, Fault> {
        let plain = http.options().allow_http;
        let follow = Policy::custom(move |attempt| {
            if attempt.previous().len() > REDIRECTS {
                return attempt.error("too many redirects");
            }
            match attempt.url().scheme() {
                "https" => attempt.follow(),
                "http" if plain => attempt.follow(),
                _ => attempt.error("a redirect leads away from TLS"),
            }
        });
        Ok(Self { follows: client(http, follow)?, stays: client(http, Policy::none())? })
    }

    /// Asks once.
    pub(super) fn ask(&self, http: &Http, url: &Url, ask: &Ask<'_>) -> Result<Answer, Attempt> {
        http.block_on(self.asked(url, ask))
    }

    async fn asked(&self, url: &Url, ask: &Ask<'_>) -> Result<Answer, Attempt> {
        let client = if ask.secret || ask.form.is_some() { &self.stays } else { &self.follows };
        let mut request = match &ask.form {
            Some(form) => client
                .post(url.clone())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
            None => client.get(url.clone()),
        };
        if !ask.accept.is_empty() {
            request = request.header(header::ACCEPT, ask.accept);
        }
        if let Some(authorization) = &ask.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        let answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let good = answer.status().is_success();
        let cap = if good { ask.cap } else { REFUSAL_BYTES };
        let too_large = || {
            let message = format!("more than {cap} bytes");
            Attempt::Stop(Fault::new(Code::ResponseTooLarge, message))
        };
        if good && answer.content_length().is_some_and(|length| length > cap) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(part) = stream.next().await {
            let part = part.map_err(failed)?;
            if (body.len() as u64).saturating_add(part.len() as u64) > cap {
                if good {
                    return Err(too_large());
                }
                break;
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status, headers, body })
    }
}

fn client(http: &Http, redirects: Policy) -> Result<reqwest::Client, Fault> {
    let options = http.options();
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.stall_timeout)
        .redirect(redirects);
    for pem in &options.ca_pem {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(unusable)
}

fn unusable(error: reqwest::Error) -> Fault {
    Fault::new(Code::NetworkFailed, format!("no HTTP client: {}", causes(error)))
}

/// A request that failed, by the rule of every request of the mirror. A redirect that is not followed, or
/// a text that is no request, is no fault of the network.
pub(super) fn failed(error: reqwest::Error) -> Attempt {
    let code = match (error.is_redirect(), error.is_builder()) {
        (true, _) => Code::HostNotAllowed,
        (_, true) => Code::ReferenceInvalid,
        _ => return Attempt::from(error),
    };
    Attempt::Stop(Fault::new(code, causes(error)))
}

/// A status that means no, with what the server says about it; some are worth another try.
pub(super) fn refused(status: u16, body: &[u8]) -> Attempt {
    let said = said(body);
    let reason = match status {
        401 => "not authorised",
        403 => "forbidden",
        404 => "not found",
        429 => "too many requests",
        500.. => "an error of the server",
        _ => "refused",
    };
    let fault = Fault::new(Code::HttpRefused, format!("status {status}, {reason}{said}"));
    if passes(status) { Attempt::Again(fault, None) } else { Attempt::Stop(fault) }
}

/// The messages of a registry's error document, if it is one.
fn said(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(default)]
        message: String,
    }
    let errors = serde_json::from_slice::<Errors>(body).map(|it| it.errors).unwrap_or_default();
    let texts: Vec<String> =
        errors.into_iter().map(|one| one.message).filter(|it| !it.is_empty()).take(3).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) }
}
