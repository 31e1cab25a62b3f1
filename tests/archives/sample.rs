//! Small images, the ways to pack them, and the ways to read them.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Mutex;

use sealift::digest::Sha256Digest;
use sealift::image::{
    self, Archive, ArchiveError, Container, Input, NoProgress, Options, ReadAt, Segment,
};
use sealift::verdict::Code;

use crate::support::tar::Tar;

pub(crate) fn digest(bytes: impl AsRef<[u8]>) -> Sha256Digest {
    Sha256Digest::of(bytes.as_ref())
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    digest(bytes).to_hex()
}

/// One image: a config and the layers that it lists.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
}

pub(crate) fn config(diff_ids: &[Sha256Digest], which: &str) -> Vec<u8> {
    let ids: Vec<_> = diff_ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"which":"{which}"}}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    )
    .into_bytes()
}

impl Image {
    pub(crate) fn new(which: &str) -> Self {
        let layers: Vec<_> =
            (0..2).map(|n| Tar::new().file("f", format!("{which} {n}")).finish()).collect();
        Self::of(layers, which)
    }

    /// An image of these layers.
    pub(crate) fn of(layers: Vec<Vec<u8>>, which: &str) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(digest).collect();
        Self { config: config(&diff_ids, which), layers }
    }

    pub(crate) fn id(&self) -> Sha256Digest {
        digest(&self.config)
    }

    /// The files of a docker archive under `prefix`, without `manifest.json`.
    pub(crate) fn docker_files(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![(format!("{prefix}.json"), self.config.clone())];
        for (number, layer) in self.layers.iter().enumerate() {
            files.push((format!("{prefix}{number}/layer.tar"), layer.clone()));
        }
        files
    }

    /// This image's item in `manifest.json`.
    pub(crate) fn item(&self, prefix: &str) -> String {
        let layers: Vec<_> =
            (0..self.layers.len()).map(|n| format!("\"{prefix}{n}/layer.tar\"")).collect();
        item(&format!("{prefix}.json"), &layers.join(","))
    }

    /// The OCI manifest.
    pub(crate) fn manifest(&self) -> Vec<u8> {
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar", layer, ""))
            .collect();
        manifest(&self.config, &layers)
    }

    /// The blobs of an OCI layout: config, layers and manifest.
    pub(crate) fn blobs(&self) -> Vec<(String, Vec<u8>)> {
        let mut blobs = vec![blob(self.config.clone()), blob(self.manifest())];
        blobs.extend(self.layers.iter().cloned().map(blob));
        blobs
    }

    pub(crate) fn index_entry(&self) -> String {
        descriptor(
            MANIFEST,
            &self.manifest(),
            r#","annotations":{"io.containerd.image.name":"docker.io/vendor/app:1"}"#,
        )
    }
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

pub(crate) fn item(config: &str, layers: &str) -> String {
    format!(r#"{{"Config":"{config}","RepoTags":["vendor/app:1"],"Layers":[{layers}]}}"#)
}

pub(crate) fn blob(content: Vec<u8>) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", hex(&content)), content)
}

pub(crate) fn descriptor(media_type: &str, content: &[u8], more: &str) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}{more}}}"#,
        digest(content),
        content.len()
    )
}

pub(crate) fn manifest(config: &[u8], layers: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
        descriptor("application/vnd.oci.image.config.v1+json", config, ""),
        layers.join(",")
    )
    .into_bytes()
}

pub(crate) fn index(entries: &[String]) -> Vec<u8> {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(","))
        .into_bytes()
}

/// A docker archive of one image.
pub(crate) fn docker(image: &Image) -> Tar {
    Tar::new()
        .files(&image.docker_files("g"))
        .file("manifest.json", format!("[{}]", image.item("g")))
}

/// An OCI layout of these blobs and entries.
pub(crate) fn oci(blobs: &[(String, Vec<u8>)], entries: &[String]) -> Tar {
    let mut blobs = blobs.to_vec();
    blobs.sort();
    blobs.dedup();
    Tar::new().file("oci-layout", LAYOUT).files(&blobs).file("index.json", index(entries))
}

