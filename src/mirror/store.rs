//! The transfer directory while it is being filled. Before the first change a seal that lies there is
//! marked as broken up, so that at every moment the directory is an old transfer unchanged, or says that
//! it is none. Where nothing came that is better than what lies there, the mark is taken back.

use std::sync::{Mutex, PoisonError};

use url::Url;

use super::FetchRecord;
use super::http::Validators;
use super::log::FetchLog;
use crate::digest::Sha256Digest;
use crate::directory::{Folder, TEMPORARY};
use crate::image::NoProgress;
use crate::survey::hash;
use crate::transfer;
use crate::verdict::{Code, Fault};

/// The directories that are made for what is fetched.
const FOLDERS: [&str; 4] = ["trust/keys", "trust", "images", "packages"];

/// The `url` of a line that stands for a directory of things on their way.
const UNFINISHED: &str = "unfinished";

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// Nothing.
    Missing,
    /// Byte for byte what a run fetched.
    Fetched,
    /// Anything else, and what it is.
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
    /// A seal that lies there was looked after.
    touched: bool,
    /// This run marked it.
    marked: bool,
    /// Something of what was there is another now.
    replaced: bool,
    /// How many artifacts came.
    fetched: usize,
}

impl<'a> Store<'a> {
    /// A directory as earlier runs left it.
    #[must_use]
    pub(super) fn new(folder: &'a Folder) -> Self {
        // What an interrupted run wrote down is not what lies there under the old seal.
        let (log, replaced) = FetchLog::read(folder);
        let (touched, marked, fetched) = (false, false, 0);
        let state = StoreState { log, touched, marked, replaced, fetched };
        let new = FOLDERS.into_iter().filter(|name| folder.folder(name).is_err()).collect();
        Self { folder, new, state: Mutex::new(state) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut StoreState) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something will be written: from now on no old seal holds.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn touch(&self) -> Result<(), Fault> {
        self.with(|state| {
            if !state.touched {
                state.marked = transfer::begin(self.folder)?;
                state.touched = true;
            }
            Ok(())
        })
    }

    /// Writes fetches into the log, on the disk too: what is finished need not be fetched again.
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

    /// Whether what lies under a name is ours to replace or to remove: the one place where this is decided.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn ownership(&self, path: &str) -> Result<Ownership, Fault> {
        self.ownership_under(path, &[path])
    }

    /// The same of a file that was fetched under one of some names.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn ownership_under(&self, path: &str, names: &[&str]) -> Result<Ownership, Fault> {
        let size = match self.folder.file(path) {
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(Ownership::Missing),
            Err(_) => return Ok(Ownership::Foreign("no file")),
            Ok(file) => file.metadata().map_or(0, |it| it.len()),
        };
        let fetched: Vec<(u64, Sha256Digest)> = self.with(|state| {
            let fetched = names.iter().flat_map(|name| state.log.fetches(name));
            fetched.map(|it| (it.size, it.sha256)).collect()
        });
        if fetched.is_empty() {
            return Ok(Ownership::Foreign("it was not fetched"));
        }
        // A file of another size need not be read.
        if fetched.iter().any(|it| it.0 == size) {
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

    /// Refuses a directory in which a file has a name that the log knows, and is not what the log says.
    ///
    /// # Errors
    /// [`Code::OutputExists`], and those of reading.
    pub(super) fn clear(&self, directory: &str) -> Result<(), Fault> {
        let paths = self.with(|state| state.log.below(directory));
        paths.iter().try_for_each(|path| self.may_replace(path))
    }

    /// Whether a run made this directory for what is on its way.
    #[must_use]
    pub(super) fn has_begun(&self, directory: &str) -> bool {
        self.with(|state| {
            state.log.of(directory).is_some() || !state.log.below(directory).is_empty()
        })
    }

    /// Writes down that a directory is made for what is on its way, before it is.
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

    /// How the server called a file that lies here, its digest and its size, if it came from this URL.
    #[must_use]
    pub(super) fn known(&self, path: &str, url: &Url) -> Option<(Validators, Sha256Digest, u64)> {
        self.with(|state| state.log.known(path, url))
    }

    /// Files that were judged get their names. The log says so first: a file that it knows is one that
    /// was fetched, at every moment.
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

    /// Files that were never judged, or not well, are gone.
    pub(super) fn forget(&self, paths: &[String]) {
        self.with(|state| paths.iter().for_each(|path| state.log.forget(path)));
    }

    /// Something stays that is neither what was there nor judged: half of a file.
    pub(super) fn changed(&self) {
        self.with(|state| state.replaced = true);
    }

    /// An artifact came.
    pub(super) fn came(&self) {
        self.with(|state| state.fetched = state.fetched.saturating_add(1));
    }

    /// How many artifacts came.
    #[must_use]
    pub(super) fn fetched(&self) -> usize {
        self.with(|state| state.fetched)
    }

    /// Leaves one fetch of each file that lies there.
    fn prune(&self, log: &mut FetchLog) {
        log.choose(|path, entry| {
            let found = hash(self.folder, path, u64::MAX, &NoProgress);
            found.is_ok_and(|it| (it.size, it.sha256) == (entry.size, entry.sha256))
        });
        log.prune(|path| lies_there(self.folder, path));
    }

    /// The log of the files that lie there, which from now on lies in place of the old one.
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

    /// Nothing is sealed. Where nothing was changed the directory is what it was, with its seal.
    ///
    /// # Errors
    /// [`WriteFailed`](crate::verdict::Code::WriteFailed).
    pub(super) fn settle(&self) -> Result<(), Fault> {
        self.with(|state| {
            if !state.replaced {
                FetchLog::give_up(self.folder)?;
                if std::mem::take(&mut state.marked) {
                    transfer::unchanged_since(self.folder)?;
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

/// What is said of something that lies where a run would write.
pub(super) fn in_the_way(what: &str) -> Fault {
    let message =
        format!("{what}; a file of the vendor's belongs in its place; move it away and run again");
    Fault::new(Code::OutputExists, message)
}

/// Whether what the log names is there: a file, or the directory of what is on its way.
fn lies_there(folder: &Folder, path: &str) -> bool {
    folder.file(path).is_ok() || (path.ends_with(TEMPORARY) && folder.folder(path).is_ok())
}
