//! The handle on a directory (POSIX `openat` with `O_NOFOLLOW`).

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::entry::{Entry, EntryKind, FreeSpace, Listing, Stamp, TEMPORARY};
use super::system::of_system;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Opens a regular file that was found under a path and that nobody named: it is not waited for
/// (a pipe without a writer would never open), and what is no file is refused. Links are followed.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileTypeRefused`] and [`Code::Unreadable`].
pub fn open_regular(path: &Path) -> Result<File, Fault> {
    let open = || {
        let refuse = |kind| {
            let kind = FileType::from_raw_mode(kind);
            let message = format!("{}, not a regular file", words(kind));
            (kind != FileType::RegularFile).then(|| Fault::new(Code::FileTypeRefused, message))
        };
        // Looked at before opening, which can have effects on a device, and again behind it.
        let seen = rustix::fs::stat(path).map_err(fault)?;
        refuse(seen.st_mode).map_or(Ok(()), Err)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(fault)?;
        let opened = rustix::fs::fstat(&file).map_err(fault)?;
        refuse(opened.st_mode).map_or(Ok(File::from(file)), Err)
    };
    open().map_err(|fault: Fault| fault.at(path.display().to_string()))
}

/// An open directory. What the path in front of it leads to later makes no difference.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
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
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|error| fault(error).at(shown.as_str()))?;
        Ok(Self { handle, shown, instead: BTreeMap::new() })
    }

    /// Opens a directory below the directory; no part of its name may be a link.
    ///
    /// # Errors
    /// Those of [`Folder::file`].
    pub fn folder(&self, name: &str) -> Result<Self, Fault> {
        let shown = self.show(name);
        let (parent, base) = self.parent(name).map_err(|fault| fault.at(shown.as_str()))?;
        let handle = folder_at(parent.as_fd(), base).map_err(|fault| fault.at(shown.as_str()))?;
        Ok(Self { handle, shown, instead: BTreeMap::new() })
    }

    /// The same directory, in which reading a file of a name reads another one that lies in it: how the
    /// directory would be if that one stood there.
    ///
    /// # Errors
    /// [`Code::Unreadable`].
    pub fn with(&self, instead: BTreeMap<String, String>) -> Result<Self, Fault> {
        let handle = self.handle.try_clone().map_err(|error| {
            Fault::new(Code::Unreadable, error.to_string()).at(self.shown.as_str())
        })?;
        Ok(Self { handle, shown: self.shown.clone(), instead })
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

    /// What lies below the directory, and the directories below it that can't be listed, each by its name
    /// and with its fault.
    ///
    /// # Errors
    /// [`Code::Unreadable`] when the directory itself can't be listed, or when there is more in it than
    /// there may be.
    pub fn look(&self) -> Result<(Listing, Vec<(String, Fault)>), Fault> {
        let mut walk =
            Walk { entries: Vec::new(), faults: Vec::new(), room: limits::FOLDER_NAMES_BYTES };
        walk.list(self.handle.as_fd(), "", 0).map_err(|halt| match halt {
            Halt::Here(fault) | Halt::Limit(fault) => fault.at(self.shown.as_str()),
        })?;
        let Walk { mut entries, faults, .. } = walk;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let faults = faults.into_iter().map(|(name, fault)| {
            let fault = of_system(&name, fault).at(self.show(&name));
            (name, fault)
        });
        Ok((Listing { entries }, faults.collect()))
    }

    /// Opens a regular file below the directory; no part of its name may be a link.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileTypeRefused`] for a link or what is no regular file, and
    /// [`Code::Unreadable`].
    pub fn file(&self, name: &str) -> Result<File, Fault> {
        self.file_at(name).map_err(|fault| fault.at(self.show(name)))
    }

    fn file_at(&self, name: &str) -> Result<File, Fault> {
        let name = self.instead.get(name).map_or(name, String::as_str);
        let (parent, base) = self.parent(name)?;
        // Without O_NONBLOCK opening a pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parent.as_fd(), base, flags, Mode::empty()).map_err(fault)?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&file).map_err(fault)?.st_mode);
        if kind == FileType::RegularFile {
            return Ok(File::from(file));
        }
        Err(Fault::new(Code::FileTypeRefused, format!("{}, not a regular file", words(kind))))
    }

    /// The handle on the directory that holds a name, and the name's last part.
    fn parent<'a>(&self, name: &'a str) -> Result<(Handle<'_>, &'a str), Fault> {
        let Some((folders, base)) = name.rsplit_once('/') else {
            return Ok((Handle::Root(self.handle.as_fd()), name));
        };
        let mut handle = Handle::Root(self.handle.as_fd());
        for part in folders.split('/') {
            handle = Handle::Below(folder_at(handle.as_fd(), part)?);
        }
        Ok((handle, base))
    }

    /// Creates a directory below the directory, unless it is there; so with those above it.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and [`Code::FileTypeRefused`] when something else has the name.
    pub fn make_folders(&self, name: &str) -> Result<(), Fault> {
        let mut handle = Handle::Root(self.handle.as_fd());
        for part in name.split('/') {
            match rustix::fs::mkdirat(handle.as_fd(), part, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(unwritable(error).at(self.show(name))),
            }
            let below = folder_at(handle.as_fd(), part);
            handle = Handle::Below(below.map_err(|fault| fault.at(self.show(name)))?);
        }
        Ok(())
    }

    /// Creates a file that must not be there, for writing; with these permission bits.
    pub(super) fn create(&self, name: &str, mode: u32) -> Result<File, Fault> {
        let (parent, base) = self.parent(name)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(parent.as_fd(), base, flags, Mode::from_raw_mode(mode))
            .map(File::from)
            .map_err(|error| unwritable(error).at(self.show(name)))
    }

    /// Opens the half-written file of a name, [`TEMPORARY`] behind it, for reading and writing;
    /// creates it, and the directories above, if they are not there.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and [`Code::FileTypeRefused`] for what is no regular file.
    pub fn part(&self, name: &str) -> Result<File, Fault> {
        if let Some((folders, _)) = name.rsplit_once('/') {
            self.make_folders(folders)?;
        }
        let name = format!("{name}{TEMPORARY}");
        let (parent, base) = self.parent(&name)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parent.as_fd(), base, flags, Mode::from_raw_mode(0o644))
            .map_err(|error| unwritable(error).at(self.show(&name)))?;
        let stat = rustix::fs::fstat(&file).map_err(|error| fault(error).at(self.show(&name)))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(
                Fault::new(Code::FileTypeRefused, "not a regular file").at(self.show(&name))
            );
        }
        if stat.st_nlink > 1 {
            // It has another name, perhaps outside the directory, and what has that must not change.
            drop(file);
            self.remove(&name)?;
            return rustix::fs::openat(
                parent.as_fd(),
                base,
                flags | OFlags::EXCL,
                Mode::from_raw_mode(0o644),
            )
            .map(File::from)
            .map_err(|error| unwritable(error).at(self.show(&name)));
        }
        Ok(File::from(file))
    }

    /// Removes a directory if it is there and empty.
    pub fn remove_folder(&self, name: &str) {
        if let Ok((parent, base)) = self.parent(name) {
            let _ = rustix::fs::unlinkat(parent.as_fd(), base, AtFlags::REMOVEDIR);
        }
    }

    /// The stamp of a file, if there is one of this name.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        let stat = rustix::fs::fstat(self.file(name).ok()?).ok()?;
        let changed = (stat.st_ctime, stat.st_ctime_nsec);
        let size = u64::try_from(stat.st_size).ok()?;
        Some(Stamp { size, changed, number: stat.st_ino })
    }

    /// Has a file's content dropped from the system's cache, where that can be asked for, so that who reads
    /// it next reads the medium.
    pub fn drop_cache(&self, name: &str) {
        #[cfg(target_os = "linux")]
        if let Ok(file) = self.file(name) {
            let _ = file.sync_data();
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = name;
    }

    /// What the file system has room for.
    ///
    /// # Errors
    /// [`Code::Unreadable`].
    pub fn free_space(&self) -> Result<FreeSpace, Fault> {
        let fail = |error| fault(error).at(self.shown.as_str());
        let space = rustix::fs::fstatvfs(&self.handle).map_err(fail)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        Ok(FreeSpace { free, largest_file: largest_file(&self.handle) })
    }

    /// Gives a file another name in the same directory, in place of what had it, and has the
    /// directory written to the medium.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        let fail = |error| unwritable(error).at(self.show(to));
        let (parent, base) = self.parent(to)?;
        let (_, from) = self.parent(from)?;
        rustix::fs::renameat(parent.as_fd(), from, parent.as_fd(), base).map_err(fail)?;
        sync(parent.as_fd()).map_err(fail)
    }

    /// Moves a file to another name below the directory, in place of the file that had it, and has both
    /// directories written to the medium.
    ///
    /// # Errors
    /// [`Code::WriteFailed`], and those of opening the directories.
    pub fn take(&self, from: &str, to: &str) -> Result<(), Fault> {
        let fail = |error| unwritable(error).at(self.show(to));
        let (old, old_base) = self.parent(from)?;
        let (new, new_base) = self.parent(to)?;
        rustix::fs::renameat(old.as_fd(), old_base, new.as_fd(), new_base).map_err(fail)?;
        sync(new.as_fd()).and_then(|()| sync(old.as_fd())).map_err(fail)
    }

    /// Has the names in the directory itself written to the medium.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        sync(self.handle.as_fd()).map_err(|error| unwritable(error).at(self.shown.as_str()))
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub fn remove(&self, name: &str) -> Result<(), Fault> {
        let (parent, base) = match self.parent(name) {
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(()),
            other => other?,
        };
        match rustix::fs::unlinkat(parent.as_fd(), base, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(unwritable(error).at(self.show(name))),
        }
    }

    /// Holds a lock on the directory until the answer is dropped; waits some seconds for others that
    /// hold it. Where the file system knows no locks, nothing is held.
    ///
    /// # Errors
    /// [`Code::WriteFailed`] when somebody else keeps it.
    pub fn lock(&self) -> Result<Lock, Fault> {
        const TRIES: u32 = 50;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(handle) = rustix::fs::openat(self.handle.as_fd(), ".", flags, Mode::empty()) else {
            return Ok(Lock(None));
        };
        for _ in 0..TRIES {
            match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock(Some(handle))),
                Err(Errno::WOULDBLOCK | Errno::INTR) => {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                Err(_) => return Ok(Lock(None)),
            }
        }
        let message = "another process holds the directory, and writes to it or hangs";
        Err(Fault::new(Code::WriteFailed, message).at(self.shown.as_str()))
    }

    /// Whether an existing path, followed as the system follows it, is this directory.
    #[must_use]
    pub fn is(&self, path: &Path) -> bool {
        let Ok(root) = rustix::fs::fstat(&self.handle) else { return false };
        rustix::fs::stat(path)
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (root.st_dev, root.st_ino))
    }

    /// Whether an existing path, followed as the system follows it, lies in this directory or is it.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        path.ancestors().any(|above| self.is(above))
    }
}

