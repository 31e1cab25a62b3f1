//! How a folder is divided into units that get one answer each: files, OCI layouts, transfer directories.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::{Entry, EntryKind, Folder, Listing};
use crate::survey::{above, is_layout, layout_directories};
use crate::transfer::{self, MANIFEST};
use crate::verdict::{Code, Fault};

/// One thing in a folder that has an answer of its own.
#[derive(Debug)]
pub(super) struct Unit {
    /// Its path below the folder; empty for the folder itself.
    pub(super) name: String,
    /// Bytes of all its files.
    pub(super) size: u64,
    pub(super) kind: UnitKind,
}

#[derive(Debug)]
pub(super) enum UnitKind {
    /// A regular file: an artifact or material.
    File,
    /// An OCI layout directory.
    Layout,
    /// What can't be part of a release, or can't be looked at.
    Refused(Box<Fault>),
    /// A transfer directory.
    Transfer,
}

/// Whether the operator says that no directory is to be taken for a transfer directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seals {
    Hold,
    Ignored,
}

/// Everything in a folder, each file in exactly one unit, in the order of the names. `faults` are of
/// directories that can't be listed; `signed_lists` those whose one trace of a seal a vendor signed.
pub(super) fn units(
    folder: &Folder,
    listing: &Listing,
    faults: &[(String, Fault)],
    seals: Seals,
    signed_lists: &BTreeSet<String>,
) -> Vec<Unit> {
    let transfers = match seals {
        Seals::Hold => transfers(listing, signed_lists),
        Seals::Ignored => Vec::new(),
    };
    let outside: Vec<Entry> =
        listing.entries.iter().filter(|entry| !within(&transfers, &entry.name)).cloned().collect();
    let layouts = layout_directories(&Listing { entries: outside }, |_| false);
    let mut whole: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    whole.extend(transfers.iter().map(|name| (name.as_str(), (0, true))));
    whole.extend(layouts.iter().map(|name| (name.as_str(), (0, false))));
    let mut units = Vec::new();
    for entry in listing.files() {
        let directory = above(&entry.name).find(|directory| whole.contains_key(directory));
        if let Some((size, _)) = directory.and_then(|directory| whole.get_mut(directory)) {
            *size = size.saturating_add(entry.size);
            continue;
        }
        let kind = match entry.kind {
            // With --unsealed a seal is not looked at, and the report says so.
            EntryKind::File
                if seals == Seals::Ignored
                    && is_seal(&entry.name)
                    && !signed_lists.contains("") =>
            {
                let message = "a file of a seal: not looked at, as --unsealed asks";
                UnitKind::Refused(Box::new(Fault::new(Code::NoBundle, message)))
            }
            EntryKind::File => UnitKind::File,
            other => {
                let fault = Fault::new(Code::FileTypeRefused, other.words());
                UnitKind::Refused(Box::new(fault.at(folder.show(&entry.name))))
            }
        };
        units.push(Unit { name: entry.name.clone(), size: entry.size, kind });
    }
    units.extend(whole.iter().map(|(name, (size, transfer))| Unit {
        name: (*name).to_owned(),
        size: *size,
        kind: if *transfer { UnitKind::Transfer } else { UnitKind::Layout },
    }));
    units.extend(faults.iter().filter(|(name, _)| !within(&transfers, name)).map(
        |(name, fault)| Unit {
            name: name.clone(),
            size: 0,
            kind: UnitKind::Refused(Box::new(fault.clone())),
        },
    ));
    units.sort_by(|a, b| a.name.cmp(&b.name));
    units
}

/// Whether this is a file of a seal in the folder itself.
fn is_seal(name: &str) -> bool {
    transfer::SEAL_FILES.contains(&name)
}

/// Whether a name is below one of these directories.
fn within(directories: &[String], name: &str) -> bool {
    above(name).any(|parent| {
        directories.binary_search_by(|directory| directory.as_str().cmp(parent)).is_ok()
    })
}

/// Whether any directory of a folder is a transfer directory, that is, contains a file of a seal.
#[must_use]
pub fn holds_transfer(listing: &Listing) -> bool {
    !transfers(listing, &BTreeSet::new()).is_empty()
}

/// The directories of a folder that contain a file of a seal, none within another, sorted.
#[must_use]
pub fn transfer_directories(listing: &Listing) -> Vec<String> {
    transfers(listing, &BTreeSet::new())
}

/// The entries below a directory, by their names there.
fn below<'l>(listing: &'l Listing, directory: &str) -> impl Iterator<Item = (&'l str, EntryKind)> {
    let start = directory.len().saturating_add(1);
    let entries = listing.below(directory);
    entries.filter_map(move |entry| Some((entry.name.get(start..)?, entry.kind)))
}

/// Directories that contain a file of a seal, none within another, sorted.
fn transfers(listing: &Listing, signed_lists: &BTreeSet<String>) -> Vec<String> {
    let mut folders: BTreeMap<&str, Listing> = BTreeMap::new();
    for entry in listing.files() {
        if let Some((folder, base)) = entry.name.rsplit_once('/') {
            let entry = Entry { name: base.to_owned(), kind: entry.kind, size: entry.size };
            folders.entry(folder).or_default().entries.push(entry);
        }
    }
    // A directory comes before those within it, so that a look at those above it is enough.
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for (folder, files) in folders {
        let inside = above(folder).any(|parent| found.contains(parent));
        if inside || signed_lists.contains(folder) {
            continue;
        }
        let mut names = files.files().filter(|file| transfer::is_trace(&file.name));
        let is_one = match (names.next(), names.next()) {
            (None, _) => !transfer::traces(&files).is_empty(),
            // Docker puts a file of this name into a layout, which may contain nothing but an image.
            (Some(only), None) if only.name.eq_ignore_ascii_case(MANIFEST) => {
                !is_layout(below(listing, folder))
            }
            _ => true,
        };
        if is_one {
            found.insert(folder);
        }
    }
    found.into_iter().map(str::to_owned).collect()
}
