//! Decompression by magic number: gzip, xz, bzip2 and zstd, all members, streams and frames.
//!
//! The decoders are libraries. What is added here is what a verifier needs: nothing may follow the
//! compressed data, windows are bounded, and an error says whether the data was damaged, ended too
//! early (and where), or could not be read at all.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

use super::gzip_bzip2::MultiDecoder;
use super::header;
use super::input::fault_of;
use super::windows::Windows;
use super::xz::XzStreams;
use super::zstd::{self, ZstdFrames};
use crate::verdict::{Code, Fault};

/// How data is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952), one or several members.
    Gzip,
    /// xz, one or several streams.
    Xz,
    /// bzip2, one or several streams.
    Bzip2,
    /// Zstandard (RFC 8878), frames and skippable frames.
    Zstd,
}

/// How many bytes [`Compression::sniff`] looks at.
pub(super) const MAGIC_BYTES: usize = 6;

impl Compression {
    /// The compression that the first bytes announce, by the same magic numbers as container
    /// engines; a file's name plays no part.
    #[must_use]
    pub fn sniff(first: &[u8]) -> Option<Self> {
        if first.starts_with(&[0x1f, 0x8b, 0x08]) {
            Some(Self::Gzip)
        } else if first.starts_with(b"BZh") {
            Some(Self::Bzip2)
        } else if first.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
            Some(Self::Xz)
        } else if zstd::is_magic(first) {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

impl Compression {
    /// Whether its decoder holds a window as large as the data asks for.
    pub(super) const fn has_window(self) -> bool {
        matches!(self, Self::Xz | Self::Zstd)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
        })
    }
}

/// Refuses compressed data whose first block is a tar header as well. A zstd stream can begin with
/// frames that yield nothing and hold anything, and engines that don't know zstd (Docker before 23),
/// or not such frames (podman), read the same bytes as a tar archive with other content.
pub(super) fn check_one_reading(compression: Compression, first: &[u8]) -> Result<(), Fault> {
    if header::may_be_header(first) {
        let message = format!("the same bytes are a tar archive and {compression} data");
        return Err(Fault::new(Code::ArchiveMalformed, message));
    }
    Ok(())
}

/// A decompressing reader. Its errors carry a [`Fault`]; after one it stays failed.
pub(super) struct Inflater<'a, R: Read> {
    decoder: Decoder<'a, BufReader<CompressedReader<R>>>,
    compression: Compression,
    status: Arc<InputStatus>,
    failed: Option<Fault>,
}

enum Decoder<'a, R: io::BufRead> {
    Gzip(Box<MultiDecoder<GzDecoder<R>>>),
    Xz(Box<XzStreams<'a, R>>),
    Bzip2(Box<MultiDecoder<BzDecoder<R>>>),
    Zstd(Box<ZstdFrames<'a, R>>),
}

impl<'a, R: Read> Inflater<'a, R> {
    pub(super) fn new(compression: Compression, inner: R, windows: Windows<'a>) -> Self {
        let status = Arc::new(InputStatus::default());
        let raw = BufReader::with_capacity(
            64 << 10,
            CompressedReader { inner, status: Arc::clone(&status) },
        );
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(Box::new(MultiDecoder::new(raw))),
            Compression::Xz => Decoder::Xz(Box::new(XzStreams::new(raw, windows))),
            Compression::Bzip2 => Decoder::Bzip2(Box::new(MultiDecoder::new(raw))),
            Compression::Zstd => Decoder::Zstd(Box::new(ZstdFrames::new(raw, windows))),
        };
        Self { decoder, compression, status, failed: None }
    }

    /// How many compressed bytes were read.
    pub(super) fn consumed(&self) -> u64 {
        self.status.count.load(Ordering::Relaxed)
    }

    fn fault(&self, error: &io::Error) -> Fault {
        if let Some(cause) = self.status.error().take() {
            fault_of(cause)
        } else if self.status.ended.load(Ordering::Relaxed) {
            Fault::new(
                Code::ArchiveTruncated,
                format!("the {} data is cut off at byte {}", self.compression, self.consumed()),
            )
        } else if let Some(fault) =
            error.get_ref().and_then(|source| source.downcast_ref::<Fault>())
        {
            fault.clone()
        } else {
            Fault::new(
                Code::CompressionMalformed,
                format!("the {} data is damaged: {error}", self.compression),
            )
        }
    }
}

impl<R: Read> Read for Inflater<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = &self.failed {
            return Err(io::Error::other(fault.clone()));
        }
        let result = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Xz(decoder) => decoder.read(buffer),
            Decoder::Bzip2(decoder) => decoder.read(buffer),
            Decoder::Zstd(decoder) => decoder.read(buffer),
        };
        result.map_err(|error| {
            let fault = self.fault(&error);
            self.failed = Some(fault.clone());
            io::Error::other(fault)
        })
    }
}

/// The status of the compressed input, so that its errors can be told apart from those of the decoder.
#[derive(Default)]
struct InputStatus {
    count: AtomicU64,
    ended: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

impl InputStatus {
    fn error(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CompressedReader<R> {
    inner: R,
    status: Arc<InputStatus>,
}

impl<R: Read> Read for CompressedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.status.ended.store(count == 0 && !buffer.is_empty(), Ordering::Relaxed);
                self.status.count.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                *self.status.error() = Some(error);
                Err(io::Error::other("the input can't be read"))
            }
        }
    }
}