/// The largest file that the file system can hold, where that is a limit in practice: FAT.
#[cfg(target_os = "linux")]
fn largest_file(handle: &OwnedFd) -> Option<u64> {
    const MSDOS: i128 = 0x4d44;
    let kind = rustix::fs::fstatfs(handle).ok()?.f_type;
    (i128::from(kind) == MSDOS).then_some(u64::from(u32::MAX))
}

#[cfg(not(target_os = "linux"))]
fn largest_file(_: &OwnedFd) -> Option<u64> {
    None
}

/// A lock on a directory, as long as it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not used")] Option<OwnedFd>);

enum Handle<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl Handle<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(handle) => *handle,
            Self::Below(handle) => handle.as_fd(),
        }
    }
}

fn sync(folder: BorrowedFd<'_>) -> Result<(), Errno> {
    match rustix::fs::fsync(folder) {
        // Some file systems can't sync a directory, and need not.
        Ok(()) | Err(Errno::INVAL | Errno::ROFS) => Ok(()),
        Err(error) => Err(error),
    }
}

fn folder_at(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty()).map_err(|error| match error {
        // A link is ENOTDIR with O_DIRECTORY on Linux, ELOOP elsewhere.
        Errno::NOTDIR | Errno::LOOP => {
            let message = format!("{name} is a link or a file where a directory should be");
            Fault::new(Code::FileTypeRefused, message)
        }
        other => fault(other),
    })
}

