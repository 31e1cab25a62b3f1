//! Reading files below a directory: each once, hashed while it is read.

use std::io::{self, Read};

use super::Folder;
use crate::digest::{FileDigest, HashingReader, Sha256Digest};
use crate::image::Progress;
use crate::verdict::{Code, Fault};

const BUFFER_BYTES: usize = 256 << 10;

/// Reads a small file whole; one larger than `limit` bytes is refused with `too_large` after `limit`
/// bytes. Also says the digest of what was read.
///
/// # Errors
/// Those of [`Folder::file`], [`Code::Unreadable`] and `too_large`.
pub fn read_small(
    folder: &Folder,
    name: &str,
    limit: u64,
    too_large: Code,
) -> Result<(Vec<u8>, Sha256Digest), Fault> {
    let file = folder.file(name)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error).at(folder.show(name)))?;
    if bytes.len() as u64 > limit {
        let message = format!("larger than {limit} bytes");
        return Err(Fault::new(too_large, message).at(folder.show(name)));
    }
    let digest = Sha256Digest::of(&bytes);
    Ok((bytes, digest))
}

/// Hashes a whole file, of which at most `limit` bytes are read: a file with more is of no interest.
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
    let mut buffer = vec![0; room.clamp(1, BUFFER_BYTES)];
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
