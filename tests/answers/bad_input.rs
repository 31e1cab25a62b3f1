//! Inputs that are something else than they should be: one clear error each, with its code and the
//! documented exit code, and never a panic.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::log::TestKey;
use crate::support::{outcome, sealift};

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        room.write("vendor.pub", TestKey::new(7).pem().as_bytes());
        room.write("good.tgz", b"a package");
        // printf 'a package' | sha256sum
        room.write(
            "good.bundle",
            TestKey::new(7).bundle(&package_message(b"a package")).as_bytes(),
        );
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs in the folder; the words are the arguments.
    fn run(&self, words: &str) -> (i32, String, String) {
        let mut command = sealift();
        command.current_dir(self.folder.path()).args(words.split_whitespace());
        outcome(&command.output().unwrap())
    }

    /// Runs and asserts the exit code and the code of the refusal.
    #[track_caller]
    fn refuses(&self, words: &str, exit: i32, code: &str) -> String {
        let (status, out, err) = self.run(words);
        let all = format!("{out}{err}");
        assert_eq!(status, exit, "{words}\n{all}");
        let named = all.contains(&format!("[{code}]")) || all.contains(&format!("({code}: "));
        assert!(named, "{words}: no code {code} in\n{all}");
        assert!(!all.contains("panicked") && all.contains("next: "), "{all}");
        all
    }
}

fn package_message(bytes: &[u8]) -> String {
    format!("{}\n", sealift::digest::Sha256Digest::of(bytes).to_hex())
}

const VERIFY: &str = "verify --insecure-ignore-tlog --key vendor.pub --bundle good.bundle";

#[test]
fn the_good_case_is_good() {
    let (status, out, err) = Room::new().run(&format!("{VERIFY} good.tgz"));
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.starts_with("good.tgz: OK (package, signed sha256:"), "{out}");
    assert!(out.contains("no transparency log entry"), "{out}");
}

