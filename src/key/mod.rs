//! Public keys: reading them from a file, naming them, and checking one signature with one key.
//!
//! The only door to the signature crates (`p256`, `p384`, `rsa`, `ed25519-dalek`). Supported are
//! ECDSA P-256 and P-384, RSA PKCS#1 v1.5 of 2048 to 8192 bits, and Ed25519; the rest is refused by
//! name rather than half checked. A key's fingerprint is the SHA-256 of its SPKI DER encoding.
//!
//! This room does not decide whom to trust, and knows nothing of bundles and logs.

mod hash;
mod pem;
pub(crate) mod primitive;
mod public;

pub use hash::{HashAlgorithm, UnknownHash};
pub use public::{KeyKind, PublicKey, SignatureError};

pub(crate) use hash::MessageHasher;
pub(crate) use pem::{PemError, single_block};
