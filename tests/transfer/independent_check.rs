//! `scripts/verify-with-openssl.sh`, the check of a transfer directory without Sealift, under every
//! shell that is here: it accepts a directory sealed by hand with openssl, and each of its checks is
//! seen to refuse.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::log::{base64, sha256};
use crate::support::shell::{Shell, script, shells};
use crate::support::skip;
use crate::support::tools::{Ran, run};
use sealift::digest::Sha256Digest;
use tempfile::TempDir;

const SEAL: [&str; 4] =
    ["manifest.json", "manifest.json.sig", "manifest.json.sigstore.json", "SHA256SUMS"];

/// A directory sealed by hand, beside the keys.
struct Transfer {
    room: TempDir,
    manifest: String,
}

impl Transfer {
    /// Two files, one with blanks in its name, and an empty directory.
    fn new() -> Self {
        Self::of(&[
            ("images/hello image.tar", b"an image\n"),
            ("images/-x", b"a name that programs take for an option"),
            ("packages/tools-1.0.tar.gz", &[0, 1, 2, 255]),
            ("trust/keys/0123456789abcdef.pub", b"a key\n"),
        ])
    }

    fn of(files: &[(&str, &[u8])]) -> Self {
        let room = TempDir::new().unwrap();
        for key in ["transfer", "other"] {
            let private = room.path().join(format!("{key}.pem"));
            let public = room.path().join(format!("{key}.pub"));
            openssl(&[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
            ])
            .succeeds_with(&[&private]);
            openssl(&["pkey", "-pubout", "-in"]).succeeds_with(&[
                &private,
                Path::new("-out"),
                &public,
            ]);
        }
        let mut transfer = Self { room, manifest: String::new() };
        for (path, content) in files {
            transfer.write(path, content);
        }
        fs::create_dir_all(transfer.path("an empty folder/within")).unwrap();
        let sorted: BTreeMap<&str, &[u8]> = files.iter().copied().collect();
        let sums: String = sorted.iter().map(|(path, content)| line(path, content)).collect();
        transfer.seal(&sums);
        transfer
    }

    /// Writes this list and a manifest that names it, and signs it.
    fn seal(&mut self, sums: &str) {
        self.write("SHA256SUMS", sums.as_bytes());
        let lines = sums.lines().filter_map(|line| line.split_once("  "));
        let files: Vec<serde_json::Value> = lines
            .map(|(sha256, path)| {
                let size = fs::metadata(self.path(path)).map_or(0, |metadata| metadata.len());
                serde_json::json!({"path": path, "size": size, "sha256": sha256})
            })
            .collect();
        let files = serde_json::to_string_pretty(&files).unwrap();
        self.manifest = format!(
            "{{\n  \"sha256sums\": \"{}\",\n  \"schema\": \"sealift-transfer/v1\",\n  \"transfer_id\": \"{}\",\n  \
             \"stream\": \"default\",\n  \"serial\": 1764020000,\n  \"created\": \"2026-11-24T21:00:00Z\",\n  \
             \"files\": {files},\n  \"notes\": \"…\"\n}}\n",
            Sha256Digest::of(sums.as_bytes()).to_hex(),
            "0f".repeat(16)
        );
        self.sign(&self.manifest.clone(), "transfer");
    }

