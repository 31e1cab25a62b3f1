//! `sealift verify`: loads what is believed, and has each PATH judged as what it is.

mod args;
mod file;
mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::apart::Named;
use super::console::{self, Console, ConsoleOptions};
use super::state_file::StateFile;
use super::trust_settings::{TrustOptions, TrustSettings, no_key};
use super::{
    apart, batch_args, complain, expected, files, jobs, load_profile, medium, program_digest,
    report_file, warn,
};
use crate::digest::Sha256Digest;
use crate::directory::Folder;
use crate::image::{Options, Progress};
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::release::{Ended, Events, Filter, PairingMap, Part, Place};
use crate::report::{self, Detail, Form};
use crate::sigstore::{HashRule, SignatureBundle, TrustMaterial};
use crate::survey::VendorKeys;
use crate::transfer::{AcceptedTransfers, SerialsOfRun};
use crate::trust::{Profiles, TrustPolicy, VendorProfile};
use crate::verdict::{
    ArtifactReport, Basis, Code, Coverage, ExitStatus, Fault, Profile, Run, StoppedBy, TrustedRoot,
};
use file::{Single, signers};
use folder::Directory;

pub(super) use args::VerifyArgs;
pub(super) use file::load_bundle;

/// Whom a run believes, and how it was called.
pub(super) struct Whom<'a> {
    pub(super) arguments: &'a VerifyArgs,
    pub(super) transfer_keys: &'a [PublicKey],
    pub(super) key: Option<&'a PublicKey>,
    pub(super) policy: Option<&'a TrustPolicy>,
    /// The trusted root that was named.
    pub(super) material: Option<&'a TrustMaterial>,
    /// The one that holds: that, else the built-in one; where a seal carries one, that counts for it unless
    /// one was named.
    pub(super) built_in: &'a TrustMaterial,
    /// The conventions of vendors that no policy lists.
    pub(super) profiles: Profiles<'a>,
    pub(super) filter: &'a Filter,
    pub(super) map: Option<&'a PairingMap>,
    pub(super) part: Option<Part>,
    pub(super) hash: HashRule,
    pub(super) now: jiff::Timestamp,
    pub(super) state_file: Option<&'a StateFile>,
    /// What was accepted before the run began.
    pub(super) state: Result<Option<AcceptedTransfers>, Fault>,
    /// The transfers that the run judges.
    pub(super) transfers: Vec<Folder>,
    /// The same, for their serials.
    pub(super) together: Option<SerialsOfRun>,
    pub(super) jobs: usize,
}

impl Whom<'_> {
    /// Whether anything is written besides lines of text.
    pub(super) fn keeps_report(&self) -> bool {
        self.arguments.run.output != Form::Text || !self.arguments.report.is_empty()
    }
}

