//! What a refusal advises fits the command that refuses, and is shown to its end.

use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use tempfile::TempDir;

use crate::support::sealift;
use crate::support::tools::{Ran, run};

const BUNDLE: &str = "tools-1.0.tar.gz_signature.bundle";
const GOOD: &str = "--key vendor.pub --trusted-root root.json";

/// `release` is a folder with the example's package and its bundle; beside it lie `vendor.pub`,
/// `root.json`, and the pair `transfer.key` (the password is empty) and `transfer.pub`.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        fs::create_dir(bench.path("release")).unwrap();
        for name in ["tools-1.0.tar.gz", BUNDLE] {
            fs::copy(examples.join("release").join(name), bench.path("release").join(name))
                .unwrap();
        }
        fs::copy(examples.join("keys/vendor.pub"), bench.path("vendor.pub")).unwrap();
        fs::copy(examples.join("keys/trusted_root.json"), bench.path("root.json")).unwrap();
        bench.ends("keygen --output-key-prefix transfer", 0, &["transfer.pub"]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, words: &str) -> Ran {
        let mut command = sealift();
        command.current_dir(self.0.path()).args(words.split_whitespace());
        run(command.env("SEALIFT_PASSWORD", "").env_remove("SEALIFT_TRUST"))
    }

    #[track_caller]
    fn ends(&self, words: &str, status: i32, says: &[&str]) -> String {
        let ran = self.run(words);
        let text = ran.text();
        assert_eq!(ran.status, Some(status), "{words}: {text}");
        for said in says {
            assert!(text.contains(said), "{words}: no {said:?} in {text}");
        }
        text
    }

    /// The bundle's signature, in base64, and a bundle with nothing else in it.
    fn bare(&self) -> String {
        let bundle = fs::read(self.path("release").join(BUNDLE)).unwrap();
        let bundle = sealift::sigstore::SignatureBundle::parse(&bundle).unwrap();
        let signature = Base64::encode_string(bundle.signature());
        self.write("bare.bundle", format!("{{\"base64Signature\":\"{signature}\"}}"));
        signature
    }
}

#[test]
fn a_path_that_leads_nowhere_is_said_before_anything_that_it_would_need() {
    let bench = Bench::new();
    for words in [
        "verify releas/ --transfer-key transfer.pub --state s.json",
        "verify releas",
        "verify releas --transfer-key transfer.pub",
        "verify-blob --bundle x releas",
        "seal releas --key transfer.key",
    ] {
        let text = bench.ends(words, 2, &["error[file-not-found]: releas"]);
        assert!(!text.contains("no-key"), "{text}");
    }
    bench.ends("verify release/tools-1.0.tar.gz", 2, &["no-key"]);
}

#[test]
fn advice_is_shown_to_its_end() {
    let bench = Bench::new();
    let code = sealift::verdict::Code::SystemFile;
    // Longer than a name may be shown.
    assert!(code.next().len() > 250);
    bench.write("release/.DS_Store", "x");
    let ran = bench.run(&format!("verify release {GOOD}"));
    assert!(ran.text().contains(code.next()), "{}", ran.text());
}

#[test]
fn a_seal_that_is_not_there_is_expected_for_a_reason() {
    let bench = Bench::new();
    bench.ends(
        "verify release --transfer-key transfer.pub",
        1,
        &["seal-missing", "expected because --transfer-key was given"],
    );
    bench.write(
        "trust.toml",
        "version = 1\n[[transfer.key]]\nname = \"a\"\nfile = \"transfer.pub\"\n",
    );
    bench.ends(
        "verify release --trust trust.toml",
        1,
        &["expected because the trust policy in force lists transfer keys"],
    );
    bench.ends(
        "verify release --trust trust.toml --state s.json --init-state",
        1,
        &["lists transfer keys, and --state was given"],
    );
    bench.write("release/manifest.json", "x");
    bench.ends(
        "verify release --transfer-key transfer.pub",
        1,
        &["of a seal there is manifest.json"],
    );
}

