//! The transfer directory while it is being filled.
//!
//! Before the first change an old seal is marked as broken, so that at every moment the directory either
//! is an unchanged old transfer or says that it is not a transfer. If nothing was changed, the mark is removed.

use std::sync::{Mutex, PoisonError};

use url::Url;

use super::FetchRecord;
use super::fetch_log::FetchLog;
use super::http::Validators;
use crate::digest::Sha256Digest;
use crate::directory::{Folder, TEMPORARY};
use crate::image::NoProgress;
use crate::survey::hash;
use crate::transfer;
use crate::verdict::{Code, Fault};

/// The directories that are created for what is fetched.
const FOLDERS: [&str; 4] = ["trust/keys", "trust", "images", "packages"];

/// The `url` of a record for a staging directory.
const UNFINISHED: &str = "unfinished";

/// Who a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// There is no file.
    Missing,
    /// Byte for byte what a run fetched.
    Fetched,
    /// Anything else, with a description.
    Foreign(&'static str),
}

/// A directory and the log of what came into it.
#[derive(Debug)]
pub(super) struct Store<'a> {
    /// The directory.
    pub(super) folder: &'a Folder,
    /// Those of [`FOLDERS`] that were not there.
    new: Vec<&'static str>,
    state: Mutex<StoreState>,
}

#[derive(Debug)]
struct StoreState {
    log: FetchLog,
    /// An old seal was marked, if there was one.
    touched: bool,
    /// This run marked it.
    marked: bool,
    /// Something that was there has been replaced or removed.
    replaced: bool,
    /// How many artifacts were fetched.
    fetched: usize,
}

impl<'a> Store<'a> {
    /// A directory as earlier runs left it.
    #[must_use]
    pub(super) fn new(folder: &'a Folder) -> Self {
        // The log of an interrupted run is not the one under the old seal.
        let (log, replaced) = FetchLog::read(folder);
        let (touched, marked, fetched) = (false, false, 0);
        let state = StoreState { log, touched, marked, replaced, fetched };
        let new = FOLDERS.into_iter().filter(|name| folder.folder(name).is_err()).collect();
        Self { folder, new, state: Mutex::new(state) }
    }

    fn with<T>(&self, action: impl FnOnce(&mut StoreState) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Announces a change: from now on no old seal holds.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn touch(&self) -> Result<(), Fault> {
        self.with(|state| {
            if !state.touched {
                state.marked = transfer::mark_incomplete(self.folder)?;
                state.touched = true;
            }
            Ok(())
        })
    }

    /// Adds fetches to the log and writes it: what is finished need not be fetched again.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn record(
        &self,
        entries: impl IntoIterator<Item = FetchRecord>,
    ) -> Result<(), Fault> {
        self.touch()?;
        self.with(|state| {
            entries.into_iter().for_each(|entry| state.log.add(entry));
            state.log.write(self.folder)
        })
    }

    /// The last fetch of a file.
    #[must_use]
    pub(super) fn last(&self, path: &str) -> Option<FetchRecord> {
        self.with(|state| state.log.of(path).cloned())
    }

    /// Whether a file is still the one that was recorded with this digest.
    #[must_use]
    pub(super) fn is_recorded(&self, path: &str, digest: Option<Sha256Digest>) -> bool {
        self.last(path).is_some_and(|entry| Some(entry.sha256) == digest)
    }

