//! The options for folders: what is chosen, what must be covered, when to stop, what is shown, and where reports
//! go.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::made::{Image, Made, STRANGER, Said, VENDOR, lasting, line};
use crate::support::log::TestKey;
use crate::support::skip;
use crate::support::tools::run;

#[test]
fn exit_codes_join_by_the_worst() {
    let made = Made::new();
    made.package("a.tgz", "a");
    made.verify("").says(0, &["a.tgz: OK"]);
    made.file("u.txt", "u");
    made.verify("").says(3, &["a.tgz: OK", "u.txt: no-bundle"]);
    made.file("k.pem", crate::support::transfers::private_pem(9));
    made.verify("").says(2, &["a.tgz: OK", "k.pem: key-is-private", "u.txt: no-bundle"]);
    made.file("w.tgz", "w");
    made.file("w.tgz_signature.bundle", TestKey::new(STRANGER).bundle(&line("w")));
    let said = made.verify("");
    assert_eq!(said.status, 1, "{:?}", said.answers());
}

#[test]
fn what_nothing_covers_fails_where_coverage_is_required() {
    let made = Made::new();
    made.package("a.tgz", "a").file("vendor.pub", TestKey::new(VENDOR).pem());
    made.verify("--require-coverage").says(0, &["a.tgz: OK"]);
    made.file("docs/u.txt", "u");
    let said = made.verify("--require-coverage").says(1, &["a.tgz: OK", "docs/u.txt: not-covered"]);
    let reason = said.artifacts()[1]["reason"].as_str().unwrap();
    assert!(reason.contains("no-bundle"), "{reason}");
    // Who leaves a file out leaves it uncovered.
    let said = made.verify("--exclude docs").says(0, &["a.tgz: OK"]);
    assert_eq!(said.covered("excluded"), ["docs/u.txt"]);
    let failed = ["a.tgz: OK", "docs/u.txt: not-covered"];
    made.verify("--exclude docs --require-coverage").says(1, &failed);
    made.verify("--include *.tgz --require-coverage").says(1, &failed);
    // So does who asks for one file beside the folder.
    made.beside("one.txt", "one");
    let mut command = made.command("--require-coverage --exclude docs/u.txt -o json");
    let said = Said::new(run(command.args(["one.txt", "r"])));
    assert_eq!(said.answers()[0], "one.txt: not-covered");
}

#[test]
fn a_layout_holds_its_image_and_nothing_else_wherever_it_lies() {
    let stray =
        format!("blobs/sha256/{}", crate::support::log::hex(&crate::support::log::sha256("stray")));
    for name in [
        &stray,
        "install.sh",
        "x/json",
        "blobs/x/json",
        "blobs/sha256/VERSION",
        "blobs/sha512/x",
        "blobs/install.sh",
        "x.tgz",
    ] {
        let made = Made::new();
        let image = Image::new("i", None);
        for (name, bytes) in image.layout() {
            made.file(&format!("i/{name}"), bytes);
        }
        fs::create_dir(made.path("i/ingest")).unwrap();
        made.file("i.bundle", image.bundle(VENDOR));
        made.package("i-2.tgz", "2");
        // The path itself is one image, too.
        let of_layout = |options: &str| {
            let mut command = made.command(options);
            Said::new(run(command.args(["--bundle", "r/i.bundle", "-o", "json", "r/i"])))
        };
        let good = ["i: OK", "i-2.tgz: OK"];
        for options in ["", "--require-coverage"] {
            let said = made.verify(options).says(0, &good);
            assert_eq!(said.covered("uncovered"), [""; 0]);
            of_layout(options).says(0, &["i: OK"]);
        }
        made.file(&format!("i/{name}"), "stray");
        let refused = ["i: entry-unreferenced", "i-2.tgz: OK"];
        for options in ["", "--require-coverage"] {
            let said = made.verify(options).says(1, &refused);
            assert_eq!(said.covered("vendor"), ["i-2.tgz"], "{name}");
            of_layout(options).says(1, &["i: entry-unreferenced"]);
            let mut command = made.command(options);
            let said = Said::new(run(command.args(["-o", "json", "r/i"])));
            said.says(1, &["i: entry-unreferenced"]);
        }
    }
    let made = Made::new();
    for (name, bytes) in Image::new("i", None).layout() {
        made.file(&format!("i/{name}"), bytes);
    }
    for parts in ["--shard 1/2", "--include x", "--exclude x"] {
        let said = Said::new(run(made.command(parts).args(["-o", "json", "r/i"])));
        assert_eq!((said.status, said.answers()), (2, vec!["i: usage".to_owned()]), "{parts}");
    }
}

