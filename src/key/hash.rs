//! The hash functions that signatures are made over.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A hash function of the SHA-2 family, as cosign's `--signature-digest-algorithm` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

/// A name that is not `sha256`, `sha384` or `sha512`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hash algorithm is one of sha256, sha384, sha512")]
pub struct UnknownHash;

impl HashAlgorithm {
    /// The lower-case name: `sha256`, `sha384`, `sha512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub(crate) const fn digest_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of bytes in memory.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HashAlgorithm {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<Self, UnknownHash> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(UnknownHash)
    }
}

/// A digest in steps, under an algorithm chosen at run time.
#[derive(Clone)]
pub(crate) enum MessageHasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl MessageHasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            HashAlgorithm::Sha384 => Self::Sha384(Sha384::new()),
            HashAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha384(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(state) => state.finalize().to_vec(),
            Self::Sha384(state) => state.finalize().to_vec(),
            Self::Sha512(state) => state.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lengths_and_steps_agree() {
        for (name, start) in
            [("sha256", "ba7816bf"), ("sha384", "cb00753f"), ("sha512", "ddaf35a1")]
        {
            let algorithm: HashAlgorithm = name.parse().unwrap();
            let digest = algorithm.digest(b"abc");
            assert_eq!(digest.len(), algorithm.digest_bytes());
            assert!(crate::digest::hex(&digest).starts_with(start), "{name}");
            let mut steps = MessageHasher::new(algorithm);
            steps.update(b"a");
            steps.update(b"bc");
            assert_eq!(steps.finish(), digest);
            assert_eq!(algorithm.to_string(), name);
        }
        assert_eq!("sha1".parse::<HashAlgorithm>(), Err(UnknownHash));
        assert_eq!("SHA256".parse::<HashAlgorithm>(), Err(UnknownHash));
    }
}
