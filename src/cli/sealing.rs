//! The options of `seal` and `mirror` that say how to seal, and what they load.
//!
//! What the two commands print at the end is in `seal_summary`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::apart::Named;
use super::password::PasswordArgs;
use super::transfer_args::PolicyOption;
use super::trust_args::LogArgs;
use super::trust_settings::{TrustOptions, TrustSettings};
use super::{files, output::warn, profiles::load_profile};
use crate::digest::Sha256Digest;
use crate::image::Options;
use crate::key::{PrivateKey, PublicKey, random_bytes};
use crate::limits;
use crate::sigstore::TrustMaterial;
use crate::transfer::{NamedKeys, SealRequest};
use crate::trust::{SealTimes, TrustPolicy, VendorProfile};
use crate::verdict::{Code, Fault};

/// Whom to trust, and how to seal.
#[derive(Debug, Args)]
pub(super) struct SealingArgs {
    #[command(flatten)]
    pub(super) password: PasswordArgs,
    /// A vendor's public key, compared with the vendor out of band (can be repeated)
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(super) vendor_key: Vec<PathBuf>,
    /// Fingerprint of a vendor key that is in the folder (can be repeated)
    #[arg(long, value_name = "sha256:HEX", help_heading = "Trust")]
    pub(super) pin_key: Vec<Sha256Digest>,
    /// Accept the vendor keys in the folder unseen; this is recorded and shown by every later check
    #[arg(long, help_heading = "Trust")]
    pub(super) trust_on_first_use: bool,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
    #[command(flatten)]
    pub(super) logs: LogArgs,
    /// Vendor profile (TOML); the built-in one for K2view by default
    #[arg(long, value_name = "FILE")]
    pub(super) vendor_profile: Option<PathBuf>,
    /// Seal the artifact of this name although nobody signed it; this is recorded (can be repeated)
    #[arg(long, value_name = "NAME")]
    pub(super) allow_unsigned: Vec<String>,
    /// Stream of transfers that this one belongs to; "default" if not given
    #[arg(long, value_name = "NAME")]
    pub(super) stream: Option<String>,
    /// When the transfer expires: a time (RFC 3339), or a duration from now (90d, 12h)
    #[arg(long, value_name = "TIME")]
    pub(super) expires: Option<String>,
    /// Free text for the manifest
    #[arg(long, value_name = "TEXT")]
    pub(super) notes: Option<String>,
}

/// The loaded options: keys, policy, trusted root and profile.
pub(super) struct SealSettings<'a> {
    arguments: &'a SealingArgs,
    pub(super) key: PrivateKey,
    pub(super) profile: VendorProfile,
    pub(super) policy: Option<TrustPolicy>,
    keys: Vec<PublicKey>,
    pins: Vec<Sha256Digest>,
    allow_unsigned: Vec<String>,
    /// The trusted root that is named, or was fetched.
    pub(super) root: Option<Vec<u8>>,
    pub(super) material: TrustMaterial,
    stream: String,
    expires: Option<jiff::Timestamp>,
    notes: Option<String>,
    transfer_id: [u8; 16],
    pub(super) now: jiff::Timestamp,
}

/// What a release file adds to the options. Options come first.
#[derive(Debug, Default)]
pub(super) struct SealExtras {
    pub(super) profile: Option<VendorProfile>,
    pub(super) vendor_keys: Vec<PathBuf>,
    /// Further files that the run depends on.
    pub(super) files: Vec<Named>,
    pub(super) pin_keys: Vec<Sha256Digest>,
    pub(super) allow_unsigned: Vec<String>,
    pub(super) stream: Option<String>,
    pub(super) expires: Option<String>,
    pub(super) notes: Option<String>,
}

