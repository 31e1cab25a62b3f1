//! What is asked for: by options, by a release file, and only as a plan.

use crate::made::Vendor;
use crate::side::Side;

#[test]
fn a_plan_says_sizes_and_writes_nothing() {
    let Some(vendor) = Vendor::new("plan") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    let words = format!("--image {image} --package pack.tgz");
    let plan = side.fetch(&format!("{words} --dry-run")).exit(0);
    let plan = plan.says("pack.tgz: 9 bytes").says("  to packages/pack.tgz/pack.tgz");
    plan.says("  to images/app_1/app_1.tar").says("to fetch: ").says("free: ");
    assert!(!side.path("d").exists());
    let requests = vendor.requests();
    assert_eq!(requests, ["vendor.example HEAD /packages/pack.tgz 200 -"]);
    // A plan needs no key.
    let keyless = side.words(&format!("--allow-http {words} --dry-run"));
    side.run(&keyless.replace("--key transfer.key", "")).exit(0);
    side.fetch(&words).exit(0);
    let plan = side.fetch(&format!("{words} --dry-run")).exit(0);
    plan.says("pack.tgz: 9 bytes, already here").says("to fetch: 0 B (0 bytes)");
    side.fetch("--dry-run --package absent.tgz")
        .exit(4)
        .says("absent.tgz: can't be fetched (http-re");
    side.verify("").exit(0);
}

#[test]
fn a_release_file_asks_and_options_add() {
    let Some(vendor) = Vendor::new("file") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    let url = vendor.package_in("downloads", "pack.tgz", "a package");
    vendor.package("more.tgz", "another package");
    let template = side.run("mirror --init").exit(0).0.stdout;
    let text = template
        .replace("vendor = \"k2view\"\n", "")
        .replace("# vendor_profile = \"vendor.toml\"", "vendor_profile = \"profile.toml\"")
        .replace("registry.example.com/vendor/app:1.2.0", &image)
        .replace("https://download.example.com/vendor/package-1.2.0.tar.gz", &url)
        .replace("# vendor_keys = [\"vendor.pub\"]", "vendor_keys = [\"keys/vendor.pub\"]")
        .replace("# stream = \"default\"", "stream = \"of-the-file\"")
        .replace("# notes = \"change 4711\"", "notes = \"change 4711\"");
    // Paths are relative to the file.
    side.write("plans/release.toml", &text);
    side.write("plans/profile.toml", side.read("vendor.toml"));
    side.write("plans/keys/vendor.pub", side.read("vendor.pub"));
    std::fs::remove_file(side.path("vendor.pub")).unwrap();
    let words = side.words("--allow-http -f plans/release.toml");
    let words = words.replace("--vendor-profile vendor.toml", "");
    side.run(&words).exit(0);
    let manifest = side.manifest();
    assert_eq!(
        (&manifest["stream"], &manifest["notes"]),
        (&"of-the-file".into(), &"change 4711".into())
    );
    assert_eq!(manifest["requested"].as_array().unwrap().len(), 2);
    side.verify("").exit(0);
    // Options add requests, and replace single values.
    side.run(&format!("{words} --package more.tgz --stream of-the-option")).exit(0);
    let manifest = side.manifest();
    assert_eq!(manifest["requested"].as_array().unwrap().len(), 3);
    assert_eq!(manifest["stream"], "of-the-option");
    side.verify("").exit(0);

    side.write("plans/release.toml", text.replace("images = [", "image = ["));
    side.run(&words).exit(2).mentions("error[release-malformed]").mentions("unknown field");
}

#[test]
fn requests_twice_and_names_alike() {
    let Some(vendor) = Vendor::new("alike") else { return };
    let side = Side::new(&vendor);
    let one = vendor.pushed("one/app:1", "one");
    let two = vendor.pushed("two/app:1", "two");
    let here = vendor.package_in("here", "pack.tgz", "the same");
    let there = here.replace("/here/", "/there/");
    vendor.write("there/pack.tgz", "the same");
    side.fetch(&format!("--image {one} {two} {one} --package {here} {there} {here}")).exit(0);
    let manifest = side.manifest();
    let artifacts = manifest["artifacts"].as_array().unwrap();
    let mut paths: Vec<&str> = artifacts.iter().map(|it| it["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!((artifacts.len(), paths.len()), (4, 4), "{paths:?}");
    assert!(paths[0].starts_with("images/app_1-") && paths[1].starts_with("images/app_1-"));
    assert!(paths[2].starts_with("packages/pack.tgz-") && paths[3].ends_with("/pack.tgz"));
    side.verify("").exit(0).says(&format!("{one}: OK")).says(&format!("{there}: OK"));
}

#[test]
fn what_can_not_be_asked_for() {
    let Some(vendor) = Vendor::new("asked") else { return };
    let side = Side::new(&vendor);
    for (words, code) in [
        ("--package ../pack.tgz", "reference-invalid"),
        ("--package https://vendor.example/", "reference-invalid"),
        ("", "usage"),
        ("--package a.tgz --connect-to vendor.example", "usage"),
        ("--package a.tgz --ca-file root.json", "usage"),
        ("--package a.tgz --vendor-key root.json", "key-not-a-key"),
        ("-f absent.toml", "file-not-found"),
    ] {
        side.fetch(words).exit(2).mentions(&format!("error[{code}]"));
    }
    for words in
        ["mirror --out d --package a.tgz", "mirror --key transfer.key", "mirror --init --out d"]
    {
        side.run(words).exit(2);
    }
    assert!(!side.is_sealed() && vendor.requests().is_empty());
}
