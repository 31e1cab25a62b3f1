//! All streams of an xz file (<https://tukaani.org/xz/xz-file-format.txt>).
//!
//! The library decodes LZMA2. Its own reader of the container takes dictionaries of any size, which
//! would let a small file ask for 4 GiB, so the container is read here and dictionaries are bounded:
//! headers, index and footers are checked by their CRC32. The check over a block's content is skipped, because the content is
//! compared by SHA-256 anyway. Filters other than LZMA2 are refused.

use std::io::{self, Read};

use flate2::Crc;
use lzma_rust2::Lzma2Reader;

use super::input::read_full;
use super::windows::{Window, Windows};
use crate::limits;

const HEADER_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const LZMA2: u64 = 0x21;
const FOREIGN: &str = "something else follows it";

/// Reads the content of all streams.
pub(super) struct XzStreams<'a, R> {
    state: XzState<R>,
    windows: Windows<'a>,
    /// The current block's dictionary.
    window: Option<Window<'a>>,
    /// The two flag bytes of the current stream's header.
    flags: [u8; 2],
    blocks: u64,
}

enum XzState<R> {
    /// At a stream's first byte, or at the end after a stream.
    Stream { source: R, first: bool },
    /// At a block's or the index's first byte.
    Block(R),
    /// Inside a block.
    Inside(Box<Lzma2Reader<CountingReader<R>>>),
    /// At the end, or after an error.
    End,
}

impl<'a, R: Read> XzStreams<'a, R> {
    pub(super) fn new(source: R, windows: Windows<'a>) -> Self {
        let state = XzState::Stream { source, first: true };
        Self { state, windows, window: None, flags: [0; 2], blocks: 0 }
    }

    fn begin_stream(&mut self, mut source: R, first: bool) -> io::Result<XzState<R>> {
        let mut header = [0_u8; 12];
        loop {
            let (start, rest) = header.split_at_mut(4);
            match read_full(&mut source, start)? {
                0 if !first => return Ok(XzState::End),
                // Stream padding: zeros in multiples of four, only after a stream.
                4 if !first && start.iter().all(|byte| *byte == 0) => {}
                4 => {
                    source.read_exact(rest)?;
                    break;
                }
                _ if !matches!(start.first(), Some(0 | 0xfd)) => return Err(malformed(FOREIGN)),
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let [m0, m1, m2, m3, m4, m5, f0, f1, crc @ ..] = header;
        if [m0, m1, m2, m3, m4, m5] != HEADER_MAGIC {
            return Err(malformed(FOREIGN));
        }
        if f0 != 0 || f1 > 15 {
            return Err(malformed("unknown stream flags"));
        }
        check_crc(&[f0, f1], crc)?;
        self.flags = [f0, f1];
        self.blocks = 0;
        Ok(XzState::Block(source))
    }

    fn begin_block(&mut self, mut source: R) -> io::Result<XzState<R>> {
        let mut size = [0];
        source.read_exact(&mut size)?;
        let [size] = size;
        if size == 0 {
            self.end_stream(&mut source)?;
            return Ok(XzState::Stream { source, first: false });
        }
        let mut header = vec![0; usize::from(size).saturating_mul(4).saturating_add(3)];
        source.read_exact(&mut header)?;
        let Some((fields, crc)) = header.split_last_chunk::<4>() else {
            return Err(malformed("a block header is too short"));
        };
        check_crc(&[&[size], fields].concat(), *crc)?;
        let dictionary = block_dictionary(fields)?;
        self.blocks = self.blocks.saturating_add(1);
        let window = self.windows.open(dictionary.into());
        // Never larger than what was asked for.
        let size = u32::try_from(window.size).unwrap_or(dictionary);
        self.window = Some(window);
        let reader = Lzma2Reader::new(CountingReader { source, count: 0 }, size, None);
        Ok(XzState::Inside(Box::new(reader)))
    }

    fn end_block(&self, counting: CountingReader<R>) -> io::Result<XzState<R>> {
        let CountingReader { mut source, count } = counting;
        expect_zeros(&mut source, padding(count))?;
        let [_, check] = self.flags;
        // Check sizes by id: 0, 4 × 3, 8 × 3, 16 × 3, 32 × 3, 64 × 3.
        let length = match check {
            0 => 0,
            1..=3 => 4,
            4..=6 => 8,
            7..=9 => 16,
            10..=12 => 32,
            _ => 64,
        };
        let mut value = [0; 64];
        source.read_exact(value.get_mut(..length).unwrap_or_default())?;
        Ok(XzState::Block(source))
    }

    /// Index (its first byte, 0, is read already) and footer.
    fn end_stream(&self, source: &mut R) -> io::Result<()> {
        let mut index = IndexReader { source, crc: Crc::new(), count: 1 };
        index.crc.update(&[0]);
        if number(&mut index)? != self.blocks {
            return Err(malformed("the index lists another number of blocks"));
        }
        for _ in 0..self.blocks {
            number(&mut index)?;
            number(&mut index)?;
        }
        let pad = padding(index.count);
        expect_zeros(&mut index, pad)?;
        let (sum, size) = (index.crc.sum(), index.count);
        let mut crc = [0; 4];
        source.read_exact(&mut crc)?;
        if sum != u32::from_le_bytes(crc) {
            return Err(malformed("the index's CRC does not match"));
        }
        let mut footer = [0; 12];
        source.read_exact(&mut footer)?;
        let [c0, c1, c2, c3, b0, b1, b2, b3, f0, f1, y, z] = footer;
        check_crc(&[b0, b1, b2, b3, f0, f1], [c0, c1, c2, c3])?;
        let backward = u64::from(u32::from_le_bytes([b0, b1, b2, b3])).saturating_add(1);
        if [y, z] != *b"YZ"
            || [f0, f1] != self.flags
            || backward.saturating_mul(4) != size.saturating_add(4)
        {
            return Err(malformed("the stream's footer does not match its header and index"));
        }
        Ok(())
    }
}

impl<R: Read> Read for XzStreams<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, XzState::End) {
                XzState::Stream { source, first } => self.begin_stream(source, first)?,
                XzState::Block(source) => self.begin_block(source)?,
                XzState::Inside(mut reader) => {
                    let window = &self.window;
                    let count = reader.read(buffer).map_err(|error| {
                        match window.as_ref().and_then(Window::fault) {
                            Some(fault) => io::Error::other(fault),
                            None => error,
                        }
                    })?;
                    if count > 0 {
                        self.state = XzState::Inside(reader);
                        return Ok(count);
                    }
                    let source = reader.into_inner();
                    self.window = None;
                    self.end_block(source)?
                }
                XzState::End => return Ok(0),
            };
        }
    }
}

