//! The HTML page as text: what it says, and that nothing in it is markup but its own.

use std::collections::BTreeSet;

use sealift::report::Form;
use sealift::verdict::{Outcome, Report, StoppedBy};

use super::samples::{HOSTILE, answered, everything, good, ok, report, shard, written};

pub(super) fn page(report: &Report) -> String {
    written(Form::Html, report)
}

/// The text between two marks.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap().0
}

fn verdict(report: &Report) -> String {
    between(&page(report), "<h1>", "</h1>").to_owned()
}

#[test]
fn verified_is_said_of_a_whole_good_run_alone() {
    assert_eq!(verdict(&good()), "VERIFIED");

    let mut none = report(Vec::new());
    assert_eq!(verdict(&none), "NOT VERIFIED");
    none.run.exit_status = 0;
    assert_eq!(verdict(&none), "NOT VERIFIED");

    let mut stopped = good();
    stopped.run.partial = true;
    stopped.run.stopped_by = Some(StoppedBy::Interrupt);
    stopped.run.exit_status = 130;
    assert_eq!(verdict(&stopped), "INTERRUPTED: not everything was looked at");
    stopped.run.stopped_by = None;
    assert_eq!(verdict(&stopped), "INTERRUPTED: not everything was looked at");
    stopped.run.stopped_by = Some(StoppedBy::FailFast);
    stopped.run.exit_status = 1;
    assert_eq!(verdict(&stopped), "STOPPED: not everything was looked at");
    stopped.run.exit_status = 0;
    assert_eq!(verdict(&stopped), "NOT VERIFIED");

    let mut part = good();
    part.run.shard = Some(shard());
    assert_eq!(verdict(&part), "PART 2 OF 5");
    assert!(
        !page(&part).contains(">VERIFIED<") && page(&part).contains("says nothing of the others")
    );
    part.run.exit_status = 1;
    assert_eq!(verdict(&part), "PART 2 OF 5: FAILED");

    for (status, words) in [
        (1, "FAILED"),
        (2, "NOT JUDGED"),
        (3, "NOT VERIFIED"),
        (4, "NOT VERIFIED"),
        (130, "INTERRUPTED: not everything was looked at"),
        (77, "NOT VERIFIED"),
    ] {
        let mut run = good();
        run.run.exit_status = status;
        assert_eq!(verdict(&run), words, "{status}");
    }
}

#[test]
fn a_report_that_contradicts_itself_is_not_verified() {
    for outcome in [Outcome::Failed, Outcome::Undecided, Outcome::Unsigned, Outcome::Network] {
        let mut forged = good();
        forged.artifacts[1] = answered(&forged.artifacts[1], outcome, None);
        assert_eq!(forged.run.exit_status, 0);
        assert_eq!(verdict(&forged), "NOT VERIFIED", "{outcome:?}");
        assert!(page(&forged).contains("contradicts itself"));
    }
    let mut cut = good();
    cut.artifacts.pop();
    assert_eq!(verdict(&cut), "NOT VERIFIED");
    assert!(page(&cut).contains("The report's own summary says otherwise"));
}

#[test]
fn the_page_says_by_what_was_judged() {
    let mut report = good();
    let text = page(&report);
    let run = &report.run;
    let basis = run.basis.as_ref().unwrap();
    for digest in basis.keys.iter().chain(&basis.transfer_keys).chain(&run.program) {
        assert!(text.contains(&digest.to_string()), "{digest}");
    }
    for digest in [basis.policy, basis.map, basis.profiles[1].sha256] {
        assert!(text.contains(&digest.unwrap().to_string()));
    }
    assert!(text.contains(&basis.trusted_root.as_ref().unwrap().sha256.to_string()));
    for words in [
        "/media/usb/release-8.1",
        "2026-11-26T08:00:00.123456789Z to 2026-11-26T08:00:03.523456789Z",
        "1.2 GiB in 3.4 s",
        "named in the trust policy",
        "--insecure-ignore-tlog",
        "release@vendor.example",
        "k2view",
    ] {
        assert!(text.contains(words), "{words}");
    }
    report.run.basis = None;
    report.run.program = None;
    let text = page(&report);
    assert!(text.contains("does not say by which keys") && text.contains("is not recorded"));
}

