//! A folder with everything that a release can hold, and what is said of each file.

use crate::made::{
    self, Image, Made, STRANGER, VENDOR, gzip, line, logged, sigstore, sigstore_logged, zstd,
};
use crate::support::log::TestKey;
use crate::support::transfers::private_pem;

/// Seconds of 2025-01-01.
const EARLY: u64 = 1_735_689_600;
/// Seconds of 2025-07-01.
const LATE: u64 = 1_751_328_000;

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
    made.file("packages/b.tgz", "b")
        .file("packages/b.tgz.sigstore.json", sigstore(VENDOR, &line("b")));
    made.file("packages/c.tgz", "c")
        .file("packages/c.tgz.bundle", TestKey::new(VENDOR).bundle(&line("c")));
    made.file("deep/er/d.tgz", "d")
        .file("bundles/d.json.sigstore.json", sigstore_logged(VENDOR, &line("d"), EARLY));
    made.file("deep/e.tgz", "e").file("bundles/m2.bundle", logged(VENDOR, &line("e"), EARLY));
    made.file(
        "packages/a-1.0.tgz_publickey.json",
        r#"{"publicKey":"https://vendor.test/vendor.pub"}"#,
    );
    made.file("keys/vendor.pub", TestKey::new(VENDOR).pem());
    made.file("keys/other.pub", TestKey::new(STRANGER).pem());
    made.beside("map.tsv", "images/mapped.tar\tbundles/m1.bundle\ndeep/e.tgz\tbundles/m2.bundle\n");
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

#[test]
fn each_fault_is_said_of_its_own_file_and_of_no_other() {
    let made = Made::new();
    made.package("a/good.tgz", "good").file("a/stray.txt", "stray");
    let image = Image::new("t", None);
    made.file("a/t.tar", image.tampered()).file("a/t.tar.bundle", image.bundle(VENDOR));
    made.package("a/t.tgz", "as signed").file("a/t.tgz", "another");
    let two = Image::new("two", Some("two.bundle"));
    made.file("b/two.tar", two.docker());
    made.file("x/two.bundle", two.bundle(VENDOR)).file("y/two.bundle", two.bundle(VENDOR));
    made.file("b/nothing.bundle", TestKey::new(VENDOR).bundle("nothing"));
    let shared = ["s1", "s2"].map(|it| Image::new(it, Some("shared.bundle")));
    made.file("c/s1.tar", shared[0].docker()).file("c/s2.tar", shared[1].docker());
    made.file("c/shared.bundle", shared[0].bundle(VENDOR));
    let copy = Image::new("copy", Some("copy.bundle"));
    made.file("c/c1.tar", copy.docker()).file("c/c2.tar", copy.docker());
    made.file("c/copy.bundle", copy.bundle(VENDOR));
    made.file("d/m.tgz", "m").file("d/m.tgz_signature.bundle", "{");
    made.file("d/large.tgz", "l").file("d/large.tgz_signature.bundle", " ".repeat(5 << 20));
    made.file("d/gone.sigstore.json", "[]");
    made.file("d/u.tgz", "u");
    made.file("d/u.tgz_signature.bundle", TestKey::new(STRANGER).bundle(&line("u")));
    made.file("d/v.tgz", "v").file("d/v.tgz.sigstore.json", sigstore(VENDOR, &line("other")));
    made.file("e/private.pem", private_pem(9));
    let said = made.verify("").says(
        1,
        &[
            "a/good.tgz: OK",
            "a/stray.txt: no-bundle",
            "a/t.tar: layer-mismatch",
            "a/t.tgz: signature-invalid",
            "b/two.tar: pairing-ambiguous",
            "c/c1.tar: OK",
            "c/c2.tar: OK",
            "c/s1.tar: OK",
            "c/s2.tar: signature-invalid",
            "d/gone.sigstore.json: no-bundle",
            "d/large.tgz: bundle-too-large",
            "d/large.tgz_signature.bundle: no-bundle",
            "d/m.tgz: bundle-malformed",
            "d/m.tgz_signature.bundle: bundle-malformed",
            "d/u.tgz: signature-invalid",
            "d/v.tgz: digest-mismatch",
            "e/private.pem: key-is-private",
            "b/nothing.bundle: material-unpaired",
            "c/shared.bundle: bundle-shared",
        ],
    );
    assert_eq!(said.covered("vendor"), ["a/good.tgz", "c/c1.tar", "c/c2.tar", "c/s1.tar"]);
    assert_eq!(
        said.covered("uncovered"),
        [
            "a/stray.txt",
            "a/t.tar",
            "a/t.tgz",
            "b/two.tar",
            "c/s2.tar",
            "d/gone.sigstore.json",
            "d/large.tgz",
            "d/large.tgz_signature.bundle",
            "d/m.tgz",
            "d/m.tgz_signature.bundle",
            "d/u.tgz",
            "d/v.tgz",
            "e/private.pem",
        ]
    );
    assert_eq!(said.covered("material").len(), 10, "{:?}", said.covers());
    assert_eq!(said.report["summary"]["answers"], 19);
}

