//! What the user can type. Flags that cosign has keep cosign's spelling.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::cosign_options::CosignOptions;
use super::trust_args::TrustArgs;

const EXIT_CODES: &str = "\
Exit codes: 0 everything was verified; 1 something is not what was signed; 2 usage, configuration \
or no key to judge with; 3 could not decide (no bundle, log unknown, unreadable). `sealift explain \
CODE` explains each code.";

/// Verify container image archives and packages against Cosign signatures, offline, from local
/// files alone.
#[derive(Debug, Parser)]
#[command(name = "sealift", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it lives as long as the program")]
pub(super) enum Command {
    Verify(VerifyArgs),
    VerifyBlob(VerifyBlobArgs),
    Inspect(InspectArgs),
    Policy(PolicyArgs),
    Explain(ExplainArgs),
}

/// Verify image archives, OCI layouts and packages against their bundles.
///
/// Beside a `NAME_signature.bundle` a file is a package and is never unpacked; otherwise it is an
/// image archive if its entries say so, else a package. For an image the signed digest is computed
/// from the archive, and every layer is hashed against it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct VerifyArgs {
    /// Image archives (docker save, podman, skopeo, … also compressed), OCI layout directories,
    /// packages; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Signature bundle of the one FILE; repeats for archives that hold several images. Without
    /// it, the vendor's names are looked up beside each FILE
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    /// Take each FILE for this instead of telling by its content
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub(super) kind: Option<Kind>,
    /// A vendor's conventions (TOML); the default is the built-in profile of K2view
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_profile: Option<PathBuf>,
    /// The form of the report
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: Output,
    /// Show every check with its values
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// No progress bar
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Threads that hash layers; the default is one for each core
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

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// One line for each artifact.
    Text,
    /// The whole report, for machines.
    Json,
}

/// Verify a signature on any bytes: cosign's `verify-blob`, offline.
///
/// Takes cosign's flags, prints cosign's words to standard error and reads FILE as a stream. The
/// format of the bundle is told by its content, old or new.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct VerifyBlobArgs {
    /// The signed bytes; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Signature bundle
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// A signature without a bundle (base64 or raw); beside --bundle it must be the same one
    #[arg(long, value_name = "FILE")]
    pub(super) signature: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    #[command(flatten)]
    pub(super) cosign: CosignOptions,
}

/// Show what archives, bundles and keys hold. Verifies no signature.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Archives, OCI layout directories, bundles, public keys
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The form of the answer
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: Output,
}

/// Work with a trust policy
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    pub(super) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(PolicyCheckArgs),
}

/// Read a trust policy and the files that it names, and say in words what it means.
///
/// What is allowed and perhaps not meant is said on standard error. Exit codes: 0 the policy can be
/// used; 2 it can't.
#[derive(Debug, Args)]
pub(super) struct PolicyCheckArgs {
    /// The policy (TOML); without it, the one that the environment variable SEALIFT_TRUST names
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// Explain a code: what it means and what to do next.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code, as a result line shows it; without it all codes are listed
    #[arg(value_name = "CODE", conflicts_with = "markdown")]
    pub(super) code: Option<String>,
    /// Write docs/codes.md
    #[arg(long, hide = true)]
    pub(super) markdown: bool,
}
