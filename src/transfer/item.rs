//! One artifact of a sealed transfer: its bytes against the manifest, its signature by the vendor,
//! and what the manifest says of it against what was found.
//!
//! The bytes that are hashed are the bytes that are judged: from one open file, in one reading.

use std::collections::HashMap;

use super::context::Context;
use super::manifest::{Artifact, FileEntry, ManifestKind};
use super::sealed_folder::SealedFolder;
use super::vouch::{self, SealedKeys, Vouched, mismatch};
use crate::artifact::detect::{self, Found};
use crate::artifact::{
    self, ArtifactContent, ArtifactSigner, ArtifactVerifier, BundleLoader, BundleRules,
    NamedBundle, OfferedBundles, TryBudget,
};
use crate::digest::FileDigest;
use crate::image::{self, Archive, FileAt, Input, Options};
use crate::parallel::ThreadLimit;
use crate::sigstore::TrustMaterial;
use crate::survey::LayoutTree;
use crate::trust::{ArtifactName, path_matches_name};
use crate::verdict::{
    ArtifactKind, ArtifactReport, Check, CheckName, Code, Fault, KeyTrust, Outcome, Status,
};

/// What all artifacts of a transfer share.
pub(super) struct ItemVerifier<'a> {
    pub(super) sealed: &'a SealedFolder<'a>,
    /// What was found wrong with names and kinds, by path.
    pub(super) faults: &'a HashMap<&'a str, &'a Fault>,
    pub(super) context: &'a Context<'a>,
    pub(super) keys: &'a SealedKeys,
    pub(super) material: Result<&'a TrustMaterial, &'a Fault>,
}

/// What reading the artifact gave.
enum Content {
    Image(Box<Archive>),
    Package(FileDigest),
}

/// Content, or why it is refused, and how the file was compared with the manifest.
struct Reading {
    content: Result<Content, Fault>,
    by: &'static str,
    /// Whether it is, or is meant as, an image, whatever the manifest calls it. Looked for only in what
    /// nobody signed.
    image: bool,
}

