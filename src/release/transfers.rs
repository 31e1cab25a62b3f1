//! The transfer directories of a folder: each is refused before it is checked, or checked and then
//! accepted.

use super::folder_request::{OpenedAhead, TransferRequest};
use super::folder_run::FolderRun;
use super::progress::FileProgress;
use super::units::{Unit, UnitKind};
use crate::directory::Folder;
use crate::image::Options;
use crate::transfer::{
    self, AcceptedTransfers, CheckedTransfer, Context, Covers, OpenedTransfer, Sealed,
};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Cover, ExitStatus, Fault, Outcome};

impl<'a> FolderRun<'a, '_> {
    /// Checks the transfer directories one after the other, each with all threads. Each is opened when its
    /// turn comes. Only one whose seal could not be opened ahead is refused for that.
    pub(super) fn transfers(&self, ahead: &mut [OpenedAhead]) {
        for (_, unit) in self.asked() {
            if !matches!(unit.kind, UnitKind::Transfer) || self.excluded(unit) {
                continue;
            }
            if self.is_stopped() {
                return;
            }
            self.transfer(unit, ahead.iter_mut().find(|opened| opened.name == unit.name));
        }
    }

    fn transfer(&self, unit: &'a Unit, ahead: Option<&mut OpenedAhead>) {
        let here = unit.name.is_empty();
        let whole = self.listed.folder;
        let refused_ahead =
            ahead.and_then(|ahead| ahead.opened.take()).filter(|opened| opened.sealed.is_err());
        let below;
        let folder = match here {
            true => whole,
            false => match whole.folder(&unit.name) {
                Ok(folder) => {
                    below = folder;
                    &below
                }
                Err(fault) => {
                    let files = self.files_of(unit).into_iter();
                    self.covered(files.map(|(name, size)| (name.into(), size, Cover::Uncovered)));
                    let report = ArtifactReport::new(whole.show(&unit.name));
                    return self.answer(&unit.name, 0, report.refused(&fault));
                }
            },
        };
        let progress = FileProgress::new(self.events, folder.shown(), unit.size);
        let request = &self.request.transfers;
        let reading = Options { progress: &progress, ..self.request.reading };
        let (reports, covers) = match before_check(folder, refused_ahead, request) {
            Ok((opened, context)) => {
                if request.program.is_some_and(|program| folder.contains(program)) {
                    self.events.warn(PROGRAM_INSIDE);
                }
                check(folder, opened, request, &Context { reading, ..context })
            }
            Err(refused) => refused,
        };
        drop(progress);
        self.covered(covers.into_iter().map(|(name, size, cover)| {
            let name = if here { name } else { format!("{}/{name}", unit.name) };
            (name.into(), size, cover)
        }));
        let last = reports.len().saturating_sub(1);
        for (number, mut report) in reports.into_iter().enumerate() {
            if !here && number != last {
                report.within = Some(folder.shown().to_owned());
            }
            self.answer(&unit.name, number, report);
        }
    }
}

const PROGRAM_INSIDE: &str = "this program is inside the directory that it checks; compare its SHA-256 with the sealing side \
     out of band, and run a copy from elsewhere";

/// The answers for a transfer directory, and how its files are covered.
type TransferAnswers = (Vec<ArtifactReport>, Covers);

/// The opened transfer and the context to check it in; or the refusal of what can't be checked.
fn before_check<'a>(
    folder: &Folder,
    opened: Option<OpenedTransfer>,
    request: &TransferRequest<'a>,
) -> Result<(OpenedTransfer, Context<'a>), TransferAnswers> {
    let opened = opened.unwrap_or_else(|| OpenedTransfer::open(folder, request.keys));
    let refused = |fault: &Fault, next: Option<&str>| {
        let mut report = ArtifactReport::new(folder.shown());
        report.kind = Some(ArtifactKind::Transfer);
        let mut report = report.refused(fault);
        if let Some(next) = next {
            report.next = Some(next.to_owned());
        }
        (vec![report], transfer::nothing_covered(&opened.listing))
    };
    if let Some((name, like)) = transfer::seal_lookalike(folder, &opened.listing) {
        let code = if request.keys.is_empty() { Code::NoTransferKey } else { Code::SealMissing };
        let message =
            format!("it contains {name}, a reserved name of a seal; this one is {}", like.what);
        return Err(refused(&Fault::new(code, message).at(folder.shown()), Some(like.next)));
    }
    match &request.context {
        Ok(context) => Ok((opened, *context)),
        Err(fault) => Err(refused(fault, None)),
    }
}

/// Checks a transfer directory, and has it accepted if everything in it is right.
fn check(
    folder: &Folder,
    opened: OpenedTransfer,
    request: &TransferRequest<'_>,
    context: &Context<'_>,
) -> TransferAnswers {
    let traces = transfer::traces(&opened.listing).join(", ");
    let CheckedTransfer { mut reports, sealed, covers } = transfer::check(folder, opened, context);
    let missing = reports.iter_mut().find(|report| report.code() == Some(Code::SealMissing));
    if let Some(reason) = missing.and_then(|report| report.reason.as_mut()) {
        let mut reasons: Vec<String> =
            request.reasons.iter().map(|reason| (*reason).to_owned()).collect();
        if !traces.is_empty() {
            reasons.push(format!("of a seal there is {traces}"));
        }
        reason.push_str(&format!("; a seal is expected because {}", reasons.join(", and ")));
    }
    let status = ExitStatus::of(reports.iter().map(ArtifactReport::outcome));
    if let Some(sealed) = &sealed
        && let Some(mut last) = reports.pop()
    {
        let is_base = context.serials.is_some_and(|serials| serials.is_base(sealed));
        if status == ExitStatus::Verified
            && !is_base
            && let Err(fault) = (request.accept)(sealed)
        {
            last = last.refused(&fault);
        }
        last.notes.extend(state_note(context.state, sealed, &last, is_base));
        reports.push(last);
    }
    (reports, covers)
}

/// What became of a transfer's serial, where a state file is kept.
fn state_note(
    state: Option<&AcceptedTransfers>,
    sealed: &Sealed,
    report: &ArtifactReport,
    is_base: bool,
) -> Option<String> {
    let manifest = sealed.manifest();
    let before = state?.last(&manifest.stream);
    let before = before.map_or_else(|| "none".to_owned(), |last| last.serial.to_string());
    let became = match (report.outcome(), is_base) {
        (Outcome::Ok, false) => "accepted",
        (Outcome::Ok, true) => "not remembered, a newer transfer here builds on it",
        _ => "not accepted",
    };
    Some(format!("state: serial {} {became} (before: {before})", manifest.serial))
}