impl SealingArgs {
    /// Loads what the options name, for a folder. Without a key, for a plan, a throwaway key is made.
    ///
    /// # Errors
    /// [`Code::Usage`], [`Code::PolicyForbids`] and the faults of the files named.
    pub(super) fn load(
        &self,
        folder: &Path,
        key: Option<&PathBuf>,
        extras: SealExtras,
    ) -> Result<SealSettings<'_>, Fault> {
        let now = jiff::Timestamp::now();
        let profile = match (self.vendor_profile.as_deref(), extras.profile) {
            (None, Some(profile)) => profile,
            (path, _) => load_profile(path)?,
        };
        let pins: Vec<Sha256Digest> = self.pin_key.iter().copied().chain(extras.pin_keys).collect();
        let allow_unsigned: Vec<String> =
            self.allow_unsigned.iter().cloned().chain(extras.allow_unsigned).collect();
        // A private key in the folder is refused elsewhere, with a code of its own.
        let mut others: Vec<Named> = Named::all("--vendor-profile", &self.vendor_profile).collect();
        others.extend(self.password.file());
        others.extend(extras.files);
        let TrustSettings { policy, keys, root, .. } = TrustSettings::load(TrustOptions {
            policy: self.policy.path(),
            keys: Named::all("--vendor-key", self.vendor_key.iter().chain(&extras.vendor_keys))
                .collect(),
            pins: pins.clone(),
            first_use: self.trust_on_first_use,
            logs: Some(&self.logs),
            allow_unsigned: allow_unsigned.clone(),
            others,
            judged: vec![folder.to_path_buf()],
            ..TrustOptions::default()
        })?;
        let (root, material) = match root {
            Some((bytes, material)) => (Some(bytes), material),
            None => (None, TrustMaterial::production()?),
        };
        let expires = self.expires.as_ref().or(extras.expires.as_ref());
        let expires = expires.map(|text| expiry(text, now)).transpose()?;
        let named = key.is_some();
        let key = key.map_or_else(PrivateKey::generate, |path| self.private_key(path))?;
        if let Some(listed) = policy.as_ref().map(TrustPolicy::transfer_keys)
            && named
            && !listed.is_empty()
            && listed.iter().all(|listed| listed.key() != key.public())
        {
            warn(
                "the trust policy does not list this transfer key: the far side will refuse the seal",
            );
        }
        let stream = self.stream.clone().or(extras.stream);
        let stream = stream.unwrap_or_else(|| String::from("default"));
        if let Some(policy) = policy.as_ref().filter(|_| named) {
            far_side_accepts(policy, &key, &stream, now)?;
        }
        Ok(SealSettings {
            arguments: self,
            key,
            profile,
            policy,
            keys,
            pins,
            allow_unsigned,
            root,
            material,
            stream,
            expires,
            notes: self.notes.clone().or(extras.notes),
            transfer_id: random_bytes()?,
            now,
        })
    }

    /// Reads the operator's own key; the password is asked for only if it is encrypted.
    fn private_key(&self, path: &Path) -> Result<PrivateKey, Fault> {
        let bytes = files::read_config(path, limits::KEY_BYTES, Code::PrivateKeyMalformed)?;
        PrivateKey::from_pem(&bytes, &mut || self.password.existing())
            .map_err(|fault| fault.at(files::show(path)))
    }
}

impl SealSettings<'_> {
    /// The request to seal a folder of which nothing more is known.
    pub(super) fn order<'o>(&'o self, reading: Options<'o>) -> SealRequest<'o> {
        SealRequest {
            key: &self.key,
            named_keys: NamedKeys {
                keys: &self.keys,
                pins: &self.pins,
                policy: self.policy.as_ref(),
                first_use: self.arguments.trust_on_first_use,
                absent_pins: false,
            },
            profile: &self.profile,
            transparency: self.arguments.logs.transparency(),
            material: &self.material,
            trusted_root: self.root.as_deref(),
            allow_unsigned: &self.allow_unsigned,
            stream: &self.stream,
            expires: self.expires,
            notes: self.notes.as_deref(),
            requested: &[],
            omitted: &[],
            base: None,
            exclude: const { &BTreeSet::new() },
            origins: const { &BTreeMap::new() },
            extra: &[],
            transfer_id: self.transfer_id,
            now: self.now,
            reading,
        }
    }
}

/// Refuses to seal what the same policy would refuse on the far side.
fn far_side_accepts(
    policy: &TrustPolicy,
    key: &PrivateKey,
    stream: &str,
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    let forbids = |reason: String| Err(Fault::new(Code::PolicyForbids, reason));
    if policy.streams().is_some_and(|streams| !streams.contains(stream)) {
        return forbids(format!("the policy does not list the stream {stream:?}"));
    }
    let seal = SealTimes { stream, created: now, now, accepted_before: false };
    match policy.transfer_key(&key.public().fingerprint()).map(|listed| listed.admit(seal)) {
        Some(Err(fault)) => forbids(fault.to_string()),
        _ => Ok(()),
    }
}

/// Parses a time (RFC 3339) or a duration from now (`90d`, `12h`).
fn expiry(text: &str, now: jiff::Timestamp) -> Result<jiff::Timestamp, Fault> {
    let refuse = || {
        let message =
            "neither a time (RFC 3339) nor a duration in days or hours, such as 90d or 12h";
        Fault::new(Code::Usage, message).at(format!("--expires {text}"))
    };
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refuse)?;
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let hours = match unit {
        "d" => number.checked_mul(24),
        "h" => Some(number),
        _ => None,
    };
    let seconds = hours.and_then(|hours| hours.checked_mul(3600)).ok_or_else(refuse)?;
    now.checked_add(Duration::from_secs(seconds)).map_err(|_| refuse())
}
