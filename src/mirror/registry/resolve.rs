//! Resolves a reference: finds its manifests and configs, each checked against the digest that named it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use oci_spec::distribution::Reference;

use super::document::{self, ImageConfig, RegistryDescriptor, RegistryDocument, RegistryManifest};
use super::layout::{DockerImage, ImageNames, Layout, Stored};
use super::platform::{Platforms, here};
use super::session::Session;
use crate::digest::Sha256Digest;
use crate::limits;
use crate::mirror::{FetchRecord, ImageDescription};
use crate::verdict::{Code, Fault};

/// An image that was found, with its layout.
#[derive(Debug)]
pub(super) struct ResolvedImage {
    pub(super) layout: Layout,
    pub(super) description: ImageDescription,
    /// The fetches of its documents.
    pub(super) fetched: Vec<FetchRecord>,
    /// The digest of an index that leads to it and lists more than is fetched, and the image without that
    /// index.
    pub(super) alone: Option<(Sha256Digest, Box<Self>)>,
}

/// The image of one platform.
struct PlatformImage {
    manifest: RegistryManifest,
    config: Arc<ImageConfig>,
}

struct Resolver<'a> {
    session: &'a Session<'a>,
    /// First what the reference leads to, then the rest.
    documents: Vec<Stored>,
    fetched: Vec<FetchRecord>,
    bytes: u64,
    /// Each config is read once, however many manifests name it.
    configs: BTreeMap<Sha256Digest, Arc<ImageConfig>>,
}

/// Parses a reference as Docker does; a digest in it must be SHA-256.
pub(super) fn reference(text: &str) -> Result<Reference, Fault> {
    let reference: Reference = text
        .parse()
        .map_err(|error| Fault::new(Code::ReferenceInvalid, format!("{error}")).at(text))?;
    if let Some(digest) = reference.digest() {
        document::digest(digest).map_err(|fault| fault.at(text))?;
    }
    Ok(reference)
}

/// Resolves the session's reference.
pub(super) fn resolve(
    session: &Session<'_>,
    platforms: &Platforms,
) -> Result<ResolvedImage, Fault> {
    let mut resolver = Resolver {
        session,
        documents: Vec::new(),
        fetched: Vec::new(),
        bytes: 0,
        configs: BTreeMap::new(),
    };
    let reference = &session.reference;
    let name = reference.digest().or(reference.tag()).unwrap_or("latest");
    let (bytes, fetched) = session.manifest(name)?;
    let digest = Sha256Digest::of(&bytes);
    if let Some(stated) = reference.digest() {
        same(&document::digest(stated)?, &digest, &fetched.url)?;
    }
    let at = |fault: Fault| fault.at(format!("{reference}, {digest}"));
    let top = document::document(&bytes).map_err(at)?;
    resolver.keep(digest, bytes, fetched)?;

    let mut notes = Vec::new();
    let mut partly = false;
    let images = match top {
        RegistryDocument::Manifest(manifest) => {
            let image = resolver.image(manifest)?;
            let platform = &image.config.platform;
            platforms.check_single(platform).map_err(at)?;
            if !platforms.wants(platform) {
                notes.push(format!("the image is for {platform}; this machine is {}", here()));
            }
            vec![image]
        }
        RegistryDocument::Index(descriptors) => {
            let choice = platforms.choose(descriptors).map_err(at)?;
            partly = !choice.left_out.is_empty() || choice.attestations > 0;
            let images = once_each(&choice.chosen)
                .map_err(at)?
                .into_iter()
                .map(|descriptor| resolver.platform(descriptor))
                .collect::<Result<Vec<_>, _>>()?;
            notes.extend(left_out(&images, &choice.left_out));
            if choice.attestations > 0 {
                notes.push(format!(
                    "left out: {} attestation(s) of the index (provenance, SBOM), which no engine \
                     runs; the index still names them by digest",
                    choice.attestations
                ));
            }
            images
        }
    };
    resolver.done(&images, digest, partly, notes)
}

/// The manifests of an index, in order and each once: one may be listed for several platforms.
fn once_each(chosen: &[RegistryDescriptor]) -> Result<Vec<&RegistryDescriptor>, Fault> {
    let mut known: BTreeMap<Sha256Digest, u64> = BTreeMap::new();
    let mut different = Vec::new();
    for descriptor in chosen {
        match known.insert(descriptor.digest, descriptor.size) {
            None => different.push(descriptor),
            Some(size) if size == descriptor.size => {}
            Some(_) => return Err(two_sizes(&descriptor.digest)),
        }
    }
    if different.len() > limits::REGISTRY_IMAGES {
        let message = format!(
            "an index of more than {} images; ask for fewer platforms",
            limits::REGISTRY_IMAGES
        );
        return Err(Fault::new(Code::ResponseTooLarge, message));
    }
    Ok(different)
}

