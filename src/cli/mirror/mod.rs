//! `sealift mirror`: from a vendor's names to a sealed transfer directory, in one command.

mod args;
mod end;
mod plan;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::apart::Named;
use super::progress_lines::ProgressLines;
use super::sealing::{SealExtras, SealSettings, say_sealed};
use super::{files, jobs, shown};
use crate::directory::Folder;
use crate::image::{NoProgress, Options};
use crate::limits;
use crate::mirror::http::{Http, HttpOptions, Proxies};
use crate::mirror::root::{self, TufRepository};
use crate::mirror::{
    self, ArchiveFiles, EarlierTransfer, Engine, EngineKind, FoundImage, Hosts, ImageSource,
    MirrorOutcome, MirrorRequest, Platforms, Registry, RegistryOptions, ReleaseFile, Watch,
};
use crate::report::Form;
use crate::sigstore::TrustMaterial;
use crate::transfer::OwnFile;
use crate::trust::VendorProfile;
use crate::verdict::{Code, ExitStatus, Fault, line};

pub(super) use args::MirrorArgs;

use args::EngineName;
use end::{preflight, report, say_stopped, say_unasked, status, stopped, worst};

/// How many artifacts are fetched at once.
const AT_ONCE: usize = 4;
/// The air-gap edition beside this program.
const AIRGAP: &str = "sealift-airgap";

/// Runs the command.
pub(super) fn run(arguments: &MirrorArgs) -> Result<ExitStatus, Fault> {
    if arguments.init {
        return shown(io::stdout().lock().write_all(mirror::TEMPLATE.as_bytes()));
    }
    let Some(out) = &arguments.out else {
        return Err(Fault::new(Code::Usage, "--out is missing"));
    };
    let release = release(arguments)?;
    let extras = extras(arguments, &release)?;
    let mut sealing = arguments.sealing.load(out, arguments.key.as_ref(), extras)?;
    if sealing.root.is_some() && arguments.tuf_mirror.is_some() {
        let message = "--tuf-mirror, where --trusted-root or the policy names the trusted root";
        return Err(Fault::new(Code::PolicyForbids, message));
    }
    let engine = engine(arguments, &release)?;
    let is_file = |name: &str| match engine {
        EngineName::Archive => true,
        EngineName::Auto => Path::new(name).is_file(),
        _ => false,
    };
    let wanted =
        mirror::wanted_items(&sealing.profile, &release.images, &release.packages, is_file)?;
    if wanted.is_empty() || wanted.len() > limits::REQUESTED {
        let message = format!("name 1 to {} images and packages", limits::REQUESTED);
        return Err(Fault::new(Code::Usage, message).at("--image, --package, --file"));
    }
    let http = Http::new(http_options(arguments)?)?;
    let progress = ProgressLines::new(arguments.run.quiet);
    let refreshes = !arguments.no_refresh && !arguments.dry_run;
    if sealing.root.is_none() && refreshes && !arguments.sealing.logs.insecure_ignore_tlog {
        refresh(arguments, &http, &mut sealing, &progress)?;
    }
    if let Some(base) = &arguments.base {
        apart(out, base)?;
    }
    let folder = open(out, arguments.dry_run)?;
    let lock = folder.lock()?;
    let hosts = hosts(arguments, &release, &sealing.profile);
    let sources = sources(arguments, engine, &release, &http, hosts.clone())?;
    let earlier_folder = arguments.base.as_deref().map(Folder::open).transpose()?;
    let earlier = match &earlier_folder {
        Some(folder) => Some(EarlierTransfer::open(folder, &own_keys(&sealing))?),
        None => None,
    };
    let reading =
        Options { jobs: jobs(arguments.run.jobs), progress: &NoProgress, cuts: None, crew: None };
    let job = MirrorRequest {
        folder: &folder,
        lock: &lock,
        wanted: &wanted,
        http: &http,
        hosts,
        order: sealing.order(reading),
        source: &sources,
        earlier: earlier.as_ref(),
        tools: tools(arguments)?,
        jobs: AT_ONCE,
        fail_fast: arguments.fail_fast,
        omit_partial: arguments.omit_partial,
        watch: &progress,
    };
    job.possible()?;
    if arguments.dry_run {
        let plan = job.plan();
        progress.clear();
        return plan::show(&folder, &plan, arguments.run.output);
    }
    let interrupted = interruption(&http);
    let outcomes = job.run();
    drop(interrupted);
    progress.clear();
    drop(lock);
    let MirrorOutcome { reports, made, fetched } = outcomes?;
    let unchanged = fetched == 0 && reports.iter().all(|it| it.code.is_none() && !it.carried);
    let mut status = status(&reports);
    let mut said = None;
    match &made {
        Ok(made) if !arguments.no_preflight => {
            let bases: Vec<Folder> = earlier_folder.into_iter().collect();
            match preflight(arguments, &sealing, &folder, &bases, made, &progress) {
                Ok(words) => said = Some(words),
                Err(found) => status = worst(status, found),
            }
        }
        Ok(_) => {}
        Err(stop) if status == ExitStatus::Verified => status = stopped(stop),
        Err(_) => {}
    }
    report(arguments, &sealing, reports, status)?;
    match made {
        Ok(made) => {
            if let Some(words) = said.filter(|_| arguments.run.output == Form::Text) {
                let mut out = io::stdout().lock();
                shown(line!(out, "preflight: {words}"))?;
            }
            if unchanged && arguments.run.output == Form::Text {
                let mut out = io::stdout().lock();
                shown(line!(out, "fetched: nothing; all that was asked for is here, unchanged"))?;
            }
            say_unasked(&made);
            say_sealed(&arguments.run, &made, &sealing.key);
        }
        Err(stop) => say_stopped(&stop),
    }
    Ok(status)
}

