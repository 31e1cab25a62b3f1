//! The JSON documents of an archive, read strictly into what matters of them.
//!
//! Every key that is read must be spelled exactly; a key that Go would fold onto one of them is
//! refused, because Go's loaders would take it. What a document is, its keys say, not its name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::digest::{ParseDigestError, Sha256Digest};
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// One image in `manifest.json`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) config: String,
    pub(super) tags: Vec<String>,
    pub(super) layers: Vec<String>,
}

/// A reference to content, OCI image specification "Content Descriptors".
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
}

/// An image manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

/// A blob that a descriptor of an index names.
#[derive(Debug)]
pub(super) struct Blob {
    pub(super) kind: BlobKind,
    /// The media type that the document itself states.
    own: Option<String>,
}

#[derive(Debug)]
pub(super) enum BlobKind {
    Manifest(Manifest),
    Index(Vec<Descriptor>),
}

/// An image config.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) diff_ids: Vec<Sha256Digest>,
    pub(super) labels: BTreeMap<String, String>,
    /// `os/architecture[/variant]`.
    pub(super) platform: String,
}

const MANIFEST_TYPES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const INDEX_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

type Object = Map<String, Value>;

/// `manifest.json`: the images in the order of the archive.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<Item>, Fault> {
    let values = match parse(bytes)? {
        Value::Array(values) => values,
        Value::Object(_) => {
            return Err(Fault::new(
                Code::MediaTypeMismatch,
                "one manifest instead of a list: the \"dir:\" format of podman and skopeo, which \
                 no engine loads as an archive; save with docker-archive or oci-archive",
            ));
        }
        _ => return Err(malformed("not a list of images")),
    };
    values
        .into_iter()
        .enumerate()
        .map(|(number, value)| item(&value).map_err(|fault| fault.at(format!("image {number}"))))
        .collect()
}

fn item(value: &Value) -> Result<Item, Fault> {
    let object = object(value, &["Config", "RepoTags", "Layers", "Parent", "LayerSources"])?;
    Ok(Item {
        config: text(object, "Config")?.ok_or_else(|| malformed("no \"Config\""))?,
        tags: texts(object, "RepoTags")?,
        layers: texts(object, "Layers")?,
    })
}

/// `oci-layout`: must be version 1.0.0.
pub(super) fn layout(bytes: &[u8]) -> Result<(), Fault> {
    let value = parse(bytes)?;
    let object = object(&value, &["imageLayoutVersion"])?;
    match text(object, "imageLayoutVersion")?.as_deref() {
        Some("1.0.0") => Ok(()),
        other => Err(Fault::new(Code::LayoutInvalid, "not an OCI layout of version 1.0.0")
            .expected_found("1.0.0", other.unwrap_or("no version"))),
    }
}

/// `index.json`.
pub(super) fn top_index(bytes: &[u8]) -> Result<Vec<Descriptor>, Fault> {
    let value = parse(bytes)?;
    let object = object(&value, &KEYS)?;
    if !object.contains_key("manifests") {
        return Err(malformed("no \"manifests\""));
    }
    let blob = blob_of(object)?;
    let [declared, _] = INDEX_TYPES;
    blob.check_type(declared)?;
    match blob.kind {
        BlobKind::Index(descriptors) => Ok(descriptors),
        BlobKind::Manifest(_) => Err(malformed("not an index")),
    }
}

/// A manifest or an index, as its keys show.
pub(super) fn blob(bytes: &[u8]) -> Result<Blob, Fault> {
    let value = parse(bytes)?;
    blob_of(object(&value, &KEYS)?)
}

const KEYS: [&str; 7] =
    ["schemaVersion", "mediaType", "manifests", "config", "layers", "annotations", "subject"];

fn blob_of(object: &Object) -> Result<Blob, Fault> {
    let has = |key| object.contains_key(key);
    let index = match (has("manifests"), has("config"), has("layers")) {
        (true, false, false) => true,
        (false, true, true) => false,
        _ => {
            return Err(Fault::new(
                Code::MediaTypeMismatch,
                "neither an image manifest (config and layers) nor an index (manifests)",
            ));
        }
    };
    if object.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
        return Err(malformed("\"schemaVersion\" is not 2"));
    }
    let kind = if index {
        BlobKind::Index(descriptors(object, "manifests")?)
    } else {
        let config = object.get("config").unwrap_or(&Value::Null);
        let config = descriptor(config).map_err(|fault| fault.at("config"))?;
        BlobKind::Manifest(Manifest { config, layers: descriptors(object, "layers")? })
    };
    Ok(Blob { kind, own: text(object, "mediaType")?.filter(|own| !own.is_empty()) })
}

impl Blob {
    /// The kind that the keys show, the media type that the descriptor declares, and the one that
    /// the document states must agree.
    pub(super) fn check_type(&self, declared: &str) -> Result<(), Fault> {
        let (kind, types) = match self.kind {
            BlobKind::Manifest(_) => ("an image manifest", MANIFEST_TYPES),
            BlobKind::Index(_) => ("an index", INDEX_TYPES),
        };
        let own = self.own.as_deref().unwrap_or(declared);
        if types.contains(&declared) && own == declared {
            return Ok(());
        }
        let message = format!("the content is {kind}, and a stated media type is another one");
        Err(Fault::new(Code::MediaTypeMismatch, message)
            .expected_found(types.join(" or "), format!("{declared} outside, {own} inside")))
    }
}

