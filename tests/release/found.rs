//! What counts as material in a folder: by its exact form, and by nothing else; and what counts where a seal is
//! expected: nothing outside of it.

use serde_json::{Value, json};

use crate::made::{Made, VENDOR, line, logged, sigstore, sigstore_logged};
use crate::support::log::{TestKey, TestLog};
use crate::support::tools::run;

const COVERAGE: &str = "--require-coverage";

fn root() -> Value {
    TestLog::new(77, "log.test").trusted_root()
}

fn with(mut value: Value, place: &str, name: &str, member: Value) -> Value {
    let object = if place.is_empty() { Some(&mut value) } else { value.pointer_mut(place) };
    object.unwrap().as_object_mut().unwrap().insert(name.to_owned(), member);
    value
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_document_that_is_another_program_s_too_is_no_material() {
    let scripts = json!({"postinstall": "sh evil.sh"});
    let old = parsed(&logged(VENDOR, &line("a"), 1_735_689_600));
    let new = parsed(&sigstore_logged(VENDOR, &line("a"), 1_735_689_600));
    for (what, name, value) in [
        ("root", "package.json", with(root(), "", "scripts", scripts.clone())),
        ("log", "package.json", with(root(), "/tlogs/0", "scripts", scripts.clone())),
        ("key", "r.json", with(root(), "/tlogs/0/publicKey", "x", json!(1))),
        (
            "version",
            "r.json",
            with(
                root(),
                "",
                "mediaType",
                json!("application/vnd.dev.sigstore.trustedroot.v9+json"),
            ),
        ),
        ("cosign", "docker-compose.json", with(old.clone(), "", "services", scripts.clone())),
        ("rekor", "x.json", with(old.clone(), "/rekorBundle", "services", json!(0))),
        ("payload", "x.bundle", with(old.clone(), "/rekorBundle/Payload", "services", json!(0))),
        ("folded", "x.json", with(old.clone(), "", "Cert", json!(""))),
        ("value", "x.json", with(old, "", "cert", scripts.clone())),
        ("sigstore", "docker-compose.json", with(new.clone(), "", "services", scripts.clone())),
        (
            "entry",
            "x.json",
            with(new.clone(), "/verificationMaterial/tlogEntries/0", "x", json!(0)),
        ),
        ("snake", "x.json", with(new, "", "media_type", json!(""))),
    ] {
        let made = Made::new();
        made.package("a.tgz", "a").file(name, value.to_string());
        for options in ["", COVERAGE, "--include a.tgz"] {
            let said = made.verify(options);
            let answer = format!("{name}: material-unknown-member");
            if options.starts_with("--include") {
                assert_eq!(said.covers()[name], "excluded", "{what}");
            } else {
                assert!(said.answers().contains(&answer), "{what} {options}: {:?}", said.answers());
                assert_eq!(said.status, 1, "{what} {options}");
                assert_eq!(said.covers()[name], "uncovered", "{what} {options}");
            }
        }
    }
}

#[test]
fn a_bundle_with_a_stranger_s_member_signs_nothing_in_a_folder() {
    let made = Made::new();
    let bundle = with(parsed(&TestKey::new(VENDOR).bundle(&line("a"))), "", "scripts", json!({}));
    made.file("a.tgz", "a").file("a.tgz_signature.bundle", bundle.to_string());
    let answers =
        ["a.tgz: material-unknown-member", "a.tgz_signature.bundle: material-unknown-member"];
    made.verify("").says(1, &answers);
    // Named by an option it is read as cosign reads it.
    let mut command = made.command("--bundle r/a.tgz_signature.bundle");
    run(command.arg("r/a.tgz")).succeeded();
}

#[test]
fn a_signed_document_is_a_package_whatever_is_in_it() {
    let made = Made::new();
    let root = with(root(), "", "scripts", json!({})).to_string();
    made.package("package.json", &root);
    made.verify(COVERAGE).says(0, &["package.json: OK"]);
}

#[test]
fn a_key_name_counts_beside_its_package_only_and_with_one_member() {
    let url = "https://vendor.test/vendor.pub";
    let good = json!({ "publicKey": url });
    for (name, value, answer) in [
        ("a.tgz_publickey.json", good.clone(), ""),
        (
            "a.tgz_publickey.json",
            with(good.clone(), "", "scripts", json!({})),
            "material-unknown-member",
        ),
        ("b.tgz_publickey.json", good.clone(), "no-bundle"),
        ("x/a.tgz_publickey.json", good.clone(), "no-bundle"),
        ("package.json", good, "no-bundle"),
        ("a.tgz_publickey.json", json!({ "publicKey": "https://vendor.test/" }), "no-bundle"),
        ("a.tgz_publickey.json", json!({ "PublicKey": url }), "no-bundle"),
    ] {
        let made = Made::new();
        made.package("a.tgz", "a").file(name, value.to_string());
        let mut expected = vec!["a.tgz: OK".to_owned(), format!("{name}: {answer}")];
        expected.truncate(if answer.is_empty() { 1 } else { 2 });
        expected.sort();
        assert_eq!(made.verify("").answers(), expected);
    }
}

#[test]
fn a_key_counts_with_comments_and_with_what_openssl_prints() {
    let key = TestKey::new(VENDOR).pem();
    let made = Made::new();
    made.package("a.tgz", "a");
    std::fs::write(made.yard.path("k.pub"), &key).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["pkey", "-pubin", "-text", "-in"]).arg(made.yard.path("k.pub"));
    let text = run(&mut openssl).succeeded();
    assert!(text.contains("Public-Key: (256 bit)"), "{text}");
    let printed = text.replace(&key, "");
    let other = printed.replacen("04:", "05:", 1);
    for (good, file) in [
        (true, key.clone()),
        (true, key.replace('\n', "\r\n")),
        (true, format!("\n# Vendor's key\n#\n\n{key}\n# the end\n")),
        (true, text.clone()),
        (true, format!("{printed}{key}")),
        (true, format!("# as printed\n{printed}\n{key}")),
        (false, format!("#!/bin/sh\n{key}")),
        (false, format!("#comment\n{key}")),
        (false, format!("rm -rf /\n{key}")),
        (false, format!("{key}rm -rf /\n")),
        (false, format!("\u{feff}{key}")),
        (false, format!("{other}{key}")),
        (false, format!("{printed}{printed}{key}")),
        (false, format!("{printed}{key}{printed}")),
        (false, format!("{printed}evil\n{key}")),
        (false, format!("{key}{key}")),
        (false, format!("# \u{1b}[2J\n{key}")),
        (false, key.replacen('A', "A\n", 1)),
    ] {
        made.file("vendor.pub", &file);
        let said = made.verify(COVERAGE);
        assert_eq!(said.status, i32::from(!good), "{file:?}: {:?}", said.answers());
        let code = made.verify("").answers().join(" ");
        assert_eq!(code.contains("vendor.pub: no-bundle"), !good, "{file:?}: {code}");
    }
}

