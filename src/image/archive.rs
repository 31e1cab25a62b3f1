//! What was found in an archive: images, their digests, and what remains to be reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::inflate::Compression;
use super::segments::Segment;
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// What a signed digest can refer to. The order is the order of preference when one digest could
/// be two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CandidateKind {
    /// The image config: the id on a classic Docker store and in podman.
    Config,
    /// An image manifest named in `index.json`: the id on a containerd store.
    Manifest,
    /// An image index: the id of a multi-platform or attested image on a containerd store.
    Index,
    /// An image manifest inside an index: what `docker image inspect --platform` prints.
    PlatformManifest,
}

impl CandidateKind {
    /// The name in reports: `config`, `manifest`, `index`, `platform-manifest`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Manifest => "manifest",
            Self::Index => "index",
            Self::PlatformManifest => "platform-manifest",
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A digest that, if it is signed, covers an image; computed from the archive's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// What the digest is of, decided from the bytes.
    pub kind: CandidateKind,
    /// The digest.
    pub digest: Sha256Digest,
}

/// One image: one config, whose layers were all found and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Digest of the config.
    pub config: Sha256Digest,
    /// Tags and names in the archive, which no signature covers.
    pub unsigned_tags: Vec<String>,
    /// Labels of the config.
    pub labels: BTreeMap<String, String>,
    /// `os/architecture[/variant]` of the config.
    pub platform: String,
    /// Every digest that may have been signed for this image.
    pub candidates: Vec<Candidate>,
    /// The diff_ids, each found to be the digest of its layer.
    pub layers: Vec<Sha256Digest>,
    /// What the engines print as the image's id after loading, by `docker-classic`,
    /// `docker-containerd` and `podman`; an engine that doesn't load it is absent.
    pub ids_after_load: BTreeMap<&'static str, String>,
}

impl Image {
    /// The candidate that is among the signed digests, if any.
    #[must_use]
    pub fn covered_by(&self, signed: &BTreeSet<Sha256Digest>) -> Option<Candidate> {
        self.candidates.iter().copied().find(|candidate| signed.contains(&candidate.digest))
    }

    fn title(&self) -> String {
        if self.unsigned_tags.is_empty() {
            format!("config {}", self.config)
        } else {
            format!("{} (config {})", self.unsigned_tags.join(", "), self.config)
        }
    }
}

/// An attestation manifest: statements about an image, not an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Digest of the manifest.
    pub manifest: Sha256Digest,
    /// The indexes that list it; a signature of one of them covers it.
    pub indexes: BTreeSet<Sha256Digest>,
}

/// What a document says that engines act on and that no check of the content bears out: only a signature
/// that covers the document's bytes vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentClaims {
    /// Digest of the document: a manifest, an index or `index.json`.
    pub document: Sha256Digest,
    /// The digests of which a signature covers the document: its own, and those of the indexes that lead
    /// to it; none for `index.json`.
    pub vouchers: BTreeSet<Sha256Digest>,
    /// Whether it is an index that lists what is not in the archive.
    pub absent: bool,
    /// The first member in it that the specification does not know.
    pub member: Option<String>,
    /// The first annotation in it that does more than describe the content.
    pub annotation: Option<String>,
    /// Content that is here and that it says is to be had elsewhere, too (`urls`).
    pub elsewhere: Option<Sha256Digest>,
}

impl DocumentClaims {
    pub(super) const fn new(document: Sha256Digest) -> Self {
        let vouchers = BTreeSet::new();
        Self { document, vouchers, absent: false, member: None, annotation: None, elsewhere: None }
    }
}

/// How the data is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// An uncompressed tar archive.
    Tar,
    /// A compressed tar archive.
    CompressedTar(Compression),
    /// A directory.
    Directory,
}

/// A whole archive whose structure and content hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// How it is packed.
    pub container: Container,
    /// Whether it has `manifest.json`, which Docker's classic store reads.
    pub docker: bool,
    /// Whether it has `index.json`, which containerd stores and podman read.
    pub oci: bool,
    /// The images, in the order of the archive.
    pub images: Vec<Image>,
    /// Attestations of the images.
    pub attestations: Vec<Attestation>,
    /// What documents say beyond the content that was found and checked, in the order of their digests.
    pub claims: Vec<DocumentClaims>,
    /// What a reader should know, one sentence each: absent platforms.
    pub notes: Vec<String>,
    /// Likely reasons if the signed digest is not among the candidates, from the archive's form.
    pub if_not_covered: Vec<String>,
    /// Consecutive ranges from the first byte to the last with the digests of their bytes, if it is
    /// an uncompressed tar archive; else none. Where they are cut depends on
    /// [`Options::cuts`](super::Options::cuts).
    pub segments: Vec<Segment>,
}