/// Runs the command.
pub(super) fn run(arguments: &VerifyArgs) -> Result<ExitStatus, Fault> {
    let started = jiff::Timestamp::now();
    let (profiles, profile_digests) = profiles(&arguments.vendor_profile)?;
    let Some(profiles) = Profiles::new(&profiles) else {
        return Err(Fault::new(Code::ProfileMalformed, "there is no vendor profile"));
    };
    check_usage(arguments)?;
    let state_file = arguments.transfer.state_file();
    state_file.as_ref().map_or(Ok(()), StateFile::is_file)?;
    let believed = TrustSettings::load(said(arguments, started))?;
    places(arguments, &believed, profiles.first())?;
    let TrustSettings { policy, keys, transfer_keys, root: named, .. } = believed;
    let key = keys.into_iter().next();
    let logs = &arguments.trust.logs;
    arguments.transfer.streams_permitted(policy.as_ref())?;
    // Parsing the built-in root is the most that a small run does.
    let production;
    let built_in = match &named {
        Some((_, material)) => material,
        None => {
            production = TrustMaterial::production()?;
            &production
        }
    };
    let filter = arguments.batch.filter()?;
    let map = arguments.batch.map()?;
    let mut whom = Whom {
        arguments,
        transfer_keys: &transfer_keys,
        key: key.as_ref(),
        policy: policy.as_ref(),
        material: named.as_ref().map(|(_, material)| material),
        built_in,
        profiles,
        filter: &filter,
        map: map.as_ref().map(|(map, _)| map),
        part: arguments.batch.part()?,
        hash: arguments.trust.hash(HashRule::Known),
        now: arguments.transfer.time.unwrap_or(started),
        state: state_file.as_ref().map(StateFile::read).transpose(),
        state_file: state_file.as_ref(),
        transfers: Vec::new(),
        together: None,
        jobs: threads(arguments),
    };
    whom.transfers = folder::transfers(&whom);
    whom.together = folder::together(&whom);
    // A certificate's identity, and options that go with a key only, are judged where they are loaded.
    let mut files = arguments.files.iter().filter(|path| !expected::is_directory(path));
    let no_file = files.all(|path| expected::unsealed(&whom, path).is_some());
    let nobody = key.is_none() && policy.is_none();
    let identity = if arguments.trust.names_identity() || (nobody && !no_file) {
        let loaded = arguments.trust.load(HashRule::Known, built_in);
        Some(loaded.map_err(|fault| with_key_name(fault, &whom))?)
    } else {
        None
    };
    let vendor_keys = VendorKeys {
        keys: Vec::new(),
        unnamed: Vec::new(),
        material: built_in,
        profiles,
        transparency: logs.transparency(),
        hash: whom.hash,
        now: whom.now,
    };
    let keys = folder::keys(&whom, &[]);
    let signers = signers(identity.as_ref(), &keys, &vendor_keys);
    if signers.is_empty() && !no_file {
        return Err(with_key_name(no_key(), &whom));
    }
    let mut about = Run::new(started.to_string());
    about.paths = arguments.files.iter().map(|path| files::show(path)).collect();
    // Lines of text don't say by what was judged, and the program's digest alone costs some milliseconds.
    if whom.keeps_report() {
        about.program = program_digest();
        let map = map.as_ref().map(|it| it.1);
        about.basis = Some(basis(&whom, named.as_ref(), profile_digests, map));
    }
    let console = Console::new(wanted(arguments)?, about);
    console::on_interrupt(&console)?;
    let key_file = arguments.trust.key.as_deref().and_then(files::file_name);
    let single = Single { whom: &whom, signers, key_file };
    let mut all = Coverage::default();
    for (number, path) in arguments.files.iter().enumerate() {
        let ended = one(&whom, &single, path, &console);
        console.next_path();
        let mut stopped = false;
        if let Some(ended) = ended {
            all.join(ended.coverage);
            console.of_run(|run| run.shard = ended.shard);
            stopped = ended.stopped;
        }
        let more = number.saturating_add(1) < arguments.files.len();
        if stopped || (more && arguments.batch.fail_fast && console.has_failed()) {
            console.of_run(|run| {
                run.partial = true;
                run.stopped_by = Some(StoppedBy::FailFast);
            });
            break;
        }
    }
    if all.total() > 0 {
        console.of_run(|run| run.coverage = Some(all));
    }
    let (status, faults) = console.end();
    faults.iter().for_each(complain);
    Ok(status)
}

/// What the command line says of trust.
fn said(arguments: &VerifyArgs, now: jiff::Timestamp) -> TrustOptions<'_> {
    let transfer = &arguments.transfer;
    let mut others: Vec<Named> =
        Named::all("--vendor-profile", &arguments.vendor_profile).collect();
    others.extend(Named::all("--state", &transfer.state));
    others.extend(arguments.batch.named());
    TrustOptions {
        policy: arguments.policy.path(),
        keys: arguments.trust.key_file().into_iter().collect(),
        identity: arguments.trust.names_identity(),
        transfer_keys: &transfer.transfer_key,
        logs: Some(&arguments.trust.logs),
        allow_unsigned: transfer.allow_unsigned.clone(),
        time: transfer.time.map(|time| (time, now)),
        others,
        judged: judged(arguments),
        ..TrustOptions::default()
    }
}

