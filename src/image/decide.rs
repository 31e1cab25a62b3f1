//! The one decision: from names and facts to an [`Archive`], or to the reason why not.
//!
//! It is a pure function, so that a pipe, a file and a directory give the same answer. Both views of
//! an archive, `manifest.json` and `index.json`, must hold, whichever of them a loader follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::archive::{Archive, Attestation, Candidate, CandidateKind, Image};
use super::document::{self, Config};
use super::files::{Files, blob_digest};
use super::gather::Container;
use super::{docker, oci};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const INDEX: &str = "index.json";
const LAYOUT: &str = "oci-layout";
const REPOSITORIES: &str = "repositories";

/// Decides about a whole archive.
pub(super) fn decide(files: Files<'_>, container: Container) -> Result<Archive, Fault> {
    let manifest = files.file(MANIFEST)?;
    let index = files.file(INDEX)?;
    check_views(files, manifest.is_some(), index.is_some())?;
    check_blob_names(files)?;
    let mut findings = Findings::default();
    if let Some(found) = manifest {
        let items = found.document().and_then(document::items).map_err(|f| f.at(MANIFEST))?;
        docker::view(files, &items, index.is_none(), &mut findings)
            .map_err(|fault| fault.at(MANIFEST))?;
    }
    if let Some(found) = index {
        let top = found.document().and_then(document::top_index).map_err(|f| f.at(INDEX))?;
        oci::view(files, &top, &mut findings).map_err(|fault| fault.at(INDEX))?;
    }
    if findings.groups.is_empty() {
        return Err(Fault::new(Code::ManifestMissing, "the archive lists no image"));
    }
    Ok(findings.archive(files, container, manifest.is_some(), index.is_some()))
}

/// Whether every loader can know which view to follow.
fn check_views(files: Files<'_>, manifest: bool, index: bool) -> Result<(), Fault> {
    let layout = files.file(LAYOUT)?;
    if !index && layout.is_some() {
        let message = "there is an oci-layout file, but no index.json";
        return Err(Fault::new(Code::LayoutInvalid, message));
    }
    if index {
        let Some(layout) = layout else {
            let message =
                "index.json without an oci-layout file: podman follows it, Docker doesn't";
            return Err(Fault::new(Code::LayoutInvalid, message));
        };
        layout.document().and_then(document::layout).map_err(|fault| fault.at(LAYOUT))?;
    }
    if manifest {
        return Ok(());
    }
    let legacy = files.has(REPOSITORIES)
        || files.files().any(|(name, _)| {
            name.strip_suffix("/json").is_some_and(|dir| files.has(&format!("{dir}/layer.tar")))
        });
    match (index, legacy) {
        (true, false) => Ok(()),
        (true, true) => Err(Fault::new(
            Code::LayoutInvalid,
            "an OCI layout with the files of an archive from before Docker 1.10, which older \
             engines would load instead",
        )),
        (false, true) => Err(Fault::new(
            Code::ManifestMissing,
            "an archive from before Docker 1.10 (repositories, VERSION, json): its layers are not \
             bound to any id",
        )),
        (false, false) => {
            Err(Fault::new(Code::ManifestMissing, "neither manifest.json nor index.json is there"))
        }
    }
}

/// Every blob, referenced or not, must be the content of its name.
fn check_blob_names(files: Files<'_>) -> Result<(), Fault> {
    for (name, found) in files.files() {
        if let Some(digest) = blob_digest(name)
            && digest != found.content.digest
        {
            return Err(Fault::new(Code::BlobMismatch, "the blob is not the one of its name")
                .at(name)
                .expected_found(digest, found.content.digest));
        }
    }
    Ok(())
}

/// What both views found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    groups: Vec<Group>,
    by_config: HashMap<Sha256Digest, usize>,
    configs: HashMap<Sha256Digest, Rc<Config>>,
    labels: usize,
    used: BTreeSet<usize>,
    /// Attestation manifests and the indexes that list them.
    pub(super) attestations: BTreeMap<Sha256Digest, BTreeSet<Sha256Digest>>,
    /// Platforms that an index lists and the archive does not hold.
    pub(super) absent: BTreeSet<String>,
    /// Whether an attestation stands beside its image instead of in an index with it.
    pub(super) platform_only: bool,
}

/// All that leads to one config: one image.
#[derive(Debug)]
pub(super) struct Group {
    digest: Sha256Digest,
    config: Rc<Config>,
    tags: BTreeSet<String>,
    candidates: BTreeMap<Sha256Digest, CandidateKind>,
    ids: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Group {
    /// A tag as `manifest.json` has it.
    pub(super) fn tag(&mut self, tag: &str) {
        self.tags.insert(tag.to_owned());
    }

    /// A name as `index.json` has it: Docker writes the short form into `manifest.json` and the full
    /// one here.
    pub(super) fn name(&mut self, name: &str) {
        if !self.tags.contains(name) {
            let short = name.strip_prefix("docker.io/").unwrap_or(name);
            self.tags.insert(short.strip_prefix("library/").unwrap_or(short).to_owned());
        }
    }

    pub(super) fn candidate(&mut self, kind: CandidateKind, digest: Sha256Digest) {
        let known = self.candidates.entry(digest).or_insert(kind);
        *known = kind.min(*known);
    }

    pub(super) fn id_after_load(&mut self, engine: &'static str, id: String) {
        self.ids.entry(engine).or_default().insert(id);
    }
}

impl Findings {
    /// Says that a file belongs to an image.
    pub(super) fn uses(&mut self, number: usize) {
        self.used.insert(number);
    }

