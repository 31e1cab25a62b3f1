//! The tar walker: one entry after the other, read so that every loader would read the same.
//!
//! It walks over header blocks itself, because the `tar` crate's iterator stops at a single zero
//! block and tolerates more than Go does; where Go, GNU tar and Python would differ, it refuses. One
//! walker serves a stream, whose content it reads past, and a file, whose content it skips.

use std::io::{self, Read};

use super::header::{self, BLOCK, Header, malformed};
use super::input::{fault_of, read_full};
use super::pax;
use crate::limits;
use crate::path;
use crate::verdict::{Code, Fault};

/// Where tar blocks come from.
pub(super) trait TarSource: Read + Send {
    /// Moves on by `count` bytes; says by how many, less only at the end.
    fn skip(&mut self, count: u64) -> io::Result<u64>;

    /// What follows is a member that is hashed as such.
    fn leave_out(&mut self) {}

    /// What follows, from `position` on, is no such member any more.
    fn take_up(&mut self, _position: u64) {}
}

/// One entry.
#[derive(Debug)]
pub(super) struct TarEntry {
    /// The name, safe, without a leading `./` and a trailing `/`; empty for the root directory.
    pub(super) name: String,
    pub(super) kind: TarEntryKind,
    /// Where the content begins, in bytes from the archive's beginning.
    pub(super) offset: u64,
    /// Size of the content in bytes.
    pub(super) size: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum TarEntryKind {
    File,
    Directory,
    /// A symbolic link and its target, as written.
    Link(String),
}

/// Walks over an archive.
pub(super) struct Walker<S> {
    source: S,
    /// Bytes read or skipped so far.
    position: u64,
    /// ContentReader bytes of the current entry that were not read yet.
    content: u64,
    padding: u64,
    entries: usize,
    /// What the current entry is called, for messages.
    current: String,
}

impl<S: TarSource> Walker<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, position: 0, content: 0, padding: 0, entries: 0, current: String::new() }
    }

    /// Goes to the next entry; `None` after the last one, if the archive ended as it should.
    pub(super) fn next_entry(&mut self) -> Result<Option<TarEntry>, Fault> {
        self.leave_content()?;
        let mut pending = Pending::default();
        loop {
            let start = self.position;
            let Some(block) = self.header_block(&pending)? else { return Ok(None) };
            let header = header::parse(&block)
                .map_err(|fault| fault.at(pending.shown(&header::shown_name(&block), start)))?;
            self.entries = self.entries.saturating_add(1);
            if self.entries > limits::ARCHIVE_ENTRIES {
                return Err(Fault::new(
                    Code::ArchiveTooLarge,
                    format!("more than {} entries", limits::ARCHIVE_ENTRIES),
                ));
            }
            match header.kind {
                b'x' | b'g' | b'L' | b'K' => {
                    let data = self.special(&header, start)?;
                    pending.take(&header, data).map_err(|fault| fault.at(byte(start)))?;
                }
                _ => {
                    let shown = pending.shown(&header.name, start);
                    let mut entry = pending.finish(header).map_err(|fault| fault.at(&shown))?;
                    entry.offset = self.position;
                    self.enter_content(entry.size);
                    self.current.clone_from(&entry.name);
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// The current entry's content, as far as it was not read yet.
    pub(super) fn content(&mut self) -> impl Read + Send {
        ContentReader(self)
    }

    /// Reads or skips the current entry's content apart from what surrounds it.
    pub(super) fn apart<T>(&mut self, pass: impl FnOnce(&mut Self) -> T) -> T {
        self.source.leave_out();
        let passed = pass(self);
        self.source.take_up(self.position);
        passed
    }

    /// Skips the content, but not the padding after it. Missing bytes are noticed when it is left.
    pub(super) fn skip_content(&mut self) -> Result<(), Fault> {
        let skipped = self.source.skip(self.content).map_err(fault_of)?;
        self.content = self.content.saturating_sub(skipped);
        self.position = self.position.saturating_add(skipped);
        Ok(())
    }

    /// The source, when the archive was walked over.
    pub(super) fn into_source(self) -> S {
        self.source
    }

    fn enter_content(&mut self, size: u64) {
        self.content = size;
        self.padding = header::padding(size);
    }

    /// Moves past the current entry.
    pub(super) fn leave_content(&mut self) -> Result<(), Fault> {
        let due = self.content.saturating_add(self.padding);
        self.content = 0;
        self.padding = 0;
        let skipped = self.source.skip(due).map_err(fault_of)?;
        self.position = self.position.saturating_add(skipped);
        if skipped == due {
            return Ok(());
        }
        let due = self.position.saturating_add(due.saturating_sub(skipped));
        Err(self.truncated("inside an entry", due).at(self.current.clone()))
    }

    /// The next header block; `None` when the two zero blocks of the end were read instead.
    fn header_block(&mut self, pending: &Pending) -> Result<Option<[u8; BLOCK]>, Fault> {
        let start = self.position;
        let (block, length) = self.block()?;
        if start == 0 {
            check_first(&block, length)?;
        }
        if length < BLOCK {
            let place = if length == 0 {
                "before the two zero blocks that end a tar archive"
            } else {
                "inside a header"
            };
            return Err(self.truncated(place, start.saturating_add(BLOCK as u64)));
        }
        if block.iter().all(|byte| *byte == 0) {
            if pending.any() {
                return Err(malformed("the archive ends after a header that announces an entry"));
            }
            return self.end().map(|()| None);
        }
        if !header::checksum_holds(&block) {
            return Err(malformed("a header's checksum is wrong").at(byte(start)));
        }
        Ok(Some(block))
    }

    fn block(&mut self) -> Result<([u8; BLOCK], usize), Fault> {
        let mut block = [0; BLOCK];
        let length = read_full(&mut self.source, &mut block).map_err(fault_of)?;
        self.position = self.position.saturating_add(length as u64);
        Ok((block, length))
    }

    /// After the first zero block: a second one, then nothing but zeros.
    fn end(&mut self) -> Result<(), Fault> {
        let start = self.position;
        let (second, length) = self.block()?;
        if second.iter().any(|byte| *byte != 0) {
            return Err(malformed("a single zero block, and more after it").at(byte(start)));
        }
        if length < BLOCK {
            return Err(
                self.truncated("inside the two zero blocks", start.saturating_add(BLOCK as u64))
            );
        }
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = read_full(&mut self.source, &mut buffer).map_err(fault_of)?;
            if length == 0 {
                return Ok(());
            }
            let read = buffer.get(..length).unwrap_or_default();
            if let Some(at) = read.iter().position(|byte| *byte != 0) {
                let at = self.position.saturating_add(at as u64);
                return Err(malformed("data follows the end of the archive").at(byte(at)));
            }
            self.position = self.position.saturating_add(length as u64);
        }
    }

    /// The data of a header that describes the next entry.
    fn special(&mut self, header: &Header, start: u64) -> Result<Vec<u8>, Fault> {
        if header.size > limits::TAR_SPECIAL_BYTES {
            return Err(Fault::new(
                Code::ArchiveTooLarge,
                format!("a PAX or long-name header of {} bytes", header.size),
            )
            .at(byte(start)));
        }
        let mut data = vec![0; usize::try_from(header.size).unwrap_or_default()];
        let length = read_full(&mut self.source, &mut data).map_err(fault_of)?;
        self.position = self.position.saturating_add(length as u64);
        "a PAX or long-name header".clone_into(&mut self.current);
        self.enter_content(header.size);
        self.content = self.content.saturating_sub(length as u64);
        self.leave_content()?;
        Ok(data)
    }

    fn truncated(&self, place: &str, due: u64) -> Fault {
        let end = self.position;
        Fault::new(Code::ArchiveTruncated, format!("the archive is cut off at byte {end}, {place}"))
            .expected_found(format!("at least {due} bytes"), format!("{end}"))
    }
}

/// The content of the current entry.
struct ContentReader<'a, S>(&'a mut Walker<S>);

impl<S: TarSource> Read for ContentReader<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.0.content).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.0.source.read(buffer.get_mut(..left).unwrap_or_default())?;
        self.0.content = self.0.content.saturating_sub(count as u64);
        self.0.position = self.0.position.saturating_add(count as u64);
        Ok(count)
    }
}

