//! The handle on a directory where there is no `openat`: each part of a path is looked at before the
//! path is opened. A directory that is replaced by a link between the two is followed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Entry, EntryKind, FreeSpace, Listing, Stamp, TEMPORARY};
use super::system::of_system;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Opens a regular file that was found, not named by the operator. Links are followed.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileTypeRefused`] and [`Code::Unreadable`].
pub fn open_regular(path: &Path) -> Result<File, Fault> {
    let open = || {
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        Ok(file.metadata()?.is_file().then_some(file))
    };
    let shown = path.display().to_string();
    match open().map_err(|error: io::Error| fault(&error).at(shown.as_str()))? {
        Some(file) => Ok(file),
        None => Err(Fault::new(Code::FileTypeRefused, "not a regular file").at(shown)),
    }
}

/// A directory, by its path.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    shown: String,
    /// Files that are read in place of those of a name.
    instead: BTreeMap<String, String>,
}

impl Folder {
    /// Opens the directory that the operator named; links on the way to it are followed.
    ///
    /// # Errors
    /// [`Code::FileNotFound`] and [`Code::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let root = fs::canonicalize(path).map_err(|error| fault(&error).at(shown.as_str()))?;
        if root.is_dir() {
            return Ok(Self { root, shown, instead: BTreeMap::new() });
        }
        Err(Fault::new(Code::Unreadable, "not a directory").at(shown))
    }

    /// Opens a directory below the directory; no part of its name may be a link.
    ///
    /// # Errors
    /// Those of [`Folder::file`].
    pub fn folder(&self, name: &str) -> Result<Self, Fault> {
        let shown = self.show(name);
        let mut root = self.root.clone();
        for part in name.split('/') {
            root.push(part);
            if !is_folder(&root).map_err(|fault| fault.at(shown.as_str()))? {
                let message = format!("{part} is a link or a file where a directory should be");
                return Err(Fault::new(Code::FileTypeRefused, message).at(shown));
            }
        }
        Ok(Self { root, shown, instead: BTreeMap::new() })
    }

    /// The same directory, in which certain files are read from other files of it: the directory as it
    /// would be if those had been renamed.
    ///
    /// # Errors
    /// None.
    pub fn with(&self, instead: BTreeMap<String, String>) -> Result<Self, Fault> {
        Ok(Self { root: self.root.clone(), shown: self.shown.clone(), instead })
    }

    /// The path as the operator gave it, for messages.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A name below the directory as a path for messages.
    #[must_use]
    pub fn show(&self, name: &str) -> String {
        format!("{}/{name}", self.shown.trim_end_matches('/'))
    }

    /// Lists everything below the directory without following links.
    ///
    /// # Errors
    /// [`Code::Unreadable`] when a directory can't be read, also when there is more in it than
    /// [`limits::FOLDER_ENTRIES`] or deeper than [`limits::FOLDER_DEPTH`].
    pub fn list(&self) -> Result<Listing, Fault> {
        let (listing, faults) = self.look()?;
        match faults.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => Ok(listing),
        }
    }

    /// Lists everything below the directory; also says which directories can't be listed, and why.
    ///
    /// # Errors
    /// [`Code::Unreadable`] if the directory itself can't be listed, or if it holds more than the limits
    /// allow.
    pub fn look(&self) -> Result<(Listing, Vec<(String, Fault)>), Fault> {
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        let walk = walkdir::WalkDir::new(&self.root).min_depth(1).follow_links(false);
        for found in walk {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    let fault = Fault::new(Code::Unreadable, error.to_string());
                    let below = error.path().and_then(|path| path.strip_prefix(&self.root).ok());
                    match below.map(|path| path.to_string_lossy().into_owned()) {
                        Some(name) if !name.is_empty() => {
                            let fault = of_system(&name, fault);
                            faults.push((name, fault));
                        }
                        _ => return Err(fault.at(self.shown.as_str())),
                    }
                    continue;
                }
            };
            if entries.len() >= limits::FOLDER_ENTRIES || found.depth() > limits::FOLDER_DEPTH {
                let message = "more files and directories, or deeper ones, than there may be";
                return Err(Fault::new(Code::Unreadable, message).at(self.shown.as_str()));
            }
            let below = found.path().strip_prefix(&self.root).unwrap_or(found.path());
            let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
            let kind = match (&parts, found.file_type()) {
                (None, _) => EntryKind::NotText,
                (_, kind) if kind.is_symlink() => EntryKind::Link,
                (_, kind) if kind.is_dir() => EntryKind::Directory,
                (_, kind) if kind.is_file() => EntryKind::File,
                _ => EntryKind::Special,
            };
            let name =
                parts.map_or_else(|| below.to_string_lossy().into_owned(), |parts| parts.join("/"));
            let size = match kind {
                EntryKind::File => found.metadata().map_or(0, |metadata| metadata.len()),
                _ => 0,
            };
            entries.push(Entry { name, kind, size });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok((Listing { entries }, faults))
    }

    /// Opens a regular file below the directory; no part of its name may be a link.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileTypeRefused`] for a link or what is not a regular file, and
    /// [`Code::Unreadable`].
    pub fn file(&self, name: &str) -> Result<File, Fault> {
        let there = self.instead.get(name).map_or(name, String::as_str);
        let path = self.looked_at(there).map_err(|fault| fault.at(self.show(name)))?;
        let open = || {
            let file = File::open(&path)?;
            let regular = fs::symlink_metadata(&path)?.is_file() && file.metadata()?.is_file();
            Ok(regular.then_some(file))
        };
        match open().map_err(|error: io::Error| fault(&error).at(self.show(name)))? {
            Some(file) => Ok(file),
            None => {
                Err(Fault::new(Code::FileTypeRefused, "not a regular file").at(self.show(name)))
            }
        }
    }

    /// The path of a name whose directories are no links.
    fn looked_at(&self, name: &str) -> Result<PathBuf, Fault> {
        let mut path = self.root.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            if parts.peek().is_some() && !is_folder(&path)? {
                let message = format!("{part} is a link or a file where a directory should be");
                return Err(Fault::new(Code::FileTypeRefused, message));
            }
        }
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Fault::new(Code::FileTypeRefused, "not a regular file"));
        }
        Ok(path)
    }

    /// Creates a directory below the directory, and those above it, unless they exist.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and [`Code::FileTypeRefused`] when something else has the name.
    pub fn make_folders(&self, name: &str) -> Result<(), Fault> {
        let mut path = self.root.clone();
        for part in name.split('/') {
            path.push(part);
            match fs::create_dir(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(unwritable(&error).at(self.show(name)));
                }
                _ => {}
            }
            if !is_folder(&path)? {
                let message = format!("{part} is a link or a file where a directory should be");
                return Err(Fault::new(Code::FileTypeRefused, message).at(self.show(name)));
            }
        }
        Ok(())
    }

    /// Creates a file that must not be there, for writing.
    pub(super) fn create(&self, name: &str, _mode: u32) -> Result<File, Fault> {
        let path = self.looked_at(name).map_err(|fault| fault.at(self.show(name)))?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| unwritable(&error).at(self.show(name)))
    }

    /// Opens the half-written file of a name (the name and [`TEMPORARY`]) for reading and writing; creates
    /// it, and the directories above it, if they do not exist.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and [`Code::FileTypeRefused`] for what is not a regular file.
    pub fn part(&self, name: &str) -> Result<File, Fault> {
        if let Some((folders, _)) = name.rsplit_once('/') {
            self.make_folders(folders)?;
        }
        let name = format!("{name}{TEMPORARY}");
        let path = self.looked_at(&name).map_err(|fault| fault.at(self.show(&name)))?;
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| unwritable(&error).at(self.show(&name)))
    }

    /// Removes a directory if it is there and empty.
    pub fn remove_folder(&self, name: &str) {
        let _ = fs::remove_dir(self.root.join(name));
    }

    /// The stamp of a file, if there is one of this name.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        let metadata = self.file(name).ok()?.metadata().ok()?;
        let time = jiff::Timestamp::try_from(metadata.modified().ok()?).ok()?;
        let nanoseconds = u64::try_from(time.subsec_nanosecond()).ok()?;
        let changed = (time.as_second(), nanoseconds);
        Some(Stamp { size: metadata.len(), changed, number: 0 })
    }

    /// There is no cache to speak of here.
    pub fn drop_cache(&self, name: &str) {
        let _ = (&self.root, name);
    }

    /// What the file system has room for: nothing is known here.
    ///
    /// # Errors
    /// None.
    pub fn free_space(&self) -> Result<FreeSpace, Fault> {
        Ok(FreeSpace { free: u64::MAX, largest_file: None })
    }

    /// Gives a file another name in the same directory, in place of what had it.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        fs::rename(self.looked_at(from)?, self.looked_at(to)?)
            .map_err(|error| unwritable(&error).at(self.show(to)))
    }

    /// Moves a file to another name below the directory, in place of the file that had it.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and those of looking at the directories.
    pub fn take(&self, from: &str, to: &str) -> Result<(), Fault> {
        self.rename(from, to)
    }

    /// Directories can't be synced here.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        let _ = &self.root;
        Ok(())
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub fn remove(&self, name: &str) -> Result<(), Fault> {
        let path = match self.looked_at(name) {
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(()),
            other => other?,
        };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unwritable(&error).at(self.show(name)))
            }
            _ => Ok(()),
        }
    }

    /// There is no lock on a directory here.
    ///
    /// # Errors
    /// None.
    pub fn lock(&self) -> Result<Lock, Fault> {
        Ok(Lock)
    }

    /// Whether an existing path, with links followed, is this directory.
    #[must_use]
    pub fn is(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|path| path == self.root)
    }

    /// Whether an existing path, with links followed, is this directory or inside it.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|path| path.starts_with(&self.root))
    }
}

/// No lock.
#[derive(Debug)]
pub struct Lock;

fn is_folder(path: &Path) -> Result<bool, Fault> {
    fs::symlink_metadata(path).map(|metadata| metadata.is_dir()).map_err(|error| fault(&error))
}

fn fault(error: &io::Error) -> Fault {
    let code = match error.kind() {
        io::ErrorKind::NotFound => Code::FileNotFound,
        _ => Code::Unreadable,
    };
    Fault::new(code, error.to_string())
}

fn unwritable(error: &io::Error) -> Fault {
    Fault::new(Code::WriteFailed, error.to_string())
}
