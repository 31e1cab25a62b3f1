//! Whom a run believes, through the program: a policy in force is always applied, options only narrow it, and
//! no file that a run is judged by lies in what it judges.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::sealift;
use crate::support::tools::{Ran, run, run_with_input};

const PACKAGE: &str = "tools-1.0.tar.gz";
/// By what the example is judged.
const GOOD: &str = "--key vendor.pub --trusted-root root.json";

fn example(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release").join(name)).unwrap()
}

/// `release` is a folder of the example's files without key and root; beside it lie `vendor.pub`,
/// `root.json`, `transfer.pub`, `transfer.key` (the password is empty), `other.pub`, and `digest.txt`, which
/// the package's bundle signs.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        fs::create_dir(bench.path("release")).unwrap();
        for name in [
            "hello-image.tar",
            "hello_signature.bundle",
            PACKAGE,
            "tools-1.0.tar.gz_publickey.json",
            "tools-1.0.tar.gz_signature.bundle",
        ] {
            bench.write(&format!("release/{name}"), example(name));
        }
        bench.write("vendor.pub", example("vendor.pub"));
        bench.write("root.json", example("trusted_root.json"));
        let digest = sealift::digest::Sha256Digest::of(&example(PACKAGE)).to_hex();
        bench.write("digest.txt", format!("{digest}\n"));
        bench.run("keygen --output-key-prefix transfer", None);
        bench.run("keygen --output-key-prefix other", None);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    fn command(&self, words: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.0.path()).args(words.split_whitespace());
        command.env("SEALIFT_PASSWORD", "").env_remove("SEALIFT_TRUST");
        command
    }

    fn run(&self, words: &str, policy: Option<&str>) -> Ran {
        let mut command = self.command(words);
        if let Some(policy) = policy {
            command.env("SEALIFT_TRUST", self.path(policy));
        }
        run(&mut command)
    }

    #[track_caller]
    fn ends(&self, words: &str, policy: Option<&str>, status: i32, says: &str) {
        let ran = self.run(words, policy);
        assert!(ran.status == Some(status) && ran.text().contains(says), "{words}: {}", ran.text());
    }

    /// A policy whose one vendor has this key.
    fn policy(&self, name: &str, more: &str, key: &str) {
        let text = format!(
            "version = 1\ntrusted_root = \"root.json\"\n[[vendor]]\nname = \"k2view\"\n{more}\n\
             [[vendor.key]]\nname = \"a\"\nfile = \"vendor.pub\"\n{key}\n"
        );
        self.write(name, text);
    }
}

const BLOB: &str = "verify-blob --bundle release/tools-1.0.tar.gz_signature.bundle digest.txt";
const FILE: &str = "verify release/tools-1.0.tar.gz";
const SEAL: &str = "seal release --key transfer.key";

#[test]
fn a_pattern_fits_the_last_part_of_a_name_and_with_a_slash_a_path() {
    let bench = Bench::new();
    let folder = bench.path("media/images");
    fs::create_dir_all(&folder).unwrap();
    for name in ["tools-1.0.tar.gz", "tools-1.0.tar.gz_signature.bundle"] {
        fs::copy(bench.path("release").join(name), folder.join(name)).unwrap();
    }
    const TRANSFER: &str = "verify media --transfer-key transfer.pub";
    let seal = "seal media --key transfer.key";
    // As in the example of docs/trust-policy.md: by the last part, wherever it lies.
    bench.policy("last.toml", "", "artifacts = [\"fabric*\", \"tools-*.tar.gz\"]");
    bench.policy("path.toml", "", "artifacts = [\"images/*\"]");
    bench.policy("folder.toml", "", "artifacts = [\"media/*\"]");
    for policy in ["last.toml", "path.toml", "folder.toml"] {
        // Below the folder, its own name is no part of a path.
        let (code, says) = match policy {
            "folder.toml" => (1, "found images/tools-1.0.tar.gz"),
            _ => (0, "OK"),
        };
        bench.ends("verify media", Some(policy), code, says);
        bench.ends(seal, Some(policy), code, if code == 0 { "sealed" } else { says });
        if code == 0 {
            bench.ends(TRANSFER, Some(policy), 0, "OK");
        }
        let _ = fs::remove_file(bench.path("media/manifest.json"));
        for name in ["manifest.json.sig", "manifest.json.sigstore.json", "SHA256SUMS"] {
            let _ = fs::remove_file(bench.path("media").join(name));
        }
        for name in ["trust", "tools"] {
            let _ = fs::remove_dir_all(bench.path("media").join(name));
        }
    }
    let file = "verify media/images/tools-1.0.tar.gz";
    bench.ends(file, Some("last.toml"), 0, "OK");
    bench.ends(file, Some("folder.toml"), 0, "OK");
    bench.ends(file, Some("path.toml"), 1, "name-not-allowed");
    bench.ends("policy check path.toml", None, 0, "the pattern \"images/*\" has a /");
    bench.ends("policy check last.toml", None, 0, "what follows its last /");
}

