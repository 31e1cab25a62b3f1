//! The vendor's key for an artifact of a sealed transfer, and who vouches for it.

use std::collections::BTreeMap;

use super::context::Context;
use super::layout::{TRUSTED_ROOT, key_path};
use super::manifest::Artifact;
use super::sealed_folder::SealedFolder;
use crate::artifact::Listed;
use crate::digest::Sha256Digest;
use crate::directory::read_small;
use crate::key::PublicKey;
use crate::limits;
use crate::sigstore::TrustMaterial;
use crate::trust::{TrustPolicy, Vendor, VendorProfile};
use crate::verdict::{Code, Fault};

/// A vendor key and the reason to believe it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vouched<'a> {
    pub(super) key: &'a PublicKey,
    pub(super) listed: Option<Listed<'a>>,
    /// Nobody but the sealing operator vouches for the key.
    pub(super) by_seal_only: bool,
}

/// The sealed keys that artifacts name, each read and parsed once.
#[derive(Debug)]
pub(super) struct SealedKeys(BTreeMap<Sha256Digest, Result<PublicKey, Fault>>);

impl SealedKeys {
    /// Reads the keys.
    pub(super) fn read(sealed: &SealedFolder<'_>) -> Self {
        let mut keys = BTreeMap::new();
        for fingerprint in sealed.manifest.artifacts.iter().filter_map(|artifact| artifact.key) {
            keys.entry(fingerprint).or_insert_with(|| read_key(sealed, &fingerprint));
        }
        Self(keys)
    }
}

/// A file that the seal covers, read whole and compared.
pub(super) fn sealed_file(
    sealed: &SealedFolder<'_>,
    path: &str,
    limit: u64,
) -> Result<Vec<u8>, Fault> {
    let missing =
        || Fault::new(Code::FileMissing, "the file is not there").at(sealed.folder.show(path));
    let entry = sealed.manifest.file(path).ok_or_else(|| {
        Fault::new(Code::ManifestMalformed, "the manifest does not list it")
            .at(sealed.folder.show(path))
    })?;
    let name = sealed.called(path).ok_or_else(missing)?;
    let (bytes, digest) = read_small(sealed.folder, name, limit, Code::FileMismatch)?;
    if digest != entry.sha256 {
        return Err(mismatch(entry.sha256, digest).at(sealed.folder.show(name)));
    }
    Ok(bytes)
}

/// The fault for a file whose digest is another one.
pub(super) fn mismatch(expected: Sha256Digest, found: Sha256Digest) -> Fault {
    Fault::new(Code::FileMismatch, "the file is not the one that was sealed")
        .expected_found(expected, found)
}

fn read_key(sealed: &SealedFolder<'_>, fingerprint: &Sha256Digest) -> Result<PublicKey, Fault> {
    let path = key_path(fingerprint);
    if sealed.manifest.file(&path).is_none() {
        let message = "the transfer does not carry the key that an artifact names";
        return Err(Fault::new(Code::ClaimMismatch, message).at(sealed.folder.show(&path)));
    }
    let bytes = sealed_file(sealed, &path, limits::KEY_BYTES)?;
    // A key file in a sealed directory that can't be read is the seal's fault, not the user's.
    let refuse =
        |reason: String| Fault::new(Code::ClaimMismatch, reason).at(sealed.folder.show(&path));
    let key = PublicKey::from_found(&path, &bytes).map_err(|fault| refuse(fault.to_string()))?;
    if key.fingerprint() != *fingerprint {
        return Err(refuse("the key is not the one that an artifact names".to_owned())
            .expected_found(fingerprint, key.fingerprint()));
    }
    Ok(key)
}

