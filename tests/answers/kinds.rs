//! A file is an image only if it could be loaded as one; else it is a package whose bundle decides.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{image, package_text, stating, tar, verify, write};
use crate::support::log::TestKey;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn one(folder: &Path, path: &str) -> (i32, Value) {
    let (code, artifacts) = verify(folder, &["--key", "../k.pub", path]);
    let ends = |it: &&Value| it["name"].as_str().unwrap().ends_with("app.tgz");
    (code, artifacts.iter().find(ends).unwrap_or_else(|| panic!("{artifacts:?}")).clone())
}

/// A folder `release` with a file `app.tgz` in it, beside a key.
fn release(content: &[u8], sidecar: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "k.pub", TestKey::new(7).pem());
    write(folder.path(), "release/app.tgz", content);
    if let Some(bundle) = sidecar {
        write(folder.path(), "release/app.tgz.sigstore.json", bundle);
    }
    folder
}

#[test]
fn documents_of_other_programs_make_no_image() {
    let key = TestKey::new(7);
    let filler = vec![b'x'; 5 << 20];
    for (name, document) in [
        ("manifest.json", r#"{"name":"PWA","icons":[]}"#),
        ("index.json", r#"{"entries":[]}"#),
        ("repositories", "deb http://x y"),
        ("./manifest.json", "{}"),
    ] {
        // Small ones are told at the first look, large ones when their turn comes.
        for more in [&b""[..], &filler] {
            let files = [(name, document.as_bytes()), ("index.html", b"<p>"), ("more", more)];
            for content in [tar(&files), gzip(&tar(&files))] {
                for bundle in
                    [key.bundle(&package_text(&content)), stating(&key, &package_text(&content))]
                {
                    let folder = release(&content, Some(&bundle));
                    let here = folder.path().join("release");
                    let (code, artifact) = one(&here, ".");
                    assert_eq!(
                        (code, &artifact["kind"]),
                        (0, &"package".into()),
                        "{name}: {artifact}"
                    );
                    let named =
                        ["--key", "../k.pub", "--bundle", "app.tgz.sigstore.json", "app.tgz"];
                    let (code, artifacts) = verify(&here, &named);
                    assert_eq!(code, 0, "{name}: {artifacts:?}");
                }
                let folder = release(&content, None);
                let (code, artifact) = one(&folder.path().join("release"), "app.tgz");
                let answer = (code, &artifact["code"], &artifact["kind"]);
                assert_eq!(
                    answer,
                    (3, &"no-bundle".into(), &"package".into()),
                    "{name}: {artifact}"
                );
            }
        }
    }
}

#[test]
fn a_bundle_over_the_file_itself_settles_it_and_no_other_does() {
    let (key, stranger) = (TestKey::new(7), TestKey::new(9));
    let (good, id) = image("one");
    let broken = tar(&[("manifest.json", br#"[{"Config":"c.json","Layers":[]}]"#), ("x", b"y")]);
    for content in [&good, &broken] {
        let text = package_text(content);
        for (bundle, fine) in [
            (key.bundle(&text), true),
            (stating(&key, &text), true),
            (stranger.bundle(&text), false),
            (stating(&stranger, &text), false),
            (stating(&key, &package_text(b"other")), false),
        ] {
            let folder = release(content, Some(&bundle));
            let here = folder.path().join("release");
            let (code, artifact) = one(&here, ".");
            assert_eq!(code, i32::from(!fine), "{artifact}");
            if fine {
                assert_eq!(artifact["kind"], "package");
            }
            let named = ["--key", "../k.pub", "--bundle", "app.tgz.sigstore.json", "app.tgz"];
            assert_eq!(verify(&here, &named).0, i32::from(!fine), "{artifact}");
        }
    }
    // What is an image by its signature stays one.
    let folder = release(&good, Some(&stating(&key, &id)));
    let (code, artifact) = one(&folder.path().join("release"), ".");
    assert_eq!((code, &artifact["kind"]), (0, &"image".into()), "{artifact}");
    // A broken image is not made a package by a lack of bundles.
    let folder = release(&broken, None);
    let (code, artifact) = one(&folder.path().join("release"), ".");
    assert_eq!((code, &artifact["kind"]), (1, &"image".into()), "{artifact}");
}

#[test]
fn things_are_called_what_they_are() {
    let mut iso = vec![0; 40 << 10];
    iso[0x8001..0x8006].copy_from_slice(b"CD001");
    let names = [".dockerenv", "bin/sh", "etc/passwd", "usr/bin/x", "var/a"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b""[..])).collect();
    for (content, said) in [
        (b"PK\x03\x04rest of it".to_vec(), "a zip archive"),
        (b"\x04\x22\x4d\x18rest".to_vec(), "lz4"),
        (b"\x5d\x00\x00\x80\x00".to_vec(), "lzma"),
        (b"7z\xbc\xaf\x27\x1cxx".to_vec(), "7z"),
        (b"Rar!\x1a\x07\x00".to_vec(), "rar"),
        (b"\x7fELF\x02\x01".to_vec(), "ELF"),
        (b"\xed\xab\xee\xdb\x03".to_vec(), "RPM"),
        (b"!<arch>\ndebian-binary   ".to_vec(), "Debian"),
        (b"<html><body>Sign in".to_vec(), "an HTML page"),
        (b"\xff\xfeh\x00e\x00".to_vec(), "UTF-16"),
        (iso, "ISO 9660"),
        (tar(&files), "file system"),
        (gzip(&tar(&files)), "file system"),
    ] {
        let folder = release(&content, None);
        let here = folder.path().join("release");
        let (code, artifact) = one(&here, "app.tgz");
        assert_eq!((code, &artifact["code"]), (3, &"no-bundle".into()), "{artifact}");
        let detected = artifact["detected"].as_str().unwrap();
        assert!(detected.contains(said), "{said}: {detected}");
        let (_, artifacts) = verify(&here, &["--key", "../k.pub", "--type", "image", "app.tgz"]);
        let reason = artifacts[0]["reason"].as_str().unwrap();
        assert!(reason.contains(said), "{said}: {reason}");
    }
}
