//! The cryptography that the sigstore crates call: ours, in Rust, for verification only.
//!
//! The provider of those crates is process-global and panics when it is missing, so every way into
//! the library ([`super::TrustMaterial`]) installs it first. RSA-PSS and ML-DSA are refused: no
//! public instance uses them, and an untested scheme is worse than none.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

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

/// The key for a scheme, from the content of the SPKI's bit string. The library hands over the same few
/// bytes (of the vendor's key, of the logs' keys) for every bundle; each is parsed once.
fn key(scheme: SigningScheme, bytes: &[u8]) -> Result<Arc<RawKey>, Error> {
    let algorithm = scheme.key_algorithm();
    if algorithm == KeyAlgorithm::Rsa && !is_pkcs1(scheme) {
        return Err(unsupported(scheme));
    }
    let is_it = |known: &&ParsedKey| known.algorithm == algorithm && known.bytes == bytes;
    let known = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.iter().find(is_it) {
        return Ok(Arc::clone(&known.key));
    }
    drop(known);
    let parsed = match algorithm {
        KeyAlgorithm::EcdsaP256 => RawKey::p256(bytes),
        KeyAlgorithm::EcdsaP384 => RawKey::p384(bytes),
        KeyAlgorithm::Ed25519 => RawKey::ed25519(bytes),
        KeyAlgorithm::Rsa => RawKey::rsa(bytes),
        _ => return Err(unsupported(scheme)),
    };
    let key = Arc::new(parsed.map_err(|error| Error::InvalidKey(error.to_string()))?);
    let mut known = KEYS.write().unwrap_or_else(PoisonError::into_inner);
    // Certificates have a key each: what is not used again makes room.
    if known.len() >= KNOWN {
        known.remove(0);
    }
    known.push(ParsedKey { algorithm, bytes: bytes.to_vec(), key: Arc::clone(&key) });
    Ok(key)
}

/// A key that was parsed.
struct ParsedKey {
    algorithm: KeyAlgorithm,
    bytes: Vec<u8>,
    key: Arc<RawKey>,
}

/// How many keys are remembered.
const KNOWN: usize = 32;

static KEYS: RwLock<Vec<ParsedKey>> = RwLock::new(Vec::new());

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
            Some(algorithm) => key.verify_prehash(algorithm, &algorithm.digest(data), signature),
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
        answer(key(scheme, public_key)?.verify_prehash(algorithm, digest, signature), scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
