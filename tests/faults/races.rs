//! Directories that change while they are read, and reads that fail: every answer is a refusal or
//! what was sealed, never a mixture, and never success for bytes that were not read.
//!
//! Two ways: the program is stopped after each of its system calls in the directory while something
//! is changed there (and, in a second run, changed back after the next call); and threads that
//! change things as fast as they can while the program runs again and again.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::count::Count;
use crate::support::strace::{self, Call, Stopping};
use crate::support::tools::run;
use crate::support::transfers::{Answer, Yard, example, is_whole, restore, snapshot};
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// A sealed transfer `release`, and another one of the same names, `evil`, sealed by the same key.
fn yard() -> Yard {
    let yard = Yard::new();
    for (folder, word) in [("release", "genuine"), ("evil", "evil")] {
        yard.package(folder, "alpha-1.0.tar.gz", &format!("{word}: the first"), 1);
        yard.package(folder, "sub/beta-1.0.tar.gz", &format!("{word}: the second"), 1);
    }
    yard.image("release");
    yard.sealed("release");
    yard.sealed("evil");
    yard
}

/// The calls of a command that read something in a folder of the yard.
fn reads(yard: &Yard, calls: &[Call], folder: &str) -> Vec<Call> {
    let folder = yard.path(folder);
    let names = ["read", "pread64", "getdents64", "openat", "fstat", "statx", "newfstatat"];
    calls
        .iter()
        .filter(|call| names.contains(&call.name.as_str()) && call.touches(&folder))
        .filter(|call| !call.writes())
        .cloned()
        .collect()
}

/// All calls of a `verify`.
fn recorded(yard: &Yard) -> Vec<Call> {
    let (ran, calls) = strace::record(&yard.verify("release"));
    ran.succeeded();
    calls
}

fn is_read(call: &Call) -> bool {
    matches!(call.name.as_str(), "read" | "pread64")
}

/// Whether every call is met. Else calls of the same kind for the same thing are met once, or twice.
fn every_call() -> bool {
    std::env::var_os("SEALIFT_EVERY_CALL").is_some()
}

/// The calls at which something is injected. The program makes most of them several times over: when it looks ahead,
/// when it checks, and when it lists once more at the end. The first and the last such call stand for all of them.
fn sites(calls: Vec<Call>) -> Vec<Call> {
    if every_call() {
        return calls;
    }
    let keys: Vec<String> = calls.iter().map(site).collect();
    let mut at = 0;
    let mut calls = calls;
    calls.retain(|_| {
        let (before, after) = (&keys[..at], &keys[at + 1..]);
        let inner = before.contains(&keys[at]) && after.contains(&keys[at]);
        at += 1;
        !inner
    });
    calls
}

/// What a call asks, and of what: without the number of the descriptor, addresses and sizes of buffers.
fn site(call: &Call) -> String {
    let parts: Vec<&str> = call.arguments.split(", ").collect();
    let (_, path) = parts[0].split_once('<').unwrap_or(("", parts[0]));
    let more = match call.name.as_str() {
        "openat" => parts[1..].join(" "),
        "newfstatat" | "statx" => parts[1].to_owned(),
        "pread64" => parts[parts.len() - 1].to_owned(),
        _ => String::new(),
    };
    format!("{} {path} {more}", call.name)
}

/// How many bytes a call gave.
fn given(call: &Call) -> usize {
    call.result.split(' ').next().unwrap().parse().unwrap_or(0)
}

/// An archive that can't be read by its segments is read once more, from its first byte to its last.
#[track_caller]
fn read_again(answer: &Answer, genuine: &Answer, what: &str) {
    let segments = "\"by\": \"segments\"";
    assert!(genuine.text.contains(segments) && !answer.text.contains(segments), "{what}");
    let whole = genuine.text.replace(segments, "\"by\": \"whole file\"");
    assert_eq!(answer.text, whole, "{what}");
}

