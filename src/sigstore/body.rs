//! What a log entry is about: Rekor's canonicalised bodies.
//!
//! The library compares the signature, the key and the hash in them, but not their kind, version
//! and algorithm names, and takes the first of several PEM blocks. Here a body is what a log of its
//! kind and version writes, or it is refused.

use serde_json::Value;

use super::encoding::hex_strict;
use super::fields::Fields;
use crate::json;
use crate::key::{HashAlgorithm, single_block};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The kinds of entries that can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogEntryKind {
    /// `hashedrekord` 0.0.1 (Rekor v1): a signature over an artifact.
    HashedRekord1,
    /// `hashedrekord` 0.0.2 (Rekor v2): a signature over an artifact or an envelope.
    HashedRekord2,
    /// `dsse` 0.0.1 (Rekor v1): an envelope.
    Dsse1,
    /// `intoto` 0.0.2 (Rekor v1): an envelope.
    Intoto2,
}

impl LogEntryKind {
    /// The kind of these names, if it can be checked.
    pub(super) fn of(kind: &str, version: &str) -> Option<Self> {
        match (kind, version) {
            ("hashedrekord", "0.0.1") => Some(Self::HashedRekord1),
            ("hashedrekord", "0.0.2") => Some(Self::HashedRekord2),
            ("dsse", "0.0.1") => Some(Self::Dsse1),
            ("intoto", "0.0.2") => Some(Self::Intoto2),
            _ => None,
        }
    }

    /// Whether entries of this kind come from Rekor v2: no promise, no time, a proof always.
    pub(super) const fn is_v2(self) -> bool {
        matches!(self, Self::HashedRekord2)
    }
}

/// A digest as a bundle or an entry states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatedDigest {
    pub(super) algorithm: HashAlgorithm,
    pub(super) digest: Vec<u8>,
}

/// The key material that the log saw with the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LoggedKey {
    /// A public key, SPKI DER.
    Key(Vec<u8>),
    /// A certificate, DER.
    Certificate(Vec<u8>),
}

/// A `hashedrekord` body.
#[derive(Debug, Clone)]
pub(super) struct HashedRekord {
    pub(super) hash: StatedDigest,
    pub(super) signature: Vec<u8>,
    pub(super) verifier: LoggedKey,
}

/// A parsed body.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Everything in it is compared here.
    HashedRekord(HashedRekord),
    /// A `dsse` or `intoto` body: kind and version are right, the rest is the library's.
    Attestation,
}

impl Body {
    /// The kind and version that a body states about itself.
    pub(super) fn names(body: &[u8]) -> Result<(String, String), Fault> {
        let value = parse_json(body)?;
        let fields = Fields::exact(&value, "", Code::LogEntryMalformed, OUTER)?;
        Ok((fields.needed_text("kind")?.to_owned(), fields.needed_text("apiVersion")?.to_owned()))
    }

