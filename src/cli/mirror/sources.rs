//! Where images come from: the registry, an engine, or archives.

use std::path::{Path, PathBuf};

use super::args::{EngineName, MirrorArgs};
use crate::mirror::http::Http;
use crate::mirror::{
    self, ArchiveFiles, Engine, EngineKind, FoundImage, Hosts, ImageSource, Platforms, Registry,
    RegistryOptions, ReleaseFile, Watch,
};
use crate::verdict::{Code, Fault};

/// How many artifacts are fetched at once.
pub(super) const AT_ONCE: usize = 4;

/// The places that images come from.
pub(super) struct ImageSources<'a> {
    engine: EngineName,
    registry: Registry<'a>,
    docker: Engine,
    podman: Engine,
    files: ArchiveFiles,
}

impl ImageSource for ImageSources<'_> {
    fn find(&self, reference: &str, watch: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault> {
        match self.engine {
            EngineName::Docker => self.docker.find(reference, watch),
            EngineName::Podman => self.podman.find(reference, watch),
            EngineName::Archive => self.files.find(reference, watch),
            EngineName::Auto if Path::new(reference).is_file() => self.files.find(reference, watch),
            EngineName::Auto | EngineName::Registry => self.registry.find(reference, watch),
        }
    }
}

pub(super) fn engine(arguments: &MirrorArgs, release: &ReleaseFile) -> Result<EngineName, Fault> {
    match (arguments.engine, release.engine.as_deref()) {
        (Some(engine), _) => Ok(engine),
        (None, None) => Ok(EngineName::Auto),
        (None, Some(name)) => {
            <EngineName as clap::ValueEnum>::from_str(name, false).map_err(|_| {
                let message = format!("there is no engine {name:?}");
                Fault::new(Code::ReleaseMalformed, message).at("engine")
            })
        }
    }
}

pub(super) fn sources<'a>(
    arguments: &MirrorArgs,
    engine: EngineName,
    release: &ReleaseFile,
    http: &'a Http,
    hosts: Hosts,
) -> Result<ImageSources<'a>, Fault> {
    let platforms = &release.platforms;
    let by_engine = matches!(engine, EngineName::Docker | EngineName::Podman);
    if by_engine && (platforms.len() > 1 || platforms.iter().any(|platform| platform == "all")) {
        let message = "an engine fetches one platform; use --engine registry for several";
        return Err(Fault::new(Code::Usage, message).at("--platform"));
    }
    let one = platforms.first().cloned();
    let pull = !arguments.no_pull;
    let options = RegistryOptions {
        platforms: match platforms.as_slice() {
            [] => Platforms::One,
            list if list.iter().any(|platform| platform == "all") => Platforms::All,
            list => Platforms::List(list.to_vec()),
        },
        jobs: AT_ONCE,
        docker_config: docker_config(),
        plain_http: plain_http(arguments, &release.images),
        hosts,
    };
    Ok(ImageSources {
        engine,
        registry: Registry::new(http, options),
        docker: Engine::new(EngineKind::Docker, pull, one.clone()),
        podman: Engine::new(EngineKind::Podman, pull, one),
        files: ArchiveFiles,
    })
}

/// The registries to use plain HTTP with: those named and, as Docker does, those on this machine.
fn plain_http(arguments: &MirrorArgs, images: &[String]) -> Vec<String> {
    if !arguments.allow_http {
        return Vec::new();
    }
    let local = |host: &&str| {
        url::Url::parse(&format!("http://{host}/")).is_ok_and(|url| mirror::is_this_machine(&url))
    };
    let hosts = images.iter().filter_map(|image| image.split_once('/')).map(|(host, _)| host);
    let hosts = hosts.filter(local).map(str::to_owned);
    arguments.plain_http.iter().cloned().chain(hosts).collect()
}

/// Where Docker keeps its credentials.
fn docker_config() -> Option<PathBuf> {
    let named =
        std::env::var_os("DOCKER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| std::env::home_dir().map(|home| home.join(".docker")))
}
