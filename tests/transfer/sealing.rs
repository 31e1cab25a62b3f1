//! `sealift seal`: whose keys count, what stops it, what it writes and what it leaves alone.

use std::fs;

use sealift::digest::Sha256Digest;
use sealift::key::{PublicKey, words};
use sealift::transfer::{MANIFEST, SEAL_FILES};

use crate::room::{RELEASE, Room, example, keys};

const ROOT: &str = "--trusted-root trusted_root.json";

fn vendor() -> String {
    PublicKey::from_pem(&example("vendor.pub")).unwrap().fingerprint().to_string()
}

/// Runs `seal` with these words; nothing may be written.
#[track_caller]
fn refused(room: &Room, words: &str, status: i32, text: &str) {
    let before = room.state_of_disk();
    let answer = room.seal(words).exit(status).mentions(text);
    assert_eq!(room.state_of_disk(), before, "something was written: {}", answer.0.text());
}

#[test]
fn a_key_that_lies_in_the_folder_must_be_named() {
    let room = Room::release();
    refused(&room, ROOT, 2, "hello-image.tar: ERROR (key-not-named: ");
    refused(&room, ROOT, 2, &vendor());
    refused(&room, ROOT, 2, "--pin-key");
    // Nor does a folder without any key seal itself.
    room.remove("vendor.pub");
    refused(&room, ROOT, 2, "ERROR (no-key: ");
}

#[test]
fn a_pinned_key_counts() {
    let room = Room::release();
    room.seal(&format!("{ROOT} --pin-key {}", vendor())).exit(0);
    room.verify("").accepted(2);
    assert!(room.manifest().artifacts.iter().all(|it| !it.first_use));
    let room = Room::release();
    let other = format!("sha256:{}", "0".repeat(64));
    refused(&room, &format!("{ROOT} --pin-key {other}"), 2, "error[usage]");
    refused(&room, &format!("{ROOT} --pin-key 1234"), 2, "--pin-key");
    // A pin is of a key that lies in the folder.
    room.remove("vendor.pub");
    refused(&room, &format!("{ROOT} --pin-key {}", vendor()), 2, "error[usage]");
}

#[test]
fn a_key_given_as_a_file_need_not_lie_in_the_folder() {
    let room = Room::release();
    room.remove("vendor.pub");
    room.seal_as_usual("").exit(0);
    room.verify("").accepted(2);
    // Another vendor's key beside it does no harm; alone it is not enough.
    let room = Room::release().knowing_the_made_vendor();
    room.seal_as_usual("--vendor-key made.pub").exit(0);
    room.verify("").accepted(2);
    let room = Room::release().knowing_the_made_vendor();
    refused(&room, &format!("{ROOT} --vendor-key made.pub"), 2, "key-not-named");
}

#[test]
fn first_use_is_recorded_and_told_of_later() {
    let room = Room::release();
    room.seal(&format!("{ROOT} --trust-on-first-use")).exit(0).mentions("accepted unseen");
    assert!(room.manifest().artifacts.iter().all(|it| it.first_use));
    let answer = room.verify("").accepted(2);
    let told = "key accepted unseen when it was sealed (first use)";
    assert_eq!(answer.0.stdout.matches(told).count(), 2, "{}", answer.0.stdout);
    // A key that was given is not accepted unseen, whatever the option says of the others.
    let room = Room::release();
    room.seal_as_usual("--trust-on-first-use").exit(0);
    assert!(room.manifest().artifacts.iter().all(|it| !it.first_use));
}

