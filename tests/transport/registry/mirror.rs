//! The side that fetches from a registry, for tests: finds, fetches, and looks at what came.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sealift::digest::Sha256Digest;
use sealift::directory::Folder;
use sealift::image::{self, CandidateKind, Input, NoProgress, Options};
use sealift::mirror::http::{Http, HttpOptions};
use sealift::mirror::{
    FetchRecord, ImageDescription, ImageSource as _, Platforms, Registry, RegistryOptions,
    SilentWatch,
};
use sealift::verdict::Fault;
use serde_json::Value;
use tempfile::TempDir;

use super::layout::{Layer, OciLayout, Packed};
use crate::support::log::TestKey;
use crate::support::sealift;
use crate::support::tools::run;

pub(crate) const MIB: usize = 1 << 20;

/// One side that fetches: options to change, and a folder to fetch into.
pub(crate) struct Mirror {
    pub(crate) folder: TempDir,
    pub(crate) http: HttpOptions,
    pub(crate) options: RegistryOptions,
}

/// What was fetched.
pub(crate) struct Brought {
    pub(crate) description: ImageDescription,
    pub(crate) fetched: Vec<FetchRecord>,
    pub(crate) archive: PathBuf,
}

impl Mirror {
    pub(crate) fn from(host: &str) -> Self {
        let http = HttpOptions {
            allow_http: true,
            retries: 1,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(5),
            backoff: Duration::from_millis(20),
            ..HttpOptions::default()
        };
        let list = vec![String::from("linux/amd64")];
        let options = RegistryOptions {
            platforms: Platforms::List(list),
            jobs: 2,
            docker_config: None,
            plain_http: vec![host.to_owned()],
            ..RegistryOptions::default()
        };
        Self { folder: TempDir::new().unwrap(), http, options }
    }

    pub(crate) fn bring(&self, reference: &str) -> Result<Brought, Fault> {
        self.bring_after(reference, || {})
    }

    /// Fetches, and does something between finding and fetching.
    pub(crate) fn bring_after(
        &self,
        reference: &str,
        between: impl FnOnce(),
    ) -> Result<Brought, Fault> {
        let http = Http::new(self.http.clone())?;
        let registry = Registry::new(&http, self.options.clone());
        let found = registry.find(reference, &SilentWatch)?;
        between();
        let folder = Folder::open(self.folder.path())?;
        let fetched = found.fetch(&folder, "image.tar", &SilentWatch)?;
        let archive = self.folder.path().join("image.tar");
        let size = fs::metadata(&archive).unwrap().len();
        assert_eq!(found.description().size, Some(size));
        assert_eq!(self.left(), ["image.tar"]);
        Ok(Brought { description: found.description().clone(), fetched, archive })
    }

    /// Fetches an image without the index that nobody signed, if it has one of which not everything is
    /// brought.
    pub(crate) fn bring_alone(&self, reference: &str) -> Option<(String, Brought)> {
        let http = Http::new(self.http.clone()).unwrap();
        let registry = Registry::new(&http, self.options.clone());
        let found = registry.find(reference, &SilentWatch).unwrap();
        let (index, alone) = found.without_index()?;
        let folder = Folder::open(self.folder.path()).unwrap();
        let fetched = alone.fetch(&folder, "alone.tar", &SilentWatch).unwrap();
        let archive = self.folder.path().join("alone.tar");
        let description = alone.description().clone();
        assert_eq!(description.size, Some(fs::metadata(&archive).unwrap().len()));
        Some((index.to_string(), Brought { description, fetched, archive }))
    }

    #[track_caller]
    pub(crate) fn refused(&self, reference: &str) -> Fault {
        match self.bring(reference) {
            Ok(_) => panic!("{reference} was accepted"),
            Err(fault) => fault,
        }
    }

    /// The names in the folder.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Puts a file into a config directory of Docker that is read from now on.
    pub(crate) fn config(&mut self, text: &str) {
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
    pub(crate) fn entry(&self, name: &str) -> Vec<u8> {
        let output = Command::new("tar").arg("xOf").arg(&self.archive).arg(name).output().unwrap();
        assert!(output.status.success(), "{name}");
        output.stdout
    }

    pub(crate) fn blob(&self, digest: &str) -> Vec<u8> {
        self.entry(&format!("blobs/sha256/{}", digest.trim_start_matches("sha256:")))
    }

    /// Sealift's own reading.
    #[track_caller]
    pub(crate) fn read(&self) -> image::Archive {
        let file = image::FileAt::new(fs::File::open(&self.archive).unwrap()).unwrap();
        image::read(
            Input::File(&file),
            &Options { jobs: 1, progress: &NoProgress, cuts: None, threads: None },
        )
        .unwrap()
    }

    /// Whether an image of the archive can be proved by this digest, as this kind.
    #[track_caller]
    pub(crate) fn proves(&self, kind: CandidateKind, digest: &str) {
        let digest: Sha256Digest = digest.parse().unwrap();
        let archive = self.read();
        let mut all = archive.images.iter().flat_map(|image| &image.candidates);
        assert!(all.any(|it| it.kind == kind && it.digest == digest), "{kind:?} {digest}");
        assert!(self.description.stated.contains(&digest));
    }

    /// `sealift verify` with a signature over this text.
    #[track_caller]
    pub(crate) fn verifies(&self, signed: &str) {
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

/// An image of one platform with layers of these sizes; its manifest's descriptor.
pub(crate) fn plain(folder: &Path, sizes: &[usize]) -> (OciLayout, Value, Vec<Layer>) {
    let layout = OciLayout::new(folder);
    let layer =
        |(index, size): (usize, &usize)| layout.layer(&format!("file{index}"), *size, Packed::Not);
    let layers: Vec<Layer> = sizes.iter().enumerate().map(layer).collect();
    let manifest = layout.image("linux/amd64", "plain", &layers);
    layout.top(&manifest);
    (layout, manifest, layers)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
