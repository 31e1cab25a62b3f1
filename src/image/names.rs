//! The names that loaders look for in an image archive.

use crate::digest::Sha256Digest;

/// The list of images of a docker archive.
pub(super) const MANIFEST: &str = "manifest.json";
/// The list of images of an OCI layout.
pub(super) const INDEX: &str = "index.json";
/// The version of an OCI layout.
pub(super) const LAYOUT: &str = "oci-layout";
/// The names of images in archives from before Docker 1.10, which most writers still add.
pub(super) const REPOSITORIES: &str = "repositories";

/// The names that show an image archive.
pub(super) const IMAGE_NAMES: [&str; 4] = [MANIFEST, INDEX, LAYOUT, REPOSITORIES];

/// Whether an entry of this name shows that an image archive was meant: one of [`IMAGE_NAMES`], a
/// blob of an OCI layout, a layer where docker save writes it, or what engines name by 64 hexadecimal
/// digits (`HEX.json`, `HEX/…`, `sha256:HEX`). An archive that was cut off has lost its manifest.json, but not these.
pub(super) fn shows_image(name: &str) -> bool {
    let first = name.split(['/', '.']).next().unwrap_or_default();
    let digest = first.strip_prefix("sha256:").unwrap_or(first);
    let layer = name.strip_suffix("/layer.tar").is_some_and(|directory| !directory.contains('/'));
    layer
        || name.starts_with("blobs/sha256/")
        || IMAGE_NAMES.contains(&name)
        || Sha256Digest::from_hex(digest).is_ok()
}

/// Where an OCI layout has the content of this digest.
pub(super) fn blob_name(digest: &Sha256Digest) -> String {
    format!("blobs/sha256/{}", digest.to_hex())
}

/// The digest that a blob's name states, if the name is one of a blob.
pub(super) fn blob_digest(name: &str) -> Option<Sha256Digest> {
    Sha256Digest::from_hex(name.strip_prefix("blobs/sha256/")?).ok()
}
