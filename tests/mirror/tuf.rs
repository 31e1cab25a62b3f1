//! The trusted root from a TUF repository that the operator names, made and signed here.

use std::fs;

use serde_json::{Value, json};

use crate::support::log::{TestKey, hex, sha256};
use crate::support::sealift;
use crate::support::site::Site;
use crate::support::tools::{Ran, run};
use crate::support::transfers::{Yard, example};

const LATER: &str = "2999-01-01T00:00:00Z";
const PACKAGE: &str = "tools-1.0.tar.gz";

/// A repository with one key for every role.
struct Repository {
    key: TestKey,
    expires: &'static str,
    /// The version of the snapshot that the timestamp names, and of the one that lies there.
    versions: (u64, u64),
    target: Vec<u8>,
}

impl Repository {
    fn new() -> Self {
        let target = fs::read(example("trusted_root.json")).unwrap();
        Self { key: TestKey::new(7), expires: LATER, versions: (1, 1), target }
    }

    fn id(&self) -> String {
        hex(&sha256(canonical(&self.public())))
    }

    fn public(&self) -> Value {
        let value = json!({"public": self.key.pem()});
        json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": value})
    }

    fn signed(&self, signed: &Value) -> Vec<u8> {
        let signature = hex(&self.key.sign(canonical(signed).as_bytes()));
        let signatures = json!([{"keyid": self.id(), "sig": signature}]);
        json!({"signed": signed, "signatures": signatures}).to_string().into_bytes()
    }

    fn root(&self) -> Vec<u8> {
        let role = json!({"keyids": [self.id()], "threshold": 1});
        self.signed(&json!({
            "_type": "root", "spec_version": "1.0.0", "version": 1, "expires": LATER,
            "consistent_snapshot": false, "keys": {self.id(): self.public()},
            "roles": {"root": role, "timestamp": role, "snapshot": role, "targets": role},
        }))
    }

    fn serve(&self, site: &Site) {
        let size_and_hash = |bytes: &[u8]| json!({"length": bytes.len(), "hashes": {"sha256": hex(&sha256(bytes))}});
        let meta = |bytes: &[u8], version: u64| {
            let mut meta = size_and_hash(bytes);
            meta["version"] = json!(version);
            meta
        };
        let targets = self.signed(&json!({
            "_type": "targets", "spec_version": "1.0.0", "version": 1, "expires": LATER,
            "targets": {"trusted_root.json": size_and_hash(&self.target)},
        }));
        let snapshot = self.signed(&json!({
            "_type": "snapshot", "spec_version": "1.0.0", "version": self.versions.1,
            "expires": LATER, "meta": {"targets.json": meta(&targets, 1)},
        }));
        let timestamp = self.signed(&json!({
            "_type": "timestamp", "spec_version": "1.0.0", "version": 1, "expires": self.expires,
            "meta": {"snapshot.json": meta(&snapshot, self.versions.0)},
        }));
        site.put("tuf/timestamp.json", timestamp);
        site.put("tuf/snapshot.json", snapshot);
        site.put("tuf/targets.json", targets);
        site.put("tuf/targets/trusted_root.json", &self.target);
    }
}

