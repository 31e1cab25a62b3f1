//! The manifest of a new seal: its artifacts come from the verdicts, its files from the survey, its
//! serial from the transfer that it follows.

use std::collections::BTreeMap;

use super::layout::{MANIFEST, SIGNATURE};
use super::manifest::{self, Artifact, FileEntry, Manifest, SCHEMA, SegmentEntry};
use super::scalars;
use super::seal_request::AddedFile;
use super::seal_request::SealRequest;
use super::signature;
use crate::digest::{Sha256Digest, hex};
use crate::directory::{Folder, read_small};
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::survey::Survey;
use crate::verdict::{Code, Fault};

pub(super) fn manifest(
    folder: &Folder,
    request: &SealRequest<'_>,
    artifacts: Vec<Artifact>,
    files: Vec<FileEntry>,
) -> Result<Manifest, Fault> {
    let seconds = |time: jiff::Timestamp| {
        jiff::Timestamp::from_second(time.as_second())
            .map(|time| time.to_string())
            .map_err(|error| Fault::new(Code::Usage, error.to_string()))
    };
    let now = u64::try_from(request.now.as_second()).unwrap_or_default();
    let previous = previous_serial(folder, request.stream, request.key.public(), now)
        .max(request.base.filter(|base| base.stream == request.stream).map(|base| base.serial));
    let serial = previous.map_or(now, |previous| now.max(previous.saturating_add(1))).max(1);
    if scalars::not_ahead(serial, request.now).is_err() {
        let message = format!(
            "the last serial of stream {:?} is more than a day ahead of this machine's clock; set the \
             clock right or, if it once ran ahead, go on as a new stream with --stream NAME, and tell \
             the far side its name",
            request.stream
        );
        let most = now.saturating_add(24 * 60 * 60);
        return Err(Fault::new(Code::Usage, message)
            .at(folder.shown())
            .expected_found(format!("at most {most}"), serial));
    }
    Ok(Manifest {
        sha256sums: Sha256Digest::of(&manifest::sums(&files)),
        schema: SCHEMA.to_owned(),
        transfer_id: hex(&request.transfer_id),
        stream: request.stream.to_owned(),
        serial,
        created: seconds(request.now)?,
        expires: request.expires.map(seconds).transpose()?,
        tool: concat!("sealift ", env!("CARGO_PKG_VERSION")).to_owned(),
        requested: request.requested.to_vec(),
        omitted: request.omitted.to_vec(),
        artifacts,
        files,
        base: request.base.cloned(),
        notes: request.notes.map(str::to_owned),
    })
}

/// The entries of all files: those that were surveyed, and those that sealing adds.
pub(super) fn files(survey: Survey, own: &[AddedFile]) -> Vec<FileEntry> {
    let mut files: BTreeMap<String, FileEntry> = BTreeMap::new();
    for file in survey.files {
        let segments = file
            .segments()
            .iter()
            .map(|segment| SegmentEntry { size: segment.size, sha256: segment.sha256 })
            .collect();
        let entry = FileEntry {
            path: file.name.clone(),
            size: file.digest.size,
            sha256: file.digest.sha256,
            segments,
        };
        files.insert(file.name, entry);
    }
    for file in own {
        let entry = FileEntry {
            path: file.name.clone(),
            size: file.bytes.len() as u64,
            sha256: Sha256Digest::of(&file.bytes),
            segments: Vec::new(),
        };
        files.insert(file.name.clone(), entry);
    }
    files.into_values().collect()
}

/// The serial of the transfer in the folder, if it is of the same stream. One that our key
/// did not sign (an interrupted sealing leaves such a pair) counts only if it is plausible, so that
/// nobody can use up all serials.
fn previous_serial(folder: &Folder, stream: &str, key: &PublicKey, now: u64) -> Option<u64> {
    const DAY: u64 = 24 * 60 * 60;
    let (bytes, digest) =
        read_small(folder, MANIFEST, limits::MANIFEST_BYTES, Code::SealMalformed).ok()?;
    let ours = || {
        let (file, _) =
            read_small(folder, SIGNATURE, limits::SEAL_BYTES, Code::SealMalformed).ok()?;
        let der = signature::parse_signature_file(&file).ok()?;
        key.verify_digest(HashAlgorithm::Sha256, digest.as_bytes(), &der).ok()
    };
    let ours = ours().is_some();
    if !ours && bytes.len() as u64 > limits::FOREIGN_MANIFEST_BYTES {
        return None;
    }
    let manifest = Manifest::parse(&bytes).ok()?;
    let counts = manifest.serial <= now.saturating_add(DAY) || ours;
    (manifest.stream == stream && counts).then_some(manifest.serial)
}
