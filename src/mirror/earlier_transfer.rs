//! What an earlier transfer (`--base`) carried, so that it need not be fetched again.
//!
//! Its seal must hold under our own transfer key or one that the policy lists. That its files are there
//! and right is checked on the far side (`transfer::base`), where they are.

use super::ImageDescription;
use super::wanted::WantedItem;
use crate::digest::{FileDigest, Sha256Digest};
use crate::directory::Folder;
use crate::key::PublicKey;
use crate::sigstore::SignatureBundle;
use crate::transfer::{self, Artifact, Base, BaseArtifact, Manifest, ManifestKind};
use crate::trust::VendorProfile;
use crate::verdict::Fault;

/// An earlier transfer.
#[derive(Debug)]
pub struct EarlierTransfer {
    manifest: Manifest,
    digest: Sha256Digest,
}

impl EarlierTransfer {
    /// Opens the seal of an earlier transfer.
    ///
    /// # Errors
    /// Those of [`transfer::open`].
    pub fn open(folder: &Folder, keys: &[PublicKey]) -> Result<Self, Fault> {
        let sealed = transfer::open(folder, &folder.list()?, keys)?;
        Ok(Self { manifest: sealed.manifest().clone(), digest: sealed.digest() })
    }

    /// Its record in a new manifest.
    #[must_use]
    pub fn record(&self, artifacts: Vec<BaseArtifact>) -> Base {
        Base {
            transfer_id: self.manifest.transfer_id.clone(),
            manifest: self.digest,
            stream: self.manifest.stream.clone(),
            serial: self.manifest.serial,
            artifacts,
        }
    }

    /// The image, if it was carried from exactly this source, of which the digest is part.
    pub(super) fn image(
        &self,
        wanted: &WantedItem,
        description: &ImageDescription,
    ) -> Option<BaseArtifact> {
        self.carried(ManifestKind::Image, wanted)
            .find(|artifact| {
                artifact.source.as_ref() == Some(&description.source)
                    && description.source.contains("@sha256:")
                    && self.fits(&artifact.path, description)
            })
            .and_then(|artifact| self.as_base(artifact))
    }

    /// What was carried under the item's name, and not unsigned.
    fn carried(&self, kind: ManifestKind, wanted: &WantedItem) -> impl Iterator<Item = &Artifact> {
        self.manifest.artifacts.iter().filter(move |artifact| {
            artifact.kind == kind && artifact.name == wanted.name && !artifact.allow_unsigned
        })
    }

    /// Whether a package of this name and size was carried. Its bundle has yet to prove that it is the same.
    pub(super) fn may_have(&self, wanted: &WantedItem, size: Option<u64>) -> bool {
        let carried = self.carried(ManifestKind::Package, wanted).next();
        let carried = carried.and_then(|artifact| self.size(&artifact.path));
        carried.is_some() && carried == size
    }

    /// Whether an archive may be the one described. A registry's digest covers all platforms, but the
    /// archive holds those that were asked for then: another choice has another size.
    fn fits(&self, path: &str, description: &ImageDescription) -> bool {
        let exact = description.is_from_registry();
        let carried = self.size(path);
        !exact || (carried.is_some() && carried == description.size)
    }

    /// The package, if the bundle that the vendor offers now states the digest of what was carried. The
    /// caller has to verify that bundle.
    pub(super) fn package(
        &self,
        wanted: &WantedItem,
        bundle: &SignatureBundle,
        profile: &VendorProfile,
    ) -> Option<(BaseArtifact, FileDigest)> {
        let (_, stated) = bundle.stated_digest()?;
        let carried = self.carried(ManifestKind::Package, wanted).next()?;
        let item = self.as_base(carried)?;
        let message = profile.package.message.message(&item.sha256);
        let size = self.size(&carried.path)?;
        let digest = FileDigest { sha256: item.sha256, size };
        (Sha256Digest::of(message.as_bytes()).to_hex() == stated).then_some((item, digest))
    }

    fn size(&self, path: &str) -> Option<u64> {
        self.manifest.file(path).map(|file| file.size)
    }

    fn as_base(&self, artifact: &Artifact) -> Option<BaseArtifact> {
        let Artifact { kind, name, path, .. } = artifact;
        let sha256 = self.manifest.file(path)?.sha256;
        Some(BaseArtifact { kind: *kind, name: name.clone(), path: path.clone(), sha256 })
    }
}
