//! What an earlier transfer carried is not carried again.

use std::fs;

use crate::made::Vendor;
use crate::side::Side;

#[test]
fn only_what_changed_is_carried() {
    let Some(vendor) = Vendor::new("base") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    let other = vendor.pushed("other:1", "two");
    vendor.package("same.tgz", "the same");
    vendor.package("new.tgz", "old");
    let words = format!("--image {image} {other} --package same.tgz new.tgz");
    side.fetch(&words).exit(0);
    fs::rename(side.path("d"), side.path("old")).unwrap();
    vendor.package("new.tgz", "something new");
    vendor.pushed("other:1", "another two");
    let asked = vendor.requests().len();
    let blobs = vendor.registry.blobs_sent("base/app");

    let answer = side.fetch(&format!("{words} --base old")).exit(0);
    answer
        .says(&format!("{image}: OK"))
        .says("same.tgz: OK")
        .mentions("an earlier transfer carried it (--base)")
        .never_mentions("NOT SIGNED");
    let names: Vec<String> = side.files();
    assert!(!names.iter().any(|it| it.contains("same.tgz") || it.contains("/app_1")), "{names:?}");
    assert_eq!(side.text("d/packages/new.tgz/new.tgz"), "something new");
    assert!(side.path("d/images/other_1/other_1.tar").is_file());
    let requests = vendor.requests().split_off(asked);
    assert!(!requests.iter().any(|it| it.contains(" GET /packages/same.tgz")), "{requests:?}");
    assert!(vendor.registry.blobs_sent("base/app") <= blobs + 1);

    let base = side.manifest()["base"].clone();
    let carried: Vec<&str> = base["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(carried, [image.as_str(), "same.tgz"]);
    side.verify("--base old").exit(0).says("new.tgz: OK");
    let alone = side.verify("");
    assert!(matches!(alone.0.status, Some(1..=3)), "{}", alone.0.text());
    // The old one must be whole where it is needed.
    side.write("old/packages/same.tgz/same.tgz", "the sane");
    side.verify("--base old").exit(1);
}

#[test]
fn a_base_that_is_not_ours_is_refused() {
    let Some(vendor) = Vendor::new("nobase") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    side.fetch("--package pack.tgz").exit(0);
    fs::rename(side.path("d"), side.path("old")).unwrap();
    let text = side.text("old/manifest.json").replace("pack.tgz", "PACK.tgz");
    side.write("old/manifest.json", text);
    side.fetch("--package pack.tgz --base old").exit(1).mentions("error[seal-");
    assert!(!side.is_sealed());
    side.fetch("--package pack.tgz --base absent").exit(2);
}
