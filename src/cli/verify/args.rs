//! The options of `sealift verify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::batch_args::BatchArgs;
use crate::cli::report_file;
use crate::cli::run_args::{EXIT_CODES, ForcedType, RunArgs};
use crate::cli::transfer_args::{PolicyOption, TransferArgs};
use crate::cli::trust_args::TrustArgs;

/// Verify transfer directories, release folders, image archives, OCI layouts and packages
///
/// A directory is treated as a transfer directory if it contains any file of a seal, or if a
/// transfer key or a state file is named and the directory contains no transfer directory. Its
/// seal is verified before anything else. In any other directory, each artifact is paired with its
/// bundle.
///
/// A file with a `NAME_signature.bundle` next to it is a package and is never unpacked. Any other
/// file is an image archive if its entries say so, otherwise a package. For an image, the signed
/// digest is computed from the archive, and every layer is hashed against it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct VerifyArgs {
    /// Transfer directories, release folders, image archives, OCI layout directories or packages;
    /// `-` is standard input
    ///
    /// Image archives may come from docker save, podman, skopeo and others, and may be compressed.
    #[arg(required = true, value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// Signature bundle of the file (can be repeated)
    ///
    /// Give several for an archive with several images. By default, Sealift looks next to each file
    /// for the vendor's names.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
    #[command(flatten)]
    pub(super) transfer: TransferArgs,
    /// Treat each file as this type instead of detecting the type from its content
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub(super) kind: Option<ForcedType>,
    /// Vendor profile (TOML); the built-in one for K2view by default (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_profile: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) batch: BatchArgs,
    #[arg(long, value_name = "FILE", help = report_file::option_help())]
    pub(super) report: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

impl VerifyArgs {
    /// What is judged: the paths, and the earlier transfers that they build on.
    pub(super) fn judged(&self) -> Vec<PathBuf> {
        self.files.iter().chain(&self.transfer.base).cloned().collect()
    }
}
