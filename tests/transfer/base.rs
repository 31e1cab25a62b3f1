//! Transfers that say that something is missing, and transfers that build on an earlier one.

use std::fs;
use std::path::Path;

use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use sealift::transfer::{Base, BaseArtifact, MANIFEST, ManifestKind, OmittedItem};

use crate::room::Room;

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let there = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(there).unwrap();
        } else {
            fs::copy(entry.path(), there).unwrap();
        }
    }
}

/// `base` beside `d` holds everything, `d` only the package and the word that the image is in `base`.
fn differential() -> Room {
    let room = Room::sealed();
    copy(&room.dir(), &room.beside("base"));
    let digest = Sha256Digest::of(&room.read(MANIFEST));
    let image = Sha256Digest::of(&room.read("hello-image.tar"));
    for name in ["hello-image.tar", "hello_signature.bundle"] {
        room.remove(name);
    }
    room.reseal(|it| {
        it.base = Some(Base {
            transfer_id: it.transfer_id.clone(),
            manifest: digest,
            stream: it.stream.clone(),
            serial: it.serial,
            artifacts: vec![BaseArtifact {
                kind: ManifestKind::Image,
                name: "hello-image.tar".to_owned(),
                path: "hello-image.tar".to_owned(),
                sha256: image,
            }],
        });
        it.transfer_id = "0".repeat(32);
        it.serial += 1;
        it.artifacts.retain(|it| it.kind == ManifestKind::Package);
        it.files.retain(|it| !it.path.starts_with("hello"));
    });
    room
}

#[test]
fn what_could_not_be_brought_is_told_and_is_no_success() {
    let room = Room::sealed();
    room.reseal(|it| {
        it.omitted.push(OmittedItem {
            kind: ManifestKind::Image,
            name: "registry.example/big:1".to_owned(),
            code: "no-bundle".to_owned(),
            reason: "the vendor has not signed it".to_owned(),
        });
    });
    let answer = room.verify("").exit(3);
    answer
        .says("registry.example/big:1: OMITTED (omitted: ")
        .mentions("[no-bundle] the vendor has not signed it")
        .says("hello-image.tar: OK (")
        .says("d: UNDECIDED (transfer-undecided: 1 ");
    // Wrong wins over absent.
    room.write("extra", b"x");
    room.verify("").exit(1).says("d: FAILED (transfer-not-verified: ");
}

#[test]
fn an_earlier_transfer_must_be_given() {
    let room = differential();
    let answer = room.verify("").exit(3).says("d: UNDECIDED (base-not-given: ");
    answer.says("tools-1.0.tar.gz: OK (");
}

#[test]
fn an_earlier_transfer_is_checked_whole() {
    let room = differential();
    let answer = room.verify("--base base").exit(0);
    let results = answer.results();
    assert_eq!(results.len(), 5, "{}", answer.0.text());
    assert!(results.iter().all(|it| it.contains(": OK (")), "{}", answer.0.text());
    assert!(results[3].starts_with("base: OK (transfer, "), "{}", answer.0.text());
    assert!(results[4].starts_with("d: OK (transfer, "), "{}", answer.0.text());

    for name in ["hello-image.tar", "tools-1.0.tar.gz", "vendor.pub", MANIFEST] {
        let room = differential();
        let mut bytes = fs::read(room.beside("base").join(name)).unwrap();
        bytes[10] ^= 1;
        fs::write(room.beside("base").join(name), bytes).unwrap();
        let answer = room.verify("--base base").exit(1).says("d: FAILED (");
        assert!(!answer.0.stdout.contains("base: OK ("), "{}", answer.0.text());
    }
    let room = differential();
    fs::write(room.beside("base/extra"), b"x").unwrap();
    room.verify("--base base").exit(1).says("base: FAILED (transfer-not-verified: ");
}

#[test]
fn another_transfer_is_not_the_one_that_is_meant() {
    let room = differential();
    let other = Room::sealed();
    other.seal_as_usual("").exit(0);
    copy(&other.dir(), &room.beside("other"));
    room.verify("--base other").exit(1).says("d: FAILED (base-mismatch: ");
    // Nor is the transfer its own base.
    room.verify("--base d").exit(1).says("d: FAILED (base-mismatch: ");
    // Among several the right one is found.
    room.verify("--base other --base base").exit(0).says("base: OK (").says("d: OK (");
    room.verify("--base absent").exit(2);
    // A base is sealed by a key that this side knows.
    let stranger = PrivateKey::generate().unwrap();
    let base = Room::sealed();
    base.sign(&base.read(MANIFEST), &stranger);
    copy(&base.dir(), &room.beside("strange"));
    room.verify("--base strange").exit(1).says("d: FAILED (seal-invalid: ");
    copy(&Room::release().dir(), &room.beside("plain"));
    room.verify("--base plain").exit(1).says("d: FAILED (seal-missing: ");
}

