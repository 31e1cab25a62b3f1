//! Whose signatures count, and on what terms.
//!
//! The caller decides which keys those are: this file only holds them, and makes of each the
//! one request by which its bundles are judged.

use crate::key::PublicKey;
use crate::sigstore::{HashRule, Signer, Transparency, TrustMaterial, VerifyRequest};
use crate::trust::{KeyTerms, Profiles, Vendor, VendorProfile};

/// A vendor in the trust policy, and the terms on which one of its keys counts.
pub type Listed<'a> = (&'a Vendor, &'a KeyTerms);

/// The rules for every bundle of a run, whoever signed it.
#[derive(Debug, Clone, Copy)]
pub struct BundleRules<'a> {
    /// The logs and authorities to believe.
    pub trust: &'a TrustMaterial,
    /// Whether a vendor that no policy lists needs log entries.
    pub transparency: Transparency,
    /// The hash functions to accept.
    pub hash: HashRule,
    /// The present.
    pub now: jiff::Timestamp,
}

impl<'a> BundleRules<'a> {
    /// The signer that has this key; `listed` is what the trust policy says of it.
    #[must_use]
    pub fn signer(&self, key: &'a PublicKey, listed: Option<Listed<'a>>) -> TrustedSigner<'a> {
        let of_vendor = listed.map(|(vendor, _)| vendor.transparency());
        let request = VerifyRequest {
            signer: Signer::Key { key, hash: self.hash },
            trust: self.trust,
            transparency: of_vendor.unwrap_or(self.transparency),
            now: self.now,
        };
        TrustedSigner { request, listed }
    }
}

/// One whose signature counts.
#[derive(Debug, Clone)]
pub struct TrustedSigner<'a> {
    /// The signer, the trusted root and the transparency that are asked for.
    pub request: VerifyRequest<'a>,
    /// What the trust policy asks in addition, if it lists the key.
    pub listed: Option<Listed<'a>>,
}

/// A signer, and the conventions by which its vendor signs.
#[derive(Debug, Clone)]
pub struct ArtifactSigner<'a> {
    /// Whose signature counts.
    pub signer: TrustedSigner<'a>,
    /// The vendor's conventions.
    pub profile: &'a VendorProfile,
}

/// A vendor's key that the operator named.
#[derive(Debug, Clone)]
pub struct TrustedKey<'a> {
    /// The key.
    pub key: PublicKey,
    /// What the trust policy says of it.
    pub listed: Option<Listed<'a>>,
    /// Whether it was accepted unseen.
    pub first_use: bool,
}

impl TrustedKey<'_> {
    /// Whether its vendor works by these conventions, as far as a policy says.
    #[must_use]
    pub fn works_by(&self, profile: &VendorProfile) -> bool {
        self.listed.is_none_or(|(vendor, _)| vendor.profile() == profile)
    }
}

/// The vendor keys that count in a run, and the rules by which bundles are judged with them.
#[derive(Debug)]
pub struct VendorKeys<'a> {
    /// The keys that the operator named.
    pub keys: Vec<TrustedKey<'a>>,
    /// Keys in the folder that nobody named: never used, only reported.
    pub unnamed: Vec<PublicKey>,
    /// The conventions of vendors that no policy lists.
    pub profiles: Profiles<'a>,
    /// What every bundle is judged by.
    pub rules: BundleRules<'a>,
}

impl VendorKeys<'_> {
    /// The signer that has one of these keys.
    #[must_use]
    pub fn signer<'k>(&'k self, key: &'k TrustedKey<'_>) -> TrustedSigner<'k> {
        self.rules.signer(&key.key, key.listed)
    }
}
