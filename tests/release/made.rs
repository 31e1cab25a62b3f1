//! A place with keys in which release folders are made, and what is said of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::log::{TestKey, TestLog, hashedrekord, hex, new_bundle, old_bundle, sha256};
use crate::support::sealift;
use crate::support::tar::Tar;
use crate::support::tools::{Ran, run};
use crate::support::transfers::Yard;

/// The vendor whose key `--key` names.
pub(crate) const VENDOR: u8 = 1;
/// A vendor of whom nobody has heard.
pub(crate) const STRANGER: u8 = 9;

/// The seed of the log in `trusted_root.json`.
const LOG: u8 = 77;

/// A yard, and a release folder `r` in it.
pub(crate) struct Made {
    pub(crate) yard: Yard,
}

impl Made {
    pub(crate) fn new() -> Self {
        let yard = Yard::new();
        let log = TestLog::new(LOG, "log.test");
        fs::write(yard.path("trusted_root.json"), log.trusted_root().to_string()).unwrap();
        fs::create_dir(yard.path("r")).unwrap();
        Self { yard }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.yard.path("r").join(name)
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A file beside the folder.
    pub(crate) fn beside(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.yard.path(name), content).unwrap();
        self
    }

    /// A package with its bundle by the vendor's name for it.
    pub(crate) fn package(&self, name: &str, content: &str) -> &Self {
        let bundle = TestKey::new(VENDOR).bundle(&line(content));
        self.file(name, content).file(&format!("{name}_signature.bundle"), bundle)
    }

    /// The command that checks the folder.
    pub(crate) fn command(&self, options: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.yard.path("")).args(["verify", "-q"]);
        if !options.contains("--jobs") {
            command.args(["--jobs", "2"]);
        }
        command.args(["--trusted-root", "trusted_root.json"]).args(options.split_whitespace());
        if !options.contains("--trust ") {
            command.args(["--insecure-ignore-tlog", "--key", "vendor-1.pub"]);
        }
        command
    }

    /// Checks the folder; the report is JSON.
    #[track_caller]
    pub(crate) fn verify(&self, options: &str) -> Said {
        Said::new(run(self.command(options).args(["-o", "json", "r"])))
    }

    /// Checks the folder; the report is text.
    pub(crate) fn text(&self, options: &str) -> Ran {
        run(self.command(options).arg("r"))
    }
}

/// What was said in JSON.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) report: Value,
    pub(crate) stderr: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn new(ran: Ran) -> Self {
        // Neither killed nor a panic.
        let status = ran.status.unwrap_or(-1);
        assert!([0, 1, 2, 3, 130].contains(&status), "exit code {status}: {}", ran.text());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        if !report.is_null() {
            assert_eq!(report["exit_status"], status, "{}", ran.text());
            // One of thousands fits as the next does.
            let mut some = report.clone();
            for list in ["/artifacts", "/coverage/files"] {
                if let Some(list) = some.pointer_mut(list).and_then(Value::as_array_mut) {
                    list.truncate(500);
                }
            }
            crate::support::schema::Schema::new("report-v1").accepts(&some);
        }
        Self { status, report, stderr: ran.stderr }
    }

    pub(crate) fn artifacts(&self) -> &[Value] {
        self.report["artifacts"].as_array().map_or(&[], Vec::as_slice)
    }

    /// One line an answer: its name below the folder, and OK or the code, in the order of the report.
    pub(crate) fn answers(&self) -> Vec<String> {
        let line = |it: &Value| {
            let word = it["code"].as_str().or(it["outcome"].as_str()).unwrap();
            format!("{}: {word}", below(it["name"].as_str().unwrap()))
        };
        self.artifacts().iter().map(line).collect()
    }

    /// The files that are covered so, without the folder's name, in the order of the report.
    pub(crate) fn covered(&self, cover: &str) -> Vec<String> {
        let files = self.report["coverage"]["files"].as_array().cloned().unwrap_or_default();
        let files = files.iter().filter(|it| it["cover"] == cover);
        files.map(|it| below(it["name"].as_str().unwrap()).to_owned()).collect()
    }

    /// Every file with its cover.
    pub(crate) fn covers(&self) -> BTreeMap<String, String> {
        let files = self.report["coverage"]["files"].as_array().cloned().unwrap_or_default();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let map: BTreeMap<_, _> = files
            .iter()
            .map(|it| (below(&text(&it["name"])).to_owned(), text(&it["cover"])))
            .collect();
        assert_eq!(map.len(), files.len(), "a file is there twice");
        map
    }

    #[track_caller]
    pub(crate) fn says(self, status: i32, answers: &[&str]) -> Self {
        assert_eq!(self.answers(), answers, "{} {:#}", self.stderr, self.report);
        assert_eq!(self.status, status, "{:?}", self.answers());
        self
    }

    /// The report without what is another in every run.
    pub(crate) fn lasting(&self) -> Value {
        lasting(self.report.clone())
    }
}

/// A report without what is another in every run.
pub(crate) fn lasting(mut report: Value) -> Value {
    let members = report.as_object_mut().unwrap();
    members.remove("time");
    members.remove("finished");
    members["summary"].as_object_mut().unwrap().remove("milliseconds");
    report
}

