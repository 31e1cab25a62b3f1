//! Opening a seal: the one place that decides whether a transfer directory is sealed, by whom, and
//! whether its forms agree.
//!
//! Until the seal holds, nothing is read but the signature (bounded) and the manifest's raw bytes,
//! and nothing is parsed but the signature.

use super::layout::{self, MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS};
use super::mangled;
use super::manifest::{Manifest, stated_sums};
use super::signature;
use crate::digest::Sha256Digest;
use crate::directory::{Folder, Listing, read_small};
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::survey::is_layout;
use crate::verdict::{Code, Fault};

/// A manifest whose seal holds. Only [`open`] makes one.
#[derive(Debug)]
pub struct Sealed {
    manifest: Manifest,
    digest: Sha256Digest,
    key: Sha256Digest,
}

impl Sealed {
    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest's bytes.
    #[must_use]
    pub const fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Fingerprint of the transfer key by which the seal holds.
    #[must_use]
    pub const fn key(&self) -> Sha256Digest {
        self.key
    }
}

/// The files of a seal in a directory, whatever their content: under their own or their temporary names, in
/// any case. If there are none, those whose names a medium without long names cut (a single one may be
/// anything).
///
/// `manifest.json` alone is no trace where the directory is an OCI layout: Docker puts a file of this name there,
/// and it may hold nothing but an image then.
#[must_use]
pub fn traces(listing: &Listing) -> Vec<&str> {
    let names = || listing.files().map(|entry| entry.name.as_str());
    let found: Vec<&str> = names().filter(|name| is_trace(name)).collect();
    match found.as_slice() {
        [] => cut_names(listing),
        [only] if only.eq_ignore_ascii_case(MANIFEST) && is_layout_of(listing) => Vec::new(),
        _ => found,
    }
}

/// Whether a file of this name, in a directory of its own, is a trace of a seal.
#[must_use]
pub fn is_trace(name: &str) -> bool {
    layout::is_left_over_folded(name)
        || SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(name))
}

fn is_layout_of(listing: &Listing) -> bool {
    is_layout(listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)))
}

/// Files that are called as a medium calls two or more files of a seal when it cuts their names.
fn cut_names(listing: &Listing) -> Vec<&str> {
    let cut = |name: &&str| {
        !name.contains('/') && SEAL_FILES.iter().any(|seal| mangled::is_cut_to_the_end(seal, name))
    };
    let found: Vec<&str> = listing.files().map(|entry| entry.name.as_str()).filter(cut).collect();
    let of = |seal: &&&str| found.iter().any(|name| mangled::is_cut_to_the_end(seal, name));
    if found.len() > 1 && SEAL_FILES.iter().filter(of).count() > 1 { found } else { Vec::new() }
}

/// The refusal of a seal one of whose files a medium may have renamed.
fn renamed(folder: &Folder, listing: &Listing, name: &str) -> Option<Fault> {
    let mut found = listing.files().map(|entry| entry.name.as_str()).filter(|found| {
        !found.contains('/') && !is_trace(found) && mangled::is_cut_to_the_end(name, found)
    });
    let first = found.next()?;
    let message =
        "the medium changed the names of the seal's own files, so that none can be found for sure";
    Some(Fault::new(Code::NameMangled, message).at(folder.shown()).expected_found(name, first))
}