#[test]
fn what_nobody_signed_stops_the_seal_unless_it_is_allowed_by_name() {
    let room = Room::release();
    room.write("notes.txt", b"read me");
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    refused(&room, &usual, 3, "notes.txt: UNSIGNED (no-bundle: ");
    refused(&room, &format!("{usual} --allow-unsigned other.txt"), 3, "notes.txt: UNSIGNED (");
    let both = format!("{usual} --allow-unsigned notes.txt --allow-unsigned other.txt");
    refused(&room, &both, 2, "error[usage]");
    room.seal_as_usual("--allow-unsigned notes.txt").exit(0);
    let sealed = room.manifest();
    let notes = sealed.artifacts.iter().find(|it| it.name == "notes.txt").unwrap();
    assert!(notes.allow_unsigned && notes.key.is_none() && notes.vendor.is_none());

    // The far side is asked as well.
    let answer = room.verify("").exit(3).says("notes.txt: UNSIGNED (no-bundle: ");
    answer.says("hello-image.tar: OK (").says("d: UNDECIDED (transfer-undecided: 1 ");
    room.verify("--allow-unsigned other.txt").exit(3).says("notes.txt: UNSIGNED (no-bundle: ");
    let answer = room.verify("--allow-unsigned notes.txt").accepted(3);
    answer.says("notes.txt: OK (package, NOT SIGNED by any vendor, as allowed here");
    let answer = room.verify("-v --allow-unsigned notes.txt").accepted_but_verbose();
    answer.mentions("UNSIGNED by any vendor: accepted because this side allows it");
    // Allowed is not unchecked.
    room.write("notes.txt", b"read mE");
    let answer = room.verify("--allow-unsigned notes.txt").exit(1);
    answer.says("notes.txt: FAILED (file-mismatch: ");
}

#[test]
fn a_signed_artifact_is_not_made_unsigned_by_allowing_it() {
    // With its bundle it is judged by it, also when a name allows less.
    let room = Room::release();
    room.write("hello-image.tar", example("tampered-image.tar"));
    let words = format!("{ROOT} --vendor-key vendor.pub --allow-unsigned hello-image.tar");
    refused(&room, &words, 1, "hello-image.tar: FAILED (layer-mismatch: ");
    let room = Room::sealed();
    room.write("hello-image.tar", example("tampered-image.tar"));
    let answer = room.verify("--allow-unsigned hello-image.tar").exit(1);
    answer.says("hello-image.tar: FAILED (file-mismatch: ");
}

#[test]
fn a_tampered_artifact_stops_the_seal() {
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    let room = Room::release();
    room.write("hello-image.tar", example("tampered-image.tar"));
    refused(&room, &usual, 1, "hello-image.tar: FAILED (layer-mismatch: ");
    refused(&room, &usual, 1, "nothing was written");
    let room = Room::release();
    let mut package = room.read("tools-1.0.tar.gz");
    package[100] ^= 1;
    room.write("tools-1.0.tar.gz", package);
    refused(&room, &usual, 1, "tools-1.0.tar.gz: FAILED (");
    let room = Room::release();
    room.write("hello_signature.bundle", b"{}");
    refused(&room, &usual, 1, "FAILED (");
    // Also when the folder was sealed while it was good: the old seal stays.
    let room = Room::sealed();
    room.write("hello-image.tar", example("tampered-image.tar"));
    refused(&room, &usual, 1, "hello-image.tar: FAILED (layer-mismatch: ");
}

#[test]
fn a_bundle_of_nothing_stops_the_seal() {
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    let room = Room::release();
    room.remove("tools-1.0.tar.gz");
    refused(&room, &usual, 1, "tools-1.0.tar.gz_signature.bundle: FAILED (material-unpaired: ");
    let room = Room::release();
    room.write("old_signature.bundle", room.read("hello_signature.bundle"));
    refused(&room, &usual, 1, "old_signature.bundle: FAILED (material-unpaired: ");
}

#[test]
fn nothing_to_seal_is_no_transfer() {
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    let room = Room::empty();
    refused(&room, &usual, 2, "error[usage]");
    room.write("vendor.pub", example("vendor.pub"));
    room.write("trusted_root.json", example("trusted_root.json"));
    refused(&room, &usual, 2, "nothing to seal");
    room.run("seal absent --key transfer.key").error("file-not-found");
}

