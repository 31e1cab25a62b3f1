//! Text: the last lines of a run, and the forms as a choice.

use sealift::report::{self, Detail, Form, ReportSource};
use sealift::verdict::{Run, StoppedBy};

use super::samples::{OUTCOMES, artifact, digest, everything, good, report, shard, written};

fn summary(run: &Run) -> String {
    let mut out = Vec::new();
    report::summary(&mut out, run).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_summary_counts_answers_and_files() {
    let mut run = everything(&["a", "b"]).run;
    assert_eq!(
        summary(&run),
        "18 answers: 2 OK, 2 FAILED, 2 MISSING, 2 EXTRA, 2 USAGE ERROR, 2 NETWORK ERROR, 2 UNDECIDED, \
         2 UNSIGNED, 2 OMITTED; 1.2 GiB in 3.4 s\n\
         coverage: 2 files by a vendor's signature, 4 by a seal only, 18 material, 16 uncovered, 4 excluded\n"
    );
    run.coverage.as_mut().unwrap().excluded = 0;
    assert!(summary(&run).ends_with("16 uncovered\n"));
    assert_eq!(summary(&Run::new("2026-11-26T08:00:00Z".to_owned())), "");
    let one = report(vec![artifact("a", OUTCOMES[1].0, OUTCOMES[1].1)]).run;
    assert!(summary(&one).starts_with("1 answer: 1 FAILED; "));
    assert!(summary(&report(Vec::new()).run).starts_with("0 answers; "));
}

#[test]
fn a_part_and_a_stopped_run_say_so() {
    let mut run = good().run;
    run.shard = Some(shard());
    run.merged = Some(5);
    run.partial = true;
    run.stopped_by = Some(StoppedBy::FailFast);
    let text = summary(&run);
    assert!(
        text.contains(&format!("PART 2 OF 5: of a listing of 800 files, {}", digest("listing")))
    );
    assert!(text.contains("merged from the reports of 5 parts\n"), "{text}");
    assert!(
        text.ends_with("PARTIAL: stopped at the first failure: not everything was looked at\n")
    );
    run.stopped_by = Some(StoppedBy::Interrupt);
    assert!(summary(&run).ends_with("PARTIAL: interrupted: not everything was looked at\n"));
}

#[test]
fn text_is_every_artifact_and_the_summary() {
    let report = everything(&["a"]);
    let mut expected = Vec::new();
    report.each(&mut |it| report::artifact(&mut expected, it, Detail::Full)).unwrap();
    report::summary(&mut expected, &report.run).unwrap();
    assert_eq!(written(Form::Text, &report), String::from_utf8(expected).unwrap());
}

#[test]
fn extensions_name_forms() {
    for (extension, form) in [
        ("html", Some(Form::Html)),
        ("HTM", Some(Form::Html)),
        ("json", Some(Form::Json)),
        ("Xml", Some(Form::Junit)),
        ("txt", Some(Form::Text)),
        ("pdf", None),
        ("", None),
    ] {
        assert_eq!(Form::of_extension(extension), form, "{extension}");
    }
}

#[test]
fn errors_of_the_writer_are_not_lost() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let room = self.0.min(bytes.len());
            self.0 -= room;
            if room == 0 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(room) }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let report = everything(&["a"]);
    for form in [Form::Html, Form::Json, Form::Junit, Form::Text] {
        let whole = written(form, &report).len();
        for room in [0, 10, whole / 2, whole - 1] {
            assert!(form.write(&mut Full(room), &report, Detail::Full).is_err(), "{form:?} {room}");
        }
        form.write(&mut Full(whole), &report, Detail::Full).unwrap();
    }
}
