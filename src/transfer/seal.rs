//! Sealing a folder: everything in it is read once, every artifact verified, and the seal written so
//! that at every moment the directory is the old transfer, the new one, or says that sealing was
//! interrupted.

use std::collections::{BTreeMap, BTreeSet};

use super::added::{AddedFile, extra, fixed_files, own_files, written_names};
use super::examine::ExaminedFiles;
use super::foreign::Earlier;
use super::layout::{
    self, MANIFEST, MARKER, PathUse, Reserved, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS,
};
use super::manifest::{
    self, Artifact, Base, FileEntry, Kind, Manifest, OmittedItem, Requested, SCHEMA, SegmentEntry,
};
use super::named_keys::{self, NamedKeys};
use super::shape;
use super::signature;
use super::trust_file;
use crate::digest::{Sha256Digest, hex};
use crate::directory::{EntryKind, Folder, Listing, Lock, read_small};
use crate::image::Options;
use crate::key::{HashAlgorithm, PrivateKey, PublicKey};
use crate::limits;
use crate::path;
use crate::sigstore::{HashRule, Transparency, TrustMaterial};
use crate::survey::{Judged, Survey, VendorKeys, What, judge};
use crate::trust::{Profiles, VendorProfile};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// How to seal.
#[derive(Debug, Clone, Copy)]
pub struct SealRequest<'a> {
    /// The operator's transfer key.
    pub key: &'a PrivateKey,
    /// Which vendor keys count.
    pub named_keys: NamedKeys<'a>,
    /// The conventions of vendors that no policy lists.
    pub profile: &'a VendorProfile,
    /// Whether those vendors need log entries.
    pub transparency: Transparency,
    /// The logs and authorities to believe, and the bytes that go with the transfer.
    pub material: &'a TrustMaterial,
    /// The trusted root's file; none for the built-in one.
    pub trusted_root: Option<&'a [u8]>,
    /// Names of artifacts that may be unsigned.
    pub allow_unsigned: &'a [String],
    /// The line of transfers.
    pub stream: &'a str,
    /// Until when the transfer may be used.
    pub expires: Option<jiff::Timestamp>,
    /// Free text.
    pub notes: Option<&'a str>,
    /// What was asked for on the connected side.
    pub requested: &'a [Requested],
    /// What of it could not be brought.
    pub omitted: &'a [OmittedItem],
    /// The earlier transfer that this one builds on.
    pub base: Option<&'a Base>,
    /// Files that the operator leaves out of the seal, by path. They stay where they are; whoever carries them
    /// along will see them refused.
    pub exclude: &'a BTreeSet<String>,
    /// What is known of artifacts besides their bytes, by path.
    pub origins: &'a BTreeMap<String, Origin>,
    /// Files to add in `tools/`, and the log of fetches.
    pub extra: &'a [AddedFile],
    /// 128 random bits.
    pub transfer_id: [u8; 16],
    /// The present.
    pub now: jiff::Timestamp,
    /// Threads and progress.
    pub reading: Options<'a>,
}

impl SealRequest<'_> {
    /// Whether an artifact that nobody signed may be sealed: by the policy if it lists vendors, which an
    /// option only repeats; else by option. `image` says whether it is one by its content.
    #[must_use]
    pub fn allows_unsigned(&self, name: &str, path: &str, image: bool) -> bool {
        match self.named_keys.policy.filter(|policy| !policy.vendors().is_empty()) {
            Some(policy) => policy.vendors().iter().any(|it| it.allows_unsigned(name, path, image)),
            None => self.allow_unsigned.iter().any(|allowed| allowed == name || allowed == path),
        }
    }
}

/// What the operator calls an artifact and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name: the reference or URL that was asked for.
    pub name: String,
    /// Where it came from.
    pub source: String,
}

/// A sealed transfer.
#[derive(Debug)]
pub struct NewTransfer {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// One report for each artifact.
    pub reports: Vec<ArtifactReport>,
    /// Files that lay in `trust/` and `tools/` and that sealing did not write: nobody's signature
    /// covers them but this seal.
    pub foreign: Vec<String>,
}

