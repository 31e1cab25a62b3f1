//! The far side's trust policy: what it asks of a vendor's key, and that no option widens it.

use sealift::transfer::{ManifestKind, key_path};

use crate::made::{vendor, vendor_public};
use crate::room::{Room, example};

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
    let key = sealift::key::PublicKey::from_pem(&example("vendor.pub")).unwrap();
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
fn what_may_be_unsigned_is_no_matter_of_the_name_that_the_sealing_side_gave() {
    let room = Room::release();
    room.write("README.txt", b"read me");
    room.write("sub/README.txt", b"read me too");
    room.write("evil.sh", b"#!/bin/sh\n");
    room.write("evil-app.tar", example("hello-image.tar"));
    room.write("image.txt", example("hello-image.tar"));
    let unsigned = "--allow-unsigned README.txt --allow-unsigned sub/README.txt --allow-unsigned evil.sh \
                    --allow-unsigned evil-app.tar --allow-unsigned image.txt";
    room.remove("hello_signature.bundle");
    room.remove("hello-image.tar");
    room.seal_as_usual(unsigned).exit(0);
    let allow = |terms: &str| {
        room.write_beside("trust.toml", policy(terms, KEY));
        room.run(VERIFY).exit(3)
    };
    let named = |path: &str, name: &str, kind: ManifestKind| {
        room.reseal(|it| {
            for artifact in it.artifacts.iter_mut().filter(|it| it.allow_unsigned) {
                artifact.name = artifact.path.clone();
            }
            let artifact = it.artifacts.iter_mut().find(|it| it.path == path).unwrap();
            (artifact.name, artifact.kind) = (name.to_owned(), kind);
        });
    };
    const FILES: &str = "allow_unsigned = [\"*.txt\"]";
    let answer = allow(FILES);
    let answer = answer.says("README.txt: OK (").says("sub/README.txt: OK (");
    // An image is none of the files, whatever it is called; nor is one that the manifest calls a package.
    answer.says("image.txt: UNSIGNED (no-bundle: ").says("evil-app.tar: UNSIGNED (no-bundle: ");
    named("image.txt", "image.txt", ManifestKind::Package);
    allow(FILES).says("image.txt: UNSIGNED (no-bundle: ").mentions("image");
    // What is allowed by its name lies somewhere else.
    named("evil.sh", "evil.txt", ManifestKind::Package);
    allow(FILES).says("evil.txt: UNSIGNED (no-bundle: ").mentions("at \"evil.sh\"");
    named("evil-app.tar", "app.txt", ManifestKind::Image);
    allow(FILES).says("app.txt: UNSIGNED (no-bundle: ").mentions("at \"evil-app.tar\"");
    named("evil-app.tar", "app.txt", ManifestKind::Package);
    allow(FILES).says("app.txt: UNSIGNED (no-bundle: ");
    // Patterns for images allow no files, and both name and path must fit them.
    const IMAGES: &str = "allow_unsigned_images = [\"*.tar\", \"*.txt\"]";
    let answer = allow(IMAGES);
    let answer = answer.says("app.txt: OK (").mentions("at evil-app.tar").says("image.txt: OK (");
    answer.says("README.txt: UNSIGNED (no-bundle: ");
    allow("allow_unsigned_images = [\"*.tar\"]").says("app.txt: UNSIGNED (no-bundle: ");
    // Without a policy nothing tells an image from a file but what the manifest calls it.
    room.verify("--allow-unsigned image.txt").exit(1).says("image.txt: FAILED (claim-mismatch: ");
    named("evil-app.tar", "evil-app.tar", ManifestKind::Image);
    room.reseal(|it| {
        for artifact in it.artifacts.iter_mut().filter(|it| it.path == "image.txt") {
            artifact.kind = ManifestKind::Image;
        }
        for artifact in it.artifacts.iter_mut().filter(|it| it.path == "evil-app.tar") {
            artifact.name = "app.txt".to_owned();
        }
    });
    // Without a policy an option speaks of one artifact, so that another path needs its own word.
    let options = "--allow-unsigned README.txt --allow-unsigned sub/README.txt --allow-unsigned evil.sh \
                   --allow-unsigned image.txt --allow-unsigned app.txt";
    let answer = room.verify(options).exit(3);
    answer.says("app.txt: UNSIGNED (no-bundle: ").mentions("Its path is not what its name says");
    room.verify(&format!("{options} --allow-unsigned evil-app.tar"))
        .exit(0)
        .mentions("at evil-app.tar");
}

