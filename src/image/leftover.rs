//! Files that nothing refers to. An archive is a closed world: what is not used by the verdict is accepted
//! only in the exact form in which a known writer leaves it behind, and refused otherwise. A loader may
//! find it in another way, or another archive's manifest may refer to it.
//!
//! | form | who writes it | our rule |
//! |---|---|---|
//! | `HEX/VERSION` | Docker up to 24, podman, skopeo, buildah, nix, rules_docker, crane | exactly `1.0`; `HEX/layer.tar` is a layer of an image |
//! | `HEX/json` | the same | v1 JSON (see `legacy`) of this id; `HEX/layer.tar` is a layer of an image |
//! | `HEX/layer.tar`, a link | podman, skopeo, buildah | leads to a layer of an image |
//! | `blobs/sha256/HEX` | Docker from 25 on, with its classic store | v1 JSON with an id, in an archive of both views; at most one for each layer |
//! | `repositories` | all but containerd stores | next to `manifest.json`; names and tags listed there, each with the image's topmost layer |
//!
//! `HEX` are 64 hexadecimal digits. A `config` in a v1 JSON is the one of an image in the archive. Directories
//! hold nothing and are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{self, ManifestItem};
use super::files::{ArchiveFile, Files};
use super::legacy::V1;
use super::names::{REPOSITORIES, blob_digest};
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// What is used, for judging the rest.
pub(super) struct Leftovers<'a> {
    pub(super) files: Files<'a>,
    /// The numbers of the files that are used.
    pub(super) used: &'a BTreeSet<usize>,
    /// The numbers of the files that are layers.
    pub(super) layers: &'a BTreeSet<usize>,
    /// The images of `manifest.json`.
    pub(super) items: &'a [ManifestItem],
    /// For each of them, its topmost layer.
    pub(super) tops: &'a [ArchiveFile<'a>],
    /// Whether `index.json` is there too.
    pub(super) oci: bool,
    /// The forms of the configs of all images (see `legacy::config_forms`).
    pub(super) configs: &'a BTreeSet<Sha256Digest>,
}

impl Leftovers<'_> {
    /// Refuses the first file, in the order of names, that is neither used nor left behind by a known
    /// writer.
    pub(super) fn check(&self) -> Result<(), Fault> {
        // As many as Docker leaves: one for each layer of each image.
        let mut left = self.items.iter().map(|item| item.layers.len()).sum::<usize>();
        for (name, found) in self.files.files() {
            if self.used.contains(&found.number) {
                continue;
            }
            let accepted = match name.rsplit_once('/') {
                None if name == REPOSITORIES => {
                    self.repositories(found).map_err(|fault| fault.at(name))?;
                    Ok(())
                }
                Some((directory, "VERSION")) => self.version(directory, found),
                Some((directory, "json")) => self.metadata(directory, found),
                _ if blob_digest(name).is_some() => self.blob(found, &mut left),
                _ => Err("no program that writes images leaves a file of this name"),
            };
            accepted.map_err(|why| refused(name, why))?;
        }
        for (name, target) in self.files.links() {
            let named = self.items.iter().any(|item| item.layers.iter().any(|layer| layer == name));
            let directory = name.strip_suffix("/layer.tar").unwrap_or_default();
            let left_behind = hex(directory).is_some() && self.is_layer(target);
            if !named && !left_behind {
                return Err(refused(name, "the link does not lead to a layer of an image"));
            }
        }
        Ok(())
    }

    fn version(&self, directory: &str, found: ArchiveFile<'_>) -> Result<(), &'static str> {
        self.beside_layer(directory)?;
        if found.content.digest == Sha256Digest::of(b"1.0") {
            Ok(())
        } else {
            Err("the file of this name that Docker left next to a layer holds \"1.0\"")
        }
    }

    fn metadata(&self, directory: &str, found: ArchiveFile<'_>) -> Result<(), &'static str> {
        let id = self.beside_layer(directory)?;
        let v1 = self.v1(found)?;
        if v1.id.is_some_and(|stated| stated != id) {
            return Err("the metadata of a layer has the id of its directory");
        }
        Ok(())
    }

    fn blob(&self, found: ArchiveFile<'_>, left: &mut usize) -> Result<(), &'static str> {
        if self.items.is_empty() || !self.oci {
            return Err("no manifest and no index names this blob");
        }
        let v1 = self.v1(found)?;
        if v1.id.is_none() || v1.rootfs {
            return Err("no manifest and no index names this blob");
        }
        *left = left.checked_sub(1).ok_or("there is more metadata of layers than layers")?;
        Ok(())
    }

    /// The v1 JSON in a file.
    fn v1<'f>(&self, found: ArchiveFile<'f>) -> Result<&'f V1, &'static str> {
        let v1 = match found.content.v1.as_deref() {
            None => {
                return Err("it is no JSON object of the size that the metadata of a layer has");
            }
            Some(Err(why)) => return Err(why),
            Some(Ok(v1)) => v1,
        };
        if v1.config.is_some_and(|config| !self.configs.contains(&config)) {
            return Err("it has another \"config\" than the images of the archive");
        }
        Ok(v1)
    }

    /// The id that a directory is named by, if it holds a layer of an image.
    fn beside_layer(&self, directory: &str) -> Result<Sha256Digest, &'static str> {
        hex(directory)
            .filter(|_| self.is_layer(&format!("{directory}/layer.tar")))
            .ok_or("it is not next to a layer of an image, as Docker names one")
    }

    fn is_layer(&self, name: &str) -> bool {
        matches!(self.files.layer(name), Ok(Some(layer)) if self.layers.contains(&layer.number))
    }

    /// `repositories` says no more than `manifest.json`.
    fn repositories(&self, found: ArchiveFile<'_>) -> Result<(), Fault> {
        let mut tops: BTreeMap<&str, Vec<ArchiveFile<'_>>> = BTreeMap::new();
        for (item, top) in self.items.iter().zip(self.tops) {
            for tag in &item.tags {
                tops.entry(tag).or_default().push(*top);
            }
        }
        let stated = document::repositories(found.document()?)?;
        for (tag, id) in stated {
            let Some(tops) = tops.get(tag.as_str()) else {
                return Err(refused(&tag, "manifest.json doesn't have this name"));
            };
            let layer = self.files.layer(&format!("{}/layer.tar", id.to_hex())).ok().flatten();
            let is_top = |top: &ArchiveFile<'_>| match layer {
                Some(layer) => layer.number == top.number,
                // Docker, from 25 on, has the digest of the layer.
                None => self.oci && top.content.digest == id,
            };
            if !tops.iter().any(is_top) {
                return Err(refused(&tag, "this is not the image's topmost layer"));
            }
        }
        Ok(())
    }
}

fn hex(text: &str) -> Option<Sha256Digest> {
    Sha256Digest::from_hex(text).ok()
}

fn refused(name: &str, why: &str) -> Fault {
    let message = format!("nothing in the archive refers to it, and {why}");
    Fault::new(Code::EntryUnreferenced, message).at(name)
}
