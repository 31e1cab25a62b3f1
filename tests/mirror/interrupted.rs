//! Stopped in the middle of a download: nothing half-way counts, and the same command goes on.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::made::Vendor;
use crate::side::{Answer, Side};
use crate::support::tools::{Ran, run};

const PART: &str = "d/packages/pack.bin.sealift-tmp/pack.bin.sealift-tmp";

/// Starts to fetch, and waits until some of it is here.
#[track_caller]
fn half_way(side: &Side, words: &str) -> Child {
    let mut command = side.command(&side.words(&format!("--vendor-key vendor.pub {words}")));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..1000 {
        if fs::metadata(side.path(PART)).is_ok_and(|it| it.len() > 50_000) {
            return child;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        sleep(Duration::from_millis(10));
    }
    panic!("nothing arrives");
}

fn end(child: Child) -> Answer {
    Answer(Ran::new(&child.wait_with_output().unwrap()))
}

fn signal(child: &Child, name: &str) {
    run(Command::new("kill").arg(name).arg(child.id().to_string())).succeeded();
}

#[test]
fn ctrl_c_and_the_same_command_again() {
    let Some(vendor) = Vendor::new("stop") else { return };
    let side = Side::new(&vendor);
    let url = vendor.package_in("slow", "pack.bin", &"slowly ".repeat(60_000));
    let words = format!("--package {url}");
    let child = half_way(&side, &words);
    // While it runs nobody else may fill the directory.
    side.fetch(&words).exit(3).mentions("another process holds the directory");
    signal(&child, "-INT");
    end(child).exit(130).mentions("interrupted; run the same command again to continue");
    assert!(!side.is_sealed() && side.path(PART).exists());
    side.verify("").exit(1);

    let asked = vendor.requests().len();
    side.fetch(&words).exit(0);
    let requests = vendor.requests().split_off(asked);
    assert!(requests.iter().any(|it| it.contains("/slow/pack.bin 206 bytes=")), "{requests:?}");
    assert!(!requests.iter().any(|it| it.contains("GET /slow/pack.bin 200")), "{requests:?}");
    assert_eq!(
        fs::read(vendor.file("slow/pack.bin")).unwrap(),
        side.read("d/packages/pack.bin/pack.bin")
    );
    assert!(!side.files().iter().any(|name| name.contains("sealift-tmp")), "{:?}", side.files());
    assert!(side.text("d/trust/fetches.jsonl").contains("\"resumed_from\":"));
    side.verify("").exit(0);
}

#[test]
fn an_old_transfer_that_is_half_renewed_is_no_transfer() {
    let Some(vendor) = Vendor::new("renew") else { return };
    let side = Side::new(&vendor);
    let url = vendor.package_in("slow", "pack.bin", "short");
    vendor.package("other.tgz", "other");
    let words = format!("--package other.tgz {url}");
    side.fetch(&words).exit(0);
    side.verify("").exit(0);

    vendor.package_in("slow", "pack.bin", &"slowly ".repeat(60_000));
    let child = half_way(&side, &words);
    side.verify("").exit(1).mentions("seal-incomplete");
    signal(&child, "-KILL");
    end(child);
    side.verify("").exit(1).mentions("seal-incomplete");
    side.verify("--unsealed").never_mentions("d: OK (transfer");
    side.fetch(&words).exit(0);
    side.verify("").exit(0);
    assert_eq!(side.read("d/packages/pack.bin/pack.bin").len(), 420_000);
}

#[test]
fn what_is_half_way_here_when_it_changes_is_not_mixed() {
    let Some(vendor) = Vendor::new("mixed") else { return };
    let side = Side::new(&vendor);
    let url = vendor.package_in("slow", "pack.bin", &"slowly ".repeat(60_000));
    let words = format!("--package {url}");
    let child = half_way(&side, &words);
    signal(&child, "-INT");
    end(child).exit(130);
    vendor.package_in("slow", "pack.bin", &"another".repeat(16_000));
    side.fetch(&words).exit(0);
    assert_eq!(side.text("d/packages/pack.bin/pack.bin"), "another".repeat(16_000));
    side.verify("").exit(0);
}
