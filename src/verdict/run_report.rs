//! What a report says about the run as a whole: when, by which program, against what it verified, how
//! it ended, and how each file is covered.
//!
//! The JSON form is described in `docs/report.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::digest::Sha256Digest;

/// The name and major version of the report's JSON form.
pub const SCHEMA: &str = "sealift-report/v1";

/// Everything in a report but the artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The program's version.
    pub version: String,
    /// SHA-256 of the program's file, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Sha256Digest>,
    /// When the run began, RFC 3339 in UTC.
    pub time: String,
    /// When it ended, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<String>,
    /// The exit status that the answers add up to; 130 when the run was interrupted.
    pub exit_status: u8,
    /// Whether the run ended before everything was looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// What ended it early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
    /// The paths asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// What the run verified against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Which part of the whole this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How many reports of parts were merged to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<u32>,
    /// How many answers of each kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// How each file is covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

impl Run {
    /// A run of this version of the program that begins at `time` (RFC 3339) and has no answer yet.
    #[must_use]
    pub fn new(time: String) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            program: None,
            time,
            finished: None,
            exit_status: super::ExitStatus::Undecided.code(),
            partial: false,
            stopped_by: None,
            paths: Vec::new(),
            basis: None,
            shard: None,
            merged: None,
            summary: None,
            coverage: None,
        }
    }
}

/// Why a run ended before everything was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StoppedBy {
    /// The operator interrupted it (Ctrl-C).
    Interrupt,
    /// The first failure, as `--fail-fast` asks.
    FailFast,
}

/// What a run verified against: whom it trusted, by digests. Two runs with the same basis and the same
/// files give the same answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Fingerprints of the vendor keys that the operator or the policy named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Sha256Digest>,
    /// The certificate's identity and issuer that were asked for, for keyless signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Fingerprints of the transfer keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer_keys: Vec<Sha256Digest>,
    /// SHA-256 of the trust policy's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Sha256Digest>,
    /// The trusted root; absent means the built-in one or that of a sealed transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<TrustedRoot>,
    /// The vendor profiles, in the order in which they are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
    /// SHA-256 of the pairing map's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<Sha256Digest>,
    /// Options that change answers, as they were given, for example `--insecure-ignore-tlog`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// A trusted root and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedRoot {
    /// SHA-256 of the document.
    pub sha256: Sha256Digest,
    /// `named` (by option), `policy` or `built-in`. A sealed transfer may carry its own, which counts
    /// for that transfer where nothing was named.
    pub source: String,
}

/// A vendor profile by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The vendor's name in it.
    pub name: String,
    /// SHA-256 of the file; absent for one that is built in or part of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
}

/// One part of a whole that several machines share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
    /// SHA-256 of the whole listing: for each file its size in bytes, a space, its name and a NUL.
    pub listing: Sha256Digest,
    /// Files in that listing.
    pub files: u64,
    /// Bundles in this part that artifacts of other parts may need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<String>,
}

/// How many answers of each kind, how many bytes, how long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All answers.
    pub answers: u64,
    /// How many of each outcome, by its name.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Wall-clock time, in milliseconds.
    pub milliseconds: u64,
}

impl Summary {
    /// Counts an answer.
    pub fn count(&mut self, outcome: Outcome) {
        self.answers = self.answers.saturating_add(1);
        let count = self.outcomes.entry(outcome).or_default();
        *count = count.saturating_add(1);
    }

    /// How many answers had this outcome.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }
}

/// How a file is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cover {
    /// A vendor's verified signature covers its bytes.
    Vendor,
    /// A seal covers its bytes, and no vendor's signature.
    SealOnly,
    /// It is a bundle, a key, a trusted root or the seal itself: compared and selected by, never run.
    Material,
    /// Nothing covers it: unsigned, not verified, refused or not readable.
    Uncovered,
    /// The operator left it out, so nothing covers it.
    Excluded,
}

/// How each file is covered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Files that a vendor's signature covers.
    pub vendor: u64,
    /// Files that a seal alone covers.
    pub seal_only: u64,
    /// Files that are material.
    pub material: u64,
    /// Files that nothing covers.
    pub uncovered: u64,
    /// Files that the operator left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excluded: u64,
    /// Every file, in the order of the names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CoveredFile>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Coverage {
    /// Adds a file.
    pub fn add(&mut self, file: CoveredFile) {
        self.count(file.cover);
        self.files.push(file);
    }

    /// Counts a file without naming it.
    pub fn count(&mut self, cover: Cover) {
        let count = match cover {
            Cover::Vendor => &mut self.vendor,
            Cover::SealOnly => &mut self.seal_only,
            Cover::Material => &mut self.material,
            Cover::Uncovered => &mut self.uncovered,
            Cover::Excluded => &mut self.excluded,
        };
        *count = count.saturating_add(1);
    }

    /// Adds the files of another folder, named or only counted.
    pub fn join(&mut self, other: Self) {
        let counts = [
            (&mut self.vendor, other.vendor),
            (&mut self.seal_only, other.seal_only),
            (&mut self.material, other.material),
            (&mut self.uncovered, other.uncovered),
            (&mut self.excluded, other.excluded),
        ];
        for (count, more) in counts {
            *count = count.saturating_add(more);
        }
        self.files.extend(other.files);
    }

    /// All files.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.vendor, self.seal_only, self.material, self.uncovered, self.excluded]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// One file and how it is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredFile {
    /// Its name, as the artifacts' names are shown.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// How it is covered.
    pub cover: Cover,
}
