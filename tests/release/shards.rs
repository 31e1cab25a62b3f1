//! Parts of a folder, each checked by a process of its own, and their reports merged: what comes out is what
//! one run over everything says. What does not belong together is refused.

use std::fs;

use serde_json::{Value, json};

use crate::made::{Image, Made, Said, VENDOR, lasting};
use crate::support::log::{TestKey, hex, sha256};
use crate::support::sealift;
use crate::support::tools::{Ran, run};
use crate::support::transfers::private_pem;

/// A folder with something of everything, whose faults are said across its parts.
fn folder() -> Made {
    let made = Made::new();
    for number in 0..12 {
        made.package(&format!("p/{number}.tgz"), &"x".repeat(number * 100));
    }
    made.file("p/3.tgz", "another").file("stray.txt", "stray").file("k.pem", private_pem(9));
    let images = ["i", "j"].map(|it| Image::new(it, Some("shared.bundle")));
    made.file("i.tar", images[0].docker()).file("z/j.tar", images[1].docker());
    made.file("m/shared.bundle", images[0].bundle(VENDOR));
    let copies = Image::new("copy", Some("copy.bundle"));
    made.file("c1.tar", copies.docker()).file("z/c2.tar", copies.docker());
    made.file("m/copy.bundle", copies.bundle(VENDOR));
    let layout = Image::new("layout", None);
    for (name, bytes) in layout.layout() {
        made.file(&format!("layout/{name}"), bytes);
    }
    made.file(&format!("layout/blobs/sha256/{}", hex(&sha256("stray"))), "stray");
    made.file("layout.bundle", layout.bundle(VENDOR)).package("layout-2.tgz", "2");
    made.file("m/nothing.bundle", TestKey::new(VENDOR).bundle("nothing"));
    std::os::unix::fs::symlink("p", made.path("link")).unwrap();
    made.yard.package("r/t", "in.tgz", "in", VENDOR);
    made.yard.sealed("r/t");
    fs::remove_file(made.path("t/manifest.json")).unwrap();
    made
}

/// Checks one part, and keeps its report.
fn part(made: &Made, options: &str, environment: &[(&str, &str)], to: &str) -> Ran {
    let mut command = made.command(options);
    command.args(["--report", to, "r"]).envs(environment.iter().copied());
    run(&mut command)
}

fn merge(made: &Made, words: &[&str]) -> Ran {
    let mut command = sealift();
    run(command.current_dir(made.yard.path("")).args(["report", "merge", "-o", "json"]).args(words))
}

/// The merged report, without what is only in merged ones.
fn merged(made: &Made, words: &[&str]) -> (i32, Value) {
    let said = Said::new(merge(made, words));
    let mut report = said.lasting();
    let parts = report.as_object_mut().unwrap().remove("merged");
    assert_eq!(parts, Some(json!(words.len())));
    (said.status, without_bytes(report))
}

/// How much was read to look for material is another for each part.
fn without_bytes(mut report: Value) -> Value {
    report["summary"].as_object_mut().unwrap().remove("bytes");
    report
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|it| format!("{it}.json")).collect()
}

fn all_parts(made: &Made, count: usize, options: &str) -> Vec<String> {
    for (number, name) in names(count).iter().enumerate() {
        part(made, &format!("{options} --shard {}/{count}", number + 1), &[], name);
    }
    names(count)
}

#[test]
fn parts_put_together_are_the_whole() {
    let made = folder();
    for (count, options) in [
        (1, ""),
        (2, "--exclude stray.txt"),
        (3, ""),
        (7, "--require-coverage --exclude p"),
        (3, "--exclude *"),
    ] {
        let whole = made.verify(options);
        let mut names = all_parts(&made, count, options);
        names.reverse();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let (status, together) = merged(&made, &words);
        let expected = without_bytes(whole.lasting());
        for member in expected.as_object().unwrap().keys() {
            assert_eq!(together[member], expected[member], "{count} {options}: {member}");
        }
        assert_eq!(together, expected);
        assert_eq!(status, whole.status);
        if count == 3 && options.is_empty() {
            let answers = whole.answers();
            for line in [
                "m/shared.bundle: bundle-shared",
                "m/nothing.bundle: material-unpaired",
                "t: no-transfer-key",
                "layout: entry-unreferenced",
                "link: file-type-refused",
            ] {
                assert!(answers.contains(&line.to_owned()), "{line}: {answers:?}");
            }
        }
    }
}

