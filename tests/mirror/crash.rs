//! `sealift mirror` killed before calls that change the disk, and such calls failing: what is left is
//! the old transfer, the new one, or says that it is none; and the same command completes it.
//! `scripts/fault-campaign.sh` does the same at length, against real servers.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::Ordering;

use crate::support::strace::{self, Call};
use crate::support::tools::{Ran, broken, run};
use crate::support::transfers::{Answer, Snapshot, Yard, is_whole, restore, snapshot};
use crate::support::vendor::{PACKAGE, Vendor};

/// How many runs are met by a fault, for each thing that is tested.
const POINTS: usize = 8;

/// A directory that is mirrored to: empty or sealed before, and what it must become.
struct Scene<'a> {
    yard: &'a Yard,
    vendor: &'a Vendor,
    before: Snapshot,
    after: Snapshot,
    /// How many runs ended how.
    seen: BTreeMap<String, usize>,
}

impl<'a> Scene<'a> {
    /// What lies in `dir` now is how it begins.
    fn new(yard: &'a Yard, vendor: &'a Vendor) -> Self {
        let before = present(yard);
        run(&mut vendor.mirror(yard, "dir")).succeeded();
        let after = present(yard);
        is_whole(&after);
        Self { yard, vendor, before, after, seen: BTreeMap::new() }
    }

    /// The directory as it was at first; the command.
    fn again(&self) -> Command {
        drop(fs::remove_dir_all(self.yard.path("dir")));
        if !self.before.is_empty() {
            restore(&self.yard.path("dir"), &self.before);
        }
        self.vendor.mirror(self.yard, "dir")
    }

