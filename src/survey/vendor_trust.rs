//! Whose signatures count for artifacts without a seal, before any folder is looked at.

use crate::artifact::{BundleRules, TrustedKey, VendorKeys};
use crate::key::PublicKey;
use crate::sigstore::{HashRule, Transparency, TrustMaterial};
use crate::trust::{Profiles, TrustPolicy, VendorProfile};

/// What the operator trusts about vendors.
#[derive(Debug, Clone, Copy)]
pub struct VendorTrust<'a> {
    /// The key that the operator named: then no other counts.
    pub key: Option<&'a PublicKey>,
    /// The trust policy.
    pub policy: Option<&'a TrustPolicy>,
    /// The trusted root.
    pub material: &'a TrustMaterial,
    /// The conventions of vendors that no policy lists.
    pub profiles: Profiles<'a>,
    /// Whether a vendor that no policy lists needs log entries.
    pub transparency: Transparency,
    /// The hash functions to accept.
    pub hash: HashRule,
    /// The present.
    pub now: jiff::Timestamp,
}

impl<'a> VendorTrust<'a> {
    /// The conventions of all vendors that are known, those of the policy's last.
    #[must_use]
    pub fn all_profiles(&self) -> Vec<&'a VendorProfile> {
        let listed = self.policy.into_iter().flat_map(TrustPolicy::vendors);
        self.profiles.iter().chain(listed.map(|vendor| vendor.profile())).collect()
    }

    /// What artifacts are judged by, in view of the keys that are in the folder.
    #[must_use]
    pub fn vendor_keys(&self, in_folder: &[&PublicKey]) -> VendorKeys<'a> {
        VendorKeys {
            keys: self.keys(in_folder),
            unnamed: Vec::new(),
            profiles: self.profiles,
            rules: BundleRules {
                trust: self.material,
                transparency: self.transparency,
                hash: self.hash,
                now: self.now,
            },
        }
    }

    /// The vendor keys: the one named, on the policy's terms if it lists the key; otherwise the policy's.
    /// A policy may list a key by its fingerprint alone, and the key be in the folder.
    fn keys(&self, in_folder: &[&PublicKey]) -> Vec<TrustedKey<'a>> {
        if let Some(key) = self.key {
            let listed = self.policy.and_then(|policy| policy.find_key(&key.fingerprint()));
            let listed = listed.map(|(vendor, listed)| (vendor, listed.terms()));
            return vec![TrustedKey { key: key.clone(), listed, first_use: false }];
        }
        let vendors = self.policy.into_iter().flat_map(TrustPolicy::vendors);
        vendors
            .flat_map(|vendor| vendor.keys().iter().map(move |key| (vendor, key)))
            .filter_map(|(vendor, listed)| {
                let fingerprint = listed.fingerprint();
                let found =
                    || in_folder.iter().copied().find(|key| key.fingerprint() == fingerprint);
                let key = listed.key().or_else(found)?.clone();
                Some(TrustedKey { key, listed: Some((vendor, listed.terms())), first_use: false })
            })
            .collect()
    }
}
