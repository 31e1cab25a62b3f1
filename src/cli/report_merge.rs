//! `sealift report merge`: the reports of all parts of a folder, put together.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::apart::Named;
use super::report_args::ReportMergeArgs;
use super::{apart, console, files, new_file, report, shown};
use crate::release;
use crate::report::{Detail, Form};
use crate::verdict::{ExitStatus, Fault};

/// Runs the command.
pub(super) fn run(arguments: &ReportMergeArgs) -> Result<ExitStatus, Fault> {
    let wanted: Vec<(&PathBuf, Form)> = arguments
        .report
        .iter()
        .map(|path| Ok((path, console::form_of(path)?)))
        .collect::<Result<_, Fault>>()?;
    let read: Vec<Named> = Named::all("the part", &arguments.files).collect();
    let written: Vec<Named> = Named::all("--report", &arguments.report).collect();
    apart::outputs(&written, &read, &[])?;
    let parts = arguments
        .files
        .iter()
        .map(|path| Ok((files::show(path), report::read(path)?)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let merged = release::merge(parts)?;
    for (path, form) in wanted {
        new_file::replace(path, |file| form.write(file, &merged, Detail::Full))?;
    }
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let form = Form::from(arguments.output);
    shown(form.write(&mut out, &merged, detail).and_then(|()| out.flush()))?;
    Ok(ExitStatus::of(merged.artifacts.iter().map(|artifact| artifact.outcome())))
}
