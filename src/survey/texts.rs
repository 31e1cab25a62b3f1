//! The texts that a vendor may have signed for an artifact.

use std::collections::{BTreeSet, HashMap};

use super::verifier::Task;
use crate::artifact::ArtifactContent;
use crate::digest::Sha256Digest;
use crate::key::HashAlgorithm;
use crate::sigstore::SignatureBundle;
use crate::trust::VendorProfile;

/// The texts that the vendor may have signed for an artifact.
pub(super) struct Texts {
    texts: Vec<String>,
    /// The SHA-256 of each, in hexadecimal.
    pub(super) digests: Vec<String>,
    by_digest: HashMap<[u8; 32], usize>,
}

impl Texts {
    pub(super) fn of(task: &Task<'_>, profile: &VendorProfile) -> Self {
        let texts: Vec<String> = match &task.content {
            ArtifactContent::Package(digest, ..) => {
                vec![profile.package.message.message(&digest.sha256)]
            }
            ArtifactContent::Image(archive, _) => {
                let digests: BTreeSet<_> = archive
                    .images
                    .iter()
                    .flat_map(|image| &image.candidates)
                    .map(|candidate| candidate.digest)
                    .collect();
                digests.iter().map(|digest| profile.image.message.message(digest)).collect()
            }
            ArtifactContent::Refused(_) => Vec::new(),
        };
        let digests: Vec<_> = texts.iter().map(|text| Sha256Digest::of(text.as_bytes())).collect();
        Self {
            by_digest: digests
                .iter()
                .enumerate()
                .map(|(at, digest)| (*digest.as_bytes(), at))
                .collect(),
            digests: digests.iter().map(Sha256Digest::to_hex).collect(),
            texts,
        }
    }

    /// Those that a bundle may be about: the one whose digest it states, else all. An attestation is
    /// no signature of any.
    pub(super) fn of_bundle(&self, bundle: &SignatureBundle) -> &[String] {
        match bundle.stated() {
            _ if bundle.is_attestation() => &[],
            Some((HashAlgorithm::Sha256, stated)) => match self.by_digest.get(stated) {
                Some(at) => {
                    self.texts.get(*at..).and_then(|rest| rest.get(..1)).unwrap_or_default()
                }
                None => &[],
            },
            _ => &self.texts,
        }
    }
}
