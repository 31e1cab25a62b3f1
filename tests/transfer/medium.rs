//! What media and file systems do to a directory: other names, other kinds of files, permissions.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::room::Room;
use crate::support::skip;
use crate::support::tools::run;

/// Gives every file the name that `change` makes of it, directories included.
fn rename_all(room: &Room, change: impl Fn(&str) -> String) {
    for name in room.files() {
        let bytes = room.read(&name);
        room.remove(&name);
        room.write(&change(&name), bytes);
    }
    for folder in ["trust/keys", "trust", "tools"] {
        let _ = fs::remove_dir(room.path(folder));
    }
}

#[test]
fn a_medium_without_case_changes_nothing() {
    let changes: [fn(&str) -> String; 3] =
        [str::to_ascii_uppercase, str::to_ascii_lowercase, |name| {
            name.chars()
                .enumerate()
                .map(
                    |(n, c)| {
                        if n % 2 == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
                    },
                )
                .collect()
        }];
    for change in changes {
        let room = Room::sealed();
        rename_all(&room, change);
        room.verify("").accepted(2);
        let folded =
            Room::sealed().manifest().files.iter().filter(|it| change(&it.path) != it.path).count();
        let told = format!("note: {folded} file names differ from the sealed ones in case only");
        let answer = room.verify("-v").exit(0);
        assert_eq!(answer.0.stdout.contains(&told), folded > 0, "{}", answer.0.stdout);
        room.verify("--full-digest --key vendor.pub").accepted(2);
        // The names are folded, the bytes are not.
        let name = change("hello-image.tar");
        room.write(&name, b"x");
        room.verify("").exit(1).says("hello-image.tar: FAILED (file-mismatch: ");
    }
}

#[test]
fn cut_names_are_told_and_not_accepted() {
    for (meant, found) in [
        ("hello-image.tar", "HELLO_IM.TAR"),
        ("hello-image.tar", "hello-~1.tar"),
        ("hello_signature.bundle", "HELLO_SI.BUN"),
        ("tools/verify-with-openssl.sh", "tools/VERIFY_W.SH"),
        ("trusted_root.json", "TRUSTED_.JSO"),
    ] {
        let room = Room::sealed();
        room.rename(meant, found);
        let answer = room.verify("").exit(1).says(&format!("{meant}: FAILED (name-mangled: "));
        answer.mentions(&format!("expected {meant}, found {found}")).never_mentions("EXTRA");
    }
}

#[test]
fn two_that_it_could_be_are_none() {
    let room = Room::sealed();
    let bytes = room.read("hello-image.tar");
    room.rename("hello-image.tar", "HELLO_IM.TAR");
    room.write("hello-~1.tar", bytes);
    let answer = room.verify("").exit(1);
    answer
        .says("hello-image.tar: MISSING (file-missing: ")
        .says("HELLO_IM.TAR: EXTRA (file-extra: ")
        .says("hello-~1.tar: EXTRA (file-extra: ");
    // Two that differ in case only, and neither is the sealed name.
    let room = Room::sealed();
    let bytes = room.read("hello-image.tar");
    room.rename("hello-image.tar", "HELLO-IMAGE.TAR");
    room.write("Hello-Image.Tar", bytes);
    let answer = room.verify("").exit(1).mentions("FAILED (name-collision: ");
    answer.says("hello-image.tar: MISSING (file-missing: ");
}

#[test]
fn names_that_differ_in_case_collide_beside_the_right_one() {
    for (right, other) in [
        ("hello-image.tar", "HELLO-IMAGE.tar"),
        ("vendor.pub", "Vendor.pub"),
        ("trust/trusted_root.json", "TRUST/trusted_root.json"),
        ("tools/verify-with-openssl.sh", "tools/Verify-with-openssl.sh"),
    ] {
        let room = Room::sealed();
        room.write(other, room.read(right));
        let answer = room.verify("").exit(1).says(&format!("{other}: FAILED (name-collision: "));
        answer.says("d: FAILED (transfer-not-verified: ");
    }
}

