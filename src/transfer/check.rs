//! Checking a sealed transfer directory, in the order of `bundle-format/`: the seal, the set of
//! files, every file, every artifact. Whether the transfer may be used at all (its key's terms, its stream,
//! time and serial) is asked as soon as the seal holds. After that everything is looked at whatever
//! fails; each has its own answer.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::context::Context;
use super::cover::{self, Covers};
use super::file_set::{self, FileSet};
use super::item::ItemVerifier;
use super::layout::TRUSTED_ROOT;
use super::manifest::{Artifact, Manifest, ManifestKind};
use super::opened::OpenedTransfer;
use super::other_files::{OtherFiles, others};
use super::sealed::Sealed;
use super::sealed_folder::SealedFolder;
use super::vouch::{self, SealedKeys};
use super::{admit, base};
use crate::digest::Sha256Digest;
use crate::directory::{Folder, Listing};
use crate::parallel::{self, ThreadLimit};
use crate::sigstore::TrustMaterial;
use crate::verdict::{
    ArtifactKind, ArtifactReport, Check, CheckName, Code, Evidence, Fault, Outcome, Status,
};

/// The answer for a transfer directory.
#[derive(Debug)]
pub struct CheckedTransfer {
    /// One report for each artifact in the manifest's order, then for each file that is not as it
    /// should be, each omitted item, and each requested item that is missing. Then come the reports of
    /// the earlier transfer in the same order, and last the one for the directory as a whole.
    pub reports: Vec<ArtifactReport>,
    /// What the seal covers, if it holds.
    pub sealed: Option<Sealed>,
    /// How each file in the directory is covered.
    pub covers: Covers,
}

/// Checks a transfer directory. The seal must be there ([`super::traces`] says whether it may not
/// be).
#[must_use]
pub fn check(folder: &Folder, opened: OpenedTransfer, context: &Context<'_>) -> CheckedTransfer {
    check_one(folder, opened, context, TransferRole::Transfer)
}

/// Whether the directory is the transfer itself, or an earlier one that it builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferRole {
    Base,
    Transfer,
}

fn check_one(
    folder: &Folder,
    opened: OpenedTransfer,
    context: &Context<'_>,
    role: TransferRole,
) -> CheckedTransfer {
    let mut whole = ArtifactReport::new(folder.shown());
    whole.kind = Some(ArtifactKind::Transfer);
    let OpenedTransfer { listing, sealed } = opened;
    let mut covers = cover::nothing_covered(&listing);
    let sealed = match sealed {
        Ok(sealed) => sealed,
        Err(fault) => {
            whole.checks.push(Check::new(CheckName::Seal, Status::Failed));
            return CheckedTransfer { reports: vec![whole.refused(&fault)], sealed: None, covers };
        }
    };
    let manifest = sealed.manifest();
    whole.checks.push(seal_check(&sealed));
    let admitted = match role {
        TransferRole::Base => admit::base(&sealed, context),
        TransferRole::Transfer => admit::gate(&sealed, context, &mut whole),
    };
    if let Err(fault) = admitted {
        let code = fault.code();
        let mut report = whole.refused(&fault.at(folder.shown()));
        if matches!(code, Code::KeyRetired | Code::KeyNotValid | Code::KeyRevoked) {
            let next = "Stop the deployment, and ask the sealing side to seal again with a transfer key that is in use.";
            report.next = Some(next.to_owned());
        }
        return CheckedTransfer { reports: vec![report], sealed: Some(sealed), covers };
    }
    let (mut reports, present, others) = contents(folder, &listing, manifest, context, &mut whole);
    if present.folded > 0 {
        let count = present.folded;
        whole.notes.push(format!("{count} file names differ from the sealed ones in case only"));
    }
    reports.extend(manifest.omitted.iter().map(|item| {
        let mut report = ArtifactReport::new(item.name.as_str());
        report.kind = Some(match item.kind {
            ManifestKind::Image => ArtifactKind::Image,
            ManifestKind::Package => ArtifactKind::Package,
        });
        let message = format!("it could not be fetched: [{}] {}", item.code, item.reason);
        report.refused(&Fault::new(Code::Omitted, message))
    }));
    reports.extend(requested(manifest));
    let fault = check_base(manifest, context, &mut reports).err();
    let own: Vec<Fault> = fault.into_iter().map(|fault| fault.at(folder.shown())).collect();
    if role == TransferRole::Base {
        for report in &mut reports {
            report.notes.push(format!("in the earlier transfer {}", folder.shown()));
        }
    }
    let accepted = own.is_empty();
    covers = cover::covers(&listing, manifest, &present, &reports, &others, accepted);
    reports.push(decide(whole, &reports, own, manifest));
    CheckedTransfer { reports, sealed: Some(sealed), covers }
}

