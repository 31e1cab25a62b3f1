//! What a directory with a file of a seal's name most likely is, if it was never sealed.
//!
//! Names of a seal's files are traces of a seal whatever is in them, or one byte would turn a transfer into a
//! plain folder. So this decides nothing: it only finds words for a refusal.

use serde_json::Value;

use super::layout::{self, MANIFEST, SEAL_FILES, SUMS};
use crate::digest::Sha256Digest;
use crate::directory::{EntryKind, Folder, Listing, read_small};
use crate::json;
use crate::limits;
use crate::verdict::Code;

/// What a directory looks like, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealLookalike {
    /// What it is, as the end of a sentence that begins with its name.
    pub what: &'static str,
    /// What to do next.
    pub next: &'static str,
}

const DOCKER_SAVE: SealLookalike = SealLookalike {
    what: "the table of contents of an image archive, as `docker save` writes it: this is an archive that was \
           unpacked",
    next: "Verify the archive itself, as it came: unpacked, it is no image that an engine loads. If only the \
           directory is left, pack it again: tar -cf image.tar -C DIR .",
};
const SKOPEO_DIR: SealLookalike = SealLookalike {
    what: "an image's manifest, and the directory is one that `skopeo copy … dir:` (or podman save \
           --format docker-dir) wrote",
    next: "No engine loads such a directory, and nobody signed its form. Copy the image again, as \
           docker-archive:FILE or oci-archive:FILE, and verify that file.",
};
const OTHER_MANIFEST: SealLookalike = SealLookalike {
    what: "no transfer's manifest, but a document of some other program",
    next: "If a vendor signed this file, put the bundle next to the file (NAME.sigstore.json, NAME.bundle, or the vendor's \
           own name): then it is verified like any other file. Else move it into a subdirectory before \
           the folder is sealed, or name the files to be verified one by one. Only if you know that the \
           directory was never sealed, give --unsealed.",
};
const SUMS_ONLY: SealLookalike = SealLookalike {
    what: "a list of digests, with no other file of a seal next to it",
    next: "If it is a vendor's list, put the bundle next to the file (NAME.sigstore.json, NAME.bundle, or the \
           vendor's own name): then it is verified like any other file. If it is the seal's, the rest of the \
           seal is missing: copy the transfer again. Only if you know that the directory was never \
           sealed, give --unsealed.",
};

/// What a directory most likely is, if the one file of a seal's name in it is something else: that name, and the
/// words for it.
#[must_use]
pub fn seal_lookalike(folder: &Folder, listing: &Listing) -> Option<(String, SealLookalike)> {
    let of_seal = |name: &str| SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(name));
    if listing.files().any(|entry| layout::is_left_over_folded(&entry.name)) {
        return None;
    }
    let mut found = listing.files().filter(|entry| of_seal(&entry.name));
    let (only, None) = (found.next()?, found.next()) else { return None };
    if only.kind != EntryKind::File {
        return None;
    }
    let limit = limits::FOREIGN_MANIFEST_BYTES;
    let (bytes, _) = read_small(folder, &only.name, limit, Code::Unreadable).ok()?;
    let like = if only.name.eq_ignore_ascii_case(SUMS) {
        is_list(&bytes).then_some(SUMS_ONLY)
    } else if only.name.eq_ignore_ascii_case(MANIFEST) {
        manifest(&bytes, listing)
    } else {
        None
    };
    like.map(|like| (only.name.clone(), like))
}

fn manifest(bytes: &[u8], listing: &Listing) -> Option<SealLookalike> {
    match json::parse(bytes, limits::FOREIGN_MANIFEST_BYTES).ok()? {
        Value::Array(images) => {
            let of_image =
                |image: &Value| image.get("Config").is_some() && image.get("Layers").is_some();
            Some(if images.first().is_some_and(of_image) { DOCKER_SAVE } else { OTHER_MANIFEST })
        }
        // Ours, without the rest of the seal.
        Value::Object(object) if object.contains_key("sha256sums") => None,
        Value::Object(object)
            if object.contains_key("schemaVersion") && listing.has("version", EntryKind::File) =>
        {
            Some(SKOPEO_DIR)
        }
        Value::Object(_) => Some(OTHER_MANIFEST),
        _ => None,
    }
}

/// Whether every line is a digest and a name, as `sha256sum` writes them.
fn is_list(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            let (digest, name) = line.split_once(' ').unwrap_or_default();
            Sha256Digest::from_hex(digest).is_ok() && !name.trim().is_empty()
        })
}
