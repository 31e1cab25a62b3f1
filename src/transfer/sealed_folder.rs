//! A directory whose seal holds, with what each file of its manifest is called there.

use std::collections::HashMap;

use super::file_set::FileSet;
use super::manifest::Manifest;
use crate::directory::Folder;

/// A directory, its manifest, and the names that join them.
pub(super) struct SealedFolder<'a> {
    pub(super) folder: &'a Folder,
    pub(super) manifest: &'a Manifest,
    /// Names in the directory by paths of the manifest.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> SealedFolder<'a> {
    /// Joins the manifest's paths with the names that were found for them.
    pub(super) fn new(folder: &'a Folder, manifest: &'a Manifest, file_set: &'a FileSet) -> Self {
        let names = manifest
            .files
            .iter()
            .zip(&file_set.called)
            .filter_map(|(entry, called)| Some((entry.path.as_str(), called.as_deref()?)))
            .collect();
        Self { folder, manifest, names }
    }

    /// What a file of the manifest is called in the directory; none if it is not there.
    pub(super) fn called(&self, path: &str) -> Option<&'a str> {
        self.names.get(path).copied()
    }
}
