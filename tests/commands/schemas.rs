//! The JSON Schemas in `bundle-format/schemas`: each accepts genuine documents, and refuses broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::schema::{Schema, toml_as_json};
use crate::support::sealift;
use crate::support::tools::run;
use sealift::trust::VendorProfile;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document and what may be changed in it.
trait Changes {
    fn refuses_each(&self, good: &Value, changes: &[(&str, Value)]);
    fn accepts_each(&self, good: &Value, changes: &[(&str, Value)]);
}

impl Changes for Schema {
    /// Accepts the document, and refuses it with each of these values in these places; a value of
    /// [`absent`] takes the member away.
    #[track_caller]
    fn refuses_each(&self, good: &Value, changes: &[(&str, Value)]) {
        self.accepts(good);
        for (place, value) in changes {
            self.refuses(&format!("{place} = {value}"), &with(good, place, value));
        }
    }

    #[track_caller]
    fn accepts_each(&self, good: &Value, changes: &[(&str, Value)]) {
        for (place, value) in changes {
            self.accepts(&with(good, place, value));
        }
    }
}

/// Stands for a member that is taken away.
fn absent() -> Value {
    json!({"absent": true})
}

/// The document with another value at this JSON pointer.
fn with(document: &Value, place: &str, value: &Value) -> Value {
    let mut changed = document.clone();
    let (parent, member) = place.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap();
    if let Some(list) = parent.as_array_mut() {
        list[member.parse::<usize>().unwrap()] = value.clone();
    } else if *value == absent() {
        assert!(parent.as_object_mut().unwrap().remove(member).is_some(), "{place} is not there");
    } else {
        parent[member] = value.clone();
    }
    assert_ne!(changed, *document, "{place}");
    changed
}

fn hex() -> String {
    "0123456789abcdef".repeat(4)
}

fn digest() -> String {
    format!("sha256:{}", hex())
}

fn manifest() -> Value {
    json!({
        "sha256sums": hex(),
        "schema": "sealift-transfer/v1",
        "transfer_id": "0f".repeat(16),
        "stream": "default",
        "serial": 1_764_020_000,
        "created": "2026-11-24T21:00:00Z",
        "expires": "2027-01-01T00:00:00Z",
        "tool": "sealift 0.1.0",
        "requested": [{"kind": "image", "name": "registry.example/hello:1.0"}],
        "omitted": [{"kind": "package", "name": "tools", "code": "no-bundle", "reason": "none was found"}],
        "artifacts": [
            {
                "kind": "image", "name": "hello", "path": "images/hello image.tar",
                "bundles": ["images/hello_signature.bundle"], "key": digest(), "vendor": "k2view",
                "source": "https://vendor.example/hello.tar", "digest_kinds": ["config", "index"], "first_use": true
            },
            {
                "kind": "package", "name": "notes.pdf", "path": "packages/notes.pdf",
                "bundles": [], "digest_kinds": [], "allow_unsigned": true
            },
            {
                "kind": "package", "name": "tools", "path": "packages/tools.tgz",
                "bundles": ["packages/tools.tgz_signature.bundle"], "key": digest(), "digest_kinds": ["file"],
                "allow_unsigned": false
            }
        ],
        "files": [
            {"path": "images/hello image.tar", "size": 1024, "sha256": hex(),
             "segments": [{"size": 512, "sha256": hex()}, {"size": 512, "sha256": hex()}]},
            {"path": "packages/notes.pdf", "size": 0, "sha256": hex()}
        ],
        "base": {
            "transfer_id": "1e".repeat(16), "manifest": digest(), "stream": "default", "serial": 1,
            "artifacts": [{"kind": "image", "name": "old", "path": "images/old.tar", "sha256": hex()}]
        },
        "notes": "any text"
    })
}

