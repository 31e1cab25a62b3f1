//! What one file of an archive holds, found in one pass over its bytes: size, SHA-256, SHA-256 of
//! what it decompresses to, and the bytes themselves if they may be a document.
//!
//! Which file is a layer and which a document is not known yet, so every file is treated alike.

use std::io::{self, Cursor, Read};

use super::ahead::ahead;
use super::budget::{Budget, Meter, StreamKind};
use super::header::{self, BLOCK};
use super::inflate::{self, Compression, Inflater, MAGIC_BYTES};
use super::input::{fault_of, read_full};
use super::legacy::{self, V1};
use super::names::blob_digest;
use super::statement::{self, ObjectKind};
use super::windows::Windows;
use crate::digest::{Hasher, HashingReader, Sha256Digest};
use crate::limits;
use crate::parallel::ThreadLimit;
use crate::verdict::{Code, Fault};

/// The facts about one file.
#[derive(Debug)]
pub(super) struct FileContent {
    /// Size in bytes.
    pub(super) size: u64,
    /// SHA-256 of the bytes as stored.
    pub(super) digest: Sha256Digest,
    /// How it is compressed and the SHA-256 of the whole decompressed stream, or why it can't be
    /// decompressed.
    pub(super) inflated: Option<(Compression, Result<Sha256Digest, Box<Fault>>)>,
    /// The bytes, if they may be a manifest, an index or a config.
    pub(super) document: Option<Vec<u8>>,
    /// Whether the whole file is an in-toto statement, and no reader could take it for a tar archive: a
    /// header without magic needs no NUL, and so fits into a JSON text.
    pub(super) is_statement: bool,
    /// The metadata of a layer as old writers leave it, or why the file is not that; `None` where it can't
    /// be.
    pub(super) v1: Option<Box<Result<V1, &'static str>>>,
}

impl FileContent {
    /// A file that no document names, and that was not read: it can't be a layer or a document, and its
    /// digest is the one that its name states. Whoever decides refuses it, used or not.
    pub(super) fn unread(name: &str, size: u64) -> Self {
        let fault = Fault::new(Code::EntryUnreferenced, "no document names a file of this size");
        Self {
            size,
            digest: blob_digest(name).unwrap_or_else(|| Sha256Digest::of(b"")),
            inflated: Some((Compression::Gzip, Err(Box::new(fault.at(name))))),
            document: None,
            is_statement: false,
            v1: None,
        }
    }

    /// The digest that a config's `diff_ids` has for this file as a layer: of the whole
    /// decompressed stream, including bytes after the end of its tar.
    pub(super) fn diff_id(&self) -> Result<Sha256Digest, Fault> {
        match &self.inflated {
            None => Ok(self.digest),
            Some((_, Ok(digest))) => Ok(*digest),
            Some((_, Err(fault))) => Err(Fault::clone(fault)),
        }
    }
}

/// How a file's content is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadContext<'a> {
    pub(super) budget: &'a Budget,
    /// Whose compressed data it is, if it is compressed.
    pub(super) kind: StreamKind,
    pub(super) windows: Windows<'a>,
    pub(super) threads: &'a ThreadLimit,
}

/// Reads a file to its end. `keep` says that it is a document by its name.
///
/// # Errors
/// Only when the reader fails; what is wrong with the content is a fact about it.
pub(super) fn read(
    mut reader: impl Read + Send,
    keep: bool,
    context: ReadContext<'_>,
    buffer: &mut [u8],
) -> Result<FileContent, Fault> {
    let mut head = [0; BLOCK];
    let length = read_full(&mut reader, &mut head).map_err(fault_of)?;
    let head = head.get(..length).unwrap_or_default();
    let magic = head.get(..MAGIC_BYTES).unwrap_or(head);
    let compression = Compression::sniff(magic);
    // A layer may have the name of a document, and is decompressed under any name.
    if keep && compression.is_none() || begins_object(head) {
        let may_be_tar = header::may_be_header(head);
        let content = document(Cursor::new(head).chain(reader), keep, context.budget, buffer)?;
        let v1 = content.v1.filter(|_| !may_be_tar);
        return Ok(FileContent {
            is_statement: content.is_statement && !may_be_tar,
            v1,
            ..content
        });
    }
    if let Some(compression) = compression {
        let one_reading = inflate::check_one_reading(compression, head);
        let reader = Cursor::new(head).chain(reader);
        return compressed(reader, compression, one_reading, context, buffer);
    }
    let mut hasher = Hasher::new();
    hasher.update(head);
    drain(&mut reader, buffer, |bytes| {
        hasher.update(bytes);
        Ok(())
    })?;
    Ok(FileContent {
        size: hasher.bytes(),
        digest: hasher.finish(),
        inflated: None,
        document: None,
        is_statement: false,
        v1: None,
    })
}

