//! Options that several commands have.

use clap::{Args, ValueEnum};

use crate::report::Form;

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 everything was verified; 1 something is not what was signed; 2 usage, configuration \
or no key to judge with; 3 could not decide (no bundle, log unknown, unreadable); 130 interrupted. \
`sealift explain CODE` explains each code.";

/// How a command that verifies works and shows what it finds.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The form of the report
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: FormName,
    /// Show every check with its values
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// No progress bar
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Threads; the default is one for each core
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
}

/// What a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A container image archive or OCI layout directory.
    Image,
    /// Any file, signed by its SHA-256.
    Package,
}

/// The form of an answer that is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormName {
    /// One line for each artifact, and a summary.
    Text,
    /// The whole report, for machines.
    Json,
    /// JUnit XML, for the viewers of CI systems.
    Junit,
    /// One page, complete in itself, to be filed, printed and read.
    Html,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Text => Self::Text,
            FormName::Json => Self::Json,
            FormName::Junit => Self::Junit,
            FormName::Html => Self::Html,
        }
    }
}
