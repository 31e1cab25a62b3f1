//! What can't be had, or is not what was signed, is left out, recorded and named; the rest arrives.

use std::fs;

use serde_json::json;

use crate::made::Vendor;
use crate::side::Side;

#[test]
fn each_reason_is_recorded_and_the_rest_is_sealed() {
    let Some(vendor) = Vendor::new("reasons") else { return };
    let side = Side::new(&vendor);
    let good = vendor.pushed("good:1", "one");
    // A layer that is not what the manifest says.
    let changed = vendor.image("changed", "two");
    let changed_name = vendor.push(&changed, "changed:1");
    let file = vendor.registry.file(&changed.layer());
    let mut bytes = fs::read(&file).unwrap();
    bytes[600] ^= 1;
    fs::write(file, bytes).unwrap();
    let unsigned = vendor.push(&vendor.labelled("three", &json!({})), "unsigned:1");
    let gone = format!("{}/reasons/gone:1", vendor.registry.host);
    vendor.package("good.tgz", "good");
    vendor.package("wrong.tgz", "wrong");
    vendor.write("packages/wrong.tgz", "WRONG!");
    vendor.package("no-bundle.tgz", "no bundle");
    vendor.remove("signatures/bundles/no-bundle.tgz_signature.bundle");
    let words = format!(
        "--image {good} {changed_name} {unsigned} {gone} --package good.tgz wrong.tgz no-bundle.tgz absent.tgz"
    );
    let answer = side.fetch(&words).exit(1).mentions("6 of 8 left out: ");
    let manifest = side.manifest();
    let omitted: Vec<(&str, &str)> = manifest["omitted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["code"].as_str().unwrap()))
        .collect();
    let mut expected = [
        (changed_name.as_str(), "source-disagrees"),
        (unsigned.as_str(), "no-bundle"),
        (gone.as_str(), "http-refused"),
        ("wrong.tgz", "digest-mismatch"),
        ("no-bundle.tgz", "http-refused"),
        ("absent.tgz", "http-refused"),
    ];
    let mut found = omitted.clone();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{}", answer.0.text());
    for (name, code) in expected {
        assert!(answer.0.stdout.contains(&format!("{name}: OMITTED ({code}: ")), "{name} {code}");
    }
    let left = side.files();
    let folders = ["images/good_1/", "packages/good.tgz/", "trust/", "tools/"];
    for name in &left {
        assert!(folders.iter().any(|folder| name.starts_with(folder)), "{left:?}");
    }
    assert_eq!(manifest["requested"].as_array().unwrap().len(), 8);
    let answer = side.verify("").exit(3).says(&format!("{good}: OK")).says("good.tgz: OK");
    answer.says("wrong.tgz: OMITTED (").says("absent.tgz: OMITTED (").mentions("http-refused");

    // What is mended arrives with the next run.
    vendor.package("wrong.tgz", "right");
    side.fetch(&format!("--image {good} --package good.tgz wrong.tgz")).exit(0);
    side.verify("").exit(0);
}

#[test]
fn what_is_only_out_of_reach_ends_with_4() {
    let Some(vendor) = Vendor::new("reach") else { return };
    let side = Side::new(&vendor);
    vendor.package("good.tgz", "good");
    side.fetch("--package good.tgz absent.tgz").exit(4);
    side.verify("").exit(3).says("absent.tgz: OMITTED (");
    // A registry where nobody listens.
    let side = Side::new(&vendor);
    let nobody = format!("127.0.0.1:{}/app:1", crate::servers::free_port());
    let answer = side.fetch(&format!("--package good.tgz --image {nobody}")).exit(4);
    answer.says(&format!("{nobody}: OMITTED (network-failed: "));
    side.verify("").exit(3);
}

#[test]
fn fail_fast_seals_nothing() {
    let Some(vendor) = Vendor::new("fast") else { return };
    let side = Side::new(&vendor);
    vendor.package("good.tgz", "good");
    side.fetch("--fail-fast --package absent.tgz good.tgz").exit(4).mentions("error[not-brought]");
    assert!(!side.is_sealed());
    side.verify("").exit(1).mentions("seal-missing");
    side.fetch("--fail-fast --package good.tgz").exit(0);
    side.verify("").exit(0);
}

#[test]
fn where_nothing_arrives_nothing_is_left() {
    let Some(vendor) = Vendor::new("nothing") else { return };
    let side = Side::new(&vendor);
    vendor.package("wrong.tgz", "wrong");
    vendor.write("packages/wrong.tgz", "WRONG!");
    let answer = side.fetch("--package wrong.tgz absent.tgz").exit(1);
    answer.mentions("error[not-brought]").mentions("nothing is sealed");
    side.is_empty();
}

#[test]
fn what_was_verified_stays_until_something_better_comes() {
    let Some(vendor) = Vendor::new("withdrawn") else { return };
    let side = Side::new(&vendor);
    vendor.package("good.tgz", "good");
    vendor.package("pack.tgz", "pack");
    side.fetch("--package good.tgz pack.tgz").exit(0);
    // The vendor now offers other bytes under the old signature.
    vendor.write("packages/pack.tgz", "not what was signed");
    side.fetch("--package good.tgz pack.tgz").exit(1).says("pack.tgz: OMITTED (digest-mismatch: ");
    assert_eq!(side.text("d/packages/pack.tgz/pack.tgz"), "pack");
    side.verify("").exit(0).says("good.tgz: OK").says("pack.tgz: OK");
}

#[test]
fn an_unsigned_artifact_is_sealed_where_the_operator_says_so() {
    let Some(vendor) = Vendor::new("unsigned") else { return };
    let side = Side::new(&vendor);
    let image = vendor.push(&vendor.labelled("one", &json!({})), "plain:1");
    vendor.package("good.tgz", "good");
    vendor.write("packages/notes.pdf", "notes");
    let words = format!("--image {image} --package good.tgz notes.pdf");
    side.fetch(&words).exit(4).says("notes.pdf: OMITTED (http-refused: ");
    side.verify("").exit(3);
    let allowed = format!("{words} --allow-unsigned notes.pdf --allow-unsigned {image}");
    side.fetch(&allowed).exit(0).says("notes.pdf: UNSIGNED");
    let manifest = side.manifest();
    for artifact in manifest["artifacts"].as_array().unwrap() {
        let own = artifact["name"] != "good.tgz";
        assert_eq!(artifact["allow_unsigned"] == true, own, "{artifact}");
    }
    // The far side decides for itself.
    side.verify("").exit(3).says("notes.pdf: UNSIGNED").says("good.tgz: OK");
    side.verify(&format!("--allow-unsigned notes.pdf --allow-unsigned {image}")).exit(0);
}
