//! How an answer is written: what became of each bundle, why an artifact is refused, and the one place
//! where OK is written.

use super::bundles::NamedBundle;
use super::verification_context::VerificationContext;
use crate::limits;
use crate::sigstore::{Proof, Refusal};
use crate::verdict::{ArtifactReport, BundleReport, Code, Evidence, Fault, Outcome};

/// Whether a refusal says that a signature is not one of this artifact by this key: then there is something to
/// explain. Any other refusal says itself why.
pub(super) const fn signature_failed(code: Code) -> bool {
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
/// The bundle and the log hold the digest of the text that was signed, which nobody has seen.
pub(super) fn in_known_digests(fault: Fault, ids: &str) -> Fault {
    let of_text = match fault.code() {
        Code::DigestMismatch => true,
        // A log entry can name another key, too.
        Code::LogEntryMismatch => fault.is_about_other_text(),
        _ => false,
    };
    match fault.found() {
        Some(found) if of_text => {
            let found = found.strip_prefix("sha256:").unwrap_or(found);
            let found = format!("one of something else (the SHA-256 of what was signed: {found})");
            fault.expected_found(format!("a signature of {ids}"), found)
        }
        _ => fault,
    }
}

/// What became of one bundle.
pub(super) struct BundleVerdict {
    pub(super) report: BundleReport,
    pub(super) fault: Option<Fault>,
    pub(super) causes: Vec<String>,
    /// The bundle was about another text than any that it was offered.
    pub(super) foreign: bool,
}

impl BundleVerdict {
    pub(super) fn new(bundle: &NamedBundle, result: Result<&Proof, &Refusal>) -> Self {
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
    pub(super) fn unread(bundle: &NamedBundle, fault: &Fault) -> Self {
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

/// The fault that decides among several: FAILED wins over UNDECIDED, then the first.
pub(super) fn deciding(faults: &[Fault]) -> Option<&Fault> {
    faults.iter().find(|fault| fault.outcome() == Outcome::Failed).or_else(|| faults.first())
}

/// Marks a report as OK for an artifact that nobody signed, because a seal covers it and both sides
/// allowed that. The report keeps saying that it is unsigned.
#[must_use]
pub(crate) fn accepted_unsigned(report: ArtifactReport) -> ArtifactReport {
    let mut report = report.verified(Evidence::SealAlone);
    report.notes.push("UNSIGNED by any vendor: accepted because this side allows it".to_owned());
    report
}

/// Marks a report as refused, with likely causes and, for failures, the vendor's line.
pub(super) fn refused(
    report: ArtifactReport,
    fault: &Fault,
    causes: Vec<String>,
    context: &VerificationContext<'_>,
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
            // Its exception makes sense only after the rule.
            format!("{} {general}", context.profile().on_failure)
        } else if fault.stops_deployment() {
            context.profile().on_failure.clone()
        } else {
            format!("{general} {}", context.profile().on_failure)
        });
    }
    report
}
