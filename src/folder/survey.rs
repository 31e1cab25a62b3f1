//! What lies in a folder: every file read once, hashed, and told apart as an image archive, a
//! package, a bundle, a key or other material.
//!
//! Nothing is judged here. What is no material and no image archive is a package: a file that
//! nobody signed must not pass for something that needs no signature.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Cursor, Read};

use super::{EntryKind, Folder, LayoutTree, Listing, is_layout};
use crate::artifact::FileDigest;
use crate::artifact::detect::{self, Found, Kind};
use crate::digest::Sha256Digest;
use crate::image::{self, Archive, Input, Options, Segment};
use crate::key::PublicKey;
use crate::limits;
use crate::pairing::{self, Names};
use crate::parallel;
use crate::sigstore::{SignatureBundle, TrustMaterial};
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// How to survey.
#[derive(Debug, Clone, Copy)]
pub struct SurveyOptions<'a> {
    /// The conventions by which names are known.
    pub profiles: &'a [&'a VendorProfile],
    /// Threads and progress.
    pub reading: Options<'a>,
    /// What of the folder is none of the release and is only hashed.
    pub own: fn(&str) -> bool,
}

/// What one file is.
#[derive(Debug)]
pub enum What {
    /// A signature bundle, with the SHA-256 in hexadecimal that it states for the signed text, or
    /// why it can't be read.
    Bundle(Result<Option<String>, Fault>),
    /// An image archive, and how that was told.
    Image(Box<Archive>, String),
    /// A public key.
    Key(Box<PublicKey>),
    /// The vendor's JSON file that names a key.
    KeyName,
    /// A file of an OCI layout directory.
    LayoutMember,
    /// None of the release.
    Own,
    /// A package: how that was told, and what went wrong when it was read as an image archive.
    Package(String, Option<Fault>),
    /// An image archive that is refused.
    Refused(Fault),
    /// A Sigstore trusted root.
    TrustedRoot,
}

/// One file.
#[derive(Debug)]
pub struct FoundFile {
    /// Its path below the folder.
    pub name: String,
    /// Size and SHA-256.
    pub digest: FileDigest,
    /// What it is.
    pub what: What,
}

impl FoundFile {
    /// The ranges of an uncompressed image archive.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        match &self.what {
            What::Image(archive, _) => &archive.segments,
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

/// What lies in a folder.
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

/// Reads everything that a listing of a folder names.
#[must_use]
pub fn survey(folder: &Folder, listing: &Listing, options: &SurveyOptions<'_>) -> Survey {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    let mut layouts = Vec::new();
    let mut digests = BTreeMap::new();
    let directories = layout_directories(listing, options.own);
    for directory in directories.clone() {
        let tree = LayoutTree::new(folder, listing, &directory);
        let archive = image::read(Input::Layout(&tree), &options.reading)
            .map(Box::new)
            .map_err(|refusal| refusal.fault.at(folder.show(&directory)));
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
                    what: What::LayoutMember,
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
    let reader = Reader { folder, names: &names, options, reading };
    let results = parallel::map(&tasks, options.reading.jobs, |(name, member)| {
        let found =
            if *member { reader.hashed(name, What::LayoutMember) } else { reader.read(name) };
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

/// The directories that are OCI layouts and nothing else.
fn layout_directories(listing: &Listing, own: fn(&str) -> bool) -> BTreeSet<String> {
    let marked = listing.files().filter_map(|entry| entry.name.strip_suffix("/oci-layout"));
    let is_one = |directory: &&str| {
        let below = listing.below(directory).filter_map(|entry| {
            Some((entry.name.get(directory.len().saturating_add(1)..)?, entry.kind))
        });
        !own(directory) && is_layout(below)
    };
    marked.filter(is_one).map(str::to_owned).collect()
}

/// The directories above a name.
fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(at, _)| name.get(..at))
}

struct Reader<'a> {
    folder: &'a Folder,
    names: &'a Names<'a>,
    options: &'a SurveyOptions<'a>,
    reading: Options<'a>,
}

impl Reader<'_> {
    fn hashed(&self, name: &str, what: What) -> Result<FoundFile, Fault> {
        let digest = super::hash(self.folder, name, u64::MAX, self.reading.progress)?;
        Ok(FoundFile { name: name.to_owned(), digest, what })
    }

    fn read(&self, name: &str) -> Result<FoundFile, Fault> {
        let own = (self.options.own)(name);
        let mut file = self.folder.file(name)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if own && size > limits::KEY_BYTES {
            return self.hashed(name, What::Own);
        }
        if size > limits::BUNDLE_BYTES.max(limits::TRUSTED_ROOT_BYTES) {
            return self.artifact(name, &mut file, size, self.says_bundle(name));
        }
        self.small(name, file)
    }

    /// A file that may be material: it is read into memory, so that it is read once.
    fn small(&self, name: &str, file: File) -> Result<FoundFile, Fault> {
        let limit = limits::BUNDLE_BYTES.max(limits::TRUSTED_ROOT_BYTES);
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
        if holds_private_key(&bytes) {
            let message = "this is a private key, which must not travel with a release";
            return Err(Fault::new(Code::KeyIsPrivate, message).at(self.folder.show(name)));
        }
        let what = match material(name, &bytes) {
            _ if (self.options.own)(name) => Some(What::Own),
            // A vendor's bundle beside it makes any file a package.
            _ if self.package_by_name(name).is_some() => None,
            Some(what) => Some(what),
            None if self.says_bundle(name) => {
                let read = SignatureBundle::parse(&bytes).map(|_| None);
                Some(What::Bundle(read.map_err(|fault| fault.at(self.folder.show(name)))))
            }
            None if self.names_key(name, &bytes) => Some(What::KeyName),
            None => None,
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
                self.artifact(name, &mut Cursor::new(bytes), size, false)
            }
        }
    }