fn begins_object(head: &[u8]) -> bool {
    head.trim_ascii_start().first() == Some(&b'{')
}

fn drain(
    reader: &mut impl Read,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    loop {
        match reader.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fault_of(error)),
        }
    }
}

fn compressed(
    reader: impl Read + Send,
    compression: Compression,
    one_reading: Result<(), Fault>,
    context: ReadContext<'_>,
    buffer: &mut [u8],
) -> Result<FileContent, Fault> {
    let mut raw = SourceReader::new(reader);
    let mut hasher = Hasher::new();
    let result = one_reading.and_then(|()| {
        let inflater = Inflater::new(compression, &mut raw, context.windows);
        ahead(inflater, context.threads, Meter::new(context.budget, context.kind), |ahead| {
            loop {
                let bytes = ahead.piece().map_err(fault_of)?;
                if bytes.is_empty() {
                    return Ok(());
                }
                hasher.update(bytes);
            }
        })
    });
    let (size, digest) = raw.finish(buffer)?;
    let inflated = result.map(|()| hasher.finish()).map_err(Box::new);
    Ok(FileContent {
        size,
        digest,
        inflated: Some((compression, inflated)),
        document: None,
        is_statement: false,
        v1: None,
    })
}

fn document(
    reader: impl Read,
    keep: bool,
    budget: &Budget,
    buffer: &mut [u8],
) -> Result<FileContent, Fault> {
    let mut raw = SourceReader::new(reader);
    let mut bytes = Vec::new();
    let limit = limits::ARCHIVE_JSON_BYTES;
    let mut kept = TeeReader { inner: &mut raw, bytes: &mut bytes, limit, over: false };
    let object = if keep { None } else { statement::object(&mut kept) };
    let is_object = object.is_some();
    drain(&mut kept, buffer, |_| Ok(()))?;
    let over = kept.over;
    let (size, digest) = raw.finish(buffer)?;
    let v1 = (is_object && size <= limits::V1_JSON_BYTES).then(|| Box::new(legacy::parse(&bytes)));
    let wanted = !over && (keep || is_object && may_be_document(&bytes));
    let document = if wanted && budget.document(bytes.len()) {
        bytes.shrink_to_fit();
        Some(bytes)
    } else {
        None
    };
    let is_statement = object == Some(ObjectKind::Statement);
    Ok(FileContent { size, digest, inflated: None, document, is_statement, v1 })
}

/// Whether an object has a key that a config, a manifest or an index must have. Attestations and
/// the like, which may be many and large, don't.
fn may_be_document(bytes: &[u8]) -> bool {
    [&b"\"diff_ids\""[..], b"\"layers\"", b"\"manifests\""]
        .iter()
        .any(|key| bytes.windows(key.len()).any(|window| window == *key))
}

/// Hashes what passes and remembers an error of the reader below, so that it is not taken for one
/// of the decoder above.
struct SourceReader<R> {
    inner: HashingReader<R>,
    error: Option<io::Error>,
}

impl<R: Read> SourceReader<R> {
    fn new(inner: R) -> Self {
        Self { inner: HashingReader::new(inner), error: None }
    }

    /// Reads the rest; size and digest of everything.
    fn finish(mut self, buffer: &mut [u8]) -> Result<(u64, Sha256Digest), Fault> {
        if self.error.is_none() {
            drain(&mut self.inner, buffer, |_| Ok(()))?;
        }
        match self.error {
            Some(error) => Err(fault_of(error)),
            None => Ok((self.inner.count(), self.inner.finish().1)),
        }
    }
}

impl<R: Read> Read for SourceReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Err(io::Error::other("the input can't be read"))
            }
            other => other,
        }
    }
}

