//! What reading one archive may cost in all: decompressed bytes, their ratio to the compressed ones, and
//! kept documents.
//!
//! All files of an archive share it and use it up in any order, on any thread. That something was used
//! up is found out at the end, so that the answer does not depend on the order.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::limits;
use crate::verdict::{Code, Fault};

/// The budget of one archive.
#[derive(Debug)]
pub(super) struct Budget {
    /// Decompressed bytes that are left.
    inflated: AtomicU64,
    /// Bytes of documents that are left.
    documents: AtomicU64,
    /// Decompressed bytes beyond the ratio that are left to all files together.
    beyond: AtomicU64,
    /// If the archive itself is compressed: how many bytes of it were read, and how many its files
    /// yielded that are compressed again.
    read: AtomicU64,
    within: AtomicU64,
    /// The most that either of the two layers of such an archive may yield beyond the ratio.
    beyond_each: u64,
    too_much: AtomicBool,
    too_dense: AtomicBool,
}

/// Whose compressed data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    /// The archive's own.
    Archive,
    /// A file's in an archive that is not compressed.
    Member,
    /// A file's in an archive that is compressed: its bytes cost nothing, so those of the archive count.
    Nested,
}

impl Budget {
    pub(super) const fn new(inflated: u64, documents: u64, beyond: u64) -> Self {
        Self {
            inflated: AtomicU64::new(inflated),
            documents: AtomicU64::new(documents),
            beyond: AtomicU64::new(beyond),
            read: AtomicU64::new(0),
            within: AtomicU64::new(0),
            beyond_each: beyond,
            too_much: AtomicBool::new(false),
            too_dense: AtomicBool::new(false),
        }
    }

    /// Takes the bytes of a document.
    pub(super) fn document(&self, bytes: usize) -> bool {
        let taken = take(&self.documents, bytes as u64);
        if !taken {
            self.too_much.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// The fault, if something was used up.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.too_much.load(Ordering::Relaxed) {
            Err(too_much())
        } else if self.too_dense.load(Ordering::Relaxed) {
            Err(too_dense())
        } else {
            Ok(())
        }
    }

    /// Decompressed bytes that are left.
    #[cfg(test)]
    pub(super) fn left(&self) -> u64 {
        self.inflated.load(Ordering::Relaxed)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(
            limits::INFLATED_TOTAL_BYTES,
            limits::ARCHIVE_JSON_TOTAL_BYTES,
            limits::INFLATED_FREE_BYTES,
        )
    }
}

fn take(left: &AtomicU64, bytes: u64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

/// Counts what one stream yields.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    budget: &'a Budget,
    kind: StreamKind,
    made: u64,
    /// What it took from the bytes beyond the ratio.
    taken: u64,
}

impl<'a> Meter<'a> {
    pub(super) const fn new(budget: &'a Budget, kind: StreamKind) -> Self {
        Self { budget, kind, made: 0, taken: 0 }
    }

    /// What measures the pieces where they are made.
    pub(super) const fn counter(&self) -> CompressedCounter<'a> {
        CompressedCounter { budget: self.budget, kind: self.kind }
    }

    /// Counts a piece of `bytes` bytes, made when `read` compressed ones had been read.
    pub(super) fn piece(&mut self, bytes: usize, read: u64) -> Result<(), Fault> {
        let (budget, bytes) = (self.budget, bytes as u64);
        if !take(&budget.inflated, bytes) {
            budget.too_much.store(true, Ordering::Relaxed);
            return Err(too_much());
        }
        self.made = self.made.saturating_add(bytes);
        let made = match self.kind {
            StreamKind::Nested => {
                budget.within.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes)
            }
            StreamKind::Archive => {
                budget.read.store(read, Ordering::Relaxed);
                self.made
            }
            StreamKind::Member => self.made,
        };
        let beyond = made.saturating_sub(read.saturating_mul(limits::INFLATED_RATIO));
        let fits = match self.kind {
            StreamKind::Archive | StreamKind::Nested => beyond <= budget.beyond_each,
            StreamKind::Member => {
                let more = beyond.saturating_sub(self.taken);
                self.taken = self.taken.max(beyond);
                take(&budget.beyond, more)
            }
        };
        if fits {
            return Ok(());
        }
        budget.too_dense.store(true, Ordering::Relaxed);
        Err(too_dense())
    }
}

/// Says how many compressed bytes count for a piece that was just made.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompressedCounter<'a> {
    budget: &'a Budget,
    kind: StreamKind,
}

impl CompressedCounter<'_> {
    /// `own`: the stream's own compressed bytes, as far as they were read.
    pub(super) fn read(&self, own: u64) -> u64 {
        match self.kind {
            StreamKind::Nested => self.budget.read.load(Ordering::Relaxed),
            StreamKind::Archive | StreamKind::Member => own,
        }
    }
}

fn too_much() -> Fault {
    Fault::new(
        Code::ArchiveTooLarge,
        format!(
            "more than {} bytes when decompressed, or more than {} bytes of JSON documents",
            limits::INFLATED_TOTAL_BYTES,
            limits::ARCHIVE_JSON_TOTAL_BYTES
        ),
    )
}

fn too_dense() -> Fault {
    Fault::new(
        Code::ArchiveTooLarge,
        format!(
            "compressed data becomes more than {} times as large, by more than {} bytes",
            limits::INFLATED_RATIO,
            limits::INFLATED_FREE_BYTES
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_the_ratio_is_shared_whatever_the_order() {
        for order in [[0, 1], [1, 0]] {
            let budget = Budget::new(u64::MAX, 0, 1000);
            let mut meters = [0, 1].map(|_| Meter::new(&budget, StreamKind::Member));
            for place in order {
                // 700 bytes beyond at first; later bytes make good for it, but it stays taken.
                assert!(meters[place].piece(700, 0).is_ok() || place == order[1]);
                let _ = meters[place].piece(400, 1);
            }
            assert_eq!(budget.check().unwrap_err().code(), Code::ArchiveTooLarge);
        }
        let budget = Budget::new(u64::MAX, 0, 1000);
        let mut one = Meter::new(&budget, StreamKind::Member);
        let ratio = usize::try_from(limits::INFLATED_RATIO).unwrap();
        for read in 1..1000 {
            assert!(one.piece(ratio, read).is_ok());
        }
        assert!(one.piece(ratio + 1000, 1000).is_ok());
        assert!(one.piece(ratio + 1, 1001).is_err());
    }

    /// gzip in gzip: what counts is the bytes of the file.
    #[test]
    fn layers_of_compression_are_measured_by_the_outermost() {
        let budget = Budget::new(u64::MAX, 0, 1000);
        let mut outer = Meter::new(&budget, StreamKind::Archive);
        outer.piece(10_000, 10).unwrap();
        for _ in 0..2 {
            let mut inner = Meter::new(&budget, StreamKind::Nested);
            let read = inner.counter().read(10_000);
            assert_eq!(read, 10);
            inner.piece(6000, read).unwrap();
        }
        let mut inner = Meter::new(&budget, StreamKind::Nested);
        assert!(inner.piece(1, inner.counter().read(1)).is_err());
        assert!(budget.check().is_err());
    }
}
