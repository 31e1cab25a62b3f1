//! A transfer directory that is listed and whose seal is opened, once for everything that asks.

use super::sealed::{self, Sealed};
use crate::directory::{Folder, Listing};
use crate::key::PublicKey;
use crate::verdict::Fault;

/// What is in a transfer directory, and its seal.
#[derive(Debug)]
pub struct OpenedTransfer {
    /// Its entries; none if it can't be listed.
    pub listing: Listing,
    /// What the seal covers, or why it doesn't hold.
    pub sealed: Result<Sealed, Fault>,
}

impl OpenedTransfer {
    /// Lists a directory, and opens its seal with these transfer keys.
    #[must_use]
    pub fn open(folder: &Folder, keys: &[PublicKey]) -> Self {
        match folder.list() {
            Ok(listing) => Self::listed(folder, listing, keys),
            Err(fault) => Self { listing: Listing::default(), sealed: Err(fault) },
        }
    }

    /// Opens the seal of a directory that is listed already.
    #[must_use]
    pub fn listed(folder: &Folder, listing: Listing, keys: &[PublicKey]) -> Self {
        Self { sealed: sealed::open(folder, &listing, keys), listing }
    }
}
