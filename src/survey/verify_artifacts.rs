//! Judges every artifact of a folder without a seal.
//!
//! Used by `seal` and `mirror`; `verify` drives the same `FolderVerifier` itself.

use std::collections::{BTreeMap, BTreeSet};

use super::artifact_names::SharedNames;
use super::found::{FileKind, Survey};
use super::verifier::{ArtifactOutcome, FolderVerifier, Task};
use crate::artifact::{ArtifactContent, VendorKeys};
use crate::directory::Folder;
use crate::pairing::Names;
use crate::parallel;

/// Judges every artifact of a survey, in the order of the names; also says which bundles belong to
/// none. `called` holds the operator's names of artifacts, by path.
#[must_use]
pub fn verify_artifacts(
    folder: &Folder,
    survey: &Survey,
    vendor_keys: &VendorKeys<'_>,
    called: &BTreeMap<&str, &str>,
    jobs: usize,
) -> (Vec<ArtifactOutcome>, Vec<String>) {
    let mut names = Names::new(survey.files.iter().map(|file| file.name.as_str()));
    for file in &survey.files {
        if let FileKind::Bundle(Some(stated)) = &file.what {
            names.state(&file.name, stated);
        }
    }
    let mut tasks: Vec<Task<'_>> = survey
        .files
        .iter()
        .filter_map(|file| {
            let content = file.what.content(Some(file.digest))?;
            Some(Task { path: &file.name, name: &file.name, content })
        })
        .chain(survey.layouts.iter().map(|layout| Task {
            path: &layout.name,
            name: &layout.name,
            content: match &layout.archive {
                Ok(archive) => ArtifactContent::Image(archive, None),
                Err(fault) => ArtifactContent::Refused(fault),
            },
        }))
        .collect();
    tasks.sort_by_key(|task| task.path);
    let shared = SharedNames::new(tasks.iter().map(|task| task.path));
    for task in &mut tasks {
        task.name = called.get(task.path).copied().unwrap_or_else(|| shared.name(task.path));
    }
    let known = |name: &str| survey.file(name).map(|file| file.digest.sha256);
    let verifier = FolderVerifier { folder, names: &names, known: &known, vendor_keys };
    let judged = parallel::map(&tasks, jobs, |task| verifier.verify(task));
    let used: BTreeSet<&str> =
        judged.iter().flat_map(|one| one.bundles.iter().map(String::as_str)).collect();
    let unpaired = survey
        .files
        .iter()
        .filter(|file| matches!(file.what, FileKind::Bundle(_)) && !used.contains(&*file.name))
        .map(|file| file.name.clone())
        .collect();
    (judged, unpaired)
}
