//! Archives that a real Docker Engine saves here and now, and copies of them by podman and skopeo,
//! through the program: what the vendor signed is accepted, whatever carries the same config.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::log::TestKey;
use support::tools::{broken, run, run_with_input};
use support::{sealift, skip};

mod support;

/// An image built and saved by the engine, its id signed. Removed from the engine in the end.
struct Bench {
    folder: tempfile::TempDir,
    tag: String,
    archive: PathBuf,
}

impl Bench {
    /// Nothing where there is no Docker Engine.
    fn new(name: &str) -> Option<Self> {
        let Ok(version) =
            Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output()
        else {
            skip("Docker Engine: docker is not installed");
            return None;
        };
        if !version.status.success() {
            skip("Docker Engine: the daemon does not answer");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let context = folder.path().join("context");
        fs::create_dir_all(context.join("data")).unwrap();
        // Tests run side by side: images that share nothing can't get in each other's way.
        fs::write(context.join("data/one.txt"), format!("the first file for {name}\n")).unwrap();
        fs::write(context.join("two.bin"), name.repeat(20_000)).unwrap();
        fs::write(
            context.join("Dockerfile"),
            "FROM scratch\nCOPY data /data\nCOPY two.bin /two.bin\nCMD [\"/none\"]\n",
        )
        .unwrap();
        let tag = format!("sealift.test/{name}:{}", std::process::id());
        let bench = Self { archive: folder.path().join("saved.tar"), folder, tag };
        bench.docker(&["build", "--quiet", "--tag", &bench.tag, context.to_str().unwrap()]);
        bench.docker(&["save", "--output", bench.archive.to_str().unwrap(), &bench.tag]);

        // The vendor's procedure: the text that inspect prints, without newline.
        let id = bench.docker(&["inspect", "--format", "{{.Id}}", &bench.tag]);
        let key = TestKey::new(5);
        fs::write(bench.path("image.bundle"), key.bundle(id.trim_end())).unwrap();
        fs::write(bench.path("vendor.pub"), key.pem()).unwrap();
        Some(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn docker(&self, arguments: &[&str]) -> String {
        run(Command::new("docker").args(arguments)).succeeded()
    }

    fn command(&self, archive: &Path) -> Command {
        let mut command = sealift();
        command.args(["verify", "--insecure-ignore-tlog", "--key"]).arg(self.path("vendor.pub"));
        command.arg("--bundle").arg(self.path("image.bundle")).arg(archive);
        command
    }

    #[track_caller]
    fn accepts(&self, archive: &Path) {
        let ran = run(&mut self.command(archive));
        assert_eq!(ran.status, Some(0), "{}: {}", archive.display(), ran.text());
        assert!(ran.stdout.contains(": OK"), "{}", ran.text());
    }

    #[track_caller]
    fn refuses(&self, archive: &Path, code: &str) {
        let ran = run(&mut self.command(archive));
        assert_eq!(ran.status, Some(1), "{}: {}", archive.display(), ran.text());
        assert!(ran.stdout.contains(&format!("FAILED ({code}")), "{}", ran.text());
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(Command::new("docker").args(["image", "rm", &self.tag]).output());
    }
}

#[test]
fn what_the_engine_saves_is_accepted_from_a_file_and_from_a_pipe() {
    let Some(bench) = Bench::new("saved") else { return };
    bench.accepts(&bench.archive);

    let bytes = fs::read(&bench.archive).unwrap();
    let piped = run_with_input(&mut bench.command(Path::new("-")), &bytes);
    assert_eq!(piped.status, Some(0), "{}", piped.text());
    assert!(piped.stdout.contains(": OK"), "{}", piped.text());

    run(Command::new("gzip").arg("--keep").arg(&bench.archive)).succeeded();
    bench.accepts(&bench.path("saved.tar.gz"));
}

#[test]
fn a_changed_or_cut_archive_is_refused() {
    let Some(bench) = Bench::new("changed") else { return };
    let bytes = fs::read(&bench.archive).unwrap();

    let words = b"the first file for changed";
    let at = bytes.windows(words.len()).position(|window| window == words);
    match at {
        Some(at) => {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(bench.path("changed.tar"), changed).unwrap();
            bench.refuses(&bench.path("changed.tar"), "layer-mismatch");
        }
        None => skip("Docker Engine: this engine saves compressed layers"),
    }

    fs::write(bench.path("cut.tar"), &bytes[..bytes.len() / 2]).unwrap();
    bench.refuses(&bench.path("cut.tar"), "archive-truncated");
}

#[test]
fn copies_by_skopeo_are_accepted_as_long_as_the_config_stays() {
    let Some(bench) = Bench::new("skopeo") else { return };
    if Command::new("skopeo").arg("--version").output().is_err() {
        return skip("skopeo is not installed");
    }
    let copy = |to: &str, file: &str| {
        let from = format!("docker-archive:{}", bench.archive.display());
        let to = format!("{to}:{}:copied:1", bench.path(file).display());
        run(Command::new("skopeo").args(["copy", "--insecure-policy", "--quiet", &from, &to]))
            .succeeded();
        bench.path(file)
    };
    bench.accepts(&copy("docker-archive", "docker.tar"));

    // Converted to OCI, the config is written anew: nothing in the archive is what was signed.
    let converted = copy("oci-archive", "oci.tar");
    let ran = run(&mut bench.command(&converted));
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.stdout.contains(": FAILED ("), "{}", ran.text());
}

#[test]
fn what_podman_loads_and_saves_again_is_accepted() {
    let Some(bench) = Bench::new("podman") else { return };
    if Command::new("podman").arg("--version").output().is_err() {
        return skip("podman is not installed");
    }
    // Storage of its own, so that the user's stays as it is.
    let podman = |arguments: &[&str]| {
        let mut command = Command::new("podman");
        command.arg("--root").arg(bench.path("storage")).arg("--runroot").arg(bench.path("run"));
        run(command.args(["--storage-driver", "vfs"]).args(arguments))
    };
    let loaded = podman(&["load", "--quiet", "--input", bench.archive.to_str().unwrap()]);
    if loaded.status != Some(0) {
        return broken(&format!("podman can't load here: {}", loaded.text()));
    }
    let saved = bench.path("podman.tar");
    let format = ["save", "--quiet", "--format", "docker-archive", "--output"];
    let arguments = [&format[..], &[saved.to_str().unwrap(), &bench.tag]].concat();
    podman(&arguments).succeeded();
    bench.accepts(&saved);
}
