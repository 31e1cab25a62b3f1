//! A P-256 key for tests: what `cosign generate-key-pair` and `sign-blob` do, without a log.

use base64ct::{Base64, Encoding as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The fixed beginning of a P-256 public key in DER (RFC 5480: algorithm, curve, bit string).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A private key.
#[derive(Debug)]
pub(crate) struct Signer(SigningKey);

impl Signer {
    /// The key whose scalar is the SHA-256 of the seed.
    ///
    /// # Errors
    /// If the hash is no valid P-256 scalar, which happens for one seed in 2^32.
    pub(crate) fn new(seed: &[u8]) -> Result<Self, p256::ecdsa::Error> {
        Ok(Self(SigningKey::from_slice(&Sha256::digest(seed))?))
    }

    /// The public key in DER (SPKI).
    pub(crate) fn public_key_der(&self) -> Vec<u8> {
        let point = VerifyingKey::from(&self.0).to_encoded_point(false);
        [&SPKI_PREFIX[..], point.as_bytes()].concat()
    }

    /// The public key in PEM.
    pub(crate) fn public_key_pem(&self) -> String {
        let text = Base64::encode_string(&self.public_key_der());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (index, c) in text.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// A signature in ASN.1 DER over the SHA-256 of the message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}
