//! The release file: merged with the options, and what it adds to the seal's settings.

use std::path::Path;

use super::args::MirrorArgs;
use crate::cli::apart::Named;
use crate::cli::sealing::SealExtras;
use crate::cli::{files, profiles::load_profile};
use crate::limits;
use crate::mirror::ReleaseFile;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// The release file and the options together.
pub(super) fn release(arguments: &MirrorArgs) -> Result<ReleaseFile, Fault> {
    let mut release = match &arguments.file {
        Some(path) => {
            let bytes = files::read_config(path, limits::RELEASE_BYTES, Code::ReleaseMalformed)?;
            ReleaseFile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))?
        }
        None => ReleaseFile::default(),
    };
    release.images.extend(arguments.image.iter().cloned());
    release.packages.extend(arguments.package.iter().cloned());
    if !arguments.platform.is_empty() {
        release.platforms.clone_from(&arguments.platform);
    }
    Ok(release)
}

/// What the release file says about sealing. Paths in it are relative to it.
pub(super) fn extras(arguments: &MirrorArgs, release: &ReleaseFile) -> Result<SealExtras, Fault> {
    let relative = |path: &Path| match arguments.file.as_deref().and_then(Path::parent) {
        Some(folder) => folder.join(path),
        None => path.to_path_buf(),
    };
    let profile = match (&arguments.vendor, &release.vendor, &release.vendor_profile) {
        (Some(name), _, _) | (None, Some(name), _) => Some(built_in(name)?),
        (None, None, Some(path)) => Some(load_profile(Some(&relative(path)))?),
        (None, None, None) => None,
    };
    let mut files: Vec<Named> = Named::all("--file", &arguments.file).collect();
    files.extend(Named::all("--key", &arguments.key));
    files.extend(Named::all("--ca-file", &arguments.ca_file));
    files.extend(Named::all("--tuf-root", &arguments.tuf_root));
    let listed = release.vendor_profile.as_deref().map(&relative);
    files.extend(Named::all("vendor_profile in the release file", &listed));
    Ok(SealExtras {
        profile,
        files,
        vendor_keys: release.vendor_keys.iter().map(|path| relative(path)).collect(),
        pin_keys: release.pin_keys.clone(),
        allow_unsigned: release.allow_unsigned.clone(),
        stream: release.stream.clone(),
        expires: release.expires.clone(),
        notes: release.notes.clone(),
    })
}

fn built_in(name: &str) -> Result<VendorProfile, Fault> {
    let profile = VendorProfile::k2view()?;
    if profile.name == name {
        return Ok(profile);
    }
    let message = format!("there is no built-in vendor {name:?}, only {}", profile.name);
    Err(Fault::new(Code::Usage, message).at("--vendor"))
}
