//! What the user can type. Flags that cosign has keep cosign's spelling.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::batch_args::BatchArgs;
use super::explain::ExplainArgs;
use super::inspect::InspectArgs;
use super::keygen::KeygenArgs;
#[cfg(feature = "online")]
use super::mirror::MirrorArgs;
use super::policy::PolicyArgs;
use super::report::ReportArgs;
use super::report_file;
use super::run_args::{EXIT_CODES, ForcedType, RunArgs};
use super::seal::SealArgs;
use super::transfer_args::{PolicyOption, TransferArgs};
use super::trust_args::TrustArgs;
use super::verify_blob::VerifyBlobArgs;

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
    Mirror(MirrorArgs),
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
    pub(super) kind: Option<ForcedType>,
    /// A vendor's conventions (TOML); repeats for several vendors. The default is the built-in profile of
    /// K2view
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_profile: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) batch: BatchArgs,
    #[arg(long, value_name = "FILE", help = report_file::option_help())]
    pub(super) report: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}
