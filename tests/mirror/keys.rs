//! Which vendor keys count: only those that the operator names.

use sealift::key::PublicKey;

use crate::made::Vendor;
use crate::side::{Answer, Side};
use crate::support::log::TestKey;

fn fingerprint(key: &TestKey) -> String {
    PublicKey::from_pem(key.pem().as_bytes()).unwrap().fingerprint().to_string()
}

/// A vendor with an image and a package, a side, and the words that ask for both.
fn both(name: &'static str) -> Option<(Vendor, Side, String)> {
    let vendor = Vendor::new(name)?;
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    Some((vendor, side, format!("--image {image} --package pack.tgz")))
}

/// No package and no layer was sent so far.
#[track_caller]
fn nothing_large(vendor: &Vendor) {
    let requests = vendor.requests();
    assert!(!requests.iter().any(|line| line.contains(" GET /packages/")), "{requests:?}");
    assert!(vendor.registry.blobs_sent(&format!("{}/app", vendor.name)) <= 2);
}

fn policy(key: &str) -> String {
    format!(
        "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n\
         [[vendor]]\nname = \"example\"\nprofile = \"vendor.toml\"\n\
         [[vendor.key]]\nname = \"key\"\nfile = \"{key}\"\n"
    )
}

#[test]
fn a_key_that_nobody_named_is_not_believed() {
    let Some((vendor, side, words)) = both("unnamed") else { return };
    let print = fingerprint(&vendor.key);
    side.mirror(&words)
        .exit(2)
        .says("pack.tgz: OMITTED (key-not-named: ")
        .mentions(&format!("--pin-key {print}"))
        .mentions("error[not-brought]");
    nothing_large(&vendor);
    side.is_empty();
    // Of another key the fingerprint is no help.
    let other = fingerprint(&TestKey::new(33));
    let answer = side.mirror(&format!("{words} --pin-key {other}")).exit(2);
    answer.says("pack.tgz: OMITTED (key-not-named: ").mentions(&print);
    nothing_large(&vendor);
    side.is_empty();

    side.mirror(&format!("{words} --pin-key {print}")).exit(0);
    side.verify("").exit(0).never_mentions("first use");
    assert_eq!(side.manifest()["artifacts"][0]["key"], print.as_str());
}

#[test]
fn a_key_accepted_unseen_is_shown_on_the_far_side() {
    let Some((vendor, side, words)) = both("unseen") else { return };
    side.mirror(&format!("{words} --trust-on-first-use")).exit(0);
    let manifest = side.manifest();
    for artifact in manifest["artifacts"].as_array().unwrap() {
        assert_eq!(artifact["first_use"], true, "{artifact}");
        assert_eq!(artifact["key"], fingerprint(&vendor.key).as_str());
    }
    side.verify("-v").exit(0).mentions("first use");
}

#[test]
fn the_operators_key_decides_and_not_the_one_on_the_site() {
    let Some((vendor, side, words)) = both("replaced") else { return };
    // Whoever has the site can publish another key, but not sign by the right one.
    vendor.write("signatures/public-keys/vendor.pub", TestKey::new(34).pem());
    let print = fingerprint(&vendor.key);
    let answer = side.mirror(&format!("{words} --pin-key {print}")).exit(2);
    answer.says("pack.tgz: OMITTED (key-not-named: ").mentions(&fingerprint(&TestKey::new(34)));
    nothing_large(&vendor);
    side.is_empty();
    // With the right key at hand the site's is of no account, whatever it is.
    side.fetch(&words).exit(0);
    side.verify("").exit(0);
    vendor.write("signatures/public-keys/vendor.pub", "no key at all");
    side.fetch(&words).exit(0);
    vendor.remove("signatures/public-keys/vendor.pub");
    side.fetch(&words).exit(0);
    side.verify("").exit(0);
}

#[test]
fn a_bundle_by_a_key_that_the_site_swapped_too_is_refused() {
    let Some(mut vendor) = Vendor::new("swapped") else { return };
    let side = Side::new(&vendor);
    // Key, bundle and package are all the attacker's, and agree with each other.
    vendor.key = TestKey::new(35);
    vendor.write("signatures/public-keys/vendor.pub", vendor.key.pem());
    vendor.package("pack.tgz", "a bad package");
    side.write("root.json", vendor.trusted_root());
    side.fetch("--package pack.tgz").exit(2).says("pack.tgz: OMITTED (key-not-named: ");
    side.is_empty();
}

#[test]
fn a_policy_is_not_widened_by_an_option() {
    let Some((vendor, side, words)) = both("policy") else { return };
    side.write("other.pub", TestKey::new(36).pem());
    side.write("with.toml", policy("vendor.pub"));
    side.write("without.toml", policy("other.pub"));
    let print = fingerprint(&vendor.key);
    for more in [format!("--pin-key {print}"), "--vendor-key vendor.pub".into()] {
        let answer: Answer = side.mirror(&format!("{words} --trust without.toml {more}"));
        answer.exit(2).mentions("error[policy-forbids]");
        side.is_empty();
    }
    side.mirror(&format!("{words} --trust without.toml")).exit(2);
    side.is_empty();
    side.mirror(&format!("{words} --trust with.toml")).exit(0);
    side.run("verify d --trust with.toml --trusted-root root.json").exit(0);
    side.run("verify d --trust without.toml --trusted-root root.json").exit(1);
}
