//! Transfers on the media that carry them: file systems that change names, read-only mounts, other
//! owners and permissions; and that checking writes nothing into the directory.
//!
//! What this system can't mount is skipped, and the names that it would give are given by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::tools::run;
use crate::support::transfers::{Answer, Yard, snapshot};
use crate::support::{skip, strace};
use serde_json::Value;

fn yard() -> Yard {
    let yard = Yard::new();
    yard.package("release", "alpha-package-1.0.tar.gz", "the first", 1);
    yard.package("release", "packages/beta-package-1.0.tar.gz", "the second", 1);
    yard.image("release");
    yard.sealed("release");
    yard
}

/// Gives every file and directory another name.
fn renamed(folder: &Path, name: &dyn Fn(&str) -> String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            renamed(&path, name);
        }
        let new = name(path.file_name().unwrap().to_str().unwrap());
        fs::rename(&path, folder.join(new)).unwrap();
    }
}

/// Every `name-mangled` of a report: the name of the line, and the reason.
fn mangled(answer: &Answer) -> Vec<(String, String)> {
    let json = answer.whole.lines().take_while(|line| !line.starts_with("sealift:"));
    let report: Value = serde_json::from_str(&json.collect::<String>()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let reports = report["artifacts"].as_array().unwrap().iter();
    let mangled = reports.filter(|report| report["code"] == "name-mangled");
    mangled.map(|report| (text(&report["name"]), text(&report["reason"]))).collect()
}

#[test]
fn names_in_another_case_are_the_files_that_were_meant() {
    let yard = yard();
    for (case, said) in
        [(str::to_ascii_uppercase as fn(&str) -> String, true), (str::to_ascii_lowercase, false)]
    {
        let copy = yard.copy("release", "copy");
        renamed(&copy, &case);
        let answer = yard.answer("copy");
        assert!(answer.ok(), "{}", answer.text);
        // Of the names in lower case only SHA256SUMS is another, which is no file of the manifest.
        assert_eq!(answer.text.contains("in case only"), said, "{}", answer.text);
        // And no file more is let in by that.
        fs::write(copy.join("MORE"), "more").unwrap();
        assert_eq!(yard.answer("copy").status, 1);
    }
}

/// The stem and the ending of a name.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// FAT without long names, as Windows and Linux make them: `ALPHA-~1.GZ`.
fn fat(name: &str) -> String {
    let (stem, end) = parts(name);
    let stem: String = stem.chars().filter(|c| !". ".contains(*c)).collect();
    if stem.len() <= 8 && end.len() <= 3 && !name.contains(".json.") {
        return name.to_ascii_uppercase();
    }
    let number = name.len() % 9 + 1;
    let dot = if end.is_empty() { "" } else { "." };
    format!("{}~{number}{dot}{}", cut(&stem, 6), cut(end, 3)).to_ascii_uppercase()
}

/// ISO 9660, level 2: 31 characters, letters, digits and `_`.
fn iso(name: &str) -> String {
    let (stem, end) = parts(name);
    let fold = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let end = fold(&cut(end, 3));
    format!("{}.{end};1", cut(&fold(stem), 30 - end.len())).to_ascii_uppercase()
}

#[test]
fn cut_names_are_refused_with_the_names_that_were_meant() {
    let yard = yard();
    let files = ["alpha-package-1.0.tar.gz", "hello-image.tar", "hello_signature.bundle"];
    for change in [fat, iso] {
        let copy = yard.copy("release", "copy");
        for name in files {
            fs::rename(copy.join(name), copy.join(change(name))).unwrap();
        }
        let answer = yard.answer("copy");
        assert_eq!(answer.status, 1, "{}", answer.text);
        let found = mangled(&answer);
        for name in files {
            let names = format!("expected {name}, found {}", change(name));
            let said = found.iter().any(|(line, why)| line == name && why.ends_with(&names));
            assert!(said, "{names}: {found:?}: {}", answer.text);
        }
    }
    // So it is where the seal's own names are cut.
    let copy = yard.copy("release", "copy");
    fs::rename(copy.join("manifest.json"), copy.join("MANIFE~1.JSO")).unwrap();
    let answer = yard.answer("copy");
    assert_eq!((answer.status, answer.word().as_str()), (1, "name-mangled"), "{}", answer.text);
}

#[test]
fn an_artifact_that_is_no_file_is_said_to_be_none() {
    let yard = yard();
    for name in ["hello-image.tar", "alpha-package-1.0.tar.gz", "hello_signature.bundle"] {
        let path = yard.copy("release", "copy").join(name);
        fs::rename(&path, yard.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(yard.path("elsewhere"), &path).unwrap();
        let answer = yard.answer("copy");
        assert_eq!(answer.status, 1, "{}", answer.text);
        assert!(answer.text.contains("a symbolic link"), "{}", answer.text);
        assert!(answer.codes.contains(&"file-type-refused".to_owned()), "{}", answer.text);
    }
}

/// Something mounted, until it is dropped.
struct Mounted {
    at: PathBuf,
    with: &'static str,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let mut command = Command::new(self.with);
        if self.with == "fusermount" {
            command.arg("-u");
        }
        drop(command.arg(&self.at).stderr(Stdio::null()).status());
    }
}

/// Runs a program that may not be here, or may not work here.
fn try_run(program: &str, words: &[&str], folder: &Path) -> Result<(), String> {
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", said.trim())) }
}

/// Mounts a file at `mounted` in the yard: by the kernel, else by a FUSE program.
fn mounted(yard: &Yard, image: &str, kind: &str, fuse: (&str, &[&str])) -> Result<Mounted, String> {
    let at = yard.path("mounted");
    fs::create_dir_all(&at).unwrap();
    let options = format!("loop,ro,{kind}");
    let (kind, options) = options.rsplit_once(',').map(|(options, kind)| (kind, options)).unwrap();
    let folder = yard.path("");
    let kernel = try_run("mount", &["-t", kind, "-o", options, image, "mounted"], &folder);
    if kernel.is_ok() {
        return Ok(Mounted { at, with: "umount" });
    }
    let words: Vec<&str> = fuse.1.iter().copied().chain([image, "mounted"]).collect();
    let by_fuse = try_run(fuse.0, &words, &folder);
    let nothing = fs::read_dir(&at).map_or(true, |mut entries| entries.next().is_none());
    match by_fuse {
        Ok(()) if !nothing => Ok(Mounted { at, with: "fusermount" }),
        Ok(()) => {
            drop(Mounted { at, with: "fusermount" });
            Err(format!("{} shows nothing", fuse.0))
        }
        Err(why) => Err(format!("{}; {why}", kernel.unwrap_err())),
    }
}

#[test]
fn iso_9660() {
    let yard = yard();
    // Options of genisoimage, what the kernel is told, and whether the names come through.
    let variants: [(&[&str], &str, Option<bool>); 4] = [
        (&["-R"], "iso9660", Some(true)),
        (&["-J", "-joliet-long"], "iso9660", Some(true)),
        (&["-l"], "iso9660", None),
        (&[], "iso9660", Some(false)),
    ];
    for (options, kind, whole) in variants {
        let words = ["-quiet", "-o", "release.iso"].into_iter().chain(options.iter().copied());
        let words: Vec<&str> = words.chain(["release"]).collect();
        let made = try_run("genisoimage", &words, &yard.path(""));
        let mount = made.and_then(|()| mounted(&yard, "release.iso", kind, ("fuseiso", &[])));
        let _mount = match mount {
            Ok(mount) => mount,
            Err(why) => {
                skip(&format!("ISO 9660 with {options:?}: {why}"));
                continue;
            }
        };
        let answer = yard.answer("mounted");
        eprintln!("ISO 9660 with {options:?}: {}", answer.word());
        match whole {
            Some(true) => assert!(answer.ok(), "{options:?}: {}", answer.text),
            Some(false) => assert_eq!(answer.codes, ["name-mangled"], "{}", answer.text),
            None => assert_eq!(answer.status, 1, "{options:?}: {}", answer.text),
        }
    }
}

#[test]
fn fat_with_long_names_and_without() {
    let yard = yard();
    let folder = yard.path("");
    fs::write(folder.join("fat.img"), vec![0; 4 << 20]).unwrap();
    let made = try_run("mkfs.vfat", &["fat.img"], &folder)
        .and_then(|()| try_run("mcopy", &["-s", "-i", "fat.img", "release", "::/"], &folder));
    if let Err(why) = made {
        return skip(&format!("FAT: {why}"));
    }
    for (kind, long) in [("vfat", true), ("msdos", false)] {
        let fuse: (&str, &[&str]) =
            if long { ("fusefat", &["-o", "ro"]) } else { ("fusefat-without-long-names", &[]) };
        let _mount = match mounted(&yard, "fat.img", kind, fuse) {
            Ok(mount) => mount,
            Err(why) => {
                skip(&format!("{kind}: {why}"));
                continue;
            }
        };
        let answer = yard.answer("mounted/release");
        eprintln!("{kind}: {}", answer.word());
        if long {
            assert!(answer.ok(), "{kind}: {}", answer.text);
        } else {
            assert_eq!(answer.codes, ["seal-missing"], "{}", answer.text);
        }
    }
}

#[test]
fn a_read_only_mount() {
    let yard = yard();
    let folder = yard.path("");
    fs::create_dir(folder.join("mounted")).unwrap();
    if let Err(why) = try_run("mount", &["--bind", "release", "mounted"], &folder) {
        return skip(&format!("bind mount: {why}"));
    }
    let _mount = Mounted { at: folder.join("mounted"), with: "umount" };
    if let Err(why) = try_run("mount", &["-o", "remount,ro,bind", "mounted"], &folder) {
        return skip(&format!("read-only bind mount: {why}"));
    }
    assert!(fs::write(folder.join("mounted/probe"), "").is_err());
    let answer = yard.answer("mounted");
    assert!(answer.ok(), "{}", answer.text);
    // What can't be written is not sealed, and what was sealed stays.
    let ran = run(&mut yard.seal("mounted"));
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert!(ran.text().contains("write-failed"), "{}", ran.text());
    assert_eq!(yard.answer("mounted").text, answer.text);
}

/// Sets the permission bits of everything in a folder.
fn modes(folder: &Path, files: u32, folders: u32) {
    for name in snapshot(folder).keys().rev() {
        let path = folder.join(name);
        let mode = if path.is_dir() { folders } else { files };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
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
fn owners_and_permissions_that_a_medium_gives() {
    let yard = yard();
    let folder = yard.path("release");
    for (files, folders) in [(0o444, 0o555), (0o777, 0o777), (0o600, 0o700), (0o400, 0o500)] {
        modes(&folder, files, folders);
        let answer = yard.answer("release");
        assert!(answer.ok(), "{files:o}: {}", answer.text);
    }
    modes(&folder, 0o644, 0o755);
    // Another user, who may read the program, the keys and the folder.
    fs::set_permissions(yard.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let program = yard.path("sealift");
    fs::copy(env!("CARGO_BIN_EXE_sealift"), &program).unwrap();
    let mut verify = Command::new(&program);
    verify.args(yard.verify("release").get_args()).current_dir(yard.path(""));
    let able = as_nobody(&Command::new("true")).stderr(Stdio::null()).status();
    if !able.is_ok_and(|status| status.success()) {
        return skip("another user: setpriv can't become one");
    }
    let answer = Answer::new(run(&mut as_nobody(&verify)));
    assert!(answer.ok(), "{}", answer.text);
    // A file, a directory, and the folder itself that this user may not read.
    for name in
        ["hello-image.tar", "packages/beta-package-1.0.tar.gz", "SHA256SUMS", "packages", ""]
    {
        let path = folder.join(name);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let answer = Answer::new(run(&mut as_nobody(&verify)));
        assert_eq!(answer.status, 3, "{name}: {}", answer.text);
        assert!(answer.codes.contains(&"unreadable".to_owned()), "{name}: {}", answer.text);
        fs::set_permissions(&path, before).unwrap();
    }
}

#[test]
fn checking_writes_nothing_into_the_directory() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    let folder = yard.path("release");
    fs::write(yard.path("release.tar"), "damaged").unwrap();
    let before = snapshot(&folder);
    let mut state = yard.verify("release");
    state.args(["--state", "state.json", "--init-state"]);
    let mut full = yard.verify("release");
    full.arg("--full-digest");
    let mut unsealed = crate::support::sealift();
    unsealed.current_dir(yard.path("")).args(["verify", "-q", "--jobs", "1", "--unsealed"]);
    unsealed.args(["--key", "vendor-1.pub", "--insecure-ignore-tlog"]).arg(&folder);
    let mut inspect = crate::support::sealift();
    inspect.current_dir(yard.path("")).arg("inspect").arg(folder.join("hello-image.tar"));
    let mut wrote = 0;
    let commands = [yard.verify("release"), full, unsealed, inspect, state];
    for damaged in [false, true] {
        if damaged {
            fs::write(folder.join("hello-image.tar"), "damaged").unwrap();
        }
        for command in &commands {
            let (_, calls) = strace::record(command);
            assert!(calls.iter().any(|call| call.touches(&folder)), "it read nothing there");
            for call in calls.iter().filter(|call| call.writes()) {
                assert!(!call.touches(&folder), "{}", call.shown());
                wrote += 1;
            }
        }
    }
    // The state file, beside the directory: so a write would have been seen.
    assert!(wrote > 0);
    fs::copy(crate::support::transfers::example("hello-image.tar"), folder.join("hello-image.tar"))
        .unwrap();
    assert_eq!(snapshot(&folder), before);
}
