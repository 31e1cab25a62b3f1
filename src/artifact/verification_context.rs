//! The context in which one artifact is judged, passed between the files of this room.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::signer::ArtifactSigner;
use crate::limits;
use crate::sigstore::VerifyRequest;
use crate::trust::{ArtifactName, VendorProfile};

/// The context in which one artifact is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerificationContext<'a> {
    /// Whose signature counts, and by which conventions.
    pub(super) by: &'a ArtifactSigner<'a>,
    /// What the artifact is called: the key must be allowed for that.
    pub(super) called: ArtifactName<'a>,
    pub(super) tries: &'a TryBudget,
    pub(super) clues: &'a Clues,
}

impl VerificationContext<'_> {
    pub(super) const fn request(&self) -> &VerifyRequest<'_> {
        &self.by.signer.request
    }

    pub(super) const fn profile(&self) -> &VendorProfile {
        self.by.profile
    }
}

/// What a label, a vendor's JSON file or a seal names as bundle and key, in words: reported when a signature
/// does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues {
    /// That another bundle is named than the one that is used.
    pub bundle: Option<String>,
    /// Which key is named. It is no clue where the signature is a good one by the key in question.
    pub key: Option<String>,
}

/// How many signatures may still be tried to find out what bundles are about: one budget for an artifact, whichever
/// keys it is judged by.
#[derive(Debug)]
pub struct TryBudget(AtomicUsize);

impl TryBudget {
    /// A budget of this many.
    #[must_use]
    pub const fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// The budget for an artifact that several signers are tried for: a few may try as much as one may.
    #[must_use]
    pub fn of_signers(count: usize) -> Self {
        Self::new(limits::SELECTION_TRIES.saturating_mul(count.clamp(1, 5)))
    }

    /// Takes one; `false` if none is left.
    #[must_use]
    pub fn take(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Default for TryBudget {
    fn default() -> Self {
        Self::new(limits::SELECTION_TRIES)
    }
}
