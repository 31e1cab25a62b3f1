//! A throwaway P-256 key that signs as cosign does: old bundles without a log entry.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};

/// A signing key with a fixed seed, so that tests are repeatable.
pub struct TestKey(SigningKey);

impl TestKey {
    /// The key number `seed` (1 to 255).
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).expect("a valid scalar"))
    }

    /// The public key as PEM.
    pub fn public_pem(&self) -> String {
        self.0.verifying_key().to_public_key_pem(LineEnding::LF).expect("encodes")
    }

    /// An old cosign bundle over a text, as `cosign sign-blob --tlog-upload=false` writes it.
    pub fn bundle(&self, message: &str) -> String {
        let signature: DerSignature = self.0.sign(message.as_bytes());
        let text = <base64ct::Base64 as base64ct::Encoding>::encode_string(signature.as_bytes());
        format!("{{\"base64Signature\":\"{text}\"}}")
    }
}
