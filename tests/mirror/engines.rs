//! Images by way of engines: real ones, and some that lie or fail.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::made::{Vendor, digest};
use crate::servers::here;
use crate::side::{Answer, Side};
use crate::support::skip;
use crate::support::tools::{broken, run};

#[test]
fn docker_pulls_saves_and_loads_the_same() {
    if !Command::new("docker").arg("version").output().is_ok_and(|it| it.status.success()) {
        return skip("Docker Engine: no daemon answers");
    }
    let Some(vendor) = Vendor::new("docker") else { return };
    let side = Side::new(&vendor);
    let image = vendor.image("app-1", "one");
    let tag = vendor.push(&image, "app:1");
    let docker = |words: &[&str]| run(Command::new("docker").args(words));
    let words = format!("--engine docker --image {tag}");
    // Not there yet.
    side.fetch(&format!("{words} --no-pull"))
        .exit(4)
        .says(&format!("{tag}: OMITTED (engine-failed: "));
    side.is_empty();
    side.fetch(&words).exit(0).says(&format!("{tag}: OK (image"));
    let source = side.manifest()["artifacts"][0]["source"].as_str().unwrap().to_owned();
    assert!(source.starts_with(&format!("docker:{tag}@sha256:")), "{source}");
    side.verify("").exit(0);
    let stamp = side.stamp("d/images/app_1/app_1.tar");
    side.fetch(&format!("{words} --no-pull")).exit(0);
    assert_eq!(side.stamp("d/images/app_1/app_1.tar"), stamp);

    docker(&["rmi", "--force", &tag]).succeeded();
    let archive = side.path("d/images/app_1/app_1.tar");
    docker(&["load", "--quiet", "--input", archive.to_str().unwrap()]).succeeded();
    let id = docker(&["inspect", "--format", "{{.Id}}", &tag]).succeeded();
    docker(&["rmi", "--force", &tag]).succeeded();
    assert_eq!(id.trim(), image.id);
}

#[test]
fn podman_pulls_and_saves() {
    if !here(&["podman"]) {
        return;
    }
    let Some(vendor) = Vendor::new("podman") else { return };
    let side = Side::new(&vendor);
    let tag = vendor.pushed("app:1", "one");
    let host = &vendor.registry.host;
    side.write(
        "registries.conf",
        format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"),
    );
    let at = |name: &str| side.path(name).display().to_string();
    let storage = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        at("storage"),
        at("running")
    );
    side.write("storage.conf", storage);
    let words = format!("--allow-http --vendor-key vendor.pub --engine podman --image {tag}");
    let with = |command: &mut Command| {
        command.env("CONTAINERS_REGISTRIES_CONF", at("registries.conf"));
        run(command.env("CONTAINERS_STORAGE_CONF", at("storage.conf")))
    };
    let info = with(Command::new("podman").arg("info"));
    if info.status != Some(0) {
        return broken(&format!("podman does not work: {}", info.text()));
    }
    let answer = Answer(with(&mut side.command(&side.words(&words))));
    answer.exit(0).says(&format!("{tag}: OK (image"));
    side.verify("").exit(0);
}

/// Puts a script in the place of docker, and fetches an image by it.
#[track_caller]
fn with_fake(side: &Side, script: &str) -> Answer {
    side.write("script", format!("#!/bin/sh\n{script}\n"));
    fs::create_dir_all(side.path("bin")).unwrap();
    // By another process: a file that this one has written may still be open for a child of another test.
    let to = side.path("bin/docker");
    run(Command::new("install").arg("-m755").arg(side.path("script")).arg(&to)).succeeded();
    let words = "--vendor-key vendor.pub --engine docker --image vendor/app:1";
    let mut command = side.command(&side.words(words));
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", side.path("bin").display()));
    Answer(run(&mut command))
}