/// What git and Python name a global PAX header. Go hands it out like an entry: Docker deletes what it
/// unpacked under that name, skopeo takes it for the file.
const GLOBAL_NAMES: [&[u8]; 2] = [b"pax_global_header", b"././@PaxHeader"];
/// Where that is.
const GLOBAL_PLACES: [&str; 2] = ["pax_global_header", "@PaxHeader"];

/// What headers said about the entry that they precede.
#[derive(Default)]
struct Pending {
    pax: Option<pax::Overrides>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Pending {
    fn any(&self) -> bool {
        self.pax.is_some() || self.long_name.is_some() || self.long_link.is_some()
    }

    fn take(&mut self, header: &Header, data: Vec<u8>) -> Result<(), Fault> {
        let twice = match header.kind {
            b'g' => {
                if !GLOBAL_NAMES.contains(&header.name.as_slice()) {
                    return Err(malformed(
                        "a global PAX header under another name than git's and Python's, which \
                         Docker and skopeo take for an entry",
                    ));
                }
                pax::global(&data)?;
                self.any()
            }
            b'x' => self.pax.replace(pax::local(&data)?).is_some(),
            b'L' => self.long_name.replace(without_nul(data)).is_some(),
            _ => self.long_link.replace(without_nul(data)).is_some(),
        };
        if twice {
            return Err(malformed("two headers of one kind announce the same entry"));
        }
        let both = self.pax.as_ref().is_some_and(|pax| {
            (pax.name.is_some() && self.long_name.is_some())
                || (pax.link.is_some() && self.long_link.is_some())
        });
        if both {
            return Err(malformed("PAX and GNU headers both name the same entry"));
        }
        Ok(())
    }

    /// The name as written in the archive, and where its header is, for messages.
    fn shown(&self, name: &[u8], start: u64) -> String {
        let pax = self.pax.as_ref().and_then(|pax| pax.name.as_ref());
        let name = pax.or(self.long_name.as_ref()).map_or(name, Vec::as_slice);
        format!("{} (header at byte {start})", String::from_utf8_lossy(name))
    }

    fn finish(self, header: Header) -> Result<TarEntry, Fault> {
        let pax = self.pax.unwrap_or_default();
        let name = text(pax.name.or(self.long_name).unwrap_or(header.name))?;
        let link = pax.link.or(self.long_link);
        if link.is_some() && header.kind != b'2' {
            return Err(header::link_on_another());
        }
        // Go leaves the header's size at 0, libarchive writes it twice.
        let size = pax.size.unwrap_or(header.size);
        if header.size != 0 && header.size != size {
            return Err(malformed("the header and its PAX record differ in the size"));
        }
        let kind = match header.kind {
            b'5' => TarEntryKind::Directory,
            b'2' => TarEntryKind::Link(text(link.unwrap_or(header.link))?),
            _ => TarEntryKind::File,
        };
        if size > 0 && kind != TarEntryKind::File {
            return Err(Fault::new(
                Code::EntryTypeRefused,
                format!("a directory or link with {size} bytes of content"),
            ));
        }
        let name = normalise(&name, kind == TarEntryKind::Directory)?;
        Ok(TarEntry { name, kind, offset: 0, size })
    }
}

/// Removes one leading `./` and, for directories, one trailing `/`. The rest must be safe.
fn normalise(name: &str, directory: bool) -> Result<String, Fault> {
    let mut rest = name;
    if directory {
        rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest == "." {
            return Ok(String::new());
        }
    }
    rest = rest.strip_prefix("./").unwrap_or(rest);
    path::entry(rest).map_err(|reason| Fault::new(Code::EntryNameUnsafe, reason.to_string()))?;
    let first = rest.split('/').next().unwrap_or_default();
    if GLOBAL_PLACES.iter().any(|place| first.eq_ignore_ascii_case(place)) {
        return Err(malformed("an entry has the name of a global PAX header"));
    }
    Ok(rest.to_owned())
}

fn text(name: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(name)
        .map_err(|_| Fault::new(Code::EntryNameUnsafe, path::UnsafeName::NotText.to_string()))
}

/// GNU long names end with a NUL; a NUL inside stays and makes the name unsafe.
fn without_nul(mut data: Vec<u8>) -> Vec<u8> {
    if data.last() == Some(&0) {
        data.pop();
    }
    data
}

/// Says of the first block why it can't begin a tar archive.
fn check_first(block: &[u8; BLOCK], length: usize) -> Result<(), Fault> {
    let unrecognised = |reason: &str| Err(Fault::new(Code::ArchiveUnrecognised, reason));
    let read = block.get(..length).unwrap_or_default();
    if length == 0 {
        return unrecognised("there is no data at all");
    }
    if read.iter().all(|byte| *byte == 0) {
        return unrecognised(
            "the data begins with zeros, where a tar archive has its first header",
        );
    }
    let magic = read.get(257..262) == Some(b"ustar");
    if length < BLOCK && !magic && !read.contains(&0) {
        return unrecognised("too short for a tar archive");
    }
    if length == BLOCK && !header::checksum_holds(block) && !magic {
        return unrecognised(
            "neither a tar archive nor one compressed with gzip, xz, bzip2 or zstd",
        );
    }
    Ok(())
}

fn byte(position: u64) -> String {
    format!("byte {position}")
}