fn seal_check(sealed: &Sealed) -> Check {
    let manifest = sealed.manifest();
    let mut check = Check::new(CheckName::Seal, Status::Passed)
        .with("fingerprint", sealed.key())
        .with("manifest", sealed.digest())
        .with("transfer_id", &manifest.transfer_id)
        .with("stream", &manifest.stream)
        .with("serial", manifest.serial)
        .with("created", &manifest.created)
        .with("artifacts", manifest.artifacts.len())
        .with("files", manifest.files.len());
    if let Some(expires) = &manifest.expires {
        check = check.with("expires", expires);
    }
    check
}

/// Checks the set of files, every artifact and every other file.
fn contents(
    folder: &Folder,
    listing: &Listing,
    manifest: &Manifest,
    context: &Context<'_>,
    whole: &mut ArtifactReport,
) -> (Vec<ArtifactReport>, FileSet, OtherFiles) {
    let present = file_set::compare(folder, listing, manifest);
    let status = if present.faults.is_empty() { Status::Passed } else { Status::Failed };
    whole.checks.push(Check::new(CheckName::FileSet, status));
    let sealed = SealedFolder::new(folder, manifest, &present);
    let keys = SealedKeys::read(&sealed);
    let sealed_root;
    let material = match context.material {
        Some(material) => Ok(material),
        None => {
            sealed_root = vouch::trusted_root(&sealed);
            let not_used = sealed_root.iter().flat_map(TrustMaterial::notes);
            whole.notes.extend(not_used.cloned());
            let carried = manifest.file(TRUSTED_ROOT);
            let built_in = Sha256Digest::of(&TrustMaterial::production_bytes());
            if carried.is_some_and(|root| root.sha256 != built_in) {
                let note = "logs and their times are judged by the trusted root that the seal \
                            carries; --trusted-root or the policy can name another";
                whole.notes.push(note.to_owned());
            }
            sealed_root.as_ref()
        }
    };
    let faults = present.faults.iter().map(|(path, fault)| (path.as_str(), fault)).collect();
    let verifier =
        ItemVerifier { sealed: &sealed, faults: &faults, context, keys: &keys, material };
    let mut reports = artifacts(&verifier);

    let reported: BTreeSet<(&str, Code)> = reports
        .iter()
        .zip(&manifest.artifacts)
        .filter_map(|(report, artifact)| Some((artifact.path.as_str(), report.code()?)))
        .collect();
    let (more, alone) = others(&sealed, context, whole);
    let not_right = more.iter().chain(&present.faults).map(|(path, _)| path.clone()).collect();
    // Skips what an artifact's own report already says.
    let wrong = present.faults.iter().cloned().chain(more);
    let wrong: Vec<ArtifactReport> = wrong
        .filter(|(path, fault)| !reported.contains(&(path.as_str(), fault.code())))
        .map(|(path, fault)| {
            let mut report = ArtifactReport::new(path);
            report.kind = Some(ArtifactKind::File);
            report.refused(&fault)
        })
        .collect();
    reports.extend(wrong);
    (reports, present, OtherFiles { wrong: not_right, alone })
}

/// Checks the artifacts, the largest first. When others are done, their threads help with the layers of
/// what is left.
fn artifacts(verifier: &ItemVerifier<'_>) -> Vec<ArtifactReport> {
    let threads = ThreadLimit::new(verifier.context.reading.jobs);
    let size = |artifact: &Artifact| match verifier.sealed.manifest.file(&artifact.path) {
        Some(file) => file.size,
        None => verifier
            .sealed
            .manifest
            .below(&artifact.path)
            .fold(0_u64, |sum, file| sum.saturating_add(file.size)),
    };
    let mut order: Vec<(usize, &Artifact)> =
        verifier.sealed.manifest.artifacts.iter().enumerate().collect();
    if threads.jobs() > 1 {
        order.sort_by_cached_key(|(_, artifact)| Reverse(size(artifact)));
    }
    let mut done = parallel::map_with(&order, &threads, |(number, artifact)| {
        (*number, verifier.verify(artifact, &threads))
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, report)| report).collect()
}