#[test]
fn material_pairs_across_what_is_chosen() {
    let made = Made::new();
    let image = Image::new("i", Some("i.bundle"));
    made.file("images/i.tar", image.docker()).file("signatures/i.bundle", image.bundle(VENDOR));
    made.package("packages/a.tgz", "a");
    made.file("signatures/nothing.bundle", TestKey::new(VENDOR).bundle("nothing"));
    let said = made.verify("--include images/*").says(0, &["images/i.tar: OK"]);
    assert_eq!(said.covered("excluded"), ["packages/a.tgz"]);
    assert_eq!(said.report["coverage"]["excluded"], 1);
    made.verify("--exclude signatures --exclude images").says(0, &["packages/a.tgz: OK"]);
    let said = made.verify("--include nothing.here").says(3, &["r: nothing-found"]);
    let reason = said.artifacts()[0]["reason"].as_str().unwrap();
    assert!(reason.contains("--include and --exclude"), "{reason}");
    assert_eq!(made.text("--include a[").status, Some(2));
    made.verify("").says(
        1,
        &["images/i.tar: OK", "packages/a.tgz: OK", "signatures/nothing.bundle: material-unpaired"],
    );
}

#[test]
fn the_first_failure_ends_the_run_if_asked() {
    let made = Made::new();
    for number in 0..20 {
        made.package(&format!("p-{number:02}.tgz"), &number.to_string());
    }
    made.file("p-05.tgz", "another");
    let said = Said::new(run(made
        .command("--fail-fast --jobs 1")
        .args(["--report", "a.json", "-o", "json", "r"])));
    assert_eq!(said.status, 1);
    assert_eq!(said.answers().last().unwrap(), "p-05.tgz: signature-invalid");
    assert_eq!(said.answers().len(), 6);
    assert_eq!(said.report["partial"], true);
    assert_eq!(said.report["stopped_by"], "fail-fast");
    let kept: Value = serde_json::from_slice(&fs::read(made.yard.path("a.json")).unwrap()).unwrap();
    assert_eq!(kept, said.report);
    assert!(made.text("--fail-fast").stdout.contains("PARTIAL: "));
    // A path that fails ends it for those behind it, whatever it is; after the last there is nothing to stop.
    let of = |paths: &[&str]| {
        let mut command = made.command("--fail-fast -o json");
        Said::new(run(command.args(paths)))
    };
    let said = of(&["r/p-05.tgz", "r/p-06.tgz"]).says(1, &["p-05.tgz: signature-invalid"]);
    assert_eq!(said.report["partial"], true);
    let both = ["p-06.tgz: OK", "p-05.tgz: signature-invalid"];
    assert_eq!(of(&["r/p-06.tgz", "r/p-05.tgz"]).says(1, &both).report["partial"], Value::Null);
}

