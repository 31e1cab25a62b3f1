//! Which file of a directory is which file of the manifest: by exact name, or else by a name that differs in
//! case only, or else by one that a file system cut.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{self, SEAL_FILES};
use super::mangled::is_mangled;
use super::manifest::Manifest;
use crate::directory::{Entry, EntryKind, Folder, Listing, system_fault};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The set of files, compared.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    /// What each file of the manifest is called in the directory, in the manifest's order; none if it is
    /// missing.
    pub(super) called: Vec<Option<String>>,
    /// How many have a name that differs in case.
    pub(super) folded: usize,
    /// What is wrong, by path.
    pub(super) faults: Vec<(String, Fault)>,
}

/// Compares the files of a directory with those that the manifest lists.
pub(super) fn compare(folder: &Folder, listing: &Listing, manifest: &Manifest) -> FileSet {
    let mut present = FileSet::default();
    let mut unused: BTreeMap<&str, &Entry> =
        listing.files().map(|entry| (entry.name.as_str(), entry)).collect();
    for name in SEAL_FILES {
        if unused.remove(name).is_none() {
            let folded = unused.keys().find(|found| found.eq_ignore_ascii_case(name)).copied();
            folded.and_then(|found| unused.remove(found));
        }
    }
    let mut absent = Vec::new();
    for (number, file) in manifest.files.iter().enumerate() {
        let there = unused.remove(file.path.as_str());
        if there.is_none() {
            absent.push(number);
        }
        present
            .called
            .push(there.and_then(|entry| present_as_file(folder, entry, &mut present.faults)));
    }
    // An absent file may be there in another case.
    let mut folded: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in unused.values() {
        folded.entry(entry.name.to_ascii_lowercase()).or_default().push(entry);
    }
    let mut missing = Vec::new();
    for number in absent {
        let Some(file) = manifest.files.get(number) else { continue };
        let lower = file.path.to_ascii_lowercase();
        match folded.get(&lower).map(Vec::as_slice) {
            Some([only]) => {
                unused.remove(only.name.as_str());
                present.folded = present.folded.saturating_add(1);
                let called = present_as_file(folder, only, &mut present.faults);
                if let Some(slot) = present.called.get_mut(number) {
                    *slot = called;
                }
            }
            _ => missing.push(file.path.as_str()),
        }
    }
    collisions(folder, listing, &mut present);
    for entry in listing.entries.iter().filter(|entry| entry.kind == EntryKind::Directory) {
        if layout::directory(&entry.name).is_some() {
            let message = "a directory with a name that only a file of the seal may have";
            let fault = Fault::new(Code::FileTypeRefused, message).at(folder.show(&entry.name));
            present.faults.push((entry.name.clone(), fault));
        }
    }
    let collided: BTreeSet<String> = present.faults.iter().map(|(name, _)| name.clone()).collect();
    // Every missing file is compared with every extra one, which is affordable for a few only.
    let few = missing.len().saturating_mul(unused.len()) <= limits::MANGLED_TRIES;
    for path in missing {
        let similar = || unused.keys().copied().filter(|found| is_mangled(path, found));
        let mut similar = few.then(similar).into_iter().flatten();
        let fault = match (similar.next(), similar.next()) {
            (Some(found), None) => {
                unused.remove(found);
                let message = "the file is not there, and one that may be it has a changed name";
                Fault::new(Code::NameMangled, message).expected_found(path, found)
            }
            _ => Fault::new(Code::FileMissing, "the file is not there"),
        };
        present.faults.push((path.to_owned(), fault.at(folder.show(path))));
    }
    for (name, entry) in unused {
        if collided.contains(name) {
            continue;
        }
        let fault = if let Some(fault) = system_fault(name) {
            fault
        } else if entry.kind == EntryKind::File {
            Fault::new(Code::FileExtra, "the manifest does not list it")
        } else {
            Fault::new(Code::FileTypeRefused, entry.kind.words())
        };
        present.faults.push((name.to_owned(), fault.at(folder.show(name))));
    }
    present
}

fn present_as_file(
    folder: &Folder,
    entry: &Entry,
    faults: &mut Vec<(String, Fault)>,
) -> Option<String> {
    if entry.kind == EntryKind::File {
        return Some(entry.name.clone());
    }
    let fault = Fault::new(Code::FileTypeRefused, entry.kind.words()).at(folder.show(&entry.name));
    faults.push((entry.name.clone(), fault));
    None
}

/// Refuses files whose names differ only in case: on another medium they are one.
fn collisions(folder: &Folder, listing: &Listing, present: &mut FileSet) {
    let groups = listing.collisions();
    if groups.is_empty() {
        return;
    }
    let called = present.called.clone();
    let sealed: BTreeSet<&str> = called.iter().flatten().map(String::as_str).collect();
    for names in groups {
        let all = names.join(", ");
        let stranger = names.iter().find(|name| !sealed.contains(**name));
        let Some(name) = stranger.or(names.first()) else { continue };
        let message = format!("names that differ only in case: {all}");
        let fault = Fault::new(Code::NameCollision, message).at(folder.show(name));
        present.faults.push(((*name).to_owned(), fault));
    }
}
