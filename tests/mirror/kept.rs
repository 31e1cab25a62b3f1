//! Whatever goes wrong while `sealift mirror` fetches: what the operator laid there is as it was, byte for
//! byte; what was verified and sealed before is there until something better was verified; and the same
//! command, when the site is well again, brings the rest.

use std::collections::BTreeMap;
use std::fs;

use crate::support::tools::{Ran, run};
use crate::support::transfers::{Answer, Snapshot, Yard, is_whole, restore, snapshot};
use crate::support::vendor::{PACKAGE, Spoilt, Vendor};

const PAGE: &str = "<!DOCTYPE html><html>Down for maintenance</html>";

/// What is spoilt, by a part of its path, and how.
fn faults(vendor: &Vendor) -> Vec<(String, Spoilt)> {
    let package = format!("/files/{PACKAGE}");
    let bundle = format!("{PACKAGE}_signature.bundle");
    let names_key = format!("{PACKAGE}_publickey.json");
    let mut parts = vec![package, bundle, names_key];
    parts.extend(["/bundles/image.bundle", "/keys/", "/manifests/1.0"].map(str::to_owned));
    // The config and each layer.
    parts.extend(vendor.paths().into_iter().filter(|path| path.contains("/blobs/")));
    let hows = [
        Spoilt::Status("404 Not Found"),
        Spoilt::Status("503 Unavailable"),
        Spoilt::Page(PAGE),
        Spoilt::Page(""),
        Spoilt::Flipped,
        Spoilt::Short,
    ];
    parts.iter().flat_map(|part| hows.map(|how| (part.clone(), how))).collect()
}

fn present(yard: &Yard) -> Snapshot {
    let path = yard.path("dir");
    if path.is_dir() { snapshot(&path) } else { Snapshot::new() }
}

fn again(yard: &Yard, before: &Snapshot) {
    drop(fs::remove_dir_all(yard.path("dir")));
    if !before.is_empty() {
        restore(&yard.path("dir"), before);
    }
}

/// The files of one of the two artifacts.
fn of<'a>(now: &'a Snapshot, top: &str) -> BTreeMap<&'a str, &'a Vec<u8>> {
    let files = now.iter().filter_map(|(name, content)| Some((name.as_str(), content.as_ref()?)));
    files.filter(|(name, _)| name.starts_with(top) && !name.contains("sealift-tmp/")).collect()
}

fn verify(yard: &Yard) -> Answer {
    let mut verify = yard.verify("dir");
    verify.args(["--vendor-profile", "vendor.toml"]);
    Answer::new(run(&mut verify))
}

fn mirror(yard: &Yard, vendor: &Vendor, more: &[&str]) -> Ran {
    run(vendor.mirror(yard, "dir").args(more))
}

#[test]
fn what_was_sealed_stays_until_something_better_was_verified() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    mirror(&yard, &vendor, &[]).succeeded();
    let before = present(&yard);
    vendor.publish(20);
    mirror(&yard, &vendor, &[]).succeeded();
    let after = present(&yard);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (number, (part, how)) in faults(&vendor).into_iter().enumerate() {
        let what = format!("{part} {how:?}");
        let more: &[&str] = if number % 2 == 0 { &[] } else { &["--omit-partial"] };
        again(&yard, &before);
        vendor.spoil(Some((&part, how)));
        let ran = mirror(&yard, &vendor, more);
        assert!(!ran.text().contains("panicked"), "{what}: {}", ran.text());
        let now = present(&yard);
        let mut old = 0;
        for top in ["packages/", "images/"] {
            let is_old = of(&now, top) == of(&before, top);
            assert!(is_old || of(&now, top) == of(&after, top), "{what}: {}", ran.text());
            old += usize::from(is_old);
        }
        // A key that the operator gave decides, whatever lies on the site.
        assert!(ran.status != Some(0) || old == 0, "{what}: {}", ran.text());
        let answer = verify(&yard);
        let word = answer.codes.first().cloned().unwrap_or_else(|| "verifies".to_owned());
        assert!(["verifies", "seal-incomplete"].contains(&&*word), "{what}: {}", answer.text);
        if word == "verifies" {
            is_whole(&now);
        }
        if old == 2 && !now.keys().any(|it| it.contains("sealift-tmp")) {
            assert_eq!(now["manifest.json"], before["manifest.json"], "{what}");
            assert_eq!(now, before, "{what}: {}", ran.text());
        }
        *seen.entry(format!("{word}, {old} old")).or_default() += 1;

        vendor.spoil(None);
        let ran = mirror(&yard, &vendor, &[]);
        assert_eq!(ran.status, Some(0), "{what}: {}", ran.text());
        let now = present(&yard);
        assert!(now.keys().all(|name| !name.contains("sealift-tmp")), "{what}: {:?}", now.keys());
        for top in ["packages/", "images/"] {
            assert_eq!(of(&now, top), of(&after, top), "{what}");
        }
        assert!(verify(&yard).ok(), "{what}");
    }
    eprintln!("{seen:?}");
}

