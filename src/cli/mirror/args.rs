//! What the user can type for `mirror`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::run_args::RunArgs;
use crate::cli::sealing::SealingArgs;

const EXIT_CODES: &str = "\
Exit codes: 0 everything asked for is sealed and verified; 1 something is not what was signed; 2 \
usage, configuration, or no key to judge with; 3 could not decide: no bundle, or this machine stopped \
it, for example a directory that can't be written; 4 something could not be fetched. `sealift explain CODE` explains each code.";

/// Fetch images, packages, bundles and keys, verify them, and seal them for the far side.
///
/// Everything is verified as it arrives, by the same code as offline, and only then replaces what was
/// verified before. What can't be had or does not verify is left out, recorded in the manifest and named
/// at the end. No file is removed or replaced that mirror did not fetch. Interrupted, the same command
/// continues; run again, it fetches only what changed. At the end the directory is verified as the far
/// side will do it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct MirrorArgs {
    /// The transfer directory; made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present = "init")]
    pub(super) out: Option<PathBuf>,
    /// Your own private transfer key, from `sealift keygen` or cosign
    #[arg(long, value_name = "FILE", required_unless_present_any = ["init", "dry_run"])]
    pub(super) key: Option<PathBuf>,
    /// What to fetch, as a file (TOML); options are added to what stands in it
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Print a release file with every field explained
    #[arg(long, conflicts_with_all = ["file", "out", "image", "package"])]
    pub(super) init: bool,
    /// Print what would be fetched, its size and the space there is, and fetch nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// An image reference, or with --engine archive or auto the path of an archive; repeats, and
    /// takes several
    #[arg(long, value_name = "REF", num_args = 1.., help_heading = "What to fetch")]
    pub(super) image: Vec<String>,
    /// A package's URL, or its name where the vendor profile says where packages lie; repeats, and
    /// takes several
    #[arg(long, value_name = "NAME|URL", num_args = 1.., help_heading = "What to fetch")]
    pub(super) package: Vec<String>,
    /// A vendor whose profile is built in
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "vendor_profile",
        help_heading = "What to fetch"
    )]
    pub(super) vendor: Option<String>,
    /// Platforms of images: os/architecture[/variant], or `all`; without it, linux and this machine's
    /// architecture; repeats
    #[arg(long, value_name = "PLATFORM", help_heading = "What to fetch")]
    pub(super) platform: Vec<String>,
    /// An earlier transfer, in another directory: what it carried need not be carried again
    #[arg(long, value_name = "DIR", help_heading = "What to fetch")]
    pub(super) base: Option<PathBuf>,
    /// Where images come from; auto takes a file of that name, else the registry
    #[arg(long, value_enum, help_heading = "How to fetch")]
    pub(super) engine: Option<EngineName>,
    /// With docker and podman: take the image that is there, without a pull
    #[arg(long, help_heading = "How to fetch")]
    pub(super) no_pull: bool,
    /// A host that labels and redirects may lead to, besides the vendor profile's, and that may be a
    /// registry's token service and get its credentials; repeats
    #[arg(long, value_name = "HOST", help_heading = "How to fetch")]
    pub(super) allow_host: Vec<String>,
    /// Allow plain HTTP, on a network that you trust
    #[arg(long, help_heading = "How to fetch")]
    pub(super) allow_http: bool,
    /// A registry to speak plain HTTP with, besides those of this machine; repeats
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        requires = "allow_http",
        help_heading = "How to fetch"
    )]
    pub(super) plain_http: Vec<String>,
    /// Certificate authorities (PEM) to believe besides the system's; repeats
    #[arg(long, value_name = "FILE", help_heading = "How to fetch")]
    pub(super) ca_file: Vec<PathBuf>,
    /// Where to find a host, also a registry, in place of asking the name service or a proxy; its
    /// certificate must still be the host's; repeats
    #[arg(long, value_name = "HOST=IP:PORT", help_heading = "How to fetch")]
    pub(super) connect_to: Vec<String>,
    /// How often something is tried again
    #[arg(long, value_name = "N", default_value = "5", help_heading = "How to fetch",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) retries: u32,
    /// Stop at the first that fails, and seal nothing then
    #[arg(long, help_heading = "How to fetch")]
    pub(super) fail_fast: bool,
    /// Give up what is half-way here, and seal the rest
    #[arg(long, conflicts_with = "fail_fast", help_heading = "How to fetch")]
    pub(super) omit_partial: bool,
    /// Use the built-in trusted root without asking Sigstore for a newer one
    #[arg(long, help_heading = "Trust")]
    pub(super) no_refresh: bool,
    /// A TUF repository to ask for the trusted root, in place of Sigstore's
    #[arg(
        long,
        value_name = "URL",
        requires = "tuf_root",
        conflicts_with = "no_refresh",
        help_heading = "Trust"
    )]
    pub(super) tuf_mirror: Option<String>,
    /// The root.json of that repository, obtained out of band
    #[arg(long, value_name = "FILE", requires = "tuf_mirror", help_heading = "Trust")]
    pub(super) tuf_root: Option<PathBuf>,
    /// A program to add in tools/, for example the air-gap edition; without it, one named
    /// `sealift-airgap` beside this program; repeats
    #[arg(long, value_name = "FILE")]
    pub(super) tool: Vec<PathBuf>,
    /// Do not verify the finished directory as the far side will
    #[arg(long)]
    pub(super) no_preflight: bool,
    #[command(flatten)]
    pub(super) sealing: SealingArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EngineName {
    /// A file of that name, else the registry.
    Auto,
    /// Docker Engine: pull and save.
    Docker,
    /// Podman: pull and save.
    Podman,
    /// The registry itself; no engine is needed.
    Registry,
    /// An archive that lies here already.
    Archive,
}