/// Why a folder was not sealed.
#[derive(Debug)]
pub enum SealError {
    /// What was found about the artifacts and files; at least one is not OK.
    Artifacts(Vec<ArtifactReport>),
    /// Something else.
    Fault(Fault),
}

impl From<Fault> for SealError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Seals a folder.
///
/// # Errors
/// [`SealError::Artifacts`] when anything in it does not verify, and then nothing was written;
/// [`SealError::Fault`] for a request that can't be carried out, or when writing fails: then the directory
/// says that sealing was interrupted, and the same call completes it.
pub fn seal(folder: &Folder, request: &SealRequest<'_>) -> Result<NewTransfer, SealError> {
    let lock = folder.lock()?;
    seal_held(folder, request, ExaminedFiles::default(), &lock)
}

/// Says in a sealed directory that it is being changed: until it is sealed again, every check answers
/// [`Code::SealIncomplete`]. Does nothing where there is no seal, or where that is said already; answers
/// whether it is said now and was not before.
///
/// # Errors
/// [`Code::WriteFailed`].
pub fn begin(folder: &Folder) -> Result<bool, Fault> {
    let there = |name: &&str| folder.file(name).is_ok();
    if there(&MARKER) || !SEAL_FILES.iter().any(there) {
        return Ok(false);
    }
    folder.prepare(MANIFEST, b"", 0o644)?;
    folder.sync()?;
    Ok(true)
}

/// Takes back what [`begin`] said: nothing was changed, and the old seal holds as before.
///
/// # Errors
/// [`Code::WriteFailed`].
pub fn unchanged_since(folder: &Folder) -> Result<(), Fault> {
    folder.remove(MARKER)?;
    folder.sync()
}

/// Seals a folder on which the caller holds the lock, and of which it has seen files already.
///
/// # Errors
/// Those of [`seal`].
pub fn seal_held(
    folder: &Folder,
    request: &SealRequest<'_>,
    seen: ExaminedFiles,
    _: &Lock,
) -> Result<NewTransfer, SealError> {
    possible(request)?;
    let all = list(folder, request.exclude)?;
    let earlier = clear_of(folder, request, &all, &BTreeSet::new())?;
    let listing = Listing {
        entries: all
            .entries
            .iter()
            .filter(|it| !SEAL_FILES.contains(&&*it.name) && !layout::is_left_over(&it.name))
            .filter(|it| !request.exclude.contains(&it.name))
            .cloned()
            .collect(),
    };
    let mut reports = names(folder, &listing);
    let survey = seen.complete(folder, request, &listing);
    let vendor_keys = vendor_keys(request, &survey)?;
    let (judged, unpaired) =
        judge(folder, &survey, &vendor_keys, &called(request), request.reading.jobs);
    let artifacts = decide(folder, request, &survey, judged, unpaired, &mut reports)?;
    let own = own_files(request, &vendor_keys, &artifacts)?;
    // The vendors' keys among them.
    earlier.admits(folder, &all, &own)?;
    let strange = strange(folder, &listing, &own);
    if !strange.is_empty() {
        return Err(SealError::Artifacts(strange));
    }
    let foreign = survey
        .files
        .iter()
        .filter(|file| matches!(file.what, What::Own))
        .filter(|file| own.iter().all(|it| it.name != file.name))
        .map(|file| file.name.clone())
        .collect();
    let files = files(survey, &own);
    let manifest = self::manifest(folder, request, artifacts, files)?;
    let bytes = manifest.to_bytes()?;
    // What can't be read again is not written.
    Manifest::parse(&bytes).map_err(|fault| fault.at(folder.shown()))?;
    let digest = write(folder, request, &manifest, &bytes, &all, &own)?;
    Ok(NewTransfer { manifest, digest, reports, foreign })
}

/// Refuses a request that can't be carried out, whatever lies in the folder.
///
/// # Errors
/// [`Code::Usage`] and [`Code::PolicyForbids`].
pub fn possible(request: &SealRequest<'_>) -> Result<(), Fault> {
    shape::stream(request.stream).map_err(|fault| Fault::new(Code::Usage, fault.to_string()))?;
    if request.expires.is_some_and(|expires| expires <= request.now) {
        return Err(Fault::new(Code::Usage, "--expires is not in the future"));
    }
    if request.notes.is_some_and(|notes| notes.len() > limits::MANIFEST_NOTES_BYTES) {
        let message = format!("--notes has more than {} bytes", limits::MANIFEST_NOTES_BYTES);
        return Err(Fault::new(Code::Usage, message));
    }
    named_keys::permitted(&request.named_keys)?;
    extra(request)
}

