//! What a refused tar archive was meant to be: an image archive, or something else with files of the same
//! names.
//!
//! It tolerates what the reader refuses, because its answer only chooses what a refusal is about: what is
//! not meant as an image is a package, and that is OK only by a signature over the whole file.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

use tar::Header as Block;

use super::budget::{Budget, Meter, StreamKind};
use super::header::{self, BLOCK};
use super::inflate::{Compression, Inflater, MAGIC_BYTES};
use super::input::read_full;
use super::names::shows_image;
use super::windows::Windows;
use crate::limits;

/// What names and documents of an archive show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Some loader could take it, or what is left of it, for an image archive: there is a blob, a layer or
    /// a marker, or a document that lists images.
    pub image: bool,
    /// There are documents with the names of an image archive's, and none of them could list an image.
    pub other_documents: bool,
    /// It holds the file system of a machine or container (`docker export`).
    pub root_file_system: bool,
}

/// Directories at the top of a file system; [`TOP_ENOUGH`] of them show that it is one.
const TOP: [&str; 12] =
    ["bin", "dev", "etc", "home", "lib", "proc", "root", "sbin", "sys", "tmp", "usr", "var"];
const TOP_ENOUGH: usize = 6;

/// Looks through a tar archive, compressed or not, as far as it can be read, and ends where an image shows.
pub fn outline(stream: &mut dyn Read) -> Outline {
    let mut outline = Outline::default();
    // What can't be read further has shown what it could.
    let _ = scan(stream, &mut outline);
    outline.other_documents &= !outline.image;
    outline
}

fn scan(stream: &mut dyn Read, outline: &mut Outline) -> io::Result<()> {
    let mut first = [0; MAGIC_BYTES];
    let length = read_full(&mut *stream, &mut first)?;
    let first = first.get(..length).unwrap_or_default();
    let whole = Cursor::new(first).chain(stream);
    match Compression::sniff(first) {
        None => scan_tar(whole, outline),
        Some(compression) => {
            let inflater = Inflater::new(compression, whole, Windows::Small);
            let budget = Budget::default();
            let meter = Meter::new(&budget, StreamKind::Member);
            scan_tar(MeteredReader { inflater, meter }, outline)
        }
    }
}

/// Decompressed data that ends in an error where it costs too much.
struct MeteredReader<'a, R: Read> {
    inflater: Inflater<'a, R>,
    meter: Meter<'a>,
}

impl<R: Read> Read for MeteredReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inflater.read(buffer)?;
        self.meter.piece(count, self.inflater.consumed()).map_err(io::Error::other)?;
        Ok(count)
    }
}

fn scan_tar(reader: impl Read, outline: &mut Outline) -> io::Result<()> {
    let mut reader = reader.take(limits::INFLATED_TOTAL_BYTES);
    let mut top = BTreeSet::new();
    for _ in 0..limits::ARCHIVE_ENTRIES {
        let mut bytes = [0; BLOCK];
        if read_full(&mut reader, &mut bytes)? < BLOCK {
            return Ok(());
        }
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        let block = Block::from_byte_slice(&bytes);
        let size = block.entry_size()?;
        let path = block.path_bytes();
        let name = String::from_utf8_lossy(&path);
        let name = name.trim_start_matches(['.', '/']).trim_end_matches('/');
        let rest = size
            .checked_add(header::padding(size))
            .ok_or_else(|| io::Error::other("a size that no file has"))?;
        let folded = name.to_ascii_lowercase();
        if let Some(document) = DOCUMENTS.iter().find(|name| **name == folded) {
            let regular = matches!(block.as_bytes().get(156), Some(0 | b'0' | b'7'));
            let mut content = Vec::new();
            if regular && size <= limits::ARCHIVE_JSON_BYTES {
                reader.by_ref().take(rest).read_to_end(&mut content)?;
                content.truncate(usize::try_from(size).unwrap_or(usize::MAX));
            }
            if content.is_empty() || lists_images(document, &content) {
                outline.image = true;
                return Ok(());
            }
            outline.other_documents = true;
            continue;
        }
        if shows_image(&folded) {
            outline.image = true;
            return Ok(());
        }
        let first = name.split('/').next().unwrap_or_default();
        if let Some(directory) = TOP.iter().find(|directory| **directory == first) {
            top.insert(*directory);
        }
        outline.root_file_system |= path.ends_with(b".dockerenv") || top.len() >= TOP_ENOUGH;
        if io::copy(&mut reader.by_ref().take(rest), &mut io::sink())? < rest {
            return Ok(());
        }
    }
    Ok(())
}

