//! Holds the house: a room uses only rooms listed above it, and an outside crate only enters by its
//! door. The order and the doors are those of `docs/architecture.md`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[path = "layering/files.rs"]
mod files;
#[path = "support/rust_modules.rs"]
mod rust_modules;
#[path = "support/rust_paths.rs"]
mod rust_paths;

/// The rooms from the ground up. A room may use itself and every room before it.
const ROOMS: &[&str] = &[
    "digest",
    "limits",
    "parallel",
    "verdict",
    "json",
    "path",
    "directory",
    "key",
    "sigstore",
    "image",
    "trust",
    "artifact",
    "pairing",
    "survey",
    "transfer",
    "release",
    "report",
    "mirror",
    "cli",
];

/// Crates and parts of the standard library that only some rooms may name.
const DOORS: &[(&str, &[&str])] = &[
    ("bip39", &["key"]),
    ("bzip2", &["image"]),
    ("clap", &["cli"]),
    ("crypto_secretbox", &["key"]),
    ("der", &["key", "sigstore"]),
    ("ed25519_dalek", &["key", "sigstore"]),
    ("ctrlc", &["cli"]),
    ("flate2", &["image", "report"]),
    ("globset", &["release"]),
    ("indicatif", &["cli"]),
    ("lzma_rust2", &["image"]),
    ("maud", &["report"]),
    ("oci_spec", &["mirror"]),
    ("p256", &["key", "sigstore"]),
    ("p384", &["key", "sigstore"]),
    ("reqwest", &["mirror"]),
    ("rpassword", &["cli"]),
    ("rsa", &["key", "sigstore"]),
    ("rustix", &["directory"]),
    ("rustls", &["mirror"]),
    ("ruzstd", &["image"]),
    ("scrypt", &["key"]),
    // `key` and `sigstore` hash what signature schemes ask for; digests are made in `digest`.
    ("sha2", &["digest", "key", "sigstore"]),
    ("sigstore_trust_root", &["mirror"]),
    ("sigstore_verify", &["sigstore"]),
    ("spki", &["key", "sigstore"]),
    ("std::env", &["cli"]),
    // `image` and `survey` read a file that others opened.
    ("std::fs::File::create", OPENERS),
    ("std::fs::File::open", OPENERS),
    ("std::fs::File", &["image", "directory", "survey", "mirror", "cli"]),
    ("File::create", OPENERS),
    ("File::open", OPENERS),
    ("std::fs", OPENERS),
    ("std::net", &["mirror"]),
    ("std::process", &["mirror", "cli"]),
    ("std::time::Instant", &["mirror", "cli"]),
    ("std::time::SystemTime", &["cli"]),
    // `mirror` writes the headers of an archive whose layout it knows before its content.
    ("tar", &["image", "mirror"]),
    ("tokio", &["mirror", "cli"]),
    ("toml", &["trust", "mirror"]),
    ("url", &["mirror", "cli"]),
    ("walkdir", &["directory", "cli"]),
    ("x509_cert", &["sigstore"]),
    ("zeroize", &["key", "cli"]),
];

/// The rooms that open files.
const OPENERS: &[&str] = &["directory", "mirror", "cli"];

/// Dependencies without a door: text formats and small conveniences that decide nothing.
const EVERYWHERE: &[&str] = &["base64ct", "jiff", "regex", "serde", "serde_json", "thiserror"];

/// The two crate roots and the room whose doors they share. They may name every room: the library's
/// lists them, the program's calls `cli`.
const ROOTS: &[(&str, &str)] = &[("lib.rs", ""), ("main.rs", "cli")];

#[test]
fn the_house_stands_as_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    assert!(files.len() > 5, "only {} files found under {}", files.len(), root.display());
    let faults: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            faults(file.strip_prefix(&root).unwrap(), &text)
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The rooms are listed for people in two more places.
#[test]
fn the_tables_of_rooms_are_this_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    assert_eq!(listed(&text("src/lib.rs"), "//! - "), ROOMS, "left: src/lib.rs");
    let page = text("docs/architecture.md");
    assert_eq!(listed(&page, "| `"), ROOMS, "left: docs/architecture.md");
    assert_eq!(listed("| `a` | b |\n//! - [`c`], [`d`], `e`, f: `g`", "//! - "), ["c", "d", "e"]);
}

