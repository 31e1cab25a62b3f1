//! Listing everything below a directory, without following links.

use std::ffi::CStr;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use super::handle::{Folder, fault, folder_at};
use crate::directory::entry::{Entry, EntryKind, Listing};
use crate::directory::system::of_system;
use crate::limits;
use crate::verdict::{Code, Fault};

impl Folder {
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
        let mut walk =
            Walk { entries: Vec::new(), faults: Vec::new(), room: limits::FOLDER_NAMES_BYTES };
        walk.list(self.handle.as_fd(), "", 0).map_err(|halt| match halt {
            Halt::Here(fault) | Halt::Limit(fault) => fault.at(self.shown()),
        })?;
        let Walk { mut entries, faults, .. } = walk;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let faults = faults.into_iter().map(|(name, fault)| {
            let fault = of_system(&name, fault).at(self.show(&name));
            (name, fault)
        });
        Ok((Listing { entries }, faults.collect()))
    }
}

/// A walk over everything below a directory.
struct Walk {
    entries: Vec<Entry>,
    /// Directories that can't be listed.
    faults: Vec<(String, Fault)>,
    /// Bytes left for names.
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
    /// A limit is exceeded.
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