#[test]
fn a_call_that_fails_is_never_success() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    let genuine = yard.answer("release");
    assert!(genuine.ok(), "{}", genuine.text);
    let mut count = Count::default();
    let calls = reads(&yard, &recorded(&yard), "release");
    assert!(calls.iter().filter(|call| is_read(call)).count() > 40);
    let mut opened = BTreeSet::new();
    for call in &sites(calls) {
        let errors: &[&str] = match call.name.as_str() {
            "openat" if every_call() || opened.insert(site(call)) => &["EACCES", "EMFILE", "EIO"],
            _ => &["EIO"],
        };
        for error in errors {
            let what = format!("{error} for {}", call.shown());
            let injected = strace::inject(&yard.verify("release"), call, &format!("error={error}"));
            assert!(injected.met, "{what}: it did not come");
            let answer = Answer::new(injected.ran);
            // Resumed after another thread's call it is written with a second blank.
            let whole = call.arguments.split_once("/release>,");
            let whole = whole.is_some_and(|(_, rest)| rest.trim_start().starts_with('{'));
            if answer.ok() && (call.name == "statx" || (call.name == "fstat" && whole)) {
                // Asked for the size of a buffer or of the progress bar, or whether the program
                // lies in the directory: no answer depends on it.
                assert_eq!(answer.text, genuine.text, "{what}");
                count.add(format!("{}: OK without it", call.name));
                continue;
            }
            if call.name == "pread64" && answer.ok() {
                read_again(&answer, &genuine, &what);
                count.add(format!("{}: OK, read again as a whole", call.name));
                continue;
            }
            assert!(!answer.ok(), "{what}: {}", answer.text);
            // A path that can't be asked what it is counts as a file, for which a key must be named.
            let asked = call.name == "statx" && answer.codes == ["no-key"];
            let unreadable = answer.codes.iter().any(|code| code == "unreadable");
            assert!(unreadable || asked, "{what}: {}", answer.text);
            count.add(format!("{}: exit {}, {}", call.name, answer.status, answer.word()));
        }
    }
    count.print("verify, failing calls");
}

#[test]
fn an_interrupted_read_is_read_again() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    let genuine = yard.answer("release");
    let mut count = Count::default();
    let mut calls = reads(&yard, &recorded(&yard), "release");
    calls.retain(is_read);
    for call in &sites(calls) {
        let injected = strace::inject(&yard.verify("release"), call, "error=EINTR");
        assert!(injected.met, "{}", call.shown());
        let answer = Answer::new(injected.ran);
        assert!(answer.ok(), "EINTR for {}: {}", call.shown(), answer.text);
        assert_eq!(answer.text, genuine.text, "EINTR for {}", call.shown());
        count.add("OK");
    }
    count.print("verify, EINTR");
}

#[test]
fn a_file_that_ends_too_early_or_gives_other_bytes_is_refused() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    let genuine = yard.answer("release");
    let mut count = Count::default();
    let mut calls = reads(&yard, &recorded(&yard), "release");
    calls.retain(|call| is_read(call) && given(call) > 1);
    for call in &sites(calls) {
        // The kernel fills nothing: the second is a read of whatever lies in the buffer.
        for returned in [0, given(call) - 1] {
            let what = format!("{returned} bytes from {}", call.shown());
            let program = yard.verify("release");
            let injected = strace::inject(&program, call, &format!("retval={returned}"));
            assert!(injected.met, "{what}: it did not come");
            let answer = Answer::new(injected.ran);
            if call.name == "pread64" && answer.text == genuine.text {
                // Padding was not read into a buffer of zeros: nothing is different.
                let at: usize = call.arguments.rsplit(", ").next().unwrap().parse().unwrap();
                let bytes = fs::read(example("hello-image.tar")).unwrap();
                assert!(bytes[at..at + returned].iter().all(|byte| *byte == 0), "{what}");
                count.add("OK, zeros");
                continue;
            }
            if call.name == "pread64" && answer.ok() {
                read_again(&answer, &genuine, &what);
                count.add("OK, read again as a whole");
                continue;
            }
            assert!(!answer.ok(), "{what}: {}", answer.text);
            count.add(format!("exit {}, {}", answer.status, answer.word()));
        }
    }
    count.print("verify, short reads");
}

#[test]
fn a_seal_that_can_not_read_writes_nothing_that_verifies() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    for name in ["manifest.json", "manifest.json.sig", "manifest.json.sigstore.json", "SHA256SUMS"]
    {
        fs::remove_file(yard.path("release").join(name)).unwrap();
    }
    let before = snapshot(&yard.path("release"));
    let (ran, calls) = strace::record(&yard.seal("release"));
    ran.succeeded();
    let mut count = Count::default();
    for call in sites(reads(&yard, &calls, "release")) {
        fs::remove_dir_all(yard.path("release")).unwrap();
        restore(&yard.path("release"), &before);
        let injected = strace::inject(&yard.seal("release"), &call, "error=EIO");
        let what = format!("EIO for {}", call.shown());
        assert!(injected.met, "{what}: it did not come");
        let (status, text) = (injected.ran.status, injected.ran.text());
        assert!(matches!(status, Some(0..=3)), "{what}: {text}");
        let answer = yard.answer("release");
        if status == Some(0) {
            // The size of a buffer; or whether there was an older seal.
            assert!(!is_read(&call) && answer.ok(), "{what}: {text} {}", answer.text);
            is_whole(&snapshot(&yard.path("release")));
            count.add(format!("{}: sealed without it", call.name));
        } else {
            assert!(text.contains("unreadable") || text.contains("write-failed"), "{what}: {text}");
            assert!(
                answer.codes == ["seal-missing"] || answer.codes == ["seal-incomplete"],
                "{what}: {}",
                answer.text
            );
            count.add(format!("{}: not sealed, {}", call.name, answer.word()));
        }
    }
    count.print("seal, failing reads");
}