/// The dictionary size in bytes that a block header's fields (after its size byte) ask for.
fn block_dictionary(fields: &[u8]) -> io::Result<u32> {
    let mut fields = fields;
    let mut flags = [0];
    fields.read_exact(&mut flags)?;
    let [flags] = flags;
    if flags & 0x3c != 0 {
        return Err(malformed("unknown block flags"));
    }
    for present in [0x40, 0x80] {
        if flags & present != 0 {
            number(&mut fields)?;
        }
    }
    if flags & 0x03 != 0 || number(&mut fields)? != LZMA2 || number(&mut fields)? != 1 {
        return Err(malformed("a filter other than LZMA2 is not supported"));
    }
    let mut bits = [0];
    fields.read_exact(&mut bits)?;
    let [bits] = bits;
    if fields.iter().any(|byte| *byte != 0) {
        return Err(malformed("a block header's padding is not zero"));
    }
    let size = match bits {
        0..=39 => (2 | u64::from(bits & 1)) << (bits / 2).saturating_add(11),
        _ => u64::MAX,
    };
    match u32::try_from(size) {
        Ok(size) if size <= limits::XZ_DICTIONARY_BYTES => Ok(size),
        _ => Err(malformed("the dictionary is larger than 64 MiB")),
    }
}

/// A variable-length number of up to 63 bits.
fn number(source: &mut impl Read) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        let [byte] = byte;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("a number is too long"))
}

/// How many bytes are missing to a multiple of four.
const fn padding(count: u64) -> usize {
    match count % 4 {
        0 => 0,
        1 => 3,
        2 => 2,
        _ => 1,
    }
}

fn expect_zeros(source: &mut impl Read, count: usize) -> io::Result<()> {
    let mut bytes = [0; 3];
    let bytes = bytes.get_mut(..count).unwrap_or_default();
    source.read_exact(bytes)?;
    if bytes.iter().any(|byte| *byte != 0) {
        return Err(malformed("padding is not zero"));
    }
    Ok(())
}

fn check_crc(bytes: &[u8], expected: [u8; 4]) -> io::Result<()> {
    let mut crc = Crc::new();
    crc.update(bytes);
    if crc.sum() == u32::from_le_bytes(expected) {
        Ok(())
    } else {
        Err(malformed("a header's CRC does not match"))
    }
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Counts a block's compressed bytes.
struct CountingReader<R> {
    source: R,
    count: u64,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.count = self.count.saturating_add(count as u64);
        Ok(count)
    }
}

/// Counts and sums the bytes of an index.
struct IndexReader<'a, R> {
    source: &'a mut R,
    crc: Crc,
    count: u64,
}

impl<R: Read> Read for IndexReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        self.count = self.count.saturating_add(count as u64);
        Ok(count)
    }
}
