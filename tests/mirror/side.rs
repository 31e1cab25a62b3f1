//! The connected side: a folder with the operator's keys, in which `mirror` fills `d`, and the far side's
//! checks of what it filled.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::made::Vendor;
use crate::support::log::{TestKey, base64};
use crate::support::sealift;
use crate::support::tools::{Ran, run};

/// The number of the operator's transfer key.
const TRANSFER: u8 = 201;

pub(crate) struct Side {
    folder: TempDir,
    options: String,
}

/// How the program answered.
pub(crate) struct Answer(pub(crate) Ran);

impl Side {
    /// A side that knows where a vendor's site is, its conventions and its log, but not its key.
    pub(crate) fn new(vendor: &Vendor) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!(
            "--vendor-profile vendor.toml --trusted-root root.json --ca-file ca.pem --retries 0 \
             --connect-to vendor.example={0} --connect-to other.example={0}",
            vendor.site.place
        );
        let side = Self { folder, options };
        side.write("vendor.toml", profile(vendor.name));
        side.write("root.json", vendor.trusted_root());
        side.write("vendor.pub", vendor.key.pem());
        side.write("ca.pem", fs::read(&vendor.site.ca).unwrap());
        side.write("config.json", "{}");
        side.write("transfer.key", private_pem(TRANSFER));
        side.write("transfer.pub", TestKey::new(TRANSFER).pem());
        side
    }

    /// A path beside `d`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The program with these words, in the folder, without anybody's environment.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.folder.path()).args(words.split_whitespace());
        for name in ["SEALIFT_TRUST", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(name);
        }
        for name in ["ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.env("DOCKER_CONFIG", self.folder.path());
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, words: &str) -> Answer {
        Answer(run(&mut self.command(words)))
    }

    /// `mirror --out d` without a vendor key, as words.
    pub(crate) fn words(&self, words: &str) -> String {
        format!("mirror --out d --key transfer.key {} {words}", self.options)
    }

    /// The same, run; the registry of this machine may speak plain HTTP.
    #[track_caller]
    pub(crate) fn mirror(&self, words: &str) -> Answer {
        self.run(&self.words(&format!("--allow-http {words}")))
    }

    /// `mirror --out d` with the vendor's key named.
    #[track_caller]
    pub(crate) fn fetch(&self, words: &str) -> Answer {
        self.mirror(&format!("--vendor-key vendor.pub {words}"))
    }

    /// What the far side says.
    #[track_caller]
    pub(crate) fn verify(&self, words: &str) -> Answer {
        self.run(&format!(
            "verify d --transfer-key transfer.pub --vendor-profile vendor.toml {words}"
        ))
    }

    pub(crate) fn manifest(&self) -> Value {
        serde_json::from_slice(&self.read("d/manifest.json")).unwrap()
    }

    /// The names of all files in `d`, sorted, without those of the seal, and directories that hold none
    /// with a slash behind.
    pub(crate) fn files(&self) -> Vec<String> {
        let dir = self.path("d");
        let name = |path: &Path| path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        let mut names = Vec::new();
        if !dir.exists() {
            return names;
        }
        for entry in walkdir::WalkDir::new(&dir).min_depth(1).into_iter().map(Result::unwrap) {
            if !entry.file_type().is_dir() {
                names.push(name(entry.path()));
            } else if fs::read_dir(entry.path()).unwrap().next().is_none() {
                names.push(format!("{}/", name(entry.path())));
            }
        }
        names.retain(|name| !name.starts_with("manifest.json") && name != "SHA256SUMS");
        names.sort();
        names
    }

    /// Whether there is a seal.
    pub(crate) fn is_sealed(&self) -> bool {
        self.path("d/manifest.json.sig").exists()
    }

    /// Nothing is sealed and nothing was left behind.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        assert!(!self.is_sealed());
        let left: Vec<String> = self.files();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Number and time of a file: the same file as long as these are.
    pub(crate) fn stamp(&self, name: &str) -> (u64, i64, i64) {
        let meta = fs::metadata(self.path(name)).unwrap();
        (meta.ino(), meta.mtime(), meta.mtime_nsec())
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn exit(self, status: i32) -> Self {
        assert_eq!(self.0.status, Some(status), "{}", self.0.text());
        self
    }

    /// Some result line begins like this.
    #[track_caller]
    pub(crate) fn says(self, begin: &str) -> Self {
        let said = self.0.stdout.lines().any(|line| line.starts_with(begin));
        assert!(said, "no line begins with {begin:?}:\n{}", self.0.text());
        self
    }

    /// The text stands somewhere in either stream.
    #[track_caller]
    pub(crate) fn mentions(self, text: &str) -> Self {
        assert!(self.0.text().contains(text), "{text:?} is not in\n{}", self.0.text());
        self
    }

    #[track_caller]
    pub(crate) fn never_mentions(self, text: &str) -> Self {
        assert!(!self.0.text().contains(text), "{text:?} is in\n{}", self.0.text());
        self
    }
}

/// The vendor profile of a vendor of this name.
fn profile(name: &str) -> String {
    let site = format!("https://vendor.example/{name}");
    format!(
        "name = \"example\"\non_failure = \"Call the vendor.\"\n\
         [image]\nmessage = \"digest\"\n\
         bundle_label = \"org.opencontainers.image.signature.bundle\"\n\
         key_label = \"org.opencontainers.image.signature.key\"\n\
         [package]\nmessage = \"hex-line\"\n\
         bundle_file = \"{{package}}_signature.bundle\"\nkey_file = \"{{package}}_publickey.json\"\n\
         [mirror]\nhosts = [\"vendor.example\"]\n\
         key_url = \"{site}/signatures/public-keys/{{key}}\"\n\
         bundle_url = \"{site}/signatures/bundles/{{package}}_signature.bundle\"\n\
         key_file_url = \"{site}/signatures/bundles/{{package}}_publickey.json\"\n\
         package_url = \"{site}/packages/{{package}}\"\n"
    )
}

/// The test key of this number as unencrypted PKCS #8, so that no time goes into a password.
fn private_pem(seed: u8) -> String {
    const START: &str = "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCA=";
    let mut der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(START).unwrap();
    der.extend([seed; 32]);
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(der))
}
