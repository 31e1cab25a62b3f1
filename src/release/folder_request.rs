//! The input of a run over a folder, the request, and the receiver of its events.

use std::fmt;
use std::path::Path;

use super::{Filter, PairingMap, ShardIndex};
use crate::directory::{Folder, Listing};
use crate::image::Options;
use crate::key::PublicKey;
use crate::survey::VendorTrust;
use crate::transfer::{Context, OpenedTransfer, Sealed};
use crate::verdict::{ArtifactReport, Coverage, Fault, Shard};

/// The position of an answer in the report of a folder: answers are sorted by this, whatever order they
/// were found in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerPlace {
    /// Answers about all files together come last.
    pub(super) last: bool,
    /// The thing that it is about: a path below the folder.
    pub(super) unit: String,
    /// Which of the answers for that thing.
    pub(super) number: usize,
}

impl AnswerPlace {
    /// The position of the only answer for something that is not a folder.
    #[must_use]
    pub const fn only() -> Self {
        Self { last: false, unit: String::new(), number: 0 }
    }
}

/// Receives the progress and the answers of a run. Called from several threads.
pub trait Events: Sync {
    /// This number of bytes is to be read in all.
    fn expect(&self, bytes: u64);
    /// A file of this size is begun; returns a number for it.
    fn begin(&self, name: &str, size: u64) -> u64;
    /// This number of further bytes of it were read.
    fn advance(&self, number: u64, bytes: u64);
    /// It was read.
    fn end(&self, number: u64);
    /// It is a part of a whole.
    fn part(&self, shard: Shard);
    /// Something that the operator should know and that is not an answer.
    fn warn(&self, text: &str);
    /// An answer was found.
    fn answer(&self, place: AnswerPlace, report: ArtifactReport);
}

/// What a folder is judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderKind {
    /// A folder, which may hold transfer directories.
    Plain,
    /// A folder that holds transfer directories, and in which everything else is refused: a seal is
    /// expected.
    ContainsTransfers,
    /// A folder whose seals are not looked at (`--unsealed`).
    Unsealed,
    /// A transfer directory.
    Transfer,
}

/// The folder that is checked.
#[derive(Debug, Clone, Copy)]
pub struct ListedFolder<'a> {
    /// The handle.
    pub folder: &'a Folder,
    /// Its entries.
    pub listing: &'a Listing,
    /// Directories in it that can't be listed.
    pub faults: &'a [(String, Fault)],
    /// What it is judged as.
    pub kind: FolderKind,
}

/// A transfer directory that was opened before its turn came, for its serial.
#[derive(Debug)]
pub struct OpenedAhead {
    /// Its name below the folder; empty for the folder itself.
    pub name: String,
    /// Its handle; none for the folder itself.
    pub folder: Option<Folder>,
    /// Its listing and seal as they were then. If the seal did not hold, that is the answer.
    pub opened: Option<OpenedTransfer>,
}

/// How transfer directories are to be checked.
pub struct TransferRequest<'a> {
    /// The keys that may have sealed one.
    pub keys: &'a [PublicKey],
    /// What they are judged by; or why none can be checked.
    pub context: Result<Context<'a>, Fault>,
    /// Why a seal is expected.
    pub reasons: &'a [&'static str],
    /// Remembers a transfer in which everything is right; what can't be remembered is not accepted.
    pub accept: &'a (dyn Fn(&Sealed) -> Result<(), Fault> + Sync),
    /// The file of the running program, which should not be in what it checks.
    pub program: Option<&'a Path>,
}

/// How a folder is to be checked.
pub struct FolderRequest<'a> {
    /// What artifacts without a seal are judged by.
    pub vendors: VendorTrust<'a>,
    /// How transfer directories are checked.
    pub transfers: TransferRequest<'a>,
    /// Which artifacts are asked for.
    pub filter: &'a Filter,
    /// The operator's pairing.
    pub map: Option<&'a PairingMap>,
    /// The part that is asked for.
    pub part: Option<ShardIndex>,
    /// Whether what nothing covers is a failure.
    pub require_coverage: bool,
    /// Whether the coverage names every file; else it only counts them.
    pub list_files: bool,
    /// Whether nothing more is begun after a failure.
    pub fail_fast: bool,
    /// Threads; the progress in it is not used.
    pub reading: Options<'a>,
}

impl ListedFolder<'_> {
    /// Whether artifacts outside of transfer directories are judged by their vendors' signatures.
    pub(super) fn judges_unsealed(&self) -> bool {
        self.kind != FolderKind::ContainsTransfers
    }
}

impl fmt::Debug for dyn Events + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl fmt::Debug for FolderRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderRequest").field("part", &self.part).finish_non_exhaustive()
    }
}

impl fmt::Debug for TransferRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferRequest").field("reasons", &self.reasons).finish_non_exhaustive()
    }
}

/// What a run reports in addition to the answers.
#[derive(Debug)]
pub struct FolderSummary {
    /// How each file is covered; of a part, only its own files.
    pub coverage: Coverage,
    /// Which part it was.
    pub shard: Option<Shard>,
    /// Whether a failure ended it before everything was looked at.
    pub stopped: bool,
}
