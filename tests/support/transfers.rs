//! Small transfers to seal and to damage: packages and an image of throwaway vendors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::log::{TestKey, base64, hex, sha256};
use super::sealift;
use super::tools::{Ran, run};

/// Everything below a folder: paths, and what they hold; directories hold nothing.
pub(crate) type Snapshot = BTreeMap<String, Option<Vec<u8>>>;

/// A place with keys, in which folders are sealed and checked.
pub(crate) struct Yard {
    place: tempfile::TempDir,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(place.path().join(name), text).unwrap();
        write("transfer.key", private_pem(201));
        write("transfer.pub", TestKey::new(201).pem());
        for vendor in [1, 2] {
            write(&format!("vendor-{vendor}.pub"), TestKey::new(vendor).pem());
        }
        Self { place }
    }

    /// A path in the yard.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        // macOS and some systems put temporary folders behind a link; strace shows where it leads.
        self.place.path().canonicalize().unwrap().join(name)
    }

    /// Puts a package, and its bundle by the vendor of this number, into a folder.
    pub(crate) fn package(&self, folder: &str, name: &str, content: &str, vendor: u8) {
        let path = self.path(folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let bundle = TestKey::new(vendor).bundle(&format!("{}\n", hex(&sha256(content))));
        fs::write(format!("{}_signature.bundle", path.display()), bundle).unwrap();
    }

    /// Puts the image of the example release into a folder.
    pub(crate) fn image(&self, folder: &str) {
        fs::create_dir_all(self.path(folder)).unwrap();
        for name in ["hello-image.tar", "hello_signature.bundle"] {
            fs::copy(example(name), self.path(folder).join(name)).unwrap();
        }
    }

    /// A fresh copy of a folder.
    pub(crate) fn copy(&self, from: &str, to: &str) -> PathBuf {
        let to = self.path(to);
        if to.exists() {
            fs::remove_dir_all(&to).unwrap();
        }
        restore(&to, &snapshot(&self.path(from)));
        to
    }

    /// The command that seals a folder; with one thread.
    pub(crate) fn seal(&self, folder: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.path("")).args(["seal", "-q", "--jobs", "1"]);
        command.args(["--key", "transfer.key", "--vendor-key", "vendor-1.pub"]);
        command.args(["--vendor-key", "vendor-2.pub", "--vendor-key"]).arg(example("vendor.pub"));
        command.arg("--trusted-root").arg(example("trusted_root.json"));
        command.args(["--insecure-ignore-tlog"]).arg(self.path(folder));
        command
    }

    /// The command that checks a folder; with one thread.
    pub(crate) fn verify(&self, folder: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.path("")).args(["verify", "-q", "--jobs", "1", "-v"]);
        command.args(["-o", "json", "--transfer-key", "transfer.pub", "--insecure-ignore-tlog"]);
        command.args(["--time", "2999-01-01T00:00:00Z"]).arg(self.path(folder));
        command
    }

    /// Seals a folder; it must succeed.
    #[track_caller]
    pub(crate) fn sealed(&self, folder: &str) {
        run(&mut self.seal(folder)).succeeded();
    }

    /// Checks a folder.
    pub(crate) fn answer(&self, folder: &str) -> Answer {
        Answer::new(run(&mut self.verify(folder)))
    }
}

/// A file of the example release.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release").join(name)
}

/// The test key of this number as unencrypted PKCS #8, so that no time goes into a password.
pub(crate) fn private_pem(seed: u8) -> String {
    const START: &str = "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCA=";
    let mut der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(START).unwrap();
    der.extend([seed; 32]);
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(der))
}

/// What `verify -o json -v` said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    /// The faults' codes, in order, each once.
    pub(crate) codes: Vec<String>,
    /// The digest of the manifest whose seal held.
    pub(crate) manifest: Option<String>,
    /// Both streams, without the time of the report.
    pub(crate) text: String,
    /// Everything, as it was written.
    pub(crate) whole: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn new(ran: Ran) -> Self {
        // Neither killed nor a panic.
        let status = ran.status.unwrap_or(-1);
        assert!((0..=3).contains(&status), "exit code {status}: {}", ran.text());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let reports = report["artifacts"].as_array().cloned().unwrap_or_default();
        let mut codes: Vec<String> =
            reports.iter().filter_map(|it| it["code"].as_str()).map(str::to_owned).collect();
        // What is wrong before anything is checked is said on standard error.
        let stderr = ran.stderr.lines().find_map(|line| {
            Some(line.strip_prefix("sealift: error[")?.split_once(']')?.0.to_owned())
        });
        codes.extend(stderr);
        codes.sort_unstable();
        codes.dedup();
        let manifest = reports.iter().flat_map(|it| it["checks"].as_array().cloned()).flatten();
        let manifest = manifest
            .filter(|check| check["name"] == "seal" && check["status"] == "passed")
            .find_map(|check| Some(check["values"]["manifest"].as_str()?.to_owned()));
        // When it was judged, how long it took and how often something was read is another in every run.
        const VARYING: [&str; 4] =
            ["\"time\": ", "\"finished\": ", "\"milliseconds\": ", "\"bytes\": "];
        let both = ran.text();
        let varies = |line: &str| VARYING.iter().any(|it| line.trim_start().starts_with(it));
        let text = both.lines().filter(|line| !varies(line));
        let text = text.collect::<Vec<_>>().join("\n");
        Self { status, codes, manifest, text, whole: both }
    }

    pub(crate) fn ok(&self) -> bool {
        self.status == 0
    }

    /// A word for a count of answers.
    pub(crate) fn word(&self) -> String {
        if self.ok() { "OK".to_owned() } else { self.codes.join(" + ") }
    }
}

/// Everything below a folder.
pub(crate) fn snapshot(folder: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path);
                found.insert(name, None);
            } else {
                found.insert(name, Some(fs::read(path).unwrap()));
            }
        }
    }
    found
}

/// Makes a folder that is a snapshot again.
pub(crate) fn restore(folder: &Path, snapshot: &Snapshot) {
    fs::create_dir_all(folder).unwrap();
    for (name, content) in snapshot {
        let path = folder.join(name);
        match content {
            None => fs::create_dir_all(path).unwrap(),
            Some(content) => fs::write(path, content).unwrap(),
        }
    }
}

/// The digest of the manifest in a snapshot.
pub(crate) fn manifest_digest(snapshot: &Snapshot) -> Option<String> {
    let bytes = snapshot.get("manifest.json")?.as_ref()?;
    Some(format!("sha256:{}", hex(&sha256(bytes))))
}

/// Whether a snapshot holds exactly the files that its manifest lists, and the seal; without any
/// code of the program under test.
#[track_caller]
pub(crate) fn is_whole(snapshot: &Snapshot) {
    const SEAL: [&str; 4] =
        ["manifest.json", "manifest.json.sig", "manifest.json.sigstore.json", "SHA256SUMS"];
    let manifest: Value =
        serde_json::from_slice(snapshot["manifest.json"].as_ref().unwrap()).unwrap();
    let listed: BTreeMap<String, String> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let digest = file["sha256"].as_str().unwrap().trim_start_matches("sha256:");
            (file["path"].as_str().unwrap().to_owned(), digest.to_owned())
        })
        .collect();
    let there: BTreeMap<String, String> = snapshot
        .iter()
        .filter(|(name, _)| !SEAL.contains(&name.as_str()))
        .filter_map(|(name, content)| Some((name.clone(), hex(&sha256(content.as_ref()?)))))
        .collect();
    assert_eq!(listed, there);
}
