//! What real engines make, push, and load again.

use std::fs;
use std::process::Command;

use sealift::image::CandidateKind;
use serde_json::Value;
use tempfile::TempDir;

use super::mirror::Mirror;
use super::server::{DockerRegistry, here};
use crate::support;
use crate::support::tools::{broken, run};

#[test]
fn engines_load_what_arrives() {
    let Some(registry) = DockerRegistry::open() else { return };
    let mirror = Mirror::from(&registry.host);
    let context = TempDir::new().unwrap();
    fs::write(context.path().join("file"), format!("for {}", registry.host)).unwrap();
    let dockerfile = "FROM scratch\nLABEL a=b\nCOPY file /one\nCOPY file /two\nCMD [\"/x\"]\n";
    fs::write(context.path().join("Dockerfile"), dockerfile).unwrap();
    let context = context.path().to_str().unwrap();

    if Command::new("docker").arg("version").output().is_ok_and(|it| it.status.success()) {
        let docker = |arguments: &[&str]| run(Command::new("docker").args(arguments)).succeeded();
        let tag = format!("{}/by/docker:1", registry.host);
        docker(&["build", "--quiet", "--tag", &tag, context]);
        docker(&["push", "--quiet", &tag]);
        let id = docker(&["inspect", "--format", "{{.Id}}", &tag]).trim().to_owned();
        docker(&["rmi", "--force", &tag]);
        let brought = mirror.bring(&tag).unwrap();
        brought.proves(CandidateKind::Config, &id);
        let top: Value = serde_json::from_slice(&brought.entry("index.json")).unwrap();
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        assert_eq!(top["manifests"][0]["mediaType"], kind);
        docker(&["load", "--input", brought.archive.to_str().unwrap()]);
        assert_eq!(docker(&["inspect", "--format", "{{.Id}}", &tag]).trim(), id);
        docker(&["rmi", "--force", &tag]);
        let archive = brought.archive.display();
        for kind in ["docker-archive", "oci-archive"] {
            let inspect = ["inspect", "--config", &format!("{kind}:{archive}")];
            let said = run(Command::new("skopeo").args(inspect)).succeeded();
            assert!(said.contains("\"a\":\"b\"") || said.contains("\"a\": \"b\""), "{said}");
        }
    } else {
        support::skip("Docker Engine: the daemon does not answer");
    }

    if here(&["podman"]) {
        let storage = TempDir::new().unwrap();
        let podman = |arguments: &[&str]| {
            let mut command = Command::new("podman");
            command.arg("--root").arg(storage.path().join("storage"));
            command.arg("--runroot").arg(storage.path().join("run"));
            run(command.args(["--storage-driver", "vfs"]).args(arguments))
        };
        let built = podman(&["build", "--quiet", "--manifest", "several", context]);
        if built.status != Some(0) {
            return broken(&format!("podman can't build: {}", built.text()));
        }
        let id = format!("sha256:{}", built.stdout.trim());
        let tag = format!("{}/by/podman:1", registry.host);
        let to = format!("docker://{tag}");
        podman(&["manifest", "push", "--all", "--tls-verify=false", "several", &to]).succeeded();
        let brought = mirror.bring(&tag).unwrap();
        brought.proves(CandidateKind::Config, &id);
        brought.verifies(&id);
        podman(&["rmi", "--all", "--force"]).succeeded();
        // Podman takes an index in an archive for no image; the form for Docker it loads.
        let archive = format!("docker-archive:{}", brought.archive.display());
        podman(&["pull", "--quiet", &archive]).succeeded();
        let loaded = podman(&["inspect", "--format", "{{.Id}}", &tag]).succeeded();
        assert_eq!(format!("sha256:{}", loaded.trim()), id);
    }
}