    /// Writes this manifest and its signature by a key in both forms.
    fn sign(&self, manifest: &str, key: &str) {
        self.write("manifest.json", manifest.as_bytes());
        let signature = self.room.path().join("signature");
        let private = self.room.path().join(format!("{key}.pem"));
        let message = self.path("manifest.json");
        openssl(&["dgst", "-sha256", "-sign"]).succeeds_with(&[
            &private,
            Path::new("-out"),
            &signature,
            &message,
        ]);
        let signature = base64(fs::read(signature).unwrap());
        self.write("manifest.json.sig", format!("{signature}\n").as_bytes());
        let der = self.room.path().join("der");
        let public = self.room.path().join(format!("{key}.pub"));
        openssl(&["pkey", "-pubin", "-outform", "DER", "-in"]).succeeds_with(&[
            &public,
            Path::new("-out"),
            &der,
        ]);
        let bundle = format!(
            "{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":\
             {{\"publicKey\":{{\"hint\":\"{}\"}}}},\"messageSignature\":{{\"messageDigest\":\
             {{\"algorithm\":\"SHA2_256\",\"digest\":\"{}\"}},\"signature\":\"{signature}\"}}}}\n",
            base64(sha256(fs::read(der).unwrap())),
            base64(sha256(manifest)),
        );
        self.write("manifest.json.sigstore.json", bundle.as_bytes());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join("the transfer").join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut content = fs::read(self.path(name)).unwrap();
        change(&mut content);
        self.write(name, &content);
    }

    fn check(&self, shell: &Shell) -> Ran {
        self.check_with(shell, &[self.path(""), self.room.path().join("transfer.pub")])
    }

    fn check_with(&self, shell: &Shell, arguments: &[PathBuf]) -> Ran {
        let temporary = self.room.path().join("temporary files");
        fs::create_dir_all(&temporary).unwrap();
        let ran = run(Command::new(&shell.command[0])
            .args(&shell.command[1..])
            .arg(script())
            .args(arguments)
            .env("PATH", &shell.path)
            .env("TMPDIR", &temporary)
            .current_dir(self.room.path()));
        assert_eq!(fs::read_dir(temporary).unwrap().count(), 0, "temporary files were left");
        ran
    }

    /// Every entry below the directory, with its bytes.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                    entries.insert(path, Vec::new());
                } else {
                    entries.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        entries
    }
}

/// Takes the last byte away.
fn shorten(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 1);
}

/// A line of SHA256SUMS.
fn line(path: &str, content: &[u8]) -> String {
    format!("{}  {path}\n", Sha256Digest::of(content).to_hex())
}

struct Openssl(Command);

fn openssl(arguments: &[&str]) -> Openssl {
    let mut command = Command::new("openssl");
    command.args(arguments);
    Openssl(command)
}

impl Openssl {
    #[track_caller]
    fn succeeds_with(mut self, more: &[&Path]) {
        run(self.0.args(more)).succeeded();
    }
}

/// The last line of what the script wrote.
fn last(ran: &Ran) -> &str {
    ran.stdout.lines().last().unwrap_or_default()
}

#[track_caller]
fn refused(shell: &Shell, what: &str, ran: &Ran, code: &str) {
    assert_eq!(ran.status, Some(1), "{}, {what}: {}", shell.name, ran.text());
    assert_eq!(ran.stderr, "", "{}, {what}", shell.name);
    let line = last(ran);
    assert!(line.starts_with("FAILED: "), "{}, {what}: {}", shell.name, ran.text());
    assert!(line.contains(&format!("({code}). ")), "{}, {what}: {}", shell.name, ran.text());
    assert!(!ran.stdout.contains("OK: "), "{}, {what}: {}", shell.name, ran.text());
    assert!(
        ran.stdout.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)),
        "{}, {what}: bytes that a terminal obeys",
        shell.name
    );
}

#[test]
fn a_directory_sealed_by_hand_is_accepted_and_left_alone() {
    for shell in shells() {
        let transfer = Transfer::new();
        let before = transfer.everything();
        let ran = transfer.check(&shell);
        assert_eq!(ran.status, Some(0), "{}: {}", shell.name, ran.text());
        assert_eq!(ran.stderr, "", "{}", shell.name);
        assert!(last(&ran).starts_with("OK: the seal by sha256:"), "{}", ran.stdout);
        assert!(
            last(&ran).ends_with("and 4 files are the ones that were sealed."),
            "{}",
            ran.stdout
        );
        for words in [
            "Not checked: the vendors' signatures",
            "the files in trust/ are keys",
            "\"serial\": 1764020000",
            "expiry",
        ] {
            assert!(ran.stdout.contains(words), "{}: {}", shell.name, ran.stdout);
        }
        assert_eq!(transfer.everything(), before);

        // The same by a relative name.
        let ran = transfer.check_with(&shell, &["the transfer/".into(), "transfer.pub".into()]);
        assert_eq!(ran.status, Some(0), "{}: {}", shell.name, ran.text());
    }
}

/// What was done to a directory, and the code that it must be refused with.
type Case = (&'static str, fn(&mut Transfer), &'static str);

