//! What must hold between the fields of a manifest, and in each of them.

use std::collections::{BTreeSet, HashSet};

use super::layout::{self, PathUse};
use super::manifest::{Artifact, FileEntry, Kind, Manifest};
use crate::limits;
use crate::path;
use crate::trust::is_stream_name;
use crate::verdict::{Code, Fault};

/// The largest integer that every JSON reader keeps exact: 2^53 - 1.
pub(super) const LARGEST: u64 = (1 << 53) - 1;
/// The kinds of digest that a signature of an image can be over; a package's is `file`.
const IMAGE_DIGEST_KINDS: [&str; 4] = ["config", "index", "manifest", "platform-manifest"];

fn malformed(reason: impl Into<String>) -> Fault {
    Fault::new(Code::ManifestMalformed, reason)
}

/// Checks a manifest that was parsed.
pub(super) fn check(manifest: &Manifest) -> Result<(), Fault> {
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

/// Accepts the name of a stream: 1 to 64 characters of `a-z 0-9 . _ -`, a letter or digit first.
///
/// # Errors
/// [`Code::ManifestMalformed`].
pub fn stream(name: &str) -> Result<(), Fault> {
    if is_stream_name(name) {
        return Ok(());
    }
    let message = "a stream's name has 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit";
    Err(malformed(message).at("stream"))
}

/// Reads a time of the manifest: RFC 3339, UTC with `Z`, whole seconds.
///
/// # Errors
/// [`Code::ManifestMalformed`].
pub fn time(text: &str) -> Result<jiff::Timestamp, Fault> {
    let time: jiff::Timestamp =
        text.parse().map_err(|error: jiff::Error| malformed(error.to_string()))?;
    if time.to_string() == text && time.subsec_nanosecond() == 0 {
        return Ok(time);
    }
    Err(malformed("not a time in UTC with whole seconds")
        .expected_found("YYYY-MM-DDThh:mm:ssZ", text))
}

fn transfer_id(id: &str) -> Result<(), Fault> {
    let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && id.len() == 32 {
        Ok(())
    } else {
        Err(malformed("not 32 lower-case hexadecimal digits"))
    }
}

fn serial(serial: u64) -> Result<(), Fault> {
    if (1..=LARGEST).contains(&serial) { Ok(()) } else { Err(malformed("not 1 to 2^53 - 1")) }
}

/// Refuses a serial that is far ahead of the clock by which it was sealed: one such seal would use up
/// all serials of its stream.
pub(super) fn not_ahead(serial: u64, created: jiff::Timestamp) -> Result<(), Fault> {
    const DAY: u64 = 24 * 60 * 60;
    let most = u64::try_from(created.as_second()).unwrap_or_default().saturating_add(DAY);
    if serial <= most {
        return Ok(());
    }
    let message = "the serial is more than a day ahead of the time of sealing";
    Err(malformed(message).expected_found(format!("at most {most}"), serial))
}

fn text(text: &str, most: usize) -> Result<(), Fault> {
    if text.is_empty() || text.len() > most || text.chars().any(char::is_control) {
        return Err(malformed(format!(
            "not a line of 1 to {most} bytes without control characters"
        )));
    }
    Ok(())
}

/// Accepts a path that a file of the transfer directory may have.
pub(super) fn portable(name: &str) -> Result<(), Fault> {
    path::portable(name)
        .map_err(|reason| Fault::new(Code::PathNotPortable, reason.to_string()).at(name))?;
    layout::place(name).map_err(|reason| malformed(reason.words()).at(name))?;
    Ok(())
}

/// Accepts a path of an artifact or a bundle: what `trust/` and `tools/` hold is neither.
fn outside(name: &str) -> Result<(), Fault> {
    portable(name)?;
    match layout::place(name) {
        Ok(PathUse::Free) => Ok(()),
        _ => Err(malformed("an artifact or bundle can't lie in trust/ or tools/").at(name)),
    }
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
    let is_layout = artifact.kind == Kind::Image && manifest.below(&artifact.path).next().is_some();
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
        Kind::Image => IMAGE_DIGEST_KINDS.contains(&kind.as_str()),
        Kind::Package => kind == "file",
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
        (false, false, _) => Err(malformed(
            "bundles, key or digest_kinds are absent, and allow_unsigned does not stand there",
        )),
        (true, _, _) => {
            Err(malformed("allow_unsigned stands beside bundles, a key, digest_kinds or first_use"))
        }
    }
}
