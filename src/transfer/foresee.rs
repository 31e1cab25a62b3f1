//! What is known of an artifact before it is fetched: whether any of its bundles can count for it at all,
//! by the keys, the logs and the terms that will decide. Never a verdict: the artifact is still to be read.

use std::collections::BTreeSet;

use super::examine::{listed, look};
use super::seal_request::SealRequest;
use crate::artifact::{self, TrustedKey, TryBudget};
use crate::digest::Sha256Digest;
use crate::directory::{Folder, read_small};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::sigstore::{SignatureBundle, Subject, Transparency};
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// What is known of an artifact before it is fetched.
#[derive(Debug, Clone, Copy)]
pub enum Foreseen<'a> {
    /// A package: what its bundle states is taken for true.
    Package,
    /// An image: all digests by which it can be proved.
    Image(&'a [Sha256Digest]),
}

impl Foreseen<'_> {
    /// The digests of the texts that the vendor may have signed.
    fn texts(self, bundle: &SignatureBundle, profile: &VendorProfile) -> Vec<Sha256Digest> {
        match self {
            Self::Package => match bundle.stated_digest() {
                Some((HashAlgorithm::Sha256, hex)) => {
                    Sha256Digest::from_hex(&hex).into_iter().collect()
                }
                _ => Vec::new(),
            },
            Self::Image(digests) => {
                let text =
                    |digest| Sha256Digest::of(profile.image.message.message(digest).as_bytes());
                digests.iter().map(text).collect()
            }
        }
    }
}

/// Refuses an artifact if it is certain, before anything of it is read, that none of these bundles will
/// count for it; `name` is what it will be called. `material` are all files that belong to it.
///
/// # Errors
/// Those of reading a bundle and of its verdict.
pub fn foresee(
    folder: &Folder,
    request: &SealRequest<'_>,
    name: &str,
    material: &BTreeSet<String>,
    bundles: &[String],
    artifact: Foreseen<'_>,
) -> Result<(), Fault> {
    let survey = look(folder, request, &listed(folder, material)?);
    let vendor_keys = request.vendor_keys(&survey)?;
    let mut refusal: Option<Fault> = None;
    let tries = TryBudget::default();
    for bundle in bundles {
        let at = |fault: Fault| fault.at(folder.show(bundle));
        let (bytes, _) = read_small(folder, bundle, limits::BUNDLE_BYTES, Code::BundleTooLarge)?;
        let bundle = SignatureBundle::parse_found(&bytes).map_err(at)?;
        for key in &vendor_keys.keys {
            let signer = vendor_keys.signer(key);
            let profile = profile(key, request.profile);
            let texts = artifact.texts(&bundle, profile);
            if texts.is_empty() {
                // It does not say what it is about: only what it lacks is known.
                if bundle.has_log_entry() || signer.request.transparency != Transparency::Required {
                    return Ok(());
                }
                let message = "the bundle has no log entry, and one is required";
                let fault = Fault::new(Code::LogEntryMissing, message);
                refusal = Some(at(match key.listed {
                    Some(_) => fault.advise(artifact::LOG_BY_POLICY),
                    None => fault,
                }));
            }
            for text in texts {
                // With no tries left nothing is certain.
                if !tries.take() {
                    return Ok(());
                }
                let found =
                    artifact::would_prove(&bundle, Subject::Digest(text), &signer, name.into());
                let Err(fault) = found.map_err(at) else { return Ok(()) };
                if fault.code() == Code::WholeMessageNeeded {
                    return Ok(());
                }
                if refusal.as_ref().is_none_or(|refusal| weight(&fault) > weight(refusal)) {
                    refusal = Some(fault);
                }
            }
        }
    }
    let signed = refusal.as_ref().is_some_and(|fault| weight(fault) > 0);
    match vendor_keys.unnamed.first() {
        Some(key) if !signed && refusal.is_some() => {
            let fingerprint = key.fingerprint();
            let message = format!(
                "none of the named keys signed it; the vendor names the key {fingerprint}: compare \
                 it with the vendor out of band, then say --pin-key {fingerprint}"
            );
            Err(Fault::new(Code::KeyNotNamed, message))
        }
        _ => refusal.map_or(Ok(()), Err),
    }
}

fn profile<'a>(key: &TrustedKey<'a>, default: &'a VendorProfile) -> &'a VendorProfile {
    key.listed.map_or(default, |(vendor, _)| vendor.profile())
}

/// How much a refusal says: that a bundle is about something else, or by somebody else, says less than
/// a fault of the right bundle.
fn weight(fault: &Fault) -> u8 {
    match fault.code() {
        Code::DigestMismatch
        | Code::SignatureInvalid
        | Code::BundleKeyMismatch
        | Code::LogEntryMismatch => 0,
        _ => 1,
    }
}
