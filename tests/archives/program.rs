//! Real and hostile archives through the program: signed ids in, one verdict out, the same from a
//! file and from a pipe.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::support::log::TestKey;
use crate::support::{outcome, sealift, shared};
use serde_json::Value;

/// How an archive is handed over.
#[derive(Clone, Copy)]
enum Way {
    File,
    Pipe,
    /// The two, said to be an image instead of left to be told.
    TypedFile,
    TypedPipe,
}

/// The answer for an archive, with one bundle for each digest: exit code and report.
fn verify(archive: &Path, digests: &[String], way: Way) -> (i32, Value) {
    let key = TestKey::new(7);
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("vendor.pub");
    fs::write(&key_file, key.pem()).unwrap();
    let mut command = sealift();
    command.args(["verify", "-o", "json", "--insecure-ignore-tlog", "--key"]);
    command.arg(&key_file);
    for (index, digest) in digests.iter().enumerate() {
        let bundle = folder.path().join(format!("{index}.bundle"));
        fs::write(&bundle, key.bundle(digest)).unwrap();
        command.arg("--bundle").arg(bundle);
    }
    if matches!(way, Way::TypedFile | Way::TypedPipe) {
        command.args(["--type", "image"]);
    }
    if matches!(way, Way::Pipe | Way::TypedPipe) {
        command.arg("-").stdin(File::open(archive).unwrap());
    } else {
        command.arg(archive);
    }
    let (code, out, err) = outcome(&command.output().unwrap());
    let mut report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    // Names, times and what was asked for differ by design; everything else must not.
    for differs in ["time", "finished", "paths", "summary"] {
        report[differs] = Value::Null;
    }
    report["basis"]["options"] = Value::Null;
    report["artifacts"][0]["name"] = Value::Null;
    let text = report.to_string().replace(folder.path().to_str().unwrap(), "");
    (code, serde_json::from_str(&text).unwrap())
}

fn expectations(folder: &str) -> Option<(PathBuf, BTreeMap<String, Value>)> {
    let path = shared()?.join("archives").join(folder);
    let text = fs::read_to_string(path.join("expectations.json")).unwrap();
    Some((path, serde_json::from_str(&text).unwrap()))
}

fn run(folder: &str) {
    let Some((path, cases)) = expectations(folder) else { return };
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let digests: Vec<String> = match (&case["signed_digests"], &case["signed_digest"]) {
            (Value::Array(all), _) => {
                all.iter().map(|it| it.as_str().unwrap().to_owned()).collect()
            }
            (_, one) => vec![one.as_str().unwrap().to_owned()],
        };
        let archive = path.join(case["archive"].as_str().unwrap());
        // Blobs that nothing refers to were once noted only. An archive is a closed world now.
        let stray = name == "58-oci-extra-blobs";
        let expected = if case["expect"] == "verified" && !stray { 0 } else { 1 };
        let (code, report) = verify(&archive, &digests, Way::File);
        let artifact = &report["artifacts"][0];
        if code != expected {
            wrong.push(format!("{name}: exit {code}, expected {expected}: {}", artifact["reason"]));
        }
        for way in [Way::Pipe, Way::TypedFile, Way::TypedPipe] {
            let (other_code, other) = verify(&archive, &digests, way);
            if (code, &report) != (other_code, &other) {
                wrong.push(format!("{name}: another way, another answer: {report} {other}"));
            }
        }
        if expected == 0 {
            // The same archive with another id signed must fail, or the OK above means nothing.
            let other = format!("sha256:{}", "0".repeat(64));
            let (code, _) = verify(&archive, &[other], Way::File);
            if code != 1 {
                wrong.push(format!("{name}: exit {code} for an id that nobody signed"));
            }
        } else {
            eprintln!("{name}: {}", artifact["reason"]);
        }
    }
    assert!(cases.len() > 10, "the expectations are empty");
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn real_archives_answer_as_expected() {
    run("real");
}

#[test]
fn hostile_archives_answer_as_expected() {
    run("hostile");
}
