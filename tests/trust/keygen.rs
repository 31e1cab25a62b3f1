//! `sealift keygen` as a user sees it: the two files, where the password comes from, and that nothing
//! is ever overwritten.

use std::fs;
use std::process::Command;

use crate::support::tools::{Ran, broken, run};
use crate::support::{sealift, skip};
use sealift::key::{HashAlgorithm, PrivateKey, PublicKey, words};
use sealift::verdict::{Code, Fault};
use zeroize::Zeroizing;

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The program in the folder, with no password in its environment.
    fn sealift(&self, words: &str) -> Command {
        let mut command = sealift();
        command.current_dir(self.folder.path()).args(words.split_whitespace());
        command.env_remove("SEALIFT_PASSWORD").env_remove("COSIGN_PASSWORD");
        command
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Opens PREFIX.key with a password.
    fn open(&self, prefix: &str, password: &str) -> Result<PrivateKey, Fault> {
        let file = self.read(&format!("{prefix}.key"));
        PrivateKey::from_pem(file.as_bytes(), &mut || {
            Ok(Zeroizing::new(password.as_bytes().to_vec()))
        })
    }

    /// The pair is one pair, and only this password opens it.
    #[track_caller]
    fn holds_a_pair(&self, prefix: &str, password: &str) {
        let key = self.open(prefix, password).unwrap();
        let public = PublicKey::from_pem(self.read(&format!("{prefix}.pub")).as_bytes()).unwrap();
        assert_eq!(key.public(), &public);
        let signature = key.sign(b"a message");
        assert!(public.verify_message(HashAlgorithm::Sha256, b"a message", &signature).is_ok());
        assert_eq!(self.open(prefix, "not it").unwrap_err().code(), Code::PasswordWrong);
    }
}

#[track_caller]
fn refused(ran: &Ran, code: Code) {
    let status = i32::from(code.outcome().exit_status().code());
    assert_eq!(ran.status, Some(status), "{}", ran.text());
    assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.text());
    assert!(ran.stderr.contains("next: ") && ran.stdout.is_empty(), "{}", ran.text());
}

#[test]
fn a_pair_is_written_and_named() {
    let room = Room::new();
    let ran = run(room.sealift("keygen").env("SEALIFT_PASSWORD", "pw"));
    let said = ran.succeeded();
    assert_eq!(room.names(), ["transfer.key", "transfer.pub"]);
    room.holds_a_pair("transfer", "pw");
    let key = PublicKey::from_pem(room.read("transfer.pub").as_bytes()).unwrap();
    for expected in [
        "private key: transfer.key\n".to_owned(),
        "public key:  transfer.pub\n".to_owned(),
        format!("fingerprint: {}\n", key.fingerprint()),
        format!("in words:    {}\n", words(&key.fingerprint())),
    ] {
        assert!(said.contains(&expected), "{expected}: {said}");
    }

    // What the other side sees is the same.
    let shown = run(&mut room.sealift("inspect transfer.pub")).succeeded();
    assert!(shown.contains(&key.fingerprint().to_string()), "{shown}");
    assert!(shown.contains(&format!("words: {}\n", words(&key.fingerprint()))), "{shown}");
    let shown = run(&mut room.sealift("inspect -o json transfer.pub")).succeeded();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["files"][0]["words"], words(&key.fingerprint()));
    refused(&run(&mut room.sealift("inspect transfer.key")), Code::KeyIsPrivate);
}

