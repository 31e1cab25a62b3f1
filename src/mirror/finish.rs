//! The end of a run: adds up the results, and seals what is right unless something forbids it.

use std::collections::{BTreeMap, BTreeSet};

use super::fetch::{FetchOutcome, FetchTask};
use super::mirror_request::MirrorRequest;
use super::reports::{KEPT, KEPT_UNJUDGED, carried_report, line, omission};
use super::stage::Stage;
use super::store::Store;
use super::wanted::WantedItem;
use crate::transfer::{
    self, AddedFile, BaseArtifact, ExaminedFiles, FETCH_LOG, NewTransfer, OmittedItem, Origin,
    Requested, SealError, SealRequest,
};
use crate::verdict::{ArtifactReport, Code, Fault, Outcome, ServerAnswer};

/// How a run ended.
#[derive(Debug)]
pub struct MirrorOutcome {
    /// One report for each item, in order.
    pub reports: Vec<ArtifactReport>,
    /// The sealed transfer, or why there is none.
    pub made: Result<NewTransfer, SealError>,
    /// How many images and packages were fetched.
    pub fetched: usize,
}

/// The results of all items.
#[derive(Default)]
struct Totals {
    reports: Vec<ArtifactReport>,
    omitted: Vec<OmittedItem>,
    carried: Vec<BaseArtifact>,
    origins: BTreeMap<String, Origin>,
    examined: ExaminedFiles,
    /// The first item that keeps everything from being sealed, and why it is not here.
    held: Option<(String, Code)>,
    failed: bool,
    /// Whether anything came in this run, or was found to be what is wanted.
    fetched: bool,
}

