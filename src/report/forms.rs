//! The forms of a report, as one choice.

use std::io::{self, Write};

use super::{Detail, ReportSource, html, json, junit, text};

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
    /// All forms, in the order in which help lists them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Junit, Self::Html];

    /// The name of the form as an option takes it, and what it is for.
    #[must_use]
    pub const fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "One line for each artifact, and a summary"),
            Self::Json => ("json", "The whole report, for programs"),
            Self::Junit => ("junit", "JUnit XML, for CI systems"),
            Self::Html => ("html", "One self-contained page, to read, print or file"),
        }
    }

    /// The extensions of files that hold this form; the first is the usual one.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt"],
            Self::Json => &["json"],
            Self::Junit => &["xml"],
            Self::Html => &["html", "htm"],
        }
    }

    /// The form that a file with this extension has, in whichever case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| {
            form.extensions().iter().any(|known| known.eq_ignore_ascii_case(extension))
        })
    }

    /// Writes the report in this form; only text knows more than one [`Detail`].
    ///
    /// # Errors
    /// Those of the writer and of the source.
    pub fn write(
        self,
        out: &mut dyn Write,
        source: &dyn ReportSource,
        detail: Detail,
    ) -> io::Result<()> {
        match self {
            Self::Html => html(out, source),
            Self::Json => json(out, source),
            Self::Junit => junit(out, source),
            Self::Text => text(out, source, detail),
        }
    }
}
