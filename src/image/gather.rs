//! Gathers the names and the contents of an archive from a stream, a file or a directory.
//!
//! All three give the same outcome: the walk's fault first, then the catalogue's, then the budget's.
//! Each byte is read once: the walk reads headers, padding and small members as they come, and leaves
//! the large members of a file to several threads. Nothing is decided here.

use std::io::{self, Cursor, Read};

use super::ahead::ahead;
use super::archive::Container;
use super::budget::{Budget, Meter, StreamKind};
use super::catalog::Catalog;
use super::content::{self, FileContent, ReadContext};
use super::header::BLOCK;
use super::inflate::{self, Compression, Inflater, MAGIC_BYTES};
use super::input::{
    Options, ProgressCounter, ProgressReader, RangeReader, ReadAt, Tree, TreeKind, fault_of,
    read_full, resized,
};
use super::names::IMAGE_NAMES;
use super::references::References;
use super::segments::{GapHasher, Segment, Segmentation};
use super::tar::{TarEntry, TarEntryKind, TarSource, Walker};
use super::windows::Windows;
use crate::limits;
use crate::parallel::{self, ThreadLimit};
use crate::path;
use crate::verdict::{Code, Fault};

/// What was gathered.
pub(super) struct GatheredFiles {
    pub(super) container: Container,
    /// The facts of all regular files, in the order of the archive.
    pub(super) contents: Vec<FileContent>,
    /// None unless the archive is an uncompressed tar.
    pub(super) segments: Vec<Segment>,
}

/// From a stream.
pub(super) fn stream(
    stream: &mut (dyn Read + Send),
    catalog: &mut Catalog,
    options: &Options<'_>,
    threads: &ThreadLimit,
) -> Result<GatheredFiles, Fault> {
    let counter = ProgressCounter::new(options.progress);
    let mut reader = ProgressReader { inner: stream, counter: &counter };
    let (first, length) = first_block(&mut reader)?;
    let first = first.get(..length).unwrap_or_default();
    let reader = Cursor::new(first).chain(reader);
    match compression(first)? {
        Some(compression) => inflated(reader, compression, catalog, threads),
        None => plain(StreamSource(reader), None, catalog, options, threads),
    }
}

/// From a file.
pub(super) fn file(
    file: &dyn ReadAt,
    catalog: &mut Catalog,
    options: &Options<'_>,
    threads: &ThreadLimit,
) -> Result<GatheredFiles, Fault> {
    let counter = ProgressCounter::new(options.progress);
    let size = file.size();
    options.progress.expect(size);
    let mut span = ProgressReader { inner: RangeReader::new(file, 0, size), counter: &counter };
    let (first, length) = first_block(&mut span)?;
    let first = first.get(..length).unwrap_or_default();
    let gathered = match compression(first)? {
        Some(compression) => {
            inflated(Cursor::new(first).chain(span), compression, catalog, threads)?
        }
        None => {
            plain(FileSource { first, span }, Some((file, &counter)), catalog, options, threads)?
        }
    };
    counter.finish(size);
    Ok(gathered)
}

/// From a directory.
pub(super) fn layout(
    tree: &dyn Tree,
    catalog: &mut Catalog,
    options: &Options<'_>,
    threads: &ThreadLimit,
) -> Result<GatheredFiles, Fault> {
    let counter = ProgressCounter::new(options.progress);
    let mut entries = tree.entries().map_err(fault_of)?;
    if entries.len() > limits::ARCHIVE_ENTRIES {
        let message = format!("more than {} entries", limits::ARCHIVE_ENTRIES);
        return Err(Fault::new(Code::ArchiveTooLarge, message));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut members = Vec::new();
    for entry in entries {
        let name = entry.name;
        path::entry(&name)
            .map_err(|reason| Fault::new(Code::EntryNameUnsafe, reason.to_string()).at(&name))?;
        let kind = match entry.kind {
            TreeKind::File => TarEntryKind::File,
            TreeKind::Directory => TarEntryKind::Directory,
            TreeKind::Other => {
                let message = "neither a regular file nor a directory";
                return Err(Fault::new(Code::EntryTypeRefused, message).at(&name));
            }
        };
        let added = TarEntry { name: name.clone(), kind, offset: 0, size: entry.size };
        if let Some(number) = catalog.add(added)? {
            options.progress.expect(entry.size);
            members.push(Member { number, name, offset: 0, size: entry.size });
        }
    }
    catalog.finish()?;
    let budget = Budget::default();
    let context = alone(&budget, threads);
    let hash = |members: &[Member]| -> Result<Vec<(usize, FileContent)>, Fault> {
        let contents = hash_all(members, threads, &|member, buffer| {
            let reader = tree.open(&member.name).map_err(fault_of)?;
            let reader = ProgressReader { inner: reader, counter: &counter };
            content::read(reader, member.keep(), context, buffer)
        })?;
        Ok(members.iter().map(|member| member.number).zip(contents).collect())
    };
    // A sparse file of any size costs nothing to make. So possible documents are read first, and of the
    // rest only what they refer to.
    let (documents, large): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|member| member.size <= limits::ARCHIVE_JSON_BYTES);
    let mut contents = hash(&documents)?;
    let read = documents.iter().zip(&contents);
    let references =
        References::of(read.map(|(member, (_, content))| (member.name.as_str(), content)));
    let (large, unnamed): (Vec<_>, Vec<_>) = large
        .into_iter()
        .partition(|member| !member.keep() && references.may_include(&member.name, member.size));
    contents.extend(hash(&large)?);
    contents.extend(
        unnamed
            .iter()
            .map(|member| (member.number, FileContent::unread(&member.name, member.size))),
    );
    budget.check()?;
    let contents = in_order(contents);
    Ok(GatheredFiles { container: Container::Directory, contents, segments: Vec::new() })
}

