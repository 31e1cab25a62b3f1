//! A folder with everything that a release can hold, and what is said of each file.

use crate::made::{Image, Made, STRANGER, VENDOR, gzip, line, logged, sigstore, sigstore_logged, zstd};
use crate::support::log::TestKey;

/// Seconds of 2025-01-01.
const EARLY: u64 = 1_735_689_600;

#[test]
fn every_form_and_every_way_to_pair_is_ok() {
    let made = Made::new();
    let one = Image::new("one", Some("one.bundle"));
    made.file("images/one.tar", one.docker());
    made.file("bundles/one.bundle", one.bundle(VENDOR));
    made.file("images/one-oci.tar", one.oci());
    made.file("images/one.tar.gz", gzip(&one.docker()));
    made.file("images/one.tar.zst", zstd(&one.oci()));
    for (name, bytes) in one.layout() {
        made.file(&format!("layouts/one/{name}"), bytes);
    }
    let beside = Image::new("beside", None);
    made.file("images/beside.tar", beside.docker());
    made.file("images/beside.tar.bundle", beside.bundle(VENDOR));
    let new = Image::new("new", None);
    made.file("images/new.tar", new.oci());
    made.file("images/new.tar.sigstore.json", sigstore(VENDOR, &new.id()));
    let stated = Image::new("stated", None);
    made.file("images/stated.tar", stated.docker());
    made.file("bundles/whatever.sigstore.json", sigstore(VENDOR, &stated.id()));
    let mapped = Image::new("mapped", None);
    made.file("images/mapped.tar", mapped.docker());
    made.file("bundles/m1.bundle", mapped.bundle(VENDOR));

    made.package("packages/a-1.0.tgz", "a");
    made.file("packages/b.tgz", "b").file("packages/b.tgz.sigstore.json", sigstore(VENDOR, &line("b")));
    made.file("packages/c.tgz", "c").file("packages/c.tgz.bundle", TestKey::new(VENDOR).bundle(&line("c")));
    made.file("deep/er/d.tgz", "d").file("bundles/d.json.sigstore.json", sigstore_logged(VENDOR, &line("d"), EARLY));
    made.file("deep/e.tgz", "e").file("bundles/d.tgz_signature.bundle", logged(VENDOR, &line("e"), EARLY));
    made.file("packages/a-1.0.tgz_publickey.json", r#"{"publicKey":"https://vendor.test/vendor.pub"}"#);
    made.file("keys/vendor.pub", TestKey::new(VENDOR).pem());
    made.file("keys/other.pub", TestKey::new(STRANGER).pem());
    made.beside("map.tsv", "images/mapped.tar\tbundles/m1.bundle\ndeep/e.tgz\tbundles/d.tgz_signature.bundle\n");
    let said = made.verify("--map map.tsv --require-coverage").says(
        0,
        &[
            "deep/e.tgz: OK",
            "deep/er/d.tgz: OK",
            "images/beside.tar: OK",
            "images/mapped.tar: OK",
            "images/new.tar: OK",
            "images/one-oci.tar: OK",
            "images/one.tar: OK",
            "images/one.tar.gz: OK",
            "images/one.tar.zst: OK",
            "images/stated.tar: OK",
            "layouts/one: OK",
            "packages/a-1.0.tgz: OK",
            "packages/b.tgz: OK",
            "packages/c.tgz: OK",
        ],
    );
    assert_eq!(said.covered("uncovered"), [""; 0]);
}