fn two_sizes(digest: &Sha256Digest) -> Fault {
    let message = "two sizes are stated for one blob";
    Fault::new(Code::SourceDisagrees, message).at(digest.to_string())
}

/// What the reader should know about platforms that are not fetched.
fn left_out(images: &[PlatformImage], others: &[String]) -> Option<String> {
    if others.is_empty() {
        return None;
    }
    let here: Vec<String> = images.iter().map(|image| image.config.platform.to_string()).collect();
    Some(format!(
        "left out: {} (use --platform all for every platform); on the far side the image runs only \
         on {}, and only a signature over the index, over a manifest that was fetched, or over its \
         config can be verified",
        others.join(", "),
        here.join(", ")
    ))
}

fn same(expected: &Sha256Digest, found: &Sha256Digest, url: &str) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    let message = "the registry sent another document than the one named";
    Err(Fault::new(Code::SourceDisagrees, message).expected_found(expected, found).at(url))
}

impl Resolver<'_> {
    /// Keeps the bytes of a document, unchanged.
    fn keep(
        &mut self,
        digest: Sha256Digest,
        bytes: Vec<u8>,
        fetched: FetchRecord,
    ) -> Result<(), Fault> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > limits::ARCHIVE_JSON_TOTAL_BYTES {
            let message = format!(
                "manifests and configs of more than {} bytes; ask for fewer platforms",
                limits::ARCHIVE_JSON_TOTAL_BYTES
            );
            return Err(Fault::new(Code::ResponseTooLarge, message));
        }
        let media_type = media_type(&bytes);
        self.documents.push(Stored { media_type, digest, bytes });
        self.fetched.push(fetched);
        Ok(())
    }

    /// Fetches an image that an index lists.
    fn platform(&mut self, descriptor: &RegistryDescriptor) -> Result<PlatformImage, Fault> {
        let url_name = descriptor.digest.to_string();
        let manifest = self.checked(descriptor, |session| session.manifest(&url_name))?;
        match document::document(&manifest).map_err(|fault| fault.at(url_name))? {
            RegistryDocument::Manifest(manifest) => self.image(manifest),
            RegistryDocument::Index(_) => {
                let message = "an index inside an index, which is not supported";
                Err(Fault::new(Code::MediaTypeMismatch, message).at(descriptor.digest.to_string()))
            }
        }
    }

    /// Fetches the config of an image.
    fn image(&mut self, manifest: RegistryManifest) -> Result<PlatformImage, Fault> {
        let digest = manifest.config.digest;
        let bytes = self.checked(&manifest.config, |session| session.small_blob(&digest))?;
        if let Some(config) = self.configs.get(&digest) {
            return Ok(PlatformImage { manifest, config: Arc::clone(config) });
        }
        let config = document::config(&bytes).map_err(|fault| fault.at(digest.to_string()))?;
        let config = Arc::new(config);
        self.configs.insert(digest, Arc::clone(&config));
        Ok(PlatformImage { manifest, config })
    }

    /// Fetches a document, once. It must have the digest and the size that were stated.
    fn checked(
        &mut self,
        descriptor: &RegistryDescriptor,
        fetch: impl FnOnce(&Session<'_>) -> Result<(Vec<u8>, FetchRecord), Fault>,
    ) -> Result<Vec<u8>, Fault> {
        let known = self.documents.iter().find(|document| document.digest == descriptor.digest);
        let bytes = if let Some(known) = known {
            known.bytes.clone()
        } else {
            let (bytes, fetched) = fetch(self.session)?;
            same(&descriptor.digest, &Sha256Digest::of(&bytes), &fetched.url)?;
            self.keep(descriptor.digest, bytes.clone(), fetched)?;
            bytes
        };
        let size = bytes.len() as u64;
        if size == descriptor.size {
            return Ok(bytes);
        }
        let message = "a document does not have its stated size";
        Err(Fault::new(Code::SourceDisagrees, message)
            .expected_found(descriptor.size, size)
            .at(descriptor.digest.to_string()))
    }

    /// Lays out what was found. `partly` says that it is an index of which not everything is fetched.
    fn done(
        self,
        images: &[PlatformImage],
        digest: Sha256Digest,
        partly: bool,
        notes: Vec<String>,
    ) -> Result<ResolvedImage, Fault> {
        let mut blobs = BTreeMap::new();
        for layer in images.iter().flat_map(|image| &image.manifest.layers) {
            let before = blobs.insert(layer.digest, layer.size);
            let document = self.documents.iter().find(|document| document.digest == layer.digest);
            let known = document.map(|document| document.bytes.len() as u64).or(before);
            if known.is_some_and(|known| known != layer.size) {
                return Err(two_sizes(&layer.digest));
            }
        }
        // An engine without containerd loads one platform: this machine's, or else the first.
        let first = Platforms::One;
        let chosen =
            images.iter().find(|image| first.wants(&image.config.platform)).or(images.first());
        let Some(chosen) = chosen else {
            return Err(Fault::new(Code::ReferenceInvalid, "no image"));
        };
        let item = DockerImage {
            config: chosen.manifest.config.digest,
            layers: chosen.manifest.layers.iter().map(|layer| layer.digest).collect(),
        };
        let reference = &self.session.reference;
        let mut seen = BTreeSet::new();
        let different = images.iter().filter(|image| seen.insert(image.manifest.config.digest));
        let labels: Vec<_> = different.map(|image| image.config.labels.clone()).collect();
        let lay_out = |documents: &[Stored], notes: Vec<String>| {
            let layout = Layout::new(documents, &blobs, &item, names(reference).as_ref())?;
            let (registry, repository) = (reference.registry(), reference.repository());
            let description = ImageDescription {
                source: format!("docker://{registry}/{repository}@{digest}"),
                labels: labels.clone(),
                size: Some(layout.size),
                stated: documents.iter().map(|document| document.digest).collect(),
                whole: None,
                notes,
            };
            Ok(ResolvedImage { layout, description, fetched: self.fetched.clone(), alone: None })
        };
        let whole = lay_out(&self.documents, notes)?;
        // A single image can do without the index: the other documents start with its manifest.
        let alone = match (self.documents.split_first(), images.len()) {
            (Some((index, rest)), 1) if partly => {
                Some((index.digest, Box::new(lay_out(rest, Vec::new())?)))
            }
            _ => None,
        };
        Ok(ResolvedImage { alone, ..whole })
    }
}

