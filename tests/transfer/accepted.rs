//! What must be accepted: the genuine transfer, however it is asked for.

use crate::room::{RELEASE, Room, keys};

#[test]
fn a_sealed_release_is_accepted_with_all_that_it_proves() {
    let room = Room::sealed();
    let answer = room.verify("").accepted(2);
    let results = answer.results();
    assert!(results[0].starts_with("hello-image.tar: OK (image, signed config sha256:c2c376a6"));
    assert!(results[0].ends_with(", 2 layers verified, logged)"), "{}", results[0]);
    assert!(results[1].starts_with("tools-1.0.tar.gz: OK (package, signed sha256:79f5100994ce"));
    assert!(results[1].ends_with(", logged)"), "{}", results[1]);
    assert!(
        results[2].ends_with(": 2 artifacts, 10 files, 1 of them covered by the seal only)"),
        "{}",
        results[2]
    );
}

#[test]
fn sealing_adds_its_own_files_and_nothing_else() {
    let room = Room::sealed();
    let fingerprint = sealift::key::PublicKey::from_pem(&room.read("vendor.pub")).unwrap();
    let start = fingerprint.fingerprint().to_hex()[..16].to_owned();
    let mut expected: Vec<String> = RELEASE.iter().map(|name| (*name).to_owned()).collect();
    expected.extend([
        "SHA256SUMS".to_owned(),
        "manifest.json".to_owned(),
        "manifest.json.sig".to_owned(),
        "manifest.json.sigstore.json".to_owned(),
        "tools/verify-with-openssl.sh".to_owned(),
        format!("trust/keys/{start}.pub"),
        "trust/trusted_root.json".to_owned(),
    ]);
    expected.sort();
    assert_eq!(room.files(), expected);
}

#[test]
fn however_it_is_asked_for_the_answer_is_the_same() {
    let room = Room::sealed();
    for words in [
        "--full-digest",
        "--jobs 1",
        "--key vendor.pub",
        "--trusted-root trusted_root.json",
        "--quiet",
        "--vendor-profile k2view.toml",
        "--transfer-key transfer.pub",
    ] {
        if words.contains("profile") {
            let profile = include_str!("../../src/trust/k2view.toml");
            room.write_beside("k2view.toml", profile);
        }
        room.verify(words).accepted(2);
    }
    let verbose = room.verify("-v").accepted_but_verbose();
    verbose
        .mentions("(only the seal vouches for it), 2 layers verified")
        .mentions("rollback not checked: no --state")
        .mentions("the name is bound by the seal, not by the vendor");
    room.verify("-v --key vendor.pub").exit(0).never_mentions("only the seal vouches");
}

#[test]
fn the_report_for_machines_holds_one_entry_for_each_answer() {
    let room = Room::sealed();
    let answer = room.verify("-o json").exit(0);
    let report: serde_json::Value = serde_json::from_str(&answer.0.stdout).unwrap();
    assert_eq!(report["exit_status"], 0);
    let artifacts = report["artifacts"].as_array().unwrap();
    let kinds: Vec<_> = artifacts.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["image", "package", "transfer"]);
    assert!(artifacts.iter().all(|it| it["outcome"] == "OK"), "{report}");
    let seal = &artifacts[2]["checks"][0];
    assert_eq!(seal["name"], "seal");
    let values = seal["values"].as_object().unwrap();
    assert_eq!(values["fingerprint"], keys().private.public().fingerprint().to_string());
    assert_eq!(values["transfer_id"], room.manifest().transfer_id);
}

#[test]
fn another_transfer_key_beside_the_right_one_makes_no_difference() {
    let room = Room::sealed();
    room.run("keygen --output-key-prefix other").exit(0);
    room.verify("--transfer-key other.pub").accepted(2);
    room.run("verify d --transfer-key other.pub").refused_as_a_whole(1, "FAILED (seal-invalid");
}
