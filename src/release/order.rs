//! What a run over a folder is asked, what it is given, and whom it tells.

use std::fmt;

use super::{Filter, PairingMap, Part};
use crate::directory::{Folder, Listing};
use crate::image::Options;
use crate::key::PublicKey;
use crate::survey::VendorKeys;
use crate::transfer::Covers;
use crate::trust::VendorProfile;
use crate::verdict::{ArtifactReport, Coverage, Fault, Shard};

/// Where an answer stands in the report of a folder: answers are sorted by this, whatever order they
/// were found in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// What is said of all files together comes last.
    pub(super) last: bool,
    /// The thing that it is about: a path below the folder.
    pub(super) unit: String,
    /// Which of the answers for that thing.
    pub(super) number: usize,
}

impl Place {
    /// Of the only answer for something that is no folder.
    #[must_use]
    pub const fn only() -> Self {
        Self { last: false, unit: String::new(), number: 0 }
    }
}

/// Who is told how a run goes on; called from several threads.
pub trait Events: Sync {
    /// So many bytes are to be read in all.
    fn expect(&self, bytes: u64);
    /// A file of so many bytes is begun; gives a number for it.
    fn begin(&self, name: &str, size: u64) -> u64;
    /// So many more bytes of it were read.
    fn advance(&self, number: u64, bytes: u64);
    /// It was read.
    fn end(&self, number: u64);
    /// It is a part of a whole.
    fn part(&self, shard: Shard);
    /// An answer was found.
    fn answer(&self, place: Place, report: ArtifactReport);
}

/// What checking one transfer directory gives.
#[derive(Debug)]
pub struct Checked {
    /// Its answers, in order.
    pub reports: Vec<ArtifactReport>,
    /// How its files are covered, by their names below it.
    pub covers: Covers,
}

/// Checks a transfer directory, telling the progress how far it has come.
pub type CheckTransfer<'a> = dyn Fn(&Folder, Options<'_>) -> Checked + Sync + 'a;

/// Makes the vendor keys of a run, in view of the keys that lie in the folder.
pub type MakeVendorKeys<'a> = dyn Fn(&[&PublicKey]) -> VendorKeys<'a> + Sync + 'a;

/// What the path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// A folder, in which transfer directories may lie.
    Folder,
    /// A folder whose seals are not looked at (`--unsealed`).
    Unsealed,
    /// A transfer directory.
    Transfer,
}

/// The folder that is checked.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// The handle.
    pub folder: &'a Folder,
    /// What lies in it.
    pub listing: &'a Listing,
    /// Directories in it that can't be listed.
    pub faults: &'a [(String, Fault)],
    /// What it is taken for.
    pub whole: Whole,
}

/// How a folder is to be checked.
pub struct Order<'a> {
    /// By whom and by what artifacts without a seal are judged.
    pub vendor_keys: &'a MakeVendorKeys<'a>,
    /// How a transfer directory is checked.
    pub transfer: &'a CheckTransfer<'a>,
    /// The conventions by which names are known.
    pub profiles: &'a [&'a VendorProfile],
    /// Which artifacts are asked for.
    pub filter: &'a Filter,
    /// The operator's pairing.
    pub map: Option<&'a PairingMap>,
    /// The part that is asked for.
    pub part: Option<Part>,
    /// Whether what nothing covers is a failure.
    pub require_coverage: bool,
    /// Whether what lies outside of all transfer directories may be judged by vendors' signatures alone.
    /// Where a seal is expected it may not, unless the operator says so.
    pub loose: bool,
    /// Whether the coverage names every file; else it only counts them.
    pub list_files: bool,
    /// Whether nothing more is begun after a failure.
    pub fail_fast: bool,
    /// Threads; the progress in it is not used.
    pub reading: Options<'a>,
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("part", &self.part).finish_non_exhaustive()
    }
}

/// What a run says besides the answers.
#[derive(Debug)]
pub struct Ended {
    /// How each file is covered; of a part, only its own files.
    pub coverage: Coverage,
    /// Which part it was.
    pub shard: Option<Shard>,
    /// Whether a failure ended it before everything was looked at.
    pub stopped: bool,
}