#[test]
fn an_engine_is_asked_and_not_believed() {
    let Some(vendor) = Vendor::new("liar") else { return };
    let side = Side::new(&vendor);
    let image = vendor.image("app", "one");
    side.write("image.tar", image.archive());
    let labels = json!({
        "org.opencontainers.image.signature.bundle": vendor.url("signatures/bundles/app_signature.bundle"),
        "org.opencontainers.image.signature.key": "vendor.pub",
    });
    let inspect =
        |id: &str| json!({ "Id": id, "Size": 7, "Config": { "Labels": labels } }).to_string();
    side.write("right.json", inspect(&image.id));
    side.write("wrong.json", inspect(&digest(b"another")));
    side.write("odd.json", "{}");
    let engine = |inspect: &str, save: &str| {
        format!("case $1 in image) cat {inspect};; save) {save};; esac")
    };
    let omitted = |code: &str| format!("vendor/app:1: OMITTED ({code}: ");
    let answer = with_fake(&side, &engine("wrong.json", "cat image.tar")).exit(1);
    answer.says(&omitted("source-disagrees"));
    side.is_empty();
    let failed = omitted("engine-failed");
    with_fake(&side, &engine("odd.json", "cat image.tar")).exit(4).says(&failed);
    // It stops in the middle, and says why.
    let save = "head -c 3000 image.tar; echo out of luck >&2; exit 7";
    let answer = with_fake(&side, &engine("right.json", save)).exit(4);
    answer.says(&failed).mentions("out of luck");
    assert!(!side.is_sealed() && !side.path("d/images/app_1/app_1.tar").exists());
    let answer = with_fake(&side, "echo no daemon >&2; exit 1").exit(4);
    answer.says(&failed).mentions("`docker pull").mentions("no daemon");
    // It says that all is well, and it is not.
    with_fake(&side, &engine("right.json", "head -c 3000 image.tar")).exit(1);
    assert!(!side.is_sealed());
    with_fake(&side, &engine("right.json", "cat image.tar")).exit(0);
    side.verify("").exit(0);
}

#[test]
fn without_an_engine_that_is_said() {
    let Some(vendor) = Vendor::new("none") else { return };
    let side = Side::new(&vendor);
    let words = side.words("--vendor-key vendor.pub --engine podman --image vendor/app:1");
    let mut command = side.command(&words);
    command.env("PATH", side.path("nothing"));
    Answer(run(&mut command)).exit(4).says("vendor/app:1: OMITTED (engine-failed: `podman pull");
    let answer = side.fetch("--engine docker --platform all --image vendor/app:1").exit(2);
    answer.mentions("error[usage]");
    let odd = side.fetch("--engine docker --image vendor/app:1;x").exit(2);
    odd.says("vendor/app:1;x: OMITTED (reference-invalid: ");
}

#[test]
fn archives_that_lie_here_are_taken() {
    let Some(vendor) = Vendor::new("archive") else { return };
    let side = Side::new(&vendor);
    side.write("saved/app.tar", vendor.image("app", "one").archive());
    for engine in ["archive", "auto"] {
        side.fetch(&format!("--engine {engine} --image saved/app.tar")).exit(0).says("app.tar: OK");
        let artifact = side.manifest()["artifacts"][0].clone();
        assert_eq!(
            (&artifact["name"], &artifact["path"]),
            (&json!("app.tar"), &json!("images/app/app.tar"))
        );
        assert!(artifact["source"].as_str().unwrap().starts_with("file:app.tar@sha256:"));
        side.verify("").exit(0);
    }
    // Another archive of that name is copied again.
    side.write("saved/app.tar", vendor.image("app", "two, another").archive());
    side.fetch("--image saved/app.tar").exit(0);
    assert_eq!(side.read("d/images/app/app.tar"), side.read("saved/app.tar"));
    side.verify("").exit(0);
    side.fetch("--engine archive --image absent.tar")
        .exit(2)
        .says("absent.tar: OMITTED (file-not-f");
}
