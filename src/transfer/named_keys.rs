//! Which vendor keys count when a folder is sealed: those that the operator named, and no others.

use std::collections::BTreeSet;

use crate::artifact::TrustedKey;
use crate::digest::Sha256Digest;
use crate::key::PublicKey;
use crate::survey::{FileKind, Survey};
use crate::trust::TrustPolicy;
use crate::verdict::{Code, Fault};

/// The vendor keys that the operator named.
#[derive(Debug, Clone, Copy)]
pub struct NamedKeys<'a> {
    /// Keys given as files.
    pub keys: &'a [PublicKey],
    /// Keys given by fingerprint; the folder holds them.
    pub pins: &'a [Sha256Digest],
    /// The trust policy.
    pub policy: Option<&'a TrustPolicy>,
    /// Whether any key in the folder is accepted unseen.
    pub first_use: bool,
    /// Whether a pinned key may be absent, as when what it signed is elsewhere.
    pub absent_pins: bool,
}

impl NamedKeys<'_> {
    /// Whether a key counts that was found somewhere: it is named, or pinned, or listed by the policy
    /// where nothing narrows it, or accepted unseen.
    #[must_use]
    pub fn admits(&self, fingerprint: &Sha256Digest) -> bool {
        self.names(fingerprint) || self.first_use
    }

    /// Whether any key counts that need not be found first.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
            || (self.pins.is_empty()
                && self.policy.is_some_and(|policy| {
                    policy
                        .vendors()
                        .iter()
                        .flat_map(|vendor| vendor.keys())
                        .any(|key| key.key().is_some())
                }))
    }

    fn names(&self, fingerprint: &Sha256Digest) -> bool {
        let mut named =
            self.keys.iter().map(PublicKey::fingerprint).chain(self.pins.iter().copied());
        // Options narrow the policy: with a named key, only named ones count.
        if self.keys.is_empty() && self.pins.is_empty() {
            self.policy.is_some_and(|policy| policy.find_key(fingerprint).is_some())
        } else {
            named.any(|known| known == *fingerprint)
        }
    }
}

/// Refuses options that the policy does not allow.
pub(super) fn permitted(named_keys: &NamedKeys<'_>) -> Result<(), Fault> {
    let Some(policy) = named_keys.policy.filter(|policy| !policy.vendors().is_empty()) else {
        return Ok(());
    };
    let named =
        named_keys.keys.iter().map(PublicKey::fingerprint).chain(named_keys.pins.iter().copied());
    for fingerprint in named {
        if policy.find_key(&fingerprint).is_none() {
            let message =
                format!("the key {fingerprint} is named, and the policy does not list it");
            return Err(Fault::new(Code::PolicyForbids, message));
        }
    }
    if named_keys.first_use {
        let message = "--trust-on-first-use, where the policy lists the keys to believe";
        return Err(Fault::new(Code::PolicyForbids, message));
    }
    Ok(())
}

/// The keys that count, and those in the folder that were not named.
///
/// # Errors
/// [`Code::PolicyForbids`] for a key that a policy with vendors does not list, and [`Code::Usage`]
/// for a pinned one that is nowhere.
pub(super) fn keys<'a>(
    named_keys: &NamedKeys<'a>,
    survey: &Survey,
) -> Result<(Vec<TrustedKey<'a>>, Vec<PublicKey>), Fault> {
    let policy = named_keys.policy.filter(|policy| !policy.vendors().is_empty());
    let in_folder = || {
        survey.files.iter().filter_map(|file| match &file.what {
            FileKind::Key(key) => Some(&**key),
            _ => None,
        })
    };
    let terms = |fingerprint: &Sha256Digest| {
        policy
            .and_then(|policy| policy.find_key(fingerprint))
            .map(|(vendor, key)| (vendor, key.terms()))
    };
    let mut trusted: Vec<TrustedKey<'a>> = Vec::new();
    let mut add = |key: &PublicKey, first_use: bool| {
        let fingerprint = key.fingerprint();
        if trusted.iter().all(|other| other.key.fingerprint() != fingerprint) {
            trusted.push(TrustedKey { key: key.clone(), listed: terms(&fingerprint), first_use });
        }
    };
    permitted(named_keys)?;
    named_keys.keys.iter().for_each(|key| add(key, false));
    for pin in named_keys.pins {
        match in_folder().find(|key| key.fingerprint() == *pin) {
            Some(key) => add(key, false),
            None if named_keys.absent_pins => {}
            None => {
                let message = format!("no key file in the folder has the fingerprint {pin}");
                return Err(Fault::new(Code::Usage, message));
            }
        }
    }
    // Options narrow the policy: with a named key, only named ones count.
    if named_keys.keys.is_empty() && named_keys.pins.is_empty() {
        for listed in
            policy.into_iter().flat_map(TrustPolicy::vendors).flat_map(|vendor| vendor.keys())
        {
            let fingerprint = listed.fingerprint();
            let key =
                listed.key().or_else(|| in_folder().find(|key| key.fingerprint() == fingerprint));
            if let Some(key) = key {
                add(key, false);
            }
        }
    }
    if named_keys.first_use {
        in_folder().for_each(|key| add(key, true));
    }
    let known: BTreeSet<Sha256Digest> = trusted.iter().map(|key| key.key.fingerprint()).collect();
    let mut unnamed: Vec<PublicKey> = Vec::new();
    for key in in_folder().filter(|key| !known.contains(&key.fingerprint())) {
        if unnamed.iter().all(|other| other.fingerprint() != key.fingerprint()) {
            unnamed.push(key.clone());
        }
    }
    Ok((trusted, unnamed))
}
