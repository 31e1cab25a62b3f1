//! Hashing a file below a directory, in one reading.

use std::io::{self, Read as _};

use crate::digest::{FileDigest, HashingReader};
use crate::directory::Folder;
use crate::image::Progress;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Hashes a file, reading at most `limit` bytes: a longer file can't be the right one.
///
/// # Errors
/// Those of [`Folder::file`] and [`Code::Unreadable`].
pub fn hash(
    folder: &Folder,
    name: &str,
    limit: u64,
    progress: &dyn Progress,
) -> Result<FileDigest, Fault> {
    let file = folder.file(name)?;
    let size = file.metadata().map_or(u64::MAX, |metadata| metadata.len());
    // One byte more than the file has, so that its end is seen by the first reading.
    let room = usize::try_from(size.saturating_add(1)).unwrap_or(usize::MAX);
    let mut buffer = vec![0; room.clamp(1, limits::COPY_BYTES)];
    let mut hashing = HashingReader::new(file.take(limit));
    loop {
        match hashing.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => progress.advance(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error).at(folder.show(name))),
        }
    }
    let size = hashing.count();
    Ok(FileDigest { sha256: hashing.finish().1, size })
}

fn unreadable(error: &io::Error) -> Fault {
    Fault::new(Code::Unreadable, error.to_string())
}
