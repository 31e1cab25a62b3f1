//! What the user can type. Flags that cosign has keep cosign's spelling.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::batch_args::BatchArgs;
use super::cosign_options::CosignOptions;
use super::password::PasswordArgs;
use super::report_args::{FormName, ReportArgs};
use super::sealing::SealingArgs;
use super::transfer_args::{PolicyOption, TransferArgs};
use super::trust_args::TrustArgs;

const EXIT_CODES: &str = "\
Exit codes: 0 everything was verified; 1 something is not what was signed; 2 usage, configuration \
or no key to judge with; 3 could not decide (no bundle, log unknown, unreadable); 130 interrupted. \
`sealift explain CODE` explains each code.";

/// Verify container image archives and packages against Cosign signatures, offline, from local
/// files alone.
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
    Mirror(super::mirror_args::MirrorArgs),
    /// Not in this edition.
    #[cfg(not(feature = "online"))]
    #[command(hide = true, disable_help_flag = true)]
    Mirror {
        /// Whatever stands there.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<std::ffi::OsString>,
    },
    Policy(PolicyArgs),
    Report(ReportArgs),
    Explain(ExplainArgs),
}

/// Verify transfer directories, release folders, image archives, OCI layouts and packages.
///
/// A directory that holds any file of a seal, or for which a transfer key or a state file is named,
/// is a transfer directory: the seal must hold before anything else is looked at. In any other
/// directory each artifact is paired with its bundle. Beside a `NAME_signature.bundle` a file is a
/// package and is never unpacked; otherwise it is an image archive if its entries say so, else a
/// package. For an image the signed digest is computed from the archive, and every layer is hashed
/// against it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct VerifyArgs {
    /// Transfer directories, release folders, image archives (docker save, podman, skopeo, … also
    /// compressed), OCI layout directories, packages; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// Signature bundle of the one FILE; repeats for archives that hold several images. Without
    /// it, the vendor's names are looked up beside each FILE
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
    #[command(flatten)]
    pub(super) transfer: TransferArgs,
    /// Take each FILE for this instead of telling by its content
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub(super) kind: Option<Kind>,
    /// A vendor's conventions (TOML); repeats for several vendors. The default is the built-in profile of
    /// K2view
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_profile: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) batch: BatchArgs,
    /// Write the report to this file too, in the form that its ending names: .json, .xml (JUnit), .html
    /// or .txt; repeats
    #[arg(long, value_name = "FILE")]
    pub(super) report: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

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

/// Seal a folder: verify everything in it, and turn it into a signed transfer directory.
///
/// Nothing is moved. Archives, packages, bundles and keys are found and paired, and every pair is
/// verified as `verify` would; what does not verify stops the seal. A vendor key counts only if you
/// name it. Then the manifest and its signature are written into the folder.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct SealArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// Your own private transfer key, from `sealift keygen` or cosign
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Leave files out of the seal, by a glob as `verify --exclude` takes it; repeats. They stay where they are,
    /// and must not be carried along: every check refuses what the seal does not list
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    #[command(flatten)]
    pub(super) sealing: SealingArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
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
    /// A signature without a bundle: a file of base64 or raw bytes, or the base64 itself; beside --bundle
    /// it must be the same one
    #[arg(long, value_name = "FILE|BASE64")]
    pub(super) signature: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
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

/// Make the key pair with which transfers are sealed.
///
/// Writes PREFIX.key, encrypted with a password, and PREFIX.pub: ECDSA P-256, in the files of `cosign
/// generate-key-pair`. Never overwrites a file. Prints the fingerprint, also in words, to be
/// compared out of band.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// The beginning of the names of both files
    #[arg(long, value_name = "PREFIX", default_value = "transfer")]
    pub(super) output_key_prefix: PathBuf,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
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
