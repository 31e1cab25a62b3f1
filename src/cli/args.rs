//! The list of commands. The options of each command are in its own file.

use clap::{Parser, Subcommand};

use super::explain::ExplainArgs;
use super::inspect::InspectArgs;
use super::keygen::KeygenArgs;
#[cfg(feature = "online")]
use super::mirror::MirrorArgs;
use super::policy::PolicyArgs;
use super::report::ReportArgs;
use super::run_args::EXIT_CODES;
use super::seal::SealArgs;
use super::verify::VerifyArgs;
use super::verify_blob::VerifyBlobArgs;

/// Verify container image archives and packages against Cosign signatures, offline, from local files
/// alone
#[derive(Debug, Parser)]
#[command(name = "sealift", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
#[cfg_attr(
    not(feature = "online"),
    expect(
        clippy::large_enum_variant,
        reason = "there is one, and it lives as long as the program"
    )
)]
pub(super) enum Command {
    Verify(VerifyArgs),
    VerifyBlob(VerifyBlobArgs),
    Inspect(InspectArgs),
    Keygen(KeygenArgs),
    Seal(SealArgs),
    #[cfg(feature = "online")]
    Mirror(MirrorArgs),
    /// Not in this edition
    #[cfg(not(feature = "online"))]
    #[command(hide = true, disable_help_flag = true)]
    Mirror {
        /// All other arguments, which are ignored.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<std::ffi::OsString>,
    },
    Policy(PolicyArgs),
    Report(ReportArgs),
    Explain(ExplainArgs),
}
