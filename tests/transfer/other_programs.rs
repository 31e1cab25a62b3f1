//! A seal made by Sealift is one that other programs check: real cosign 2 and 3 in both forms of the
//! signature, openssl, and sha256sum for the files; each is seen to refuse after one byte changed. With
//! a key of `sealift keygen` and with one of each cosign.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cosign::{Cosign, programs};
use crate::support::sealift;
use crate::support::tools::{Ran, broken, run};

const PASSWORD: &str = "pässword 2";
const FILES: [&str; 4] = [
    "hello-image.tar",
    "hello_signature.bundle",
    "tools-1.0.tar.gz",
    "tools-1.0.tar.gz_signature.bundle",
];

fn release() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release")
}

/// The example release, sealed, beside its key.
struct Sealed {
    room: tempfile::TempDir,
}

impl Sealed {
    /// Seals with the private key `transfer.key`, which `make_key` makes in the folder it is given.
    fn new(make_key: impl FnOnce(&Path)) -> Self {
        let room = tempfile::tempdir().unwrap();
        make_key(room.path());
        let transfer = room.path().join("transfer");
        fs::create_dir(&transfer).unwrap();
        for file in FILES {
            fs::copy(release().join(file), transfer.join(file)).unwrap();
        }
        let mut command = sealift();
        command.current_dir(&room).env("SEALIFT_PASSWORD", PASSWORD).env_remove("SEALIFT_TRUST");
        command.args(["seal", "--key", "transfer.key", "--vendor-key"]);
        command.arg(release().join("vendor.pub"));
        command.arg("--trusted-root").arg(release().join("trusted_root.json"));
        run(command.arg("transfer")).succeeded();
        let mut command = sealift();
        command.current_dir(&room).env_remove("SEALIFT_TRUST");
        run(command.args(["verify", "--transfer-key", "transfer.pub", "transfer"])).succeeded();
        Self { room }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join("transfer").join(name)
    }

    /// The program accepts; it refuses when one bit of this file is another, wherever it lies; and
    /// accepts again.
    fn judged_by(&self, what: &str, file: &str, program: impl Fn() -> Ran) {
        let ran = program();
        assert_eq!(ran.status, Some(0), "{what}: {}", ran.text());
        let genuine = fs::read(self.path(file)).unwrap();
        for place in [0, genuine.len() / 2, genuine.len() - 1] {
            let mut changed = genuine.clone();
            changed[place] ^= 1;
            fs::write(self.path(file), changed).unwrap();
            let ran = program();
            assert!(ran.status.is_some_and(|status| status != 0), "{what}: {}", ran.text());
        }
        fs::write(self.path(file), genuine).unwrap();
        assert_eq!(program().status, Some(0), "{what}");
    }

    fn judged_by_openssl(&self) {
        if Command::new("openssl").arg("version").output().is_err() {
            broken("openssl is not installed");
            return;
        }
        let der = self.room.path().join("seal.der");
        let mut command = Command::new("openssl");
        command.args(["base64", "-d", "-A", "-in"]).arg(self.path("manifest.json.sig"));
        run(command.arg("-out").arg(&der)).succeeded();
        self.judged_by("openssl", "manifest.json", || {
            let mut command = Command::new("openssl");
            command.current_dir(&self.room).args(["dgst", "-sha256", "-verify", "transfer.pub"]);
            run(command.args(["-signature", "seal.der", "transfer/manifest.json"]))
        });
    }

    /// sha256sum does not know the manifest: it sees the list and the files.
    fn judged_by_sha256sum(&self) {
        if Command::new("sha256sum").arg("--version").output().is_err() {
            broken("sha256sum is not installed");
            return;
        }
        for file in ["hello-image.tar", "trust/trusted_root.json"] {
            self.judged_by("sha256sum", file, || {
                let mut command = Command::new("sha256sum");
                run(command.args(["-c", "SHA256SUMS"]).current_dir(self.path("")))
            });
        }
    }

    fn judged_by_cosign(&self, programs: &Path) {
        let verify = |cosign: Cosign, arguments: &[&str]| {
            let mut command = cosign.command(programs, self.room.path(), "");
            command.args(["verify-blob", "--insecure-ignore-tlog", "--key", "transfer.pub"]);
            run(command.args(arguments).arg("transfer/manifest.json"))
        };
        let signature = ["--signature", "transfer/manifest.json.sig"];
        let bundle = ["--bundle", "transfer/manifest.json.sigstore.json"];
        let root = release().join("trusted_root.json");
        let old = ["--new-bundle-format", "--trusted-root", root.to_str().unwrap()];
        let manifest = "manifest.json";
        for cosign in [Cosign::Two, Cosign::Three] {
            let what = format!("cosign {cosign:?}, signature");
            self.judged_by(&what, manifest, || verify(cosign, &signature));
        }
        let with_root = [&old[..], &bundle[..]].concat();
        self.judged_by("cosign 2, bundle", manifest, || verify(Cosign::Two, &with_root));
        self.judged_by("cosign 3, bundle", manifest, || verify(Cosign::Three, &bundle));
        // The bundle's own digest is not all that counts.
        let name = "manifest.json.sigstore.json";
        let genuine = fs::read_to_string(self.path(name)).unwrap();
        let at = genuine.find("\"signature\":\"").unwrap() + 40;
        let mut changed = genuine.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        fs::write(self.path(name), changed).unwrap();
        assert_ne!(verify(Cosign::Two, &with_root).status, Some(0));
        assert_ne!(verify(Cosign::Three, &bundle).status, Some(0));
        fs::write(self.path(name), genuine).unwrap();
    }
}

#[test]
fn a_seal_with_a_key_of_keygen() {
    let sealed = Sealed::new(|room| {
        let mut command = sealift();
        command.arg("keygen").current_dir(room).env("SEALIFT_PASSWORD", PASSWORD);
        run(&mut command).succeeded();
    });
    sealed.judged_by_openssl();
    sealed.judged_by_sha256sum();
    if let Some(programs) = programs() {
        sealed.judged_by_cosign(programs);
    }
}

#[test]
fn a_seal_with_a_key_of_cosign() {
    let Some(programs) = programs() else { return };
    for cosign in [Cosign::Two, Cosign::Three] {
        let sealed = Sealed::new(|room| {
            let mut command = cosign.command(programs, room, PASSWORD);
            command.args(["generate-key-pair", "--output-key-prefix", "transfer"]);
            run(&mut command).succeeded();
        });
        sealed.judged_by_openssl();
        sealed.judged_by_cosign(programs);
    }
}
