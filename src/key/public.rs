//! The operator's public key, and public keys that bundles carry.

use std::borrow::Cow;
use std::fmt;

use der::asn1::{BitString, Null};
use der::{Any, Encode as _};
use serde::Serialize;
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::pem::{PemBlock, find_block, write_block};
use super::primitive::{BadKey, RawKey};
use super::{HashAlgorithm, PemError};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault, guise};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Names for what is refused, so that the refusal says more than a number.
const REFUSED: [(&str, &str); 8] = [
    ("1.3.132.0.35", "ECDSA P-521"),
    ("1.3.132.0.33", "ECDSA P-224"),
    ("1.3.132.0.10", "ECDSA secp256k1"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.3.101.113", "Ed448"),
    ("1.3.101.110", "X25519"),
    ("1.2.840.10040.4.1", "DSA"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
];

/// The type and size of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// RSA, with the size of its modulus in bits.
    Rsa(usize),
    /// Ed25519; signs whole messages.
    Ed25519,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

impl Serialize for KeyKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The signature is not one over this message with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// A public key of a supported type, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) spki: Vec<u8>,
    fingerprint: Sha256Digest,
    pub(super) raw: RawKey,
}

impl PublicKey {
    /// Reads a key file that the operator names, as cosign reads it: one PEM block, `PUBLIC KEY` (SPKI) or
    /// `RSA PUBLIC KEY` (PKCS#1), with any text around it (RFC 7468 section 2); never two blocks.
    ///
    /// # Errors
    /// [`Code::KeyMalformed`], [`Code::KeyIsPrivate`], [`Code::KeyNotAKey`] or
    /// [`Code::KeyUnsupported`], each with words that say what was found instead.
    pub fn from_pem(file: &[u8]) -> Result<Self, Fault> {
        let text = text_of(file)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let block = find_block(text).map_err(|error| not_one_block(file, text, error))?;
        Self::from_pem_block(&block)
    }

    pub(super) fn from_pem_block(block: &PemBlock<'_>) -> Result<Self, Fault> {
        match block.label {
            "PUBLIC KEY" => Self::from_spki_der(&block.bytes).map_err(|error| error.fault()),
            "RSA PUBLIC KEY" => Self::from_pkcs1_der(&block.bytes).map_err(|error| error.fault()),
            other => Err(Fault::new(Code::KeyNotAKey, "the PEM block is not a public key")
                .expected_found("PUBLIC KEY", other)),
        }
    }

    /// A key from the DER encoding of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    pub(crate) fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| BadKey::Malformed)?;
        let bytes = spki.subject_public_key.as_bytes().ok_or(BadKey::Malformed)?;
        let algorithm = &spki.algorithm;
        let raw = match algorithm.oid {
            EC => match algorithm.parameters_oid().map_err(|_| BadKey::Malformed)? {
                P256 => RawKey::p256(bytes)?,
                P384 => RawKey::p384(bytes)?,
                curve => return Err(KeyError::unsupported(curve, "on the curve")),
            },
            // RFC 3279 section 2.3.1: the parameters are NULL. Absent ones would be a second
            // encoding, and so a second fingerprint, of the same key.
            RSA if algorithm.parameters.is_some_and(|parameters| parameters.is_null()) => {
                RawKey::rsa(bytes)?
            }
            ED25519 if algorithm.parameters.is_none() => RawKey::ed25519(bytes)?,
            RSA | ED25519 => return Err(BadKey::Malformed.into()),
            oid => return Err(KeyError::unsupported(oid, "of the algorithm")),
        };
        Ok(Self { spki: der.to_vec(), fingerprint: Sha256Digest::of(der), raw })
    }

    fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let raw = RawKey::rsa(der)?;
        let spki = spki::SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned {
                oid: RSA,
                parameters: Some(Any::encode_from(&Null).map_err(|_| BadKey::Malformed)?),
            },
            subject_public_key: BitString::from_bytes(der).map_err(|_| BadKey::Malformed)?,
        };
        let spki = spki.to_der().map_err(|_| BadKey::Malformed)?;
        Ok(Self { fingerprint: Sha256Digest::of(&spki), spki, raw })
    }

    /// SHA-256 of the key's SPKI DER encoding: its name in reports, policies and comparisons.
    #[must_use]
    pub const fn fingerprint(&self) -> Sha256Digest {
        self.fingerprint
    }

    /// The key as DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key as a file: one PEM block `PUBLIC KEY` (SPKI), as cosign and OpenSSL write it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        write_block("PUBLIC KEY", &self.spki)
    }

    /// Type and size.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        use rsa::traits::PublicKeyParts as _;
        match &self.raw {
            RawKey::P256(_) => KeyKind::EcdsaP256,
            RawKey::P384(_) => KeyKind::EcdsaP384,
            RawKey::Rsa(key) => KeyKind::Rsa(key.n().bits()),
            RawKey::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Whether signatures by this key are over the whole message (Ed25519), not over a digest.
    #[must_use]
    pub(crate) const fn signs_whole_messages(&self) -> bool {
        matches!(self.raw, RawKey::Ed25519(_))
    }

    /// Checks a signature over a message whose digest under `algorithm` is `digest`.
    ///
    /// ECDSA signatures are strict ASN.1 DER, RSA ones PKCS#1 v1.5.
    ///
    /// # Errors
    /// [`SignatureError`] if it does not hold, if the digest has another length than the
    /// algorithm's, or if the key signs whole messages.
    pub(crate) fn verify_digest(
        &self,
        algorithm: HashAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if self.raw.verify_prehash(algorithm, digest, signature) {
            Ok(())
        } else {
            Err(SignatureError)
        }
    }

    /// Checks a signature over `message`: with Ed25519 over the whole of it (`algorithm` is not
    /// used), with other keys over its digest under `algorithm`.
    ///
    /// # Errors
    /// [`SignatureError`] if it does not hold.
    pub fn verify_message(
        &self,
        algorithm: HashAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if !self.signs_whole_messages() {
            return self.verify_digest(algorithm, &algorithm.digest(message), signature);
        }
        if self.raw.verify_whole(message, signature) { Ok(()) } else { Err(SignatureError) }
    }
}

