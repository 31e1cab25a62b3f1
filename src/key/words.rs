//! A fingerprint in words, for comparing it by telephone.
//!
//! Twelve words of the English list of BIP-39 (2048 words that differ in their first four letters)
//! say the first 16 bytes of the fingerprint, 128 bits, and a checksum of 4 bits of them in the last
//! word, so that most slips of the ear are noticed. Finding a second key with the words of a given
//! one is as hard as breaking a P-256 key.
//!
//! The words name a public key. They are not a secret, and no wallet's or key's seed.

use bip39::Mnemonic;

use crate::digest::Sha256Digest;

/// Bytes of the fingerprint that the words say.
const BYTES: usize = 16;

/// The twelve words for a key's fingerprint, separated by single spaces.
///
/// They say the first 16 of its 32 bytes, as BIP-39 (English) says 128 bits of entropy.
#[must_use]
pub fn words(fingerprint: &Sha256Digest) -> String {
    fingerprint
        .as_bytes()
        .first_chunk::<BYTES>()
        .and_then(|bytes| Mnemonic::from_entropy(bytes).ok())
        // 16 bytes always have words. If they had not, the digits must be compared, never nothing.
        .map_or_else(|| fingerprint.to_string(), |words| words.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of BIP-39 (trezor/python-mnemonic, vectors.json) with 128 bits.
    #[test]
    fn known_answers() {
        for (byte, expected) in [
            (
                0x00,
                "abandon abandon abandon abandon abandon abandon \
                 abandon abandon abandon abandon abandon about",
            ),
            (0x7f, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
            (
                0x80,
                "letter advice cage absurd amount doctor acoustic avoid \
                 letter advice cage above",
            ),
            (0xff, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"),
        ] {
            // What follows the first 16 bytes has no part in it.
            for rest in [0x00, 0x5a] {
                let mut bytes = [rest; 32];
                bytes[..BYTES].fill(byte);
                assert_eq!(words(&Sha256Digest::from_bytes(bytes)), expected);
            }
        }
    }

    #[test]
    fn every_one_of_the_bytes_counts() {
        let plain = words(&Sha256Digest::from_bytes([7; 32]));
        for index in 0..BYTES {
            let mut bytes = [7; 32];
            bytes[index] ^= 1;
            let other = words(&Sha256Digest::from_bytes(bytes));
            assert_ne!(other, plain, "{index}");
            assert_eq!(other.split(' ').count(), 12, "{other}");
        }
    }
}
