//! The two answers to "what does this bundle prove": a proof, or a refusal with its reasons.

use crate::digest::Sha256Digest;
use crate::key::HashAlgorithm;
use crate::verdict::{Check, Fault};

/// A time that a verified log entry or timestamp proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenTime {
    /// The time.
    pub time: jiff::Timestamp,
    /// Who says so: a log's base URL, or `timestamp` for an RFC 3161 authority.
    pub source: String,
}

/// What was proven. Only [`verify`](super::verify()) makes one.
#[derive(Debug)]
pub struct Proof {
    pub(super) checks: Vec<Check>,
    pub(super) times: Vec<ProvenTime>,
    pub(super) key: Sha256Digest,
    pub(super) hash: Option<HashAlgorithm>,
    pub(super) signature_only: bool,
    pub(super) notes: Vec<String>,
}

impl Proof {
    /// Every check and how it ended.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The proven times, in the bundle's order, logs first.
    #[must_use]
    pub fn times(&self) -> &[ProvenTime] {
        &self.times
    }

    /// The fingerprint of the key that verified the signature: the operator's, or the
    /// certificate's.
    #[must_use]
    pub const fn key(&self) -> Sha256Digest {
        self.key
    }

    /// The hash function that the signature is over; none for Ed25519.
    #[must_use]
    pub const fn hash(&self) -> Option<HashAlgorithm> {
        self.hash
    }

    /// Whether nothing but the signature was checked: no log entry, no timestamp, no certificate.
    #[must_use]
    pub const fn signature_only(&self) -> bool {
        self.signature_only
    }

    /// Adds a note for the reader; it proves nothing.
    pub(crate) fn add_note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Notes for the reader, for example that nothing but the signature was checked.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Why a bundle was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The refusal.
    pub fault: Fault,
    /// Every check and how it ended; those after the refusal were not looked at.
    pub checks: Vec<Check>,
    /// The most likely causes, from evidence, the likeliest first.
    pub likely_causes: Vec<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Refusal {}