/// Something that happens to the directory, and how it is undone.
struct Change {
    name: &'static str,
    /// What is changed.
    path: &'static str,
    /// Whether an open file sees it. A new name does not change what is open.
    in_place: bool,
    act: fn(&Yard),
    undo: fn(&Yard),
}

impl Change {
    /// Whether a call can tell that something is changed.
    fn concerns(&self, yard: &Yard, call: &Call) -> bool {
        let path = yard.path(self.path);
        let (parent, name) =
            (path.parent().unwrap().display(), path.file_name().unwrap().display());
        let parts = [format!("\"{}", path.display()), format!("<{parent}>, \"{name}")];
        let named = parts.iter().any(|part| call.arguments.contains(part));
        let listed = call.name == "getdents64" && call.arguments.contains(&format!("<{parent}>"));
        named || listed || (self.in_place && call.touches(&path))
    }
}

fn swap(yard: &Yard, a: &str, b: &str) {
    renameat_with(CWD, yard.path(a), CWD, yard.path(b), RenameFlags::EXCHANGE).unwrap();
}

/// What lies ready to be swapped in.
fn prepare(yard: &Yard) {
    symlink(yard.path("evil/sub"), yard.path("sub-link")).unwrap();
    symlink(yard.path("evil/alpha-1.0.tar.gz"), yard.path("alpha-link")).unwrap();
    fs::copy(example("tampered-image.tar"), yard.path("tampered.tar")).unwrap();
    symlink(yard.path("tampered.tar"), yard.path("image-link")).unwrap();
    yard.copy("evil/sub", "sub-evil");
    symlink(yard.path("evil"), yard.path("whole-link")).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn cut(path: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
}

const IMAGE: &str = "release/hello-image.tar";

const CHANGES: [Change; 8] = [
    Change {
        name: "a directory becomes a link",
        path: "release/sub",
        in_place: false,
        act: |yard| swap(yard, "release/sub", "sub-link"),
        undo: |yard| swap(yard, "release/sub", "sub-link"),
    },
    Change {
        name: "a directory becomes another",
        path: "release/sub",
        in_place: false,
        act: |yard| swap(yard, "release/sub", "sub-evil"),
        undo: |yard| swap(yard, "release/sub", "sub-evil"),
    },
    Change {
        name: "a package becomes a link",
        path: "release/alpha-1.0.tar.gz",
        in_place: false,
        act: |yard| swap(yard, "release/alpha-1.0.tar.gz", "alpha-link"),
        undo: |yard| swap(yard, "release/alpha-1.0.tar.gz", "alpha-link"),
    },
    Change {
        name: "an image becomes a link",
        path: IMAGE,
        in_place: false,
        act: |yard| swap(yard, IMAGE, "image-link"),
        undo: |yard| swap(yard, IMAGE, "image-link"),
    },
    Change {
        name: "an image becomes another",
        path: IMAGE,
        in_place: false,
        act: |yard| swap(yard, IMAGE, "tampered.tar"),
        undo: |yard| swap(yard, IMAGE, "tampered.tar"),
    },
    Change {
        name: "an image is written over",
        path: IMAGE,
        in_place: true,
        act: |yard| fs::copy(example("tampered-image.tar"), yard.path(IMAGE)).map(drop).unwrap(),
        undo: |yard| fs::copy(example("hello-image.tar"), yard.path(IMAGE)).map(drop).unwrap(),
    },
    Change {
        name: "an image grows",
        path: IMAGE,
        in_place: true,
        act: |yard| append(&yard.path(IMAGE), &[0; 512]),
        undo: |yard| cut(&yard.path(IMAGE), 512),
    },
    Change {
        name: "the whole directory becomes another transfer",
        path: "release",
        in_place: false,
        act: |yard| swap(yard, "release", "whole-link"),
        undo: |yard| swap(yard, "release", "whole-link"),
    },
];

/// The calls after which something is changed, and whether it is changed back after the next call of that name.
///
/// Two stops between which no call can see the change are one: of those the last is taken. So is the very last
/// stop, when all is read.
fn stops<'a>(yard: &Yard, calls: &'a [Call], change: &Change) -> Vec<(&'a Call, bool)> {
    let folder = yard.path("release");
    let is_stop = |call: &Call| {
        // A file that is changed in place, at every read; the rest where something is opened.
        call.touches(&folder)
            && match call.name.as_str() {
                "openat" | "getdents64" => !call.writes(),
                _ => change.in_place && is_read(call) && call.touches(&yard.path(change.path)),
            }
    };
    let seen =
        |calls: &[Call]| every_call() || calls.iter().any(|call| change.concerns(yard, call));
    let mut stops = Vec::new();
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| is_stop(call)) {
        let rest = &calls[at + 1..];
        let next = rest.iter().position(is_stop);
        if next.is_none_or(|next| seen(&rest[..=next])) {
            stops.push((call, false));
        }
        let next = rest.iter().position(|it| it.name == call.name);
        if next.is_none_or(|next| seen(&rest[..=next])) {
            stops.push((call, true));
        }
    }
    stops
}

