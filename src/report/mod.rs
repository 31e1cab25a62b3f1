//! A report in words or as JSON. No decisions are made here: outcome, code and next step come with
//! the report.

mod bundle;
mod text;

use std::io::{self, Write};

use crate::verdict::Report;

pub use bundle::bundle_lines;
pub use text::{Detail, artifact};

/// Writes the report as one JSON document (`docs/report.md`) and a newline.
///
/// # Errors
/// Those of the writer.
pub fn json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
