//! The transfer directory: a release that one operator seals and another one checks
//! (`bundle-format/` is its specification).
//!
//! [`check()`] checks a sealed directory, [`seal()`] seals one. What to trust comes in as a
//! [`Context`]: transfer keys that were known before, never one from the directory itself.
//!
//! This room reads no clock and no environment, and writes only when it seals.

mod accepted;
mod added;
mod admit;
mod approve;
mod base;
mod check;
mod context;
mod cover;
mod examine;
mod file_set;
mod foreign;
mod foresee;
mod fresh;
mod item;
mod layout;
mod mangled;
mod manifest;
mod named_keys;
mod names;
mod new_manifest;
mod opened;
mod other_files;
mod parse;
mod scalars;
mod seal;
mod seal_lookalike;
mod seal_marker;
mod seal_request;
mod sealed;
mod sealed_folder;
mod serials;
mod signature;
mod strict;
mod trust_file;
mod vouch;
mod write_seal;

pub use accepted::{AcceptedTransfer, AcceptedTransfers};
pub use admit::admissible;
pub use approve::SealError;
pub use check::{CheckedTransfer, check};
pub use context::Context;
pub use cover::{Covers, nothing_covered};
pub use examine::{ExaminedFiles, examine, examine_absent};
pub use foreign::clear;
pub use foresee::{Foreseen, foresee};
pub use layout::{
    CHECK_SCRIPT, FETCH_LOG, MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS, TRUSTED_ROOT, is_own,
    key_path,
};
pub use manifest::{
    Artifact, Base, BaseArtifact, FileEntry, Manifest, ManifestKind, OmittedItem, Requested,
    SCHEMA, SegmentEntry,
};
pub use named_keys::NamedKeys;
pub use opened::OpenedTransfer;
pub use scalars::{stream, time};
pub use seal::{NewTransfer, seal, seal_held};
pub use seal_lookalike::{SealLookalike, seal_lookalike};
pub use seal_marker::{mark_incomplete, remove_mark};
pub use seal_request::{AddedFile, Origin, SealRequest, possible};
pub use sealed::{Sealed, is_trace, open, traces};
pub use serials::SerialsOfRun;
pub use signature::{parse_signature_file, signature_file, sigstore_file};
