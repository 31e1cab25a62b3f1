//! What one file of a folder is: an image archive, a package, a bundle, a key or other material. It is
//! read once and hashed.
//!
//! Nothing is verified here. Material counts by its exact form only ([`super::material`]). What is
//! neither material nor an image archive is a package, whatever it calls itself: a file that nobody
//! signed must not pass for something that needs no signature.

use std::fs::File;
use std::io::{Cursor, Read, Seek as _};

use super::found::{FileKind, FoundFile};
use super::material::{MaterialCandidate, holds_private_key, material, may_be_material};
use crate::artifact::detect::{self, DetectedKind, Found, OpenedInput};
use crate::digest::{FileDigest, Sha256Digest};
use crate::directory::Folder;
use crate::image::{FileAt, Options};
use crate::limits;
use crate::pairing::Names;
use crate::sigstore::SignatureBundle;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// The most bytes that material can have; a file up to this size is read whole.
const SMALL_BYTES: u64 = if limits::BUNDLE_BYTES > limits::TRUSTED_ROOT_BYTES {
    limits::BUNDLE_BYTES
} else {
    limits::TRUSTED_ROOT_BYTES
};

/// How to survey.
#[derive(Debug, Clone, Copy)]
pub struct SurveyOptions<'a> {
    /// The conventions by which names are recognised.
    pub profiles: &'a [&'a VendorProfile],
    /// Threads and progress.
    pub reading: Options<'a>,
    /// Which paths are not part of the release and are only hashed.
    pub own: fn(&str) -> bool,
}

/// Reads the files of a folder one by one and finds out what each is.
#[derive(Debug)]
pub struct FileReader<'a> {
    pub(super) folder: &'a Folder,
    pub(super) names: &'a Names<'a>,
    pub(super) options: &'a SurveyOptions<'a>,
    pub(super) reading: Options<'a>,
}

/// What a first look at a file found.
#[derive(Debug)]
pub enum FirstLook {
    /// It is small, and this is what it is.
    Found(FoundFile),
    /// It is not material, and is to be read by [`FileReader::rest`].
    Later,
}

impl<'a> FileReader<'a> {
    /// A reader of the files with these names.
    #[must_use]
    pub const fn new(
        folder: &'a Folder,
        names: &'a Names<'a>,
        options: &'a SurveyOptions<'a>,
    ) -> Self {
        Self { folder, names, options, reading: options.reading }
    }

    /// Takes a first look at a file: a small one is read, whole. One that is not `wanted` is read only
    /// if it may be material.
    ///
    /// # Errors
    /// Those of [`Folder::file`], [`Code::Unreadable`], [`Code::KeyIsPrivate`], [`Code::MaterialUnknownMember`],
    /// and those of a bundle that can't be read.
    pub fn first(&self, name: &str, wanted: bool) -> Result<FirstLook, Fault> {
        let mut file = self.folder.file(name)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if size > SMALL_BYTES {
            return Ok(FirstLook::Later);
        }
        if !wanted {
            let mut beginning = Vec::new();
            let unreadable = |error: std::io::Error| {
                Fault::new(Code::Unreadable, error.to_string()).at(self.folder.show(name))
            };
            (&mut file).take(64).read_to_end(&mut beginning).map_err(unreadable)?;
            if !may_be_material(&beginning) {
                return Ok(FirstLook::Later);
            }
            file.rewind().map_err(unreadable)?;
        }
        self.small(name, file).map(FirstLook::Found)
    }

    /// Reads a file that is not material, its layers in parallel: what it is, and the digest of all its
    /// bytes where that was computed.
    ///
    /// # Errors
    /// Those of [`Folder::file`] and [`Code::Unreadable`].
    pub fn rest(
        &self,
        name: &str,
        reading: &Options<'_>,
    ) -> Result<(FileKind, Option<FileDigest>), Fault> {
        let at = |fault: Fault| fault.at(self.folder.show(name));
        let unreadable =
            |error: std::io::Error| at(Fault::new(Code::Unreadable, error.to_string()));
        let file = FileAt::new(self.folder.file(name)?).map_err(unreadable)?;
        match detect::read(OpenedInput::File(&file), self.forced(name), reading) {
            Ok(Found::Image(archive, detected)) => Ok((FileKind::Image(archive, detected), None)),
            Ok(Found::Package(digest, detected, fault)) => {
                Ok((FileKind::Package(detected, fault.map(Box::new)), Some(digest)))
            }
            Err(fault) if fault.code() == Code::Unreadable => Err(at(fault)),
            Err(fault) => Ok((FileKind::Refused(Box::new(at(fault))), None)),
        }
    }

    pub(super) fn hashed(&self, name: &str, what: FileKind) -> Result<FoundFile, Fault> {
        let digest = super::hash(self.folder, name, u64::MAX, self.reading.progress)?;
        Ok(FoundFile { name: name.to_owned(), digest, what })
    }