#[test]
fn only_what_changed_is_shown_and_everything_counts() {
    let made = Made::new();
    made.package("a.tgz", "a").package("b.tgz", "b").package("c.tgz", "c").package("x/d.tgz", "d");
    let report = |to: &str| {
        run(made.command("-o json").args(["--report", to, "r"])).succeeded();
    };
    report("old.json");
    let same = made.text("--changed-since old.json");
    assert_eq!(same.status, Some(0));
    assert!(same.stdout.starts_with("4 results are unchanged\n"), "{}", same.stdout);
    assert!(!same.stdout.contains(".tgz"), "{}", same.stdout);
    made.file("b.tgz", "another").package("new.tgz", "new");
    fs::remove_file(made.path("c.tgz")).unwrap();
    fs::remove_file(made.path("c.tgz_signature.bundle")).unwrap();
    let ran = made.text("--changed-since old.json");
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    for (text, there) in [
        ("r/b.tgz: FAILED (", true),
        ("r/new.tgz: OK (", true),
        ("r/c.tgz: gone, it was OK\n", true),
        ("r/a.tgz", false),
        ("x/d.tgz", false),
    ] {
        assert_eq!(ran.stdout.contains(text), there, "{text}: {}", ran.stdout);
    }
    // The exit code is of everything, also of what is not shown.
    fs::write(made.path("b.tgz"), "b").unwrap();
    made.file("a.tgz", "broken");
    let ran = run(made.command("-o json").args(["--report", "broken.json", "r"]));
    assert_eq!(ran.status, Some(1));
    let ran = made.text("--changed-since broken.json");
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(!ran.stdout.contains(".tgz"), "{}", ran.stdout);
    // What was left out, and what is of another part, is not gone.
    for options in ["--exclude a.tgz --exclude x", "--shard 1/2", "--shard 2/2"] {
        let ran = made.text(&format!("--changed-since broken.json {options}"));
        assert!(!ran.stdout.contains("gone"), "{options}: {}", ran.stdout);
    }
    let ran = made.text("--changed-since vendor-1.pub");
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.text().contains("report-malformed"), "{}", ran.text());
}

#[test]
fn one_run_writes_all_forms() {
    let made = Made::new();
    made.package("a.tgz", "a").file("b.txt", "b");
    let forms = ["a.json", "a.xml", "a.html", "a.txt"];
    let mut command = made.command("-o json");
    for form in forms {
        command.args(["--report", form]);
    }
    let said = Said::new(run(command.arg("r"))).says(3, &["a.tgz: OK", "b.txt: no-bundle"]);
    let read = |name: &str| fs::read_to_string(made.yard.path(name)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read("a.json")).unwrap(), said.report);
    for (name, text) in
        [("a.xml", "<testsuite"), ("a.html", "NOT VERIFIED"), ("a.txt", "r/a.tgz: OK")]
    {
        assert!(read(name).contains(text), "{name}: {}", read(name));
    }
    // It is written over, and nothing else is left there.
    let again = run(made.command("").args(["--report", "a.json", "r"]));
    assert_eq!(again.status, Some(3));
    let again: Value = serde_json::from_str(&read("a.json")).unwrap();
    assert_eq!(lasting(again), said.lasting());
    assert_eq!(left_over(&made), [""; 0]);
}

fn left_over(made: &Made) -> Vec<String> {
    let entries = fs::read_dir(made.yard.path("")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|it| it.contains(".sealift-")).collect()
}

