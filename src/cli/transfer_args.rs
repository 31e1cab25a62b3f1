//! The options for transfer directories and the trust policy; `trust_settings` loads what they name.

use std::path::{Path, PathBuf};

use clap::Args;

use super::state_file::StateFile;
use crate::directory::Folder;
use crate::transfer::stream;
use crate::trust::TrustPolicy;
use crate::verdict::{Code, Fault};

/// What is known of transfers beforehand.
#[derive(Debug, Args)]
pub(super) struct TransferArgs {
    /// Public key that the transfer directory must be sealed with, compared out of band (can be
    /// repeated)
    #[arg(long, value_name = "FILE", help_heading = "Transfer directory")]
    pub(super) transfer_key: Vec<PathBuf>,
    /// File that records the last accepted transfer, so that older ones are refused
    ///
    /// It must be outside the directory.
    #[arg(long, value_name = "FILE", help_heading = "Transfer directory")]
    pub(super) state: Option<PathBuf>,
    /// Accept only transfers of this stream (can be repeated)
    #[arg(long, value_name = "NAME", help_heading = "Transfer directory")]
    pub(super) stream: Vec<String>,
    /// Create the state file, which must not exist yet
    #[arg(long, requires = "state", help_heading = "Transfer directory")]
    pub(super) init_state: bool,
    /// Earlier transfer that this one builds on (can be repeated)
    #[arg(long, value_name = "DIR", help_heading = "Transfer directory")]
    pub(super) base: Vec<PathBuf>,
    /// Also hash each archive as a whole, not only by its segments
    #[arg(long, help_heading = "Transfer directory")]
    pub(super) full_digest: bool,
    /// Accept the artifact of this name if it was knowingly sealed unsigned (can be repeated)
    #[arg(long, value_name = "NAME", help_heading = "Transfer directory")]
    pub(super) allow_unsigned: Vec<String>,
    /// Treat the directory as a plain folder even if it was, or should be, sealed
    #[arg(long, conflicts_with_all = ["transfer_key", "state", "base", "stream"],
          help_heading = "Transfer directory")]
    pub(super) unsealed: bool,
    /// In a folder that contains transfer directories, verify everything outside of them by the
    /// vendors' signatures alone
    #[arg(long, conflicts_with = "unsealed", help_heading = "Transfer directory")]
    pub(super) loose: bool,
    /// Verify as of this time (RFC 3339) instead of the system clock
    #[arg(long, value_name = "TIME", help_heading = "Trust")]
    pub(super) time: Option<jiff::Timestamp>,
}

/// The trust policy: whom to trust.
#[derive(Debug, Args)]
pub(super) struct PolicyOption {
    /// Trust policy (TOML); by default, the one that SEALIFT_TRUST names
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    trust: Option<PathBuf>,
}

impl PolicyOption {
    /// The file that the option names.
    pub(super) fn path(&self) -> Option<&Path> {
        self.trust.as_deref()
    }
}

impl TransferArgs {
    /// Refuses names that no stream can have, and streams that the policy does not list.
    ///
    /// # Errors
    /// [`Code::Usage`] and [`Code::PolicyForbids`].
    pub(super) fn streams_permitted(&self, policy: Option<&TrustPolicy>) -> Result<(), Fault> {
        let listed = policy.and_then(TrustPolicy::streams);
        for name in &self.stream {
            stream(name)
                .map_err(|fault| Fault::new(Code::Usage, fault.message()).at("--stream"))?;
            if listed.is_some_and(|listed| !listed.contains(name)) {
                let message = format!("--stream {name}, which the policy does not list");
                return Err(Fault::new(Code::PolicyForbids, message));
            }
        }
        Ok(())
    }

    /// The state file, if one is named.
    pub(super) fn state_file(&self) -> Option<StateFile> {
        self.state.clone().map(|path| StateFile::new(path, self.init_state))
    }

    /// The earlier transfers.
    ///
    /// # Errors
    /// The fault of a directory that can't be opened.
    pub(super) fn bases(&self) -> Result<Vec<Folder>, Fault> {
        self.base.iter().map(|path| Folder::open(path)).collect()
    }
}