const BROKEN_SEALS: &[Case] = &[
    ("manifest flipped", |t| t.edit("manifest.json", |bytes| bytes[200] ^= 1), "seal-invalid"),
    ("manifest truncated", |t| t.edit("manifest.json", shorten), "seal-invalid"),
    ("manifest extended", |t| t.edit("manifest.json", |bytes| bytes.push(b'\n')), "seal-invalid"),
    (
        "another key",
        |t| {
            let manifest = t.manifest.clone();
            t.sign(&manifest, "other");
        },
        "seal-invalid",
    ),
    (
        "signature of another manifest",
        |t| {
            let sig = fs::read(t.path("manifest.json.sig")).unwrap();
            let manifest = t.manifest.replace("1764020000", "1764020001");
            t.sign(&manifest, "transfer");
            t.write("manifest.json.sig", &sig);
        },
        "seal-invalid",
    ),
    (
        "second signature, genuine, in the one form only",
        |t| {
            let sig = fs::read(t.path("manifest.json.sig")).unwrap();
            let manifest = t.manifest.clone();
            t.sign(&manifest, "transfer");
            t.write("manifest.json.sig", &sig);
        },
        "seal-not-canonical",
    ),
    ("signature without newline", |t| t.edit("manifest.json.sig", shorten), "seal-malformed"),
    (
        "signature on two lines",
        |t| t.edit("manifest.json.sig", |bytes| bytes.insert(64, b'\n')),
        "seal-malformed",
    ),
    (
        "signature with carriage return",
        |t| t.edit("manifest.json.sig", |bytes| bytes.insert(bytes.len() - 1, b'\r')),
        "seal-malformed",
    ),
    (
        "signature as DER",
        |t| {
            fs::copy(t.room.path().join("signature"), t.path("manifest.json.sig"))
                .map(drop)
                .unwrap()
        },
        "seal-malformed",
    ),
    ("signature empty", |t| t.write("manifest.json.sig", b""), "seal-malformed"),
    ("signature huge", |t| t.write("manifest.json.sig", &[b'A'; 20_000]), "seal-malformed"),
    (
        "list too large",
        |t| {
            let list = fs::OpenOptions::new().write(true).open(t.path("SHA256SUMS")).unwrap();
            list.set_len((128 << 20) + 1).unwrap();
        },
        "seal-malformed",
    ),
    (
        "bundle with white space",
        |t| t.edit("manifest.json.sigstore.json", |bytes| bytes.insert(1, b' ')),
        "seal-not-canonical",
    ),
    (
        "bundle without newline",
        |t| t.edit("manifest.json.sigstore.json", shorten),
        "seal-not-canonical",
    ),
    ("sums flipped", |t| t.edit("SHA256SUMS", |bytes| bytes[0] ^= 1), "seal-not-canonical"),
    ("sums extended", |t| t.edit("SHA256SUMS", |bytes| bytes.push(b'\n')), "seal-not-canonical"),
    (
        "digest on another line",
        |t| {
            let (sums, schema) = t.manifest.split_once(",\n").unwrap();
            let (schema, rest) = schema.split_once(",\n").unwrap();
            let sums = sums.strip_prefix("{\n").unwrap();
            let manifest = format!("{{\n{schema},\n{sums},\n{rest}");
            t.sign(&manifest, "transfer");
        },
        "seal-not-canonical",
    ),
    (
        "upper-case digest",
        |t| {
            let digest = t.manifest.split('"').nth(3).unwrap().to_owned();
            let manifest = t.manifest.replace(&digest, &digest.to_uppercase());
            t.sign(&manifest, "transfer");
        },
        "seal-not-canonical",
    ),
    ("left while sealing", |t| t.write("manifest.json.sealift-tmp", b""), "seal-incomplete"),
    ("left in other case", |t| t.write("Manifest.JSON.SEALIFT-TMP", b""), "seal-incomplete"),
    ("left in tools", |t| t.write("Tools/x.Sealift-Tmp", b""), "seal-incomplete"),
    ("left in trust", |t| t.write("trust/keys/a.pub.sealift-tmp", b""), "seal-incomplete"),
    (
        "a seal file is a directory",
        |t| {
            fs::remove_file(t.path("SHA256SUMS")).unwrap();
            fs::create_dir(t.path("SHA256SUMS")).unwrap();
        },
        "file-type-refused",
    ),
];

#[test]
fn a_broken_seal_is_refused() {
    for shell in shells() {
        for (what, change, code) in BROKEN_SEALS {
            let mut transfer = Transfer::new();
            change(&mut transfer);
            refused(&shell, what, &transfer.check(&shell), code);
        }
        for name in SEAL {
            let transfer = Transfer::new();
            let elsewhere = transfer.room.path().join("elsewhere");
            fs::rename(transfer.path(name), &elsewhere).unwrap();
            refused(&shell, name, &transfer.check(&shell), "seal-missing");
            symlink(elsewhere, transfer.path(name)).unwrap();
            refused(&shell, name, &transfer.check(&shell), "file-type-refused");
        }
    }
}

