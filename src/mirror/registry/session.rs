//! One repository of one registry: its authentication, manifests and blobs.

use std::sync::{Mutex, PoisonError};

use base64ct::{Base64, Encoding as _};
use oci_spec::distribution::Reference;
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::challenge::{Challenge, challenge};
use super::credentials::{Credentials, Login};
use super::document::MANIFEST_TYPES;
use super::realm;
use super::registry_request::{self, RegistryRequest, RegistryResponse, refused};
use crate::digest::Sha256Digest;
use crate::json;
use crate::limits;
use crate::mirror::http::{AttemptError, Http, is_page, is_transient, page};
use crate::mirror::{FetchRecord, Hosts};
use crate::verdict::{Code, Fault};

pub(super) struct Session<'a> {
    pub(super) http: &'a Http,
    pub(super) reference: Reference,
    /// Whether the registry is used over plain HTTP, which was allowed.
    plain: bool,
    login: Login,
    /// The hosts other than the registry's own that may get its credentials.
    hosts: &'a Hosts,
    current: Mutex<Authorization>,
}

/// How requests are authorized at present.
struct Authorization {
    scheme: AuthScheme,
    /// Counts renewals, so that two threads that see the same token expire fetch a new one only once.
    number: u64,
}

enum AuthScheme {
    Anonymous,
    Bearer(String),
    Basic { user: String, password: String },
}

impl<'a> Session<'a> {
    /// Asks the registry how it wants requests to be authorized, and gets a token if it wants one.
    pub(super) fn open(
        http: &'a Http,
        reference: Reference,
        plain: bool,
        login: Login,
        hosts: &'a Hosts,
    ) -> Result<Self, Fault> {
        let current = Mutex::new(Authorization { scheme: AuthScheme::Anonymous, number: 0 });
        let session = Self { http, reference, plain, login, hosts, current };
        session.renew(0)?;
        Ok(session)
    }

