//! Signature bundles: reading the old cosign format and Sigstore bundles, and the one function that
//! says what a bundle proves about an artifact ([`verify()`]).
//!
//! The only door to the `sigstore-verify` crate. Bundles are read strictly, by our own parser; the
//! signature is checked by our own code with the key that the operator gave *and* by the library,
//! and both must say yes. A key or certificate in a bundle is compared, never trusted.
//!
//! This room does not know where bundles come from, what text a vendor signs, or which keys an
//! operator trusts. It opens no file and asks no clock, except that the library compares times with
//! the system's.

mod allowed_members;
mod body;
mod bundle;
mod causes;
mod certificate;
mod checklist;
mod describe;
mod encoding;
mod entry;
mod entry_checks;
mod fields;
mod found_document;
mod library;
mod parse;
mod parse_cosign;
mod parse_sigstore;
mod proof;
mod provider;
mod signature;
mod signer;
mod subject;
mod trusted_root;
mod verify;
mod verify_request;

#[cfg(test)]
pub(crate) use body::PARSED;
pub use bundle::{Format, SignatureBundle};
pub use describe::{BundleDescription, LogEntryDescription, SignerDescription};
pub use found_document::{FoundDocument, found_document};
pub use proof::{Proof, ProvenTime, Refusal};
#[cfg(test)]
pub(crate) use signature::TRIED;
pub use signature::signature_holds;
pub(crate) use signature::signs_what_it_states;
pub use subject::Subject;
pub use trusted_root::TrustMaterial;
pub use verify::verify;
pub use verify_request::{HashRule, Matcher, Signer, Transparency, VerifyRequest};
