//! A signature bundle as read: one model for the old cosign format and for Sigstore bundles.
//!
//! What is here was parsed strictly and not verified at all.

use std::fmt;

use serde::Serialize;

use super::body::{Body, StatedDigest};
use super::certificate::Certificate;
use super::entry::LogEntry;
use crate::key::{HashAlgorithm, PublicKey};

/// The format of a bundle, recognised by its content.
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
pub(super) enum VerificationMaterial {
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
pub(super) enum BundleContent {
    /// A signature over the artifact.
    MessageSignature { digest: Option<StatedDigest>, signature: Vec<u8> },
    /// A DSSE envelope whose payload names the artifact.
    DsseEnvelope { payload_type: String, payload: Vec<u8>, signature: Vec<u8>, key_id: String },
}

/// A signature bundle, parsed and not verified.
#[derive(Debug, Clone)]
pub struct SignatureBundle {
    pub(super) format: Format,
    pub(super) material: VerificationMaterial,
    pub(super) content: BundleContent,
    pub(super) entries: Vec<LogEntry>,
    pub(super) timestamps: Vec<Vec<u8>>,
    pub(super) notes: Vec<String>,
}

impl SignatureBundle {
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
        let BundleContent::MessageSignature { digest, .. } = &self.content else { return None };
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
    pub(crate) const fn has_log_entry(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether it holds an attestation (a DSSE envelope) instead of a signature of the artifact.
    #[must_use]
    pub(crate) const fn is_attestation(&self) -> bool {
        matches!(self.content, BundleContent::DsseEnvelope { .. })
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match &self.content {
            BundleContent::MessageSignature { signature, .. }
            | BundleContent::DsseEnvelope { signature, .. } => signature,
        }
    }
}
