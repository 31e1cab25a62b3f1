//! Which bundle and which key belong to an artifact, by the vendor's names.
//!
//! Names only *select* among files next to the artifact and keys that the operator gave; they never
//! confer trust. This room works on names alone and reads no file.

mod names;

use std::collections::BTreeMap;

use serde_json::Value;

pub use names::{Names, Pairing, SIDECARS, Step};

use crate::json;
use crate::limits;
use crate::path;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault, printable};

/// The names that belong to one artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorNames {
    /// File name of the bundle.
    pub bundle: Option<String>,
    /// File name of the vendor's key, where a name is known.
    pub key: Option<String>,
}

/// The names that an image's config labels give: base names of the bundle's URL and of the key.
///
/// Labels are the vendor's text inside the archive and untrusted: what is not a plain file name
/// is ignored.
#[must_use]
pub fn for_image(profile: &VendorProfile, labels: &BTreeMap<String, String>) -> VendorNames {
    let name = |label: &str| labels.get(label).and_then(|value| base_name(value));
    VendorNames { bundle: name(&profile.image.bundle_label), key: name(&profile.image.key_label) }
}

/// The bundle's and the key file's name for a package.
#[must_use]
pub fn for_package(profile: &VendorProfile, file_name: &str) -> VendorNames {
    VendorNames {
        bundle: Some(profile.package.bundle_file.name_for(file_name)),
        key: Some(profile.package.key_file.name_for(file_name)),
    }
}

/// The key's file name in a vendor's `_publickey.json`: the last part of the URL in `publicKey`.
///
/// # Errors
/// [`Code::BundleMalformed`] when the text is not such a document.
pub fn key_name(public_key_json: &[u8]) -> Result<String, Fault> {
    let url = key_url(public_key_json)?;
    base_name(&url).ok_or_else(|| {
        Fault::new(Code::BundleMalformed, "publicKey is not a URL that ends in a file name")
    })
}

/// The URL of the key in a vendor's `_publickey.json`: the vendor's text, untrusted.
///
/// # Errors
/// [`Code::BundleMalformed`] when the text is not such a document.
pub fn key_url(public_key_json: &[u8]) -> Result<String, Fault> {
    let refuse = |reason: String| Fault::new(Code::BundleMalformed, reason);
    let value = json::parse(public_key_json, limits::KEY_BYTES)
        .map_err(|error| refuse(error.to_string()))?;
    let object = value.as_object().ok_or_else(|| refuse("not a JSON object".to_owned()))?;
    if let Some(key) = json::folded_key(object, &["publicKey"]) {
        return Err(refuse(format!("the key {key:?} differs from publicKey only in case")));
    }
    object
        .get("publicKey")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| refuse("publicKey is not a URL that ends in a file name".to_owned()))
}

/// Whether a file that was found is a vendor's `_publickey.json`, and nothing else: an object with the one
/// member `publicKey`, a URL that ends in a file name.
///
/// # Errors
/// [`Code::MaterialUnknownMember`] for one with other members too.
pub fn is_key_name(bytes: &[u8]) -> Result<bool, Fault> {
    if key_name(bytes).is_err() {
        return Ok(false);
    }
    let value = json::parse(bytes, limits::KEY_BYTES).unwrap_or_default();
    let mut names = value.as_object().into_iter().flat_map(|object| object.keys());
    match names.find(|name| *name != "publicKey") {
        None => Ok(true),
        Some(other) => {
            let message = format!(
                "it names a vendor's key, and has another member in addition to publicKey: {}",
                printable(other)
            );
            Err(Fault::new(Code::MaterialUnknownMember, message))
        }
    }
}

/// The last part of a URL or path, when it is a plain, portable file name: with `%2B` and the like
/// decoded.
#[must_use]
pub fn base_name(text: &str) -> Option<String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let name = decoded(path.rsplit('/').next().unwrap_or_default())?;
    let plain = name.len() <= 255
        && !name.starts_with('.')
        && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"/%".contains(&byte))
        && path::portable(&name).is_ok();
    plain.then_some(name)
}

/// A part of a URL without percent-encoding; none where it is no text or not what RFC 3986 allows.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()?.checked_mul(16)?.checked_add(digit()?)?;
            u8::try_from(value).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_urls() {
        for (url, name) in [
            ("https://v.example/d/app-1.0%2Bb5.tgz?x=%", "app-1.0+b5.tgz"),
            ("https://v.example/d/app-1.0+b5.tgz", "app-1.0+b5.tgz"),
            ("https://v.example/d/app%201.0.tgz", "app 1.0.tgz"),
            ("https://v.example/d/%61%70%70", "app"),
            ("app.tgz", "app.tgz"),
        ] {
            assert_eq!(base_name(url).as_deref(), Some(name), "{url}");
        }
        for url in [
            "https://v.example/a%2fb",
            "https://v.example/a%2Fb",
            "https://v.example/a%5cb",
            "https://v.example/%2e%2e",
            "https://v.example/%2ehidden",
            "https://v.example/a%00",
            "https://v.example/a%0a",
            "https://v.example/a%2",
            "https://v.example/a%",
            "https://v.example/a%zz",
            "https://v.example/a%+1",
            "https://v.example/a%252fb",
            "https://v.example/%c3%a4",
            "https://v.example/%ff",
            "https://v.example/%20a",
            "https://v.example/a%20",
            "https://v.example/a%3ab",
            "https://v.example/CON.tgz",
            "https://v.example/a.",
            "https://v.example/",
            "",
        ] {
            assert_eq!(base_name(url), None, "{url}");
        }
    }

    fn labels(bundle: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("org.opencontainers.image.signature.bundle".to_owned(), bundle.to_owned()),
            ("org.opencontainers.image.signature.key".to_owned(), "vendor.pub".to_owned()),
        ])
    }

    #[test]
    fn labels_give_base_names() {
        let profile = VendorProfile::k2view().unwrap();
        let material =
            for_image(&profile, &labels("https://v.example/s/bundles/app_signature.bundle?x=/y"));
        assert_eq!(material.bundle.as_deref(), Some("app_signature.bundle"));
        assert_eq!(material.key.as_deref(), Some("vendor.pub"));
        assert_eq!(for_image(&profile, &BTreeMap::new()), VendorNames::default());
    }

    #[test]
    fn hostile_labels_give_no_name() {
        let profile = VendorProfile::k2view().unwrap();
        for hostile in [
            "https://v.example/",
            "https://v.example/..",
            "..\\..\\evil",
            "https://v.example/a%2fb",
            "C:evil",
            "https://v.example/.hidden",
            "https://v.example/\u{202e}gpj.x",
            "a\0b",
            "",
        ] {
            assert_eq!(for_image(&profile, &labels(hostile)).bundle, None, "{hostile:?}");
        }
    }

    #[test]
    fn public_key_json_is_read_strictly() {
        assert_eq!(
            key_name(br#"{"publicKey":"https://v.example/public-keys/v.pub","x":1}"#),
            Ok("v.pub".to_owned())
        );
        for bad in [
            &br#"{"publicKey":1}"#[..],
            br#"{"publicKey":"a","publicKey":"b"}"#,
            br#"{"publicKey":"a","PublicKey":"b"}"#,
            br#"{}"#,
            b"[]",
            b"x",
        ] {
            assert_eq!(key_name(bad).unwrap_err().code(), Code::BundleMalformed);
        }
    }
}