/// Refuses a folder in which sealing would overwrite what it did not write, or would stop half-way: for
/// who changes the folder before it is sealed. What lies in the directories of `half_written` is the
/// caller's.
///
/// # Errors
/// [`Code::OutputExists`], and those of listing and reading.
pub fn clear(
    folder: &Folder,
    request: &SealRequest<'_>,
    half_written: &BTreeSet<String>,
) -> Result<(), Fault> {
    clear_of(folder, request, &folder.list()?, half_written).map(drop)
}

fn clear_of(
    folder: &Folder,
    request: &SealRequest<'_>,
    listing: &Listing,
    half_written: &BTreeSet<String>,
) -> Result<Earlier, Fault> {
    let stop = |name: &str, message: &str| {
        Err(Fault::new(Code::OutputExists, message).at(folder.show(name)))
    };
    for entry in &listing.entries {
        if above(&entry.name).any(|above| half_written.contains(above)) {
            continue;
        }
        let name = layout::meant(&entry.name).unwrap_or(&entry.name);
        let added = request.extra.iter().any(|file| file.name == name);
        let target = SEAL_FILES.contains(&name) || written_names(name) || added;
        if target && entry.kind != EntryKind::File {
            return stop(&entry.name, "sealing writes a file of this name, and this is none");
        }
        if name.len() < entry.name.len() && !target {
            let message = "names with this ending are those of half-written files; remove it, if \
                           nobody needs it";
            return stop(&entry.name, message);
        }
    }
    let earlier = Earlier::read(folder, listing)?;
    earlier.admits(folder, listing, &fixed_files(request))?;
    Ok(earlier)
}

/// A name and those of the directories above it.
fn above(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.match_indices('/').map(|(at, _)| name.get(..at).unwrap_or_default());
    slashes.chain([name])
}

/// Files that stay in `trust/` and are not what their names say, as reports.
fn strange(folder: &Folder, listing: &Listing, own: &[AddedFile]) -> Vec<ArtifactReport> {
    let stays = |name: &str| own.iter().all(|it| it.name != name);
    let files = listing.files().filter(|entry| stays(&entry.name));
    files
        .filter_map(|entry| {
            let place = layout::place(&entry.name).ok()?;
            if matches!(place, PathUse::Free | PathUse::Tool) {
                return None;
            }
            let read = trust_file::read(folder, &entry.name, &entry.name, place);
            let fault = read.and_then(|(_, said)| said).err()?;
            let mut report = ArtifactReport::new(entry.name.as_str());
            report.kind = Some(ArtifactKind::File);
            Some(report.refused(&fault))
        })
        .collect()
}

/// Names that can't be carried, as reports.
fn names(folder: &Folder, listing: &Listing) -> Vec<ArtifactReport> {
    let report = |(name, fault): (String, Fault)| {
        let mut report = ArtifactReport::new(name);
        report.kind = Some(ArtifactKind::File);
        report.refused(&fault)
    };
    unfit(folder, listing).into_iter().map(report).collect()
}

/// Names that can't be carried, and why.
pub(super) fn unfit(folder: &Folder, listing: &Listing) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    let mut add =
        |name: &str, fault: Fault| faults.push((name.to_owned(), fault.at(folder.show(name))));
    for entry in &listing.entries {
        if entry.kind == EntryKind::Directory {
            if let Some(reason) = layout::directory(&entry.name) {
                add(&entry.name, Fault::new(Code::NameCollision, reason.words()));
            }
        } else if let Err(reason) = path::portable(&entry.name) {
            add(&entry.name, Fault::new(Code::PathNotPortable, reason.to_string()));
        } else if let Err(reason) = layout::place(&entry.name) {
            let code = match reason {
                Reserved::Trust => Code::FileExtra,
                Reserved::Seal | Reserved::Temporary | Reserved::Directory => Code::NameCollision,
            };
            add(&entry.name, Fault::new(code, reason.words()));
        }
    }
    for names in listing.collisions() {
        let message = format!("names that differ only in case: {}", names.join(", "));
        if let Some(first) = names.first() {
            add(first, Fault::new(Code::NameCollision, message));
        }
    }
    faults
}

