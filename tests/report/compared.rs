//! Two reports compared.

use sealift::report::{Change, diff, differs};
use sealift::verdict::{Code, Cover, KeyTrust, Outcome, Report};

use super::samples::{answered, artifact, digest, everything, good, ok, report, shard};

fn found(before: &Report, after: &Report) -> Vec<(Change, Option<String>, String)> {
    diff(before, after).into_iter().map(|it| (it.change, it.name, it.words)).collect()
}

#[test]
fn a_report_does_not_differ_from_itself() {
    let report = everything(&["a", "a", "b"]);
    assert_eq!(found(&report, &report), []);
    // Nor do times, sizes, reasons, causes, notes and checks.
    let mut later = report.clone();
    later.run.time = "2027-01-01T00:00:00Z".to_owned();
    later.run.finished = None;
    later.run.summary = None;
    later.run.paths.clear();
    for artifact in &mut later.artifacts {
        artifact.reason = None;
        artifact.next = None;
        artifact.likely_causes.clear();
        artifact.notes.clear();
        artifact.checks.clear();
        artifact.bundles.clear();
    }
    assert_eq!(found(&report, &later), []);
}

#[test]
fn what_counts_differs() {
    let before = ok("a");
    let same = |after: &_| differs(&before, after);
    assert_eq!(same(&before), None);
    let mut other = artifact("a", Outcome::Failed, Some(Code::DigestMismatch));
    let words = same(&other).unwrap();
    assert!(
        words.starts_with("was OK, is FAILED (digest-mismatch); sha256 was none, is sha256:"),
        "{words}"
    );
    assert!(words.contains("signed digests was config sha256:"), "{words}");
    let failed = other.clone();
    other = answered(&other, Outcome::Failed, Some(Code::LayerMismatch));
    assert_eq!(
        differs(&failed, &other).unwrap(),
        "was FAILED (digest-mismatch), is FAILED (layer-mismatch)"
    );
    let mut other = before.clone();
    other.key = Some(digest("another"));
    assert_eq!(
        same(&other).unwrap(),
        format!("key was {}, is {}", digest("key"), digest("another"))
    );
    let mut other = before.clone();
    other.key_trust = Some(KeyTrust::Seal);
    assert!(same(&other).unwrap().contains("is only the seal vouches for it"));
    let mut other = before.clone();
    other.images[0].covered = false;
    assert!(same(&other).is_some());
    let mut other = before.clone();
    other.images[0].candidates[0].digest = digest("another");
    assert!(same(&other).is_some());
    let mut other = before.clone();
    other.first_use = true;
    assert_eq!(same(&other).unwrap(), "now accepted unseen when it was sealed");
    let mut other = before.clone();
    other.carried = true;
    assert_eq!(
        differs(&other, &before).unwrap(),
        "no longer carried by an earlier transfer, not looked at"
    );
    let mut other = before.clone();
    other.kind = None;
    assert!(same(&other).is_some());
}

#[test]
fn names_that_come_again_are_paired_in_order() {
    let mut changed = ok("a");
    changed.key = None;
    let before = report(vec![ok("a"), ok("a"), ok("b")]);
    let mut after = report(vec![ok("c"), ok("a"), changed, ok("a")]);
    after.run.coverage = None;
    let changes: Vec<_> = diff(&before, &after)
        .into_iter()
        .map(|it| (it.change, it.name.unwrap(), it.words))
        .collect();
    assert_eq!(
        changes,
        [
            (Change::Changed, "a".to_owned(), format!("key was {}, is none", digest("key"))),
            (Change::Gone, "b".to_owned(), "OK".to_owned()),
            (Change::New, "c".to_owned(), "OK".to_owned()),
            (Change::New, "a".to_owned(), "OK".to_owned()),
        ]
    );
}