const BROKEN_FILES: &[Case] = &[
    ("flipped", |t| t.edit("packages/tools-1.0.tar.gz", |bytes| bytes[1] ^= 1), "file-mismatch"),
    ("truncated", |t| t.edit("images/hello image.tar", shorten), "file-mismatch"),
    ("extended", |t| t.edit("images/hello image.tar", |b| b.push(0)), "file-mismatch"),
    ("hidden behind a name", |t| t.edit("images/-x", shorten), "file-mismatch"),
    ("removed", |t| fs::remove_file(t.path("images/hello image.tar")).unwrap(), "file-missing"),
    ("added", |t| t.write("images/new", b""), "file-extra"),
    ("added to the root", |t| t.write("run me", b""), "file-extra"),
    ("hidden file added", |t| t.write("images/.hidden", b""), "file-extra"),
    ("a seal in a subdirectory", |t| t.write("images/SHA256SUMS", b""), "file-extra"),
    ("bytes that a terminal obeys", |t| t.write("\u{1b}[2Kü", b""), "file-extra"),
    (
        "a name with a newline",
        |t| t.write("packages\n./packages/tools-1.0.tar.gz", b""),
        "path-not-portable",
    ),
    (
        "renamed",
        |t| fs::rename(t.path("images/hello image.tar"), t.path("images/hello.tar")).unwrap(),
        "file-extra",
    ),
    (
        "renamed in case",
        |t| {
            fs::rename(t.path("packages"), t.path("Packages")).unwrap();
        },
        "file-missing",
    ),
    (
        "beside it in other case",
        |t| t.write("images/Hello image.tar", b"an image\n"),
        "name-collision",
    ),
    (
        "another size, on which nobody waits",
        |t| {
            let file = fs::OpenOptions::new().write(true).open(t.path("images/hello image.tar"));
            // Hashing so much takes hours; what a file system does not carry is not tried.
            file.unwrap().set_len(8 << 40).unwrap_or_default();
            t.edit("images/-x", shorten);
        },
        "file-mismatch",
    ),
    (
        "an empty directory of a name of the seal",
        |t| fs::create_dir(t.path("MANIFEST.json")).unwrap(),
        "file-type-refused",
    ),
    (
        "an empty directory of a temporary name",
        |t| fs::create_dir(t.path("images/a.Sealift-TMP")).unwrap(),
        "file-type-refused",
    ),
    (
        "a temporary name that is none of the seal's",
        |t| t.write("images/a.sealift-tmp", b""),
        "file-extra",
    ),
    ("a second list", |t| t.write("sha256sums", b""), "name-collision"),
    ("seal file in other case", |t| t.write("Manifest.json", b"{}"), "name-collision"),
    (
        "link to the same bytes",
        |t| {
            let elsewhere = t.room.path().join("elsewhere");
            fs::rename(t.path("images/hello image.tar"), &elsewhere).unwrap();
            symlink(elsewhere, t.path("images/hello image.tar")).unwrap();
        },
        "file-type-refused",
    ),
    (
        "link to a directory",
        |t| {
            let elsewhere = t.room.path().join("elsewhere");
            fs::rename(t.path("packages"), &elsewhere).unwrap();
            symlink(elsewhere, t.path("packages")).unwrap();
        },
        "file-type-refused",
    ),
    ("dangling link", |t| symlink("nowhere", t.path("link")).unwrap(), "file-type-refused"),
    (
        "named pipe",
        |t| drop(run(Command::new("mkfifo").arg(t.path("pipe"))).succeeded()),
        "file-type-refused",
    ),
];

#[test]
fn a_file_that_is_not_the_sealed_one_is_refused() {
    for shell in shells() {
        for (what, change, code) in BROKEN_FILES {
            let mut transfer = Transfer::new();
            change(&mut transfer);
            refused(&shell, what, &transfer.check(&shell), code);
        }
    }
}

