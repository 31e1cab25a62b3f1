//! The transfer directory: a release that one operator seals and another one checks
//! (`bundle-format/` is its specification).
//!
//! [`check()`] judges a sealed directory, [`make()`] seals one. Whom to trust comes in as a
//! [`Context`]: transfer keys that were known before, never one that lies in the directory.
//!
//! This room reads no clock and no environment, and writes only when it seals.

mod admit;
mod check;
mod context;
mod cover;
mod foreign;
mod foresee;
mod form;
mod fresh;
mod item;
mod kept;
mod layout;
mod likeness;
mod make;
mod mangled;
mod manifest;
mod named;
mod own;
mod present;
mod seal;
mod seen;
mod shape;
mod state;
mod strict;
mod vouch;

pub use admit::{SerialsOfRun, admissible};
pub use check::{CheckedTransfer, check};
pub use context::Context;
pub use cover::{Covers, nothing_covered};
pub use foresee::{Foreseen, foresee};
pub use form::{parse_signature_file, signature_file, sigstore_file};
pub use layout::{
    CHECK_SCRIPT, FETCH_LOG, MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS, TRUSTED_ROOT, is_own,
    key_path,
};
pub use likeness::{Likeness, likeness};
pub use make::{
    NewTransfer, Origin, SealError, SealRequest, begin, clear, make, make_held, possible,
    unchanged_since,
};
pub use manifest::{
    Artifact, Base, BaseArtifact, FileEntry, Kind, Manifest, OmittedItem, Requested, SCHEMA,
    SegmentEntry,
};
pub use named::NamedKeys;
pub use own::OwnFile;
pub use seal::{Sealed, is_trace, open, traces};
pub use seen::{ExaminedFiles, examine, examine_absent};
pub use shape::{stream, time};
pub use state::{AcceptedTransfer, AcceptedTransfers};