#[test]
fn the_manifest_schema_is_as_strict_as_the_specification() {
    let schema = Schema::new("transfer-manifest-v1");
    let good = manifest();
    let mut changes: Vec<(&str, Value)> = vec![
        ("/sha256sums", json!(hex().to_uppercase())),
        ("/sha256sums", json!(digest())),
        ("/sha256sums", absent()),
        ("/schema", json!("sealift-transfer/v2")),
        ("/transfer_id", json!("0F".repeat(16))),
        ("/stream", json!("-a")),
        ("/stream", json!("A")),
        ("/stream", json!("a".repeat(65))),
        ("/serial", json!(0)),
        ("/serial", json!(1.5)),
        ("/serial", json!("1")),
        ("/serial", json!(9_007_199_254_740_992_u64)),
        ("/created", json!("2026-11-24T21:00:00+00:00")),
        ("/created", json!("2026-11-24T21:00:00.5Z")),
        ("/created", json!("2026-02-30T21:00:00Z")),
        ("/expires", Value::Null),
        ("/tool", absent()),
        ("/requested", absent()),
        ("/requested/0/kind", json!("blob")),
        ("/omitted/0/reason", absent()),
        ("/omitted/0/code", json!("No Code")),
        ("/artifacts/0/unknown", json!(1)),
        ("/artifacts/0/key", absent()),
        ("/artifacts/0/key", json!(hex())),
        ("/artifacts/0/bundles", json!([])),
        ("/artifacts/0/digest_kinds", json!([])),
        ("/artifacts/0/digest_kinds", json!(["config", "config"])),
        ("/artifacts/0/digest_kinds", json!(["file"])),
        ("/artifacts/0/digest_kinds", json!(["layer"])),
        ("/artifacts/0/allow_unsigned", json!(true)),
        ("/artifacts/1/allow_unsigned", absent()),
        ("/artifacts/1/key", json!(digest())),
        ("/artifacts/1/digest_kinds", json!(["file"])),
        ("/artifacts/2/digest_kinds", json!(["config"])),
        ("/files/0/size", json!(-1)),
        ("/files/0/segments", json!([])),
        ("/files/0/segments/0/size", json!(0)),
        ("/files/0/segments/0/offset", json!(0)),
        ("/files/0/mode", json!(0o644)),
        ("/base/manifest", json!(hex())),
        ("/base/artifacts", absent()),
        ("/unknown", json!(1)),
    ];
    let long = ["a"; 520].join("/");
    let part = "a".repeat(256);
    for path in [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "a:b",
        "a*",
        "a?",
        "a\"",
        "<a",
        "a>",
        "a|b",
        "ü",
        "a\n",
        "a\u{7f}",
        " a",
        "a/ b",
        "a ",
        "a./b",
        "con",
        "a/Nul.txt",
        "COM0",
        "lpt9.a.b",
        "conout$",
        "manifest.json",
        "SHA256SUMS",
        "sha256sums/a",
        "-",
        "a/-/b",
        "trust",
        "Tools",
        "TRUST/evil.tar",
        "Tools/setup.exe",
        "trust/payload/install.sh",
        "trust/keys/0123456789abcdef.PUB",
        "trust/keys/0123456789ABCDEF.pub",
        "trust/keys/0123456789abcdef0.pub",
        "trust/trusted_root.json/x",
        "a.sealift-tmp",
        "a.sealift-tmp/b",
        &long,
        &part,
    ] {
        changes.push(("/files/1/path", json!(path)));
    }
    schema.refuses_each(&good, &changes);
    let paths = [
        "a",
        "a b/c  d",
        ".hidden",
        "a..b",
        "--help",
        "-x/--",
        "trusty",
        "trust/fetches.jsonl",
        "tools/deep/trust/x",
        "com10",
        "console",
        "a/manifest.json",
        "manifest.json.bak",
        "[a]{b}",
        "!#$%&'()+,-;=@^_`~",
        "trust/keys/0123456789abcdef.pub",
        "tools/verify-with-openssl.sh",
    ];
    schema.accepts_each(&good, &paths.map(|path| ("/files/1/path", json!(path))));
    schema.accepts_each(
        &good,
        &[
            ("/expires", absent()),
            ("/base", absent()),
            ("/notes", absent()),
            ("/artifacts", json!([])),
        ],
    );
}

/// The report with every member that a run can have.
fn with_run(report: &Value) -> Value {
    let mut report = report.clone();
    let run = json!({
        "program": digest(),
        "finished": "2026-11-24T21:00:01Z",
        "partial": false,
        "stopped_by": "interrupt",
        "paths": ["/media/usb"],
        "basis": {
            "keys": [digest()], "identity": "release@vendor.example", "transfer_keys": [digest()],
            "policy": digest(), "trusted_root": {"sha256": digest(), "source": "policy"},
            "profiles": [{"name": "k2view"}, {"name": "own", "sha256": digest()}], "map": digest(),
            "options": ["--insecure-ignore-tlog"]
        },
        "shard": {"part": 1, "of": 2, "listing": digest(), "files": 9, "bundles": ["a.bundle"]},
        "merged": 2,
        "summary": {"answers": 2, "outcomes": {"OK": 2}, "bytes": 10, "milliseconds": 1},
        "coverage": {
            "vendor": 2, "seal_only": 1, "material": 1, "uncovered": 1, "excluded": 1,
            "files": [{"name": "a", "size": 1, "cover": "seal-only"}]
        }
    });
    report.as_object_mut().unwrap().extend(run.as_object().unwrap().clone());
    report
}

