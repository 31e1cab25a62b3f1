//! Parses the documents of a registry strictly: indexes, manifests and configs. The keys of a document say
//! what it is. Its bytes are kept unchanged; nothing here serializes them again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::digest::{ParseDigestError, Sha256Digest};
use crate::verdict::{Code, Fault};
use crate::{json, limits};

pub(super) const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What a reference leads to.
#[derive(Debug)]
pub(super) enum RegistryDocument {
    Index(Vec<RegistryDescriptor>),
    Manifest(RegistryManifest),
}

#[derive(Debug)]
pub(super) struct RegistryManifest {
    pub(super) config: RegistryDescriptor,
    pub(super) layers: Vec<RegistryDescriptor>,
}

#[derive(Debug, Clone)]
pub(super) struct RegistryDescriptor {
    pub(super) media_type: String,
    pub(super) digest: Sha256Digest,
    pub(super) size: u64,
    pub(super) platform: Option<Platform>,
    /// Marked as something about an image (provenance, SBOM), not as an image.
    pub(super) attestation: bool,
}

/// `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub(super) os: String,
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    pub(super) variant: Option<String>,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            None | Some("") => Ok(()),
            Some(variant) => write!(f, "/{variant}"),
        }
    }
}

/// The parts of a config that are needed here.
#[derive(Debug)]
pub(super) struct ImageConfig {
    pub(super) platform: Platform,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDocument {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Option<Vec<RawDescriptor>>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    media_type: String,
    digest: String,
    size: u64,
    urls: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(flatten)]
    platform: Platform,
    config: Option<RawInner>,
}

#[derive(Deserialize)]
struct RawInner {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// Parses a manifest or an index.
pub(super) fn document(bytes: &[u8]) -> Result<RegistryDocument, Fault> {
    let value = value(bytes)?;
    unfolded(&value, &["schemaVersion", "mediaType", "manifests", "config", "layers"])?;
    if value.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
        let message =
            "a manifest of Docker's schema 1, which names no config; push the image again";
        return Err(Fault::new(Code::MediaTypeMismatch, message));
    }
    for key in ["manifests", "layers"] {
        for descriptor in value.get(key).and_then(Value::as_array).into_iter().flatten() {
            unfolded(descriptor, &["mediaType", "digest", "size", "urls", "platform"])?;
        }
    }
    let raw: RawDocument = typed(value)?;
    if raw.schema_version != 2 {
        return Err(malformed("\"schemaVersion\" is not 2"));
    }
    let (document, allowed) = match (raw.manifests, raw.config, raw.layers) {
        (Some(manifests), None, None) => {
            let descriptors = manifests.into_iter().map(descriptor).collect::<Result<_, _>>()?;
            (RegistryDocument::Index(descriptors), 0..2)
        }
        (None, Some(config), Some(layers)) => {
            let config = descriptor(config).map_err(|fault| fault.at("config"))?;
            if !CONFIG_TYPES.contains(&config.media_type.as_str()) {
                return Err(Fault::new(
                    Code::MediaTypeMismatch,
                    "not an image, but another artifact",
                )
                .expected_found(CONFIG_TYPES.join(" or "), config.media_type));
            }
            let layers = layers.into_iter().map(layer).collect::<Result<_, _>>()?;
            (RegistryDocument::Manifest(RegistryManifest { config, layers }), 2..4)
        }
        _ => {
            let message = "neither an image manifest (config and layers) nor an index (manifests)";
            return Err(Fault::new(Code::MediaTypeMismatch, message));
        }
    };
    let own = raw.media_type.filter(|own| !own.is_empty());
    let allowed = MANIFEST_TYPES.get(allowed).unwrap_or_default();
    match own {
        Some(own) if !allowed.contains(&own.as_str()) => {
            let message = "the media type does not fit the content";
            Err(Fault::new(Code::MediaTypeMismatch, message)
                .expected_found(allowed.join(" or "), own))
        }
        _ => Ok(document),
    }
}

/// Parses an image config.
pub(super) fn config(bytes: &[u8]) -> Result<ImageConfig, Fault> {
    let value = value(bytes)?;
    unfolded(&value, &["config", "os", "architecture", "variant", "rootfs"])?;
    if let Some(inner) = value.get("config").filter(|inner| inner.is_object()) {
        unfolded(inner, &["Labels"])?;
    }
    let raw: RawConfig = typed(value)?;
    let labels = raw.config.and_then(|inner| inner.labels).unwrap_or_default();
    Ok(ImageConfig { platform: raw.platform, labels })
}

