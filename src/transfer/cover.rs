//! How each file of a checked transfer directory is covered, worked out from the findings.

use std::collections::BTreeMap;

use super::file_set::FileSet;
use super::layout::SEAL_FILES;
use super::manifest::Manifest;
use super::other_files::OtherFiles;
use crate::directory::{Entry, Listing};
use crate::verdict::{ArtifactReport, Cover, Outcome};

/// A file's name in the directory, its size in bytes, and how it is covered.
pub type Covers = Vec<(String, u64, Cover)>;

/// Nothing is covered: the seal does not hold, or can't be looked at.
#[must_use]
pub fn nothing_covered(listing: &Listing) -> Covers {
    listing.files().map(|entry| (entry.name.clone(), entry.size, Cover::Uncovered)).collect()
}

/// How each file is covered. `artifacts` are the answers for the manifest's artifacts, in its order; unless
/// the transfer is `accepted` (not expired, not rolled back, …), its seal alone covers nothing.
pub(super) fn covers(
    listing: &Listing,
    manifest: &Manifest,
    present: &FileSet,
    artifacts: &[ArtifactReport],
    others: &OtherFiles,
    accepted: bool,
) -> Covers {
    let entries: BTreeMap<&str, &str> = manifest
        .files
        .iter()
        .zip(&present.called)
        .filter_map(|(entry, called)| Some((called.as_deref()?, entry.path.as_str())))
        .collect();
    let answers: BTreeMap<&str, Cover> = manifest
        .artifacts
        .iter()
        .zip(artifacts)
        .map(|(artifact, report)| {
            let cover = match (report.outcome(), artifact.allow_unsigned) {
                // What its vendor did not sign, the seal covers.
                (Outcome::Ok, false) if !report.unsigned_documents.is_empty() => Cover::SealOnly,
                (Outcome::Ok, false) => Cover::Vendor,
                (Outcome::Ok, true) => Cover::SealOnly,
                _ => Cover::Uncovered,
            };
            (artifact.path.as_str(), cover)
        })
        .collect();
    let of_artifact = |path: &str| {
        let above = crate::survey::above(path);
        std::iter::once(path).chain(above).find_map(|path| answers.get(path).copied())
    };
    // With the size that the manifest gives, where the file is the sealed one.
    let cover = |entry: &Entry| {
        let Some(path) = entries.get(entry.name.as_str()).copied() else {
            let seal = SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(&entry.name));
            return (entry.size, if seal { Cover::Material } else { Cover::Uncovered });
        };
        let cover = if others.wrong.contains(path) {
            Cover::Uncovered
        } else if others.alone.contains(path) {
            Cover::SealOnly
        } else {
            of_artifact(path).unwrap_or(Cover::Material)
        };
        let sealed = manifest.file(path).map_or(entry.size, |file| file.size);
        (if cover == Cover::Uncovered { entry.size } else { sealed }, cover)
    };
    listing
        .files()
        .map(|entry| {
            let (size, cover) = match cover(entry) {
                (size, Cover::SealOnly | Cover::Material) if !accepted => (size, Cover::Uncovered),
                other => other,
            };
            (entry.name.clone(), size, cover)
        })
        .collect()
}