#[test]
fn the_policy_in_force_is_applied_by_every_command_that_judges() {
    let bench = Bench::new();
    bench.policy("fine.toml", "", "");
    bench.policy("revoked.toml", "", "status = \"revoked\"");
    bench.policy("retired.toml", "", "status = \"retired\"\nretired_at = 2020-01-01T00:00:00Z");
    bench.policy("window.toml", "", "valid_from = 2999-01-01T00:00:00Z");
    bench.policy("names.toml", "", "artifacts = [\"images/*\"]");
    for key in ["", "--key vendor.pub"] {
        for command in [BLOB, FILE] {
            bench.ends(&format!("{command} {key}"), Some("fine.toml"), 0, "OK");
            for (policy, code) in [
                ("revoked.toml", "key-revoked"),
                ("retired.toml", "key-retired"),
                ("window.toml", "key-not-valid"),
                ("names.toml", "name-not-allowed"),
            ] {
                bench.ends(&format!("{command} {key}"), Some(policy), 1, code);
                // The signature held, so nothing is guessed of what was signed.
                let said = bench.run(&format!("{command} {key}"), Some(policy)).text();
                assert!(!said.contains("another spelling"), "{said}");
                bench.ends(&format!("{command} {key} --trust {policy}"), None, 1, code);
            }
        }
    }
    bench.ends(SEAL, Some("revoked.toml"), 1, "key-revoked");
    assert!(!bench.path("release/manifest.json").exists());
    // The blob's own name is the only one that is known.
    bench.policy("own.toml", "", "artifacts = [\"digest.*\"]");
    bench.ends(BLOB, Some("own.toml"), 0, "Verified OK");
    let words = "verify-blob --bundle release/tools-1.0.tar.gz_signature.bundle -";
    let mut command = bench.command(words);
    command.env("SEALIFT_TRUST", bench.path("own.toml"));
    let ran = run_with_input(&mut command, &fs::read(bench.path("digest.txt")).unwrap());
    assert!(ran.status == Some(1) && ran.stderr.contains("name-not-allowed"), "{}", ran.text());
}

#[test]
fn no_option_widens_a_policy() {
    let bench = Bench::new();
    bench.policy("trust.toml", "allow_unsigned = [\"*.txt\"]", "");
    bench.write("root-2.json", [&example("trusted_root.json")[..], b"\n"].concat());
    let other = bench.run("inspect other.pub", None).stdout;
    let print = other.split("): ").nth(1).unwrap().lines().next().unwrap();
    let common = ["--insecure-ignore-tlog", "--trusted-root root-2.json"];
    let identity = [
        "--key other.pub",
        "--certificate-identity a@b.example --certificate-oidc-issuer https://i.example",
        "--certificate-identity-regexp .* --certificate-oidc-issuer-regexp .*",
        "--certificate-oidc-issuer https://i.example",
    ];
    let pin = format!("--pin-key {print}");
    let seal =
        ["--vendor-key other.pub", &pin, "--trust-on-first-use", "--allow-unsigned notes.pdf"];
    let verify = ["--allow-unsigned notes.pdf"];
    let cases: [(&str, Vec<&str>); 3] = [
        (BLOB, [&common[..], &identity].concat()),
        ("verify release", [&common[..], &identity, &verify].concat()),
        (SEAL, [&common[..], &seal].concat()),
    ];
    for (command, ways) in cases {
        for way in ways {
            bench.ends(&format!("{command} {way}"), Some("trust.toml"), 2, "error[policy-forbids]");
            bench.ends(
                &format!("{command} {way} --trust trust.toml"),
                None,
                2,
                "error[policy-forbids]",
            );
        }
    }
    // The policy's own root and key are no other ones.
    bench.ends(&format!("{BLOB} {GOOD}"), Some("trust.toml"), 0, "Verified OK");
    bench.ends(&format!("{FILE} {GOOD}"), Some("trust.toml"), 0, "OK");
    assert!(!bench.path("release/manifest.json").exists());
}

