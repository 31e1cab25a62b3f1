//! The view of `index.json`: what containerd stores, podman and other OCI tools load.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::archive::CandidateKind;
use super::config;
use super::descriptor::Descriptor;
use super::document::{self, ImageManifest, OciDocument, OciDocumentKind};
use super::files::{ArchiveFile, Files};
use super::findings::Findings;
use super::layer;
use super::names::blob_name;
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

const LAYER_TYPES: [&str; 2] =
    ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];
const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// Checks everything that `index.json` leads to. `digest` is its own.
pub(super) fn view(
    files: Files<'_>,
    digest: Sha256Digest,
    top: &OciDocument,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let contents = files.files().map(|(_, found)| found.content.digest).collect();
    let named = HashSet::new();
    let mut walk =
        IndexWalk { files, contents, findings, checked: HashMap::new(), named, followed: 0 };
    walk.states(digest, top);
    let OciDocumentKind::Index(list) = &top.kind else { return Ok(()) };
    for (number, descriptor) in list.iter().enumerate() {
        walk.top(number, descriptor).map_err(|fault| fault.at(format!("manifests[{number}]")))?;
    }
    Ok(())
}

struct IndexWalk<'a, 'f> {
    files: Files<'a>,
    /// The digests of all files, whatever their names.
    contents: HashSet<Sha256Digest>,
    findings: &'f mut Findings,
    checked: HashMap<Sha256Digest, Rc<CheckedDocument>>,
    /// Which images have the name of which descriptor in `index.json` already.
    named: HashSet<(usize, usize)>,
    followed: usize,
}

/// A descriptor in `index.json`, with its number.
type TopDescriptor<'d> = (usize, &'d Descriptor);

/// A manifest or index of the archive, read once.
struct CheckedDocument {
    content: OciDocument,
    /// The group of a manifest that is an image.
    group: Option<usize>,
    /// Whether a manifest holds statements and can't be an image: each layer is an in-toto
    /// statement that no reader could take for a tar archive, whatever its descriptor claims.
    statements: bool,
}