/// A walk over everything below a directory.
struct Walk {
    entries: Vec<Entry>,
    /// Directories that can't be listed.
    faults: Vec<(String, Fault)>,
    /// Bytes that are left for names.
    room: usize,
}

impl Walk {
    /// Lists one directory and those below it.
    fn list(&mut self, handle: BorrowedFd<'_>, prefix: &str, depth: usize) -> Result<(), Halt> {
        let mut folders = Vec::new();
        for found in Dir::read_from(handle).map_err(unlisted)? {
            let found = found.map_err(unlisted)?;
            let name = found.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            if self.entries.len() >= limits::FOLDER_ENTRIES {
                let message = format!("more than {} files and directories", limits::FOLDER_ENTRIES);
                return Err(Halt::Limit(Fault::new(Code::Unreadable, message)));
            }
            let mut kind = found.file_type();
            let mut size = 0;
            if matches!(kind, FileType::Unknown | FileType::RegularFile) {
                match rustix::fs::statat(handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => {
                        kind = FileType::from_raw_mode(stat.st_mode);
                        size = u64::try_from(stat.st_size).unwrap_or(0);
                    }
                    // It went away meanwhile: opening it will say so.
                    Err(Errno::NOENT) if kind != FileType::Unknown => {}
                    Err(error) => return Err(unlisted(error)),
                }
            }
            let entry = entry(prefix, name, kind, size);
            if entry.kind == EntryKind::Directory {
                folders.push(entry.name.clone());
            }
            self.room = self.room.checked_sub(entry.name.len()).ok_or_else(|| {
                let message = format!("names of more than {} bytes", limits::FOLDER_NAMES_BYTES);
                Halt::Limit(Fault::new(Code::Unreadable, message))
            })?;
            self.entries.push(entry);
        }
        for folder in folders {
            let base = folder.rsplit('/').next().unwrap_or(&folder);
            let depth = depth.saturating_add(1);
            if depth > limits::FOLDER_DEPTH {
                let most = limits::FOLDER_DEPTH;
                let message = format!("more than {most} directories below one another");
                return Err(Halt::Limit(Fault::new(Code::Unreadable, message).at(folder)));
            }
            let listed = folder_at(handle, base)
                .map_err(Halt::Here)
                .and_then(|below| self.list(below.as_fd(), &folder, depth));
            match listed {
                Ok(()) => {}
                Err(Halt::Here(fault)) => self.faults.push((folder, fault)),
                Err(limit) => return Err(limit),
            }
        }
        Ok(())
    }
}

