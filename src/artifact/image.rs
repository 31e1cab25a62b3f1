//! A container image archive: its digests from the bytes, its signatures from the bundles, and the
//! rule that every image in it must be covered.

use std::collections::BTreeSet;

use super::{BundleVerdict, Judge, NamedBundle, deciding, diagnose, refused, verified};
use crate::digest::Sha256Digest;
use crate::image::{Archive, Candidate};
use crate::limits;
use crate::sigstore::{self, SignatureBundle, Subject};
use crate::verdict::{
    ArtifactKind, ArtifactReport, Check, CheckName, Code, Fault, ImageReport, MatchedDigest,
    Outcome, Status,
};

/// Verifies an archive that was read in full (so its structure and layers are right already).
///
/// Each bundle must cover at least one digest of the archive, and each image must be covered by at
/// least one verified bundle. Without a bundle the answer is UNSIGNED.
#[must_use]
pub fn image(
    mut report: ArtifactReport,
    archive: &Archive,
    bundles: &[NamedBundle],
    judge: &Judge<'_>,
) -> ArtifactReport {
    report.kind = Some(ArtifactKind::Image);
    report.checks.push(Check::new(CheckName::Archive, Status::Passed));
    let layers: usize = archive.images.iter().map(|image| image.layers.len()).sum();
    report.checks.push(Check::new(CheckName::Layers, Status::Passed).with("layers", layers));
    report.notes.extend(archive.notes.iter().cloned());
    report.notes.push("tags and the file name are not signed".to_owned());
    if bundles.is_empty() {
        report.images = images(archive, &BTreeSet::new());
        report.checks.push(Check::new(CheckName::Coverage, Status::NotChecked));
        let fault = Fault::new(Code::NoBundle, "no signature bundle was found for this archive");
        return refused(report, &fault, Vec::new(), judge);
    }

    let candidates = candidates(archive);
    let mut signed = BTreeSet::new();
    let mut claimed = BTreeSet::new();
    let mut faults = Vec::new();
    let mut causes = Vec::new();
    let mut foreign = Vec::new();
    let mut foreign_causes = Vec::new();
    // A bundle that could not be read may be the one that covers any of the images.
    let mut unread = false;
    let mut key = None;
    let mut tries = limits::SELECTION_TRIES;
    for bundle in bundles {
        let explain = foreign.len() < limits::DIAGNOSIS_TRIES;
        let (verdict, digest, by) =
            judge_bundle(bundle, &candidates, archive, judge, &mut tries, explain);
        key = key.or(by);
        if let Some(fault) = verdict.fault {
            if fault.outcome() == Outcome::Undecided {
                claimed.extend(digest);
            }
            unread |= bundle.content.is_err() && fault.outcome() != Outcome::Failed;
            if verdict.foreign {
                foreign.push(fault);
                foreign_causes.extend(verdict.causes);
            } else {
                faults.push(fault);
                causes.extend(verdict.causes);
            }
        } else if let Some(digest) = digest {
            signed.insert(digest);
        }
        report.bundles.push(verdict.report);
    }
    report.images = images(archive, &signed);
    report.matched =
        candidates.iter().filter(|it| signed.contains(&it.digest)).map(named).collect();

    let coverage = archive.coverage(&signed);
    let status = if coverage.is_ok() { Status::Passed } else { Status::Failed };
    if let Ok(covered) = &coverage
        && covered.unsigned_attestations > 0
    {
        let count = covered.unsigned_attestations;
        report.notes.push(format!("{count} attestation(s) in the archive are not signed"));
    }
    report.checks.push(Check::new(CheckName::Coverage, status));
    if coverage.is_ok() {
        // Everything is covered, so a bundle about something else is a bundle too many, and why
        // it does not cover this archive is no riddle.
        faults.extend(foreign.into_iter().map(|fault| {
            let found = format!("[{}] {}", fault.code(), fault.message());
            let place = fault.place().unwrap_or_default();
            Fault::new(Code::BundleUnused, format!("covers nothing in this archive: {found}"))
                .at(place)
        }));
    } else {
        faults.extend(foreign);
        causes.extend(foreign_causes);
        claimed.extend(&signed);
        let failed = faults.iter().any(|fault| fault.outcome() == Outcome::Failed);
        if let (Err(fault), false) = (archive.coverage(&claimed), failed || unread) {
            faults.push(fault);
        }
    }
    match (deciding(&faults), coverage) {
        (Some(fault), _) => refused(report, fault, causes, judge),
        (None, Err(fault)) => refused(report, &fault, causes, judge),
        (None, Ok(_)) => verified(report, key),
    }
}

