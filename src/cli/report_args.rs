//! What the user can type after `sealift report`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::report::Form;

/// Work with reports that were written as JSON
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    pub(super) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    Show(ReportShowArgs),
    Diff(ReportDiffArgs),
    Merge(ReportMergeArgs),
}

/// Put the reports of all parts (`verify --shard`) together to the report of the whole.
///
/// The parts must have seen the same folder and judged by the same things, and every file must be there
/// exactly once; what can only be said of all artifacts together is worked out. Reports are not signed:
/// take them from machines that you trust. The exit code is that of the whole, as `verify` would give
/// it; 3 when the reports don't make a whole.
#[derive(Debug, Args)]
pub(super) struct ReportMergeArgs {
    /// The reports of all parts (JSON)
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: FormName,
    /// Write the report to this file too, in the form that its ending names: .json, .xml (JUnit), .html
    /// or .txt; repeats
    #[arg(long, value_name = "FILE")]
    pub(super) report: Vec<PathBuf>,
    /// Show every check with its values (text; the other forms always do)
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Write a report in another form, to standard output.
///
/// Nothing is verified again: what the report says is shown, whoever wrote it. Exit codes: 0 it was
/// written, whatever its answers are; 2 it can't be read.
#[derive(Debug, Args)]
pub(super) struct ReportShowArgs {
    /// The report (JSON, from `-o json`); `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: FormName,
    /// Show every check with its values (text; the other forms always do)
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Compare two reports: which answers are new, gone or different, and by what was judged.
///
/// Artifacts are compared by their paths below what each report was asked for. Times, reasons and notes are
/// no differences. Exit codes: 0 nothing differs; 1 something does; 2 a report can't be read.
#[derive(Debug, Args)]
pub(super) struct ReportDiffArgs {
    /// The earlier report (JSON); `-` is standard input
    #[arg(value_name = "BEFORE")]
    pub(super) before: PathBuf,
    /// The later report (JSON); `-` is standard input
    #[arg(value_name = "AFTER")]
    pub(super) after: PathBuf,
    /// The form of the answer
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: DiffForm,
}

/// The form of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DiffForm {
    /// One line for each difference.
    Text,
    /// One document, for machines.
    Json,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormName {
    /// One line for each artifact, and a summary.
    Text,
    /// The whole report, for machines.
    Json,
    /// JUnit XML, for the viewers of CI systems.
    Junit,
    /// One page, complete in itself, to be filed, printed and read.
    Html,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Text => Self::Text,
            FormName::Json => Self::Json,
            FormName::Junit => Self::Junit,
            FormName::Html => Self::Html,
        }
    }
}
