//! The end of a run of `mirror`: its exit status, its report and its last messages.

use std::io;

use super::args::MirrorArgs;
use super::preflight::preflight;
use crate::cli::output::{complain, shown, warn};
use crate::cli::seal_summary::{say_sealed, show};
use crate::cli::sealing::SealSettings;
use crate::directory::Folder;
use crate::mirror::{MirrorOutcome, Watch};
use crate::report::Form;
use crate::transfer::{NewTransfer, SealError};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, Report, line};

/// The exit status for the codes of what was left out. An item that was not tried, because another one
/// failed, does not count.
pub(super) fn status_of(codes: impl IntoIterator<Item = Code>) -> ExitStatus {
    let counted = codes.into_iter().filter(|code| *code != Code::NotBrought);
    ExitStatus::of(counted.map(Code::outcome).chain([Outcome::Ok]))
}

/// The exit status for the reports of a run.
fn status(reports: &[ArtifactReport]) -> ExitStatus {
    let omitted = reports.iter().filter(|report| report.outcome() == Outcome::Omitted);
    status_of(omitted.filter_map(|report| report.code()))
}

/// The exit status of a run that fetched everything but sealed nothing.
fn stopped(stop: &SealError) -> ExitStatus {
    match stop {
        SealError::Fault(fault) => fault.outcome().exit_status(),
        SealError::Artifacts(_) => ExitStatus::Failed,
    }
}

/// Shows what became of each request.
fn report(
    arguments: &MirrorArgs,
    sealing: &SealSettings<'_>,
    reports: Vec<ArtifactReport>,
    status: ExitStatus,
) -> Result<(), Fault> {
    let mut report = Report::new(sealing.now.to_string(), reports);
    report.run.exit_status = status.code();
    show(&arguments.run, &report)?;
    let omitted: Vec<&str> = report
        .artifacts
        .iter()
        .filter(|artifact| artifact.outcome() == Outcome::Omitted)
        .map(|artifact| artifact.name.as_str())
        .collect();
    if !omitted.is_empty() {
        let names = omitted.join(", ");
        let all = report.artifacts.len();
        warn(&format!("{} of {all} left out: {names}", omitted.len()));
    }
    Ok(())
}

/// Names what was in the directory and is sealed although this run did not ask for it.
fn say_unasked(made: &NewTransfer) {
    let requested = &made.manifest.requested;
    for artifact in &made.manifest.artifacts {
        let asked = requested
            .iter()
            .any(|wanted| (wanted.kind, &wanted.name) == (artifact.kind, &artifact.name));
        if !asked {
            warn(&format!(
                "{} was in the directory and is sealed too, although this run did not ask for it; \
                 remove it if it should not be carried",
                artifact.path
            ));
        }
    }
}

/// Says why nothing was sealed.
fn say_stopped(stop: &SealError) {
    match stop {
        SealError::Fault(fault) => complain(fault),
        SealError::Artifacts(against) => {
            for artifact in against.iter().filter(|artifact| artifact.outcome() != Outcome::Ok) {
                let reason = artifact.reason.as_deref().unwrap_or_default();
                let code = artifact.code().map_or("", |code| code.name());
                warn(&format!(
                    "{}: {} ({code}: {reason})",
                    artifact.name,
                    artifact.outcome().word()
                ));
            }
            let message = "not sealed: files that this run did not ask for do not verify";
            complain(&Fault::new(Code::FileExtra, message));
        }
    }
}

/// The exit status of a run whose finished directory does not verify.
fn worst(status: ExitStatus, found: ExitStatus) -> ExitStatus {
    match (status, found) {
        (ExitStatus::Failed, _) | (_, ExitStatus::Failed) => ExitStatus::Failed,
        // It could not be decided whether the directory can be carried, for whatever reason.
        _ => ExitStatus::Undecided,
    }
}

/// Verifies the sealed directory, shows what became of each request, and says what the far side must know.
pub(super) fn finish(
    arguments: &MirrorArgs,
    sealing: &SealSettings<'_>,
    folder: &Folder,
    bases: &[Folder],
    outcome: MirrorOutcome,
    watch: &dyn Watch,
) -> Result<ExitStatus, Fault> {
    let MirrorOutcome { reports, made, fetched } = outcome;
    let unchanged =
        fetched == 0 && reports.iter().all(|report| report.code().is_none() && !report.carried);
    let mut status = status(&reports);
    let mut verified = None;
    match &made {
        Ok(made) if !arguments.no_preflight => {
            match preflight(arguments, sealing, folder, bases, made, watch) {
                Ok(words) => verified = Some(words),
                Err(found) => status = worst(status, found),
            }
        }
        Ok(_) => {}
        Err(stop) if status == ExitStatus::Verified => status = stopped(stop),
        Err(_) => {}
    }
    report(arguments, sealing, reports, status)?;
    match made {
        Ok(made) => {
            if let Some(words) = verified.filter(|_| arguments.run.output == Form::Text) {
                let mut out = io::stdout().lock();
                shown(line!(out, "preflight: {words}"))?;
            }
            if unchanged && arguments.run.output == Form::Text {
                let mut out = io::stdout().lock();
                shown(line!(out, "fetched: nothing; everything requested is here, unchanged"))?;
            }
            say_unasked(&made);
            say_sealed(&arguments.run, &made, &sealing.key);
        }
        Err(stop) => say_stopped(&stop),
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_verify_ends_with_1_or_3() {
        use ExitStatus::{Failed, Network, Undecided, Usage, Verified};
        assert_eq!(worst(Verified, Failed), Failed);
        assert_eq!(worst(Failed, Undecided), Failed);
        for (status, found) in [(Verified, Undecided), (Network, Undecided), (Verified, Usage)] {
            assert_eq!(worst(status, found), Undecided);
        }
    }
}