#[test]
fn no_two_keys_are_alike() {
    let room = Room::new();
    for prefix in ["one", "two"] {
        let arguments = format!("keygen --output-key-prefix {prefix}");
        run(room.sealift(&arguments).env("SEALIFT_PASSWORD", "pw")).succeeded();
    }
    assert_ne!(room.read("one.pub"), room.read("two.pub"));
    assert_ne!(room.read("one.key"), room.read("two.key"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_private_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::new();
    // The widest umask, so that only the program itself keeps others out.
    let program = env!("CARGO_BIN_EXE_sealift");
    let mut command = Command::new("sh");
    command.current_dir(room.folder.path()).env("SEALIFT_PASSWORD", "pw");
    run(command.args(["-c", &format!("umask 0; exec '{program}' keygen")])).succeeded();
    let mode = |name: &str| {
        fs::metadata(room.folder.path().join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("transfer.key"), 0o600);
    assert_eq!(mode("transfer.pub"), 0o666, "as the umask says");
}

#[test]
fn neither_file_is_overwritten() {
    for taken in ["vendor.a.key", "vendor.a.pub"] {
        let room = Room::new();
        room.write(taken, "mine");
        let arguments = "keygen --output-key-prefix vendor.a";
        let ran = run(room.sealift(arguments).env("SEALIFT_PASSWORD", "pw"));
        refused(&ran, Code::OutputExists);
        assert!(ran.stderr.contains(taken), "{}", ran.stderr);
        assert_eq!(room.read(taken), "mine");
        assert_eq!(room.names(), [taken]);
        // Said before anybody is asked for a password.
        refused(&run(&mut room.sealift(arguments)), Code::OutputExists);
    }
}

#[test]
fn what_can_t_be_written_is_named_and_leaves_nothing() {
    let room = Room::new();
    let arguments = "keygen --output-key-prefix no/folder";
    let ran = run(room.sealift(arguments).env("SEALIFT_PASSWORD", "pw"));
    refused(&ran, Code::WriteFailed);
    assert!(ran.stderr.contains("folder.pub"), "{}", ran.stderr);
    assert_eq!(room.names(), Vec::<String>::new());
}

#[test]
fn the_password_comes_from_the_first_place_that_has_one() {
    let room = Room::new();
    room.write("password", "from the file\r\nmore\n");
    let file = "--password-file password";
    for (prefix, option, environment, password) in [
        ("a", file, &[("SEALIFT_PASSWORD", "s"), ("COSIGN_PASSWORD", "c")][..], "from the file"),
        ("b", "", &[("SEALIFT_PASSWORD", "s"), ("COSIGN_PASSWORD", "c")], "s"),
        ("c", "", &[("COSIGN_PASSWORD", "c")], "c"),
        // Set but empty is a password.
        ("d", "", &[("SEALIFT_PASSWORD", ""), ("COSIGN_PASSWORD", "c")], ""),
        ("e", "", &[("COSIGN_PASSWORD", "pässword")], "pässword"),
    ] {
        let arguments = format!("keygen --output-key-prefix {prefix} {option}");
        let ran = run(room.sealift(&arguments).envs(environment.iter().copied()));
        let warned = ran.stderr.contains("the password is empty");
        assert_eq!(warned, password.is_empty(), "{}", ran.stderr);
        assert!(!ran.text().contains("from the file"), "{}", ran.text());
        ran.succeeded();
        room.holds_a_pair(prefix, password);
    }
}

#[test]
fn a_password_on_standard_input_is_a_file() {
    let room = Room::new();
    let mut command = room.sealift("keygen --password-file -");
    crate::support::tools::run_with_input(&mut command, b"piped\n").succeeded();
    room.holds_a_pair("transfer", "piped");
}

#[test]
fn without_a_password_and_a_terminal_nothing_is_made() {
    let room = Room::new();
    refused(&run(&mut room.sealift("keygen")), Code::PasswordMissing);
    refused(&run(&mut room.sealift("keygen --password-file absent")), Code::FileNotFound);
    room.write("long", &"x".repeat(4097));
    refused(&run(&mut room.sealift("keygen --password-file long")), Code::Usage);
    // An unusable file is not the same as none: the environment is not asked.
    let mut command = room.sealift("keygen --password-file absent");
    refused(&run(command.env("SEALIFT_PASSWORD", "pw")), Code::FileNotFound);
    assert_eq!(room.names(), ["long"]);
}

/// `script` gives the program a terminal and types into it.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked_twice() {
    if run(Command::new("script").arg("--version")).status != Some(0) {
        skip("prompt: there is no script(1) from util-linux");
        return;
    }
    let room = Room::new();
    let typed = |input: &str, rest: &str| {
        let program = env!("CARGO_BIN_EXE_sealift");
        let line = format!("'{program}' keygen --output-key-prefix {rest}");
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--echo", "never", "--command", &line, "/dev/null"]);
        command.current_dir(room.folder.path());
        command.env_remove("SEALIFT_PASSWORD").env_remove("COSIGN_PASSWORD");
        crate::support::tools::run_with_input(&mut command, input.as_bytes())
    };
    let ran = typed("top secret\ntop secret\n", "good");
    if ran.text().contains("script:") {
        return broken(&format!("prompt: script(1) can't run: {}", ran.text()));
    }
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    assert!(ran.stdout.contains("Repeat the password"), "{}", ran.text());
    room.holds_a_pair("good", "top secret");

    let ran = typed("top secret\ntop sceret\n", "bad");
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.stdout.contains("the two passwords differ"), "{}", ran.text());

    // A terminal is there, but what the program reads comes from elsewhere: a script, which would wait.
    let ran = typed("top secret\ntop secret\n", "script </dev/null");
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.stdout.contains("error[password-missing]"), "{}", ran.text());
    assert_eq!(room.names(), ["good.key", "good.pub"]);
}
