//! References to content (OCI image specification, "Content Descriptors"), and what engines do by them.
//!
//! Members of a descriptor, a manifest or an index. What is in a config, the signature covers in any case.
//!
//! | member | who acts on it | our rule |
//! |---|---|---|
//! | `mediaType`, `digest`, `size` | all | must be there and fit the content |
//! | `urls` | podman, skopeo, buildah ask there first; Docker on Windows | refused unless a signature covers the document: the content is here |
//! | `data` | containerd takes the content from it if its digest fits | the content must be in the archive too, so it is the same |
//! | `platform` | all choose an image of an index by it | every image that is there must be covered |
//! | `annotations` | names: all; attestations: Docker; others: see [`DESCRIBING`] | a name is never signed; one that does not only describe is reported unless a signature covers the document |
//! | `artifactType`, `subject` | registries, for their lists of referrers | read by no loader |
//! | any other | nobody: the specification demands that it be ignored. But a document may be another one as well | refused in `index.json`, which nobody signs; elsewhere reported unless a signature covers the document |

use serde_json::Value;

use super::object::{Object, child, digest, list, malformed, no_folding, object, text};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Annotations that describe the same content or tell its name, and by which no program does anything else
/// with it; those that end in a dot or slash with all that follows. Any other may steer one:
///
/// - containerd hands those of layers to its snapshotter: tables of contents and remote layers of stargz,
///   nydus, overlaybd, soci, erofs;
/// - containers/storage fetches and unpacks by the tables of zstd:chunked and estargz; soci by its index;
/// - containers/image and containerd decrypt by `org.opencontainers.image.enc.`;
/// - podman hands a manifest's annotations on to the container, where crun, runc, kata, gvisor and systemd
///   act on them.
const DESCRIBING: [&str; 21] = [
    "com.docker.official-images.",
    "containerd.io/distribution.source.",
    "in-toto.io/predicate-type",
    "io.containerd.image.name",
    "io.containerd.manifest.subject",
    "org.opencontainers.image.authors",
    "org.opencontainers.image.base.digest",
    "org.opencontainers.image.base.name",
    "org.opencontainers.image.created",
    "org.opencontainers.image.description",
    "org.opencontainers.image.documentation",
    "org.opencontainers.image.licenses",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.source",
    "org.opencontainers.image.title",
    "org.opencontainers.image.url",
    "org.opencontainers.image.vendor",
    "org.opencontainers.image.version",
    "vnd.docker.reference.digest",
    "vnd.docker.reference.type",
];

const DESCRIPTOR_KEYS: [&str; 8] =
    ["mediaType", "digest", "size", "annotations", "platform", "urls", "data", "artifactType"];
const PLATFORM_KEYS: [&str; 6] =
    ["architecture", "os", "os.version", "os.features", "variant", "features"];

/// What a document or descriptor says beyond what is read of it.
#[derive(Debug, Default)]
pub(super) struct ExtraFields {
    /// The first member that the specification does not know.
    pub(super) member: Option<String>,
    /// The first annotation that is not among [`DESCRIBING`].
    pub(super) annotation: Option<String>,
}

/// A reference to content.
#[derive(Debug)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Sha256Digest,
    pub(super) size: u64,
    /// `io.containerd.image.name` and `org.opencontainers.image.ref.name`, where they differ.
    pub(super) names: Vec<String>,
    /// Announced as an attestation or another referrer to an image, not as an image.
    pub(super) referrer: bool,
    /// `os/architecture`, for messages.
    pub(super) platform: Option<String>,
    /// Whether the descriptor carries its content itself, in `data`.
    pub(super) embedded: bool,
    /// Whether it says that the content is to be had elsewhere (`urls`).
    pub(super) elsewhere: bool,
    /// What it says beyond that.
    pub(super) extra: ExtraFields,
}

/// All descriptors of a list.
pub(super) fn descriptors(object: &Object, key: &str) -> Result<Vec<Descriptor>, Fault> {
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
    let object = object(value, &DESCRIPTOR_KEYS)?;
    let size = object.get("size").and_then(Value::as_u64);
    let annotations = child(object, "annotations")?;
    let note = |key: &str| annotations.and_then(|notes| notes.get(key)).and_then(Value::as_str);
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
        names: names(annotations)?,
        referrer,
        platform,
        embedded: object.get("data").is_some_and(|data| !data.is_null()),
        elsewhere: !list(object, "urls")?.is_empty(),
        extra: extra_of(object)?,
    })
}

/// What an object with these `known` members says beyond them.
pub(super) fn extra(object: &Object, known: &[&str]) -> Result<ExtraFields, Fault> {
    let short = |name: &String| name.chars().take(limits::SHOWN_NAME_CHARS).collect();
    let member = object.keys().find(|key| !known.contains(&key.as_str())).map(short);
    let Some(annotations) = child(object, "annotations")? else {
        return Ok(ExtraFields { member, annotation: None });
    };
    if annotations.values().any(|value| !value.is_string() && !value.is_null()) {
        return Err(malformed("an annotation is not a text").at("annotations"));
    }
    let annotation = annotations.keys().find(|key| !describes(key)).map(short);
    Ok(ExtraFields { member, annotation })
}

fn describes(annotation: &str) -> bool {
    DESCRIBING.iter().any(|known| {
        annotation.strip_prefix(known).is_some_and(|rest| rest.is_empty() || known.ends_with('.'))
    })
}

/// What a descriptor says beyond its known members.
pub(super) fn extra_of(object: &Object) -> Result<ExtraFields, Fault> {
    let mut extra = extra(object, &DESCRIPTOR_KEYS)?;
    if let Some(platform) = child(object, "platform")?
        && extra.member.is_none()
    {
        extra.member = self::extra(platform, &PLATFORM_KEYS)?.member;
    }
    Ok(extra)
}

pub(super) fn platform_of(object: &Object) -> Result<String, Fault> {
    no_folding(object, &["os", "architecture", "variant"])?;
    let mut parts = Vec::new();
    for key in ["os", "architecture", "variant"] {
        parts.extend(text(object, key)?.filter(|part| !part.is_empty()));
    }
    Ok(parts.join("/"))
}

/// The names that annotations give: the full one of containerd, and the one of OCI, unless it is only
/// the end of the full one.
fn names(annotations: Option<&Object>) -> Result<Vec<String>, Fault> {
    let note = |key: &str| annotations.and_then(|notes| notes.get(key)).and_then(Value::as_str);
    let (full, short) =
        (note("io.containerd.image.name"), note("org.opencontainers.image.ref.name"));
    let same = |full: &str, short: &str| {
        full.strip_suffix(short).is_some_and(|rest| {
            ["", "docker.io/", "docker.io/library/"].contains(&rest)
                || short.starts_with('@')
                || rest.ends_with(':') && !short.contains('/')
        })
    };
    let short = short.filter(|short| !full.is_some_and(|full| same(full, short)));
    full.into_iter().chain(short).map(|name| image_name(name).map(str::to_owned)).collect()
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
