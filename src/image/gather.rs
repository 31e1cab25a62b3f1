//! Gathers the names and the facts of an archive from a stream, a file or a directory.
//!
//! However it is read, the outcome is the same: the walk's fault first, then the catalogue's, then
//! the budget's. Nothing is decided here.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::catalog::{Catalog, IMAGE_NAMES};
use super::content::{self, BUFFER, Budget, Content};
use super::header::BLOCK;
use super::inflate::{self, Compression, Inflater, MAGIC_BYTES, fault_of, read_full};
use super::input::{Counted, Counter, Options, ReadAt, Span, Tree, TreeKind};
use super::tar::{Entry, EntryKind, Source, Walker};
use crate::limits;
use crate::path;
use crate::verdict::{Code, Fault};

/// How the data is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// A tar archive as it stands.
    Tar,
    /// A compressed tar archive.
    CompressedTar(Compression),
    /// A directory.
    Directory,
}

/// What was gathered.
pub(super) type Gathered = (Container, Vec<Content>);

/// From a stream.
pub(super) fn stream(
    stream: &mut dyn Read,
    catalog: &mut Catalog,
    options: &Options<'_>,
) -> Result<Gathered, Fault> {
    let counter = Counter::new(options.progress);
    let mut reader = Counted { inner: stream, counter: &counter };
    let (first, length) = first_block(&mut reader)?;
    let first = first.get(..length).unwrap_or_default();
    let compression = compression(first)?;
    sequential(Cursor::new(first).chain(reader), compression, catalog)
}

/// From a file.
pub(super) fn file(
    file: &dyn ReadAt,
    catalog: &mut Catalog,
    options: &Options<'_>,
) -> Result<Gathered, Fault> {
    let counter = Counter::new(options.progress);
    let size = file.size();
    options.progress.expect(size);
    let mut span = Counted { inner: Span::new(file, 0, size), counter: &counter };
    let (first, length) = first_block(&mut span)?;
    let first = first.get(..length).unwrap_or_default();
    let compression = compression(first)?;
    let gathered = if compression.is_some() {
        sequential(Cursor::new(first).chain(span), compression, catalog)?
    } else {
        let members = index(Positioned { first, span }, catalog)?;
        let budget = Budget::default();
        let contents = hash_all(&members, options.jobs, &|member, buffer| {
            let span = Span::new(file, member.offset, member.size);
            let reader = Counted { inner: span, counter: &counter };
            content::read(reader, member.keep, &budget, buffer)
        })?;
        budget.check()?;
        (Container::Tar, contents)
    };
    counter.finish(size);
    Ok(gathered)
}

