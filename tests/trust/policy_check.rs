//! `sealift policy check`, as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::log::TestKey;
use crate::support::{outcome, sealift};

struct Room(tempfile::TempDir);

impl Room {
    /// A folder with a policy in `etc/` that names files beside and above it.
    fn new() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        for folder in ["etc/keys", "elsewhere"] {
            fs::create_dir_all(room.path(folder)).unwrap();
        }
        room.write("etc/keys/transfer.pub", TestKey::new(1).pem().as_bytes());
        room.write("vendor.pub", TestKey::new(2).pem().as_bytes());
        room.write("etc/trust.toml", POLICY.as_bytes());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release/trusted_root.json");
        fs::copy(root, room.path("etc/root.json")).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs `policy check` in `folder`.
    fn check(&self, folder: &str, variable: Option<&str>, file: &[&str]) -> (i32, String, String) {
        let mut command = sealift();
        command.current_dir(self.path(folder)).args(["policy", "check"]).args(file);
        command.env_remove("SEALIFT_TRUST");
        if let Some(variable) = variable {
            command.env("SEALIFT_TRUST", variable);
        }
        outcome(&command.output().unwrap())
    }

    /// Asserts the refusal of a policy with this change, and returns what was said.
    #[track_caller]
    fn refuses(&self, from: &str, to: &str, code: &str) -> String {
        let text = POLICY.replacen(from, to, 1);
        assert_ne!(text, POLICY);
        self.write("etc/trust.toml", text.as_bytes());
        let (status, out, err) = self.check("etc", None, &["trust.toml"]);
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(&format!("error[{code}]: ")) && err.contains("next: "), "{err}");
        err
    }
}

const POLICY: &str = "version = 1
trusted_root = \"root.json\"
[[transfer.key]]
name = \"station A\"
file = \"keys/transfer.pub\"
[[vendor]]
name = \"k2view\"
[[vendor.key]]
name = \"2026\"
file = \"../vendor.pub\"
";

#[test]
fn a_good_policy_is_said_in_words() {
    let room = Room::new();
    let absolute = room.path("etc/trust.toml");
    for (folder, file) in [
        ("etc", "trust.toml"),
        (".", "etc/trust.toml"),
        ("elsewhere", "../etc/trust.toml"),
        ("elsewhere", absolute.to_str().unwrap()),
    ] {
        let (status, out, err) = room.check(folder, None, &[file]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        let key = sealift::key::PublicKey::from_pem(TestKey::new(2).pem().as_bytes()).unwrap();
        let fingerprint = key.fingerprint();
        assert!(out.contains("A transfer sealed with the key \"station A\" (ECDSA P-256, sha256:"));
        let vendor = format!(
            "Vendor \"k2view\", key \"2026\" (ECDSA P-256, {fingerprint}) is trusted for every name.\n"
        );
        assert!(out.contains(&vendor), "{out}");
    }
}

#[test]
fn the_example_of_the_documentation_is_good() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/trust.toml");
    let (status, out, err) = Room::new().check("elsewhere", None, &[example.to_str().unwrap()]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("is revoked") && out.contains("is retired"), "{out}");
}

#[test]
fn the_environment_names_a_policy_and_an_argument_goes_before() {
    let room = Room::new();
    let path = |name: &str| room.path(name).to_str().unwrap().to_owned();
    let good = path("etc/trust.toml");
    let (status, out, _) = room.check("elsewhere", Some(&good), &[]);
    assert!(status == 0 && out.contains("station A"), "{out}");
    room.write("bad.toml", b"version = 2");
    let bad = path("bad.toml");
    let (status, _, err) = room.check(".", Some(&bad), &[]);
    let place = format!("SEALIFT_TRUST: {bad}: version: ");
    assert!(status == 2 && err.contains(&place), "{err}");
    assert_eq!(room.check(".", Some(&bad), &["etc/trust.toml"]).0, 0);
    assert_eq!(room.check(".", Some(&good), &["bad.toml"]).0, 2);
    // What is in force does not depend on the directory that a command is run in.
    for none in [None, Some(""), Some("etc/trust.toml"), Some("./etc/trust.toml"), Some("-")] {
        let (status, _, err) = room.check(".", none, &[]);
        assert!(status == 2 && err.contains("error[usage]"), "{none:?}: {err}");
    }
    let (status, _, err) = room.check(".", Some(&path("absent.toml")), &[]);
    assert!(status == 2 && err.contains("error[file-not-found]"), "{err}");
}

#[test]
fn a_bad_policy_is_refused_with_its_place() {
    let room = Room::new();
    let code = "policy-malformed";
    let err = room.refuses("../vendor.pub", "../absent.pub", code);
    assert!(err.contains("trust.toml: vendor \"k2view\", key \"2026\": file \"../absent.pub\""));
    let err = room.refuses("../vendor.pub", "keys/transfer.pub", code);
    assert!(err.contains("the same key as transfer key \"station A\""), "{err}");
    let err = room.refuses("../vendor.pub", "..", code);
    assert!(err.contains("directory"), "{err}");
    let err = room.refuses("../vendor.pub", "-", code);
    assert!(err.contains("file \"-\": ./-: "), "{err}");
    let err = room.refuses("root.json", "keys/transfer.pub", code);
    assert!(err.contains("trust.toml: trusted_root: "), "{err}");
    let err = room.refuses("file = \"../", "filo = \"../", code);
    assert!(err.contains("trust.toml: line 10: unknown field `filo`"), "{err}");
    let err = room.refuses("version = 1", "version = 1\nversion = 1", code);
    assert!(err.contains("line 2"), "{err}");
    let err = room.refuses("\"k2view\"", "\"k2view\\u001b[2J\"", code);
    assert!(!err.contains('\u{1b}'), "{err:?}");
    room.write("etc/keys/large.pub", &vec![b'x'; (4 << 20) + 1]);
    let err = room.refuses("keys/transfer.pub", "keys/large.pub", code);
    assert!(err.contains("larger than 4194304 bytes"), "{err}");

    for (file, code) in [("absent.toml", "file-not-found"), ("etc", code), ("vendor.pub", code)] {
        let (status, out, err) = room.check(".", None, &[file]);
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(&format!("error[{code}]")), "{err}");
    }
}

#[test]
fn what_may_not_be_meant_is_a_warning() {
    let room = Room::new();
    let text = POLICY.replace("[[vendor]]", "[[vendor]]\ntransparency = \"optional\"")
        + "status = \"revoked\"\n";
    room.write("etc/trust.toml", text.as_bytes());
    let (status, out, err) = room.check("etc", None, &["trust.toml"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("is revoked: it is never trusted"), "{out}");
    assert!(err.contains("WARNING: vendor \"k2view\": transparency is optional"), "{err}");
    assert!(err.contains("no key is in use"), "{err}");
}