#[test]
fn nothing_of_the_operators_is_touched() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    mirror(&yard, &vendor, &[]).succeeded();
    let sealed = present(&yard);
    let image = sealed.keys().find(|it| it.ends_with(".tar")).unwrap().clone();
    let (folder, _) = image.rsplit_once('/').unwrap();
    let own = [
        format!("packages/{PACKAGE}/NOTES.txt"),
        format!("packages/{PACKAGE}/deeper/keep"),
        format!("{folder}/NOTES.txt"),
        "images/keep/keep.txt".to_owned(),
        "README".to_owned(),
    ];
    for first in [true, false] {
        let mut before = if first { Snapshot::new() } else { sealed.clone() };
        again(&yard, &before);
        for name in &own {
            let path = yard.path("dir").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("precious: {name}")).unwrap();
        }
        before = present(&yard);
        let faults = faults(&vendor);
        let some = faults.iter().step_by(5).map(|(part, how)| Some((part.as_str(), *how)));
        for (number, fault) in some.chain([None]).enumerate() {
            again(&yard, &before);
            vendor.spoil(fault);
            let more: &[&str] = if number % 2 == 0 { &[] } else { &["--omit-partial"] };
            let ran = mirror(&yard, &vendor, more);
            assert_ne!(ran.status, Some(0), "{fault:?}: {}", ran.text());
            let now = present(&yard);
            for name in &own {
                assert_eq!(now.get(name), before.get(name), "{fault:?} {name}: {}", ran.text());
            }
            if !first {
                for (name, content) in
                    sealed.iter().filter(|(name, _)| of(&sealed, "").contains_key(name.as_str()))
                {
                    let own = name.starts_with("images/") || name.starts_with("packages/");
                    assert!(!own || now.get(name) == Some(content), "{fault:?} {name}");
                }
            }
        }
        vendor.spoil(None);
    }
}

#[test]
fn a_file_that_nobody_fetched_is_not_replaced() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    mirror(&yard, &vendor, &[]).succeeded();
    let sealed = present(&yard);
    let names = sealed.keys().filter(|it| it.starts_with("images/") || it.starts_with("packages/"));
    for name in names {
        let Some(right) = &sealed[name] else { continue };
        again(&yard, &Snapshot::new());
        let path = yard.path("dir").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "the operator's own").unwrap();
        let ran = mirror(&yard, &vendor, &[]);
        assert_ne!(ran.status, Some(0), "{name}: {}", ran.text());
        // A key that the operator gave does without the one on the site.
        let code = if name.ends_with(".pub") || name.ends_with(".json") {
            "file-extra"
        } else {
            "output-exists"
        };
        assert!(ran.text().contains(code), "{name}: {}", ran.text());
        assert_eq!(fs::read(&path).unwrap(), b"the operator's own", "{name}: {}", ran.text());
        // What is the vendor's own file may have come by any way.
        fs::write(&path, right).unwrap();
        let ran = mirror(&yard, &vendor, &[]);
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.text());
        assert!(verify(&yard).ok());
    }
}