#[test]
fn a_directory_that_changes_between_two_calls_is_what_was_sealed_or_refused() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    prepare(&yard);
    let genuine = yard.answer("release").text;
    // The second reading, if the first met something else than the manifest's segments.
    let whole = genuine.replace("\"by\": \"segments\"", "\"by\": \"whole file\"");
    swap(&yard, "release", "evil");
    let evil = yard.answer("release");
    assert!(evil.ok(), "{}", evil.text);
    swap(&yard, "release", "evil");
    let calls = recorded(&yard);
    for change in &CHANGES {
        let mut count = Count::default();
        for (stop, undone) in stops(&yard, &calls, change) {
            let what = format!("{} after {}, undone: {undone}", change.name, stop.shown());
            let mut running =
                Stopping::start(&yard.verify("release"), stop, if undone { 2 } else { 1 });
            assert!(running.wait(), "{what}: no stop");
            (change.act)(&yard);
            running.go();
            let back = undone && running.wait();
            if back {
                (change.undo)(&yard);
                running.go();
            }
            let answer = Answer::new(running.end());
            if !back {
                (change.undo)(&yard);
            }
            if answer.ok() {
                let known = [&genuine, &whole, &evil.text].contains(&&answer.text);
                assert!(known, "{what}: {}", answer.text);
            }
            count.add(answer.word());
        }
        count.print(change.name);
        assert!(count.0["OK"] > 0 || change.name.contains("whole"));
        assert_eq!(yard.answer("release").text, genuine, "{}: not undone", change.name);
    }
}

#[test]
fn a_second_transfer_that_changes_while_the_first_is_read_is_refused() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    for folder in ["both/a", "both/b", "other"] {
        yard.package(folder, "alpha-1.0.tar.gz", folder, 1);
    }
    for folder in ["both/a", "both/b"] {
        let stream = folder.replace('/', "-");
        run(yard.seal(folder).args(["--stream", &stream])).succeeded();
    }
    let commands: [fn(&Yard) -> Command; 2] = [
        |yard| yard.verify("both"),
        |yard| {
            let mut command = yard.verify("both/a");
            command.arg(yard.path("both/b"));
            command
        },
    ];
    let (b, aside) = (yard.path("both/b"), yard.path("aside"));
    let extra = b.join("extra.sh");
    for command in commands {
        let (ran, calls) = strace::record(&command(&yard));
        ran.succeeded();
        let first = yard.path("both/a/alpha-1.0.tar.gz");
        let read = calls.iter().rfind(|call| call.touches(&first)).unwrap();
        let changes: [(&str, Act<'_>, Act<'_>); 3] = [
            ("file-extra", &|| fs::write(&extra, "x").unwrap(), &|| {
                fs::remove_file(&extra).unwrap()
            }),
            (
                "seal-incomplete",
                &|| fs::write(b.join("manifest.json.sealift-tmp"), "").unwrap(),
                &|| fs::remove_file(b.join("manifest.json.sealift-tmp")).unwrap(),
            ),
            (
                "seal-missing",
                &|| {
                    fs::rename(&b, &aside).unwrap();
                    fs::rename(yard.path("other"), &b).unwrap();
                },
                &|| {
                    fs::rename(&b, yard.path("other")).unwrap();
                    fs::rename(&aside, &b).unwrap();
                },
            ),
        ];
        for (code, change, undo) in changes {
            let mut running = Stopping::start(&command(&yard), read, 1);
            assert!(running.wait(), "{code}: no stop at {}", read.shown());
            change();
            running.go();
            let answer = Answer::new(running.end());
            undo();
            assert_eq!(answer.status, 1, "{code}: {}", answer.text);
            assert!(answer.codes.iter().any(|found| found == code), "{code}: {}", answer.text);
        }
    }
}