#[test]
fn files_that_are_no_artifacts_are_told_from_images_too() {
    let room = Room::release();
    room.remove("hello_signature.bundle");
    room.remove("hello-image.tar");
    room.write("README.txt", b"read me");
    room.write("image.txt", example("hello-image.tar"));
    room.seal_as_usual("--allow-unsigned README.txt --allow-unsigned image.txt").exit(0);
    // The sealing side lists neither as an artifact.
    room.reseal(|it| it.artifacts.retain(|artifact| !artifact.allow_unsigned));
    room.write_beside("trust.toml", policy("allow_unsigned = [\"*.txt\"]", KEY));
    let answer = room.run(VERIFY).exit(3);
    answer
        .says("image.txt: UNSIGNED (no-bundle: it is an image")
        .never_mentions("README.txt: UNSIGNED");
    let terms = "allow_unsigned = [\"*.txt\"]\nallow_unsigned_images = [\"image.*\"]";
    room.write_beside("trust.toml", policy(terms, KEY));
    room.run(VERIFY).exit(0);
}

#[test]
fn what_a_key_is_believed_for_is_no_matter_of_that_name_either() {
    let room = Room::sealed();
    let terms = format!("{KEY}\nartifacts = [\"hello-*\", \"docs-*\"]");
    room.write_beside("trust.toml", policy("", &terms));
    room.run(VERIFY).exit(1).says("tools-1.0.tar.gz: FAILED (name-not-allowed: ");
    let named = |name: &str| {
        room.reseal(|it| {
            let tools = it.artifacts.iter_mut().find(|it| it.path == "tools-1.0.tar.gz").unwrap();
            tools.name = name.to_owned();
        });
        room.run(VERIFY).exit(1)
    };
    let answer = named("docs-1.0.tar.gz");
    answer.says("docs-1.0.tar.gz: FAILED (name-not-allowed: ").mentions("tools-1.0.tar.gz");
    let terms = format!("{KEY}\nartifacts = [\"hello-*\", \"docs-*\", \"tools-*\"]");
    room.write_beside("trust.toml", policy("", &terms));
    room.run(VERIFY).exit(0).says("docs-1.0.tar.gz: OK (").mentions("at tools-1.0.tar.gz");
}

#[test]
fn sealing_asks_the_policy_for_name_and_kind_too() {
    let room = Room::release();
    room.remove("hello_signature.bundle");
    room.remove("hello-image.tar");
    room.write("notes.txt", b"x");
    room.write("image.txt", example("hello-image.tar"));
    room.write_beside("trust.toml", policy("allow_unsigned = [\"*.txt\"]", KEY));
    let seal = "seal d --key transfer.key --trust trust.toml --trusted-root trusted_root.json";
    room.run(seal).exit(3).says("image.txt: UNSIGNED (");
    let answer = room.run(&format!("{seal} --allow-unsigned image.txt")).exit(3);
    answer.mentions("allow_unsigned_images does not allow");
    room.run(&format!("{seal} --allow-unsigned notes.pdf")).error("policy-forbids");
    let terms = "allow_unsigned = [\"*.txt\"]\nallow_unsigned_images = [\"image.txt\"]";
    room.write_beside("trust.toml", policy(terms, KEY));
    room.run(&format!("{seal} --allow-unsigned image.txt")).exit(0);
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
