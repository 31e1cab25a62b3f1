//! The last check of a sealed directory, as the far side will make it.

use super::args::MirrorArgs;
use crate::cli::sealing::SealSettings;
use crate::cli::{
    machine::jobs,
    output::{number, warn},
};
use crate::directory::Folder;
use crate::image::{NoProgress, Options};
use crate::mirror::Watch;
use crate::sigstore::HashRule;
use crate::transfer::{self, Context, NewTransfer};
use crate::trust::Profiles;
use crate::verdict::{ArtifactReport, Code, ExitStatus, Outcome};

/// Verifies the finished directory as the far side will: from the medium, with the public key alone.
///
/// Returns what was verified in words, or the status that `verify` would end with.
pub(super) fn preflight(
    arguments: &MirrorArgs,
    sealing: &SealSettings<'_>,
    folder: &Folder,
    bases: &[Folder],
    made: &NewTransfer,
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
        .filter(|artifact| artifact.allow_unsigned)
        .map(|artifact| artifact.name.clone())
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
        serials: None,
        streams: &[],
        bases,
        full_digest: false,
        reading: Options {
            jobs: jobs(arguments.run.jobs),
            progress: &NoProgress,
            cuts: None,
            threads: None,
        },
    };
    watch.say("verifying the finished directory as the far side will");
    let opened = transfer::OpenedTransfer::open(folder, context.transfer_keys);
    let answer = transfer::check(folder, opened, &context);
    let status = as_verified(&answer.reports);
    if status == ExitStatus::Verified {
        return Ok(counted(made));
    }
    for report in answer.reports.iter().filter(|report| report.outcome() != Outcome::Ok) {
        let reason = report.reason.as_deref().unwrap_or_default();
        warn(&format!("preflight: {}: {} ({reason})", report.name, report.outcome().word()));
    }
    warn("do not carry this directory: it fails the check that the far side will make");
    Err(status)
}

/// The status that `verify` would end with, apart from what is known to be left out: that was reported, and
/// is in the manifest.
fn as_verified(reports: &[ArtifactReport]) -> ExitStatus {
    let omitted = reports.iter().filter(|report| report.outcome() == Outcome::Omitted).count();
    let known = |report: &&ArtifactReport| {
        report.outcome() == Outcome::Omitted
            || (omitted > 0 && report.code() == Some(Code::TransferUndecided))
    };
    ExitStatus::of(reports.iter().filter(|report| !known(report)).map(|report| report.outcome()))
}

/// What was verified, in words. Unsigned artifacts are counted apart.
fn counted(made: &NewTransfer) -> String {
    let artifacts = &made.manifest.artifacts;
    let unsigned = artifacts.iter().filter(|artifact| artifact.allow_unsigned).count();
    let signed = artifacts.len().saturating_sub(unsigned);
    let verified = format!("{} verified offline", number(signed, "artifact"));
    if unsigned == 0 {
        return verified;
    }
    format!("{verified}; {unsigned} UNSIGNED, which the far side must allow too (--allow-unsigned)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: Outcome, code: Option<Code>) -> ArtifactReport {
        serde_json::from_value(serde_json::json!({"name": "x", "outcome": outcome, "code": code}))
            .unwrap()
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
        // What is left out was reported before, and does not stop the rest; everything else does.
        let omitted = || report(Outcome::Omitted, Some(Code::HttpRefused));
        let whole = || report(Outcome::Undecided, Some(Code::TransferUndecided));
        assert_eq!(as_verified(&[ok(), omitted(), whole()]), ExitStatus::Verified);
        assert_eq!(as_verified(&[ok(), whole()]), ExitStatus::Undecided);
        let unread = report(Outcome::Undecided, Some(Code::Unreadable));
        assert_eq!(as_verified(&[ok(), omitted(), unread, whole()]), ExitStatus::Undecided);
        assert_eq!(as_verified(&[omitted(), whole()]), ExitStatus::Undecided);
        assert_eq!(as_verified(&[]), ExitStatus::Undecided);
    }
}
