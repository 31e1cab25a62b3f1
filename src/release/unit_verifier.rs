//! Finds the answer for each unit of a folder: reads it once, judges it and reports it.

use std::borrow::Cow;

use super::cover;
use super::first_look::KnownUnit;
use super::folder_run::{FolderRun, file, gone};
use super::progress::FileProgress;
use super::units::{Unit, UnitKind};
use crate::artifact::ArtifactContent;
use crate::directory::system_fault;
use crate::image::{self, Input, Options, Progress};
use crate::parallel::ThreadLimit;
use crate::survey::{FileKind, FileReader, FolderVerifier, LayoutTree, SharedNames, Task};
use crate::verdict::{ArtifactReport, Code, Cover, Fault, Outcome};

/// The refusal of a file that no seal covers where one is expected.
#[must_use]
pub fn outside_transfers() -> Fault {
    Fault::new(Code::SealMissing, "outside of every transfer directory, where a seal is expected")
        .advise(
            "Stop the deployment. Only if you know that the file was never sealed, use --loose: such \
             files are then judged by their vendors' signatures alone.",
        )
}

/// Judges the units of a folder.
pub(super) struct UnitVerifier<'b, 'a, 'o> {
    pub(super) run: &'b FolderRun<'a, 'o>,
    pub(super) verifier: &'b FolderVerifier<'b>,
    pub(super) reader: &'b FileReader<'b>,
    pub(super) shared: &'b SharedNames<'b>,
    pub(super) threads: &'b ThreadLimit,
}

impl<'a> UnitVerifier<'_, 'a, '_> {
    /// Finds the answer for a unit, of which a first look may have `seen` something.
    pub(super) fn verify(&self, unit: &'a Unit, seen: Option<&KnownUnit>) {
        let run = self.run;
        let folder = run.listed.folder;
        let one = |cover: Cover| [(Cow::from(&*unit.name), unit.size, cover)];
        match (&unit.kind, seen) {
            (UnitKind::Transfer, _) => {}
            (UnitKind::Refused(fault), _) => {
                if !run.excluded(unit) {
                    run.covered(one(Cover::Uncovered));
                    run.answer(&unit.name, 0, file(folder, &unit.name, fault));
                }
            }
            (UnitKind::Layout, _) => {
                if !run.excluded(unit) && !self.unsealed(unit) {
                    self.layout(unit);
                }
            }
            // Where a seal is expected, a bundle or key outside of it does not count as material.
            (UnitKind::File, Some(KnownUnit::Small(_, what)))
                if is_material(what) && run.listed.judges_unsealed() =>
            {
                run.covered(one(cover::of_material(what)));
            }
            (UnitKind::File, seen) => {
                if !run.excluded(unit) && !self.unsealed(unit) {
                    self.artifact(unit, seen);
                }
            }
        }
    }

    /// Refuses what no seal covers where one is expected; says whether it did.
    fn unsealed(&self, unit: &'a Unit) -> bool {
        let run = self.run;
        if run.listed.judges_unsealed() {
            return false;
        }
        let files = run.files_of(unit);
        run.covered(files.into_iter().map(|(name, size)| (name.into(), size, Cover::Uncovered)));
        // A file of an operating system is refused too, but with a reason of its own.
        let fault = system_fault(&unit.name).unwrap_or_else(outside_transfers);
        run.answer(&unit.name, 0, file(run.listed.folder, &unit.name, &fault));
        true
    }

    fn artifact(&self, unit: &'a Unit, seen: Option<&KnownUnit>) {
        let run = self.run;
        let refused = |fault: &Fault| {
            run.covered([(Cow::from(&*unit.name), unit.size, Cover::Uncovered)]);
            run.answer(&unit.name, 0, file(run.listed.folder, &unit.name, fault));
        };
        let read;
        let (what, digest) = match seen {
            Some(KnownUnit::Fault(fault)) => return refused(fault),
            Some(KnownUnit::Small(digest, what)) => (what, Some(*digest)),
            Some(KnownUnit::Later) | None => {
                let watched = FileProgress::new(run.events, &unit.name, unit.size);
                let reading = self.reading(&watched);
                read = self.reader.rest(&unit.name, &reading);
                match &read {
                    Ok((what, digest)) => (what, *digest),
                    Err(fault) => return refused(&gone(fault.clone())),
                }
            }
        };
        let Some(content) = what.content(digest) else {
            // The file is no longer what the first pass found.
            let message = "the file changed while the folder was read";
            return refused(&Fault::new(Code::Unreadable, message));
        };
        let report = self.judged(unit, content);
        run.covered([(Cow::from(&*unit.name), unit.size, cover::of_answer(&report))]);
        run.answer(&unit.name, 0, report);
    }

    fn layout(&self, unit: &'a Unit) {
        let run = self.run;
        let folder = run.listed.folder;
        let tree = LayoutTree::new(folder, run.listed.listing, &unit.name);
        let watched = FileProgress::new(run.events, &unit.name, unit.size);
        let reading = self.reading(&watched);
        let archive = image::read(Input::Layout(&tree), &reading);
        drop(watched);
        let refusal;
        let content = match &archive {
            Ok(archive) => ArtifactContent::Image(archive, None),
            Err(refused) => {
                refusal = refused.fault.clone().below(folder.show(&unit.name));
                ArtifactContent::Refused(&refusal)
            }
        };
        let report = self.judged(unit, content);
        let whole = cover::of_answer(&report);
        let files = run.files_of(unit).into_iter();
        run.covered(files.map(|(name, size)| (name.into(), size, whole)));
        run.answer(&unit.name, 0, report);
    }

    fn reading<'p>(&'p self, progress: &'p dyn Progress) -> Options<'p> {
        Options { progress, threads: Some(self.threads), ..self.run.request.reading }
    }

    fn judged(&self, unit: &Unit, content: ArtifactContent<'_>) -> ArtifactReport {
        let task = Task { path: &unit.name, name: self.shared.name(&unit.name), content };
        let mut report = self.verifier.verify(&task).report;
        report.name = self.run.listed.folder.show(&unit.name);
        report.name_unsigned = report.outcome() == Outcome::Ok;
        report
    }
}

/// Whether a file has no answer of its own.
pub(super) const fn is_material(what: &FileKind) -> bool {
    matches!(
        what,
        FileKind::Bundle(_) | FileKind::Key(_) | FileKind::KeyName | FileKind::TrustedRoot
    )
}
