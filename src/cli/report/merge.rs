//! `sealift report merge`: the reports of all parts of a folder, put together.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::cli::apart::{self, Named};
use crate::cli::run_args::form;
use crate::cli::{files, new_file, report_file, shown};
use crate::release;
use crate::report::{Detail, Form};
use crate::verdict::{ExitStatus, Fault};

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
    #[arg(short, long, value_name = "FORM", value_parser = form(), default_value = "text")]
    pub(super) output: Form,
    #[arg(long, value_name = "FILE", help = report_file::option_help())]
    pub(super) report: Vec<PathBuf>,
    /// Show every check with its values (text; the other forms always do)
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
        new_file::replace(path, |file| form.write(file, &merged, Detail::Full))?;
    }
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let form = arguments.output;
    shown(form.write(&mut out, &merged, detail).and_then(|()| out.flush()))?;
    Ok(ExitStatus::of(merged.artifacts.iter().map(|artifact| artifact.outcome())))
}
