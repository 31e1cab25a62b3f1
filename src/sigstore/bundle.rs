//! A signature bundle as read: one model for the old cosign format and for Sigstore bundles.
//!
//! What is here was parsed strictly and not verified at all.

use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::Value;

use super::body::{Body, EntryKind};
use super::certificate::Certificate;
use super::members::{self, Document};
use super::{parse_cosign, parse_sigstore};
use crate::json::{self, JsonError};
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::verdict::{Code, Fault, guise};

/// The format of a bundle, told by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The old cosign bundle (`base64Signature`).
    Cosign,
    /// A Sigstore bundle, version 0.1.
    Sigstore01,
    /// A Sigstore bundle, version 0.2.
    Sigstore02,
    /// A Sigstore bundle, version 0.3.
    Sigstore03,
    /// A bare signature, as cosign's `--signature` file holds it.
    Detached,
}

impl Format {
    /// The name in reports: `cosign`, `sigstore-0.1` to `sigstore-0.3`, `signature`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cosign => "cosign",
            Self::Sigstore01 => "sigstore-0.1",
            Self::Sigstore02 => "sigstore-0.2",
            Self::Sigstore03 => "sigstore-0.3",
            Self::Detached => "signature",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What a bundle says about its signer.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// Nothing: an old bundle without `cert`, or a bare signature.
    Nothing,
    /// A public key is named, not carried; the hint is opaque and never trusted.
    KeyHint(String),
    /// A public key is carried (old bundles by cosign 1 and 3.1.0 to 3.1.2).
    Key(Box<PublicKey>),
    /// Certificates are carried, the signing one first; never empty.
    Certificates { leaf: Box<Certificate>, rest: Vec<Vec<u8>> },
}

/// What was signed and the signature itself.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A signature over the artifact.
    Message { digest: Option<StatedDigest>, signature: Vec<u8> },
    /// A DSSE envelope whose payload names the artifact.
    Envelope { payload_type: String, payload: Vec<u8>, signature: Vec<u8>, key_id: String },
}

/// A digest as the bundle states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatedDigest {
    pub(super) algorithm: HashAlgorithm,
    pub(super) digest: Vec<u8>,
}

/// One entry of a transparency log.
#[derive(Debug, Clone)]
pub(super) struct LogEntry {
    /// Index in the whole log.
    pub(super) index: u64,
    /// SHA-256 of the log's key (Rekor v1), or of its name and key (Rekor v2).
    pub(super) log_id: [u8; 32],
    /// The kind and version that the bundle states.
    pub(super) kind: String,
    pub(super) version: String,
    /// Unix seconds; absent or 0 with Rekor v2.
    pub(super) integrated_time: Option<u64>,
    /// The signed entry timestamp (SET).
    pub(super) promise: Option<Vec<u8>>,
    pub(super) proof: Option<Proof>,
    /// The canonicalised entry: what the log's leaf is made of.
    pub(super) body: Vec<u8>,
    /// What the body parses to, once somebody has asked.
    pub(super) parsed: OnceLock<Result<Body, Fault>>,
}

/// A Merkle inclusion proof (RFC 6962 section 2.1.1).
#[derive(Debug, Clone)]
pub(super) struct Proof {
    pub(super) index: u64,
    pub(super) root: [u8; 32],
    pub(super) tree_size: u64,
    pub(super) hashes: Vec<[u8; 32]>,
    /// The signed note; absent in old bundles.
    pub(super) checkpoint: Option<String>,
}

impl LogEntry {
    /// The kind, if it is one that can be checked.
    pub(super) fn entry_kind(&self) -> Option<EntryKind> {
        EntryKind::of(&self.kind, &self.version)
    }

    /// The body, parsed when it is first asked for: a bundle is held against many digests and keys, and
    /// its body may be large.
    pub(super) fn read(&self) -> Result<&Body, &Fault> {
        self.parsed.get_or_init(|| Body::parse(self)).as_ref()
    }

    /// The time that the entry's promise signs: an entry without one, and every entry of Rekor v2,
    /// has a time that nobody vouches for.
    pub(super) fn promised_time(&self) -> Option<jiff::Timestamp> {
        let vouched = self.promise.is_some() && !self.entry_kind()?.is_v2();
        self.time().filter(|_| vouched)
    }

    /// The integrated time, if the entry has one.
    pub(super) fn time(&self) -> Option<jiff::Timestamp> {
        let seconds = i64::try_from(self.integrated_time?).ok()?;
        jiff::Timestamp::from_second(seconds).ok()
    }
}

/// A signature bundle, parsed and not verified.
#[derive(Debug, Clone)]
pub struct SignatureBundle {
    pub(super) format: Format,
    pub(super) material: Material,
    pub(super) content: Content,
    pub(super) entries: Vec<LogEntry>,
    pub(super) timestamps: Vec<Vec<u8>>,
    pub(super) notes: Vec<String>,
}

