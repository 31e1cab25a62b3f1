//! What is said, and where: results, JSON, quiet runs, and the medium that is too small.

use std::process::Command;

use serde_json::Value;

use crate::made::Vendor;
use crate::side::{Answer, Side};
use crate::support::skip;
use crate::support::tools::run;

#[test]
fn json_is_one_document() {
    let Some(vendor) = Vendor::new("json") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("app:1", "one");
    vendor.package("pack.tgz", "a package");
    let words = format!("-o json --image {image} --package pack.tgz");
    let names = |answer: &Answer| -> Vec<(String, String, Value)> {
        let report: Value = serde_json::from_str(&answer.0.stdout).unwrap();
        let reports = report["artifacts"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        reports
            .iter()
            .map(|it| (text(&it["name"]), text(&it["outcome"]), it["code"].clone()))
            .collect()
    };
    let ok = |name: &str| (name.to_owned(), "OK".to_owned(), Value::Null);
    let answer = side.fetch(&words).exit(0);
    assert_eq!(names(&answer), [ok(&image), ok("pack.tgz")]);
    let answer = side.fetch(&format!("{words} absent.tgz --no-preflight")).exit(4);
    let absent = ("absent.tgz".to_owned(), "OMITTED".to_owned(), "http-refused".into());
    assert_eq!(names(&answer), [ok(&image), ok("pack.tgz"), absent]);
    let answer = side.fetch("-o json --package absent.tgz").exit(4);
    assert_eq!(names(&answer).len(), 1);
}

#[test]
fn quiet_leaves_only_warnings() {
    let Some(vendor) = Vendor::new("quiet") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    let answer = side.fetch("--quiet --package pack.tgz").exit(0);
    assert_eq!(answer.0.stderr, "");
    let answer = side.fetch("--quiet --package pack.tgz absent.tgz").exit(4);
    for line in answer.0.stderr.lines() {
        assert!(line.starts_with("WARNING: "), "{line}");
    }
    assert_eq!(answer.0.stderr.lines().count(), 1, "{}", answer.0.stderr);
}

#[test]
fn without_preflight_nothing_is_read_again() {
    let Some(vendor) = Vendor::new("preflight") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    side.fetch("--package pack.tgz --no-preflight").exit(0).never_mentions("preflight");
    side.verify("").exit(0);
}

#[test]
fn an_expired_transfer_is_not_sealed() {
    let Some(vendor) = Vendor::new("expired") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    let answer = side.fetch("--package pack.tgz --expires 2020-01-01T00:00:00Z");
    answer.exit(2).mentions("error[usage]").mentions("--expires is not in the future");
    assert!(!side.is_sealed());
}

#[test]
fn a_medium_that_is_too_small_is_refused_before_the_download() {
    let Some(vendor) = Vendor::new("space") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.bin", &"x".repeat(400_000));
    std::fs::create_dir(side.path("d")).unwrap();
    let small = |words: &str| {
        let words = side.words(&format!("--vendor-key vendor.pub --package pack.bin {words}"));
        let script = format!(
            "mount -t tmpfs -o size=128k none d || exit 99; '{}' {words}; status=$?; \
             find d -type f; exit $status",
            env!("CARGO_BIN_EXE_sealift")
        );
        let mut command = Command::new("unshare");
        let folder = side.path("");
        run(command.args(["-Urm", "sh", "-c", &script]).current_dir(folder))
    };
    let ran = small("");
    if ran.status == Some(99) || ran.text().contains("unshare") {
        return skip(&format!("no small file system can be made here: {}", ran.text()));
    }
    // What the server says of the size is only what it says; nothing of it is asked for in vain.
    let answer = Answer(ran).exit(2).says("pack.bin: OMITTED (no-space: ");
    answer.mentions("not everything may fit").never_mentions("pack.bin.sealift-tmp");
    Answer(small("--dry-run")).exit(2).mentions("error[no-space]").says("pack.bin: 400000 bytes");
    let requests = vendor.requests();
    assert!(requests.iter().any(|it| it.contains(" HEAD ")), "{requests:?}");
}
