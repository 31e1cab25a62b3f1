//! A container image archive: its digests from the bytes, its signatures from the bundles, and the
//! rule that every image in it must be covered.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::bundles::NamedBundle;
use super::diagnose;
use super::prove::prove;
use super::refusal::{BundleVerdict, deciding, in_known_digests, refused, signature_failed};
use super::verification_context::VerificationContext;
use crate::digest::Sha256Digest;
use crate::image::{Archive, Candidate, DocumentClaims, ImageCoverage};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::sigstore::{Refusal, SignatureBundle, Subject};
use crate::verdict::{
    ArtifactKind, ArtifactReport, BundleReport, Check, CheckName, Code, Evidence, Fault,
    ImageReport, MatchedDigest, Outcome, Status, UnsignedDocument, UnsignedStatement,
};

/// Verifies an archive that was read in full (so its structure and layers are right already).
///
/// Each bundle must cover at least one digest of the archive, and each image must be covered by at
/// least one verified bundle. Without a bundle the answer is UNSIGNED.
pub(super) fn image(
    mut report: ArtifactReport,
    archive: &Archive,
    bundles: &[NamedBundle],
    context: &VerificationContext<'_>,
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
        return refused(report, &fault, Vec::new(), context);
    }

    let candidates = Candidates::of(archive, context);
    let mut results = BundleResults::default();
    for bundle in bundles {
        let explain = results.foreign.len() < limits::DIAGNOSIS_TRIES;
        let judged = verify_bundle(bundle, &candidates, archive, context, explain);
        report.bundles.push(results.add(bundle, judged));
    }
    report.images = images(archive, &results.signed);
    report.matched = candidates
        .list
        .iter()
        .filter(|candidate| results.signed.contains(&candidate.digest))
        .map(named)
        .collect();
    let coverage = archive.coverage(&results.signed);
    let status = if coverage.is_ok() { Status::Passed } else { Status::Failed };
    report.checks.push(Check::new(CheckName::Coverage, status));
    let (key, signed) = (results.key, results.signed.clone());
    let (faults, causes) = results.settle(archive, coverage.is_ok());
    report.unsigned_documents = unsigned_documents(archive, &signed);
    let accepted = coverage
        .and_then(|covered| accepted(&covered, context))
        .and_then(|()| only_from_here(archive, &signed));
    match (deciding(&faults), accepted) {
        (Some(fault), _) => refused(report, fault, causes, context),
        (None, Err(fault)) => refused(report, &fault, causes, context),
        (None, Ok(())) => report.verified(Evidence::Signatures { key }),
    }
}

/// Refuses a kind of digest that the trust policy does not accept for this vendor.
fn accepted(covered: &ImageCoverage, context: &VerificationContext<'_>) -> Result<(), Fault> {
    let Some((vendor, _)) = context.by.signer.listed else { return Ok(()) };
    let refused = |candidate: &&Candidate| !vendor.accepts_digest_kind(candidate.kind.name());
    match covered.images.iter().find(refused) {
        None => Ok(()),
        Some(candidate) => {
            let message = "the policy does not accept this kind of digest from the vendor";
            Err(Fault::new(Code::DigestKindRefused, message)
                .expected_found("a kind that the policy lists", candidate.kind))
        }
    }
}

/// Refuses an unsigned document by which engines would fetch from elsewhere what was verified here.
fn only_from_here(archive: &Archive, signed: &BTreeSet<Sha256Digest>) -> Result<(), Fault> {
    let elsewhere =
        |claims: &DocumentClaims| claims.elsewhere.map(|content| (claims.document, content));
    match archive.unvouched(signed).find_map(elsewhere) {
        None => Ok(()),
        Some((document, content)) => {
            let message = format!(
                "it sends engines elsewhere (\"urls\") for {content}, which is in the archive, and no \
                 signature covers it"
            );
            Err(Fault::new(Code::ContentElsewhere, message).at(document.to_string()))
        }
    }
}

