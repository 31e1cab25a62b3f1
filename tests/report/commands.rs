//! `sealift report show` and `sealift report diff`, through the program.

use std::fs;
use std::path::{Path, PathBuf};

use sealift::report::Form;
use sealift::verdict::{Outcome, Report};
use serde_json::{Value, json};

use super::samples::{HOSTILE, answered, everything, good, written};
use crate::support::sealift;
use crate::support::tools::{Ran, run, run_with_input};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, report: &Report) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, written(Form::Json, report)).unwrap();
        path
    }
}

fn show(file: &Path, form: &str) -> Ran {
    run(sealift().args(["report", "show", "-v", "-o", form]).arg(file))
}

fn diff(before: &Path, after: &Path) -> Ran {
    run(sealift().args(["report", "diff"]).arg(before).arg(after))
}

#[test]
fn a_report_is_shown_in_every_form() {
    let folder = Folder::new();
    let report = everything(&HOSTILE);
    let file = folder.file("report.json", &report);
    for (form, name) in
        [(Form::Text, "text"), (Form::Json, "json"), (Form::Junit, "junit"), (Form::Html, "html")]
    {
        let ran = show(&file, name);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert_eq!(ran.stdout, written(form, &report), "{name}");
        let input = fs::read(&file).unwrap();
        let piped =
            run_with_input(sealift().args(["report", "show", "-v", "-o", name, "-"]), &input);
        assert_eq!(piped.stdout, ran.stdout);
    }
}

#[test]
fn what_verify_printed_can_be_shown() {
    let folder = Folder::new();
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release");
    let mut verify = sealift();
    verify.current_dir(release).args(["verify", "-o", "json", "--key", "../keys/vendor.pub", "."]);
    let ran = run(verify.args(["--trusted-root", "../keys/trusted_root.json"]));
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    let file = folder.0.path().join("report.json");
    fs::write(&file, &ran.stdout).unwrap();
    assert_eq!(show(&file, "json").stdout, ran.stdout);
    assert!(show(&file, "html").stdout.contains("<h1>FAILED</h1>"));
    assert!(show(&file, "junit").stdout.contains("<failure type=\"layer-mismatch\""));
    assert_eq!(diff(&file, &file).status, Some(0));
}

#[test]
fn what_differs_is_said_with_exit_status_1() {
    let folder = Folder::new();
    let before = folder.file("before.json", &good());
    let same = diff(&before, &before);
    assert_eq!((same.status, same.text()), (Some(0), String::new()));

    let mut report = good();
    report.artifacts[0] = answered(&report.artifacts[0], Outcome::Unsigned, None);
    report.artifacts[1].name = "images/\u{1b}[2Jnew.tar".to_owned();
    report.run.exit_status = 3;
    report.run.coverage = None;
    let after = folder.file("after.json", &report);
    let ran = diff(&before, &after);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (
            Some(1),
            "the run: exit status was 0, is 3\n\
             images/fabric.tar: was OK, is UNSIGNED\n\
             images/studio.tar: GONE, was OK\n\
             images/\\u{1b}[2Jnew.tar: NEW, OK\n"
        ),
        "{}",
        ran.stderr
    );

    let ran = run(sealift().args(["report", "diff", "-o", "json"]).args([&before, &after]));
    assert_eq!(ran.status, Some(1));
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schema"], "sealift-report-diff/v1");
    assert_eq!(
        document["differences"][0],
        json!({"change": "run", "words": "exit status was 0, is 3"})
    );
    assert_eq!(
        document["differences"][1],
        json!({"change": "changed", "name": "images/fabric.tar", "words": "was OK, is UNSIGNED"})
    );
    let ran = run(sealift().args(["report", "diff", "-o", "json"]).args([&before, &before]));
    assert_eq!(ran.status, Some(0));
    assert!(ran.stdout.contains("\"differences\": []"));
}

#[test]
fn what_is_no_report_is_refused_with_exit_status_2() {
    let folder = Folder::new();
    let good = folder.file("good.json", &good());
    let text = fs::read_to_string(&good).unwrap();
    let path = folder.0.path().join("bad.json");
    for bad in [
        String::new(),
        "{}".to_owned(),
        text[..text.len() / 2].to_owned(),
        text.replace("sealift-report/v1", "sealift-report/v2"),
        text.replace("\"OK\"", "\"FINE\""),
    ] {
        fs::write(&path, bad).unwrap();
        for ran in [show(&path, "html"), diff(&good, &path), diff(&path, &good)] {
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
            assert!(ran.stderr.contains("error[report-malformed]"), "{}", ran.stderr);
        }
    }
    let folder_itself = show(folder.0.path(), "text");
    assert_eq!(folder_itself.status, Some(2), "{}", folder_itself.stderr);
    let absent = diff(&good, &folder.0.path().join("absent"));
    assert_eq!(absent.status, Some(2));
    assert!(absent.stderr.contains("error[file-not-found]"));
    assert_eq!(diff(Path::new("-"), Path::new("-")).status, Some(2));
}
