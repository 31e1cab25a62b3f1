//! Checking a sealed transfer directory, in the order of `bundle-format/`: the seal, the set of
//! files, every file, every artifact. Whether the transfer may be used at all (its key's terms, its stream,
//! time and serial) is asked as soon as the seal holds. After that everything is looked at whatever
//! fails; each has its own answer.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::accepted::AcceptedTransfers;
use super::context::Context;
use super::cover::{self, Covers, OtherFiles};
use super::file_set::{self, FileSet};
use super::item::ItemVerifier;
use super::layout::{PathUse, TRUSTED_ROOT};
use super::manifest::{Artifact, FileEntry, Kind, Manifest};
use super::opened::OpenedTransfer;
use super::sealed::Sealed;
use super::vouch::{self, SealedKeys, mismatch};
use super::{admit, fresh, layout, trust_file};
use crate::artifact::detect::{self, Found};
use crate::digest::{FileDigest, Sha256Digest};
use crate::directory::{Folder, Listing, read_small};
use crate::limits;
use crate::parallel::{self, Crew};
use crate::sigstore::TrustMaterial;
use crate::survey::{self, Spot};
use crate::verdict::{
    ArtifactKind, ArtifactReport, Check, CheckName, Code, Evidence, Fault, Outcome, Status,
};

/// The answer for a transfer directory.
#[derive(Debug)]
pub struct CheckedTransfer {
    /// One report for each artifact in the manifest's order, then for each file that is not as it
    /// should be, then for each omitted item, then for the directory as a whole.
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
    if let Err(fault) = gate(&sealed, context, role, &mut whole) {
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
            Kind::Image => ArtifactKind::Image,
            Kind::Package => ArtifactKind::Package,
        });
        let message = format!("it could not be brought: [{}] {}", item.code, item.reason);
        report.refused(&Fault::new(Code::Omitted, message))
    }));
    reports.extend(requested(manifest));
    let fault = base(manifest, context, &mut reports).err();
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

