//! Input that is far too large, in any direction, ends in one clear fault.

use std::io::{self, Read};

use sealift::image::{Input, ReadAt, mentions_image, rest_mentions_image};
use sealift::limits;
use sealift::verdict::Code;

use crate::compression::{gzip, zstd};
use crate::sample::{Image, docker, read, refused, stream};
use crate::support::tar::Tar;

/// Zeros without end that count how much of them was read.
struct Zeros {
    read: std::sync::atomic::AtomicU64,
}

impl ReadAt for Zeros {
    fn read_at(&self, buffer: &mut [u8], _: u64) -> io::Result<usize> {
        buffer.fill(0);
        self.read.fetch_add(buffer.len() as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(buffer.len())
    }
    fn size(&self) -> u64 {
        10 << 30
    }
}

#[test]
fn a_sparse_file_is_refused_at_once() {
    let zeros = Zeros { read: 0.into() };
    let refusal = read(Input::File(&zeros), 2).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::ArchiveUnrecognised);
    assert!(zeros.read.into_inner() < 4096);
    let refusal = read(Input::Stream(&mut io::repeat(0)), 1).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::ArchiveUnrecognised);
}

#[test]
fn what_is_no_archive_is_called_so() {
    for bytes in [
        &b""[..],
        b"x",
        b"-----BEGIN PUBLIC KEY-----\n",
        br#"{"base64Signature":"x"}"#,
        &[b'x'; 5000],
        &[0; 100],
        &gzip(b""),
        &gzip(&[b'y'; 5000]),
        &zstd(b"some text"),
    ] {
        let refusal = refused(bytes);
        assert_eq!(refusal.fault.code(), Code::ArchiveUnrecognised, "{refusal}");
        assert!(!refusal.looks_like_image);
    }
    let package = Tar::new().directory("chart").file("chart/Chart.yaml", "x").finish();
    for bytes in [gzip(&package), package] {
        let refusal = refused(&bytes);
        assert_eq!(refusal.fault.code(), Code::ManifestMissing);
        assert!(!refusal.looks_like_image);
        assert!(!mentions_image(&mut &bytes[..]));
    }
}

#[test]
fn documents_are_bounded() {
    let good = Image::new("good");
    let large = vec![b' '; limits::ARCHIVE_JSON_BYTES as usize + 1];
    let manifest = Tar::new().files(&good.docker_files("g")).file("manifest.json", &large);
    assert_eq!(refused(&manifest.finish()).fault.code(), Code::ArchiveTooLarge);
    let config = [&good.config[..], &large].concat();
    let image = Image { config, ..good.clone() };
    assert_eq!(refused(&docker(&image).finish()).fault.code(), Code::ArchiveTooLarge);
    let many = (0..5).fold(docker(&good), |tar, number| {
        let size = limits::ARCHIVE_JSON_BYTES as usize - 100;
        tar.file(&format!("{number}"), format!(r#"{{"layers":"{}"}}"#, "x".repeat(size)))
    });
    assert_eq!(refused(&many.finish()).fault.code(), Code::ArchiveTooLarge);
    let values = format!("[{}]", "0,".repeat(limits::JSON_VALUES));
    let deep = "[".repeat(100_000);
    for json in [values, deep] {
        let tar = Tar::new().file("manifest.json", json);
        assert_eq!(refused(&tar.finish()).fault.code(), Code::JsonMalformed);
    }
}

#[test]
fn labels_are_bounded() {
    let good = Image::new("good");
    let text = String::from_utf8(good.config.clone()).unwrap();
    let labelled = |count: usize| {
        let labels: String = (0..count).map(|n| format!("\"{n}\":\"\",")).collect();
        let config = text.replace("\"which\"", &format!("{labels}\"which\"")).into_bytes();
        docker(&Image { config, ..good.clone() }).finish()
    };
    assert_eq!(read(Input::File(&labelled(1000)), 1).unwrap().images[0].labels.len(), 1001);
    assert_eq!(refused(&labelled(limits::ARCHIVE_LABELS)).fault.code(), Code::ArchiveTooLarge);
}

#[test]
fn headers_are_bounded() {
    let long = "x".repeat(limits::ARCHIVE_NAME_BYTES + 1);
    let tar = Tar::new().long(b'L', &long).file("x", "");
    assert_eq!(refused(&tar.finish()).fault.code(), Code::EntryNameUnsafe);
    let tar = Tar::new().pax(b'x', &[("comment", &"x".repeat(1 << 20))]).file("x", "");
    assert_eq!(refused(&tar.finish()).fault.code(), Code::ArchiveTooLarge);
    let huge = Tar::new().entry(b'0', "x", "", b"", |header| header.set_size(1 << 60));
    assert_eq!(refused(&huge.finish()).fault.code(), Code::ArchiveTruncated);
    let huge = Tar::new().pax(b'x', &[("size", "9223372036854775807")]).file("x", "");
    assert_eq!(refused(&huge.finish()).fault.code(), Code::ArchiveTruncated);
}

#[test]
fn entries_are_bounded() {
    /// One directory entry again and again.
    struct Entries(Vec<u8>, usize);
    impl Read for Entries {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = (&self.0[self.1 % 512..]).read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }
    let header = Tar::new().directory("d").cut();
    let refusal = read(Input::Stream(&mut Entries(header, 0)), 1).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::ArchiveTooLarge);
}

/// Many entries with long names are refused by the sum of the names, before they cost memory.
#[test]
fn names_are_bounded_in_all() {
    struct Names(usize, usize, Vec<u8>);
    impl Read for Names {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.1.is_multiple_of(512) {
                let name = format!("{:0>99}", self.0);
                self.2 = Tar::new().file(&name, "").cut();
                self.0 += 1;
            }
            let count = (&self.2[self.1 % 512..]).read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }
    let mut names = Names(0, 0, Vec::new());
    let refusal = read(Input::Stream(&mut names), 1).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::ArchiveTooLarge);
    assert!(refusal.to_string().contains("names"), "{refusal}");
    assert_eq!(names.1 / 512, limits::ARCHIVE_NAMES_BYTES / 99 + 1);
}