impl ItemVerifier<'_> {
    /// Judges one artifact.
    pub(super) fn verify(&self, artifact: &Artifact, threads: &ThreadLimit) -> ArtifactReport {
        let mut report = ArtifactReport::new(artifact.name.as_str());
        report.kind = Some(match artifact.kind {
            ManifestKind::Image => ArtifactKind::Image,
            ManifestKind::Package => ArtifactKind::Package,
        });
        if artifact.name != artifact.path {
            report.notes.push(format!("path: {}", artifact.path));
        }
        let reading = match self.read(artifact, threads) {
            Ok(reading) => reading,
            Err(fault) => {
                let status = if fault.outcome() == Outcome::Failed {
                    Status::Failed
                } else {
                    Status::NotChecked
                };
                report.checks.push(Check::new(CheckName::SealedFile, status));
                return report.refused(&fault);
            }
        };
        let mut passed = Check::new(CheckName::SealedFile, Status::Passed).with("by", reading.by);
        if !path_matches_name(&artifact.name, &artifact.path)
            || (artifact.allow_unsigned && artifact.name != artifact.path)
        {
            passed = passed.with("path", &artifact.path);
        }
        report.checks.push(passed);
        report.notes.push("the name is bound by the seal, not by the vendor".to_owned());
        let content = match reading.content {
            Ok(content) => content,
            Err(fault) => return report.refused(&fault),
        };
        if artifact.allow_unsigned {
            return self.unsigned(report, artifact, reading.image);
        }
        self.signed(report, artifact, &content)
    }

    /// An artifact that was sealed without a signature, knowingly.
    fn unsigned(
        &self,
        mut report: ArtifactReport,
        artifact: &Artifact,
        image: bool,
    ) -> ArtifactReport {
        report.notes.push("sealed without a vendor's signature (allow_unsigned)".to_owned());
        // Who agrees to a file by its name does not agree to an image. A policy has patterns for each.
        if image && artifact.kind == ManifestKind::Package && !self.context.lists_vendors() {
            let fault = Fault::new(Code::ClaimMismatch, "the kind, and nobody signed it");
            return report.refused(&fault.expected_found("a package", "an image"));
        }
        let vendor = artifact.vendor.as_deref();
        let what = if image { "image" } else { "file" };
        let place = match artifact.name == artifact.path {
            true => String::new(),
            false => format!(", at {:?}", artifact.path),
        };
        let message = format!("no vendor signed it; the seal alone vouches for it: {what}{place}");
        report = report.refused(&Fault::new(Code::NoBundle, message));
        if self.context.agrees_unsigned(&artifact.name, &artifact.path, vendor, image) {
            return artifact::accepted_unsigned(report);
        }
        let field = if image { "allow_unsigned_images" } else { "allow_unsigned" };
        report.next = Some(if self.context.lists_vendors() {
            format!(
                "If it may be unsigned here too, have the trust policy say so: both its name and its path \
                 must be in {field}."
            )
        } else if path_matches_name(&artifact.name, &artifact.path) {
            "If it may be unsigned here too, say --allow-unsigned NAME.".to_owned()
        } else {
            "Its path is not what its name says. If it may be unsigned here too, say --allow-unsigned for \
             both."
                .to_owned()
        });
        report
    }

    fn signed(
        &self,
        mut report: ArtifactReport,
        artifact: &Artifact,
        content: &Content,
    ) -> ArtifactReport {
        let context = self.context;
        let vouched = match vouch::vouch(context, self.keys, artifact) {
            Ok(vouched) => vouched,
            Err(fault) => return report.refused(&fault),
        };
        let profile = match vouch::profile(context, &vouched, artifact) {
            Ok(profile) => profile,
            Err(fault) => return report.refused(&fault),
        };
        let material = match self.material {
            Ok(material) => material,
            Err(fault) => return report.refused(fault),
        };
        let rules = BundleRules {
            trust: material,
            transparency: context.transparency,
            hash: context.hash,
            now: context.now,
        };
        let signers =
            [ArtifactSigner { signer: rules.signer(vouched.key, vouched.listed), profile }];
        let bundles = self.bundles(artifact);
        let mut offered = OfferedBundles { bundles: &bundles, ..OfferedBundles::default() };
        let content = match content {
            Content::Image(archive) => ArtifactContent::Image(archive, None),
            Content::Package(digest) => ArtifactContent::Package(*digest, None, None),
        };
        let called = ArtifactName { name: &artifact.name, path: Some(&artifact.path) };
        let verifier = ArtifactVerifier { signers: &signers, tries: &TryBudget::default() };
        report.first_use = artifact.first_use;
        let mut report = verifier.verify(report, called, content, &mut offered);
        report.key_trust = vouched.trust();
        if report.outcome() == Outcome::Ok { claims(report, artifact) } else { report }
    }

    /// The bundles as the manifest lists them; one that is not as sealed is refused before it is
    /// parsed.
    fn bundles(&self, artifact: &Artifact) -> Vec<NamedBundle> {
        let mut loader = BundleLoader::of_folder();
        let mut load = |path: &String| {
            loader.load(path, &self.sealed.folder.show(path), |limit| {
                vouch::sealed_file(self.sealed, path, limit)
            })
        };
        artifact.bundles.iter().map(&mut load).collect()
    }

    fn read(&self, artifact: &Artifact, threads: &ThreadLimit) -> Result<Reading, Fault> {
        match self.sealed.manifest.file(&artifact.path) {
            Some(entry) => self.read_file(artifact, entry, threads),
            None => self.read_layout(&artifact.path, threads),
        }
    }

    fn options<'o>(&'o self, threads: &'o ThreadLimit) -> Options<'o> {
        Options { threads: Some(threads), ..self.context.reading }
    }

    fn read_file(
        &self,
        artifact: &Artifact,
        entry: &FileEntry,
        threads: &ThreadLimit,
    ) -> Result<Reading, Fault> {
        let kind = artifact.kind;
        let place = self.sealed.folder.show(&entry.path);
        // There may be something under this name, or the file under another.
        let name =
            self.sealed.called(&entry.path).ok_or_else(|| match self.faults.get(&*entry.path) {
                Some(fault) => (*fault).clone(),
                None => Fault::new(Code::FileMissing, "the file is not there").at(place.as_str()),
            })?;
        let file = self.sealed.folder.file(name)?;
        let unreadable = |error: std::io::Error| {
            Fault::new(Code::Unreadable, error.to_string()).at(place.as_str())
        };
        let size = file.metadata().map_err(unreadable)?.len();
        if size != entry.size {
            return Err(Fault::new(Code::FileMismatch, "the file's size is not the sealed one")
                .at(place)
                .expected_found(format!("{} bytes", entry.size), size));
        }
        if kind == ManifestKind::Image && !entry.segments.is_empty() && !self.context.full_digest {
            let positioned =
                FileAt::new(file.try_clone().map_err(unreadable)?).map_err(unreadable)?;
            if let Some(reading) = self.by_segments(entry, &positioned, threads)? {
                // Bytes appended meanwhile were not read.
                let now = file.metadata().map_err(unreadable)?.len();
                return if now == size { Ok(reading) } else { Err(grew(&place, size, now)) };
            }
        }
        let forced = match kind {
            ManifestKind::Image => Some(detect::DetectedKind::Image),
            // Without a signature the manifest's word for it is the sealing side's alone.
            ManifestKind::Package if artifact.allow_unsigned => None,
            ManifestKind::Package => Some(detect::DetectedKind::Package),
        };
        let forced = forced.map(|kind| (kind, "the manifest says so".to_owned()));
        let mut file = file;
        let (found, digest) = detect::read_hashing(&mut file, size, forced, &self.options(threads))
            .map_err(|fault| fault.at(place.as_str()))?;
        if digest.sha256 != entry.sha256 || digest.size != entry.size {
            return Err(mismatch(entry.sha256, digest.sha256).at(place));
        }
        let image = kind == ManifestKind::Image || !matches!(found, Ok(Found::Package(..)));
        let content = match found {
            _ if kind == ManifestKind::Package => Ok(Content::Package(digest)),
            Ok(Found::Image(archive, _)) => Ok(Content::Image(archive)),
            Ok(Found::Package(digest, ..)) => Ok(Content::Package(digest)),
            Err(fault) => Err(fault.at(place)),
        };
        Ok(Reading { content, by: "whole file", image })
    }

    /// An uncompressed archive whose layers are hashed in parallel, once for the seal and for the
    /// image. None if the manifest's cuts are not those of the tar's members, or if the archive is
    /// refused: then its bytes as a whole decide.
    fn by_segments(
        &self,
        entry: &FileEntry,
        file: &FileAt,
        threads: &ThreadLimit,
    ) -> Result<Option<Reading>, Fault> {
        let cuts: Vec<u64> = entry.segments.iter().map(|segment| segment.size).collect();
        let options = Options { cuts: Some(&cuts), ..self.options(threads) };
        let Ok(archive) = image::read(Input::File(file), &options) else { return Ok(None) };
        if !archive.fits(&cuts) {
            return Ok(None);
        }
        let mut offset = 0_u64;
        for (found, stated) in archive.segments.iter().zip(&entry.segments) {
            if found.sha256 != stated.sha256 {
                let place = format!(
                    "{}: bytes {offset} to {}",
                    self.sealed.folder.show(&entry.path),
                    offset.saturating_add(found.size)
                );
                return Err(mismatch(stated.sha256, found.sha256).at(place));
            }
            offset = offset.saturating_add(found.size);
        }
        Ok(Some(Reading {
            content: Ok(Content::Image(Box::new(archive))),
            by: "segments",
            image: true,
        }))
    }

    /// An OCI layout directory: each file is compared as it was read.
    fn read_layout(&self, directory: &str, threads: &ThreadLimit) -> Result<Reading, Fault> {
        let prefix = format!("{directory}/");
        let mut names = Vec::new();
        for entry in self.sealed.manifest.below(directory) {
            let there = self.sealed.called(&entry.path).ok_or_else(|| {
                Fault::new(Code::FileMissing, "the file is not there")
                    .at(self.sealed.folder.show(&entry.path))
            })?;
            let name = entry.path.strip_prefix(&prefix).unwrap_or(&entry.path);
            let size =
                self.sealed.folder.file(there)?.metadata().map_or(0, |metadata| metadata.len());
            if size != entry.size {
                let message = "the file's size is not the sealed one";
                return Err(Fault::new(Code::FileMismatch, message)
                    .at(self.sealed.folder.show(there))
                    .expected_found(format!("{} bytes", entry.size), size));
            }
            names.push((name.to_owned(), there.to_owned()));
        }
        let tree = LayoutTree::renamed(self.sealed.folder, names).hashing();
        let archive = image::read(Input::Layout(&tree), &self.options(threads));
        let read = tree.digests();
        for entry in self.sealed.manifest.below(directory) {
            let there = self.sealed.called(&entry.path).unwrap_or_default();
            let digest = match read.get(there) {
                Some(digest) => *digest,
                None => crate::survey::hash(
                    self.sealed.folder,
                    there,
                    entry.size.saturating_add(1),
                    self.context.reading.progress,
                )?,
            };
            if digest.sha256 != entry.sha256 {
                return Err(
                    mismatch(entry.sha256, digest.sha256).at(self.sealed.folder.show(there))
                );
            }
        }
        let content = archive
            .map(|archive| Content::Image(Box::new(archive)))
            .map_err(|refusal| refusal.fault.below(self.sealed.folder.show(directory)));
        Ok(Reading { content, by: "whole files", image: true })
    }
}