#[test]
fn more_parts_than_things_and_parts_of_nothing() {
    let made = Made::new();
    made.package("a.tgz", "a");
    let names = all_parts(&made, 5, "");
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let (status, together) = merged(&made, &words);
    assert_eq!((status, &together["summary"]["answers"]), (0, &json!(1)));
    // A part with nothing in it is no success of its own.
    let statuses: Vec<_> = (1..=5)
        .map(|it| part(&made, &format!("--shard {it}/5"), &[], "x.json").status.unwrap())
        .collect();
    assert_eq!(statuses.iter().filter(|it| **it == 0).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|it| **it == 3).count(), 4, "{statuses:?}");
    fs::remove_dir_all(made.path("")).unwrap();
    fs::create_dir(made.path("")).unwrap();
    all_parts(&made, 2, "");
    let (status, together) = merged(&made, &["1.json", "2.json"]);
    assert_eq!((status, &together["artifacts"][0]["code"]), (3, &json!("nothing-found")));
    assert_eq!(together["artifacts"][0]["name"], "r");
    // Nobody to judge by: each part says so of all, and so does the whole, once.
    made.package("a.tgz", "a").package("b.tgz", "b");
    for number in 1..=2 {
        let mut command = sealift();
        command.current_dir(made.yard.path("")).args(["verify", "-q", "r", "--shard"]);
        command.args([format!("{number}/2"), "--report".to_owned(), format!("{number}.json")]);
        assert_eq!(run(&mut command).status, Some(2));
    }
    let (status, together) = merged(&made, &["1.json", "2.json"]);
    assert_eq!((status, &together["summary"]["answers"]), (2, &json!(1)));
}

#[test]
fn engines_say_the_part_only_where_they_are_asked() {
    let made = folder();
    let slurm = |id: &'static str| {
        vec![
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", "4"),
            ("SLURM_ARRAY_TASK_MAX", "8"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
        ]
    };
    for (number, id) in ["4", "6", "8"].into_iter().enumerate() {
        part(&made, "--shard auto", &slurm(id), &format!("{}.json", number + 1));
    }
    let whole = without_bytes(made.verify("").lasting());
    assert_eq!(merged(&made, &["1.json", "2.json", "3.json"]).1, whole);
    for (number, index) in ["0", "1", "2"].into_iter().enumerate() {
        let name = format!("{}.json", number + 1);
        part(&made, "--shard auto/3", &[("JOB_COMPLETION_INDEX", index)], &name);
    }
    assert_eq!(merged(&made, &["1.json", "2.json", "3.json"]).1, whole);
    // Who does not ask for a part gets the whole.
    let mut environment = slurm("4");
    environment.push(("JOB_COMPLETION_INDEX", "0"));
    part(&made, "", &environment, "whole.json");
    let report: Value =
        serde_json::from_slice(&fs::read(made.yard.path("whole.json")).unwrap()).unwrap();
    assert_eq!(without_bytes(lasting(report)), whole);
    for (options, environment) in [
        ("--shard auto", vec![]),
        ("--shard auto/3", vec![]),
        ("--shard auto/3", vec![("JOB_COMPLETION_INDEX", "3")]),
        ("--shard 0/3", vec![]),
        ("--shard 4/3", vec![]),
        ("--shard 1/999999999", vec![]),
    ] {
        let ran = part(&made, options, &environment, "none.json");
        assert_eq!(ran.status, Some(2), "{options}: {}", ran.text());
        assert!(!made.yard.path("none.json").exists());
    }
}

/// A change by hand: what it is, the code, and how it is made.
type Edit<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Value));

