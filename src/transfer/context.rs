//! What the far side contributes: its trust, the present time, and what it accepted before.

use crate::directory::Folder;
use crate::image::Options;
use crate::key::PublicKey;
use crate::sigstore::{HashRule, Transparency, TrustMaterial};
use crate::trust::{Profiles, TrustPolicy, VendorProfile, path_matches_name};

use super::accepted::AcceptedTransfers;
use super::serials::SerialsOfRun;

/// Everything that a transfer directory is checked against, apart from its seal.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The public transfer keys; one of them must have sealed the directory.
    pub transfer_keys: &'a [PublicKey],
    /// The vendor's key, if the operator gave one: then no other counts.
    pub vendor_key: Option<&'a PublicKey>,
    /// The trust policy.
    pub policy: Option<&'a TrustPolicy>,
    /// The trusted root that the operator named, by option or policy.
    pub material: Option<&'a TrustMaterial>,
    /// The conventions of vendors that the policy does not list.
    pub profiles: Profiles<'a>,
    /// Whether vendors that the policy does not list need log entries.
    pub transparency: Transparency,
    /// The hash functions to accept.
    pub hash: HashRule,
    /// Names of artifacts that may be unsigned on this side too.
    pub allow_unsigned: &'a [String],
    /// The present.
    pub now: jiff::Timestamp,
    /// What was accepted before.
    pub state: Option<&'a AcceptedTransfers>,
    /// The transfers that are judged in the same run, for their serials.
    pub serials: Option<&'a SerialsOfRun>,
    /// The streams that the operator names; none: those of the policy.
    pub streams: &'a [String],
    /// Earlier transfers that this one may build on.
    pub bases: &'a [Folder],
    /// Whether archives with segments are hashed as a whole too.
    pub full_digest: bool,
    /// Threads and progress.
    pub reading: Options<'a>,
}

impl Context<'_> {
    /// The conventions of all vendors that are known, those of the policy's last.
    pub(super) fn all_profiles(&self) -> Vec<&VendorProfile> {
        let listed = self.policy.into_iter().flat_map(TrustPolicy::vendors);
        self.profiles.iter().chain(listed.map(|vendor| vendor.profile())).collect()
    }

    /// Whether the policy lists vendors, so that the seal's word alone is not enough.
    pub(super) fn asks_signatures(&self) -> bool {
        self.policy.is_some_and(|policy| !policy.accepts_unlisted_vendors())
    }

    /// Whether the policy lists vendors.
    pub(super) fn lists_vendors(&self) -> bool {
        self.policy.is_some_and(|policy| !policy.vendors().is_empty())
    }

    /// Whether this side agrees that an artifact is unsigned. The sealing side chose its name, so what
    /// is agreed to must be true of the path as well. A policy that lists vendors decides alone, and
    /// `image` says for it whether the artifact is one by its content.
    pub(super) fn agrees_unsigned(
        &self,
        name: &str,
        path: &str,
        vendor: Option<&str>,
        image: bool,
    ) -> bool {
        if let Some(policy) = self.policy.filter(|policy| !policy.vendors().is_empty()) {
            return match vendor.and_then(|vendor| policy.vendor(vendor)) {
                Some(vendor) => vendor.allows_unsigned(name, path, image),
                None => {
                    policy.vendors().iter().any(|vendor| vendor.allows_unsigned(name, path, image))
                }
            };
        }
        let said = |text: &str| self.allow_unsigned.iter().any(|allowed| allowed == text);
        said(name) && (path_matches_name(name, path) || said(path))
    }
}
