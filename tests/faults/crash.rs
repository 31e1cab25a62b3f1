//! `sealift seal`, `verify --state` and `keygen` killed before every call that changes anything on the
//! disk, and every such call failing: a directory is the old transfer, the new one, or says that
//! sealing was interrupted; and the same command completes it.
//!
//! What lies on the disk changes by these calls only, so a kill before each of them and one after
//! the last meet every state that a dead process can leave. A power cut can leave others; for that
//! the order of the syncs is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::count::Count;
use crate::support::sealift;
use crate::support::strace::{self, Call};
use crate::support::tools::{Ran, run};
use crate::support::transfers::{
    Answer, Snapshot, Yard, is_whole, manifest_digest, restore, snapshot,
};

/// The calls by which a program changes something, and the first one after the last of them.
fn points(calls: &[Call]) -> Vec<Call> {
    let last = calls.iter().rposition(Call::writes).unwrap();
    let mut points: Vec<Call> = calls.iter().filter(|call| call.writes()).cloned().collect();
    points.extend(calls[last + 1..].iter().find(|call| call.name == "write").cloned());
    points
}

fn codes(answer: &Answer) -> Vec<&str> {
    answer.codes.iter().map(String::as_str).collect()
}

/// Paths, their lengths, and whether they are as they were.
type State = BTreeSet<(String, Option<usize>, bool)>;

/// A folder before it is sealed, and what may lie in it that sealing did not put there.
struct Scene<'a> {
    yard: &'a Yard,
    folder: &'static str,
    before: Snapshot,
    release: Snapshot,
    /// The answer for the folder as it is before sealing.
    first: Answer,
}

impl<'a> Scene<'a> {
    fn new(yard: &'a Yard, folder: &'static str) -> Self {
        let before = snapshot(&yard.path(folder));
        Self { yard, folder, release: release(&before), first: yard.answer(folder), before }
    }

    /// The folder as it was, for another run.
    fn again(&self) {
        let path = self.yard.path(self.folder);
        fs::remove_dir_all(&path).unwrap();
        restore(&path, &self.before);
    }

    /// The calls of a run that nothing happens to.
    fn calls(&self) -> Vec<Call> {
        let (ran, calls) = strace::record(&self.yard.seal(self.folder));
        ran.succeeded();
        calls
    }

    /// What must be true of the folder after a run that did not end well; the kind of answer.
    fn check(&self, what: &str) -> String {
        let now = snapshot(&self.yard.path(self.folder));
        assert_eq!(release(&now), self.release, "{what}");
        let answer = self.yard.answer(self.folder);
        if now == self.before {
            // Nothing was begun: whatever was said before is still right.
            assert_eq!((answer.status, &answer.codes), (self.first.status, &self.first.codes));
            assert_eq!(answer.manifest, self.first.manifest, "{what}");
            return format!("as before: {}", answer.word());
        }
        if answer.ok() {
            // All of one manifest, whichever it is.
            assert_eq!(answer.manifest, manifest_digest(&now), "{what}");
            is_whole(&now);
            let new = answer.manifest != manifest_digest(&self.before);
            assert!(new || self.first.ok(), "{what}: {}", answer.text);
            return format!("OK, the {} transfer", if new { "new" } else { "old" });
        }
        assert_eq!((answer.status, codes(&answer)), (1, vec!["seal-incomplete"]), "{what}");
        answer.word()
    }

    /// What is on the disk now, as far as what comes of it can depend on that: names, lengths, and what is as before.
    fn state(&self) -> State {
        let now = snapshot(&self.yard.path(self.folder));
        let state = now.into_iter().map(|(name, content)| {
            let same = self.before.get(&name) == Some(&content);
            (name, content.map(|content| content.len()), same)
        });
        state.collect()
    }

    /// The kind of answer to a directory that a run left, and that the same command completes it. A state that was met
    /// before is not judged again.
    fn judge(&self, met: &mut BTreeMap<State, String>, what: &str) -> String {
        let state = self.state();
        if let Some(word) = met.get(&state) {
            return word.clone();
        }
        let word = self.check(what);
        self.complete(what);
        met.insert(state, word.clone());
        word
    }

