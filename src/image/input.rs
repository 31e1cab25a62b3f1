//! What an archive can be read from, and what reading reports to its caller on the way.
//!
//! The room opens no file itself: the caller hands over a pipe, a file with positioned reads, or a
//! view of an OCI layout directory.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::parallel::ThreadLimit;
use crate::verdict::{Code, Fault};

/// Something that can be read at any position, by several threads at once.
pub trait ReadAt: Sync {
    /// Reads up to `buffer.len()` bytes at `offset` (bytes from the beginning); 0 at the end.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The size in bytes when reading began.
    fn size(&self) -> u64;
}

impl fmt::Debug for dyn ReadAt + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadAt({} bytes)", self.size())
    }
}

/// A regular file for positioned reads.
#[derive(Debug)]
pub struct FileAt {
    file: File,
    size: u64,
}

impl FileAt {
    /// Wraps an open file; its size is taken now.
    ///
    /// # Errors
    /// When the file's metadata can't be read.
    pub fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for FileAt {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }

    fn size(&self) -> u64 {
        self.size
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        self.get(start..).unwrap_or_default().read(buffer)
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn size(&self) -> u64 {
        self.as_slice().size()
    }
}

/// What an entry of a directory is, without following links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: a link, a device, a socket; refused.
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The name relative to the directory, parts joined by `/`.
    pub name: String,
    /// What it is.
    pub kind: TreeKind,
    /// Size in bytes, for files.
    pub size: u64,
}

/// An OCI layout directory as its caller sees it.
pub trait Tree: Sync {
    /// All entries below the directory, at every depth, in any order.
    ///
    /// # Errors
    /// What the operating system says.
    fn entries(&self) -> io::Result<Vec<TreeEntry>>;

    /// Opens a regular file by its relative name, without following links.
    ///
    /// # Errors
    /// What the operating system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl fmt::Debug for dyn Tree + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tree")
    }
}

/// Where an archive comes from.
pub enum Input<'a> {
    /// A pipe: read once, from beginning to end.
    Stream(&'a mut (dyn Read + Send)),
    /// A file: indexed by its headers, then hashed in parallel.
    File(&'a dyn ReadAt),
    /// An OCI layout directory.
    Layout(&'a dyn Tree),
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream(_) => "Stream",
            Self::File(_) => "File",
            Self::Layout(_) => "Layout",
        })
    }
}

/// Receives how far reading has come, from several threads.
pub trait Progress: Sync {
    /// `bytes` more will be read; not called for a pipe.
    fn expect(&self, bytes: u64);
    /// `bytes` more were read.
    fn advance(&self, bytes: u64);
}

/// Reports nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn expect(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

impl fmt::Debug for dyn Progress + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Threads that decompress and hash; 0 counts as 1. Ignored if `threads` is given.
    pub jobs: usize,
    /// The limit of the whole run, shared with the caller's own work.
    pub threads: Option<&'a ThreadLimit>,
    /// Receives how far reading has come.
    pub progress: &'a dyn Progress,
    /// Sizes in bytes of the segments that somebody states for an uncompressed archive, in order: a
    /// member whose content is exactly one of them is a segment of its own. `None`: those of at least
    /// [`SEGMENT_BYTES`](crate::limits::SEGMENT_BYTES). Whether they fit is asked of
    /// [`Archive::fits`](super::Archive::fits); they change nothing else.
    pub cuts: Option<&'a [u64]>,
}

/// Counts what was reported, so that the rest (skipped padding) can be reported at the end.
pub(super) struct ProgressCounter<'a> {
    progress: &'a dyn Progress,
    counted: AtomicU64,
}

impl<'a> ProgressCounter<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, counted: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, bytes: usize) {
        self.counted.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress.advance(bytes as u64);
    }

    /// Reports what is missing to `total`.
    pub(super) fn finish(&self, total: u64) {
        self.progress.advance(total.saturating_sub(self.counted.load(Ordering::Relaxed)));
    }
}

/// Reports every byte that passes.
pub(super) struct ProgressReader<'a, R> {
    pub(super) inner: R,
    pub(super) counter: &'a ProgressCounter<'a>,
}

impl<R: Read> Read for ProgressReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.counter.add(count);
        Ok(count)
    }
}

/// The fault that an error of any reader in this room carries, or else that the input can't be read.
pub(super) fn fault_of(error: io::Error) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(error) => Fault::new(Code::Unreadable, error.to_string()),
    }
}

/// Fills `buffer` as far as the reader goes; says how far.
pub(super) fn read_full(mut reader: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The fault of a size that changed while it was read: the bytes were not all there at one time.
pub(super) fn resized(expected: u64, found: u64) -> Fault {
    Fault::new(Code::Unreadable, "the size changed while it was read")
        .expected_found(format!("{expected} bytes"), found)
}

/// A range of a file as a reader.
pub(super) struct RangeReader<'a> {
    file: &'a dyn ReadAt,
    position: u64,
    end: u64,
}

impl<'a> RangeReader<'a> {
    /// `size` bytes from `offset` on. A file that ends before them has become shorter meanwhile, which
    /// is an error.
    pub(super) fn new(file: &'a dyn ReadAt, offset: u64, size: u64) -> Self {
        Self { file, position: offset, end: offset.saturating_add(size) }
    }

    /// Moves on without reading; says by how much, less than `count` at the end.
    pub(super) fn skip(&mut self, count: u64) -> u64 {
        let count = count.min(self.end.saturating_sub(self.position));
        self.position = self.position.saturating_add(count);
        count
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.position);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if length == 0 {
            return Ok(0);
        }
        let count =
            self.file.read_at(buffer.get_mut(..length).unwrap_or_default(), self.position)?;
        if count == 0 {
            return Err(io::Error::other(resized(self.end, self.position)));
        }
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}
