//! Whether a file under a name that sealing writes was written by a sealing. The operator's own file is
//! never replaced or removed, whatever its name.
//!
//! A file is ours if the manifest in the directory, or that of an interrupted sealing, lists it; if it is
//! byte for byte what would be written; or if an interrupted write leaves such a file. Nothing here
//! judges content.

use std::collections::BTreeSet;

use super::added::{fixed_files, written_names};
use super::layout::{self, FETCH_LOG, MANIFEST, MARKER, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS};
use super::manifest::Manifest;
use super::seal_request::{AddedFile, SealRequest};
use super::signature;
use crate::digest::Sha256Digest;
use crate::directory::{EntryKind, Folder, Listing, read_small};
use crate::limits;
use crate::sigstore::SignatureBundle;
use crate::verdict::{Code, Fault};

/// How to keep a file of the operator's that has a name of the seal's.
const KEEP: &str = "if it is a vendor's, move it with its bundle into a subdirectory, where it is sealed like any \
                    other file";

/// Refuses a folder in which sealing would overwrite a file that it did not write, or would stop midway.
///
/// For a caller that changes the folder before sealing it; the directories in `half_written` are the
/// caller's own.
///
/// # Errors
/// [`Code::OutputExists`], and those of listing and reading.
pub fn clear(
    folder: &Folder,
    request: &SealRequest<'_>,
    half_written: &BTreeSet<String>,
) -> Result<(), Fault> {
    clear_of(folder, request, &folder.list()?, half_written).map(drop)
}

pub(super) fn clear_of(
    folder: &Folder,
    request: &SealRequest<'_>,
    listing: &Listing,
    half_written: &BTreeSet<String>,
) -> Result<Earlier, Fault> {
    let stop = |name: &str, message: &str| {
        Err(Fault::new(Code::OutputExists, message).at(folder.show(name)))
    };
    for entry in &listing.entries {
        if above(&entry.name).any(|above| half_written.contains(above)) {
            continue;
        }
        let name = layout::meant(&entry.name).unwrap_or(&entry.name);
        let added = request.extra.iter().any(|file| file.name == name);
        let target = SEAL_FILES.contains(&name) || written_names(name) || added;
        if target && entry.kind != EntryKind::File {
            return stop(&entry.name, "sealing writes a file of this name, and this is not a file");
        }
        if name.len() < entry.name.len() && !target {
            let message =
                "this ending marks a half-written file; remove the file if nobody needs it";
            return stop(&entry.name, message);
        }
    }
    let earlier = Earlier::read(folder, listing)?;
    earlier.admits(folder, listing, &fixed_files(request))?;
    Ok(earlier)
}

/// A name and those of the directories above it.
fn above(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.match_indices('/').map(|(at, _)| name.get(..at).unwrap_or_default());
    slashes.chain([name])
}

/// What earlier sealings left: the manifests that list their files.
#[derive(Debug)]
pub(super) struct Earlier {
    manifests: Vec<Manifest>,
    /// One of them was interrupted.
    interrupted: bool,
}