/// Something that is done to the yard, or undone.
type Act<'a> = &'a dyn Fn();

/// Something that happens to a folder.
type Happening = fn(&Path);

#[test]
fn what_changes_while_it_is_sealed_is_noticed() {
    if !strace::works() {
        return;
    }
    let yard = yard();
    let before = snapshot(&yard.path("release"));
    let (ran, calls) = strace::record(&yard.seal("release"));
    ran.succeeded();
    let folder = yard.path("release");
    let stops: Vec<Call> = calls
        .iter()
        .filter(|call| call.touches(&folder) && !call.result.starts_with('-'))
        // Nothing of the release is looked at while these are written.
        .filter(|call| {
            call.name == "renameat"
                || !["trust", "tools"].iter().any(|own| call.touches(&folder.join(own)))
        })
        .filter(|call| {
            call.name != "openat"
                || !["trust", "tools", "tmp\""].iter().any(|it| call.arguments.contains(it))
        })
        .filter(|call| matches!(call.name.as_str(), "openat" | "getdents64" | "read" | "renameat"))
        .cloned()
        .collect();
    let stops = sites(stops);
    let changes: [(&str, Happening); 4] = [
        ("a file is added", |folder| fs::write(folder.join("late.txt"), "late").unwrap()),
        ("a link is added", |folder| {
            drop(symlink(folder.join("alpha-1.0.tar.gz"), folder.join("sub/late.txt")));
        }),
        ("a file is removed", |folder| drop(fs::remove_file(folder.join("sub/beta-1.0.tar.gz")))),
        ("a file is written over", |folder| {
            fs::write(folder.join("alpha-1.0.tar.gz"), "another 1st content").unwrap();
        }),
    ];
    for (name, change) in changes {
        let mut count = Count::default();
        // Where something is added is the case that the sealer itself must notice.
        for stop in stops.iter().step_by(if name.contains("added") { 1 } else { 3 }) {
            fs::remove_dir_all(&folder).unwrap();
            restore(&folder, &before);
            let what = format!("{name} after {}", stop.shown());
            let mut running = Stopping::start(&yard.seal("release"), stop, 1);
            assert!(running.wait(), "{what}: no stop");
            change(&folder);
            running.go();
            let ran = running.end();
            assert!(matches!(ran.status, Some(0..=3)), "{what}: {}", ran.text());
            let answer = yard.answer("release");
            // Whatever the sealer noticed: none of the four is a transfer that verifies.
            assert!(!answer.ok(), "{what}: {}", answer.text);
            let sealed = if ran.status == Some(0) { "sealed" } else { "not sealed" };
            count.add(format!("{sealed}, {}", answer.word()));
        }
        count.print(name);
    }
}

/// Runs verify again and again while a thread changes something.
fn meanwhile(yard: &Yard, what: &str, accepted: &[&str], change: impl Fn() + Sync) {
    let runs = if every_call() { 80 } else { 25 };
    let stop = AtomicBool::new(false);
    let mut count = Count::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                change();
            }
        });
        // A failed assertion in here would leave the thread running for ever.
        let answers: Vec<Answer> = (0..runs).map(|_| yard.answer("release")).collect();
        stop.store(true, Ordering::Relaxed);
        for answer in answers {
            assert!(!answer.ok() || accepted.contains(&&*answer.text), "{what}: {}", answer.text);
            count.add(answer.word());
        }
    });
    count.print(what);
}

#[test]
fn threads_that_change_the_directory_meanwhile() {
    let yard = yard();
    prepare(&yard);
    let genuine = yard.answer("release").text;
    // The second reading, if the first met something else than the manifest's segments.
    let whole = genuine.replace("\"by\": \"segments\"", "\"by\": \"whole file\"");
    swap(&yard, "release", "evil");
    let evil = yard.answer("release").text;
    swap(&yard, "release", "evil");
    for change in &CHANGES {
        meanwhile(&yard, change.name, &[&genuine, &whole, &evil], || {
            (change.act)(&yard);
            (change.undo)(&yard);
        });
    }
    assert_eq!(yard.answer("release").text, genuine);
}