/// Files and artifacts.
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
    let index: HashMap<&str, &str> = manifest
        .files
        .iter()
        .zip(&present.called)
        .filter_map(|(entry, called)| Some((entry.path.as_str(), called.as_deref()?)))
        .collect();
    let called = |path: &str| index.get(path).map(|name| (*name).to_owned());
    let keys = SealedKeys::read(folder, manifest, &called);
    let sealed_root;
    let material = match context.material {
        Some(material) => Ok(material),
        None => {
            sealed_root = vouch::trusted_root(folder, manifest, &called);
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
    let verifier = ItemVerifier {
        folder,
        manifest,
        called: &called,
        faults: &faults,
        context,
        keys: &keys,
        material,
    };
    let mut reports = artifacts(&verifier);

    let said: BTreeSet<(&str, Code)> = reports
        .iter()
        .zip(&manifest.artifacts)
        .filter_map(|(report, artifact)| Some((artifact.path.as_str(), report.code()?)))
        .collect();
    let (more, alone) = others(folder, manifest, context, &called, whole);
    let not_right = more.iter().chain(&present.faults).map(|(path, _)| path.clone()).collect();
    // What an artifact's own line says is not said again.
    let wrong = present.faults.iter().cloned().chain(more);
    let wrong: Vec<ArtifactReport> = wrong
        .filter(|(path, fault)| !said.contains(&(path.as_str(), fault.code())))
        .map(|(path, fault)| {
            let mut report = ArtifactReport::new(path);
            report.kind = Some(ArtifactKind::File);
            report.refused(&fault)
        })
        .collect();
    reports.extend(wrong);
    (reports, present, OtherFiles { wrong: not_right, alone })
}

/// The files that are no artifacts: each against its entry; and which of them nobody but the sealing
/// operator vouches for. A policy that lists vendors does not take his word for those.
fn others(
    folder: &Folder,
    manifest: &Manifest,
    context: &Context<'_>,
    called: &dyn Fn(&str) -> Option<String>,
    whole: &mut ArtifactReport,
) -> (Vec<(String, Fault)>, BTreeSet<String>) {
    let artifacts: BTreeSet<&str> = manifest.artifacts.iter().map(|it| it.path.as_str()).collect();
    let in_artifact = |path: &str| {
        artifacts.contains(path)
            // In an OCI layout: the image's answer speaks for all of it.
            || survey::above(path).any(|above| artifacts.contains(above))
    };
    let others: Vec<(&FileEntry, String)> = manifest
        .files
        .iter()
        .filter(|entry| !in_artifact(&entry.path))
        .filter_map(|entry| Some((entry, called(&entry.path)?)))
        .collect();
    let profiles = context.all_profiles();
    let packages: BTreeSet<&str> = manifest
        .artifacts
        .iter()
        .filter(|it| it.kind == Kind::Package)
        .map(|it| it.path.as_str())
        .collect();
    let has = |path: &str| packages.contains(path);
    let compared = parallel::map(&others, context.reading.jobs, |(entry, name)| {
        let spot = Spot { name: &entry.path, profiles: &profiles, has: &has };
        compare(folder, entry, name, context, &spot)
    });
    let bundles: BTreeSet<&str> =
        manifest.artifacts.iter().flat_map(|it| &it.bundles).map(String::as_str).collect();
    let mut wrong = Vec::new();
    let mut alone = Vec::new();
    for ((entry, _), result) in others.iter().zip(compared) {
        match result {
            Err(fault) => wrong.push((entry.path.clone(), fault)),
            Ok(material) => {
                if !material && !bundles.contains(entry.path.as_str()) {
                    alone.push(entry.path.as_str());
                }
            }
        }
    }
    let status = if wrong.is_empty() { Status::Passed } else { Status::Failed };
    let check = Check::new(CheckName::SealedFiles, status).with("files", others.len());
    whole.checks.push(check.with("seal_only", alone.len()));
    let mut named = 0_usize;
    for &path in &alone {
        if !context.asks_signatures() || layout::is_own(path) {
            named = named.saturating_add(1);
            if named <= limits::NOTED_FILES {
                let note = format!("covered by the seal only, by no vendor's signature: {path}");
                whole.notes.push(note);
            }
        } else if let Some(message) = unsigned(folder, manifest, context, called, path) {
            wrong.push((path.to_owned(), Fault::new(Code::NoBundle, message)));
        }
    }
    if named > limits::NOTED_FILES {
        let more = named.saturating_sub(limits::NOTED_FILES);
        whole.notes.push(format!("covered by the seal only: {more} more files"));
    }
    let alone = alone.into_iter().map(str::to_owned).collect();
    (wrong, alone)
}

/// Why a file that nobody but the seal vouches for is not accepted, where the policy asks for signatures.
/// What a pattern for files allows is read again: an image is not among it.
fn unsigned(
    folder: &Folder,
    manifest: &Manifest,
    context: &Context<'_>,
    called: &dyn Fn(&str) -> Option<String>,
    path: &str,
) -> Option<&'static str> {
    let agrees = |image| context.agrees_unsigned(path, path, None, image);
    if !agrees(false) && !agrees(true) {
        return Some("the seal alone vouches for it, and the policy asks for a signature");
    }
    let read = || {
        let entry = manifest.file(path)?;
        let mut file = folder.file(&called(path)?).ok()?;
        let read = detect::read_hashing(&mut file, entry.size, None, &context.reading);
        let (found, digest) = read.ok()?;
        (digest.sha256 == entry.sha256).then_some(!matches!(found, Ok(Found::Package(..))))
    };
    match read() {
        Some(image) if agrees(image) => None,
        Some(true) => Some("it is an image, and the policy allows no image of this name unsigned"),
        Some(false) => {
            Some("it is no image, and the policy allows only images of this name unsigned")
        }
        None => Some("it could not be read again, and the policy asks for a signature"),
    }
}

/// The artifacts, the largest first; an archive whose layers are still hashed when others are done gets
/// the threads of those.
fn artifacts(verifier: &ItemVerifier<'_>) -> Vec<ArtifactReport> {
    let crew = Crew::new(verifier.context.reading.jobs);
    let size = |artifact: &Artifact| match verifier.manifest.file(&artifact.path) {
        Some(file) => file.size,
        None => verifier
            .manifest
            .below(&artifact.path)
            .fold(0_u64, |sum, it| sum.saturating_add(it.size)),
    };
    let mut order: Vec<(usize, &Artifact)> =
        verifier.manifest.artifacts.iter().enumerate().collect();
    if crew.jobs() > 1 {
        order.sort_by_cached_key(|(_, artifact)| Reverse(size(artifact)));
    }
    let mut done = parallel::map_with(&order, &crew, |(number, artifact)| {
        (*number, verifier.judge(artifact, &crew))
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, report)| report).collect()
}

