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
    /// The public key of whoever sealed the transfer directory, compared out of band; repeats
    #[arg(long, value_name = "FILE", help_heading = "Transfer directory")]
    pub(super) transfer_key: Vec<PathBuf>,
    /// Remembers the last transfer accepted, so that an older one is refused; outside the directory
    #[arg(long, value_name = "FILE", help_heading = "Transfer directory")]
    pub(super) state: Option<PathBuf>,
    /// Accept transfers of this stream only; repeats
    #[arg(long, value_name = "NAME", help_heading = "Transfer directory")]
    pub(super) stream: Vec<String>,
    /// Begin the state file, which must not exist
    #[arg(long, requires = "state", help_heading = "Transfer directory")]
    pub(super) init_state: bool,
    /// An earlier transfer that this one builds on; repeats
    #[arg(long, value_name = "DIR", help_heading = "Transfer directory")]
    pub(super) base: Vec<PathBuf>,
    /// Hash each archive as a whole too, not by its segments
    #[arg(long, help_heading = "Transfer directory")]
    pub(super) full_digest: bool,
    /// Accept an artifact of this name that was knowingly sealed unsigned; repeats
    #[arg(long, value_name = "NAME", help_heading = "Transfer directory")]
    pub(super) allow_unsigned: Vec<String>,
    /// Take the directory for a plain folder although it was, or should be, sealed
    #[arg(long, conflicts_with_all = ["transfer_key", "state", "base", "stream"],
          help_heading = "Transfer directory")]
    pub(super) unsealed: bool,
    /// Where a folder holds transfer directories, judge what lies outside of them by the vendors'
    /// signatures alone
    #[arg(long, conflicts_with = "unsealed", help_heading = "Transfer directory")]
    pub(super) loose: bool,
    /// Judge as of this time (RFC 3339) instead of the system clock
    #[arg(long, value_name = "TIME", help_heading = "Trust")]
    pub(super) time: Option<jiff::Timestamp>,
}

/// The trust policy: whom to trust.
#[derive(Debug, Args)]
pub(super) struct PolicyOption {
    /// The trust policy (TOML); the default is the one that SEALIFT_TRUST names
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
