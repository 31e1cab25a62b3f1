//! Every file of a sealed directory, damaged in every way: the answer is never OK, never exit 0, and
//! names the file.

use sealift::transfer::{MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS};

use crate::room::{Answer, Room};

/// What the answer must be when a file of the seal has other bytes.
fn seal_code(name: &str) -> &'static [&'static str] {
    match name {
        MANIFEST => &["FAILED (seal-invalid"],
        // A changed signature is no base64, no DER, or no signature over the manifest.
        SIGNATURE => &["FAILED (seal-malformed", "FAILED (seal-invalid"],
        SIGSTORE | SUMS => &["FAILED (seal-not-canonical"],
        other => panic!("{other}"),
    }
}

/// The line by which a file is known: an artifact by its own name, the rest by their paths.
#[track_caller]
fn refused(answer: Answer, name: &str) {
    let text = answer.0.text();
    if SEAL_FILES.contains(&name) {
        let fits = seal_code(name).iter().any(|code| text.starts_with(&format!("d: {code}")));
        assert!(fits && answer.0.status == Some(1), "{name}: {text}");
        return;
    }
    // A key or the trusted root is said once more by the artifacts that rest on it.
    answer
        .exit(1)
        .says("d: FAILED (transfer-not-verified: ")
        .says(&format!("{name}: FAILED (file-mismatch: "))
        .mentions(&format!("d/{name}"));
}

/// Applies a change to each file of a sealed directory in turn.
fn for_each_file(change: impl Fn(&Room, &str, &[u8])) {
    let all = Room::sealed();
    let names = all.files();
    assert_eq!(names.len(), 14);
    for name in names {
        let room = Room::sealed();
        let bytes = room.read(&name);
        change(&room, &name, &bytes);
        let answer = room.verify("");
        assert!(!answer.0.stdout.contains("d: OK"), "{name}: {}", answer.0.text());
        refused(answer, &name);
    }
}

#[test]
fn one_bit_is_enough() {
    for_each_file(|room, name, bytes| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        room.write(name, bytes);
    });
}

#[test]
fn so_is_the_last_bit() {
    for_each_file(|room, name, bytes| {
        let mut bytes = bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 0x80;
        room.write(name, bytes);
    });
}

#[test]
fn so_is_a_byte_less() {
    for_each_file(|room, name, bytes| room.write(name, &bytes[..bytes.len() - 1]));
}

#[test]
fn so_is_half_of_it() {
    for_each_file(|room, name, bytes| room.write(name, &bytes[..bytes.len() / 2]));
}

#[test]
fn so_is_nothing_of_it() {
    for_each_file(|room, name, _| room.write(name, b""));
}

#[test]
fn so_is_a_byte_more() {
    for last in [0_u8, b'\n', b' '] {
        for_each_file(|room, name, bytes| {
            let mut bytes = bytes.to_vec();
            bytes.push(last);
            room.write(name, bytes);
        });
    }
}

#[test]
fn so_is_a_block_more() {
    for_each_file(|room, name, bytes| {
        let mut bytes = bytes.to_vec();
        bytes.extend_from_slice(&[0; 512]);
        room.write(name, bytes);
    });
}

#[test]
fn a_file_that_went_is_missed() {
    for name in Room::sealed().files() {
        let room = Room::sealed();
        room.remove(&name);
        let answer = room.verify("");
        if SEAL_FILES.contains(&name.as_str()) {
            answer.refused_as_a_whole(1, "FAILED (seal-missing").mentions(&name);
        } else {
            answer
                .exit(1)
                .says("d: FAILED (transfer-not-verified: ")
                .says(&format!("{name}: MISSING (file-missing: "));
        }
    }
}

#[test]
fn a_file_under_another_name_is_missed_and_is_one_too_many() {
    for name in Room::sealed().files() {
        let room = Room::sealed();
        room.rename(&name, "zz");
        let answer = room.verify("");
        if SEAL_FILES.contains(&name.as_str()) {
            answer.refused_as_a_whole(1, "FAILED (seal-missing");
        } else {
            answer
                .exit(1)
                .says("d: FAILED (transfer-not-verified: ")
                .says(&format!("{name}: MISSING (file-missing: "))
                .says("zz: EXTRA (file-extra: ");
        }
    }
}

#[test]
fn a_file_in_another_folder_is_missed_and_is_one_too_many() {
    for name in Room::sealed().files() {
        let room = Room::sealed();
        let there = format!("sub/{name}");
        room.rename(&name, &there);
        let answer = room.verify("");
        if SEAL_FILES.contains(&name.as_str()) {
            answer.refused_as_a_whole(1, "FAILED (seal-missing");
        } else {
            answer
                .exit(1)
                .says(&format!("{name}: MISSING (file-missing: "))
                .says(&format!("{there}: EXTRA (file-extra: "));
        }
    }
}

#[test]
fn two_files_that_changed_places_are_both_refused() {
    let names = Room::sealed().files();
    for (one, other) in names.iter().zip(names.iter().skip(1)) {
        let room = Room::sealed();
        let (first, second) = (room.read(one), room.read(other));
        if first == second {
            // The vendor's key lies in the release and, equal to the byte, in trust/keys.
            continue;
        }
        room.write(one, second);
        room.write(other, first);
        let answer = room.verify("");
        let text = answer.0.text();
        assert_eq!(answer.0.status, Some(1), "{one} {other}: {text}");
        assert!(!text.contains("d: OK"), "{one} {other}: {text}");
        let of_the_seal = [one, other].iter().any(|it| SEAL_FILES.contains(&it.as_str()));
        if !of_the_seal {
            for name in [one, other] {
                refused(room.verify(""), name);
            }
        }
    }
}

#[test]
fn a_file_that_was_never_sealed_is_one_too_many() {
    for extra in [
        "README",
        "sub/folder/evil.tar",
        "trust/keys/evil.pub",
        "trust/other.json",
        "tools/evil.sh",
        ".hidden",
        "manifest.json.sig.old",
        "sub/manifest.json",
        "sub/SHA256SUMS",
        "evil.sealift-tmp",
    ] {
        let room = Room::sealed();
        room.write(extra, b"x");
        let answer = room.verify("").exit(1).says("d: FAILED (transfer-not-verified: 1 of ");
        answer.says(&format!("{extra}: EXTRA (file-extra: ")).says("hello-image.tar: OK (");
    }
    // A copy of a good artifact with its bundle is no better.
    let room = Room::sealed();
    room.write("copy.tar", room.read("hello-image.tar"));
    room.verify("").exit(1).says("copy.tar: EXTRA (file-extra: ");
}

#[test]
fn each_answer_is_given_whatever_else_is_wrong() {
    let room = Room::sealed();
    room.write("hello-image.tar", b"other");
    room.remove("vendor.pub");
    room.write("stranger", b"x");
    let answer = room.verify("--key vendor.pub");
    answer
        .exit(1)
        .says("hello-image.tar: FAILED (file-mismatch: ")
        .says("tools-1.0.tar.gz: OK (")
        .says("vendor.pub: MISSING (file-missing: ")
        .says("stranger: EXTRA (file-extra: ")
        .says("d: FAILED (transfer-not-verified: 3 of 10 ");
}

#[test]
fn an_archive_of_the_same_size_and_id_is_not_the_sealed_one() {
    // Same size, same signed id, one word in a layer changed.
    let room = Room::sealed();
    room.write("hello-image.tar", crate::room::example("tampered-image.tar"));
    for words in ["", "--full-digest", "--key vendor.pub"] {
        room.verify(words).exit(1).says("hello-image.tar: FAILED (file-mismatch: ");
    }
}