#[test]
fn advice_names_options_that_the_command_has() {
    let bench = Bench::new();
    let text =
        bench.ends("seal release --key transfer.key", 2, &["--vendor-key FILE", "--pin-key"]);
    assert!(!text.contains("with --key"), "{text}");
    bench.ends("seal release/tools-1.0.tar.gz --key transfer.key", 2, &["seal takes the folder"]);
    let private = bench.path("release/transfer.key");
    fs::copy(bench.path("transfer.key"), &private).unwrap();
    bench.ends(
        "seal release --key transfer.key --vendor-key vendor.pub --trusted-root root.json",
        2,
        &["key-is-private", "next: Move it out of the folder"],
    );
    fs::remove_file(private).unwrap();
    fs::remove_file(bench.path("release").join(BUNDLE)).unwrap();
    let text = bench.ends(&format!("verify release {GOOD}"), 3, &["no-bundle", "--map FILE"]);
    assert!(!text.contains("--bundle"), "{text}");
    bench.ends(
        &format!("verify release/tools-1.0.tar.gz {GOOD}"),
        3,
        &["with --bundle for a file"],
    );
}

#[test]
fn a_bundle_without_a_log_entry_is_advised_by_who_asks_for_one() {
    let bench = Bench::new();
    bench.bare();
    let file = "verify --bundle bare.bundle release/tools-1.0.tar.gz";
    bench.ends(
        &format!("{file} {GOOD}"),
        1,
        &["only if you know that the vendor signs without a log"],
    );
    bench.write(
        "trust.toml",
        "version = 1\ntrusted_root = \"root.json\"\n[[vendor]]\nname = \"k2view\"\n\
         [[vendor.key]]\nname = \"a\"\nfile = \"vendor.pub\"\n",
    );
    let package = fs::read(bench.path("release/tools-1.0.tar.gz")).unwrap();
    let digest = sealift::digest::Sha256Digest::of(&package).to_hex();
    bench.write("digest.txt", format!("{digest}\n"));
    for words in [file, "verify-blob --bundle bare.bundle digest.txt"] {
        let text = bench.ends(
            &format!("{words} --trust trust.toml"),
            1,
            &["log-entry-missing", "The trust policy requires a log entry"],
        );
        assert!(!text.contains("insecure-ignore-tlog"), "{text}");
    }
    // Another key: what is plain goes first.
    let text = bench.ends(&format!("{file} --key transfer.pub --insecure-ignore-tlog"), 1, &[]);
    let cause = text.find("likely cause: ").unwrap();
    assert!(text[cause..].contains("by another key than the one given"), "{text}");
}

#[test]
fn a_bundle_and_a_signature_are_told_apart() {
    let bench = Bench::new();
    let signature = bench.bare();
    bench.write("bare.sig", &signature);
    bench.write("digest.txt", "");
    let blob = format!("verify-blob {GOOD} digest.txt");
    bench.ends(&format!("{blob} --bundle bare.sig"), 1, &["a bare signature", "--signature FILE"]);
    bench.ends(&format!("{blob} --signature release/{BUNDLE}"), 2, &["Give it with --bundle."]);
    let damaged = format!("{blob} --signature {}", &signature[..signature.len() - 3]);
    bench.ends(&damaged, 1, &["damaged or cut off"]);
    bench.ends(&format!("{blob} --signature no-such.sig"), 2, &["file-not-found"]);
    bench.ends(&format!("{blob} --bundle release/{BUNDLE}"), 1, &["the file is empty"]);
}

#[test]
fn inspect_takes_the_keys_that_verify_takes_and_says_what_belongs_to_a_seal() {
    let bench = Bench::new();
    let key = fs::read_to_string(bench.path("vendor.pub")).unwrap();
    bench.write("named.pub", format!("Our key:\n{key}\nCall us.\n"));
    bench.ends("inspect named.pub", 0, &["public key, ECDSA P-256"]);
    bench.ends("verify release --key named.pub --trusted-root root.json", 0, &["OK"]);
    bench.ends(
        "seal release --key transfer.key --vendor-key vendor.pub --trusted-root root.json",
        0,
        &[": 1 artifact, "],
    );
    for name in ["manifest.json", "SHA256SUMS"] {
        let text = bench.ends(&format!("inspect release/{name}"), 2, &["sealift verify DIRECTORY"]);
        assert!(!text.contains("Stop the deployment"), "{text}");
    }
    bench.ends("explain interrupted", 0, &["exit code 130"]);
}