#[test]
fn an_earlier_transfer_holds_what_this_one_says_it_holds() {
    type Change = fn(&mut BaseArtifact);
    let changes: [(&str, Change); 4] = [
        ("another digest", |it| it.sha256 = Sha256Digest::of(b"x")),
        ("another path", |it| it.path = "tools-1.0.tar.gz".to_owned()),
        ("another name", |it| it.name = "goodbye".to_owned()),
        ("another kind", |it| it.kind = ManifestKind::Package),
    ];
    for (what, change) in changes {
        let room = differential();
        room.reseal(|it| change(&mut it.base.as_mut().unwrap().artifacts[0]));
        let answer = room.verify("--base base");
        let text = answer.0.text();
        assert!(text.contains("d: FAILED (base-mismatch: "), "{what}: {text}");
        answer.exit(1);
    }
    let room = differential();
    room.reseal(|it| {
        let mut more = it.base.as_ref().unwrap().artifacts[0].clone();
        more.name = "more".to_owned();
        more.path = "more.tar".to_owned();
        it.base.as_mut().unwrap().artifacts.push(more);
    });
    room.verify("--base base").exit(1).says("d: FAILED (base-mismatch: ");
}

#[test]
fn the_words_about_an_earlier_transfer_have_their_forms() {
    let changes: [fn(&mut Base); 4] = [
        |it| it.transfer_id = "x".to_owned(),
        |it| it.stream = "A".to_owned(),
        |it| it.serial = 0,
        |it| it.artifacts[0].name = String::new(),
    ];
    for change in changes {
        let room = differential();
        room.reseal(|it| change(it.base.as_mut().unwrap()));
        let answer = room.verify("--base base");
        answer.refused_as_a_whole(1, "FAILED (manifest-malformed");
    }
    let room = differential();
    room.reseal(|it| it.base.as_mut().unwrap().artifacts[0].path = "../x".to_owned());
    room.verify("--base base").refused_as_a_whole(1, "FAILED (path-not-portable");
}

#[test]
fn earlier_transfers_build_on_earlier_ones() {
    let room = differential();
    // A third, of which `d` is the base.
    copy(&room.dir(), &room.beside("second"));
    let second = Sha256Digest::of(&room.read(MANIFEST));
    room.reseal(|it| {
        let package = it.files.iter().find(|it| it.path == "tools-1.0.tar.gz").unwrap();
        it.base = Some(Base {
            transfer_id: it.transfer_id.clone(),
            manifest: second,
            stream: it.stream.clone(),
            serial: it.serial,
            artifacts: vec![BaseArtifact {
                kind: ManifestKind::Package,
                name: "tools-1.0.tar.gz".to_owned(),
                path: "tools-1.0.tar.gz".to_owned(),
                sha256: package.sha256,
            }],
        });
        it.serial += 1;
    });
    room.verify("--base second --base base").exit(0).says("second: OK (").says("base: OK (");
    let answer = room.verify("--base second");
    assert!(matches!(answer.0.status, Some(1 | 3)), "{}", answer.0.text());
    assert!(!answer.0.stdout.contains("d: OK ("), "{}", answer.0.text());
}

#[test]
fn a_base_that_lies_beside_what_builds_on_it_is_no_rollback() {
    let room = differential();
    fs::create_dir(room.beside("shelf")).unwrap();
    // Judged before what builds on it, and behind it.
    for (base, new) in [("a", "b"), ("c", "b")] {
        copy(&room.beside("base"), &room.beside("shelf").join(base));
        copy(&room.dir(), &room.beside("shelf").join(new));
        let words = format!(
            "verify shelf --transfer-key transfer.pub --base shelf/{base} --state state.json"
        );
        for init in ["--init-state", "", ""] {
            let answer = room.run(&format!("{words} {init}")).exit(0);
            answer
                .says(&format!("shelf/{base}: OK ("))
                .says(&format!("shelf/{new}: OK ("))
                .mentions("not remembered, a newer transfer here builds on it (before: ");
        }
        // Without the one that builds on it, it is an older one.
        let answer = room
            .run(&format!("verify shelf/{base} --transfer-key transfer.pub --state state.json"));
        answer.exit(1).mentions("FAILED (serial-rolled-back: ");
        fs::remove_file(room.beside("state.json")).unwrap();
        fs::remove_dir_all(room.beside("shelf").join(base)).unwrap();
    }
}
