//! The cryptography that the sigstore crates call: ours, in Rust, for verification only.
//!
//! The provider of those crates is process-global and panics when it is missing, so every way into
//! the library ([`super::TrustMaterial`]) installs it first. RSA-PSS and ML-DSA are refused: no
//! public instance uses them, and an untested scheme is worse than none.
//!
//! The library asks about the bundle's signature again that our own check found to hold, and would get the
//! answer of the same arithmetic. That one answer is kept ([`Held`]) for exactly the same question.

use std::cell::RefCell;
use std::sync::OnceLock;

use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, KeyAlgorithm, SigningScheme, install_default_provider,
    try_default_provider,
};
use sigstore_verify::types::HashAlgorithm as SigstoreHash;

use crate::key::primitive::RawKey;
use crate::key::{HashAlgorithm, MessageHasher};

/// The provider; it has no state.
#[derive(Debug)]
struct Provider;

static PROVIDER: Provider = Provider;

/// Installs the provider for this process; later calls do nothing.
pub(super) fn install() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if try_default_provider().is_none() {
            // The only way to fail is that somebody else was first, which is as good.
            install_default_provider(&PROVIDER).ok();
        }
    });
}

/// A signature that was found to hold by [`RawKey::verify_prehash`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) key: RawKey,
    pub(super) algorithm: HashAlgorithm,
    pub(super) digest: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

thread_local! {
    /// What this thread knows while it asks the library.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Asks with the knowledge that a signature holds; behind it that is forgotten.
pub(super) fn knowing<T>(held: Option<Held>, ask: impl FnOnce() -> T) -> T {
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            HELD.set(None);
        }
    }
    let _forget = Forget;
    HELD.set(held);
    ask()
}

/// Whether a signature over a digest holds, as far as it is not known.
fn holds(key: &RawKey, algorithm: HashAlgorithm, digest: &[u8], signature: &[u8]) -> bool {
    let known = HELD.with_borrow(|held| {
        held.as_ref().is_some_and(|held| {
            held.key == *key
                && held.algorithm == algorithm
                && held.digest == digest
                && held.signature == signature
        })
    });
    known || key.verify_prehash(algorithm, digest, signature)
}

/// Our name for the library's hash algorithm.
pub(super) fn ours(algorithm: SigstoreHash) -> Option<HashAlgorithm> {
    match algorithm {
        SigstoreHash::Sha2256 => Some(HashAlgorithm::Sha256),
        SigstoreHash::Sha2384 => Some(HashAlgorithm::Sha384),
        SigstoreHash::Sha2512 => Some(HashAlgorithm::Sha512),
        _ => None,
    }
}

/// The library's name for our hash algorithm.
pub(super) const fn theirs(algorithm: HashAlgorithm) -> SigstoreHash {
    match algorithm {
        HashAlgorithm::Sha256 => SigstoreHash::Sha2256,
        HashAlgorithm::Sha384 => SigstoreHash::Sha2384,
        HashAlgorithm::Sha512 => SigstoreHash::Sha2512,
    }
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(format!("{} is not supported", scheme.name()))
}

/// The key for a scheme, from the content of the SPKI's bit string.
fn key(scheme: SigningScheme, bytes: &[u8]) -> Result<RawKey, Error> {
    let parsed = match scheme.key_algorithm() {
        KeyAlgorithm::EcdsaP256 => RawKey::p256(bytes),
        KeyAlgorithm::EcdsaP384 => RawKey::p384(bytes),
        KeyAlgorithm::Ed25519 => RawKey::ed25519(bytes),
        KeyAlgorithm::Rsa if is_pkcs1(scheme) => RawKey::rsa(bytes),
        _ => return Err(unsupported(scheme)),
    };
    parsed.map_err(|error| Error::InvalidKey(error.to_string()))
}

const fn is_pkcs1(scheme: SigningScheme) -> bool {
    matches!(
        scheme,
        SigningScheme::RsaPkcs1Sha256
            | SigningScheme::RsaPkcs1Sha384
            | SigningScheme::RsaPkcs1Sha512
    )
}

fn answer(holds: bool, scheme: SigningScheme) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::Verification(format!("{} signature invalid", scheme.name())))
    }
}

