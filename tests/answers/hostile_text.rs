//! Text of whoever wrote a report, a file's name or an argument never reaches a terminal as it is.

use std::fs;

use proptest::prelude::*;
use sealift::report::{self, Detail, Form};
use sealift::verdict::{self, is_plain};
use serde_json::{Map, Value, json};

use crate::support::{outcome, sealift};

/// A report with a string in every member that has one.
fn full() -> Value {
    let digest = format!("sha256:{}", "a".repeat(64));
    let check = json!({"name": "signature", "status": "passed", "values": {"fingerprint": "v"}});
    json!({
        "schema": "sealift-report/v1", "version": "1", "program": digest,
        "time": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:01Z", "exit_status": 1,
        "stopped_by": "interrupt", "partial": true, "paths": ["p"],
        "basis": {"keys": [digest], "identity": "i", "transfer_keys": [digest], "policy": digest,
            "trusted_root": {"sha256": digest, "source": "named"},
            "profiles": [{"name": "n", "sha256": digest}], "map": digest, "options": ["o"]},
        "shard": {"part": 1, "of": 2, "listing": digest, "files": 3, "bundles": ["b"]},
        "merged": 2,
        "summary": {"answers": 3, "outcomes": {"OK": 1, "FAILED": 2}, "bytes": 5, "milliseconds": 6},
        "coverage": {"vendor": 1, "seal_only": 0, "material": 0, "uncovered": 1, "excluded": 0,
            "files": [{"name": "f", "size": 1, "cover": "vendor"}, {"name": "g", "size": 2, "cover": "uncovered"}]},
        "artifacts": [
            {"name": "n", "kind": "image", "detected": "d", "outcome": "FAILED", "code": "layer-mismatch",
             "reason": "r", "likely_causes": ["c"], "next": "x", "sha256": digest,
             "matched": [{"digest": digest, "kind": "config"}], "key": digest, "key_trust": "seal",
             "within": "w", "paired": ["p"], "checks": [check],
             "images": [{"unsigned_tags": ["t"], "candidates": [{"digest": digest, "kind": "config"}],
                "platform": "linux/amd64", "covered": true, "layers": 1, "ids_after_load": {"podman": "i"}}],
             "bundles": [{"name": "b", "format": "cosign", "verified": false, "code": "digest-mismatch",
                "reason": "r", "checks": [check], "notes": ["n"]}],
             "notes": ["n"]},
            {"name": "m", "kind": "image", "outcome": "OK", "key": digest,
             "matched": [{"digest": digest, "kind": "config"}], "checks": []},
            {"name": "t", "kind": "transfer", "outcome": "OK", "checks": [
                {"name": "seal", "status": "passed", "values": {"fingerprint": "f", "stream": "s", "serial": "1",
                    "created": "c", "artifacts": "1", "files": "1"}},
                {"name": "sealed-files", "status": "passed", "values": {"seal_only": "2"}}]},
        ],
    })
}

/// How many strings (also names of members) a value has; the one of this number is replaced.
fn replace(value: &Value, number: &mut usize, text: &str) -> Value {
    let mut turn = || {
        let mine = *number == 0;
        *number = number.wrapping_sub(1);
        mine
    };
    match value {
        Value::String(_) if turn() => Value::String(text.to_owned()),
        Value::Array(items) => items.iter().map(|it| replace(it, number, text)).collect(),
        Value::Object(members) => {
            let mut all = Map::new();
            for (name, value) in members {
                let mine = *number == 0;
                *number = number.wrapping_sub(1);
                let name = if mine { text.to_owned() } else { name.clone() };
                all.insert(name, replace(value, number, text));
            }
            Value::Object(all)
        }
        other => other.clone(),
    }
}

fn strings(value: &Value) -> usize {
    let mut number = usize::MAX;
    replace(value, &mut number, "");
    usize::MAX - number
}

fn assert_plain(what: &str, text: &str) {
    let raw = text.chars().find(|c| *c != '\n' && !is_plain(*c));
    assert_eq!(raw, None, "{what} has it raw: {text:?}");
    let forged = text.lines().find(|line| line.starts_with("fake.tar"));
    assert_eq!(forged, None, "{what} has a forged line");
}

/// What the report says in every form, or why it is none.
fn assert_harmless(what: &str, document: &Value) {
    let report = match report::parse(document.to_string().as_bytes()) {
        Ok(report) => report,
        Err(fault) => return assert_plain(what, &fault.to_string()),
    };
    for form in [Form::Text, Form::Json, Form::Junit, Form::Html] {
        for detail in [Detail::Brief, Detail::Full] {
            let mut out = Vec::new();
            form.write(&mut out, &report, detail).unwrap();
            assert_plain(&format!("{what} as {form:?}"), &String::from_utf8(out).unwrap());
        }
    }
    let mut out = Vec::new();
    let other = report::parse(full().to_string().as_bytes()).unwrap();
    verdict::write_json(&mut out, &report::diff(&other, &report)).unwrap();
    assert_plain("a comparison", &String::from_utf8(out).unwrap());
}

