//! Whether there is space for a download.
//!
//! A size that a server states may be false, so it concerns only its own file. Only a full disk means that
//! there is no space.

use std::io::{self, ErrorKind};

use crate::directory::{Folder, TEMPORARY};
use crate::verdict::{Code, Fault};

/// A disk with less free space than this counts as full.
pub(super) const RESERVE_BYTES: u64 = 64 << 20;

/// Checks that there is space for a file of a stated size. The part of it that is here counts as free.
pub(in crate::mirror) fn fits(folder: &Folder, name: &str, stated: u64) -> Result<(), Fault> {
    let room = folder.free_space()?;
    if let Some(largest) = room.largest_file.filter(|largest| stated > *largest) {
        let message = "the file system of the directory can't hold a file of the stated size";
        let most = format!("at most {largest} bytes");
        return Err(Fault::new(Code::FileTooLarge, message).expected_found(most, stated));
    }
    let here =
        folder.file(&format!("{name}{TEMPORARY}")).ok().and_then(|file| file.metadata().ok());
    let free = room.free.saturating_add(here.map_or(0, |metadata| metadata.len()));
    if stated <= free {
        return Ok(());
    }
    let (code, message) = match room.free {
        free if free < RESERVE_BYTES => (Code::NoSpace, "not enough space in the directory"),
        _ => {
            (Code::ResponseTooLarge, "the stated size is more than the free space in the directory")
        }
    };
    Err(Fault::new(code, message).expected_found(format!("at most {free} bytes"), stated))
}

/// The fault for a failed write.
pub(in crate::mirror) fn unwritten(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let message =
                format!("{error}; what arrived is kept: free some space and run again to continue");
            Fault::new(Code::NoSpace, message)
        }
        ErrorKind::FileTooLarge => Fault::new(Code::FileTooLarge, error.to_string()),
        _ => Fault::new(Code::WriteFailed, error.to_string()),
    }
}
