//! Real loaders, and what each of them sees of an archive.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::images::{Seen, hex};
use super::whole::unpacked;
use crate::support::skip;
use crate::support::tools::broken;
use sealift::digest::Sha256Digest;

/// What a loader made of an archive.
#[derive(Debug)]
pub(crate) enum Loaded {
    Refused,
    Images(Vec<Seen>),
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A program by its command line, which a variable may replace: `SEALIFT_SKOPEO="chroot DIR skopeo"`.
fn program(variable: &str, name: &str) -> Vec<String> {
    let words = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    words.split_whitespace().map(str::to_owned).collect()
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

fn here(words: &[String]) -> bool {
    let found = command(words)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        skip(&format!("{} is not installed", words.join(" ")));
    }
    found
}

/// What a config says of itself, and the digests of the layers that were found.
fn seen(config: &[u8], layers: Vec<String>) -> Seen {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let which = config["config"]["Labels"]["which"].as_str().unwrap_or("none").to_owned();
    Seen { which, layers }
}

/// skopeo, which copies an archive to a directory of files.
pub(crate) struct Skopeo(Vec<String>);

impl Skopeo {
    pub(crate) fn new() -> Option<Self> {
        let words = program("SEALIFT_SKOPEO", "skopeo");
        here(&words).then_some(Self(words))
    }

    /// What each view of the archive is loaded as.
    pub(crate) fn load(&self, file: &Path, place: &Path) -> Vec<Loaded> {
        ["docker-archive", "oci-archive"]
            .iter()
            .filter(|kind| self.lists(kind, file))
            .map(|kind| self.copy(kind, file, &place.join(format!("copy-{kind}"))))
            .collect()
    }

    /// Whether the archive has such a view at all: no use in copying what is none.
    fn lists(&self, kind: &str, file: &Path) -> bool {
        let bytes = std::fs::read(file).unwrap_or_default();
        let name: &[u8] = if kind == "oci-archive" { b"index.json" } else { b"manifest.json" };
        let packed = bytes.get(257..262) != Some(b"ustar");
        packed || bytes.windows(name.len()).any(|window| window == name)
    }

    fn copy(&self, kind: &str, file: &Path, to: &Path) -> Loaded {
        drop(std::fs::remove_dir_all(to));
        let mut command = command(&self.0);
        command.args(["copy", "--quiet", "--insecure-policy", "--override-os", "linux"]);
        command.args(["--override-arch", "amd64"]);
        command.arg(format!("{kind}:{}", file.display())).arg(format!("dir:{}", to.display()));
        let temporary = to.with_extension("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        if !output(command.env("TMPDIR", &temporary)).status.success() {
            return Loaded::Refused;
        }
        let blob = |digest: &Value| {
            let name = digest.as_str().unwrap_or_default().trim_start_matches("sha256:");
            std::fs::read(to.join(name)).unwrap_or_default()
        };
        let manifest = std::fs::read(to.join("manifest.json")).unwrap_or_default();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        let layers = layers.iter().map(|layer| {
            let plain = unpacked(&blob(&layer["digest"]));
            plain.map_or_else(|| "not unpacked".to_owned(), |it| format!("sha256:{}", hex(&it)))
        });
        Loaded::Images(vec![seen(&blob(&manifest["config"]["digest"]), layers.collect())])
    }
}

/// podman, with storage of its own.
pub(crate) struct Podman {
    words: Vec<String>,
    root: PathBuf,
}

impl Podman {
    /// Nothing where podman is not installed or does not work.
    pub(crate) fn new(root: &Path) -> Option<Self> {
        let words = program("SEALIFT_PODMAN", "podman");
        if !here(&words) {
            return None;
        }
        let podman = Self { words, root: root.to_owned() };
        let info = podman.run(&["info"]);
        if !info.status.success() {
            broken(&format!("podman does not work: {}", String::from_utf8_lossy(&info.stderr)));
            return None;
        }
        Some(podman)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(&self.words);
        command.arg("--root").arg(self.root.join("root"));
        command.arg("--runroot").arg(self.root.join("run"));
        output(command.args(["--storage-driver", "vfs"]).args(arguments))
    }

    /// Loads an archive, and looks at what a container would see.
    pub(crate) fn load(&self, file: &Path) -> Loaded {
        let loaded = self.run(&["load", "--quiet", "--input", &file.display().to_string()]);
        let ids = text(&self.run(&["images", "--all", "--quiet", "--no-trunc"]));
        let mut images: Vec<&str> = ids.lines().collect();
        images.sort_unstable();
        images.dedup();
        let seen = images.iter().map(|id| self.seen(id)).collect();
        self.run(&["rmi", "--all", "--force"]);
        if loaded.status.success() { Loaded::Images(seen) } else { Loaded::Refused }
    }

    /// Its label, and the digests of the files that it mounts in place of the layers': each layer has one.
    fn seen(&self, id: &str) -> Seen {
        let label = "{{index .Labels \"which\"}}";
        let which = text(&self.run(&["image", "inspect", "--format", label, id]));
        let mounted = PathBuf::from(text(&self.run(&["image", "mount", id])));
        let layers = (0..2).map(|number| {
            let content = std::fs::read_to_string(mounted.join(format!("f{number}")));
            // The layer that would hold this file alone.
            let content = content.unwrap_or_default();
            let member = super::draft::Member::file(&format!("f{number}"), content);
            let layer = super::draft::Draft::new(vec![member]).to_bytes();
            Sha256Digest::of(&layer).to_string()
        });
        let layers = layers.collect();
        self.run(&["image", "unmount", id]);
        Seen { which, layers }
    }
}

/// The Docker Engine of this machine.
pub(crate) struct Docker;

impl Docker {
    /// Nothing where no engine answers.
    pub(crate) fn new() -> Option<Self> {
        let version = Command::new("docker").arg("version").output();
        if version.is_ok_and(|it| it.status.success()) {
            return Some(Self);
        }
        skip("Docker Engine: none answers");
        None
    }

    /// Loads an archive, and removes the image again.
    pub(crate) fn load(&self, file: &Path) -> Loaded {
        let loaded = output(Command::new("docker").args(["load", "--input"]).arg(file));
        let words = text(&loaded);
        let references: Vec<&str> = words
            .lines()
            .filter_map(|line| {
                line.strip_prefix("Loaded image: ").or(line.strip_prefix("Loaded image ID: "))
            })
            .collect();
        let mut images = Vec::new();
        for reference in &references {
            let shown = output(Command::new("docker").args(["image", "inspect", reference]));
            let shown: Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
            let layers = shown[0]["RootFS"]["Layers"].as_array().cloned().unwrap_or_default();
            let layers = layers.iter().filter_map(|it| it.as_str().map(str::to_owned));
            let which = shown[0]["Config"]["Labels"]["which"].as_str().unwrap_or("none").to_owned();
            images.push(Seen { which, layers: layers.collect() });
        }
        for reference in &references {
            output(Command::new("docker").args(["image", "rm", "--force", reference]));
        }
        if loaded.status.success() { Loaded::Images(images) } else { Loaded::Refused }
    }
}
