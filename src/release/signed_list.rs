//! A vendor's own signed list: the one exception to the rule that a name of a seal's makes a directory a transfer.
//!
//! Vendors publish `SHA256SUMS` and `manifest.json` with a bundle next to it. Where such a file is the only trace
//! of a seal in its directory, and a vendor's bundle verifies over its very bytes, by the keys that this run
//! trusts, it is an artifact like any other. Whoever could make a sealed directory look like this could have
//! removed every trace of the seal, so nothing is lost. Where a seal is expected, there is no exception.

use std::collections::{BTreeMap, BTreeSet};

use super::PairingMap;
use crate::artifact::ArtifactContent;
use crate::digest::FileDigest;
use crate::directory::{Entry, EntryKind, Folder, Listing, read_small};
use crate::limits;
use crate::pairing::Names;
use crate::survey::{FolderVerifier, Task, VendorTrust};
use crate::transfer::{self, MANIFEST, SUMS};
use crate::verdict::{Code, Outcome};

/// The directories (the folder itself is the empty name) whose one trace of a seal is a list that a vendor
/// signed.
#[must_use]
pub fn signed_lists(
    folder: &Folder,
    listing: &Listing,
    map: Option<&PairingMap>,
    vendors: &VendorTrust<'_>,
) -> BTreeSet<String> {
    let candidates = candidates(listing);
    if candidates.is_empty() {
        return BTreeSet::new();
    }
    let mut names = Names::new(listing.files().map(|entry| entry.name.as_str()));
    for (artifact, bundle) in map.into_iter().flat_map(PairingMap::pairs) {
        names.map(artifact, bundle);
    }
    let vendor_keys = vendors.vendor_keys(&[]);
    let verifier =
        FolderVerifier { folder, names: &names, known: &|_| None, vendor_keys: &vendor_keys };
    candidates
        .into_iter()
        .filter(|(_, name)| is_signed(folder, &verifier, name))
        .map(|(directory, _)| directory)
        .collect()
}

/// Directories with exactly one trace of a seal, a manifest or a list, and that file.
fn candidates(listing: &Listing) -> Vec<(String, String)> {
    let mut directories: BTreeMap<&str, Listing> = BTreeMap::new();
    for entry in listing.files() {
        let (directory, base) = entry.name.rsplit_once('/').unwrap_or(("", &entry.name));
        if transfer::is_trace(base) {
            let entry = Entry { name: base.to_owned(), ..*entry };
            directories.entry(directory).or_default().entries.push(entry);
        }
    }
    directories
        .into_iter()
        .filter_map(|(directory, found)| match found.entries.as_slice() {
            [Entry { name, kind: EntryKind::File, .. }]
                if [MANIFEST, SUMS].iter().any(|list| list.eq_ignore_ascii_case(name)) =>
            {
                let path =
                    if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
                Some((directory.to_owned(), path))
            }
            _ => None,
        })
        .collect()
}

fn is_signed(folder: &Folder, verifier: &FolderVerifier<'_>, name: &str) -> bool {
    let limit = limits::FOREIGN_MANIFEST_BYTES;
    let Ok((bytes, sha256)) = read_small(folder, name, limit, Code::Unreadable) else {
        return false;
    };
    let digest = FileDigest { sha256, size: bytes.len() as u64 };
    let base = name.rsplit('/').next().unwrap_or(name);
    let detected = Some("package: its bundle is next to it");
    let content = ArtifactContent::Package(digest, detected, None);
    verifier.verify(&Task { path: name, name: base, content }).report.outcome() == Outcome::Ok
}
