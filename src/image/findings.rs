//! What the views of an archive find: images, each known by its config, and all that leads to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::archive::{
    Archive, Attestation, Candidate, CandidateKind, Container, DocumentClaims, Image,
};
use super::config::Config;
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

/// What both views found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    groups: Vec<Group>,
    by_config: HashMap<Sha256Digest, usize>,
    configs: HashMap<Sha256Digest, Rc<Config>>,
    labels: usize,
    /// Bytes of names.
    names: usize,
    /// The numbers of the files that something refers to.
    pub(super) used: BTreeSet<usize>,
    /// Those of them that are layers of images.
    pub(super) layers: BTreeSet<usize>,
    claims: BTreeMap<Sha256Digest, DocumentClaims>,
    /// Attestation manifests and the indexes that list them.
    pub(super) attestations: BTreeMap<Sha256Digest, BTreeSet<Sha256Digest>>,
    /// Platforms that an index lists and the archive does not hold.
    pub(super) absent: BTreeSet<String>,
    /// Whether an attestation is listed next to its image instead of in an index with it.
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

    /// Says that a file is a layer of an image.
    pub(super) fn uses_layer(&mut self, number: usize) {
        self.used.insert(number);
        self.layers.insert(number);
    }

    /// Whether there is no image.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The forms that the `config` of an image may have in metadata of layers.
    pub(super) fn forms(&self) -> BTreeSet<Sha256Digest> {
        self.groups.iter().flat_map(|group| &group.config.forms).copied().collect()
    }

    /// What a document says that only a signature over it vouches for, to be completed.
    pub(super) fn claims(&mut self, document: Sha256Digest) -> &mut DocumentClaims {
        self.claims.entry(document).or_insert_with(|| DocumentClaims::new(document))
    }

    /// Says that a signature of any of these digests covers a document.
    pub(super) fn vouch(&mut self, document: &Sha256Digest, vouchers: &[Sha256Digest]) {
        if let Some(claims) = self.claims.get_mut(document) {
            claims.vouchers.extend(vouchers);
        }
    }

    /// A tag as `manifest.json` has it.
    pub(super) fn tag(&mut self, number: usize, tag: &str) -> Result<(), Fault> {
        let Some(group) = self.groups.get_mut(number) else { return Ok(()) };
        if group.tags.contains(tag) {
            return Ok(());
        }
        self.names = self.names.saturating_add(tag.len());
        if self.names > limits::ARCHIVE_IMAGE_NAMES_BYTES {
            let most = limits::ARCHIVE_IMAGE_NAMES_BYTES;
            let message = format!("more than {most} bytes of names of images");
            return Err(Fault::new(Code::ArchiveTooLarge, message));
        }
        group.tags.insert(tag.to_owned());
        Ok(())
    }

    /// A name as `index.json` has it: Docker writes the short form into `manifest.json` and the full
    /// one here.
    pub(super) fn name(&mut self, number: usize, name: &str) -> Result<(), Fault> {
        if self.groups.get(number).is_some_and(|group| group.tags.contains(name)) {
            return Ok(());
        }
        let short = name.strip_prefix("docker.io/").unwrap_or(name);
        self.tag(number, short.strip_prefix("library/").unwrap_or(short))
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

    /// Refuses a name with a digest that is not one of its image's: engines show it as the image's origin.
    pub(super) fn check_names(&self) -> Result<(), Fault> {
        for group in &self.groups {
            for tag in &group.tags {
                let Some((_, digest)) = tag.rsplit_once('@') else { continue };
                let known =
                    digest.parse().is_ok_and(|digest| group.candidates.contains_key(&digest));
                if !known {
                    let digests: Vec<_> =
                        group.candidates.keys().map(ToString::to_string).collect();
                    let message = "the image has a name with a digest that is not the image's";
                    return Err(Fault::new(Code::BlobMismatch, message)
                        .at(tag.as_str())
                        .expected_found(digests.join(" or "), digest));
                }
            }
        }
        Ok(())
    }

    pub(super) fn archive(self, container: Container, docker: bool, oci: bool) -> Archive {
        let notes = self.notes();
        let if_not_covered = self.if_not_covered(docker, oci);
        let Self { groups, configs, attestations, claims, .. } = self;
        drop(configs);
        let images = groups.into_iter().map(image).collect();
        let attestations = attestations
            .into_iter()
            .map(|(manifest, indexes)| Attestation { manifest, indexes })
            .collect();
        let claims = claims.into_values().collect();
        let segments = Vec::new();
        Archive {
            container,
            docker,
            oci,
            images,
            attestations,
            claims,
            notes,
            if_not_covered,
            segments,
        }
    }

    fn notes(&self) -> Vec<String> {
        if self.absent.is_empty() {
            return Vec::new();
        }
        let platforms: Vec<_> = self.absent.iter().map(String::as_str).collect();
        vec![format!("listed, but not in the archive: {}", platforms.join(", "))]
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