/// The key by which an artifact is to be judged.
///
/// With a policy that lists vendors only their keys count, unless it leaves other vendors to the
/// seal; else the operator's key, else the key that the seal carries.
pub(super) fn vouch<'a>(
    context: &Context<'a>,
    sealed: &'a SealedKeys,
    artifact: &Artifact,
) -> Result<Vouched<'a>, Fault> {
    let Some(claimed) = artifact.key else {
        return Err(Fault::new(Code::NoBundle, "the manifest names no key for it"));
    };
    let carried = || match sealed.0.get(&claimed) {
        Some(Ok(key)) => Ok(key),
        Some(Err(fault)) => Err(fault.clone()),
        None => Err(Fault::new(Code::ClaimMismatch, "the manifest carries no such key")),
    };
    if let Some(key) = context.vendor_key
        && key.fingerprint() != claimed
    {
        let message = "sealed as signed by another key than the one given with --key";
        return Err(
            Fault::new(Code::KeyNotTrusted, message).expected_found(key.fingerprint(), claimed)
        );
    }
    if let Some(policy) = context.policy {
        if let Some((vendor, listed)) = policy.find_key(&claimed) {
            let key = match (context.vendor_key, listed.key()) {
                (Some(key), _) | (None, Some(key)) => key,
                (None, None) => carried()?,
            };
            return Ok(Vouched {
                key,
                listed: Some((vendor, listed.terms())),
                by_seal_only: false,
            });
        }
        let listed = of_vendor(policy, artifact.vendor.as_deref());
        if !listed.is_empty() {
            let keys: Vec<_> = listed
                .iter()
                .flat_map(|vendor| vendor.keys())
                .map(|key| key.fingerprint().to_string())
                .collect();
            let names: Vec<_> = listed.iter().map(|vendor| vendor.name()).collect();
            let message = format!("the policy does not list this key of {}", names.join(" or "));
            return Err(
                Fault::new(Code::KeyNotTrusted, message).expected_found(keys.join(" or "), claimed)
            );
        }
        // A seal can name any vendor, or none: that must not lead past the vendors that are listed.
        if !policy.accepts_unlisted_vendors() {
            let message = "the policy lists vendors, and none of them with this key";
            return Err(Fault::new(Code::KeyNotTrusted, message)
                .expected_found("a key of the policy", claimed));
        }
    }
    match context.vendor_key {
        Some(key) => Ok(Vouched { key, listed: None, by_seal_only: false }),
        None => Ok(Vouched { key: carried()?, listed: None, by_seal_only: true }),
    }
}

/// The vendors of the policy that an artifact may be of: those that its vendor's name names, or whose
/// profile it names. Where the manifest names none, it may be any.
fn of_vendor<'a>(policy: &'a TrustPolicy, name: Option<&str>) -> Vec<&'a Vendor> {
    let is_meant = |vendor: &&Vendor| {
        name.is_none_or(|name| vendor.name() == name || vendor.profile().name == name)
    };
    policy.vendors().iter().filter(is_meant).collect()
}

/// The conventions of the artifact's vendor.
pub(super) fn profile<'a>(
    context: &Context<'a>,
    vouched: &Vouched<'a>,
    artifact: &Artifact,
) -> Result<&'a VendorProfile, Fault> {
    if let Some((vendor, _)) = vouched.listed {
        return Ok(vendor.profile());
    }
    match &artifact.vendor {
        Some(name) => {
            let mut known = context.profiles.iter();
            if let Some(profile) = known.find(|profile| profile.name == *name) {
                return Ok(profile);
            }
            let message = format!(
                "sealed as of vendor {name:?}, whose conventions are not known here; name them \
                 with --vendor-profile, or list the vendor in the trust policy"
            );
            Err(Fault::new(Code::Usage, message))
        }
        None => Ok(context.profiles.first()),
    }
}

/// The trusted root: the operator's, else the sealed one, else the one that is built in.
pub(super) fn trusted_root(sealed: &SealedFolder<'_>) -> Result<TrustMaterial, Fault> {
    if sealed.manifest.file(TRUSTED_ROOT).is_none() {
        return TrustMaterial::production();
    }
    let limit = limits::TRUSTED_ROOT_BYTES;
    let bytes = sealed_file(sealed, TRUSTED_ROOT, limit)?;
    TrustMaterial::from_json(&bytes).map_err(|fault| {
        Fault::new(Code::ClaimMismatch, fault.to_string()).at(sealed.folder.show(TRUSTED_ROOT))
    })
}
