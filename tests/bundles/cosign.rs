//! What real cosign signs, Sealift accepts, and refuses for any other file or key: cosign 2 and 3,
//! old and new bundle format, with and without a log entry, every kind of key that cosign takes.
//! One of the keys is `sealift keygen`'s, so that cosign signs with our file.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cosign::{Cosign, programs};
use crate::support::log::TestLog;
use crate::support::rekor::Server;
use crate::support::sealift;
use crate::support::tools::{run, run_with_input};

/// Not empty and not ASCII: cosign and Sealift must make the same of it.
const PASSWORD: &str = "pässword 1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    New,
    Old,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    With,
    Without,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Ed25519,
    P256,
    P384,
    Rsa,
    /// ECDSA P-256, made by `sealift keygen`.
    Sealift,
}

/// One combination.
#[derive(Debug, Clone, Copy)]
struct Case {
    cosign: Cosign,
    key: Key,
    format: Format,
    log: Log,
}

/// What must come of it.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Accepted,
    /// cosign itself refuses to sign like this.
    NotSigned,
    /// Signed, but Sealift refuses it and says why in these words.
    Refused(&'static str),
}

impl Case {
    fn expected(self) -> Expected {
        match (self.cosign, self.key, self.format, self.log) {
            (_, Key::Ed25519, Format::New, Log::With) => Expected::NotSigned,
            // cosign 3 logs Ed25519 signatures as Ed25519ph over SHA-512, and P-384 ones over
            // SHA-384: entries over other hashes than SHA-256 can't be checked. cosign refuses
            // these bundles too.
            (Cosign::Three, Key::Ed25519, Format::Old, Log::With) => Expected::Refused("Ed25519ph"),
            (Cosign::Three, Key::P384, _, Log::With) => Expected::Refused("log-entry-unsupported"),
            _ => Expected::Accepted,
        }
    }
}

#[test]
fn bundles_of_cosign_2() {
    every_combination(Cosign::Two);
}

#[test]
fn bundles_of_cosign_3() {
    every_combination(Cosign::Three);
}

fn every_combination(cosign: Cosign) {
    let Some(programs) = programs() else { return };
    let bench = Bench::new(programs);
    let mut signed = 0;
    for key in [Key::P256, Key::P384, Key::Rsa, Key::Ed25519, Key::Sealift] {
        bench.make_key(key);
        for format in [Format::Old, Format::New] {
            for log in [Log::With, Log::Without] {
                let case = Case { cosign, key, format, log };
                let expected = case.expected();
                let bundle = bench.sign(case);
                assert_eq!(bundle.is_none(), expected == Expected::NotSigned, "{case:?}");
                if let Some(bundle) = bundle {
                    signed += 1;
                    bench.judge(case, &bundle, &expected);
                    bench.refuses_for_anything_else(case, &bundle);
                }
            }
        }
    }
    assert_eq!(signed, 19, "of 20 combinations cosign signs 19");
}

/// A folder with a log, its trusted root, and a file to sign.
struct Bench {
    programs: PathBuf,
    folder: tempfile::TempDir,
    url: String,
}

