//! The image config: what the signed id is the digest of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::descriptor::platform_of;
use super::legacy;
use super::object::{Object, child, digest, list, malformed, no_folding, object, parse, text};
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// An image config.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) diff_ids: Vec<Sha256Digest>,
    pub(super) labels: BTreeMap<String, String>,
    /// `os/architecture[/variant]`.
    pub(super) platform: String,
    /// The forms that its `config` may have in metadata of layers, if it has one.
    pub(super) forms: Vec<Sha256Digest>,
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
