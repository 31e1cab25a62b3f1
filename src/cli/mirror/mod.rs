//! `sealift mirror`: fetches a vendor's release and seals it as a transfer directory, in one command.

mod args;
mod dry_run;
mod end;
mod output_directory;
mod preflight;
mod refresh_trusted_root;
mod release_file;
mod sources;

use std::io::{self, Write as _};
use std::path::Path;

use super::progress_lines::ProgressLines;
use super::sealing::SealSettings;
use super::{files, machine::jobs, output::shown};
use crate::directory::Folder;
use crate::image::{NoProgress, Options};
use crate::limits;
use crate::mirror::http::{Http, HttpOptions, Proxies};
use crate::mirror::{self, EarlierTransfer, Hosts, MirrorRequest, ReleaseFile};
use crate::transfer::AddedFile;
use crate::trust::VendorProfile;
use crate::verdict::{Code, ExitStatus, Fault, line};

pub(super) use args::MirrorArgs;

use args::EngineName;
use end::finish;
use output_directory::{apart, open};
use refresh_trusted_root::refresh;
use release_file::{extras, release};
use sources::{AT_ONCE, engine, sources};

/// The air-gap edition next to this program.
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
        let message =
            "--tuf-mirror can't be used if --trusted-root or the policy names a trusted root";
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
    let reading = Options {
        jobs: jobs(arguments.run.jobs),
        progress: &NoProgress,
        cuts: None,
        threads: None,
    };
    let job = MirrorRequest {
        folder: &folder,
        lock: &lock,
        wanted: &wanted,
        http: &http,
        hosts,
        sealing: sealing.order(reading),
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
        return dry_run::show(&folder, &plan, arguments.run.output);
    }
    let interrupted = interruption(&http);
    let outcomes = job.run();
    drop(interrupted);
    progress.clear();
    drop(lock);
    let bases: Vec<Folder> = earlier_folder.into_iter().collect();
    finish(arguments, &sealing, &folder, &bases, outcomes?, &progress)
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
    let of_profile = profile.mirror.iter().flat_map(|mirror| &mirror.hosts);
    let all = of_profile.chain(&release.allow_hosts).chain(&arguments.allow_host);
    Hosts::new(all.cloned(), arguments.allow_http)
}

/// The programs that go into `tools/`.
fn tools(arguments: &MirrorArgs) -> Result<Vec<AddedFile>, Fault> {
    let mut paths = arguments.tool.clone();
    let air_gap_edition =
        std::env::current_exe().ok().map(|program| program.with_file_name(AIRGAP));
    if let Some(path) = air_gap_edition.filter(|path| paths.is_empty() && path.is_file()) {
        paths.push(path);
    }
    paths
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .ok_or_else(|| Fault::new(Code::Usage, "not a file name").at(files::show(path)))?;
            let bytes = files::read_config(path, limits::TOOL_BYTES, Code::Usage)?;
            Ok(AddedFile { name: format!("tools/{name}"), bytes, mode: 0o755 })
        })
        .collect()
}

/// The transfer keys that may have sealed an earlier transfer: this one and those of the policy.
fn own_keys(sealing: &SealSettings<'_>) -> Vec<crate::key::PublicKey> {
    let listed = sealing.policy.iter().flat_map(|policy| policy.transfer_keys());
    std::iter::once(sealing.key.public().clone())
        .chain(listed.map(|listed| listed.key().clone()))
        .collect()
}

/// On Ctrl-C says what to do and exits; the next run continues partial downloads.
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