/// From a directory.
pub(super) fn layout(
    tree: &dyn Tree,
    catalog: &mut Catalog,
    options: &Options<'_>,
) -> Result<Gathered, Fault> {
    let counter = Counter::new(options.progress);
    let mut entries = tree.entries().map_err(fault_of)?;
    if entries.len() > limits::ARCHIVE_ENTRIES {
        let message = format!("more than {} entries", limits::ARCHIVE_ENTRIES);
        return Err(Fault::new(Code::ArchiveTooLarge, message));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut members = Vec::new();
    for entry in entries {
        let name = entry.name;
        path::check(&name)
            .map_err(|reason| Fault::new(Code::EntryNameUnsafe, reason.to_string()).at(&name))?;
        let kind = match entry.kind {
            TreeKind::File => EntryKind::File,
            TreeKind::Directory => EntryKind::Directory,
            TreeKind::Other => {
                let message = "neither a regular file nor a directory";
                return Err(Fault::new(Code::EntryTypeRefused, message).at(&name));
            }
        };
        let added = Entry { name: name.clone(), kind, offset: 0, size: entry.size };
        if catalog.add(added)?.is_some() {
            options.progress.expect(entry.size);
            members.push(Member { keep: keep(&name), name, offset: 0, size: entry.size });
        }
    }
    catalog.finish()?;
    let budget = Budget::default();
    let contents = hash_all(&members, options.jobs, &|member, buffer| {
        let reader = tree.open(&member.name).map_err(|error| fault_of(error).at(&member.name))?;
        let reader = Counted { inner: reader, counter: &counter };
        content::read(reader, member.keep, &budget, buffer)
    })?;
    budget.check()?;
    Ok((Container::Directory, contents))
}

/// One file whose content is to be read.
struct Member {
    name: String,
    keep: bool,
    offset: u64,
    size: u64,
}

fn keep(name: &str) -> bool {
    IMAGE_NAMES.contains(&name)
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

/// Walks over an archive from beginning to end, decompressing it first if it is compressed.
fn sequential(
    reader: impl Read,
    compression: Option<Compression>,
    catalog: &mut Catalog,
) -> Result<Gathered, Fault> {
    let budget = Budget::default();
    let Some(compression) = compression else {
        return Ok((Container::Tar, walk(Streamed(reader), catalog, &budget)?));
    };
    let source = Inflated { inner: Inflater::new(compression, reader), budget: &budget };
    let contents =
        walk(Streamed(source), catalog, &budget).map_err(|fault| match fault.code() {
            Code::ArchiveUnrecognised => fault.at(format!("inside the {compression} data")),
            _ => fault,
        })?;
    Ok((Container::CompressedTar(compression), contents))
}

/// Walks over a stream and reads every content on the way.
fn walk(
    source: impl Source,
    catalog: &mut Catalog,
    budget: &Budget,
) -> Result<Vec<Content>, Fault> {
    let mut walker = Walker::new(source);
    let mut buffer = vec![0; BUFFER];
    let mut contents = Vec::new();
    while let Some(entry) = walker.next_entry()? {
        let keep = keep(&entry.name);
        if catalog.add(entry)?.is_some() {
            contents.push(content::read(walker.content(), keep, budget, &mut buffer)?);
        }
    }
    catalog.finish()?;
    budget.check()?;
    Ok(contents)
}

/// Walks over a file's headers only.
fn index(source: impl Source, catalog: &mut Catalog) -> Result<Vec<Member>, Fault> {
    let mut walker = Walker::new(source);
    let mut members = Vec::new();
    while let Some(entry) = walker.next_entry()? {
        let (name, offset, size) = (entry.name.clone(), entry.offset, entry.size);
        if catalog.add(entry)?.is_some() {
            members.push(Member { keep: keep(&name), name, offset, size });
        }
    }
    catalog.finish()?;
    Ok(members)
}

/// Reads the content of a member, with a buffer for it.
type ReadMember<'a> = dyn Fn(&Member, &mut [u8]) -> Result<Content, Fault> + Sync + 'a;

/// Reads all contents with up to `jobs` threads, the largest first so that the threads end together.
fn hash_all(members: &[Member], jobs: usize, read: &ReadMember<'_>) -> Result<Vec<Content>, Fault> {
    let mut order: Vec<(usize, &Member)> = members.iter().enumerate().collect();
    if jobs > 1 {
        order.sort_by_key(|(_, member)| std::cmp::Reverse(member.size));
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut buffer = vec![0; BUFFER];
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let Some((number, member)) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let result = read(member, &mut buffer).and_then(|content| whole(content, member));
            stop.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((*number, result));
        }
        done
    };
    let mut results = thread::scope(|scope| {
        let helpers: Vec<_> = (1..jobs.min(order.len())).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for helper in helpers {
            results.extend(helper.join().unwrap_or_default());
        }
        results
    });
    results.sort_by_key(|(number, _)| *number);
    let contents: Vec<Content> =
        results.into_iter().map(|(_, result)| result).collect::<Result<_, _>>()?;
    if contents.len() == members.len() {
        Ok(contents)
    } else {
        Err(Fault::new(Code::Unreadable, "not every entry was read"))
    }
}

/// A file that became shorter or longer since its size was asked for must not pass.
fn whole(content: Content, member: &Member) -> Result<Content, Fault> {
    if content.size == member.size {
        return Ok(content);
    }
    Err(Fault::new(Code::Unreadable, "the size changed while it was read")
        .at(&member.name)
        .expected_found(format!("{} bytes", member.size), content.size))
}

/// A stream as a source of tar blocks: skipping is reading.
struct Streamed<R>(R);

impl<R: Read> Read for Streamed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Source for Streamed<R> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.0.by_ref().take(count), &mut io::sink())
    }
}

/// A decompressed stream that is counted against the budget.
struct Inflated<'a, R: Read> {
    inner: Inflater<R>,
    budget: &'a Budget,
}

impl<R: Read> Read for Inflated<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.inflate(count).map_err(io::Error::other)?;
        Ok(count)
    }
}

/// A file as a source of tar blocks: skipping moves on. What was read to find the magic number is
/// not read again.
struct Positioned<'a> {
    first: &'a [u8],
    span: Counted<'a, Span<'a>>,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.first.is_empty() { self.span.read(buffer) } else { self.first.read(buffer) }
    }
}

impl Source for Positioned<'_> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        Ok(self.span.inner.skip(count))
    }
}
