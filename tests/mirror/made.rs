//! A vendor made for one test: a key, a log, packages below a path of the site, images in the registry.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::servers::{Registry, Site, registry, site};
use crate::support::log::{TestKey, TestLog, hashedrekord, hex, old_bundle, sha256};
use crate::support::tar::Tar;

const BUNDLE: &str = "org.opencontainers.image.signature.bundle";
const KEY: &str = "org.opencontainers.image.signature.key";
/// A time at which the log was in use.
const TIME: u64 = 1_750_000_000;

pub(crate) struct Vendor {
    pub(crate) site: &'static Site,
    pub(crate) registry: &'static Registry,
    /// The path on the site, and the first part of a repository's name.
    pub(crate) name: &'static str,
    pub(crate) key: TestKey,
    log: Mutex<TestLog>,
}

/// An image: its parts, and its id.
pub(crate) struct Image {
    config: Vec<u8>,
    layer: Vec<u8>,
    pub(crate) id: String,
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha256(bytes)))
}

/// This machine's architecture, as images call it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Vendor {
    /// A vendor whose name no other test uses; nothing where a server can't be had.
    pub(crate) fn new(name: &'static str) -> Option<Self> {
        let (site, registry) = (site()?, registry()?);
        let log = Mutex::new(TestLog::new(91, "log.example"));
        let vendor = Self { site, registry, name, key: TestKey::new(90), log };
        vendor.write("signatures/public-keys/vendor.pub", vendor.key.pem());
        Some(vendor)
    }

    /// A URL on its site.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://vendor.example/{}/{path}", self.name)
    }

    /// The file behind a URL.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.site.root.join(self.name).join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let file = self.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        // Each in a second of its own: by second and size the site tells states apart.
        static SECOND: AtomicU64 = AtomicU64::new(TIME);
        let time = Duration::from_secs(SECOND.fetch_add(1, Ordering::Relaxed));
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(UNIX_EPOCH + time).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.file(path)).unwrap();
    }

    /// What the site was asked for, of this vendor.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.site.requests(self.name)
    }

    /// A bundle over a text, with an entry of the log.
    pub(crate) fn bundle(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        let body = hashedrekord(&sha256(text), &signature, &self.key.pem()).to_string();
        let entry = self.log.lock().unwrap().add(body.as_bytes(), TIME);
        old_bundle(&signature, Some(&entry)).to_string()
    }

    pub(crate) fn trusted_root(&self) -> String {
        self.log.lock().unwrap().trusted_root().to_string()
    }

    /// A signed package; its name.
    pub(crate) fn package<'n>(&self, name: &'n str, content: &str) -> &'n str {
        self.package_in("packages", name, content);
        name
    }

    /// The same in another folder of the site; its URL.
    pub(crate) fn package_in(&self, folder: &str, name: &str, content: &str) -> String {
        self.write(&format!("{folder}/{name}"), content);
        let text = format!("{}\n", hex(&sha256(content)));
        self.write(&format!("signatures/bundles/{name}_signature.bundle"), self.bundle(&text));
        self.names_key(name, &self.url("signatures/public-keys/vendor.pub"));
        self.url(&format!("{folder}/{name}"))
    }

    /// Says which key a package is signed by.
    pub(crate) fn names_key(&self, name: &str, url: &str) {
        let text = json!({ "publicKey": url }).to_string();
        self.write(&format!("signatures/bundles/{name}_publickey.json"), text);
    }

    /// An image of this content with these labels.
    pub(crate) fn labelled(&self, content: &str, labels: &Value) -> Image {
        let layer = Tar::new().file("file", format!("{}: {content}", self.name)).finish();
        let config = json!({
            "os": "linux", "architecture": architecture(),
            "config": { "Labels": labels, "Cmd": ["/none"] },
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        });
        let config = config.to_string().into_bytes();
        Image { id: digest(&config), config, layer }
    }

    /// An image with these labels for the bundle and the key.
    pub(crate) fn image_with(&self, content: &str, bundle: &str, key: &str) -> Image {
        self.labelled(content, &json!({ BUNDLE: bundle, KEY: key }))
    }

    /// A signed image; its bundle lies on the site.
    pub(crate) fn image(&self, name: &str, content: &str) -> Image {
        let path = format!("signatures/bundles/{name}_signature.bundle");
        let image = self.image_with(content, &self.url(&path), "vendor.pub");
        self.write(&path, self.bundle(&image.id));
        image
    }

    /// Pushes an image as `NAME:TAG`; its reference.
    pub(crate) fn push(&self, image: &Image, tagged: &str) -> String {
        let (name, tag) = tagged.split_once(':').unwrap();
        let name = format!("{}/{name}", self.name);
        let oci = "application/vnd.oci.image";
        self.registry.blob(&name, &image.id, &image.config);
        self.registry.blob(&name, &digest(&image.layer), &image.layer);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": format!("{oci}.manifest.v1+json"),
            "config": { "mediaType": format!("{oci}.config.v1+json"), "digest": image.id,
                "size": image.config.len() },
            "layers": [{ "mediaType": format!("{oci}.layer.v1.tar"),
                "digest": digest(&image.layer), "size": image.layer.len() }],
        });
        let manifest = manifest.to_string();
        self.registry.manifest(&name, tag, &format!("{oci}.manifest.v1+json"), manifest.as_bytes());
        format!("{}/{name}:{tag}", self.registry.host)
    }

    /// A signed image in the registry; its reference.
    pub(crate) fn pushed(&self, tagged: &str, content: &str) -> String {
        let name = tagged.replace([':', '/'], "-");
        self.push(&self.image(&name, content), tagged)
    }
}

impl Image {
    /// As `docker save` writes it.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let list =
            json!([{ "Config": "config.json", "RepoTags": null, "Layers": ["0/layer.tar"] }]);
        let tar = Tar::new().file("config.json", &self.config).file("0/layer.tar", &self.layer);
        tar.file("manifest.json", list.to_string()).finish()
    }

    /// The digest of its layer.
    pub(crate) fn layer(&self) -> String {
        digest(&self.layer)
    }
}
