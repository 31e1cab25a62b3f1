//! The same answer from a pipe, a file and a directory, each byte read once.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use sealift::image::{
    self, Archive, Container, Input, Options, Progress, ReadAt, Tree, TreeEntry, TreeKind,
};
use sealift::verdict::Code;

use crate::sample::{Image, Once, docker, oci, read, read_all_ways};
use crate::support::tar::Tar;

/// A directory in memory.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, (TreeKind, Vec<u8>)>);

impl Tree for Memory {
    fn entries(&self) -> io::Result<Vec<TreeEntry>> {
        let entry = |(name, (kind, content)): (&String, &(TreeKind, Vec<u8>))| TreeEntry {
            name: name.clone(),
            kind: *kind,
            size: content.len() as u64,
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        let (_, content) = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(content.as_slice()))
    }
}

/// Unpacks a plain archive into memory; `None` if it has links, which a layout has not.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Memory> {
    let mut memory = Memory::default();
    for entry in ::tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let name = name.trim_start_matches("./").trim_end_matches('/').to_owned();
        let kind = match entry.header().entry_type() {
            kind if kind.is_file() => TreeKind::File,
            kind if kind.is_dir() => TreeKind::Directory,
            _ => return None,
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if !name.is_empty() && name != "." {
            memory.0.insert(name, (kind, content));
        }
    }
    Some(memory)
}

/// The same archive as a directory must give the same answer.
pub(crate) fn check_layout(bytes: &[u8], archive: &Archive) {
    let Some(memory) = unpack(bytes) else { return };
    let mut found = read(Input::Layout(&memory), 2).unwrap();
    assert_eq!(found.container, Container::Directory);
    found.container = archive.container;
    assert_eq!(found.segments, Vec::new());
    found.segments.clone_from(&archive.segments);
    // Names are sorted in a directory; in an archive they stand in any order. Images do not depend
    // on it.
    assert_eq!(&found, archive);
}

#[test]
fn a_directory_is_read_like_an_archive() {
    let image = Image::new("good");
    for bytes in [docker(&image).finish(), oci(&image.blobs(), &[image.index_entry()]).finish()] {
        check_layout(&bytes, &read_all_ways(&bytes).unwrap());
    }
}

#[test]
fn a_directory_with_other_things_is_refused() {
    let image = Image::new("good");
    let good = unpack(&oci(&image.blobs(), &[image.index_entry()]).finish()).unwrap();
    let refusal = |change: &dyn Fn(&mut Memory)| {
        let mut memory = Memory(good.0.clone());
        change(&mut memory);
        read(Input::Layout(&memory), 1).unwrap_err()
    };
    let link = refusal(&|memory| {
        memory.0.insert("oci-layout".into(), (TreeKind::Other, Vec::new()));
    });
    assert_eq!(link.fault.code(), Code::EntryTypeRefused);
    let missing = refusal(&|memory| {
        memory.0.remove("oci-layout");
    });
    assert_eq!(missing.fault.code(), Code::LayoutInvalid);
    assert!(missing.looks_like_image);
    let outside = refusal(&|memory| {
        memory.0.insert("../x".into(), (TreeKind::File, Vec::new()));
    });
    assert_eq!(outside.fault.code(), Code::EntryNameUnsafe);
}

#[test]
fn a_file_is_read_once() {
    let image = Image::of(vec![vec![7; 3_000_000], b"x".to_vec()], "good");
    let plain = oci(&image.blobs(), &[image.index_entry()])
        .pax(b'x', &[("path", "renamed/")])
        .directory("other")
        .finish();
    for bytes in [crate::compression::gzip(&plain), plain] {
        let once = Once::new(&bytes);
        let found = read(Input::File(&once), 2).unwrap();
        once.check(true);
        // What was read again would have been something else.
        assert_eq!(found, read(Input::File(&bytes), 1).unwrap());
    }
}

#[test]
fn progress_adds_up_to_the_size() {
    #[derive(Default)]
    struct Sum {
        expected: AtomicU64,
        advanced: AtomicU64,
    }
    impl Progress for Sum {
        fn expect(&self, bytes: u64) {
            self.expected.fetch_add(bytes, Ordering::Relaxed);
        }
        fn advance(&self, bytes: u64) {
            self.advanced.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let bytes = docker(&Image::new("good")).finish();
    let sum = Sum::default();
    image::read(
        Input::File(&bytes),
        &Options { jobs: 2, progress: &sum, cuts: None, threads: None },
    )
    .unwrap();
    assert_eq!(sum.expected.into_inner(), bytes.len() as u64);
    assert_eq!(sum.advanced.into_inner(), bytes.len() as u64);
}

#[test]
fn an_unreadable_input_is_not_called_broken() {
    struct Failing<'a>(&'a [u8], u64);
    impl ReadAt for Failing<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let end = self.1.min(self.0.size());
            if offset >= end {
                return Err(io::Error::other("medium error"));
            }
            let length = buffer.len().min((end - offset) as usize);
            self.0.read_at(&mut buffer[..length], offset)
        }
        fn size(&self) -> u64 {
            self.0.size()
        }
    }
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.read_at(buffer, 0)?;
            self.0 = &self.0[count..];
            self.1 -= count as u64;
            Ok(count)
        }
    }
    let plain = docker(&Image::new("good")).finish();
    let gzip = crate::compression::gzip(&plain);
    let zstd = crate::compression::zstd(&plain);
    let compressed_layer = Tar::new().file("x", &gzip).finish();
    for bytes in [&plain, &gzip, &zstd, &compressed_layer] {
        for at in [0, 3, 100, bytes.len() as u64 / 2] {
            let fault = read(Input::File(&Failing(bytes, at)), 2).unwrap_err().fault;
            assert_eq!(fault.code(), Code::Unreadable, "{at}: {fault}");
            let fault = read(Input::Stream(&mut Failing(bytes, at)), 2).unwrap_err().fault;
            assert_eq!(fault.code(), Code::Unreadable, "{at}: {fault}");
        }
    }
}

#[test]
fn a_file_that_shrinks_meanwhile_does_not_pass() {
    struct Shrinking {
        bytes: Vec<u8>,
        gone: usize,
    }
    impl ReadAt for Shrinking {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let mut length = buffer.len();
            if offset < self.gone as u64 + 400 {
                length = length.min(self.gone.saturating_sub(offset as usize));
            }
            self.bytes.read_at(&mut buffer[..length], offset)
        }
        fn size(&self) -> u64 {
            self.bytes.size()
        }
    }
    let mut image = Image::new("good");
    image.layers[0] = vec![1; 5000];
    let bytes = docker(&image).file("large", vec![2; 300_000]).finish();
    let large = bytes.windows(100).position(|window| window == [2; 100]).unwrap() + 290_000;
    let gone = bytes.windows(100).position(|window| window == [1; 100]).unwrap();
    for (gone, place) in [
        (gone, Some("g0/layer.tar")),
        (large, Some("large")),
        (0, None),
        (bytes.len() - 600, None),
        (bytes.len() - 1, None),
    ] {
        let shrinking = Shrinking { bytes: bytes.clone(), gone };
        for jobs in [1, 2] {
            let fault = read(Input::File(&shrinking), jobs).unwrap_err().fault;
            assert_eq!((fault.code(), fault.place()), (Code::Unreadable, place), "{gone}");
        }
    }
}
