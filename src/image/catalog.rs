//! The names of an archive: each once, also where a file system folds case, none in the way of another,
//! links only where engines write them.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use crate::limits;
use crate::path;
use crate::verdict::{Code, Fault};

use super::names::shows_image;
use super::tar::{TarEntry, TarEntryKind};

/// What has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CatalogEntry {
    /// A regular file: its number in the order of the archive.
    File(usize),
    Directory,
    /// A symbolic link to the file of this name.
    Link(String),
}

/// All names of an archive.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    nodes: BTreeMap<String, CatalogEntry>,
    files: usize,
    /// The length of all names together.
    bytes: usize,
}

impl Catalog {
    /// Adds an entry and says which file it is, if it is one.
    pub(super) fn add(&mut self, entry: TarEntry) -> Result<Option<usize>, Fault> {
        let TarEntry { name, kind, .. } = entry;
        if name.is_empty() {
            return Ok(None);
        }
        self.bytes = self.bytes.saturating_add(name.len());
        if self.bytes > limits::ARCHIVE_NAMES_BYTES {
            return Err(Fault::new(
                Code::ArchiveTooLarge,
                format!("more than {} bytes of names", limits::ARCHIVE_NAMES_BYTES),
            ));
        }
        let node = match kind {
            TarEntryKind::File => CatalogEntry::File(self.files),
            TarEntryKind::Directory => CatalogEntry::Directory,
            TarEntryKind::Link(target) => CatalogEntry::Link(link(&name, &target)?),
        };
        if matches!(node, CatalogEntry::File(_)) {
            self.files = self.files.saturating_add(1);
        }
        match self.nodes.entry(name) {
            btree_map::Entry::Vacant(slot) => match slot.insert(node) {
                CatalogEntry::File(number) => Ok(Some(*number)),
                _ => Ok(None),
            },
            btree_map::Entry::Occupied(slot) => match (slot.get(), &node) {
                (CatalogEntry::Directory, CatalogEntry::Directory) => Ok(None),
                (CatalogEntry::Directory, _) | (_, CatalogEntry::Directory) => {
                    Err(conflict(slot.key()))
                }
                _ => Err(Fault::new(
                    Code::EntryDuplicate,
                    "the name occurs twice, and loaders differ in which entry they take",
                )
                .at(slot.key())),
            },
        }
    }

    /// The checks that need all names: no two differ in case alone, no file or link is the parent of another
    /// name, and every link leads to a file.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        self.check_folded()?;
        for (name, node) in &self.nodes {
            if *node == CatalogEntry::Directory {
                continue;
            }
            let below = format!("{name}/");
            let range = (Bound::Excluded(below.as_str()), Bound::Unbounded);
            let next = self.nodes.range::<str, _>(range).next();
            if next.is_some_and(|(other, _)| other.starts_with(&below)) {
                return Err(conflict(name));
            }
            if let CatalogEntry::Link(target) = node
                && !matches!(self.nodes.get(target), Some(CatalogEntry::File(_)))
            {
                return Err(link_refused(name, target));
            }
        }
        Ok(())
    }

    /// Refuses names, and directories in them, that are one on a file system that folds case: what is
    /// unpacked there, as skopeo does before it reads, is not what the archive says.
    fn check_folded(&self) -> Result<(), Fault> {
        let mut names: Vec<&str> = self.nodes.keys().map(String::as_str).collect();
        // Names with one folded beginning are neighbours, and if two of them spell it differently, then
        // two neighbours do.
        names.sort_unstable_by(|a, b| folded(a).cmp(folded(b)));
        let pairs = names.iter().zip(names.iter().skip(1));
        for (one, other) in pairs {
            let twin = one
                .split('/')
                .zip(other.split('/'))
                .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
                .any(|(a, b)| a != b);
            if twin {
                return Err(Fault::new(
                    Code::EntryDuplicate,
                    format!("differs from {one:?} in upper and lower case alone, and file systems differ in whether these are two files"),
                )
                .at(*other));
            }
        }
        Ok(())
    }

    /// What has a name.
    pub(super) fn get(&self, name: &str) -> Option<&CatalogEntry> {
        self.nodes.get(name)
    }

    /// All names with what has them, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &CatalogEntry)> {
        self.nodes.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// Whether a name shows that an image archive was meant.
    pub(super) fn looks_like_image(&self) -> bool {
        self.nodes.keys().any(|name| shows_image(name))
    }
}

/// The parts of a name in lower case, each before what is below it.
fn folded(name: &str) -> impl Iterator<Item = u8> {
    // No name holds a NUL, so the parts of a path come before those of longer names.
    name.bytes().map(|byte| if byte == b'/' { 0 } else { byte.to_ascii_lowercase() })
}

/// `<dir>/layer.tar`, leading to another name below the root: what docker save and containers/image
/// write for a layer that is already there.
fn link(name: &str, target: &str) -> Result<String, Fault> {
    let directory = name.strip_suffix("/layer.tar").filter(|directory| !directory.contains('/'));
    let resolved = directory.and_then(|directory| path::resolve(directory, target));
    resolved
        .filter(|resolved| resolved.len() <= limits::ARCHIVE_NAME_BYTES)
        .ok_or_else(|| link_refused(name, target))
}

fn link_refused(name: &str, target: &str) -> Fault {
    Fault::new(
        Code::EntryTypeRefused,
        format!(
            "a symbolic link to {target:?}; only DIRECTORY/layer.tar may be one, and lead to a \
             regular file in the archive"
        ),
    )
    .at(name)
}

fn conflict(name: &str) -> Fault {
    Fault::new(Code::EntryConflict, "a directory and something else have this name").at(name)
}