/// Canonical JSON as TUF signs it: keys sorted, nothing escaped but `"` and `\`.
fn canonical(value: &Value) -> String {
    let text = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match value {
        Value::String(it) => text(it),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            let members =
                members.iter().map(|(key, it)| format!("{}:{}", text(key), canonical(it)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

struct Side {
    site: Site,
    yard: Yard,
}

impl Side {
    /// A site with a package of the example release, whose bundle has a log entry.
    fn new() -> Self {
        let (site, yard) = (Site::new(), Yard::new());
        site.profile(&yard.path("site.toml"));
        for name in ["", "_signature.bundle", "_publickey.json"] {
            let name = format!("{PACKAGE}{name}");
            site.put(&name, fs::read(example(&name)).unwrap());
        }
        Self { site, yard }
    }

    fn mirror(&self, more: &[&str]) -> Ran {
        let mut command = sealift();
        command.current_dir(self.yard.path("")).env("NO_PROXY", "127.0.0.1");
        // What is not on this machine is not asked.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("https_proxy", "http://127.0.0.1:9");
        command.args(["mirror", "--out", "out", "--key", "transfer.key", "--retries", "0"]);
        command.args(["--vendor-profile", "site.toml", "--allow-http", "--package", PACKAGE]);
        command.arg("--vendor-key").arg(example("vendor.pub")).args(more);
        run(&mut command)
    }

    fn refresh(&self, root: &[u8]) -> Ran {
        fs::write(self.yard.path("root.json"), root).unwrap();
        let url = self.site.url("tuf");
        self.mirror(&["--tuf-mirror", &url, "--tuf-root", "root.json"])
    }

    /// The named repository must answer: nothing is fetched or sealed without it.
    fn refused(&self, root: &[u8], why: &str) {
        let ran = self.refresh(root);
        assert_eq!(ran.status, Some(4), "{why}: {}", ran.text());
        assert!(ran.stderr.contains("network-failed"), "{why}: {}", ran.text());
        assert!(!self.yard.path("out/manifest.json").exists(), "{why}");
        assert!(self.site.asked().iter().all(|path| !path.contains(PACKAGE)), "{why}");
    }
}

#[test]
fn a_fetched_root_goes_with_the_transfer() {
    let side = Side::new();
    let repository = Repository::new();
    repository.serve(&side.site);
    let ran = side.refresh(&repository.root());
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    assert!(ran.stderr.contains("trusted root: fetched"), "{}", ran.text());
    let sealed = fs::read(side.yard.path("out/trust/trusted_root.json")).unwrap();
    let sealed: Value = serde_json::from_slice(&sealed).unwrap();
    let meant: Value = serde_json::from_slice(&repository.target).unwrap();
    let log = |root: &Value| root["tlogs"][0]["logId"]["keyId"].clone();
    assert!(log(&meant).is_string());
    assert_eq!(log(&sealed), log(&meant));
}

#[test]
fn what_the_named_root_does_not_sign_is_refused() {
    let side = Side::new();
    let repository = Repository::new();
    let root = repository.root();
    Repository { key: TestKey::new(8), ..Repository::new() }.serve(&side.site);
    side.refused(&root, "signed by another key");
    repository.serve(&side.site);
    let other = Repository { key: TestKey::new(8), ..Repository::new() };
    side.refused(&other.root(), "another root is named");
    side.site.put("tuf/targets/trusted_root.json", b"{}");
    side.refused(&root, "another target than the one that is signed");
}

#[test]
fn what_is_old_is_refused() {
    let side = Side::new();
    let old = Repository { expires: "2001-01-01T00:00:00Z", ..Repository::new() };
    old.serve(&side.site);
    side.refused(&old.root(), "an expired timestamp");
    let back = Repository { versions: (2, 1), ..Repository::new() };
    back.serve(&side.site);
    side.refused(&back.root(), "an older snapshot than the timestamp names");
}

#[test]
fn a_named_repository_must_answer() {
    let side = Side::new();
    side.refused(&Repository::new().root(), "nothing lies there");
    let repository = Repository::new();
    repository.serve(&side.site);
    side.site.put("tuf/timestamp.json", vec![b'x'; 8 << 20]);
    side.refused(&repository.root(), "endless metadata");
}

#[test]
fn without_sigstore_s_own_the_built_in_root_is_used() {
    let side = Side::new();
    let ran = side.mirror(&[]);
    let said = "trusted root: built in; its newest log or authority is from 202";
    assert!(ran.stderr.contains(said), "{}", ran.text());
    // It does not know the log of the example: that is no success.
    assert_ne!(ran.status, Some(0), "{}", ran.text());
    assert!(ran.text().contains("log-unknown"), "{}", ran.text());
}
