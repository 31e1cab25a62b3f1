//! `release.toml`: what to mirror, as a file to keep with the release notes.
//!
//! An unknown field is an error, because a misspelt one would silently ask for less.

use std::path::PathBuf;

use serde::Deserialize;

use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

/// A release file with every field explained.
pub const TEMPLATE: &str = include_str!("release_file.toml");

/// What a release file asks for. Paths are relative to the file, as written there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseFile {
    /// A built-in vendor profile.
    pub vendor: Option<String>,
    /// A vendor profile.
    pub vendor_profile: Option<PathBuf>,
    /// Image references, or paths of archives.
    pub images: Vec<String>,
    /// Names or URLs of packages.
    pub packages: Vec<String>,
    /// `os/architecture[/variant]`, or `all`.
    pub platforms: Vec<String>,
    /// `auto`, `docker`, `podman`, `registry` or `archive`.
    pub engine: Option<String>,
    /// Vendor keys.
    pub vendor_keys: Vec<PathBuf>,
    /// Fingerprints of vendor keys.
    pub pin_keys: Vec<Sha256Digest>,
    /// Hosts to allow in addition to the profile's.
    pub allow_hosts: Vec<String>,
    /// Names of artifacts that may be unsigned.
    pub allow_unsigned: Vec<String>,
    /// The line of transfers.
    pub stream: Option<String>,
    /// Until when the transfer may be used.
    pub expires: Option<String>,
    /// Free text for the manifest.
    pub notes: Option<String>,
}

impl ReleaseFile {
    /// Reads a release file.
    ///
    /// # Errors
    /// [`Code::ReleaseMalformed`], saying where.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Fault> {
        let refuse = |reason: String| Fault::new(Code::ReleaseMalformed, reason);
        if bytes.len() as u64 > limits::RELEASE_BYTES {
            return Err(refuse(format!("larger than {} bytes", limits::RELEASE_BYTES)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
        let release: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(0, |span| text.get(..span.start).unwrap_or_default().matches('\n').count());
            refuse(format!("line {}: {}", line.saturating_add(1), error.message()))
        })?;
        if release.vendor.is_some() && release.vendor_profile.is_some() {
            return Err(refuse("both vendor and vendor_profile are given; name one".to_owned()));
        }
        if release.images.is_empty() && release.packages.is_empty() {
            return Err(refuse("it asks for no image and no package".to_owned()));
        }
        Ok(release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_release_file_and_names_every_field() {
        let release = ReleaseFile::from_toml(TEMPLATE.as_bytes()).unwrap();
        assert_eq!(release.vendor.as_deref(), Some("k2view"));
        assert!(!release.images.is_empty() && !release.packages.is_empty());
        for field in [
            "vendor",
            "vendor_profile",
            "images",
            "packages",
            "platforms",
            "engine",
            "vendor_keys",
            "pin_keys",
            "allow_hosts",
            "allow_unsigned",
            "stream",
            "expires",
            "notes",
        ] {
            let listed = TEMPLATE
                .lines()
                .any(|line| line.trim_start_matches("# ").starts_with(&format!("{field} = ")));
            assert!(listed, "{field}");
        }
    }

    #[test]
    fn mistakes_are_errors() {
        for (text, words) in [
            ("images = [\"a\"]\nimage = []", "line 2: unknown field"),
            ("images = \"a\"", "line 1"),
            ("", "no image and no package"),
            ("images = [\"a\"]\npin_keys = [\"sha256:12\"]", "line 2"),
            ("images = [\"a\"]\nvendor = \"x\"\nvendor_profile = \"y\"", "name one"),
            ("images = [", "line 1"),
        ] {
            let fault = ReleaseFile::from_toml(text.as_bytes()).unwrap_err();
            assert_eq!(fault.code(), Code::ReleaseMalformed);
            assert!(fault.message().contains(words), "{text}: {fault}");
        }
        assert!(ReleaseFile::from_toml(b"\xff").is_err());
    }
}
