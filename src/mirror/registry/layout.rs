//! The layout of the archive, computed before any blob is fetched, so that blobs can be written in any order.
//! It is the one that the containerd store of Docker 29 saves.

use std::collections::BTreeMap;

use serde_json::json;
use tar::{EntryType, Header};

use crate::digest::{Hasher, Sha256Digest};
use crate::verdict::{Code, Fault};

const BLOCK: u64 = 512;
/// From this size on the size field of a ustar header is too small, and GNU's form is written.
const USTAR_LIMIT: u64 = 1 << 33;

/// A document with its bytes.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) media_type: String,
    pub(super) digest: Sha256Digest,
    pub(super) bytes: Vec<u8>,
}

/// What `manifest.json` says about the image that Docker's classic store loads.
#[derive(Debug)]
pub(super) struct DockerImage {
    pub(super) config: Sha256Digest,
    pub(super) layers: Vec<Sha256Digest>,
}

/// The names of an image that is not known by its digest only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageNames {
    /// `docker.io/library/a:1`
    pub(super) full: String,
    /// `a:1`
    pub(super) short: String,
    /// `1`
    pub(super) tag: String,
}

/// A blob that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) digest: Sha256Digest,
    pub(super) size: u64,
    /// The offset of its first byte in the archive.
    pub(super) offset: u64,
}

/// The archive as it will be.
#[derive(Debug)]
pub(super) struct Layout {
    /// Everything but the blobs, with its offsets.
    pub(super) pieces: Vec<(u64, Vec<u8>)>,
    pub(super) blobs: Vec<Blob>,
    pub(super) size: u64,
    /// The digest of all of the above: an incomplete archive is continued only with the same layout.
    pub(super) digest: Sha256Digest,
}

enum EntryContent {
    Folder,
    Bytes(Vec<u8>),
    Blob(Sha256Digest, u64),
}

impl Layout {
    /// Lays out an image: the first of the documents is what the reference leads to.
    pub(super) fn new(
        documents: &[Stored],
        blobs: &BTreeMap<Sha256Digest, u64>,
        item: &DockerImage,
        names: Option<&ImageNames>,
    ) -> Result<Self, Fault> {
        let mut entries = BTreeMap::from([
            (String::from("blobs/"), EntryContent::Folder),
            (String::from("blobs/sha256/"), EntryContent::Folder),
            (
                String::from("oci-layout"),
                EntryContent::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ),
            (String::from("index.json"), EntryContent::Bytes(top(documents, names)?)),
            (String::from("manifest.json"), EntryContent::Bytes(docker(item, names)?)),
        ]);
        for (digest, size) in blobs {
            entries.insert(path(digest), EntryContent::Blob(*digest, *size));
        }
        for document in documents {
            entries.insert(path(&document.digest), EntryContent::Bytes(document.bytes.clone()));
        }
        place(entries)
    }
}

fn place(entries: BTreeMap<String, EntryContent>) -> Result<Layout, Fault> {
    let (mut pieces, mut blobs) = (Vec::new(), Vec::new());
    let mut at = 0_u64;
    for (name, content) in entries {
        let size = match &content {
            EntryContent::Folder => 0,
            EntryContent::Bytes(bytes) => bytes.len() as u64,
            EntryContent::Blob(_, size) => *size,
        };
        let folder = matches!(content, EntryContent::Folder);
        pieces.push((at, header(&name, size, folder)?.as_bytes().to_vec()));
        at = checked(at.checked_add(BLOCK))?;
        match content {
            EntryContent::Folder => {}
            EntryContent::Bytes(bytes) => pieces.push((at, bytes)),
            EntryContent::Blob(digest, size) => blobs.push(Blob { digest, size, offset: at }),
        }
        at = checked(at.checked_add(size))?;
        let end = checked(at.checked_next_multiple_of(BLOCK))?;
        // Padding is written too, over whatever else may be in an incomplete file.
        pieces.push((at, vec![0; usize::try_from(end.saturating_sub(at)).unwrap_or(0)]));
        at = end;
    }
    let size = checked(at.checked_add(2 * BLOCK))?;
    pieces.push((at, vec![0; 2 * 512]));
    let mut hasher = Hasher::new();
    for (offset, bytes) in &pieces {
        hasher.update(format!("{offset} {}\n", Sha256Digest::of(bytes)).as_bytes());
    }
    for Blob { digest, size, offset } in &blobs {
        hasher.update(format!("{offset} {size} {digest}\n").as_bytes());
    }
    hasher.update(size.to_string().as_bytes());
    Ok(Layout { pieces, blobs, size, digest: hasher.finish() })
}