const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}1m\u{85}\u{202e}\u{200b}\u{2028}\u{e0041}\u{ad}\u{7f}\r\n\
    fake.tar: OK (image, signed config sha256:aa)\n<script>]]>&";

#[test]
fn no_string_of_a_report_is_written_raw() {
    let full = full();
    assert!(report::parse(full.to_string().as_bytes()).is_ok());
    let count = strings(&full);
    assert!(count > 150, "{count}");
    for number in 0..count {
        let mut at = number;
        assert_harmless(&format!("string {number}"), &replace(&full, &mut at, HOSTILE));
    }
}

/// Whoever wrote a report wrote its numbers too: none of them, nor a sum of them, is too large.
#[test]
fn no_number_of_a_report_is_too_large_to_be_shown() {
    fn largest(value: &mut Value, member: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|it| largest(it, member)),
            Value::Object(members) => members.iter_mut().for_each(|(name, it)| {
                if it.is_number() && (member.is_empty() || name == member) {
                    *it = u64::MAX.into();
                }
                largest(it, member);
            }),
            _ => (),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut full = full();
    let image = full["artifacts"][0]["images"][0].clone();
    full["artifacts"][1]["images"] = json!([image, image]);
    let mut shown = 0;
    for member in [
        "layers",
        "answers",
        "OK",
        "FAILED",
        "bytes",
        "milliseconds",
        "vendor",
        "seal_only",
        "material",
        "uncovered",
        "excluded",
        "size",
        "files",
        "part",
        "of",
        "merged",
        "exit_status",
        "",
    ] {
        let mut document = full.clone();
        largest(&mut document, member);
        shown += usize::from(report::parse(document.to_string().as_bytes()).is_ok());
        assert_harmless(member, &document);
        fs::write(folder.path().join("r.json"), document.to_string()).unwrap();
        fs::write(folder.path().join("s.json"), document.to_string()).unwrap();
        for arguments in
            [&["report", "show", "-v", "r.json"][..], &["report", "merge", "r.json", "s.json"]]
        {
            let mut command = sealift();
            let (status, _, err) =
                outcome(&command.current_dir(folder.path()).args(arguments).output().unwrap());
            assert!(status != 101 && !err.contains("panicked"), "{member} {arguments:?}: {err}");
        }
    }
    assert!(shown > 8, "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nor_is_any_other_text(text in any::<String>(), number in 0_usize..170) {
        let mut at = number;
        assert_harmless("any text", &replace(&full(), &mut at, &text));
    }
}

#[test]
fn the_program_writes_nothing_raw() {
    let folder = tempfile::tempdir().unwrap();
    let full = full();
    for number in (0..strings(&full)).step_by(7) {
        let mut at = number;
        let document = replace(&full, &mut at, HOSTILE).to_string();
        fs::write(folder.path().join("r.json"), document).unwrap();
        fs::write(folder.path().join("good.json"), full.to_string()).unwrap();
        for arguments in [
            &["report", "show", "-v", "r.json"][..],
            &["report", "merge", "r.json", "good.json"],
            &["report", "diff", "good.json", "r.json"],
        ] {
            let output = sealift().current_dir(folder.path()).args(arguments).output().unwrap();
            let (_, out, err) = outcome(&output);
            assert_plain(&format!("{arguments:?}"), &format!("{out}\n{err}"));
        }
    }
}

#[test]
fn names_and_arguments_are_escaped_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "_");
    fs::create_dir(folder.path().join("release")).unwrap();
    fs::write(folder.path().join("release").join(&name), "x").unwrap();
    fs::write(folder.path().join("k.pub"), crate::support::log::TestKey::new(7).pem()).unwrap();
    for arguments in [
        &["verify", "--key", "k.pub", "release"][..],
        &["verify", "-v", "--key", "k.pub", &name],
        &["verify", "-o", "json", "--key", "k.pub", "release"],
        &["verify", "-o", "junit", "--key", "k.pub", "release"],
        &["verify", "--report", &name, "--key", "k.pub", "release"],
        &["verify", "--jobs", &name, "release"],
        &[&name],
        &["verify", &format!("--{name}")],
        &["explain", &name],
        &["inspect", &name],
        &["inspect", "-o", "json", &format!("release/{name}")],
        &["policy", &name],
        &["verify-blob", "--key", "k.pub", "--bundle", &name, "k.pub"],
        &["keygen", "--output-key-prefix", &format!("no/{name}")],
        &["seal", "--key", &name, "release"],
        &["report", "show", &name],
    ] {
        let mut command = sealift();
        command.current_dir(folder.path()).env("SEALIFT_PASSWORD", "").args(arguments);
        let (_, out, err) = outcome(&command.output().unwrap());
        assert!(!(out.is_empty() && err.is_empty()), "{arguments:?}");
        assert_plain(&format!("{arguments:?}"), &format!("{out}\n{err}"));
    }
}
