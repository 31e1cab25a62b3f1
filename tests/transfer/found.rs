//! What lies in a directory and is taken for something: material that is more than that, traces of a seal that
//! are none, names that a medium cut, and files that a system wrote.

use std::fs;

use sealift::digest::Sha256Digest;
use sealift::transfer::FileEntry;
use serde_json::{Value, json};

use crate::room::{Room, example};
use crate::support::log::{TestKey, hex, sha256};

const PLAIN: &str = "--key vendor.pub --trusted-root trusted_root.json";
const SEAL: [&str; 4] =
    ["SHA256SUMS", "manifest.json", "manifest.json.sig", "manifest.json.sigstore.json"];

/// Seals a file that the program would not seal.
fn with_sealed(name: &str, bytes: &[u8]) -> Room {
    let room = Room::sealed();
    room.write(name, bytes);
    room.reseal(|manifest| {
        manifest.files.push(FileEntry {
            path: name.to_owned(),
            size: bytes.len() as u64,
            sha256: Sha256Digest::of(bytes),
            segments: Vec::new(),
        });
        manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    });
    let policy = "version = 1\ntrusted_root = \"trusted_root.json\"\n[[transfer.key]]\nname = \"us\"\nfile = \
                  \"transfer.pub\"\n[[vendor]]\nname = \"k2view\"\n[[vendor.key]]\nname = \"now\"\nfile = \
                  \"vendor.pub\"\n";
    room.write_beside("trust.toml", policy);
    room
}

fn with(value: &[u8], name: &str, member: Value) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(value).unwrap();
    value.as_object_mut().unwrap().insert(name.to_owned(), member);
    value.to_string().into_bytes()
}

#[test]
fn a_sealed_document_of_another_program_is_no_material() {
    let key_name = br#"{"publicKey":"https://v.example/vendor.pub"}"#;
    let root = with(&example("trusted_root.json"), "scripts", json!({"postinstall": "sh x"}));
    let bundle = with(&example("hello_signature.bundle"), "services", json!({}));
    let key = [b"#!/bin/sh\n", example("vendor.pub").as_slice()].concat();
    for (name, bytes) in [
        ("package.json", root),
        ("docker-compose.json", bundle),
        ("app.json", key_name.to_vec()),
        ("images/x_publickey.json", key_name.to_vec()),
        ("run.pub", key),
    ] {
        let room = with_sealed(name, &bytes);
        let answer = room.run("verify d --trust trust.toml --require-coverage");
        assert_ne!(answer.0.status, Some(0), "{name}");
        answer.mentions(&format!("{name}: FAILED (not-covered"));
        // Without a policy the seal's word is enough, and that is said.
        room.verify("-v").exit(0).mentions(&format!("no vendor's signature: {name}"));
    }
    for (name, bytes) in [
        ("root.json", example("trusted_root.json")),
        ("spare.json", example("hello_signature.bundle")),
        ("other.pub", example("vendor.pub")),
    ] {
        let room = with_sealed(name, &bytes);
        room.run("verify d --trust trust.toml --require-coverage").exit(0);
    }
}

#[test]
fn what_is_material_and_more_stops_a_seal() {
    for (name, bytes) in [
        ("package.json", example("trusted_root.json")),
        ("compose.json", example("hello_signature.bundle")),
        ("tools-1.0.tar.gz_publickey.json", example("tools-1.0.tar.gz_publickey.json")),
    ] {
        let room = Room::release();
        room.write(name, with(&bytes, "scripts", json!({})));
        let answer = room.seal_as_usual("").exit(1);
        answer.says(&format!("{name}: FAILED (material-unknown-member: "));
        assert!(!room.path("manifest.json").exists());
    }
}

