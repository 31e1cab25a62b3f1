//! The options of `sealift mirror`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::run_args::RunArgs;
use crate::cli::sealing::SealingArgs;

const EXIT_CODES: &str = "\
Exit codes: 0 everything requested is sealed and verified; 1 something is not what was signed; 2 \
usage or configuration error, or no key to verify with; 3 undecided (no bundle, or a local error such \
as a directory that can't be written); 4 something could not be fetched. `sealift explain CODE` \
explains the code of a result.";

/// Fetch a release, verify it, and seal it for the far side
///
/// Fetches images, packages, bundles and keys. Everything is verified as it arrives, by the same
/// code as offline, and only then replaces what was verified before. What can't be fetched or does
/// not verify is left out, recorded in the manifest, and named at the end. Files that mirror did
/// not fetch are never removed or replaced.
///
/// After an interruption, the same command continues. Run again, it fetches only what changed. At
/// the end, the directory is verified as the far side will verify it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct MirrorArgs {
    /// The transfer directory; created if it does not exist
    #[arg(long, value_name = "DIR", required_unless_present = "init")]
    pub(super) out: Option<PathBuf>,
    /// Your private transfer key, from `sealift keygen` or cosign
    #[arg(long, value_name = "FILE", required_unless_present_any = ["init", "dry_run"])]
    pub(super) key: Option<PathBuf>,
    /// Release file (TOML) that says what to fetch; options add to it
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Print a release file with every field explained
    #[arg(long, conflicts_with_all = ["file", "out", "image", "package"])]
    pub(super) init: bool,
    /// Show what would be fetched, how large it is and the free space, and fetch nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Image reference, or path of an archive with --engine archive or auto (can be repeated, and
    /// takes several values)
    #[arg(long, value_name = "REF", num_args = 1.., help_heading = "What to fetch")]
    pub(super) image: Vec<String>,
    /// URL of a package, or its name if the vendor profile says where packages are (can be
    /// repeated, and takes several values)
    #[arg(long, value_name = "NAME|URL", num_args = 1.., help_heading = "What to fetch")]
    pub(super) package: Vec<String>,
    /// Vendor whose profile is built in
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "vendor_profile",
        help_heading = "What to fetch"
    )]
    pub(super) vendor: Option<String>,
    /// Platform of images: os/architecture[/variant], or `all` (can be repeated)
    ///
    /// By default, images are fetched for linux and the architecture of this machine.
    #[arg(long, value_name = "PLATFORM", help_heading = "What to fetch")]
    pub(super) platform: Vec<String>,
    /// Earlier transfer in another directory, whose content need not be carried again
    #[arg(long, value_name = "DIR", help_heading = "What to fetch")]
    pub(super) base: Option<PathBuf>,
    /// Where images come from
    #[arg(long, value_enum, help_heading = "How to fetch")]
    pub(super) engine: Option<EngineName>,
    /// With docker and podman, use the local image without pulling it
    #[arg(long, help_heading = "How to fetch")]
    pub(super) no_pull: bool,
    /// Host that labels and redirects may lead to, in addition to the hosts of the vendor profile
    /// (can be repeated)
    ///
    /// The host may also be the token service of a registry, and then gets its credentials.
    #[arg(long, value_name = "HOST", help_heading = "How to fetch")]
    pub(super) allow_host: Vec<String>,
    /// Allow plain HTTP, on a network that you trust
    #[arg(long, help_heading = "How to fetch")]
    pub(super) allow_http: bool,
    /// Registry to use plain HTTP with, in addition to registries on this machine (can be repeated)
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        requires = "allow_http",
        help_heading = "How to fetch"
    )]
    pub(super) plain_http: Vec<String>,
    /// Certificate authorities (PEM) to trust in addition to the system's (can be repeated)
    #[arg(long, value_name = "FILE", help_heading = "How to fetch")]
    pub(super) ca_file: Vec<PathBuf>,
    /// Address to use for a host or registry (can be repeated)
    ///
    /// Neither the name service nor a proxy is then asked for the host. Its certificate must still
    /// be valid for the host.
    #[arg(long, value_name = "HOST=IP:PORT", help_heading = "How to fetch")]
    pub(super) connect_to: Vec<String>,
    /// How often a failed request is retried
    #[arg(long, value_name = "N", default_value = "5", help_heading = "How to fetch",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) retries: u32,
    /// Stop at the first failure, and seal nothing
    #[arg(long, help_heading = "How to fetch")]
    pub(super) fail_fast: bool,
    /// Leave out what is incomplete, and seal the rest
    #[arg(long, conflicts_with = "fail_fast", help_heading = "How to fetch")]
    pub(super) omit_partial: bool,
    /// Use the built-in trusted root without asking Sigstore for a newer one
    #[arg(long, help_heading = "Trust")]
    pub(super) no_refresh: bool,
    /// TUF repository to fetch the trusted root from, instead of Sigstore's
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
    /// Program to add in tools/, for example the air-gap edition (can be repeated)
    ///
    /// By default, a program named `sealift-airgap` next to this one is added.
    #[arg(long, value_name = "FILE")]
    pub(super) tool: Vec<PathBuf>,
    /// Skip verifying the finished directory as the far side will
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
    /// A file of that name, otherwise the registry.
    Auto,
    /// Docker Engine: pull and save.
    Docker,
    /// Podman: pull and save.
    Podman,
    /// The registry itself, without an engine.
    Registry,
    /// An archive on this machine.
    Archive,
}
