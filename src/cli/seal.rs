//! `sealift seal`: turns a folder into a transfer directory, and says what to carry out of band.

use std::io;

use super::args::SealArgs;
use super::progress::Bar;
use super::report_args::FormName;
use super::sealing::{Besides, say_sealed, show};
use super::{files, jobs};
use crate::folder::Folder;
use crate::image::Options;
use crate::transfer::{self, Stop};
use crate::verdict::{ArtifactReport, ExitStatus, Fault, Report, line};

/// Runs the command.
pub(super) fn run(arguments: &SealArgs) -> Result<ExitStatus, Fault> {
    let folder = Folder::open(&arguments.directory)?;
    let sealing = arguments.sealing.load(Some(&arguments.key), Besides::default())?;
    let bar = Bar::new(!arguments.run.quiet && arguments.run.output == FormName::Text);
    bar.name(files::show(&arguments.directory));
    let reading =
        Options { jobs: jobs(arguments.run.jobs), progress: &bar, cuts: None, crew: None };
    let result = transfer::make(&folder, &sealing.order(reading));
    bar.clear();
    match result {
        Ok(made) => {
            show(&arguments.run, &Report::new(sealing.now.to_string(), made.reports.clone()))?;
            say_sealed(&arguments.run, &made, &sealing.key);
            Ok(ExitStatus::Verified)
        }
        Err(Stop::Artifacts(reports)) => stopped(arguments, reports, sealing.now),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

fn stopped(
    arguments: &SealArgs,
    reports: Vec<ArtifactReport>,
    now: jiff::Timestamp,
) -> Result<ExitStatus, Fault> {
    let report = Report::new(now.to_string(), reports);
    show(&arguments.run, &report)?;
    let fine = report.artifacts.iter().filter(|it| it.code.is_none()).count();
    let all = report.artifacts.len();
    let against = all.saturating_sub(fine);
    let verb = if against == 1 { "stands" } else { "stand" };
    let things = if all == 1 { "artifact or file" } else { "artifacts and files" };
    let message =
        format!("not sealed: {against} of {all} {things} {verb} against it; nothing was written");
    let _ = line!(io::stderr().lock(), "sealift: {message}");
    Ok(ExitStatus::of(report.artifacts.iter().map(|artifact| artifact.outcome)))
}
