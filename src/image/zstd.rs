//! All frames of a Zstandard stream (RFC 8878), skippable ones included.
//!
//! The library decodes one frame; this reader strings frames together and refuses anything else
//! between or behind them.

use std::io::{self, Cursor, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::inflate::read_full;
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
pub(super) struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: Read> ZstdFrames<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(limits::ZSTD_WINDOW_BYTES);
        Self { source, decoder, in_frame: false }
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
                self.decoder
                    .reset(Cursor::new(magic).chain(&mut self.source))
                    .map_err(|error| malformed(&error))?;
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

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.in_frame = false;
            } else {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| malformed(&error))?;
            }
        }
    }
}

fn malformed(reason: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}
