//! Images fetched from a real registry (Debian's `docker-registry`): what arrives is what was pushed,
//! is accepted by Sealift's own reading and loaded by real engines; broken transfers go on, and a
//! registry that lies is found out.
#![cfg(feature = "online")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use sealift::digest::Sha256Digest;
use sealift::folder::Folder;
use sealift::image::{self, CandidateKind, Input, NoProgress, Options};
use sealift::mirror::registry::stub_http::{Http, HttpOptions};
use sealift::mirror::{
    Description, Fetched, Platforms, Registry, RegistryOptions, Silent, Source as _,
};
use sealift::verdict::{Code, Fault};
use serde_json::Value;
use support::log::TestKey;
use support::oci_layout::{Layer, OciLayout, Packed};
use support::registry::{DockerRegistry, Wire, here};
use support::sealift;
use support::token_service::{IDENTITY, PASSWORD, TokenService, USER};
use support::tools::{broken, run};
use tempfile::TempDir;

mod support;

const MIB: usize = 1 << 20;

/// One side that fetches: options to change, and a folder to fetch into.
struct Mirror {
    folder: TempDir,
    http: HttpOptions,
    options: RegistryOptions,
}

/// What was fetched.
struct Brought {
    description: Description,
    fetched: Vec<Fetched>,
    archive: PathBuf,
}

impl Mirror {
    fn from(host: &str) -> Self {
        let http = HttpOptions {
            ca_pem: Vec::new(),
            allow_http: true,
            retries: 1,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(5),
            backoff: Duration::from_millis(20),
        };
        let list = vec![String::from("linux/amd64")];
        let options = RegistryOptions {
            platforms: Platforms::List(list),
            jobs: 2,
            docker_config: None,
            plain_http: vec![host.to_owned()],
        };
        Self { folder: TempDir::new().unwrap(), http, options }
    }

    fn bring(&self, reference: &str) -> Result<Brought, Fault> {
        self.bring_after(reference, || {})
    }

    /// Fetches, and does something between finding and fetching.
    fn bring_after(&self, reference: &str, between: impl FnOnce()) -> Result<Brought, Fault> {
        let http = Http::new(self.http.clone())?;
        let registry = Registry::new(&http, self.options.clone())?;
        let found = registry.find(reference, &Silent)?;
        between();
        let folder = Folder::open(self.folder.path())?;
        let fetched = found.fetch(&folder, "image.tar", &Silent)?;
        let archive = self.folder.path().join("image.tar");
        let size = fs::metadata(&archive).unwrap().len();
        assert_eq!(found.description().size, Some(size));
        assert_eq!(self.left(), ["image.tar"]);
        Ok(Brought { description: found.description().clone(), fetched, archive })
    }

    #[track_caller]
    fn refused(&self, reference: &str) -> Fault {
        match self.bring(reference) {
            Ok(_) => panic!("{reference} was accepted"),
            Err(fault) => fault,
        }
    }