impl Bench {
    fn new(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = TestLog::new(9, "sealift-test-log");
        std::fs::write(folder.path().join("log.pub"), log.pem()).unwrap();
        std::fs::write(folder.path().join("message"), "sha256:0000\n").unwrap();
        std::fs::write(folder.path().join("other"), "sha256:0001\n").unwrap();
        let server = Server::bind(log).unwrap();
        let url = server.url().unwrap();
        std::thread::spawn(move || server.serve());
        let bench = Self { programs: programs.to_owned(), folder, url };
        let since = "start-time=2024-01-01T00:00:00Z";
        let url = &bench.url;
        let service = format!("--rekor=url={url},api-version=1,operator=test,{since}");
        bench.make(&[
            "signing-config",
            "create",
            "--out",
            "with-log.json",
            &service,
            "--rekor-config=ANY",
        ]);
        bench.make(&["signing-config", "create", "--out", "without-log.json"]);
        let service = format!("--rekor=url={url},public-key=log.pub,{since}");
        bench.make(&["trusted-root", "create", "--out", "root.json", &service]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// cosign without the user's configuration, caches and network services.
    fn cosign(&self, cosign: Cosign) -> Command {
        let mut command = cosign.command(&self.programs, self.folder.path(), PASSWORD);
        command.env("SIGSTORE_REKOR_PUBLIC_KEY", self.path("log.pub"));
        command
    }

    #[track_caller]
    fn make(&self, arguments: &[&str]) {
        run(self.cosign(Cosign::Three).args(arguments)).succeeded();
    }

    /// A key pair, for example `P256.key` and `P256.pub`. cosign and Sealift make P-256 keys
    /// themselves; the others cosign imports from openssl.
    fn make_key(&self, key: Key) {
        let name = format!("{key:?}");
        let options: &[&str] = match key {
            Key::P256 => {
                self.make(&["generate-key-pair", "--output-key-prefix", &name]);
                return;
            }
            Key::Sealift => {
                let mut command = sealift();
                command.args(["keygen", "--output-key-prefix", &name]);
                command.current_dir(self.folder.path()).env("SEALIFT_PASSWORD", PASSWORD);
                run(&mut command).succeeded();
                return;
            }
            Key::P384 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Key::Rsa => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            Key::Ed25519 => &["-algorithm", "ED25519"],
        };
        let pem = self.path("imported.pem");
        run(Command::new("openssl").arg("genpkey").args(options).arg("-out").arg(&pem)).succeeded();
        self.make(&["import-key-pair", "--key", "imported.pem", "--output-key-prefix", &name]);
    }

    /// Signs the message; answers the bundle's path, or nothing if cosign refused.
    fn sign(&self, case: Case) -> Option<PathBuf> {
        let Case { cosign, key, format, log } = case;
        let bundle = self.path(&format!("{key:?}-{format:?}-{log:?}.bundle"));
        let mut command = self.cosign(cosign);
        command.args(["sign-blob", "--yes", "--key", &format!("{key:?}.key"), "--bundle"]);
        command.arg(&bundle);
        if (cosign, format) == (Cosign::Three, Format::New) {
            match log {
                Log::With => {
                    command.args(["--signing-config", "with-log.json"]);
                    command.args(["--trusted-root", "root.json"])
                }
                Log::Without => command.args(["--signing-config", "without-log.json"]),
            };
        } else {
            command.arg(format!("--new-bundle-format={}", format == Format::New));
            if cosign == Cosign::Three {
                command.arg("--use-signing-config=false");
            }
            match log {
                Log::With => command.args(["--rekor-url", &self.url]),
                Log::Without => command.arg("--tlog-upload=false"),
            };
        }
        let ran = run(command.arg("message"));
        (ran.status == Some(0)).then_some(bundle)
    }

    /// The vendor's command with `cosign` replaced; a log entry is demanded.
    fn strict(&self, case: Case, bundle: &Path, key: Key, file: &Path) -> Command {
        let mut command = sealift();
        command.args(["verify-blob", "--key"]).arg(self.path(&format!("{key:?}.pub")));
        command.arg("--bundle").arg(bundle).arg("--trusted-root").arg(self.path("root.json"));
        if (case.cosign, case.key) == (Cosign::Three, Key::P384) {
            command.args(["--signature-digest-algorithm", "sha384"]);
        }
        command.arg(file);
        command
    }

    /// The same, demanding a log entry only if the bundle should have one.
    fn verify(&self, case: Case, bundle: &Path, key: Key, file: &Path) -> Command {
        let mut command = self.strict(case, bundle, key, file);
        if case.log == Log::Without {
            command.arg("--insecure-ignore-tlog");
        }
        command
    }

    /// Holds Sealift to what is expected of the right file and key.
    fn judge(&self, case: Case, bundle: &Path, expected: &Expected) {
        let message = self.path("message");
        let ran = run(&mut self.verify(case, bundle, case.key, &message));
        if let Expected::Refused(words) = expected {
            assert_eq!(ran.status, Some(1), "{case:?}: {}", ran.text());
            assert!(ran.text().contains(words), "{case:?}: {}", ran.text());
            return;
        }
        assert_eq!(ran.status, Some(0), "{case:?}: {}", ran.text());
        let piped = run_with_input(
            &mut self.verify(case, bundle, case.key, Path::new("-")),
            &std::fs::read(&message).unwrap(),
        );
        assert_eq!(piped.status, Some(0), "{case:?}, piped: {}", piped.text());

        // The words and the stream are cosign's; without a log a warning comes first.
        let words = ran.stderr.strip_suffix("Verified OK\n");
        match case.log {
            Log::With => assert_eq!(words, Some(""), "{case:?}: {}", ran.text()),
            Log::Without => {
                assert!(words.is_some_and(|it| it.starts_with("WARNING: ")), "{}", ran.text());
                let ran = run(&mut self.strict(case, bundle, case.key, &message));
                assert_eq!(ran.status, Some(1), "{case:?}, log demanded: {}", ran.text());
                assert!(ran.text().contains("log-entry-missing"), "{case:?}: {}", ran.text());
            }
        }
    }

    /// Another file, and another key.
    fn refuses_for_anything_else(&self, case: Case, bundle: &Path) {
        let ran = run(&mut self.verify(case, bundle, case.key, &self.path("other")));
        assert_eq!(ran.status, Some(1), "{case:?}, another file: {}", ran.text());
        if case.key != Key::P256 {
            let ran = run(&mut self.verify(case, bundle, Key::P256, &self.path("message")));
            assert_eq!(ran.status, Some(1), "{case:?}, another key: {}", ran.text());
        }
    }
}
