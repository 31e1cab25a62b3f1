//! The directory that `mirror` fills.

use std::fs;
use std::path::Path;

use crate::cli::files;
use crate::directory::Folder;
use crate::verdict::{Code, Fault};

/// Opens the directory, and creates it unless the run is a dry one.
pub(super) fn open(out: &Path, dry: bool) -> Result<Folder, Fault> {
    if !dry {
        fs::create_dir_all(out).map_err(|error| {
            Fault::new(Code::WriteFailed, error.to_string()).at(files::show(out))
        })?;
        return Folder::open(out);
    }
    // A dry run plans for the place where the directory would be.
    let there = out.ancestors().find(|path| path.is_dir());
    Folder::open(there.unwrap_or_else(|| Path::new(".")))
}

/// Refuses an earlier transfer that is the output directory, or is inside it, or contains it: it would be
/// changed.
pub(super) fn apart(out: &Path, base: &Path) -> Result<(), Fault> {
    // A directory that does not exist yet will be created in its first existing ancestor.
    let absolute = std::path::absolute(out).unwrap_or_else(|_| out.to_path_buf());
    let above = absolute.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("."));
    let holds = Folder::open(base)?.contains(above);
    if holds || (out.is_dir() && Folder::open(out)?.contains(base)) {
        let message = "--base and --out are the same directory, or one contains the other: the \
                       earlier transfer would be changed; name another --out";
        return Err(Fault::new(Code::Usage, message).at(files::show(base)));
    }
    Ok(())
}
