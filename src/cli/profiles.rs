//! Vendor profiles that an option names.

use std::path::Path;

use super::files;
use crate::limits;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// Loads the vendor profile that is named, otherwise the built-in one.
pub(super) fn load_profile(path: Option<&Path>) -> Result<VendorProfile, Fault> {
    let Some(path) = path else { return VendorProfile::k2view() };
    let bytes = files::read_config(path, limits::PROFILE_BYTES, Code::ProfileMalformed)?;
    VendorProfile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))
}
