//! How the files of a folder without a seal are covered.

use crate::survey::FileKind;
use crate::verdict::{
    ArtifactKind, ArtifactReport, Code, Cover, Fault, Outcome, UnsignedStatement,
};

/// How an artifact's file is covered by its answer.
#[must_use]
pub(super) fn of_answer(report: &ArtifactReport) -> Cover {
    let whole = report.outcome() == Outcome::Ok && report.unsigned_documents.is_empty();
    if whole { Cover::Vendor } else { Cover::Uncovered }
}

/// How a file is covered that has no answer of its own: as material, if its content says so.
pub(super) fn of_material(what: &FileKind) -> Cover {
    match what {
        FileKind::Bundle(_) | FileKind::Key(_) | FileKind::KeyName | FileKind::TrustedRoot => {
            Cover::Material
        }
        _ => Cover::Uncovered,
    }
}

/// With `--require-coverage`: what nothing covers is a failure, whatever its own answer is.
#[must_use]
pub fn required(mut report: ArtifactReport) -> ArtifactReport {
    // What is not a file (a transfer as a whole, something that was not fetched) and what could not be read
    // have other answers.
    let of_file = report.kind != Some(ArtifactKind::Transfer);
    if of_file
        && report.outcome() == Outcome::Ok
        && let Some(document) = report.unsigned_documents.first()
    {
        let message = match document.says {
            UnsignedStatement::AbsentPlatforms => {
                "its images are verified, and no vendor's signature covers the index, which lists what is \
                 not there"
            }
            UnsignedStatement::Attestation => {
                "its images are verified, and no vendor's signature covers an attestation of theirs"
            }
            UnsignedStatement::Members => {
                "its images are verified, and no vendor's signature covers a member of a manifest or index \
                 that no specification knows"
            }
            _ => {
                "its images are verified, and no vendor's signature covers an annotation that may change what \
                 engines do with them"
            }
        };
        let fault = Fault::new(Code::NotCovered, message).at(document.digest.to_string());
        return report.refused(&fault);
    }
    if !of_file || !matches!(report.outcome(), Outcome::Undecided | Outcome::Unsigned) {
        return report;
    }
    let why = match (report.code(), report.reason.take()) {
        (Some(code), Some(reason)) => format!(" ([{code}] {reason})"),
        _ => String::new(),
    };
    let message = format!("no vendor's signature covers it{why}");
    report.refused(&Fault::new(Code::NotCovered, message))
}