#[test]
fn rotated_keys_count_for_their_time() {
    let made = Made::new();
    for key in 1..=4 {
        made.beside(&format!("key-{key}.pub"), TestKey::new(key).pem());
    }
    made.beside(
        "trust.toml",
        r#"
version = 1
[[vendor]]
name = "k2view"
[[vendor.key]]
name = "now"
file = "key-1.pub"
[[vendor.key]]
name = "retired"
file = "key-2.pub"
status = "retired"
retired_at = 2025-04-01T00:00:00Z
[[vendor.key]]
name = "lost"
file = "key-3.pub"
status = "revoked"
compromised_at = 2025-04-01T00:00:00Z
[[vendor.key]]
name = "revoked"
file = "key-4.pub"
status = "revoked"
"#,
    );
    for (name, key, time) in [
        ("1-late", 1, LATE),
        ("2-early", 2, EARLY),
        ("2-late", 2, LATE),
        ("3-early", 3, EARLY),
        ("3-late", 3, LATE),
        ("4-early", 4, EARLY),
        ("9-early", 9, EARLY),
    ] {
        made.file(name, name);
        let (old, new) = (logged(key, &line(name), time), sigstore_logged(key, &line(name), time));
        made.file(&format!("{name}_signature.bundle"), old);
        made.file(&format!("new-{name}"), name).file(&format!("new-{name}.sigstore.json"), new);
    }
    made.file("unlogged", "x")
        .file("unlogged_signature.bundle", TestKey::new(1).bundle(&line("x")));
    let expected = [
        ("1-late", "OK"),
        ("2-early", "OK"),
        ("2-late", "key-retired"),
        ("3-early", "OK"),
        ("3-late", "key-revoked"),
        ("4-early", "key-revoked"),
        ("9-early", "signature-invalid"),
    ];
    let said = made.verify("--trust trust.toml");
    let answers = said.answers();
    for (name, code) in expected {
        for name in [name.to_owned(), format!("new-{name}")] {
            let line = format!("{name}: {code}");
            assert!(answers.contains(&line), "{line}: {answers:?}");
        }
    }
    assert!(answers.contains(&"unlogged: log-entry-missing".to_owned()), "{answers:?}");
    assert_eq!(said.status, 1);
}

/// A profile of a vendor that signs `message` and calls a package's bundle so.
fn profile(name: &str, message: &str, bundle: &str) -> String {
    include_str!("../../src/trust/k2view.toml")
        .replace("name = \"k2view\"", &format!("name = \"{name}\""))
        .replace("\"hex-line\"", &format!("\"{message}\""))
        .replace(
            "bundle_file = \"{package}_signature.bundle\"",
            &format!("bundle_file = \"{{package}}{bundle}\""),
        )
}

/// Two vendors: one signs lines of hex, the other digests; each package is signed by the key given.
fn two_vendors(a: u8, b: u8) -> Made {
    let made = Made::new();
    made.beside("va.toml", profile("va", "hex-line", "_signature.bundle"));
    made.beside("vb.toml", profile("vb", "digest", ".vb-bundle"));
    let of = |key: u8, message: &str| TestKey::new(key).bundle(message);
    made.file("a1.tgz", "a1").file("a1.tgz_signature.bundle", of(a, &line("a1")));
    made.file("a2.tgz", "a2").file("a2.tgz.bundle", of(a, &line("a2")));
    made.file("a3.tgz", "a3").file("a3.tgz.sigstore.json", sigstore(a, &line("a3")));
    made.file("b1.tgz", "b1").file("b1.tgz.vb-bundle", of(b, &made::digest("b1")));
    made.file("b2.tgz", "b2").file("b2.tgz.bundle", of(b, &made::digest("b2")));
    made.file("b3.tgz", "b3").file("b3.tgz.sigstore.json", sigstore(b, &made::digest("b3")));
    made.file("b4.tgz", "b4").file("b4.sigstore.json", sigstore(b, &made::digest("b4")));
    made.file("b5.tgz", "b5").file("b5.sig", of(b, &made::digest("b5")));
    made.beside("map.tsv", "b5.tgz\tb5.sig\n");
    // One's own names with the other's text are neither's.
    made.file("x.tgz", "x").file("x.tgz_signature.bundle", of(a, &made::digest("x")));
    made
}

