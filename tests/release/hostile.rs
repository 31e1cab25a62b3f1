//! Folders that somebody prepared, or that a medium spoilt: nothing blocks, nothing is passed over, and nothing
//! that stands in a name reaches the terminal.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::made::{Image, Made, Said, VENDOR, line};
use crate::support::log::TestKey;
use crate::support::tools::run;
use crate::support::{skip, strace};

#[test]
fn nothing_to_check_is_no_success() {
    let made = Made::new();
    made.verify("").says(3, &["r: nothing-found"]);
    fs::create_dir_all(made.path("a/b/c")).unwrap();
    made.verify("").says(3, &["r: nothing-found"]);
    made.file("a/vendor.pub", TestKey::new(VENDOR).pem());
    let said = made.verify("--require-coverage").says(3, &["r: nothing-found"]);
    assert_eq!(said.covered("material"), ["a/vendor.pub"]);
    made.file("a/b.bundle", TestKey::new(VENDOR).bundle("b"));
    made.verify("").says(1, &["a/b.bundle: material-unpaired"]);
}

#[test]
fn links_pipes_and_sockets_are_refused_and_not_followed() {
    let made = Made::new();
    made.package("a.tgz", "a");
    made.beside("out.tgz", "out");
    fs::create_dir(made.yard.path("outside")).unwrap();
    fs::write(made.yard.path("outside/x.txt"), "x").unwrap();
    for (name, target) in [
        ("link.tgz", "a.tgz"),
        ("loop", "loop"),
        ("out.tgz", "../out.tgz"),
        ("dir", "../outside"),
        ("self", "."),
        ("dangling", "nowhere"),
        // A bundle that is a link does not make its package one without a bundle and nothing else.
        ("b.tgz_signature.bundle", "a.tgz_signature.bundle"),
    ] {
        symlink(target, made.path(name)).unwrap();
    }
    made.file("b.tgz", "a");
    run(Command::new("mkfifo").arg(made.path("pipe"))).succeeded();
    run(Command::new("mkfifo").arg(made.path("pipe.tgz_signature.bundle"))).succeeded();
    let _socket = UnixListener::bind(made.path("socket")).unwrap();
    let said = made.verify("").says(
        1,
        &[
            "a.tgz: OK",
            "b.tgz: no-bundle",
            "b.tgz_signature.bundle: file-type-refused",
            "dangling: file-type-refused",
            "dir: file-type-refused",
            "link.tgz: file-type-refused",
            "loop: file-type-refused",
            "out.tgz: file-type-refused",
            "pipe: file-type-refused",
            "pipe.tgz_signature.bundle: file-type-refused",
            "self: file-type-refused",
            "socket: file-type-refused",
        ],
    );
    assert_eq!(said.covered("vendor"), ["a.tgz"]);
    assert_eq!(said.covered("uncovered").len(), 11);
}

#[test]
fn names_write_nothing_on_the_terminal() {
    let made = Made::new();
    let bad = "\u{1b}[31mred\n\u{202e}b\r\u{7}";
    made.package(&format!("{bad}.tgz"), "signed").file(&format!("{bad}.txt"), "unsigned");
    made.file(&format!("d{bad}/x.sigstore.json"), TestKey::new(VENDOR).bundle("nothing"));
    let image = Image::new("i", Some("two.bundle"));
    made.file(&format!("i{bad}.tar"), image.docker());
    made.file(&format!("1{bad}/two.bundle"), image.bundle(VENDOR));
    made.file(&format!("2{bad}/two.bundle"), image.bundle(VENDOR));
    let shared = ["s", "t"].map(|it| Image::new(it, Some("shared.bundle")));
    made.file(&format!("s{bad}.tar"), shared[0].docker())
        .file(&format!("t{bad}.tar"), shared[1].docker());
    made.file(&format!("s{bad}/shared.bundle"), shared[0].bundle(VENDOR));
    symlink("x", made.path(&format!("l{bad}"))).unwrap();
    for (number, name) in [&b"\xff\xfe.tgz"[..], b"\xffd", b"\xff\x1b[0m"].into_iter().enumerate() {
        let path = made.path("").join(OsStr::from_bytes(name));
        if number == 1 {
            fs::create_dir(&path).unwrap();
            fs::write(path.join("below"), "below").unwrap();
        } else {
            fs::write(path, "x").unwrap();
        }
    }
    run(made.command("-o json").args(["--report", "old.json", "r"]));
    fs::remove_file(made.path(&format!("{bad}.txt"))).unwrap();
    for options in ["", "-v", "--changed-since old.json", "--require-coverage", "--shard 1/2"] {
        let ran = made.text(options);
        let text = ran.text();
        let raw: Vec<char> = text
            .chars()
            .filter(|it| (it.is_control() && *it != '\n') || *it == '\u{202e}')
            .collect();
        assert!(raw.is_empty(), "{options}: {text:?}");
        // One line for one thing: no name makes a line of its own.
        assert!(
            !text.lines().any(|it| it.starts_with('\u{202e}') || it.starts_with("b\\r")),
            "{text}"
        );
        assert_eq!(ran.status, Some(1), "{text}");
    }
    let said = made.verify("");
    let refused = said.answers().iter().filter(|it| it.ends_with("file-type-refused")).count();
    assert_eq!(refused, 4, "{:?}", said.answers());
    let ok: Vec<_> = said.answers().into_iter().filter(|it| it.ends_with(": OK")).collect();
    assert_eq!(ok, [format!("{bad}.tgz: OK"), format!("s{bad}.tar: OK")]);
}