#[test]
fn the_basis_counts() {
    let before = good();
    let mut after = good();
    let basis = after.run.basis.as_mut().unwrap();
    basis.keys.reverse();
    assert_eq!(found(&before, &after), []);
    let basis = after.run.basis.as_mut().unwrap();
    basis.keys.pop();
    basis.policy = None;
    basis.trusted_root.as_mut().unwrap().source = "named".to_owned();
    basis.options.clear();
    basis.profiles.reverse();
    basis.map = Some(digest("another"));
    basis.identity = None;
    basis.transfer_keys.clear();
    after.run.program = Some(digest("another"));
    after.run.version = "9".to_owned();
    after.run.exit_status = 3;
    after.run.partial = true;
    after.run.shard = Some(shard());
    let words: Vec<String> = diff(&before, &after).into_iter().map(|it| it.words).collect();
    for what in [
        "exit status was 0, is 3",
        "version was 0.1.0, is 9",
        "program was ",
        "now stopped before everything was looked at",
        "part was none, is 2 of 5",
        "listing was none",
        "vendor keys was ",
        "identity was release@vendor.example, is none",
        "transfer keys was ",
        "policy was ",
        "trusted root was ",
        "profiles was k2view, vendor sha256:",
        "map was ",
        "options was --insecure-ignore-tlog, is none",
    ] {
        assert!(words.iter().any(|it| it.starts_with(what)), "{what}: {words:#?}");
    }
    assert_eq!(words.len(), 14, "{words:#?}");
    after.run.basis = None;
    let words: Vec<String> = diff(&before, &after).into_iter().map(|it| it.words).collect();
    assert!(
        words.contains(&"the second report does not say which keys and policy it used".to_owned())
    );
}

#[test]
fn files_count_by_their_cover() {
    let before = good();
    let mut after = good();
    let files = &mut after.run.coverage.as_mut().unwrap().files;
    let cover = |files: &mut Vec<sealift::verdict::CoveredFile>, name: &str, cover| {
        files.iter_mut().find(|it| it.name == name).unwrap().cover = cover;
    };
    cover(files, "docs/0.pdf", Cover::Uncovered);
    files.iter_mut().find(|it| it.name == "images/fabric.tar").unwrap().size = 1;
    files.iter_mut().find(|it| it.name == "tmp/0").unwrap().name = "tmp/new".to_owned();
    assert_eq!(
        found(&before, &after),
        [
            ("docs/0.pdf", "was covered by a seal only, is uncovered: nothing vouches for it"),
            ("tmp/0", "gone; was excluded by the operator, so uncovered"),
            ("tmp/new", "new: excluded by the operator, so uncovered"),
        ]
        .map(|(name, words)| (Change::File, Some(name.to_owned()), words.to_owned()))
    );
}

/// The same tree at another place, as on the other side of the gap.
#[test]
fn trees_at_two_places_are_compared_below_what_was_asked_for() {
    let names = ["a.tar", "b/a.tar", "b/c.tgz"];
    let tree = |path: &str, shown: &str| {
        let there = |name: &str| {
            let mut artifact = ok(name);
            artifact.name = format!("{shown}/{name}");
            artifact
        };
        let mut artifacts: Vec<_> = names.iter().map(|name| there(name)).collect();
        // A transfer directory, and what it says of an artifact of its own.
        let mut within = ok("app");
        within.within = Some(format!("{shown}/t"));
        artifacts.push(within);
        artifacts.push(there("t"));
        let mut report = report(artifacts);
        report.run.paths = vec![path.to_owned()];
        let mut coverage = sealift::verdict::Coverage::default();
        for name in ["a.tar", "x.pub"] {
            let name = format!("{shown}/{name}");
            coverage.add(sealift::verdict::CoveredFile { name, size: 1, cover: Cover::Material });
        }
        report.run.coverage = Some(coverage);
        report
    };
    let here = tree("/srv/out/release", "/srv/out/release");
    let mut there = tree("./in/", "./in");
    assert_eq!(found(&here, &there), []);
    there.artifacts[1] = artifact("./in/b/a.tar", Outcome::Failed, Some(Code::LayerMismatch));
    there.artifacts.remove(2);
    there.run.coverage.as_mut().unwrap().files[1].size = 2;
    let changes: Vec<_> =
        found(&here, &there).into_iter().map(|it| (it.0, it.1.unwrap())).collect();
    let name = |name: &str| format!("/srv/out/release/{name}");
    let expected = [
        (Change::Changed, name("b/a.tar")),
        (Change::Gone, name("b/c.tgz")),
        (Change::File, name("x.pub")),
    ];
    assert_eq!(changes, expected);
    // Where the paths can't be held against one another, whole names are compared.
    there.run.paths.push("more".to_owned());
    assert!(found(&here, &there).len() > 5);
}