/// What is judged: the paths, and the earlier transfers that they build on.
fn judged(arguments: &VerifyArgs) -> Vec<PathBuf> {
    arguments.files.iter().chain(&arguments.transfer.base).cloned().collect()
}

/// Refuses files to be written that would lie in what is judged, or in the place of anything that is read.
fn places(
    arguments: &VerifyArgs,
    believed: &TrustSettings,
    profile: &VendorProfile,
) -> Result<(), Fault> {
    let mut read = believed.files.clone();
    read.extend(Named::all("--bundle", &arguments.bundle));
    for path in arguments.files.iter().filter(|path| path.is_file()) {
        let material = pairing::for_package(profile, &files::file_name(path).unwrap_or_default());
        let names = material.bundle.iter().chain(&material.key);
        read.extend(names.map(|name| Named::new("the file", path.with_file_name(name))));
        read.extend(sidecars(path));
        let bundles = arguments.report.iter().filter(|report| is_bundle_beside(report, path));
        read.extend(bundles.map(|bundle| Named::new("the bundle", bundle)));
    }
    let judged = judged(arguments);
    let (state, others): (Vec<Named>, Vec<Named>) =
        read.iter().cloned().partition(|named| named.role == "--state");
    apart::outputs(&state, &others, &judged)?;
    let reports: Vec<Named> = Named::all("--report", &arguments.report).collect();
    apart::outputs(&reports, &read, &judged)
}

/// Where a bundle may lie beside a file, whatever the vendor calls it.
fn sidecars(path: &Path) -> impl Iterator<Item = Named> {
    let name = files::file_name(path).unwrap_or_default();
    pairing::SIDECARS
        .iter()
        .map(move |ending| Named::new("the file", path.with_file_name(format!("{name}{ending}"))))
}

/// Whether a report would be written over a bundle that lies beside a file.
fn is_bundle_beside(report: &Path, file: &Path) -> bool {
    let directory = |path: &Path| path.canonicalize().ok()?.parent().map(Path::to_path_buf);
    directory(report).is_some_and(|it| Some(it) == directory(file))
        && files::read_found(report, limits::BUNDLE_BYTES, Code::BundleTooLarge)
            .is_ok_and(|bytes| SignatureBundle::parse(&bytes).is_ok())
}

/// Judges what a path leads to; says what is known of it besides the answers, if it is a folder.
fn one(whom: &Whom<'_>, single: &Single<'_>, path: &Path, console: &Arc<Console>) -> Option<Ended> {
    let answer = |report: ArtifactReport| console.answer(Place::only(), report);
    let file = || {
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        let watched = Watched { console, number: console.begin(&files::show(path), size) };
        let options = Options { jobs: whom.jobs, progress: &watched, cuts: None, threads: None };
        answer(single.file(path, &options));
        Events::end(console.as_ref(), watched.number);
        None
    };
    if !expected::is_directory(path) {
        return match expected::unsealed(whom, path) {
            Some(fault) => {
                answer(ArtifactReport::new(files::show(path)).refused(&fault));
                None
            }
            None => file(),
        };
    }
    let opened = match folder::open(path) {
        Ok(opened) => opened,
        Err(fault) => {
            answer(ArtifactReport::new(files::show(path)).refused(&fault));
            return None;
        }
    };
    let kind = folder::kind(whom, &opened);
    let arguments = whom.arguments;
    let is_layout = matches!(kind, Directory::Layout);
    let single_only = arguments.kind.is_some() || !arguments.bundle.is_empty();
    let batch = &arguments.batch;
    let parts = batch.in_parts() || !whom.filter.is_empty();
    match kind {
        Directory::Layout | Directory::Plain if parts && (single_only || is_layout) => {
            let message = "this is judged as one image: --include, --exclude, --map and --shard are \
                           for folders of several";
            let fault = Fault::new(Code::Usage, message).at(opened.folder.shown());
            answer(ArtifactReport::new(opened.folder.shown()).refused(&fault));
            None
        }
        Directory::Layout => file(),
        Directory::Plain if single_only => file(),
        Directory::Plain | Directory::Holder | Directory::Transfer => {
            match folder::check(whom, &opened, &kind, console.as_ref()) {
                Ok(ended) => Some(ended),
                Err(fault) => {
                    answer(ArtifactReport::new(opened.folder.shown()).refused(&fault));
                    None
                }
            }
        }
    }
}