#[test]
fn what_can_not_count_is_refused_before_anything_large() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let large = |asked: &[String]| -> Vec<String> {
        let layer = |it: &&String| it.contains("/blobs/") || it.contains("GET /files/");
        asked.iter().filter(layer).cloned().collect()
    };
    // Without the log option, and with another key.
    for (number, (drop, with)) in
        [(Some("--insecure-ignore-tlog"), "vendor-1.pub"), (None, "vendor-2.pub")]
            .into_iter()
            .enumerate()
    {
        for sealed in [false, true] {
            vendor.publish(10);
            again(&yard, &Snapshot::new());
            if sealed {
                mirror(&yard, &vendor, &[]).succeeded();
                vendor.publish(20);
            }
            let before = present(&yard);
            let asked = vendor.asked().len();
            let right = vendor.mirror(&yard, "dir");
            let mut command = std::process::Command::new(right.get_program());
            command.current_dir(yard.path(""));
            for word in right.get_args().filter(|it| drop.is_none_or(|drop| *it != drop)) {
                command.arg(if word == "vendor-1.pub" { with.as_ref() } else { word });
            }
            command.arg("--no-refresh");
            let ran = run(&mut command);
            assert_eq!(ran.status, Some([1, 2][number]), "{number}: {}", ran.text());
            let code = ["log-entry-missing", "key-not-named"][number];
            assert!(ran.text().contains(code), "{}", ran.text());
            let asked = large(&vendor.asked()[asked..]);
            // The config alone, which tells the labels.
            assert!(asked.len() <= 1, "{number} {sealed}: {asked:?}");
            assert_eq!(present(&yard), before, "{number} {sealed}: {}", ran.text());
        }
    }
}

/// What the seal would refuse afterwards, because another program might act on it.
#[test]
fn a_bundle_that_is_more_than_one_is_refused_before_anything_large() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let image = vendor.image();
    for (part, name) in [("/bundles/image.bundle", &*image), ("_signature.bundle", PACKAGE)] {
        again(&yard, &Snapshot::new());
        vendor.spoil(Some((part, Spoilt::Member)));
        let before = vendor.asked().len();
        let ran = mirror(&yard, &vendor, &[]);
        assert_eq!(ran.status, Some(1), "{part}: {}", ran.text());
        let said = format!("{name}: OMITTED (material-unknown-member: ");
        assert!(ran.text().contains(&said), "{}", ran.text());
        let asked = vendor.asked()[before..].to_vec();
        let large = |it: &&String| match name == PACKAGE {
            true => it.contains("GET /files/"),
            false => it.contains("/blobs/"),
        };
        let asked: Vec<&String> = asked.iter().filter(large).collect();
        // Of an image the config, which tells the labels.
        assert_eq!(asked.len(), usize::from(name != PACKAGE), "{part}: {asked:?}");
        vendor.spoil(None);
        mirror(&yard, &vendor, &[]).succeeded();
    }
}

#[test]
fn an_image_without_a_bundle_is_treated_as_a_package_is() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let image = vendor.image();
    for (part, name) in [("/bundles/image.bundle", &*image), ("_signature.bundle", PACKAGE)] {
        again(&yard, &Snapshot::new());
        vendor.spoil(Some((part, Spoilt::Status("404 Not Found"))));
        let ran = mirror(&yard, &vendor, &[]);
        assert_eq!(ran.status, Some(4), "{part}: {}", ran.text());
        assert!(ran.text().contains(&format!("{name}: OMITTED (http-refused: ")), "{}", ran.text());
        let ran = mirror(&yard, &vendor, &["--allow-unsigned", name]);
        assert_eq!(ran.status, Some(0), "{part}: {}", ran.text());
        assert!(ran.text().contains(&format!("{name}: UNSIGNED")), "{}", ran.text());
        // What nobody signed is not called verified.
        let words = "preflight: 1 artifact verified offline; 1 UNSIGNED";
        assert!(ran.text().contains(words), "{}", ran.text());
        // That it can't be had now says nothing of a signature.
        again(&yard, &Snapshot::new());
        vendor.spoil(Some((part, Spoilt::Status("503 Unavailable"))));
        let ran = mirror(&yard, &vendor, &["--allow-unsigned", name]);
        assert_eq!(ran.status, Some(4), "{part}: {}", ran.text());
    }
}