#[test]
fn the_report_schema_describes_what_the_program_prints() {
    let schema = Schema::new("report-v1");
    let release = root().join("examples/release");
    let report = |files: &[&str], root: bool| -> Value {
        let mut command = sealift();
        command.current_dir(&release).args(["verify", "-o", "json", "--key", "../keys/vendor.pub"]);
        if root {
            command.args(["--trusted-root", "../keys/trusted_root.json"]);
        }
        serde_json::from_str(&run(command.args(files)).stdout).unwrap()
    };
    let good = report(&["hello-image.tar", "tools-1.0.tar.gz"], true);
    assert_eq!(good["exit_status"], 0, "{good}");
    let failed = report(&["tampered-image.tar", "tools-1.0.tar.gz", "no-such-file"], true);
    assert_eq!(failed["artifacts"][0]["outcome"], "FAILED", "{failed}");
    schema.accepts(&failed);
    schema.accepts(&report(&["hello-image.tar", "PROVENANCE.md"], false));

    schema.refuses_each(
        &good,
        &[
            ("/schema", json!("sealift-report/v2")),
            ("/time", json!("yesterday")),
            ("/exit_status", json!(5)),
            ("/exit_status", json!("0")),
            ("/artifacts", json!([])),
            ("/artifacts/0/outcome", json!("FAILED")),
            ("/artifacts/0/outcome", json!("ok")),
            ("/artifacts/0/name", absent()),
            ("/artifacts/0/kind", json!("folder")),
            ("/artifacts/0/code", json!("no-bundle")),
            ("/artifacts/0/key", json!(hex())),
            ("/artifacts/0/matched/0/kind", json!("layer")),
            ("/artifacts/0/checks/0/status", json!("fine")),
            ("/artifacts/0/images/0/covered", json!(1)),
            ("/artifacts/0/images/0/layers", json!(-1)),
            ("/artifacts/0/bundles/0/checks/0/values", json!({"index": 1})),
            ("/artifacts/0/bundles/0/code", json!("no-bundle")),
            ("/artifacts/0/bundles/0/verified", absent()),
        ],
    );
    // All that a run can say.
    let whole = with_run(&good);
    schema.refuses_each(
        &whole,
        &[
            ("/program", json!(hex())),
            ("/finished", json!("later")),
            ("/partial", json!(true)),
            ("/stopped_by", json!("power")),
            ("/paths", json!("a")),
            ("/basis/keys/0", json!(hex())),
            ("/basis/identity", json!(1)),
            ("/basis/transfer_keys", json!(digest())),
            ("/basis/policy", json!("policy.toml")),
            ("/basis/trusted_root/source", json!("network")),
            ("/basis/trusted_root/sha256", absent()),
            ("/basis/profiles/0/name", absent()),
            ("/basis/map", json!(1)),
            ("/basis/options/0", json!(1)),
            ("/shard/part", json!(0)),
            ("/shard/listing", absent()),
            ("/shard/files", json!(-1)),
            ("/merged", json!("5")),
            ("/summary/outcomes/FINE", json!(1)),
            ("/summary/outcomes/OK", json!(-1)),
            ("/summary/bytes", absent()),
            ("/coverage/vendor", absent()),
            ("/coverage/files/0/cover", json!("some")),
            ("/coverage/files/0/size", json!("1")),
            ("/artifacts/0/key_trust", json!("operator")),
        ],
    );
    let partial = with(&whole, "/partial", &json!(true));
    for status in [1, 2, 3, 4, 130] {
        schema.accepts(&with(&partial, "/exit_status", &json!(status)));
    }
    for outcome in ["NETWORK", "OMITTED", "USAGE"] {
        let other = with(&whole, "/artifacts/0/outcome", &json!(outcome));
        schema.accepts(&with(&other, "/exit_status", &json!(4)));
    }
    // The model writes no other members than these.
    let run: sealift::verdict::Run = serde_json::from_value(whole.clone()).unwrap();
    let mut again = serde_json::to_value(run).unwrap();
    again["partial"] = json!(false);
    again["artifacts"] = whole["artifacts"].clone();
    assert_eq!(again, whole);
    // Members are only added within v1; a transfer is a kind of its own.
    schema.accepts_each(
        &good,
        &[
            ("/new", json!({})),
            ("/artifacts/0/new", json!(1)),
            ("/artifacts/0/kind", json!("transfer")),
            ("/artifacts/0/images/0/new", json!(1)),
            ("/artifacts/0/bundles/0/new", json!(1)),
        ],
    );
}

