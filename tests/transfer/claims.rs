//! What the manifest says of an artifact is checked against what the vendor signed. Here the right
//! operator sealed wrong claims.

use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use sealift::transfer::{Artifact, FileEntry, Manifest, ManifestKind, key_path};

use crate::made::layer;
use crate::room::{Answer, Room};

fn named<'m>(manifest: &'m mut Manifest, path: &str) -> &'m mut Artifact {
    manifest.artifacts.iter_mut().find(|it| it.path == path).unwrap()
}

/// Two images and two packages of one vendor.
fn four() -> Room {
    let room = Room::made_release();
    room.add_image("other", &[layer(10)]);
    room.add_package("other.bin", b"another package");
    room
}

fn sealed_four() -> Room {
    let room = four();
    room.seal_made("").exit(0);
    room.verify_made("").accepted(4);
    room
}

/// Exchanges the bundles of two artifacts in the manifest.
fn exchange(room: &Room, one: &str, other: &str) {
    room.reseal(|it| {
        let first = named(it, one).bundles.clone();
        let second = std::mem::replace(&mut named(it, other).bundles, first);
        named(it, one).bundles = second;
    });
}

#[track_caller]
fn both_fail(answer: Answer, one: &str, other: &str) {
    let text = answer.0.text();
    for name in [one, other] {
        assert!(text.contains(&format!("{name}: FAILED (")), "{name}: {text}");
    }
    answer.exit(1).says("d: FAILED (transfer-not-verified: 2 of ");
}

#[test]
fn exchanged_bundles_are_refused() {
    for (one, other) in [
        ("app.tar", "other.tar"),
        ("pkg.bin", "other.bin"),
        ("app.tar", "pkg.bin"),
        ("other.tar", "other.bin"),
    ] {
        let room = sealed_four();
        exchange(&room, one, other);
        both_fail(room.verify_made(""), one, other);
        both_fail(room.verify_made("--key made.pub"), one, other);
        exchange(&room, one, other);
        room.verify_made("").accepted(4);
    }
}

#[test]
fn exchanged_bundles_are_not_sealed() {
    for (one, other) in [
        ("app.bundle", "other.bundle"),
        ("pkg.bin_signature.bundle", "other.bin_signature.bundle"),
        ("app.bundle", "pkg.bin_signature.bundle"),
    ] {
        let room = four();
        let (first, second) = (room.read(one), room.read(other));
        room.write(one, second);
        room.write(other, first);
        let before = room.state_of_disk();
        room.seal_made("").exit(1).mentions(": FAILED (");
        assert_eq!(room.state_of_disk(), before);
    }
}

#[test]
fn one_bundle_does_not_serve_two_different_artifacts() {
    for (one, other) in [("app.tar", "other.tar"), ("pkg.bin", "other.bin")] {
        let room = sealed_four();
        room.reseal(|it| named(it, other).bundles = named(it, one).bundles.clone());
        let answer = room.verify_made("").exit(1).says(&format!("{one}: OK ("));
        answer.says(&format!("{other}: FAILED (")).says("d: FAILED (transfer-not-verified: 1 of ");
    }
}

#[test]
fn a_package_has_one_bundle_and_an_image_none_that_it_does_not_need() {
    let room = sealed_four();
    room.reseal(|it| {
        let more = named(it, "other.bin").bundles[0].clone();
        named(it, "pkg.bin").bundles.push(more);
    });
    room.verify_made("").exit(1).says("pkg.bin: FAILED (pairing-ambiguous: ");
    let room = sealed_four();
    room.reseal(|it| {
        let more = named(it, "other.tar").bundles[0].clone();
        named(it, "app.tar").bundles.push(more);
    });
    room.verify_made("").exit(1).says("app.tar: FAILED (bundle-unused: ");
}

#[test]
fn equal_copies_share_a_bundle() {
    let room = Room::made_release();
    room.write("copy/app.tar", room.read("app.tar"));
    room.seal_made("").exit(0);
    let bundles: Vec<_> = room
        .manifest()
        .artifacts
        .iter()
        .filter(|it| it.kind == ManifestKind::Image)
        .map(|it| it.bundles.clone())
        .collect();
    assert_eq!(bundles, [["app.bundle"], ["app.bundle"]]);
    room.verify_made("").accepted(3);
}

#[test]
fn the_key_that_is_claimed_must_be_the_one_that_signed() {
    let other = PrivateKey::generate().unwrap();
    let fingerprint = other.public().fingerprint();
    // Not carried at all.
    let room = Room::sealed();
    room.reseal(|it| named(it, "hello-image.tar").key = Some(fingerprint));
    let answer = room.verify("").exit(1).says("hello-image.tar: FAILED (claim-mismatch: ");
    answer.says("tools-1.0.tar.gz: OK (").mentions(&key_path(&fingerprint));
    // Carried, and never used by the vendor.
    let carry = |room: &Room, bytes: String| {
        let path = key_path(&fingerprint);
        room.write(&path, &bytes);
        room.reseal(|it| {
            it.files.push(FileEntry {
                path: path.clone(),
                size: bytes.len() as u64,
                sha256: Sha256Digest::of(bytes.as_bytes()),
                segments: Vec::new(),
            });
            it.files.sort_by(|a, b| a.path.cmp(&b.path));
            named(it, "hello-image.tar").key = Some(fingerprint);
        });
    };
    let room = Room::sealed();
    carry(&room, other.public().to_pem());
    room.verify("").exit(1).says("hello-image.tar: FAILED (").says("tools-1.0.tar.gz: OK (");
    let answer = room.verify("--key vendor.pub").exit(1);
    answer.says("hello-image.tar: FAILED (key-not-trusted: ");
    // Carried under a name that says another key, or no key at all.
    for bytes in [String::from_utf8(Room::sealed().read("vendor.pub")).unwrap(), "x".to_owned()] {
        let room = Room::sealed();
        carry(&room, bytes);
        room.verify("").exit(1).says("hello-image.tar: FAILED (claim-mismatch: ");
    }
}