    /// The parsed config of this digest, parsed once.
    pub(super) fn config(
        &mut self,
        digest: Sha256Digest,
        parse: impl FnOnce() -> Result<Config, Fault>,
    ) -> Result<Rc<Config>, Fault> {
        if let Some(config) = self.configs.get(&digest) {
            return Ok(Rc::clone(config));
        }
        let config = Rc::new(parse()?);
        if config.diff_ids.is_empty() {
            return Err(Fault::new(Code::LayerCount, "the config lists no layer at all"));
        }
        self.labels = self.labels.saturating_add(config.labels.len());
        if self.labels > limits::ARCHIVE_LABELS {
            let message = format!("more than {} labels", limits::ARCHIVE_LABELS);
            return Err(Fault::new(Code::ArchiveTooLarge, message));
        }
        self.configs.insert(digest, Rc::clone(&config));
        Ok(config)
    }

    /// The number of the group of this config.
    pub(super) fn group(
        &mut self,
        digest: Sha256Digest,
        config: Rc<Config>,
    ) -> Result<usize, Fault> {
        let next = self.groups.len();
        let number = *self.by_config.entry(digest).or_insert(next);
        if number == next {
            if next >= limits::ARCHIVE_IMAGES {
                let message = format!("more than {} images", limits::ARCHIVE_IMAGES);
                return Err(Fault::new(Code::ArchiveTooLarge, message));
            }
            self.groups.push(Group {
                digest,
                config,
                tags: BTreeSet::new(),
                candidates: BTreeMap::from([(digest, CandidateKind::Config)]),
                ids: BTreeMap::from([("podman", BTreeSet::from([digest.to_hex()]))]),
            });
        }
        Ok(number)
    }

    pub(super) fn group_mut(&mut self, number: usize) -> Option<&mut Group> {
        self.groups.get_mut(number)
    }

    fn archive(self, files: Files<'_>, container: Container, docker: bool, oci: bool) -> Archive {
        let strays = self.strays(files);
        let notes = self.notes(files, strays.len());
        let if_not_covered = self.if_not_covered(docker, oci);
        let Self { groups, configs, attestations, .. } = self;
        drop(configs);
        let images = groups.into_iter().map(image).collect();
        let attestations = attestations
            .into_iter()
            .map(|(manifest, indexes)| Attestation { manifest, indexes })
            .collect();
        let segments = Vec::new();
        Archive {
            container,
            docker,
            oci,
            images,
            attestations,
            strays,
            notes,
            if_not_covered,
            segments,
        }
    }

    /// Files that no image uses.
    fn unused<'f>(&self, files: &'f Files<'f>) -> impl Iterator<Item = &'f str> {
        files
            .files()
            .filter(|(name, found)| !self.used.contains(&found.number) && !is_metadata(name))
            .map(|(name, _)| name)
    }

    fn strays(&self, files: Files<'_>) -> Vec<String> {
        self.unused(&files).filter(|name| name.starts_with("blobs/")).map(str::to_owned).collect()
    }

    fn notes(&self, files: Files<'_>, blobs: usize) -> Vec<String> {
        let mut notes = Vec::new();
        let others = self.unused(&files).count().saturating_sub(blobs);
        if blobs > 0 {
            notes.push(format!("{blobs} blobs belong to no image; no signature covers them"));
        }
        if others > 0 {
            notes.push(format!("{others} other files belong to no image; loaders ignore them"));
        }
        if !self.absent.is_empty() {
            let platforms: Vec<_> = self.absent.iter().map(String::as_str).collect();
            notes.push(format!("listed, but not in the archive: {}", platforms.join(", ")));
        }
        notes
    }

    fn if_not_covered(&self, docker: bool, oci: bool) -> Vec<String> {
        let mut causes = Vec::new();
        if !docker {
            causes.push(
                "the archive is an OCI layout without manifest.json: podman, skopeo and buildah \
                 rewrite a Docker image's config when they convert it to OCI, so the id that was \
                 signed on a Docker engine can't be in it; save with `docker save`, or as \
                 docker-archive"
                    .to_owned(),
            );
        }
        if docker && !oci {
            causes.push(
                "the archive keeps the config only: an id that was signed on a containerd store \
                 (a manifest or an index) is lost when an image is saved in this form"
                    .to_owned(),
            );
        }
        if self.platform_only {
            causes.push(
                "one platform was saved alone (`docker save --platform`): the index whose digest \
                 may have been signed is not in the archive"
                    .to_owned(),
            );
        }
        causes
    }
}

fn image(group: Group) -> Image {
    let config = Rc::unwrap_or_clone(group.config);
    let mut candidates: Vec<Candidate> =
        group.candidates.into_iter().map(|(digest, kind)| Candidate { kind, digest }).collect();
    candidates.sort();
    Image {
        config: group.digest,
        unsigned_tags: group.tags.into_iter().collect(),
        labels: config.labels,
        platform: config.platform,
        candidates,
        layers: config.diff_ids,
        ids_after_load: group
            .ids
            .into_iter()
            .map(|(engine, ids)| (engine, ids.into_iter().collect::<Vec<_>>().join(", ")))
            .collect(),
    }
}

/// Files that every writer adds and that hold no content of an image.
fn is_metadata(name: &str) -> bool {
    [MANIFEST, INDEX, LAYOUT, REPOSITORIES].contains(&name)
        || name.ends_with("/VERSION")
        || name.ends_with("/json")
}