/// The documents of an archive that say what no signature vouches for.
fn unsigned_documents(archive: &Archive, signed: &BTreeSet<Sha256Digest>) -> Vec<UnsignedDocument> {
    let mut found = Vec::new();
    for claims in archive.unvouched(signed) {
        let digest = claims.document;
        if claims.absent {
            let says = UnsignedStatement::AbsentPlatforms;
            found.push(UnsignedDocument { digest, says, annotation: None, member: None });
        }
        if claims.annotation.is_some() {
            let says = UnsignedStatement::Annotations;
            let annotation = claims.annotation.clone();
            found.push(UnsignedDocument { digest, says, annotation, member: None });
        }
        if claims.member.is_some() {
            let says = UnsignedStatement::Members;
            let member = claims.member.clone();
            found.push(UnsignedDocument { digest, says, annotation: None, member });
        }
    }
    for digest in archive.unsigned_attestations(signed) {
        let says = UnsignedStatement::Attestation;
        found.push(UnsignedDocument { digest, says, annotation: None, member: None });
    }
    found
}

/// What one bundle came to.
struct BundleOutcome {
    verdict: BundleVerdict,
    /// The digest that it is about, as far as that is known.
    digest: Option<Sha256Digest>,
    /// The key by which it was verified.
    key: Option<Sha256Digest>,
}

impl BundleOutcome {
    fn unread(bundle: &NamedBundle, fault: &Fault) -> Self {
        Self { verdict: BundleVerdict::unread(bundle, fault), digest: None, key: None }
    }
}

/// What all bundles of an archive came to.
#[derive(Default)]
struct BundleResults {
    /// Digests that a verified bundle signs; nothing else ever covers an image.
    signed: BTreeSet<Sha256Digest>,
    /// Digests that an undecided bundle is about.
    claimed: BTreeSet<Sha256Digest>,
    key: Option<Sha256Digest>,
    faults: Vec<Fault>,
    causes: Vec<String>,
    /// Faults of bundles that are about nothing in the archive.
    foreign: Vec<Fault>,
    foreign_causes: Vec<String>,
    /// A bundle could not be read: it may be the one that covers any of the images.
    unread: bool,
}

impl BundleResults {
    fn add(&mut self, bundle: &NamedBundle, judged: BundleOutcome) -> BundleReport {
        let BundleOutcome { verdict, digest, key } = judged;
        self.key = self.key.or(key);
        match verdict.fault {
            None => self.signed.extend(digest),
            Some(fault) => {
                let undecided = fault.outcome() != Outcome::Failed;
                if undecided {
                    self.claimed.extend(digest);
                }
                self.unread |= bundle.content.is_err() && undecided;
                let (faults, causes) = if verdict.foreign {
                    (&mut self.foreign, &mut self.foreign_causes)
                } else {
                    (&mut self.faults, &mut self.causes)
                };
                faults.push(fault);
                causes.extend(verdict.causes);
            }
        }
        verdict.report
    }

    /// The faults that decide, and their likely causes.
    fn settle(mut self, archive: &Archive, covered: bool) -> (Vec<Fault>, Vec<String>) {
        if covered {
            // A bundle about something else is a bundle too many, and why it does not cover this
            // archive is no riddle.
            self.faults.extend(self.foreign.iter().map(unused));
            return (self.faults, self.causes);
        }
        self.faults.extend(self.foreign);
        self.causes.extend(self.foreign_causes);
        self.claimed.extend(&self.signed);
        let failed = self.faults.iter().any(|fault| fault.outcome() == Outcome::Failed);
        if let (Err(fault), false) = (archive.coverage(&self.claimed), failed || self.unread) {
            self.faults.push(fault);
        }
        (self.faults, self.causes)
    }
}

fn unused(fault: &Fault) -> Fault {
    let found = format!("[{}] {}", fault.code(), fault.message());
    Fault::new(Code::BundleUnused, format!("covers nothing in this archive: {found}"))
        .at(fault.place().unwrap_or_default())
}