#[test]
fn a_seal_s_own_names_collide_too() {
    for (right, other) in [
        ("manifest.json", "MANIFEST.JSON"),
        ("manifest.json.sig", "Manifest.json.sig"),
        ("SHA256SUMS", "sha256sums"),
    ] {
        let room = Room::sealed();
        room.write(other, room.read(right));
        let answer = room.verify("");
        assert_eq!(answer.0.status, Some(1), "{other}: {}", answer.0.text());
        assert!(!answer.0.stdout.contains("d: OK ("), "{other}: {}", answer.0.text());
    }
}

#[test]
fn links_are_not_followed() {
    for name in Room::sealed().files() {
        let room = Room::sealed();
        let beside = room.beside("real");
        fs::rename(room.path(&name), &beside).unwrap();
        symlink(&beside, room.path(&name)).unwrap();
        let answer = room.verify("");
        let text = answer.0.text();
        assert!(text.contains("FAILED (file-type-refused: "), "{name}: {text}");
        answer.exit(1);
    }
    for folder in ["trust", "tools", "trust/keys"] {
        let room = Room::sealed();
        let beside = room.beside("real");
        fs::rename(room.path(folder), &beside).unwrap();
        symlink(&beside, room.path(folder)).unwrap();
        room.verify("").exit(1).says(&format!("{folder}: FAILED (file-type-refused: "));
    }
    // One that leads nowhere, and one that leads to itself.
    for target in ["nowhere", "link", "..", "/"] {
        let room = Room::sealed();
        symlink(target, room.path("link")).unwrap();
        room.verify("").exit(1).says("link: FAILED (file-type-refused: ");
    }
    // The directory itself may be reached by a link: the operator named it.
    let room = Room::sealed();
    symlink("d", room.beside("link")).unwrap();
    room.run("verify link --transfer-key transfer.pub").exit(0).says("link: OK (transfer, ");
}

#[test]
fn pipes_and_sockets_are_not_opened() {
    for name in ["extra", "hello-image.tar", "trust/pipe", "manifest.json", "SHA256SUMS"] {
        let room = Room::sealed();
        let _ = fs::remove_file(room.path(name));
        let made = Command::new("mkfifo").arg(room.path(name)).status();
        assert!(made.is_ok_and(|it| it.success()), "mkfifo");
        let answer = room.verify("");
        let text = answer.0.text();
        assert!(text.contains("FAILED (file-type-refused: "), "{name}: {text}");
        answer.exit(1);

        let room = Room::sealed();
        let _ = fs::remove_file(room.path(name));
        let _socket = UnixListener::bind(room.path(name)).unwrap();
        let answer = room.verify("");
        let text = answer.0.text();
        assert_eq!(
            answer.0.status,
            if name.starts_with("manifest") || name.starts_with("SHA") {
                answer.0.status.filter(|it| [1, 3].contains(it))
            } else {
                Some(1)
            },
            "{name}: {text}"
        );
        assert!(!text.contains("d: OK ("), "{name}: {text}");
    }
}

#[test]
fn hard_links_are_files_and_empty_directories_are_nothing() {
    let room = Room::sealed();
    let beside = room.beside("real");
    fs::rename(room.path("hello-image.tar"), &beside).unwrap();
    fs::hard_link(&beside, room.path("hello-image.tar")).unwrap();
    fs::create_dir_all(room.path("empty/in/empty")).unwrap();
    fs::create_dir(room.path("lost+found")).unwrap();
    room.verify("").accepted(2);
    // A directory in a file's place is a file that is not there.
    let room = Room::sealed();
    room.remove("vendor.pub");
    fs::create_dir(room.path("vendor.pub")).unwrap();
    room.verify("").exit(1).says("vendor.pub: MISSING (file-missing: ");
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let room = Room::sealed();
    let name = std::ffi::OsStr::from_bytes(b"bad\xff");
    if fs::write(room.dir().join(name), b"x").is_err() {
        skip("names that are no text: the file system refuses them");
        return;
    }
    room.verify("").exit(1).mentions("FAILED (file-type-refused: ");
    let room = Room::sealed();
    room.write("bell\u{7}\u{1b}[2J", b"x");
    let answer = room.verify("").exit(1).mentions("EXTRA (file-extra: ");
    assert!(!answer.0.stdout.contains(['\u{7}', '\u{1b}']), "{:?}", answer.0.stdout);
}