    /// The names in the folder.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Puts a file into a config directory of Docker that is read from now on.
    fn config(&mut self, text: &str) {
        let folder = self
            .folder
            .path()
            .join("../")
            .join(format!("{}-config", self.folder.path().file_name().unwrap().to_str().unwrap()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.json"), text).unwrap();
        self.options.docker_config = Some(folder);
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(folder) = &self.options.docker_config {
            drop(fs::remove_dir_all(folder));
        }
    }
}

impl Brought {
    fn entry(&self, name: &str) -> Vec<u8> {
        let output = Command::new("tar").arg("xOf").arg(&self.archive).arg(name).output().unwrap();
        assert!(output.status.success(), "{name}");
        output.stdout
    }

    fn blob(&self, digest: &str) -> Vec<u8> {
        self.entry(&format!("blobs/sha256/{}", digest.trim_start_matches("sha256:")))
    }

    /// Sealift's own reading.
    #[track_caller]
    fn read(&self) -> image::Archive {
        let file = image::FileAt::new(fs::File::open(&self.archive).unwrap()).unwrap();
        image::read(Input::File(&file), &Options { jobs: 1, progress: &NoProgress, cuts: None })
            .unwrap()
    }

    /// Whether an image of the archive can be proved by this digest, as this kind.
    #[track_caller]
    fn proves(&self, kind: CandidateKind, digest: &str) {
        let digest: Sha256Digest = digest.parse().unwrap();
        let archive = self.read();
        let mut all = archive.images.iter().flat_map(|image| &image.candidates);
        assert!(all.any(|it| it.kind == kind && it.digest == digest), "{kind:?} {digest}");
        assert!(self.description.stated.contains(&digest));
    }

    /// `sealift verify` with a signature over this text.
    #[track_caller]
    fn verifies(&self, signed: &str) {
        let key = TestKey::new(7);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("bundle"), key.bundle(signed)).unwrap();
        fs::write(folder.path().join("key.pub"), key.pem()).unwrap();
        let mut command = sealift();
        command
            .args(["verify", "--insecure-ignore-tlog", "--key"])
            .arg(folder.path().join("key.pub"));
        command.arg("--bundle").arg(folder.path().join("bundle")).arg(&self.archive);
        let ran = run(&mut command);
        assert_eq!(ran.status, Some(0), "{signed}: {}", ran.text());
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An image for two platforms that share a layer, with an attestation.
struct Two {
    folder: TempDir,
    layout: OciLayout,
    index: Value,
    amd64: Value,
    arm64: Value,
    layers: Vec<Layer>,
}

impl Two {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let layout = OciLayout::new(folder.path());
        let shared = layout.layer("shared", MIB, Packed::Gzip);
        let amd64 = layout.layer("amd64", 2 * MIB, Packed::Gzip);
        let arm64 = layout.layer("arm64", MIB, Packed::Zstd);
        let layers = vec![shared.clone(), amd64.clone(), arm64.clone()];
        let amd64 = layout.image("linux/amd64", "one", &[shared.clone(), amd64]);
        let arm64 = layout.image("linux/arm64", "two", &[shared, arm64]);
        let mut about = layout.image("unknown/unknown", "about", &[]);
        about["annotations"] = serde_json::json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": amd64["digest"],
        });
        let index = layout.index(&[amd64.clone(), arm64.clone(), about]);
        layout.top(&index);
        Self { folder, layout, index, amd64, arm64, layers }
    }

    fn config(&self, manifest: &Value) -> String {
        let manifest: Value =
            serde_json::from_slice(&self.layout.read(text(&manifest["digest"]))).unwrap();
        text(&manifest["config"]["digest"]).to_owned()
    }
}

/// An image of one platform with layers of these sizes; its manifest's descriptor.
fn plain(folder: &Path, sizes: &[usize]) -> (OciLayout, Value, Vec<Layer>) {
    let layout = OciLayout::new(folder);
    let layer =
        |(index, size): (usize, &usize)| layout.layer(&format!("file{index}"), *size, Packed::Not);
    let layers: Vec<Layer> = sizes.iter().enumerate().map(layer).collect();
    let manifest = layout.image("linux/amd64", "plain", &layers);
    layout.top(&manifest);
    (layout, manifest, layers)
}