fn grew(place: &str, size: u64, now: u64) -> Fault {
    Fault::new(Code::Unreadable, "the size changed while it was read")
        .at(place)
        .expected_found(format!("{size} bytes"), now)
}

impl Vouched<'_> {
    /// Who vouches for the key.
    fn trust(&self) -> Option<KeyTrust> {
        match (self.listed, self.by_seal_only) {
            (Some(_), _) => Some(KeyTrust::Policy),
            (None, true) => Some(KeyTrust::Seal),
            (None, false) => None,
        }
    }
}

/// Refuses when the manifest says something else of a verified artifact than was found.
fn claims(mut report: ArtifactReport, artifact: &Artifact) -> ArtifactReport {
    let mut kinds: Vec<&str> = report.matched.iter().map(|matched| matched.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let fault = if report.key != artifact.key {
        let show = |key: Option<_>| {
            key.map_or("none".to_owned(), |key: crate::digest::Sha256Digest| key.to_string())
        };
        Some(("the key that verified", show(artifact.key), show(report.key)))
    } else if kinds != artifact.digest_kinds {
        Some((
            "the kinds of digest that are signed",
            artifact.digest_kinds.join(", "),
            kinds.join(", "),
        ))
    } else {
        None
    };
    let status = if fault.is_none() { Status::Passed } else { Status::Failed };
    report.checks.push(Check::new(CheckName::Claims, status));
    match fault {
        None => report,
        Some((what, expected, found)) => {
            report.refused(&Fault::new(Code::ClaimMismatch, what).expected_found(expected, found))
        }
    }
}
