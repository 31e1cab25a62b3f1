//! What the files of a folder are as a release, and what they are worth without a seal.
//!
//! [`survey()`] distinguishes image archives, packages and material; [`verify_artifacts()`] pairs and verifies
//! them. Both look at a folder without a seal, or not sealed yet; `transfer` checks sealed ones.

mod artifact_names;
mod folder;
mod found;
mod hash;
mod layout;
mod material;
mod pair;
mod reader;
mod texts;
mod vendor_trust;
mod verifier;
mod verify_artifacts;

pub use artifact_names::SharedNames;
pub use folder::{above, layout_directories, survey};
pub use found::{FileKind, FoundFile, Survey};
pub use hash::hash;
pub use layout::{LayoutTree, is_layout};
pub use material::{MaterialCandidate, is_material};
pub use reader::{FileReader, FirstLook, SurveyOptions};
pub use vendor_trust::VendorTrust;
pub use verifier::{ArtifactOutcome, FolderVerifier, Task};
pub use verify_artifacts::verify_artifacts;
