//! Finding out what a file is, in the one reading that also hashes it.
//!
//! To detect an image archive, it is read as one; anything else is a package. The choice never makes
//! anything OK: a package is OK only by a signature over its own SHA-256, an image only by one over
//! a digest computed from it. The caller opens paths, and adds them to faults.

use std::fmt;
use std::io::{self, Read};

use crate::digest::{FileDigest, HashingReader};
use crate::image::{self, Archive, ArchiveError, Input, Options, Outline, ReadAt, Tree};
use crate::limits;
use crate::verdict::{Code, Fault, Guise, guise};

/// What is to be judged, opened.
pub enum OpenedInput<'a> {
    /// A regular file.
    File(&'a dyn ReadAt),
    /// A pipe: one reading only.
    Pipe(&'a mut (dyn Read + Send)),
    /// A directory that is taken for an OCI layout.
    Layout(&'a dyn Tree),
}

impl fmt::Debug for OpenedInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Pipe(_) => "Pipe",
            Self::Layout(_) => "Layout",
        })
    }
}

/// What a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectedKind {
    /// An image archive or OCI layout.
    Image,
    /// Any file, signed by its SHA-256.
    Package,
}

/// What one reading of a file found it to be, and how that was detected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An image archive, with the words for its format.
    Image(Box<Archive>, String),
    /// Anything else, with the words for why; also why reading it as an image failed, if it failed
    /// after a promising start.
    Package(FileDigest, String, Option<Fault>),
}

/// Reads what was opened as what it is, or as what `forced` says (with the words for how that was
/// detected).
///
/// # Errors
/// The fault of an image archive that is not what loaders would agree on; [`Code::Unreadable`] with
/// what the operating system says; [`Code::Usage`] for a pipe that may be either and for a directory
/// as a package.
pub fn read(
    source: OpenedInput<'_>,
    forced: Option<(DetectedKind, String)>,
    options: &Options<'_>,
) -> Result<Found, Fault> {
    match (source, forced) {
        (OpenedInput::Layout(_), Some((DetectedKind::Package, _))) => {
            Err(Fault::new(Code::Usage, "a directory can't be a package"))
        }
        (OpenedInput::Layout(tree), _) => {
            image::read(Input::Layout(tree), options).map_err(|refused| refused.fault).map(image)
        }
        (OpenedInput::File(file), Some((DetectedKind::Package, detected))) => {
            Ok(Found::Package(hash_file(file, options)?, detected, None))
        }
        (OpenedInput::Pipe(pipe), Some((DetectedKind::Package, detected))) => {
            let mut hashing = HashingReader::new(pipe);
            drain(&mut hashing, options)?;
            Ok(Found::Package(digest(hashing), detected, None))
        }
        (OpenedInput::File(file), forced) => from_file(file, forced.is_some(), options),
        (OpenedInput::Pipe(pipe), forced) => from_pipe(pipe, forced.is_some(), options),
    }
}

/// Reads a regular file once, from beginning to end: what [`read`] says of it, and the size and SHA-256
/// of all its bytes, whatever it is and also when it is refused. `options.progress` gets `size` as the
/// number of bytes to expect.
///
/// Only the bytes that were not read yet can show whether a broken archive was meant as an image. If they
/// don't, it is a package, and the fault is returned with it.
///
/// # Errors
/// [`Code::Unreadable`] if the bytes can't all be read; then nothing is known of them.
pub fn read_hashing(
    reader: &mut (dyn Read + Send),
    size: u64,
    forced: Option<(DetectedKind, String)>,
    options: &Options<'_>,
) -> Result<(Result<Found, Fault>, FileDigest), Fault> {
    options.progress.expect(size);
    let mut hashing = HashingReader::new(reader);
    let meant_as_image = match forced {
        Some((DetectedKind::Package, detected)) => {
            drain(&mut hashing, options)?;
            let digest = digest(hashing);
            return Ok((Ok(Found::Package(digest, detected, None)), digest));
        }
        forced => forced.is_some(),
    };
    let refusal = match image::read(Input::Stream(&mut hashing), options) {
        Ok(archive) => {
            let end = hashing.count();
            drain(&mut hashing, options)?;
            let digest = digest(hashing);
            if digest.size != end {
                let fault = Fault::new(Code::Unreadable, "the file grew while it was read");
                return Err(fault.expected_found(format!("{end} bytes"), digest.size));
            }
            return Ok((Ok(image(archive)), digest));
        }
        Err(refusal) if refusal.fault.code() == Code::Unreadable => return Err(refusal.fault),
        Err(refusal) => refusal,
    };
    let meant = match meaning(&refusal, meant_as_image) {
        Meaning::Image => true,
        Meaning::Package => false,
        Meaning::Unclear => rest_mentions_image(&mut hashing, options)?,
    };
    drain(&mut hashing, options)?;
    let digest = digest(hashing);
    let found = if meant {
        Err(refusal.fault)
    } else {
        Ok(not_an_image(digest, refusal.fault, &Look::default()))
    };
    Ok((found, digest))
}