#[test]
fn reports_that_can_t_be_written_are_said_and_hide_nothing() {
    let made = Made::new();
    made.package("a.tgz", "a").file("a.tgz", "another");
    fs::create_dir(made.yard.path("dir.json")).unwrap();
    std::os::unix::fs::symlink("r", made.yard.path("link")).unwrap();
    // Nothing is read for nothing.
    for (report, status, code) in [
        ("r/report.json", 2, "usage"),
        ("link/report.json", 2, "usage"),
        ("r/../r/report.json", 2, "usage"),
        ("report.pdf", 2, "usage"),
        ("report", 2, "usage"),
        ("none/report.json", 3, "write-failed"),
        ("dir.json", 3, "write-failed"),
    ] {
        let ran = run(made.command("").args(["--report", report, "r"]));
        assert_eq!(ran.status, Some(status), "{report}: {}", ran.text());
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{report}: {}", ran.text());
        assert_eq!(ran.stdout, "", "{report}");
    }
    assert!(!made.path("report.json").exists());
    // What shows only in the end does not keep the other reports back, nor hide a failure.
    let mut command = made.command("-o json");
    command.args(["--report", "/proc/self/report.json", "--report", "good.json", "r"]);
    let ran = run(&mut command);
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.stderr.contains("error[write-failed]"), "{}", ran.stderr);
    let kept: Value =
        serde_json::from_slice(&fs::read(made.yard.path("good.json")).unwrap()).unwrap();
    assert_eq!(kept, serde_json::from_str::<Value>(&ran.stdout).unwrap());
    made.package("a.tgz", "a");
    let ran = run(made.command("").args(["--report", "/proc/self/report.json", "r"]));
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert_eq!(left_over(&made), [""; 0]);
    // A full disk, where one can be had.
    let small = made.yard.path("small");
    fs::create_dir(&small).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=4k", "none", "small"];
    let mounted = std::process::Command::new("mount")
        .args(mount)
        .current_dir(made.yard.path(""))
        .output()
        .is_ok_and(|it| it.status.success());
    if !mounted {
        return skip("a full disk: mount -t tmpfs");
    }
    let ran = run(made.command("").args(["--report", "small/report.html", "r"]));
    let left = fs::read_dir(&small).unwrap().count();
    drop(run(std::process::Command::new("umount").arg(&small)));
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert!(ran.stderr.contains("error[write-failed]"), "{}", ran.stderr);
    assert_eq!(left, 0);
    fs::set_permissions(&small, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_map_decides_and_is_read_strictly() {
    let made = Made::new();
    let image = Image::new("i", Some("wrong.bundle"));
    made.file("i.tar", image.docker()).file("m/right.sig", image.bundle(VENDOR));
    made.file("wrong.bundle", image.bundle(STRANGER));
    made.package("a.tgz", "a");
    let map = |text: &str| {
        made.beside("map.tsv", text);
        made.verify("--map map.tsv")
    };
    // Without it the label decides.
    let bad = ["a.tgz: OK", "i.tar: signature-invalid", "m/right.sig: material-unpaired"];
    map("# nothing\n\n").says(1, &bad);
    let good = ["a.tgz: OK", "i.tar: OK", "wrong.bundle: material-unpaired"];
    map("i.tar\tm/right.sig\n").says(1, &good);
    // A wrong map is not mended by what lies beside the artifact.
    let said = map("i.tar\tm/right.sig\na.tgz\tm/right.sig\n");
    assert_eq!(said.answers()[..2], ["a.tgz: signature-invalid", "i.tar: OK"]);
    map("a.tgz\ti.tar\ni.tar\tm/right.sig\n");
    assert!(
        map("a.tgz\ti.tar\n").answers().contains(&"a.tgz: bundle-too-large".to_owned())
            || map("a.tgz\ti.tar\n").answers().contains(&"a.tgz: bundle-malformed".to_owned())
    );
    let two = "a.tgz\tm/right.sig\na.tgz\ta.tgz_signature.bundle\n";
    assert_eq!(map(two).answers()[0], "a.tgz: pairing-ambiguous");
    for text in ["none.tgz\tm/right.sig\n", "i.tar\tnone.bundle\n"] {
        assert_eq!(map(text).says(2, &["r: map-malformed"]).status, 2);
    }
    for text in
        ["i.tar m/right.sig\n", "i.tar\t../map.tsv\n", "/etc/passwd\tm/right.sig\n", "i.tar\t\n"]
    {
        let said = map(text);
        assert_eq!((said.status, said.answers().len()), (2, 0), "{text}");
        assert!(said.stderr.contains("error[map-malformed]"), "{}", said.stderr);
    }
}

#[test]
fn what_no_signature_vouches_for_is_said_and_refused_by_coverage() {
    let image = Image::new("i", None);
    let files = image.layout();
    let (_, manifest) = files.iter().find(|(_, it)| it.starts_with(b"{\"config\"")).unwrap();
    let text = String::from_utf8_lossy(manifest).into_owned();
    let of = |kind: &str, text: &str| {
        let digest = crate::support::log::hex(&crate::support::log::sha256(text));
        let kind = format!("application/vnd.oci.image.{kind}.v1+json");
        json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": text.len()})
    };
    let made = |documents: &[&str], top: &Value| {
        let made = Made::new();
        for (name, bytes) in files.iter().filter(|(_, it)| it != manifest) {
            made.file(&format!("i/{name}"), bytes);
        }
        for document in documents {
            let digest = crate::support::log::hex(&crate::support::log::sha256(document));
            made.file(&format!("i/blobs/sha256/{digest}"), document);
        }
        made.file("i/index.json", json!({"schemaVersion": 2, "manifests": [top]}).to_string());
        made.file("i.bundle", image.bundle(VENDOR));
        made
    };
    // An index with a platform that is not there.
    let absent = of("manifest", "elsewhere");
    let list =
        json!({"schemaVersion": 2, "manifests": [of("manifest", &text), absent]}).to_string();
    let partial = made(&[&text, &list], &of("index", &list));
    let said = partial.verify("").says(0, &["i: OK"]);
    assert_eq!(said.artifacts()[0]["unsigned_documents"][0]["says"], "absent-platforms");
    assert_eq!(said.artifacts()[0]["matched"].as_array().unwrap().len(), 1);
    assert_eq!(said.covered("vendor"), [""; 0]);
    let line = partial.text("").stdout;
    assert!(line.contains(", index not signed, ") && line.contains("i: OK ("), "{line}");
    partial.verify("--require-coverage").says(1, &["i: not-covered"]);
    // The same as one archive alone.
    let mut tar = crate::support::tar::Tar::new();
    for entry in fs::read_dir(partial.path("i/blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("blobs/sha256/{}", entry.file_name().to_str().unwrap());
        tar = tar.file(&name, fs::read(entry.path()).unwrap());
    }
    for name in ["oci-layout", "index.json"] {
        tar = tar.file(name, fs::read(partial.path("i").join(name)).unwrap());
    }
    partial.beside("alone.tar", tar.finish());
    for (options, status, answer) in
        [("", 0, "alone.tar: OK"), ("--require-coverage", 1, "alone.tar: not-covered")]
    {
        let mut command = partial.command(options);
        command.args(["--bundle", "r/i.bundle", "-o", "json", "alone.tar"]);
        Said::new(run(&mut command)).says(status, &[answer]);
    }
    // With a signature of the index.
    let digest = of("index", &list)["digest"].as_str().unwrap().to_owned();
    partial.file("i.bundle", TestKey::new(VENDOR).bundle(&digest));
    partial.verify("--require-coverage").says(0, &["i: OK"]);
    // Annotations and addresses in the manifest.
    let with = |member: &str| text.replacen("{\"digest\"", &format!("{{{member},\"digest\""), 2);
    let steered = with(r#""annotations":{"containerd.io/snapshot/x":"y"}"#);
    assert_ne!(steered, text);
    let annotated = made(&[&steered], &of("manifest", &steered));
    annotated.verify("").says(0, &["i: OK"]);
    assert!(annotated.text("").stdout.contains(", annotations not signed, "));
    annotated.verify("--require-coverage").says(1, &["i: not-covered"]);
    let elsewhere = with(r#""urls":["https://x.example/y"]"#);
    let elsewhere = made(&[&elsewhere], &of("manifest", &elsewhere));
    elsewhere.verify("").says(1, &["i: content-elsewhere"]);
}
