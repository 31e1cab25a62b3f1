//! The directory that `mirror` fills.

use std::fs;
use std::path::Path;

use crate::cli::files;
use crate::directory::Folder;
use crate::verdict::{Code, Fault};

/// Opens the directory, and makes it unless nothing is to be written.
pub(super) fn open(out: &Path, dry: bool) -> Result<Folder, Fault> {
    if !dry {
        fs::create_dir_all(out).map_err(|error| {
            Fault::new(Code::WriteFailed, error.to_string()).at(files::show(out))
        })?;
        return Folder::open(out);
    }
    // A plan for a directory that is not there yet is one for where it would be.
    let there = out.ancestors().find(|path| path.is_dir());
    Folder::open(there.unwrap_or_else(|| Path::new(".")))
}

/// Refuses an earlier transfer that is the directory to be filled, or lies in it, or holds it: it would be
/// changed.
pub(super) fn apart(out: &Path, base: &Path) -> Result<(), Fault> {
    // A directory that is still to be made will lie in the first one above that is there.
    let absolute = std::path::absolute(out).unwrap_or_else(|_| out.to_path_buf());
    let above = absolute.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("."));
    let holds = Folder::open(base)?.contains(above);
    if holds || (out.is_dir() && Folder::open(out)?.contains(base)) {
        let message = "--base is the directory to be filled, or one lies in the other: the earlier \
                       transfer would be changed; name another --out";
        return Err(Fault::new(Code::Usage, message).at(files::show(base)));
    }
    Ok(())
}
