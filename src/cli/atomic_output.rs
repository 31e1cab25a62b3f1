//! Writes files whole or not at all: new ones, which never overwrite a file, and reports, which replace
//! the file of the same name.
//!
//! `directory::Folder::write` also replaces a file in one step, but it takes all bytes at once, and its
//! temporary name assumes one writer. A report is streamed, other runs may write to the same folder, and
//! the temporary file must be found again when the run is interrupted ([`give_up`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::show;
use crate::directory::TEMPORARY;
use crate::verdict::{Code, Fault};

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever the system's defaults allow (on Unix, the umask).
    Default,
    /// The owner alone, from the moment the file exists (Unix mode 0600). On other systems the folder's
    /// permissions hold.
    Owner,
}

/// A file that this program has created. It is removed again unless it is kept.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl NewFile {
    /// Creates an empty file. The operating system itself refuses a name that is taken, even by a dangling
    /// link.
    ///
    /// # Errors
    /// [`Code::OutputExists`], [`Code::WriteFailed`].
    pub(super) fn create(path: &Path, readers: Readers) -> Result<Self, Fault> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        restrict(&mut options, readers);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => unwritable(path, &error),
        })?;
        Ok(Self { path: path.to_owned(), file, kept: false })
    }

    /// Writes the whole content through to the medium.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn fill(&mut self, content: &[u8]) -> Result<(), Fault> {
        self.file
            .write_all(content)
            .and_then(|()| self.file.sync_all())
            .map_err(|error| unwritable(&self.path, &error))
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.kept = true;
        sync_folder(&self.path);
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // The error that led here is reported; a failed removal adds nothing to it.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Writes the name through to the medium too. Not every file system can, and the content is there
/// already, so a failure is ignored.
#[cfg(unix)]
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        drop(folder.sync_all());
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) {}

/// Writes a file, in place of one of the same name if there is one.
///
/// # Errors
/// [`Code::WriteFailed`].
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), Fault> {
    let temporary = temporary(path);
    let mut file = NewFile::create(&temporary, Readers::Default)
        .map_err(|fault| Fault::new(fault.code(), fault.message()).at(show(path)))?;
    let mut out = io::BufWriter::new(&mut file.file);
    write(&mut out).and_then(|()| out.flush()).map_err(|error| unwritable(path, &error))?;
    drop(out);
    file.file.sync_all().map_err(|error| unwritable(path, &error))?;
    fs::rename(&temporary, path).map_err(|error| unwritable(path, &error))?;
    file.keep();
    Ok(())
}

/// Removes the unfinished file of [`replace`] when the process is about to exit.
pub(super) fn give_up(path: &Path) {
    drop(fs::remove_file(temporary(path)));
}

/// The name of a file until it is complete.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}{TEMPORARY}", std::process::id()));
    path.with_file_name(name)
}

/// Refuses a name that is taken, before any work is done in vain.
///
/// # Errors
/// [`Code::OutputExists`]; [`Code::WriteFailed`] if that can't be found out.
pub(super) fn must_be_free(path: &Path) -> Result<(), Fault> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(taken(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn taken(path: &Path) -> Fault {
    Fault::new(Code::OutputExists, "already exists, and is not overwritten").at(show(path))
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Code::WriteFailed, error.to_string()).at(show(path))
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions, readers: Readers) {
    use std::os::unix::fs::OpenOptionsExt as _;
    if readers == Readers::Owner {
        options.mode(0o600);
    }
}

#[cfg(not(unix))]
fn restrict(_: &mut OpenOptions, _: Readers) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_gone_and_what_is_kept_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let mut file = NewFile::create(&path, Readers::Owner).unwrap();
        file.fill(b"content").unwrap();
        drop(file);
        must_be_free(&path).unwrap();

        let mut file = NewFile::create(&path, Readers::Default).unwrap();
        file.fill(b"content").unwrap();
        file.keep();
        assert_eq!(fs::read(&path).unwrap(), b"content");
    }

    #[test]
    fn a_taken_name_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old");
        fs::write(&path, "old").unwrap();
        assert_eq!(must_be_free(&path).unwrap_err().code(), Code::OutputExists);
        let fault = NewFile::create(&path, Readers::Owner).unwrap_err();
        assert_eq!(fault.code(), Code::OutputExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");

        let fault = NewFile::create(&folder.path().join("no/new"), Readers::Owner).unwrap_err();
        assert_eq!(fault.code(), Code::WriteFailed);
        let fault = must_be_free(&path.join("below")).unwrap_err();
        assert_eq!(fault.code(), Code::WriteFailed);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_takes_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &path).unwrap();
        assert_eq!(must_be_free(&path).unwrap_err().code(), Code::OutputExists);
        let fault = NewFile::create(&path, Readers::Owner).unwrap_err();
        assert_eq!(fault.code(), Code::OutputExists);
        assert!(!folder.path().join("nowhere").exists());
    }
}
