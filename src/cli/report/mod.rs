//! `sealift report`: shows a report in another format, compares two, and merges the reports of shards.
//!
//! Nothing is verified here: a report is taken at its word.

mod diff;
mod merge;
mod show;

use clap::{Args, Subcommand};

use crate::verdict::{ExitStatus, Fault};
use diff::ReportDiffArgs;
use merge::ReportMergeArgs;
use show::ReportShowArgs;

/// Show, compare and merge JSON reports
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