#[test]
fn the_worst_comes_first_and_stands_open() {
    let text = page(&everything(&["a"]));
    let order = [
        "FAILED",
        "MISSING",
        "EXTRA",
        "USAGE ERROR",
        "NETWORK ERROR",
        "UNDECIDED",
        "UNSIGNED",
        "OMITTED",
        "OK",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|word| {
            let id = word.to_lowercase().replace(' ', "-");
            text.find(&format!("<h2 id=\"{id}\">")).unwrap_or_else(|| panic!("{word}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(text.matches("<details open>").count(), 3);
    assert_eq!(text.matches("<article class=\"bad\">").count(), 3);
    assert_eq!(text.matches("<article class=\"open\">").count(), 5);
}

#[test]
fn uncovered_files_are_named() {
    let mut report = everything(&["a<b>", "c"]);
    let text = page(&report);
    let list = between(&text, "<h2>Uncovered files</h2>", "</section>");
    assert!(list.contains("<bdi>a&lt;b&gt;</bdi>") && list.contains("<bdi>c</bdi>"), "{list}");
    assert!(between(&text, "<h2>Excluded files</h2>", "</section>").contains("tmp/0"));
    let coverage = report.run.coverage.as_mut().unwrap();
    coverage.files.clear();
    assert!(page(&report).contains("names 0"));
}

/// Elements and attributes that stand in a page.
fn markup(page: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut tags, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    for part in page.split('<').skip(1) {
        let tag = part.split_once('>').unwrap_or_else(|| panic!("<{part}")).0;
        let name = tag.split([' ', '\n']).next().unwrap();
        tags.insert(name.trim_start_matches('/'));
        let mut rest = tag[name.len()..].trim_start();
        while !rest.is_empty() {
            let end = rest.find(['=', ' ']).unwrap_or(rest.len());
            attributes.insert(&rest[..end]);
            rest = match rest[end..].strip_prefix('=') {
                None => rest[end..].trim_start(),
                Some(value) => match value.strip_prefix('"') {
                    Some(quoted) => quoted.split_once('"').unwrap().1.trim_start(),
                    None => value.split_once(' ').map_or("", |(_, rest)| rest),
                },
            };
        }
    }
    (tags, attributes)
}

#[test]
fn no_name_becomes_markup() {
    let mut report = everything(&HOSTILE);
    report.run.paths = HOSTILE.map(str::to_owned).into();
    report.run.version = HOSTILE[0].to_owned();
    report.run.time = HOSTILE[4].to_owned();
    report.run.finished = Some(HOSTILE[1].to_owned());
    report.run.shard = Some(shard());
    let basis = report.run.basis.as_mut().unwrap();
    basis.identity = Some(HOSTILE[1].to_owned());
    basis.options = HOSTILE.map(str::to_owned).into();
    basis.trusted_root.as_mut().unwrap().source = HOSTILE[2].to_owned();
    basis.profiles[0].name = HOSTILE[3].to_owned();
    for artifact in &mut report.artifacts {
        let name = artifact.name.clone();
        artifact.detected = Some(name.clone());
        artifact.notes.push(name.clone());
        artifact.images[0].platform = name.clone();
        artifact.images[0].unsigned_tags = vec![name.clone()];
        artifact.images[0].ids_after_load = [(name.clone().into(), name.clone())].into();
        artifact.images[0].candidates[0].kind = name.clone();
        artifact.bundles[0].format = Some(name.clone());
        artifact.bundles[0].notes = vec![name.clone()];
        artifact.checks[1].values = [(name.clone(), name.clone())].into();
        artifact.matched.iter_mut().for_each(|it| it.kind = name.clone());
    }
    let text = page(&report);
    let (tags, attributes) = markup(&text);
    let known = [
        "!DOCTYPE", "a", "article", "bdi", "body", "br", "caption", "code", "dd", "details", "div",
        "dl", "dt", "footer", "h1", "h2", "h3", "head", "header", "html", "li", "main", "meta",
        "p", "rect", "section", "small", "span", "strong", "style", "summary", "svg", "table",
        "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
    ];
    assert_eq!(tags.difference(&known.into()).collect::<Vec<_>>(), Vec::<&&str>::new());
    let known = [
        "/",
        "aria-hidden",
        "aria-labelledby",
        "charset",
        "class",
        "content",
        "height",
        "href",
        "html",
        "http-equiv",
        "id",
        "lang",
        "name",
        "open",
        "preserveAspectRatio",
        "scope",
        "viewBox",
        "width",
        "x",
    ];
    assert_eq!(attributes.difference(&known.into()).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(text.matches("<h1>").count(), 1);
    assert_eq!(text.matches("<meta http-equiv").count(), 1);
    assert!(text.split("href=\"").skip(1).all(|target| target.starts_with('#')));
    // Neither control nor direction characters nor what is no character is left.
    let odd = |c: char| {
        (c.is_control() && c != '\n')
            || "\u{202e}\u{2066}\u{200f}\u{feff}\u{200b}\u{fffe}\u{ffff}\u{1ffff}".contains(c)
    };
    assert_eq!(text.chars().find(|c| odd(*c)), None);
    assert!(text.contains("invoice\\u{202e}gnp.exe"));
    assert!(text.contains("packages/Straße 文件 🚀.tar.gz"));
}

#[test]
fn a_good_page_names_no_place_on_a_network() {
    let mut report = good();
    for artifact in &mut report.artifacts {
        artifact.bundles.iter_mut().flat_map(|it| &mut it.checks).for_each(|it| it.values.clear());
    }
    let text = page(&report);
    assert!(text.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    for word in ["://", "url(", "@import", "<script", "<link", "<img", "src=", "data:"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn rows_are_short_and_digests_are_whole() {
    let name = |place: u32| format!("images/release-2026.3/component-{place:05}.tar");
    let text = page(&report((0..1000).map(|place| ok(&name(place))).collect()));
    let rows: usize =
        text.lines().filter(|line| line.starts_with("<tr><th scope=\"row\">")).count();
    assert_eq!(rows, 1000);
    let longest =
        text.lines().filter(|line| line.starts_with("<tr><th scope=\"row\">")).map(str::len).max();
    assert!(longest.unwrap() <= 1536, "{longest:?}");
    assert!(text.contains(&super::samples::digest(&name(999)).to_string()));
    // Each table has a head of its own.
    assert_eq!(text.matches("<div class=\"chunk\">").count(), 5);
    assert!(text.contains("801 to 1000 of 1000"));
}