#[test]
fn one_platform_of_an_index_and_all_of_it() {
    let two = Two::new();
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(two.folder.path(), "vendor/two:1.0", &[]);
    let (index, amd64) = (text(&two.index["digest"]), text(&two.amd64["digest"]));
    let reference = format!("{}/vendor/two:1.0", registry.host);

    let mut mirror = Mirror::from(&registry.host);
    let one = mirror.bring(&reference).unwrap();
    assert_eq!(one.description.source, format!("docker://{}/vendor/two@{index}", registry.host));
    assert_eq!(one.description.labels.len(), 1);
    assert_eq!(one.description.labels[0]["vendor.example.label"], "one");
    let notes = one.description.notes.join("\n");
    assert!(notes.contains("left out: linux/arm64"), "{notes}");
    assert!(notes.contains("1 attestation(s)"), "{notes}");
    for digest in [index, amd64, &two.config(&two.amd64)] {
        assert_eq!(one.blob(digest), two.layout.read(digest));
        one.verifies(digest);
    }
    one.proves(CandidateKind::Index, index);
    one.proves(CandidateKind::PlatformManifest, amd64);
    one.proves(CandidateKind::Config, &two.config(&two.amd64));
    assert_eq!(one.read().images[0].unsigned_tags, [reference.clone()]);
    // The whole archive is what tar itself finds in it, in the order and form of containerd.
    let listing = run(Command::new("tar").arg("tvf").arg(&one.archive)).succeeded();
    let names: Vec<&str> = listing.lines().filter_map(|it| it.split_whitespace().last()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!((names.len(), names[0], names[1]), (10, "blobs/", "blobs/sha256/"));
    let times = listing.lines().filter(|it| it.contains("0/0") && it.contains("1970-01-01"));
    assert_eq!(times.count(), names.len());
    // Index, manifest, config and two layers; each is said with its digest.
    assert_eq!(one.fetched.len(), 5);
    let layer = text(&two.layers[1].descriptor["digest"]);
    let record = one.fetched.iter().find(|it| it.sha256.to_string() == layer).unwrap();
    assert_eq!(record.url, format!("http://{}/v2/vendor/two/blobs/{layer}", registry.host));
    assert_eq!((record.status, record.path.as_deref()), (200, Some("image.tar")));

    // All platforms; the shared layer only once.
    mirror.options.platforms = Platforms::All;
    let all = mirror.bring(&format!("{}/vendor/two:1.0@{index}", registry.host)).unwrap();
    all.proves(CandidateKind::PlatformManifest, text(&two.arm64["digest"]));
    all.proves(CandidateKind::Config, &two.config(&two.arm64));
    assert_eq!((all.read().images.len(), all.description.labels.len()), (2, 2));
    assert_eq!(all.fetched.len(), 8);
    assert!(!all.description.notes.join("\n").contains("linux/arm64"));
    let manifest: Value = serde_json::from_slice(&all.entry("manifest.json")).unwrap();
    let config = format!("blobs/{}", two.config(&two.amd64).replace(':', "/"));
    assert_eq!(manifest[0]["Config"], Value::String(config));

    // Without any name, and the form that docker writes for it.
    mirror.options.platforms = Platforms::List(vec![String::from("linux/arm64/v8")]);
    let bare = mirror.bring(&format!("{}/vendor/two@{index}", registry.host)).unwrap();
    let manifest: Value = serde_json::from_slice(&bare.entry("manifest.json")).unwrap();
    assert_eq!(manifest[0]["RepoTags"], Value::Null);
    let top: Value = serde_json::from_slice(&bare.entry("index.json")).unwrap();
    assert!(top["manifests"][0].get("annotations").is_none());
    // zstd is in it: podman and skopeo read that.
    let archive = format!("oci-archive:{}", bare.archive.display());
    let arm = ["--override-arch", "arm64", "inspect", &archive];
    let said = run(Command::new("skopeo").args(arm)).succeeded();
    assert!(said.contains("vendor.example.label"), "{said}");

    // What is not there.
    mirror.options.platforms = Platforms::List(vec![String::from("linux/s390x")]);
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::ReferenceInvalid);
    assert_eq!(fault.found(), Some("linux/amd64, linux/arm64"));
    for (reference, code) in [
        (format!("{}/vendor/two:2.0", registry.host), Code::HttpRefused),
        (format!("{}/vendor/none", registry.host), Code::HttpRefused),
        (format!("{}/vendor/two@sha256:{}", registry.host, "0".repeat(64)), Code::HttpRefused),
        (
            format!("{}/vendor/two@sha512:{}", registry.host, "0".repeat(128)),
            Code::DigestUnsupported,
        ),
        (format!("{}/Vendor/two", registry.host), Code::ReferenceInvalid),
    ] {
        assert_eq!(mirror.refused(&reference).code(), code, "{reference}");
    }
    // Plain HTTP only where it is allowed.
    mirror.http.allow_http = false;
    assert_eq!(mirror.refused(&reference).code(), Code::NetworkFailed);
}

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

