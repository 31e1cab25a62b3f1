//! One artifact, one verdict: joins what an archive or a file *is* with what a bundle *proves*.
//!
//! [`ArtifactVerifier`] judges every artifact, whatever asks for it: a file, a folder, a transfer. Its callers differ
//! in where bundles come from ([`BundleSource`]) and in whom they trust ([`ArtifactSigner`]).
//!
//! The message that the vendor signed is computed here, from the digest and the profile's form; no
//! second spelling is ever accepted. Other spellings are tried after a refusal, for the diagnosis
//! only (`diagnose`). This room opens no file and knows no path.

mod blob;
mod bundles;
pub mod detect;
mod diagnose;
mod image;
mod package;
mod prove;
mod refusal;
mod signer;
mod verification_context;
mod verifier;

pub use bundles::{BundleLoader, BundleSource, NamedBundle, OfferedBundles};
pub(crate) use prove::LOG_BY_POLICY;
pub use prove::would_prove;
pub(crate) use refusal::accepted_unsigned;
pub use signer::{ArtifactSigner, BundleRules, Listed, TrustedKey, TrustedSigner, VendorKeys};
pub use verification_context::{Clues, TryBudget};
pub use verifier::{ArtifactContent, ArtifactVerifier, signs_file, verify_blob};