impl Earlier {
    /// Reads the files of an earlier seal, and refuses a file of such a name that no sealing wrote. That a
    /// sealing was interrupted is no excuse: its marker holds the manifest that was to be written.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn read(folder: &Folder, listing: &Listing) -> Result<Self, Fault> {
        let stop = |name: &str, message: &str| {
            let message = format!("{message}; {KEEP}");
            Err(Fault::new(Code::OutputExists, message).at(folder.show(name)))
        };
        let optional = |name: &str, most: u64| match listing.has(name, EntryKind::File) {
            true => read_small(folder, name, most, Code::OutputExists)
                .map(Some)
                .map_err(|fault| fault.at(folder.show(name))),
            false => Ok(None),
        };
        let mut manifests = Vec::new();
        if let Some((bytes, _)) = optional(MANIFEST, limits::MANIFEST_BYTES)? {
            match Manifest::parse(&bytes) {
                Ok(manifest) => manifests.push(manifest),
                Err(_) => {
                    let message = "this is no transfer manifest; sealing would overwrite it";
                    return stop(MANIFEST, message);
                }
            }
        }
        let marker = optional(MARKER, limits::MANIFEST_BYTES)?;
        let interrupted = marker.is_some();
        if let Some((bytes, _)) = marker.filter(|(bytes, _)| !bytes.is_empty()) {
            match Manifest::parse(&bytes) {
                Ok(manifest) => manifests.push(manifest),
                Err(_) => return stop(MARKER, "no sealing wrote this; sealing would overwrite it"),
            }
        }
        if manifests.is_empty()
            && let Some(name) =
                SEAL_FILES.into_iter().find(|name| listing.has(name, EntryKind::File))
        {
            let message = "there is a file of this name, but no manifest that makes it part of a \
                           seal; sealing would overwrite it";
            return stop(name, message);
        }
        if let Some((_, digest)) = optional(SUMS, limits::MANIFEST_BYTES)?
            && manifests.iter().all(|manifest| manifest.sha256sums != digest)
        {
            let message =
                "not the file whose digest the manifest states; sealing would overwrite it";
            return stop(SUMS, message);
        }
        let no_signature = "no signature of a seal; sealing would overwrite it";
        if let Some((bytes, _)) = optional(SIGNATURE, limits::SEAL_BYTES)?
            && signature::parse_signature_file(&bytes).is_err()
        {
            return stop(SIGNATURE, no_signature);
        }
        if let Some((bytes, _)) = optional(SIGSTORE, limits::SEAL_BYTES)?
            && SignatureBundle::parse(&bytes).is_err()
        {
            return stop(SIGSTORE, no_signature);
        }
        Ok(Self { manifests, interrupted })
    }

    /// Refuses a file that no sealing wrote and that this one would overwrite.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn admits(
        &self,
        folder: &Folder,
        listing: &Listing,
        own: &[AddedFile],
    ) -> Result<(), Fault> {
        // Whoever fetches owns the log of fetches, and has looked at it.
        let written = own.iter().filter(|file| file.name != FETCH_LOG);
        for file in written.filter(|file| listing.has(&file.name, EntryKind::File)) {
            let metadata = folder.file(&file.name)?.metadata().map_err(|error| {
                Fault::new(Code::Unreadable, error.to_string()).at(folder.show(&file.name))
            })?;
            let size = metadata.len();
            let new = (file.bytes.len() as u64, Sha256Digest::of(&file.bytes));
            let listed = self.manifests.iter().filter_map(|manifest| manifest.file(&file.name));
            let ours: Vec<(u64, Sha256Digest)> =
                listed.map(|entry| (entry.size, entry.sha256)).chain([new]).collect();
            let same = ours.iter().any(|known| known.0 == size) && {
                let (_, found) = read_small(folder, &file.name, size, Code::OutputExists)?;
                ours.contains(&(size, found))
            };
            if !same {
                let message = "sealing writes a file of this name, and the one that is there was not written by a \
                               sealing: it is damaged, or your own; move it away and run again";
                return Err(Fault::new(Code::OutputExists, message).at(folder.show(&file.name)));
            }
        }
        let left = listing
            .files()
            .filter(|entry| entry.name != MARKER && layout::is_left_over(&entry.name));
        for entry in left {
            if !self.interrupted && !may_be_left(folder, &entry.name, own)? {
                let message = "this ending marks a half-written file, and no interrupted write left this one; \
                               move it away and run again";
                return Err(Fault::new(Code::OutputExists, message).at(folder.show(&entry.name)));
            }
        }
        Ok(())
    }
}

/// Whether an interrupted write may have left a file, in a directory without the marker of a sealing: an
/// empty file, the marker itself, the log of fetches, or the beginning of what is written now.
fn may_be_left(folder: &Folder, name: &str, own: &[AddedFile]) -> Result<bool, Fault> {
    const LINE: &[u8] = b"{\"time\":\"";
    const HEAD: &[u8] = b"{\n  \"sha256sums\": \"";
    let begins = |bytes: &[u8], with: &[u8]| bytes.starts_with(with) || with.starts_with(bytes);
    let Ok((bytes, _)) = read_small(folder, name, limits::MANIFEST_BYTES, Code::OutputExists)
    else {
        return Ok(false);
    };
    Ok(bytes.is_empty()
        || match layout::meant(name) {
            Some(MANIFEST) => begins(&bytes, HEAD),
            Some(FETCH_LOG) => begins(&bytes, LINE),
            Some(meant) => {
                own.iter().any(|file| file.name == meant && file.bytes.starts_with(&bytes))
            }
            None => false,
        })
}
