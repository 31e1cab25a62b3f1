//! Room for what comes. A size that a server states is what it says, and true or not: it concerns the
//! one file that it is said of. Only a disk that is full says that there is no space.

use std::io::{self, ErrorKind};

use crate::directory::{Folder, TEMPORARY};
use crate::verdict::{Code, Fault};

/// What is left free on a disk; with less it counts as full.
pub(super) const RESERVE_BYTES: u64 = 64 << 20;

/// Whether there is room for a file of which somebody says that it has so many bytes; what is here of
/// it counts.
pub(in crate::mirror) fn fits(folder: &Folder, name: &str, stated: u64) -> Result<(), Fault> {
    let room = folder.room()?;
    if let Some(largest) = room.largest_file.filter(|largest| stated > *largest) {
        let message = "the file system of the directory can't hold a file of the stated size";
        let most = format!("at most {largest} bytes");
        return Err(Fault::new(Code::FileTooLarge, message).expected_found(most, stated));
    }
    let here = folder.file(&format!("{name}{TEMPORARY}")).ok().and_then(|it| it.metadata().ok());
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

/// Why something could not be written.
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