const TWO: [&str; 9] = [
    "a1.tgz: OK",
    "a2.tgz: OK",
    "a3.tgz: OK",
    "b1.tgz: OK",
    "b2.tgz: OK",
    "b3.tgz: OK",
    "b4.tgz: OK",
    "b5.tgz: OK",
    "x.tgz: signature-invalid",
];

#[test]
fn two_vendors_are_told_apart_by_who_signed() {
    let made = two_vendors(1, 1);
    for (one, other) in [("va.toml", "vb.toml"), ("vb.toml", "va.toml")] {
        let profiles = format!("--vendor-profile {one} --vendor-profile {other} --map map.tsv");
        made.verify(&profiles).says(1, &TWO);
    }
    let made = two_vendors(1, 2);
    let vendor = |name: &str, key: u8| {
        format!(
            "[[vendor]]\nname = \"{name}\"\nprofile = \"{name}.toml\"\ntransparency = \"optional\"\n\
             [[vendor.key]]\nname = \"key\"\nfile = \"vendor-{key}.pub\"\n"
        )
    };
    for (one, other) in [(vendor("va", 1), vendor("vb", 2)), (vendor("vb", 2), vendor("va", 1))] {
        made.beside("trust.toml", format!("version = 1\n{one}{other}"));
        made.verify("--trust trust.toml --map map.tsv").says(1, &TWO);
    }
    // Each key counts for its own vendor's conventions only.
    let made = two_vendors(2, 1);
    made.beside("trust.toml", format!("version = 1\n{}{}", vendor("va", 1), vendor("vb", 2)));
    let said = made.verify("--trust trust.toml --map map.tsv");
    assert!(said.answers().iter().all(|it| !it.ends_with("OK")), "{:?}", said.answers());
}

#[test]
fn transfer_directories_in_a_folder() {
    let made = Made::new();
    let yard = &made.yard;
    for name in ["good", "lost", "strange"] {
        yard.package(&format!("r/{name}"), "p.tgz", "p", VENDOR);
    }
    yard.sealed("r/good");
    yard.sealed("r/lost");
    let key = yard.path("transfer.key");
    std::fs::write(&key, private_pem(202)).unwrap();
    yard.sealed("r/strange");
    for name in ["manifest.json", "manifest.json.sig", "manifest.json.sigstore.json"] {
        std::fs::remove_file(made.path(&format!("lost/{name}"))).unwrap();
    }
    let answers = ["p.tgz: OK", "good: OK", "lost: seal-missing", "strange: seal-invalid"];
    let said = made.verify("--transfer-key transfer.pub").says(1, &answers);
    assert_eq!(said.artifacts()[0]["within"], "r/good");
    assert!(said.covered("vendor").iter().all(|it| it == "good/p.tgz"));
    let covers = said.covers();
    assert_eq!(covers["good/manifest.json"], "material");
    for name in ["lost/p.tgz", "strange/p.tgz", "strange/SHA256SUMS"] {
        assert_ne!(covers[name], "vendor", "{name}");
    }
    // Nobody to judge a seal by: no answer is made up from what lies beside it.
    let none = ["good: no-transfer-key", "lost: no-transfer-key", "strange: no-transfer-key"];
    made.verify("").says(2, &none);
    // A loose file beside them is under no seal, and the key says that everything is.
    made.package("loose.tgz", "loose");
    let said = made.verify("--transfer-key transfer.pub");
    assert_eq!(said.answers()[2], "loose.tgz: seal-missing", "{:?}", said.answers());
    assert_eq!(said.covers()["loose.tgz"], "uncovered");
    let said = made.verify("--transfer-key transfer.pub --loose");
    assert_eq!(said.answers()[2], "loose.tgz: OK", "{:?}", said.answers());
    assert_eq!(said.status, 1);
    let said = made.verify("");
    assert!(said.answers().contains(&"loose.tgz: OK".to_owned()), "{:?}", said.answers());
    assert_eq!(said.status, 2);
    // One that is good is all that is needed.
    for name in ["lost", "strange", "loose.tgz", "loose.tgz_signature.bundle"] {
        let path = made.path(name);
        drop(std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)));
    }
    made.verify("--transfer-key transfer.pub --require-coverage")
        .says(0, &["p.tgz: OK", "good: OK"]);
}

#[test]
fn without_a_key_there_is_one_answer_and_every_file_is_listed() {
    let made = Made::new();
    made.package("a.tgz", "a").file("b.pub", TestKey::new(3).pem());
    let unnamed = crate::support::tools::run(
        crate::support::sealift()
            .current_dir(made.yard.path(""))
            .args(["verify", "-q", "-o", "json", "r"]),
    );
    let said = made::Said::new(unnamed).says(2, &["r: no-key"]);
    let covers = said.covers();
    assert_eq!(covers.len(), 3, "{covers:?}");
    assert_eq!(covers["a.tgz"], "uncovered");
}