#[test]
fn what_is_no_file_stops_the_seal() {
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    let room = Room::release();
    std::os::unix::fs::symlink("hello-image.tar", room.path("link.tar")).unwrap();
    refused(&room, &usual, 1, "link.tar: FAILED (file-type-refused: ");
    let room = Room::release();
    std::os::unix::fs::symlink("/tmp", room.path("link")).unwrap();
    refused(&room, &usual, 1, "link: FAILED (file-type-refused: ");
}

#[test]
fn the_release_is_neither_moved_nor_changed() {
    let room = Room::release();
    let before = room.state_of_disk();
    for _ in 0..2 {
        room.seal_as_usual("").exit(0);
        let after = room.state_of_disk();
        for name in RELEASE {
            let path = room.path(name);
            assert_eq!(before[&path], after[&path], "{name}");
        }
    }
}

#[test]
fn sealing_again_makes_a_later_transfer() {
    let room = Room::sealed();
    let mut before = room.manifest();
    for _ in 0..3 {
        room.seal_as_usual("").exit(0);
        let after = room.manifest();
        assert!(after.serial > before.serial, "{} {}", before.serial, after.serial);
        assert_ne!(after.transfer_id, before.transfer_id);
        assert_eq!(after.files, before.files);
        room.verify("").accepted(2);
        before = after;
    }
    // What came or went meanwhile is sealed as it is now.
    room.write("notes.txt", b"x");
    room.verify("").exit(1).says("notes.txt: EXTRA (file-extra: ");
    room.seal_as_usual("--allow-unsigned notes.txt").exit(0);
    room.verify("--allow-unsigned notes.txt").accepted(3);
    // A key that stands in trust/keys and is used no more stays sealed, and is no trouble.
    room.remove("notes.txt");
    room.seal_as_usual("").exit(0);
    room.verify("").accepted(2);
}

#[test]
fn what_must_be_carried_out_of_band_is_printed() {
    let room = Room::release();
    let answer = room.seal_as_usual("--stream weekly-1 --notes hello --expires 90d").exit(0);
    let manifest = room.manifest();
    let fingerprint = keys().private.public().fingerprint();
    let digest = Sha256Digest::of(&room.read(MANIFEST));
    let expires = manifest.expires.clone().unwrap();
    let answer = answer
        .says("sealed: 2 artifacts, 10 files")
        .says(&format!("  transfer key  {fingerprint}"))
        .says(&format!("                {}", words(&fingerprint)))
        .says(&format!("  transfer id   {}", manifest.transfer_id))
        .says("  stream        weekly-1")
        .says(&format!("  serial        {}", manifest.serial))
        .says(&format!("  manifest      {digest}"))
        .says(&format!("  expires       {expires}"));
    assert_eq!(answer.0.stderr, "");
    assert_eq!(manifest.notes.as_deref(), Some("hello"));
    room.verify("").accepted(2).mentions("stream weekly-1");

    let json = room.seal_as_usual("-o json").exit(0);
    let report: serde_json::Value = serde_json::from_str(&json.0.stdout).unwrap();
    assert_eq!(report["artifacts"].as_array().unwrap().len(), 2);
    assert!(json.0.stderr.contains("transfer id"), "{}", json.0.stderr);
}

#[test]
fn an_expiry_is_a_time_to_come() {
    for (text, seconds) in [("12h", 12 * 3600), ("1h", 3600), ("90d", 90 * 86400)] {
        let room = Room::release();
        room.seal_as_usual(&format!("--expires {text}")).exit(0);
        let manifest = room.manifest();
        let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        let lasts = time(manifest.expires.as_deref().unwrap()) - time(&manifest.created);
        assert_eq!(lasts, seconds, "{text}");
    }
    let room = Room::release();
    room.seal_as_usual("--expires 2999-12-31T23:59:59+01:00").exit(0);
    assert_eq!(room.manifest().expires.as_deref(), Some("2999-12-31T22:59:59Z"));
    room.verify("").accepted(2);
    let room = Room::release();
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    for bad in [
        "2020-01-01T00:00:00Z",
        "0d",
        "0h",
        "90",
        "d",
        "",
        "-1d",
        "1w",
        "1.5d",
        "tomorrow",
        "2999-01-01",
        "99999999999999999999d",
        "999999999999d",
    ] {
        refused(&room, &format!("{usual} --expires={bad}"), 2, "--expires");
    }
}