/// Neither for the age of a transfer nor for a term of any key that may seal one.
#[test]
fn the_clock_is_not_turned_back_under_a_policy_that_judges_by_it() {
    const BACK: &str = "--time 2020-01-01T00:00:00Z";
    const AHEAD: &str = "--time 2998-01-01T00:00:00Z";
    let bench = Bench::new();
    bench.ends(
        &format!("{SEAL} --vendor-key vendor.pub --trusted-root root.json"),
        None,
        0,
        "sealed",
    );
    let verify = "verify release --trusted-root root.json";
    let key = |name: &str, terms: &str| {
        format!("[[transfer.key]]\nname = \"{name}\"\nfile = \"{name}.pub\"\n{terms}\n")
    };
    let write = |age: &str, own: &str, other: &str| {
        let keys = [key("transfer", own), key("other", other)].concat();
        bench.write("trust.toml", format!("version = 1\n[transfer]\n{age}\n{keys}"));
    };
    const RETIRED: &str = "status = \"retired\"\nretired_at = 2025-01-01T00:00:00Z";
    for (own, answer) in [
        (RETIRED, "key-retired"),
        ("valid_until = 2025-01-01T00:00:00Z", "key-not-valid"),
        ("valid_from = 2999-01-01T00:00:00Z", "key-not-valid"),
    ] {
        for (own, other) in [(own, ""), ("", own)] {
            write("", own, other);
            bench.ends(&format!("{verify} {BACK}"), Some("trust.toml"), 2, "policy-forbids");
            // Naming the one key that has no terms does not open the other.
            let named = format!("{verify} --transfer-key transfer.pub {BACK}");
            bench.ends(&named, Some("trust.toml"), 2, "policy-forbids");
            let (status, says) = if own.is_empty() { (0, "OK") } else { (1, answer) };
            bench.ends(verify, Some("trust.toml"), status, says);
            let ahead = format!("{verify} {AHEAD}");
            bench.ends(&ahead, Some("trust.toml"), status, says);
            // And the report says so.
            bench.ends(&format!("{ahead} -o json"), Some("trust.toml"), status, AHEAD);
        }
    }
    write("max_age = \"30d\"", "", "");
    bench.ends(&format!("{verify} {BACK}"), Some("trust.toml"), 2, "policy-forbids");
    bench.ends(verify, Some("trust.toml"), 0, "OK");
    bench.ends(&format!("{verify} {AHEAD}"), Some("trust.toml"), 1, "transfer-too-old");
    // What no clock changes leaves `--time` to the operator.
    for other in
        ["", "streams = [\"a\"]", "status = \"revoked\"\ncompromised_at = 2025-01-01T00:00:00Z"]
    {
        write("", "", other);
        bench.ends(&format!("{verify} {BACK}"), Some("trust.toml"), 1, "created-in-future");
        bench.ends(&format!("{verify} {AHEAD}"), Some("trust.toml"), 0, "OK");
    }
    bench.policy("vendor.toml", "", RETIRED);
    let words = format!("{FILE} {BACK}");
    assert!(!bench.run(&words, Some("vendor.toml")).text().contains("policy-forbids"));
}