/// Documents whose name other archives use too (web apps, browser extensions, repositories of packages).
const DOCUMENTS: [&str; 3] = ["manifest.json", "index.json", "repositories"];

/// Whether a loader could find an image in a document, by the words that it must contain. A damaged
/// document may list one too.
fn lists_images(document: &str, content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim();
    let has = |word: &str| text.contains(word);
    let media_type = has("application/vnd.oci.") || has("application/vnd.docker.");
    let nothing = matches!(text, "" | "[]" | "{}" | "null");
    match document {
        "manifest.json" if text.starts_with('[') => {
            nothing || has("\"config\"") || has("\"layers\"") || has("\"repotags\"")
        }
        "manifest.json" => {
            let parts = ["\"layers\"", "\"manifests\"", "\"fslayers\"", "\"config\""];
            media_type
                || text == "null"
                || has("\"schemaversion\"") && parts.iter().any(|part| has(part))
        }
        "index.json" => media_type || has("\"manifests\""),
        _ => {
            let hex =
                |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            text.starts_with('{') && (nothing || text.split('"').any(hex))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn images_are_told_from_what_has_their_names() {
        let hex = "a".repeat(64);
        let legacy = format!(r#"{{"app":{{"latest":"{hex}"}}}}"#);
        for (name, content) in [
            ("manifest.json", r#"[{"Config":"c.json","Layers":[]}]"#),
            ("manifest.json", r#"[{"config":1"#),
            ("./MANIFEST.json", "[]"),
            ("manifest.json", ""),
            ("manifest.json", r#"{"schemaVersion":2,"config":{},"layers":[]}"#),
            ("index.json", r#"{"schemaVersion":2,"manifests":[]}"#),
            ("repositories", &legacy),
            ("oci-layout", "{}"),
            ("blobs/sha256/x", ""),
        ] {
            assert!(outline(&mut &*tar(&[("a", "x"), (name, content)])).image, "{name} {content}");
        }
        for (name, content) in [
            ("manifest.json", r#"{"name":"PWA","icons":[]}"#),
            ("manifest.json", r#"{"manifest_version":3,"config":"x"}"#),
            ("manifest.json", r#"["a.js","b.js"]"#),
            ("index.json", r#"{"a":1}"#),
            ("index.json", "[1]"),
            ("repositories", "deb http://x y z"),
            ("repositories", r#"{"a":"b"}"#),
        ] {
            let outline = outline(&mut &*tar(&[(name, content), ("index.html", "<p>")]));
            assert!(!outline.image && outline.other_documents, "{name} {content}");
        }
        let both = tar(&[("manifest.json", r#"{"name":"x"}"#), ("blobs/sha256/x", "")]);
        assert!(outline(&mut &*both).image);
    }

    #[test]
    fn a_file_system_is_told() {
        let names = ["bin/sh", "etc/passwd", "usr/bin/x", "var/a", "proc/x", "dev/null"];
        let entries: Vec<_> = names.iter().map(|name| (*name, "")).collect();
        assert!(outline(&mut &*tar(&entries)).root_file_system);
        assert!(outline(&mut &*tar(&[(".dockerenv", ""), ("bin/sh", "")])).root_file_system);
        assert!(!outline(&mut &*tar(&[("app/bin/x", ""), ("etc/x", "")])).root_file_system);
    }
}