#[test]
fn every_kind_of_key_counts_as_openssl_prints_it() {
    let made = Made::new();
    made.package("a.tgz", "a");
    let openssl = |words: &str| {
        let mut command = std::process::Command::new("openssl");
        run(command.current_dir(made.yard.path("")).args(words.split_whitespace())).succeeded()
    };
    for (make, printers) in [
        ("ecparam -name prime256v1 -genkey -noout", &["pkey", "ec"][..]),
        ("ecparam -name secp384r1 -genkey -noout", &["pkey", "ec"]),
        ("genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048", &["pkey", "rsa"]),
        ("genpkey -algorithm ed25519", &["pkey"]),
    ] {
        openssl(&format!("{make} -out k.key"));
        openssl("pkey -in k.key -pubout -out k.pub");
        for printer in printers {
            let text = openssl(&format!("{printer} -pubin -in k.pub -text"));
            assert!(text.contains("Public-Key:"), "{text}");
            made.file("k.pub", &text);
            made.verify(COVERAGE).says(0, &["a.tgz: OK"]);
            // One digit of the number that is printed.
            let at = text.find("    ").unwrap() + 4;
            let digit = if text[at..].starts_with('0') { "1" } else { "0" };
            made.file("k.pub", format!("{}{digit}{}", &text[..at], &text[at + 1..]));
            made.verify("").says(3, &["a.tgz: OK", "k.pub: no-bundle"]);
        }
    }
}

#[test]
fn a_private_key_is_one_with_text_around_it_too() {
    let made = Made::new();
    let key = crate::support::transfers::private_pem(3);
    for text in [
        key.clone(),
        format!("# mine\n{key}"),
        format!("Private-Key: (256 bit)\npriv:\n    aa\n{key}"),
    ] {
        made.package("a.tgz", "a").file("k.pem", text);
        made.verify("").says(2, &["a.tgz: OK", "k.pem: key-is-private"]);
    }
}