/// A file that is no artifact against its entry; says whether it is material: a key, a bundle, a trusted
/// root, or what names a key.
fn compare(
    folder: &Folder,
    entry: &FileEntry,
    name: &str,
    context: &Context<'_>,
    spot: &Spot<'_>,
) -> Result<bool, Fault> {
    let progress = context.reading.progress;
    progress.expect(entry.size);
    let wrong_size = |found: u64| {
        Fault::new(Code::FileMismatch, "the file's size is not the sealed one")
            .at(folder.show(name))
            .expected_found(format!("{} bytes", entry.size), found)
    };
    let size = folder.file(name)?.metadata().map_or(entry.size, |metadata| metadata.len());
    if size != entry.size {
        return Err(wrong_size(size));
    }
    let kept = match layout::place(&entry.path) {
        Ok(place @ (PathUse::Key | PathUse::TrustedRoot | PathUse::FetchLog)) => Some(place),
        _ => None,
    };
    let mut said = Ok(());
    let (digest, material) = if let Some(place) = kept {
        let digest;
        (digest, said) = trust_file::read(folder, name, &entry.path, place)?;
        progress.advance(digest.size);
        (digest, place != PathUse::FetchLog)
    } else if entry.size <= limits::BUNDLE_BYTES {
        let (bytes, sha256) = read_small(folder, name, entry.size, Code::FileMismatch)?;
        progress.advance(bytes.len() as u64);
        let digest = FileDigest { sha256, size: bytes.len() as u64 };
        (digest, survey::is_material(spot, &bytes))
    } else {
        (survey::hash(folder, name, entry.size.saturating_add(1), progress)?, false)
    };
    if digest.size != entry.size {
        return Err(wrong_size(digest.size));
    }
    if digest.sha256 != entry.sha256 {
        return Err(mismatch(entry.sha256, digest.sha256).at(folder.show(name)));
    }
    said.map(|()| material)
}

/// Whether the transfer may be used at all, before anything of it is read.
fn gate(
    sealed: &Sealed,
    context: &Context<'_>,
    role: TransferRole,
    whole: &mut ArtifactReport,
) -> Result<(), Fault> {
    if role == TransferRole::Base {
        return admit::base(sealed, context);
    }
    admit::believed(sealed, context)?;
    let max_age = context.policy.and_then(crate::trust::TrustPolicy::max_age);
    let fresh = fresh::check(sealed.manifest(), context.now, max_age);
    let status = if fresh.is_ok() { Status::Passed } else { Status::Failed };
    whole.checks.push(Check::new(CheckName::Freshness, status));
    fresh?;
    let none = AcceptedTransfers::default();
    let before = admit::serial(sealed, context.state.unwrap_or(&none), context);
    if context.state.is_none() && before.is_ok() {
        whole.checks.push(Check::new(CheckName::Serial, Status::NotChecked));
        whole.notes.push("rollback not checked: no --state".to_owned());
        return Ok(());
    }
    let status = if before.is_ok() { Status::Passed } else { Status::Failed };
    let check = Check::new(CheckName::Serial, status).with("serial", sealed.manifest().serial);
    let before = before.inspect_err(|_| whole.checks.push(check.clone()))?;
    whole.checks.push(check.with("before", before));
    Ok(())
}

/// What was asked for and has no answer: it is no artifact, nobody says that it was omitted, and no earlier
/// transfer carried it.
fn requested(manifest: &Manifest) -> Vec<ArtifactReport> {
    let artifacts = manifest.artifacts.iter().map(|it| (it.kind, it.name.as_str()));
    let omitted = manifest.omitted.iter().map(|it| (it.kind, it.name.as_str()));
    let earlier = manifest.base.iter().flat_map(|it| &it.artifacts);
    let earlier = earlier.map(|it| (it.kind, it.name.as_str()));
    let answered: BTreeSet<(Kind, &str)> = artifacts.chain(omitted).chain(earlier).collect();
    let mut open: BTreeSet<(Kind, &str)> =
        manifest.requested.iter().map(|it| (it.kind, it.name.as_str())).collect();
    open.retain(|it| !answered.contains(it));
    open.into_iter()
        .map(|(kind, name)| {
            let mut report = ArtifactReport::new(name);
            report.kind = Some(match kind {
                Kind::Image => ArtifactKind::Image,
                Kind::Package => ArtifactKind::Package,
            });
            let message = "it was asked for, and it is neither here nor said to be omitted";
            report.refused(&Fault::new(Code::RequestedMissing, message))
        })
        .collect()
}

