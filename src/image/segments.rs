//! Segments: consecutive ranges that cover an uncompressed archive, each with its SHA-256.
//!
//! A large member is a segment of its own, so that its digest serves the file's integrity and the
//! layer at once; what is between is hashed while the archive is walked over. Where a member begins
//! and ends is what the tar bytes of this reading say; sizes that somebody states only choose which
//! members get a segment of their own.

use std::io::{self, Read};
use std::mem;
use std::slice;

use super::tar::TarSource;
use crate::digest::{Hasher, Sha256Digest};
use crate::limits;

/// A range of an archive and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins, in bytes from the archive's beginning.
    pub offset: u64,
    /// Size in bytes, at least 1.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
}

/// Which members are segments of their own.
pub(super) enum Segmentation<'a> {
    /// None: nothing is cut.
    Nowhere,
    /// Those of at least [`limits::SEGMENT_BYTES`].
    BySize,
    /// Those whose content is exactly one of the stated ranges.
    Stated(StatedRanges<'a>),
}

impl<'a> Segmentation<'a> {
    /// By the stated sizes, else by the member's size.
    pub(super) fn new(cuts: Option<&'a [u64]>) -> Self {
        cuts.map_or(Self::BySize, |sizes| {
            Self::Stated(StatedRanges { rest: sizes.iter(), start: 0, end: 0 })
        })
    }

    /// Whether a member is a segment of its own. To be asked in the order of the archive.
    pub(super) fn alone(&mut self, offset: u64, size: u64) -> bool {
        match self {
            Self::Nowhere => false,
            Self::BySize => size >= limits::SEGMENT_BYTES,
            Self::Stated(ranges) => size > 0 && ranges.at(offset) == Some(size),
        }
    }
}

/// Stated ranges, walked over in step with the archive: nobody knows whether they fit, or add up to
/// anything that a file could have.
pub(super) struct StatedRanges<'a> {
    rest: slice::Iter<'a, u64>,
    start: u64,
    end: u64,
}

impl StatedRanges<'_> {
    /// The size of the range that begins at `offset`, if one does.
    fn at(&mut self, offset: u64) -> Option<u64> {
        while self.start < offset || self.start == self.end {
            let size = self.rest.next()?;
            self.start = self.end;
            self.end = self.end.saturating_add(*size);
        }
        (self.start == offset).then(|| self.end.saturating_sub(self.start))
    }
}

/// A source that hashes all that passes, except the members that are left out.
pub(super) struct GapHasher<S> {
    inner: S,
    hasher: Hasher,
    start: u64,
    left_out: bool,
    found: Vec<Segment>,
}

impl<S> GapHasher<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, hasher: Hasher::new(), start: 0, left_out: false, found: Vec::new() }
    }

    /// All segments: what was hashed here, and the members that were left out.
    pub(super) fn with(mut self, left_out: impl Iterator<Item = Segment>) -> Vec<Segment> {
        self.cut();
        self.found.extend(left_out);
        self.found.sort_unstable_by_key(|segment| segment.offset);
        self.found
    }

    fn cut(&mut self) {
        let hasher = mem::take(&mut self.hasher);
        let size = hasher.bytes();
        if size > 0 {
            self.found.push(Segment { offset: self.start, size, sha256: hasher.finish() });
        }
    }
}

impl<S: Read> Read for GapHasher<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if !self.left_out {
            self.hasher.update(buffer.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

impl<S: TarSource> TarSource for GapHasher<S> {
    /// What belongs to a gap is read, because it must be hashed.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        if self.left_out {
            return self.inner.skip(count);
        }
        io::copy(&mut self.by_ref().take(count), &mut io::sink())
    }

    fn leave_out(&mut self) {
        self.cut();
        self.left_out = true;
    }

    fn take_up(&mut self, position: u64) {
        self.start = position;
        self.left_out = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_ranges_choose_only_what_they_meet() {
        let alone = |cuts: &[u64], members: &[(u64, u64)]| -> Vec<bool> {
            let mut segmentation = Segmentation::new(Some(cuts));
            members.iter().map(|(offset, size)| segmentation.alone(*offset, *size)).collect()
        };
        let members = [(512, 100), (1536, 0), (2048, 700), (4096, 1)];
        let cases: [(&[u64], [bool; 4]); 9] = [
            (&[512, 100, 1436, 700, 1348, 1], [true, false, true, true]),
            (&[512, 101, 1435, 700], [false, false, true, false]),
            (&[512, 99, 1, 1436, 700], [false, false, true, false]),
            (&[2048, 700], [false, false, true, false]),
            (&[0, 512, 0, 100], [true, false, false, false]),
            (&[512, 0, 1024, 0, 512, 700], [false, false, true, false]),
            (&[], [false; 4]),
            (&[u64::MAX, u64::MAX, 1], [false; 4]),
            (&[512, u64::MAX, 100], [false; 4]),
        ];
        for (cuts, expected) in cases {
            assert_eq!(alone(cuts, &members), expected, "{cuts:?}");
        }
        let most = [(u64::MAX, 0), (u64::MAX, 1), (u64::MAX, u64::MAX)];
        assert_eq!(alone(&[u64::MAX, u64::MAX, 0], &most), [false; 3]);
    }
}
