//! How a run of `mirror` ends: its status, its report, and the check as the far side will make it.

use super::args::MirrorArgs;
use crate::cli::sealing::{SealSettings, show};
use crate::cli::{complain, jobs, number, warn};
use crate::directory::Folder;
use crate::image::{NoProgress, Options};
use crate::mirror::Watch;
use crate::sigstore::HashRule;
use crate::transfer::{self, Context, Made, Stop};
use crate::trust::Profiles;
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, Report};

/// The status by what could not be brought: each code means the same as everywhere. What was not tried,
/// because another one failed, says nothing itself.
pub(super) fn status_of(codes: impl IntoIterator<Item = Code>) -> ExitStatus {
    let told = codes.into_iter().filter(|code| *code != Code::NotBrought);
    ExitStatus::of(told.map(Code::outcome).chain([Outcome::Ok]))
}

/// The same, of the reports of a run.
pub(super) fn status(reports: &[ArtifactReport]) -> ExitStatus {
    let omitted = reports.iter().filter(|it| it.outcome == Outcome::Omitted);
    status_of(omitted.filter_map(|report| report.code))
}

/// The status of a run that sealed nothing although everything was brought.
pub(super) fn stopped(stop: &Stop) -> ExitStatus {
    match stop {
        Stop::Fault(fault) => fault.outcome().exit_status(),
        Stop::Artifacts(_) => ExitStatus::Failed,
    }
}

/// Shows what became of each request.
pub(super) fn report(
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
        .filter(|it| it.outcome == Outcome::Omitted)
        .map(|it| it.name.as_str())
        .collect();
    if !omitted.is_empty() {
        let names = omitted.join(", ");
        let all = report.artifacts.len();
        warn(&format!("{} of {all} could not be brought: {names}", omitted.len()));
    }
    Ok(())
}

/// Says what lay in the directory and was sealed although this run did not ask for it.
pub(super) fn say_unasked(made: &Made) {
    let requested = &made.manifest.requested;
    for artifact in &made.manifest.artifacts {
        let asked =
            requested.iter().any(|it| (it.kind, &it.name) == (artifact.kind, &artifact.name));
        if !asked {
            warn(&format!(
                "{} lies in the directory, was not asked for, and is sealed too; remove it if it is \
                 not to be carried",
                artifact.path
            ));
        }
    }
}

/// Says why nothing was sealed.
pub(super) fn say_stopped(stop: &Stop) {
    match stop {
        Stop::Fault(fault) => complain(fault),
        Stop::Artifacts(against) => {
            for artifact in against.iter().filter(|it| it.outcome != Outcome::Ok) {
                let reason = artifact.reason.as_deref().unwrap_or_default();
                let code = artifact.code.map_or("", |code| code.name());
                warn(&format!("{}: {} ({code}: {reason})", artifact.name, artifact.outcome.word()));
            }
            let message = "not sealed: files that nobody asked for stand against it";
            complain(&Fault::new(Code::FileExtra, message));
        }
    }
}

/// The status of a run whose finished directory does not verify: that of the check, unless something is
/// wrong besides.
pub(super) fn worst(status: ExitStatus, found: ExitStatus) -> ExitStatus {
    match (status, found) {
        (ExitStatus::Failed, _) | (_, ExitStatus::Failed) => ExitStatus::Failed,
        // It could not be decided whether the directory can be carried, for whatever reason.
        _ => ExitStatus::Undecided,
    }
}

