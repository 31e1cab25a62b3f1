//! Finished answers, stored in little memory until the report is written: as JSON, compressed in blocks.
//!
//! A hundred thousand answers take some hundred megabytes as values, and a tenth of that here. Nothing is
//! written to a disk: on the far side it may be read-only.

use std::cell::RefCell;
use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::ReportSource;
use crate::verdict::{ArtifactReport, Run};

/// Bytes of JSON that are compressed together.
const BLOCK_BYTES: usize = 256 << 10;

/// Answers in the order of their keys, whatever order they come in.
#[derive(Debug)]
pub struct StoredAnswers<K> {
    blocks: Vec<Box<[u8]>>,
    /// The block that is being filled, uncompressed.
    open: Vec<u8>,
    index: Vec<StoredEntry<K>>,
}

#[derive(Debug)]
struct StoredEntry<K> {
    key: K,
    block: usize,
    start: usize,
    end: usize,
}

/// A report whose answers are kept in compressed form.
#[derive(Debug)]
pub struct StoredReport {
    /// The run.
    pub run: Run,
    /// The answers, in the order of the report.
    pub answers: StoredAnswers<usize>,
}

impl StoredReport {
    /// The report as a source of forms.
    #[must_use]
    pub fn source(&self) -> StoredSource<'_, usize> {
        self.answers.of(&self.run)
    }
}

impl<K> Default for StoredAnswers<K> {
    fn default() -> Self {
        Self { blocks: Vec::new(), open: Vec::new(), index: Vec::new() }
    }
}

impl<K: Ord> StoredAnswers<K> {
    /// Keeps an answer.
    ///
    /// # Errors
    /// When it can't be written as JSON or compressed, which no answer is known to do.
    pub fn push(&mut self, key: K, report: &ArtifactReport) -> io::Result<()> {
        let start = self.open.len();
        serde_json::to_writer(&mut self.open, report)?;
        let end = self.open.len();
        self.index.push(StoredEntry { key, block: self.blocks.len(), start, end });
        if end >= BLOCK_BYTES {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.open)?;
            self.blocks.push(encoder.finish()?.into_boxed_slice());
            self.open.clear();
        }
        Ok(())
    }

    /// The kept answers as a report of this run.
    #[must_use]
    pub fn of<'a>(&'a self, run: &'a Run) -> StoredSource<'a, K> {
        StoredSource { stored: self, run, cache: RefCell::default() }
    }

    fn block(&self, number: usize) -> io::Result<Vec<u8>> {
        let Some(block) = self.blocks.get(number) else { return Ok(self.open.clone()) };
        let mut bytes = Vec::with_capacity(BLOCK_BYTES.saturating_mul(2));
        DeflateDecoder::new(&**block).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The stored answers of one run, as a source of report forms.
#[derive(Debug)]
pub struct StoredSource<'a, K> {
    stored: &'a StoredAnswers<K>,
    run: &'a Run,
    /// The blocks that were used last: answers arrive nearly in the order of their keys.
    cache: RefCell<Vec<(usize, Vec<u8>)>>,
}

/// Blocks that are kept uncompressed.
const CACHED: usize = 8;

impl<K: Ord> StoredSource<'_, K> {
    fn with_block<T>(&self, number: usize, see: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let mut cache = self.cache.borrow_mut();
        if let Some(at) = cache.iter().position(|(cached, _)| *cached == number) {
            let block = cache.remove(at);
            cache.push(block);
        } else {
            if cache.len() >= CACHED {
                cache.remove(0);
            }
            cache.push((number, self.stored.block(number)?));
        }
        cache
            .last()
            .map(|(_, bytes)| see(bytes))
            .ok_or_else(|| io::Error::other("a block of stored answers is gone"))
    }
}

impl<K: Ord> ReportSource for StoredSource<'_, K> {
    fn run(&self) -> &Run {
        self.run
    }

    fn count(&self) -> usize {
        self.stored.index.len()
    }

    fn each(&self, visit: &mut dyn FnMut(&ArtifactReport) -> io::Result<()>) -> io::Result<()> {
        let mut order: Vec<&StoredEntry<K>> = self.stored.index.iter().collect();
        order.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in order {
            let report: ArtifactReport = self.with_block(entry.block, |bytes| {
                let text = bytes.get(entry.start..entry.end).unwrap_or_default();
                serde_json::from_slice(text).map_err(io::Error::from)
            })??;
            visit(&report)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Code, Fault};

    #[test]
    fn answers_come_back_whole_and_in_order() {
        let mut stored = StoredAnswers::default();
        let count = 3000_u32;
        for number in (0..count).rev() {
            let fault = Fault::new(Code::FileMismatch, "x".repeat(300)).at(number.to_string());
            let report = ArtifactReport::new(format!("{number:05}")).refused(&fault);
            stored.push(number, &report).unwrap();
        }
        assert!(stored.blocks.len() > 3, "{}", stored.blocks.len());
        let run = Run::new("2026-01-01T00:00:00Z".to_owned());
        let kept = stored.of(&run);
        for _ in 0..2 {
            let mut expected = 0;
            kept.each(&mut |report| {
                assert_eq!(report.name, format!("{expected:05}"));
                assert_eq!(report.code(), Some(Code::FileMismatch));
                expected += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(expected, count);
        }
        assert_eq!(kept.count(), 3000);
    }
}
