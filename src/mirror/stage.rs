//! The files of one image or package on their way: they arrive beside the directory that they are for, and
//! get their names when all of them together were judged well. What lies there stays until then, and what
//! nobody fetched stays for ever.
//!
//! The directory beside is called like the other one, with the ending of everything half-written. Nothing
//! here decides what is right.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::http::{Http, LargeFile, SmallFile, Validators};
use super::store::{Ownership, Store, in_the_way};
use super::wanted::WantedItem;
use super::{FetchRecord, Hosts, Watch};
use crate::directory::{EntryKind, Folder, TEMPORARY, read_small};
use crate::image::NoProgress;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::survey::hash;
use crate::transfer::ExaminedFiles;
use crate::verdict::{Code, Fault};

/// The most that a small file of the vendor's has.
pub(super) const SMALL: u64 = limits::BUNDLE_BYTES;

/// The files of a wanted: where each is that belongs to it now.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    store: &'a Store<'a>,
    wanted: &'a WantedItem,
    /// The directory beside.
    beside: String,
    /// By the name that a file is to have, the one that it has.
    files: BTreeMap<String, String>,
}

impl<'a> Stage<'a> {
    /// Nothing was fetched so far.
    #[must_use]
    pub(super) fn new(store: &'a Store<'a>, wanted: &'a WantedItem) -> Self {
        let beside = format!("{}{TEMPORARY}", wanted.directory);
        Self { store, wanted, beside, files: BTreeMap::new() }
    }

