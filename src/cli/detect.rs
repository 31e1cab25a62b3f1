//! Finding out what a file is, in the one reading that also hashes it.
//!
//! An image archive is told by reading it as one; what is none is a package. The choice never makes
//! anything OK: a package is OK only by a signature over its own SHA-256, an image only by one over
//! a digest computed from it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::args::Kind;
use super::files::{self, Opened};
use crate::artifact::FileDigest;
use crate::digest::HashingReader;
use crate::image::{self, Archive, Input, Options};
use crate::verdict::{Code, Fault};

const BUFFER_BYTES: usize = 256 << 10;

/// What one reading found a file to be, and how that was told.
pub(super) enum Found {
    Image(Box<Archive>, String),
    /// Also why reading it as an image went wrong, if it went wrong half-way.
    Package(FileDigest, String, Option<Fault>),
}

/// Reads a path as what it is, or as what `forced` says (with the words for how that was told).
///
/// # Errors
/// The fault of an image archive that is not what loaders would agree on, or that the path can't be
/// read or judged.
pub(super) fn read(
    path: &Path,
    forced: Option<(Kind, String)>,
    options: &Options<'_>,
) -> Result<Found, Fault> {
    let package = |digest: FileDigest, detected| Found::Package(digest, detected, None);
    match (files::open(path)?, forced) {
        (Opened::Directory, Some((Kind::Package, _))) => {
            Err(Fault::new(Code::Usage, "a directory can't be a package").at(files::show(path)))
        }
        (Opened::File(file), Some((Kind::Package, detected))) => {
            Ok(package(hash_file(path, file, options)?, detected))
        }
        (Opened::Pipe(pipe), Some((Kind::Package, detected))) => {
            Ok(package(drain(path, HashingReader::new(pipe), options)?, detected))
        }
        (Opened::Directory, _) => layout(path, options),
        (Opened::File(file), forced) => from_file(path, &file, forced.is_some(), options),
        (Opened::Pipe(mut pipe), Some((Kind::Image, _))) => {
            image::read(Input::Stream(&mut pipe), options).map_err(|it| it.fault).map(image)
        }
        (Opened::Pipe(pipe), None) => from_pipe(path, pipe, options),
    }
}

fn image(archive: Archive) -> Found {
    let detected = format!("image archive: {}", archive.format());
    Found::Image(Box::new(archive), detected)
}

/// What is no image archive is a package; a tar archive that broke off may be half an image.
fn not_an_image(digest: FileDigest, fault: Fault) -> Found {
    let detected = format!("package: not an image archive ({fault})");
    Found::Package(digest, detected, (!surely_none(&fault)).then_some(fault))
}

/// Whether the fault says that there was nothing of an image archive in it from end to end.
fn surely_none(fault: &Fault) -> bool {
    matches!(fault.code(), Code::ArchiveUnrecognised | Code::ManifestMissing)
}

fn layout(path: &Path, options: &Options<'_>) -> Result<Found, Fault> {
    if !path.join("index.json").exists() && !path.join("oci-layout").exists() {
        let message = "a directory is verified as an OCI layout, and this one holds neither \
                       index.json nor oci-layout; name the files in it";
        return Err(Fault::new(Code::Usage, message).at(files::show(path)));
    }
    let tree = files::Directory(path);
    image::read(Input::Layout(&tree), options).map_err(|it| it.fault).map(image)
}

fn from_file(
    path: &Path,
    file: &File,
    forced: bool,
    options: &Options<'_>,
) -> Result<Found, Fault> {
    let positioned = files::positioned(path, file)?;
    let refusal = match image::read(Input::File(&positioned), options) {
        Ok(archive) => return Ok(image(archive)),
        Err(refusal) => refusal,
    };
    let meant = forced
        || refusal.looks_like_image
        || refusal.fault.code() == Code::Unreadable
        || image::mentions_image(&mut files::rewound(path, file)?);
    if meant {
        return Err(refusal.fault);
    }
    let digest = hash_file(path, files::rewound(path, file)?, options)?;
    Ok(not_an_image(digest, refusal.fault))
}

/// A pipe can't be looked at twice: the whole stream is hashed besides, in case it is a package.
fn from_pipe(path: &Path, pipe: Box<dyn Read>, options: &Options<'_>) -> Result<Found, Fault> {
    let mut hashing = HashingReader::new(pipe);
    let refusal = match image::read(Input::Stream(&mut hashing), options) {
        Ok(archive) => return Ok(image(archive)),
        Err(refusal) => refusal,
    };
    if refusal.looks_like_image || refusal.fault.code() == Code::Unreadable {
        return Err(refusal.fault);
    }
    if !surely_none(&refusal.fault) {
        // A file is looked through from its beginning; of a pipe only the rest is left.
        let consumed = hashing.count();
        let meant = image::rest_mentions_image(&mut hashing, consumed)
            .map_err(|error| files::unreadable(&files::show(path), &error))?;
        if meant {
            return Err(refusal.fault);
        }
        let message = format!(
            "this pipe may be a package or a damaged image archive: say --type package or --type \
             image (read as an image: [{}] {})",
            refusal.fault.code(),
            refusal.fault
        );
        return Err(Fault::new(Code::Usage, message));
    }
    Ok(not_an_image(drain(path, hashing, options)?, refusal.fault))
}

fn hash_file(path: &Path, file: File, options: &Options<'_>) -> Result<FileDigest, Fault> {
    if let Ok(metadata) = file.metadata() {
        options.progress.expect(metadata.len());
    }
    drain(path, HashingReader::new(file), options)
}

fn drain<R: Read>(
    path: &Path,
    mut hashing: HashingReader<R>,
    options: &Options<'_>,
) -> Result<FileDigest, Fault> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match hashing.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => options.progress.advance(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(files::unreadable(&files::show(path), &error)),
        }
    }
    let size = hashing.count();
    let (_, sha256) = hashing.finish();
    Ok(FileDigest { sha256, size })
}
