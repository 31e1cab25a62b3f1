//! Vendor profiles: a vendor's conventions as data (TOML).
//!
//! `k2view` is built in. The format is described in `docs/vendor-profile.md`; an unknown field is
//! an error, so that a misspelt rule can't be silently ignored.

use serde::Deserialize;

use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

const K2VIEW: &str = include_str!("k2view.toml");

/// How one vendor names bundles and keys, what text it signs, and what to say on failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorProfile {
    /// The vendor's short name.
    pub name: String,
    /// The line that is printed when an artifact of this vendor fails.
    pub on_failure: String,
    /// Conventions for container images.
    pub image: ImageRules,
    /// Conventions for packages.
    pub package: PackageRules,
    /// Where the vendor's site is; only `mirror` asks.
    pub mirror: Option<SiteRules>,
}

/// Where a vendor keeps what `mirror` fetches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRules {
    /// The hosts that labels, JSON files and redirects may lead to: `host`, `host:port`, or
    /// `*.domain` for every host below a domain.
    pub hosts: Vec<String>,
    /// The URL of a key by its file name, `{key}`.
    pub key_url: UrlPattern,
    /// The URL of a package's bundle, `{package}`.
    pub bundle_url: UrlPattern,
    /// The URL of the JSON file that names a package's key, `{package}`.
    pub key_file_url: UrlPattern,
    /// The URL of a package that is asked for by its name alone, `{package}`.
    pub package_url: Option<UrlPattern>,
}

/// A URL with exactly one `{…}` in it, for a file name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UrlPattern {
    before: String,
    after: String,
}

impl UrlPattern {
    /// The URL for a file name, which is a plain one.
    #[must_use]
    pub fn url_for(&self, name: &str) -> String {
        format!("{}{name}{}", self.before, self.after)
    }
}

impl TryFrom<String> for UrlPattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        let refuse =
            || "a URL pattern is http(s)://HOST/… with {key} or {package} once after the host";
        let (before, rest) = pattern.split_once('{').ok_or_else(refuse)?;
        let (word, after) = rest.split_once('}').ok_or_else(refuse)?;
        let path = ["https://", "http://"].iter().find_map(|scheme| before.strip_prefix(scheme));
        let host_ends = path.and_then(|path| path.find('/')).is_some_and(|at| at > 0);
        if !host_ends || !["key", "package"].contains(&word) || after.contains(['{', '}']) {
            return Err(refuse().to_owned());
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }
}

/// Conventions for container images.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRules {
    /// How the signed text is made from the image id.
    pub message: MessageForm,
    /// The config label that holds the bundle's URL.
    pub bundle_label: String,
    /// The config label that holds the key's file name.
    pub key_label: String,
}

/// Conventions for packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageRules {
    /// How the signed text is made from the file's SHA-256.
    pub message: MessageForm,
    /// The bundle's file name.
    pub bundle_file: FilePattern,
    /// The name of the JSON file that names the key.
    pub key_file: FilePattern,
}

/// The text that is signed for a digest. Exactly one form counts; others serve the diagnosis only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageForm {
    /// `sha256:<hex>`, 71 bytes.
    Digest,
    /// `sha256:<hex>` and a newline, 72 bytes.
    DigestLine,
    /// `<hex>`, 64 bytes.
    Hex,
    /// `<hex>` and a newline, 65 bytes.
    HexLine,
}

impl MessageForm {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Digest, Self::DigestLine, Self::Hex, Self::HexLine];

    /// The exact text for a digest.
    #[must_use]
    pub fn message(self, digest: &Sha256Digest) -> String {
        match self {
            Self::Digest => digest.to_string(),
            Self::DigestLine => format!("{digest}\n"),
            Self::Hex => digest.to_hex(),
            Self::HexLine => format!("{}\n", digest.to_hex()),
        }
    }

    /// The form in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Digest => "\"sha256:<hex>\" without a newline",
            Self::DigestLine => "\"sha256:<hex>\" with a newline",
            Self::Hex => "\"<hex>\" without a newline",
            Self::HexLine => "\"<hex>\" with a newline",
        }
    }
}