#[test]
fn the_key_that_is_given_counts_and_no_other() {
    let room = Room::sealed();
    let other = PrivateKey::generate().unwrap();
    room.write_beside("other.pub", other.public().to_pem());
    let answer = room.verify("--key other.pub").exit(1);
    answer
        .says("hello-image.tar: FAILED (key-not-trusted: ")
        .says("tools-1.0.tar.gz: FAILED (key-not-trusted: ")
        .says("d: FAILED (transfer-not-verified: 2 of ");
}

#[test]
fn the_kinds_of_digest_that_are_claimed_must_be_those_that_are_signed() {
    for kinds in [&["manifest"][..], &["index"], &["config", "manifest"], &["platform-manifest"]] {
        let room = Room::sealed();
        room.reseal(|it| {
            named(it, "hello-image.tar").digest_kinds =
                kinds.iter().map(|it| (*it).to_owned()).collect();
        });
        let answer = room.verify("").exit(1).says("hello-image.tar: FAILED (claim-mismatch: ");
        answer.mentions("expected ").mentions("found config").says("tools-1.0.tar.gz: OK (");
    }
}

#[test]
fn an_image_is_no_package_and_a_package_no_image() {
    let room = Room::sealed();
    room.reseal(|it| {
        let image = named(it, "hello-image.tar");
        image.kind = ManifestKind::Package;
        image.digest_kinds = vec!["file".to_owned()];
    });
    room.verify("").exit(1).says("hello-image.tar: FAILED (");
    let room = Room::sealed();
    room.reseal(|it| {
        let package = named(it, "tools-1.0.tar.gz");
        package.kind = ManifestKind::Image;
        package.digest_kinds = vec!["config".to_owned()];
    });
    room.verify("").exit(1).says("tools-1.0.tar.gz: FAILED (");
    // A file that nobody signed in an artifact's place.
    let room = Room::sealed();
    room.reseal(|it| named(it, "tools-1.0.tar.gz").path = "vendor.pub".to_owned());
    room.verify("").exit(1).says("tools-1.0.tar.gz: FAILED (");
}

#[test]
fn names_are_the_operator_s_and_paths_are_told() {
    let room = Room::sealed();
    room.reseal(|it| named(it, "hello-image.tar").name = "registry.example/hello:1".to_owned());
    let answer = room.verify("-v").accepted_but_verbose();
    answer.says("registry.example/hello:1: OK (").mentions("path: hello-image.tar");
}

#[test]
fn an_unknown_vendor_s_conventions_are_not_guessed() {
    let room = Room::sealed();
    room.reseal(|it| named(it, "hello-image.tar").vendor = Some("acme".to_owned()));
    let answer = room.verify("").exit(2).says("hello-image.tar: ERROR (usage: ");
    answer
        .mentions("acme")
        .says("tools-1.0.tar.gz: OK (")
        .says("d: UNDECIDED (transfer-undecided: ");
}

#[test]
fn a_bundle_without_a_log_entry_needs_that_said_on_both_sides() {
    let room = Room::made();
    let answer = room.verify("").exit(1).says("app.tar: FAILED (log-entry-missing: ");
    answer.says("pkg.bin: FAILED (log-entry-missing: ");
    let room = Room::made_release();
    let before = room.state_of_disk();
    room.seal("--vendor-key made.pub").exit(1).says("app.tar: FAILED (log-entry-missing: ");
    assert_eq!(room.state_of_disk(), before);
}

#[test]
fn a_sealed_trusted_root_that_can_t_be_used_decides_nothing() {
    let room = Room::sealed();
    let path = sealift::transfer::TRUSTED_ROOT;
    room.write(path, b"{}");
    room.reseal(|it| {
        let file = it.files.iter_mut().find(|it| it.path == path).unwrap();
        (file.size, file.sha256) = (2, Sha256Digest::of(b"{}"));
    });
    let answer = room.verify("").exit(1).says("hello-image.tar: FAILED (claim-mismatch: ");
    answer.says("tools-1.0.tar.gz: FAILED (claim-mismatch: ");
    // The operator's own root is asked in its place, and what lies under the name of one is none.
    let answer = room.verify("--trusted-root trusted_root.json").exit(1);
    answer
        .says("hello-image.tar: OK (")
        .says("trust/trusted_root.json: FAILED (claim-mismatch: ")
        .says("d: FAILED (transfer-not-verified: 1 of ");
}
