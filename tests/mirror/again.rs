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
fn what_was_changed_here_is_noticed_and_left_alone() {
    let Some(vendor) = Vendor::new("changed") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    let words = format!("--image {image} --package pack.tgz");
    side.fetch(&words).exit(0);
    let (archive, package) = ("d/images/app_1/app_1.tar", "d/packages/pack.tgz/pack.tgz");
    let whole = side.read(archive);

    // Of the same size, where only the content tells, or cut; a bundle, a key: damaged, or the operator's own.
    let mut bytes = whole.clone();
    let middle = bytes.windows(11).position(|it| it == b"changed: on").unwrap();
    bytes[middle] ^= 1;
    let bundle = "d/packages/pack.tgz/pack.tgz_signature.bundle";
    for (path, now) in [
        (package, &b"A package"[..]),
        (archive, &bytes),
        (archive, &whole[..whole.len() / 2]),
        (bundle, b"{}"),
        ("d/packages/pack.tgz/pack.tgz_publickey.json", b"{}"),
        ("d/images/app_1/vendor.pub", b"no key"),
    ] {
        let before = side.read(path);
        side.write(path, now);
        let asked = vendor.requests().len();
        side.fetch(&words)
            .exit(2)
            .mentions("output-exists")
            .mentions("not what was fetched: damaged or replaced")
            .mentions("move it away and run again");
        assert_eq!(side.read(path), now, "{path}");
        let name = path.split('/').nth(2).unwrap().split('_').next().unwrap();
        let requests = vendor.requests().split_off(asked);
        assert!(!requests.iter().any(|line| line.contains(name)), "{path}: {requests:?}");
        side.fetch(&format!("{words} --omit-partial"));
        assert_eq!(side.read(path), now, "{path}");
        // The same command, once it is out of the way.
        fs::remove_file(side.path(path)).unwrap();
        side.fetch(&words).exit(0);
        assert_eq!(side.read(path), before, "{path}");
        side.verify("").exit(0);
    }

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
