//! What a listing holds.

use std::collections::BTreeMap;

/// What is added to a file's name while it is being written.
pub const TEMPORARY: &str = ".sealift-tmp";

/// What an entry of a directory is, without following links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A name that is not UTF-8 text; the entry's name shows it with replacement characters.
    NotText,
    /// A device, a socket or a pipe.
    Special,
}

impl EntryKind {
    /// The kind in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Directory => "a directory",
            Self::File => "a regular file",
            Self::Link => "a symbolic link",
            Self::NotText => "a name that is not UTF-8 text",
            Self::Special => "a device, a socket or a pipe",
        }
    }
}

/// One entry below a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path below the directory, parts joined by `/`.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The size in bytes of a regular file when it was listed; 0 for anything else.
    pub size: u64,
}

/// Everything below a directory, at every depth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by the bytes of their names.
    pub entries: Vec<Entry>,
}

impl Listing {
    /// The entries that are not directories, in order.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind != EntryKind::Directory)
    }

    /// Whether there is an entry of this name and kind.
    #[must_use]
    pub fn has(&self, name: &str, kind: EntryKind) -> bool {
        self.entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
            .ok()
            .and_then(|index| self.entries.get(index))
            .is_some_and(|entry| entry.kind == kind)
    }

    /// The entries below a directory, at every depth, in order.
    pub fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = &'a Entry> {
        let prefix = format!("{directory}/");
        let start = self.entries.partition_point(|entry| entry.name.as_str() < prefix.as_str());
        let rest = self.entries.get(start..).unwrap_or_default();
        rest.iter().take_while(move |entry| entry.name.starts_with(&prefix))
    }

    /// Groups of files whose names differ only in the case of ASCII letters.
    #[must_use]
    pub fn collisions(&self) -> Vec<Vec<&str>> {
        let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for entry in self.files() {
            folded.entry(entry.name.to_ascii_lowercase()).or_default().push(&entry.name);
        }
        folded.into_values().filter(|names| names.len() > 1).collect()
    }
}

/// The space left on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes that are free for this user.
    pub free: u64,
    /// The size of the largest file that it can hold, if that is a limit in practice.
    pub largest_file: Option<u64>,
}

/// Shows whether a file is still the one that was read: a change of its content changes the stamp. No
/// proof against whoever controls the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub(super) size: u64,
    /// Seconds and nanoseconds of the last change, as the system keeps it.
    pub(super) changed: (i64, u64),
    /// Which file it is, where the system numbers them.
    pub(super) number: u64,
}

impl Stamp {
    /// Whether this is the stamp of the same file after a rename, which changes the stamp too.
    #[must_use]
    pub fn is_renamed(&self, before: &Self) -> bool {
        (self.size, self.number) == (before.size, before.number) && self.changed >= before.changed
    }
}