/// The progress of a file that is judged alone.
struct Watched<'a> {
    console: &'a Console,
    number: u64,
}

impl Progress for Watched<'_> {
    fn expect(&self, bytes: u64) {
        self.console.expect(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.console.advance(self.number, bytes);
    }
}

/// How many threads work: as asked for; else one where the medium serves only one reader well, else one
/// for each core.
fn threads(arguments: &VerifyArgs) -> usize {
    if arguments.run.jobs.is_none()
        && let Some((path, medium)) =
            arguments.files.iter().find_map(|path| Some((path, medium::seeks(path)?)))
    {
        if !arguments.run.quiet {
            warn(&format!(
                "{} is on {medium}: one reader; --jobs asks for more",
                files::show(path)
            ));
        }
        return 1;
    }
    jobs(arguments.run.jobs)
}

/// The vendor profiles that are named, else the built-in one, and what a report says of them.
fn profiles(paths: &[PathBuf]) -> Result<(Vec<VendorProfile>, Vec<Profile>), Fault> {
    if paths.is_empty() {
        let profile = load_profile(None)?;
        let name = profile.name.clone();
        return Ok((vec![profile], vec![Profile { name, sha256: None }]));
    }
    let mut profiles = Vec::new();
    let mut said = Vec::new();
    for path in paths {
        let bytes = files::read_config(path, limits::PROFILE_BYTES, Code::ProfileMalformed)?;
        let profile =
            VendorProfile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))?;
        said.push(Profile { name: profile.name.clone(), sha256: Some(Sha256Digest::of(&bytes)) });
        profiles.push(profile);
    }
    Ok((profiles, said))
}

/// What the run is judged by, for the report.
fn basis(
    whom: &Whom<'_>,
    named: Option<&(Vec<u8>, TrustMaterial)>,
    profiles: Vec<Profile>,
    map: Option<Sha256Digest>,
) -> Basis {
    let arguments = whom.arguments;
    let trusted_root = match named {
        Some((bytes, _)) => TrustedRoot {
            sha256: Sha256Digest::of(bytes),
            source: if arguments.trust.logs.names_root() { "named" } else { "policy" }.to_owned(),
        },
        None => TrustedRoot {
            sha256: Sha256Digest::of(&TrustMaterial::production_bytes()),
            source: "built-in".to_owned(),
        },
    };
    let mut keys: Vec<Sha256Digest> = match whom.key {
        Some(key) => vec![key.fingerprint()],
        None => {
            let vendors = whom.policy.into_iter().flat_map(TrustPolicy::vendors);
            vendors.flat_map(|it| it.keys()).map(|it| it.fingerprint()).collect()
        }
    };
    keys.sort();
    keys.dedup();
    Basis {
        keys,
        identity: arguments.trust.identity_in_words(),
        transfer_keys: whom.transfer_keys.iter().map(PublicKey::fingerprint).collect(),
        policy: whom.policy.map(TrustPolicy::digest),
        trusted_root: Some(trusted_root),
        profiles,
        map,
        options: options(arguments),
    }
}

