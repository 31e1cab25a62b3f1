//! Report files: reading one, and the form that a file to be written has by its ending.

use std::io::Read;
use std::path::Path;

use super::files;
use crate::report::{self, Form, StoredReport};
use crate::verdict::{Code, Fault, Report};

/// Reads a report from a file or, for `-`, from standard input.
///
/// # Errors
/// [`Code::FileNotFound`]; [`Code::ReportMalformed`] also for what can't be read at all.
pub(super) fn read(path: &Path) -> Result<Report, Fault> {
    parse_file(path, report::parse)
}

/// Reads a report like [`read`], but leaves its artifacts where they are until they are shown.
///
/// # Errors
/// Those of [`read`].
pub(super) fn read_kept(path: &Path) -> Result<StoredReport, Fault> {
    parse_file(path, report::parse_stored)
}

fn parse_file<T>(
    path: &Path,
    parse: impl Fn(Box<dyn Read>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let place = if path.as_os_str() == "-" { "standard input".into() } else { files::show(path) };
    let file = files::open_stream(path).map_err(|fault| match fault.code() {
        Code::FileNotFound => fault,
        _ => Fault::new(Code::ReportMalformed, fault.message()).at(&place),
    })?;
    parse(file).map_err(|fault| fault.at(place))
}

/// The form of a report file, by its ending.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn form_of(path: &Path) -> Result<Form, Fault> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.as_deref().and_then(Form::of_extension).ok_or_else(|| {
        Fault::new(Code::Usage, "the ending of a report file must name its form")
            .at(files::show(path))
            .expected_found(endings(), extension.unwrap_or_default())
    })
}

/// The help of an option that names report files to be written.
pub(super) fn option_help() -> String {
    format!(
        "Also write the report to this file, in the format that its ending names: {} (can be repeated)",
        endings()
    )
}

/// The endings of report files: `.txt, .json, .xml (JUnit) or .html`.
fn endings() -> String {
    let endings: Vec<String> = Form::ALL
        .into_iter()
        .filter_map(|form| {
            let extension = form.extensions().first()?;
            Some(match form {
                Form::Junit => format!(".{extension} (JUnit)"),
                _ => format!(".{extension}"),
            })
        })
        .collect();
    match endings.split_last() {
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
