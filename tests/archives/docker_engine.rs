//! Archives that a real Docker Engine saves here and now, and copies of them by podman and skopeo,
//! through the program: what the vendor signed is accepted, whatever carries the same config.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::log::TestKey;
use crate::support::tools::{broken, run, run_with_input};
use crate::support::{sealift, skip};

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

    /// A copy of the archive by skopeo, in another form or the same. Nothing where it is not installed.
    fn skopeo(&self, to: &str, file: &str) -> Option<PathBuf> {
        if Command::new("skopeo").arg("--version").output().is_err() {
            skip("skopeo is not installed");
            return None;
        }
        let from = format!("docker-archive:{}", self.archive.display());
        let to = format!("{to}:{}:copied:1", self.path(file).display());
        run(Command::new("skopeo").args(["copy", "--insecure-policy", "--quiet", &from, &to]))
            .succeeded();
        Some(self.path(file))
    }

    /// What podman saves after loading the archive. Nothing where it is not installed.
    fn podman(&self) -> Option<PathBuf> {
        if Command::new("podman").arg("--version").output().is_err() {
            skip("podman is not installed");
            return None;
        }
        // Storage of its own, so that the user's stays as it is.
        let podman = |arguments: &[&str]| {
            let mut command = Command::new("podman");
            command.arg("--root").arg(self.path("storage")).arg("--runroot").arg(self.path("run"));
            run(command.args(["--storage-driver", "vfs"]).args(arguments))
        };
        let loaded = podman(&["load", "--quiet", "--input", self.archive.to_str().unwrap()]);
        if loaded.status != Some(0) {
            broken(&format!("podman can't load here: {}", loaded.text()));
            return None;
        }
        let saved = self.path("podman.tar");
        let format = ["save", "--quiet", "--format", "docker-archive", "--output"];
        let arguments = [&format[..], &[saved.to_str().unwrap(), &self.tag]].concat();
        podman(&arguments).succeeded();
        Some(saved)
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
    let Some(copied) = bench.skopeo("docker-archive", "docker.tar") else { return };
    bench.accepts(&copied);

    // Converted to OCI, the config is written anew: nothing in the archive is what was signed.
    let converted = bench.skopeo("oci-archive", "oci.tar").unwrap();
    let ran = run(&mut bench.command(&converted));
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.stdout.contains(": FAILED ("), "{}", ran.text());
}

#[test]
fn what_podman_loads_and_saves_again_is_accepted() {
    let Some(bench) = Bench::new("podman") else { return };
    let Some(saved) = bench.podman() else { return };
    bench.accepts(&saved);
}

#[test]
fn archives_of_three_tools_and_a_package_cross_the_gap() {
    let Some(bench) = Bench::new("transfer") else { return };
    let Some(skopeo) = bench.skopeo("docker-archive", "skopeo.tar") else { return };
    let Some(podman) = bench.podman() else { return };
    let release = bench.path("release");
    fs::create_dir_all(release.join("images")).unwrap();
    let bundle = fs::read(bench.path("image.bundle")).unwrap();
    run(Command::new("gzip").arg("--keep").arg(&bench.archive)).succeeded();
    for (from, name) in [
        (&bench.archive, "docker.tar"),
        (&bench.path("saved.tar.gz"), "docker.tar.gz"),
        (&podman, "podman.tar"),
        (&skopeo, "skopeo.tar"),
    ] {
        fs::copy(from, release.join("images").join(name)).unwrap();
        fs::write(release.join("images").join(format!("{name}.bundle")), &bundle).unwrap();
    }
    fs::write(release.join("tools.tgz"), "the vendor's package").unwrap();
    let digest = sealift::digest::Sha256Digest::of(b"the vendor's package").to_hex();
    let signed = TestKey::new(5).bundle(&format!("{digest}\n"));
    fs::write(release.join("tools.tgz_signature.bundle"), signed).unwrap();

    let key = bench.path("transfer");
    let mut keygen = sealift();
    run(keygen.env("SEALIFT_PASSWORD", "pw").args(["keygen", "--output-key-prefix"]).arg(&key))
        .succeeded();
    let mut seal = sealift();
    seal.env("SEALIFT_PASSWORD", "pw").args(["seal", "--insecure-ignore-tlog", "--key"]);
    seal.arg(bench.path("transfer.key")).arg("--vendor-key").arg(bench.path("vendor.pub"));
    let sealed = run(seal.arg(&release)).succeeded();
    assert!(sealed.contains("sealed: 5 artifacts"), "{sealed}");

    let verify = || {
        let mut verify = sealift();
        verify.args(["verify", "--insecure-ignore-tlog", "--transfer-key"]);
        run(verify.arg(bench.path("transfer.pub")).arg(&release))
    };
    let verified = verify();
    assert_eq!(verified.status, Some(0), "{}", verified.text());
    assert_eq!(verified.stdout.matches(": OK (").count(), 6, "{}", verified.stdout);

    // What was verified is what the engine loads, with the id that the vendor signed.
    let id = bench.docker(&["inspect", "--format", "{{.Id}}", &bench.tag]);
    bench.docker(&["image", "rm", &bench.tag]);
    for name in ["docker.tar", "docker.tar.gz", "podman.tar", "skopeo.tar"] {
        let archive = release.join("images").join(name);
        bench.docker(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
        assert_eq!(bench.docker(&["inspect", "--format", "{{.Id}}", id.trim_end()]), id, "{name}");
        bench.docker(&["image", "rm", "--force", id.trim_end()]);
    }

    let archive = release.join("images/podman.tar");
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let refused = verify();
    assert_eq!(refused.status, Some(1), "{}", refused.text());
    assert!(refused.stdout.contains("podman.tar: FAILED (file-mismatch"), "{}", refused.stdout);
    assert_eq!(refused.stdout.matches(": OK (").count(), 4, "{}", refused.stdout);
}
