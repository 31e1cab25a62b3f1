//! What a file that was found is, if it is material: a bundle, a key, a trusted root, a vendor's key name.
//!
//! Material needs no signature of its own, so it must not be able to be anything else: it counts by its exact
//! form only. What an operator names by an option is read elsewhere, as cosign reads it.

use std::fmt;

use super::survey::What;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::sigstore::{self, Found};
use crate::trust::VendorProfile;
use crate::verdict::Fault;

/// Where a file lies that may be material.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    /// Its path.
    pub name: &'a str,
    /// The conventions by which vendors name keys.
    pub profiles: &'a [&'a VendorProfile],
    /// Whether a package of this path lies there.
    pub has: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spot").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a file is material. Material is compared and selected by, never run or loaded.
#[must_use]
pub fn is_material(place: &Spot<'_>, bytes: &[u8]) -> bool {
    material(place, bytes).is_ok_and(|what| what.is_some())
}

/// Whether a file that begins so may be material.
pub(super) fn may_be_material(beginning: &[u8]) -> bool {
    // JSON, PEM, a comment (no script), and what OpenSSL prints.
    const WORDS: [&[u8]; 8] = [
        b"{",
        b"-",
        b"# ",
        b"#\n",
        b"#\r",
        b"Public-Key",
        b"RSA Public-Key",
        b"ED25519 Public-Key",
    ];
    let text = beginning.trim_ascii_start();
    text.is_empty() || WORDS.iter().any(|word| text.starts_with(word))
}

/// What the bytes of a small file are, if they are material beyond doubt.
///
/// # Errors
/// [`crate::verdict::Code::MaterialUnknownMember`] for what is material and more than that.
pub(super) fn material(place: &Spot<'_>, bytes: &[u8]) -> Result<Option<What>, Fault> {
    if !may_be_material(bytes) {
        return Ok(None);
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(PublicKey::from_found(bytes).ok().map(|key| What::Key(Box::new(key))));
    }
    match sigstore::found(bytes)? {
        Some(Found::Bundle(bundle)) => {
            Ok(Some(What::Bundle(bundle.stated_digest().map(|(_, digest)| digest))))
        }
        Some(Found::TrustedRoot) if place.name.ends_with(".json") => Ok(Some(What::TrustedRoot)),
        Some(Found::TrustedRoot) => Ok(None),
        None => Ok(names_key(place, bytes)?.then_some(What::KeyName)),
    }
}

/// Whether a file is what a vendor lays beside a package to name its key.
fn names_key(place: &Spot<'_>, bytes: &[u8]) -> Result<bool, Fault> {
    let mut packages =
        place.profiles.iter().filter_map(|profile| profile.package.key_file.package_of(place.name));
    if !packages.any(|package| (place.has)(&package)) {
        return Ok(false);
    }
    pairing::is_key_name(bytes)
}

/// Whether a PEM block of a private key, in whatever form, is what a file holds: at most comments and what
/// OpenSSL prints of it stand before.
pub(super) fn holds_private_key(bytes: &[u8]) -> bool {
    if bytes.len() as u64 > limits::KEY_BYTES {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let Some((before, block)) = text.split_once("-----BEGIN ") else { return false };
    let printed = before.contains("Private-Key:") || before.contains("Public-Key:");
    let besides = |line: &str| {
        let line = line.trim_matches(['\u{feff}', ' ', '\t', '\r']);
        line.is_empty() || line.starts_with('#') || printed
    };
    block.contains("PRIVATE KEY-----") && before.lines().all(besides)
}