#[test]
fn directories_that_go_too_deep_are_refused_and_others_are_not() {
    let made = Made::new();
    let deep = "d/".repeat(120);
    made.package(&format!("{deep}a.tgz"), "a");
    made.verify("").says(0, &[&format!("{deep}a.tgz: OK")]);
    made.file(&format!("{}x", "e/".repeat(200)), "x");
    let said = made.verify("");
    assert_eq!(said.status, 3, "{:?}", said.answers());
    assert!(said.answers().iter().all(|it| it.ends_with(": unreadable")), "{:?}", said.answers());
}

/// The same command as a user who owns nothing.
fn as_nobody(command: &Command) -> Command {
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    other.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other
}

#[test]
fn what_can_t_be_read_is_undecided_and_the_rest_is_decided() {
    let made = Made::new();
    made.package("a.tgz", "a").package("b.tgz", "b").package("c.tgz", "c").package("d/e.tgz", "e");
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(made.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::set_permissions(made.yard.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let probe = run(&mut as_nobody(made.command("").args(["-o", "json", "r"])));
    if probe.status != Some(0) {
        return skip(&format!("as another user: {}", probe.text()));
    }
    mode("b.tgz", 0);
    mode("c.tgz_signature.bundle", 0);
    mode("d", 0);
    for jobs in ["1", "4"] {
        let command = made.command(&format!("--jobs {jobs}"));
        let said = Said::new(run(as_nobody(&command).args(["-o", "json", "r"])));
        let said = said.says(
            3,
            &[
                "a.tgz: OK",
                "b.tgz: unreadable",
                "c.tgz: unreadable",
                "c.tgz_signature.bundle: unreadable",
                "d: unreadable",
            ],
        );
        assert_eq!(said.covered("vendor"), ["a.tgz"]);
        assert_eq!(said.covered("uncovered").len(), 4);
    }
    // Where coverage is asked for, undecided is not enough.
    let command = made.command("--require-coverage");
    let said = Said::new(run(as_nobody(&command).args(["-o", "json", "r"])));
    assert_eq!(said.status, 1);
    mode("d", 0o755);
}

#[test]
fn a_read_only_mount_is_checked_as_any_folder() {
    let made = Made::new();
    made.package("a.tgz", "a").file("b.txt", "b");
    let expected = made.verify("").says(3, &["a.tgz: OK", "b.txt: no-bundle"]).lasting();
    // In a name space of its own, so that nothing stays mounted.
    let command = made.command("-o json");
    let words: Vec<_> = command.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
    let script = "mount --bind r r && mount -o remount,ro,bind r && ! touch r/probe 2>/dev/null && exec \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", script, "sh"]).arg(command.get_program());
    let ran = run(inside.args(words).arg("r").current_dir(made.yard.path("")));
    if ran.stdout.is_empty() {
        return skip(&format!("a read-only mount: {}", ran.text()));
    }
    assert_eq!(Said::new(ran).lasting(), expected);
}

#[test]
fn files_that_go_away_or_change_meanwhile_are_not_passed_over() {
    if !strace::works() {
        return;
    }
    let made = Made::new();
    let build = || {
        made.package("a.tgz", "a").package("b.tgz", "b");
        // Too large for the first look, so it is opened again to be judged.
        made.package("large.tgz", &"x".repeat(5 << 20));
    };
    let expected = ["a.tgz: OK", "b.tgz: OK", "large.tgz: OK"];
    build();
    made.verify("--jobs 1").says(0, &expected);
    // The first read of the folder's names is held up, and then what they name changes.
    let slowed = |call: &str, change: &dyn Fn()| {
        let command = made.command("--jobs 1 -o json");
        let mut slow = Command::new("strace");
        slow.args(["-f", "-qq", "-o", "trace", "-P"]).arg(made.path(""));
        slow.args(["-e", &format!("inject={call}:delay_exit=1500000:when=2")]);
        slow.arg(command.get_program()).args(command.get_args()).arg("r");
        slow.current_dir(made.yard.path(""));
        let child = slow
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(900));
        change();
        Said::new(crate::support::tools::Ran::new(&child.wait_with_output().unwrap()))
    };
    let said = slowed("getdents64", &|| fs::remove_file(made.path("b.tgz")).unwrap());
    eprintln!("{:?} {}", said.answers(), said.stderr);
    if said.answers() == expected {
        return skip("a folder that changes: strace held nothing up");
    }
    assert!(said.answers().contains(&"a.tgz: OK".to_owned()));
    assert!(said.answers().contains(&"b.tgz: unreadable".to_owned()), "{:?}", said.answers());
    assert_eq!(said.status, 3);
    build();
    let said = slowed("getdents64", &|| {
        fs::write(made.path("a.tgz"), "other").unwrap();
        fs::remove_file(made.path("b.tgz")).unwrap();
        symlink("a.tgz", made.path("b.tgz")).unwrap();
        fs::write(made.path("large.tgz"), line("now small")).unwrap();
    });
    let answers = said.answers();
    assert!(answers.iter().all(|it| !it.ends_with(": OK")), "{answers:?}");
    assert_eq!(said.status, 1, "{answers:?}");
}