#[test]
fn a_variable_that_names_no_policy_is_an_error_and_never_no_policy() {
    let bench = Bench::new();
    bench.policy("trust.toml", "", "");
    fs::create_dir(bench.path("folder")).unwrap();
    bench.write("empty.toml", b"");
    let absolute = |name: &str| bench.path(name).display().to_string();
    for value in [
        "",
        "trust.toml",
        "./trust.toml",
        "-",
        &absolute("folder"),
        &absolute("absent"),
        &absolute("empty.toml"),
    ] {
        for words in [
            format!("{BLOB} {GOOD}"),
            format!("{FILE} {GOOD}"),
            format!("verify release {GOOD}"),
            format!("{SEAL} --vendor-key vendor.pub --trusted-root root.json"),
            "inspect release/hello_signature.bundle".to_owned(),
            "policy check".to_owned(),
        ] {
            let ran = run(bench.command(&words).env("SEALIFT_TRUST", value));
            assert_eq!(ran.status, Some(2), "{value:?} {words}: {}", ran.text());
            assert!(ran.stderr.contains("SEALIFT_TRUST"), "{value:?} {words}: {}", ran.text());
        }
    }
    assert!(!bench.path("release/manifest.json").exists());
}

/// Each way in which a file can lie in a folder although it is named by another path; each puts the file
/// `from` into `release`, and answers how it is named.
#[cfg(unix)]
fn ways(bench: &Bench, from: &str) -> Vec<(&'static str, String)> {
    use std::os::unix::fs::symlink;
    let base = Path::new(from).file_name().unwrap().to_str().unwrap();
    fs::create_dir_all(bench.path("release/sub")).unwrap();
    let inside = format!("release/sub/{base}");
    if !bench.path(&inside).exists() {
        bench.copy(from, &inside);
        symlink(bench.path(&inside), bench.path(&format!("link-{base}"))).unwrap();
        fs::hard_link(bench.path(&inside), bench.path(&format!("hard-{base}"))).unwrap();
        // A link in the folder chooses the file, wherever it leads.
        symlink(bench.path(from), bench.path(&format!("release/out-{base}"))).unwrap();
        if !bench.path("way").exists() {
            symlink(bench.path("release/sub"), bench.path("way")).unwrap();
        }
    }
    vec![
        ("inside", inside),
        ("by a way round", format!("release/../release/./sub/../sub/{base}")),
        ("link to it", format!("link-{base}")),
        ("hard link", format!("hard-{base}")),
        ("link out of it", format!("release/out-{base}")),
        ("linked folder", format!("way/{base}")),
        ("absolute", bench.path(&format!("release/sub/{base}")).display().to_string()),
    ]
}

/// Command by file by place: what lies in the folder is refused, what lies beside it is not.
#[cfg(unix)]
#[test]
fn nothing_by_which_a_folder_is_judged_lies_in_it() {
    let bench = Bench::new();
    bench.policy("trust.toml", "", "");
    let text = fs::read_to_string(bench.path("trust.toml")).unwrap();
    let absolute =
        |text: String, name: &str| text.replace(name, bench.path(name).to_str().unwrap());
    bench.write("trust.toml", absolute(absolute(text, "root.json"), "vendor.pub"));
    bench.write("map.txt", "tools-1.0.tar.gz\ttools-1.0.tar.gz_signature.bundle\n");
    bench.write("profile.toml", include_bytes!("../../src/trust/k2view.toml"));
    bench.write("password", "\n");
    let before = bench.run(&format!("verify release -o json {GOOD}"), None);
    bench.write("earlier.json", before.stdout);
    let seal = "seal release --key transfer.key";
    for (command, option, file) in [
        ("verify release --trusted-root root.json".to_owned(), "--key", "vendor.pub"),
        ("verify release --key vendor.pub".to_owned(), "--trusted-root", "root.json"),
        ("verify release".to_owned(), "--trust", "trust.toml"),
        (format!("verify release {GOOD}"), "--transfer-key", "transfer.pub"),
        (format!("verify release {GOOD}"), "--vendor-profile", "profile.toml"),
        (format!("verify release {GOOD}"), "--map", "map.txt"),
        (format!("verify release {GOOD}"), "--changed-since", "earlier.json"),
        (format!("verify release {GOOD} --transfer-key transfer.pub"), "--state", "earlier.json"),
        (format!("{seal} --trusted-root root.json"), "--vendor-key", "vendor.pub"),
        (format!("{seal} --vendor-key vendor.pub"), "--trusted-root", "root.json"),
        (seal.to_owned(), "--trust", "trust.toml"),
        (format!("{seal} --vendor-key vendor.pub"), "--vendor-profile", "profile.toml"),
        (format!("{seal} --vendor-key vendor.pub"), "--password-file", "password"),
    ] {
        for (way, path) in ways(&bench, file) {
            let ran = bench.run(&format!("{command} {option} {path}"), None);
            let text = ran.text();
            assert_eq!(ran.status, Some(2), "{command} {option}, {way}: {text}");
            assert!(text.contains("which is being checked"), "{way}: {text}");
            assert!(text.contains(option), "{way}: {text}");
        }
    }
    assert!(!bench.path("release/manifest.json").exists());
    fs::remove_dir_all(bench.path("release/sub")).unwrap();
    for entry in fs::read_dir(bench.path("release")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("out-") {
            fs::remove_file(path).unwrap();
        }
    }
    // Beside it, also by a way that only passes the folder, they are what the operator named.
    let ran =
        bench.run("verify release --key release/../vendor.pub --trusted-root ./root.json", None);
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    bench.ends("verify release", Some("trust.toml"), 0, "OK");
}

