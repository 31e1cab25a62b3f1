//! `sealift report show`: writes a report in another format.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::cli::run_args::form;
use crate::cli::{output::shown, report_file};
use crate::report::{Detail, Form};
use crate::verdict::{ExitStatus, Fault};

/// Show a report in another format
///
/// Nothing is verified again: the report is shown as it is, whoever wrote it. Exit codes: 0 the
/// report was shown, whatever its results are; 2 it can't be read.
#[derive(Debug, Args)]
pub(super) struct ReportShowArgs {
    /// JSON report, from `-o json`; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Format of the output
    #[arg(short, long, value_name = "FORM", value_parser = form(), default_value = "text")]
    pub(super) output: Form,
    /// Show every check with its values; formats other than text always do
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &ReportShowArgs) -> Result<ExitStatus, Fault> {
    let report = report_file::read_kept(&arguments.file)?;
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let form = arguments.output;
    shown(form.write(&mut out, &report.source(), detail).and_then(|()| out.flush()))
}