/// How the files of an uncompressed archive are read.
const fn alone<'a>(budget: &'a Budget, threads: &'a ThreadLimit) -> ReadContext<'a> {
    ReadContext { budget, kind: StreamKind::Member, windows: Windows::OneLarge(threads), threads }
}

/// One file whose content is to be read.
struct Member {
    number: usize,
    name: String,
    offset: u64,
    size: u64,
}

impl Member {
    /// Whether it is a document by its name.
    fn keep(&self) -> bool {
        IMAGE_NAMES.contains(&self.name.as_str())
    }

    /// Refuses what was read if it is not the whole member: the file's size changed meanwhile.
    fn whole(&self, read: Result<FileContent, Fault>) -> Result<FileContent, Fault> {
        let result = read.and_then(|content| {
            if content.size == self.size {
                Ok(content)
            } else {
                Err(resized(self.size, content.size))
            }
        });
        result.map_err(|fault| match fault.code() {
            Code::Unreadable => fault.at(&self.name),
            _ => fault,
        })
    }
}

fn first_block(reader: &mut impl Read) -> Result<([u8; BLOCK], usize), Fault> {
    let mut first = [0; BLOCK];
    let length = read_full(reader, &mut first).map_err(fault_of)?;
    Ok((first, length))
}

/// The compression that the first block announces, if the block can't be taken for anything else.
fn compression(first: &[u8]) -> Result<Option<Compression>, Fault> {
    let compression = Compression::sniff(first.get(..MAGIC_BYTES).unwrap_or(first));
    if let Some(compression) = compression {
        inflate::check_one_reading(compression, first)?;
    }
    Ok(compression)
}

/// Walks over a compressed archive.
fn inflated(
    reader: impl Read + Send,
    compression: Compression,
    catalog: &mut Catalog,
    threads: &ThreadLimit,
) -> Result<GatheredFiles, Fault> {
    let budget = Budget::default();
    let inflater = Inflater::new(compression, reader, Windows::OneLarge(threads));
    // A member would wait for ever for the exclusive right that the archive itself holds.
    let windows =
        if compression.has_window() { Windows::Small } else { Windows::OneLarge(threads) };
    let context = ReadContext { budget: &budget, kind: StreamKind::Nested, windows, threads };
    let walked = ahead(inflater, threads, Meter::new(&budget, StreamKind::Archive), |inner| {
        let mut walker = Walker::new(StreamSource(inner));
        walk(&mut walker, Segmentation::Nowhere, false, catalog, context)
    });
    let walked = walked.map_err(|fault| match fault.code() {
        Code::ArchiveUnrecognised => fault.at(format!("inside the {compression} data")),
        _ => fault,
    })?;
    budget.check()?;
    let container = Container::CompressedTar(compression);
    Ok(GatheredFiles { container, contents: in_order(walked.contents), segments: Vec::new() })
}

