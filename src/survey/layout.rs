//! An OCI layout directory as the image room reads it, through the handle on a folder: a directory in
//! the folder, or the folder itself.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Mutex;

use crate::digest::{FileDigest, HashingReader};
use crate::directory::{EntryKind, Folder, Listing};
use crate::image::{Tree, TreeEntry, TreeKind};
use crate::verdict::Fault;

/// Whether a directory is an OCI layout: engines load it by these two files, whatever else is in it. What
/// may be in it is the image room's decision. `below` are the entries below it, by their names there.
pub fn is_layout<'e>(below: impl IntoIterator<Item = (&'e str, EntryKind)>) -> bool {
    let (mut layout, mut index) = (false, false);
    for (name, kind) in below {
        layout |= kind == EntryKind::File && name == "oci-layout";
        index |= kind == EntryKind::File && name == "index.json";
    }
    layout && index
}

/// An OCI layout: a directory in a folder, or the folder itself.
#[derive(Debug)]
pub struct LayoutTree<'a> {
    folder: &'a Folder,
    /// Names below the directory, with what the folder calls them.
    names: BTreeMap<String, (String, EntryKind)>,
    /// The digests of files that were read to their end, where somebody asks for them.
    digests: Option<Mutex<BTreeMap<String, FileDigest>>>,
}

impl<'a> LayoutTree<'a> {
    /// A directory as a listing of the folder has it.
    #[must_use]
    pub fn new(folder: &'a Folder, listing: &Listing, directory: &str) -> Self {
        let names = listing
            .below(directory)
            .filter_map(|entry| {
                let below = entry.name.get(directory.len().saturating_add(1)..)?;
                Some((below.to_owned(), (entry.name.clone(), entry.kind)))
            })
            .collect();
        Self { folder, names, digests: None }
    }

    /// The folder itself, with everything in it.
    ///
    /// # Errors
    /// Those of [`Folder::list`].
    pub fn whole(folder: &'a Folder) -> Result<Self, Fault> {
        let entries = folder.list()?.entries.into_iter();
        let names = entries.map(|entry| (entry.name.clone(), (entry.name, entry.kind))).collect();
        Ok(Self { folder, names, digests: None })
    }

    /// The same, which hashes every file that it reads as it passes.
    #[must_use]
    pub fn hashing(self) -> Self {
        Self { digests: Some(Mutex::default()), ..self }
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
        Self { folder, names: all, digests: None }
    }

    /// The digests of the files that were read to their end, by the folder's names for them; of a tree that is
    /// [hashing](Self::hashing).
    #[must_use]
    pub fn digests(self) -> BTreeMap<String, FileDigest> {
        self.digests.and_then(|digests| digests.into_inner().ok()).unwrap_or_default()
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
        Ok(match &self.digests {
            Some(digests) => {
                let inner = Some(HashingReader::new(file));
                Box::new(RecordingReader { inner, name: there, digests })
            }
            None => Box::new(file),
        })
    }
}

/// Leaves the digest of what passed when the end is reached.
struct RecordingReader<'a, R> {
    inner: Option<HashingReader<R>>,
    name: &'a str,
    digests: &'a Mutex<BTreeMap<String, FileDigest>>,
}

impl<R: Read> Read for RecordingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let count = inner.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(inner) = self.inner.take()
        {
            let size = inner.count();
            let digest = FileDigest { sha256: inner.finish().1, size };
            if let Ok(mut digests) = self.digests.lock() {
                digests.insert(self.name.to_owned(), digest);
            }
        }
        Ok(count)
    }
}
