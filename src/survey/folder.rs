//! A survey of a whole folder: every file is read once, hashed, and classified.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{FileKind, FoundFile, FoundLayout, Survey};
use super::reader::{FileReader, SurveyOptions};
use super::{LayoutTree, is_layout};
use crate::directory::{EntryKind, Folder, Listing};
use crate::image::{self, Input, Options};
use crate::pairing::Names;
use crate::parallel;
use crate::verdict::{Code, Fault};

/// Reads everything that a listing of a folder names.
#[must_use]
pub fn survey(folder: &Folder, listing: &Listing, options: &SurveyOptions<'_>) -> Survey {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    let mut layouts = Vec::new();
    let mut digests = BTreeMap::new();
    let directories = layout_directories(listing, options.own);
    for directory in directories.clone() {
        let tree = LayoutTree::new(folder, listing, &directory).hashing();
        let archive = image::read(Input::Layout(&tree), &options.reading)
            .map(Box::new)
            .map_err(|refusal| refusal.fault.below(folder.show(&directory)));
        digests.extend(tree.digests());
        layouts.push(FoundLayout { name: directory, archive });
    }
    let below_layout = |name: &str| above(name).any(|above| directories.contains(above));
    let names = Names::new(listing.files().map(|entry| entry.name.as_str()));
    let mut tasks = Vec::new();
    for entry in listing.files() {
        match entry.kind {
            EntryKind::File if below_layout(&entry.name) => match digests.remove(&entry.name) {
                Some(digest) => files.push(FoundFile {
                    name: entry.name.clone(),
                    digest,
                    what: FileKind::LayoutMember,
                }),
                None => tasks.push((entry.name.as_str(), true)),
            },
            EntryKind::File => tasks.push((entry.name.as_str(), false)),
            other => {
                let fault = Fault::new(Code::FileTypeRefused, other.words());
                faults.push((entry.name.clone(), fault.at(folder.show(&entry.name))));
            }
        }
    }
    // One thread a file: archives are read from end to end, for the digest of the whole.
    let reading = Options { jobs: 1, ..options.reading };
    let reader = FileReader { folder, names: &names, options, reading };
    let results = parallel::map(&tasks, options.reading.jobs, |(name, member)| {
        let found =
            if *member { reader.hashed(name, FileKind::LayoutMember) } else { reader.read(name) };
        (*name, found)
    });
    for (name, result) in results {
        match result {
            Ok(file) => files.push(file),
            Err(fault) => faults.push((name.to_owned(), fault)),
        }
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Survey { files, layouts, faults }
}

/// The directories that are OCI layouts, none within another.
#[must_use]
pub fn layout_directories(listing: &Listing, own: fn(&str) -> bool) -> BTreeSet<String> {
    let marked = listing.files().filter_map(|entry| entry.name.strip_suffix("/oci-layout"));
    let is_one = |directory: &&str| {
        let below = listing.below(directory).filter_map(|entry| {
            Some((entry.name.get(directory.len().saturating_add(1)..)?, entry.kind))
        });
        !own(directory) && is_layout(below)
    };
    let mut found: BTreeSet<String> = marked.filter(is_one).map(str::to_owned).collect();
    let inner: Vec<String> = found
        .iter()
        .filter(|name| above(name).any(|outer| found.contains(outer)))
        .cloned()
        .collect();
    inner.iter().for_each(|name| _ = found.remove(name));
    found
}

/// The directories above a name.
pub fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(at, _)| name.get(..at))
}