#[test]
fn what_does_not_belong_together_is_refused() {
    let made = Made::new();
    for number in 0..6 {
        made.package(&format!("{number}.tgz"), &number.to_string());
    }
    made.file("u.txt", "u");
    let good = |options: &str, to: &str| {
        part(&made, options, &[], to);
    };
    let refused = |words: &[&str], status: i32, code: &str| {
        let ran = merge(&made, words);
        assert_eq!(ran.status, Some(status), "{words:?}: {}", ran.text());
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{words:?}: {}", ran.text());
        assert_eq!(ran.stdout, "", "{words:?}");
    };
    good("--shard 1/2", "1.json");
    good("--shard 2/2", "2.json");
    merge(&made, &["1.json", "2.json"]);
    let (status, _) = merged(&made, &["1.json", "2.json"]);
    assert_eq!(status, 3);
    good("", "whole.json");
    refused(&["1.json"], 3, "shards-incomplete");
    refused(&["1.json", "1.json"], 3, "shards-incomplete");
    refused(&["1.json", "2.json", "2.json"], 3, "shards-incomplete");
    refused(&["1.json", "whole.json"], 3, "shards-incomplete");
    refused(&["whole.json"], 3, "shards-incomplete");
    refused(&["1.json", "none.json"], 2, "file-not-found");
    refused(&["1.json", "vendor-1.pub"], 2, "report-malformed");
    good("--shard 2/3", "other.json");
    refused(&["1.json", "other.json"], 3, "shards-differ");

    // Judged by something else.
    made.beside("trust.toml", "version = 1\n[[vendor]]\nname = \"k2view\"\ntransparency = \"optional\"\n[[vendor.key]]\nname = \"k\"\nfile = \"vendor-1.pub\"\n");
    let root = crate::support::log::TestLog::new(78, "other.test").trusted_root();
    made.beside("other_root.json", root.to_string());
    for options in [
        "--trust trust.toml",
        "--key vendor-2.pub",
        "--require-coverage",
        "--exclude u.txt",
        "--time 2030-01-01T00:00:00Z",
        "--vendor-profile own.toml",
    ] {
        made.beside("own.toml", include_str!("../../src/trust/k2view.toml"));
        let mut command = made.command(&format!("--shard 2/2 {options}"));
        if options.starts_with("--key") {
            command = sealift();
            command.current_dir(made.yard.path("")).args(["verify", "-q", "--shard", "2/2"]);
            command.args(["--trusted-root", "trusted_root.json", "--insecure-ignore-tlog"]);
            command.args(options.split_whitespace());
        }
        run(command.args(["--report", "other.json", "r"]));
        refused(&["1.json", "other.json"], 3, "shards-differ");
        refused(&["other.json", "1.json"], 3, "shards-differ");
    }
    let mut command = sealift();
    command.current_dir(made.yard.path("")).args(["verify", "-q", "--shard", "2/2", "--key"]);
    command.args(["vendor-1.pub", "--insecure-ignore-tlog", "--trusted-root", "other_root.json"]);
    run(command.args(["--report", "other.json", "r"]));
    refused(&["1.json", "other.json"], 3, "shards-differ");

    // Ended early.
    made.file("0.tgz", "another");
    good("--shard 1/2 --fail-fast", "a.json");
    good("--shard 2/2 --fail-fast", "b.json");
    refused(&["a.json", "b.json"], 3, "shards-incomplete");
    // The folder changed between the parts: another size, a file more.
    good("--shard 2/2", "other.json");
    refused(&["1.json", "other.json"], 3, "shards-differ");
    made.package("0.tgz", "0").file("empty", "");
    good("--shard 2/2", "other.json");
    refused(&["1.json", "other.json"], 3, "shards-differ");
    // The same bytes under another path are another folder.
    fs::remove_file(made.path("empty")).unwrap();
    let mut command = made.command("--shard 2/2");
    run(command.args(["--report", "other.json", "./r"]));
    refused(&["1.json", "other.json"], 3, "shards-differ");

    // Changed by hand.
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(made.yard.path(name)).unwrap()).unwrap()
    };
    let (one, two) = (read("1.json"), read("2.json"));
    let edits: [Edit<'_>; 12] = [
        ("program", "shards-differ", &|it| {
            it["program"] = json!(format!("sha256:{}", "0".repeat(64)))
        }),
        ("version", "shards-differ", &|it| it["version"] = json!("9.9.9")),
        ("partial", "shards-incomplete", &|it| it["partial"] = json!(true)),
        ("stopped", "shards-incomplete", &|it| it["stopped_by"] = json!("interrupt")),
        ("a file twice", "shards-incomplete", &|it| {
            let file = one["coverage"]["files"][0].clone();
            it["coverage"]["files"].as_array_mut().unwrap().push(file);
        }),
        ("a file of the other part for its own", "shards-incomplete", &|it| {
            it["coverage"]["files"][0] = one["coverage"]["files"][0].clone();
        }),
        ("a file less", "shards-incomplete", &|it| {
            it["coverage"]["files"].as_array_mut().unwrap().pop();
        }),
        ("no coverage", "shards-incomplete", &|it| {
            drop(it.as_object_mut().unwrap().remove("coverage"))
        }),
        ("an answer less", "shards-incomplete", &|it| {
            it["artifacts"].as_array_mut().unwrap().pop();
        }),
        ("an answer of the other part", "shards-incomplete", &|it| {
            it["artifacts"][0] = one["artifacts"][0].clone();
        }),
        ("another outcome", "shards-incomplete", &|it| {
            it["artifacts"][0]["outcome"] = json!("FAILED");
        }),
        ("another part", "shards-incomplete", &|it| it["shard"]["part"] = json!(0)),
    ];
    for (what, code, edit) in edits {
        let mut changed = two.clone();
        edit(&mut changed);
        assert_ne!(changed, two, "{what}");
        made.beside("changed.json", changed.to_string());
        eprintln!("{what}");
        refused(&["1.json", "changed.json"], 3, code);
    }
    // Nor does a great number of parts cost anything.
    let mut changed = two.clone();
    changed["shard"]["of"] = json!(u32::MAX);
    made.beside("changed.json", changed.to_string());
    refused(&["changed.json"], 3, "shards-incomplete");
    for text in ["", "{", "[]", "{\"schema\":\"sealift-report/v2\"}"] {
        made.beside("changed.json", text);
        refused(&["1.json", "changed.json"], 2, "report-malformed");
    }
    // What is refused writes nothing.
    let ran = merge(&made, &["1.json", "--report", "merged.html"]);
    assert_eq!(ran.status, Some(3));
    assert!(!made.yard.path("merged.html").exists());
    let ran = merge(&made, &["1.json", "2.json", "--report", "merged.html", "--report", "m.xml"]);
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert!(made.yard.path("merged.html").exists() && made.yard.path("m.xml").exists());
}
