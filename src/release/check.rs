//! The run over a folder: a first look at every file, the pairing, then each artifact's answer, and what
//! is said of all of them.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::bench::{Bench, is_material};
use super::order::{Ended, Events, FolderKind, FolderRequest, ListedFolder, OpenedAhead, Place};
use super::plan::{self, Seals, Unit, UnitKind};
use super::span::Span;
use super::{PairingMap, cover, listing, lone, shard};
use crate::digest::FileDigest;
use crate::directory::{EntryKind, Folder};
use crate::image::Options;
use crate::limits;
use crate::pairing::Names;
use crate::parallel::{self, ThreadLimit};
use crate::survey::{
    FileKind, FileReader, FirstLook, FolderVerifier, SharedNames, SurveyOptions, above,
};
use crate::verdict::{
    ArtifactKind, ArtifactReport, Code, Cover, Coverage, CoveredFile, ExitStatus, Fault, Outcome,
    Shard,
};

/// Checks a folder, to its end whatever fails (unless the order says otherwise), and tells the answers.
///
/// # Errors
/// What makes any answer impossible: [`Code::MapMalformed`] for a map that names what is not there.
pub fn check(
    folders: ListedFolder<'_>,
    ahead: &mut [OpenedAhead],
    request: &FolderRequest<'_>,
    events: &dyn Events,
) -> Result<Ended, Fault> {
    let units = match folders.kind {
        FolderKind::Transfer => vec![Unit {
            name: String::new(),
            size: folders.listing.files().fold(0, |sum, it| sum.saturating_add(it.size)),
            kind: UnitKind::Transfer,
        }],
        kind => {
            let seals = if kind == FolderKind::Unsealed { Seals::Ignored } else { Seals::Hold };
            // Where a seal is expected, no vendor's signature takes its place.
            let lists = if folders.judges_unsealed() {
                lone::signed_lists(folders.folder, folders.listing, request.map, &request.vendors)
            } else {
                BTreeSet::new()
            };
            plan::units(folders.folder, folders.listing, folders.faults, seals, &lists)
        }
    };
    let mine = request.part.map(|part| {
        let sizes: Vec<(&str, u64)> =
            units.iter().map(|unit| (unit.name.as_str(), unit.size)).collect();
        let parts = shard::assign(&sizes, part.count());
        parts.into_iter().map(|it| it == part.number()).collect::<Vec<bool>>()
    });
    let run = Run {
        folders,
        request,
        events,
        units: &units,
        mine,
        stop: AtomicBool::new(false),
        seen_bytes: AtomicUsize::new(0),
        gathered: Mutex::default(),
    };
    run.check(ahead)
}

/// Files that are looked at together.
const GROUP: usize = 4096;

/// What is known of a unit after the first look.
pub(super) enum Seen {
    /// What a small file is.
    Small(FileDigest, FileKind),
    /// It is to be read when its turn comes.
    Later,
    /// It can't be read.
    Fault(Fault),
}

/// A file's name below the folder, its size in bytes, and how it is covered.
pub(super) type Covered<'a> = (Cow<'a, str>, u64, Cover);

/// What answers leave behind.
#[derive(Default)]
struct Gathered<'a> {
    span: Span,
    covers: Vec<Covered<'a>>,
    answers: usize,
    /// The things that a refusal speaks of, with `--require-coverage`.
    refused: BTreeSet<String>,
}

pub(super) struct Run<'a, 'o> {
    pub(super) folders: ListedFolder<'a>,
    pub(super) request: &'a FolderRequest<'o>,
    pub(super) events: &'a dyn Events,
    units: &'a [Unit],
    /// Which units are of the part that is asked for.
    mine: Option<Vec<bool>>,
    stop: AtomicBool,
    /// What the first look keeps of archives.
    seen_bytes: AtomicUsize,
    gathered: Mutex<Gathered<'a>>,
}

