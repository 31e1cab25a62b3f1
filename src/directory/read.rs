//! Reading a small file below a directory, once.

use std::io::Read as _;

use super::Folder;
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

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
        .map_err(|error| Fault::new(Code::Unreadable, error.to_string()).at(folder.show(name)))?;
    if bytes.len() as u64 > limit {
        let message = format!("larger than {limit} bytes");
        return Err(Fault::new(too_large, message).at(folder.show(name)));
    }
    let digest = Sha256Digest::of(&bytes);
    Ok((bytes, digest))
}