/// Also what a policy names lies elsewhere, and the policy that the environment names.
#[cfg(unix)]
#[test]
fn nor_does_the_policy_or_what_it_names() {
    let bench = Bench::new();
    fs::create_dir(bench.path("release/sub")).unwrap();
    bench.copy("vendor.pub", "release/sub/vendor.pub");
    bench.copy("root.json", "release/sub/root.json");
    bench.policy("release/sub/trust.toml", "", "");
    let policy = |root: &str, key: &str| {
        let text = format!(
            "version = 1\ntrusted_root = \"{root}\"\n[[vendor]]\nname = \"k2view\"\n[[vendor.key]]\n\
             name = \"a\"\nfile = \"{key}\"\n"
        );
        bench.write("trust.toml", text);
    };
    let commands = ["verify release", SEAL];
    for (root, key) in
        [("release/sub/root.json", "vendor.pub"), ("root.json", "release/sub/vendor.pub")]
    {
        policy(root, key);
        for words in commands {
            bench.ends(words, Some("trust.toml"), 2, "which is being checked");
            bench.ends(&format!("{words} --trust trust.toml"), None, 2, "which is being checked");
        }
    }
    for words in commands {
        bench.ends(words, Some("release/sub/trust.toml"), 2, "SEALIFT_TRUST");
    }
    bench.ends("inspect release", Some("release/sub/trust.toml"), 2, "which is being checked");
    assert!(!bench.path("release/manifest.json").exists());
}

#[test]
fn a_file_is_not_judged_by_itself_and_may_have_its_key_beside_it() {
    let bench = Bench::new();
    bench.copy("vendor.pub", "release/vendor.pub");
    let beside = format!("{FILE} --key release/vendor.pub --trusted-root root.json");
    bench.ends(&beside, None, 0, "OK");
    let words = "verify vendor.pub --key vendor.pub --bundle release/hello_signature.bundle";
    bench.ends(words, None, 2, "--key is vendor.pub itself");
    let blob = "verify-blob --key vendor.pub --bundle release/hello_signature.bundle vendor.pub";
    bench.ends(blob, None, 2, "--key is vendor.pub itself");
}