/// Why DER is not a key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    Bad(#[from] BadKey),
    #[error("{0} are not supported")]
    Unsupported(String),
}

impl KeyError {
    pub(super) fn unsupported(oid: ObjectIdentifier, what: &str) -> Self {
        let oid = oid.to_string();
        let name = REFUSED.iter().find(|(refused, _)| *refused == oid);
        Self::Unsupported(
            name.map_or_else(|| format!("keys {what} {oid}"), |(_, name)| format!("{name} keys")),
        )
    }

    /// Whether it is a well-formed key of a kind that is not supported.
    pub(crate) const fn is_unsupported(&self) -> bool {
        match self {
            Self::Bad(BadKey::RsaBits(_) | BadKey::RsaExponent) | Self::Unsupported(_) => true,
            Self::Bad(BadKey::Malformed | BadKey::Point) => false,
        }
    }

    fn fault(&self) -> Fault {
        let code = if self.is_unsupported() { Code::KeyUnsupported } else { Code::KeyMalformed };
        Fault::new(code, self.to_string())
    }
}

/// The text of a key file, of bounded size and without a private key in it. Comments may be in any
/// encoding; PEM itself is ASCII.
pub(super) fn text_of(file: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if file.len() as u64 > limits::KEY_BYTES {
        let message = format!(
            "{} bytes are more than the {} a key file can have",
            file.len(),
            limits::KEY_BYTES
        );
        return Err(Fault::new(Code::KeyMalformed, message));
    }
    let text = String::from_utf8_lossy(file);
    if text.contains("PRIVATE KEY-----") {
        return Err(Fault::new(Code::KeyIsPrivate, "this is a private key"));
    }
    Ok(text)
}

/// Says what a file is that is not one PEM block.
pub(super) fn not_one_block(file: &[u8], text: &str, error: PemError) -> Fault {
    let start = file.trim_ascii_start();
    if start.is_empty() {
        return Fault::new(Code::KeyMalformed, "the key file is empty");
    }
    if start.first() == Some(&b'{') {
        let bundle = ["base64Signature", "mediaType", "rekorBundle"]
            .iter()
            .any(|name| text.contains(&format!("\"{name}\"")));
        let what = if bundle { "a signature bundle" } else { "a JSON document" };
        return Fault::new(Code::KeyNotAKey, format!("this is {what}, not a public key"));
    }
    if error == PemError::NoBlock && file.first() == Some(&0x30) {
        return Fault::new(
            Code::KeyMalformed,
            "this looks like a DER file; a key is given as PEM text",
        );
    }
    if let Some(guise) = guise(file) {
        return Fault::new(
            Code::KeyNotAKey,
            format!("this is {}, not a public key", guise.words()),
        );
    }
    if error == PemError::NoBlock {
        return Fault::new(Code::KeyNotAKey, "this is not a public key in PEM form");
    }
    Fault::new(Code::KeyMalformed, error.to_string())
}