/// The release file and the options together.
fn release(arguments: &MirrorArgs) -> Result<ReleaseFile, Fault> {
    let mut release = match &arguments.file {
        Some(path) => {
            let bytes = files::read_config(path, limits::RELEASE_BYTES, Code::ReleaseMalformed)?;
            ReleaseFile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))?
        }
        None => ReleaseFile::default(),
    };
    release.images.extend(arguments.image.iter().cloned());
    release.packages.extend(arguments.package.iter().cloned());
    if !arguments.platform.is_empty() {
        release.platforms.clone_from(&arguments.platform);
    }
    Ok(release)
}

/// What the release file says of sealing; paths in it are relative to it.
fn extras(arguments: &MirrorArgs, release: &ReleaseFile) -> Result<SealExtras, Fault> {
    let beside = |path: &Path| match arguments.file.as_deref().and_then(Path::parent) {
        Some(folder) => folder.join(path),
        None => path.to_path_buf(),
    };
    let profile = match (&arguments.vendor, &release.vendor, &release.vendor_profile) {
        (Some(name), _, _) | (None, Some(name), _) => Some(built_in(name)?),
        (None, None, Some(path)) => Some(super::load_profile(Some(&beside(path)))?),
        (None, None, None) => None,
    };
    let mut files: Vec<Named> = Named::all("--file", &arguments.file).collect();
    files.extend(Named::all("--key", &arguments.key));
    files.extend(Named::all("--ca-file", &arguments.ca_file));
    files.extend(Named::all("--tuf-root", &arguments.tuf_root));
    let listed = release.vendor_profile.as_deref().map(&beside);
    files.extend(Named::all("vendor_profile in the release file", &listed));
    Ok(SealExtras {
        profile,
        files,
        vendor_keys: release.vendor_keys.iter().map(|path| beside(path)).collect(),
        pin_keys: release.pin_keys.clone(),
        allow_unsigned: release.allow_unsigned.clone(),
        stream: release.stream.clone(),
        expires: release.expires.clone(),
        notes: release.notes.clone(),
    })
}

fn built_in(name: &str) -> Result<VendorProfile, Fault> {
    let profile = VendorProfile::k2view()?;
    if profile.name == name {
        return Ok(profile);
    }
    let message = format!("there is no built-in vendor {name:?}, only {}", profile.name);
    Err(Fault::new(Code::Usage, message).at("--vendor"))
}

fn http_options(arguments: &MirrorArgs) -> Result<HttpOptions, Fault> {
    let ca_pem = arguments
        .ca_file
        .iter()
        .map(|path| files::read_config(path, limits::CA_BYTES, Code::Usage))
        .collect::<Result<Vec<_>, Fault>>()?;
    let allow_http = arguments.allow_http;
    Ok(HttpOptions {
        ca_pem,
        allow_http,
        connect_to: arguments.connect_to.clone(),
        proxies: Proxies::of(|name| std::env::var(name).ok())?,
        retries: arguments.retries,
        ..HttpOptions::default()
    })
}

fn hosts(arguments: &MirrorArgs, release: &ReleaseFile, profile: &VendorProfile) -> Hosts {
    let of_profile = profile.mirror.iter().flat_map(|it| &it.hosts);
    let all = of_profile.chain(&release.allow_hosts).chain(&arguments.allow_host);
    Hosts::new(all.cloned(), arguments.allow_http)
}

/// Opens the directory, and makes it unless nothing is to be written.
fn open(out: &Path, dry: bool) -> Result<Folder, Fault> {
    if !dry {
        fs::create_dir_all(out).map_err(|error| {
            Fault::new(Code::WriteFailed, error.to_string()).at(files::show(out))
        })?;
        return Folder::open(out);
    }
    // A plan for a directory that is not there yet is one for where it would be.
    let there = out.ancestors().find(|path| path.is_dir());
    Folder::open(there.unwrap_or_else(|| Path::new(".")))
}