    /// Whether a file is ours to replace or remove: the one place where this is decided.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn ownership(&self, path: &str) -> Result<Ownership, Fault> {
        self.ownership_under(path, &[path])
    }

    /// The same for a file that was fetched under one of several names.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn ownership_under(&self, path: &str, names: &[&str]) -> Result<Ownership, Fault> {
        let size = match self.folder.file(path) {
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(Ownership::Missing),
            Err(_) => return Ok(Ownership::Foreign("no file")),
            Ok(file) => file.metadata().map_or(0, |metadata| metadata.len()),
        };
        let fetched: Vec<(u64, Sha256Digest)> = self.with(|state| {
            let fetched = names.iter().flat_map(|name| state.log.fetches(name));
            fetched.map(|record| (record.size, record.sha256)).collect()
        });
        if fetched.is_empty() {
            return Ok(Ownership::Foreign("it was not fetched"));
        }
        // A file of another size need not be read.
        if fetched.iter().any(|(recorded, _)| *recorded == size) {
            let found = hash(self.folder, path, u64::MAX, &NoProgress)?.sha256;
            if fetched.contains(&(size, found)) {
                return Ok(Ownership::Fetched);
            }
        }
        Ok(Ownership::Foreign("not what was fetched: damaged or replaced"))
    }

    /// Refuses to replace or remove what is not [`Ownership::Fetched`].
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading it.
    pub(super) fn may_replace(&self, path: &str) -> Result<(), Fault> {
        match self.ownership(path)? {
            Ownership::Missing | Ownership::Fetched => Ok(()),
            Ownership::Foreign(what) => Err(in_the_way(what).at(self.folder.show(path))),
        }
    }

    /// Refuses a directory that holds a file which the log names and which is not what the log says.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn clear(&self, directory: &str) -> Result<(), Fault> {
        let paths = self.with(|state| state.log.below(directory));
        paths.iter().try_for_each(|path| self.may_replace(path))
    }

    /// Whether a run created this staging directory.
    #[must_use]
    pub(super) fn has_begun(&self, directory: &str) -> bool {
        self.with(|state| {
            state.log.of(directory).is_some() || !state.log.below(directory).is_empty()
        })
    }

    /// Records a staging directory, before it is created.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn begin(&self, directory: &str) -> Result<(), Fault> {
        match self.with(|state| state.log.of(directory).is_some()) {
            true => self.touch(),
            false => {
                let empty = Sha256Digest::of(b"");
                self.record([FetchRecord::local(UNFINISHED.to_owned(), directory, 0, empty)])
            }
        }
    }

    /// The validators, digest and size of a file that is here, if it came from this URL.
    #[must_use]
    pub(super) fn known(&self, path: &str, url: &Url) -> Option<(Validators, Sha256Digest, u64)> {
        self.with(|state| state.log.known(path, url))
    }

    /// Gives files that were judged their names. The log is written first, so that at every moment a file
    /// that it names is one that was fetched.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn replace(&self, moves: &[(&str, &str)]) -> Result<(), Fault> {
        if moves.is_empty() {
            return Ok(());
        }
        self.touch()?;
        self.with(|state| {
            state.replaced = true;
            moves.iter().for_each(|(from, to)| state.log.rename(from, to));
            state.log.write(self.folder)
        })?;
        for (from, to) in moves {
            if let Some((folders, _)) = to.rsplit_once('/') {
                self.folder.make_folders(folders)?;
            }
            self.folder.take(from, to)?;
            self.with(|state| state.log.arrived(to));
        }
        Ok(())
    }

    /// Removes a file that an earlier run fetched.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn remove(&self, path: &str) -> Result<(), Fault> {
        self.touch()?;
        self.folder.remove(path)?;
        self.with(|state| {
            state.replaced = true;
            state.log.forget(path);
            state.log.write(self.folder)
        })
    }

    /// Forgets files that are gone: they were never judged, or not well.
    pub(super) fn forget(&self, paths: &[String]) {
        self.with(|state| paths.iter().for_each(|path| state.log.forget(path)));
    }

    /// Notes that something stays that was neither here before nor judged: part of a file.
    pub(super) fn changed(&self) {
        self.with(|state| state.replaced = true);
    }

    /// Counts an artifact that was fetched.
    pub(super) fn came(&self) {
        self.with(|state| state.fetched = state.fetched.saturating_add(1));
    }

    /// How many artifacts were fetched.
    #[must_use]
    pub(super) fn fetched(&self) -> usize {
        self.with(|state| state.fetched)
    }

    /// Keeps one fetch of each file that is there.
    fn prune(&self, log: &mut FetchLog) {
        log.choose(|path, entry| {
            let found = hash(self.folder, path, u64::MAX, &NoProgress);
            found.is_ok_and(|found| (found.size, found.sha256) == (entry.size, entry.sha256))
        });
        log.prune(|path| exists(self.folder, path));
    }

    /// Replaces the old log by that of the files that are there, and returns it.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn log(&self) -> Result<Vec<u8>, Fault> {
        self.with(|state| {
            self.prune(&mut state.log);
            if state.touched {
                state.log.finish(self.folder)?;
            }
            state.log.to_bytes()
        })
    }

    /// Ends a run that seals nothing. If nothing was changed, the directory is what it was, with its seal.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn settle(&self) -> Result<(), Fault> {
        self.with(|state| {
            if !state.replaced {
                FetchLog::give_up(self.folder)?;
                if std::mem::take(&mut state.marked) {
                    transfer::remove_mark(self.folder)?;
                }
            } else {
                self.prune(&mut state.log);
                match state.log.is_empty() {
                    false => state.log.finish(self.folder)?,
                    true => FetchLog::give_up(self.folder)?,
                }
            }
            for name in &self.new {
                self.folder.remove_folder(name);
            }
            Ok(())
        })
    }
}

/// The fault for something in the place where a run would write.
pub(super) fn in_the_way(what: &str) -> Fault {
    let message =
        format!("{what}; a file of the vendor's belongs in its place; move it away and run again");
    Fault::new(Code::OutputExists, message)
}

/// Whether what the log names exists: a file, or a staging directory.
fn exists(folder: &Folder, path: &str) -> bool {
    folder.file(path).is_ok() || (path.ends_with(TEMPORARY) && folder.folder(path).is_ok())
}
