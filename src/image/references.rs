//! What the documents of a directory name, as far as it says which large files are worth reading.
//!
//! It decides nothing else: a document that is refused later names files here, too.

use std::collections::BTreeSet;

use super::content::FileContent;
use super::document;
use super::names::MANIFEST;

/// What documents name.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The sizes that descriptors state.
    sizes: BTreeSet<u64>,
    /// The names in `manifest.json`, which states no sizes.
    names: BTreeSet<String>,
}

impl References {
    /// What these files name, each with its own name.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a FileContent)>) -> Self {
        let mut references = Self::default();
        for (name, content) in files {
            let Some(bytes) = &content.document else { continue };
            if name == MANIFEST {
                let items = document::items(bytes).unwrap_or_default();
                references.names.extend(items.into_iter().flat_map(|item| item.layers));
            } else if let Ok(blob) = document::manifest_or_index(bytes) {
                references.sizes.extend(blob.descriptors().map(|descriptor| descriptor.size));
            }
        }
        references
    }

    /// Whether a file of this name and size may be one that they name.
    pub(super) fn may_include(&self, name: &str, size: u64) -> bool {
        self.sizes.contains(&size) || self.names.contains(name)
    }
}
