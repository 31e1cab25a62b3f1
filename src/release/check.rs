//! The run over a folder: its transfer directories, its files, and at the end the findings about all of
//! them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, PoisonError};

use super::bundle_usage::nothing_found;
use super::folder_request::{
    AnswerPlace, Events, FolderKind, FolderRequest, FolderSummary, ListedFolder, OpenedAhead,
};
use super::folder_run::{FolderRun, RunResults, file};
use super::units::{self, Seals, Unit, UnitKind};
use super::{listing, shard, signed_list};
use crate::directory::Folder;
use crate::survey::above;
use crate::verdict::{ArtifactReport, Code, Cover, Coverage, CoveredFile, Fault, Shard};

/// Checks a folder to its end, whatever fails (unless the request says otherwise), and reports the
/// answers.
///
/// # Errors
/// What makes any answer impossible: [`Code::MapMalformed`] for a map that names what is not there.
pub fn check(
    listed: ListedFolder<'_>,
    ahead: &mut [OpenedAhead],
    request: &FolderRequest<'_>,
    events: &dyn Events,
) -> Result<FolderSummary, Fault> {
    let units = match listed.kind {
        FolderKind::Transfer => vec![Unit {
            name: String::new(),
            size: listed.listing.files().fold(0, |sum, file| sum.saturating_add(file.size)),
            kind: UnitKind::Transfer,
        }],
        kind => {
            let seals = if kind == FolderKind::Unsealed { Seals::Ignored } else { Seals::Hold };
            // Where a seal is expected, no vendor's signature takes its place.
            let lists = if listed.judges_unsealed() {
                signed_list::signed_lists(
                    listed.folder,
                    listed.listing,
                    request.map,
                    &request.vendors,
                )
            } else {
                BTreeSet::new()
            };
            units::units(listed.folder, listed.listing, listed.faults, seals, &lists)
        }
    };
    let mine = request.part.map(|part| {
        let sizes: Vec<(&str, u64)> =
            units.iter().map(|unit| (unit.name.as_str(), unit.size)).collect();
        let parts = shard::assign(&sizes, part.count());
        parts.into_iter().map(|number| number == part.number()).collect::<Vec<bool>>()
    });
    let run = FolderRun {
        listed,
        request,
        events,
        units: &units,
        mine,
        stop: AtomicBool::new(false),
        seen_bytes: AtomicUsize::new(0),
        results: Mutex::default(),
    };
    run.check(ahead)
}

impl FolderRun<'_, '_> {
    fn check(self, ahead: &mut [OpenedAhead]) -> Result<FolderSummary, Fault> {
        let bytes = self.asked().map(|(_, unit)| unit.size);
        self.events.expect(bytes.fold(0, u64::saturating_add));
        if let Some(shard) = part(self.listed.folder, &self, &[]) {
            self.events.part(shard);
        }
        self.transfers(ahead);
        let bundles = self.files()?;
        let shard = part(self.listed.folder, &self, &bundles);
        let stopped = self.is_stopped();
        if shard.is_none() && !stopped {
            let usage = self.gather(|results| std::mem::take(&mut results.usage));
            let complete = self.request.filter.is_empty() && self.listed.judges_unsealed();
            for report in usage.findings(bundles.iter().map(String::as_str), complete) {
                self.last(&report.name.clone(), report);
            }
        }
        if self.request.require_coverage && !stopped {
            self.uncovered();
        }
        if self.gather(|results| results.answers) == 0 && !stopped {
            self.last("", self.nothing());
        }
        let RunResults { covers, .. } =
            self.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut coverage = Coverage::default();
        let mut covers = covers;
        covers.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, size, cover) in covers {
            coverage.count(cover);
            if self.request.list_files {
                let name = self.listed.folder.show(&name);
                coverage.files.push(CoveredFile { name, size, cover });
            }
        }
        Ok(FolderSummary { coverage, shard, stopped })
    }

    /// With `--require-coverage`: files that nothing covers, and that no refusal has reported yet.
    fn uncovered(&self) {
        let mut names: Vec<String> = self.gather(|results| {
            let refused = &results.refused;
            // The empty name is that of the folder itself.
            let reported = |name: &str| {
                [name, ""].into_iter().chain(above(name)).any(|place| refused.contains(place))
            };
            results
                .covers
                .iter()
                .filter(|(name, _, cover)| *cover == Cover::Uncovered && !reported(name))
                .map(|(name, ..)| name.to_string())
                .collect()
        });
        names.sort();
        for name in names {
            let message = "no vendor's signature covers it, and it is no material";
            let fault = Fault::new(Code::NotCovered, message);
            let folder = self.listed.folder;
            // Sorted with the others, after what is reported of the same file, so that a merge has them too.
            let place = AnswerPlace { last: false, unit: name.clone(), number: usize::MAX };
            self.gather(|results| results.answers = results.answers.saturating_add(1));
            self.events.answer(place, file(folder, &name, &fault));
        }
    }

    fn nothing(&self) -> ArtifactReport {
        let message = match self.request.part {
            Some(_) => "nothing in this part is to be checked",
            None => nothing_found(self.request.filter.is_empty()),
        };
        let fault = Fault::new(Code::NothingFound, message);
        ArtifactReport::new(self.listed.folder.shown()).refused(&fault)
    }
}

/// The description of a part.
fn part(folder: &Folder, run: &FolderRun<'_, '_>, bundles: &[String]) -> Option<Shard> {
    let part = run.request.part?;
    let files: Vec<(String, u64)> = run
        .units
        .iter()
        .flat_map(|unit| run.files_of(unit))
        .map(|(name, size)| (folder.show(name), size))
        .collect();
    Some(Shard {
        part: part.number(),
        of: part.count(),
        listing: listing::digest(files.iter().map(|(name, size)| (name.as_str(), *size))),
        files: files.len() as u64,
        // Where loose files are refused, none of them is anybody's.
        bundles: if run.listed.judges_unsealed() { bundles.to_vec() } else { Vec::new() },
    })
}
