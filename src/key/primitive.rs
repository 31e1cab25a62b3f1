//! One signature, one raw public key, one answer: the thin layer over the signature crates.
//!
//! Both the operator's keys ([`super::PublicKey`]) and the provider that the sigstore crates call
//! go through here. High-S ECDSA signatures are accepted, as cosign does; ECDSA signatures must be
//! strict ASN.1 DER, and raw IEEE P1363 `r || s` is refused.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::der::Decode as _;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::HashAlgorithm;

/// Smallest RSA modulus in bits.
pub(crate) const RSA_MIN_BITS: usize = 2048;
/// Largest RSA modulus in bits.
pub(crate) const RSA_MAX_BITS: usize = 8192;

/// Why a raw public key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadKey {
    /// Not an encoding of a key of this type.
    #[error("the key is not well-formed")]
    Malformed,
    /// A point that is compressed, or not on the curve.
    #[error("the point is not an uncompressed point on the curve")]
    Point,
    /// A modulus that is too short or too long.
    #[error("an RSA key of {0} bits; 2048 to 8192 are supported")]
    RsaBits(usize),
    /// An even or tiny public exponent.
    #[error("an RSA key with an unusable public exponent")]
    RsaExponent,
}

/// A parsed public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RawKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa(RsaPublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl RawKey {
    /// A P-256 key from its uncompressed SEC1 point.
    pub(crate) fn p256(point: &[u8]) -> Result<Self, BadKey> {
        uncompressed(point)?;
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P256).map_err(|_| BadKey::Point)
    }

    /// A P-384 key from its uncompressed SEC1 point.
    pub(crate) fn p384(point: &[u8]) -> Result<Self, BadKey> {
        uncompressed(point)?;
        p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P384).map_err(|_| BadKey::Point)
    }

    /// An RSA key from PKCS#1 `RSAPublicKey` DER.
    pub(crate) fn rsa(pkcs1: &[u8]) -> Result<Self, BadKey> {
        let key = rsa::pkcs1::RsaPublicKey::from_der(pkcs1).map_err(|_| BadKey::Malformed)?;
        let modulus = BigUint::from_bytes_be(key.modulus.as_bytes());
        let exponent = BigUint::from_bytes_be(key.public_exponent.as_bytes());
        let bits = modulus.bits();
        if !(RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits) {
            return Err(BadKey::RsaBits(bits));
        }
        // An even exponent has no inverse, and e = 1 makes every message its own signature.
        let odd = exponent.to_bytes_le().first().is_some_and(|byte| byte & 1 == 1);
        if !odd || exponent < BigUint::from(3_u8) {
            return Err(BadKey::RsaExponent);
        }
        RsaPublicKey::new_with_max_size(modulus, exponent, RSA_MAX_BITS)
            .map(Self::Rsa)
            .map_err(|_| BadKey::RsaExponent)
    }

    /// An Ed25519 key from its 32 bytes.
    pub(crate) fn ed25519(bytes: &[u8]) -> Result<Self, BadKey> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| BadKey::Malformed)?;
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self::Ed25519)
            .map_err(|_| BadKey::Malformed)
    }

    /// Whether `signature` is one over the message with this digest. `false` for Ed25519, which
    /// signs whole messages, and for a digest of another length than the algorithm's.
    pub(crate) fn verify_prehash(
        &self,
        algorithm: HashAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> bool {
        if digest.len() != algorithm.digest_bytes() {
            return false;
        }
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Self::Rsa(key) => {
                let scheme = match algorithm {
                    HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(scheme, digest, signature).is_ok()
            }
            Self::Ed25519(_) => false,
        }
    }

    /// Whether `signature` is one over the whole `message`; `false` for keys that sign digests.
    pub(crate) fn verify_whole(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::P256(_) | Self::P384(_) | Self::Rsa(_) => false,
        }
    }
}

/// Compressed points are a second spelling of a key; Go and the sigstore crates refuse them too.
fn uncompressed(point: &[u8]) -> Result<(), BadKey> {
    if point.first() == Some(&4) { Ok(()) } else { Err(BadKey::Point) }
}
