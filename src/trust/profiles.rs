//! The vendor profiles of a run: a list that is never empty.

use super::VendorProfile;

/// The conventions of vendors that no policy lists, in the order in which they are tried.
#[derive(Debug, Clone, Copy)]
pub struct Profiles<'a> {
    first: &'a VendorProfile,
    rest: &'a [VendorProfile],
}

impl<'a> Profiles<'a> {
    /// The list of one.
    #[must_use]
    pub const fn one(profile: &'a VendorProfile) -> Self {
        Self { first: profile, rest: &[] }
    }

    /// The list of these; `None` if there are none.
    #[must_use]
    pub fn new(profiles: &'a [VendorProfile]) -> Option<Self> {
        let (first, rest) = profiles.split_first()?;
        Some(Self { first, rest })
    }

    /// The one that counts where nothing names another.
    #[must_use]
    pub const fn first(self) -> &'a VendorProfile {
        self.first
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = &'a VendorProfile> {
        std::iter::once(self.first).chain(self.rest)
    }
}
