//! `sealift report`: shows a report in another form, and compares two.
//!
//! Nothing is verified here; a report is believed to be what it says it is.

use std::io::{self, Read, Write as _};
use std::path::Path;

use serde::Serialize;

use super::report_args::{DiffForm, ReportArgs, ReportCommand, ReportDiffArgs, ReportShowArgs};
use super::{files, shown};
use crate::report::{self, Detail, Difference};
use crate::verdict::{
    Code, ExitStatus, Fault, Report, line, printable, printable_within, write_json,
};

/// The name and major version of the JSON form of a comparison.
const DIFF_SCHEMA: &str = "sealift-report-diff/v1";

/// Runs the command.
pub(super) fn run(arguments: &ReportArgs) -> Result<ExitStatus, Fault> {
    match &arguments.command {
        ReportCommand::Show(arguments) => show(arguments),
        ReportCommand::Diff(arguments) => diff(arguments),
        ReportCommand::Merge(arguments) => super::report_merge::run(arguments),
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

fn show(arguments: &ReportShowArgs) -> Result<ExitStatus, Fault> {
    let report = read_by(&arguments.file, report::parse_kept)?;
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let form = report::Form::from(arguments.output);
    shown(form.write(&mut out, &report.source(), detail).and_then(|()| out.flush()))
}

/// A comparison as one JSON document.
#[derive(Serialize)]
struct Comparison<'d> {
    schema: &'static str,
    differences: &'d [Difference],
}

fn diff(arguments: &ReportDiffArgs) -> Result<ExitStatus, Fault> {
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
        DiffForm::Json => {
            let document = Comparison { schema: DIFF_SCHEMA, differences: &differences };
            write_json(&mut out, &document)
        }
        DiffForm::Text => differences.iter().try_for_each(|difference| line(&mut out, difference)),
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
