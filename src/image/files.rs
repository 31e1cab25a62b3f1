//! The archive as the deciding part sees it: names, and the contents of their files.

use super::catalog::{Catalog, CatalogEntry};
use super::content::FileContent;
use super::descriptor::Descriptor;
use super::names::blob_name;
use crate::limits;
use crate::path;
use crate::verdict::{Code, Fault};

/// Names and facts of a whole archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'a> {
    catalog: &'a Catalog,
    contents: &'a [FileContent],
}

/// A file that was found: its number and its facts.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArchiveFile<'a> {
    pub(super) number: usize,
    pub(super) content: &'a FileContent,
}

impl<'a> Files<'a> {
    pub(super) fn new(catalog: &'a Catalog, contents: &'a [FileContent]) -> Self {
        Self { catalog, contents }
    }

    /// Whether anything has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.catalog.get(name).is_some()
    }

    /// All regular files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'a str, ArchiveFile<'a>)> {
        self.catalog.iter().filter_map(|(name, node)| match node {
            CatalogEntry::File(number) => Some((name, self.found(*number)?)),
            _ => None,
        })
    }

    /// All links, with the names of the files that they lead to.
    pub(super) fn links(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.catalog.iter().filter_map(|(name, node)| match node {
            CatalogEntry::Link(target) => Some((name, target.as_str())),
            _ => None,
        })
    }

    /// The regular file of this name; anything else with the name is refused.
    pub(super) fn file(&self, name: &str) -> Result<Option<ArchiveFile<'a>>, Fault> {
        match self.catalog.get(name) {
            None => Ok(None),
            Some(CatalogEntry::File(number)) => Ok(self.found(*number)),
            Some(CatalogEntry::Directory | CatalogEntry::Link(_)) => {
                Err(Fault::new(Code::EntryTypeRefused, "not a regular file").at(name))
            }
        }
    }

    /// The layer file of this name, which may be a link to another one.
    pub(super) fn layer(&self, name: &str) -> Result<Option<ArchiveFile<'a>>, Fault> {
        match self.catalog.get(name) {
            Some(CatalogEntry::Link(target)) => self.file(target),
            _ => self.file(name),
        }
    }

    /// The blob that a descriptor names. That its content is the one of its name was checked for
    /// all blobs at once.
    pub(super) fn blob(&self, descriptor: &Descriptor) -> Result<Option<ArchiveFile<'a>>, Fault> {
        let name = blob_name(&descriptor.digest);
        let Some(found) = self.file(&name)? else { return Ok(None) };
        if found.content.size == descriptor.size {
            return Ok(Some(found));
        }
        Err(Fault::new(Code::BlobMismatch, "the blob's size is not the one in its descriptor")
            .at(name)
            .expected_found(descriptor.size, found.content.size))
    }

    fn found(&self, number: usize) -> Option<ArchiveFile<'a>> {
        self.contents.get(number).map(|content| ArchiveFile { number, content })
    }
}

impl<'a> ArchiveFile<'a> {
    /// The bytes of a document.
    pub(super) fn document(&self) -> Result<&'a [u8], Fault> {
        match &self.content.document {
            Some(bytes) => Ok(bytes),
            None if self.content.size > limits::ARCHIVE_JSON_BYTES => Err(Fault::new(
                Code::ArchiveTooLarge,
                format!("a document of {} bytes", self.content.size),
            )
            .expected_found(
                format!("at most {} bytes", limits::ARCHIVE_JSON_BYTES),
                self.content.size,
            )),
            None => Err(Fault::new(
                Code::JsonMalformed,
                "not a JSON object of the kind that belongs here",
            )),
        }
    }
}

/// Refuses names in `manifest.json` that loaders would clean or fold differently.
pub(super) fn check_reference(name: &str) -> Result<(), Fault> {
    path::entry(name)
        .map_err(|reason| Fault::new(Code::EntryNameUnsafe, reason.to_string()).at(name))
}
