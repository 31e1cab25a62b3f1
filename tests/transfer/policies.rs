//! The far side's trust policy: what it asks of a vendor's key, and that no option widens it.

use sealift::transfer::key_path;

use crate::made::{vendor, vendor_public};
use crate::room::Room;

/// A policy that lists the operator's transfer key, and the vendor with this key.
fn policy(vendor: &str, key: &str) -> String {
    format!(
        "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n\
         [[vendor]]\nname = \"k2view\"\n{vendor}\n[[vendor.key]]\nname = \"key\"\n{key}\n"
    )
}

const KEY: &str = "file = \"vendor.pub\"";
const VERIFY: &str = "verify d --trust trust.toml --trusted-root trusted_root.json";

fn sealed_with(vendor: &str, key: &str) -> Room {
    let room = Room::sealed();
    room.write_beside("trust.toml", policy(vendor, key));
    room
}

#[test]
fn keys_that_are_listed_are_enough() {
    let room = sealed_with("", KEY);
    room.run(VERIFY).accepted(2);
    room.run(&format!("{VERIFY} --transfer-key transfer.pub --key vendor.pub")).accepted(2);
    let answer = room.run(&format!("{VERIFY} -v")).accepted_but_verbose();
    let told = "(listed in the trust policy)";
    assert_eq!(answer.0.stdout.matches(told).count(), 2, "{}", answer.0.stdout);
    answer.never_mentions("only the seal vouches");
    // By fingerprint alone: then the key is the one that the seal carries.
    let key = sealift::key::PublicKey::from_pem(&crate::room::example("vendor.pub")).unwrap();
    let pinned = format!("fingerprint = \"{}\"", key.fingerprint());
    let room = sealed_with("", &pinned);
    room.run(VERIFY).accepted(2);
    room.write(&key_path(&key.fingerprint()), b"x");
    room.run(VERIFY).exit(1).says("hello-image.tar: FAILED (");
}

#[test]
fn a_listed_vendor_s_other_key_is_not_trusted() {
    let room = sealed_with("", "file = \"made.pub\"").knowing_the_made_vendor();
    let answer = room.run(VERIFY).exit(1);
    answer
        .says("hello-image.tar: FAILED (key-not-trusted: ")
        .says("tools-1.0.tar.gz: FAILED (key-not-trusted: ")
        .mentions(&vendor_public().fingerprint().to_string());
}

#[test]
fn a_vendor_that_is_not_listed_is_refused_or_left_to_the_seal_and_that_is_said() {
    let room = Room::sealed().knowing_the_made_vendor();
    let profile = include_str!("../../src/trust/k2view.toml").replace("\"k2view\"", "\"acme\"");
    room.write_beside("acme.toml", profile);
    let text = policy("profile = \"acme.toml\"", "file = \"made.pub\"").replace("k2view", "acme");
    // Whoever seals writes the vendor's name, so a list of vendors is a closed one…
    room.write_beside("trust.toml", &text);
    room.run(VERIFY).exit(1).says("hello-image.tar: FAILED (key-not-trusted: ");
    // …unless the policy leaves the others to the seal.
    let open = "[transfer]\nunlisted_vendors = \"accept\"\n[[transfer.key]]";
    room.write_beside("trust.toml", text.replace("[[transfer.key]]", open));
    let answer = room.run(VERIFY).accepted(2);
    let told = "(only the seal vouches for it)";
    assert_eq!(answer.0.stdout.matches(told).count(), 2, "{}", answer.0.stdout);
    // Without a vendor's name, or under the conventions of a listed one, it is not let past the list.
    room.reseal(|it| it.artifacts.iter_mut().for_each(|it| it.vendor = None));
    room.run(VERIFY).exit(1).says("hello-image.tar: FAILED (key-not-trusted: ");
    room.reseal(|it| it.artifacts.iter_mut().for_each(|it| it.vendor = Some("acme".to_owned())));
    room.run(VERIFY).exit(1).says("hello-image.tar: FAILED (key-not-trusted: ");
}

