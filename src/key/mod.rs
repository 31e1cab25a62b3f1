//! Keys: reading them from a file, naming them, checking one signature with one key, and making one.
//!
//! The only door to the signature crates (`p256`, `p384`, `rsa`, `ed25519-dalek`) and to those that
//! encrypt a private key. Supported to verify with are ECDSA P-256 and P-384, RSA PKCS#1 v1.5 of
//! 2048 to 8192 bits, and Ed25519, to sign with ECDSA P-256 alone; the rest is refused by name rather
//! than half checked. A key's fingerprint is the SHA-256 of its SPKI DER encoding; it can be
//! said in words.
//!
//! This room does not decide whom to trust, and knows nothing of bundles and logs. It opens no file:
//! where a password comes from, and where a key is written to, is not its business.

mod encrypted;
mod found_key;
mod hash;
mod pem;
pub(crate) mod primitive;
mod private;
mod private_der;
mod public;
mod random;
mod words;

pub use hash::{HashAlgorithm, UnknownHash};
pub use private::PrivateKey;
pub use public::{KeyKind, PublicKey, SignatureError};
pub use random::random_bytes;
pub use words::words;

pub(crate) use hash::MessageHasher;
pub(crate) use pem::{PemError, single_block};
pub(crate) use private_der::is_private_der;