/// What a run writes takes the place of nothing that it reads, and lies in nothing that it checks.
#[test]
fn no_output_takes_the_place_of_an_input() {
    let bench = Bench::new();
    bench.policy("trust.toml", "", "");
    fs::copy(bench.path("trust.toml"), bench.path("trust.json")).unwrap();
    fs::copy(bench.path("vendor.pub"), bench.path("vendor.txt")).unwrap();
    bench.write("profile.txt", include_bytes!("../../src/trust/k2view.toml"));
    bench.write("map.txt", "tools-1.0.tar.gz\ttools-1.0.tar.gz_signature.bundle\n");
    fs::create_dir(bench.path("base")).unwrap();
    let before = bench.run(&format!("verify release -o json {GOOD}"), None);
    bench.write("earlier.json", before.stdout);
    let kept = ["trust.json", "vendor.txt", "profile.txt", "map.txt", "root.json", "earlier.json"];
    let bytes = |bench: &Bench| kept.map(|name| fs::read(bench.path(name)).unwrap());
    let unchanged = bytes(&bench);
    let state = "--transfer-key transfer.pub --state state.json --init-state";
    let hello = "release/tools-1.0.tar.gz_publickey.json";
    for words in [
        "verify release --trust trust.json --report trust.json".to_owned(),
        "verify release --trust trust.json --report ./release/../trust.json".to_owned(),
        "verify release --key vendor.txt --trusted-root root.json --report vendor.txt".to_owned(),
        format!("verify release {GOOD} --report root.json"),
        format!("verify release {GOOD} --vendor-profile profile.txt --report profile.txt"),
        format!("verify release {GOOD} --map map.txt --report map.txt"),
        format!("verify release {GOOD} --changed-since earlier.json --report earlier.json"),
        format!("verify release {GOOD} {state} --report state.json"),
        format!("verify release {GOOD} {state} --report STATE.json"),
        format!("verify release {GOOD} --report new.json --report ./new.json"),
        format!("verify release {GOOD} --report release/new.json"),
        format!(
            "verify release {GOOD} --transfer-key transfer.pub --base base --report base/new.json"
        ),
        format!(
            "verify release {GOOD} --transfer-key transfer.pub --base base --state base/s.json --init-state"
        ),
        format!("verify earlier.json {GOOD} --report earlier.json"),
        format!("verify release/tools-1.0.tar.gz {GOOD} --report {hello}"),
        "report merge earlier.json --report earlier.json".to_owned(),
        "report merge earlier.json --report new.json --report ./new.json".to_owned(),
    ] {
        bench.ends(&words, None, 2, "error[usage]");
        assert_eq!(bytes(&bench), unchanged, "{words}");
        for name in ["new.json", "state.json", "release/new.json", "base/new.json"] {
            assert!(!bench.path(name).exists(), "{words}");
        }
    }
    let key = fs::read(bench.path(hello)).unwrap();
    assert_eq!(key, example("tools-1.0.tar.gz_publickey.json"));
    bench.ends(&format!("{FILE} {GOOD} --report new.json"), None, 0, "OK");
}

/// `--signature` as cosign takes it: base64 wrapped by `base64` or `openssl base64`, or raw, in a file or in
/// place of its name. What cosign 2.5 and 3.1 refuse is refused.
#[test]
fn a_signature_is_taken_as_cosign_takes_it() {
    use crate::support::log::{self, TestKey};
    let bench = Bench::new();
    let key = TestKey::new(3);
    bench.write("key.pub", key.pem());
    let raw = key.sign(b"hello");
    let line = log::base64(&raw);
    bench.write("blob", "hello");
    let wrap = |columns: usize, end: &str| {
        let lines: Vec<&str> =
            line.as_bytes().chunks(columns).map(|it| std::str::from_utf8(it).unwrap()).collect();
        lines.iter().map(|it| format!("{it}{end}")).collect::<String>()
    };
    let verify = |signature: &str| {
        let mut command = bench.command("verify-blob --key key.pub --insecure-ignore-tlog blob");
        run(command.arg("--signature").arg(signature))
    };
    let good = [
        line.clone(),
        wrap(64, "\n"),
        wrap(76, "\n"),
        wrap(64, "\r\n"),
        wrap(1, "\n"),
        format!("\n{line}\n\n"),
    ];
    for text in good {
        bench.write("sig", &text);
        for signature in ["sig", text.as_str()] {
            let ran = verify(signature);
            assert!(
                ran.status == Some(0) && ran.stderr.contains("Verified OK"),
                "{text:?}: {}",
                ran.text()
            );
        }
    }
    bench.write("sig", &raw);
    assert_eq!(verify("sig").status, Some(0));
    let spaced = line.replacen(&line[..8], &format!("{} ", &line[..8]), 1);
    for text in [spaced, format!("{line}="), format!("{line}{line}"), log::base64(line.as_bytes())]
    {
        bench.write("sig", &text);
        let ran = verify("sig");
        assert_eq!(ran.status, Some(1), "{text:?}: {}", ran.text());
        assert_ne!(verify(&text).status, Some(0), "{text:?}");
    }
    // A short word is the name of a file that is not there.
    assert!(verify("abcd").stderr.contains("file-not-found"));
    assert!(verify("https://sig.example/x").stderr.contains("option-not-offline"));
    // The text of another signature is none of this.
    assert_eq!(verify(&log::base64(TestKey::new(4).sign(b"hello"))).status, Some(1));
}