/// The media type of a document, by default the one of OCI: older documents need not state any.
fn media_type(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct MediaTypeFields {
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let kind: Option<MediaTypeFields> = serde_json::from_slice(bytes).ok();
    let index = kind.as_ref().is_some_and(|kind| kind.manifests.is_some());
    let own = kind.and_then(|kind| kind.media_type).filter(|own| !own.is_empty());
    own.unwrap_or_else(|| {
        let kind = if index { "index" } else { "manifest" };
        format!("application/vnd.oci.image.{kind}.v1+json")
    })
}

/// The long and the short name of a reference with a tag.
fn names(reference: &Reference) -> Option<ImageNames> {
    let tag = reference.tag()?;
    let (registry, repository) = (reference.registry(), reference.repository());
    let short = match registry {
        "docker.io" => repository.strip_prefix("library/").unwrap_or(repository).to_owned(),
        _ => format!("{registry}/{repository}"),
    };
    Some(ImageNames {
        full: format!("{registry}/{repository}:{tag}"),
        short: format!("{short}:{tag}"),
        tag: tag.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_as_docker_reads_them() {
        let name =
            |text: &str| names(&reference(text).unwrap()).map(|names| (names.full, names.short));
        let both = |full: &str, short: &str| Some((full.to_owned(), short.to_owned()));
        assert_eq!(name("a"), both("docker.io/library/a:latest", "a:latest"));
        assert_eq!(name("b/a:1"), both("docker.io/b/a:1", "b/a:1"));
        assert_eq!(name("r.example:5000/a:1"), both("r.example:5000/a:1", "r.example:5000/a:1"));
        let digest = Sha256Digest::of(b"x");
        assert_eq!(name(&format!("r.example/a@{digest}")), None);
        assert_eq!(name(&format!("b/a:1@{digest}")), both("docker.io/b/a:1", "b/a:1"));
        assert_eq!(reference("A b").unwrap_err().code(), Code::ReferenceInvalid);
        let other = format!("r.example/a@sha512:{}", "a".repeat(128));
        assert_eq!(reference(&other).unwrap_err().code(), Code::DigestUnsupported);
    }
}