/// Lists that a broken or hostile program may have sealed: the digest in the manifest is right.
#[test]
fn a_list_that_no_seal_may_have_is_refused() {
    let name = |path: &str| line(path, b"");
    let long = format!("{}/x", ["a"; 520].join("/"));
    let mut lists: Vec<(String, &str)> = [
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        "a/..",
        "-",
        "a/-",
        "-/a",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "a:b",
        "a*",
        "what?",
        "a\"b",
        "<a>",
        "a|b",
        " a",
        "a ",
        "a/ b",
        "a.",
        "a./b",
        "con",
        "Aux.txt",
        "a/NUL.tar.gz",
        "com1",
        "LPT9.log",
        "NUL .txt",
        "CONIN$",
        "ü",
        "a\u{7f}",
        "a\tb",
        &"a".repeat(256),
        &long,
    ]
    .iter()
    .map(|path| (name(path), "path-not-portable"))
    .collect();
    lists.extend([
        (String::new(), "seal-malformed"),
        (name("manifest.json"), "manifest-malformed"),
        (name("Manifest.JSON.sig"), "manifest-malformed"),
        (name("sha256sums"), "manifest-malformed"),
        (name("SHA256SUMS/a"), "manifest-malformed"),
        (name("TRUST/evil.tar"), "manifest-malformed"),
        (name("Tools/setup.exe"), "manifest-malformed"),
        (name("tools"), "manifest-malformed"),
        (name("trust"), "manifest-malformed"),
        (name("trust/payload/install.sh"), "manifest-malformed"),
        (name("trust/keys/0123456789ABCDEF.pub"), "manifest-malformed"),
        (name("trust/keys/0123456789abcdef.sh"), "manifest-malformed"),
        (name("trust/keys/0123456789abcdef0.pub"), "manifest-malformed"),
        (name("a.sealift-tmp"), "manifest-malformed"),
        (name("a.Sealift-TMP/b"), "manifest-malformed"),
        (name(""), "manifest-malformed"),
        (name("b") + &name("a"), "manifest-malformed"),
        (name("a") + &name("a"), "manifest-malformed"),
        (name("A") + &name("a"), "name-collision"),
        // One number, two names, in the wrong order.
        (name("1e1") + &name("10"), "manifest-malformed"),
        (name("B") + &name("b-c") + &name("b/c"), "name-collision"),
        (name("a").replace("  ", " *"), "manifest-malformed"),
        (name("a").replace("  ", " "), "manifest-malformed"),
        (name("a").to_uppercase(), "manifest-malformed"),
        (name("a")[1..].to_owned(), "manifest-malformed"),
        (format!("{}\n", name("a")), "manifest-malformed"),
        (format!("# a comment\n{}", name("a")), "manifest-malformed"),
        (format!("\\{}", name("a")), "manifest-malformed"),
        (name("a").trim_end().to_owned(), "seal-not-canonical"),
        (name("a").replace('\n', "\r\n"), "path-not-portable"),
    ]);
    for shell in shells() {
        let mut transfer = Transfer::of(&[("a", b""), ("d/b", b"")]);
        for (sums, code) in &lists {
            transfer.seal(sums);
            refused(&shell, sums, &transfer.check(&shell), code);
        }
    }
}

#[test]
fn names_that_look_like_numbers_options_and_patterns_are_names() {
    for shell in shells() {
        let files: Vec<(&str, &[u8])> = vec![
            ("--help", b"1"),
            ("-c", b"2"),
            ("10", b"3"),
            ("1e1", b"4"),
            ("[ab]", b"5"),
            ("a  b/c  d", b"6"),
            ("a'b$(touch x)`y`", b"7"),
            ("ab", b""),
            ("com", b"8"),
            ("com10", b"9"),
            ("dir/manifest.json", b"10"),
            ("lst.a", b"11"),
            ("tools/a&b;c", b"12"),
        ];
        let transfer = Transfer::of(&files);
        let ran = transfer.check(&shell);
        assert_eq!(ran.status, Some(0), "{}: {}", shell.name, ran.text());
        assert!(last(&ran).contains("and 13 files are"), "{}", ran.stdout);
        assert!(!transfer.room.path().join("x").exists());
    }
}

