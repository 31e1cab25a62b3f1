//! Paths that mean different files on different systems, in a manifest that the right key sealed, and
//! in a folder that is to be sealed.

use sealift::digest::Sha256Digest;
use sealift::transfer::{Artifact, FileEntry};

use crate::room::Room;

fn entry(path: &str, bytes: &[u8]) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        size: bytes.len() as u64,
        sha256: Sha256Digest::of(bytes),
        segments: Vec::new(),
    }
}

/// A sealed room whose manifest lists one file more.
fn listing(path: &str) -> Room {
    let room = Room::sealed();
    room.reseal(|it| {
        it.files.push(entry(path, b"x"));
        it.files.sort_by(|a, b| a.path.cmp(&b.path));
    });
    room
}

const UNPORTABLE: &[&str] = &[
    "",
    "..",
    "../evil",
    "a/../evil",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "/etc/passwd",
    "//server/share",
    "C:/evil",
    "C:evil",
    "\\\\server\\share",
    "a\\b",
    "..\\evil",
    "NUL",
    "nul.txt",
    "CON",
    "con.tar.gz",
    "sub/AUX",
    "PRN .txt",
    "COM1",
    "lpt9.tar",
    "COM0",
    "CONIN$",
    "a.",
    "a/b./c",
    "a ",
    " a",
    "a /b",
    "a.tar.",
    "a:stream",
    "a*",
    "a?",
    "a\"b",
    "a<b",
    "a>b",
    "a|b",
    "a\nb",
    "a\0b",
    "a\u{7f}b",
    "a\u{1b}[2Jb",
    // The same word, composed and decomposed.
    "caf\u{e9}",
    "cafe\u{301}",
    "a\u{202e}b",
    "\u{ff0e}\u{ff0e}/a",
];

#[test]
fn a_manifest_lists_portable_paths_only() {
    for path in UNPORTABLE {
        let answer = listing(path).verify("");
        let text = answer.0.text();
        assert!(text.starts_with("d: FAILED (path-not-portable: "), "{path:?}: {text}");
        answer.exit(1);
    }
}

#[test]
fn artifacts_bundles_and_base_paths_are_held_to_the_same() {
    for path in ["../hello-image.tar", "C:hello", "a\\b", "NUL", "/d/hello-image.tar"] {
        let room = Room::sealed();
        room.reseal(|it| it.artifacts[0].path = path.to_owned());
        room.verify("").refused_as_a_whole(1, "FAILED (path-not-portable");
        let room = Room::sealed();
        room.reseal(|it| it.artifacts[0].bundles = vec![path.to_owned()]);
        room.verify("").refused_as_a_whole(1, "FAILED (path-not-portable");
    }
}

#[test]
fn lengths_have_one_limit() {
    let part = |length: usize| "p".repeat(length);
    let long = |total: usize| {
        // Parts of 200 bytes, the last one fills up.
        let front = format!("{0}/{0}/{0}/{0}/", part(200));
        let rest = total - front.len();
        format!("{front}{}", part(rest))
    };
    for path in [part(255), format!("sub/{}", part(255)), long(1024)] {
        let room = listing(&path);
        room.write(&path, b"x");
        room.verify("").accepted(2);
    }
    for path in [part(256), format!("sub/{}/x", part(256)), long(1025)] {
        listing(&path).verify("").refused_as_a_whole(1, "FAILED (path-not-portable");
    }
}

#[test]
fn names_of_the_seal_are_no_names_of_files() {
    for path in [
        "manifest.json",
        "MANIFEST.JSON",
        "manifest.json.sig",
        "Manifest.json.sigstore.json",
        "SHA256SUMS",
        "sha256sums",
        "manifest.json/x",
        "SHA256SUMS/deep/er",
        "a.sealift-tmp",
        "a.SEALIFT-TMP/b",
        // So are the directories that the seal keeps.
        "TRUST/trusted_root.json",
        "Trust/evil.tar",
        "Tools/setup.exe",
        "trust",
        "Tools",
        "trust/payload/install.sh",
        "trust/install.sh",
        "trust/trusted_root.JSON",
        "trust/keys/install.sh",
        "trust/keys/0123456789abcdef.PUB",
        "trust/keys/0123456789ABCDEF.pub",
        "trust/keys/x/0123456789abcdef.pub",
    ] {
        listing(path).verify("").refused_as_a_whole(1, "FAILED (manifest-malformed");
    }
    // Deeper they are names like any other.
    for path in ["sub/manifest.json", "sub/SHA256SUMS"] {
        let room = listing(path);
        room.write(path, b"x");
        room.verify("").accepted(2);
    }
}

#[test]
fn names_that_are_one_on_some_media_are_refused() {
    for path in [
        "HELLO-IMAGE.tar",
        "Vendor.pub",
        "tools/Verify-With-OpenSSL.sh",
        // A file and a directory.
        "vendor.pub/x",
        "VENDOR.PUB/x",
    ] {
        listing(path).verify("").refused_as_a_whole(1, "FAILED (name-collision");
    }
}

#[test]
fn what_can_t_be_carried_is_not_sealed() {
    for (name, code) in [
        ("caf\u{e9}.txt", "path-not-portable"),
        ("cafe\u{301}.txt", "path-not-portable"),
        ("a:b", "path-not-portable"),
        ("a\\b", "path-not-portable"),
        ("nul.txt", "path-not-portable"),
        ("sub/AUX", "path-not-portable"),
        ("trailing ", "path-not-portable"),
        ("dot.", "path-not-portable"),
        ("two\nlines", "path-not-portable"),
        ("HELLO-IMAGE.tar", "name-collision"),
        ("Manifest.JSON", "name-collision"),
        ("sha256sums", "name-collision"),
    ] {
        let room = Room::release();
        room.write(name, b"x");
        let before = room.state_of_disk();
        room.seal_as_usual("").exit(1).mentions(&format!("FAILED ({code}: "));
        assert_eq!(room.state_of_disk(), before, "{name:?}: something was written");
    }
}

#[test]
fn one_bundle_path_can_serve_two_equal_artifacts() {
    let room = Room::sealed();
    room.write("copy/hello-image.tar", room.read("hello-image.tar"));
    let bytes = room.read("hello-image.tar");
    room.reseal(|it| {
        it.files.push(entry("copy/hello-image.tar", &bytes));
        it.files.sort_by(|a, b| a.path.cmp(&b.path));
        let copy = Artifact {
            name: "copy".to_owned(),
            path: "copy/hello-image.tar".to_owned(),
            ..it.artifacts[0].clone()
        };
        it.artifacts.push(copy);
    });
    room.verify("").accepted(3);
}
