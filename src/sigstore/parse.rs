//! Reading a bundle: the names of the fields show the format, then one parser reads it.

use serde_json::Value;

use super::allowed_members::{self, DocumentKind};
use super::bundle::{BundleContent, Format, SignatureBundle, VerificationMaterial};
use super::encoding::base64_strict;
use super::{parse_cosign, parse_sigstore};
use crate::json::{self, JsonError};
use crate::limits;
use crate::verdict::{Code, Fault, guise};

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
    pub(crate) fn parse_found(bytes: &[u8]) -> Result<Self, Fault> {
        if let Ok(value) = json::parse(bytes, limits::BUNDLE_BYTES)
            && let Value::Object(object) = &value
            && let Some(document @ (DocumentKind::Cosign | DocumentKind::Sigstore)) =
                allowed_members::called(object)
        {
            allowed_members::exact(document, &value)?;
        }
        Self::parse(bytes)
    }

    /// A bare signature: raw bytes, or base64 in lines of any length (as `openssl base64` and `base64`
    /// wrap it).
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
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        let signature = base64_strict(&unwrapped(text))?;
        (!signature.is_empty()).then(|| Self::bare(signature))
    }

    const fn bare(signature: Vec<u8>) -> Self {
        Self {
            format: Format::Detached,
            material: VerificationMaterial::Nothing,
            content: BundleContent::MessageSignature { digest: None, signature },
            entries: Vec::new(),
            timestamps: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Base64 without its line ends, which Go's decoder, and so cosign, ignores everywhere, and without
/// blanks around it.
fn unwrapped(text: &str) -> String {
    text.trim_ascii().chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The refusal of a JSON object that is not a bundle.
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
