//! Work and memory stay bounded when a folder is full of bundles: labels in an archive can name
//! thousands, and a bundle that does not state its digest is tried on every image.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::log::{TestKey, hex, sha256};
use crate::support::{outcome, sealift};
use serde_json::{Value, json};

/// A docker archive of that many images, each with one layer and a label that names its bundle.
fn archive(images: usize) -> (Vec<u8>, Vec<String>) {
    let layer = [0; 1024];
    let mut entries = vec![("l/layer.tar".to_owned(), layer.to_vec())];
    let (mut items, mut ids) = (Vec::new(), Vec::new());
    for number in 0..images {
        let label = format!("https://v.example/{number}.bundle");
        let config = json!({
            "os": "linux", "architecture": "amd64",
            "config": {"Labels": {"org.opencontainers.image.signature.bundle": label}},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex(&sha256(layer)))]},
        });
        let config = config.to_string();
        ids.push(format!("sha256:{}", hex(&sha256(&config))));
        items.push(json!({"Config": number.to_string(), "Layers": ["l/layer.tar"]}));
        entries.push((number.to_string(), config.into()));
    }
    entries.push(("manifest.json".to_owned(), json!(items).to_string().into()));
    let mut tar = Vec::new();
    for (name, content) in entries {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156..157].copy_from_slice(b"0");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        tar.extend(header);
        tar.extend(&content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    (tar, ids)
}

/// Writes the archive and one bundle for each image; exit code and report of `verify`.
fn verify(folder: &Path, images: usize, bundle: impl Fn(&TestKey, &str) -> String) -> (i32, Value) {
    let key = TestKey::new(7);
    let (tar, ids) = archive(images);
    fs::write(folder.join("a.tar"), tar).unwrap();
    fs::write(folder.join("k.pub"), key.pem()).unwrap();
    for (number, id) in ids.iter().enumerate() {
        fs::write(folder.join(format!("{number}.bundle")), bundle(&key, id)).unwrap();
    }
    let mut command = sealift();
    command.current_dir(folder).args(["verify", "-o", "json", "--insecure-ignore-tlog"]);
    let (code, out, err) = outcome(&command.args(["--key", "k.pub", "a.tar"]).output().unwrap());
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    (code, report["artifacts"][0].clone())
}

#[test]
fn many_images_with_their_bundles_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (code, artifact) = verify(folder.path(), 40, |key, id| key.bundle(id));
    assert_eq!((code, &artifact["code"]), (0, &Value::Null), "{artifact}");
}

#[test]
fn bundles_that_state_no_digest_are_not_tried_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let (code, artifact) = verify(folder.path(), 600, |key, _| key.bundle("something else"));
    assert_eq!(code, 1);
    let refusals = artifact["bundles"].as_array().unwrap().iter();
    let stopped = refusals.filter(|bundle| bundle["code"] == "archive-too-large").count();
    assert!(stopped > 500, "{stopped} of 600 were not tried");
    // 600 × 600 signatures take minutes.
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[test]
fn labels_that_name_too_many_or_too_large_bundles_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (code, artifact) = verify(folder.path(), 1001, |_, _| String::new());
    assert_eq!((code, artifact["code"].as_str()), (1, Some("archive-too-large")), "{artifact}");
    let large = |_: &TestKey, _: &str| " ".repeat(1 << 20);
    let (code, artifact) = verify(folder.path(), 20, large);
    assert_eq!(code, 1);
    let last = &artifact["bundles"][19];
    assert_eq!(last["code"], "bundle-too-large", "{last}");
}
