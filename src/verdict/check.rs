//! The result of one check, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a check looks at. The order is the order in which reports list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckName {
    /// Our own check of the signature with the operator's key (or the certificate's).
    Signature,
    /// A key or certificate carried in the bundle against the operator's key.
    BundleKey,
    /// The second, independent answer: the sigstore-verify library.
    Library,
    /// A log entry against the bundle: its kind, hash, signature and key, and a log that is known.
    LogEntry,
    /// The log's signed promise (SET) over the entry.
    LogPromise,
    /// The Merkle inclusion proof of the entry.
    InclusionProof,
    /// The log's signed checkpoint.
    Checkpoint,
    /// An RFC 3161 timestamp over the signature.
    Timestamp,
    /// The signing certificate: chain, validity, SCT.
    Certificate,
    /// Certificate identity and issuer against what was asked for.
    Identity,
    /// The archive's structure: one reading for every loader.
    Archive,
    /// Every layer against its diff_id, every blob against its descriptor.
    Layers,
    /// Every image in the archive is covered by a verified signature.
    Coverage,
    /// The file against size and digest in the sealed manifest.
    SealedFile,
    /// What the sealed manifest says of the artifact against what was found.
    Claims,
    /// The signature over the manifest, by a transfer key known before.
    Seal,
    /// The set of files against the manifest: none missing, none extra.
    FileSet,
    /// Every file that is not an artifact against its size and digest.
    SealedFiles,
    /// Time of sealing and expiry.
    Freshness,
    /// The serial against the last one accepted.
    Serial,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Looked at and refused.
    Failed,
    /// Present or due, but not looked at (an earlier check refused, or an option said so).
    NotChecked,
    /// There was nothing to look at.
    NotPresent,
    /// Looked at and right.
    Passed,
}

/// One check: its name, how it ended, and the values it saw (log name, index, time, …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// How it ended.
    pub status: Status,
    /// Values seen, by a short name: `log`, `index`, `time` (RFC 3339), `fingerprint`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

impl Check {
    /// A check without values.
    #[must_use]
    pub const fn new(name: CheckName, status: Status) -> Self {
        Self { name, status, values: BTreeMap::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }
}
