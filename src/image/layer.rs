//! Layers against the config's diff_ids: what binds the files of an image to its signed id.

use super::config::Config;
use super::content::FileContent;
use super::files::ArchiveFile;
use super::inflate::Compression;
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// Refuses unless the layers found, in this order, are the ones that the config lists. `name` says
/// what the layer of a number is called.
pub(super) fn check(
    config: &Config,
    found: &[ArchiveFile<'_>],
    name: impl Fn(usize) -> String,
) -> Result<(), Fault> {
    let (expected, count) = (config.diff_ids.len(), found.len());
    if expected != count {
        return Err(Fault::new(Code::LayerCount, "the config lists another number of layers")
            .expected_found(expected, count));
    }
    for (number, (diff_id, layer)) in config.diff_ids.iter().zip(found).enumerate() {
        let place = || format!("layer {number} ({})", name(number));
        let digest = layer.content.diff_id().map_err(|fault| fault.at(place()))?;
        if digest != *diff_id {
            return Err(Fault::new(Code::LayerMismatch, message(config, found))
                .at(place())
                .expected_found(diff_id, digest));
        }
    }
    Ok(())
}

/// Whether a media type is the one of a layer that is packed like this file.
pub(super) fn type_fits(media_type: &str, content: &FileContent) -> bool {
    let types: &[&str] = match content.inflated.as_ref().map(|(compression, _)| compression) {
        None => &[
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.docker.image.rootfs.diff.tar",
        ],
        Some(Compression::Gzip) => &[
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ],
        Some(Compression::Zstd) => &[
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar.zstd",
        ],
        Some(_) => &[],
    };
    types.contains(&media_type)
}

fn message(config: &Config, found: &[ArchiveFile<'_>]) -> &'static str {
    let mut layers: Vec<Sha256Digest> =
        found.iter().filter_map(|layer| layer.content.diff_id().ok()).collect();
    let mut diff_ids = config.diff_ids.clone();
    layers.sort_unstable();
    diff_ids.sort_unstable();
    if layers == diff_ids {
        "the right layers are in the wrong order, as Docker 25.0.0 writes them into index.json; \
         save the image again with a newer Docker"
    } else {
        "the layer is not the one that the config lists"
    }
}
