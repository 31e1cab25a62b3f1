//! The one decision: from names and facts to an [`Archive`], or to the reason why not.
//!
//! It is a pure function, so that a pipe, a file and a directory give the same answer. Both views of
//! an archive, `manifest.json` and `index.json`, must hold, whichever of them a loader follows, and no file
//! may be there that neither uses, except for what `leftover` knows.

use super::archive::{Archive, Container};
use super::document;
use super::files::Files;
use super::findings::Findings;
use super::leftover::Leftovers;
use super::names::{INDEX, LAYOUT, MANIFEST, REPOSITORIES, blob_digest};
use super::{docker, oci};
use crate::verdict::{Code, Fault};

/// Decides about a whole archive.
pub(super) fn decide(files: Files<'_>, container: Container) -> Result<Archive, Fault> {
    let manifest = files.file(MANIFEST)?;
    let index = files.file(INDEX)?;
    check_views(files, manifest.is_some(), index.is_some())?;
    check_blob_names(files)?;
    let mut findings = Findings::default();
    let mut items = Vec::new();
    let mut tops = Vec::new();
    if let Some(found) = manifest {
        items = found.document().and_then(document::items).map_err(|f| f.at(MANIFEST))?;
        findings.uses(found.number);
        tops = docker::view(files, &items, index.is_none(), &mut findings)
            .map_err(|fault| fault.at(MANIFEST))?;
    }
    if let Some(found) = index {
        let top = found.document().and_then(document::top_index).map_err(|f| f.at(INDEX))?;
        findings.uses(found.number);
        oci::view(files, found.content.digest, &top, &mut findings)
            .map_err(|fault| fault.at(INDEX))?;
    }
    if findings.is_empty() {
        return Err(Fault::new(Code::ManifestMissing, "the archive lists no image"));
    }
    if let (Some(_), Some(layout)) = (index, files.file(LAYOUT)?) {
        findings.uses(layout.number);
    }
    Leftovers {
        files,
        used: &findings.used,
        layers: &findings.layers,
        items: &items,
        tops: &tops,
        oci: index.is_some(),
        configs: &findings.forms(),
    }
    .check()?;
    findings.check_names()?;
    Ok(findings.archive(container, manifest.is_some(), index.is_some()))
}

/// Whether every loader can know which view to follow.
fn check_views(files: Files<'_>, manifest: bool, index: bool) -> Result<(), Fault> {
    let layout = files.file(LAYOUT)?;
    if !index && layout.is_some() {
        let message = "there is an oci-layout file, but no index.json";
        return Err(Fault::new(Code::LayoutInvalid, message));
    }
    if index {
        let Some(layout) = layout else {
            let message =
                "index.json without an oci-layout file: podman follows it, Docker doesn't";
            return Err(Fault::new(Code::LayoutInvalid, message));
        };
        layout.document().and_then(document::layout).map_err(|fault| fault.at(LAYOUT))?;
    }
    if manifest {
        return Ok(());
    }
    let legacy = files.has(REPOSITORIES)
        || files.files().any(|(name, _)| {
            name.strip_suffix("/json").is_some_and(|dir| files.has(&format!("{dir}/layer.tar")))
        });
    match (index, legacy) {
        (true, false) => Ok(()),
        (true, true) => Err(Fault::new(
            Code::LayoutInvalid,
            "an OCI layout with the files of an archive from before Docker 1.10, which older \
             engines would load instead",
        )),
        (false, true) => Err(Fault::new(
            Code::ManifestMissing,
            "an archive from before Docker 1.10 (repositories, VERSION, json): its layers are not \
             bound to any id",
        )),
        (false, false) => {
            Err(Fault::new(Code::ManifestMissing, "neither manifest.json nor index.json is there"))
        }
    }
}

/// Every blob, referenced or not, must be the content of its name.
fn check_blob_names(files: Files<'_>) -> Result<(), Fault> {
    for (name, found) in files.files() {
        if let Some(digest) = blob_digest(name)
            && digest != found.content.digest
        {
            return Err(Fault::new(Code::BlobMismatch, "the blob is not the one of its name")
                .at(name)
                .expected_found(digest, found.content.digest));
        }
    }
    Ok(())
}
