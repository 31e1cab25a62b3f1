//! Sealing a folder: everything in it is read once, every artifact verified, and the seal written so
//! that at every moment the directory is the old transfer, the new one, or says that sealing was
//! interrupted.

use std::collections::BTreeSet;

use super::added::added_files;
use super::approve::{self, SealError};
use super::examine::ExaminedFiles;
use super::foreign::clear_of;
use super::layout::{self, PathUse, SEAL_FILES};
use super::manifest::Manifest;
use super::seal_request::{AddedFile, SealRequest, possible};
use super::{names, new_manifest, trust_file, write_seal};
use crate::digest::Sha256Digest;
use crate::directory::{Folder, Listing, Lock};
use crate::survey::{FileKind, verify_artifacts};
use crate::verdict::{ArtifactKind, ArtifactReport};

/// A sealed transfer.
#[derive(Debug)]
pub struct NewTransfer {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// One report for each artifact.
    pub reports: Vec<ArtifactReport>,
    /// Files in `trust/` and `tools/` that sealing did not write: only this seal covers them.
    pub foreign: Vec<String>,
}

/// Seals a folder.
///
/// # Errors
/// [`SealError::Artifacts`] when anything in it does not verify, and then nothing was written;
/// [`SealError::Fault`] for a request that can't be carried out, or when writing fails: then the directory
/// says that sealing was interrupted, and the same call completes it.
pub fn seal(folder: &Folder, request: &SealRequest<'_>) -> Result<NewTransfer, SealError> {
    let lock = folder.lock()?;
    seal_held(folder, request, ExaminedFiles::default(), &lock)
}

/// Seals a folder that the caller has locked, and some of whose files it has examined already.
///
/// # Errors
/// Those of [`seal`].
pub fn seal_held(
    folder: &Folder,
    request: &SealRequest<'_>,
    seen: ExaminedFiles,
    _: &Lock,
) -> Result<NewTransfer, SealError> {
    possible(request)?;
    let all = write_seal::list(folder, request.exclude)?;
    let earlier = clear_of(folder, request, &all, &BTreeSet::new())?;
    let listing = Listing {
        entries: all
            .entries
            .iter()
            .filter(|entry| {
                !SEAL_FILES.contains(&&*entry.name) && !layout::is_left_over(&entry.name)
            })
            .filter(|entry| !request.exclude.contains(&entry.name))
            .cloned()
            .collect(),
    };
    let mut reports = names::reports(folder, &listing);
    let survey = seen.complete(folder, request, &listing);
    let vendor_keys = request.vendor_keys(&survey)?;
    let (judged, unpaired) = verify_artifacts(
        folder,
        &survey,
        &vendor_keys,
        &request.names_by_path(),
        request.reading.jobs,
    );
    let artifacts = approve::artifacts(folder, request, &survey, judged, unpaired, &mut reports)?;
    let own = added_files(request, &vendor_keys, &artifacts)?;
    // Now with the vendors' keys.
    earlier.admits(folder, &all, &own)?;
    let strange = strange(folder, &listing, &own);
    if !strange.is_empty() {
        return Err(SealError::Artifacts(strange));
    }
    let foreign = survey
        .files
        .iter()
        .filter(|file| matches!(file.what, FileKind::Own))
        .filter(|file| own.iter().all(|added| added.name != file.name))
        .map(|file| file.name.clone())
        .collect();
    let files = new_manifest::files(survey, &own);
    let manifest = new_manifest::manifest(folder, request, artifacts, files)?;
    let bytes = manifest.to_bytes()?;
    // Nothing is written that can't be read again.
    Manifest::parse(&bytes).map_err(|fault| fault.at(folder.shown()))?;
    let digest = write_seal::write(folder, request, &manifest, &bytes, &all, &own)?;
    Ok(NewTransfer { manifest, digest, reports, foreign })
}

/// Reports of files that stay in `trust/` and are not what their names say.
fn strange(folder: &Folder, listing: &Listing, own: &[AddedFile]) -> Vec<ArtifactReport> {
    let stays = |name: &str| own.iter().all(|file| file.name != name);
    let files = listing.files().filter(|entry| stays(&entry.name));
    files
        .filter_map(|entry| {
            let place = layout::path_use(&entry.name).ok()?;
            if matches!(place, PathUse::Free | PathUse::Tool) {
                return None;
            }
            let read = trust_file::read(folder, &entry.name, &entry.name, place);
            let fault = read.and_then(|(_, said)| said).err()?;
            let mut report = ArtifactReport::new(entry.name.as_str());
            report.kind = Some(ArtifactKind::File);
            Some(report.refused(&fault))
        })
        .collect()
}
