//! What a run of `verify` judges by: every option loaded once. Nothing below reads an option again.

use std::path::PathBuf;

use super::args::VerifyArgs;
use super::outputs;
use crate::cli::apart::Named;
use crate::cli::expected::ExpectedSeal;
use crate::cli::run_args::ForcedType;
use crate::cli::state_file::StateFile;
use crate::cli::trust_settings::{TrustOptions, TrustSettings};
use crate::cli::{files, machine::jobs, medium, output::warn};
use crate::digest::Sha256Digest;
use crate::directory::Folder;
use crate::image::{NoProgress, Options};
use crate::key::PublicKey;
use crate::release::{Filter, PairingMap, ShardIndex};
use crate::report::Form;
use crate::sigstore::{HashRule, Transparency, TrustMaterial};
use crate::survey::VendorTrust;
use crate::transfer::{AcceptedTransfers, Context};
use crate::trust::{Profiles, TrustPolicy};
use crate::verdict::{Code, Fault};

/// Everything that a run judges by.
pub(super) struct VerifySettings<'a> {
    /// The policy in force.
    pub(super) policy: Option<TrustPolicy>,
    /// The vendor's key that the operator named: then no other counts.
    pub(super) key: Option<PublicKey>,
    /// The trusted root.
    pub(super) root: RootInForce,
    /// The conventions of vendors that no policy lists.
    pub(super) profiles: Profiles<'a>,
    /// Whether a certificate's identity is asked for.
    pub(super) identity: bool,
    pub(super) transparency: Transparency,
    pub(super) hash: HashRule,
    pub(super) now: jiff::Timestamp,
    /// How transfer directories are judged.
    pub(super) transfers: TransferSettings,
    pub(super) filter: Filter,
    pub(super) map: Option<(PairingMap, Sha256Digest)>,
    pub(super) part: Option<ShardIndex>,
    pub(super) require_coverage: bool,
    pub(super) fail_fast: bool,
    /// The bundles named for the one FILE.
    pub(super) bundles: Vec<PathBuf>,
    /// What each FILE is taken for.
    pub(super) forced: Option<ForcedType>,
    /// Whether anything but lines of text is written.
    pub(super) keeps_report: bool,
    /// Whether the coverage names every file.
    pub(super) list_files: bool,
    pub(super) jobs: usize,
}

/// The trusted root of a run.
pub(super) enum RootInForce {
    /// The one that the operator named: its bytes, and what they parse to.
    Named(Vec<u8>, TrustMaterial),
    /// The built-in one, which gives way to the one that a seal carries.
    BuiltIn(TrustMaterial),
}

impl RootInForce {
    /// The root by which artifacts without a seal are judged.
    pub(super) const fn material(&self) -> &TrustMaterial {
        match self {
            Self::Named(_, material) | Self::BuiltIn(material) => material,
        }
    }

    const fn named(&self) -> Option<&TrustMaterial> {
        match self {
            Self::Named(_, material) => Some(material),
            Self::BuiltIn(_) => None,
        }
    }
}

/// What transfer directories are judged by.
pub(super) struct TransferSettings {
    /// The keys that may have sealed one.
    pub(super) keys: Vec<PublicKey>,
    pub(super) expected: ExpectedSeal,
    /// Whether no directory is taken for one (`--unsealed`).
    pub(super) unsealed: bool,
    /// Whether files outside of them are judged by their vendors' signatures (`--loose`).
    pub(super) loose: bool,
    pub(super) full_digest: bool,
    pub(super) allow_unsigned: Vec<String>,
    pub(super) streams: Vec<String>,
    pub(super) state_file: Option<StateFile>,
    /// What was accepted before the run began. What is wrong here refuses transfers only.
    state: Result<Option<AcceptedTransfers>, Fault>,
    bases: Result<Vec<Folder>, Fault>,
}