/// Which signed digest covers what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCoverage {
    /// For each image, in order, the candidate that is signed.
    pub images: Vec<Candidate>,
    /// The attestations that no signature covers, neither of theirs nor of an index that lists them.
    pub unsigned_attestations: Vec<Sha256Digest>,
}

impl Archive {
    /// The format in words, for example `docker archive and OCI layout, gzip`.
    #[must_use]
    pub fn format(&self) -> String {
        let views = match (self.docker, self.oci) {
            (true, true) => "docker archive and OCI layout",
            (true, false) => "docker archive",
            _ => "OCI layout",
        };
        match self.container {
            Container::Tar => views.to_owned(),
            Container::CompressedTar(compression) => format!("{views}, {compression}"),
            Container::Directory => format!("{views}, directory"),
        }
    }

    /// Whether segments of exactly these sizes were found, in this order. Then they cover the whole
    /// archive.
    #[must_use]
    pub fn fits(&self, cuts: &[u64]) -> bool {
        let sizes = self.segments.iter().map(|segment| &segment.size);
        !self.segments.is_empty() && sizes.eq(cuts)
    }

    /// The statements that no signature vouches for, if these digests are signed.
    pub fn unvouched<'a>(
        &'a self,
        signed: &'a BTreeSet<Sha256Digest>,
    ) -> impl Iterator<Item = &'a DocumentClaims> {
        self.claims.iter().filter(|claims| claims.vouchers.is_disjoint(signed))
    }

    /// The attestations that no signature covers, if these digests are signed.
    pub fn unsigned_attestations<'a>(
        &'a self,
        signed: &'a BTreeSet<Sha256Digest>,
    ) -> impl Iterator<Item = Sha256Digest> {
        let covered = |attestation: &Attestation| {
            signed.contains(&attestation.manifest) || !attestation.indexes.is_disjoint(signed)
        };
        self.attestations
            .iter()
            .filter(move |attestation| !covered(attestation))
            .map(|attestation| attestation.manifest)
    }

    /// About how many bytes it takes in memory: hostile ones take far more than their files.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = |texts: &[String]| {
            texts
                .iter()
                .fold(0_usize, |sum, text| sum.saturating_add(text.len()).saturating_add(24))
        };
        let image = |image: &Image| {
            let labels = image.labels.iter();
            let labels = labels.fold(0_usize, |sum, (key, value)| {
                sum.saturating_add(key.len()).saturating_add(value.len()).saturating_add(64)
            });
            let digests = image.candidates.len().saturating_add(image.layers.len());
            [labels, texts(&image.unsigned_tags), digests.saturating_mul(40), 1024]
                .into_iter()
                .fold(0, usize::saturating_add)
        };
        let indexes = self
            .attestations
            .iter()
            .map(|attestation| attestation.indexes.len().saturating_mul(48));
        self.images
            .iter()
            .map(image)
            .chain(indexes)
            .chain(
                self.claims
                    .iter()
                    .map(|claims| claims.vouchers.len().saturating_mul(48).saturating_add(256)),
            )
            .chain([texts(&self.notes), texts(&self.if_not_covered)])
            .chain([self.segments.len().saturating_mul(size_of::<Segment>()), 1024])
            .fold(0, usize::saturating_add)
    }

    /// Which of the signed digests covers each image.
    ///
    /// # Errors
    /// [`Code::ImageNotCovered`], naming every image that none covers.
    pub fn coverage(&self, signed: &BTreeSet<Sha256Digest>) -> Result<ImageCoverage, Fault> {
        let mut images = Vec::new();
        let mut uncovered = Vec::new();
        for image in &self.images {
            match image.covered_by(signed) {
                Some(candidate) => images.push(candidate),
                None => uncovered.push(image),
            }
        }
        if let Some(first) = uncovered.first() {
            let titles: Vec<_> = uncovered.iter().map(|image| image.title()).collect();
            let candidates: Vec<_> = first
                .candidates
                .iter()
                .map(|candidate| format!("{} {}", candidate.kind, candidate.digest))
                .collect();
            let message = format!(
                "{} of {} image{} covered by no verified signature: {}",
                uncovered.len(),
                self.images.len(),
                if self.images.len() == 1 { "" } else { "s" },
                titles.join("; ")
            );
            return Err(Fault::new(Code::ImageNotCovered, message).expected_found(
                format!("a signature of {}", candidates.join(" or ")),
                if signed.is_empty() {
                    "none".to_owned()
                } else {
                    signed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                },
            ));
        }
        let unsigned_attestations = self.unsigned_attestations(signed).collect();
        Ok(ImageCoverage { images, unsigned_attestations })
    }
}