/// What ends a walk.
enum Halt {
    /// This directory can't be listed.
    Here(Fault),
    /// There is more than there may be.
    Limit(Fault),
}

fn unlisted(error: Errno) -> Halt {
    Halt::Here(fault(error))
}

fn entry(prefix: &str, name: &CStr, kind: FileType, size: u64) -> Entry {
    let kind = match (name.to_str(), kind) {
        (Err(_), _) => EntryKind::NotText,
        (_, FileType::RegularFile) => EntryKind::File,
        (_, FileType::Directory) => EntryKind::Directory,
        (_, FileType::Symlink) => EntryKind::Link,
        _ => EntryKind::Special,
    };
    let size = if kind == EntryKind::File { size } else { 0 };
    let name = name.to_string_lossy();
    let name = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}/{name}") };
    Entry { name, kind, size }
}

fn words(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => EntryKind::Directory.words(),
        FileType::Symlink => EntryKind::Link.words(),
        _ => EntryKind::Special.words(),
    }
}

fn fault(error: Errno) -> Fault {
    let code = match error {
        Errno::NOENT => Code::FileNotFound,
        Errno::LOOP => return Fault::new(Code::FileTypeRefused, "a symbolic link"),
        _ => Code::Unreadable,
    };
    Fault::new(code, io::Error::from(error).to_string())
}

fn unwritable(error: Errno) -> Fault {
    Fault::new(Code::WriteFailed, io::Error::from(error).to_string())
}