impl<'a> IndexWalk<'a, '_> {
    fn top(&mut self, number: usize, descriptor: &Descriptor) -> Result<(), Fault> {
        let digest = descriptor.digest;
        let top = (number, descriptor);
        let Some(document) = self.check(descriptor, &[])? else {
            return Err(Fault::new(
                Code::BlobMissing,
                format!("{} is not in the archive", blob_name(&digest)),
            ));
        };
        if let OciDocumentKind::Index(descriptors) = &document.content.kind {
            let images = self.index(top, &[digest], descriptors)?;
            if images == 0 {
                return Err(Fault::new(
                    Code::BlobMissing,
                    format!("no platform of the index {digest} is in the archive"),
                ));
            }
        } else if is_attestation(descriptor, &document) {
            self.findings.platform_only = true;
            self.findings.attestations.entry(digest).or_default();
        } else {
            self.image(descriptor, CandidateKind::Manifest, top, &[], &document)?;
        }
        Ok(())
    }

    /// Follows an index; says how many images of it are in the archive. `chain` are the digests of
    /// the indexes from the top one down to this.
    fn index(
        &mut self,
        top: TopDescriptor<'_>,
        chain: &[Sha256Digest],
        descriptors: &[Descriptor],
    ) -> Result<usize, Fault> {
        let mut images = 0_usize;
        for descriptor in descriptors {
            let Some(document) = self.check(descriptor, chain)? else {
                if let Some(index) = chain.last() {
                    let claims = self.findings.claims(*index);
                    claims.absent = true;
                    claims.vouchers.extend(chain);
                }
                let platform = descriptor.platform.as_deref().filter(|name| !name.is_empty());
                let shown = platform.map_or_else(|| descriptor.digest.to_string(), str::to_owned);
                self.findings.absent.insert(shown);
                continue;
            };
            if let OciDocumentKind::Index(inner) = &document.content.kind {
                if chain.len() >= limits::INDEX_LEVELS {
                    let message = "indexes are nested too deeply";
                    return Err(Fault::new(Code::LayoutInvalid, message));
                }
                let chain = [chain, &[descriptor.digest]].concat();
                images = images.saturating_add(self.index(top, &chain, inner)?);
            } else if is_attestation(descriptor, &document) {
                let listed = self.findings.attestations.entry(descriptor.digest).or_default();
                listed.extend(chain);
            } else {
                self.image(descriptor, CandidateKind::PlatformManifest, top, chain, &document)?;
                images = images.saturating_add(1);
            }
        }
        Ok(images)
    }

    /// Records an image that was reached over `top` and the indexes of `chain`.
    fn image(
        &mut self,
        descriptor: &Descriptor,
        kind: CandidateKind,
        (number, top): TopDescriptor<'_>,
        chain: &[Sha256Digest],
        document: &CheckedDocument,
    ) -> Result<(), Fault> {
        let Some(image) = document.group else {
            return Err(Fault::new(
                Code::MediaTypeMismatch,
                format!("{} holds attestations and is listed as an image", descriptor.digest),
            ));
        };
        for name in &descriptor.names {
            self.findings.name(image, name)?;
        }
        if self.named.insert((image, number)) {
            for name in &top.names {
                self.findings.name(image, name)?;
            }
        }
        let Some(group) = self.findings.group_mut(image) else { return Ok(()) };
        group.candidate(kind, descriptor.digest);
        for index in chain {
            group.candidate(CandidateKind::Index, *index);
        }
        group.id_after_load("docker-containerd", top.digest.to_string());
        Ok(())
    }

    /// Reads the manifest or index that a descriptor names and checks all of its content; `None` if
    /// it is not in the archive. `chain` are the digests of the indexes that lead to it.
    fn check(
        &mut self,
        descriptor: &Descriptor,
        chain: &[Sha256Digest],
    ) -> Result<Option<Rc<CheckedDocument>>, Fault> {
        self.followed = self.followed.saturating_add(1);
        if self.followed > limits::ARCHIVE_DESCRIPTORS {
            let message = format!("more than {} descriptors", limits::ARCHIVE_DESCRIPTORS);
            return Err(Fault::new(Code::ArchiveTooLarge, message));
        }
        let Some(found) = self.files.blob(descriptor)? else {
            // containerd reads either, so that it would load what is not looked at here.
            let elsewhere = if descriptor.embedded {
                "embedded in its descriptor (\"data\")"
            } else if self.contents.contains(&descriptor.digest) {
                "there under another name"
            } else {
                return Ok(None);
            };
            return Err(Fault::new(
                Code::BlobMissing,
                format!(
                    "{} is not in the archive, but {elsewhere}, where some engines read it and \
                     others don't",
                    blob_name(&descriptor.digest)
                ),
            ));
        };
        let document = match self.checked.get(&descriptor.digest) {
            Some(document) => Rc::clone(document),
            None => {
                let document = Rc::new(
                    self.read(found).map_err(|fault| fault.at(blob_name(&descriptor.digest)))?,
                );
                self.states(descriptor.digest, &document.content);
                self.checked.insert(descriptor.digest, Rc::clone(&document));
                document
            }
        };
        document
            .content
            .check_type(&descriptor.media_type)
            .map_err(|fault| fault.at(blob_name(&descriptor.digest)))?;
        self.findings.vouch(&descriptor.digest, &[descriptor.digest]);
        self.findings.vouch(&descriptor.digest, chain);
        Ok(Some(document))
    }

    /// Notes what a document says that only a signature over it vouches for.
    fn states(&mut self, digest: Sha256Digest, blob: &OciDocument) {
        let (member, annotation, elsewhere) = (blob.member(), blob.annotation(), blob.elsewhere());
        if member.is_some() || annotation.is_some() || elsewhere.is_some() {
            let claims = self.findings.claims(digest);
            claims.member = member.map(str::to_owned);
            claims.annotation = annotation.map(str::to_owned);
            claims.elsewhere = elsewhere.map(|descriptor| descriptor.digest);
        }
    }

    fn read(&mut self, found: ArchiveFile<'_>) -> Result<CheckedDocument, Fault> {
        let blob = document::manifest_or_index(found.document()?)?;
        self.findings.uses(found.number);
        let (mut group, mut statements) = (None, false);
        if let OciDocumentKind::Manifest(manifest) = &blob.kind {
            statements = self.holds_statements(manifest)?;
            if !statements {
                group = Some(self.manifest(manifest)?);
            }
        }
        Ok(CheckedDocument { content: blob, group, statements })
    }

    /// Whether all layers are statements by their type and by their content. Refuses a config that
    /// lists anything else.
    fn holds_statements(&mut self, manifest: &ImageManifest) -> Result<bool, Fault> {
        if manifest.layers.is_empty()
            || manifest.layers.iter().any(|layer| layer.media_type != STATEMENT_TYPE)
        {
            return Ok(false);
        }
        let config = self.files.blob(&manifest.config)?.ok_or_else(|| missing_config(manifest))?;
        self.findings.uses(config.number);
        let mut layers = Vec::with_capacity(manifest.layers.len());
        for (number, layer) in manifest.layers.iter().enumerate() {
            let found = self.layer(number, layer)?;
            if !found.content.is_statement {
                return Ok(false);
            }
            layers.push(found);
        }
        // The config may list these statements only: containerd does not look at a layer whose
        // diff_id it knows, and would run another image's layers with this config.
        if manifest.config.digest != Sha256Digest::of(b"{}") {
            let config = config::config(config.document()?)
                .map_err(|fault| fault.at(blob_name(&manifest.config.digest)))?;
            layer::check(&config, &layers, |number| {
                let layer = manifest.layers.get(number);
                layer.map(|layer| blob_name(&layer.digest)).unwrap_or_default()
            })?;
        }
        Ok(true)
    }

    /// Checks an image manifest with its config and layers; the number of its group.
    fn manifest(&mut self, manifest: &ImageManifest) -> Result<usize, Fault> {
        let digest = manifest.config.digest;
        let found = self.files.blob(&manifest.config)?.ok_or_else(|| missing_config(manifest))?;
        let media_type = &manifest.config.media_type;
        config::check_config_type(media_type).map_err(|fault| fault.at("config"))?;
        let config = self
            .findings
            .config(digest, || config::config(found.document()?))
            .map_err(|fault| fault.at(blob_name(&digest)))?;
        self.findings.uses(found.number);
        let mut layers = Vec::with_capacity(manifest.layers.len());
        for (number, layer) in manifest.layers.iter().enumerate() {
            if !LAYER_TYPES.iter().any(|prefix| layer.media_type.starts_with(prefix)) {
                return Err(Fault::new(Code::MediaTypeMismatch, "not a layer of an image")
                    .at(format!("layer {number}"))
                    .expected_found("the media type of a layer", &layer.media_type));
            }
            let layer = self.layer(number, layer)?;
            self.findings.uses_layer(layer.number);
            layers.push(layer);
        }
        layer::check(&config, &layers, |number| {
            manifest.layers.get(number).map(|layer| blob_name(&layer.digest)).unwrap_or_default()
        })?;
        self.findings.group(digest, config)
    }

    fn layer(&mut self, number: usize, layer: &Descriptor) -> Result<ArchiveFile<'a>, Fault> {
        let Some(found) = self.files.blob(layer)? else {
            let foreign = ["foreign", "nondistributable"];
            let message = if foreign.iter().any(|word| layer.media_type.contains(word)) {
                "a foreign layer, which engines fetch from elsewhere, is not in the archive and \
                 can't be verified"
            } else {
                "the layer is not in the archive; it loads only where the layer already is"
            };
            let place = format!("layer {number} ({})", blob_name(&layer.digest));
            return Err(Fault::new(Code::LayerMissing, message).at(place));
        };
        self.findings.uses(found.number);
        Ok(found)
    }
}

/// Whether a descriptor announces an attestation and the content bears it out. A name would make an
/// engine list it as an image.
fn is_attestation(descriptor: &Descriptor, document: &CheckedDocument) -> bool {
    descriptor.referrer && descriptor.names.is_empty() && document.statements
}

fn missing_config(manifest: &ImageManifest) -> Fault {
    let name = blob_name(&manifest.config.digest);
    Fault::new(Code::ConfigMissing, format!("the config {name} is not in the archive"))
}
