//! Writing a seal: at every moment the directory is the old transfer, the new one, or says that
//! sealing was interrupted.

use std::collections::BTreeSet;

use super::layout::{self, MANIFEST, MARKER, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS};
use super::manifest::Manifest;
use super::seal_request::{AddedFile, SealRequest};
use super::signature;
use crate::digest::Sha256Digest;
use crate::directory::{EntryKind, Folder, Listing};
use crate::verdict::{Code, Fault};

/// Writes all files of the seal: the marker first, which holds the manifest, and its final name last.
pub(super) fn write(
    folder: &Folder,
    request: &SealRequest<'_>,
    manifest: &Manifest,
    bytes: &[u8],
    before: &Listing,
    own: &[AddedFile],
) -> Result<Sha256Digest, Fault> {
    let digest = Sha256Digest::of(bytes);
    let der = request.key.sign(bytes);
    if before.has(MARKER, EntryKind::File) {
        // It belongs to the old manifest; without it, the next run knows what it finds.
        folder.remove(SUMS)?;
    }
    folder.write(MARKER, bytes, 0o644)?;
    // Only names that `clear` has checked.
    for left in
        before.files().filter(|entry| entry.name != MARKER && layout::is_left_over(&entry.name))
    {
        folder.remove(&left.name)?;
    }
    folder.make_folders("trust/keys")?;
    folder.make_folders("tools")?;
    for file in own {
        folder.write(&file.name, &file.bytes, file.mode)?;
    }
    folder.write(SUMS, &manifest.sums(), 0o644)?;
    folder.write(SIGNATURE, &signature::signature_file(&der), 0o644)?;
    let signer = request.key.public().fingerprint();
    folder.write(SIGSTORE, &signature::sigstore_file(&der, &signer, &digest), 0o644)?;
    unchanged(folder, manifest, request.exclude)?;
    folder.commit(MANIFEST)?;
    Ok(digest)
}

/// Lists the folder. Only an excluded directory may be unreadable.
pub(super) fn list(folder: &Folder, exclude: &BTreeSet<String>) -> Result<Listing, Fault> {
    let (listing, faults) = folder.look()?;
    match faults.into_iter().find(|(name, _)| !exclude.contains(name)) {
        Some((_, fault)) => Err(fault),
        None => Ok(listing),
    }
}

/// Refuses a folder in which files appeared or vanished while it was read.
fn unchanged(
    folder: &Folder,
    manifest: &Manifest,
    exclude: &BTreeSet<String>,
) -> Result<(), Fault> {
    let listing = list(folder, exclude)?;
    let there: BTreeSet<&str> = listing
        .files()
        .map(|entry| entry.name.as_str())
        .filter(|name| !SEAL_FILES.contains(name) && *name != MARKER && !exclude.contains(*name))
        .collect();
    let sealed: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    match there.symmetric_difference(&sealed).next() {
        None => Ok(()),
        Some(name) => {
            let message = "the folder changed while it was sealed; run the same command again";
            Err(Fault::new(Code::Unreadable, message).at(folder.show(name)))
        }
    }
}