/// The artifacts of the manifest, if nothing stands against sealing.
fn decide(
    folder: &Folder,
    request: &SealRequest<'_>,
    survey: &Survey,
    judged: Vec<Judged>,
    unpaired: Vec<String>,
    reports: &mut Vec<ArtifactReport>,
) -> Result<Vec<Artifact>, SealError> {
    let mut artifacts = Vec::new();
    let mut unused: BTreeSet<&str> = request.allow_unsigned.iter().map(String::as_str).collect();
    let mut stopped = !reports.is_empty();
    for mut it in judged {
        let by_option = unused.remove(it.name.as_str()) | unused.remove(it.path.as_str());
        let image = it.report.kind == Some(ArtifactKind::Image);
        let unsigned = it.report.outcome() == Outcome::Unsigned
            && request.allows_unsigned(&it.name, &it.path, image);
        if unsigned {
            it.report.next =
                Some("Nothing: it is sealed unsigned, as allowed, and will answer so.".to_owned());
        }
        if it.report.code() == Some(Code::NoKey) {
            it.report.next = Some(
                "Name the vendor's public key with --vendor-key FILE, or its fingerprint with --pin-key, or list \
                 it in the trust policy; compare the fingerprint with the vendor out of band first."
                    .to_owned(),
            );
        }
        if it.report.outcome() == Outcome::Unsigned && !unsigned {
            it.report.next = Some(if by_option {
                let field = if image { "allow_unsigned_images" } else { "allow_unsigned" };
                format!(
                    "Add its bundle and seal again. The policy's {field} does not allow both its name and \
                     its path {:?}, and --allow-unsigned can't add to it.",
                    it.path
                )
            } else {
                let next = "Add its bundle and seal again. To seal it knowingly unsigned, which every \
                            later check shows, say --allow-unsigned";
                format!("{next} {:?}.", it.name)
            });
        }
        stopped |= it.report.outcome() != Outcome::Ok && !unsigned;
        artifacts.push(artifact(&it, request.origins.get(&it.path), unsigned));
        reports.push(it.report);
    }
    for (name, fault) in &survey.faults {
        let mut report = ArtifactReport::new(name.as_str());
        report.kind = Some(ArtifactKind::File);
        reports.push(report.refused(fault));
        stopped = true;
    }
    for bundle in unpaired {
        let fault = Fault::new(Code::MaterialUnpaired, "it belongs to no artifact in the folder");
        let mut report = ArtifactReport::new(bundle.as_str());
        report.kind = Some(ArtifactKind::File);
        reports.push(report.refused(&fault.at(folder.show(&bundle))));
        stopped = true;
    }
    if stopped {
        return Err(SealError::Artifacts(std::mem::take(reports)));
    }
    if let Some(name) = unused.into_iter().next() {
        let message = format!("--allow-unsigned {name:?} names nothing in the folder");
        return Err(Fault::new(Code::Usage, message).into());
    }
    if artifacts.is_empty() {
        let message = "there is no image archive and no package in the folder: nothing to seal";
        return Err(Fault::new(Code::Usage, message).at(folder.shown()).into());
    }
    Ok(artifacts)
}

fn artifact(judged: &Judged, origin: Option<&Origin>, unsigned: bool) -> Artifact {
    let report = &judged.report;
    let mut digest_kinds: Vec<String> = report.matched.iter().map(|it| it.kind.clone()).collect();
    digest_kinds.sort_unstable();
    digest_kinds.dedup();
    Artifact {
        kind: match report.kind {
            Some(ArtifactKind::Image) => Kind::Image,
            _ => Kind::Package,
        },
        name: judged.name.clone(),
        path: judged.path.clone(),
        bundles: judged.bundles.clone(),
        key: report.key,
        vendor: (!unsigned).then(|| judged.vendor.clone()),
        source: origin.map(|origin| origin.source.clone()),
        digest_kinds,
        allow_unsigned: unsigned,
        first_use: judged.first_use,
    }
}

