//! An entry of a transparency log as the bundle holds it. Nothing here is verified.

use std::sync::OnceLock;

use super::body::{Body, LogEntryKind};
use crate::verdict::Fault;

/// One entry of a transparency log.
#[derive(Debug, Clone)]
pub(super) struct LogEntry {
    /// Index in the whole log.
    pub(super) index: u64,
    /// SHA-256 of the log's key (Rekor v1), or of its name and key (Rekor v2).
    pub(super) log_id: [u8; 32],
    /// The kind and version that the bundle states.
    pub(super) kind: String,
    pub(super) version: String,
    /// Unix seconds; absent or 0 with Rekor v2.
    pub(super) integrated_time: Option<u64>,
    /// The signed entry timestamp (SET).
    pub(super) promise: Option<Vec<u8>>,
    pub(super) proof: Option<InclusionProof>,
    /// The canonicalised entry: what the log's leaf is made of.
    pub(super) body: Vec<u8>,
    /// What the body parses to, once somebody has asked.
    pub(super) parsed: OnceLock<Result<Body, Fault>>,
}

/// A Merkle inclusion proof (RFC 6962 section 2.1.1).
#[derive(Debug, Clone)]
pub(super) struct InclusionProof {
    pub(super) index: u64,
    pub(super) root: [u8; 32],
    pub(super) tree_size: u64,
    pub(super) hashes: Vec<[u8; 32]>,
    /// The signed note; absent in old bundles.
    pub(super) checkpoint: Option<String>,
}

impl LogEntry {
    /// The kind, if it is one that can be checked.
    pub(super) fn entry_kind(&self) -> Option<LogEntryKind> {
        LogEntryKind::of(&self.kind, &self.version)
    }

    /// The body, parsed when it is first asked for: a bundle is held against many digests and keys, and
    /// its body may be large.
    pub(super) fn read(&self) -> Result<&Body, &Fault> {
        self.parsed.get_or_init(|| Body::parse(&self.body, &self.kind, &self.version)).as_ref()
    }

    /// The time that the entry's promise signs: an entry without one, and every entry of Rekor v2,
    /// has a time that nobody vouches for.
    pub(super) fn promised_time(&self) -> Option<jiff::Timestamp> {
        let vouched = self.promise.is_some() && !self.entry_kind()?.is_v2();
        self.time().filter(|_| vouched)
    }

    /// The integrated time, if the entry has one.
    pub(super) fn time(&self) -> Option<jiff::Timestamp> {
        let seconds = i64::try_from(self.integrated_time?).ok()?;
        jiff::Timestamp::from_second(seconds).ok()
    }
}
