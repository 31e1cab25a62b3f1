//! `sealift report diff`: compares two reports.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::output::shown;
use crate::cli::report_file::read;
use crate::cli::run_args::TextOrJson;
use crate::report::{self, Difference};
use crate::verdict::{Code, ExitStatus, Fault, line, printable, printable_within, write_json};

/// The name and major version of the JSON form of a comparison.
const DIFF_SCHEMA: &str = "sealift-report-diff/v1";

/// Compare two reports: which results, keys and settings are new, gone or changed
///
/// Artifacts are matched by their paths relative to what each run was asked to verify. Times,
/// reasons and notes are not compared. Exit codes: 0 no differences; 1 differences; 2 a report
/// can't be read.
#[derive(Debug, Args)]
pub(super) struct ReportDiffArgs {
    /// Earlier JSON report; `-` is standard input
    #[arg(value_name = "BEFORE")]
    pub(super) before: PathBuf,
    /// Later JSON report; `-` is standard input
    #[arg(value_name = "AFTER")]
    pub(super) after: PathBuf,
    /// Format of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: TextOrJson,
}

/// A comparison as one JSON document.
#[derive(Serialize)]
struct Comparison<'d> {
    schema: &'static str,
    differences: &'d [Difference],
}

/// Runs the command.
pub(super) fn run(arguments: &ReportDiffArgs) -> Result<ExitStatus, Fault> {
    if arguments.before.as_os_str() == "-" && arguments.after.as_os_str() == "-" {
        return Err(Fault::new(
            Code::Usage,
            "only one of the reports can come from standard input",
        ));
    }
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let differences = report::diff(&before, &after);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match arguments.output {
        TextOrJson::Json => {
            let document = Comparison { schema: DIFF_SCHEMA, differences: &differences };
            write_json(&mut out, &document)
        }
        TextOrJson::Text => {
            differences.iter().try_for_each(|difference| line(&mut out, difference))
        }
    };
    shown(written.and_then(|()| out.flush()))?;
    Ok(if differences.is_empty() { ExitStatus::Verified } else { ExitStatus::Failed })
}

/// One difference: its name, what kind of difference, and what differs.
fn line(out: &mut dyn io::Write, difference: &Difference) -> io::Result<()> {
    let name = difference.name.as_deref().map_or_else(|| "the run".to_owned(), printable);
    let words = printable_within(&difference.words, 4000);
    match difference.change {
        report::Change::New => line!(out, "{name}: NEW, {words}"),
        report::Change::Gone => line!(out, "{name}: GONE, was {words}"),
        _ => line!(out, "{name}: {words}"),
    }
}