    /// The kinds of calls and counts of them at which a fault is met, spread over the run.
    fn points(&self, kinds: &[&str]) -> Vec<Call> {
        let (ran, most) = strace::most(&self.again());
        ran.succeeded();
        let list = most.into_iter().filter(|(name, _)| kinds.contains(&name.as_str()));
        let call = |name: &str, number| Call {
            number,
            name: name.to_owned(),
            arguments: String::new(),
            result: String::new(),
        };
        let mut all: Vec<Call> = list
            .flat_map(|(name, most)| (1..=most).map(move |number| (name.clone(), number)))
            .map(|(name, number)| call(&name, number))
            .collect();
        // How many calls each thread makes differs from run to run, so the highest numbers are not always
        // reached: by number, every kind has points that are.
        all.sort_by_key(|call| call.number);
        let step = all.len().div_ceil(POINTS).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// What must be true after a fault.
    fn check(&mut self, what: &str) {
        let now = present(self.yard);
        let word = if now.is_empty() {
            "nothing".to_owned()
        } else {
            let answer = Answer::new(verify(self.yard));
            let sealed = self.before.contains_key("manifest.json");
            match answer.codes.as_slice() {
                [] => {
                    is_whole(&now);
                    let old = sealed && artifacts(&now) == artifacts(&self.before);
                    assert!(old || artifacts(&now) == artifacts(&self.after), "{what}");
                }
                [code] => {
                    let allowed = code == "seal-incomplete" || (!sealed && code == "seal-missing");
                    assert!(allowed, "{what}: {}", answer.text);
                }
                _ => panic!("{what}: {}", answer.text),
            }
            answer.word()
        };
        *self.seen.entry(word).or_default() += 1;
    }

    /// The same command again makes the transfer.
    fn complete(&self, what: &str) {
        let ran = run(&mut self.vendor.mirror(self.yard, "dir"));
        assert_eq!(ran.status, Some(0), "{what}: {}", ran.text());
        let now = present(self.yard);
        assert!(now.keys().all(|name| !name.contains("sealift-tmp")), "{what}: {:?}", now.keys());
        assert_eq!(artifacts(&now), artifacts(&self.after), "{what}");
        is_whole(&now);
        let log = String::from_utf8(now["trust/fetches.jsonl"].clone().unwrap()).unwrap();
        for name in artifacts(&now).keys() {
            assert!(
                log.contains(&format!("\"path\":\"{name}\"")),
                "{what}: {name} is not in {log}"
            );
        }
        assert!(Answer::new(verify(self.yard)).ok(), "{what}");
    }
}

/// What lies in `dir`, if it is there.
fn present(yard: &Yard) -> Snapshot {
    let path = yard.path("dir");
    if path.is_dir() { snapshot(&path) } else { Snapshot::new() }
}

/// The files that were fetched.
fn artifacts(snapshot: &Snapshot) -> BTreeMap<&String, &Vec<u8>> {
    let files = snapshot.iter().filter_map(|(name, content)| Some((name, content.as_ref()?)));
    files.filter(|(name, _)| name.starts_with("images/") || name.starts_with("packages/")).collect()
}

/// The far side: without any network.
fn verify(yard: &Yard) -> Ran {
    let mut verify = yard.verify("dir");
    verify.args(["--vendor-profile", "vendor.toml"]);
    let mut command = Command::new("unshare");
    command.arg("-n").arg(verify.get_program()).args(verify.get_args());
    run(command.current_dir(yard.path("")))
}

/// Whether programs can be run without a network, and under strace.
fn works() -> bool {
    let without = Command::new("unshare").args(["-n", "true"]).status();
    if !without.is_ok_and(|status| status.success()) {
        broken("unshare -n does not work here (it needs root)");
        return false;
    }
    strace::works()
}

/// A first run, and one over the sealed release before.
fn both(each: impl Fn(&mut Scene<'_>)) {
    if !works() {
        return;
    }
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let mut first = Scene::new(&yard, &vendor);
    each(&mut first);
    eprintln!("first run: {:?}", first.seen);
    drop(first.again());
    run(&mut vendor.mirror(&yard, "dir")).succeeded();
    vendor.publish(20);
    let mut second = Scene::new(&yard, &vendor);
    assert_ne!(artifacts(&second.before), artifacts(&second.after));
    each(&mut second);
    eprintln!("over a sealed one: {:?}", second.seen);
}

#[test]
fn killed_anywhere_it_is_one_transfer_or_none_and_goes_on() {
    both(|scene| {
        let kinds = ["write", "pwrite64", "renameat", "unlinkat", "fsync", "mkdirat", "ftruncate"];
        let mut killed = 0;
        for point in scene.points(&kinds) {
            let what = format!("killed before {}", point.shown());
            killed += usize::from(strace::kill(&scene.again(), &point));
            scene.check(&what);
            scene.complete(&what);
        }
        assert!(killed * 3 > POINTS, "{killed} were killed");
    });
}

#[test]
fn with_a_full_disk_it_is_one_transfer_or_none_and_goes_on() {
    both(|scene| {
        for point in scene.points(&["pwrite64", "fsync", "renameat", "mkdirat", "ftruncate"]) {
            let what = format!("no space from {} on", point.shown());
            let ran = strace::inject(&scene.again(), &point, "error=ENOSPC").ran;
            assert!(!ran.text().contains("panicked"), "{what}: {}", ran.text());
            scene.check(&what);
            scene.complete(&what);
        }
    });
}

#[test]
fn a_half_that_the_medium_damaged_is_fetched_again_in_one_piece() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    for damaged in [false, true] {
        drop(fs::remove_dir_all(yard.path("dir")));
        vendor.cut.store(90_000, Ordering::SeqCst);
        let ran = run(&mut vendor.mirror(&yard, "dir"));
        assert_eq!(ran.status, Some(4), "{}", ran.text());
        let half = Vendor::half(&yard, "dir");
        let mut bytes = fs::read(&half).unwrap();
        assert_eq!(bytes.len(), 90_000);
        if damaged {
            bytes[80_000..].fill(0);
            fs::write(&half, bytes).unwrap();
        }
        vendor.cut.store(usize::MAX, Ordering::SeqCst);
        let before = vendor.ranges().len();
        run(&mut vendor.mirror(&yard, "dir")).succeeded();
        assert_eq!(
            vendor.ranges()[before..],
            [&[true][..], &[false][..usize::from(damaged)]].concat()
        );
        is_whole(&present(&yard));
    }
}

#[test]
fn what_could_not_be_written_is_not_left_out() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let mkdir = Call {
        number: 2,
        name: "mkdirat".to_owned(),
        arguments: String::new(),
        result: String::new(),
    };
    let ran = strace::inject(&vendor.mirror(&yard, "dir"), &mkdir, "error=ENOSPC").ran;
    assert!(ran.text().contains("error[partly-fetched]"), "{}", ran.text());
    assert!(!present(&yard).contains_key("manifest.json"));
    run(&mut vendor.mirror(&yard, "dir")).succeeded();
}

#[test]
fn what_could_not_be_read_back_is_not_carried() {
    if !strace::works() {
        return;
    }
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    // Only the last check reads the files where they lie in the end.
    for name in [format!("packages/{PACKAGE}/{PACKAGE}"), "images/hello_1.0/hello_1.0.tar".into()] {
        drop(fs::remove_dir_all(yard.path("dir")));
        let path = yard.path("").canonicalize().unwrap().join("dir").join(&name);
        let mirror = vendor.mirror(&yard, "dir");
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(&path);
        command.args(["-e", "inject=pread64,read:error=EIO"]);
        command.arg(mirror.get_program()).args(mirror.get_args()).current_dir(yard.path(""));
        let ran = run(&mut command);
        assert!(present(&yard).contains_key("manifest.json"), "{}", ran.text());
        assert!(matches!(ran.status, Some(1 | 3)), "{name} {:?}: {}", ran.status, ran.text());
        assert!(ran.text().contains("do not carry this directory"), "{name}: {}", ran.text());
        assert!(!ran.text().contains("verified offline"), "{name}: {}", ran.text());
    }
}
