//! A whole run: look at everything, see that there is room, fetch and judge each, seal what is right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::earlier_transfer::EarlierTransfer;
use super::fetch::{FetchOutcome, FetchTask, Located};
use super::http::Http;
use super::log::FetchLog;
use super::stage::Stage;
use super::store::Store;
use super::wanted::WantedItem;
use super::{Hosts, ImageSource, Watch};
use crate::directory::{Folder, Lock, TEMPORARY};
use crate::parallel;
use crate::transfer::{
    self, AddedFile, ExaminedFiles, FETCH_LOG, Kind, NamedKeys, NewTransfer, OmittedItem, Origin,
    Requested, SealError, SealRequest,
};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Evidence, Fault, Outcome, ServerAnswer};

/// What to mirror, and how.
pub struct MirrorRequest<'a> {
    /// The transfer directory.
    pub folder: &'a Folder,
    /// The lock on it, which the caller holds from before it was looked at.
    pub lock: &'a Lock,
    /// What was asked for.
    pub wanted: &'a [WantedItem],
    /// The HTTP client.
    pub http: &'a Http,
    /// The hosts of the vendor.
    pub hosts: Hosts,
    /// How to seal; what was asked for, omitted, and came from where is filled in here.
    pub order: SealRequest<'a>,
    /// Where an image comes from.
    pub source: &'a dyn ImageSource,
    /// An earlier transfer.
    pub earlier: Option<&'a EarlierTransfer>,
    /// Files to add in `tools/`.
    pub tools: Vec<AddedFile>,
    /// How many artifacts are worked on at once.
    pub jobs: usize,
    /// Stop at the first that fails.
    pub fail_fast: bool,
    /// Give up what is half-way here, and seal the rest.
    pub omit_partial: bool,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

impl std::fmt::Debug for MirrorRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MirrorRequest").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// One line of the plan.
#[derive(Debug, Clone)]
pub struct PlanItem {
    /// What was asked for.
    pub wanted: WantedItem,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Whether it is here already.
    pub here: bool,
    /// Whether an earlier transfer carried it; of a package its bundle is still to say so.
    pub carried: bool,
    /// What of it will be fetched, in bytes: nothing of what is here, or half here, or carried.
    pub fetch: Option<u64>,
    /// Where exactly an image is, and what should be known of it.
    pub notes: Vec<String>,
    /// The URLs that will be asked, as far as they are known.
    pub urls: Vec<String>,
    /// Why it can't be had.
    pub fault: Option<Fault>,
}

/// How a run ended.
#[derive(Debug)]
pub struct MirrorOutcome {
    /// One report for each request, in order.
    pub reports: Vec<ArtifactReport>,
    /// The sealed transfer, or why there is none.
    pub made: Result<NewTransfer, SealError>,
    /// How many images and packages were fetched.
    pub fetched: usize,
}

/// What is said of something that could not be brought anew, and was verified where it lies.
const KEPT: &str = "what was brought before was verified again, and stays";
/// The same where it could not be verified.
const KEPT_UNJUDGED: &str = "what lies there stays; it does not verify either";

