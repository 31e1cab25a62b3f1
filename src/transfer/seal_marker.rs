//! The mark that says that a sealed directory is being changed.

use super::layout::{MANIFEST, MARKER, SEAL_FILES};
use crate::directory::Folder;
use crate::verdict::Fault;

/// Marks a sealed directory as being changed: until it is sealed again, every check answers
/// [`Code::SealIncomplete`](crate::verdict::Code::SealIncomplete).
///
/// Does nothing without a seal, or if it is marked already. Returns whether it set the mark.
///
/// # Errors
/// [`Code::WriteFailed`](crate::verdict::Code::WriteFailed).
pub fn mark_incomplete(folder: &Folder) -> Result<bool, Fault> {
    let there = |name: &&str| folder.file(name).is_ok();
    if there(&MARKER) || !SEAL_FILES.iter().any(there) {
        return Ok(false);
    }
    folder.prepare(MANIFEST, b"", 0o644)?;
    folder.sync()?;
    Ok(true)
}

/// Removes the mark that [`mark_incomplete`] set: nothing was changed, and the old seal holds as before.
///
/// # Errors
/// [`Code::WriteFailed`](crate::verdict::Code::WriteFailed).
pub fn remove_mark(folder: &Folder) -> Result<(), Fault> {
    folder.remove(MARKER)?;
    folder.sync()
}
