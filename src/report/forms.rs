//! The forms of a report, as one choice.

use std::io::{self, Write};

use super::{Detail, Source, html, json, junit, text};

/// A form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One page of HTML for people and files, without script and without anything from outside.
    Html,
    /// `sealift-report/v1`, the whole report; the only form that can be read again.
    Json,
    /// JUnit XML, for the viewers of CI systems.
    Junit,
    /// A line for each artifact, and a summary.
    Text,
}

impl Form {
    /// The form that a file with this extension has, in whichever case: `html`, `htm`, `json`, `xml`
    /// (JUnit) or `txt`.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Html),
            "json" => Some(Self::Json),
            "xml" => Some(Self::Junit),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    /// Writes the report in this form; only text knows more than one [`Detail`].
    ///
    /// # Errors
    /// Those of the writer and of the source.
    pub fn write(self, out: &mut dyn Write, source: &dyn Source, detail: Detail) -> io::Result<()> {
        match self {
            Self::Html => html(out, source),
            Self::Json => json(out, source),
            Self::Junit => junit(out, source),
            Self::Text => text(out, source, detail),
        }
    }
}