impl MirrorRequest<'_> {
    /// Refuses what could not be sealed whatever is brought: before anything is fetched, not behind it.
    ///
    /// # Errors
    /// Those of [`transfer::possible`] and [`transfer::clear`].
    pub fn possible(&self) -> Result<(), Fault> {
        let order = SealRequest { extra: &self.tools, ..self.order() };
        transfer::possible(&order)?;
        FetchLog::clear(self.folder)?;
        let beside = |wanted: &WantedItem| format!("{}{TEMPORARY}", wanted.directory);
        let half_written = self.wanted.iter().map(beside).collect();
        transfer::clear(self.folder, &order, &half_written)
    }

    /// The order; a pinned key need not lie beside each artifact.
    fn order(&self) -> SealRequest<'_> {
        SealRequest {
            named_keys: NamedKeys { absent_pins: true, ..self.order.named_keys },
            ..self.order
        }
    }

    /// Asks about everything and fetches nothing but manifests.
    #[must_use]
    pub fn plan(&self) -> Vec<PlanItem> {
        let store = Store::new(self.folder);
        let fetch_task = self.fetch_task(&store);
        let locations = self.locate_all(&fetch_task);
        let items = self.wanted.iter().zip(locations);
        items
            .map(|(wanted, located)| match located {
                Ok(located) => {
                    let (here, carried) = (
                        fetch_task.is_here(wanted, &located),
                        fetch_task.is_carried(wanted, &located),
                    );
                    let left = Stage::new(&store, wanted).bytes();
                    let fetch = located.size().map(|size| match here || carried {
                        true => 0,
                        false => size.saturating_sub(left),
                    });
                    PlanItem {
                        wanted: wanted.clone(),
                        size: located.size(),
                        here,
                        carried,
                        fetch,
                        notes: match &located {
                            Located::Image(found) => {
                                let it = found.description();
                                let notes = it.notes.iter().cloned();
                                std::iter::once(it.source.clone()).chain(notes).collect()
                            }
                            Located::Package(_) => Vec::new(),
                        },
                        urls: fetch_task.urls(wanted, &located),
                        fault: None,
                    }
                }
                Err(fault) => PlanItem {
                    wanted: wanted.clone(),
                    size: None,
                    here: false,
                    carried: false,
                    fetch: None,
                    notes: Vec::new(),
                    urls: Vec::new(),
                    fault: Some(fault),
                },
            })
            .collect()
    }

    /// Fetches, judges and seals.
    ///
    /// # Errors
    /// What stops the run as a whole before anything was fetched: [`Code::NoSpace`],
    /// [`Code::FileTooLarge`].
    pub fn run(self) -> Result<MirrorOutcome, Fault> {
        let store = Store::new(self.folder);
        let fetch_task = self.fetch_task(&store);
        let locations = self.locate_all(&fetch_task);
        self.space(&fetch_task, &locations)?;
        let there = self.wanted.iter().map(|wanted| wanted.path.clone());
        let before: BTreeSet<String> =
            there.filter(|path| self.folder.file(path).is_ok()).collect();
        let stopped = AtomicBool::new(false);
        let tasks: Vec<(&WantedItem, Result<Located<'_>, Fault>)> =
            self.wanted.iter().zip(locations).collect();
        let results = parallel::map(&tasks, self.jobs, |(wanted, located)| {
            if stopped.load(Ordering::Relaxed) {
                let message = "not tried, because another one failed (--fail-fast)";
                return Err(Fault::new(Code::NotBrought, message));
            }
            let result = match located {
                Ok(located) => fetch_task.fetch(wanted, located),
                Err(fault) => Err(fault.clone()),
            };
            if result.is_err() && self.fail_fast {
                stopped.store(true, Ordering::Relaxed);
            }
            result
        });
        drop(tasks);
        let outcomes = self.finish(&fetch_task, &before, results);
        if matches!(outcomes.made, Err(SealError::Fault(_))) {
            store.settle()?;
        }
        Ok(outcomes)
    }

    fn fetch_task<'e>(&'e self, store: &'e Store<'e>) -> FetchTask<'e> {
        FetchTask {
            store,
            http: self.http,
            hosts: self.hosts.clone(),
            order: self.order(),
            source: self.source,
            earlier: self.earlier,
            watch: self.watch,
        }
    }

    fn locate_all<'e>(&self, fetch_task: &FetchTask<'e>) -> Vec<Result<Located<'e>, Fault>> {
        parallel::map(self.wanted, self.jobs, |wanted| {
            Stage::new(fetch_task.store, wanted).clear()?;
            fetch_task.locate(wanted)
        })
    }

    /// Refuses what the medium has no room for, by sizes that are known for sure: those of archives on
    /// this machine. What a server states may be wrong, and is its own artifact's concern; that it may
    /// not fit is said.
    fn space(
        &self,
        fetch_task: &FetchTask<'_>,
        locations: &[Result<Located<'_>, Fault>],
    ) -> Result<(), Fault> {
        let room = self.folder.room()?;
        let (mut needed, mut stated) = (0_u64, 0_u64);
        for (wanted, located) in self.wanted.iter().zip(locations) {
            let Ok(located) = located else { continue };
            let spared =
                fetch_task.is_here(wanted, located) || fetch_task.is_carried(wanted, located);
            let Some(size) = located.size().filter(|_| !spared) else { continue };
            let left = size.saturating_sub(Stage::new(fetch_task.store, wanted).bytes());
            stated = stated.saturating_add(left);
            if !located.is_local() {
                continue;
            }
            if room.largest_file.is_some_and(|largest| size > largest) {
                return Err(Fault::new(
                    Code::FileTooLarge,
                    format!("{} has {size} bytes", wanted.name),
                )
                .at(self.folder.shown()));
            }
            needed = needed.saturating_add(left);
        }
        if needed > room.free {
            return Err(Fault::new(Code::NoSpace, "there is not enough space")
                .at(self.folder.shown())
                .expected_found(format!("{needed} bytes"), format!("{} bytes free", room.free)));
        }
        if stated > room.free {
            self.watch.say(&format!(
                "{}: {} bytes are free, and by what the servers say {stated} will come: not \
                 everything may fit",
                self.folder.shown(),
                room.free
            ));
        }
        Ok(())
    }

    fn finish(
        &self,
        fetch_task: &FetchTask<'_>,
        before: &BTreeSet<String>,
        results: Vec<Result<FetchOutcome, Fault>>,
    ) -> MirrorOutcome {
        let store = fetch_task.store;
        let mut reports = Vec::new();
        let mut omitted = Vec::new();
        let mut carried = Vec::new();
        let mut origins = BTreeMap::new();
        let mut seen = ExaminedFiles::default();
        let mut held: Option<(String, Code)> = None;
        let mut failed = false;
        // What came in this run, or was found to be what is wanted.
        let mut brought = false;
        for (wanted, result) in self.wanted.iter().zip(results) {
            let fault = match result {
                Ok(FetchOutcome::Accepted { report, seen: more, origin }) => {
                    seen.add(more);
                    origins.insert(wanted.path.clone(), origin);
                    reports.push(*report);
                    brought = true;
                    continue;
                }
                Ok(FetchOutcome::Carried(item, known)) => {
                    reports.push(carried_report(wanted, known));
                    carried.push(item);
                    brought = true;
                    continue;
                }
                Err(fault) => fault,
            };
            failed = true;
            let stage = Stage::new(store, wanted);
            if self.hold(&stage, before, &fault) {
                // A bundle and a key are soon here again, and without them the directory is what it was.
                match stage.holds_much() {
                    true => store.changed(),
                    false => self.say_fault(stage.give_up()),
                }
                held.get_or_insert_with(|| (wanted.name.clone(), fault.code()));
                reports.push(omission(wanted, &fault, None));
                continue;
            }
            self.say_fault(stage.give_up());
            // What was right before this run stays: nothing came that is better.
            let kept = before.contains(&wanted.path).then(|| fetch_task.in_place(wanted));
            match kept {
                Some(Ok((_, more, origin))) => {
                    seen.add(more);
                    origins.insert(wanted.path.clone(), origin);
                    reports.push(omission(wanted, &fault, Some(KEPT)));
                }
                Some(Err(_)) => reports.push(omission(wanted, &fault, Some(KEPT_UNJUDGED))),
                None => {
                    reports.push(omission(wanted, &fault, None));
                    omitted.push(OmittedItem {
                        kind: wanted.kind,
                        name: wanted.name.clone(),
                        code: fault.code().name().to_owned(),
                        reason: line(&fault),
                    });
                }
            }
        }
        let made = match held {
            Some((name, code)) if self.fail_fast || !self.omit_partial => {
                let message = "what is half-way here, or could not be written, judged or compared with \
                               its source, is not sealed, and neither is the rest";
                let fault = Fault::new(Code::PartlyFetched, message).at(name);
                Err(if asks_for_options(code) { fault.advise(CHANGE_OPTIONS) } else { fault }
                    .into())
            }
            _ if self.fail_fast && failed => {
                let message = "something failed (--fail-fast)";
                Err(Fault::new(Code::NotBrought, message).into())
            }
            _ if !brought => {
                let message =
                    "nothing of what was asked for could be brought, so nothing is sealed";
                Err(Fault::new(Code::NotBrought, message).into())
            }
            _ if origins.is_empty() => {
                let message = "an earlier transfer (--base) carried all that could be brought: \
                               there is nothing new to seal";
                Err(Fault::new(Code::Usage, message).into())
            }
            _ => self.seal(store, &omitted, &origins, carried, seen),
        };
        MirrorOutcome { reports, made, fetched: store.fetched() }
    }

    fn say_fault(&self, result: Result<(), Fault>) {
        if let Err(fault) = result {
            self.watch.say(&fault.to_string());
        }
    }

    /// Whether what is here of a wanted is kept for the next run, and nothing is sealed until then: nothing
    /// says that it is wrong, and it is half-way here, was here before this run, or could not be written.
    fn hold(&self, stage: &Stage<'_>, before: &BTreeSet<String>, fault: &Fault) -> bool {
        let passing = matches!(
            fault.outcome(),
            Outcome::Network | Outcome::Undecided | Outcome::Usage | Outcome::Omitted
        );
        let here = stage.holds_much() || before.contains(&stage.wanted().path);
        // A web page is nothing of the artifact: waiting for the rest of it is of no use.
        if fault.answer() == Some(ServerAnswer::WebPage) {
            return false;
        }
        // What this side had no room for is not something that can't be had.
        let here = here || matches!(fault.code(), Code::WriteFailed | Code::NoSpace);
        (passing || asks_for_options(fault.code()))
            && here
            && (self.fail_fast || !self.omit_partial)
    }

    fn seal(
        &self,
        store: &Store<'_>,
        omitted: &[OmittedItem],
        origins: &BTreeMap<String, Origin>,
        carried: Vec<transfer::BaseArtifact>,
        seen: ExaminedFiles,
    ) -> Result<NewTransfer, SealError> {
        let mut extra = self.tools.clone();
        extra.push(AddedFile { name: FETCH_LOG.to_owned(), bytes: store.log()?, mode: 0o644 });
        let requested: Vec<Requested> = self
            .wanted
            .iter()
            .map(|wanted| Requested { kind: wanted.kind, name: wanted.name.clone() })
            .collect();
        let base = self.earlier.filter(|_| !carried.is_empty()).map(|it| it.record(carried));
        // A name that is omitted or carried is none of the folder's.
        let allowed: Vec<String> = self
            .order
            .allow_unsigned
            .iter()
            .filter(|name| {
                origins.iter().any(|(path, origin)| origin.name == **name || path == *name)
            })
            .cloned()
            .collect();
        let order = SealRequest {
            requested: &requested,
            omitted,
            base: base.as_ref(),
            origins,
            extra: &extra,
            allow_unsigned: &allowed,
            ..self.order()
        };
        transfer::seal_held(self.folder, &order, seen, self.lock)
    }
}

