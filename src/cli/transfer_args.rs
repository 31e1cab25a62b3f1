//! The options for transfer directories and the trust policy, and what they come to together: options
//! narrow a policy, never widen it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::trust_args::{LogArgs, load_key};
use super::{files, policy};
use crate::folder::{Folder, write_beside};
use crate::key::{KeyKind, PublicKey};
use crate::limits;
use crate::sigstore::TrustMaterial;
use crate::transfer::{Sealed, State};
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
    #[arg(long, conflicts_with_all = ["transfer_key", "state", "base"],
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

/// The trust policy: whom to believe.
#[derive(Debug, Args)]
pub(super) struct PolicyOption {
    /// The trust policy (TOML); the default is the one that SEALIFT_TRUST names
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    trust: Option<PathBuf>,
}

impl PolicyOption {
    /// The policy in force.
    ///
    /// # Errors
    /// Those of [`policy::load`].
    pub(super) fn load(&self) -> Result<Option<TrustPolicy>, Fault> {
        policy::search(self.trust.as_deref())
    }
}

impl TransferArgs {
    /// Refuses options that say more than the policy allows.
    ///
    /// # Errors
    /// [`Code::PolicyForbids`].
    pub(super) fn narrow(
        &self,
        policy: Option<&TrustPolicy>,
        key: Option<&PublicKey>,
        logs: &LogArgs,
    ) -> Result<(), Fault> {
        let Some(policy) = policy.filter(|policy| !policy.vendors().is_empty()) else {
            return Ok(());
        };
        let forbids = |message: String| Err(Fault::new(Code::PolicyForbids, message));
        if let Some(key) = key
            && policy.find_key(&key.fingerprint()).is_none()
        {
            let fingerprint = key.fingerprint();
            return forbids(format!("--key names {fingerprint}, which the policy does not list"));
        }
        if logs.insecure_ignore_tlog && policy.vendors().iter().any(|it| it.transparency_required())
        {
            return forbids(
                "--insecure-ignore-tlog, where the policy asks for a log entry".to_owned(),
            );
        }
        for name in &self.allow_unsigned {
            if !policy.vendors().iter().any(|vendor| vendor.allows_unsigned(name)) {
                return forbids(format!(
                    "--allow-unsigned {name:?}, which the policy does not allow"
                ));
            }
        }
        Ok(())
    }

    /// The transfer keys: those given, each of which a policy with transfer keys must list, else
    /// the policy's.
    ///
    /// # Errors
    /// [`Code::PolicyForbids`], and those of reading a key.
    pub(super) fn transfer_keys(
        &self,
        policy: Option<&TrustPolicy>,
    ) -> Result<Vec<PublicKey>, Fault> {
        let listed = policy.map_or(&[][..], TrustPolicy::transfer_keys);
        if self.transfer_key.is_empty() {
            return Ok(listed.iter().map(|named| named.key().clone()).collect());
        }
        let mut keys = Vec::new();
        for path in &self.transfer_key {
            let key = load_key(path)?;
            if key.kind() != KeyKind::EcdsaP256 {
                let message =
                    format!("a seal is made with ECDSA P-256, and this is {}", key.kind());
                return Err(Fault::new(Code::KeyUnsupported, message).at(files::show(path)));
            }
            let fingerprint = key.fingerprint();
            if !listed.is_empty() && listed.iter().all(|it| it.key().fingerprint() != fingerprint) {
                let message = format!("the policy does not list the transfer key {fingerprint}");
                return Err(Fault::new(Code::PolicyForbids, message).at(files::show(path)));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// What was accepted before.
    ///
    /// # Errors
    /// [`Code::StateMissing`], [`Code::StateMalformed`], and [`Code::Usage`] when a file that is to be
    /// begun is there.
    pub(super) fn state(&self) -> Result<Option<State>, Fault> {
        let Some(path) = &self.state else { return Ok(None) };
        let there = path.symlink_metadata().is_ok();
        if self.init_state {
            if there {
                let message = "the state file is there already; leave --init-state out";
                return Err(Fault::new(Code::Usage, message).at(files::show(path)));
            }
            return Ok(Some(State::default()));
        }
        if !there {
            return Err(
                Fault::new(Code::StateMissing, "there is no such file").at(files::show(path))
            );
        }
        let bytes = files::read_config(path, limits::STATE_BYTES, Code::StateMalformed)?;
        State::parse(&bytes).map(Some).map_err(|fault| fault.at(files::show(path)))
    }

    /// Remembers an accepted transfer, beside what others may have accepted meanwhile.
    ///
    /// # Errors
    /// Those of reading and writing the file, and those of [`State::accept`].
    pub(super) fn remember(&self, sealed: &Sealed) -> Result<(), Fault> {
        let Some(path) = &self.state else { return Ok(()) };
        write_beside(path, limits::STATE_BYTES, |before| {
            let mut state = match before {
                Some(bytes) => State::parse(&bytes)?,
                None if self.init_state => State::default(),
                None => {
                    let message = "the file went away while the transfer was checked";
                    return Err(Fault::new(Code::StateMissing, message));
                }
            };
            let changed = state.accept(sealed.manifest(), &sealed.digest())?;
            if changed { state.to_bytes().map(Some) } else { Ok(None) }
        })
        .map_err(|fault| fault.at(files::show(path)))
    }

    /// Refuses a state file that would lie in a directory that is checked, and one that is no file.
    ///
    /// # Errors
    /// [`Code::Usage`] and [`Code::StateMalformed`].
    pub(super) fn state_outside(&self, paths: &[PathBuf]) -> Result<(), Fault> {
        let Some(path) = &self.state else { return Ok(()) };
        if path.exists() && !path.is_file() {
            return Err(
                Fault::new(Code::StateMalformed, "not a regular file").at(files::show(path))
            );
        }
        // Where the file really lies, or would lie.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let parent = match real.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        for directory in paths.iter().chain(&self.base).filter(|path| path.is_dir()) {
            if Folder::open(directory)?.contains(parent) {
                let message =
                    "the state file lies in a directory that is checked; keep it elsewhere";
                return Err(Fault::new(Code::Usage, message).at(files::show(path)));
            }
        }
        Ok(())
    }

    /// The earlier transfers.
    ///
    /// # Errors
    /// Those of opening a directory.
    pub(super) fn bases(&self) -> Result<Vec<Folder>, Fault> {
        self.base.iter().map(|path| Folder::open(path)).collect()
    }
}

/// The trusted root that the operator named: by option, else by policy.
///
/// # Errors
/// [`Code::TrustedRootMalformed`] and [`Code::PolicyMalformed`].
pub(super) fn material(
    logs: &LogArgs,
    policy: Option<&TrustPolicy>,
) -> Result<Option<(Vec<u8>, TrustMaterial)>, Fault> {
    if let Some(named) = logs.trusted_root()? {
        return Ok(Some(named));
    }
    let Some(bytes) = policy.and_then(TrustPolicy::trusted_root) else { return Ok(None) };
    let material = TrustMaterial::from_json(bytes)
        .map_err(|fault| Fault::new(Code::PolicyMalformed, fault.to_string()).at("trusted_root"))?;
    Ok(Some((bytes.to_vec(), material)))
}