#[test]
fn the_terms_of_a_key_hold_under_a_seal() {
    for (vendor, terms, code) in [
        ("", "status = \"retired\"\nretired_at = 2026-01-01T00:00:00Z", "key-retired"),
        ("", "status = \"revoked\"", "key-revoked"),
        ("", "status = \"revoked\"\ncompromised_at = 2026-01-01T00:00:00Z", "key-revoked"),
        ("", "valid_from = 2999-01-01T00:00:00Z", "key-not-valid"),
        ("", "valid_until = 2026-01-01T00:00:00Z", "key-not-valid"),
        ("", "artifacts = [\"other-*\"]", "name-not-allowed"),
    ] {
        let room = sealed_with(vendor, &format!("{KEY}\n{terms}"));
        let answer = room.run(VERIFY).exit(1);
        answer
            .says(&format!("hello-image.tar: FAILED ({code}: "))
            .says(&format!("tools-1.0.tar.gz: FAILED ({code}: "))
            .says("d: FAILED (transfer-not-verified: 2 of ");
    }
    for (vendor, terms) in [
        ("", "status = \"retired\"\nretired_at = 2999-01-01T00:00:00Z"),
        ("", "status = \"revoked\"\ncompromised_at = 2999-01-01T00:00:00Z"),
        ("", "valid_from = 2026-01-01T00:00:00Z\nvalid_until = 2999-01-01T00:00:00Z"),
        ("", "artifacts = [\"hello-*\", \"tools-?.?.tar.gz\"]"),
        ("digest_kinds = [\"config\"]", ""),
    ] {
        let room = sealed_with(vendor, &format!("{KEY}\n{terms}"));
        room.run(VERIFY).accepted(2);
    }
    let room = sealed_with("", &format!("{KEY}\nartifacts = [\"hello-*\"]"));
    let answer = room.run(VERIFY).exit(1).says("hello-image.tar: OK (");
    answer.says("tools-1.0.tar.gz: FAILED (name-not-allowed: ");
    let room = sealed_with("digest_kinds = [\"manifest\"]", KEY);
    let answer = room.run(VERIFY).exit(1).says("hello-image.tar: FAILED (digest-kind-refused: ");
    answer.says("tools-1.0.tar.gz: OK (");
}

#[test]
fn a_name_is_allowed_by_the_seal_s_name_for_it() {
    let room = sealed_with("", &format!("{KEY}\nartifacts = [\"hello-*\", \"tools-*\"]"));
    room.reseal(|it| it.artifacts[0].name = "goodbye".to_owned());
    room.run(VERIFY).exit(1).says("goodbye: FAILED (name-not-allowed: ");
}

#[test]
fn a_time_that_no_log_proves_is_not_proven() {
    let room = Room::made();
    let optional = "transparency = \"optional\"";
    let verify = |terms: &str| {
        room.write_beside("trust.toml", policy(optional, &format!("file = \"made.pub\"\n{terms}")));
        room.run("verify d --trust trust.toml")
    };
    verify("").accepted(2);
    for (terms, code) in [
        ("valid_from = 2020-01-01T00:00:00Z", "time-not-proven"),
        ("valid_until = 2999-01-01T00:00:00Z", "time-not-proven"),
        ("status = \"retired\"\nretired_at = 2999-01-01T00:00:00Z", "time-not-proven"),
        ("status = \"revoked\"\ncompromised_at = 2999-01-01T00:00:00Z", "key-revoked"),
    ] {
        let answer = verify(terms).exit(1).says(&format!("app.tar: FAILED ({code}: "));
        answer.says(&format!("pkg.bin: FAILED ({code}: "));
    }
    room.write_beside("trust.toml", policy("", "file = \"made.pub\""));
    let answer = room.run("verify d --trust trust.toml").exit(1);
    answer.says("app.tar: FAILED (log-entry-missing: ");
}

#[test]
fn no_option_widens_a_policy() {
    let room = sealed_with("", KEY).knowing_the_made_vendor();
    room.run("keygen --output-key-prefix other").exit(0);
    for words in [
        "--key made.pub",
        "--transfer-key other.pub",
        "--transfer-key transfer.pub --transfer-key other.pub",
        "--insecure-ignore-tlog",
        "--allow-unsigned notes.txt",
    ] {
        room.run(&format!("{VERIFY} {words}")).error("policy-forbids");
    }
    room.run(VERIFY).accepted(2);
}