/// The earlier transfer: found among those given by its manifest's digest, checked like any other
/// but for its age, and holding what this one says it holds.
fn base(
    manifest: &Manifest,
    context: &Context<'_>,
    reports: &mut Vec<ArtifactReport>,
) -> Result<(), Fault> {
    let Some(base) = &manifest.base else { return Ok(()) };
    let meant =
        format!("transfer {} (stream {}, serial {})", base.transfer_id, base.stream, base.serial);
    if context.bases.is_empty() {
        return Err(Fault::new(Code::BaseNotGiven, format!("it builds on {meant}")));
    }
    let mut unusable = None;
    for folder in context.bases {
        let opened = OpenedTransfer::open(folder, context.transfer_keys);
        let found = match &opened.sealed {
            Ok(sealed) if sealed.digest() == base.manifest => sealed.manifest(),
            Ok(_) => continue,
            Err(fault) => {
                unusable.get_or_insert(fault.clone());
                continue;
            }
        };
        let same = (&found.transfer_id, &found.stream, found.serial)
            == (&base.transfer_id, &base.stream, base.serial);
        if !same {
            let message = "its manifest is the right one, and its id, stream or serial is not";
            return Err(Fault::new(Code::BaseMismatch, message).at(folder.shown()).expected_found(
                meant,
                format!("{} (stream {}, serial {})", found.transfer_id, found.stream, found.serial),
            ));
        }
        // The digest is of a manifest, so a chain of earlier transfers can't have a loop.
        let answer = check_one(folder, opened, context, TransferRole::Base);
        reports.extend(answer.reports);
        let Some(sealed) = answer.sealed else { return Ok(()) };
        for item in &base.artifacts {
            let there = sealed.manifest().file(&item.path);
            let listed = sealed.manifest().artifacts.iter().any(|artifact| {
                (artifact.kind, &artifact.name, &artifact.path)
                    == (item.kind, &item.name, &item.path)
            });
            if !listed || there.is_none_or(|file| file.sha256 != item.sha256) {
                let message = format!("the earlier transfer does not hold {}", item.name);
                return Err(Fault::new(Code::BaseMismatch, message)
                    .at(folder.show(&item.path))
                    .expected_found(
                        item.sha256,
                        there.map_or("no file".to_owned(), |it| it.sha256.to_string()),
                    ));
            }
        }
        return Ok(());
    }
    if let Some(fault) = unusable {
        return Err(fault);
    }
    let given: Vec<&str> = context.bases.iter().map(Folder::shown).collect();
    Err(Fault::new(
        Code::BaseMismatch,
        "none of the earlier transfers given is the one that it builds on",
    )
    .expected_found(meant, given.join(", ")))
}

/// The line for the directory: OK only if everything in it is.
fn decide(
    whole: ArtifactReport,
    reports: &[ArtifactReport],
    own: Vec<Fault>,
    manifest: &Manifest,
) -> ArtifactReport {
    let count =
        |outcome: fn(Outcome) -> bool| reports.iter().filter(|it| outcome(it.outcome())).count();
    let failed = count(|it| matches!(it, Outcome::Failed | Outcome::Missing | Outcome::Extra));
    let open = count(|it| it != Outcome::Ok).saturating_sub(failed);
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
            && manifest.base.as_ref().is_none_or(|it| it.artifacts.is_empty()))
    {
        let message = if open > 0 {
            let artifacts = if open == 1 { "artifact is" } else { "artifacts are" };
            format!("{open} {artifacts} unsigned, omitted or undecided")
        } else {
            "there is no artifact in it".to_owned()
        };
        return whole.refused(&Fault::new(Code::TransferUndecided, message));
    }
    whole.verified(Evidence::Contents(reports))
}

fn whole_count(manifest: &Manifest) -> usize {
    manifest.files.len().saturating_add(manifest.omitted.len())
}