#[test]
fn a_broken_transfer_goes_on_inside_a_layer() {
    let folder = TempDir::new().unwrap();
    let (_, _, layers) = plain(folder.path(), &[6 * MIB, MIB / 2]);
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(folder.path(), "big:1", &[]);
    let wire = Wire::to(&registry.host);
    let reference = format!("{}/big:1", wire.host);
    let mut mirror = Mirror::from(&wire.host);
    mirror.options.jobs = 1;
    mirror.http.retries = 0;

    let broken = |bytes: usize| {
        drop(fs::remove_file(mirror.folder.path().join("image.tar")));
        let result = mirror.bring_after(&reference, || wire.cut_after(bytes as u64));
        let fault = result.err().unwrap();
        assert_eq!(fault.code(), Code::NetworkFailed, "{fault}");
        assert_eq!(mirror.left(), ["image.tar.resume.sealift-tmp", "image.tar.sealift-tmp"]);
        wire.cut_after(u64::MAX);
    };
    // 4 MiB of the 6.5 arrive; then only the rest is fetched.
    broken(4 * MIB);
    let before = fs::read(mirror.folder.path().join("image.tar.sealift-tmp")).unwrap();
    let whole = mirror.bring_after(&reference, || wire.cut_after(u64::MAX)).unwrap();
    let rest = usize::try_from(wire.counted()).unwrap();
    assert!((2 * MIB..3 * MIB).contains(&rest), "{rest}");
    whole.read();
    assert_eq!(before.len(), fs::read(&whole.archive).unwrap().len());
    let resumed: Vec<u64> = whole.fetched.iter().map(|it| it.resumed_from).collect();
    assert!(resumed.iter().any(|it| *it > 3 * MIB as u64), "{resumed:?}");
    let fresh = fs::read(&whole.archive).unwrap();

    // A medium that lost what the journal counts: that layer comes once more, and whole.
    broken(4 * MIB);
    let part = mirror.folder.path().join("image.tar.sealift-tmp");
    let mut bytes = fs::read(&part).unwrap();
    let blobs = fresh.windows(64).position(|it| it == &[b'\0'; 64][..]).unwrap();
    assert!(blobs < bytes.len());
    for chunk in bytes.chunks_mut(1 << 16) {
        chunk[7] ^= 1;
    }
    fs::write(&part, bytes).unwrap();
    let again = mirror.bring_after(&reference, || wire.cut_after(u64::MAX)).unwrap();
    assert!(wire.counted() > 6 * MIB as u64, "{}", wire.counted());
    assert_eq!(fs::read(&again.archive).unwrap(), fresh);

    // A journal of something else, or of no sense, is no journal.
    for journal in ["{", "{\"layout\":\"sha256:00\",\"blobs\":{}}", ""] {
        broken(4 * MIB);
        fs::write(mirror.folder.path().join("image.tar.resume.sealift-tmp"), journal).unwrap();
        assert_eq!(fs::read(mirror.bring(&reference).unwrap().archive).unwrap(), fresh);
    }
    // A journal that says that all is there.
    broken(4 * MIB);
    let journal = mirror.folder.path().join("image.tar.resume.sealift-tmp");
    let mut said: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    for layer in &layers {
        said["blobs"][text(&layer.descriptor["digest"])] = layer.descriptor["size"].clone();
    }
    fs::write(&journal, said.to_string()).unwrap();
    assert_eq!(fs::read(mirror.bring(&reference).unwrap().archive).unwrap(), fresh);
}