    /// Renews the authorization, unless another thread did so after this number.
    pub(super) fn renew(&self, number: u64) -> Result<(), Fault> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number != number {
            return Ok(());
        }
        let url = self.url("")?;
        let response = self.http.retrying(url.as_str(), |_| {
            let cap = limits::TOKEN_BYTES;
            let response = registry_request::ask(
                self.http,
                &url,
                &RegistryRequest { cap, ..RegistryRequest::default() },
            )?;
            match response.status {
                status if is_transient(status) => {
                    Err(refused(status, &response.headers, &response.body))
                }
                _ => Ok(response),
            }
        });
        let response = response.map_err(|fault| fault.at(url.as_str()))?;
        // A registry that is neither open nor asks for anything refuses the next request, and says why.
        let scheme = match response.status {
            401 => self.answer_challenge(&response.headers)?,
            _ => AuthScheme::Anonymous,
        };
        *current = Authorization { scheme, number: number.saturating_add(1) };
        Ok(())
    }

    /// Fetches the bytes of a manifest or an index, by tag or digest.
    pub(super) fn manifest(&self, name: &str) -> Result<(Vec<u8>, FetchRecord), Fault> {
        self.small(&format!("manifests/{name}"), &MANIFEST_TYPES.join(", "))
    }

    /// Fetches a blob that is small.
    pub(super) fn small_blob(
        &self,
        digest: &Sha256Digest,
    ) -> Result<(Vec<u8>, FetchRecord), Fault> {
        self.small(&format!("blobs/{digest}"), "")
    }

    fn small(&self, path: &str, accept: &str) -> Result<(Vec<u8>, FetchRecord), Fault> {
        let url = self.url(&format!("{}/{path}", self.reference.repository()))?;
        let mut asked_again = false;
        let response = self.http.retrying(url.as_str(), |_| {
            loop {
                let (authorization, number) = self.authorization()?;
                let cap = limits::ARCHIVE_JSON_BYTES;
                let ask =
                    RegistryRequest { accept, authorization, cap, ..RegistryRequest::default() };
                let response = registry_request::ask(self.http, &url, &ask)?;
                match response.status {
                    200 if is_page(&response.body) => return Err(page().at(url.as_str()).into()),
                    200 => return Ok(response),
                    401 if !asked_again => {
                        asked_again = true;
                        self.renew_by(number, &response).map_err(AttemptError::Fatal)?;
                    }
                    status => return Err(self.refused(status, &response.headers, &response.body)),
                }
            }
        })?;
        let fetched = fetched(&url, &response.body, response.status);
        Ok((response.body, fetched))
    }

    /// Requests a blob from one of its bytes on. Also returns the number of the authorization used.
    pub(super) fn blob(&self, url: &Url, from: u64) -> Result<(Response, u64), AttemptError> {
        let (authorization, number) = self.authorization()?;
        Ok((registry_request::stream(self.http, url, authorization, from)?, number))
    }

    /// The error for a refusal. If credentials that could not be read may be the reason, it says so.
    pub(super) fn refused(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> AttemptError {
        match &self.login.error {
            Some(fault) if matches!(status, 401 | 403) => AttemptError::Fatal(fault.clone()),
            _ => refused(status, headers, body),
        }
    }

    /// As [`Session::renew`], by the challenge of this response: some registries are open until more is
    /// requested.
    fn renew_by(&self, number: u64, response: &RegistryResponse) -> Result<(), Fault> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number == number {
            let scheme = self.answer_challenge(&response.headers)?;
            *current = Authorization { scheme, number: number.saturating_add(1) };
        }
        Ok(())
    }

    /// The URL of something in the registry.
    pub(super) fn url(&self, path: &str) -> Result<Url, Fault> {
        let scheme = if self.plain { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{path}", self.reference.resolve_registry());
        Url::parse(&text).map_err(|error| {
            Fault::new(Code::ReferenceInvalid, format!("not a valid registry URL: {error}"))
                .at(self.reference.to_string())
        })
    }

    fn authorization(&self) -> Result<(Option<HeaderValue>, u64), AttemptError> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &current.scheme {
            AuthScheme::Anonymous => return Ok((None, current.number)),
            AuthScheme::Bearer(token) => format!("Bearer {token}"),
            AuthScheme::Basic { user, password } => basic(user, password),
        };
        Ok((Some(secret(&text).map_err(AttemptError::Fatal)?), current.number))
    }

    /// Answers a challenge.
    fn answer_challenge(&self, headers: &HeaderMap) -> Result<AuthScheme, Fault> {
        // A token for the registry itself: no token service is needed.
        if let Some(Credentials::Registry(token)) = &self.login.credentials {
            return Ok(AuthScheme::Bearer(token.clone()));
        }
        match challenge(headers) {
            None => Ok(AuthScheme::Anonymous),
            Some(Challenge::Basic) => match &self.login.credentials {
                None | Some(Credentials::Registry(_)) => Ok(AuthScheme::Anonymous),
                Some(Credentials::Password { user, password }) => {
                    Ok(AuthScheme::Basic { user: user.clone(), password: password.clone() })
                }
                Some(Credentials::Identity(_)) => Err(failed(
                    "the registry takes a password, but Docker's credentials hold an identity token only",
                )),
            },
            Some(Challenge::Bearer { realm, service }) => {
                self.token(&realm, service.as_deref()).map(AuthScheme::Bearer)
            }
        }
    }

    /// Fetches a token for reading the repository.
    fn token(&self, realm: &str, service: Option<&str>) -> Result<String, Fault> {
        let mut url = Url::parse(realm).map_err(|error| {
            failed(format!("the URL of the registry's token service is invalid: {error}"))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(failed("the URL of the registry's token service names a user or password"));
        }
        let shown = realm.split('?').next().unwrap_or(realm);
        if self.login.credentials.is_some() {
            let registry = self.url("")?;
            realm::check(&registry, &url, self.hosts).map_err(|fault| fault.at(shown))?;
        } else if url.scheme() != "https" && !self.plain {
            let message = "the registry's token service does not use TLS";
            return Err(failed(message).at(shown));
        }
        let scope = format!("repository:{}:pull", self.reference.repository());
        let mut ask = RegistryRequest {
            cap: limits::TOKEN_BYTES,
            secret: true,
            ..RegistryRequest::default()
        };
        let mut fields = vec![("scope", scope.as_str())];
        fields.extend(service.map(|service| ("service", service)));
        match &self.login.credentials {
            // OAuth 2, section 6, as Docker's token service takes it.
            Some(Credentials::Identity(token)) => {
                fields.extend([("grant_type", "refresh_token"), ("client_id", "sealift")]);
                fields.push(("refresh_token", token.as_str()));
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                ask.form = Some(form.extend_pairs(&fields).finish());
            }
            Some(Credentials::Password { user, password }) => {
                ask.authorization = Some(secret(&basic(user, password))?);
                url.query_pairs_mut().extend_pairs(&fields);
            }
            None | Some(Credentials::Registry(_)) => {
                url.query_pairs_mut().extend_pairs(&fields);
            }
        }
        let response = self.http.retrying(shown, |_| {
            let response = registry_request::ask(self.http, &url, &ask)?;
            match response.status {
                200 if is_page(&response.body) => Err(page().into()),
                200 => Ok(response),
                _ => Err(self.refused_token(&response)),
            }
        });
        let response = response.map_err(|fault| fault.at(shown))?;
        token_in(&response.body).map_err(|fault| fault.at(shown))
    }

    /// The error for a refusal by the token service. Its message is not shown: it may quote what was sent.
    fn refused_token(&self, response: &RegistryResponse) -> AttemptError {
        let who = match &self.login.credentials {
            None => "no token without credentials",
            Some(_) => "the credentials were refused",
        };
        match response.status {
            401 | 403 if self.login.error.is_some() => {
                self.refused(response.status, &response.headers, b"")
            }
            400 | 401 | 403 => {
                let message = format!("status {}, {who}", response.status);
                AttemptError::Fatal(Fault::new(Code::HttpRefused, message))
            }
            status => refused(status, &response.headers, b""),
        }
    }
}

/// The record of something small that was fetched.
pub(super) fn fetched(url: &Url, body: &[u8], status: u16) -> FetchRecord {
    FetchRecord {
        status,
        ..FetchRecord::new(url.to_string(), body.len() as u64, Sha256Digest::of(body))
    }
}

fn token_in(body: &[u8]) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Token {
        token: Option<String>,
        access_token: Option<String>,
    }
    let invalid = |what: &str| Fault::new(Code::ResponseInvalid, what);
    // The parser's message is not shown: it might quote the token.
    let value = json::parse(body, limits::TOKEN_BYTES)
        .map_err(|_| invalid("the token response is not JSON"))?;
    let token: Token = serde_json::from_value(value)
        .map_err(|_| invalid("the token response has fields of the wrong type"))?;
    let token =
        token.token.filter(|text| !text.is_empty()).or(token.access_token).unwrap_or_default();
    // It becomes a header.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("the token response holds no token"));
    }
    Ok(token)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
}

/// A header value that is never printed.
fn secret(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| failed("the credentials contain characters that a header can't hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn failed(message: impl Into<String>) -> Fault {
    Fault::new(Code::CredentialsFailed, message)
}