#[test]
fn ten_thousand_files_need_no_program_each() {
    let names: Vec<String> = (0..10_000).map(|n| format!("f/{:02}/{n:05}", n % 100)).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, name.as_bytes())).collect();
    let transfer = Transfer::of(&files);
    for shell in shells() {
        let began = std::time::Instant::now();
        let ran = transfer.check(&shell);
        assert_eq!(ran.status, Some(0), "{}: {}", shell.name, ran.text());
        // A program for each file would take half a minute.
        assert!(began.elapsed().as_secs() < 10, "{}: {:?}", shell.name, began.elapsed());
    }
    transfer.edit("f/77/00077", |bytes| bytes[0] ^= 1);
    for name in &names[..100] {
        fs::write(transfer.path(&format!("{name}.extra")), b"").unwrap();
    }
    for shell in shells() {
        let ran = transfer.check(&shell);
        refused(&shell, "a hundred files more", &ran, "file-extra");
        assert_eq!(ran.stdout.lines().count(), 22, "a long list is cut: {}", ran.stdout);
        assert!(ran.stdout.contains("... and 80 more"), "{}", ran.stdout);
    }
}

#[test]
fn a_call_that_can_not_be_carried_out_is_a_usage_error() {
    for shell in shells() {
        let transfer = Transfer::new();
        let room = transfer.room.path();
        let (dir, key) = (transfer.path(""), room.join("transfer.pub"));
        let write = |name: &str, content: &[u8]| {
            fs::write(room.join(name), content).unwrap();
            room.join(name)
        };
        let pem = fs::read_to_string(&key).unwrap();
        openssl(&["genpkey", "-algorithm", "ED25519", "-out"]).succeeds_with(&[&room.join("ed")]);
        openssl(&["pkey", "-pubout", "-in"]).succeeds_with(&[
            &room.join("ed"),
            Path::new("-out"),
            &room.join("ed.pub"),
        ]);
        transfer.write("trust/transfer.pub", pem.as_bytes());
        let calls: Vec<(Vec<PathBuf>, &str)> = vec![
            (vec![], "two arguments"),
            (vec![dir.clone()], "two arguments"),
            (vec![dir.clone(), key.clone(), key.clone()], "two arguments"),
            (vec![room.join("no such"), key.clone()], "not a directory"),
            (vec![key.clone(), key.clone()], "not a directory"),
            (vec![dir.clone(), room.join("no such")], "not a file"),
            (vec![dir.clone(), room.join("transfer.pem")], "private key"),
            (vec![dir.clone(), room.join("ed.pub")], "not an ECDSA P-256 key"),
            (vec![dir.clone(), write("twice.pub", pem.repeat(2).as_bytes())], "not one public key"),
            (vec![dir.clone(), write("text.pub", b"no key")], "not one public key"),
            (vec![dir.clone(), transfer.path("trust/transfer.pub")], "lies in the directory"),
            (
                vec!["the transfer".into(), "the transfer/trust/transfer.pub".into()],
                "lies in the directory",
            ),
            // The temporary files would lie in this one.
            (vec![room.into(), write("../outside.pub", pem.as_bytes())], "set TMPDIR"),
        ];
        for (arguments, words) in calls {
            let ran = transfer.check_with(&shell, &arguments);
            assert_eq!(ran.status, Some(2), "{}, {words}: {}", shell.name, ran.text());
            assert!(ran.stderr.contains(words), "{}, {words}: {}", shell.name, ran.text());
            assert!(ran.stderr.contains("usage: "), "{}, {words}: {}", shell.name, ran.text());
            assert_eq!(ran.stdout, "", "{}, {words}", shell.name);
        }
    }
}

#[test]
fn the_script_warns_when_it_comes_from_the_medium() {
    for shell in shells() {
        let content = fs::read(script()).unwrap();
        let transfer = Transfer::of(&[("tools/verify-with-openssl.sh", &content)]);
        let ran = run(Command::new(&shell.command[0])
            .args(&shell.command[1..])
            .args(["tools/verify-with-openssl.sh", ".", "../transfer.pub"])
            .env("PATH", &shell.path)
            .current_dir(transfer.path("")));
        assert_eq!(ran.status, Some(0), "{}: {}", shell.name, ran.text());
        assert!(ran.stdout.starts_with("warning: this script lies in"), "{}", ran.stdout);
    }
}

#[test]
fn a_file_that_can_not_be_read_is_refused() {
    for shell in shells() {
        let transfer = Transfer::new();
        let file = transfer.path("images/hello image.tar");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(&file).is_ok() {
            skip("permissions do not bind this user");
            return;
        }
        refused(&shell, "unreadable", &transfer.check(&shell), "file-mismatch");
        let folder = transfer.path("images");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
        refused(&shell, "unreadable", &transfer.check(&shell), "unreadable");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
}
