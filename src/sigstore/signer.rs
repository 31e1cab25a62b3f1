//! The signer that a bundle names, against the one that was asked for.
//!
//! What a bundle claims can only lead to a refusal here; it never makes anything OK.

use super::bundle::{Format, SignatureBundle, VerificationMaterial};
use super::causes;
use super::certificate::Certificate;
use super::checklist::Checklist;
use super::verify_request::Signer;
use crate::key::PublicKey;
use crate::verdict::{CheckName, Code, Fault};

/// A key was asked for and the bundle is by key, or an identity and it is by certificate; and
/// what it carries is the operator's.
pub(super) fn check_kind(
    bundle: &SignatureBundle,
    signer: &Signer<'_>,
    checklist: &mut Checklist,
    likely_causes: &mut Vec<String>,
) -> Result<(), Fault> {
    let mismatch = |message: &str| Fault::new(Code::SignerKindMismatch, message);
    let other = |key: &PublicKey, found: &PublicKey| {
        Fault::new(Code::BundleKeyMismatch, "the bundle carries another key than the one given")
            .expected_found(key.fingerprint(), found.fingerprint())
    };
    let old = bundle.format == Format::Cosign;
    match (signer, &bundle.material) {
        (Signer::Key { .. }, VerificationMaterial::Nothing | VerificationMaterial::KeyHint(_))
        | (Signer::Identity { .. }, VerificationMaterial::Certificates { .. }) => return Ok(()),
        (Signer::Key { key, .. }, VerificationMaterial::Key(found)) if **found == **key => {}
        (Signer::Key { key, .. }, VerificationMaterial::Key(found)) => {
            return Err(other(key, found));
        }
        (Signer::Key { key, .. }, VerificationMaterial::Certificates { leaf, .. }) if old => {
            if leaf.key != **key {
                likely_causes.push(causes::keyless(leaf));
                return Err(other(key, &leaf.key));
            }
        }
        (Signer::Key { key, .. }, VerificationMaterial::Certificates { leaf, .. }) => {
            likely_causes.push(causes::keyless(leaf));
            return Err(mismatch("the bundle is signed with a certificate, not with a key")
                .expected_found(key.fingerprint(), leaf.key.fingerprint()));
        }
        (Signer::Identity { .. }, _) => {
            return Err(mismatch("the bundle is signed with a key, not with a certificate"));
        }
    }
    checklist.pass(CheckName::BundleKey, 0);
    Ok(())
}

/// The signing certificate, where one was asked for.
pub(super) fn certificate<'a>(
    bundle: &'a SignatureBundle,
    signer: &Signer<'_>,
) -> Option<&'a Certificate> {
    match (signer, &bundle.material) {
        (Signer::Identity { .. }, VerificationMaterial::Certificates { leaf, .. }) => Some(leaf),
        _ => None,
    }
}

/// What the certificate claims against what was asked for. The claims count only once the
/// library has found the certificate good; a mismatch refuses at once.
pub(super) fn check_identity(
    bundle: &SignatureBundle,
    signer: &Signer<'_>,
    checklist: &mut Checklist,
) -> Result<(), Fault> {
    let (Signer::Identity { identity, issuer }, Some(certificate)) =
        (signer, certificate(bundle, signer))
    else {
        return Ok(());
    };
    let claims =
        [("identity", identity, &certificate.identity), ("issuer", issuer, &certificate.issuer)];
    for (what, expected, found) in claims {
        if let Some(found) = found {
            checklist.value(CheckName::Identity, 0, what, found);
        }
        if !found.as_deref().is_some_and(|found| expected.matches(found)) {
            return Err(Fault::new(
                Code::IdentityMismatch,
                format!("the certificate's {what} is another one"),
            )
            .expected_found(expected, found.as_deref().unwrap_or("none")));
        }
    }
    Ok(())
}