#[test]
fn the_policy_schema_is_strict() {
    let schema = Schema::new("trust-policy-v1");
    let good = toml_as_json(&format!(
        r#"
        version = 1
        trusted_root = "trusted_root.json"
        [transfer]
        max_age = "30d"
        [[transfer.key]]
        name = "station A"
        file = "a.pub"
        fingerprint = "{digest}"
        [[vendor]]
        name = "k2view"
        profile = "k2view"
        transparency = "required"
        digest_kinds = ["config"]
        allow_unsigned = ["README.txt"]
        allow_unsigned_images = ["images/pause*"]
        [[vendor.key]]
        name = "2023"
        fingerprint = "{digest}"
        status = "revoked"
        compromised_at = 2024-03-01T00:00:00Z
        [[vendor.key]]
        name = "2024"
        file = "2024.pub"
        status = "retired"
        retired_at = 2026-01-01T00:00:00+01:00
        [[vendor.key]]
        name = "2026"
        public_key = "-----BEGIN PUBLIC KEY-----"
        valid_from = "2025-12-01T00:00:00Z"
        valid_until = 2030-01-01T00:00:00Z
        artifacts = ["images/*"]
        "#,
        digest = digest()
    ));
    schema.refuses_each(
        &good,
        &[
            ("/version", json!(2)),
            ("/version", absent()),
            ("/versoin", json!(1)),
            ("/transfer/max_age", json!("30")),
            ("/transfer/max_age", json!("0d")),
            ("/transfer/key", json!([])),
            ("/transfer/key/0/name", json!(" a")),
            ("/transfer/key/0/file", absent()),
            ("/transfer/key/0/public_key", json!("both")),
            ("/transfer/key/0/status", json!("retired")),
            ("/vendor", json!([])),
            ("/vendor/0/key", json!([])),
            ("/vendor/0/key", absent()),
            ("/vendor/0/transparency", json!("none")),
            ("/vendor/0/digest_kinds", json!([])),
            ("/vendor/0/digest_kinds", json!(["file"])),
            ("/vendor/0/allow_unsigned", json!([""])),
            ("/vendor/0/allow_unsigned_images", json!([""])),
            ("/vendor/0/key/0/fingerprint", absent()),
            ("/vendor/0/key/0/fingerprint", json!(hex())),
            ("/vendor/0/key/0/retired_at", json!("2026-01-01T00:00:00Z")),
            ("/vendor/0/key/0/compromised_at", json!("2024-03-01")),
            ("/vendor/0/key/1/retired_at", absent()),
            ("/vendor/0/key/1/status", absent()),
            ("/vendor/0/key/1/compromised_at", json!("2026-01-01T00:00:00Z")),
            ("/vendor/0/key/2/file", json!("both")),
            ("/vendor/0/key/2/status", json!("expired")),
            ("/vendor/0/key/2/artifacts", json!([])),
        ],
    );
    schema.accepts_each(&good, &[("/transfer", absent()), ("/vendor", absent())]);
    schema.refuses("a policy without a key", &json!({"version": 1, "transfer": {"max_age": "1d"}}));
}

#[test]
fn the_profile_schema_and_the_program_agree() {
    let schema = Schema::new("vendor-profile-v1");
    let text = fs::read_to_string(root().join("src/trust/k2view.toml")).unwrap();
    schema.accepts(&toml_as_json(&text));
    for (from, to) in [
        ("name = \"k2view\"", "name = \"k2view\"\nnmae = 1"),
        ("name = \"k2view\"", ""),
        ("name = \"k2view\"", "name = \" \""),
        ("\"hex-line\"", "\"hexline\""),
        ("message = \"digest\"", "message = 1"),
        ("{package}_signature", "signature"),
        ("{package}_signature", "../{package}_signature"),
        ("{package}_signature", "{package}{package}"),
        ("{package}_publickey.json", "{package}"),
        ("[package]", "[packages]"),
    ] {
        let broken = text.replace(from, to);
        assert_ne!(broken, text);
        schema.refuses(to, &toml_as_json(&broken));
        assert!(VendorProfile::from_toml(broken.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn every_schema_is_tested() {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join("bundle-format/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into())
        .collect();
    found.sort();
    let names = ["report-v1", "transfer-manifest-v1", "trust-policy-v1", "vendor-profile-v1"];
    assert_eq!(found, names.map(|name| PathBuf::from(format!("{name}.schema.json"))));
}