impl<'a> VerifySettings<'a> {
    /// Loads what the options name.
    ///
    /// # Errors
    /// [`Code::Usage`] for options that don't fit, [`Code::PolicyForbids`] for those that say more than
    /// the policy, and the faults of the files named.
    pub(super) fn load(
        arguments: &VerifyArgs,
        profiles: Profiles<'a>,
        clock: jiff::Timestamp,
    ) -> Result<Self, Fault> {
        let state_file = arguments.transfer.state_file();
        state_file.as_ref().map_or(Ok(()), StateFile::is_file)?;
        let trust = TrustSettings::load(trust_options(arguments, clock))?;
        outputs::check(arguments, &trust, profiles.first())?;
        let TrustSettings { policy, keys, transfer_keys, root, .. } = trust;
        arguments.transfer.streams_permitted(policy.as_ref())?;
        // Parsing the built-in root takes most of the time of a small run.
        let root = match root {
            Some((bytes, material)) => RootInForce::Named(bytes, material),
            None => RootInForce::BuiltIn(TrustMaterial::production()?),
        };
        let transfer = &arguments.transfer;
        let filter = arguments.batch.filter()?;
        let map = arguments.batch.map()?;
        let part = arguments.batch.part()?;
        let transfers = TransferSettings {
            expected: ExpectedSeal::new(transfer, !transfer_keys.is_empty()),
            keys: transfer_keys,
            unsealed: transfer.unsealed,
            loose: transfer.loose,
            full_digest: transfer.full_digest,
            allow_unsigned: transfer.allow_unsigned.clone(),
            streams: transfer.stream.clone(),
            state: state_file.as_ref().map(StateFile::read).transpose(),
            state_file,
            bases: transfer.bases(),
        };
        let keeps_report = arguments.run.output != Form::Text || !arguments.report.is_empty();
        Ok(Self {
            policy,
            key: keys.into_iter().next(),
            root,
            profiles,
            identity: arguments.trust.names_identity(),
            transparency: arguments.trust.logs.transparency(),
            hash: arguments.trust.hash(HashRule::Known),
            now: transfer.time.unwrap_or(clock),
            transfers,
            filter,
            map,
            part,
            require_coverage: arguments.batch.require_coverage,
            fail_fast: arguments.batch.fail_fast,
            bundles: arguments.bundle.clone(),
            forced: arguments.kind,
            keeps_report,
            list_files: keeps_report || arguments.batch.changed_since.is_some(),
            jobs: threads(arguments),
        })
    }

    /// The operator's pairing.
    pub(super) fn map(&self) -> Option<&PairingMap> {
        self.map.as_ref().map(|(map, _)| map)
    }

    /// What artifacts without a seal are judged by.
    pub(super) fn vendors(&self) -> VendorTrust<'_> {
        VendorTrust {
            key: self.key.as_ref(),
            policy: self.policy.as_ref(),
            material: self.root.material(),
            profiles: self.profiles,
            transparency: self.transparency,
            hash: self.hash,
            now: self.now,
        }
    }

    /// What transfer directories are judged by.
    ///
    /// # Errors
    /// Why none can be judged: the fault of the state file or of an earlier transfer, and
    /// [`Code::Usage`] for options that are for single files.
    pub(super) fn transfer_context(&self) -> Result<Context<'_>, Fault> {
        let transfers = &self.transfers;
        let state = transfers.state.as_ref().map_err(Clone::clone)?.as_ref();
        let bases = transfers.bases.as_ref().map_err(Clone::clone)?;
        if self.is_for_single_files() {
            let message = "--bundle and --type are for single files; this is a transfer directory";
            return Err(Fault::new(Code::Usage, message));
        }
        Ok(Context {
            transfer_keys: &transfers.keys,
            vendor_key: self.key.as_ref(),
            policy: self.policy.as_ref(),
            material: self.root.named(),
            profiles: self.profiles,
            transparency: self.transparency,
            hash: self.hash,
            allow_unsigned: &transfers.allow_unsigned,
            now: self.now,
            state,
            serials: None,
            streams: &transfers.streams,
            bases,
            full_digest: transfers.full_digest,
            reading: self.reading(),
        })
    }

    /// Whether an option was given that forces the type of a single file, or names its bundle.
    pub(super) fn is_for_single_files(&self) -> bool {
        self.forced.is_some() || !self.bundles.is_empty()
    }

    /// How archives are read, without progress.
    pub(super) fn reading(&self) -> Options<'static> {
        Options { jobs: self.jobs, progress: &NoProgress, cuts: None, threads: None }
    }
}

/// What the command line says about trust.
fn trust_options(arguments: &VerifyArgs, clock: jiff::Timestamp) -> TrustOptions<'_> {
    let transfer = &arguments.transfer;
    let mut others: Vec<Named> =
        Named::all("--vendor-profile", &arguments.vendor_profile).collect();
    others.extend(Named::all("--state", &transfer.state).map(Named::rewritten));
    others.extend(arguments.batch.named());
    TrustOptions {
        policy: arguments.policy.path(),
        keys: arguments.trust.key_file().into_iter().collect(),
        identity: arguments.trust.names_identity(),
        transfer_keys: &transfer.transfer_key,
        logs: Some(&arguments.trust.logs),
        allow_unsigned: transfer.allow_unsigned.clone(),
        time: transfer.time.map(|time| (time, clock)),
        others,
        judged: arguments.judged(),
        ..TrustOptions::default()
    }
}

/// How many threads work: as many as asked for; else one where the medium serves only one reader well,
/// else one for each core.
fn threads(arguments: &VerifyArgs) -> usize {
    if arguments.run.jobs.is_none()
        && let Some((path, medium)) =
            arguments.files.iter().find_map(|path| Some((path, medium::seeks(path)?)))
    {
        if !arguments.run.quiet {
            warn(&format!(
                "{} is on {medium}: one reader; --jobs asks for more",
                files::show(path)
            ));
        }
        return 1;
    }
    jobs(arguments.run.jobs)
}
