//! A vendor's site and a registry in one small server, and the side that mirrors from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::log::{TestKey, hex, new_bundle, sha256};
use super::sealift;
use super::server::{Action, Request, Server, reply};
use super::transfers::Yard;

pub(crate) const PACKAGE: &str = "tools-1.0.tgz";

type Files = BTreeMap<String, (&'static str, Vec<u8>)>;

/// A vendor of one package and one image, signed by the yard's vendor 1.
pub(crate) struct Vendor {
    server: Server,
    files: Arc<Mutex<Files>>,
    /// So much of the package comes, and then the connection ends.
    pub(crate) cut: Arc<AtomicUsize>,
    /// What is answered in place of a file whose path has this in it.
    spoilt: Arc<Mutex<Option<(String, Spoilt)>>>,
}

/// How a file is not what it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoilt {
    /// This status, and a page.
    Status(&'static str),
    /// Other bytes.
    Page(&'static str),
    /// A byte of it is another.
    Flipped,
    /// It ends early.
    Short,
    /// A document has one member more, which no format of it knows.
    Member,
}

impl Vendor {
    /// Starts with the release of this number.
    pub(crate) fn new(yard: &Yard, release: u8) -> Self {
        let files = Arc::new(Mutex::new(Files::new()));
        let cut = Arc::new(AtomicUsize::new(usize::MAX));
        let spoilt = Arc::new(Mutex::new(None::<(String, Spoilt)>));
        let (served, most) = (Arc::clone(&files), Arc::clone(&cut));
        let spoils = Arc::clone(&spoilt);
        let server = Server::new(move |_, request| {
            let spoil = spoils.lock().unwrap().clone();
            if let Some((part, how)) = spoil
                && request.path().contains(&part)
            {
                return spoil_answer(&served.lock().unwrap(), request, how);
            }
            let mut actions = answer(&served.lock().unwrap(), request);
            if let [_, Action::Send(body)] = actions.as_mut_slice()
                && request.path().ends_with(PACKAGE)
            {
                body.truncate(most.load(Ordering::SeqCst));
            }
            actions
        });
        let vendor = Self { server, files, cut, spoilt };
        std::fs::write(yard.path("vendor.toml"), vendor.profile()).unwrap();
        vendor.publish(release);
        vendor
    }

    /// Serves another release, under the same names.
    pub(crate) fn publish(&self, release: u8) {
        let key = TestKey::new(1);
        let site = self.server.url("");
        let mut files = Files::new();
        let mut file = |path: String, kind, bytes: Vec<u8>| files.insert(path, (kind, bytes));

        let package = bytes(release, 200_000);
        let text = format!("{}\n", hex(&sha256(&package)));
        let signature = key.sign(text.as_bytes());
        let bundle = new_bundle(&sha256(&text), &signature, None).to_string();
        let names_key = json!({ "publicKey": format!("{site}/keys/vendor.pub") });
        file("/keys/vendor.pub".to_owned(), "text/plain", key.pem().into());
        file(format!("/files/{PACKAGE}"), "application/gzip", package);
        file(format!("/bundles/{PACKAGE}_signature.bundle"), "text/plain", bundle.into());
        let json_type = "application/json";
        file(format!("/bundles/{PACKAGE}_publickey.json"), json_type, names_key.to_string().into());

        let layers: Vec<Vec<u8>> = [1, 2].map(|it| layer(release + it, 60_000)).to_vec();
        let digest = |bytes: &[u8]| format!("sha256:{}", hex(&sha256(bytes)));
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {
                "org.opencontainers.image.signature.bundle": format!("{site}/bundles/image.bundle"),
                "org.opencontainers.image.signature.key": "vendor.pub",
            }},
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|it| digest(it)).collect::<Vec<_>>()},
        });
        let config = config.to_string().into_bytes();
        let of = |kind: &str, bytes: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest(bytes), "size": bytes.len()});
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": of("config.v1+json", &config),
            "layers": layers.iter().map(|it| of("layer.v1.tar", it)).collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        file("/v2/".to_owned(), json_type, b"{}".to_vec());
        file("/bundles/image.bundle".to_owned(), "text/plain", key.bundle(&digest(&config)).into());
        for reference in [digest(&manifest), "1.0".to_owned()] {
            let path = format!("/v2/hello/manifests/{reference}");
            file(path, manifest_type, manifest.clone());
        }
        for blob in layers.into_iter().chain([config]) {
            let path = format!("/v2/hello/blobs/{}", digest(&blob));
            file(path, "application/octet-stream", blob);
        }
        *self.files.lock().unwrap() = files;
    }

    /// From now on a file is not what it should be; or everything is again.
    pub(crate) fn spoil(&self, what: Option<(&str, Spoilt)>) {
        *self.spoilt.lock().unwrap() = what.map(|(part, how)| (part.to_owned(), how));
    }

    /// The paths of all that is served.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    /// The requests that came so far: methods and paths.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.server.seen().iter().map(|it| format!("{} {}", it.method, it.path())).collect()
    }

    fn profile(&self) -> String {
        let site = self.server.url("");
        format!(
            r#"
name = "test"
on_failure = "Look."
[image]
message = "digest"
bundle_label = "org.opencontainers.image.signature.bundle"
key_label = "org.opencontainers.image.signature.key"
[package]
message = "hex-line"
bundle_file = "{{package}}_signature.bundle"
key_file = "{{package}}_publickey.json"
[mirror]
hosts = ["{}"]
key_url = "{site}/keys/{{key}}"
bundle_url = "{site}/bundles/{{package}}_signature.bundle"
key_file_url = "{site}/bundles/{{package}}_publickey.json"
package_url = "{site}/files/{{package}}"
"#,
            self.server.address()
        )
    }

    /// The requests for the package's bytes: whether each asked for a range.
    pub(crate) fn ranges(&self) -> Vec<bool> {
        let seen = self.server.seen();
        let of_package = |it: &&Request| it.method == "GET" && it.path().ends_with(PACKAGE);
        seen.iter().filter(of_package).map(|it| it.header("range").is_some()).collect()
    }

    /// What the image is asked for by.
    pub(crate) fn image(&self) -> String {
        format!("{}/hello:1.0", self.server.address())
    }

    /// The command that mirrors everything to a folder of the yard.
    pub(crate) fn mirror(&self, yard: &Yard, folder: &str) -> Command {
        let mut command = sealift();
        command.current_dir(yard.path("")).args(["mirror", "-q", "--jobs", "1", "--out", folder]);
        command.args(["--key", "transfer.key", "--vendor-key", "vendor-1.pub"]);
        command.args(["--vendor-profile", "vendor.toml", "--insecure-ignore-tlog"]);
        command.args(["--allow-http", "--retries", "0", "--platform", "linux/amd64"]);
        command.args(["--package", PACKAGE]);
        command.args(["--image", &self.image()]);
        command
    }

    /// Where half of the package lies in a folder.
    pub(crate) fn half(yard: &Yard, folder: &str) -> PathBuf {
        let beside = format!("{PACKAGE}.sealift-tmp");
        yard.path(folder).join("packages").join(&beside).join(&beside)
    }
}