/// Judges one bundle against the digest that it is about; gives that digest too, and the key by
/// which it was verified. `explain` asks for likely causes, which cost more tries.
fn judge_bundle(
    bundle: &NamedBundle,
    candidates: &[Candidate],
    archive: &Archive,
    judge: &Judge<'_>,
    tries: &mut usize,
    explain: bool,
) -> (BundleVerdict, Option<Sha256Digest>, Option<Sha256Digest>) {
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => return (BundleVerdict::unread(bundle, fault), None, None),
    };
    let chosen = match select(content, candidates, judge, tries) {
        Ok(chosen) => chosen,
        Err(fault) => return (BundleVerdict::unread(bundle, &fault), None, None),
    };
    let Some(candidate) = chosen.or(candidates.first()) else {
        let fault = Fault::new(Code::ImageNotCovered, "the archive holds no image");
        return (BundleVerdict::unread(bundle, &fault), None, None);
    };
    let message = judge.profile.image.message.message(&candidate.digest);
    match sigstore::verify(content, Subject::Bytes(message.as_bytes()), judge.request) {
        Ok(proof) => {
            (BundleVerdict::new(bundle, Ok(&proof)), Some(candidate.digest), Some(proof.key()))
        }
        Err(refusal) => {
            let mut verdict = BundleVerdict::new(bundle, Err(&refusal));
            if chosen.is_none() {
                verdict.foreign = matches!(
                    refusal.fault.code(),
                    Code::DigestMismatch | Code::SignatureInvalid | Code::LogEntryMismatch
                );
                if explain {
                    let causes = diagnose::image(content, archive, candidates, judge);
                    verdict.causes.splice(..0, causes);
                }
            }
            (verdict, chosen.map(|candidate| candidate.digest), None)
        }
    }
}

/// The candidate that a bundle is about: the one whose text it states, or, where it states none,
/// the first under which its signature holds. Selecting proves nothing; everything is checked after.
/// `tries` is what is left of the signatures that may be tried for all bundles together.
fn select<'c>(
    bundle: &SignatureBundle,
    candidates: &'c [Candidate],
    judge: &Judge<'_>,
    tries: &mut usize,
) -> Result<Option<&'c Candidate>, Fault> {
    let costs = usize::from(bundle.stated_digest().is_none());
    for candidate in candidates.iter().take(limits::CANDIDATE_TRIES) {
        *tries = tries.checked_sub(costs).ok_or_else(|| {
            let message = "too many digests, and too many bundles that don't say which they sign";
            Fault::new(Code::ArchiveTooLarge, message)
        })?;
        let message = judge.profile.image.message.message(&candidate.digest);
        if diagnose::is_about(bundle, message.as_bytes(), judge.request) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// All candidates of all images, each digest once, in the order of the archive.
fn candidates(archive: &Archive) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    archive
        .images
        .iter()
        .flat_map(|image| image.candidates.iter())
        .filter(|candidate| seen.insert(candidate.digest))
        .copied()
        .collect()
}

fn named(candidate: &Candidate) -> MatchedDigest {
    MatchedDigest { digest: candidate.digest, kind: candidate.kind.to_string() }
}

/// The images of an archive for a report.
fn images(archive: &Archive, signed: &BTreeSet<Sha256Digest>) -> Vec<ImageReport> {
    archive
        .images
        .iter()
        .map(|image| ImageReport {
            unsigned_tags: image.unsigned_tags.clone(),
            candidates: image.candidates.iter().map(named).collect(),
            platform: image.platform.clone(),
            covered: image.covered_by(signed).is_some(),
            layers: image.layers.len(),
            ids_after_load: image.ids_after_load.clone(),
        })
        .collect()
}