#[test]
fn keys_that_are_none() {
    let room = Room::new();
    room.write("private.pem", b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n");
    room.write("cosign.key", b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJrZGYi\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n");
    room.write("empty.pub", b"");
    let two = TestKey::new(7).pem() + &TestKey::new(8).pem();
    room.write("two.pub", two.as_bytes());
    let verify = |key: &str| format!("verify --key {key} --bundle good.bundle good.tgz");
    room.refuses(&verify("good.bundle"), 2, "key-not-a-key");
    room.refuses(&verify("private.pem"), 2, "key-is-private");
    room.refuses(&verify("cosign.key"), 2, "key-is-private");
    room.refuses(&verify("empty.pub"), 2, "key-malformed");
    room.refuses(&verify("two.pub"), 2, "key-malformed");
    room.refuses(&verify("nowhere.pub"), 2, "file-not-found");
    room.refuses(&verify("."), 2, "key-not-a-key");
    room.refuses(&verify("https://vendor.example/k.pub"), 2, "option-not-offline");
    room.refuses("verify --bundle good.bundle good.tgz", 2, "no-key");
}

#[test]
fn a_missing_key_is_named_by_the_vendors_json() {
    let room = Room::new();
    room.write(
        "good.tgz_publickey.json",
        br#"{"publicKey":"https://v.example/keys/vendor-2026.pub"}"#,
    );
    let said = room.refuses("verify good.tgz", 2, "no-key");
    assert!(said.contains("vendor-2026.pub"), "{said}");
}

#[test]
fn artifacts_that_are_none() {
    let room = Room::new();
    room.write("empty", b"");
    let said = room.refuses(&format!("{VERIFY} empty"), 1, "signature-invalid");
    assert!(said.contains("the file is empty"), "{said}");
    room.refuses(&format!("{VERIFY} --type image empty"), 1, "archive-unrecognised");
    room.refuses(&format!("{VERIFY} --type image good.tgz"), 1, "archive-unrecognised");
    room.refuses(&format!("{VERIFY} nowhere.tar"), 2, "file-not-found");
    room.refuses(&format!("{VERIFY} ."), 2, "usage");
    room.refuses(&format!("{VERIFY} --type package ."), 2, "usage");
    room.refuses("verify --key vendor.pub good.tgz", 3, "no-bundle");
    room.refuses(&format!("{VERIFY} good.tgz good.tgz"), 2, "usage");
}

#[test]
fn a_sparse_file_of_ten_gib_is_refused_at_once() {
    let room = Room::new();
    File::create(room.path("sparse")).unwrap().set_len(10 << 30).unwrap();
    room.refuses(&format!("{VERIFY} --type image sparse"), 1, "archive-unrecognised");
}

#[test]
fn bundles_that_are_none() {
    let room = Room::new();
    File::create(room.path("huge.bundle")).unwrap().set_len(100 << 20).unwrap();
    let mut json = b"[".repeat(100 << 20);
    json.push(b'1');
    room.write("deep.bundle", &json);
    room.write("key.bundle", TestKey::new(7).pem().as_bytes());
    room.write("empty.bundle", b"");
    let verify = |bundle: &str| {
        format!("verify --insecure-ignore-tlog --key vendor.pub --bundle {bundle} good.tgz")
    };
    room.refuses(&verify("huge.bundle"), 1, "bundle-too-large");
    room.refuses(&verify("deep.bundle"), 1, "bundle-too-large");
    room.refuses(&verify("key.bundle"), 1, "bundle-malformed");
    room.refuses(&verify("empty.bundle"), 1, "bundle-malformed");
    room.refuses(&verify("nowhere.bundle"), 2, "file-not-found");
    room.refuses("verify --key vendor.pub --bundle good.bundle good.tgz", 1, "log-entry-missing");
}

/// A bundle that was not read may cover the image: nothing is FAILED, and no vendor is called.
#[test]
fn an_image_whose_bundle_is_not_there_is_not_failed() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/release/hello-image.tar");
    let room = Room::new();
    let verify = |bundle: &str| {
        room.write("image.tar", &fs::read(example).unwrap());
        format!("verify --insecure-ignore-tlog --key vendor.pub --bundle {bundle} image.tar")
    };
    room.refuses(&verify("nowhere.bundle"), 2, "file-not-found");
    room.refuses(&verify("."), 3, "unreadable");
    room.refuses(&verify("good.bundle"), 1, "signature-invalid");
    room.refuses(
        &format!("{} --bundle nowhere.bundle", verify("vendor.pub")),
        1,
        "bundle-malformed",
    );
}

#[test]
fn a_digest_in_another_spelling_is_told() {
    let room = Room::new();
    let signed = package_message(b"a package");
    let verify = "verify-blob --insecure-ignore-tlog --key vendor.pub --bundle good.bundle";
    room.write("digest.txt", signed.as_bytes());
    let (status, out, err) = room.run(&format!("{verify} digest.txt"));
    assert!((status, out.as_str()) == (0, "") && err.ends_with("\nVerified OK\n"), "{out}{err}");
    for (name, text) in [
        ("no-newline.txt", signed.trim().to_owned()),
        ("carriage-return.txt", signed.replace('\n', "\r\n")),
        ("docker.txt", format!("sha256:{}", signed.trim())),
        ("sha256sum.txt", signed.replace('\n', "  good.tgz\n")),
    ] {
        room.write(name, text.as_bytes());
        let said = room.refuses(&format!("{verify} {name}"), 1, "signature-invalid");
        assert!(said.contains("another spelling: \"<hex>\" with a newline"), "{name}: {said}");
    }
    room.write("other.txt", package_message(b"another").as_bytes());
    for name in ["other.txt", "good.tgz"] {
        let said = room.refuses(&format!("{verify} {name}"), 1, "signature-invalid");
        assert!(!said.contains("spelling"), "{name}: {said}");
    }
}

#[test]
fn roots_profiles_and_patterns_that_are_none() {
    let room = Room::new();
    room.refuses(
        &format!("{VERIFY} --trusted-root good.bundle good.tgz"),
        2,
        "trusted-root-malformed",
    );
    room.refuses(
        &format!("{VERIFY} --vendor-profile good.bundle good.tgz"),
        2,
        "profile-malformed",
    );
    let identity = "verify --bundle good.bundle --certificate-oidc-issuer x";
    room.refuses(
        &format!("{identity} --certificate-identity-regexp ( good.tgz"),
        2,
        "pattern-invalid",
    );
    room.refuses(&format!("{identity} good.tgz"), 2, "usage");
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_unreadable_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::new();
    room.refuses(&format!("{VERIFY} /dev/zero"), 3, "unreadable");
    // A pipe that ends inside the first tar header.
    let mut child = sealift()
        .current_dir(room.folder.path())
        .args(VERIFY.split_whitespace())
        .args(["--type", "image", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[b'x'; 100]).unwrap();
    let (status, out, _) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("(archive-"), "{out}");

    let secret = room.path("secret.tgz");
    fs::write(&secret, b"x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&secret).is_ok() {
        eprintln!("skipped: this user may read every file");
    } else {
        room.refuses(&format!("{VERIFY} secret.tgz"), 3, "unreadable");
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_is_read_as_a_stream() {
    let room = Room::new();
    let made = std::process::Command::new("mkfifo").arg(room.path("fifo")).status();
    assert!(made.unwrap().success());
    let writer = {
        let path = room.path("fifo");
        std::thread::spawn(move || fs::write(path, b"a package").unwrap())
    };
    let (status, out, err) = room.run(&format!("{VERIFY} fifo"));
    writer.join().unwrap();
    assert_eq!(status, 0, "{out}{err}");
}

#[test]
fn names_can_not_write_on_the_terminal() {
    let room = Room::new();
    let name = "evil\u{1b}[2J.tgz";
    room.write(name, b"x");
    let path = Path::new(name);
    let output = sealift()
        .current_dir(room.folder.path())
        .args(["verify", "--key", "vendor.pub"])
        .arg(path)
        .output()
        .unwrap();
    let (_, out, err) = outcome(&output);
    assert!(!format!("{out}{err}").contains('\u{1b}'));
}

#[test]
fn an_archive_that_was_cut_off_is_not_taken_for_a_package() {
    let room = Room::new();
    let whole = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/release/hello-image.tar"));
    let whole = whole.unwrap();
    room.write("cut.tar", &whole[..whole.len() / 2]);
    let said = room.refuses(&format!("{VERIFY} cut.tar"), 1, "archive-truncated");
    assert!(said.contains(&format!("cut off at byte {}", whole.len() / 2)), "{said}");
    // So early that the first name is all there is.
    room.write("stub.tar", &whole[..700]);
    let said = room.refuses(&format!("{VERIFY} stub.tar"), 1, "archive-truncated");
    assert!(said.contains("byte 700"), "{said}");
}

#[test]
fn without_a_bundle_the_names_that_were_looked_for_are_said() {
    let room = Room::new();
    let said = room.refuses("verify --key vendor.pub good.tgz", 3, "no-bundle");
    assert!(said.contains("there is no good.tgz_signature.bundle"), "{said}");
}

#[test]
fn a_pipe_that_may_be_either_is_not_guessed_at() {
    let room = Room::new();
    // A package: a tar archive with a hard link, which no image has.
    let mut header = tar::Header::new_ustar();
    header.set_path("tool").unwrap();
    header.set_entry_type(tar::EntryType::Link);
    header.set_link_name("other").unwrap();
    header.set_size(0);
    header.set_cksum();
    let mut package = header.as_bytes().to_vec();
    package.extend([0; 1024]);
    room.write("tool.tar", &package);
    room.write("tool.bundle", TestKey::new(7).bundle(&package_message(&package)).as_bytes());
    let verify = "verify --insecure-ignore-tlog --key vendor.pub --bundle tool.bundle";
    let pipe = |more: &[&str]| {
        let mut command = sealift();
        command.current_dir(room.folder.path()).args(verify.split_whitespace()).args(more);
        let file = File::open(room.path("tool.tar")).unwrap();
        outcome(&command.arg("-").stdin(file).output().unwrap())
    };
    assert_eq!(room.run(&format!("{verify} tool.tar")).0, 0);
    assert_eq!(pipe(&["--type", "package"]).0, 0);
    let (code, out, _) = pipe(&[]);
    assert!(code == 2 && out.contains("say --type package"), "{out}");
}
