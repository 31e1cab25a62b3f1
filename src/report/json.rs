//! A report as one JSON document (`docs/report.md`), written without holding all artifacts, and read
//! again.

use std::io::{self, Read, Write};

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::Source;
use crate::limits;
use crate::verdict::{Code, Fault, Report, Run, SCHEMA, write_json};

/// Writes the report as one JSON document and a newline.
///
/// # Errors
/// Those of the writer.
pub fn json(out: &mut dyn Write, source: &dyn Source) -> io::Result<()> {
    let document = Document { run: source.run(), artifacts: Artifacts(source) };
    write_json(out, &document)
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    run: &'a Run,
    artifacts: Artifacts<'a>,
}

struct Artifacts<'a>(&'a dyn Source);

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

/// Reads a report of this major version, whichever minor: members that are not known are ignored.
///
/// # Errors
/// [`Code::ReportMalformed`] for anything else, with the place in the text.
pub fn parse(reader: impl Read) -> Result<Report, Fault> {
    let refuse = |message: String| Fault::new(Code::ReportMalformed, message);
    let reader = io::BufReader::with_capacity(64 << 10, reader.take(limits::REPORT_BYTES));
    let report: Report =
        serde_json::from_reader(reader).map_err(|error| refuse(error.to_string()))?;
    if report.run.schema != SCHEMA {
        return Err(refuse("not a report of a version that is known here".to_owned())
            .expected_found(SCHEMA, &report.run.schema));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::{ArtifactReport, Check, CheckName, Status};

    fn written(report: &Report) -> Vec<u8> {
        let mut bytes = Vec::new();
        json(&mut bytes, report).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn any_text_comes_back(name in any::<String>(), reason in any::<String>(), value in any::<String>()) {
            let fault = Fault::new(Code::FileMismatch, reason).at(name.as_str());
            let mut artifact = ArtifactReport::new(name).refused(&fault);
            artifact.checks.push(Check::new(CheckName::Seal, Status::Failed).with("v", &value));
            let report = Report::new("2026-01-01T00:00:00Z".to_owned(), vec![artifact]);
            let again = parse(&written(&report)[..]).unwrap();
            prop_assert_eq!(again.run, report.run);
            prop_assert_eq!(again.artifacts, report.artifacts);
        }

        #[test]
        fn a_report_that_is_cut_off_is_none(cut in 0_usize..200) {
            let report = Report::new("2026-01-01T00:00:00Z".to_owned(), Vec::new());
            let bytes = written(&report);
            let cut = cut.min(bytes.len() - 2);
            let fault = parse(&bytes[..cut]).unwrap_err();
            prop_assert_eq!(fault.code(), Code::ReportMalformed);
        }
    }
}
