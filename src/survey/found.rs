//! What the files of a folder are.

use crate::artifact::ArtifactContent;
use crate::digest::FileDigest;
use crate::image::{Archive, Segment};
use crate::key::PublicKey;
use crate::verdict::Fault;

/// What one file is.
#[derive(Debug)]
pub enum FileKind {
    /// A signature bundle, with the SHA-256 in hexadecimal that it states for the signed text.
    Bundle(Option<String>),
    /// An image archive, and how that was detected.
    Image(Box<Archive>, String),
    /// A public key.
    Key(Box<PublicKey>),
    /// The vendor's JSON file that names a key.
    KeyName,
    /// A file of an OCI layout directory.
    LayoutMember,
    /// Not part of the release.
    Own,
    /// A package: how that was detected, and what went wrong when it was read as an image archive.
    Package(String, Option<Box<Fault>>),
    /// An image archive that is refused.
    Refused(Box<Fault>),
    /// A Sigstore trusted root.
    TrustedRoot,
}

impl FileKind {
    /// It as an artifact, if it is one; a package needs the digest of the file.
    #[must_use]
    pub fn content(&self, digest: Option<FileDigest>) -> Option<ArtifactContent<'_>> {
        Some(match self {
            Self::Image(archive, detected) => ArtifactContent::Image(archive, Some(detected)),
            Self::Package(detected, fault) => {
                ArtifactContent::Package(digest?, Some(detected), fault.as_deref())
            }
            Self::Refused(fault) => ArtifactContent::Refused(fault),
            _ => return None,
        })
    }
}

/// One file.
#[derive(Debug)]
pub struct FoundFile {
    /// Its path below the folder.
    pub name: String,
    /// Size and SHA-256.
    pub digest: FileDigest,
    /// What it is.
    pub what: FileKind,
}

impl FoundFile {
    /// The ranges of an uncompressed image archive.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        match &self.what {
            FileKind::Image(archive, _) => &archive.segments,
            _ => &[],
        }
    }
}

/// An OCI layout directory.
#[derive(Debug)]
pub struct FoundLayout {
    /// Its path below the folder.
    pub name: String,
    /// What it holds, or why it is refused.
    pub archive: Result<Box<Archive>, Fault>,
}

/// The content of a folder.
#[derive(Debug)]
pub struct Survey {
    /// Every regular file, sorted by name.
    pub files: Vec<FoundFile>,
    /// Every OCI layout directory, sorted by name.
    pub layouts: Vec<FoundLayout>,
    /// What can't be part of a release, or could not be read.
    pub faults: Vec<(String, Fault)>,
}

impl Survey {
    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FoundFile> {
        let index = self.files.binary_search_by(|file| file.name.as_str().cmp(name)).ok()?;
        self.files.get(index)
    }
}