    /// Parses an entry's body as what the entry says it is. `LogEntry::read` does so once and keeps
    /// the result.
    pub(super) fn parse(body: &[u8], kind: &str, version: &str) -> Result<Self, Fault> {
        #[cfg(test)]
        PARSED.with(|count| count.set(count.get() + 1));
        let entry_kind = LogEntryKind::of(kind, version).ok_or_else(|| {
            Fault::new(Code::LogEntryUnsupported, "a log entry of a kind that can't be checked")
                .expected_found(
                    "hashedrekord, dsse or intoto of a known version",
                    format!("{kind} {version}"),
                )
        })?;
        let value = parse_json(body)?;
        let fields = Fields::exact(&value, "", Code::LogEntryMalformed, OUTER)?;
        let stated = (fields.needed_text("kind")?, fields.needed_text("apiVersion")?);
        if stated != (kind, version) {
            return Err(Fault::new(
                Code::LogEntryMalformed,
                "the entry's body is of another kind than the entry says",
            )
            .expected_found(format!("{kind} {version}"), format!("{} {}", stated.0, stated.1)));
        }
        match entry_kind {
            LogEntryKind::HashedRekord1 => hashed_rekord_1(&fields).map(Self::HashedRekord),
            LogEntryKind::HashedRekord2 => hashed_rekord_2(&fields).map(Self::HashedRekord),
            LogEntryKind::Dsse1 | LogEntryKind::Intoto2 => {
                if fields.get("spec").is_none() {
                    return Err(fields.fault("spec", "this field is missing"));
                }
                Ok(Self::Attestation)
            }
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How many bodies this thread parsed: parsing is what a large bundle costs.
    pub(crate) static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

const OUTER: &[&str] = &["apiVersion", "kind", "spec"];

fn parse_json(body: &[u8]) -> Result<Value, Fault> {
    json::parse(body, limits::BUNDLE_BYTES)
        .map_err(|error| Fault::new(Code::LogEntryMalformed, error.to_string()))
}

fn hashed_rekord_1(fields: &Fields<'_>) -> Result<HashedRekord, Fault> {
    let spec = fields.needed_object("spec", &["data", "signature"])?;
    let data = spec.needed_object("data", &["hash"])?;
    let hash = data.needed_object("hash", &["algorithm", "value"])?;
    let algorithm: HashAlgorithm = hash
        .needed_text("algorithm")?
        .parse()
        .map_err(|_| hash.fault("algorithm", "sha256, sha384 or sha512 is expected"))?;
    let digest =
        hex_strict(hash.needed_text("value")?, algorithm.digest_bytes()).ok_or_else(|| {
            hash.fault(
                "value",
                "lower-case hexadecimal digits of its algorithm's length are expected",
            )
        })?;
    let signature = spec.needed_object("signature", &["content", "publicKey"])?;
    let pem = signature.needed_object("publicKey", &["content"])?;
    let refuse = |reason: &str| pem.fault("content", reason);
    let text = String::from_utf8(pem.strict_bytes("content")?)
        .map_err(|_| refuse("not a PEM text in base64"))?;
    let verifier = match single_block(&text).map_err(|error| refuse(&error.to_string()))? {
        ("PUBLIC KEY", der) => LoggedKey::Key(der),
        ("CERTIFICATE", der) => LoggedKey::Certificate(der),
        _ => return Err(refuse("the PEM block is neither a public key nor a certificate")),
    };
    Ok(HashedRekord {
        hash: StatedDigest { algorithm, digest },
        signature: signature.strict_bytes("content")?,
        verifier,
    })
}

fn hashed_rekord_2(fields: &Fields<'_>) -> Result<HashedRekord, Fault> {
    let spec = fields.needed_object("spec", &["hashedRekordV002"])?;
    let record = spec.needed_object("hashedRekordV002", &["data", "signature"])?;
    let data = record.needed_object("data", &["algorithm", "digest"])?;
    let algorithm = match data.needed_text("algorithm")? {
        "SHA2_256" => HashAlgorithm::Sha256,
        "SHA2_384" => HashAlgorithm::Sha384,
        "SHA2_512" => HashAlgorithm::Sha512,
        _ => return Err(data.fault("algorithm", "SHA2_256, SHA2_384 or SHA2_512 is expected")),
    };
    let digest = data.strict_bytes("digest")?;
    if digest.len() != algorithm.digest_bytes() {
        return Err(data.fault("digest", "not as long as a digest of its algorithm"));
    }
    let signature = record.needed_object("signature", &["content", "verifier"])?;
    let verifier =
        signature.needed_object("verifier", &["keyDetails", "publicKey", "x509Certificate"])?;
    let raw = |name: &str| {
        verifier
            .object(name, &["rawBytes"])?
            .map(|material| material.strict_bytes("rawBytes"))
            .transpose()
    };
    let verifier = match (raw("publicKey")?, raw("x509Certificate")?) {
        (Some(der), None) => LoggedKey::Key(der),
        (None, Some(der)) => LoggedKey::Certificate(der),
        _ => {
            return Err(verifier
                .fault("publicKey", "exactly one of publicKey and x509Certificate is expected"));
        }
    };
    Ok(HashedRekord {
        hash: StatedDigest { algorithm, digest },
        signature: signature.strict_bytes("content")?,
        verifier,
    })
}
