//! gzip members and bzip2 streams, one after the other, and nothing else after them.
//!
//! The libraries have readers for this too, but take a few foreign bytes after the data for a truncated
//! header.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

/// A decoder of one member.
pub(super) trait MemberDecoder: Read {
    type Source: BufRead;
    /// The first byte of every member.
    const FIRST: u8;
    fn begin(source: Self::Source) -> Self;
    fn end(self) -> Self::Source;
}

impl<R: BufRead> MemberDecoder for GzDecoder<R> {
    type Source = R;
    const FIRST: u8 = 0x1f;

    fn begin(source: R) -> Self {
        Self::new(source)
    }

    fn end(self) -> R {
        self.into_inner()
    }
}

impl<R: BufRead> MemberDecoder for BzDecoder<R> {
    type Source = R;
    const FIRST: u8 = b'B';

    fn begin(source: R) -> Self {
        Self::new(source)
    }

    fn end(self) -> R {
        self.into_inner()
    }
}

/// Reads the content of all members. After an error it is at its end.
pub(super) struct MultiDecoder<M> {
    current: Option<M>,
}

impl<M: MemberDecoder> MultiDecoder<M> {
    pub(super) fn new(source: M::Source) -> Self {
        Self { current: Some(M::begin(source)) }
    }
}

impl<M: MemberDecoder> Read for MultiDecoder<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(mut member) = self.current.take() {
            let count = member.read(buffer)?;
            if count > 0 {
                self.current = Some(member);
                return Ok(count);
            }
            let mut source = member.end();
            match source.fill_buf()?.first() {
                None => {}
                Some(&first) if first == M::FIRST => self.current = Some(M::begin(source)),
                Some(_) => {
                    let message = "something else follows it";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                }
            }
        }
        Ok(0)
    }
}