impl MirrorRequest<'_> {
    /// Adds up the results, and seals unless something forbids it.
    pub(super) fn finish(
        &self,
        fetch_task: &FetchTask<'_>,
        before: &BTreeSet<String>,
        results: Vec<Result<FetchOutcome, Fault>>,
    ) -> MirrorOutcome {
        let store = fetch_task.store;
        let mut totals = Totals::default();
        for (wanted, result) in self.wanted.iter().zip(results) {
            match result {
                Ok(FetchOutcome::Accepted { report, seen, origin }) => {
                    totals.examined.add(seen);
                    totals.origins.insert(wanted.path.clone(), origin);
                    totals.reports.push(*report);
                    totals.fetched = true;
                }
                Ok(FetchOutcome::Carried(artifact, known)) => {
                    totals.reports.push(carried_report(wanted, known));
                    totals.carried.push(artifact);
                    totals.fetched = true;
                }
                Err(fault) => self.add_failure(&mut totals, fetch_task, before, wanted, &fault),
            }
        }
        let reports = std::mem::take(&mut totals.reports);
        let made = self.seal_unless_refused(store, totals);
        MirrorOutcome { reports, made, fetched: store.fetched() }
    }

    fn add_failure(
        &self,
        totals: &mut Totals,
        fetch_task: &FetchTask<'_>,
        before: &BTreeSet<String>,
        wanted: &WantedItem,
        fault: &Fault,
    ) {
        totals.failed = true;
        let store = fetch_task.store;
        let stage = Stage::new(store, wanted);
        if self.hold(&stage, before, fault) {
            // A bundle and a key are quickly fetched again; without them the directory is what it was.
            match stage.holds_much() {
                true => store.changed(),
                false => self.say_fault(stage.give_up()),
            }
            totals.held.get_or_insert_with(|| (wanted.name.clone(), fault.code()));
            totals.reports.push(omission(wanted, fault, None));
            return;
        }
        self.say_fault(stage.give_up());
        // What was right before this run stays: nothing better came.
        let kept = before.contains(&wanted.path).then(|| fetch_task.in_place(wanted));
        match kept {
            Some(Ok((_, seen, origin))) => {
                totals.examined.add(seen);
                totals.origins.insert(wanted.path.clone(), origin);
                totals.reports.push(omission(wanted, fault, Some(KEPT)));
            }
            Some(Err(_)) => totals.reports.push(omission(wanted, fault, Some(KEPT_UNJUDGED))),
            None => {
                totals.reports.push(omission(wanted, fault, None));
                totals.omitted.push(OmittedItem {
                    kind: wanted.kind,
                    name: wanted.name.clone(),
                    code: fault.code().name().to_owned(),
                    reason: line(fault),
                });
            }
        }
    }

    fn seal_unless_refused(
        &self,
        store: &Store<'_>,
        totals: Totals,
    ) -> Result<NewTransfer, SealError> {
        match &totals.held {
            Some((name, code)) if self.fail_fast || !self.omit_partial => {
                let message = "an item that is incomplete, or that could not be written, judged or \
                               compared with its source, keeps everything from being sealed";
                let fault = Fault::new(Code::PartlyFetched, message).at(name.as_str());
                Err(if asks_for_options(*code) { fault.advise(CHANGE_OPTIONS) } else { fault }
                    .into())
            }
            _ if self.fail_fast && totals.failed => {
                let message = "something failed (--fail-fast)";
                Err(Fault::new(Code::NotBrought, message).into())
            }
            _ if !totals.fetched => {
                let message = "nothing that was asked for could be fetched, so nothing is sealed";
                Err(Fault::new(Code::NotBrought, message).into())
            }
            _ if totals.origins.is_empty() => {
                let message = "an earlier transfer (--base) carried everything that could be \
                               fetched: there is nothing new to seal";
                Err(Fault::new(Code::Usage, message).into())
            }
            _ => self.seal(store, totals),
        }
    }

    fn say_fault(&self, result: Result<(), Fault>) {
        if let Err(fault) = result {
            self.watch.say(&fault.to_string());
        }
    }

    /// Whether the files of an item are kept for the next run, and nothing is sealed until then: nothing
    /// says that they are wrong, and the item is incomplete, was here before, or could not be written.
    fn hold(&self, stage: &Stage<'_>, before: &BTreeSet<String>, fault: &Fault) -> bool {
        let passing = matches!(
            fault.outcome(),
            Outcome::Network | Outcome::Undecided | Outcome::Usage | Outcome::Omitted
        );
        let here = stage.holds_much() || before.contains(&stage.wanted().path);
        // A web page is no part of the artifact: there is no rest to wait for.
        if fault.answer() == Some(ServerAnswer::WebPage) {
            return false;
        }
        // What did not fit on this side can still be had.
        let here = here || matches!(fault.code(), Code::WriteFailed | Code::NoSpace);
        (passing || asks_for_options(fault.code()))
            && here
            && (self.fail_fast || !self.omit_partial)
    }

    fn seal(&self, store: &Store<'_>, totals: Totals) -> Result<NewTransfer, SealError> {
        let Totals { omitted, carried, origins, examined, .. } = totals;
        let mut extra = self.tools.clone();
        extra.push(AddedFile { name: FETCH_LOG.to_owned(), bytes: store.log()?, mode: 0o644 });
        let requested: Vec<Requested> = self
            .wanted
            .iter()
            .map(|wanted| Requested { kind: wanted.kind, name: wanted.name.clone() })
            .collect();
        let base =
            self.earlier.filter(|_| !carried.is_empty()).map(|earlier| earlier.record(carried));
        // The folder holds no file of an item that was omitted or carried.
        let allowed: Vec<String> = self
            .sealing
            .allow_unsigned
            .iter()
            .filter(|name| {
                origins.iter().any(|(path, origin)| origin.name == **name || path == *name)
            })
            .cloned()
            .collect();
        let request = SealRequest {
            requested: &requested,
            omitted: &omitted,
            base: base.as_ref(),
            origins: &origins,
            extra: &extra,
            allow_unsigned: &allowed,
            ..self.sealing()
        };
        transfer::seal_held(self.folder, &request, examined, self.lock)
    }
}

/// What to do if the same command would end in the same way.
const CHANGE_OPTIONS: &str = "The same command would end in the same way: change what the line above asks for (the key, the \
    trust policy, the options) and run it again; what arrived is kept. To give up on it and seal the rest, \
    add --omit-partial.";

/// Whether a refusal is due to the options of this side, not to what arrived: the bytes may be right.
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
