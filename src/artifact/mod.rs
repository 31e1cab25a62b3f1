//! One artifact, one verdict: joins what an archive or a file *is* with what a bundle *proves*.
//!
//! The message that the vendor signed is computed here, from the digest and the profile's form; no
//! second spelling is ever accepted. Other spellings are tried after a refusal, for the diagnosis
//! only (`diagnose`). This room opens no file and knows no path.

mod blob;
pub mod detect;
mod diagnose;
mod image;
mod package;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits;
use crate::sigstore::{self, Proof, Refusal, Request, SignatureBundle, Subject};
use crate::trust::{ArtifactName, KeyTerms, Vendor, VendorProfile};
use crate::verdict::{ArtifactReport, BundleReport, Code, Evidence, Fault, Outcome};

pub use blob::blob;
pub use image::image;
pub use package::package;

/// By what an artifact is judged.
#[derive(Debug)]
pub struct Judge<'a> {
    /// Signer, trusted root, transparency.
    pub request: &'a Request<'a>,
    /// The vendor's conventions.
    pub profile: &'a VendorProfile,
    /// What the trust policy asks besides, if there is one.
    pub terms: Option<Terms<'a>>,
    /// What is left of the signatures that may be tried to find out what bundles are about: one budget
    /// for an artifact, whichever keys it is judged by.
    pub tries: &'a Tries,
    /// What is said when a signature does not hold.
    pub clues: &'a Clues,
}

/// What names in a label, a vendor's JSON file or a seal tell of the bundle and the key, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues {
    /// That another bundle is named than the one that is used.
    pub bundle: Option<String>,
    /// Which key is named. It is no clue where the signature is a good one by the key in question.
    pub key: Option<String>,
}

/// Whether a refusal says that a signature is not one of this artifact by this key: then there is something to
/// explain. Any other refusal says itself why.
const fn signature_failed(code: Code) -> bool {
    matches!(
        code,
        Code::SignatureInvalid
            | Code::DigestMismatch
            | Code::LogEntryMismatch
            | Code::BundleKeyMismatch
            | Code::SignerKindMismatch
    )
}

/// The refusal of a bundle about something else, in digests that somebody has seen: `ids` names the artifact's.
/// What the bundle and the log have are digests of the text that was signed, which nobody has.
fn in_known_digests(fault: Fault, ids: &str) -> Fault {
    let of_text = matches!(fault.code(), Code::DigestMismatch | Code::LogEntryMismatch);
    match (of_text, fault.found()) {
        (true, Some(found)) if fault.message().contains("another artifact") => {
            let found = found.strip_prefix("sha256:").unwrap_or(found);
            let found = format!("one of something else (the SHA-256 of what was signed: {found})");
            fault.expected_found(format!("a signature of {ids}"), found)
        }
        _ => fault,
    }
}

/// A budget of signature checks.
#[derive(Debug)]
pub struct Tries(AtomicUsize);

impl Tries {
    /// So many.
    #[must_use]
    pub const fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// Takes one; says whether there was one.
    #[must_use]
    pub fn take(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Default for Tries {
    fn default() -> Self {
        Self::new(limits::SELECTION_TRIES)
    }
}

/// What a trust policy says of the key and the vendor that an artifact is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The artifact's name, which the key must be allowed for.
    pub name: &'a str,
    /// Where it lies, if that is known: where it says something else than the name, the key must be allowed
    /// for that too.
    pub path: Option<&'a str>,
    /// Status, validity and names of the key.
    pub key: &'a KeyTerms,
    /// Which kinds of digest the vendor may sign.
    pub vendor: &'a Vendor,
}

/// A bundle under the name that the user knows it by.
#[derive(Debug)]
pub struct NamedBundle {
    /// File name.
    pub name: String,
    /// What it parsed to, or why it did not (with its place).
    pub content: Result<SignatureBundle, Fault>,
}

/// What became of one bundle.
struct BundleVerdict {
    report: BundleReport,
    fault: Option<Fault>,
    causes: Vec<String>,
    /// The bundle was about another text than any that it was offered.
    foreign: bool,
}

impl BundleVerdict {
    fn new(bundle: &NamedBundle, result: Result<&Proof, &Refusal>) -> Self {
        let format = bundle.content.as_ref().ok().map(|content| content.format().to_string());
        let (checks, notes, fault, causes) = match result {
            Ok(proof) => (proof.checks().to_vec(), proof.notes().to_vec(), None, Vec::new()),
            Err(refusal) => (
                refusal.checks.clone(),
                Vec::new(),
                Some(refusal.fault.clone().at(bundle.name.as_str())),
                refusal.likely_causes.clone(),
            ),
        };
        let report = BundleReport {
            name: bundle.name.clone(),
            format,
            verified: fault.is_none(),
            code: fault.as_ref().map(Fault::code),
            reason: fault.as_ref().map(ToString::to_string),
            checks,
            notes,
        };
        Self { report, fault, causes, foreign: false }
    }

