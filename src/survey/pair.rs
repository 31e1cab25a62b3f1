//! Which bundles belong to an artifact of a folder, under which vendor's conventions, and which key signed
//! them.
//!
//! Nothing is proved here: what is chosen must verify.

use super::texts::Texts;
use super::verifier::{FolderVerifier, Task};
use crate::artifact::{ArtifactContent, BundleLoader, NamedBundle, TrustedKey, TryBudget};
use crate::key::PublicKey;
use crate::limits;
use crate::pairing::{self, Pairing};
use crate::sigstore;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

impl FolderVerifier<'_> {
    /// The bundles of an artifact, by the first vendor's conventions that find any. Where those of other vendors
    /// find the very same bundles (by a sidecar's name, say, which is no vendor's own), the vendor is
    /// the one whose key signed them; so no bundle that was found is ever passed over.
    pub(super) fn pair(&self, task: &Task<'_>) -> (Pairing, &VendorProfile) {
        let vendors = self.vendor_keys.keys.iter().filter_map(|key| key.listed);
        let mut profiles: Vec<&VendorProfile> = Vec::new();
        let named = vendors.map(|(vendor, _)| vendor.profile());
        for profile in named.chain(self.vendor_keys.profiles.iter()) {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
        let found = profiles.iter().enumerate().find_map(|(number, &profile)| {
            let pairing = self.pair_by(task, profile);
            (pairing != Pairing::Nothing).then_some((number, pairing, profile))
        });
        let Some((number, pairing, first)) = found else {
            let profile = profiles.first().copied();
            return (Pairing::Nothing, profile.unwrap_or(self.vendor_keys.profiles.first()));
        };
        let Pairing::Found(_, names) = &pairing else { return (pairing, first) };
        let same = |profile: &VendorProfile| matches!(self.pair_by(task, profile), Pairing::Found(_, others) if others == *names);
        let rest = profiles.get(number.saturating_add(1)..).unwrap_or_default();
        let rest: Vec<_> = rest.iter().copied().filter(|profile| same(profile)).collect();
        if rest.is_empty() || names.len() > limits::BUNDLES {
            return (pairing, first);
        }
        let mut loader = BundleLoader::of_folder();
        let bundles: Vec<_> = names.iter().map(|name| self.load(name, &mut loader)).collect();
        let tries = TryBudget::default();
        let signed = std::iter::once(first).chain(rest).find(|profile| {
            let texts = Texts::of(task, profile);
            let mut keys = self.vendor_keys.keys.iter().filter(|key| key.works_by(profile));
            keys.any(|key| self.signed_by(&key.key, &bundles, &texts, &tries))
        });
        (pairing, signed.unwrap_or(first))
    }

    /// Whether any of the bundles holds a signature by this key over any of the texts, as far as the
    /// tries go.
    fn signed_by(
        &self,
        key: &PublicKey,
        bundles: &[NamedBundle],
        texts: &Texts,
        tries: &TryBudget,
    ) -> bool {
        let signer = self.signer(key);
        bundles.iter().filter_map(|bundle| bundle.content.as_ref().ok()).any(|bundle| {
            texts.of_bundle(bundle).iter().any(|text| {
                tries.take() && sigstore::signature_holds(bundle, text.as_bytes(), &signer)
            })
        })
    }

    fn pair_by(&self, task: &Task<'_>, profile: &VendorProfile) -> Pairing {
        let digests = Texts::of(task, profile).digests;
        let digests = digests.iter().map(String::as_str);
        match &task.content {
            ArtifactContent::Package(..) => {
                let mut digests = digests;
                self.names.package(profile, task.path, digests.next().unwrap_or_default())
            }
            ArtifactContent::Image(archive, _) => {
                let material: Vec<_> = archive
                    .images
                    .iter()
                    .map(|image| pairing::for_image(profile, &image.labels))
                    .collect();
                self.names.image(task.path, &material, digests)
            }
            ArtifactContent::Refused(_) => self.names.image(task.path, &[], []),
        }
    }

    /// The key that signed; where none of the named ones did, the first, for the diagnosis. None when
    /// there is nothing to judge.
    pub(super) fn choose(
        &self,
        task: &Task<'_>,
        bundles: &[NamedBundle],
        profile: &VendorProfile,
        tries: &TryBudget,
    ) -> Result<Option<&TrustedKey<'_>>, Fault> {
        let vendor_keys = self.vendor_keys;
        let texts = Texts::of(task, profile);
        let signed_by = |key: &PublicKey| self.signed_by(key, bundles, &texts, tries);
        let mut fitting: Vec<_> =
            vendor_keys.keys.iter().filter(|key| key.works_by(profile)).collect();
        if fitting.is_empty() {
            fitting.extend(&vendor_keys.keys);
        }
        if fitting.len() > 1 || !vendor_keys.unnamed.is_empty() {
            if let Some(key) = fitting.iter().find(|key| signed_by(&key.key)) {
                return Ok(Some(key));
            }
            if let Some(key) = vendor_keys.unnamed.iter().find(|key| signed_by(key)) {
                let message = format!(
                    "signed by a key that is in the folder and that you have not named, {}: if \
                     it is the vendor's, say --pin-key {}",
                    key.kind(),
                    key.fingerprint()
                );
                return Err(Fault::new(Code::KeyNotNamed, message));
            }
        }
        match fitting.first() {
            Some(key) => Ok(Some(key)),
            None if bundles.is_empty() => Ok(None),
            None => Err(Fault::new(
                Code::NoKey,
                "there is a bundle, and no vendor key to judge it with",
            )),
        }
    }
}
