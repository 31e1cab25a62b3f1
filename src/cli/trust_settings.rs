//! Whom a run trusts: one answer for every command.
//!
//! The policy in force, named by `--trust` or else by `SEALIFT_TRUST`, always applies. Other options
//! can narrow it; one that would widen it is refused. No file that a run judges by may be inside what it
//! judges.
//!
//! Nothing is judged here. How a vendor signs (its profile) is not a question of trust.

use std::path::{Path, PathBuf};

use super::apart::{self, Named};
use super::trust_args::{LogArgs, load_key};
use super::{files, output::warn, policy};
use crate::digest::Sha256Digest;
use crate::key::{KeyKind, PublicKey};
use crate::sigstore::TrustMaterial;
use crate::trust::TrustPolicy;
use crate::verdict::{Code, Fault, printable};

/// What a command line says about trust.
#[derive(Debug, Default)]
pub(super) struct TrustOptions<'a> {
    /// `--trust`.
    pub(super) policy: Option<&'a Path>,
    /// Vendor keys, and the option that names each.
    pub(super) keys: Vec<Named>,
    /// Vendor keys by fingerprint.
    pub(super) pins: Vec<Sha256Digest>,
    /// Whether vendor keys found in the folder are accepted unseen.
    pub(super) first_use: bool,
    /// Whether a certificate's identity or issuer is named.
    pub(super) identity: bool,
    /// `--transfer-key`.
    pub(super) transfer_keys: &'a [PathBuf],
    /// The trusted root, and whether a log entry may be absent.
    pub(super) logs: Option<&'a LogArgs>,
    /// Artifacts that may be unsigned.
    pub(super) allow_unsigned: Vec<String>,
    /// `--time`, and the clock.
    pub(super) time: Option<(jiff::Timestamp, jiff::Timestamp)>,
    /// Other files that the run judges by: a state, profiles, a map, a private key.
    pub(super) others: Vec<Named>,
    /// What is judged.
    pub(super) judged: Vec<PathBuf>,
}

/// The trust of a run, loaded.
#[derive(Debug)]
pub(super) struct TrustSettings {
    /// The policy in force.
    pub(super) policy: Option<TrustPolicy>,
    /// The vendor keys that options name. A policy that lists vendors lists each of them.
    pub(super) keys: Vec<PublicKey>,
    /// The keys that may have sealed a transfer: those that options name, else the policy's.
    pub(super) transfer_keys: Vec<PublicKey>,
    /// The trusted root that an option or the policy names: its bytes, and what they parse to.
    pub(super) root: Option<(Vec<u8>, TrustMaterial)>,
    /// Every file that this was read from, and the others that the run judges by.
    pub(super) files: Vec<Named>,
}

impl TrustSettings {
    /// Loads what the options name, and holds it against the policy in force.
    ///
    /// # Errors
    /// [`Code::Usage`] for a file that is inside what it judges, [`Code::PolicyForbids`] for an option
    /// that says more than the policy, and the faults of the files named.
    pub(super) fn load(options: TrustOptions<'_>) -> Result<Self, Fault> {
        let found = policy::search(options.policy)?;
        let (policy, mut files) = match found {
            Some((policy, files)) => (Some(policy), files),
            None => (None, Vec::new()),
        };
        files.extend(options.keys.iter().cloned());
        files.extend(Named::all("--transfer-key", options.transfer_keys));
        files.extend(options.logs.and_then(LogArgs::root_file));
        files.extend(options.others.iter().cloned());
        apart::from_judged(&files, &options.judged)?;
        let keys: Vec<PublicKey> =
            options.keys.iter().map(|named| load_key(&named.path)).collect::<Result<_, Fault>>()?;
        if let Some(policy) = &policy {
            narrow(&options, policy, &keys)?;
        }
        let transfer_keys = transfer_keys(options.transfer_keys, policy.as_ref())?;
        let root = root(options.logs, policy.as_ref())?;
        Ok(Self { policy, keys, transfer_keys, root, files })
    }
}

/// There is nobody whose signature could be accepted.
pub(super) fn no_key() -> Fault {
    let message = "neither --key, nor a certificate identity and issuer, nor a trust policy with keys was given";
    Fault::new(Code::NoKey, message)
}

