//! The view of `manifest.json`: what Docker's classic store loads, and `docker load` in general
//! where there is no OCI layout.

use super::archive::CandidateKind;
use super::decide::Findings;
use super::document::{self, Item};
use super::files::{Files, Found, check_reference};
use super::layer;
use crate::digest::{Hasher, Sha256Digest};
use crate::verdict::{Code, Fault};

/// Checks all images that `manifest.json` lists. `alone` says that there is no `index.json`, so
/// that a containerd store makes up a manifest.
pub(super) fn view(
    files: Files<'_>,
    items: &[Item],
    alone: bool,
    findings: &mut Findings,
) -> Result<(), Fault> {
    for (number, item) in items.iter().enumerate() {
        image(files, item, alone, findings).map_err(|fault| fault.at(format!("image {number}")))?;
    }
    Ok(())
}

fn image(files: Files<'_>, item: &Item, alone: bool, findings: &mut Findings) -> Result<(), Fault> {
    let missing = || Fault::new(Code::ConfigMissing, format!("{:?} is not there", item.config));
    if item.config.is_empty() {
        return Err(missing());
    }
    check_reference(&item.config)?;
    let found = files.file(&item.config)?.ok_or_else(missing)?;
    let digest = found.content.digest;
    let config = findings
        .config(digest, || document::config(found.document()?))
        .map_err(|fault| fault.at(&item.config))?;
    findings.uses(found.number);

    let mut layers = Vec::with_capacity(item.layers.len());
    for (number, name) in item.layers.iter().enumerate() {
        layers.push(find_layer(files, name).map_err(|fault| fault.at(format!("layer {number}")))?);
    }
    layer::check(&config, &layers, |number| item.layers.get(number).cloned().unwrap_or_default())?;
    for layer in &layers {
        findings.uses(layer.number);
    }

    let number = findings.group(digest, config)?;
    if let Some(group) = findings.group_mut(number) {
        for tag in &item.tags {
            group.tag(tag);
        }
        group.candidate(CandidateKind::Config, digest);
        group.id_after_load("docker-classic", digest.to_string());
        if alone {
            group.id_after_load("docker-containerd", made_up_id(found, &layers).to_string());
        }
    }
    Ok(())
}

fn find_layer<'a>(files: Files<'a>, name: &str) -> Result<Found<'a>, Fault> {
    if name.is_empty() {
        return Err(Fault::new(
            Code::LayerMissing,
            "the layer has no file: `pack` leaves out layers that it takes to be in the engine \
             already, and such an archive is only a part of an image",
        ));
    }
    check_reference(name)?;
    files.layer(name)?.ok_or_else(|| {
        Fault::new(
            Code::LayerMissing,
            format!("{name:?} is not in the archive; it loads only where the layer already is"),
        )
    })
}

/// The digest of the manifest that a containerd store makes up for an image that comes without one
/// (containerd, `core/images/archive/importer.go`). It is told, never taken for a signed digest.
fn made_up_id(config: Found<'_>, layers: &[Found<'_>]) -> Sha256Digest {
    let mut hasher = Hasher::new();
    let head = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","#,
            r#""config":{{"mediaType":"application/vnd.docker.container.image.v1+json","#,
            r#""digest":"{}","size":{}}},"layers":["#,
        ),
        config.content.digest, config.content.size
    );
    hasher.update(head.as_bytes());
    for (number, layer) in layers.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let suffix = if layer.content.inflated.is_some() { ".gzip" } else { "" };
        let layer = format!(
            concat!(
                r#"{}{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar{}","#,
                r#""digest":"{}","size":{}}}"#,
            ),
            comma, suffix, layer.content.digest, layer.content.size
        );
        hasher.update(layer.as_bytes());
    }
    hasher.update(b"]}");
    hasher.finish()
}
