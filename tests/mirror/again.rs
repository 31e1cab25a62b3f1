//! The same command again: nothing is fetched that is here and right.

use std::fs;

use crate::made::Vendor;
use crate::side::Side;

#[test]
fn a_second_run_downloads_nothing_and_a_changed_file_is_fetched_again() {
    let Some(vendor) = Vendor::new("again") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    let words = format!("--image {image} --package pack.tgz");
    side.fetch(&words).exit(0);
    let (archive, package) = ("d/images/app_1/app_1.tar", "d/packages/pack.tgz/pack.tgz");
    let stamps = (side.stamp(archive), side.stamp(package));
    let (asked, blobs) = (vendor.requests().len(), vendor.registry.blobs_sent("again/app"));
    assert_eq!(blobs, 2);

    side.fetch(&words).exit(0);
    assert_eq!((side.stamp(archive), side.stamp(package)), stamps);
    let requests = vendor.requests().split_off(asked);
    assert_eq!(requests.len(), 7, "{requests:?}");
    for line in &requests {
        let unchanged = line.contains(" 304 ") && line.contains(" GET ");
        assert!(unchanged || line.contains(" HEAD /packages/pack.tgz 200"), "{line}");
    }
    // The config tells what the labels are; the layer is not asked for.
    assert!(vendor.registry.blobs_sent("again/app") <= blobs + 1);
    side.verify("").exit(0);

    // The vendor replaces the package.
    vendor.package("pack.tgz", "a package, the second edition");
    let asked = vendor.requests().len();
    side.fetch(&words).exit(0);
    assert_eq!(side.text(package), "a package, the second edition");
    assert_eq!(side.stamp(archive), stamps.0);
    let requests = vendor.requests().split_off(asked);
    assert!(requests.iter().any(|line| line.contains(" GET /packages/pack.tgz 200")));
    assert!(
        side.text("d/trust/fetches.jsonl").matches("packages/pack.tgz/pack.tgz\"").count() == 1
    );
    side.verify("").exit(0);
}

#[test]
fn what_was_changed_here_is_noticed_and_fetched_again() {
    let Some(vendor) = Vendor::new("changed") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    let words = format!("--image {image} --package pack.tgz");
    side.fetch(&words).exit(0);
    let (archive, package) = ("d/images/app_1/app_1.tar", "d/packages/pack.tgz/pack.tgz");
    let whole = side.read(archive);

    // Of the same size; only the content tells.
    side.write(package, "A package");
    let mut bytes = whole.clone();
    let middle = bytes.windows(11).position(|it| it == b"changed: on").unwrap();
    bytes[middle] ^= 1;
    side.write(archive, &bytes);
    side.fetch(&words)
        .exit(0)
        .mentions("packages/pack.tgz/pack.tgz: not what was fetched before; fetched again")
        .mentions("images/app_1/app_1.tar: not what was fetched before; fetched again");
    assert_eq!((side.text(package), side.read(archive)), ("a package".to_owned(), whole.clone()));
    side.verify("").exit(0);

    // Bundles, keys, and files that are gone or cut.
    side.write("d/packages/pack.tgz/pack.tgz_signature.bundle", "{}");
    side.write("d/images/app_1/vendor.pub", "no key");
    side.write(archive, &whole[..whole.len() / 2]);
    fs::remove_file(side.path(package)).unwrap();
    side.fetch(&words).exit(0);
    assert_eq!(side.read(archive), whole);
    side.verify("").exit(0);

    // What nobody asked for stops the sealing, wherever it lies, and is left alone.
    for name in ["packages/pack.tgz/extra", "elsewhere.tgz"] {
        let path = format!("d/{name}");
        side.write(&path, "x");
        side.fetch(&words).exit(1).mentions(name).mentions("error[file-extra]");
        side.verify("").exit(1).says(&format!("{name}: EXTRA ("));
        assert_eq!(side.text(&path), "x");
        fs::remove_file(side.path(&path)).unwrap();
        side.fetch(&words).exit(0).says("fetched: nothing; ");
        side.verify("").exit(0);
    }
}

#[test]
fn what_an_earlier_request_left_is_no_request_of_this_one() {
    let Some(vendor) = Vendor::new("fewer") else { return };
    let side = Side::new(&vendor);
    vendor.package("one.tgz", "one");
    vendor.package("two.tgz", "two");
    side.fetch("--package one.tgz two.tgz").exit(0);
    // Both are right, so both are sealed; asked for is the first alone.
    side.fetch("--package one.tgz").exit(0);
    let requested = side.manifest()["requested"].clone();
    assert_eq!(requested.as_array().unwrap().len(), 1, "{requested}");
    side.verify("").exit(0);
}