#[test]
fn a_registry_that_lies() {
    let two = Two::new();
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(two.folder.path(), "two:1", &[]);
    let mirror = Mirror::from(&registry.host);
    let (index, amd64) = (text(&two.index["digest"]), text(&two.amd64["digest"]));
    let tag = format!("{}/two:1", registry.host);
    let named = format!("{}/two@{index}", registry.host);
    let layer = text(&two.layers[1].descriptor["digest"]);
    let config = two.config(&two.amd64);
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        // Still JSON: the last line break becomes a blank.
        match bytes.iter().rposition(|it| *it == b'\n') {
            Some(at) if bytes.starts_with(b"{") => bytes[at] = b' ',
            _ => bytes[1000] ^= 1,
        }
        bytes
    };
    let short = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let long = |bytes: &[u8]| [bytes, b" "].concat();
    let lies: [(&str, &str, &dyn Fn(&[u8]) -> Vec<u8>); 8] = [
        (layer, &tag, &flipped),
        (layer, &tag, &short),
        (layer, &tag, &long),
        (&config, &tag, &flipped),
        (&config, &tag, &long),
        (amd64, &tag, &flipped),
        (amd64, &tag, &long),
        (index, &named, &flipped),
    ];
    for (number, (digest, reference, lie)) in lies.into_iter().enumerate() {
        let file = registry.blob(digest);
        let good = fs::read(&file).unwrap();
        fs::write(&file, lie(&good)).unwrap();
        let fault = mirror.refused(reference);
        assert_eq!(fault.code(), Code::SourceDisagrees, "{number}: {fault}");
        fs::write(&file, good).unwrap();
    }
    // What was half-way here does no harm.
    mirror.bring(&tag).unwrap().verifies(index);
}

#[test]
fn tokens_and_passwords() {
    let folder = TempDir::new().unwrap();
    let (_, manifest, _) = plain(folder.path(), &[MIB]);
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(folder.path(), "closed/plain:1", &[]);
    let tokens = TokenService::start(folder.path());
    let Some(registry) = registry.again("", &tokens.config(folder.path())) else { return };
    let reference = format!("{}/closed/plain:1", registry.host);
    let mut mirror = Mirror::from(&registry.host);
    mirror.options.platforms = Platforms::One;

    // Nobody, somebody with a wrong password, and somebody who is known.
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.config(&basic(&registry.host, "wrong"));
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::HttpRefused);
    assert!(fault.to_string().contains("credentials are refused"), "{fault}");
    mirror.config(&basic(&registry.host, PASSWORD));
    mirror.bring(&reference).unwrap().proves(CandidateKind::Manifest, text(&manifest["digest"]));
    mirror.config(&login(&registry.host, &format!(r#""identitytoken":"{IDENTITY}""#)));
    mirror.bring(&reference).unwrap();
    mirror.config(&login(&registry.host, r#""identitytoken":"other""#));
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);

    // A token that expires in between: a second late, with the minute that the registry grants.
    mirror.config(&basic(&registry.host, PASSWORD));
    *tokens.life.lock().unwrap() = -58;
    let before = tokens.count();
    let renewed = mirror.bring_after(&reference, || {
        std::thread::sleep(Duration::from_millis(3100));
        *tokens.life.lock().unwrap() = 300;
    });
    renewed.unwrap();
    assert_eq!(tokens.count() - before, 2);
    for line in tokens.asked.lock().unwrap().iter() {
        assert!(!line.contains("sesame"), "{line}");
    }

    // Over TLS nobody is sent to a place without it.
    let (certificate, http) = tls(folder.path());
    let Some(registry) = registry.again(&http, &tokens.config(folder.path())) else { return };
    mirror.http.ca_pem = vec![certificate];
    let fault = mirror.refused(&format!("{}/closed/plain:1", registry.host));
    assert_eq!(fault.code(), Code::CredentialsFailed, "{fault}");

    // A password with every request.
    let users = folder.path().join("users");
    // What `htpasswd -B` makes of the password "open sesame".
    let user = "$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW";
    fs::write(&users, format!("{USER}:{user}\n")).unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: us\n    path: {}\n", users.display());
    let Some(registry) = registry.again(&http, &auth) else { return };
    let reference = format!("{}/closed/plain:1", registry.host);
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.config(&basic(&registry.host, "wrong"));
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.config(&basic(&format!("https://{}/v2/", registry.host), PASSWORD));
    mirror.bring(&reference).unwrap();
    a_helper_is_asked(&registry.host, &mirror);
    // A certificate that nobody vouches for.
    mirror.http.ca_pem = Vec::new();
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::NetworkFailed);
    assert!(fault.to_string().to_lowercase().contains("certificate"), "{fault}");
}

/// What `docker login` leaves for a host.
fn login(host: &str, auth: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{{auth}}}}}}}"#)
}

