//! Opening a directory and files below it, each part of a path from the handle on the part above it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::directory::entry::EntryKind;
use crate::verdict::{Code, Fault};

/// Opens a regular file that was found, not named by the operator: opening never blocks (as a pipe
/// without a writer would), and anything but a file is refused. Links are followed.
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
        // Checked before opening, which can have effects on a device, and again afterwards.
        let seen = rustix::fs::stat(path).map_err(fault)?;
        refuse(seen.st_mode).map_or(Ok(()), Err)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(fault)?;
        let opened = rustix::fs::fstat(&file).map_err(fault)?;
        refuse(opened.st_mode).map_or(Ok(File::from(file)), Err)
    };
    open().map_err(|fault: Fault| fault.at(path.display().to_string()))
}

/// An open directory. Where its path leads later makes no difference.
#[derive(Debug)]
pub struct Folder {
    pub(super) handle: OwnedFd,
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

    /// The same directory, in which certain files are read from other files of it: the directory as it
    /// would be if those had been renamed.
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

    /// Opens a regular file below the directory; no part of its name may be a link.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileTypeRefused`] for a link or what is not a regular file, and
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
    pub(super) fn parent<'a>(&self, name: &'a str) -> Result<(Handle<'_>, &'a str), Fault> {
        let Some((folders, base)) = name.rsplit_once('/') else {
            return Ok((Handle::Root(self.handle.as_fd()), name));
        };
        let mut handle = Handle::Root(self.handle.as_fd());
        for part in folders.split('/') {
            handle = Handle::Below(folder_at(handle.as_fd(), part)?);
        }
        Ok((handle, base))
    }

    /// Whether an existing path, with links followed, is this directory.
    #[must_use]
    pub fn is(&self, path: &Path) -> bool {
        let Ok(root) = rustix::fs::fstat(&self.handle) else { return false };
        rustix::fs::stat(path)
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (root.st_dev, root.st_ino))
    }

    /// Whether an existing path, with links followed, is this directory or inside it.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        path.ancestors().any(|above| self.is(above))
    }
}

pub(super) enum Handle<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl Handle<'_> {
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(handle) => *handle,
            Self::Below(handle) => handle.as_fd(),
        }
    }
}

pub(super) fn folder_at(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Fault> {
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

fn words(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => EntryKind::Directory.words(),
        FileType::Symlink => EntryKind::Link.words(),
        _ => EntryKind::Special.words(),
    }
}

pub(super) fn fault(error: Errno) -> Fault {
    let code = match error {
        Errno::NOENT => Code::FileNotFound,
        Errno::LOOP => return Fault::new(Code::FileTypeRefused, "a symbolic link"),
        _ => Code::Unreadable,
    };
    Fault::new(code, io::Error::from(error).to_string())
}

pub(super) fn unwritable(error: Errno) -> Fault {
    Fault::new(Code::WriteFailed, io::Error::from(error).to_string())
}
