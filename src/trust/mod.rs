//! What the operator's side knows about vendors: their profiles, and the trust policy.
//!
//! A profile says how a vendor names and words things; it never says whom to trust. Keys only ever
//! come from the operator, most of them by the policy.

mod artifact_name;
mod pattern;
mod policy;
mod policy_build;
mod policy_raw;
#[cfg(test)]
mod policy_tests;
mod policy_words;
mod profile;
mod profiles;
mod terms;
mod transfer_key_terms;

pub use artifact_name::ArtifactName;
pub(crate) use artifact_name::path_matches_name;
pub use pattern::{BadPattern, NamePattern};
pub use policy::{TrustPolicy, Vendor, VendorKey};
pub use profile::{
    FilePattern, ImageRules, MessageForm, PackageRules, SiteRules, UrlPattern, VendorProfile,
};
pub use profiles::Profiles;
pub use terms::{KeyStatus, KeyTerms};
pub(crate) use transfer_key_terms::is_stream_name;
pub use transfer_key_terms::{SealTimes, TransferKey};