fn basic(host: &str, password: &str) -> String {
    let text = Base64::encode_string(format!("{USER}:{password}").as_bytes());
    login(host, &format!(r#""auth":"{text}""#))
}

/// Credentials from helpers: this program once more, with helpers in its `PATH`.
fn a_helper_is_asked(host: &str, mirror: &Mirror) {
    let folder = TempDir::new().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", folder.path().display());
    let known = format!(
        "test \"$1 $(cat)\" = \"get {host}\" || exit 9\necho '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'"
    );
    let helpers = [
        ("known", known.as_str(), "brought"),
        ("unknown", "echo credentials not found in native keychain; exit 1", "http-refused"),
        ("failing", "echo sesame; exit 1", "credentials-failed"),
        ("chatty", "yes sesame", "credentials-failed"),
        ("wrong", "echo '{\"Username\":\"sesame\"}'", "credentials-failed"),
        ("../known", "", "credentials-failed"),
    ];
    for (helper, script, expected) in helpers {
        if !script.is_empty() {
            let file = folder.path().join(format!("docker-credential-{helper}"));
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for config in [
            format!(r#"{{"credsStore":"{helper}"}}"#),
            format!(r#"{{"credHelpers":{{"{host}":"{helper}"}},"credsStore":"none"}}"#),
        ] {
            fs::write(folder.path().join("config.json"), config).unwrap();
            fs::write(folder.path().join("ca"), &mirror.http.ca_pem[0]).unwrap();
            let ran = run(Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "bring_once", "--ignored", "--nocapture"])
                .env("PATH", &path)
                .env("SEALIFT_TEST_HOST", host)
                .env("SEALIFT_TEST_FOLDER", folder.path()));
            let text = ran.text();
            assert!(text.contains(&format!("answer: {expected}\n")), "{helper}: {text}");
            assert!(!text.contains("sesame"), "{text}");
        }
    }
}

#[test]
#[ignore = "a part of tokens_and_passwords, in a process of its own"]
fn bring_once() {
    let Ok(host) = std::env::var("SEALIFT_TEST_HOST") else { return };
    let folder = PathBuf::from(std::env::var_os("SEALIFT_TEST_FOLDER").unwrap());
    let mut mirror = Mirror::from(&host);
    mirror.http.allow_http = false;
    mirror.http.ca_pem = vec![fs::read(folder.join("ca")).unwrap()];
    mirror.config(&fs::read_to_string(folder.join("config.json")).unwrap());
    match mirror.bring(&format!("{host}/closed/plain:1")) {
        Ok(_) => println!("answer: brought"),
        Err(fault) => println!("answer: {}\n{fault}", fault.code()),
    }
}

/// A certificate for 127.0.0.1 with an authority of its own, and the lines of configuration for it.
fn tls(folder: &Path) -> (Vec<u8>, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let openssl = |arguments: &[&str]| {
        run(Command::new("openssl").args(arguments)).succeeded();
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let (ca, ca_key, cert) = (path("ca.crt"), path("ca.key"), path("tls.crt"));
    let (tls_key, request, extensions) = (path("tls.key"), path("tls.csr"), path("tls.ext"));
    let authority = ["-x509", "-days", "2", "-subj", "/CN=ca", "-keyout", &ca_key, "-out", &ca];
    openssl(&[&["req"], &key[..], &authority[..]].concat());
    let asked = ["-subj", "/CN=registry", "-keyout", &tls_key, "-out", &request];
    openssl(&[&["req"], &key[..], &asked[..]].concat());
    fs::write(&extensions, "subjectAltName=IP:127.0.0.1\n").unwrap();
    let signed = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "2", "-out", &cert];
    let input = ["x509", "-req", "-in", &request, "-extfile", &extensions];
    openssl(&[&input[..], &signed[..]].concat());
    let http = format!("  tls:\n    certificate: {cert}\n    key: {tls_key}\n");
    (fs::read(ca).unwrap(), http)
}