/// Walks over an archive that is not compressed; of a file, the large members are read afterwards.
fn plain(
    source: impl TarSource,
    file: Option<(&dyn ReadAt, &ProgressCounter<'_>)>,
    catalog: &mut Catalog,
    options: &Options<'_>,
    threads: &ThreadLimit,
) -> Result<GatheredFiles, Fault> {
    let budget = Budget::default();
    let context = alone(&budget, threads);
    let segmentation = Segmentation::new(options.cuts);
    let mut walker = Walker::new(GapHasher::new(source));
    let mut walked = walk(&mut walker, segmentation, file.is_some(), catalog, context)?;
    if let Some((file, counter)) = file {
        let contents = hash_all(&walked.alone, threads, &|member, buffer| {
            let span = RangeReader::new(file, member.offset, member.size);
            content::read(ProgressReader { inner: span, counter }, member.keep(), context, buffer)
        })?;
        walked.contents.extend(walked.alone.iter().map(|member| member.number).zip(contents));
    }
    budget.check()?;
    let contents = in_order(walked.contents);
    let alone = walked.alone.iter().filter_map(|member| {
        let sha256 = contents.get(member.number)?.digest;
        Some(Segment { offset: member.offset, size: member.size, sha256 })
    });
    let segments = walker.into_source().with(alone);
    Ok(GatheredFiles { container: Container::Tar, contents, segments })
}

/// What a walk found.
#[derive(Default)]
struct Walked {
    /// The contents that were read on the way, with the numbers of their files.
    contents: Vec<(usize, FileContent)>,
    /// The members that are segments of their own.
    alone: Vec<Member>,
}

/// Walks over an archive from beginning to end and reads every content on the way; of a file, those
/// that are segments of their own are `left` for later.
fn walk(
    walker: &mut Walker<impl TarSource>,
    mut segmentation: Segmentation<'_>,
    left: bool,
    catalog: &mut Catalog,
    context: ReadContext<'_>,
) -> Result<Walked, Fault> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    let mut walked = Walked::default();
    while let Some(entry) = walker.next_entry()? {
        let (name, offset, size) = (entry.name.clone(), entry.offset, entry.size);
        let Some(number) = catalog.add(entry)? else { continue };
        let member = Member { number, name, offset, size };
        let alone = segmentation.alone(offset, size);
        if alone && left {
            walker.apart(Walker::skip_content)?;
        } else {
            let mut read = |walker: &mut Walker<_>| {
                content::read(walker.content(), member.keep(), context, &mut buffer)
            };
            let read = if alone { walker.apart(read) } else { read(walker) };
            // A truncated archive is reported first: it is why a content is too short.
            if read.is_ok() {
                walker.leave_content()?;
            }
            walked.contents.push((number, member.whole(read)?));
        }
        if alone {
            walked.alone.push(member);
        }
    }
    catalog.finish()?;
    Ok(walked)
}

/// Contents in the order of the archive, which is that of their numbers.
fn in_order(mut contents: Vec<(usize, FileContent)>) -> Vec<FileContent> {
    contents.sort_unstable_by_key(|(number, _)| *number);
    contents.into_iter().map(|(_, content)| content).collect()
}

/// Reads the content of a member, with a buffer for it.
type ReadMember<'a> = dyn Fn(&Member, &mut [u8]) -> Result<FileContent, Fault> + Sync + 'a;

/// Reads all contents on several threads, the largest first so that the threads end together.
fn hash_all(
    members: &[Member],
    threads: &ThreadLimit,
    read: &ReadMember<'_>,
) -> Result<Vec<FileContent>, Fault> {
    let mut order: Vec<(usize, &Member)> = members.iter().enumerate().collect();
    if threads.jobs() > 1 {
        order.sort_by_key(|(_, member)| std::cmp::Reverse(member.size));
    }
    let done = parallel::map_until_error(
        &order,
        threads,
        || vec![0; limits::COPY_BYTES],
        |buffer, (_, member)| member.whole(read(member, buffer)),
    );
    let mut results: Vec<_> = done
        .into_iter()
        .filter_map(|(place, result)| order.get(place).map(|(number, _)| (*number, result)))
        .collect();
    results.sort_unstable_by_key(|(number, _)| *number);
    let contents: Vec<FileContent> =
        results.into_iter().map(|(_, result)| result).collect::<Result<_, _>>()?;
    if contents.len() == members.len() {
        Ok(contents)
    } else {
        Err(Fault::new(Code::Unreadable, "not every entry was read"))
    }
}

/// A stream as a source of tar blocks. Skipping reads.
struct StreamSource<R>(R);

impl<R: Read> Read for StreamSource<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Send> TarSource for StreamSource<R> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.0.by_ref().take(count), &mut io::sink())
    }
}

/// A file as a source of tar blocks. Skipping seeks. The first block, read to find the magic number, is
/// not read again.
struct FileSource<'a> {
    first: &'a [u8],
    span: ProgressReader<'a, RangeReader<'a>>,
}

impl Read for FileSource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.first.is_empty() { self.span.read(buffer) } else { self.first.read(buffer) }
    }
}

impl TarSource for FileSource<'_> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        Ok(self.span.inner.skip(count))
    }
}
