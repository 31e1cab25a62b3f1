//! `sealift report`: shows a report in another form, and compares two.
//!
//! Nothing is verified here; a report is believed to be what it says it is.

mod diff;
mod merge;
mod show;

use std::io::Read;
use std::path::Path;

use clap::{Args, Subcommand};

use super::files;
use crate::report;
use crate::verdict::{Code, ExitStatus, Fault, Report};
use diff::ReportDiffArgs;
use merge::ReportMergeArgs;
use show::ReportShowArgs;

/// Work with reports that were written as JSON
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    Show(ReportShowArgs),
    Diff(ReportDiffArgs),
    Merge(ReportMergeArgs),
}

/// Runs the command.
pub(super) fn run(arguments: &ReportArgs) -> Result<ExitStatus, Fault> {
    match &arguments.command {
        ReportCommand::Show(arguments) => show::run(arguments),
        ReportCommand::Diff(arguments) => diff::run(arguments),
        ReportCommand::Merge(arguments) => merge::run(arguments),
    }
}

/// Reads a report from a file or, for `-`, from standard input.
///
/// # Errors
/// [`Code::FileNotFound`]; [`Code::ReportMalformed`] also for what can't be read at all.
pub(super) fn read(path: &Path) -> Result<Report, Fault> {
    read_by(path, report::parse)
}

fn read_by<T>(path: &Path, parse: impl Fn(Box<dyn Read>) -> Result<T, Fault>) -> Result<T, Fault> {
    let place = if path.as_os_str() == "-" { "standard input".into() } else { files::show(path) };
    let file = files::open_stream(path).map_err(|fault| match fault.code() {
        Code::FileNotFound => fault,
        _ => Fault::new(Code::ReportMalformed, fault.message()).at(&place),
    })?;
    parse(file).map_err(|fault| fault.at(place))
}