    /// The same command again makes the transfer.
    fn complete(&self, what: &str) {
        let ran = run(&mut self.yard.seal(self.folder));
        assert_eq!(ran.status, Some(0), "{what}: {}", ran.text());
        let now = snapshot(&self.yard.path(self.folder));
        assert!(now.keys().all(|name| !name.contains("sealift-tmp")), "{what}: {:?}", now.keys());
        assert_eq!(release(&now), self.release, "{what}");
        is_whole(&now);
        let answer = self.yard.answer(self.folder);
        assert!(answer.ok(), "{what}: {}", answer.text);
        assert_eq!(answer.manifest, manifest_digest(&now), "{what}");
        assert_ne!(answer.manifest, manifest_digest(&self.before), "{what}");
    }

    /// Kills the sealing at every point.
    fn kill_everywhere(&self, name: &str) {
        let (mut count, mut met) = (Count::default(), BTreeMap::new());
        for point in points(&self.calls()) {
            self.again();
            let what = format!("{name}: killed before {}", point.shown());
            assert!(strace::kill(&self.yard.seal(self.folder), &point), "{what}: it was not");
            count.add(self.judge(&mut met, &what));
        }
        count.print(name);
        assert!(count.0["seal-incomplete"] > 20, "{name}: the seal is written in fewer steps");
        assert_eq!(count.0["OK, the new transfer"], 2, "{name}: the last sync, and the end");
    }

    /// Lets every call fail.
    fn fail_everywhere(&self, name: &str) {
        let (mut count, mut met) = (Count::default(), BTreeMap::new());
        for point in points(&self.calls()).iter().filter(|point| point.writes()) {
            self.again();
            let error = match point.name.as_str() {
                "write" | "mkdirat" | "openat" => "error=ENOSPC",
                _ => "error=EIO",
            };
            let what = format!("{name}: {error} for {}", point.shown());
            let injected = strace::inject(&self.yard.seal(self.folder), point, error);
            assert!(injected.met, "{what}: it did not come");
            refused(&injected.ran, "write-failed", &what);
            count.add(self.judge(&mut met, &what));
        }
        count.print(name);
        assert!(count.0["seal-incomplete"] > 20, "{name}: the seal is written in fewer steps");
        // Only the sync of the directory after the last renaming.
        assert_eq!(count.0["OK, the new transfer"], 1, "{name}");
    }
}

/// A program that could not do its work says why, and what to do next.
#[track_caller]
fn refused(ran: &Ran, code: &str, what: &str) {
    assert!(matches!(ran.status, Some(1..=3)), "{what}: {:?} {}", ran.status, ran.text());
    assert!(ran.text().contains(code), "{what}: {}", ran.text());
    assert!(ran.text().contains("next"), "{what}: {}", ran.text());
}

/// The part of a folder that sealing has no business with.
fn release(all: &Snapshot) -> Snapshot {
    const SEAL: [&str; 5] = ["manifest.json", "SHA256SUMS", "trust", "tools", "sealift-tmp"];
    all.iter()
        .filter(|(name, _)| !SEAL.iter().any(|seal| name.starts_with(seal)))
        .map(|(name, content)| (name.clone(), content.clone()))
        .collect()
}

fn two_packages(yard: &Yard) {
    yard.package("release", "alpha-1.0.tar.gz", "the first", 1);
    yard.package("release", "sub/beta-1.0.tar.gz", "the second", 1);
}

/// Another package by another vendor, another version of one, and one fewer.
fn change(yard: &Yard) {
    yard.package("release", "gamma-1.0.tar.gz", "a third, by another vendor", 2);
    yard.package("release", "alpha-1.0.tar.gz", "the first, in another version", 1);
    fs::remove_dir_all(yard.path("release/sub")).unwrap();
}

#[test]
fn a_first_seal_killed_anywhere() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    let scene = Scene::new(&yard, "release");
    assert_eq!(codes(&scene.first), ["seal-missing"]);
    scene.kill_everywhere("first seal");
}

#[test]
fn sealing_a_changed_folder_again_killed_anywhere() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    yard.sealed("release");
    change(&yard);
    let scene = Scene::new(&yard, "release");
    // The operator changed the folder, and has not sealed it yet.
    assert_eq!(scene.first.status, 1, "{}", scene.first.text);
    scene.kill_everywhere("changed folder");
}

#[test]
fn sealing_an_unchanged_folder_again_killed_anywhere() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    yard.sealed("release");
    let scene = Scene::new(&yard, "release");
    assert!(scene.first.ok(), "{}", scene.first.text);
    scene.kill_everywhere("unchanged folder");
}