#[test]
fn a_sealed_bundle_with_a_stranger_s_member_signs_nothing() {
    let room = Room::sealed();
    let name = "hello_signature.bundle";
    let bytes = with(&example(name), "scripts", json!({}));
    room.write(name, &bytes);
    room.reseal(|manifest| {
        let file = manifest.files.iter_mut().find(|it| it.path == name).unwrap();
        (file.size, file.sha256) = (bytes.len() as u64, Sha256Digest::of(&bytes));
    });
    room.verify("").exit(1).says("hello-image.tar: FAILED (material-unknown-member: ");
}

/// The folder is a transfer directory for whoever looks: never judged as a plain one.
#[track_caller]
fn is_transfer(room: &Room, what: &str) {
    for (words, name) in [("d", "d"), ("outer", "outer/d")] {
        let plain = room.run(&format!("verify {words} {PLAIN}"));
        let text = plain.0.text();
        assert!([Some(1), Some(2)].contains(&plain.0.status), "{what}: {text}");
        assert!(plain.0.stdout.contains(&format!("{name}: ")), "{what}: {text}");
        assert!(!plain.0.stdout.contains(": OK ("), "{what}: {text}");
        let known = room.run(&format!("verify {words} --transfer-key transfer.pub"));
        assert_eq!(known.0.status, Some(1), "{what}: {}", known.0.text());
        assert!(!known.0.stdout.contains(&format!("{name}: OK (")), "{what}: {}", known.0.text());
    }
}

/// A copy of `d` below another folder.
fn nest(room: &Room) {
    let outer = room.beside("outer");
    let _ = fs::remove_dir_all(&outer);
    for name in room.files() {
        let path = outer.join("d").join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, room.read(&name)).unwrap();
    }
}

#[test]
fn nothing_that_is_done_to_one_file_of_a_seal_hides_it() {
    for name in SEAL {
        let bytes = Room::sealed().read(name);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let room = Room::sealed();
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            room.write(name, &changed);
            nest(&room);
            is_transfer(&room, &format!("{name} flipped at {at}"));
        }
        let room = Room::sealed();
        room.remove(name);
        nest(&room);
        is_transfer(&room, &format!("{name} gone"));
        let room = Room::sealed();
        room.rename(name, &format!("{name}.sealift-tmp"));
        nest(&room);
        is_transfer(&room, &format!("{name} half-written"));
        // The last one that is left, whatever lies beside it and however it is called.
        for called in [name.to_owned(), name.to_ascii_uppercase(), name.to_ascii_lowercase()] {
            let room = Room::sealed();
            SEAL.iter().filter(|it| **it != name).for_each(|it| room.remove(it));
            room.rename(name, &called);
            nest(&room);
            is_transfer(&room, &format!("{called} alone"));
            room.write("index.json", b"{}");
            room.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
            nest(&room);
            is_transfer(&room, &format!("{called} in what calls itself a layout"));
        }
    }
    // Each in another case, and it is the same seal.
    for name in SEAL {
        let room = Room::sealed();
        room.rename(name, &name.to_ascii_uppercase().replace("SHA256SUMS", "sha256sums"));
        room.verify("").accepted(2);
        room.run(&format!("verify d {PLAIN}")).exit(2).says("d: ERROR (no-transfer-key: ");
    }
}

/// A release whose vendor signs a list of this name.
fn with_list(name: &str, content: &[u8]) -> Room {
    let room = Room::empty();
    room.write_beside("list.pub", TestKey::new(1).pem().as_bytes());
    let bundle = |bytes: &[u8]| TestKey::new(1).bundle(&format!("{}\n", hex(&sha256(bytes))));
    room.write("tools.tgz", b"tools");
    room.write("tools.tgz_signature.bundle", bundle(b"tools").as_bytes());
    room.write(name, content);
    room.write(&format!("{name}_signature.bundle"), bundle(content).as_bytes());
    room
}

const LISTED: &str = "--key list.pub --insecure-ignore-tlog";