/// Whom a request believes, in view of what lies in the folder.
pub(super) fn vendor_keys<'a>(
    request: &SealRequest<'a>,
    survey: &Survey,
) -> Result<VendorKeys<'a>, Fault> {
    let (keys, unnamed) = named_keys::keys(&request.named_keys, survey)?;
    Ok(VendorKeys {
        keys,
        unnamed,
        material: request.material,
        profiles: Profiles::one(request.profile),
        transparency: request.transparency,
        hash: HashRule::Known,
        now: request.now,
    })
}

/// The operator's names of artifacts, by path.
pub(super) fn called<'a>(request: &'a SealRequest<'_>) -> BTreeMap<&'a str, &'a str> {
    request.origins.iter().map(|(path, origin)| (path.as_str(), origin.name.as_str())).collect()
}

/// The entries of all files: those that were surveyed, and those that sealing adds.
fn files(survey: Survey, own: &[AddedFile]) -> Vec<FileEntry> {
    let mut files: BTreeMap<String, FileEntry> = BTreeMap::new();
    for file in survey.files {
        let segments = file
            .segments()
            .iter()
            .map(|it| SegmentEntry { size: it.size, sha256: it.sha256 })
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

fn manifest(
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
        .max(request.base.filter(|it| it.stream == request.stream).map(|it| it.serial));
    let serial = previous.map_or(now, |previous| now.max(previous.saturating_add(1))).max(1);
    if shape::not_ahead(serial, request.now).is_err() {
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

/// The serial of the transfer that lies in the folder, if it is of the same stream. One that our key
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

/// Writes everything; first the marker, which holds the manifest already, and gets its name last.
fn write(
    folder: &Folder,
    request: &SealRequest<'_>,
    manifest: &Manifest,
    bytes: &[u8],
    before: &Listing,
    own: &[AddedFile],
) -> Result<Sha256Digest, Fault> {
    let digest = Sha256Digest::of(bytes);
    let der = request.key.sign(bytes);
    if before.has(MARKER, EntryKind::File) {
        // It belongs to the manifest that is given up; so the next run knows what it finds.
        folder.remove(SUMS)?;
    }
    folder.write(MARKER, bytes, 0o644)?;
    // Only names that were looked at in `clear`.
    for left in before.files().filter(|it| it.name != MARKER && layout::is_left_over(&it.name)) {
        folder.remove(&left.name)?;
    }
    folder.make_folders("trust/keys")?;
    folder.make_folders("tools")?;
    for file in own {
        folder.write(&file.name, &file.bytes, file.mode)?;
    }
    folder.write(SUMS, &manifest.sums(), 0o644)?;
    folder.write(SIGNATURE, &signature::signature_file(&der), 0o644)?;
    let signer = request.key.public().fingerprint();
    folder.write(SIGSTORE, &signature::sigstore_file(&der, &signer, &digest), 0o644)?;
    unchanged(folder, manifest, request.exclude)?;
    folder.commit(MANIFEST)?;
    Ok(digest)
}

/// What lies in the folder; only a directory that is left out may be one that can't be listed.
fn list(folder: &Folder, exclude: &BTreeSet<String>) -> Result<Listing, Fault> {
    let (listing, faults) = folder.look()?;
    match faults.into_iter().find(|(name, _)| !exclude.contains(name)) {
        Some((_, fault)) => Err(fault),
        None => Ok(listing),
    }
}

/// Nothing may have come or gone while the folder was read.
fn unchanged(
    folder: &Folder,
    manifest: &Manifest,
    exclude: &BTreeSet<String>,
) -> Result<(), Fault> {
    let listing = list(folder, exclude)?;
    let there: BTreeSet<&str> = listing
        .files()
        .map(|entry| entry.name.as_str())
        .filter(|name| !SEAL_FILES.contains(name) && *name != MARKER && !exclude.contains(*name))
        .collect();
    let sealed: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    match there.symmetric_difference(&sealed).next() {
        None => Ok(()),
        Some(name) => {
            let message = "the folder changed while it was sealed; run the same command again";
            Err(Fault::new(Code::Unreadable, message).at(folder.show(name)))
        }
    }
}
