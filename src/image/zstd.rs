//! All frames of a Zstandard stream (RFC 8878), skippable ones included.
//!
//! The library decodes one frame; this reader joins the frames, bounds their windows, and refuses
//! anything else between or after them.

use std::io::{self, Cursor, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::read_full;
use super::windows::{Window, Windows};
use crate::limits;

const FRAME: u32 = 0xfd2f_b528;
const SKIPPABLE: u32 = 0x184d_2a50;
const SKIPPABLE_MASK: u32 = 0xffff_fff0;

const FOREIGN: &str = "something else follows it";

/// Whether the first byte is one of a frame or a skippable frame.
const fn may_begin([first, ..]: [u8; 4]) -> bool {
    matches!(first, 0x28 | 0x50..=0x5f)
}

/// Whether these first bytes begin a frame or a skippable frame.
pub(super) fn is_magic(first: &[u8]) -> bool {
    first.first_chunk::<4>().is_some_and(|bytes| {
        let magic = u32::from_le_bytes(*bytes);
        magic == FRAME || magic & SKIPPABLE_MASK == SKIPPABLE
    })
}

/// Reads the content of all frames.
pub(super) struct ZstdFrames<'a, R> {
    source: R,
    decoder: FrameDecoder,
    windows: Windows<'a>,
    /// The current frame's.
    window: Option<Window<'a>>,
}

impl<'a, R: Read> ZstdFrames<'a, R> {
    pub(super) fn new(source: R, windows: Windows<'a>) -> Self {
        Self { source, decoder: decoder(), windows, window: None }
    }

    /// Goes to the next frame with content; false at the end of the data.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let mut magic = [0; 4];
            match read_full(&mut self.source, &mut magic)? {
                0 => return Ok(false),
                4 => {}
                _ if !may_begin(magic) => return Err(malformed(&FOREIGN)),
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            let number = u32::from_le_bytes(magic);
            if number == FRAME {
                let mut header = FrameHeader::read(&mut self.source)?;
                if header.window > limits::ZSTD_WINDOW_BYTES {
                    return Err(malformed(&"the window is larger than 128 MiB"));
                }
                let window = self.windows.open(header.window);
                header.narrow(window.size)?;
                let header = || Cursor::new(magic).chain(header.bytes());
                if window.is_large() {
                    // Only a decoder that was used before makes room for the whole window at once;
                    // growing to it would hold half as much again.
                    self.decoder.reset(header()).map_err(|error| malformed(&error))?;
                }
                self.decoder.reset(header()).map_err(|error| malformed(&error))?;
                self.window = Some(window);
                return Ok(true);
            }
            if number & SKIPPABLE_MASK != SKIPPABLE {
                return Err(malformed(&FOREIGN));
            }
            let mut length = [0; 4];
            self.source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for ZstdFrames<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.window.is_none() && !self.next_frame()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                // The memory is freed before the exclusive right is.
                if self.window.as_ref().is_some_and(Window::is_large) {
                    self.decoder = decoder();
                }
                self.window = None;
            } else {
                let window = &self.window;
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| match window.as_ref().and_then(Window::fault) {
                        Some(fault) => io::Error::other(fault),
                        None => malformed(&error),
                    })?;
            }
        }
    }
}

fn decoder() -> FrameDecoder {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(limits::LARGE_WINDOW_BYTES);
    decoder
}

/// A frame's header after the magic number (RFC 8878, 3.1.1.1), as far as it says how large the window is.
struct FrameHeader {
    /// Descriptor, window descriptor, dictionary id, content size.
    bytes: [u8; 14],
    length: usize,
    window: u64,
}

impl FrameHeader {
    fn read(source: &mut impl Read) -> io::Result<Self> {
        let mut bytes = [0; 14];
        let mut length = 0_usize;
        let mut field = |size: usize| -> io::Result<u64> {
            let end = length.saturating_add(size);
            let field = bytes.get_mut(length..end).unwrap_or_default();
            source.read_exact(field)?;
            length = end;
            Ok(field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
        };
        let descriptor = field(1)?;
        let single = descriptor & 0x20 != 0;
        let window = if single { 0 } else { field(1)? };
        field(match descriptor & 3 {
            0 => 0,
            1 => 1,
            2 => 2,
            _ => 4,
        })?;
        let content = match (descriptor >> 6, single) {
            (0, false) => 0,
            (0, true) => field(1)?,
            (1, _) => field(2)?.saturating_add(256),
            (2, _) => field(4)?,
            _ => field(8)?,
        };
        let window = if single {
            content
        } else {
            let base = 1_u64 << (window >> 3).saturating_add(10);
            base.saturating_add((base >> 3).saturating_mul(window & 7))
        };
        Ok(Self { bytes, length, window })
    }

    /// Writes a smaller window into the header. The data decodes the same, or refers to what the window no
    /// longer holds.
    fn narrow(&mut self, size: u64) -> io::Result<()> {
        let [descriptor, window, ..] = &mut self.bytes;
        if size == self.window {
            return Ok(());
        }
        if *descriptor & 0x20 == 0 {
            // The sizes are powers of two.
            *window = u8::try_from(size.ilog2().saturating_sub(10) << 3).unwrap_or_default();
            return Ok(());
        }
        // The window is the content: the header becomes one with a window of its own.
        let flag = *descriptor >> 6;
        if flag < 2 {
            return Err(malformed(&"a window larger than its size field"));
        }
        *descriptor &= !0x20;
        let narrow = u8::try_from(size.ilog2().saturating_sub(10) << 3).unwrap_or_default();
        self.bytes.get_mut(1..).unwrap_or_default().rotate_right(1);
        let [_, window, ..] = &mut self.bytes;
        *window = narrow;
        self.length = self.length.saturating_add(1);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn malformed(reason: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}
