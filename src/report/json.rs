//! A report as one JSON document (`docs/report.md`), written without holding all artifacts.

use std::io::{self, Write};

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::ReportSource;
use crate::verdict::{Run, write_json};

/// Writes the report as one JSON document and a newline.
///
/// # Errors
/// Those of the writer.
pub fn json(out: &mut dyn Write, source: &dyn ReportSource) -> io::Result<()> {
    let document = ReportDocument { run: source.run(), artifacts: Artifacts(source) };
    write_json(out, &document)
}

#[derive(Serialize)]
struct ReportDocument<'a> {
    #[serde(flatten)]
    run: &'a Run,
    artifacts: Artifacts<'a>,
}

struct Artifacts<'a>(&'a dyn ReportSource);

impl Serialize for Artifacts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut failed = None;
        let result = self.0.each(&mut |artifact| {
            list.serialize_element(artifact).map_err(|error| {
                failed = Some(error);
                io::Error::other("not written")
            })
        });
        match (failed, result) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(S::Error::custom(error)),
            (None, Ok(())) => list.end(),
        }
    }
}
