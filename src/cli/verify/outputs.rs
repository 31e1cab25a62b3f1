//! Refuses files to be written that would take the place of what a run of `verify` reads or judges.

use std::path::Path;

use super::args::VerifyArgs;
use crate::cli::apart::{self, Named};
use crate::cli::files;
use crate::cli::trust_settings::TrustSettings;
use crate::limits;
use crate::pairing;
use crate::sigstore::SignatureBundle;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// Refuses a state file or report that would be written into what is judged, or over anything that is
/// read.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn check(
    arguments: &VerifyArgs,
    trust: &TrustSettings,
    profile: &VendorProfile,
) -> Result<(), Fault> {
    let mut read = trust.files.clone();
    read.extend(Named::all("--bundle", &arguments.bundle));
    for path in arguments.files.iter().filter(|path| path.is_file()) {
        let material = pairing::for_package(profile, &files::file_name(path).unwrap_or_default());
        let names = material.bundle.iter().chain(&material.key);
        read.extend(names.map(|name| Named::new("the file", path.with_file_name(name))));
        read.extend(sidecars(path));
        let bundles = arguments.report.iter().filter(|report| is_bundle_beside(report, path));
        read.extend(bundles.map(|bundle| Named::new("the bundle", bundle)));
    }
    let judged = arguments.judged();
    let (state, others): (Vec<Named>, Vec<Named>) =
        read.iter().cloned().partition(|named| named.rewritten);
    apart::outputs(&state, &others, &judged)?;
    let reports: Vec<Named> = Named::all("--report", &arguments.report).collect();
    apart::outputs(&reports, &read, &judged)
}

/// Where a bundle may be next to a file, whatever the vendor calls it.
fn sidecars(path: &Path) -> impl Iterator<Item = Named> {
    let name = files::file_name(path).unwrap_or_default();
    pairing::SIDECARS
        .iter()
        .map(move |ending| Named::new("the file", path.with_file_name(format!("{name}{ending}"))))
}

/// Whether a report would be written over a bundle next to a file.
fn is_bundle_beside(report: &Path, file: &Path) -> bool {
    let directory = |path: &Path| path.canonicalize().ok()?.parent().map(Path::to_path_buf);
    directory(report).is_some_and(|above| Some(above) == directory(file))
        && files::read_found(report, limits::BUNDLE_BYTES, Code::BundleTooLarge)
            .is_ok_and(|bytes| SignatureBundle::parse(&bytes).is_ok())
}