fn report(wanted: &WantedItem) -> ArtifactReport {
    let mut report = ArtifactReport::new(wanted.name.as_str());
    report.kind = Some(match wanted.kind {
        Kind::Image => ArtifactKind::Image,
        Kind::Package => ArtifactKind::Package,
    });
    report
}

/// The report of what an earlier transfer carried; with the verdict, where one was reached anew.
fn carried_report(wanted: &WantedItem, known: Option<Box<ArtifactReport>>) -> ArtifactReport {
    let mut report = known.map_or_else(|| report(wanted), |it| *it);
    report.name.clone_from(&wanted.name);
    report.verified(Evidence::Carried)
}

/// The report of something that is not brought: OMITTED whatever the code's own outcome is, because
/// that is what the far side will be told; the code says why, and `more` what became of it.
fn omission(wanted: &WantedItem, fault: &Fault, more: Option<&str>) -> ArtifactReport {
    let mut report = report(wanted).omitted(fault);
    // The line begins with the name already.
    let prefix = format!("{}: ", wanted.name);
    if let Some(reason) = &mut report.reason {
        while let Some(rest) = reason.strip_prefix(&prefix) {
            *reason = rest.to_owned();
        }
        if let Some(more) = more {
            *reason = format!("{reason}; {more}");
        }
    }
    report
}

/// What to do where the same command would end the same way.
const CHANGE_OPTIONS: &str = "The same command would end the same way: change what the line above asks for (the key, the \
    trust policy, the options) and run it again; what came is kept. To give up on it and seal the rest, add \
    --omit-partial.";

/// Whether a refusal is one of what this side was told, not of what came: the bytes may be right.
const fn asks_for_options(code: Code) -> bool {
    matches!(
        code,
        Code::LogEntryMissing
            | Code::KeyNotTrusted
            | Code::KeyRetired
            | Code::KeyNotValid
            | Code::TimeNotProven
            | Code::NameNotAllowed
            | Code::DigestKindRefused
    )
}

/// A fault as one line of a manifest.
fn line(fault: &Fault) -> String {
    let text: String =
        fault.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(1000).collect()
}