fn image(archive: Archive) -> Found {
    let detected = format!("image archive: {}", archive.format());
    Found::Image(Box::new(archive), detected)
}

/// What is not an image archive is a package; a truncated tar archive may be half an image.
fn not_an_image(digest: FileDigest, fault: Fault, look: &Look) -> Found {
    let detected = match look.guise {
        Some(guise) => format!("package: {}", guise.what),
        None if look.outline.root_file_system => "package: a container's file system".to_owned(),
        None => format!("package: not an image archive ({fault})"),
    };
    Found::Package(digest, detected, look.trouble(fault))
}

/// A second look at a file that was refused as an image archive.
#[derive(Debug, Default)]
struct Look {
    outline: Outline,
    guise: Option<Guise>,
}

impl Look {
    fn at(file: &dyn ReadAt) -> Self {
        let mut beginning = Vec::new();
        let start = FromStart::new(file);
        // Whatever can't be read is nothing to go by.
        let _ = start.take(limits::GUISE_BYTES).read_to_end(&mut beginning);
        let guise = guise(&beginning);
        let outline = match guise {
            Some(_) => Outline::default(),
            None => image::outline(&mut FromStart::new(file)),
        };
        Self { outline, guise }
    }

    /// What someone who expected an image must know.
    fn trouble(&self, fault: Fault) -> Option<Fault> {
        let instead = |words: &str| Some(Fault::new(Code::ArchiveUnrecognised, words));
        match self.guise {
            Some(guise) => {
                guise.advice.and_then(|_| instead(&format!("this is {}", guise.words())))
            }
            None if self.outline.root_file_system => {
                instead(&format!("this is {ROOT_FILE_SYSTEM}"))
            }
            None if self.outline.other_documents || surely_none(&fault) => None,
            None => Some(fault),
        }
    }

    /// The refusal of something that was said to be an image.
    fn named(&self, fault: Fault) -> Fault {
        let words = match self.guise {
            Some(guise) => format!("this is {}", guise.words()),
            None if self.outline.root_file_system => format!("this is {ROOT_FILE_SYSTEM}"),
            None => return fault,
        };
        Fault::new(Code::ArchiveUnrecognised, words)
    }
}

const ROOT_FILE_SYSTEM: &str =
    "a container's file system (docker export); an image is written by docker save";

/// Whether a file that is refused as an image archive was meant as something else: what it is called then, and
/// what someone who expected an image must know. It costs another reading.
#[must_use]
pub fn meant_otherwise(file: &dyn ReadAt, digest: FileDigest, fault: &Fault) -> Option<Found> {
    let look = Look::at(file);
    (look.outline.other_documents && !look.outline.image)
        .then(|| not_an_image(digest, fault.clone(), &look))
}

/// Whether the fault says that there was nothing of an image archive in it from end to end.
fn surely_none(fault: &Fault) -> bool {
    matches!(fault.code(), Code::ArchiveUnrecognised | Code::ManifestMissing)
}

/// What was meant by something that is refused as an image archive.
enum Meaning {
    /// An image: the refusal is the answer.
    Image,
    /// No image, as far as the refusal shows.
    Package,
    /// The bytes themselves must show it.
    Unclear,
}

