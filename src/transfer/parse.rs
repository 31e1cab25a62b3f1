//! Reading `manifest.json`: its form, then what must hold in each field and between them.

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize;

use super::manifest::{Artifact, FileEntry, Manifest, ManifestKind, SCHEMA, stated_sums};
use super::scalars::{
    LARGEST, malformed, not_ahead, outside, portable, serial, stream, text, time, transfer_id,
};
use super::strict::Object;
use crate::limits;
use crate::verdict::{Code, FILE_DIGEST_KIND, Fault};

/// The kinds of digest that a signature of an image can be over; a package's is `file`.
const IMAGE_DIGEST_KINDS: [&str; 4] = ["config", "index", "manifest", "platform-manifest"];

impl Manifest {
    /// Reads a manifest whose seal holds.
    ///
    /// # Errors
    /// [`Code::ManifestMalformed`], saying where; [`Code::ManifestVersionUnknown`] for a schema of
    /// another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Version {
            schema: String,
        }
        let refuse = |reason: String| Fault::new(Code::ManifestMalformed, reason);
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        if version.schema != SCHEMA {
            let code = if version.schema.starts_with("sealift-transfer/") {
                Code::ManifestVersionUnknown
            } else {
                Code::ManifestMalformed
            };
            return Err(Fault::new(code, "the manifest has another schema")
                .expected_found(SCHEMA, version.schema));
        }
        let Object(manifest): Object<Self> =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        if stated_sums(bytes) != Some(manifest.sha256sums) {
            let message = "sha256sums is not what the second line says";
            return Err(refuse(message.to_owned()));
        }
        check(&manifest)?;
        Ok(manifest)
    }
}

/// Checks a manifest that was parsed.
fn check(manifest: &Manifest) -> Result<(), Fault> {
    transfer_id(&manifest.transfer_id).map_err(|fault| fault.at("transfer_id"))?;
    stream(&manifest.stream)?;
    serial(manifest.serial).map_err(|fault| fault.at("serial"))?;
    let created = time(&manifest.created).map_err(|fault| fault.at("created"))?;
    not_ahead(manifest.serial, created).map_err(|fault| fault.at("serial"))?;
    if let Some(expires) = &manifest.expires
        && time(expires).map_err(|fault| fault.at("expires"))? <= created
    {
        return Err(malformed("it expires before it was created").at("expires"));
    }
    text(&manifest.tool, limits::MANIFEST_TEXT_BYTES).map_err(|fault| fault.at("tool"))?;
    if let Some(notes) = &manifest.notes
        && notes.len() > limits::MANIFEST_NOTES_BYTES
    {
        return Err(
            malformed(format!("more than {} bytes", limits::MANIFEST_NOTES_BYTES)).at("notes")
        );
    }
    for item in &manifest.requested {
        text(&item.name, limits::MANIFEST_TEXT_BYTES).map_err(|fault| fault.at("requested"))?;
    }
    for item in &manifest.omitted {
        for value in [&item.name, &item.code, &item.reason] {
            text(value, limits::MANIFEST_TEXT_BYTES).map_err(|fault| fault.at("omitted"))?;
        }
    }
    files(&manifest.files)?;
    let mut names = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for artifact in &manifest.artifacts {
        let at = |fault: Fault| fault.at(format!("artifact {:?}", artifact.name));
        if !names.insert((artifact.kind, &artifact.name)) {
            return Err(at(malformed("the name occurs twice")));
        }
        if !paths.insert(&artifact.path) {
            return Err(at(malformed("two artifacts have this path")));
        }
        self::artifact(manifest, artifact).map_err(at)?;
    }
    if let Some(base) = &manifest.base {
        let at = |fault: Fault| fault.at("base");
        transfer_id(&base.transfer_id).map_err(at)?;
        stream(&base.stream).map_err(at)?;
        serial(base.serial).map_err(at)?;
        // Whoever builds on a transfer comes after it.
        if base.stream == manifest.stream && base.serial >= manifest.serial {
            let fault = malformed("its serial is not below that of what builds on it")
                .expected_found(format!("below {}", manifest.serial), base.serial);
            return Err(at(fault));
        }
        for artifact in &base.artifacts {
            text(&artifact.name, limits::MANIFEST_TEXT_BYTES).map_err(at)?;
            outside(&artifact.path).map_err(at)?;
        }
    }
    Ok(())
}

