//! The report model: what was found out about each artifact, as data.
//!
//! Reports are built by the verifying rooms only; a report without an artifact is not a success.
//! The JSON form is described in `docs/report.md`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Check, Code, ExitStatus, Fault, Outcome, Run};
use crate::digest::Sha256Digest;

/// The report of one run: the run as a whole, and one entry for each artifact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The run as a whole.
    #[serde(flatten)]
    pub run: Run,
    /// One entry for each artifact, in the order of the names within each path asked for.
    pub artifacts: Vec<ArtifactReport>,
}

impl Report {
    /// The report of these artifacts; `time` is RFC 3339.
    #[must_use]
    pub fn new(time: String, artifacts: Vec<ArtifactReport>) -> Self {
        let mut run = Run::new(time);
        run.exit_status = ExitStatus::of(artifacts.iter().map(|artifact| artifact.outcome)).code();
        Self { run, artifacts }
    }
}

/// What kind of thing was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ArtifactKind {
    /// Any file, by the vendor's `verify-blob` command.
    Blob,
    /// A file that a seal covers and that is not an artifact, or that should not be there.
    File,
    /// A container image archive or OCI layout.
    Image,
    /// A package: any file signed by its SHA-256.
    Package,
    /// A transfer directory as a whole.
    Transfer,
}

/// Who vouches for a vendor's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyTrust {
    /// The trust policy lists it.
    Policy,
    /// Only the seal vouches for it.
    Seal,
}

/// The answer for one artifact and all that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactReport {
    /// The name asked for (not signed: see `notes`).
    pub name: String,
    /// Image, package or blob; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ArtifactKind>,
    /// How the kind was detected, for example "image archive: docker archive".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<String>,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// One sentence: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The most likely causes, from evidence; never a path to OK.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely_causes: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// SHA-256 of the whole file, where it was computed (packages).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The signed digests that were found, with their kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<MatchedDigest>,
    /// Fingerprint of the key that verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sha256Digest>,
    /// Documents in it that no signature covers and that claim more than the verified content shows.
    /// The outcome does not cover those claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsigned_documents: Vec<UnsignedDocument>,
    /// Who vouches for that key; absent if the operator gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_trust: Option<KeyTrust>,
    /// Whether the key was accepted unseen when the artifact was sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_use: bool,
    /// Whether an earlier transfer carried it, and it was not looked at here (`mirror --base`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried: bool,
    /// Whether nothing binds its name: no vendor's format signs names, and there is no seal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub name_unsigned: bool,
    /// The transfer directory that it is in, if the folder that was checked holds one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The bundles that pairing found for it in a folder, whatever they are worth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<String>,
    /// Checks on the artifact itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Each image of an archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageReport>,
    /// Each bundle and what it proved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<BundleReport>,
    /// Notes for the reader, for example that names are not signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl ArtifactReport {
    /// A report that has not been decided: UNDECIDED until somebody decides it, never OK by default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: None,
            detected: None,
            outcome: Outcome::Undecided,
            code: None,
            reason: None,
            likely_causes: Vec::new(),
            next: None,
            sha256: None,
            matched: Vec::new(),
            key: None,
            unsigned_documents: Vec::new(),
            key_trust: None,
            first_use: false,
            carried: false,
            name_unsigned: false,
            within: None,
            paired: Vec::new(),
            checks: Vec::new(),
            images: Vec::new(),
            bundles: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The answer.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The stable code of the refusal; absent when the outcome is OK.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        self.code
    }

    /// Decides the report by a fault: outcome, code, reason and next step are the fault's.
    #[must_use]
    pub fn refused(mut self, fault: &Fault) -> Self {
        self.outcome = fault.outcome();
        self.code = Some(fault.code());
        self.reason = Some(fault.to_string());
        self.next = Some(fault.next().to_owned());
        self
    }

    /// As [`refused`](Self::refused), for what is left out of a transfer: OMITTED whatever the fault's
    /// own outcome is, because that is what the manifest will say.
    #[cfg(feature = "online")]
    #[must_use]
    pub(crate) fn omitted(self, fault: &Fault) -> Self {
        Self { outcome: Outcome::Omitted, ..self.refused(fault) }
    }

    /// Decides that the artifact is OK. The only place that writes OK: everything else reads it. Evidence that
    /// the report contradicts changes nothing, so the report stays what it was.
    #[must_use]
    pub(crate) fn verified(mut self, evidence: Evidence<'_>) -> Self {
        let holds = match evidence {
            Evidence::Signatures { .. } => self.bundles.iter().any(|bundle| bundle.verified),
            Evidence::SealAlone => self.code == Some(Code::NoBundle),
            Evidence::Contents(reports) => {
                reports.iter().all(|report| report.outcome == Outcome::Ok)
            }
            #[cfg(any(feature = "online", test))]
            Evidence::Carried => true,
        };
        debug_assert!(holds, "{evidence:?}");
        if !holds {
            return self;
        }
        match evidence {
            Evidence::Signatures { key } => self.key = key,
            Evidence::SealAlone => self.key = None,
            Evidence::Contents(_) => {}
            #[cfg(any(feature = "online", test))]
            Evidence::Carried => self.carried = true,
        }
        self.outcome = Outcome::Ok;
        self.code = None;
        self.reason = None;
        self.next = None;
        self.likely_causes.clear();
        self
    }
}