    pub(super) fn read(&self, name: &str) -> Result<FoundFile, Fault> {
        let own = (self.options.own)(name);
        let mut file = self.folder.file(name)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if own && size > limits::KEY_BYTES {
            return self.hashed(name, FileKind::Own);
        }
        if size > SMALL_BYTES {
            return self.artifact(name, &mut file, size);
        }
        self.small(name, file)
    }

    /// A file that may be material: it is read into memory, so that it is read once.
    fn small(&self, name: &str, file: File) -> Result<FoundFile, Fault> {
        let limit = SMALL_BYTES;
        let mut bytes = Vec::new();
        let mut file = file.take(limit.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(|error| {
            Fault::new(Code::Unreadable, error.to_string()).at(self.folder.show(name))
        })?;
        if bytes.len() as u64 > limit {
            // It grew since it was asked for its size.
            let message = "the file changes while it is read";
            return Err(Fault::new(Code::Unreadable, message).at(self.folder.show(name)));
        }
        if holds_private_key(&bytes, self.package_by_name(name).is_none()) {
            let message = "this is a private key, which must not travel with a release";
            let next = "Move it out of the folder: a private key stays with whoever signs. If it came with \
                        the release, tell its owner that it has leaked.";
            return Err(Fault::new(Code::KeyIsPrivate, message)
                .at(self.folder.show(name))
                .advise(next));
        }
        // A vendor's bundle next to it makes any file a package.
        let what = if (self.options.own)(name) {
            Some(FileKind::Own)
        } else if self.package_by_name(name).is_some() {
            None
        } else {
            let at = |fault: Fault| fault.at(self.folder.show(name));
            let candidate = MaterialCandidate {
                name,
                profiles: self.options.profiles,
                has: &|path| self.names.has(path),
            };
            match material(&candidate, &bytes).map_err(at)? {
                // A bundle by name and by its first byte, but not a valid one: most likely damaged.
                None if self.says_bundle(name) && bytes.trim_ascii_start().starts_with(b"{") => {
                    return Err(SignatureBundle::parse_found(&bytes).err().map_or_else(
                        || at(Fault::new(Code::BundleMalformed, "it can't be read as a bundle")),
                        at,
                    ));
                }
                what => what,
            }
        };
        match what {
            Some(what) => {
                let size = bytes.len() as u64;
                self.reading.progress.expect(size);
                self.reading.progress.advance(size);
                let digest = FileDigest { sha256: Sha256Digest::of(&bytes), size };
                Ok(FoundFile { name: name.to_owned(), digest, what })
            }
            None => {
                let size = bytes.len() as u64;
                self.artifact(name, &mut Cursor::new(bytes), size)
            }
        }
    }

    fn artifact(
        &self,
        name: &str,
        reader: &mut (dyn Read + Send),
        size: u64,
    ) -> Result<FoundFile, Fault> {
        let (found, digest) = detect::read_hashing(reader, size, self.forced(name), &self.reading)
            .map_err(|fault| fault.at(self.folder.show(name)))?;
        let what = match found {
            Ok(Found::Image(archive, detected)) => FileKind::Image(archive, detected),
            Ok(Found::Package(_, detected, fault)) => {
                FileKind::Package(detected, fault.map(Box::new))
            }
            Err(fault) => match self.meant_otherwise(name, digest, &fault) {
                Some(what) => what,
                None => FileKind::Refused(Box::new(fault.at(self.folder.show(name)))),
            },
        };
        Ok(FoundFile { name: name.to_owned(), digest, what })
    }

    /// What a file is that was refused as an image archive and was not meant as one.
    fn meant_otherwise(&self, name: &str, digest: FileDigest, fault: &Fault) -> Option<FileKind> {
        let file = FileAt::new(self.folder.file(name).ok()?).ok()?;
        match detect::meant_otherwise(&file, digest, fault)? {
            Found::Package(_, detected, fault) => {
                Some(FileKind::Package(detected, fault.map(Box::new)))
            }
            Found::Image(..) => None,
        }
    }

    /// That it is a package, if a bundle next to it shows that.
    fn forced(&self, name: &str) -> Option<(DetectedKind, String)> {
        self.package_by_name(name).map(|bundle| {
            (DetectedKind::Package, format!("package: its bundle {bundle} is next to it"))
        })
    }

    /// The bundle next to a file that makes it a package.
    fn package_by_name(&self, name: &str) -> Option<String> {
        self.options
            .profiles
            .iter()
            .find_map(|profile| self.names.package_bundle_beside(profile, name))
    }

    fn says_bundle(&self, name: &str) -> bool {
        let base = name.rsplit('/').next().unwrap_or(name);
        name.ends_with(".sigstore.json")
            || self.options.profiles.iter().any(|profile| profile.package.bundle_file.fits(base))
    }
}