fn descriptors(object: &Object, key: &str) -> Result<Vec<Descriptor>, Fault> {
    list(object, key)?
        .iter()
        .enumerate()
        .map(|(number, value)| {
            descriptor(value).map_err(|fault| fault.at(format!("{key}[{number}]")))
        })
        .collect()
}

fn descriptor(value: &Value) -> Result<Descriptor, Fault> {
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
        name: name.map(str::to_owned),
        referrer,
        platform,
        embedded: object.get("data").is_some_and(|data| !data.is_null()),
    })
}

/// Refuses what a manifest names as its config and declares as something else.
pub(super) fn check_config_type(media_type: &str) -> Result<(), Fault> {
    if CONFIG_TYPES.contains(&media_type) {
        return Ok(());
    }
    Err(Fault::new(Code::MediaTypeMismatch, "not an image, but another artifact")
        .expected_found(CONFIG_TYPES.join(" or "), media_type))
}

/// An image config.
pub(super) fn config(bytes: &[u8]) -> Result<Config, Fault> {
    let value = parse(bytes)?;
    let known =
        ["rootfs", "config", "os", "architecture", "variant", "layers", "manifests", "history"];
    let config = object(&value, &known)?;
    let rootfs = config
        .get("rootfs")
        .filter(|_| !config.contains_key("layers") && !config.contains_key("manifests"));
    let Some(rootfs) = rootfs else {
        let message = "not an image config (\"rootfs\", without \"layers\" or \"manifests\")";
        return Err(Fault::new(Code::MediaTypeMismatch, message));
    };
    let rootfs = object(rootfs, &["type", "diff_ids"]).map_err(|fault| fault.at("rootfs"))?;
    if text(rootfs, "type")?.as_deref() != Some("layers") {
        return Err(malformed("rootfs.type is not \"layers\""));
    }
    let diff_ids = list(rootfs, "diff_ids")?
        .iter()
        .map(digest)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| fault.at("rootfs.diff_ids"))?;
    let labels = match child(config, "config")? {
        None => BTreeMap::new(),
        Some(inner) => labels(inner).map_err(|fault| fault.at("config"))?,
    };
    Ok(Config { diff_ids, labels, platform: platform_of(config)? })
}

fn labels(config: &Object) -> Result<BTreeMap<String, String>, Fault> {
    no_folding(config, &["Labels"])?;
    let Some(labels) = child(config, "Labels")? else { return Ok(BTreeMap::new()) };
    labels
        .iter()
        .map(|(key, value)| match value {
            Value::String(value) => Ok((key.clone(), value.clone())),
            _ => Err(malformed("a label is not a text")),
        })
        .collect()
}

fn platform_of(object: &Object) -> Result<String, Fault> {
    no_folding(object, &["os", "architecture", "variant"])?;
    let mut parts = Vec::new();
    for key in ["os", "architecture", "variant"] {
        parts.extend(text(object, key)?.filter(|part| !part.is_empty()));
    }
    Ok(parts.join("/"))
}

fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    json::parse(bytes, limits::ARCHIVE_JSON_BYTES).map_err(|error| malformed(&error.to_string()))
}

/// The value as an object without keys that Go would fold onto `known` ones.
fn object<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Object, Fault> {
    let object = value.as_object().ok_or_else(|| malformed("not an object"))?;
    no_folding(object, known)?;
    Ok(object)
}

fn no_folding(object: &Object, known: &[&str]) -> Result<(), Fault> {
    match json::folded_key(object, known) {
        None => Ok(()),
        Some(key) => Err(malformed(&format!(
            "the key {key:?} differs only in case from one that loaders read, and Go takes it too"
        ))),
    }
}

/// An object below `key`; absent and null are `None`.
fn child<'v>(object: &'v Object, key: &str) -> Result<Option<&'v Object>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(child)) => Ok(Some(child)),
        Some(_) => Err(malformed(&format!("{key:?} is not an object"))),
    }
}

/// A list below `key`; absent and null are empty, as Go writes an empty list.
fn list<'v>(object: &'v Object, key: &str) -> Result<&'v [Value], Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(malformed(&format!("{key:?} is not a list"))),
    }
}

fn text(object: &Object, key: &str) -> Result<Option<String>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(&format!("{key:?} is not a text"))),
    }
}

fn texts(object: &Object, key: &str) -> Result<Vec<String>, Fault> {
    list(object, key)?
        .iter()
        .map(|value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(malformed(&format!("{key:?} is not a list of texts"))),
        })
        .collect()
}

fn digest(value: &Value) -> Result<Sha256Digest, Fault> {
    let text = value.as_str().ok_or_else(|| malformed("no digest where one belongs"))?;
    text.parse().map_err(|error: ParseDigestError| {
        Fault::new(Code::DigestUnsupported, error.to_string())
            .expected_found("sha256: and 64 lower-case digits", text)
    })
}

fn malformed(reason: &str) -> Fault {
    Fault::new(Code::JsonMalformed, reason)
}
