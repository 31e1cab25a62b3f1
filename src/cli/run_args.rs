//! Options that several commands share.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::artifact;
use crate::report::Form;

/// The exit codes in the help of commands that verify.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 everything was verified; 1 something is not what was signed; 2 usage or \
configuration error, or no key to verify with; 3 undecided (no bundle, unknown log, unreadable \
file); 130 interrupted. `sealift explain CODE` explains the code of a result.";

/// Options of commands that verify: how they run, and how they show the results.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Format of the report
    #[arg(short, long, value_name = "FORM", value_parser = form(), default_value = "text")]
    pub(super) output: Form,
    /// Show every check with its values
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Hide progress
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Number of threads; one for each core by default
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
}

/// What `--type` takes a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ForcedType {
    /// A container image archive or OCI layout directory.
    Image,
    /// Any file, signed by its SHA-256.
    Package,
}

impl From<ForcedType> for artifact::detect::DetectedKind {
    fn from(kind: ForcedType) -> Self {
        match kind {
            ForcedType::Image => Self::Image,
            ForcedType::Package => Self::Package,
        }
    }
}

/// The format of output that is not a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Parses the name of a form of reports.
pub(super) fn form() -> impl TypedValueParser<Value = Form> {
    let values = Form::ALL.map(|form| {
        let (name, help) = form.described();
        PossibleValue::new(name).help(help)
    });
    PossibleValuesParser::new(values).try_map(|name| {
        let named = Form::ALL.into_iter().find(|form| form.described().0 == name);
        named.ok_or("no form of a report")
    })
}