/// A file name with exactly one `{package}` in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FilePattern {
    before: String,
    after: String,
}

impl FilePattern {
    /// The file name for a package.
    #[must_use]
    pub(crate) fn name_for(&self, package: &str) -> String {
        format!("{}{package}{}", self.before, self.after)
    }

    /// The path of the package to which a path belongs, if its last part is what the pattern gives.
    #[must_use]
    pub(crate) fn package_of(&self, path: &str) -> Option<String> {
        let (directory, base) = path.rsplit_once('/').unwrap_or(("", path));
        let package = base.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        match (package, directory) {
            ("", _) => None,
            (package, "") => Some(package.to_owned()),
            (package, directory) => Some(format!("{directory}/{package}")),
        }
    }

    /// Whether a file name is one that the pattern gives for some package.
    #[must_use]
    pub fn fits(&self, file_name: &str) -> bool {
        self.package_of(file_name).is_some()
    }
}

impl TryFrom<String> for FilePattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        if pattern.contains(['/', '\\', '\0']) {
            return Err("a pattern is a file name, without a folder".to_owned());
        }
        match pattern.split_once("{package}") {
            Some((before, after)) if !after.contains("{package}") && pattern != "{package}" => {
                Ok(Self { before: before.to_owned(), after: after.to_owned() })
            }
            _ => Err("a pattern contains {package} once, and other text".to_owned()),
        }
    }
}

impl VendorProfile {
    /// The built-in profile of K2view.
    ///
    /// # Errors
    /// None in practice: the text is part of the program and a test reads it.
    pub fn k2view() -> Result<Self, Fault> {
        Self::from_toml(K2VIEW.as_bytes())
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`Code::ProfileMalformed`] with the parser's words.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Fault> {
        let refuse = |reason: String| Fault::new(Code::ProfileMalformed, reason);
        if bytes.len() as u64 > limits::PROFILE_BYTES {
            return Err(refuse(format!("larger than {} bytes", limits::PROFILE_BYTES)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
        let profile: Self =
            toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
        for (field, value) in [
            ("name", &profile.name),
            ("on_failure", &profile.on_failure),
            ("image.bundle_label", &profile.image.bundle_label),
            ("image.key_label", &profile.image.key_label),
        ] {
            if value.trim().is_empty() {
                return Err(refuse(format!("{field} is empty")));
            }
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_words_things_as_documented() {
        let profile = VendorProfile::k2view().unwrap();
        let digest = Sha256Digest::of(b"");
        let image = profile.image.message.message(&digest);
        assert_eq!((image.len(), image.as_str()), (71, &*format!("sha256:{}", digest.to_hex())));
        let package = profile.package.message.message(&digest);
        assert_eq!((package.len(), package.as_str()), (65, &*format!("{}\n", digest.to_hex())));
        assert_eq!(profile.package.bundle_file.name_for("a.tgz"), "a.tgz_signature.bundle");
        assert_eq!(profile.package.key_file.name_for("a.tgz"), "a.tgz_publickey.json");
    }

    #[test]
    fn mistakes_in_a_profile_are_errors() {
        let cases = [
            ("name = \"k2view\"", "name = \"k2view\"\nnmae = 1", "unknown field"),
            ("\"hex-line\"", "\"hexline\"", "unknown variant"),
            ("{package}_signature", "signature", "{package}"),
            ("{package}_signature", "../{package}_signature", "file name"),
            ("name = \"k2view\"", "name = \" \"", "name is empty"),
            ("[package]", "[package", "table"),
        ];
        for (from, to, words) in cases {
            let text = K2VIEW.replace(from, to);
            assert_ne!(text, K2VIEW);
            let fault = VendorProfile::from_toml(text.as_bytes()).unwrap_err();
            assert_eq!(fault.code(), Code::ProfileMalformed);
            assert!(fault.message().contains(words), "{to}: {fault}");
        }
        assert!(VendorProfile::from_toml(b"\xff").is_err());
    }
}