/// Checks that a file can have this size.
fn checked(size: Option<u64>) -> Result<u64, Fault> {
    size.filter(|size| i64::try_from(*size).is_ok()).ok_or_else(|| {
        Fault::new(Code::SourceDisagrees, "the manifest states sizes that no archive can have")
    })
}

fn header(name: &str, size: u64, folder: bool) -> Result<Header, Fault> {
    let mut header = if size < USTAR_LIMIT { Header::new_ustar() } else { Header::new_gnu() };
    header
        .set_path(name)
        .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()).at(name))?;
    header.set_entry_type(if folder { EntryType::Directory } else { EntryType::Regular });
    header.set_mode(if folder { 0o755 } else { 0o444 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

fn path(digest: &Sha256Digest) -> String {
    format!("blobs/sha256/{}", digest.to_hex())
}

/// `index.json`.
fn top(documents: &[Stored], names: Option<&ImageNames>) -> Result<Vec<u8>, Fault> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Index<'a> {
        schema_version: u8,
        media_type: &'a str,
        manifests: [IndexEntry<'a>; 1],
    }
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct IndexEntry<'a> {
        media_type: &'a str,
        digest: &'a Sha256Digest,
        size: usize,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        annotations: BTreeMap<&'a str, &'a str>,
    }
    let Some(first) = documents.first() else { return Err(unwritten("no document")) };
    let mut annotations = BTreeMap::new();
    if let Some(names) = names {
        annotations.insert("io.containerd.image.name", names.full.as_str());
        annotations.insert("org.opencontainers.image.ref.name", names.tag.as_str());
    }
    let descriptor = IndexEntry {
        media_type: &first.media_type,
        digest: &first.digest,
        size: first.bytes.len(),
        annotations,
    };
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = Index { schema_version: 2, media_type, manifests: [descriptor] };
    serde_json::to_vec(&index).map_err(|error| unwritten(&error.to_string()))
}

/// `manifest.json`.
fn docker(item: &DockerImage, names: Option<&ImageNames>) -> Result<Vec<u8>, Fault> {
    let layers: Vec<String> = item.layers.iter().map(path).collect();
    let tags = names.map(|names| [names.short.as_str()]);
    let items = json!([{ "Config": path(&item.config), "RepoTags": tags, "Layers": layers }]);
    serde_json::to_vec(&items).map_err(|error| unwritten(&error.to_string()))
}

fn unwritten(reason: &str) -> Fault {
    Fault::new(Code::WriteFailed, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_from_8_gib_on() {
        let digest = Sha256Digest::of(b"layer");
        let document = |text: &str| Stored {
            media_type: String::from("application/vnd.oci.image.manifest.v1+json"),
            digest: Sha256Digest::of(text.as_bytes()),
            bytes: text.as_bytes().to_vec(),
        };
        let with_layer = |size: u64| {
            let item = DockerImage { config: digest, layers: vec![digest] };
            Layout::new(&[document("m")], &BTreeMap::from([(digest, size)]), &item, None)
        };
        for size in [0, 1, 511, 512, USTAR_LIMIT - 1, USTAR_LIMIT, 1 << 40] {
            let layout = with_layer(size).unwrap();
            let blob = layout.blobs.first().unwrap();
            assert_eq!((blob.size, blob.offset % BLOCK, layout.size % BLOCK), (size, 0, 0));
            let (_, header) =
                layout.pieces.iter().find(|(at, _)| at + BLOCK == blob.offset).unwrap();
            let header = Header::from_byte_slice(header);
            assert_eq!(header.entry_size().unwrap(), size);
            assert_eq!(header.as_gnu().is_some(), size >= USTAR_LIMIT);
            let mut spans: Vec<(u64, u64)> =
                layout.pieces.iter().map(|(at, bytes)| (*at, bytes.len() as u64)).collect();
            spans.push((blob.offset, size));
            spans.sort_unstable();
            // Nothing overlaps, and nothing is left out.
            assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
            assert_eq!(spans.last().map(|(start, size)| start + size), Some(layout.size));
        }
        assert_ne!(with_layer(1).unwrap().digest, with_layer(2).unwrap().digest);
        assert_eq!(with_layer(u64::MAX).unwrap_err().code(), Code::SourceDisagrees);
        assert_eq!(with_layer(i64::MAX as u64).unwrap_err().code(), Code::SourceDisagrees);
    }
}