/// Reports of items that were requested and are neither here, nor listed as omitted, nor in the earlier
/// transfer.
fn requested(manifest: &Manifest) -> Vec<ArtifactReport> {
    let artifacts =
        manifest.artifacts.iter().map(|artifact| (artifact.kind, artifact.name.as_str()));
    let omitted = manifest.omitted.iter().map(|item| (item.kind, item.name.as_str()));
    let earlier = manifest.base.iter().flat_map(|base| &base.artifacts);
    let earlier = earlier.map(|artifact| (artifact.kind, artifact.name.as_str()));
    let answered: BTreeSet<(ManifestKind, &str)> =
        artifacts.chain(omitted).chain(earlier).collect();
    let mut open: BTreeSet<(ManifestKind, &str)> =
        manifest.requested.iter().map(|item| (item.kind, item.name.as_str())).collect();
    open.retain(|item| !answered.contains(item));
    open.into_iter()
        .map(|(kind, name)| {
            let mut report = ArtifactReport::new(name);
            report.kind = Some(match kind {
                ManifestKind::Image => ArtifactKind::Image,
                ManifestKind::Package => ArtifactKind::Package,
            });
            let message = "it was requested, and it is neither here nor listed as omitted";
            report.refused(&Fault::new(Code::RequestedMissing, message))
        })
        .collect()
}

/// Checks the earlier transfer like any other, but for its age and serial, and adds its reports; it must
/// hold what this one says it holds.
fn check_base(
    manifest: &Manifest,
    context: &Context<'_>,
    reports: &mut Vec<ArtifactReport>,
) -> Result<(), Fault> {
    let Some(base) = &manifest.base else { return Ok(()) };
    let (folder, opened) = base::find(base, context)?;
    // The digest is of a manifest, so a chain of earlier transfers can't have a loop.
    let checked = check_one(folder, opened, context, TransferRole::Base);
    reports.extend(checked.reports);
    match checked.sealed {
        Some(sealed) => base::holds(folder, sealed.manifest(), base),
        None => Ok(()),
    }
}

/// The report of the directory itself: OK only if everything in it is.
fn decide(
    whole: ArtifactReport,
    reports: &[ArtifactReport],
    own: Vec<Fault>,
    manifest: &Manifest,
) -> ArtifactReport {
    let count = |outcome: fn(Outcome) -> bool| {
        reports.iter().filter(|report| outcome(report.outcome())).count()
    };
    let failed =
        count(|outcome| matches!(outcome, Outcome::Failed | Outcome::Missing | Outcome::Extra));
    let open = count(|outcome| outcome != Outcome::Ok).saturating_sub(failed);
    let first_failed = own.iter().find(|fault| fault.outcome() == Outcome::Failed);
    if let Some(fault) = first_failed {
        return whole.refused(fault);
    }
    if failed > 0 {
        let verb = if failed == 1 { "is" } else { "are" };
        let message = format!(
            "{failed} of {} files and artifacts {verb} not as they should be",
            whole_count(manifest)
        );
        return whole.refused(&Fault::new(Code::TransferNotVerified, message));
    }
    if let Some(fault) = own.first() {
        return whole.refused(fault);
    }
    if open > 0
        || (manifest.artifacts.is_empty()
            && manifest.base.as_ref().is_none_or(|base| base.artifacts.is_empty()))
    {
        let message = if open > 0 {
            let artifacts = if open == 1 { "artifact is" } else { "artifacts are" };
            format!("{open} {artifacts} unsigned, omitted or undecided")
        } else {
            "it has no artifact".to_owned()
        };
        return whole.refused(&Fault::new(Code::TransferUndecided, message));
    }
    whole.verified(Evidence::Contents(reports))
}

fn whole_count(manifest: &Manifest) -> usize {
    manifest.files.len().saturating_add(manifest.omitted.len())
}