/// The options that change answers, as they were given.
fn options(arguments: &VerifyArgs) -> Vec<String> {
    let batch = &arguments.batch;
    let transfer = &arguments.transfer;
    let mut options = Vec::new();
    let mut flag = |given: bool, name: &str| {
        if given {
            options.push(name.to_owned());
        }
    };
    flag(arguments.trust.logs.insecure_ignore_tlog, "--insecure-ignore-tlog");
    flag(transfer.unsealed, "--unsealed");
    flag(transfer.loose, "--loose");
    flag(transfer.full_digest, "--full-digest");
    flag(batch.require_coverage, "--require-coverage");
    flag(batch.fail_fast, "--fail-fast");
    options.extend(arguments.trust.algorithm_in_words());
    options.extend(arguments.kind.map(|kind| format!("--type {kind:?}").to_lowercase()));
    options.extend(transfer.stream.iter().map(|it| format!("--stream {it}")));
    options.extend(transfer.time.map(|time| format!("--time {time}")));
    options.extend(transfer.allow_unsigned.iter().map(|it| format!("--allow-unsigned {it}")));
    options.extend(batch.include.iter().map(|it| format!("--include {it}")));
    options.extend(batch.exclude.iter().map(|it| format!("--exclude {it}")));
    let path = |name: &str, path: &PathBuf| format!("{name} {}", files::show(path));
    options.extend(arguments.bundle.iter().map(|it| path("--bundle", it)));
    options.extend(transfer.base.iter().map(|it| path("--base", it)));
    options.extend(transfer.state.iter().map(|it| path("--state", it)));
    options
}

/// What is to be shown and written.
fn wanted(arguments: &VerifyArgs) -> Result<ConsoleOptions, Fault> {
    let mut reports: Vec<(PathBuf, Form)> = Vec::new();
    for path in &arguments.report {
        let form = report_file::form_of(path)?;
        batch_args::writable(path)?;
        reports.push((path.clone(), form));
    }
    let earlier = match &arguments.batch.changed_since {
        Some(path) => Some(
            report::parse(files::open_stream(path)?)
                .map_err(|fault| fault.at(files::show(path)))?,
        ),
        None => None,
    };
    Ok(ConsoleOptions {
        output: arguments.run.output,
        detail: if arguments.run.verbose { Detail::Full } else { Detail::Brief },
        files: reports,
        earlier,
        summary: arguments.files.iter().any(|path| path.is_dir()),
        quiet: arguments.run.quiet,
    })
}

fn check_usage(arguments: &VerifyArgs) -> Result<(), Fault> {
    if !arguments.bundle.is_empty() && arguments.files.len() != 1 {
        return Err(Fault::new(Code::Usage, "with --bundle there is one FILE"));
    }
    if arguments.bundle.len() > limits::BUNDLES {
        return Err(Fault::new(Code::Usage, format!("more than {} bundles", limits::BUNDLES)));
    }
    if arguments.transfer.init_state && arguments.files.len() != 1 {
        return Err(Fault::new(Code::Usage, "with --init-state there is one PATH"));
    }
    arguments.batch.permitted(&arguments.files)?;
    expected::options(&arguments.transfer, &arguments.files)
}

/// When no key was given: says which one the vendor names, since that is what the user must get. A path that
/// leads nowhere goes first: what options it needs is not known.
fn with_key_name(fault: Fault, whom: &Whom<'_>) -> Fault {
    if fault.code() != Code::NoKey {
        return fault;
    }
    let absent = whom.arguments.files.iter().find_map(|path| files::there(path).err());
    if let Some(absent) = absent {
        return absent;
    }
    let named = whom.arguments.files.iter().find_map(|path| {
        let file = pairing::for_package(whom.profiles.first(), &files::file_name(path)?).key?;
        let json = path.with_file_name(file);
        let bytes = files::read_small(&json, limits::KEY_BYTES, Code::KeyNotAKey).ok()?;
        Some((json, pairing::key_name(&bytes).ok()?))
    });
    match named {
        Some((json, key)) => Fault::new(
            Code::NoKey,
            format!("{}; {} names the vendor's key {key:?}", fault.message(), files::show(&json)),
        ),
        None => fault,
    }
}
