//! Our own check of the signature: the first of the two answers, and the source of diagnoses.

use serde_json::Value;
use sigstore_verify::types::pae;

use super::bundle::{BundleContent, SignatureBundle, VerificationMaterial};
use super::encoding::hex_strict;
use super::subject::{ArtifactDigests, candidates};
use super::verify_request::{HashRule, Signer};
use crate::json;
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The key to check with and the hash functions to accept: the operator's, or the certificate's.
///
/// With a certificate the bundle may state the hash function; nothing else does.
pub(super) fn key_of<'a>(
    bundle: &'a SignatureBundle,
    signer: &Signer<'a>,
) -> Option<(&'a PublicKey, HashRule)> {
    match (signer, &bundle.material) {
        (Signer::Key { key, hash }, _) => Some((key, *hash)),
        (Signer::Identity { .. }, VerificationMaterial::Certificates { leaf, .. }) => {
            let stated = match &bundle.content {
                BundleContent::MessageSignature { digest: Some(stated), .. } => {
                    Some(stated.algorithm)
                }
                _ => None,
            };
            Some((&leaf.key, stated.map_or(HashRule::Known, HashRule::Exactly)))
        }
        (Signer::Identity { .. }, _) => None,
    }
}

/// What the signature turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureCheck {
    /// It holds, over the digest under this algorithm; none for Ed25519.
    Holds(Option<HashAlgorithm>),
    /// It does not.
    Fails,
    /// The digest that it would have to be checked over is not known.
    DigestUnknown(HashAlgorithm),
}

/// Checks the bundle's signature over the artifact (or over the envelope's payload).
pub(super) fn check(
    bundle: &SignatureBundle,
    artifact: &ArtifactDigests<'_>,
    key: &PublicKey,
    rule: HashRule,
) -> SignatureCheck {
    match &bundle.content {
        BundleContent::MessageSignature { signature, .. } => {
            if key.signs_whole_messages() {
                let holds = artifact.whole().is_some_and(|message| {
                    key.verify_message(HashAlgorithm::Sha512, message, signature).is_ok()
                });
                return if holds { SignatureCheck::Holds(None) } else { SignatureCheck::Fails };
            }
            let mut unknown = None;
            for algorithm in candidates(key, rule) {
                match artifact.digest(algorithm) {
                    Some(digest) if key.verify_digest(algorithm, digest, signature).is_ok() => {
                        return SignatureCheck::Holds(Some(algorithm));
                    }
                    Some(_) => {}
                    None => unknown = Some(algorithm),
                }
            }
            unknown.map_or(SignatureCheck::Fails, SignatureCheck::DigestUnknown)
        }
        BundleContent::DsseEnvelope { payload_type, payload, signature, .. } => {
            let message = pae(payload_type, payload);
            candidates(key, rule)
                .into_iter()
                .find(|algorithm| key.verify_message(*algorithm, &message, signature).is_ok())
                .map_or(SignatureCheck::Fails, |algorithm| {
                    SignatureCheck::Holds((!key.signs_whole_messages()).then_some(algorithm))
                })
        }
    }
}

/// Whether the bundle's signature is one over `message` by `signer`. Our own check only, for
/// choosing among keys and finding out what went wrong: it looks at no log and no certificate, and is
/// never a verdict. A bundle that states another digest than the message's costs no signature check.
#[must_use]
pub fn signature_holds(bundle: &SignatureBundle, message: &[u8], signer: &Signer<'_>) -> bool {
    if bundle.states(message) == Some(false) {
        return false;
    }
    let Some((key, rule)) = key_of(bundle, signer) else { return false };
    #[cfg(test)]
    TRIED.with(|count| count.set(count.get() + 1));
    let needs = super::subject::Needs::of(bundle, key, rule);
    let Ok(artifact) = ArtifactDigests::read(super::Subject::Bytes(message), &needs) else {
        return false;
    };
    matches!(check(bundle, &artifact, key, rule), SignatureCheck::Holds(_))
        && (matches!(bundle.content, BundleContent::MessageSignature { .. })
            || subject_digest(bundle, &artifact).is_ok())
}

/// Whether the bundle's signature is one by `signer` over the digest that the bundle states, whatever that is of;
/// none where it states none or the scheme does not sign digests. For finding out what went wrong, as
/// [`signature_holds`].
#[must_use]
pub(crate) fn signs_what_it_states(bundle: &SignatureBundle, signer: &Signer<'_>) -> Option<bool> {
    let (key, rule) = key_of(bundle, signer)?;
    let (algorithm, digest) = bundle.stated()?;
    if key.signs_whole_messages() || !candidates(key, rule).contains(&algorithm) {
        return None;
    }
    Some(key.verify_digest(algorithm, digest, bundle.signature()).is_ok())
}

#[cfg(test)]
thread_local! {
    /// How many signatures this thread checked only to find out what a bundle is about.
    pub(crate) static TRIED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The digest by which an attestation (in-toto statement) names this artifact.
pub(super) fn subject_digest(
    bundle: &SignatureBundle,
    artifact: &ArtifactDigests<'_>,
) -> Result<(HashAlgorithm, Vec<u8>), Fault> {
    let BundleContent::DsseEnvelope { payload_type, payload, .. } = &bundle.content else {
        return Err(Fault::new(Code::BundleUnsupported, "the bundle holds no envelope"));
    };
    if payload_type != "application/vnd.in-toto+json" {
        return Err(Fault::new(
            Code::BundleUnsupported,
            "the envelope's payload is not an attestation about an artifact",
        )
        .expected_found("application/vnd.in-toto+json", payload_type));
    }
    let statement = json::parse(payload, limits::BUNDLE_BYTES).map_err(|error| {
        Fault::new(Code::BundleMalformed, error.to_string()).at("dsseEnvelope.payload")
    })?;
    let subjects =
        statement.get("subject").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut not_known = false;
    for subject in subjects {
        for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
            let stated = subject.pointer(&format!("/digest/{algorithm}")).and_then(Value::as_str);
            let Some(stated) = stated.and_then(|hex| hex_strict(hex, algorithm.digest_bytes()))
            else {
                continue;
            };
            match artifact.digest(algorithm) {
                Some(digest) if digest == stated => return Ok((algorithm, stated)),
                Some(_) => {}
                None => not_known = true,
            }
        }
    }
    if not_known {
        return Err(Fault::new(
            Code::WholeMessageNeeded,
            "the attestation names its subject by SHA-512, and only the SHA-256 is known here",
        ));
    }
    Err(Fault::new(Code::DigestMismatch, "the attestation is about other artifacts"))
}