/// Verifies the finished directory as the far side will: from the medium, with the public key alone. Answers
/// what was verified, or the status that `verify` would end with.
pub(super) fn preflight(
    arguments: &MirrorArgs,
    sealing: &SealSettings<'_>,
    folder: &Folder,
    bases: &[Folder],
    made: &Made,
    watch: &dyn Watch,
) -> Result<String, ExitStatus> {
    for file in &made.manifest.files {
        folder.drop_cache(&file.path);
    }
    let keys = [sealing.key.public().clone()];
    let allowed: Vec<String> = made
        .manifest
        .artifacts
        .iter()
        .filter(|it| it.allow_unsigned)
        .map(|it| it.name.clone())
        .collect();
    let context = Context {
        transfer_keys: &keys,
        vendor_key: None,
        policy: sealing.policy.as_ref(),
        material: None,
        profiles: Profiles::one(&sealing.profile),
        transparency: arguments.sealing.logs.transparency(),
        hash: HashRule::Known,
        allow_unsigned: &allowed,
        now: jiff::Timestamp::now(),
        state: None,
        together: None,
        streams: &[],
        bases,
        full_digest: false,
        reading: Options {
            jobs: jobs(arguments.run.jobs),
            progress: &NoProgress,
            cuts: None,
            crew: None,
        },
    };
    watch.say("verifying the finished directory as the far side will");
    let answer = transfer::check(folder, &context);
    let status = as_verified(&answer.reports);
    if status == ExitStatus::Verified {
        return Ok(counted(made));
    }
    for report in answer.reports.iter().filter(|it| it.outcome != Outcome::Ok) {
        let reason = report.reason.as_deref().unwrap_or_default();
        warn(&format!("preflight: {}: {} ({reason})", report.name, report.outcome.word()));
    }
    warn("do not carry this directory: it does not verify as the far side will check it");
    Err(status)
}

/// The status that `verify` would end with, but for what is known to be left out: that was said, and stands
/// in the manifest.
fn as_verified(reports: &[ArtifactReport]) -> ExitStatus {
    let omitted = reports.iter().filter(|it| it.outcome == Outcome::Omitted).count();
    let known = |it: &&ArtifactReport| {
        it.outcome == Outcome::Omitted || (omitted > 0 && it.code == Some(Code::TransferUndecided))
    };
    ExitStatus::of(reports.iter().filter(|it| !known(it)).map(|it| it.outcome))
}

/// What was verified, in words; what nobody signed is not that.
fn counted(made: &Made) -> String {
    let artifacts = &made.manifest.artifacts;
    let unsigned = artifacts.iter().filter(|it| it.allow_unsigned).count();
    let signed = artifacts.len().saturating_sub(unsigned);
    let verified = format!("{} verified offline", number(signed, "artifact"));
    if unsigned == 0 {
        return verified;
    }
    format!("{verified}; {unsigned} UNSIGNED: the far side must allow that, too (--allow-unsigned)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: Outcome, code: Option<Code>) -> ArtifactReport {
        let mut report = ArtifactReport::new("x");
        (report.outcome, report.code) = (outcome, code);
        report
    }

    #[test]
    fn the_last_check_ends_as_verify_would() {
        let ok = || report(Outcome::Ok, None);
        assert_eq!(as_verified(&[ok(), ok()]), ExitStatus::Verified);
        for (outcome, status) in [
            (Outcome::Failed, ExitStatus::Failed),
            (Outcome::Missing, ExitStatus::Failed),
            (Outcome::Extra, ExitStatus::Failed),
            (Outcome::Undecided, ExitStatus::Undecided),
            (Outcome::Unsigned, ExitStatus::Undecided),
            (Outcome::Usage, ExitStatus::Usage),
        ] {
            assert_eq!(as_verified(&[ok(), report(outcome, None)]), status, "{outcome:?}");
        }
        // What is left out was said before, and is no reason not to carry the rest; nothing else is.
        let omitted = || report(Outcome::Omitted, Some(Code::HttpRefused));
        let whole = || report(Outcome::Undecided, Some(Code::TransferUndecided));
        assert_eq!(as_verified(&[ok(), omitted(), whole()]), ExitStatus::Verified);
        assert_eq!(as_verified(&[ok(), whole()]), ExitStatus::Undecided);
        let unread = report(Outcome::Undecided, Some(Code::Unreadable));
        assert_eq!(as_verified(&[ok(), omitted(), unread, whole()]), ExitStatus::Undecided);
        assert_eq!(as_verified(&[omitted(), whole()]), ExitStatus::Undecided);
        assert_eq!(as_verified(&[]), ExitStatus::Undecided);
    }

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