fn below(name: &str) -> &str {
    name.strip_prefix("r/").unwrap_or(name)
}

/// The text that the vendor signs for a package.
pub(crate) fn line(content: impl AsRef<[u8]>) -> String {
    format!("{}\n", hex(&sha256(content)))
}

/// A digest as images have it.
pub(crate) fn digest(content: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex(&sha256(content)))
}

/// An old bundle by a key with an entry in the log of that time (Unix seconds).
pub(crate) fn logged(key: u8, message: &str, time: u64) -> String {
    let (signature, entry) = entry(key, message, time);
    old_bundle(&signature, Some(&entry)).to_string()
}

/// A Sigstore bundle by a key with an entry in the log of that time.
pub(crate) fn sigstore_logged(key: u8, message: &str, time: u64) -> String {
    let (signature, entry) = entry(key, message, time);
    new_bundle(&sha256(message), &signature, Some(&entry)).to_string()
}

/// A Sigstore bundle without a log.
pub(crate) fn sigstore(key: u8, message: &str) -> String {
    new_bundle(&sha256(message), &TestKey::new(key).sign(message.as_bytes()), None).to_string()
}

fn entry(key: u8, message: &str, time: u64) -> (Vec<u8>, crate::support::log::Entry) {
    let key = TestKey::new(key);
    let signature = key.sign(message.as_bytes());
    let body = hashedrekord(&sha256(message), &signature, &key.pem()).to_string();
    let entry = TestLog::new(LOG, "log.test").add(body.as_bytes(), time);
    (signature, entry)
}

/// A small image in the forms that engines write.
pub(crate) struct Image {
    config: Vec<u8>,
    layers: Vec<Vec<u8>>,
}

impl Image {
    /// An image whose label names a bundle, if one is given.
    pub(crate) fn new(which: &str, bundle: Option<&str>) -> Self {
        Self::sized(which, bundle, 40)
    }

    /// The same with so many bytes in each of its two layers.
    pub(crate) fn sized(which: &str, bundle: Option<&str>, size: usize) -> Self {
        let layers = [1, 2].map(|number| {
            let content = format!("{which} {number} ").repeat(size.div_ceil(10));
            Tar::new().file("file", content).finish()
        });
        let labels = bundle.map_or(json!({}), |bundle| {
            json!({
                "org.opencontainers.image.signature.bundle": format!("https://vendor.test/{bundle}"),
                "org.opencontainers.image.signature.key": "vendor-1.pub",
            })
        });
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(digest).collect::<Vec<_>>()},
        });
        Self { config: config.to_string().into_bytes(), layers: layers.to_vec() }
    }

    /// What `docker inspect` prints.
    pub(crate) fn id(&self) -> String {
        digest(&self.config)
    }

    /// A bundle by a vendor.
    pub(crate) fn bundle(&self, key: u8) -> String {
        TestKey::new(key).bundle(&self.id())
    }

    pub(crate) fn docker(&self) -> Vec<u8> {
        let names: Vec<String> =
            (0..self.layers.len()).map(|it| format!("{it}/layer.tar")).collect();
        let manifest = json!([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": names}]);
        let mut tar = Tar::new().file("c.json", &self.config);
        for (name, layer) in names.iter().zip(&self.layers) {
            tar = tar.file(name, layer);
        }
        tar.file("manifest.json", manifest.to_string()).finish()
    }

    /// The same with another byte in its last layer.
    pub(crate) fn tampered(&self) -> Vec<u8> {
        let mut other = Self { config: self.config.clone(), layers: self.layers.clone() };
        let last = other.layers.last_mut().unwrap();
        last[600] ^= 1;
        other.docker()
    }

    /// The files of an OCI layout.
    pub(crate) fn layout(&self) -> Vec<(String, Vec<u8>)> {
        let of = |kind: &str, bytes: &[u8]| {
            json!({
                "mediaType": format!("application/vnd.oci.image.{kind}"),
                "digest": digest(bytes),
                "size": bytes.len(),
            })
        };
        let layers: Vec<Value> = self.layers.iter().map(|it| of("layer.v1.tar", it)).collect();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let config = of("config.v1+json", &self.config);
        let manifest =
            json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers});
        let manifest = manifest.to_string().into_bytes();
        let index = json!({"schemaVersion": 2, "manifests": [of("manifest.v1+json", &manifest)]});
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index.to_string().into_bytes()),
        ];
        for blob in self.layers.iter().chain([&self.config, &manifest]) {
            files.push((format!("blobs/sha256/{}", hex(&sha256(blob))), blob.clone()));
        }
        files
    }

    pub(crate) fn oci(&self) -> Vec<u8> {
        Tar::new().files(&self.layout()).finish()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame of raw blocks (RFC 8878).
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    let blocks: Vec<&[u8]> = bytes.chunks(100_000).collect();
    for (number, block) in blocks.iter().enumerate() {
        let last = u32::from(number + 1 == blocks.len());
        let header = u32::try_from(block.len()).unwrap() << 3 | last;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(*block);
    }
    frame
}