/// Judges one bundle against the digest that it is about. `explain` asks for likely causes, which
/// cost more tries.
fn verify_bundle(
    bundle: &NamedBundle,
    candidates: &Candidates,
    archive: &Archive,
    context: &VerificationContext<'_>,
    explain: bool,
) -> BundleOutcome {
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => return BundleOutcome::unread(bundle, fault),
    };
    let chosen = match select(content, candidates, context) {
        Ok(chosen) => chosen,
        Err(fault) => return BundleOutcome::unread(bundle, &fault),
    };
    let Some(candidate) = chosen.or(candidates.list.first()) else {
        let fault = Fault::new(Code::ImageNotCovered, "the archive holds no image");
        return BundleOutcome::unread(bundle, &fault);
    };
    let message = context.profile().image.message.message(&candidate.digest);
    match prove(content, Subject::Bytes(message.as_bytes()), &context.by.signer, context.called) {
        Ok(proof) => BundleOutcome {
            verdict: BundleVerdict::new(bundle, Ok(&proof)),
            digest: Some(candidate.digest),
            key: Some(proof.key()),
        },
        Err(refusal) => {
            let failed = signature_failed(refusal.fault.code());
            let fault = in_known_digests(refusal.fault.clone(), &candidates.ids());
            let refusal = Refusal { fault, ..*refusal };
            let mut verdict = BundleVerdict::new(bundle, Err(&refusal));
            verdict.foreign = chosen.is_none()
                && matches!(
                    refusal.fault.code(),
                    Code::DigestMismatch | Code::SignatureInvalid | Code::LogEntryMismatch
                );
            if failed && explain {
                let known = std::mem::take(&mut verdict.causes);
                let (list, chosen) = (&candidates.list, chosen.is_some());
                verdict.causes = diagnose::image(content, archive, list, known, chosen, context);
            }
            BundleOutcome { verdict, digest: chosen.map(|candidate| candidate.digest), key: None }
        }
    }
}

/// The candidate that a bundle is about: the one whose text it states, or, where it states none,
/// the first under which its signature holds. Selecting proves nothing; everything is checked after.
fn select<'c>(
    bundle: &SignatureBundle,
    candidates: &'c Candidates,
    context: &VerificationContext<'_>,
) -> Result<Option<&'c Candidate>, Fault> {
    if bundle.is_attestation() {
        return Ok(None);
    }
    // Looking up a stated digest costs next to nothing, however many there are.
    if let Some((HashAlgorithm::Sha256, stated)) = bundle.stated() {
        return Ok(candidates.by_message.get(stated).and_then(|at| candidates.list.get(*at)));
    }
    for candidate in &candidates.list {
        if !context.tries.take() {
            let message = "too many digests, and too many bundles that don't say which they sign";
            return Err(Fault::new(Code::ArchiveTooLarge, message));
        }
        let message = context.profile().image.message.message(&candidate.digest);
        if diagnose::is_about(bundle, message.as_bytes(), context.request()) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// Every digest of an archive that may have been signed.
struct Candidates {
    /// Each once, in the order of the archive.
    list: Vec<Candidate>,
    /// Where in the list, by the SHA-256 of the text that the vendor signs for it.
    by_message: HashMap<[u8; 32], usize>,
}

impl Candidates {
    fn of(archive: &Archive, context: &VerificationContext<'_>) -> Self {
        let mut seen = BTreeSet::new();
        let list: Vec<Candidate> = archive
            .images
            .iter()
            .flat_map(|image| image.candidates.iter())
            .filter(|candidate| seen.insert(candidate.digest))
            .copied()
            .collect();
        let message = |candidate: &Candidate| {
            let message = context.profile().image.message.message(&candidate.digest);
            *Sha256Digest::of(message.as_bytes()).as_bytes()
        };
        let by_message =
            list.iter().enumerate().map(|(at, candidate)| (message(candidate), at)).collect();
        Self { list, by_message }
    }

    /// The first of them, for a message: what `docker inspect` and the like print.
    fn ids(&self) -> String {
        const NAMED: usize = 4;
        let ids: Vec<String> = self
            .list
            .iter()
            .take(NAMED)
            .map(|candidate| format!("{} ({})", candidate.digest, candidate.kind))
            .collect();
        let more = self.list.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" or {more} more") } else { String::new() };
        format!("an id in this archive: {}{more}", ids.join(" or "))
    }
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
            ids_after_load: image
                .ids_after_load
                .iter()
                .map(|(engine, id)| (Cow::Borrowed(*engine), id.clone()))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
