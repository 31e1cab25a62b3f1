//! The transfer directory while it is being filled. Before the first change a seal that lies there is
//! marked as broken up, so that at every moment the directory is an old transfer unchanged, or says that
//! it is none.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use url::Url;

use super::Fetched;
use super::http::{Http, Large, Small};
use super::log::Log;
use super::{Hosts, Watch};
use crate::digest::Sha256Digest;
use crate::folder::{Folder, TEMPORARY, read_small};
use crate::limits;
use crate::transfer::{self, FETCH_LOG};
use crate::verdict::{Code, Fault};

/// A directory and the log of what came into it.
#[derive(Debug)]
pub(super) struct Store<'a> {
    /// The directory.
    pub(super) folder: &'a Folder,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    log: Log,
    changed: bool,
    /// What this run fetched or found to be what is wanted.
    kept: BTreeSet<String>,
}

impl<'a> Store<'a> {
    /// A directory as earlier runs left it.
    #[must_use]
    pub(super) fn new(folder: &'a Folder) -> Self {
        Self {
            folder,
            state: Mutex::new(State {
                log: Log::read(folder),
                changed: false,
                kept: BTreeSet::new(),
            }),
        }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something will change: from now on no old seal holds.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn touch(&self) -> Result<(), Fault> {
        self.with(|state| {
            if !state.changed {
                let _ = transfer::begin(self.folder)?;
                state.changed = true;
            }
            Ok(())
        })
    }

    /// Writes a fetch into the log, on the disk too: what is finished need not be fetched again.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn record(&self, entries: impl IntoIterator<Item = Fetched>) -> Result<(), Fault> {
        self.touch()?;
        self.with(|state| {
            entries.into_iter().for_each(|entry| state.log.add(entry));
            self.folder.make_folders("trust")?;
            self.folder.write(FETCH_LOG, &state.log.to_bytes()?, 0o644)
        })
    }

    /// The last fetch of a file.
    #[must_use]
    pub(super) fn last(&self, path: &str) -> Option<Fetched> {
        self.with(|state| state.log.of(path).cloned())
    }

    /// The log of the files that lie there.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn log(&self) -> Result<Vec<u8>, Fault> {
        self.with(|state| {
            state.log.prune(|path| self.folder.file(path).is_ok());
            state.log.to_bytes()
        })
    }

    /// Removes a log that says nothing of what lies there.
    pub(super) fn clear_log(&self) {
        if self.log().is_ok_and(|log| log.is_empty()) {
            let _ = self.folder.remove(FETCH_LOG);
            for folder in ["trust/keys", "trust", "images", "packages"] {
                self.folder.remove_folder(folder);
            }
        }
    }

    /// A small file by HTTP: fetched, or still what it was.
    ///
    /// # Errors
    /// Those of [`Http::small`] and of writing.
    pub(super) fn small(
        &self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        path: &str,
        cap: u64,
    ) -> Result<Vec<u8>, Fault> {
        self.with(|state| state.kept.insert(path.to_owned()));
        let here = read_small(self.folder, path, cap, Code::Unreadable).ok();
        let known = self
            .with(|state| state.log.known(path, url))
            .filter(|(_, sha256, _)| here.as_ref().is_some_and(|(_, digest)| digest == sha256));
        let validators = known.map(|(validators, ..)| validators);
        match (http.small(url, hosts, cap, validators.as_ref())?, here) {
            (Small::Unchanged, Some((bytes, _))) => Ok(bytes),
            (Small::Unchanged, None) => {
                Err(Fault::new(Code::ResponseInvalid, "304 for what is not here").at(url.as_str()))
            }
            (Small::Body(bytes, fetched), here) => {
                let same = here.is_some_and(|(old, _)| old == bytes);
                if !same {
                    self.touch()?;
                    if let Some((folders, _)) = path.rsplit_once('/') {
                        self.folder.make_folders(folders)?;
                    }
                    self.folder.write(path, &bytes, 0o644)?;
                }
                // An earlier run may have ended between writing the file and writing this down.
                if !same || !self.is_recorded(path, Some(fetched.sha256)) {
                    self.record([Fetched { path: Some(path.to_owned()), ..fetched }])?;
                }
                Ok(bytes)
            }
        }
    }

    /// A file of any size by HTTP. Answers whether it was fetched now.
    ///
    /// # Errors
    /// Those of [`Http::large`] and of writing.
    pub(super) fn large(
        &self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        path: &str,
        watch: &dyn Watch,
    ) -> Result<bool, Fault> {
        let size = self.folder.file(path).ok().and_then(|it| it.metadata().ok()).map(|it| it.len());
        let known = self
            .with(|state| state.log.known(path, url))
            .filter(|(_, _, recorded)| size == Some(*recorded))
            .map(|(validators, ..)| validators);
        let before = || self.touch();
        match http.large_after(url, hosts, self.folder, path, known.as_ref(), &before, watch)? {
            Large::Unchanged => Ok(false),
            Large::Done(fetched) => {
                self.record([Fetched { path: Some(path.to_owned()), ..fetched }])?;
                Ok(true)
            }
        }
    }

    /// A file of this run is of no use: [`Store::tidy`] removes it.
    pub(super) fn unwanted(&self, path: &str) {
        self.with(|state| state.kept.remove(path));
    }

    /// Removes what an earlier run left in the directory of a finished artifact and this one does not
    /// want, half-written files with it.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn tidy(&self, directory: &str, artifact: &str) -> Result<(), Fault> {
        let below = self.folder.folder(directory)?;
        for entry in below.list()?.files() {
            let path = format!("{directory}/{}", entry.name);
            let kept = path == artifact || self.with(|state| state.kept.contains(&path));
            if !kept {
                self.touch()?;
                below.remove(&entry.name)?;
            }
        }
        Ok(())
    }

    /// Whether a file is still the one that was recorded with this digest.
    #[must_use]
    pub(super) fn is_recorded(&self, path: &str, digest: Option<Sha256Digest>) -> bool {
        self.last(path).is_some_and(|entry| Some(entry.sha256) == digest)
    }

    /// Removes everything below a directory, and the directory; finished files and half-written ones.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn discard(&self, directory: &str) -> Result<(), Fault> {
        let Ok(below) = self.folder.folder(directory) else { return Ok(()) };
        self.touch()?;
        let listing = below.list()?;
        for entry in listing.files() {
            below.remove(&entry.name)?;
        }
        self.folder.remove_folder(directory);
        self.with(|state| state.log.forget(directory));
        Ok(())
    }

    /// How many bytes of a half-written file are here.
    #[must_use]
    pub(super) fn partial(&self, path: &str) -> u64 {
        let name = format!("{path}{TEMPORARY}");
        self.folder.file(&name).ok().and_then(|it| it.metadata().ok()).map_or(0, |it| written(&it))
    }

    /// The half-written files below a directory.
    ///
    /// # Errors
    /// [`Code::Unreadable`].
    pub(super) fn half_written(&self, directory: &str) -> Result<bool, Fault> {
        match self.folder.folder(directory) {
            Ok(below) => Ok(below.list()?.files().any(|it| it.name.ends_with(TEMPORARY))),
            Err(_) => Ok(false),
        }
    }

    /// The most that a small file of the vendor's has.
    pub(super) const SMALL: u64 = limits::BUNDLE_BYTES;
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
