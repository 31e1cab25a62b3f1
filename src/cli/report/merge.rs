//! `sealift report merge`: merges the reports of all shards of a folder.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::cli::apart::{self, Named};
use crate::cli::run_args::form;
use crate::cli::{atomic_output, files, output::shown, report_file};
use crate::release;
use crate::report::{Detail, Form};
use crate::verdict::{ExitStatus, Fault};

/// Merge the reports of all shards into a report for the whole folder
///
/// The shards (`verify --shard`) must be of the same folder, verified by the same keys and
/// settings, and every file must be in exactly one of them. Results that depend on all artifacts
/// are worked out again. Reports are not signed: take them only from machines that you trust. The
/// exit code is that of `verify` for the whole folder, or 3 if the reports don't make a whole.
#[derive(Debug, Args)]
pub(super) struct ReportMergeArgs {
    /// JSON reports of all shards
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Format of the output
    #[arg(short, long, value_name = "FORM", value_parser = form(), default_value = "text")]
    pub(super) output: Form,
    #[arg(long, value_name = "FILE", help = report_file::option_help())]
    pub(super) report: Vec<PathBuf>,
    /// Show every check with its values; formats other than text always do
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &ReportMergeArgs) -> Result<ExitStatus, Fault> {
    let wanted: Vec<(&PathBuf, Form)> = arguments
        .report
        .iter()
        .map(|path| Ok((path, report_file::form_of(path)?)))
        .collect::<Result<_, Fault>>()?;
    let read: Vec<Named> = Named::all("the part", &arguments.files).collect();
    let written: Vec<Named> = Named::all("--report", &arguments.report).collect();
    apart::outputs(&written, &read, &[])?;
    let parts = arguments
        .files
        .iter()
        .map(|path| Ok((files::show(path), report_file::read(path)?)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let merged = release::merge(parts)?;
    for (path, form) in wanted {
        atomic_output::replace(path, |file| form.write(file, &merged, Detail::Full))?;
    }
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let form = arguments.output;
    shown(form.write(&mut out, &merged, detail).and_then(|()| out.flush()))?;
    Ok(ExitStatus::of(merged.artifacts.iter().map(|artifact| artifact.outcome())))
}
