//! `sealift verify FILE`: finds out what a file is and has it judged.

use std::path::{Path, PathBuf};

use super::file_bundles::{FileBundles, load_found};
use crate::artifact::detect::{DetectedKind, Found};
use crate::artifact::{
    ArtifactSigner, ArtifactVerifier, BundleLoader, TrustedKey, TrustedSigner, TryBudget,
    VendorKeys, signs_file,
};
use crate::cli::trust_args::Trust;
use crate::cli::trust_settings::no_key;
use crate::cli::{detect, files};
use crate::image::Options;
use crate::pairing;
use crate::trust::{ArtifactName, VendorProfile};
use crate::verdict::{ArtifactReport, Fault, Outcome};

/// The signers to try: a certificate's identity, or each of the keys; with each vendor's conventions.
pub(super) fn signers<'a>(
    identity: Option<&'a Trust<'a>>,
    vendor_keys: &'a VendorKeys<'a>,
) -> Vec<ArtifactSigner<'a>> {
    let profiles = vendor_keys.profiles;
    if let Some(trust) = identity {
        let request = trust.request(vendor_keys.rules.now);
        let signer = TrustedSigner { request, listed: None };
        return profiles
            .iter()
            .map(|profile| ArtifactSigner { signer: signer.clone(), profile })
            .collect();
    }
    let by_key = |key: &'a TrustedKey<'a>| {
        let signer = vendor_keys.signer(key);
        let own = key.listed.map(|(vendor, _)| vendor.profile());
        let profiles: Vec<&VendorProfile> = match own {
            Some(own) => vec![own],
            None => profiles.iter().collect(),
        };
        profiles.into_iter().map(move |profile| ArtifactSigner { signer: signer.clone(), profile })
    };
    vendor_keys.keys.iter().flat_map(by_key).collect()
}

/// Judges single files.
pub(super) struct FileVerifier<'a> {
    /// Whose signature counts.
    pub(super) signers: Vec<ArtifactSigner<'a>>,
    /// The bundles that options name.
    pub(super) bundles: &'a [PathBuf],
    /// What the operator says that every file is.
    pub(super) kind: Option<DetectedKind>,
    /// File name of the operator's key.
    pub(super) key_file: Option<String>,
}

impl FileVerifier<'_> {
    /// Judges one file, pipe or OCI layout: it is read once, and judged by each signer in turn until
    /// one holds.
    pub(super) fn verify(&self, path: &Path, options: &Options<'_>) -> ArtifactReport {
        let found = detect::read(path, self.forced(path), options);
        let report = self.judge(path, &found);
        let is_package = matches!(found, Ok(Found::Package(..)));
        if report.outcome() == Outcome::Ok || is_package || self.kind.is_some() {
            return report;
        }
        self.as_package(path, options).unwrap_or(report)
    }

    fn judge(&self, path: &Path, found: &Result<Found, Fault>) -> ArtifactReport {
        let report = ArtifactReport::new(files::show(path));
        if self.signers.is_empty() {
            return report.refused(&no_key());
        }
        let (name, whole) = (files::file_name(path).unwrap_or_default(), files::slashed(path));
        let called = ArtifactName { name: &name, path: Some(&whole) };
        let key_file = self.key_file.as_deref();
        let mut source = FileBundles::new(path, found.as_ref().ok(), self.bundles, key_file);
        let tries = TryBudget::of_signers(self.signers.len());
        let verifier = ArtifactVerifier { signers: &self.signers, tries: &tries };
        verifier.verify(report, called, found.into(), &mut source)
    }

    /// The answer for what is not a good image, if its one bundle signs the SHA-256 of the file itself: such a
    /// bundle shows that the vendor took it for a package, and it covers the whole file.
    fn as_package(&self, path: &Path, options: &Options<'_>) -> Option<ArtifactReport> {
        let [named] = self.bundles else { return None };
        // A pipe was read already.
        if !path.is_file() || !named.is_file() {
            return None;
        }
        let bundle = load_found(named, &mut BundleLoader::of_file());
        let content = bundle.content.as_ref().ok()?;
        let detected =
            format!("package: {} signs the SHA-256 of the file itself", files::show(named));
        let found = detect::read(path, Some((DetectedKind::Package, detected)), options).ok()?;
        let Found::Package(digest, ..) = &found else { return None };
        let tries = TryBudget::of_signers(self.signers.len());
        let signs = |by: &ArtifactSigner<'_>| {
            signs_file(content, *digest, by.profile, [by.signer.request.signer.clone()], &tries)
        };
        self.signers.iter().any(signs).then(|| self.judge(path, &Ok(found)))
    }

    /// The type that the user forces, or that the bundle next to a file shows.
    fn forced(&self, path: &Path) -> Option<(DetectedKind, String)> {
        match self.kind {
            Some(DetectedKind::Image) => Some((DetectedKind::Image, "--type image".to_owned())),
            Some(DetectedKind::Package) => {
                Some((DetectedKind::Package, "--type package".to_owned()))
            }
            None => self.bundle_beside(path).map(|name| {
                (DetectedKind::Package, format!("package: its bundle {name} is next to it"))
            }),
        }
    }

    /// The name of the package bundle next to a file.
    fn bundle_beside(&self, path: &Path) -> Option<String> {
        if path.as_os_str() == "-" {
            return None;
        }
        let file = files::file_name(path)?;
        self.signers
            .iter()
            .filter_map(|by| pairing::for_package(by.profile, &file).bundle)
            .find(|name| path.with_file_name(name).is_file())
    }
}
