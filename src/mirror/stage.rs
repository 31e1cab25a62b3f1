//! The files of one image or package while they are fetched. They arrive in a staging directory, and get
//! their names when all of them were judged well together. Until then the old files stay; files that no run
//! fetched always stay.
//!
//! The staging directory has the name of the final one with the ending of temporary files. Nothing here
//! decides what is right.

use std::collections::{BTreeMap, BTreeSet};

use super::Watch;
use super::store::{Ownership, Store, in_the_way};
use super::wanted::WantedItem;
use crate::directory::{EntryKind, Folder, TEMPORARY, read_small};
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::transfer::ExaminedFiles;
use crate::verdict::{Code, Fault};

/// The files of an item, and where each of them is now.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) store: &'a Store<'a>,
    wanted: &'a WantedItem,
    /// The staging directory.
    pub(super) staging: String,
    /// The present path of each file, by the path that it is to have.
    files: BTreeMap<String, String>,
}

impl<'a> Stage<'a> {
    /// A stage without files.
    #[must_use]
    pub(super) fn new(store: &'a Store<'a>, wanted: &'a WantedItem) -> Self {
        let staging = format!("{}{TEMPORARY}", wanted.directory);
        Self { store, wanted, staging, files: BTreeMap::new() }
    }

    /// What is wanted.
    #[must_use]
    pub(super) const fn wanted(&self) -> &'a WantedItem {
        self.wanted
    }

    /// The path under which a file arrives.
    #[must_use]
    pub(super) fn staged(&self, path: &str) -> String {
        format!("{}/{}", self.staging, path.rsplit('/').next().unwrap_or(path))
    }

    /// The paths where the artifact may be, the most recently fetched first.
    #[must_use]
    pub(super) fn places(&self) -> [String; 2] {
        [self.staged(&self.wanted.path), self.wanted.path.clone()]
    }

    /// Adds the file that is to have the name `path`, and where it is now.
    pub(super) fn put(&mut self, path: &str, place: String) {
        self.files.insert(path.to_owned(), place);
    }

    /// Removes a file that turned out to be of no use.
    pub(super) fn drop(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Keeps the keys that an earlier run fetched: the vendor's site has none now, or none that can be read.
    pub(super) fn keep_keys(&mut self) {
        let (store, folder) = (self.store, self.store.folder);
        let listing = folder.folder(&self.wanted.directory).and_then(|below| below.list());
        for entry in listing.iter().flat_map(|listing| listing.files()) {
            let path = format!("{}/{}", self.wanted.directory, entry.name);
            let read = read_small(folder, &path, limits::KEY_BYTES, Code::Unreadable);
            let Ok((bytes, digest)) = read else { continue };
            let key = PublicKey::from_found(&entry.name, &bytes).is_ok()
                || pairing::key_name(&bytes).is_ok();
            if key && path != self.wanted.path && store.is_recorded(&path, Some(digest)) {
                self.files.entry(path.clone()).or_insert(path);
            }
        }
    }

    /// Where the artifact is now.
    #[must_use]
    pub(super) fn place(&self) -> Option<&str> {
        self.files.get(&self.wanted.path).map(String::as_str)
    }

    /// The names of all files of the item, including the artifact once it is here.
    #[must_use]
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }

    /// The same without the artifact.
    #[must_use]
    pub(super) fn material(&self) -> BTreeSet<String> {
        self.files.keys().filter(|name| **name != self.wanted.path).cloned().collect()
    }

    /// The transfer directory as it will be when all files have their names.
    ///
    /// # Errors
    /// [`Code::Unreadable`].
    pub(super) fn view(&self) -> Result<Folder, Fault> {
        let moved = self.files.iter().filter(|(name, place)| name != place);
        self.store.folder.with(moved.map(|(name, place)| (name.clone(), place.clone())).collect())
    }

    /// Refuses an item if something that no run fetched is in the way: before anything is requested. A file
    /// under a name that is needed may be the vendor's own, and is judged later.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn clear(&self) -> Result<(), Fault> {
        let (store, folder) = (self.store, self.store.folder);
        store.clear(&self.wanted.directory)?;
        let below = match folder.folder(&self.staging) {
            Ok(below) => below.list()?,
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(()),
            Err(_) => return Err(in_the_way("no directory").at(folder.show(&self.staging))),
        };
        for entry in &below.entries {
            let path = format!("{}/{}", self.staging, entry.name);
            if entry.kind != EntryKind::File || !self.is_on_its_way(&path)? {
                let what = "it is not what an interrupted run left";
                return Err(in_the_way(what).at(folder.show(&path)));
            }
        }
        Ok(())
    }

    /// Whether a run left a file in the staging directory. A run records the directory before it creates it,
    /// and each small file before it writes it. Of the artifact nothing is known until it is complete.
    fn is_on_its_way(&self, path: &str) -> Result<bool, Fault> {
        let store = self.store;
        if !store.has_begun(&self.staging) {
            return Ok(false);
        }
        let artifact = self.staged(&self.wanted.path);
        match final_name(path) {
            Some(name) => Ok(name == artifact || store.last(name).is_some()),
            None if path == artifact => Ok(true),
            // A run was interrupted after it wrote the log and before it renamed the file.
            None => {
                let base = path.rsplit('/').next().unwrap_or(path);
                let name = format!("{}/{base}", self.wanted.directory);
                Ok(store.ownership_under(path, &[path, &name])? == Ownership::Fetched)
            }
        }
    }

    /// Records the staging directory.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn begin(&self) -> Result<(), Fault> {
        self.store.begin(&self.staging)
    }

    /// Gives all files their names: they were judged together, and well. Files that an earlier run fetched for
    /// the item and that are no longer needed are removed, if they are still what was fetched.
    ///
    /// # Errors
    /// [`Code::SourceDisagrees`] when a file is not the one that was judged,
    /// [`Code::OutputExists`], and [`Code::WriteFailed`].
    pub(super) fn accept(
        &mut self,
        seen: &mut ExaminedFiles,
        watch: &dyn Watch,
    ) -> Result<(), Fault> {
        let (store, folder) = (self.store, self.store.folder);
        let view = self.view()?;
        let moves: Vec<(&str, &str)> = self
            .files
            .iter()
            .filter(|(name, place)| name != place)
            .map(|(name, place)| (place.as_str(), name.as_str()))
            .collect();
        for (place, name) in &moves {
            store.may_replace(name)?;
            if !seen.still(&view, name) {
                let message = "the file changed after it was judged; run the command again";
                return Err(Fault::new(Code::SourceDisagrees, message).at(folder.show(place)));
            }
        }
        store.replace(&moves)?;
        for (_, name) in &moves {
            seen.named(folder, name);
        }
        for name in self.files.keys().cloned().collect::<Vec<_>>() {
            self.put(&name.clone(), name);
        }
        self.tidy(watch)?;
        self.give_up()
    }

    /// Removes files that are no longer needed, and says so.
    fn tidy(&self, watch: &dyn Watch) -> Result<(), Fault> {
        let folder = self.store.folder;
        let Ok(below) = folder.folder(&self.wanted.directory) else { return Ok(()) };
        for entry in below.list()?.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
            let path = format!("{}/{}", self.wanted.directory, entry.name);
            if !self.files.contains_key(&path) && self.store.ownership(&path)? == Ownership::Fetched
            {
                self.store.remove(&path)?;
                watch.say(&format!(
                    "{path}: removed; an earlier run fetched it, and it is no longer needed"
                ));
            }
        }
        Ok(())
    }

    /// Whether the staging directory holds the artifact or part of it, which would have to be fetched again.
    /// A copy of a file on this machine does not count.
    #[must_use]
    pub(super) fn holds_much(&self) -> bool {
        let path = self.staged(&self.wanted.path);
        let there = |name: &str| self.store.folder.file(name).is_ok();
        (there(&path) && self.store.last(&path).is_some()) || there(&format!("{path}{TEMPORARY}"))
    }

    /// How many bytes of the artifact are in the staging directory.
    #[must_use]
    pub(super) fn bytes(&self) -> u64 {
        let path = self.staged(&self.wanted.path);
        let size = |name: &str| {
            self.store
                .folder
                .file(name)
                .ok()
                .and_then(|file| file.metadata().ok())
                .map(|metadata| written(&metadata))
        };
        size(&path).or_else(|| size(&format!("{path}{TEMPORARY}"))).unwrap_or(0)
    }

    /// Removes the fetched files from the staging directory, and the directory. Other files in it stay.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn give_up(&self) -> Result<(), Fault> {
        let (store, folder) = (self.store, self.store.folder);
        let Ok(below) = folder.folder(&self.staging) else { return Ok(()) };
        let mut gone = Vec::new();
        for entry in below.list()?.files() {
            let path = format!("{}/{}", self.staging, entry.name);
            if self.is_on_its_way(&path)? {
                below.remove(&entry.name)?;
                gone.push(path);
            }
        }
        folder.remove_folder(&self.staging);
        if folder.folder(&self.staging).is_err() {
            gone.push(self.staging.clone());
        }
        store.forget(&gone);
        Ok(())
    }
}

/// The final name of a temporary file or of its resume record.
fn final_name(path: &str) -> Option<&str> {
    let mut name = path.strip_suffix(TEMPORARY)?;
    while let Some(shorter) = name.strip_suffix(TEMPORARY) {
        name = shorter;
    }
    Some(name.strip_suffix(".resume").unwrap_or(name))
}

/// The space that a file takes on the medium: one that is laid out before it is filled has its full length
/// at once.
#[cfg(unix)]
fn written(metadata: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.blocks().saturating_mul(512).min(metadata.len())
}

#[cfg(not(unix))]
fn written(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}