/// What makes an artifact OK. Whoever states it has checked it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Evidence<'a> {
    /// Verified bundles cover the whole artifact; the key is absent where a certificate's identity was
    /// asked for.
    Signatures {
        /// Fingerprint of the key that verified.
        key: Option<Sha256Digest>,
    },
    /// Nobody signed it; a verified seal covers it, and both sides allow that.
    SealAlone,
    /// Every artifact and file in a transfer directory has one of these reports, and all are OK.
    Contents(&'a [ArtifactReport]),
    /// An earlier transfer that was accepted carried the artifact; it was not looked at again.
    #[cfg(any(feature = "online", test))]
    Carried,
}

/// The kind of the digest of a package: that of the file itself.
pub const FILE_DIGEST_KIND: &str = "file";

/// A digest that a verified signature covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedDigest {
    /// The digest.
    pub digest: Sha256Digest,
    /// `config`, `manifest`, `index`, `platform-manifest` or [`FILE_DIGEST_KIND`].
    pub kind: String,
}

/// A document in an image archive that no signature covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsignedDocument {
    /// Its digest.
    pub digest: Sha256Digest,
    /// What only a signature over it would vouch for.
    pub says: UnsignedStatement,
    /// The first such annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<String>,
    /// The first such member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

/// What only a signature over a document would vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnsignedStatement {
    /// An index lists platforms that are not in the archive.
    AbsentPlatforms,
    /// An annotation that does not only describe the content: engines may do something else with it.
    Annotations,
    /// A member that the specification does not know: the document may be another one as well.
    Members,
    /// A manifest lists statements about an image.
    Attestation,
}

/// One image of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageReport {
    /// Tags in the archive; never signed.
    pub unsigned_tags: Vec<String>,
    /// Every digest that may have been signed for this image, with its kind.
    pub candidates: Vec<MatchedDigest>,
    /// Operating system and architecture of the config.
    pub platform: String,
    /// Whether a verified signature covers it.
    pub covered: bool,
    /// How many layers were hashed and found equal to their diff_id.
    pub layers: usize,
    /// What the engines will print as the image's id after loading: `docker-classic`,
    /// `docker-containerd`, `podman`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids_after_load: BTreeMap<Cow<'static, str>, String>,
}

/// One bundle and what it proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleReport {
    /// File name.
    pub name: String,
    /// `cosign` or `sigstore-0.1` to `sigstore-0.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Whether everything demanded of the bundle held.
    pub verified: bool,
    /// The code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every check.
    pub checks: Vec<Check>,
    /// Notes for the reader, for example that nothing but the signature was checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
