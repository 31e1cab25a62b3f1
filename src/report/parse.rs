//! Reads a report that was written as JSON (`docs/report.md`) again.

use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as _, Deserializer};

use super::{StoredAnswers, StoredReport};
use crate::limits;
use crate::verdict::{ArtifactReport, Code, Coverage, Fault, Report, Run, SCHEMA};

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

/// As [`parse`], for showing: answer by answer, kept compressed, so that a large report takes little memory.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_stored(reader: impl Read) -> Result<StoredReport, Fault> {
    let refuse = |message: String| Fault::new(Code::ReportMalformed, message);
    let reader = io::BufReader::with_capacity(64 << 10, reader.take(limits::REPORT_BYTES));
    let mut document = serde_json::Deserializer::from_reader(reader);
    let report = document
        .deserialize_map(ReportVisitor)
        .and_then(|report| document.end().map(|()| report))
        .map_err(|error| refuse(error.to_string()))?;
    if report.run.schema != SCHEMA {
        return Err(refuse("not a report of a version that is known here".to_owned())
            .expected_found(SCHEMA, &report.run.schema));
    }
    Ok(report)
}

/// The members of a report.
struct ReportVisitor;

impl<'de> Visitor<'de> for ReportVisitor {
    type Value = StoredReport;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a report")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<StoredReport, A::Error> {
        let mut answers = None;
        let mut coverage: Option<Option<Coverage>> = None;
        // Small, all of them.
        let mut others = serde_json::Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let again = match name.as_str() {
                "artifacts" => answers.replace(members.next_value_seed(AnswersVisitor)?).is_some(),
                "coverage" => coverage.replace(members.next_value()?).is_some(),
                _ => others.insert(name.clone(), members.next_value()?).is_some(),
            };
            if again {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
        }
        let answers = answers.ok_or_else(|| A::Error::missing_field("artifacts"))?;
        let mut run =
            Run::deserialize(serde_json::Value::Object(others)).map_err(A::Error::custom)?;
        run.coverage = coverage.flatten();
        Ok(StoredReport { run, answers })
    }
}

/// The answers of a report, one after the other.
struct AnswersVisitor;

impl<'de> DeserializeSeed<'de> for AnswersVisitor {
    type Value = StoredAnswers<usize>;

    fn deserialize<D: Deserializer<'de>>(self, list: D) -> Result<Self::Value, D::Error> {
        list.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AnswersVisitor {
    type Value = StoredAnswers<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of answers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut answers = StoredAnswers::default();
        let mut number = 0_usize;
        while let Some(answer) = list.next_element::<ArtifactReport>()? {
            answers.push(number, &answer).map_err(A::Error::custom)?;
            number = number.saturating_add(1);
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::ReportSource as _;
    use crate::report::json::json;
    use crate::verdict::{Check, CheckName, Status};

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
            prop_assert_eq!(&again.run, &report.run);
            let kept = parse_stored(&written(&report)[..]).unwrap();
            prop_assert_eq!(&kept.run, &again.run);
            let mut same = Vec::new();
            kept.source().each(&mut |artifact| { same.push(artifact.clone()); Ok(()) }).unwrap();
            prop_assert_eq!(&same, &report.artifacts);
            prop_assert_eq!(again.artifacts, report.artifacts);
        }

        #[test]
        fn a_report_that_is_cut_off_is_none(cut in 0_usize..200) {
            let report = Report::new("2026-01-01T00:00:00Z".to_owned(), Vec::new());
            let bytes = written(&report);
            let cut = cut.min(bytes.len() - 2);
            let fault = parse(&bytes[..cut]).unwrap_err();
            prop_assert_eq!(fault.code(), Code::ReportMalformed);
            prop_assert_eq!(parse_stored(&bytes[..cut]).unwrap_err().code(), Code::ReportMalformed);
        }
    }
}
