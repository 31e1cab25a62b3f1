//! The JSON documents of an archive, read strictly into what matters of them.
//!
//! Every key that is read must be spelled exactly; a key that Go would fold onto one of them is
//! refused, because Go's loaders would take it. What a document is, its keys say, not its name.

use serde_json::Value;

use super::descriptor::{self, Descriptor, ExtraFields, descriptor, descriptors, image_name};
use super::object::{Object, child, digest, malformed, object, only, parse, text, texts, unknown};
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// One image in `manifest.json`.
#[derive(Debug)]
pub(super) struct ManifestItem {
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
pub(super) struct ImageManifest {
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

/// A blob that a descriptor of an index names.
#[derive(Debug)]
pub(super) struct OciDocument {
    pub(super) kind: OciDocumentKind,
    /// What the document itself says that only a signature vouches for.
    extra: ExtraFields,
    /// The same of the descriptor of its subject, which nothing else is read of.
    subject: ExtraFields,
    /// The media type that the document itself states.
    own: Option<String>,
}

#[derive(Debug)]
pub(super) enum OciDocumentKind {
    Manifest(ImageManifest),
    Index(Vec<Descriptor>),
}

const MANIFEST_TYPES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const INDEX_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// `manifest.json`: the images in the order of the archive.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<ManifestItem>, Fault> {
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

fn item(value: &Value) -> Result<ManifestItem, Fault> {
    let object = only(value, &["Config", "RepoTags", "Layers", "Parent", "LayerSources"])?;
    let tags = texts(object, "RepoTags")?;
    tags.iter().try_for_each(|tag| image_name(tag).map(drop))?;
    let parent = text(object, "Parent")?.filter(|parent| !parent.is_empty());
    let sources = child(object, "LayerSources")?.into_iter().flatten();
    Ok(ManifestItem {
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

/// `repositories`: names with their tags, as `NAME:TAG`, and their ids.
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
pub(super) fn top_index(bytes: &[u8]) -> Result<OciDocument, Fault> {
    let value = parse(bytes)?;
    let object = object(&value, &KEYS)?;
    if !object.contains_key("manifests") {
        return Err(malformed("no \"manifests\""));
    }
    let blob = oci_document(object)?;
    let [declared, _] = INDEX_TYPES;
    blob.check_type(declared)?;
    match blob.member() {
        Some(member) => Err(unknown(member)),
        None => Ok(blob),
    }
}

/// A manifest or an index, as its keys show.
pub(super) fn manifest_or_index(bytes: &[u8]) -> Result<OciDocument, Fault> {
    let value = parse(bytes)?;
    oci_document(object(&value, &KEYS)?)
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

fn oci_document(object: &Object) -> Result<OciDocument, Fault> {
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
        OciDocumentKind::Index(descriptors(object, "manifests")?)
    } else {
        let config = object.get("config").unwrap_or(&Value::Null);
        let config = descriptor(config).map_err(|fault| fault.at("config"))?;
        OciDocumentKind::Manifest(ImageManifest { config, layers: descriptors(object, "layers")? })
    };
    let known: &[&str] = if index { &INDEX_KEYS } else { &MANIFEST_KEYS };
    let extra = descriptor::extra(object, known)?;
    let subject = match child(object, "subject")? {
        Some(subject) => descriptor::extra_of(subject).map_err(|fault| fault.at("subject"))?,
        None => ExtraFields::default(),
    };
    Ok(OciDocument {
        kind,
        extra,
        subject,
        own: text(object, "mediaType")?.filter(|own| !own.is_empty()),
    })
}

impl OciDocument {
    /// All descriptors in it.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, list) = match &self.kind {
            OciDocumentKind::Manifest(manifest) => (Some(&manifest.config), &manifest.layers),
            OciDocumentKind::Index(list) => (None, list),
        };
        config.into_iter().chain(list)
    }

    fn extras(&self) -> impl Iterator<Item = &ExtraFields> {
        [&self.extra, &self.subject]
            .into_iter()
            .chain(self.descriptors().map(|descriptor| &descriptor.extra))
    }

    /// The first member in it that the specification does not know.
    pub(super) fn member(&self) -> Option<&str> {
        self.extras().find_map(|extra| extra.member.as_deref())
    }

    /// The first annotation in it that does more than to describe (see [`descriptor`](mod@self::descriptor)).
    pub(super) fn annotation(&self) -> Option<&str> {
        self.extras().find_map(|extra| extra.annotation.as_deref())
    }

    /// Whether a descriptor in it says that its content is to be had elsewhere.
    pub(super) fn elsewhere(&self) -> Option<&Descriptor> {
        self.descriptors().find(|descriptor| descriptor.elsewhere)
    }

    /// The kind that the keys show, the media type that the descriptor declares, and the one that
    /// the document states must agree.
    pub(super) fn check_type(&self, declared: &str) -> Result<(), Fault> {
        let (kind, types) = match self.kind {
            OciDocumentKind::Manifest(_) => ("an image manifest", MANIFEST_TYPES),
            OciDocumentKind::Index(_) => ("an index", INDEX_TYPES),
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
