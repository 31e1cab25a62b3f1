//! `sealift verify`: loads what the options name, then has each PATH judged as what it is.
//!
//! The way is one: options become [`settings::VerifySettings`], each path is opened, both go down once,
//! and the answers come to the console.

mod args;
mod basis;
mod directory;
mod file;
mod file_bundles;
mod outputs;
mod paths;
mod settings;

use std::path::PathBuf;

use super::console::{self, Console, ConsoleOptions};
use super::trust_settings::no_key;
use super::{
    batch_args, expected, files, machine::program_digest, output::complain, profiles::load_profile,
    report_file,
};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::pairing;
use crate::release::{FolderRequest, TransferRequest};
use crate::report::{self, Detail, Form};
use crate::sigstore::HashRule;
use crate::transfer::{Context, Sealed};
use crate::trust::{Profiles, VendorProfile};
use crate::verdict::{Code, Coverage, ExitStatus, Fault, Profile, Run, StoppedBy};
use file::{FileVerifier, signers};
use paths::{PathVerifier, Paths};
use settings::VerifySettings;

pub(super) use args::VerifyArgs;
pub(super) use file_bundles::load_named;

/// Runs the command.
pub(super) fn run(arguments: &VerifyArgs) -> Result<ExitStatus, Fault> {
    let started = jiff::Timestamp::now();
    let (profiles, profile_digests) = profiles(&arguments.vendor_profile)?;
    let Some(profiles) = Profiles::new(&profiles) else {
        return Err(Fault::new(Code::ProfileMalformed, "there is no vendor profile"));
    };
    check_usage(arguments)?;
    let settings = VerifySettings::load(arguments, profiles, started)?;
    let context = settings.transfer_context();
    let mut paths = Paths::look(&arguments.files, &settings);
    let serials = context.as_ref().ok().map(|context| paths.serials(context));
    let vendors = settings.vendors();
    // A certificate's identity, and options that go with a key only, are judged where they are loaded.
    let any_file = paths.any_file(&settings);
    let nobody = settings.key.is_none() && settings.policy.is_none();
    let identity = if settings.identity || (nobody && any_file) {
        let loaded = arguments.trust.load(HashRule::Known, vendors.material);
        Some(loaded.map_err(|fault| with_key_name(fault, arguments, profiles.first()))?)
    } else {
        None
    };
    let vendor_keys = vendors.vendor_keys(&[]);
    let signers = signers(identity.as_ref(), &vendor_keys);
    if signers.is_empty() && any_file {
        return Err(with_key_name(no_key(), arguments, profiles.first()));
    }
    let mut about = Run::new(started.to_string());
    about.paths = arguments.files.iter().map(|path| files::show(path)).collect();
    // Lines of text don't say what the run was judged by, and the program's digest alone takes some
    // milliseconds.
    if settings.keeps_report {
        about.program = program_digest();
        about.basis = Some(basis::basis(arguments, &settings, profile_digests));
    }
    let console = Console::new(console_options(arguments)?, about);
    console::on_interrupt(&console)?;
    let key_file = arguments.trust.key.as_deref().and_then(files::file_name);
    let program = std::env::current_exe().ok();
    let transfers = &settings.transfers;
    let verifier = PathVerifier {
        settings: &settings,
        files: FileVerifier {
            signers,
            bundles: &settings.bundles,
            kind: settings.forced.map(Into::into),
            key_file,
        },
        request: FolderRequest {
            vendors,
            transfers: TransferRequest {
                keys: &transfers.keys,
                context: context.map(|context| Context { serials: serials.as_ref(), ..context }),
                reasons: transfers.expected.reasons(),
                accept: &|sealed: &Sealed| match &transfers.state_file {
                    Some(file) => file.remember(sealed),
                    None => Ok(()),
                },
                program: program.as_deref(),
            },
            filter: &settings.filter,
            map: settings.map(),
            part: settings.part,
            require_coverage: settings.require_coverage,
            list_files: settings.list_files,
            fail_fast: settings.fail_fast,
            reading: settings.reading(),
        },
        console: &console,
    };
    judge(&verifier, &mut paths)
}

/// Judges one path after the other, and ends the report.
fn judge(verifier: &PathVerifier<'_>, paths: &mut Paths<'_>) -> Result<ExitStatus, Fault> {
    let console = verifier.console;
    let mut coverage = Coverage::default();
    for number in 0..paths.count() {
        let ended = verifier.judge(paths, number);
        console.next_path();
        let mut stopped = false;
        if let Some(ended) = ended {
            coverage.join(ended.coverage);
            console.of_run(|run| run.shard = ended.shard);
            stopped = ended.stopped;
        }
        let more = number.saturating_add(1) < paths.count();
        if stopped || (more && verifier.settings.fail_fast && console.has_failed()) {
            console.of_run(|run| {
                run.partial = true;
                run.stopped_by = Some(StoppedBy::FailFast);
            });
            break;
        }
    }
    if coverage.total() > 0 {
        console.of_run(|run| run.coverage = Some(coverage));
    }
    let (status, faults) = console.end();
    faults.iter().for_each(complain);
    Ok(status)
}

/// The vendor profiles that are named, or else the built-in one, and what a report says about them.
fn profiles(paths: &[PathBuf]) -> Result<(Vec<VendorProfile>, Vec<Profile>), Fault> {
    if paths.is_empty() {
        let profile = load_profile(None)?;
        let name = profile.name.clone();
        return Ok((vec![profile], vec![Profile { name, sha256: None }]));
    }
    let mut profiles = Vec::new();
    let mut reported = Vec::new();
    for path in paths {
        let bytes = files::read_config(path, limits::PROFILE_BYTES, Code::ProfileMalformed)?;
        let profile =
            VendorProfile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))?;
        reported
            .push(Profile { name: profile.name.clone(), sha256: Some(Sha256Digest::of(&bytes)) });
        profiles.push(profile);
    }
    Ok((profiles, reported))
}

/// What is to be shown and written.
fn console_options(arguments: &VerifyArgs) -> Result<ConsoleOptions, Fault> {
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

/// When no key was given: says which one the vendor names, since that is what the user must get. A path
/// that leads nowhere goes first, because nobody knows which options it needs.
fn with_key_name(fault: Fault, arguments: &VerifyArgs, profile: &VendorProfile) -> Fault {
    if fault.code() != Code::NoKey {
        return fault;
    }
    let absent = arguments.files.iter().find_map(|path| files::check_exists(path).err());
    if let Some(absent) = absent {
        return absent;
    }
    let named = arguments.files.iter().find_map(|path| {
        let file = pairing::for_package(profile, &files::file_name(path)?).key?;
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