/// Refuses an earlier transfer that is the directory to be filled, or lies in it, or holds it: it would be
/// changed.
fn apart(out: &Path, base: &Path) -> Result<(), Fault> {
    // A directory that is still to be made will lie in the first one above that is there.
    let absolute = std::path::absolute(out).unwrap_or_else(|_| out.to_path_buf());
    let above = absolute.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("."));
    let holds = Folder::open(base)?.contains(above);
    if holds || (out.is_dir() && Folder::open(out)?.contains(base)) {
        let message = "--base is the directory to be filled, or one lies in the other: the earlier \
                       transfer would be changed; name another --out";
        return Err(Fault::new(Code::Usage, message).at(files::show(base)));
    }
    Ok(())
}

/// The places that images come from.
struct ImageSources<'a> {
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

fn engine(arguments: &MirrorArgs, release: &ReleaseFile) -> Result<EngineName, Fault> {
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

fn sources<'a>(
    arguments: &MirrorArgs,
    engine: EngineName,
    release: &ReleaseFile,
    http: &'a Http,
    hosts: Hosts,
) -> Result<ImageSources<'a>, Fault> {
    let platforms = &release.platforms;
    let by_engine = matches!(engine, EngineName::Docker | EngineName::Podman);
    if by_engine && (platforms.len() > 1 || platforms.iter().any(|it| it == "all")) {
        let message = "an engine brings one platform; --engine registry brings several";
        return Err(Fault::new(Code::Usage, message).at("--platform"));
    }
    let one = platforms.first().cloned();
    let pull = !arguments.no_pull;
    let options = RegistryOptions {
        platforms: match platforms.as_slice() {
            [] => Platforms::One,
            list if list.iter().any(|it| it == "all") => Platforms::All,
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

/// The registries to speak plain HTTP with: those named, and, as for Docker, those of this machine.
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
    let named = std::env::var_os("DOCKER_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from);
    named.or_else(|| std::env::home_dir().map(|home| home.join(".docker")))
}

/// The programs that go into `tools/`.
fn tools(arguments: &MirrorArgs) -> Result<Vec<OwnFile>, Fault> {
    let mut paths = arguments.tool.clone();
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(AIRGAP));
    if let Some(path) = beside.filter(|path| paths.is_empty() && path.is_file()) {
        paths.push(path);
    }
    if paths.is_empty() && !cfg!(feature = "online") {
        return Ok(Vec::new());
    }
    paths
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .ok_or_else(|| Fault::new(Code::Usage, "not a file name").at(files::show(path)))?;
            let bytes = files::read_config(path, limits::TOOL_BYTES, Code::Usage)?;
            Ok(OwnFile { name: format!("tools/{name}"), bytes, mode: 0o755 })
        })
        .collect()
}

fn own_keys(sealing: &SealSettings<'_>) -> Vec<crate::key::PublicKey> {
    let listed = sealing.policy.iter().flat_map(|policy| policy.transfer_keys());
    std::iter::once(sealing.key.public().clone()).chain(listed.map(|it| it.key().clone())).collect()
}

/// On Ctrl-C says what to do and ends; what is half-way here is continued by the next run.
fn interruption(http: &Http) -> impl Drop + use<> {
    struct Guard(tokio::task::JoinHandle<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    Guard(http.spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = line!(
                io::stderr().lock(),
                "sealift: interrupted; run the same command again to continue"
            );
            std::process::exit(130);
        }
    }))
}

/// A newer trusted root, if it can be had: a repository that the operator named must answer, Sigstore's
/// own need not.
fn refresh(
    arguments: &MirrorArgs,
    http: &Http,
    sealing: &mut SealSettings<'_>,
    watch: &dyn Watch,
) -> Result<(), Fault> {
    let repository = match (&arguments.tuf_mirror, &arguments.tuf_root) {
        (Some(url), Some(path)) => {
            let root = files::read_config(path, limits::TRUSTED_ROOT_BYTES, Code::Usage)?;
            Some(TufRepository { url: url.clone(), root })
        }
        _ => None,
    };
    let age = |bytes: &[u8]| root::newest(bytes).unwrap_or_else(|| "unknown".to_owned());
    match root::refresh(http, repository.as_ref()) {
        Ok(bytes) => {
            sealing.material = TrustMaterial::from_json(&bytes)?;
            let age = age(&bytes);
            watch.say(&format!("trusted root: fetched; its newest log or authority is of {age}"));
            sealing.root = Some(bytes);
            Ok(())
        }
        Err(fault) if repository.is_some() => Err(fault),
        Err(fault) => {
            let age = age(&TrustMaterial::production_bytes());
            watch.say(&format!(
                "trusted root: the built-in one, its newest log or authority is of {age}; a newer one \
                 could not be fetched ({fault})"
            ));
            Ok(())
        }
    }
}