fn forbids(message: impl Into<String>) -> Fault {
    Fault::new(Code::PolicyForbids, message)
}

/// Refuses options that say more than the policy. A policy without vendors says nothing about them.
fn narrow(
    options: &TrustOptions<'_>,
    policy: &TrustPolicy,
    keys: &[PublicKey],
) -> Result<(), Fault> {
    if let Some((time, clock)) = options.time
        && time < clock
        && policy.depends_on_now()
    {
        return Err(forbids("--time turns the clock back, where the policy judges by the present")
            .expected_found(format_args!("{clock} or later"), time));
    }
    if policy.vendors().is_empty() {
        return Ok(());
    }
    let named = options.keys.iter().zip(keys);
    let named = named.map(|(named, key)| (named.role.as_str(), key.fingerprint()));
    for (role, fingerprint) in named.chain(options.pins.iter().map(|pin| ("--pin-key", *pin))) {
        if policy.find_key(&fingerprint).is_none() {
            let message = format!("{role} names {fingerprint}, which the policy does not list");
            return Err(forbids(message));
        }
    }
    if options.identity {
        return Err(forbids(
            "a certificate's identity is named, where the policy lists the keys to believe",
        ));
    }
    if options.first_use {
        return Err(forbids("--trust-on-first-use, where the policy lists the keys to believe"));
    }
    if options.logs.is_some_and(|logs| logs.insecure_ignore_tlog)
        && policy.vendors().iter().any(|vendor| vendor.transparency_required())
    {
        return Err(forbids("--insecure-ignore-tlog, where the policy asks for a log entry"));
    }
    let agrees = |name: &str| policy.vendors().iter().any(|vendor| vendor.names_unsigned(name));
    if let Some(name) = options.allow_unsigned.iter().find(|name| !agrees(name)) {
        return Err(forbids(format!("--allow-unsigned {name:?}, which the policy does not allow")));
    }
    Ok(())
}

/// The transfer keys: those given, else the policy's. A policy with transfer keys must list each one
/// given.
fn transfer_keys(paths: &[PathBuf], policy: Option<&TrustPolicy>) -> Result<Vec<PublicKey>, Fault> {
    let listed = policy.map_or(&[][..], TrustPolicy::transfer_keys);
    if paths.is_empty() {
        return Ok(listed.iter().map(|named| named.key().clone()).collect());
    }
    let mut keys = Vec::new();
    for path in paths {
        let key = load_key(path)?;
        if key.kind() != KeyKind::EcdsaP256 {
            let message = format!("a seal is made with ECDSA P-256, and this is {}", key.kind());
            return Err(Fault::new(Code::KeyUnsupported, message).at(files::show(path)));
        }
        let fingerprint = key.fingerprint();
        if !listed.is_empty() && listed.iter().all(|named| named.key().fingerprint() != fingerprint)
        {
            let message = format!("the policy does not list the transfer key {fingerprint}");
            return Err(forbids(message).at(files::show(path)));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The trusted root that an option names, else the policy's. An option can't name another root than the
/// policy: it would prove times that the policy's root does not.
fn root(
    logs: Option<&LogArgs>,
    policy: Option<&TrustPolicy>,
) -> Result<Option<(Vec<u8>, TrustMaterial)>, Fault> {
    let listed = policy.and_then(TrustPolicy::trusted_root);
    if let Some((bytes, material)) = logs.map(LogArgs::trusted_root).transpose()?.flatten() {
        if let Some(listed) = listed.filter(|listed| *listed != bytes) {
            return Err(forbids("--trusted-root names another root than the policy")
                .expected_found(Sha256Digest::of(listed), Sha256Digest::of(&bytes)));
        }
        return Ok(Some((bytes, material)));
    }
    let Some(bytes) = listed else { return Ok(None) };
    let material = TrustMaterial::from_json(bytes)
        .map_err(|fault| Fault::new(Code::PolicyMalformed, fault.to_string()).at("trusted_root"))?;
    for note in material.notes() {
        warn(&format!("the policy's root: {}", printable(note)));
    }
    Ok(Some((bytes.to_vec(), material)))
}
