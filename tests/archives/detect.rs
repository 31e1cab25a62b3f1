//! What a file is: the same from a file, from a pipe and from the reading that hashes it whole.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use sealift::artifact::detect::{self, DetectedKind, Found, OpenedInput};
use sealift::digest::FileDigest;
use sealift::image::{Archive, NoProgress, Options, Progress};
use sealift::verdict::{Code, Fault};

use crate::compression::{gzip, xz, zstd};
use crate::equal::Memory;
use crate::sample::{Image, digest, docker, oci};
use crate::support::tar::Tar;

const OPTIONS: Options<'_> = Options { jobs: 2, progress: &NoProgress, cuts: None, threads: None };

type Forced = Option<(DetectedKind, String)>;

fn file_digest(bytes: &[u8]) -> FileDigest {
    FileDigest { sha256: digest(bytes), size: bytes.len() as u64 }
}

fn file(bytes: &[u8], forced: Forced) -> Result<Found, Fault> {
    detect::read(OpenedInput::File(&bytes.to_vec()), forced, &OPTIONS)
}

fn pipe(bytes: &[u8], forced: Forced) -> Result<Found, Fault> {
    detect::read(OpenedInput::Pipe(&mut &bytes[..]), forced, &OPTIONS)
}

/// Reads and hashes, and checks all that must hold for any bytes.
#[track_caller]
fn hashing(bytes: &[u8], forced: Forced) -> Result<Found, Fault> {
    #[derive(Default)]
    struct Sum(AtomicU64, AtomicU64);
    impl Progress for Sum {
        fn expect(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
        fn advance(&self, bytes: u64) {
            self.1.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let sum = Sum::default();
    let size = bytes.len() as u64;
    let options = Options { progress: &sum, ..OPTIONS };
    let (found, whole) = detect::read_hashing(&mut &bytes[..], size, forced, &options).unwrap();
    assert_eq!(whole, file_digest(bytes));
    assert_eq!((sum.0.into_inner(), sum.1.into_inner()), (size, size));
    if let Ok(Found::Package(digest, ..)) = &found {
        assert_eq!(*digest, whole);
    }
    found
}

#[track_caller]
fn archive(found: Result<Found, Fault>) -> Archive {
    match found {
        Ok(Found::Image(archive, _)) => *archive,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn an_image_is_an_image_and_hashed_whole() {
    let image = Image::of(vec![vec![7; 300_000], b"x".to_vec()], "good");
    let large = docker(&image).finish();
    let oci = oci(&image.blobs(), &[image.index_entry()]).finish();
    let zeros = [&oci[..], &[0; 70_000]].concat();
    for bytes in [gzip(&large), xz(&large), zstd(&large), large, oci, zeros] {
        for forced in [None, Some((DetectedKind::Image, "said so".to_owned()))] {
            let found = hashing(&bytes, forced.clone());
            assert_eq!(found, file(&bytes, forced.clone()));
            assert_eq!(found, pipe(&bytes, forced));
            let sum: u64 = archive(found).segments.iter().map(|segment| segment.size).sum();
            assert!(sum == 0 || sum == bytes.len() as u64);
        }
    }
}

#[test]
fn what_is_no_archive_is_a_package() {
    let chart = Tar::new().directory("chart").file("chart/Chart.yaml", "x").finish();
    for bytes in [&b""[..], b"x", &[b'y'; 300_000], &gzip(&[b'y'; 5000]), &gzip(&chart), &chart] {
        let found = hashing(bytes, None);
        assert!(matches!(found, Ok(Found::Package(_, _, None))), "{found:?}");
        assert_eq!(found, file(bytes, None));
        assert_eq!(found, pipe(bytes, None));
        // Said to be an image, it is a broken one.
        let forced = Some((DetectedKind::Image, "said so".to_owned()));
        let found = hashing(bytes, forced.clone());
        assert!(found.is_err());
        assert_eq!(found, file(bytes, forced.clone()));
        assert_eq!(found, pipe(bytes, forced));
    }
}

#[test]
fn a_package_by_word_is_one_whatever_it_holds() {
    let bytes = docker(&Image::new("good")).finish();
    let forced = || Some((DetectedKind::Package, "said so".to_owned()));
    let expected = Ok(Found::Package(file_digest(&bytes), "said so".to_owned(), None));
    assert_eq!(hashing(&bytes, forced()), expected);
    assert_eq!(file(&bytes, forced()), expected);
    assert_eq!(pipe(&bytes, forced()), expected);
    let layout = detect::read(OpenedInput::Layout(&Memory::default()), forced(), &OPTIONS);
    assert_eq!(layout.unwrap_err().code(), Code::Usage);
}

#[test]
fn a_broken_image_is_refused_and_hashed_whole() {
    let mut swapped = Image::new("good");
    swapped.layers[0] = vec![3; 700_000];
    let swapped = docker(&swapped).file("more", vec![7; 300_000]).finish();
    let good = docker(&Image::new("good")).finish();
    let cut = good[..good.len() - 1500].to_vec();
    let late = Tar::new().file("../x", "").file("y", vec![7; 300_000]).raw(&good).finish();
    let garbage = [&good[..], &[9; 400_000]].concat();
    let flipped = {
        let mut packed = gzip(&good);
        let middle = packed.len() / 2;
        packed[middle] ^= 1;
        [packed, vec![0; 300_000]].concat()
    };
    for (bytes, code) in [
        (&swapped, Code::LayerMismatch),
        (&cut, Code::ArchiveTruncated),
        (&late, Code::EntryNameUnsafe),
        (&garbage, Code::ArchiveMalformed),
    ] {
        for found in [hashing(bytes, None), file(bytes, None), pipe(bytes, None)] {
            assert_eq!(found.unwrap_err().code(), code);
        }
    }
    let forced = Some((DetectedKind::Image, "said so".to_owned()));
    assert_eq!(hashing(&flipped, forced.clone()), file(&flipped, forced));
}

/// A pipe asks; a file that is hashed anyway is a package, and says what went wrong.
#[test]
fn a_broken_archive_that_names_no_image_is_a_package() {
    let bytes = Tar::new().file("../x", "").file("y", vec![7; 300_000]).finish();
    let found = hashing(&bytes, None);
    assert_eq!(found, file(&bytes, None));
    let Ok(Found::Package(_, _, Some(fault))) = found else { panic!("{found:?}") };
    assert_eq!(fault.code(), Code::EntryNameUnsafe);
    assert_eq!(pipe(&bytes, None).unwrap_err().code(), Code::Usage);
}

#[test]
fn bytes_that_can_not_be_read_are_no_answer() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("medium error"));
            }
            self.0.read(buffer)
        }
    }
    let good = docker(&Image::new("good")).finish();
    let unsafe_name = Tar::new().file("../x", "").file("y", vec![7; 3000]).finish();
    for bytes in [&b"text"[..], &[b'x'; 5000], &gzip(&good), &unsafe_name, &good] {
        for end in [0, bytes.len() / 2, bytes.len()] {
            for kind in [None, Some(DetectedKind::Image), Some(DetectedKind::Package)] {
                let forced = kind.map(|kind| (kind, String::new()));
                let mut reader = Failing(&bytes[..end]);
                let fault = detect::read_hashing(&mut reader, 0, forced, &OPTIONS).unwrap_err();
                assert_eq!(fault.code(), Code::Unreadable, "{fault}");
                assert!(fault.to_string().contains("medium error"), "{fault}");
            }
        }
    }
}

/// What is there after the end was reached was not read as part of the image.
#[test]
fn a_file_that_grows_is_no_answer() {
    struct Growing<'a>(&'a [u8], &'a [u8]);
    impl Read for Growing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(buffer)?;
            if count == 0 && !buffer.is_empty() {
                self.0 = std::mem::take(&mut self.1);
            }
            Ok(count)
        }
    }
    let good = docker(&Image::new("good")).finish();
    // Whoever looks for the end more than once sees it more than once.
    let grown = detect::read_hashing(&mut Growing(&good, b"more"), 0, None, &OPTIONS);
    match grown {
        Err(fault) => assert_eq!(fault.code(), Code::Unreadable),
        Ok((found, _)) => assert_eq!(found.unwrap_err().code(), Code::ArchiveMalformed),
    }
}

/// All real and hostile archives, where they are: the three readings agree.
#[test]
fn real_and_hostile_archives_are_found_alike() {
    for name in ["real", "hostile"] {
        let Some(folder) = crate::shared::folder(name) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(hashing(&bytes, None), file(&bytes, None), "{}", path.display());
        }
    }
}