/// What a file of the seal is called in the directory: its name, or the only one that differs in
/// case alone.
fn called<'l>(listing: &'l Listing, name: &str) -> Option<&'l str> {
    let mut same = listing
        .files()
        .map(|entry| entry.name.as_str())
        .filter(|found| found.eq_ignore_ascii_case(name));
    match (same.next(), same.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Checks the seal with the transfer keys that were known before.
///
/// # Errors
/// [`Code::SealIncomplete`], [`Code::SealMissing`], [`Code::NameMangled`], [`Code::NoTransferKey`], [`Code::SealMalformed`],
/// [`Code::SealInvalid`], [`Code::SealNotCanonical`], those of [`Manifest::parse`], and
/// [`Code::Unreadable`].
pub fn open(folder: &Folder, listing: &Listing, keys: &[PublicKey]) -> Result<Sealed, Fault> {
    if let Some(left) = listing.files().find(|entry| layout::is_left_over_folded(&entry.name)) {
        let message = format!("{} was left by an interrupted sealing", left.name);
        return Err(Fault::new(Code::SealIncomplete, message).at(folder.shown()));
    }
    for name in SEAL_FILES {
        let same: Vec<&str> = listing
            .files()
            .map(|entry| entry.name.as_str())
            .filter(|found| found.eq_ignore_ascii_case(name))
            .collect();
        if same.len() > 1 {
            let message = format!("names of one file of the seal: {}", same.join(", "));
            return Err(Fault::new(Code::NameCollision, message).at(folder.shown()));
        }
    }
    let present: Vec<&str> =
        SEAL_FILES.into_iter().filter(|name| called(listing, name).is_some()).collect();
    let absent = |name: &&&str| called(listing, name).is_none();
    if present.is_empty()
        && let Some(fault) = SEAL_FILES.iter().find_map(|name| renamed(folder, listing, name))
    {
        return Err(fault);
    }
    if present.is_empty() {
        let message = "the directory has no file of a seal";
        return Err(Fault::new(Code::SealMissing, message).at(folder.shown()));
    }
    if keys.is_empty() {
        let message = format!("the directory has {}", present.join(", "));
        return Err(Fault::new(Code::NoTransferKey, message).at(folder.shown()));
    }
    if let Some(fault) =
        SEAL_FILES.iter().filter(absent).find_map(|name| renamed(folder, listing, name))
    {
        return Err(fault);
    }
    let read = |name: &str, limit: u64| {
        let there = called(listing, name).ok_or_else(|| {
            Fault::new(Code::SealMissing, format!("the directory has no {name}")).at(folder.shown())
        })?;
        read_small(folder, there, limit, Code::SealMalformed)
    };
    let (signature, _) = read(SIGNATURE, limits::SEAL_BYTES)?;
    let der = signature::parse_signature_file(&signature)
        .map_err(|fault| fault.at(folder.show(SIGNATURE)))?;
    let (bytes, digest) = read(MANIFEST, limits::MANIFEST_BYTES)?;
    let key = keys
        .iter()
        .find(|key| key.verify_digest(HashAlgorithm::Sha256, digest.as_bytes(), &der).is_ok())
        .ok_or_else(|| not_by(folder, keys))?;
    let (sigstore, _) = read(SIGSTORE, limits::SEAL_BYTES)?;
    if sigstore != signature::sigstore_file(&der, &key.fingerprint(), &digest) {
        let message = "not byte for byte what belongs to the signature in manifest.json.sig";
        return Err(Fault::new(Code::SealNotCanonical, message).at(folder.show(SIGSTORE)));
    }
    let stated = stated_sums(&bytes).ok_or_else(|| {
        let message = "the second line is not exactly the digest of SHA256SUMS";
        Fault::new(Code::SealNotCanonical, message).at(folder.show(MANIFEST))
    })?;
    let (sums, sums_digest) = read(SUMS, limits::MANIFEST_BYTES)?;
    if sums_digest != stated {
        let message = "not the file whose digest the manifest states";
        return Err(Fault::new(Code::SealNotCanonical, message)
            .at(folder.show(SUMS))
            .expected_found(stated, sums_digest));
    }
    let manifest = Manifest::parse(&bytes).map_err(|fault| fault.at(folder.show(MANIFEST)))?;
    drop(bytes);
    if sums != manifest.sums() {
        let message = "not byte for byte what the manifest implies";
        return Err(Fault::new(Code::SealNotCanonical, message).at(folder.show(SUMS)));
    }
    Ok(Sealed { manifest, digest, key: key.fingerprint() })
}

fn not_by(folder: &Folder, keys: &[PublicKey]) -> Fault {
    let known: Vec<String> = keys.iter().map(|key| key.fingerprint().to_string()).collect();
    Fault::new(Code::SealInvalid, "the signature over manifest.json does not hold")
        .at(folder.show(SIGNATURE))
        .expected_found(format!("one by {}", known.join(" or ")), "none by any of them")
}