    fn artifact(
        &self,
        name: &str,
        reader: &mut (dyn Read + Send),
        size: u64,
        says_bundle: bool,
    ) -> Result<FoundFile, Fault> {
        let forced = self
            .package_by_name(name)
            .map(|it| (Kind::Package, format!("package: {it} lies beside it")));
        let (found, digest) = detect::read_hashing(reader, size, forced, &self.reading)
            .map_err(|fault| fault.at(self.folder.show(name)))?;
        let what = match found {
            _ if says_bundle => {
                let message = format!("larger than {} bytes", limits::BUNDLE_BYTES);
                What::Bundle(Err(
                    Fault::new(Code::BundleTooLarge, message).at(self.folder.show(name))
                ))
            }
            Ok(Found::Image(archive, detected)) => What::Image(archive, detected),
            Ok(Found::Package(_, detected, fault)) => What::Package(detected, fault),
            Err(fault) => What::Refused(fault.at(self.folder.show(name))),
        };
        Ok(FoundFile { name: name.to_owned(), digest, what })
    }

    /// The bundle beside a file that makes it a package.
    fn package_by_name(&self, name: &str) -> Option<String> {
        self.options
            .profiles
            .iter()
            .find_map(|profile| self.names.package_bundle_beside(profile, name))
    }

    fn says_bundle(&self, name: &str) -> bool {
        let base = name.rsplit('/').next().unwrap_or(name);
        name.ends_with(".sigstore.json")
            || self.options.profiles.iter().any(|it| it.package.bundle_file.fits(base))
    }

    /// Whether a file is what a vendor lays beside a package to name its key.
    fn names_key(&self, name: &str, bytes: &[u8]) -> bool {
        let package = self
            .options
            .profiles
            .iter()
            .find_map(|profile| profile.package.key_file.package_of(name));
        package.is_some_and(|it| self.names.has(&it)) && pairing::key_name(bytes).is_ok()
    }
}

/// Whether a PEM block of a private key, in whatever form, stands in the bytes.
fn holds_private_key(bytes: &[u8]) -> bool {
    const WORDS: &[u8] = b"PRIVATE KEY-----";
    bytes.len() as u64 <= limits::KEY_BYTES
        && bytes.trim_ascii_start().starts_with(b"-----BEGIN ")
        && bytes.windows(WORDS.len()).any(|window| window == WORDS)
}

/// Whether a file is material by its content: a bundle, a public key, a trusted root, or a vendor's JSON
/// file that names a key. Material is compared and selected by, never run or loaded.
#[must_use]
pub fn is_material(name: &str, bytes: &[u8]) -> bool {
    let names_key = || {
        name.ends_with(".json")
            && bytes.len() as u64 <= limits::KEY_BYTES
            && pairing::key_name(bytes).is_ok()
    };
    material(name, bytes).is_some() || names_key()
}

/// What the bytes of a small file are, if they are material beyond doubt.
fn material(name: &str, bytes: &[u8]) -> Option<What> {
    match bytes.trim_ascii_start().first() {
        Some(b'-') => PublicKey::from_pem(bytes).ok().map(|key| What::Key(Box::new(key))),
        Some(b'{') => match SignatureBundle::parse(bytes) {
            Ok(bundle) => {
                let stated = bundle.stated_digest().map(|(_, digest)| digest);
                Some(What::Bundle(Ok(stated)))
            }
            Err(_) if name.ends_with(".json") => {
                TrustMaterial::from_json(bytes).ok().map(|_| What::TrustedRoot)
            }
            Err(_) => None,
        },
        _ => None,
    }
}
