//! One run over a folder: the request, which of the folder's units are its own, and what it keeps of
//! the answers.
//!
//! The answers themselves are not kept.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::bundle_usage::BundleUsage;
use super::cover;
use super::folder_request::{AnswerPlace, Events, FolderRequest, ListedFolder};
use super::units::{Unit, UnitKind};
use crate::directory::{EntryKind, Folder};
use crate::pairing::Names;
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Cover, ExitStatus, Fault, Outcome};

/// A file's name below the folder, its size in bytes, and how it is covered.
pub(super) type Covered<'a> = (Cow<'a, str>, u64, Cover);

/// What a run keeps of the answers.
#[derive(Default)]
pub(super) struct RunResults<'a> {
    pub(super) usage: BundleUsage,
    pub(super) covers: Vec<Covered<'a>>,
    pub(super) answers: usize,
    /// The units with a refusal, with `--require-coverage`.
    pub(super) refused: BTreeSet<String>,
}

/// A run over a folder, shared by its threads.
pub(super) struct FolderRun<'a, 'o> {
    pub(super) listed: ListedFolder<'a>,
    pub(super) request: &'a FolderRequest<'o>,
    pub(super) events: &'a dyn Events,
    pub(super) units: &'a [Unit],
    /// Which units are of the part that is asked for.
    pub(super) mine: Option<Vec<bool>>,
    pub(super) stop: AtomicBool,
    /// What the first look keeps of archives.
    pub(super) seen_bytes: AtomicUsize,
    pub(super) results: Mutex<RunResults<'a>>,
}

impl<'a> FolderRun<'a, '_> {
    /// The units of this part, with their numbers.
    pub(super) fn asked(&self) -> impl Iterator<Item = (usize, &'a Unit)> {
        self.units.iter().enumerate().filter(|(number, _)| self.is_mine(*number))
    }

    pub(super) fn is_mine(&self, number: usize) -> bool {
        self.mine.as_ref().is_none_or(|mine| mine.get(number).copied().unwrap_or(false))
    }

    pub(super) fn gather<T>(&self, change: impl FnOnce(&mut RunResults<'a>) -> T) -> T {
        change(&mut self.results.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How files are covered that have no answer, or have one elsewhere.
    pub(super) fn covered(&self, files: impl IntoIterator<Item = Covered<'a>>) {
        self.gather(|results| results.covers.extend(files));
    }

    /// Reports an answer.
    pub(super) fn answer(&self, unit: &str, number: usize, mut report: ArtifactReport) {
        if self.request.require_coverage {
            report = cover::required(report);
        }
        let failed =
            matches!(report.outcome(), Outcome::Failed | Outcome::Missing | Outcome::Extra);
        if failed && self.request.fail_fast {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.gather(|results| {
            results.answers = results.answers.saturating_add(1);
            results.usage.add(&report);
            if self.request.require_coverage && report.outcome().exit_status() == ExitStatus::Failed
            {
                results.refused.insert(unit.to_owned());
            }
        });
        self.events.answer(AnswerPlace { last: false, unit: unit.to_owned(), number }, report);
    }

    /// Reports an answer about all files together.
    pub(super) fn last(&self, unit: &str, report: ArtifactReport) {
        self.gather(|results| results.answers = results.answers.saturating_add(1));
        self.events.answer(AnswerPlace { last: true, unit: unit.to_owned(), number: 0 }, report);
    }

    /// Leaves out what the operator does not ask for; says whether it did.
    pub(super) fn excluded(&self, unit: &'a Unit) -> bool {
        if unit.name.is_empty() || self.request.filter.admits(&unit.name) {
            return false;
        }
        self.exclude(unit, self.files_of(unit));
        true
    }

    /// Takes note that files are left out.
    fn exclude(&self, unit: &Unit, files: Vec<(&'a str, u64)>) {
        self.covered(files.into_iter().map(|(name, size)| (name.into(), size, Cover::Excluded)));
        if self.request.require_coverage {
            let message = "left out by --include or --exclude, so nothing covers it";
            let fault = Fault::new(Code::NotCovered, message);
            self.answer(&unit.name, 0, file(self.listed.folder, &unit.name, &fault));
        }
    }

    /// The files of a unit, with their sizes.
    pub(super) fn files_of(&self, unit: &'a Unit) -> Vec<(&'a str, u64)> {
        match unit.kind {
            UnitKind::File | UnitKind::Refused(_) => vec![(unit.name.as_str(), unit.size)],
            UnitKind::Layout | UnitKind::Transfer => self
                .listed
                .listing
                .below(&unit.name)
                .filter(|entry| entry.kind != EntryKind::Directory)
                .map(|entry| (entry.name.as_str(), entry.size))
                .collect(),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The names of all files outside transfer directories.
    pub(super) fn names(&self) -> Names<'_> {
        let listing = self.listed.listing;
        let mut names = Vec::new();
        for unit in self.units {
            match unit.kind {
                UnitKind::File => names.push(unit.name.as_str()),
                UnitKind::Layout => {
                    names.extend(listing.below(&unit.name).map(|entry| entry.name.as_str()));
                }
                UnitKind::Refused(_) | UnitKind::Transfer => {}
            }
        }
        Names::new(names)
    }
}

/// A file that was listed, and is not there any more, was removed meanwhile.
pub(super) fn gone(fault: Fault) -> Fault {
    if fault.code() != Code::FileNotFound {
        return fault;
    }
    let message = "it was in the folder when the run began, and is gone";
    match fault.place() {
        Some(place) => Fault::new(Code::Unreadable, message).at(place),
        None => Fault::new(Code::Unreadable, message),
    }
}

/// The answer for a file that is refused.
pub(super) fn file(folder: &Folder, name: &str, fault: &Fault) -> ArtifactReport {
    let mut report = ArtifactReport::new(folder.show(name));
    report.kind = Some(ArtifactKind::File);
    report.refused(fault)
}
