//! The bundles of one artifact: read within one budget, and offered to the code that judges it.
//!
//! Where they come from (an option, the files next to it, a folder, a sealed manifest) is decided above.

use super::verification_context::Clues;
use crate::limits;
use crate::sigstore::SignatureBundle;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// A bundle under the name that the user knows it by.
#[derive(Debug)]
pub struct NamedBundle {
    /// File name.
    pub name: String,
    /// What it parsed to, or why it did not (with its place).
    pub content: Result<SignatureBundle, Fault>,
}

/// Bundles for an artifact, and what the names around it tell.
#[derive(Debug, Clone, Default)]
pub struct OfferedBundles<'b> {
    /// The bundles.
    pub bundles: &'b [NamedBundle],
    /// What to report when a signature does not hold.
    pub clues: Clues,
    /// Why there may be too few of them.
    pub likely_causes: Vec<String>,
}

/// Where the bundles of an artifact come from.
pub trait BundleSource {
    /// The bundles that count by a vendor's conventions.
    fn offer(&mut self, profile: &VendorProfile) -> OfferedBundles<'_>;
}

/// The same bundles, whatever the conventions.
impl BundleSource for OfferedBundles<'_> {
    fn offer(&mut self, _: &VendorProfile) -> OfferedBundles<'_> {
        self.clone()
    }
}

/// Reads and parses the bundles of one artifact. All of them are held in memory, and labels of an archive can
/// name thousands, so they are bounded together too.
#[derive(Debug)]
pub struct BundleLoader {
    left: u64,
    parse: fn(&[u8]) -> Result<SignatureBundle, Fault>,
}

impl BundleLoader {
    /// For bundles of a single file, read as cosign reads them.
    #[must_use]
    pub const fn of_file() -> Self {
        Self { left: limits::BUNDLES_TOTAL_BYTES, parse: parse_named }
    }

    /// For bundles that were found in a folder or a transfer: they count by their exact form only.
    #[must_use]
    pub const fn of_folder() -> Self {
        Self { left: limits::BUNDLES_TOTAL_BYTES, parse: SignatureBundle::parse_found }
    }

    /// Loads one bundle; `place` is where the user finds it, and `read` reads a file up to the given size.
    /// What is wrong with a bundle is part of the verdict.
    pub fn load(
        &mut self,
        name: impl Into<String>,
        place: &str,
        read: impl FnOnce(u64) -> Result<Vec<u8>, Fault>,
    ) -> NamedBundle {
        let limit = limits::BUNDLE_BYTES.min(self.left);
        let too_large = |fault: Fault| {
            if fault.code() != Code::BundleTooLarge || limit == limits::BUNDLE_BYTES {
                return fault;
            }
            let total = limits::BUNDLES_TOTAL_BYTES;
            let message = format!("the bundles together are larger than {total} bytes");
            Fault::new(Code::BundleTooLarge, message).at(place)
        };
        let content = read(limit).map_err(too_large).and_then(|bytes| {
            self.left = self.left.saturating_sub(bytes.len() as u64);
            (self.parse)(&bytes).map_err(|fault| fault.at(place))
        });
        NamedBundle { name: name.into(), content }
    }
}

/// Parses a bundle of a single file; a bare signature is distinguished from a damaged bundle.
fn parse_named(bytes: &[u8]) -> Result<SignatureBundle, Fault> {
    SignatureBundle::parse(bytes).map_err(|fault| {
        if !is_bare_signature(bytes) {
            return fault;
        }
        Fault::new(Code::BundleMalformed, "this is a bare signature, and no bundle").advise(
            "Give the bundle. A bare signature is checked by `sealift verify-blob --signature FILE`, and with \
             --insecure-ignore-tlog only: it has no log entry.",
        )
    })
}

/// Whether a file holds a signature and nothing else, as base64 or as the DER of ECDSA.
fn is_bare_signature(bytes: &[u8]) -> bool {
    let whole = |rest: &[u8], length: u8| rest.len() == usize::from(length);
    match bytes {
        [0x30, length, rest @ ..] if whole(rest, *length) => true,
        _ => std::str::from_utf8(bytes)
            .is_ok_and(|text| SignatureBundle::from_base64(text).is_some()),
    }
}