#[test]
fn completing_an_interrupted_seal_killed_anywhere() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    yard.sealed("release");
    change(&yard);
    // Interrupted while the manifest lies in the marker's own temporary file, and with such files
    // of everything else.
    let scene = Scene::new(&yard, "release");
    let calls = scene.calls();
    let last = calls.iter().rfind(|call| call.name == "renameat").unwrap();
    let before = Call { number: last.number - 1, ..last.clone() };
    scene.again();
    assert!(strace::kill(&yard.seal("release"), &before));
    for name in [
        "SHA256SUMS",
        "manifest.json.sig",
        "trust/trusted_root.json",
        "trust/keys/0123456789abcdef.pub",
    ] {
        fs::write(yard.path("release").join(format!("{name}.sealift-tmp")), "half").unwrap();
    }
    let scene = Scene::new(&yard, "release");
    assert_eq!(codes(&scene.first), ["seal-incomplete"]);
    scene.kill_everywhere("interrupted seal");
}

#[test]
fn a_seal_that_can_not_write() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    yard.sealed("release");
    change(&yard);
    Scene::new(&yard, "release").fail_everywhere("changed folder, failing");
}

/// The path of a descriptor, and a name at it.
fn joined(descriptor: &str, name: &str) -> String {
    let folder = descriptor.split_once('<').unwrap().1.trim_end_matches('>');
    format!("{folder}/{}", name.trim_matches('"'))
}

#[test]
fn every_file_is_synced_before_it_gets_its_name_and_its_directory_after() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    let calls = Scene::new(&yard, "release").calls();
    let writes: Vec<&Call> = calls.iter().filter(|call| call.writes()).collect();
    let synced = |calls: &[&Call], path: &str| {
        calls
            .iter()
            .any(|call| call.name == "fsync" && call.arguments.ends_with(&format!("<{path}>")))
    };
    let mut renamed = 0;
    for (at, call) in writes.iter().enumerate().filter(|(_, call)| call.name.starts_with("rename"))
    {
        let parts: Vec<&str> = call.arguments.split(", ").collect();
        let from = joined(parts[0], parts[1]);
        let written = writes[..at]
            .iter()
            .rposition(|it| it.name == "write" && it.arguments.contains(&format!("<{from}>")));
        // The marker with the manifest gets its second name as it is.
        if let Some(written) = written {
            assert!(synced(&writes[written..at], &from), "{}", call.shown());
        } else {
            assert!(from.ends_with("/manifest.json.sealift-tmp"), "{}", call.shown());
        }
        let to = joined(parts[2], parts[3]);
        let (folder, _) = to.rsplit_once('/').unwrap();
        let next = writes[at + 1..].iter().position(|call| call.name.starts_with("rename"));
        let until = next.map_or(writes.len(), |next| at + 1 + next);
        assert!(synced(&writes[at..until], folder), "{}", call.shown());
        renamed += 1;
    }
    assert!(renamed >= 8, "{renamed} files");
    let last = calls.iter().rfind(|call| call.name.starts_with("rename")).unwrap();
    assert!(last.arguments.ends_with("\"manifest.json\""), "{}", last.shown());
}

/// `verify` with a state file beside the folders.
fn with_state(yard: &Yard, folder: &str, more: &[&str]) -> Command {
    let mut command = yard.verify(folder);
    command.args(["--state", "there/state.json"]).args(more);
    command
}

#[test]
fn a_state_file_killed_anywhere_is_the_old_or_the_new_one() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    two_packages(&yard);
    yard.sealed("release");
    yard.copy("release", "old");
    change(&yard);
    yard.sealed("release");
    fs::create_dir(yard.path("there")).unwrap();
    let state = yard.path("there/state.json");

    let mut kills = Count::default();
    let mut failures = Count::default();
    for begun in [false, true] {
        let more: &[&str] = if begun { &[] } else { &["--init-state"] };
        let begin = || {
            fs::remove_dir_all(yard.path("there")).unwrap();
            fs::create_dir(yard.path("there")).unwrap();
            if begun {
                run(&mut with_state(&yard, "old", &["--init-state"])).succeeded();
            }
        };
        begin();
        let old = fs::read(&state).ok();
        let (ran, calls) = strace::record(&with_state(&yard, "release", more));
        ran.succeeded();
        let new = fs::read(&state).unwrap();
        assert_ne!(old.as_ref(), Some(&new));
        let after = |what: &str| {
            let now = fs::read(&state).ok();
            assert!(now == old || now.as_ref() == Some(&new), "{what}: {now:?}");
            let again: &[&str] = if now.is_none() { &["--init-state"] } else { &[] };
            let answer = Answer::new(run(&mut with_state(&yard, "release", again)));
            assert!(answer.ok(), "{what}: {}", answer.text);
            assert_eq!(fs::read(&state).unwrap(), new, "{what}");
            assert_eq!(snapshot(&yard.path("there")).len(), 1, "{what}: something is left");
            // The older transfer is not accepted any more.
            let answer = Answer::new(run(&mut with_state(&yard, "old", &[])));
            assert_eq!(answer.status, 1, "{what}: {}", answer.text);
            if now.as_ref() == Some(&new) { "the new state" } else { "the old state" }
        };
        for point in points(&calls) {
            let what = format!("begun {begun}: killed before {}", point.shown());
            begin();
            assert!(
                strace::kill(&with_state(&yard, "release", more), &point),
                "{what}: it was not"
            );
            kills.add(after(&what));
            if !point.writes() {
                continue;
            }
            let what = format!("begun {begun}: failing {}", point.shown());
            begin();
            let ran = strace::inject(&with_state(&yard, "release", more), &point, "error=EIO").ran;
            refused(&ran, "write-failed", &what);
            failures.add(after(&what));
        }
    }
    kills.print("state file, killed");
    failures.print("state file, failing");
    assert!(kills.0["the old state"] >= 8 && kills.0["the new state"] >= 4);
}