fn spoil_answer(files: &Files, request: &Request, how: Spoilt) -> Vec<Action> {
    let Some((kind, bytes)) = files.get(request.path()) else {
        return reply("404 Not Found", &[], b"");
    };
    let headers = [("Content-Type", *kind)];
    let mut bytes = bytes.clone();
    match how {
        Spoilt::Status(status) => return reply(status, &headers, b"<html>Down</html>"),
        Spoilt::Page(text) => bytes = text.as_bytes().to_vec(),
        Spoilt::Flipped => bytes[0] ^= 1,
        Spoilt::Short => bytes.truncate(bytes.len() / 2),
        Spoilt::Member => drop(bytes.splice(..1, *b"{\"more\":[1],")),
    }
    let length = bytes.len().to_string();
    if request.method == "HEAD" {
        return reply("200 OK", &[headers[0], ("Content-Length", &length)], b"");
    }
    reply("200 OK", &headers, &bytes)
}

/// Bytes that differ between releases.
fn bytes(seed: u8, count: usize) -> Vec<u8> {
    let blocks = (0_u32..).flat_map(|it| sha256([&[seed][..], &it.to_be_bytes()].concat()));
    blocks.take(count).collect()
}

fn layer(seed: u8, count: usize) -> Vec<u8> {
    super::tar::Tar::new().file("file", bytes(seed, count)).finish()
}

/// Like a good server: entity tags, and ranges.
fn answer(files: &Files, request: &Request) -> Vec<Action> {
    let Some((kind, bytes)) = files.get(request.path()) else {
        return reply("404 Not Found", &[], b"");
    };
    let tag = format!("\"{}\"", hex(&sha256(bytes)[..8]));
    let mut headers = vec![("Content-Type", *kind), ("ETag", &tag)];
    let length = bytes.len().to_string();
    if request.method == "HEAD" {
        headers.push(("Content-Length", &length));
        return reply("200 OK", &headers, b"");
    }
    if request.header("if-none-match") == Some(&tag) {
        return reply("304 Not Modified", &headers, b"");
    }
    let same = request.header("if-range").is_none_or(|it| it == tag);
    let range = request.header("range").and_then(|it| it.strip_prefix("bytes=")?.split('-').next());
    let from = range.filter(|_| same).and_then(|it| it.parse::<usize>().ok());
    match from.filter(|from| *from < bytes.len()) {
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            headers.push(("Content-Range", &range));
            reply("206 Partial Content", &headers, &bytes[from..])
        }
        None => reply("200 OK", &headers, bytes),
    }
}
