//! The trust policy: whom the operator trusts, and on what terms. `docs/trust-policy.md` describes
//! the format.
//!
//! A policy only ever says what the operator knew beforehand: nothing that crosses the air gap can add
//! to it. It verifies nothing itself; those who verify ask it.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::artifact_name::last_part;
use super::{KeyTerms, NamePattern, TransferKey, VendorProfile};
use crate::digest::Sha256Digest;
use crate::key::PublicKey;
use crate::sigstore::Transparency;
use crate::verdict::FILE_DIGEST_KIND;

/// Kinds of digest that a vendor can sign for an image.
pub(super) const IMAGE_DIGEST_KINDS: [&str; 4] =
    ["config", "manifest", "index", "platform-manifest"];

/// A trust policy, complete and without contradictions. Only
/// [`from_toml`](TrustPolicy::from_toml) makes one.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    pub(super) max_age: Option<SignedDuration>,
    pub(super) accepts_unlisted: bool,
    /// None: all streams.
    pub(super) streams: Option<BTreeSet<String>>,
    pub(super) transfer_keys: Vec<TransferKey>,
    pub(super) vendors: Vec<Vendor>,
    pub(super) trusted_root: Option<Vec<u8>>,
    pub(super) digest: Sha256Digest,
}

impl TrustPolicy {
    /// SHA-256 of the policy's file.
    #[must_use]
    pub const fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// How old a transfer may be when it is verified; none: any age.
    #[must_use]
    pub const fn max_age(&self) -> Option<SignedDuration> {
        self.max_age
    }

    /// Whether a transfer's seal may vouch for the keys of vendors that the policy does not list. A
    /// policy without vendors leaves all vendors to the seal.
    #[must_use]
    pub(crate) fn accepts_unlisted_vendors(&self) -> bool {
        self.accepts_unlisted || self.vendors.is_empty()
    }

    /// The streams of which transfers are accepted; none: all.
    #[must_use]
    pub const fn streams(&self) -> Option<&BTreeSet<String>> {
        self.streams.as_ref()
    }

    /// The transfer key with this fingerprint, whatever its status.
    #[must_use]
    pub(crate) fn transfer_key(&self, fingerprint: &Sha256Digest) -> Option<&TransferKey> {
        self.transfer_keys.iter().find(|listed| listed.key.fingerprint() == *fingerprint)
    }

    /// The keys that may seal a transfer, each on its terms.
    #[must_use]
    pub fn transfer_keys(&self) -> &[TransferKey] {
        &self.transfer_keys
    }

    /// The vendors, in the policy's order.
    #[must_use]
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    /// Whether the present decides what the policy accepts.
    ///
    /// It decides how old a transfer may be, and whether a transfer key still counts. Another clock
    /// could then accept more. Only proven times matter for vendors' keys.
    #[must_use]
    pub(crate) fn depends_on_now(&self) -> bool {
        // Whoever adds a field must say here whether it does.
        let Self {
            max_age,
            transfer_keys,
            accepts_unlisted: _,
            streams: _,
            vendors: _,
            trusted_root: _,
            digest: _,
        } = self;
        max_age.is_some() || transfer_keys.iter().any(TransferKey::depends_on_now)
    }

    /// The Sigstore trusted root (JSON) that the policy names, seen to be one.
    #[must_use]
    pub fn trusted_root(&self) -> Option<&[u8]> {
        self.trusted_root.as_deref()
    }

    /// The vendor with this name.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.name == name)
    }

    /// The vendor key with this fingerprint, and whose it is. It may be retired or revoked: whether it
    /// counts is for [`KeyTerms::admit`] to say.
    #[must_use]
    pub fn find_key(&self, fingerprint: &Sha256Digest) -> Option<(&Vendor, &VendorKey)> {
        self.vendors.iter().find_map(|vendor| Some((vendor, vendor.find_key(fingerprint)?)))
    }
}

/// A vendor: its conventions, its keys, and how strictly its artifacts are verified.
#[derive(Debug, Clone)]
pub struct Vendor {
    pub(super) name: String,
    pub(super) profile: VendorProfile,
    pub(super) transparency: Transparency,
    /// None: all kinds.
    pub(super) digest_kinds: Option<BTreeSet<&'static str>>,
    pub(super) allow_unsigned: Vec<NamePattern>,
    pub(super) allow_unsigned_images: Vec<NamePattern>,
    pub(super) keys: Vec<VendorKey>,
}

impl Vendor {
    /// What the operator calls it; distinct within the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the vendor names and words things.
    #[must_use]
    pub const fn profile(&self) -> &VendorProfile {
        &self.profile
    }

    /// Whether a bundle needs a log entry.
    #[must_use]
    pub const fn transparency(&self) -> Transparency {
        self.transparency
    }

    /// The same as a yes or no.
    #[must_use]
    pub(crate) fn transparency_required(&self) -> bool {
        self.transparency == Transparency::Required
    }

    /// The kinds of digest that are accepted for images; none: all.
    #[must_use]
    pub const fn digest_kinds(&self) -> Option<&BTreeSet<&'static str>> {
        self.digest_kinds.as_ref()
    }

    /// Whether an image may be signed by this kind of digest (`config`, `manifest`, `index`,
    /// `platform-manifest`). `file`, the kind of packages, is not restricted.
    #[must_use]
    pub(crate) fn accepts_digest_kind(&self, kind: &str) -> bool {
        kind == FILE_DIGEST_KIND
            || self.digest_kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }

    /// Whether an artifact may be without a signature.
    ///
    /// Its name must be allowed, which the sealing side chose, and so must its path or the path's
    /// last part. `image` says whether its content is an image: a pattern for files never allows one.
    #[must_use]
    pub fn allows_unsigned(&self, name: &str, path: &str, image: bool) -> bool {
        let patterns = if image { &self.allow_unsigned_images } else { &self.allow_unsigned };
        let fits = |text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        fits(name) && (fits(path) || (name != path && fits(last_part(path))))
    }

    /// Whether a name, or path, is among those that may be without a signature, as a file or an image.
    #[must_use]
    pub(crate) fn names_unsigned(&self, name: &str) -> bool {
        self.allow_unsigned
            .iter()
            .chain(&self.allow_unsigned_images)
            .any(|pattern| pattern.matches(name))
    }

    /// The keys, in the policy's order; at least one.
    #[must_use]
    pub fn keys(&self) -> &[VendorKey] {
        &self.keys
    }

    /// This vendor's key with this fingerprint, whatever its status.
    #[must_use]
    pub fn find_key(&self, fingerprint: &Sha256Digest) -> Option<&VendorKey> {
        self.keys.iter().find(|key| key.fingerprint == *fingerprint)
    }
}

/// A vendor's key and the terms on which it counts.
#[derive(Debug, Clone)]
pub struct VendorKey {
    pub(super) name: String,
    pub(super) fingerprint: Sha256Digest,
    pub(super) key: Option<PublicKey>,
    pub(super) terms: KeyTerms,
}

impl VendorKey {
    /// What the operator calls it; distinct within the vendor.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the key's SPKI DER encoding; distinct within the policy.
    #[must_use]
    pub const fn fingerprint(&self) -> Sha256Digest {
        self.fingerprint
    }

    /// The key, if the policy has it. A fingerprint alone pins a key that comes from elsewhere: one
    /// with this fingerprint that the seal covers.
    #[must_use]
    pub const fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// When and for what the key counts.
    #[must_use]
    pub const fn terms(&self) -> &KeyTerms {
        &self.terms
    }
}