#[test]
fn a_list_that_a_vendor_signed_is_an_artifact_like_any_other() {
    let sums = format!("{}  tools.tgz\n", hex(&sha256(b"tools")));
    for (name, content) in [("SHA256SUMS", sums.as_str()), ("manifest.json", r#"{"tools":1}"#)] {
        let room = with_list(name, content.as_bytes());
        for words in ["", "--unsealed", "--require-coverage"] {
            let answer = room.run(&format!("verify d {LISTED} {words}")).exit(0);
            answer.says(&format!("d/{name}: OK (package, ")).says("d/tools.tgz: OK (package, ");
        }
        nest(&room);
        room.run(&format!("verify outer {LISTED}")).exit(0).says(&format!("outer/d/{name}: OK ("));
        // Where a seal is expected, it is none.
        room.verify(LISTED).refused_as_a_whole(1, "FAILED (seal-missing");
        room.run(&format!("verify outer --transfer-key transfer.pub {LISTED}")).exit(1);
        // By a key that nobody named, over other bytes, or with another file of a seal: it is a trace.
        room.run(&format!("verify d {PLAIN}")).exit(2).says("d: ERROR (no-transfer-key: ");
        room.write("manifest.json.sig", b"eA==\n");
        room.run(&format!("verify d {LISTED}")).exit(2).says("d: ERROR (no-transfer-key: ");
        room.remove("manifest.json.sig");
        let mut other = content.as_bytes().to_vec();
        other[3] ^= 1;
        room.write(name, &other);
        room.run(&format!("verify d {LISTED}")).exit(2).says("d: ERROR (no-transfer-key: ");
        room.write(name, content.as_bytes());
        // To seal it, it goes into a subdirectory; that is said, and holds.
        let words = "--vendor-key list.pub --insecure-ignore-tlog";
        room.seal(words).error("output-exists").mentions("subdirectory");
        room.rename(name, &format!("vendor/{name}"));
        room.rename(
            &format!("{name}_signature.bundle"),
            &format!("vendor/{name}_signature.bundle"),
        );
        room.seal(words).exit(0);
        room.verify("--insecure-ignore-tlog").exit(0).says(&format!("{name}: OK (package, "));
    }
}

#[test]
fn a_directory_is_named_for_what_it_is() {
    let room = Room::empty();
    let archive = example("hello-image.tar");
    fs::create_dir(room.beside("unpacked")).unwrap();
    tar::Archive::new(archive.as_slice()).unpack(room.beside("unpacked")).unwrap();
    for name in ["index.json", "oci-layout"] {
        let _ = fs::remove_file(room.beside("unpacked").join(name));
    }
    fs::create_dir(room.beside("copied")).unwrap();
    room.write_beside("copied/version", "Directory Transport Version: 1.1\n");
    room.write_beside("copied/manifest.json", r#"{"schemaVersion":2,"config":{},"layers":[]}"#);
    fs::create_dir(room.beside("listed")).unwrap();
    room.write_beside("listed/SHA256SUMS", format!("{}  x\n", hex(&sha256(b"x"))));
    for (folder, words) in
        [("unpacked", "docker save"), ("copied", "skopeo copy"), ("listed", "a list of digests")]
    {
        for command in ["verify", "inspect"] {
            let key = if command == "verify" { PLAIN } else { "" };
            let answer = room.run(&format!("{command} {folder} {key}")).exit(2);
            answer.mentions(words).never_mentions("Stop the deployment").never_mentions("podman …");
        }
        let answer = room.run(&format!("verify {folder} --transfer-key transfer.pub")).exit(1);
        answer.mentions("seal-missing").mentions(words);
    }
    let room = Room::sealed();
    let answer = room.run("inspect d").exit(2);
    answer.mentions("this is a transfer directory").never_mentions("podman");
}

#[test]
fn a_seal_whose_names_the_medium_cut_is_told() {
    let level_1 = [
        ("SHA256SUMS", "SHA256SU.;1"),
        ("manifest.json", "MANIFEST.JSO;1"),
        ("manifest.json.sig", "MANIFEST.SIG;1"),
        ("manifest.json.sigstore.json", "MANIF000.JSO;1"),
    ];
    let mounted = level_1.map(|(meant, found)| {
        (meant, found.trim_end_matches(";1").trim_end_matches('.').to_ascii_lowercase())
    });
    let level_2 = [
        ("SHA256SUMS", "SHA256SUMS.;1"),
        ("manifest.json", "MANIFEST.JSON;1"),
        ("manifest.json.sig", "MANIFEST_JSON.SIG;1"),
        ("manifest.json.sigstore.json", "MANIFEST_JSON_SIGSTORE.JSON;1"),
    ];
    for names in [
        level_1.map(|(meant, found)| (meant, found.to_owned())),
        mounted,
        level_2.map(|(meant, found)| (meant, found.to_owned())),
    ] {
        let room = Room::sealed();
        names.iter().for_each(|(meant, found)| room.rename(meant, found));
        room.verify("").refused_as_a_whole(1, "FAILED (name-mangled");
        room.run(&format!("verify d {PLAIN}")).refused_as_a_whole(1, "FAILED (name-mangled");
        nest(&room);
        room.run(&format!("verify outer {PLAIN}")).exit(1).says("outer/d: FAILED (name-mangled: ");
        for (meant, found) in &names {
            let room = Room::sealed();
            room.rename(meant, found);
            let answer = room.verify("").exit(1).mentions("name-mangled");
            answer.mentions(&format!("expected {meant}, found {found}")).mentions("Joliet");
        }
    }
}

#[test]
fn files_of_a_system_have_words_of_their_own_and_are_not_accepted() {
    for name in [
        "System Volume Information/WPSettings.dat",
        "$RECYCLE.BIN/desktop.ini",
        "._hello-image.tar",
        ".DS_Store",
        ".Trashes/501/x",
        ".Spotlight-V100/x",
        ".fseventsd/0000",
        "Thumbs.db",
        "lost+found/x",
        "FOUND.000/FILE0000.CHK",
    ] {
        let bytes = b"\x0c\0\0\0\xaa\xbb\xcc\xdd";
        let room = Room::sealed();
        room.write(name, bytes);
        room.verify("").exit(1).says(&format!("{name}: EXTRA (system-file: "));
        let room = Room::release();
        room.write(name, bytes);
        let answer = room.run(&format!("verify d {PLAIN}")).exit(1);
        answer.says(&format!("d/{name}: EXTRA (system-file: ")).says("d/hello-image.tar: OK (");
        let answer = room.seal_as_usual("").exit(1);
        answer
            .says(&format!("{name}: EXTRA (system-file: "))
            .mentions("--exclude")
            .never_mentions("--allow-unsigned")
            .never_mentions("cut off");
        assert!(!room.path("manifest.json").exists());
    }
}

#[test]
fn what_is_excluded_is_not_sealed_and_must_not_be_carried() {
    let room = Room::release();
    room.write(".DS_Store", b"x");
    room.write("System Volume Information/a", b"x");
    let answer = room.seal_as_usual("--exclude .DS_Store --exclude System*").exit(0);
    answer.mentions("not sealed, because --exclude matches").mentions("Leave them off the medium");
    let listed = |it: &FileEntry| it.path.contains("DS_Store") || it.path.contains("Volume");
    assert!(!room.manifest().files.iter().any(listed));
    room.verify("").exit(1).says(".DS_Store: EXTRA (system-file: ");
    fs::remove_file(room.path(".DS_Store")).unwrap();
    fs::remove_dir_all(room.path("System Volume Information")).unwrap();
    room.verify("").accepted(2);
    // What sealing writes is not left out, and what is not excluded is still judged.
    room.seal_as_usual("--exclude *.pub").error("usage");
    room.seal_as_usual("--exclude [").error("pattern-invalid");
    room.write("stray", b"x");
    room.seal_as_usual("--exclude *.txt").exit(3).mentions("stray: UNSIGNED (no-bundle");
}
