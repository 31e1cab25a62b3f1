//! The seal as a whole: gone, half there, left over, or by somebody else.

use sealift::key::PrivateKey;
use sealift::transfer::{MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS};

use crate::room::{Room, keys};

#[test]
fn a_seal_that_is_gone_is_not_a_plain_folder_to_who_expects_one() {
    let room = Room::sealed();
    for name in SEAL_FILES {
        room.remove(name);
    }
    room.verify("").refused_as_a_whole(1, "FAILED (seal-missing");
    room.verify("--key vendor.pub --trusted-root trusted_root.json")
        .refused_as_a_whole(1, "FAILED (seal-missing");
}

#[test]
fn without_a_seal_and_without_an_expectation_it_is_a_plain_folder() {
    let room = Room::release();
    let plain = room.run("verify d --key vendor.pub --trusted-root trusted_root.json");
    assert_eq!(plain.results().len(), 2, "{}", plain.0.text());
    plain.exit(0).says("d/hello-image.tar: OK (").says("d/tools-1.0.tar.gz: OK (");
}

#[test]
fn any_one_file_of_a_seal_asks_for_the_transfer_key() {
    for kept in SEAL_FILES {
        let room = Room::sealed();
        for name in SEAL_FILES.into_iter().filter(|name| *name != kept) {
            room.remove(name);
        }
        let words = "verify d --key vendor.pub --trusted-root trusted_root.json";
        let answer = room.run(words);
        answer.refused_as_a_whole(2, "ERROR (no-transfer-key").mentions(kept);
        room.verify("").refused_as_a_whole(1, "FAILED (seal-missing");
    }
}

#[test]
fn a_whole_seal_asks_for_the_transfer_key_too() {
    let room = Room::sealed();
    room.run("verify d --key vendor.pub").refused_as_a_whole(2, "ERROR (no-transfer-key");
    room.run("verify d").refused_as_a_whole(2, "ERROR (no-transfer-key");
}

#[test]
fn what_a_sealing_left_says_that_it_did_not_end() {
    for left in [
        "manifest.json.sealift-tmp",
        "manifest.json.sig.sealift-tmp",
        "SHA256SUMS.sealift-tmp",
        "manifest.json.sealift-tmp.sealift-tmp",
        "trust/trusted_root.json.sealift-tmp",
        "tools/verify-with-openssl.sh.sealift-tmp",
    ] {
        let room = Room::sealed();
        room.write(left, b"");
        room.verify("").refused_as_a_whole(1, "FAILED (seal-incomplete").mentions(left);
        // Sealing again completes it, and removes what was left.
        room.seal_as_usual("").exit(0);
        assert!(!room.files().contains(&left.to_owned()), "{left}");
        room.verify("").accepted(2);
    }
}

#[test]
fn a_seal_that_was_begun_is_not_a_plain_folder() {
    let room = Room::release();
    room.write("manifest.json.sealift-tmp", b"");
    room.run("verify d --key vendor.pub --trusted-root trusted_root.json")
        .refused_as_a_whole(1, "FAILED (seal-incomplete");
}

#[test]
fn a_changed_manifest_is_never_read() {
    let room = Room::sealed();
    let text = String::from_utf8(room.read(MANIFEST)).unwrap();
    for (from, to) in [
        ("\"serial\": 1", "\"serial\": 2"),
        ("\"stream\": \"default\"", "\"stream\": \"defaulT\""),
        ("\"name\": \"hello-image.tar\"", "\"name\": \"goodbye-image.tar\""),
        ("\"requested\": []", "\"requested\": [ ]"),
        ("}\n", "}\n\n"),
        ("{", "not JSON at all {"),
    ] {
        assert!(text.contains(from), "{from}");
        room.write(MANIFEST, text.replacen(from, to, 1));
        room.verify("").refused_as_a_whole(1, "FAILED (seal-invalid");
    }
    room.write(MANIFEST, text.trim_end());
    room.verify("").refused_as_a_whole(1, "FAILED (seal-invalid");
    room.write(MANIFEST, text);
    room.verify("").accepted(2);
}

#[test]
fn a_seal_by_another_key_is_no_seal() {
    let room = Room::sealed();
    let other = PrivateKey::generate().unwrap();
    room.sign(&room.read(MANIFEST), &other);
    let answer = room.verify("").refused_as_a_whole(1, "FAILED (seal-invalid");
    answer.mentions(&keys().private.public().fingerprint().to_string());
    // Nor is the vendor's key one, nor a key that lies in the directory.
    room.write("trust/keys/evil.pub", other.public().to_pem());
    room.verify("").refused_as_a_whole(1, "FAILED (seal-invalid");
    room.run("verify d --transfer-key vendor.pub").refused_as_a_whole(1, "FAILED (seal-invalid");
}

#[test]
fn the_signature_of_another_transfer_is_no_seal() {
    let (one, other) = (Room::sealed(), Room::sealed());
    other.seal_as_usual("").exit(0);
    for name in [SIGNATURE, SIGSTORE] {
        one.write(name, other.read(name));
    }
    one.verify("").refused_as_a_whole(1, "FAILED (seal-invalid");
    let (one, other) = (Room::sealed(), Room::release());
    other.write("notes", b"x");
    other.seal_as_usual("--allow-unsigned notes").exit(0);
    one.write(SUMS, other.read(SUMS));
    one.verify("").refused_as_a_whole(1, "FAILED (seal-not-canonical");
}
