//! Writing a file whole or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::Folder;
use super::entry::TEMPORARY;
use crate::verdict::{Code, Fault};

impl Folder {
    /// Writes a file below the directory: under a temporary name, synced to the medium, then renamed over
    /// what had its name. What an earlier, interrupted write left is replaced.
    ///
    /// # Errors
    /// [`Code::WriteFailed`]; the file is unchanged then.
    pub fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), Fault> {
        self.prepare(name, bytes, mode)?;
        self.commit(name).inspect_err(|_| {
            let _ = self.remove(&format!("{name}{TEMPORARY}"));
        })
    }

    /// The first half of [`Folder::write`]: the temporary file, synced to the medium.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub fn prepare(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), Fault> {
        let temporary = format!("{name}{TEMPORARY}");
        self.remove(&temporary)?;
        let file = self.create(&temporary, mode)?;
        let written = fill(file, bytes);
        written.map_err(|error| {
            let _ = self.remove(&temporary);
            Fault::new(Code::WriteFailed, error.to_string()).at(self.show(name))
        })
    }

    /// The second half: gives the temporary file its own name.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub fn commit(&self, name: &str) -> Result<(), Fault> {
        self.rename(&format!("{name}{TEMPORARY}"), name)
    }
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file anywhere, as [`Folder::write`] does, after `update` has seen its present content
/// (`None`: no such file). The folder is locked meanwhile.
///
/// # Errors
/// Those of `update`, [`Code::Unreadable`] and [`Code::WriteFailed`].
pub fn write_beside(
    path: &Path,
    limit: u64,
    update: impl FnOnce(Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Fault>,
) -> Result<(), Fault> {
    // A link that the operator named is followed; the file is replaced, not the link.
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Fault::new(Code::Usage, "not a file name").at(path.display().to_string()))?;
    let folder = Folder::open(parent)?;
    let _lock = folder.lock()?;
    let before = match super::read_small(&folder, name, limit, Code::StateMalformed) {
        Ok((bytes, _)) => Some(bytes),
        Err(fault) if fault.code() == Code::FileNotFound => None,
        Err(fault) => return Err(fault),
    };
    match update(before)? {
        Some(bytes) => folder.write(name, &bytes, 0o644),
        None => Ok(()),
    }
}
