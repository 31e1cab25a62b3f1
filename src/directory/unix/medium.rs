//! What the file system says of a directory and its files: stamps, free space, locks.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::handle::{Folder, fault};
use crate::directory::entry::{FreeSpace, Stamp};
use crate::verdict::{Code, Fault};

impl Folder {
    /// The stamp of a file, if there is one of this name.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        let stat = rustix::fs::fstat(self.file(name).ok()?).ok()?;
        let changed = (stat.st_ctime, stat.st_ctime_nsec);
        let size = u64::try_from(stat.st_size).ok()?;
        Some(Stamp { size, changed, number: stat.st_ino })
    }

    /// Drops a file's content from the system's cache where possible, so that the next reader reads the
    /// medium.
    pub fn drop_cache(&self, name: &str) {
        #[cfg(target_os = "linux")]
        if let Ok(file) = self.file(name) {
            let _ = file.sync_data();
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = name;
    }

    /// The space left on the file system.
    ///
    /// # Errors
    /// [`Code::Unreadable`].
    pub fn free_space(&self) -> Result<FreeSpace, Fault> {
        let fail = |error| fault(error).at(self.shown());
        let space = rustix::fs::fstatvfs(&self.handle).map_err(fail)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        Ok(FreeSpace { free, largest_file: largest_file(&self.handle) })
    }

    /// Locks the directory until the [`Lock`] is dropped; waits some seconds for another holder. On a file
    /// system without locks, nothing is held.
    ///
    /// # Errors
    /// [`Code::WriteFailed`] if another process keeps it.
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
        Err(Fault::new(Code::WriteFailed, message).at(self.shown()))
    }
}

/// The largest file that the file system can hold, if that is a limit in practice: FAT.
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

/// A lock on a directory; dropping it unlocks.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not used")] Option<OwnedFd>);
