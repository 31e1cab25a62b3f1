//! Creating, renaming and removing below a directory.

use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::handle::{Folder, Handle, fault, folder_at, unwritable};
use crate::directory::entry::TEMPORARY;
use crate::verdict::{Code, Fault};

impl Folder {
    /// Creates a directory below the directory, and those above it, unless they exist.
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

    /// Creates a file that must not exist, for writing, with these permission bits.
    pub(in crate::directory) fn create(&self, name: &str, mode: u32) -> Result<File, Fault> {
        let (parent, base) = self.parent(name)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(parent.as_fd(), base, flags, Mode::from_raw_mode(mode))
            .map(File::from)
            .map_err(|error| unwritable(error).at(self.show(name)))
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
            // It has another name, perhaps outside the directory, and that file must not change.
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

    /// Renames a file within its directory, replacing what had the name, and syncs the directory.
    pub(in crate::directory) fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        let fail = |error| unwritable(error).at(self.show(to));
        let (parent, base) = self.parent(to)?;
        let (_, from) = self.parent(from)?;
        rustix::fs::renameat(parent.as_fd(), from, parent.as_fd(), base).map_err(fail)?;
        sync(parent.as_fd()).map_err(fail)
    }

    /// Moves a file to another name below the directory, replacing the file that had it, and syncs both
    /// directories.
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

    /// Syncs the directory itself.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        sync(self.handle.as_fd()).map_err(|error| unwritable(error).at(self.shown()))
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
}

fn sync(folder: BorrowedFd<'_>) -> Result<(), Errno> {
    match rustix::fs::fsync(folder) {
        // Some file systems can't sync a directory, and need not.
        Ok(()) | Err(Errno::INVAL | Errno::ROFS) => Ok(()),
        Err(error) => Err(error),
    }
}
