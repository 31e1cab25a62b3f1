//! `sealift seal`: verifies a folder and seals it as a transfer directory.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::run_args::{EXIT_CODES, RunArgs};
use super::seal_summary::{say_sealed, show};
use super::sealing::{SealExtras, SealingArgs};
use super::total_bar::TotalBar;
use super::{files, machine::jobs, output::warn};
use crate::directory::Folder;
use crate::image::Options;
use crate::limits;
use crate::release::Filter;
use crate::report::Form;
use crate::transfer::{self, SealError, SealRequest};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Report, line, printable};

/// Verify a folder and seal it as a signed transfer directory
///
/// Archives, packages, bundles and keys in the folder are paired and verified as `verify` would.
/// Anything that does not verify stops the seal. A vendor key counts only if you name it. The
/// manifest and its signature are then written into the folder; no file is moved.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct SealArgs {
    /// The folder to seal
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// Your private transfer key, from `sealift keygen` or cosign
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Leave files that match this glob out of the seal (can be repeated)
    ///
    /// Globs work as in `verify --exclude`. The files stay where they are, but must not be carried
    /// along: the far side refuses every file that the seal does not list.
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    #[command(flatten)]
    pub(super) sealing: SealingArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// Runs the command.
pub(super) fn run(arguments: &SealArgs) -> Result<ExitStatus, Fault> {
    if arguments.directory.is_file() {
        let message = "this is a file; seal takes the folder that you want to carry";
        let next = "Put the file and its bundle into a folder of their own, and seal that.";
        let fault = Fault::new(Code::Usage, message).at(files::show(&arguments.directory));
        return Err(fault.advise(next));
    }
    let folder = Folder::open(&arguments.directory)?;
    let exclude = excluded(&folder, &arguments.exclude)?;
    let sealing = arguments.sealing.load(
        &arguments.directory,
        Some(&arguments.key),
        SealExtras::default(),
    )?;
    let bar = TotalBar::new(!arguments.run.quiet && arguments.run.output == Form::Text);
    bar.name(files::show(&arguments.directory));
    let reading =
        Options { jobs: jobs(arguments.run.jobs), progress: &bar, cuts: None, threads: None };
    let order = SealRequest { exclude: &exclude, ..sealing.order(reading) };
    let result = transfer::seal(&folder, &order);
    bar.clear();
    match result {
        Ok(made) => {
            show(&arguments.run, &Report::new(sealing.now.to_string(), made.reports.clone()))?;
            say_sealed(&arguments.run, &made, &sealing.key);
            left_out(&exclude);
            Ok(ExitStatus::Verified)
        }
        Err(SealError::Artifacts(reports)) => stopped(arguments, reports, sealing.now),
        Err(SealError::Fault(fault)) => Err(fault),
    }
}

/// The files that the operator leaves out.
fn excluded(folder: &Folder, globs: &[String]) -> Result<BTreeSet<String>, Fault> {
    if globs.is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = Filter::new(&[], globs)?;
    let (listing, unlisted) = folder.look()?;
    let names: BTreeSet<String> = listing
        .files()
        .map(|entry| entry.name.clone())
        .chain(unlisted.into_iter().map(|(name, _)| name))
        .filter(|name| !filter.admits(name) && !transfer::is_trace(name))
        .collect();
    match names.iter().find(|name| transfer::is_own(name)) {
        Some(own) => {
            let message =
                "--exclude matches this file, but trust/ and tools/ are always sealed whole";
            Err(Fault::new(Code::Usage, message).at(folder.show(own)))
        }
        None => Ok(names),
    }
}

/// Says which files the seal does not cover, and what must not happen to them.
fn left_out(names: &BTreeSet<String>) {
    if names.is_empty() {
        return;
    }
    let shown: Vec<String> =
        names.iter().take(limits::NOTED_FILES).map(|name| printable(name).to_string()).collect();
    let more = names.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    warn(&format!(
        "not sealed, because --exclude matches: {}{more}. Leave them off the medium: the far side \
         refuses every file that the seal does not list",
        shown.join(", ")
    ));
}

fn stopped(
    arguments: &SealArgs,
    reports: Vec<ArtifactReport>,
    now: jiff::Timestamp,
) -> Result<ExitStatus, Fault> {
    let report = Report::new(now.to_string(), reports);
    show(&arguments.run, &report)?;
    let fine = report.artifacts.iter().filter(|artifact| artifact.code().is_none()).count();
    let all = report.artifacts.len();
    let refused = all.saturating_sub(fine);
    let things = if all == 1 { "artifact or file" } else { "artifacts and files" };
    let message =
        format!("not sealed: {refused} of {all} {things} did not verify; nothing was written");
    let _ = line!(io::stderr().lock(), "sealift: {message}");
    Ok(ExitStatus::of(report.artifacts.iter().map(|artifact| artifact.outcome())))
}
