//! An OCI layout directory inside a folder, as the image room reads it; every file that it reads is
//! hashed as it passes.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Mutex;

use crate::digest::{FileDigest, HashingReader};
use crate::directory::{EntryKind, Folder, Listing};
use crate::image::{Tree, TreeEntry, TreeKind};

/// Whether a directory is an OCI layout: engines load it by these two files, whatever else lies in it. What
/// may lie in it is the image room's decision. `below` are the entries below it, by their names there.
pub fn is_layout<'e>(below: impl IntoIterator<Item = (&'e str, EntryKind)>) -> bool {
    let (mut layout, mut index) = (false, false);
    for (name, kind) in below {
        layout |= kind == EntryKind::File && name == "oci-layout";
        index |= kind == EntryKind::File && name == "index.json";
    }
    layout && index
}

/// A directory below a folder.
#[derive(Debug)]
pub struct LayoutTree<'a> {
    folder: &'a Folder,
    /// Names below the directory, with what the folder calls them.
    names: BTreeMap<String, (String, EntryKind)>,
    read: Mutex<BTreeMap<String, FileDigest>>,
}

impl<'a> LayoutTree<'a> {
    /// The directory `directory` as it stands in a listing of the folder.
    #[must_use]
    pub fn new(folder: &'a Folder, listing: &Listing, directory: &str) -> Self {
        let names = listing
            .below(directory)
            .filter_map(|entry| {
                let below = entry.name.get(directory.len().saturating_add(1)..)?;
                Some((below.to_owned(), (entry.name.clone(), entry.kind)))
            })
            .collect();
        Self { folder, names, read: Mutex::default() }
    }

    /// The same with other names for the files: what the layout calls them, and what they are
    /// called in the folder.
    #[must_use]
    pub fn renamed(folder: &'a Folder, names: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all = BTreeMap::new();
        for (name, there) in names {
            for (at, _) in name.match_indices('/') {
                let above = name.get(..at).unwrap_or_default().to_owned();
                all.insert(above, (String::new(), EntryKind::Directory));
            }
            all.insert(name, (there, EntryKind::File));
        }
        Self { folder, names: all, read: Mutex::default() }
    }

    /// The digests of the files that were read to their end, by the folder's names for them.
    #[must_use]
    pub fn digests(self) -> BTreeMap<String, FileDigest> {
        self.read.into_inner().unwrap_or_default()
    }
}

impl Tree for LayoutTree<'_> {
    fn entries(&self) -> io::Result<Vec<TreeEntry>> {
        self.names
            .iter()
            .map(|(name, (there, kind))| {
                let (kind, size) = match kind {
                    EntryKind::Directory => (TreeKind::Directory, 0),
                    EntryKind::File => {
                        let file = self.folder.file(there).map_err(io::Error::other)?;
                        (TreeKind::File, file.metadata()?.len())
                    }
                    _ => (TreeKind::Other, 0),
                };
                Ok(TreeEntry { name: name.clone(), kind, size })
            })
            .collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        let Some((there, EntryKind::File)) = self.names.get(name) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let file = self.folder.file(there).map_err(io::Error::other)?;
        let inner = Some(HashingReader::new(file));
        Ok(Box::new(Recorded { inner, name: there, read: &self.read }))
    }
}

/// Leaves the digest of what passed when the end is reached.
struct Recorded<'a, R> {
    inner: Option<HashingReader<R>>,
    name: &'a str,
    read: &'a Mutex<BTreeMap<String, FileDigest>>,
}

impl<R: Read> Read for Recorded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let count = inner.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(inner) = self.inner.take()
        {
            let size = inner.count();
            let digest = FileDigest { sha256: inner.finish().1, size };
            if let Ok(mut read) = self.read.lock() {
                read.insert(self.name.to_owned(), digest);
            }
        }
        Ok(count)
    }
}