#[test]
fn the_policy_agrees_to_unsigned_artifacts_by_name() {
    let room = Room::release();
    room.write("notes.txt", b"x");
    room.seal_as_usual("--allow-unsigned notes.txt").exit(0);
    let allow = |pattern: &str| {
        room.write_beside("trust.toml", policy(&format!("allow_unsigned = [{pattern:?}]"), KEY));
        room.run(VERIFY)
    };
    allow("notes.txt").accepted(3);
    allow("*.txt").accepted(3);
    allow("*.pdf").exit(3).says("notes.txt: UNSIGNED (no-bundle: ");
    room.write_beside("trust.toml", policy("allow_unsigned = [\"*.txt\"]", KEY));
    room.run(&format!("{VERIFY} --allow-unsigned notes.txt")).accepted(3);
    room.run(&format!("{VERIFY} --allow-unsigned notes.pdf")).error("policy-forbids");
    // A policy does not unsign what is signed: the bundle was sealed away, not the demand.
    room.reseal(|it| {
        let hello = &mut it.artifacts[0];
        assert_eq!(hello.name, "hello-image.tar");
        (hello.allow_unsigned, hello.key, hello.vendor) = (true, None, None);
        hello.bundles.clear();
        hello.digest_kinds.clear();
    });
    room.run(VERIFY).exit(3).says("hello-image.tar: UNSIGNED (no-bundle: ");
}

#[test]
fn a_policy_that_can_t_be_read_stops_everything() {
    let room = Room::sealed();
    for text in ["", "version = 2", "version = 1", "not TOML", &policy("surprise = 1", KEY)] {
        room.write_beside("trust.toml", text);
        room.run(VERIFY).error("policy-malformed");
    }
    room.run("verify d --trust absent.toml").exit(2);
}

#[test]
fn the_policy_names_who_may_seal() {
    let room = sealed_with("", KEY);
    let other = sealift::key::PrivateKey::generate().unwrap();
    room.sign(&room.read(sealift::transfer::MANIFEST), &other);
    room.run(VERIFY).refused_as_a_whole(1, "FAILED (seal-invalid");
}

#[test]
fn sealing_by_a_policy_believes_no_other_key() {
    let room = Room::release().knowing_the_made_vendor();
    let root = "--trusted-root trusted_root.json";
    room.write_beside("trust.toml", policy("", KEY));
    let made = vendor_public().fingerprint();
    let before = room.state_of_disk();
    for words in [
        "--vendor-key made.pub".to_owned(),
        format!("--pin-key {made}"),
        "--trust-on-first-use".to_owned(),
        "--vendor-key vendor.pub --insecure-ignore-tlog".to_owned(),
    ] {
        room.seal(&format!("{root} --trust trust.toml {words}")).error("policy-forbids");
        assert_eq!(room.state_of_disk(), before);
    }
    room.seal(&format!("{root} --trust trust.toml")).exit(0);
    room.run(VERIFY).accepted(2);
    assert!(room.manifest().artifacts.iter().all(|it| it.vendor.as_deref() == Some("k2view")));

    let room = Room::release();
    room.write_beside("made.pub", vendor().pem());
    room.write_beside("trust.toml", policy("", "file = \"made.pub\""));
    let before = room.state_of_disk();
    let answer = room.seal(&format!("{root} --trust trust.toml"));
    assert_ne!(answer.0.status, Some(0), "{}", answer.0.text());
    assert_eq!(room.state_of_disk(), before);
    // A transfer key that the policy does not list: the far side would refuse.
    let room = Room::release();
    room.run("keygen --output-key-prefix other").exit(0);
    room.write_beside("trust.toml", policy("", KEY).replace("transfer.pub", "other.pub"));
    let answer = room.seal(&format!("{root} --trust trust.toml")).exit(0);
    answer.mentions("does not list this transfer key");
}
