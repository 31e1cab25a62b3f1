//! What a JSON file found in a folder is: a bundle, a trusted root, or neither.

use serde_json::Value;

use super::allowed_members::{self, DocumentKind};
use super::{SignatureBundle, TrustMaterial};
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// A document that counts, by its exact form.
#[derive(Debug)]
pub enum FoundDocument {
    /// A signature bundle.
    Bundle(Box<SignatureBundle>),
    /// A trusted root.
    TrustedRoot,
}

/// What a file's bytes are. Returns none if they are neither, or are not well-formed as what they
/// call themselves.
///
/// # Errors
/// [`Code::MaterialUnknownMember`] for a document that calls itself one and has a member that the
/// format lacks: it may also be another program's document.
pub fn found_document(bytes: &[u8]) -> Result<Option<FoundDocument>, Fault> {
    let limit = limits::BUNDLE_BYTES.max(limits::TRUSTED_ROOT_BYTES);
    let Ok(Value::Object(object)) = json::parse(bytes, limit) else { return Ok(None) };
    let read = match allowed_members::called(&object) {
        None => return Ok(None),
        Some(DocumentKind::Root) => {
            TrustMaterial::from_found(bytes).map(|_| FoundDocument::TrustedRoot)
        }
        Some(DocumentKind::Cosign | DocumentKind::Sigstore) => SignatureBundle::parse_found(bytes)
            .map(|bundle| FoundDocument::Bundle(Box::new(bundle))),
    };
    match read {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.code() == Code::MaterialUnknownMember => Err(fault),
        Err(_) => Ok(None),
    }
}