/// Indexes that list each other's content again and again are followed a bounded number of times.
#[test]
fn descriptors_are_bounded() {
    use crate::sample::{INDEX, MANIFEST, blob, descriptor, index, oci};
    let good = Image::new("good");
    let inner = index(&vec![descriptor(MANIFEST, &good.manifest(), ""); 5000]);
    let outer = index(&vec![descriptor(INDEX, &inner, ""); 5000]);
    let mut blobs = good.blobs();
    blobs.extend([blob(inner), blob(outer.clone())]);
    let bytes = oci(&blobs, &[descriptor(INDEX, &outer, "")]).finish();
    assert_eq!(stream(&bytes).unwrap_err().fault.code(), Code::ArchiveTooLarge);
}

/// Sizes that overflow when they are rounded up to blocks, wherever a header is read.
#[test]
fn sizes_beyond_all_numbers_are_no_panic() {
    for low in [u64::MAX, u64::MAX - 510, u64::MAX - 511, u64::MAX - 512, i64::MAX as u64, 1 << 63]
    {
        let tar = Tar::new().entry(b'0', "x", "", b"", |header| {
            let field = &mut header.as_old_mut().size;
            field.fill(0);
            field[0] = 0x80;
            field[4..].copy_from_slice(&low.to_be_bytes());
        });
        let plain = tar.clone().file("manifest.json", "").finish();
        for bytes in [gzip(&plain), plain] {
            let code = refused(&bytes).fault.code();
            assert!(matches!(code, Code::ArchiveMalformed | Code::ArchiveTruncated), "{code:?}");
            assert!(!mentions_image(&mut &bytes[..]));
        }
        let pax = Tar::new().pax(b'x', &[("size", &low.to_string())]).file("x", "").finish();
        refused(&pax);
    }
    for consumed in [0, 1, 511, u64::MAX, u64::MAX - 511] {
        assert!(!rest_mentions_image(&mut &[0; 2000][..], consumed).unwrap());
    }
}

#[test]
fn mentions_are_found_leniently() {
    let good = docker(&Image::new("good"));
    for bytes in [
        good.clone().finish(),
        good.clone().cut(),
        gzip(&good.clone().finish()),
        Tar::new().file("../x", "").zero_block().file("./oci-layout", "").cut(),
        Tar::new().file("repositories", "").cut(),
        good.file("manifest.json", "").finish(),
    ] {
        assert!(mentions_image(&mut &bytes[..]));
    }
    for bytes in [&b""[..], b"manifest.json", &[0; 4096], &[1; 4096], &gzip(b"x"), &[0x1f, 0x8b, 8]]
    {
        assert!(!mentions_image(&mut &bytes[..]));
    }
    let broken = refused(&Tar::new().file("manifest.json", "").file("../x", "").finish());
    assert!(broken.looks_like_image);
}
