//! What other tools write, in one folder: each form of the same image is paired and verified like ours. A tool that is
//! not here, or does not work here, is skipped.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::made::{Image, Made, VENDOR};
use crate::support::log::TestKey;
use crate::support::skip;
use crate::support::tools::{broken, run};

/// Whether a tool is here.
fn there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|it| it.status.success());
    if !found {
        skip(&format!("{tool} is not installed"));
    }
    found
}

/// Runs a tool in the yard; says whether it worked.
fn works(made: &Made, tool: &str, words: &[&str]) -> bool {
    let ran = run(Command::new(tool).args(words).current_dir(made.yard.path("")));
    if ran.status != Some(0) {
        broken(&format!("{tool} {}: {}", words.join(" "), ran.text()));
    }
    ran.status == Some(0)
}

#[test]
fn copies_by_skopeo_podman_and_docker_are_verified_in_a_folder() {
    let made = Made::new();
    let image = Image::new("engines", None);
    made.beside("ours.tar", image.docker());
    made.file("ours.tar", image.docker());
    let mut expected = vec!["ours.tar: OK".to_owned()];
    if there("skopeo") {
        for (name, to) in [
            ("skopeo-docker.tar", "docker-archive:r/skopeo-docker.tar:copied:1"),
            ("skopeo-layout", "oci:r/skopeo-layout:copied"),
            ("skopeo-oci.tar", "oci-archive:r/skopeo-oci.tar:copied"),
        ] {
            let words = ["copy", "--insecure-policy", "--quiet", "docker-archive:ours.tar", to];
            if works(&made, "skopeo", &words) {
                expected.push(format!("{name}: OK"));
            }
        }
    }
    if there("podman") {
        // Storage of its own, so that the user's stays as it is.
        let podman = |words: &[&str]| {
            let own = ["--root", "storage", "--runroot", "run", "--storage-driver", "vfs"];
            works(&made, "podman", &[&own[..], words].concat())
        };
        let save = |form: &str, to: &str| {
            podman(&["save", "--quiet", "--format", form, "--output", to, "a:1"])
                || podman(&["save", "--quiet", "--format", form, "--output", to, "localhost/a:1"])
        };
        if podman(&["load", "--quiet", "--input", "ours.tar"]) {
            for (form, name) in
                [("docker-archive", "podman-docker.tar"), ("oci-archive", "podman-oci.tar")]
            {
                if save(form, &format!("r/{name}")) {
                    expected.push(format!("{name}: OK"));
                }
            }
        }
    }
    let daemon = Command::new("docker").args(["version"]).output();
    if daemon.is_ok_and(|it| it.status.success()) {
        let tag = format!("sealift.test/release:{}", std::process::id());
        let loaded =
            run(Command::new("docker").args(["load", "--input"]).arg(made.yard.path("ours.tar")));
        let id = image.id();
        if loaded.status == Some(0)
            && run(Command::new("docker").args(["tag", "a:1", &tag])).status == Some(0)
        {
            drop(run(Command::new("docker").args(["image", "rm", "a:1"])));
            if works(&made, "docker", &["save", "--output", "r/docker.tar", &tag]) {
                expected.push("docker.tar: OK".to_owned());
            }
            drop(run(Command::new("docker").args(["image", "rm", &tag])));
        } else {
            broken(&format!("docker can't load {id}: {}", loaded.text()));
        }
    } else {
        skip("Docker Engine: the daemon does not answer");
    }
    remove_half_written(&made.path(""), &expected);
    expected.sort();
    let key = TestKey::new(VENDOR);
    for line in &expected {
        // Who converts an image to OCI writes its config anew, and the vendor signs what is delivered.
        let name = line.strip_suffix(": OK").unwrap();
        let id = match name {
            "skopeo-layout" => converted(&made, &format!("oci:r/{name}")),
            _ if name.ends_with("-oci.tar") => converted(&made, &format!("oci-archive:r/{name}")),
            _ => Some(image.id()),
        };
        made.file(&format!("{name}.bundle"), key.bundle(&id.unwrap_or_default()));
    }
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let said = made.verify("").says(0, &expected);
    assert_eq!(said.covered("uncovered"), [""; 0]);
    // The signature of one form is none of another, where the configs differ.
    if expected.contains(&"skopeo-oci.tar: OK") {
        made.file("skopeo-oci.tar.bundle", image.bundle(VENDOR));
        let answers = made.verify("").answers();
        assert!(answers.contains(&"skopeo-oci.tar: signature-invalid".to_owned()), "{answers:?}");
    }
}

/// The digest of the config in an OCI form, as skopeo reads it.
fn converted(made: &Made, from: &str) -> Option<String> {
    let mut skopeo = Command::new("skopeo");
    let ran = run(skopeo.args(["inspect", "--raw", from]).current_dir(made.yard.path("")));
    let manifest: serde_json::Value = serde_json::from_str(&ran.stdout).ok()?;
    Some(manifest["config"]["digest"].as_str()?.to_owned())
}

/// What a tool that failed left.
fn remove_half_written(folder: &Path, expected: &[String]) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !expected.contains(&format!("{name}: OK")) {
            let path = entry.path();
            drop(fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)));
        }
    }
}