/// The same table says which crates each room is the door for.
#[test]
fn the_table_of_doors_is_this_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = std::fs::read_to_string(page).unwrap();
    let crates: Vec<_> = DOORS
        .iter()
        .filter(|(name, _)| !name.contains("::") && name.starts_with(char::is_lowercase))
        .collect();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = row.split('|').collect();
        let room = columns[1].trim().trim_matches('`');
        let words: BTreeSet<String> = columns[3]
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
            .map(|word| word.replace('-', "_"))
            .filter(|word| crates.iter().any(|(name, _)| name == word))
            .collect();
        let doors: BTreeSet<String> = crates
            .iter()
            .filter(|(_, rooms)| rooms.contains(&room))
            .map(|(name, _)| (*name).to_owned())
            .collect();
        assert_eq!(words, doors, "{room}: left: docs/architecture.md; right: DOORS");
    }
}

/// What the lines with this beginning name in backticks before the text of the row.
fn listed<'a>(text: &'a str, beginning: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(beginning))
        .filter_map(|line| line.split([':', '|']).find(|part| part.contains('`')))
        .flat_map(|names| names.split('`').skip(1).step_by(2))
        .collect()
}

/// People see what `cli`, `mirror` and the text form write: it goes through `verdict::line!` and
/// `verdict::write_json`, which escape whatever they are handed.
#[test]
fn text_for_people_is_written_through_its_doors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Constants only, and markup, which has a door of its own (`report::markup::safe`).
    let others = ["cli/explain.rs", "report/junit.rs", "report/html/"];
    let raw = ["writeln!(", "println!(", "print!(", "to_writer_pretty(", "to_string_pretty("];
    let mut faults = Vec::new();
    for file in rust_files(&root) {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let shown = ["cli/", "mirror/", "report/"].iter().any(|room| name.starts_with(room));
        if !shown || others.iter().any(|it| name.starts_with(it)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        faults
            .extend(raw.iter().filter(|it| code.contains(**it)).map(|it| format!("{name}: {it}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dependency_has_a_door_or_needs_none() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).unwrap();
    let names: BTreeSet<String> = dependencies.keys().map(|name| name.replace('-', "_")).collect();
    let known: BTreeSet<String> = DOORS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.contains("::") && name.starts_with(char::is_lowercase))
        .chain(EVERYWHERE.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(names, known, "left: Cargo.toml; right: DOORS and EVERYWHERE in this file");
}

/// What is wrong with one file; `file` is relative to `src`.
fn faults(file: &Path, text: &str) -> Vec<String> {
    let parts: Vec<&str> = file.iter().map(|part| part.to_str().unwrap()).collect();
    let name = file.display();
    let root = ROOTS.iter().find(|(root, _)| parts == [*root]);
    if let Some((_, doors)) = root {
        return rust_paths::paths(text)
            .iter()
            .filter_map(|path| outside(doors, path))
            .map(|fault| format!("{name}: {fault}"))
            .collect();
    }
    let room = parts[0].trim_end_matches(".rs");
    let Some(level) = ROOMS.iter().position(|other| *other == room) else {
        return vec![format!("{name}: {room} is no room of the house")];
    };
    let depth = parts.len() - usize::from(parts.last() == Some(&"mod.rs"));
    rust_paths::paths(text)
        .iter()
        .filter_map(|path| match room_used(path, depth) {
            Some(used) => match ROOMS.iter().position(|other| *other == used) {
                None => Some(format!("names {used}, which is no room")),
                Some(other) if other > level => {
                    Some(format!("{room} uses {used}, which lies above it"))
                }
                Some(_) => None,
            },
            None => outside(room, path),
        })
        .map(|fault| format!("{name}: {fault}"))
        .collect()
}

/// The room that a path leads to, if it leads to one: by `crate::`, by the library's name, or by
/// enough `super::` to leave the file's own room. `depth` is that of the file's module.
fn room_used(path: &[String], depth: usize) -> Option<&str> {
    let first = path.first()?;
    if first == "crate" || first == "sealift" {
        // `crate::*` and `crate as x` name no room, and would hide which ones are used.
        return path.get(1).map(String::as_str);
    }
    let ups = path.iter().take_while(|part| *part == "super").count();
    let next = path.get(ups)?;
    (ups >= depth && ROOMS.contains(&next.as_str())).then_some(next)
}

/// Why a path to an outside crate may not stand in this room.
fn outside(room: &str, path: &[String]) -> Option<String> {
    let whole = path.join("::");
    if whole == "std::*" || whole == "std as" {
        return Some(String::from("renames or opens std as a whole, which hides what is used"));
    }
    let used = whole.trim_end_matches(" as");
    DOORS
        .iter()
        .find(|(guarded, _)| {
            used.strip_prefix(guarded).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
        .filter(|(_, rooms)| !rooms.contains(&room))
        .map(|(guarded, rooms)| format!("uses {guarded}, whose door is {rooms:?}"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The checker itself, seen to refuse.
#[test]
fn bad_snippets_are_refused() {
    let cases: BTreeMap<(&str, &str), &str> = BTreeMap::from([
        (("digest.rs", "use crate::verdict::Fault;"), "digest uses verdict"),
        (("key/mod.rs", "use crate::{digest, sigstore::Bundle};"), "key uses sigstore"),
        (("key/mod.rs", "fn f() { crate::cli::run() }"), "key uses cli"),
        (("key/pem.rs", "use super::super::sigstore;"), "key uses sigstore"),
        (("key.rs", "use super::{digest, artifact};"), "key uses artifact"),
        (("key/mod.rs", "use crate::nowhere;"), "no room"),
        (("key/mod.rs", "use crate::*;"), "no room"),
        (("key/mod.rs", "use crate as house;"), "no room"),
        (("cellar/mod.rs", ""), "cellar is no room"),
        (("cellar.rs", ""), "cellar is no room"),
        (("image/mod.rs", "use sha2::Sha256;"), "uses sha2"),
        (("image/mod.rs", "type T = ::sha2::Sha256;"), "uses sha2"),
        (("image/mod.rs", "use sha2 as hashes;"), "uses sha2"),
        (("verdict/code.rs", "extern crate clap;"), "uses clap"),
        (("cli/mod.rs", "use std::net::TcpStream;"), "uses std::net"),
        (("transfer/mod.rs", "use reqwest::Client;"), "uses reqwest"),
        (("key/mod.rs", "use std::{io, fs::File};"), "uses std::fs"),
        (("image/mod.rs", "use std::{io, fs};"), "uses std::fs"),
        (("image/mod.rs", "use std::fs::File; fn f() { File::open(\"x\") }"), "uses File::open"),
        (("image/mod.rs", "fn f() { std::fs::File::open(\"x\") }"), "uses std::fs::File::open"),
        (("image/mod.rs", "fn f() { std::fs::read(\"x\"); }"), "uses std::fs"),
        (("image/mod.rs", "use std as s;"), "std as a whole"),
        (("image/mod.rs", "use std::*;"), "std as a whole"),
        (("sigstore/mod.rs", "let now = std::time::SystemTime::now();"), "SystemTime"),
        (("lib.rs", "use std::net::UdpSocket;"), "uses std::net"),
        (("main.rs", "use std::net::UdpSocket;"), "uses std::net"),
        (("main.rs", "fn f() { sha2::hash() }"), "uses sha2"),
    ]);
    for ((file, text), expected) in cases {
        let found = faults(Path::new(file), text);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{file}: {text}: {found:?}");
    }
}

#[test]
fn good_snippets_pass() {
    for (file, text) in [
        ("verdict/mod.rs", "use crate::digest::Sha256Digest; use super::Code;"),
        ("verdict/code.rs", "mod tests { use super::*; use super::super::Outcome; }"),
        ("json.rs", "// use crate::cli;\n/* crate::cli /* nested */ crate::mirror */ fn f() {}"),
        ("json.rs", "const A: &str = \"crate::cli\"; const B: &str = r#\"std::net \" \"#;"),
        ("json.rs", "pub(crate) fn f<'a>(x: &'a str) -> char { '\"' }"),
        ("image/mod.rs", "mod tar; use std::{io::{self, Read as _}, fmt}; use tar::Archive;"),
        ("cli/mod.rs", "use sealift::artifact; use clap::Parser; use std::fs::File;"),
        ("lib.rs", "pub mod cli; pub mod digest;"),
        ("main.rs", "fn main() -> std::process::ExitCode { sealift::cli::run() }"),
        ("artifact/mod.rs", "fn f(tar: &str) { let rsa = tar; g(rsa.der, Some(der)) }"),
    ] {
        assert_eq!(faults(Path::new(file), text), Vec::<String>::new(), "{file}: {text}");
    }
}
