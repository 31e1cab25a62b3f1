//! What a check can say: codes, outcomes, faults, checks, and the report they add up to.
//!
//! Every refusal in the program is a [`Fault`] with a stable [`Code`]; the code decides the
//! [`Outcome`], and the outcome decides the exit status. Nothing here verifies anything.

mod check;
mod code;
mod code_words;
mod fault;
mod guise;
mod outcome;
mod report;
mod run_report;
mod shown;

pub use check::{Check, CheckName, Status};
pub use code::Code;
pub use code_words::UnknownCode;
pub use fault::{Fault, Place, ServerAnswer};
pub(crate) use guise::{Guise, guise};
pub use outcome::{ExitStatus, Outcome};
pub(crate) use report::Evidence;
pub use report::{
    ArtifactKind, ArtifactReport, BundleReport, FILE_DIGEST_KIND, ImageReport, KeyTrust,
    MatchedDigest, Report, UnsignedDocument, UnsignedStatement,
};
pub use run_report::{
    Basis, Cover, Coverage, CoveredFile, Profile, Run, SCHEMA, Shard, StoppedBy, Summary,
    TrustedRoot,
};
pub use shown::{Lines, is_plain, write_json};
pub(crate) use shown::{SENTENCE, line, printable, printable_within};
