//! Likely causes of a refusal, from what the bundle itself shows. They never turn a refusal into an OK.

use super::body::{Body, LoggedKey};
use super::bundle::{BundleContent, SignatureBundle, VerificationMaterial};
use super::certificate::Certificate;
use super::encoding::base64;
use super::subject::ArtifactDigests;
use crate::digest::Sha256Digest;
use crate::key::{HashAlgorithm, KeyKind, PublicKey};

/// The bundle holds a certificate where a key was asked for.
pub(super) fn keyless(certificate: &Certificate) -> String {
    format!(
        "the bundle was made by keyless signing ({}, issuer {}): ask for it with a \
         certificate identity and issuer instead of a key",
        certificate.identity.as_deref().unwrap_or("no identity"),
        certificate.issuer.as_deref().unwrap_or("none"),
    )
}

/// Reasons why a signature does not hold, or is about something else.
pub(super) fn of(bundle: &SignatureBundle, key: &PublicKey) -> Vec<String> {
    let mut causes = Vec::new();
    for entry in &bundle.entries {
        let Ok(Body::HashedRekord(record)) = entry.read() else { continue };
        let logged = match &record.verifier {
            LoggedKey::Key(der) => Some(Sha256Digest::of(der)),
            LoggedKey::Certificate(der) => {
                Certificate::from_der(der.clone()).ok().map(|found| found.key.fingerprint())
            }
        };
        if let Some(logged) = logged.filter(|logged| *logged != key.fingerprint()) {
            causes.push(format!(
                "wrong key: the bundle's log entry names the key {logged}, the key given is {}",
                key.fingerprint()
            ));
        }
        if key.kind() == KeyKind::Ed25519 && record.hash.algorithm == HashAlgorithm::Sha512 {
            causes.push(
                "the signature is most likely Ed25519ph over SHA-512, which cosign writes when it \
                 logs a signature; only pure Ed25519 is accepted, as in cosign verify-blob"
                    .to_owned(),
            );
        }
        if record.signature != bundle.signature() {
            causes.push("the log entry in the bundle belongs to another signature".to_owned());
        }
    }
    if let VerificationMaterial::KeyHint(hint) = &bundle.material {
        // What cosign writes as a hint; other clients write other things, which show nothing.
        let looks_like_cosigns =
            super::encoding::base64_strict(hint).is_some_and(|bytes| bytes.len() == 32);
        if looks_like_cosigns && *hint != base64(key.fingerprint().as_bytes()) {
            causes.push(format!(
                "wrong key: the bundle names the key {} (a hint, not a proof), the key given is {}",
                hint_text(hint),
                key.fingerprint()
            ));
        }
    }
    let ecdsa = matches!(key.kind(), KeyKind::EcdsaP256 | KeyKind::EcdsaP384);
    if ecdsa && matches!(bundle.signature().len(), 64 | 96) && !starts_like_der(bundle.signature())
    {
        causes.push(
            "the signature looks like raw IEEE P1363 (r and s side by side); only \
             ASN.1 DER, which cosign writes, is accepted"
                .to_owned(),
        );
    }
    causes.dedup();
    causes
}

/// Whether the signature would hold under the hash function that the request excludes.
pub(super) fn other_hash(
    bundle: &SignatureBundle,
    artifact: &ArtifactDigests<'_>,
    key: &PublicKey,
) -> Option<String> {
    let BundleContent::MessageSignature { signature, .. } = &bundle.content else { return None };
    [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512]
        .into_iter()
        .find(|algorithm| {
            artifact
                .digest(*algorithm)
                .is_some_and(|digest| key.verify_digest(*algorithm, digest, signature).is_ok())
        })
        .map(|algorithm| {
            format!("the signature is over {algorithm}, which was not asked for: if the vendor signs so, name it with --signature-digest-algorithm")
        })
}

fn hint_text(hint: &str) -> String {
    super::encoding::base64_strict(hint)
        .map(|bytes| format!("sha256:{}", crate::digest::hex(&bytes)))
        .unwrap_or_default()
}

/// `SEQUENCE`, then a length that spans the rest.
fn starts_like_der(signature: &[u8]) -> bool {
    match signature {
        [0x30, length, rest @ ..] => usize::from(*length) == rest.len(),
        _ => false,
    }
}