fn keygen(folder: &Path) -> Command {
    let mut command = sealift();
    command.current_dir(folder).args(["keygen", "--output-key-prefix", "k"]);
    command.env("SEALIFT_PASSWORD", "a password").env_remove("COSIGN_PASSWORD");
    command
}

/// Whether the private key of a folder can be used, and whether the public one can.
fn usable(yard: &Yard, folder: &Path) -> (bool, bool) {
    let mut seal = yard.seal("release");
    seal.arg("--key").arg(folder.join("k.key"));
    // The key is given twice now; it is the second that must be read, so the first goes.
    let words: Vec<_> = seal.get_args().map(ToOwned::to_owned).collect();
    let first = words.iter().position(|word| word == "--key").unwrap();
    let mut seal = sealift();
    seal.current_dir(yard.path("")).env("SEALIFT_PASSWORD", "a password");
    seal.args(&words[..first]).args(&words[first + 2..]);
    let mut verify = sealift();
    verify.current_dir(yard.path("")).args(["verify", "--insecure-ignore-tlog", "--transfer-key"]);
    verify.arg(folder.join("k.pub")).arg("release");
    let sealed = run(&mut seal);
    let verified = run(&mut verify);
    for ran in [&sealed, &verified] {
        assert!(matches!(ran.status, Some(0..=3)), "{}", ran.text());
    }
    (sealed.status == Some(0), verified.status == Some(0))
}

#[test]
fn key_files_killed_anywhere_are_whole_or_refused() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    yard.package("release", "alpha-1.0.tar.gz", "the first", 1);
    let folder = yard.path("keys");
    fs::create_dir(&folder).unwrap();
    let (ran, calls) = strace::record(&keygen(&folder));
    ran.succeeded();
    assert_eq!(usable(&yard, &folder), (true, true));
    let clear = || {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
    };
    let mut count = Count::default();
    for point in points(&calls) {
        let what = format!("keygen: killed before {}", point.shown());
        clear();
        yard.sealed("release");
        assert!(strace::kill(&keygen(&folder), &point), "{what}: it was not");
        let left = snapshot(&folder);
        let (private, public) = usable(&yard, &folder);
        // A pair that is used is a pair.
        assert_eq!(private && left.contains_key("k.pub"), public, "{what}: {:?}", left.keys());
        count.add(format!("{} files, private key usable: {private}", left.len()));
        let next = run(&mut keygen(&folder));
        if left.is_empty() {
            next.succeeded();
        } else {
            refused(&next, "output-exists", &what);
            assert_eq!(snapshot(&folder), left, "{what}");
        }
        if !point.writes() {
            continue;
        }
        let what = format!("keygen: failing {}", point.shown());
        clear();
        let injected = strace::inject(&keygen(&folder), &point, "error=ENOSPC");
        if injected.ran.status == Some(0) {
            // The content was on the disk already; only the name's own sync failed.
            assert!(point.touches(&folder) && !point.arguments.contains("k."), "{what}");
            assert_eq!(usable(&yard, &folder), (true, true), "{what}");
        } else {
            refused(&injected.ran, "write-failed", &what);
            assert!(snapshot(&folder).is_empty(), "{what}: {:?}", snapshot(&folder).keys());
        }
    }
    count.print("keygen");
}
