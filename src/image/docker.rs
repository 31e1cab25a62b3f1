//! The view of `manifest.json`: what Docker's classic store loads, and `docker load` in general
//! where there is no OCI layout.

use std::collections::BTreeSet;

use super::archive::CandidateKind;
use super::config::{self, Config};
use super::document::ManifestItem;
use super::files::{ArchiveFile, Files, check_reference};
use super::findings::Findings;
use super::layer;
use crate::digest::{Hasher, Sha256Digest};
use crate::verdict::{Code, Fault};

/// Checks all images that `manifest.json` lists; says which layer is the topmost one of each. `alone` says
/// that there is no `index.json`, so that a containerd store makes up a manifest.
pub(super) fn view<'a>(
    files: Files<'a>,
    items: &[ManifestItem],
    alone: bool,
    findings: &mut Findings,
) -> Result<Vec<ArchiveFile<'a>>, Fault> {
    let at = |number: usize| move |fault: Fault| fault.at(format!("image {number}"));
    let mut tops = Vec::with_capacity(items.len());
    let mut ids = BTreeSet::new();
    for (number, item) in items.iter().enumerate() {
        let (id, top) = image(files, item, alone, findings).map_err(at(number))?;
        ids.insert(id);
        tops.push(top);
    }
    for (number, item) in items.iter().enumerate() {
        // Docker shows the parent's history and layers as this image's.
        if let Some(parent) = item.parent.filter(|parent| !ids.contains(parent)) {
            let message = "\"Parent\" is no image of the archive, as `docker save` writes it";
            let fault = Fault::new(Code::ConfigMissing, message)
                .expected_found("the id of an image in manifest.json", parent);
            return Err(at(number)(fault));
        }
    }
    Ok(tops)
}

/// Checks one image; its id and its topmost layer.
fn image<'a>(
    files: Files<'a>,
    item: &ManifestItem,
    alone: bool,
    findings: &mut Findings,
) -> Result<(Sha256Digest, ArchiveFile<'a>), Fault> {
    let missing = || Fault::new(Code::ConfigMissing, format!("{:?} is not there", item.config));
    if item.config.is_empty() {
        return Err(missing());
    }
    check_reference(&item.config)?;
    let found = files.file(&item.config)?.ok_or_else(missing)?;
    let digest = found.content.digest;
    let config = findings
        .config(digest, || config::config(found.document()?))
        .map_err(|fault| fault.at(&item.config))?;
    findings.uses(found.number);

    let mut layers = Vec::with_capacity(item.layers.len());
    for (number, name) in item.layers.iter().enumerate() {
        layers.push(find_layer(files, name).map_err(|fault| fault.at(format!("layer {number}")))?);
    }
    layer::check(&config, &layers, |number| item.layers.get(number).cloned().unwrap_or_default())?;
    for layer in &layers {
        findings.uses_layer(layer.number);
    }
    check_sources(item, &config, &layers).map_err(|fault| fault.at("LayerSources"))?;

    let number = findings.group(digest, config)?;
    for tag in &item.tags {
        findings.tag(number, tag)?;
    }
    if let Some(group) = findings.group_mut(number) {
        group.candidate(CandidateKind::Config, digest);
        group.id_after_load("docker-classic", digest.to_string());
        if alone {
            group.id_after_load("docker-containerd", made_up_id(found, &layers).to_string());
        }
    }
    // The config lists at least one layer, and as many as there are.
    layers.last().map(|top| (digest, *top)).ok_or_else(missing)
}

/// crane takes the descriptor of a layer from here instead of from the file, and nobody signs it.
fn check_sources(
    item: &ManifestItem,
    config: &Config,
    layers: &[ArchiveFile<'_>],
) -> Result<(), Fault> {
    for (diff_id, source) in &item.sources {
        let place = |fault: Fault| fault.at(diff_id.to_string());
        let mut pairs = config.diff_ids.iter().zip(layers);
        let Some((_, layer)) = pairs.find(|(listed, _)| *listed == diff_id) else {
            let message = "the config lists no such layer";
            return Err(place(Fault::new(Code::BlobMismatch, message)));
        };
        let (digest, size) = (layer.content.digest, layer.content.size);
        if (source.digest, source.size) != (digest, size) {
            let message = "the descriptor is not the one of the layer's file";
            return Err(place(Fault::new(Code::BlobMismatch, message).expected_found(
                format!("{digest}, {size} bytes"),
                format!("{}, {} bytes", source.digest, source.size),
            )));
        }
        if !layer::type_fits(&source.media_type, layer.content) {
            let message = "the media type is not the one of the layer's file";
            let fault = Fault::new(Code::MediaTypeMismatch, message);
            return Err(place(fault.expected_found("that of a layer", &source.media_type)));
        }
        if let Some(member) = &source.extra.member {
            let message =
                format!("nobody signs manifest.json, and no program reads the member {member:?}");
            return Err(place(Fault::new(Code::JsonMalformed, message)));
        }
        if source.elsewhere || source.extra.annotation.is_some() {
            let message = "manifest.json, which nobody signs, says where to fetch a layer that is here, \
                           or how to unpack it";
            return Err(place(Fault::new(Code::ContentElsewhere, message)));
        }
    }
    Ok(())
}

fn find_layer<'a>(files: Files<'a>, name: &str) -> Result<ArchiveFile<'a>, Fault> {
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
/// (containerd, `core/images/archive/importer.go`). It is reported, never taken for a signed digest.
fn made_up_id(config: ArchiveFile<'_>, layers: &[ArchiveFile<'_>]) -> Sha256Digest {
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