/// Keeps a copy of what passes, up to a limit.
struct TeeReader<'a, R> {
    inner: R,
    bytes: &'a mut Vec<u8>,
    limit: u64,
    over: bool,
}

impl<R: Read> Read for TeeReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let size = (self.bytes.len() as u64).saturating_add(count as u64);
        if self.over || size > self.limit {
            self.over = true;
            *self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bytes: &[u8], budget: &Budget) -> FileContent {
        let threads = ThreadLimit::new(2);
        let windows = Windows::OneLarge(&threads);
        let context = ReadContext { budget, kind: StreamKind::Member, windows, threads: &threads };
        read(bytes, false, context, &mut [0; 1000]).unwrap()
    }

    #[test]
    fn every_kind_of_content_is_hashed_as_it_stands() {
        let mut large = br#"{"layers":[]}"#.to_vec();
        large.resize(usize::try_from(limits::ARCHIVE_JSON_BYTES).unwrap() + 1, b' ');
        let cases: [(&[u8], bool, bool); 12] = [
            (b"", false, false),
            (&[7; 5000], false, false),
            (br#" {"diff_ids":[]} "#, false, true),
            (br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}"#, true, false),
            (br#"{"_type":"https://in-toto.io/Statement/v0.1","predicate":{"a":"\"\\"},"subject":[],"predicateType":"x"} "#, true, false),
            (br#"{"_type":"https://in-toto.io/Statement/v2","subject":[],"predicateType":"x","predicate":{}}"#, false, false),
            (br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#, false, false),
            (br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{},"config":{}}"#, false, false),
            (br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{},"predicate":{}}"#, false, false),
            (br#"{"layers":[]}{}"#, false, false),
            (b"{tar\0", false, false),
            (&large, false, false),
        ];
        for (bytes, is_statement, kept) in cases {
            let content = facts(bytes, &Budget::default());
            assert_eq!(
                (content.size, content.digest),
                (bytes.len() as u64, Sha256Digest::of(bytes))
            );
            assert_eq!((content.is_statement, content.document.is_some()), (is_statement, kept));
        }
    }

    #[test]
    fn budgets_end_in_a_fault_whatever_the_order() {
        let budget = Budget::new(10, 20, 1000);
        assert!(facts(br#"{"layers":[]}"#, &budget).document.is_some());
        assert!(budget.check().is_ok());
        assert!(facts(br#"{"layers":[]}"#, &budget).document.is_none());
        assert_eq!(budget.check().unwrap_err().code(), Code::ArchiveTooLarge);

        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, &[0; 11]).unwrap();
        let gzip = gzip.finish().unwrap();
        let budget = Budget::new(10, 20, 1000);
        let content = facts(&gzip, &budget);
        assert_eq!(content.diff_id().unwrap_err().code(), Code::ArchiveTooLarge);
        assert_eq!(content.digest, Sha256Digest::of(&gzip));
        assert!(budget.check().is_err());
        let budget = Budget::new(11, 20, 1000);
        assert_eq!(facts(&gzip, &budget).diff_id().unwrap(), Sha256Digest::of(&[0; 11]));
        assert!(budget.check().is_ok());
    }

    /// What is far denser than gzip can be is given up at once, and not at the end of what it says.
    #[test]
    fn bombs_are_inflated_as_far_as_their_size_allows() {
        let zeros = vec![0; 64 << 20];
        let mut bomb = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        io::Write::write_all(&mut bomb, &zeros).unwrap();
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 200);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::Write::write_all(&mut gzip, &zeros).unwrap();
        let gzip = gzip.finish().unwrap();

        let all = 1 << 40;
        let budget = Budget::new(all, 0, 1 << 20);
        assert!(facts(&gzip, &budget).diff_id().is_ok() && budget.check().is_ok());
        assert_eq!(all - budget.left(), zeros.len() as u64);
        let budget = Budget::new(all, 0, 1 << 20);
        let content = facts(&bomb, &budget);
        assert_eq!(content.diff_id().unwrap_err().code(), Code::ArchiveTooLarge);
        assert_eq!(content.digest, Sha256Digest::of(&bomb));
        assert!(budget.check().is_err());
        let bound =
            (1 << 20) + bomb.len() as u64 * limits::INFLATED_RATIO + limits::COPY_BYTES as u64;
        assert!(all - budget.left() <= bound, "{}", all - budget.left());
    }
}
