//! What the operator's side knows about a vendor: profiles (and, later, the trust policy).
//!
//! A profile says how a vendor names and words things; it never says whom to trust. Keys only ever
//! come from the operator.

mod profile;

pub use profile::{FilePattern, ImageRules, MessageForm, PackageRules, VendorProfile};