fn meaning(refusal: &ArchiveError, forced: bool) -> Meaning {
    if forced || refusal.looks_like_image || refusal.fault.code() == Code::Unreadable {
        Meaning::Image
    } else if surely_none(&refusal.fault) {
        Meaning::Package
    } else {
        Meaning::Unclear
    }
}

fn from_file(file: &dyn ReadAt, forced: bool, options: &Options<'_>) -> Result<Found, Fault> {
    let refusal = match image::read(Input::File(file), options) {
        Ok(archive) => return Ok(image(archive)),
        Err(refusal) => refusal,
    };
    if refusal.fault.code() == Code::Unreadable {
        return Err(refusal.fault);
    }
    // A file can be read again, and more tolerantly, even if the refusal already shows what was meant.
    let look = Look::at(file);
    if forced {
        return Err(look.named(refusal.fault));
    }
    let unexplained = refusal.looks_like_image && !look.outline.other_documents;
    if look.outline.image || unexplained {
        return Err(refusal.fault);
    }
    Ok(not_an_image(hash_file(file, options)?, refusal.fault, &look))
}

/// A pipe can't be read twice: the whole stream is hashed too, in case it is a package.
fn from_pipe(
    pipe: &mut (dyn Read + Send),
    forced: bool,
    options: &Options<'_>,
) -> Result<Found, Fault> {
    if forced {
        return image::read(Input::Stream(pipe), options)
            .map_err(|refused| refused.fault)
            .map(image);
    }
    let mut hashing = HashingReader::new(pipe);
    let refusal = match image::read(Input::Stream(&mut hashing), options) {
        Ok(archive) => return Ok(image(archive)),
        Err(refusal) => refusal,
    };
    match meaning(&refusal, forced) {
        Meaning::Image => Err(refusal.fault),
        Meaning::Package => {
            drain(&mut hashing, options)?;
            Ok(not_an_image(digest(hashing), refusal.fault, &Look::default()))
        }
        Meaning::Unclear if rest_mentions_image(&mut hashing, options)? => Err(refusal.fault),
        Meaning::Unclear => {
            let message = format!(
                "this pipe may be a package or a damaged image archive: say --type package or \
                 --type image (read as an image: [{}] {})",
                refusal.fault.code(),
                refusal.fault
            );
            Err(Fault::new(Code::Usage, message))
        }
    }
}

/// Searches the rest of a stream. A file can be scanned from the start; a stream only from where reading
/// stopped.
fn rest_mentions_image<R: Read>(
    hashing: &mut HashingReader<R>,
    options: &Options<'_>,
) -> Result<bool, Fault> {
    let consumed = hashing.count();
    let meant =
        image::rest_mentions_image(hashing, consumed).map_err(|error| unreadable(&error))?;
    options.progress.advance(hashing.count().saturating_sub(consumed));
    Ok(meant)
}

fn hash_file(file: &dyn ReadAt, options: &Options<'_>) -> Result<FileDigest, Fault> {
    options.progress.expect(file.size());
    let mut hashing = HashingReader::new(FromStart::new(file));
    drain(&mut hashing, options)?;
    Ok(digest(hashing))
}

fn drain<R: Read>(hashing: &mut HashingReader<R>, options: &Options<'_>) -> Result<(), Fault> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        match hashing.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => options.progress.advance(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn digest<R: Read>(hashing: HashingReader<R>) -> FileDigest {
    let size = hashing.count();
    let (_, sha256) = hashing.finish();
    FileDigest { sha256, size }
}

fn unreadable(error: &io::Error) -> Fault {
    Fault::new(Code::Unreadable, error.to_string())
}

/// A file from its beginning to where reading ends, which need not be where its size says: some file
/// systems give 0.
struct FromStart<'a> {
    file: &'a dyn ReadAt,
    position: u64,
}

impl<'a> FromStart<'a> {
    fn new(file: &'a dyn ReadAt) -> Self {
        Self { file, position: 0 }
    }
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}