impl HashContext for MessageHasher {
    fn update(&mut self, data: &[u8]) {
        Self::update(self, data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.finish()
    }
}

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: SigstoreHash) -> Result<Box<dyn HashContext>, Error> {
        let algorithm = ours(algorithm)
            .ok_or_else(|| Error::UnsupportedAlgorithm("unknown hash algorithm".to_owned()))?;
        Ok(Box::new(MessageHasher::new(algorithm)))
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        public_key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let key = key(scheme, public_key)?;
        let holds = match scheme.hash_algorithm().and_then(ours) {
            Some(algorithm) => holds(&key, algorithm, &algorithm.digest(data), signature),
            None => key.verify_whole(data, signature),
        };
        answer(holds, scheme)
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        public_key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let algorithm =
            scheme.hash_algorithm().and_then(ours).ok_or_else(|| unsupported(scheme))?;
        answer(holds(&key(scheme, public_key)?, algorithm, digest, signature), scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point on each curve; nobody signed anything here.
    const P256: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    #[test]
    fn only_the_very_same_question_is_known() {
        let point = super::super::encoding::hex_strict(P256, 65).unwrap();
        let mut other = point.clone();
        // The point with the other y.
        other.splice(33.., p256::EncodedPoint::from_bytes(&point).map(|it| minus_y(&it)).unwrap());
        let (digest, signature) = (HashAlgorithm::Sha256.digest(b"x"), vec![1; 70]);
        let held = || Held {
            key: RawKey::p256(&point).unwrap(),
            algorithm: HashAlgorithm::Sha256,
            digest: digest.clone(),
            signature: signature.clone(),
        };
        let scheme = SigningScheme::EcdsaP256Sha256;
        let ask = |point: &[u8], digest: &[u8], signature: &[u8]| {
            PROVIDER.verify_prehashed(scheme, point, digest, signature).is_ok()
        };
        knowing(Some(held()), || {
            assert!(ask(&point, &digest, &signature));
            assert!(PROVIDER.verify_raw(scheme, &point, b"x", &signature).is_ok());
            assert!(PROVIDER.verify_raw(scheme, &point, b"y", &signature).is_err());
            assert!(!ask(&other, &digest, &signature));
            assert!(!ask(&point, &HashAlgorithm::Sha256.digest(b"y"), &signature));
            assert!(!ask(&point, &digest, &[1; 71]));
            assert!(!ask(&point, &digest[..31], &signature));
            let other_hash = SigningScheme::EcdsaP256Sha384;
            assert!(PROVIDER.verify_prehashed(other_hash, &point, &digest, &signature).is_err());
            // Another thread knows nothing.
            std::thread::scope(|scope| {
                let asked = scope.spawn(|| ask(&point, &digest, &signature));
                assert!(!asked.join().unwrap());
            });
        });
        assert!(!ask(&point, &digest, &signature));
        let panic = std::panic::catch_unwind(|| knowing(Some(held()), || panic!("stop")));
        assert!(panic.is_err() && !ask(&point, &digest, &signature));
    }

    fn minus_y(point: &p256::EncodedPoint) -> Vec<u8> {
        use p256::elliptic_curve::sec1::{FromEncodedPoint as _, ToEncodedPoint as _};
        let minus =
            -p256::ProjectivePoint::from(p256::AffinePoint::from_encoded_point(point).unwrap());
        minus.to_affine().to_encoded_point(false).y().unwrap().to_vec()
    }

    #[test]
    fn installing_twice_is_harmless_and_hashes_are_right() {
        install();
        install();
        assert_eq!(
            sigstore_verify::crypto::sha256(b"abc").to_hex(),
            crate::digest::Sha256Digest::of(b"abc").to_hex()
        );
        for scheme in [SigningScheme::RsaPssSha256, SigningScheme::MlDsa44] {
            assert!(PROVIDER.verify_raw(scheme, b"", b"", b"").is_err(), "{scheme:?}");
        }
        assert!(PROVIDER.verify_prehashed(SigningScheme::Ed25519, &[0; 32], b"", b"").is_err());
    }
}
