//! The files of a transfer that are no artifacts: each against its entry in the manifest, and which of
//! them nobody but the seal vouches for.

use std::collections::BTreeSet;

use super::context::Context;
use super::layout::{self, PathUse};
use super::manifest::{FileEntry, ManifestKind};
use super::sealed_folder::SealedFolder;
use super::trust_file;
use super::vouch::mismatch;
use crate::artifact::detect::{self, Found};
use crate::digest::FileDigest;
use crate::directory::{Folder, read_small};
use crate::limits;
use crate::parallel;
use crate::survey::{self, MaterialCandidate};
use crate::verdict::{ArtifactReport, Check, CheckName, Code, Fault, Status};

/// What the check found about files that are no artifacts.
#[derive(Debug, Default)]
pub(super) struct OtherFiles {
    /// Those that are not as sealed.
    pub(super) wrong: BTreeSet<String>,
    /// Those that only the seal covers.
    pub(super) alone: BTreeSet<String>,
}

/// Compares the files that are no artifacts with their entries, and finds those that only the sealing
/// operator vouches for. A policy that lists vendors does not accept these.
pub(super) fn others(
    sealed: &SealedFolder<'_>,
    context: &Context<'_>,
    whole: &mut ArtifactReport,
) -> (Vec<(String, Fault)>, BTreeSet<String>) {
    let artifacts: BTreeSet<&str> =
        sealed.manifest.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let in_artifact = |path: &str| {
        artifacts.contains(path)
            // In an OCI layout: the image's answer speaks for all of it.
            || survey::above(path).any(|above| artifacts.contains(above))
    };
    let others: Vec<(&FileEntry, &str)> = sealed
        .manifest
        .files
        .iter()
        .filter(|entry| !in_artifact(&entry.path))
        .filter_map(|entry| Some((entry, sealed.called(&entry.path)?)))
        .collect();
    let profiles = context.all_profiles();
    let packages: BTreeSet<&str> = sealed
        .manifest
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == ManifestKind::Package)
        .map(|artifact| artifact.path.as_str())
        .collect();
    let has = |path: &str| packages.contains(path);
    let compared = parallel::map(&others, context.reading.jobs, |(entry, name)| {
        let candidate = MaterialCandidate { name: &entry.path, profiles: &profiles, has: &has };
        compare(sealed.folder, entry, name, context, &candidate)
    });
    let bundles: BTreeSet<&str> = sealed
        .manifest
        .artifacts
        .iter()
        .flat_map(|artifact| &artifact.bundles)
        .map(String::as_str)
        .collect();
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
        } else if let Some(message) = unsigned(sealed, context, path) {
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

/// Why a file that only the seal vouches for is refused where the policy asks for signatures. A file that
/// a pattern allows is read again: it must not be an image.
fn unsigned(sealed: &SealedFolder<'_>, context: &Context<'_>, path: &str) -> Option<&'static str> {
    let agrees = |image| context.agrees_unsigned(path, path, None, image);
    if !agrees(false) && !agrees(true) {
        return Some("the seal alone vouches for it, and the policy asks for a signature");
    }
    let read = || {
        let entry = sealed.manifest.file(path)?;
        let mut file = sealed.folder.file(sealed.called(path)?).ok()?;
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

/// Compares a file that is no artifact with its entry; returns whether it is material: a key, a bundle, a
/// trusted root, or a file that names a key.
fn compare(
    folder: &Folder,
    entry: &FileEntry,
    name: &str,
    context: &Context<'_>,
    candidate: &MaterialCandidate<'_>,
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
    let kept = match layout::path_use(&entry.path) {
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
        (digest, survey::is_material(candidate, &bytes))
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
