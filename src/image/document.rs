//! The JSON documents of an archive, read strictly into what matters of them.
//!
//! Every key that is read must be spelled exactly; a key that Go would fold onto one of them is
//! refused, because Go's loaders would take it. What a document is, its keys say, not its name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::descriptor::{self, Descriptor, Extra, descriptor, descriptors, image_name};
use super::legacy;
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
    /// The id of the image that this one was made from.
    pub(super) parent: Option<Sha256Digest>,
    /// Descriptors of layers, by their diff_ids.
    pub(super) sources: Vec<(Sha256Digest, Descriptor)>,
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
    /// What the document itself says that only a signature vouches for.
    extra: Extra,
    /// The same of the descriptor of its subject, which nothing else is read of.
    subject: Extra,
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
    /// What may stand for the `config` in it in metadata of layers, if it has one.
    pub(super) forms: Vec<Sha256Digest>,
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
    let object = only(value, &["Config", "RepoTags", "Layers", "Parent", "LayerSources"])?;
    let tags = texts(object, "RepoTags")?;
    tags.iter().try_for_each(|tag| image_name(tag).map(drop))?;
    let parent = text(object, "Parent")?.filter(|parent| !parent.is_empty());
    let sources = child(object, "LayerSources")?.into_iter().flatten();
    Ok(Item {
        config: text(object, "Config")?.ok_or_else(|| malformed("no \"Config\""))?,
        tags,
        layers: texts(object, "Layers")?,
        parent: parent.map(|parent| digest(&Value::String(parent))).transpose()?,
        sources: sources
            .map(|(diff_id, value)| {
                Ok((digest(&Value::from(diff_id.as_str()))?, descriptor(value)?))
            })
            .collect::<Result<_, Fault>>()
            .map_err(|fault| fault.at("LayerSources"))?,
    })
}

/// `repositories`: names with their tags, as `NAME:TAG`, and the ids that they stand for.
pub(super) fn repositories(bytes: &[u8]) -> Result<Vec<(String, Sha256Digest)>, Fault> {
    let value = parse(bytes)?;
    let mut found = Vec::new();
    for (name, tags) in object(&value, &[])? {
        for (tag, id) in object(tags, &[])? {
            let id = id.as_str().and_then(|id| Sha256Digest::from_hex(id).ok());
            let name = format!("{name}:{tag}");
            image_name(&name)?;
            found.push((name, id.ok_or_else(|| malformed("an id is not 64 lower-case digits"))?));
        }
    }
    Ok(found)
}

/// `oci-layout`: must be version 1.0.0.
pub(super) fn layout(bytes: &[u8]) -> Result<(), Fault> {
    let value = parse(bytes)?;
    let object = only(&value, &["imageLayoutVersion"])?;
    match text(object, "imageLayoutVersion")?.as_deref() {
        Some("1.0.0") => Ok(()),
        other => Err(Fault::new(Code::LayoutInvalid, "not an OCI layout of version 1.0.0")
            .expected_found("1.0.0", other.unwrap_or("no version"))),
    }
}

/// `index.json`.
pub(super) fn top_index(bytes: &[u8]) -> Result<Blob, Fault> {
    let value = parse(bytes)?;
    let object = object(&value, &KEYS)?;
    if !object.contains_key("manifests") {
        return Err(malformed("no \"manifests\""));
    }
    let blob = blob_of(object)?;
    let [declared, _] = INDEX_TYPES;
    blob.check_type(declared)?;
    match blob.member() {
        Some(member) => Err(unknown(member)),
        None => Ok(blob),
    }
}

/// A manifest or an index, as its keys show.
pub(super) fn blob(bytes: &[u8]) -> Result<Blob, Fault> {
    let value = parse(bytes)?;
    blob_of(object(&value, &KEYS)?)
}

const INDEX_KEYS: [&str; 6] =
    ["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"];
const MANIFEST_KEYS: [&str; 7] =
    ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];
const KEYS: [&str; 8] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "manifests",
    "config",
    "layers",
    "annotations",
    "subject",
];

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
    let known: &[&str] = if index { &INDEX_KEYS } else { &MANIFEST_KEYS };
    let extra = descriptor::extra(object, known)?;
    let subject = match child(object, "subject")? {
        Some(subject) => descriptor::extra_of(subject).map_err(|fault| fault.at("subject"))?,
        None => Extra::default(),
    };
    Ok(Blob { kind, extra, subject, own: text(object, "mediaType")?.filter(|own| !own.is_empty()) })
}

impl Blob {
    /// All descriptors in it.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, list) = match &self.kind {
            BlobKind::Manifest(manifest) => (Some(&manifest.config), &manifest.layers),
            BlobKind::Index(list) => (None, list),
        };
        config.into_iter().chain(list)
    }

    fn extras(&self) -> impl Iterator<Item = &Extra> {
        [&self.extra, &self.subject].into_iter().chain(self.descriptors().map(|it| &it.extra))
    }

    /// The first member in it that the specification does not know.
    pub(super) fn member(&self) -> Option<&str> {
        self.extras().find_map(|it| it.member.as_deref())
    }

    /// The first annotation in it that does more than to describe (see [`descriptor`](mod@self::descriptor)).
    pub(super) fn annotation(&self) -> Option<&str> {
        self.extras().find_map(|it| it.annotation.as_deref())
    }

    /// Whether a descriptor in it says that its content is to be had elsewhere.
    pub(super) fn elsewhere(&self) -> Option<&Descriptor> {
        self.descriptors().find(|it| it.elsewhere)
    }

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
    let inner = child(config, "config")?;
    let labels = match inner {
        None => BTreeMap::new(),
        Some(inner) => labels(inner).map_err(|fault| fault.at("config"))?,
    };
    let forms = inner.map(|inner| legacy::config_forms(inner).to_vec()).unwrap_or_default();
    Ok(Config { diff_ids, labels, platform: platform_of(config)?, forms })
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

pub(super) fn platform_of(object: &Object) -> Result<String, Fault> {
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
pub(super) fn object<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Object, Fault> {
    let object = value.as_object().ok_or_else(|| malformed("not an object"))?;
    no_folding(object, known)?;
    Ok(object)
}

/// An object of a document that nobody ever signs: it holds no members but these, or it could be another
/// document as well.
fn only<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Object, Fault> {
    let object = object(value, known)?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(key)),
        None => Ok(object),
    }
}

fn unknown(member: &str) -> Fault {
    malformed(&format!("nobody signs this document, and no program reads its member {member:?}"))
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
pub(super) fn child<'v>(object: &'v Object, key: &str) -> Result<Option<&'v Object>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(child)) => Ok(Some(child)),
        Some(_) => Err(malformed(&format!("{key:?} is not an object"))),
    }
}

/// A list below `key`; absent and null are empty, as Go writes an empty list.
pub(super) fn list<'v>(object: &'v Object, key: &str) -> Result<&'v [Value], Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(malformed(&format!("{key:?} is not a list"))),
    }
}

pub(super) fn text(object: &Object, key: &str) -> Result<Option<String>, Fault> {
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

pub(super) fn digest(value: &Value) -> Result<Sha256Digest, Fault> {
    let text = value.as_str().ok_or_else(|| malformed("no digest where one belongs"))?;
    text.parse().map_err(|error: ParseDigestError| {
        Fault::new(Code::DigestUnsupported, error.to_string())
            .expected_found("sha256: and 64 lower-case digits", text)
    })
}

pub(super) fn malformed(reason: &str) -> Fault {
    Fault::new(Code::JsonMalformed, reason)
}
