//! What can be typed after `sealift verify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::batch_args::BatchArgs;
use crate::cli::report_file;
use crate::cli::run_args::{EXIT_CODES, ForcedType, RunArgs};
use crate::cli::transfer_args::{PolicyOption, TransferArgs};
use crate::cli::trust_args::TrustArgs;

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
pub(in crate::cli) struct VerifyArgs {
    /// Transfer directories, release folders, image archives (docker save, podman, skopeo, … also
    /// compressed), OCI layout directories, packages; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Signature bundle of the one FILE; repeats for archives that hold several images. Without
    /// it, the vendor's names are looked up beside each FILE
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
    #[command(flatten)]
    pub(in crate::cli) transfer: TransferArgs,
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
