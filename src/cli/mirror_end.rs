//! How a run of `mirror` ends: its status, its report, and the check as the far side will make it.

use super::mirror_args::MirrorArgs;
use super::sealing::{Sealing, show};
use super::{complain, jobs, warn};
use crate::folder::Folder;
use crate::image::{NoProgress, Options};
use crate::mirror::Watch;
use crate::sigstore::HashRule;
use crate::transfer::{self, Context, Made, Stop};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, Report};

/// 1 for what is wrong, 4 for what the network did not bring; 1 wins.
pub(super) fn worse(status: ExitStatus, fault: &Fault) -> ExitStatus {
    match (status, fault.outcome()) {
        (ExitStatus::Failed, _) => ExitStatus::Failed,
        (_, Outcome::Network) => ExitStatus::Network,
        _ => ExitStatus::Failed,
    }
}

/// The status by what could not be brought.
pub(super) fn status(reports: &[ArtifactReport]) -> ExitStatus {
    // What was not tried, because another one failed, says nothing itself.
    let omitted = reports.iter().filter(|it| it.outcome == Outcome::Omitted);
    omitted
        .filter_map(|report| report.code)
        .filter(|code| *code != Code::NotBrought)
        .fold(ExitStatus::Verified, |status, code| worse(status, &Fault::new(code, "")))
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
    sealing: &Sealing<'_>,
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

/// Verifies the finished directory as the far side will: from the medium, with the public key alone.
pub(super) fn preflight(
    arguments: &MirrorArgs,
    sealing: &Sealing<'_>,
    folder: &Folder,
    bases: &[Folder],
    made: &Made,
    watch: &dyn Watch,
) -> bool {
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
        profile: &sealing.profile,
        others: &[],
        transparency: arguments.sealing.logs.transparency(),
        hash: HashRule::Known,
        allow_unsigned: &allowed,
        now: jiff::Timestamp::now(),
        state: None,
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
    let bad: Vec<_> = answer
        .reports
        .iter()
        .filter(|it| {
            matches!(
                it.outcome,
                Outcome::Failed | Outcome::Missing | Outcome::Extra | Outcome::Usage
            )
        })
        .collect();
    for report in &bad {
        let reason = report.reason.as_deref().unwrap_or_default();
        warn(&format!("preflight: {}: {} ({reason})", report.name, report.outcome.word()));
    }
    if bad.is_empty() {
        return true;
    }
    warn("do not carry this directory: it does not verify as the far side will check it");
    false
}
