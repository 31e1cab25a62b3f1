//! Opens and reads files with limits, and words every error in the same way.
//!
//! Anything but files, pipes and directories is refused. Nothing is written here.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Component, Path};

use crate::directory;
use crate::image::FileAt;
use crate::verdict::{Code, Fault};

/// A path for a message.
pub(super) fn show(path: &Path) -> String {
    path.display().to_string()
}

/// The last part of a path as text.
pub(super) fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// A path as it was given, with `/` between its parts, for patterns of a trust policy.
pub(super) fn slashed(path: &Path) -> String {
    let plain =
        path.components().filter(|part| !matches!(part, Component::CurDir | Component::RootDir));
    let parts: Vec<_> = plain.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Refuses a path that leads nowhere; `-` is standard input.
pub(super) fn check_exists(path: &Path) -> Result<(), Fault> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.as_os_str() != "-" => {
            Err(unreadable(&show(path), &error))
        }
        _ => Ok(()),
    }
}

/// The fault for an operating system's error.
pub(super) fn unreadable(place: &str, error: &io::Error) -> Fault {
    let code = match error.kind() {
        io::ErrorKind::NotFound => Code::FileNotFound,
        _ => Code::Unreadable,
    };
    Fault::new(code, error.to_string()).at(place)
}

/// What a path leads to.
pub(super) enum OpenedPath {
    /// A directory.
    Directory,
    /// A regular file: positioned reads are possible.
    File(File),
    /// A pipe: one reading only.
    Pipe(Box<dyn Read + Send>),
}

/// Opens a path; `-` is standard input.
///
/// # Errors
/// [`Code::FileNotFound`], or [`Code::Unreadable`] also for sockets and devices without an end.
pub(super) fn open(path: &Path) -> Result<OpenedPath, Fault> {
    let place = show(path);
    let fault = |error: io::Error| unreadable(&place, &error);
    if path.as_os_str() == "-" {
        return Ok(OpenedPath::Pipe(Box::new(io::stdin())));
    }
    // Looked at before opening: opening a device can have effects.
    let kind = fs::metadata(path).map_err(fault)?.file_type();
    if kind.is_dir() {
        return Ok(OpenedPath::Directory);
    }
    if kind.is_file() {
        return Ok(OpenedPath::File(File::open(path).map_err(fault)?));
    }
    if is_pipe(kind) {
        return Ok(OpenedPath::Pipe(Box::new(File::open(path).map_err(fault)?)));
    }
    Err(Fault::new(Code::Unreadable, "not a file, a pipe or a directory").at(place))
}

#[cfg(unix)]
fn is_pipe(kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: fs::FileType) -> bool {
    false
}

/// Opens a path as one stream, whatever it leads to but a directory.
///
/// # Errors
/// Those of [`open`]; [`Code::Unreadable`] for a directory.
pub(super) fn open_stream(path: &Path) -> Result<Box<dyn Read>, Fault> {
    match open(path)? {
        OpenedPath::Directory => Err(Fault::new(Code::Unreadable, "is a directory").at(show(path))),
        OpenedPath::File(file) => Ok(Box::new(file)),
        OpenedPath::Pipe(stream) => Ok(stream),
    }
}

/// Reads a small file that the operator named, whole; one that is larger than `limit` bytes is refused with
/// `too_large` after `limit` bytes, whatever its size. It may be a pipe, as cosign takes
/// `--bundle <(command)`: the operator expects it to be waited for.
///
/// # Errors
/// Those of [`open_stream`], and `too_large`.
pub(super) fn read_small(path: &Path, limit: u64, too_large: Code) -> Result<Vec<u8>, Fault> {
    read_whole(path, open_stream(path)?, limit, too_large)
}

/// The same for a file that was only found, for example under a name that a label in an archive gives:
/// regular files only, so that a pipe without a writer does not hold the run up for ever.
///
/// # Errors
/// Those of [`directory::open_regular`], and `too_large`.
pub(super) fn read_found(path: &Path, limit: u64, too_large: Code) -> Result<Vec<u8>, Fault> {
    read_whole(path, directory::open_regular(path)?, limit, too_large)
}

fn read_whole(
    path: &Path,
    stream: impl Read,
    limit: u64,
    too_large: Code,
) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut stream = stream.take(limit.saturating_add(1));
    stream.read_to_end(&mut bytes).map_err(|error| unreadable(&show(path), &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("larger than {limit} bytes");
        return Err(Fault::new(too_large, message).at(show(path)));
    }
    Ok(bytes)
}

/// The same for a file of the configuration (a key, a trusted root, a profile): one that can't be read
/// is `unusable` as well, since there is nothing to verify with.
///
/// # Errors
/// [`Code::FileNotFound`] and `unusable`.
pub(super) fn read_config(path: &Path, limit: u64, unusable: Code) -> Result<Vec<u8>, Fault> {
    read_small(path, limit, unusable).map_err(|fault| match fault.code() {
        Code::Unreadable => Fault::new(unusable, fault.message()).at(show(path)),
        _ => fault,
    })
}

/// A regular file for positioned reads.
///
/// # Errors
/// [`Code::Unreadable`].
pub(super) fn positioned(path: &Path, file: &File) -> Result<FileAt, Fault> {
    let fault = |error: io::Error| unreadable(&show(path), &error);
    FileAt::new(file.try_clone().map_err(fault)?).map_err(fault)
}

/// The same file from its beginning, as a stream.
///
/// # Errors
/// [`Code::Unreadable`].
pub(super) fn rewound(path: &Path, file: &File) -> Result<File, Fault> {
    let fault = |error: io::Error| unreadable(&show(path), &error);
    let mut stream = file.try_clone().map_err(fault)?;
    stream.rewind().map_err(fault)?;
    Ok(stream)
}