fn layer(raw: RawDescriptor) -> Result<RegistryDescriptor, Fault> {
    let foreign = raw.urls.as_ref().is_some_and(|urls| !urls.is_empty())
        || ["foreign", "nondistributable"].iter().any(|word| raw.media_type.contains(word));
    if foreign {
        let message = "a layer that is stored elsewhere and may not be passed on (a foreign layer, \
                       as in Windows images): no archive holds it";
        return Err(Fault::new(Code::MediaTypeMismatch, message).at(raw.digest));
    }
    descriptor(raw)
}

fn descriptor(raw: RawDescriptor) -> Result<RegistryDescriptor, Fault> {
    let digest = digest(&raw.digest)?;
    let notes = raw.annotations.unwrap_or_default();
    let unknown =
        |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
    let attestation = notes.contains_key("vnd.docker.reference.type")
        || raw.platform.as_ref().is_some_and(unknown);
    let RawDescriptor { media_type, size, platform, .. } = raw;
    Ok(RegistryDescriptor { media_type, digest, size, platform, attestation })
}

/// Parses the digest of a registry or an operator; only SHA-256 is supported.
pub(super) fn digest(text: &str) -> Result<Sha256Digest, Fault> {
    text.parse().map_err(|error: ParseDigestError| {
        Fault::new(Code::DigestUnsupported, error.to_string())
            .expected_found("sha256: and 64 lower-case digits", text)
    })
}

fn value(bytes: &[u8]) -> Result<Value, Fault> {
    json::parse(bytes, limits::ARCHIVE_JSON_BYTES).map_err(|error| malformed(&error.to_string()))
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))
}

/// Refuses keys that Go, and so the engines, would take for one of these although their case differs.
fn unfolded(value: &Value, known: &[&str]) -> Result<(), Fault> {
    let object = value.as_object().ok_or_else(|| malformed("not an object"))?;
    match json::folded_key(object, known) {
        None => Ok(()),
        Some(key) => {
            Err(malformed(&format!("the key {key:?} differs only in case from a known one")))
        }
    }
}

fn malformed(reason: &str) -> Fault {
    Fault::new(Code::JsonMalformed, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn manifest(layer: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{HEX}","size":3}},"layers":[{layer}]}}"#
        )
    }

    fn code(text: &str) -> Code {
        document(text.as_bytes()).unwrap_err().code()
    }

    #[test]
    fn what_can_t_be_carried_is_refused() {
        let plain = format!(r#"{{"mediaType":"a/tar","digest":"sha256:{HEX}","size":3}}"#);
        assert!(matches!(document(manifest(&plain).as_bytes()), Ok(RegistryDocument::Manifest(_))));
        let foreign = plain.replace("\"size\"", "\"urls\":[\"https://v.example/\"],\"size\"");
        assert_eq!(code(&manifest(&foreign)), Code::MediaTypeMismatch);
        let foreign =
            plain.replace("a/tar", "application/vnd.oci.image.layer.nondistributable.v1.tar");
        assert_eq!(code(&manifest(&foreign)), Code::MediaTypeMismatch);
        let other = plain.replace("sha256:", "sha512:");
        assert_eq!(code(&manifest(&other)), Code::DigestUnsupported);
        let folded = plain.replace("\"size\"", "\"Size\":4,\"size\"");
        assert_eq!(code(&manifest(&folded)), Code::JsonMalformed);
        assert_eq!(code(&manifest(&plain.replace("3}", "-3}"))), Code::JsonMalformed);
        let chart = manifest(&plain).replace("oci.image.config", "cncf.helm.config");
        assert_eq!(code(&chart), Code::MediaTypeMismatch);
        assert_eq!(code(r#"{"schemaVersion":1}"#), Code::MediaTypeMismatch);
        let both = manifest(&plain).replace("\"layers\"", "\"manifests\":[],\"layers\"");
        assert_eq!(code(&both), Code::MediaTypeMismatch);
        let lie = manifest(&plain).replace(
            "{\"schema",
            "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"schema",
        );
        assert_eq!(code(&lie), Code::MediaTypeMismatch);
    }
}
