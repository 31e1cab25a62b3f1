//! References to content (OCI image specification, "Content Descriptors"), and what engines do by them.
//!
//! Members of a descriptor, a manifest or an index. What is in a config, the signature covers in any case.
//!
//! | member | who acts on it | our rule |
//! |---|---|---|
//! | `mediaType`, `digest`, `size` | all | must be there and fit the content |
//! | `urls` | podman, skopeo, buildah ask there first; Docker on Windows | refused unless a signature covers the document: the content is here |
//! | `data` | containerd takes the content from it if its digest fits | the content must lie in the archive too, so it is the same |
//! | `platform` | all choose an image of an index by it | every image that is there must be covered |
//! | `annotations` | names: all; attestations: Docker; [`STEERING`]: see there | a name is never signed; a steering one is told unless a signature covers the document |
//! | `artifactType`, `subject` | registries, for their lists of referrers | read by no loader |
//! | any other | nobody: the specification demands that it be ignored | ignored, unless Go would fold it onto one of these |

use serde_json::{Map, Value};

use super::document::{child, digest, list, malformed, object, platform_of, text};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Beginnings of annotations by which a program does something else with the same content:
///
/// - containerd hands these to its snapshotter, in layers: tables of contents and remote layers of
///   stargz, nydus, overlaybd, soci, erofs;
/// - containers/storage fetches and unpacks by the tables of zstd:chunked and estargz; soci by its index;
/// - containers/image and containerd decrypt by `enc`;
/// - podman hands a manifest's annotations on to the container, where crun, runc, kata and systemd act on them.
const STEERING: [&str; 13] = [
    "containerd.io/snapshot/",
    "containerd.io/snapshot.ref",
    "io.github.containers.zstd-chunked.",
    "io.containers.zstd-chunked",
    "io.containers.estargz.",
    "com.amazon.soci.",
    "org.opencontainers.image.enc.",
    "run.oci.",
    "org.systemd.property.",
    "io.podman.annotations.",
    "org.criu.",
    "module.wasm.image/",
    "io.katacontainers.",
];

/// A reference to content.
#[derive(Debug)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Sha256Digest,
    pub(super) size: u64,
    /// `io.containerd.image.name`, else `org.opencontainers.image.ref.name`.
    pub(super) name: Option<String>,
    /// Announced as an attestation or another referrer to an image, not as an image.
    pub(super) referrer: bool,
    /// `os/architecture`, for messages.
    pub(super) platform: Option<String>,
    /// Whether the descriptor carries its content itself, in `data`.
    pub(super) embedded: bool,
    /// Whether it says that the content is to be had elsewhere (`urls`).
    pub(super) elsewhere: bool,
    /// The first annotation that steers a program, if there is one.
    pub(super) steering: Option<String>,
}

/// All descriptors of a list.
pub(super) fn descriptors(
    object: &Map<String, Value>,
    key: &str,
) -> Result<Vec<Descriptor>, Fault> {
    list(object, key)?
        .iter()
        .enumerate()
        .map(|(number, value)| {
            descriptor(value).map_err(|fault| fault.at(format!("{key}[{number}]")))
        })
        .collect()
}

/// One descriptor.
pub(super) fn descriptor(value: &Value) -> Result<Descriptor, Fault> {
    let object = object(
        value,
        &["mediaType", "digest", "size", "annotations", "platform", "urls", "data", "artifactType"],
    )?;
    let size = object.get("size").and_then(Value::as_u64);
    let annotations = child(object, "annotations")?;
    let note = |key: &str| annotations.and_then(|notes| notes.get(key)).and_then(Value::as_str);
    let name = note("io.containerd.image.name").or(note("org.opencontainers.image.ref.name"));
    let referrer = note("vnd.docker.reference.type") == Some("attestation-manifest")
        || note("io.containerd.manifest.subject").is_some();
    let platform = match child(object, "platform")? {
        None => None,
        Some(platform) => Some(platform_of(platform)?),
    };
    Ok(Descriptor {
        media_type: text(object, "mediaType")?.ok_or_else(|| malformed("no \"mediaType\""))?,
        digest: digest(object.get("digest").unwrap_or(&Value::Null))?,
        size: size.ok_or_else(|| malformed("no \"size\", or not a number of bytes"))?,
        name: name.map(image_name).transpose()?.map(str::to_owned),
        referrer,
        platform,
        embedded: object.get("data").is_some_and(|data| !data.is_null()),
        elsewhere: !list(object, "urls")?.is_empty(),
        steering: steering(object)?,
    })
}

/// The first annotation of a document or descriptor that steers a program.
pub(super) fn steering(object: &Map<String, Value>) -> Result<Option<String>, Fault> {
    let Some(annotations) = child(object, "annotations")? else { return Ok(None) };
    if annotations.values().any(|value| !value.is_string() && !value.is_null()) {
        return Err(malformed("an annotation is not a text"));
    }
    let steers = |key: &&String| STEERING.iter().any(|beginning| key.starts_with(beginning));
    let name = annotations.keys().find(steers);
    Ok(name.map(|name| name.chars().take(limits::SHOWN_NAME_CHARS).collect()))
}

/// A name of an image, if it is short enough to be one.
pub(super) fn image_name(name: &str) -> Result<&str, Fault> {
    if name.len() <= limits::IMAGE_NAME_BYTES {
        return Ok(name);
    }
    let most = format!("at most {} bytes", limits::IMAGE_NAME_BYTES);
    Err(Fault::new(Code::ArchiveTooLarge, "the name of an image is too long")
        .expected_found(most, format!("{} bytes", name.len())))
}