    /// For a bundle that could not even be read; the fault names its place already.
    fn unread(bundle: &NamedBundle, fault: &Fault) -> Self {
        let report = BundleReport {
            name: bundle.name.clone(),
            format: None,
            verified: false,
            code: Some(fault.code()),
            reason: Some(fault.to_string()),
            checks: Vec::new(),
            notes: Vec::new(),
        };
        Self { report, fault: Some(fault.clone()), causes: Vec::new(), foreign: false }
    }
}

/// What to do about a bundle without a log entry where a policy asks for one: no option changes that.
pub(crate) const LOG_BY_POLICY: &str =
    "The trust policy requires a log entry: ask the vendor for a bundle that has one.";

/// What a bundle proves about a subject, by the one rule for the vendor's flow: the signature must be
/// one over the text itself. An attestation by the same key is about the artifact too, but it may say
/// anything of it, also that it must not be used.
fn prove(
    bundle: &SignatureBundle,
    subject: Subject<'_>,
    request: &Request<'_>,
    terms: Option<Terms<'_>>,
) -> Result<Proof, Box<Refusal>> {
    if bundle.is_attestation() {
        let fault = Fault::new(
            Code::BundleUnsupported,
            "the bundle holds an attestation (DSSE envelope), not a signature of the artifact",
        );
        return Err(Box::new(Refusal { fault, checks: Vec::new(), likely_causes: Vec::new() }));
    }
    let mut proof = sigstore::verify(bundle, subject, request).map_err(|mut refusal| {
        if refusal.fault.code() == Code::LogEntryMissing && terms.is_some() {
            refusal.fault = refusal.fault.advise(LOG_BY_POLICY);
        }
        refusal
    })?;
    if let Some(terms) = terms {
        let times: Vec<_> = proof.times().iter().map(|proven| proven.time).collect();
        match terms.key.admit(ArtifactName { name: terms.name, path: terms.path }, &times) {
            Ok(notes) => notes.into_iter().for_each(|note| proof.add_note(note)),
            Err(fault) => {
                let checks = proof.checks().to_vec();
                return Err(Box::new(Refusal { fault, checks, likely_causes: Vec::new() }));
            }
        }
    }
    Ok(proof)
}

/// Whether a bundle would prove an artifact, by the same rule, as far as the signed text's digest tells.
/// Never a verdict: nothing of the artifact was read.
///
/// # Errors
/// Why it would not; [`Code::WholeMessageNeeded`] where the digest is not enough to tell.
pub fn would_prove(
    bundle: &SignatureBundle,
    text: Subject<'_>,
    judge: &Judge<'_>,
) -> Result<(), Fault> {
    prove(bundle, text, judge.request, judge.terms).map(drop).map_err(|refusal| refusal.fault)
}

/// The fault that decides among several: FAILED wins over UNDECIDED, then the first.
fn deciding(faults: &[Fault]) -> Option<&Fault> {
    faults.iter().find(|fault| fault.outcome() == Outcome::Failed).or_else(|| faults.first())
}

/// Marks a report as OK for an artifact that nobody signed, because a seal covers it and both sides
/// said that it may be so. The report keeps saying that it is unsigned.
#[must_use]
pub(crate) fn accepted_unsigned(report: ArtifactReport) -> ArtifactReport {
    let mut report = report.verified(Evidence::SealAlone);
    report.notes.push("UNSIGNED by any vendor: accepted because this side allows it".to_owned());
    report
}

/// Marks a report as refused, with likely causes and, for failures, the vendor's line.
#[must_use]
pub fn refused(
    report: ArtifactReport,
    fault: &Fault,
    causes: Vec<String>,
    judge: &Judge<'_>,
) -> ArtifactReport {
    let mut report = report.refused(fault);
    for cause in causes {
        let room = report.likely_causes.len() < limits::CAUSES;
        if room && !report.likely_causes.contains(&cause) {
            report.likely_causes.push(cause);
        }
    }
    if report.outcome() == Outcome::Failed {
        let general = fault.next();
        report.next = Some(if fault.code() == Code::LogEntryMissing {
            // Its exception makes sense behind the rule only.
            format!("{} {general}", judge.profile.on_failure)
        } else if fault.stops_deployment() {
            judge.profile.on_failure.clone()
        } else {
            format!("{general} {}", judge.profile.on_failure)
        });
    }
    report
}