/// Removes or gives back the right to write, to everything in the directory.
fn writable(room: &Room, yes: bool) {
    let entries: Vec<_> = walkdir::WalkDir::new(room.dir())
        .contents_first(true)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    for entry in entries {
        let mode = entry.metadata().unwrap().mode();
        let mode = if yes { mode | 0o200 } else { mode & !0o222 };
        fs::set_permissions(entry.path(), Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn checking_writes_nothing_and_needs_no_right_to() {
    let room = Room::sealed();
    writable(&room, false);
    let before = room.state_of_disk();
    room.verify("").accepted(2);
    room.verify("--state state.json --init-state").accepted(2);
    room.run("verify d --key vendor.pub").exit(2);
    assert_eq!(room.state_of_disk(), before);
    writable(&room, true);
    // Refusals write nothing either.
    room.write("extra", b"x");
    let before = room.state_of_disk();
    room.verify("").exit(1);
    room.verify("--state other.json --init-state").exit(1);
    assert_eq!(room.state_of_disk(), before);
}

#[test]
fn permissions_are_not_part_of_a_transfer() {
    let room = Room::sealed();
    for (number, name) in room.files().iter().enumerate() {
        let mode = [0o777, 0o400, 0o755, 0o4755, 0o600][number % 5];
        fs::set_permissions(room.path(name), Permissions::from_mode(mode)).unwrap();
    }
    room.verify("").accepted(2);
}

#[test]
fn what_can_t_be_read_is_not_decided() {
    let room = Room::sealed();
    let root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
    let program = env!("CARGO_BIN_EXE_sealift");
    let command = || {
        let mut command = if root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(room.beside("")).env_remove("SEALIFT_TRUST");
        command.args(["verify", "d", "--transfer-key", "transfer.pub"]);
        command
    };
    fs::set_permissions(room.beside(""), Permissions::from_mode(0o755)).unwrap();
    let Ok(output) = command().output() else {
        skip("files that can't be read: there is no setpriv");
        return;
    };
    if output.status.code() != Some(0) {
        skip("files that can't be read: nobody can't run the program here");
        return;
    }
    for (name, line) in [
        ("hello-image.tar", "hello-image.tar: UNDECIDED (unreadable: "),
        ("vendor.pub", "vendor.pub: UNDECIDED (unreadable: "),
        ("manifest.json", "d: UNDECIDED (unreadable: "),
        ("manifest.json.sig", "d: UNDECIDED (unreadable: "),
        ("SHA256SUMS", "d: UNDECIDED (unreadable: "),
        ("trust/keys", "d: UNDECIDED (unreadable: "),
    ] {
        let path = room.path(name);
        let mode = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        let ran = run(&mut command());
        fs::set_permissions(&path, mode).unwrap();
        assert!(ran.stdout.contains(line), "{name}: {}", ran.text());
        assert!(!ran.stdout.contains("d: OK ("), "{name}: {}", ran.text());
        assert_eq!(ran.status, Some(3), "{name}: {}", ran.text());
    }
    // A bundle that can't be read: the artifact is not decided, and nothing is OK.
    let path = room.path("hello_signature.bundle");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let ran = run(&mut command());
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert!(!ran.stdout.contains("hello-image.tar: OK ("), "{}", ran.text());
}
