//! JUnit XML: read by a schema of our own with xmllint, and by Python's parser.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use sealift::report::Form;
use sealift::verdict::{Report, StoppedBy};

use super::samples::{HOSTILE, everything, good, report, shard, written};
use crate::support::skip;
use crate::support::tools::{run, run_with_input};

fn xml(report: &Report) -> String {
    written(Form::Junit, report)
}

/// Reads a document and answers the suite's attributes, properties and cases as JSON.
const READER: &str = r#"
import json, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin.buffer).getroot()
suite = root.find('testsuite')
case = lambda it: dict(it.attrib, **{child.tag: dict(child.attrib, text=child.text) for child in it})
print(json.dumps({
    'root': root.attrib, 'suite': suite.attrib,
    'properties': {it.get('name'): it.get('value') for it in suite.iter('property')},
    'cases': [case(it) for it in suite.iter('testcase')],
}))
"#;

/// The document as Python reads it.
fn read(xml: &str) -> Option<Value> {
    if Command::new("python3").arg("--version").output().is_err() {
        skip("python3 is not here");
        return None;
    }
    let ran = run_with_input(Command::new("python3").args(["-c", READER]), xml.as_bytes());
    Some(serde_json::from_str(&ran.succeeded()).unwrap())
}

/// Validates by `junit.xsd`, if xmllint is here.
#[track_caller]
fn validate(xml: &str, fine: bool) {
    if Command::new("xmllint").arg("--version").output().is_err() {
        skip("xmllint is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    fs::write(&file, xml).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/junit.xsd");
    let ran =
        run(Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(schema).arg(file));
    assert_eq!(ran.status == Some(0), fine, "{}\n{xml}", ran.text());
}

#[test]
fn every_outcome_and_name_is_valid_xml() {
    let mut report = everything(&HOSTILE);
    report.run.paths = HOSTILE.map(str::to_owned).into();
    report.run.time = HOSTILE[6].to_owned();
    validate(&xml(&report), true);
    validate(&xml(&everything(&["a", "a", "a (2)"])), true);
    validate(&xml(&good()), true);
    validate(&xml(&self::report(Vec::new())), true);
    // The schema itself, seen to refuse.
    let fine = xml(&good());
    validate(&fine.replacen("skipped=\"0\"", "skipped=\"1\"", 1), false);
    validate(&fine.replacen("<system-out>", "<skipped/><system-out>", 1), false);
    validate(&fine.replacen("images/fabric.tar", "a\u{1b}b", 1), false);
    validate(&fine.replacen("name=\"images/fabric.tar\"", "name=\"images/studio.tar\"", 1), false);
}

#[test]
fn only_ok_is_green() {
    let report = everything(&["a"]);
    let Some(read) = read(&xml(&report)) else { return };
    let cases = read["cases"].as_array().unwrap();
    assert_eq!(cases.len(), report.artifacts.len());
    for (case, artifact) in cases.iter().zip(&report.artifacts) {
        let word = serde_json::to_value(artifact.outcome()).unwrap();
        let (failure, error) = (case.get("failure").is_some(), case.get("error").is_some());
        let expected = match word.as_str().unwrap() {
            "OK" => (false, false),
            "FAILED" | "MISSING" | "EXTRA" => (true, false),
            _ => (false, true),
        };
        assert_eq!((failure, error), expected, "{case}");
        if let Some(problem) = case.get("failure").or(case.get("error")) {
            assert_eq!(problem["type"], artifact.code().unwrap().name());
            let text = problem["text"].as_str().unwrap();
            assert!(text.contains("likely cause: a was changed on the way"), "{text}");
            assert!(text.contains("next: "), "{text}");
        } else {
            let text = case["system-out"]["text"].as_str().unwrap();
            assert!(text.contains("listed in the trust policy"), "{text}");
        }
    }
    for suite in [&read["root"], &read["suite"]] {
        assert_eq!(suite["tests"], "9");
        assert_eq!(suite["failures"], "3");
        assert_eq!(suite["errors"], "5");
        assert_eq!(suite["skipped"], "0");
        assert_eq!(suite["time"], "3.400");
        assert_eq!(suite["timestamp"], "2026-11-26T08:00:00");
    }
    let basis = report.run.basis.as_ref().unwrap();
    let properties = &read["properties"];
    assert_eq!(properties["sealift.keys"], format!("{} {}", basis.keys[0], basis.keys[1]));
    assert_eq!(properties["sealift.policy"], basis.policy.unwrap().to_string());
    assert_eq!(properties["sealift.program"], report.run.program.unwrap().to_string());
}

#[test]
fn a_run_that_is_no_success_is_never_green() {
    let mut reports = vec![report(Vec::new())];
    let mut stopped = good();
    stopped.run.partial = true;
    stopped.run.stopped_by = Some(StoppedBy::Interrupt);
    stopped.run.exit_status = 130;
    reports.push(stopped);
    for status in [1, 2, 3, 4, 130] {
        let mut other = good();
        other.run.exit_status = status;
        reports.push(other);
    }
    let mut forged = report(Vec::new());
    forged.run.exit_status = 0;
    reports.push(forged);
    let mut cut = good();
    cut.artifacts.pop();
    reports.push(cut);
    for report in reports {
        let xml = xml(&report);
        assert!(xml.contains("errors=\"1\""), "{xml}");
        assert!(xml.contains("classname=\"sealift.run\">\n<error "), "{xml}");
        validate(&xml, true);
    }
    let mut part = good();
    part.run.shard = Some(shard());
    let xml = xml(&part);
    assert!(xml.contains("errors=\"0\"") && xml.contains("value=\"PART 2 OF 5\""), "{xml}");
}

#[test]
fn names_arrive_escaped_and_are_never_lost() {
    let Some(read) = read(&xml(&everything(&HOSTILE))) else { return };
    let cases = read["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9 * HOSTILE.len());
    let named = |name: &str| cases.iter().filter(|case| case["name"] == name).count();
    assert_eq!(named(HOSTILE[0]), 1);
    assert_eq!(named(&format!("{} (9)", HOSTILE[0])), 1);
    assert_eq!(named("invoice\\u{202e}gnp.exe\\u{2066}\\u{200f}"), 1);
    assert_eq!(named("a\\u{0}b\\u{1b}[2J\\u{7f}\\u{85}\\u{9b}c\\r\\nd\\te"), 1);
    assert_eq!(named("\\u{fffe}\\u{ffff}\\u{1ffff}\\u{feff}\\u{200b}zero"), 1);
}
