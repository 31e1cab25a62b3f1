//! How the files of a folder without a seal are covered.

use crate::folder::What;
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Cover, Fault, Outcome};

/// How an artifact's file is covered by its answer.
#[must_use]
pub(super) fn of_answer(report: &ArtifactReport) -> Cover {
    if report.outcome == Outcome::Ok { Cover::Vendor } else { Cover::Uncovered }
}

/// How a file is covered that has no answer of its own: as material, if its content says so.
pub(super) fn of_material(what: &What) -> Cover {
    match what {
        What::Bundle(_) | What::Key(_) | What::KeyName | What::TrustedRoot => Cover::Material,
        _ => Cover::Uncovered,
    }
}

/// With `--require-coverage`: what nothing covers is a failure, whatever else is said of it.
#[must_use]
pub fn required(mut report: ArtifactReport) -> ArtifactReport {
    // What is no file (a transfer as a whole, something that was not brought) and what could not be asked
    // have other answers.
    let of_file = report.kind != Some(ArtifactKind::Transfer);
    if !of_file || !matches!(report.outcome, Outcome::Undecided | Outcome::Unsigned) {
        return report;
    }
    let why = match (report.code, report.reason.take()) {
        (Some(code), Some(reason)) => format!(" ([{code}] {reason})"),
        _ => String::new(),
    };
    let message = format!("no vendor's signature covers it{why}");
    report.refused(&Fault::new(Code::NotCovered, message))
}

/// With `--require-coverage`: files in an OCI layout that no image in it refers to are covered by no
/// signature, however good the images are.
#[must_use]
pub fn without_strays(report: ArtifactReport, strays: &[String]) -> ArtifactReport {
    let Some(first) = strays.first() else { return report };
    if report.outcome != Outcome::Ok {
        return report;
    }
    let message = match strays.len() {
        1 => format!("its images are verified, and {first} is no part of them"),
        all => format!("its images are verified, and {all} files are no part of them: {first}, …"),
    };
    report.refused(&Fault::new(Code::NotCovered, message))
}