#[test]
fn what_only_calls_itself_a_bundle_has_an_answer() {
    let made = Made::new();
    let script = "#!/bin/sh\necho evil\n";
    made.package("a.tgz", "a").file("install.sigstore.json", script);
    made.file("large_signature.bundle", " ".repeat(5 << 20)).file("b.tgz_signature.bundle", "{");
    let all = [
        "a.tgz: OK",
        "b.tgz_signature.bundle: bundle-malformed",
        "install.sigstore.json: no-bundle",
        "large_signature.bundle: no-bundle",
    ];
    made.verify("").says(1, &all);
    made.verify("--include *").says(1, &all);
    made.verify("--exclude nothing").says(1, &all);
    made.verify("--include *.json").says(3, &["install.sigstore.json: no-bundle"]);
    let said = made.verify("--include a.tgz").says(0, &["a.tgz: OK"]);
    assert_eq!(said.covered("excluded").len(), 3, "{:?}", said.covers());
    let said = made.verify("--include a.tgz --require-coverage");
    assert_eq!(said.status, 1, "{:?}", said.answers());
    for shard in ["--shard 1/2", "--shard 2/2"] {
        let said = made.verify(shard);
        let own: Vec<_> =
            said.answers().into_iter().filter(|it| !all.contains(&it.as_str())).collect();
        assert_eq!(own, [""; 0]);
    }
}

#[test]
fn where_a_seal_is_expected_nothing_outside_of_it_counts() {
    let made = Made::new();
    made.yard.package("r/t", "p.tgz", "p", 1);
    run(&mut made.yard.seal("r/t")).succeeded();
    made.package("a.tgz", "a");
    made.file("install.sigstore.json", "#!/bin/sh\n");
    made.file("package.json", with(root(), "", "scripts", json!({})).to_string());
    made.file("root.json", root().to_string());
    made.file("vendor.pub", TestKey::new(9).pem());
    made.file("spare.sigstore.json", sigstore(VENDOR, &line("a")));
    made.file("a.tgz_publickey.json", r#"{"publicKey":"https://vendor.test/vendor.pub"}"#);
    let outside = [
        "a.tgz",
        "a.tgz_publickey.json",
        "a.tgz_signature.bundle",
        "install.sigstore.json",
        "package.json",
        "root.json",
        "spare.sigstore.json",
        "vendor.pub",
    ];
    for options in ["", COVERAGE, "--state s.json --init-state", "--include * --require-coverage"] {
        let said = made.verify(&format!("--transfer-key transfer.pub {options}"));
        for name in outside {
            let answer = format!("{name}: seal-missing");
            assert!(said.answers().contains(&answer), "{options} {name}: {:?}", said.answers());
            assert_eq!(said.covers()[name], "uncovered", "{options} {name}");
        }
        assert_eq!(said.status, 1);
        let _ = std::fs::remove_file(made.yard.path("s.json"));
    }
    // A system's own file beside a transfer is refused for what it is.
    made.file("System Volume Information/x", "x");
    let said = made.verify("--transfer-key transfer.pub");
    let answer = "System Volume Information/x: system-file".to_owned();
    assert!(said.answers().contains(&answer), "{:?}", said.answers());
    let loose = made.verify("--transfer-key transfer.pub --loose");
    assert!(loose.answers().contains(&"a.tgz: OK".to_owned()), "{:?}", loose.answers());
}

#[test]
fn a_key_with_comments_counts_under_a_key_s_name_only() {
    let key = TestKey::new(9).pem();
    let commented = format!("# the vendor's key of 2025\n{key}");
    for (name, text, counts) in [
        ("k.pub", commented.clone(), true),
        ("k.PEM", commented.clone(), true),
        ("Dockerfile", commented.clone(), false),
        ("x.sh", commented, false),
        ("Dockerfile", key.clone(), true),
        ("k.pub", format!("# syntax=registry.example/frontend:1\n{key}"), false),
        ("k.pub", format!("# Escape = `\n{key}"), false),
        ("k.pub", format!("# check=skip=all\n{key}"), false),
        ("k.pub", format!("# -*- mode: sh; eval: (x) -*-\n{key}"), false),
        ("k.pub", format!("# vim: set x\n{key}"), false),
        ("k.pub", format!("# !sh\n{key}"), false),
        ("k.pub", format!("# a\u{2028}echo\n{key}"), false),
        ("k.pub", format!("{key}# caf\u{e9}\n"), false),
    ] {
        let made = Made::new();
        made.package("a.tgz", "a").file(name, &text);
        let said = made.verify(COVERAGE);
        let material = said.covered("material").iter().any(|it| it.ends_with(name));
        assert_eq!(material, counts, "{name}: {text}");
    }
}

#[test]
fn a_document_counts_under_its_own_names_only() {
    let bundle = logged(VENDOR, &line("another"), 1_735_689_600);
    for (name, counts) in [
        ("b.json", true),
        ("b.BUNDLE", true),
        ("b.sigstore", true),
        ("b.sig", true),
        ("package.json", true),
        ("b.sh", false),
        ("compose.yaml", false),
        ("Dockerfile", false),
    ] {
        let made = Made::new();
        made.package("a.tgz", "a").file(name, &bundle);
        let said = made.verify("");
        let material = said.covered("material").iter().any(|it| it.ends_with(name));
        assert_eq!(material, counts, "{name}");
    }
}
