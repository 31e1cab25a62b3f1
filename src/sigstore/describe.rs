//! What a bundle says about itself, for `inspect`. Nothing here was verified.

use serde::Serialize;

use super::TrustMaterial;
use super::body::{Body, LoggedKey};
use super::bundle::{BundleContent, Format, SignatureBundle, VerificationMaterial};
use super::certificate::Certificate;
use super::entry::LogEntry;
use crate::digest::Sha256Digest;
use crate::key::{KeyKind, PublicKey};

/// A bundle's own words.
#[derive(Debug, Clone, Serialize)]
pub struct BundleDescription {
    /// The format.
    pub format: Format,
    /// `message-signature` or `dsse-envelope`.
    pub content: &'static str,
    /// The digest that it says was signed: algorithm, colon, hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_digest: Option<String>,
    /// What kind of signer it names.
    pub signer: SignerDescription,
    /// Its log entries.
    pub log_entries: Vec<LogEntryDescription>,
    /// How many RFC 3161 timestamps it carries.
    pub timestamps: usize,
    /// Notes from reading it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a bundle says about its signer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum SignerDescription {
    /// A key that is not in the bundle.
    KeyElsewhere {
        /// The opaque hint; empty if there is none.
        hint: String,
    },
    /// A public key in the bundle. Never used for verification.
    Key {
        /// Its fingerprint.
        fingerprint: Sha256Digest,
        /// Its type.
        key: KeyKind,
    },
    /// A certificate.
    Certificate {
        /// The subject alternative name.
        #[serde(skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        /// The OIDC issuer.
        #[serde(skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// Start of validity, RFC 3339.
        not_before: String,
        /// End of validity, RFC 3339.
        not_after: String,
        /// Fingerprint of the certified key.
        fingerprint: Sha256Digest,
        /// Type of the certified key.
        key: KeyKind,
    },
}

/// A log entry's own words.
#[derive(Debug, Clone, Serialize)]
pub struct LogEntryDescription {
    /// Kind and version, for example `hashedrekord 0.0.1`.
    pub kind: String,
    /// The log's id in hexadecimal.
    pub log_id: String,
    /// The log's base URL, if the trusted root knows the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Index in the log.
    pub index: u64,
    /// Integrated time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Whether it carries a signed entry timestamp.
    pub promise: bool,
    /// Whether it carries an inclusion proof.
    pub inclusion_proof: bool,
    /// Fingerprint of the key that the entry names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Sha256Digest>,
}

impl SignatureBundle {
    /// What the bundle says about itself; with a trusted root, its logs by name.
    #[must_use]
    pub fn describe(&self, trust: Option<&TrustMaterial>) -> BundleDescription {
        BundleDescription {
            format: self.format,
            content: match self.content {
                BundleContent::MessageSignature { .. } => "message-signature",
                BundleContent::DsseEnvelope { .. } => "dsse-envelope",
            },
            stated_digest: self
                .stated_digest()
                .map(|(algorithm, digest)| format!("{algorithm}:{digest}")),
            signer: match &self.material {
                VerificationMaterial::Nothing => {
                    SignerDescription::KeyElsewhere { hint: String::new() }
                }
                VerificationMaterial::KeyHint(hint) => {
                    SignerDescription::KeyElsewhere { hint: hint.clone() }
                }
                VerificationMaterial::Key(key) => {
                    SignerDescription::Key { fingerprint: key.fingerprint(), key: key.kind() }
                }
                VerificationMaterial::Certificates { leaf, .. } => SignerDescription::Certificate {
                    identity: leaf.identity.clone(),
                    issuer: leaf.issuer.clone(),
                    not_before: leaf.not_before.to_string(),
                    not_after: leaf.not_after.to_string(),
                    fingerprint: leaf.key.fingerprint(),
                    key: leaf.key.kind(),
                },
            },
            log_entries: self.entries.iter().map(|entry| log_entry(entry, trust)).collect(),
            timestamps: self.timestamps.len(),
            notes: self.notes.clone(),
        }
    }
}

fn log_entry(entry: &LogEntry, trust: Option<&TrustMaterial>) -> LogEntryDescription {
    let fingerprint = match entry.read() {
        Ok(Body::HashedRekord(record)) => match &record.verifier {
            LoggedKey::Key(der) => PublicKey::from_spki_der(der).ok().map(|key| key.fingerprint()),
            LoggedKey::Certificate(der) => {
                Certificate::from_der(der.clone()).ok().map(|found| found.key.fingerprint())
            }
        },
        _ => None,
    };
    LogEntryDescription {
        kind: format!("{} {}", entry.kind, entry.version),
        log_id: crate::digest::hex(&entry.log_id),
        log: trust.and_then(|trust| trust.log(&entry.log_id)).map(|log| log.name.clone()),
        index: entry.index,
        time: entry.time().map(|time| time.to_string()),
        promise: entry.promise.is_some(),
        inclusion_proof: entry.proof.is_some(),
        fingerprint,
    }
}
