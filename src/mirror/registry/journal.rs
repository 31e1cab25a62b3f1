//! Records how much of each blob is in an incomplete archive.
//!
//! It may lag behind, and is not trusted: the bytes that it counts are hashed again, and each blob must have
//! its digest.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::directory::{Folder, read_small};
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// The ending of the journal's name, after that of the archive.
const SUFFIX: &str = ".resume.sealift-tmp";
/// It is written again after this many further bytes, or this much time.
const BYTES: u64 = 16 << 20;
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalRecord {
    layout: Sha256Digest,
    blobs: BTreeMap<Sha256Digest, u64>,
}

pub(super) struct Journal<'a> {
    folder: &'a Folder,
    name: String,
    state: Mutex<JournalState>,
}

struct JournalState {
    record: JournalRecord,
    unwritten: u64,
    written: Instant,
}

impl<'a> Journal<'a> {
    /// Reads what an earlier run left for the same layout; anything else is ignored.
    pub(super) fn open(folder: &'a Folder, archive: &str, layout: Sha256Digest) -> Self {
        let name = format!("{archive}{SUFFIX}");
        let limit = limits::ARCHIVE_JSON_TOTAL_BYTES;
        let left = read_small(folder, &name, limit, Code::StateMalformed)
            .ok()
            .and_then(|(bytes, _)| json::parse(&bytes, limit).ok())
            .and_then(|value| serde_json::from_value::<JournalRecord>(value).ok())
            .filter(|record| record.layout == layout);
        let record = left.unwrap_or_else(|| JournalRecord { layout, blobs: BTreeMap::new() });
        let state = JournalState { record, unwritten: 0, written: Instant::now() };
        Self { folder, name, state: Mutex::new(state) }
    }

    /// How many bytes of a blob are there.
    pub(super) fn here(&self, digest: &Sha256Digest) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.record.blobs.get(digest).copied().unwrap_or(0)
    }

    /// Records how many bytes of a blob are there now.
    pub(super) fn note(&self, digest: &Sha256Digest, here: u64) -> Result<(), Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.record.blobs.insert(*digest, here).unwrap_or(0);
        state.unwritten = state.unwritten.saturating_add(here.abs_diff(before));
        if state.unwritten >= BYTES || state.written.elapsed() >= PAUSE {
            return self.write(&mut state);
        }
        Ok(())
    }

    /// Writes the journal.
    pub(super) fn flush(&self) -> Result<(), Fault> {
        self.write(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, state: &mut JournalState) -> Result<(), Fault> {
        let bytes = serde_json::to_vec(&state.record)
            .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
        self.folder.write(&self.name, &bytes, 0o644)?;
        state.unwritten = 0;
        state.written = Instant::now();
        Ok(())
    }

    /// Removes it.
    pub(super) fn remove(self) -> Result<(), Fault> {
        self.folder.remove(&self.name)
    }
}