    /// What is wanted.
    #[must_use]
    pub(super) const fn wanted(&self) -> &'a WantedItem {
        self.wanted
    }

    /// Where a file arrives.
    #[must_use]
    pub(super) fn beside(&self, path: &str) -> String {
        format!("{}/{}", self.beside, path.rsplit('/').next().unwrap_or(path))
    }

    /// The names under which the artifact may lie there, the one that was fetched last first.
    #[must_use]
    pub(super) fn places(&self) -> [String; 2] {
        [self.beside(&self.wanted.path), self.wanted.path.clone()]
    }

    /// This file is the one of that name.
    pub(super) fn put(&mut self, path: &str, place: String) {
        self.files.insert(path.to_owned(), place);
    }

    /// What was to be of use is not.
    pub(super) fn drop(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// The vendor's site has no key now, or none that can be read: what an earlier run fetched stays.
    pub(super) fn keep_keys(&mut self) {
        let (store, folder) = (self.store, self.store.folder);
        let listing = folder.folder(&self.wanted.directory).and_then(|below| below.list());
        for entry in listing.iter().flat_map(|it| it.files()) {
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

    /// Where the artifact is.
    #[must_use]
    pub(super) fn place(&self) -> Option<&str> {
        self.files.get(&self.wanted.path).map(String::as_str)
    }

    /// The names of all files that belong to the wanted, the artifact's with them once it is here.
    #[must_use]
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }

    /// The same without the artifact's.
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

    /// Refuses a wanted where something lies in the way that no run fetched: before anything is asked for.
    /// What nobody fetched under a name that is needed may be the vendor's own file, and is judged later.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn clear(&self) -> Result<(), Fault> {
        let (store, folder) = (self.store, self.store.folder);
        store.clear(&self.wanted.directory)?;
        let below = match folder.folder(&self.beside) {
            Ok(below) => below.list()?,
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(()),
            Err(_) => return Err(in_the_way("no directory").at(folder.show(&self.beside))),
        };
        for entry in &below.entries {
            let path = format!("{}/{}", self.beside, entry.name);
            if entry.kind != EntryKind::File || !self.is_on_its_way(&path)? {
                let what = "it is not what an interrupted run left";
                return Err(in_the_way(what).at(folder.show(&path)));
            }
        }
        Ok(())
    }

    /// Whether a file in the directory beside came with a run: a run says that it makes the directory before it
    /// does, and what each small file will be. Of the artifact nothing is known until it is whole.
    fn is_on_its_way(&self, path: &str) -> Result<bool, Fault> {
        let store = self.store;
        if !store.has_begun(&self.beside) {
            return Ok(false);
        }
        let artifact = self.beside(&self.wanted.path);
        match half_of(path) {
            Some(name) => Ok(name == artifact || store.last(name).is_some()),
            None if path == artifact => Ok(true),
            // A run that ended before the file had its name, but after the log said so.
            None => {
                let base = path.rsplit('/').next().unwrap_or(path);
                let name = format!("{}/{base}", self.wanted.directory);
                Ok(store.ownership_under(path, &[path, &name])? == Ownership::Fetched)
            }
        }
    }

    /// A small file by HTTP: fetched, or still what it was.
    ///
    /// # Errors
    /// Those of [`Http::small`], of [`Store::may_replace`] and of writing.
    pub(super) fn small(
        &mut self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        path: &str,
        cap: u64,
    ) -> Result<Vec<u8>, Fault> {
        let (store, folder) = (self.store, self.store.folder);
        let beside = self.beside(path);
        let here = [beside.as_str(), path].into_iter().find_map(|place| {
            let (bytes, digest) = read_small(folder, place, cap, Code::Unreadable).ok()?;
            Some((place.to_owned(), bytes, digest))
        });
        let validators = here.as_ref().and_then(|(place, _, digest)| {
            let known = store.known(place, url).filter(|(_, sha256, _)| sha256 == digest);
            known.map(|(validators, ..)| validators)
        });
        match (http.small(url, hosts, cap, validators.as_ref())?, here) {
            (SmallFile::Unchanged, Some((place, bytes, _))) => {
                self.put(path, place);
                Ok(bytes)
            }
            (SmallFile::Unchanged, None) => Err(Fault::new(
                Code::ResponseInvalid,
                "304 Not Modified for a file that is not here",
            )
            .at(url.as_str())),
            (SmallFile::Body(bytes, fetched), here) => {
                let is = |place: &str| {
                    read_small(folder, place, cap, Code::Unreadable).is_ok_and(|it| it.0 == bytes)
                };
                let place = if is(path) { path } else { beside.as_str() };
                if place != path {
                    store.may_replace(path)?;
                    store.begin(&self.beside)?;
                }
                // The log says so first: so every file that is there is one that it knows.
                if !store.is_recorded(place, Some(fetched.sha256)) {
                    store.record([FetchRecord { path: Some(place.to_owned()), ..fetched }])?;
                }
                let is_there = here.is_some_and(|(found, old, _)| found == place && old == bytes);
                if place != path && !is_there {
                    folder.make_folders(&self.beside)?;
                    folder.write(place, &bytes, 0o644)?;
                }
                self.put(path, place.to_owned());
                Ok(bytes)
            }
        }
    }

    /// The directory beside is made, if it is not there.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn begin(&self) -> Result<(), Fault> {
        self.store.begin(&self.beside)
    }

    /// The artifact by HTTP; whatever lies there is not asked about if it is to be fetched `anew`. Answers
    /// whether it was fetched now.
    ///
    /// # Errors
    /// Those of [`Http::large`] and of writing.
    pub(super) fn large(
        &mut self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        anew: bool,
        watch: &dyn Watch,
    ) -> Result<bool, Fault> {
        let store = self.store;
        let known = self.places().into_iter().find_map(|place| {
            let validators = self.known(&place, url)?;
            Some((place, validators))
        });
        let known = known.filter(|_| !anew);
        let validators = known.as_ref().map(|(_, validators)| validators);
        let path = self.wanted.path.clone();
        let beside = self.beside(&path);
        let before = || store.begin(&self.beside);
        match http.large_after(url, hosts, store.folder, &beside, validators, &before, watch)? {
            LargeFile::Unchanged => {
                let place = known.map_or(path.clone(), |(place, _)| place);
                self.put(&path, place);
                Ok(false)
            }
            LargeFile::Done(fetched) => {
                store.record([FetchRecord { path: Some(beside.clone()), ..fetched }])?;
                store.came();
                self.put(&path, beside);
                Ok(true)
            }
        }
    }

    /// How the server called what lies in a place of the artifact.
    fn known(&self, place: &str, url: &Url) -> Option<Validators> {
        let folder = self.store.folder;
        let size = folder.file(place).ok()?.metadata().ok()?.len();
        let of_size =
            |name: &str| self.store.known(name, url).filter(|(_, _, recorded)| *recorded == size);
        if let Some((validators, ..)) = of_size(place) {
            return Some(validators);
        }
        // A run that ended before the file had its name, but after the log said so.
        let (validators, sha256, _) = of_size(&self.wanted.path)?;
        let found = hash(folder, place, u64::MAX, &NoProgress).ok()?;
        (place != self.wanted.path && found.sha256 == sha256).then_some(validators)
    }

    /// All files get their names: they were judged together, and well. What an earlier run fetched for the
    /// same wanted and this one does not need is removed, if it is still what was fetched.
    ///
    /// # Errors
    /// [`Code::SourceDisagrees`] when a file is another than the one that was judged,
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

    /// Removes what is no longer needed, and says so.
    fn tidy(&self, watch: &dyn Watch) -> Result<(), Fault> {
        let folder = self.store.folder;
        let Ok(below) = folder.folder(&self.wanted.directory) else { return Ok(()) };
        for entry in below.list()?.entries.iter().filter(|it| it.kind == EntryKind::File) {
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

    /// Whether the artifact, or half of it, lies beside: what would have to be fetched again. A copy of
    /// what is on this machine is no fetch.
    #[must_use]
    pub(super) fn holds_much(&self) -> bool {
        let path = self.beside(&self.wanted.path);
        let there = |name: &str| self.store.folder.file(name).is_ok();
        (there(&path) && self.store.last(&path).is_some()) || there(&format!("{path}{TEMPORARY}"))
    }

    /// How many bytes of the artifact lie beside.
    #[must_use]
    pub(super) fn bytes(&self) -> u64 {
        let path = self.beside(&self.wanted.path);
        let size = |name: &str| {
            self.store
                .folder
                .file(name)
                .ok()
                .and_then(|it| it.metadata().ok())
                .map(|it| written(&it))
        };
        size(&path).or_else(|| size(&format!("{path}{TEMPORARY}"))).unwrap_or(0)
    }

    /// Removes what was fetched beside, and the directory. Anybody else's file in it stays.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn give_up(&self) -> Result<(), Fault> {
        let (store, folder) = (self.store, self.store.folder);
        let Ok(below) = folder.folder(&self.beside) else { return Ok(()) };
        let mut gone = Vec::new();
        for entry in below.list()?.files() {
            let path = format!("{}/{}", self.beside, entry.name);
            if self.is_on_its_way(&path)? {
                below.remove(&entry.name)?;
                gone.push(path);
            }
        }
        folder.remove_folder(&self.beside);
        if folder.folder(&self.beside).is_err() {
            gone.push(self.beside.clone());
        }
        store.forget(&gone);
        Ok(())
    }
}

/// The name of the file that a half-written one, or what is written down of it, is for.
fn half_of(path: &str) -> Option<&str> {
    let mut name = path.strip_suffix(TEMPORARY)?;
    while let Some(shorter) = name.strip_suffix(TEMPORARY) {
        name = shorter;
    }
    Some(name.strip_suffix(".resume").unwrap_or(name))
}

/// What a file takes on the medium: one that is laid out before it is filled has its whole length at once.
#[cfg(unix)]
fn written(metadata: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.blocks().saturating_mul(512).min(metadata.len())
}

#[cfg(not(unix))]
fn written(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}