#[test]
fn orders_that_can_t_be_carried_out() {
    let room = Room::release();
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    for stream in ["A", "a/b", "../x", &"a".repeat(65), "-x"] {
        refused(&room, &format!("{usual} --stream={stream}"), 2, "error[usage]");
    }
    let seal = |key: &str| room.run(&format!("seal d --key {key} {usual}"));
    seal("transfer.pub").exit(2);
    seal("vendor.pub").exit(2);
    seal("absent.key").error("file-not-found");
    room.write_beside("junk.key", b"junk");
    seal("junk.key").error("private-key-malformed");
    room.write_beside("password", b"wrong");
    refused(&room, &format!("{usual} --password-file password"), 2, "error[password-wrong]");
    assert!(SEAL_FILES.iter().all(|name| !room.path(name).exists()));
}

#[test]
fn the_private_key_is_not_carried_along() {
    let room = Room::release();
    fs::copy(room.beside("transfer.key"), room.path("transfer.key")).unwrap();
    let before = room.state_of_disk();
    let usual = format!("{ROOT} --vendor-key vendor.pub");
    let answer = room.run(&format!("seal d --key d/transfer.key {usual}")).exit(2);
    answer.says("transfer.key: ERROR (key-is-private: ");
    assert_eq!(room.state_of_disk(), before);
}

#[test]
fn what_lies_where_the_seal_keeps_its_own_is_named() {
    let room = Room::release();
    let name = "tools/installer.bin";
    room.write(name, b"x");
    let answer = room.seal_as_usual("").exit(0);
    answer.mentions(&format!("WARNING: {name} is covered by this seal only"));
    room.verify("").exit(0).mentions("2 of them covered by the seal only");
    room.write(name, b"y");
    room.verify("").exit(1).says(&format!("{name}: FAILED (file-mismatch: "));
    // In trust/ nobody looks for what sealing did not write, and one spelling is enough.
    for (name, code) in [
        ("trust/notes.txt", "EXTRA (file-extra"),
        ("trust/keys/vendor.pub", "EXTRA (file-extra"),
        ("Tools/x", "FAILED (name-collision"),
        ("trust/keys/0123456789abcdef.pub", "FAILED (claim-mismatch"),
    ] {
        let room = Room::release();
        room.write(name, b"x");
        let before = room.state_of_disk();
        room.seal_as_usual("").exit(1).says(&format!("{name}: {code}: "));
        assert_eq!(room.state_of_disk(), before);
    }
    // A directory of a name that only a file may have is refused by every verifier.
    for name in ["MANIFEST.JSON", "sha256sums", "sub/a.Sealift-Tmp"] {
        let room = Room::release();
        fs::create_dir_all(room.path(name)).unwrap();
        let before = room.state_of_disk();
        room.seal_as_usual("").exit(1).says(&format!("{name}: FAILED (name-collision: "));
        assert_eq!(room.state_of_disk(), before);
    }
    // A private key stops the seal wherever it lies.
    for name in ["tools/my.key", "trust/keys/0123456789abcdef.pub"] {
        let room = Room::release();
        fs::create_dir_all(room.path("trust/keys")).unwrap();
        fs::create_dir_all(room.path("tools")).unwrap();
        fs::copy(room.beside("transfer.key"), room.path(name)).unwrap();
        room.seal_as_usual("").exit(2).says(&format!("{name}: ERROR (key-is-private: "));
    }
    // A key there is not believed for lying there.
    let room = Room::release();
    let key = sealift::key::PublicKey::from_pem(&crate::room::example("vendor.pub")).unwrap();
    room.rename("vendor.pub", &sealift::transfer::key_path(&key.fingerprint()));
    refused(&room, ROOT, 2, "ERROR (no-key: ");
}
