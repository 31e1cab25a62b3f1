//! Trust material: a Sigstore trusted root, parsed once and used for any number of bundles.
//!
//! A root that the operator names is read as cosign reads it. Unknown members are ignored, and so are
//! logs whose keys or hash functions this program does not know. Notes say so, and a bundle that needs
//! such a log gets `log-unknown`. A root that was found must have exactly the members of the published
//! schema.

use std::fmt;

use serde_json::Value;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::TimeRange;

use super::allowed_members::{self, DocumentKind, ROOT_TYPES};
use super::encoding::base64_proto;
use super::provider;
use crate::json;
use crate::key::PublicKey;
use crate::limits;
use crate::verdict::{Code, Fault};

/// A transparency log that the trusted root knows.
#[derive(Debug, Clone)]
pub(super) struct TrustedLog {
    pub(super) id: Vec<u8>,
    /// Its base URL.
    pub(super) name: String,
    pub(super) window: Option<TimeRange>,
}

/// A log that the trusted root lists and that can't be used.
#[derive(Debug, Clone)]
struct UnusedLog {
    id: Vec<u8>,
    /// Its base URL, and why.
    words: String,
}

/// A trusted root: the logs, certificate authorities and timestamp authorities to trust.
///
/// Building it installs this program's cryptography for the sigstore crates.
pub struct TrustMaterial {
    logs: Vec<TrustedLog>,
    unused: Vec<UnusedLog>,
    notes: Vec<String>,
    pub(super) verifier: Verifier,
}

impl fmt::Debug for TrustMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustMaterial").field("logs", &self.logs).finish_non_exhaustive()
    }
}

impl TrustMaterial {
    /// The root of Sigstore's public production instance, as the crate `sigstore-trust-root`
    /// embeds it.
    ///
    /// # Errors
    /// None in practice: the root is part of the program, and a test reads it.
    pub fn production() -> Result<Self, Fault> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// The bytes of the root that [`TrustMaterial::production`] reads.
    #[must_use]
    pub fn production_bytes() -> Vec<u8> {
        SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes().to_vec()
    }

    /// Reads a `trusted_root.json` (protobuf-specs, `sigstore_trustroot.proto`) that the operator named.
    ///
    /// # Errors
    /// [`Code::TrustedRootMalformed`], saying what can't be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Fault> {
        Self::read(parsed(bytes)?)
    }

    /// Reads a trusted root that was found: it has no other members than the published schema.
    ///
    /// # Errors
    /// [`Code::MaterialUnknownMember`], and those of [`TrustMaterial::from_json`].
    pub fn from_found(bytes: &[u8]) -> Result<Self, Fault> {
        let value = parsed(bytes)?;
        allowed_members::exact(DocumentKind::Root, &value)?;
        if !media_type(&value).is_some_and(|name| ROOT_TYPES.contains(&name)) {
            let message = "it calls itself a trusted root of a version that is not known";
            return Err(Fault::new(Code::MaterialUnknownMember, message).at("mediaType"));
        }
        Self::read(value)
    }

    fn read(mut value: Value) -> Result<Self, Fault> {
        provider::install();
        let mut notes = Vec::new();
        let ignored = allowed_members::ignored_in_root(&value).map_err(|place| {
            refuse("a name that differs from a known one only in its spelling".to_owned()).at(place)
        })?;
        if let Some(first) = ignored.first() {
            let more = ignored.len().saturating_sub(1);
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            notes.push(format!("the trusted root has an unknown member, ignored: {first}{more}"));
        }
        let mut unused = Vec::new();
        for list in ["tlogs", "ctlogs"] {
            if let Some(Value::Array(logs)) = value.get_mut(list) {
                logs.retain(|log| match not_understood(log) {
                    None => true,
                    Some(log) => {
                        notes.push(format!("the trusted root's log {} is left aside", log.words));
                        if list == "tlogs" {
                            unused.push(log);
                        }
                        false
                    }
                });
            }
        }
        let root: TrustedRoot =
            serde_json::from_value(value).map_err(|error| refuse(error.to_string()))?;
        let verifier = Verifier::new(&root).map_err(|error| refuse(error.to_string()))?;
        let logs = root
            .tlogs
            .iter()
            .map(|log| TrustedLog {
                id: log.log_id.key_id.as_bytes().to_vec(),
                name: log.base_url.clone(),
                window: log.public_key.valid_for,
            })
            .collect();
        Ok(Self { logs, unused, notes, verifier })
    }

    /// Which parts of the root are not used, in words.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The log with this id.
    pub(super) fn log(&self, id: &[u8]) -> Option<&TrustedLog> {
        self.logs.iter().find(|log| log.id == id)
    }

    /// Why the log with this id is not known although the root lists it.
    pub(super) fn why_unused(&self, id: &[u8]) -> Option<&str> {
        self.unused.iter().find(|log| log.id == id).map(|log| log.words.as_str())
    }

    /// The log whose id begins with the four bytes of a checkpoint's key hint.
    pub(super) fn log_by_hint(&self, hint: &[u8]) -> Option<&TrustedLog> {
        self.logs.iter().find(|log| log.id.starts_with(hint))
    }
}

fn refuse(reason: String) -> Fault {
    Fault::new(Code::TrustedRootMalformed, reason)
}

/// The document, if its media type is a trusted root's. The library's parser accepts duplicate keys of
/// unknown fields; ours does not.
fn parsed(bytes: &[u8]) -> Result<Value, Fault> {
    let value = json::parse(bytes, limits::TRUSTED_ROOT_BYTES)
        .map_err(|error| refuse(error.to_string()))?;
    if media_type(&value)
        .is_some_and(|text| text.starts_with("application/vnd.dev.sigstore.trustedroot"))
    {
        Ok(value)
    } else {
        Err(refuse("not a Sigstore trusted root (mediaType)".to_owned()))
    }
}

fn media_type(value: &Value) -> Option<&str> {
    value.get("mediaType").and_then(Value::as_str)
}

/// Why a well-formed log is ignored: its hash function or its kind of key is not known here. The
/// library refuses a root with a malformed log.
fn not_understood(log: &Value) -> Option<UnusedLog> {
    let text = |place: &str| log.pointer(place).and_then(Value::as_str);
    let name = text("/baseUrl").unwrap_or("without a URL");
    let id = text("/logId/keyId").and_then(base64_proto).unwrap_or_default();
    let hash = text("/hashAlgorithm")?;
    if !["SHA2_256", "SHA2_384", "SHA2_512"].contains(&hash) {
        let words = format!("{name} (hash function {hash}, not supported)");
        return Some(UnusedLog { id, words });
    }
    // Logs of certificates may have a bare RSA key, in PKCS#1.
    let key = base64_proto(text("/publicKey/rawBytes")?)?;
    match PublicKey::from_spki_der(&key) {
        Err(error) if error.is_unsupported() => {
            Some(UnusedLog { id, words: format!("{name} ({error})") })
        }
        _ => None,
    }
}