impl SignatureBundle {
    /// Reads a bundle of either format. Which one it is follows from the names of its fields; a
    /// bundle that is bad in its own format is never tried as the other one.
    ///
    /// # Errors
    /// [`Code::BundleMalformed`], [`Code::BundleTooLarge`] or [`Code::BundleUnsupported`];
    /// [`Code::LogEntryMalformed`] and [`Code::CertificateInvalid`] for those parts.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let value = json::parse(bytes, limits::BUNDLE_BYTES).map_err(|error| {
            let code = match error {
                JsonError::TooLarge { .. } | JsonError::TooManyValues => Code::BundleTooLarge,
                _ => Code::BundleMalformed,
            };
            let message = if bytes.trim_ascii().is_empty() {
                "the bundle is empty".to_owned()
            } else if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
                "this is a PEM file (a key or certificate), not a signature bundle".to_owned()
            } else if let Some(guise) = guise(bytes) {
                format!("this is no signature bundle but {}", guise.words())
            } else {
                error.to_string()
            };
            Fault::new(code, message)
        })?;
        let Value::Object(object) = &value else {
            return Err(Fault::new(Code::BundleMalformed, "a bundle is a JSON object"));
        };
        let has = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
        match (has(parse_cosign::FIELDS), has(parse_sigstore::FIELDS)) {
            (true, false) => parse_cosign::parse(&value),
            (false, true) => parse_sigstore::parse(&value),
            (true, true) => Err(Fault::new(
                Code::BundleMalformed,
                "fields of the old cosign format and of the Sigstore format are mixed",
            )),
            (false, false) => Err(unrecognised(object)),
        }
    }

    /// Reads a bundle that was found in a folder: it has exactly the members of its format, at every level.
    ///
    /// # Errors
    /// [`Code::MaterialUnknownMember`], and those of [`SignatureBundle::parse`].
    pub fn parse_found(bytes: &[u8]) -> Result<Self, Fault> {
        if let Ok(value) = json::parse(bytes, limits::BUNDLE_BYTES)
            && let Value::Object(object) = &value
            && let Some(document @ (Document::Cosign | Document::Sigstore)) =
                members::called(object)
        {
            members::exact(document, &value)?;
        }
        Self::parse(bytes)
    }

    /// A bare signature: base64, in lines of any length as `openssl base64` and `base64` wrap it, or the
    /// raw bytes.
    ///
    /// # Errors
    /// [`Code::BundleMalformed`] if it is empty, [`Code::BundleTooLarge`] if it is too large.
    pub fn detached(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() as u64 > limits::BUNDLE_BYTES {
            return Err(Fault::new(Code::BundleTooLarge, "too large for a signature"));
        }
        let text = std::str::from_utf8(bytes).ok();
        if let Some(bundle) = text.and_then(Self::from_base64) {
            return Ok(bundle);
        }
        let signature = bytes.to_vec();
        if signature.is_empty() {
            return Err(Fault::new(Code::BundleMalformed, "the signature is empty"));
        }
        Ok(Self::bare(signature))
    }

    /// A bare signature from its base64 alone, wrapped or not; none if the text is something else.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let signature = super::encoding::base64_strict(&unwrapped(text))?;
        (!signature.is_empty()).then(|| Self::bare(signature))
    }

    const fn bare(signature: Vec<u8>) -> Self {
        Self {
            format: Format::Detached,
            material: Material::Nothing,
            content: Content::Message { digest: None, signature },
            entries: Vec::new(),
            timestamps: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// What a reader should know about the bundle itself, for example unknown fields.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The digest that the bundle says was signed, with its algorithm, in lower-case hexadecimal:
    /// from its `messageDigest`, else from its first log entry. A claim, not a proof; absent for
    /// DSSE envelopes and where the bundle does not say.
    #[must_use]
    pub fn stated_digest(&self) -> Option<(HashAlgorithm, String)> {
        self.stated().map(|(algorithm, digest)| (algorithm, crate::digest::hex(digest)))
    }

    /// As [`stated_digest`](Self::stated_digest), as bytes.
    #[must_use]
    pub fn stated(&self) -> Option<(HashAlgorithm, &[u8])> {
        let Content::Message { digest, .. } = &self.content else { return None };
        let stated = match digest {
            Some(stated) => stated,
            None => self.entries.iter().find_map(|entry| match entry.read() {
                Ok(Body::HashedRekord(record)) => Some(&record.hash),
                _ => None,
            })?,
        };
        Some((stated.algorithm, &stated.digest))
    }

    /// Whether the digest that it states is that of `message`; none where it states none.
    #[must_use]
    pub fn states(&self, message: &[u8]) -> Option<bool> {
        self.stated().map(|(algorithm, digest)| algorithm.digest(message) == digest)
    }

    /// Whether an entry of a transparency log is in it, whatever it is worth.
    #[must_use]
    pub const fn has_log_entry(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether it holds an attestation (a DSSE envelope) instead of a signature of the artifact.
    #[must_use]
    pub const fn is_attestation(&self) -> bool {
        matches!(self.content, Content::Envelope { .. })
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match &self.content {
            Content::Message { signature, .. } | Content::Envelope { signature, .. } => signature,
        }
    }
}

/// Base64 without its line ends, which Go's decoder, and so cosign, passes over wherever they stand, and
/// without blanks around it.
fn unwrapped(text: &str) -> String {
    text.trim_ascii().chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The refusal of a JSON object that is no bundle.
fn unrecognised(object: &serde_json::Map<String, Value>) -> Fault {
    let folded = json::folded_key(object, parse_cosign::FIELDS)
        .or_else(|| json::folded_key(object, parse_sigstore::FIELDS));
    match folded {
        Some(name) => Fault::new(
            Code::BundleMalformed,
            "a name that differs from a known one only in its case",
        )
        .at(name),
        None => Fault::new(
            Code::BundleMalformed,
            "neither a cosign bundle (base64Signature) nor a Sigstore bundle (mediaType)",
        ),
    }
}
