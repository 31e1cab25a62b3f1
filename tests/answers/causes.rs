//! Causes come from evidence, and digests are such that somebody has seen.

use std::path::Path;

use serde_json::Value;

use super::{image, package_text, stating, verify, write};
use crate::support::log::{TestKey, hex, old_bundle, sha256};
use crate::support::{outcome, sealift};

fn causes(artifact: &Value) -> Vec<String> {
    let causes = artifact["likely_causes"].as_array().cloned().unwrap_or_default();
    causes.iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn keys(folder: &Path) -> (TestKey, TestKey) {
    let (key, other) = (TestKey::new(7), TestKey::new(8));
    write(folder, "vendor.pub", key.pem());
    write(folder, "other.pub", other.pem());
    (key, other)
}

/// What verify-blob says of this text and this bundle.
fn blob(folder: &Path, text: impl AsRef<[u8]>, bundle: &str, more: &[&str]) -> String {
    write(folder, "digest.txt", text);
    write(folder, "x.bundle", bundle);
    let mut command = sealift();
    command.current_dir(folder).args([
        "verify-blob",
        "--key",
        "vendor.pub",
        "--bundle",
        "x.bundle",
    ]);
    let (code, _, err) = outcome(&command.args(more).arg("digest.txt").output().unwrap());
    assert_eq!(code, 1, "{err}");
    err
}

#[test]
fn a_right_digest_is_no_other_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = keys(folder.path());
    let digest = hex(&sha256("app"));
    for text in [format!("sha256:{digest}"), digest.clone(), format!("{digest}\n")] {
        for bundle in [key.bundle(&text), stating(&key, &text)] {
            let said = blob(folder.path(), &text, &bundle, &[]);
            assert!(said.contains("log-entry-missing"), "{said}");
            assert!(!said.contains("likely cause"), "{said}");
        }
    }
}

#[test]
fn another_spelling_and_utf16_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = keys(folder.path());
    let ignore = ["--insecure-ignore-tlog"];
    let text = format!("sha256:{}", hex(&sha256("app")));
    for bundle in [key.bundle(&text), stating(&key, &text)] {
        let said = blob(folder.path(), format!("{text}\r\n"), &bundle, &ignore);
        assert!(said.contains("another spelling: \"sha256:<hex>\" without a newline"), "{said}");
        let wide: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain(format!("{text}\r\n").encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let said = blob(folder.path(), wide, &bundle, &ignore);
        assert!(said.contains("UTF-16") && said.contains("Out-File -Encoding ascii"), "{said}");
        let said = blob(folder.path(), format!("\u{feff}{text}"), &bundle, &ignore);
        assert!(said.contains("byte order mark"), "{said}");
    }
}

#[test]
fn a_page_in_place_of_a_bundle_or_a_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = keys(folder.path());
    let page = "<!DOCTYPE html>\n<html><title>Sign in</title></html>";
    let said = blob(folder.path(), "x", page, &[]);
    assert!(said.contains("an HTML page") && said.contains("bundle-malformed"), "{said}");
    write(folder.path(), "page.pub", page);
    write(folder.path(), "x.bundle", key.bundle("x"));
    let mut command = sealift();
    command.current_dir(folder.path());
    command.args(["verify-blob", "--key", "page.pub", "--bundle", "x.bundle", "digest.txt"]);
    let (_, _, said) = outcome(&command.output().unwrap());
    assert!(said.contains("an HTML page"), "{said}");
}

#[test]
fn the_names_that_the_vendor_gives_come_before_guesses() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (key, other) = keys(at);
    let (archive, id) = image("one");
    write(at, "app.tar", &archive);
    for (bundle, given) in [
        (key.bundle(&id), "other.pub"),
        (stating(&key, &id), "other.pub"),
        (other.bundle(&id), "vendor.pub"),
    ] {
        write(at, "app.bundle", bundle);
        let (code, artifacts) = verify(at, &["--key", given, "app.tar"]);
        let causes = causes(&artifacts[0]);
        assert_eq!(code, 1);
        if given == "other.pub" {
            assert!(
                causes[0].contains("names the key vendor.pub, you gave other.pub"),
                "{causes:?}"
            );
            assert!(!causes.iter().any(|it| it.contains("containerd")), "{causes:?}");
        }
        assert!(causes.len() <= 4, "{causes:?}");
    }
    // A package's JSON file names the key too.
    write(at, "app.bin", "app");
    write(at, "app.bin_publickey.json", r#"{"publicKey":"https://v.example/k/vendor.pub"}"#);
    write(at, "app.bin_signature.bundle", key.bundle(&package_text(b"app")));
    let (_, artifacts) = verify(at, &["--key", "other.pub", "app.bin"]);
    let causes = causes(&artifacts[0]);
    let named = "app.bin_publickey.json names the key vendor.pub, you gave other.pub";
    assert!(causes[0].contains(named), "{causes:?}");
}

#[test]
fn a_swapped_bundle_is_called_a_good_signature_of_something_else() {
    let folder = tempfile::tempdir().unwrap();
    // What judges lies apart from what is judged.
    let (key, _) = keys(folder.path());
    let at = &folder.path().join("release");
    let (archive, id) = image("one");
    let (_, another) = image("two");
    write(at, "app.tar", &archive);
    write(at, "app.bundle", stating(&key, &another));
    for arguments in [&["--key", "../vendor.pub", "app.tar"][..], &["--key", "../vendor.pub", "."]]
    {
        let (_, artifacts) = verify(at, arguments);
        let artifact =
            artifacts.iter().find(|it| it["name"].as_str().unwrap().ends_with("app.tar"));
        let artifact = artifact.unwrap();
        let causes = causes(artifact);
        assert!(
            causes[0].contains("a good signature by the key given, of something else"),
            "{causes:?}"
        );
        assert!(!causes[0].contains("containerd"), "{causes:?}");
        // The id that a person has seen, and what the other number is.
        let reason = artifact["reason"].as_str().unwrap();
        assert_eq!(artifact["code"], "digest-mismatch");
        assert!(
            reason.contains(&id) && reason.contains("the SHA-256 of what was signed: "),
            "{reason}"
        );
    }
    write(at, "lone/app.bin", "app");
    write(at, "lone/app.bin_signature.bundle", stating(&key, &package_text(b"other")));
    for path in ["lone/app.bin", "lone"] {
        let (_, artifacts) = verify(at, &["--key", "../vendor.pub", path]);
        let reason = artifacts[0]["reason"].as_str().unwrap();
        let file = format!("sha256:{}, the SHA-256 of this file", hex(&sha256("app")));
        assert!(reason.contains(&file), "{reason}");
        assert!(causes(&artifacts[0])[0].contains("of something else"), "{artifacts:?}");
    }
}

#[test]
fn nothing_is_explained_that_did_not_fail() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (key, _) = keys(at);
    let (archive, id) = image("one");
    write(at, "app.tar", &archive);
    write(at, "app.bundle", old_bundle(&key.sign(id.as_bytes()), None).to_string());
    let mut command = sealift();
    command.current_dir(at).args(["verify", "--key", "vendor.pub", "app.tar"]);
    let (code, out, _) = outcome(&command.output().unwrap());
    assert_eq!(code, 1);
    assert!(out.contains("log-entry-missing") && !out.contains("likely cause"), "{out}");
}