/// A page in place of the package is nothing of the package: the rest is sealed.
#[test]
fn a_login_page_leaves_out_its_own_artifact_alone() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    let package = format!("/files/{PACKAGE}");
    let bundle = format!("{PACKAGE}_signature.bundle");
    for part in [&package, &bundle] {
        again(&yard, &Snapshot::new());
        vendor.spoil(Some((part, Spoilt::Page(PAGE))));
        let ran = mirror(&yard, &vendor, &[]);
        assert_eq!(ran.status, Some(4), "{part}: {}", ran.text());
        let words = format!("{PACKAGE}: OMITTED (response-invalid: ");
        assert!(ran.text().contains(&words), "{}", ran.text());
        let now = present(&yard);
        assert!(now.keys().all(|name| !name.contains("sealift-tmp")), "{part}: {:?}", now.keys());
        assert_eq!((of(&now, "packages/").len(), of(&now, "images/").is_empty()), (0, false));
        assert!(now.contains_key("manifest.json"), "{part}: {}", ran.text());
        vendor.spoil(None);
        mirror(&yard, &vendor, &[]).succeeded();
        assert!(verify(&yard).ok());
    }
}

#[test]
fn what_no_run_wrote_is_refused_before_anything_is_asked() {
    let yard = Yard::new();
    let vendor = Vendor::new(&yard, 10);
    mirror(&yard, &vendor, &[]).succeeded();
    let sealed = present(&yard);
    let names = [
        "trust/trusted_root.json",
        "trust/fetches.jsonl",
        "trust/fetches.jsonl.sealift-tmp",
        "trust/fetches.jsonl.sealift-tmp.sealift-tmp",
        "tools/verify-with-openssl.sh",
        "tools/verify-with-openssl.sh.sealift-tmp",
        "SHA256SUMS.sealift-tmp",
        "manifest.json.sig.sealift-tmp",
        "manifest.json.sealift-tmp.sealift-tmp",
    ];
    let beside = format!("packages/{PACKAGE}.sealift-tmp");
    let on_its_way =
        ["mine.txt", "x.sealift-tmp", PACKAGE, "deeper/keep"].map(|it| format!("{beside}/{it}"));
    let all = names.iter().map(|it| (*it).to_owned()).chain(on_its_way);
    for name in all {
        for before in [Snapshot::new(), sealed.clone()] {
            again(&yard, &before);
            let path = yard.path("dir").join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "the operator's own").unwrap();
            let before = present(&yard);
            let asked = vendor.asked().len();
            let ran = mirror(&yard, &vendor, &["--no-refresh"]);
            assert_eq!(ran.status, Some(2), "{name}: {}", ran.text());
            assert!(ran.text().contains("output-exists"), "{name}: {}", ran.text());
            assert_eq!(of(&present(&yard), &name), of(&before, &name), "{name}: {}", ran.text());
            assert_eq!(fs::read(&path).unwrap(), b"the operator's own", "{name}");
            let asked = &vendor.asked()[asked..];
            assert!(!asked.iter().any(|it| it.contains(PACKAGE)), "{name}: {asked:?}");
            if !name.starts_with("packages/") {
                assert_eq!((present(&yard), asked.len()), (before, 0), "{name}: {}", ran.text());
            }
        }
    }
}