fn files(files: &[FileEntry]) -> Result<(), Fault> {
    let mut folded = HashSet::with_capacity(files.len());
    let mut before: Option<&str> = None;
    for entry in files {
        let at = |fault: Fault| fault.at(format!("file {:?}", entry.path));
        portable(&entry.path)?;
        if before.is_some_and(|before| before >= entry.path.as_str()) {
            return Err(at(malformed("the files are not sorted and distinct")));
        }
        before = Some(&entry.path);
        if !folded.insert(entry.path.to_ascii_lowercase()) {
            let message = "another file has the same name but for the case of letters";
            return Err(at(Fault::new(Code::NameCollision, message)));
        }
        if entry.size > LARGEST {
            return Err(at(malformed("the size is more than 2^53 - 1")));
        }
        segments(entry).map_err(at)?;
    }
    for entry in files {
        let lower = entry.path.to_ascii_lowercase();
        let above = lower.match_indices('/').map(|(at, _)| lower.get(..at).unwrap_or_default());
        if let Some(file) = above.into_iter().find(|above| folded.contains(*above)) {
            let message = format!("{file:?} would be a file and a directory");
            return Err(Fault::new(Code::NameCollision, message).at(&entry.path));
        }
    }
    Ok(())
}

fn segments(entry: &FileEntry) -> Result<(), Fault> {
    if entry.segments.is_empty() {
        return Ok(());
    }
    let sum = entry.segments.iter().try_fold(0_u64, |sum, segment| sum.checked_add(segment.size));
    if sum != Some(entry.size) || entry.segments.iter().any(|segment| segment.size == 0) {
        return Err(malformed("the segments are empty or do not add up to the file's size"));
    }
    Ok(())
}

fn artifact(manifest: &Manifest, artifact: &Artifact) -> Result<(), Fault> {
    text(&artifact.name, limits::MANIFEST_TEXT_BYTES)?;
    for value in [&artifact.vendor, &artifact.source].into_iter().flatten() {
        text(value, limits::MANIFEST_TEXT_BYTES)?;
    }
    outside(&artifact.path)?;
    let is_file = manifest.file(&artifact.path).is_some();
    let is_layout =
        artifact.kind == ManifestKind::Image && manifest.below(&artifact.path).next().is_some();
    if !is_file && !is_layout {
        return Err(malformed("its path is no file of the manifest").at(&artifact.path));
    }
    let mut bundles = BTreeSet::new();
    for bundle in &artifact.bundles {
        outside(bundle)?;
        if manifest.file(bundle).is_none() {
            return Err(malformed("its bundle is no file of the manifest").at(bundle));
        }
        if !bundles.insert(bundle) {
            return Err(malformed("the bundle is listed twice").at(bundle));
        }
    }
    let sorted = artifact.digest_kinds.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    let fits = |kind: &String| match artifact.kind {
        ManifestKind::Image => IMAGE_DIGEST_KINDS.contains(&kind.as_str()),
        ManifestKind::Package => kind == FILE_DIGEST_KIND,
    };
    if !sorted || !artifact.digest_kinds.iter().all(fits) {
        return Err(malformed("digest_kinds is not a sorted list of known kinds"));
    }
    let signed =
        !artifact.bundles.is_empty() && artifact.key.is_some() && !artifact.digest_kinds.is_empty();
    let unsigned =
        artifact.bundles.is_empty() && artifact.key.is_none() && artifact.digest_kinds.is_empty();
    match (artifact.allow_unsigned, signed, unsigned) {
        (false, true, _) => Ok(()),
        (true, _, true) if !artifact.first_use => Ok(()),
        (false, false, _) => {
            Err(malformed("bundles, key or digest_kinds are absent, and allow_unsigned is not set"))
        }
        (true, _, _) => Err(malformed(
            "allow_unsigned is set together with bundles, a key, digest_kinds or first_use",
        )),
    }
}