impl<'a> Run<'a, '_> {
    fn check(self, ahead: &mut [OpenedAhead]) -> Result<Ended, Fault> {
        let bytes = self.asked().map(|(_, unit)| unit.size);
        self.events.expect(bytes.fold(0, u64::saturating_add));
        if let Some(shard) = part(self.folders.folder, &self, &[]) {
            self.events.part(shard);
        }
        self.transfers(ahead);
        let bundles = self.files()?;
        let shard = part(self.folders.folder, &self, &bundles);
        let stopped = self.stop.load(Ordering::Relaxed);
        if shard.is_none() && !stopped {
            let span = self.gather(|gathered| std::mem::take(&mut gathered.span));
            let complete = self.request.filter.is_empty() && self.folders.judges_unsealed();
            for report in span.findings(bundles.iter().map(String::as_str), complete) {
                self.last(&report.name.clone(), report);
            }
        }
        if self.request.require_coverage && !stopped {
            self.uncovered();
        }
        if self.gather(|gathered| gathered.answers) == 0 && !stopped {
            self.last("", self.nothing());
        }
        let Gathered { covers, .. } =
            self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut coverage = Coverage::default();
        let mut covers = covers;
        covers.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, size, cover) in covers {
            coverage.count(cover);
            if self.request.list_files {
                let name = self.folders.folder.show(&name);
                coverage.files.push(CoveredFile { name, size, cover });
            }
        }
        Ok(Ended { coverage, shard, stopped })
    }

    /// The units of this part, with their numbers.
    pub(super) fn asked(&self) -> impl Iterator<Item = (usize, &'a Unit)> {
        self.units.iter().enumerate().filter(|(number, _)| self.is_mine(*number))
    }

    fn is_mine(&self, number: usize) -> bool {
        self.mine.as_ref().is_none_or(|mine| mine.get(number).copied().unwrap_or(false))
    }

    fn gather<T>(&self, change: impl FnOnce(&mut Gathered<'a>) -> T) -> T {
        change(&mut self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How files are covered that have no answer, or have one elsewhere.
    pub(super) fn covered(&self, files: impl IntoIterator<Item = Covered<'a>>) {
        self.gather(|gathered| gathered.covers.extend(files));
    }

    /// Tells an answer.
    pub(super) fn answer(&self, unit: &str, number: usize, mut report: ArtifactReport) {
        if self.request.require_coverage {
            report = cover::required(report);
        }
        let failed =
            matches!(report.outcome(), Outcome::Failed | Outcome::Missing | Outcome::Extra);
        if failed && self.request.fail_fast {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.gather(|gathered| {
            gathered.answers = gathered.answers.saturating_add(1);
            gathered.span.add(&report);
            if self.request.require_coverage && report.outcome().exit_status() == ExitStatus::Failed
            {
                gathered.refused.insert(unit.to_owned());
            }
        });
        self.events.answer(Place { last: false, unit: unit.to_owned(), number }, report);
    }

    /// Tells what is said of all files together.
    fn last(&self, unit: &str, report: ArtifactReport) {
        self.gather(|gathered| gathered.answers = gathered.answers.saturating_add(1));
        self.events.answer(Place { last: true, unit: unit.to_owned(), number: 0 }, report);
    }

    /// With `--require-coverage`: files that nothing covers, and that no refusal speaks of yet.
    fn uncovered(&self) {
        let mut names: Vec<String> = self.gather(|gathered| {
            let refused = &gathered.refused;
            // The empty name is that of the folder itself.
            let told = |name: &str| {
                [name, ""].into_iter().chain(above(name)).any(|it| refused.contains(it))
            };
            gathered
                .covers
                .iter()
                .filter(|(name, _, cover)| *cover == Cover::Uncovered && !told(name))
                .map(|(name, ..)| name.to_string())
                .collect()
        });
        names.sort();
        for name in names {
            let message = "no vendor's signature covers it, and it is no material";
            let fault = Fault::new(Code::NotCovered, message);
            let folder = self.folders.folder;
            // Among the others, behind what is said of the same file: so a merge has them too.
            let place = Place { last: false, unit: name.clone(), number: usize::MAX };
            self.gather(|gathered| gathered.answers = gathered.answers.saturating_add(1));
            self.events.answer(place, file(folder, &name, &fault));
        }
    }

    fn nothing(&self) -> ArtifactReport {
        let message = match self.request.part {
            Some(_) => "nothing in this part is to be checked",
            None => nothing_found(self.request.filter.is_empty()),
        };
        let fault = Fault::new(Code::NothingFound, message);
        ArtifactReport::new(self.folders.folder.shown()).refused(&fault)
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
            self.answer(&unit.name, 0, file(self.folders.folder, &unit.name, &fault));
        }
    }

    /// The files of a unit, with their sizes.
    pub(super) fn files_of(&self, unit: &'a Unit) -> Vec<(&'a str, u64)> {
        match unit.kind {
            UnitKind::File | UnitKind::Refused(_) => vec![(unit.name.as_str(), unit.size)],
            UnitKind::Layout | UnitKind::Transfer => self
                .folders
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

    /// Files and layouts. Gives the shown names of the bundles that lie in this part.
    fn files(&self) -> Result<Vec<String>, Fault> {
        let folder = self.folders.folder;
        let reading = Options { jobs: 1, ..self.request.reading };
        let options = SurveyOptions {
            profiles: &self.request.vendors.all_profiles(),
            reading,
            own: |_| false,
        };
        let seen = {
            let names = self.names();
            let reader = FileReader::new(folder, &names, &options);
            let all: Vec<usize> = (0..self.units.len()).collect();
            let mut seen = Vec::with_capacity(all.len());
            // In groups, so that results are held twice for few of them only.
            for group in all.chunks(GROUP) {
                let jobs = self.request.reading.jobs;
                seen.extend(parallel::map(group, jobs, |number| self.look(&reader, *number)));
            }
            seen
        };
        let small = |number: usize| match seen.get(number) {
            Some(Some(Seen::Small(digest, what))) => Some((digest, what)),
            _ => None,
        };
        let mut in_folder = Vec::new();
        let mut bundles = Vec::new();
        let mut anything = false;
        let mut artifacts = Vec::new();
        let mut stated = Vec::new();
        for (number, unit) in self.units.iter().enumerate() {
            let Some(Some(seen)) = seen.get(number) else { continue };
            match seen {
                Seen::Small(_, FileKind::Bundle(content)) => {
                    anything = true;
                    if let Some(digest) = content {
                        stated.push((unit.name.as_str(), digest.as_str()));
                    }
                    if self.is_mine(number) {
                        bundles.push(folder.show(&unit.name));
                    }
                }
                Seen::Small(_, FileKind::Key(key)) => in_folder.push(&**key),
                Seen::Small(_, FileKind::KeyName | FileKind::TrustedRoot) => {}
                Seen::Small(..) | Seen::Later => {
                    anything = true;
                    artifacts.push(unit.name.as_str());
                }
                Seen::Fault(_) => artifacts.push(unit.name.as_str()),
            }
        }
        let mut names = self.names();
        for (bundle, digest) in stated {
            names.state(bundle, digest);
        }
        for (artifact, bundle) in self.request.map.into_iter().flat_map(PairingMap::pairs) {
            for name in [artifact, bundle] {
                let is_unit =
                    || self.units.binary_search_by(|it| it.name.as_str().cmp(name)).is_ok();
                if !names.has(name) && !is_unit() {
                    let message = "there is no such file in the folder";
                    return Err(Fault::new(Code::MapMalformed, message).at(folder.show(name)));
                }
            }
            names.map(artifact, bundle);
        }
        let vendor_keys = self.request.vendors.vendor_keys(&in_folder);
        if vendor_keys.keys.is_empty() && anything && self.folders.judges_unsealed() {
            let message = "neither --key nor a trust policy with vendor keys was given";
            let fault = Fault::new(Code::NoKey, message);
            let report = ArtifactReport::new(folder.shown()).refused(&fault);
            for (number, unit) in self.asked() {
                let cover = match (&unit.kind, small(number)) {
                    (UnitKind::Transfer, _) => continue,
                    (_, Some((_, what))) if is_material(what) => cover::of_material(what),
                    _ if !self.request.filter.admits(&unit.name) => Cover::Excluded,
                    _ => Cover::Uncovered,
                };
                let files = self.files_of(unit).into_iter();
                self.covered(files.map(|(name, size)| (name.into(), size, cover)));
            }
            self.answer("", 0, report);
            return Ok(bundles);
        }
        let known = |name: &str| {
            let number = self.units.binary_search_by(|unit| unit.name.as_str().cmp(name)).ok()?;
            small(number).map(|(digest, _)| digest.sha256)
        };
        let shared = SharedNames::new(artifacts);
        let reader = FileReader::new(folder, &names, &options);
        let verifier =
            FolderVerifier { folder, names: &names, known: &known, vendor_keys: &vendor_keys };
        // Archives that are still read when others are done get the threads of those.
        let threads = ThreadLimit::new(self.request.reading.jobs);
        let bench = Bench {
            run: self,
            verifier: &verifier,
            reader: &reader,
            shared: &shared,
            threads: &threads,
        };
        let mut tasks: Vec<(usize, &Unit)> =
            self.asked().filter(|(_, unit)| !matches!(unit.kind, UnitKind::Transfer)).collect();
        if self.request.reading.jobs > 1 {
            // The largest first, so that all threads end together.
            tasks.sort_by_key(|(_, unit)| Reverse(unit.size));
        }
        parallel::map_with(&tasks, &threads, |(number, unit)| {
            if !self.stop.load(Ordering::Relaxed) {
                bench.unit(unit, seen.get(*number).and_then(Option::as_ref));
            }
        });
        Ok(bundles)
    }

    /// Whether there is room for what the first look found until its turn comes: a small file may hold an
    /// archive that takes sixty times as much in memory, and is then read again.
    fn kept(&self, what: &FileKind) -> bool {
        let FileKind::Image(archive, _) = what else { return true };
        let weight = archive.weight();
        let more =
            |sum: usize| Some(sum.saturating_add(weight)).filter(|it| *it <= limits::SEEN_BYTES);
        self.seen_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// The names of all files outside transfer directories.
    fn names(&self) -> Names<'_> {
        let listing = self.folders.listing;
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

    /// The first look at a unit; none for what is no file.
    fn look(&self, reader: &FileReader<'_>, number: usize) -> Option<Seen> {
        let unit = self.units.get(number)?;
        match unit.kind {
            UnitKind::File => {}
            UnitKind::Layout => return Some(Seen::Later),
            UnitKind::Refused(_) | UnitKind::Transfer => return None,
        }
        let wanted = self.folders.judges_unsealed()
            && self.is_mine(number)
            && self.request.filter.admits(&unit.name);
        Some(match reader.first(&unit.name, wanted) {
            Ok(FirstLook::Found(found)) => {
                if wanted {
                    let number = self.events.begin(&found.name, found.digest.size);
                    self.events.advance(number, found.digest.size);
                    self.events.end(number);
                }
                if self.kept(&found.what) {
                    Seen::Small(found.digest, found.what)
                } else {
                    Seen::Later
                }
            }
            Ok(FirstLook::Later) => Seen::Later,
            Err(fault) => Seen::Fault(gone(fault)),
        })
    }
}

/// What is said of a part.
fn part(folder: &Folder, run: &Run<'_, '_>, bundles: &[String]) -> Option<Shard> {
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
        bundles: if run.folders.judges_unsealed() { bundles.to_vec() } else { Vec::new() },
    })
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

/// What is said of a folder in which there is nothing to check; `complete` when everything was asked
/// for.
pub(super) const fn nothing_found(complete: bool) -> &'static str {
    if complete {
        "there is no image archive, no package and no transfer directory in it"
    } else {
        "--include and --exclude leave nothing to check"
    }
}

pub(super) fn file(folder: &Folder, name: &str, fault: &Fault) -> ArtifactReport {
    let mut report = ArtifactReport::new(folder.show(name));
    report.kind = Some(ArtifactKind::File);
    report.refused(fault)
}