/// Reads from a pipe that delivers odd amounts.
pub(crate) fn stream(bytes: &[u8]) -> Result<Archive, ArchiveError> {
    read(Input::Stream(&mut Pipe(bytes)), 1)
}

struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1009);
        self.0.read(&mut buffer[..length])
    }
}

pub(crate) fn read(input: Input<'_>, jobs: usize) -> Result<Archive, ArchiveError> {
    image::read(input, &Options { jobs, progress: &NoProgress, cuts: None, threads: None })
}

/// Reads as a file with one, two and three threads and as a stream with one and two; the answers must be equal, the
/// segments true, and no byte of the file read twice.
pub(crate) fn read_all_ways(bytes: &[u8]) -> Result<Archive, ArchiveError> {
    read_all_ways_with(bytes, None)
}

/// The same with stated sizes of segments.
pub(crate) fn read_all_ways_with(
    bytes: &[u8],
    cuts: Option<&[u64]>,
) -> Result<Archive, ArchiveError> {
    let read = |input: Input<'_>, jobs| {
        image::read(input, &Options { jobs, progress: &NoProgress, cuts, threads: None })
    };
    let once = Once::new(bytes);
    let file = read(Input::File(&once), 1);
    let all = file.is_ok();
    once.check(all);
    for jobs in [2, 3] {
        let once = Once::new(bytes);
        assert_eq!(file, read(Input::File(&once), jobs));
        once.check(all);
    }
    let mut one = Pipe(bytes);
    assert_eq!(file, read(Input::Stream(&mut one), 1));
    // What is left of a stream tells what it was meant to be, so that must not vary either.
    let mut two = Pipe(bytes);
    assert_eq!(file, read(Input::Stream(&mut two), 2));
    assert_eq!(one.0.len(), two.0.len());
    if let Ok(archive) = &file {
        check_segments(bytes, archive);
    }
    file
}

/// Segments are consecutive, cover the archive, and their digests are those of their bytes.
fn check_segments(bytes: &[u8], archive: &Archive) {
    assert_eq!(archive.segments.is_empty(), archive.container != Container::Tar);
    let mut end = 0;
    for Segment { offset, size, sha256 } in &archive.segments {
        assert_eq!(*offset, end);
        assert!(*size > 0);
        end += size;
        let range = usize::try_from(*offset).unwrap()..usize::try_from(end).unwrap();
        assert_eq!(*sha256, digest(&bytes[range]));
    }
    assert!(archive.segments.is_empty() || end == bytes.len() as u64);
}

/// A file that remembers what was read of it, and has other bytes when they are read again.
pub(crate) struct Once<'a> {
    bytes: &'a [u8],
    reads: Mutex<Vec<(u64, u64)>>,
}

impl<'a> Once<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, reads: Mutex::default() }
    }

    /// That no byte was read twice, and whether each was read at all.
    #[track_caller]
    pub(crate) fn check(&self, all: bool) {
        let mut reads = self.reads.lock().unwrap().clone();
        reads.sort_unstable();
        let mut end = 0;
        for (from, to) in reads {
            assert!(from >= end, "byte {from} was read twice");
            assert!(!all || from == end, "byte {end} was not read");
            end = to;
        }
        assert!(!all || end == self.bytes.len() as u64, "read up to byte {end}");
    }
}

impl ReadAt for Once<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        let end = offset + count as u64;
        let mut reads = self.reads.lock().unwrap();
        if count > 0 {
            if reads.iter().any(|(from, to)| *from < end && offset < *to) {
                buffer[..count].iter_mut().for_each(|byte| *byte = !*byte);
            }
            reads.push((offset, end));
        }
        Ok(count)
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// The whole answer for these signed digests.
pub(crate) fn verify(bytes: &[u8], signed: &[Sha256Digest]) -> Result<(), Code> {
    let archive = read_all_ways(bytes).map_err(|refusal| refusal.fault.code())?;
    let signed: BTreeSet<_> = signed.iter().copied().collect();
    archive.coverage(&signed).map(|_| ()).map_err(|fault| fault.code())
}

#[track_caller]
pub(crate) fn refused(bytes: &[u8]) -> ArchiveError {
    read_all_ways(bytes).expect_err("this must be refused")
}
