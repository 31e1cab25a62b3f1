//! What is said of hostile, broken or unusual input: nothing raw, and the right thing.

#![recursion_limit = "512"]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;

mod advice;
mod bad_input;
mod causes;
#[cfg(unix)]
mod found;
mod hostile_text;
mod kinds;

use std::fs;
use std::path::Path;

use crate::support::log::{TestKey, hex, new_bundle, sha256};
use crate::support::{outcome, sealift};
use serde_json::Value;

/// A bundle that states its digest, over this text.
fn stating(key: &TestKey, text: &str) -> String {
    new_bundle(&sha256(text), &key.sign(text.as_bytes()), None).to_string()
}

/// The text that the vendor signs for a package.
fn package_text(bytes: &[u8]) -> String {
    format!("{}\n", hex(&sha256(bytes)))
}

/// The exit code and the artifacts of `verify`, without the log.
fn verify(folder: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let mut command = sealift();
    command.current_dir(folder).args(["verify", "-o", "json", "--insecure-ignore-tlog"]);
    let (code, out, err) = outcome(&command.args(arguments).output().unwrap());
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    (code, report["artifacts"].as_array().unwrap().clone())
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An archive of one image as docker save wrote it, with a label for bundle and key; also the image's id.
fn image(what: &str) -> (Vec<u8>, String) {
    let layer = tar(&[("file", what.as_bytes())]);
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "config": {"Labels": {
            "org.opencontainers.image.signature.bundle": "https://v.example/app.bundle",
            "org.opencontainers.image.signature.key": "vendor.pub"}},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex(&sha256(&layer)))]},
    })
    .to_string();
    let id = hex(&sha256(&config));
    let name = format!("{id}.json");
    let manifest =
        serde_json::json!([{"Config": name, "RepoTags": ["app:1"], "Layers": ["l/layer.tar"]}])
            .to_string();
    let files: [(&str, &[u8]); 3] = [
        ("l/layer.tar", &layer),
        (&name, config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ];
    (tar(&files), format!("sha256:{id}"))
}
