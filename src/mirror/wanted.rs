//! What was asked for, and its place in the transfer directory. Names are made of untrusted text: safe,
//! portable, and the same in every run of the same request.

use std::collections::BTreeMap;

use url::Url;

use super::urls::redacted;
use crate::digest::Sha256Digest;
use crate::pairing;
use crate::path;
use crate::transfer::ManifestKind;
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// One image or package that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedItem {
    /// Image or package.
    pub kind: ManifestKind,
    /// The text that was asked for; for a URL without its query, which may be secret.
    pub name: String,
    /// What its source is asked for: the text itself.
    pub reference: String,
    /// The directory for it, its bundles and keys, relative to the transfer directory.
    pub directory: String,
    /// The file itself, relative to the transfer directory.
    pub path: String,
    /// The URL of a package.
    pub url: Option<Url>,
}

impl WantedItem {
    /// The file's name as the package's URL spells it, for use in other URLs: to some servers `+` and
    /// `%2B` are different names.
    pub(super) fn spelled(&self) -> &str {
        let path = self.url.as_ref().map_or(self.path.as_str(), |url| url.path());
        path.rsplit('/').next().unwrap_or_default()
    }
}

/// The requested items in order, each once, with their places. An image that `is_file` is an archive on
/// this machine: the far side learns only the last part of its path.
///
/// # Errors
/// [`Code::ReferenceInvalid`] for a text from which no name can be made, and for a package without a
/// URL where the profile gives none.
pub fn wanted_items(
    profile: &VendorProfile,
    images: &[String],
    packages: &[String],
    is_file: impl Fn(&str) -> bool,
) -> Result<Vec<WantedItem>, Fault> {
    let mut items = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, name) in images
        .iter()
        .map(|name| (ManifestKind::Image, name))
        .chain(packages.iter().map(|name| (ManifestKind::Package, name)))
    {
        let at = |fault: Fault| fault.at(plain(name));
        if name.is_empty() || name.len() > 2048 || name.chars().any(char::is_control) {
            return Err(at(Fault::new(Code::ReferenceInvalid, "not a name")));
        }
        let want = match kind {
            ManifestKind::Image => image(name, is_file(name)),
            ManifestKind::Package => package(profile, name).map_err(at)?,
        };
        if let Some(same) =
            items.iter().find(|item: &&WantedItem| item.kind == kind && item.name == want.name)
        {
            if same.reference == want.reference {
                continue;
            }
            // The second must not be left out silently.
            let message = format!(
                "two different ones would both be called {:?} on the far side; rename one, or \
                 mirror them in two runs",
                want.name
            );
            return Err(Fault::new(Code::ReferenceInvalid, message));
        }
        let count = taken.entry(want.directory.to_ascii_lowercase()).or_default();
        *count = count.saturating_add(1);
        items.push(want);
    }
    for want in &mut items {
        // Items that would share a directory each get their own, whatever their order.
        if taken.get(&want.directory.to_ascii_lowercase()) > Some(&1) {
            let digest = Sha256Digest::of(want.name.as_bytes()).to_hex();
            let suffix = digest.get(..8).unwrap_or_default();
            let own = format!("{}-{suffix}", want.directory);
            want.path = want.path.replacen(&want.directory, &own, 1);
            want.directory = own;
        }
        path::portable(&want.path).map_err(|reason| {
            Fault::new(Code::ReferenceInvalid, reason.to_string()).at(&want.name)
        })?;
    }
    Ok(items)
}

/// `images/app_1.2/app_1.2.tar` for `registry.example/team/app:1.2`.
fn image(reference: &str, is_file: bool) -> WantedItem {
    let name = match reference.rsplit_once('/') {
        Some((_, last)) if is_file => last,
        _ => reference,
    };
    let (repository, digest) = name.split_once('@').unwrap_or((name, ""));
    let last = repository.rsplit('/').next().unwrap_or_default();
    let digest = digest.rsplit(':').next().unwrap_or_default();
    let mut slug = safe(last.strip_suffix(".tar").unwrap_or(last));
    // A tag next to a digest says enough; a digest alone must tell images apart.
    if !digest.is_empty() && !last.contains(':') {
        slug = format!("{slug}_{}", safe(digest.get(..12).unwrap_or(digest)));
    }
    let directory = format!("images/{slug}");
    let path = format!("{directory}/{slug}.tar");
    let reference = reference.to_owned();
    WantedItem {
        kind: ManifestKind::Image,
        name: name.to_owned(),
        reference,
        directory,
        path,
        url: None,
    }
}

/// `packages/app-1.2.tgz/app-1.2.tgz`, for a URL or a name.
fn package(profile: &VendorProfile, name: &str) -> Result<WantedItem, Fault> {
    let refuse = |message: String| Fault::new(Code::ReferenceInvalid, message);
    let text = if name.contains("://") {
        name.to_owned()
    } else {
        let pattern = profile.mirror.as_ref().and_then(|site| site.package_url.as_ref());
        let pattern = pattern.ok_or_else(|| {
            let vendor = &profile.name;
            refuse(format!(
                "the profile of {vendor} does not say where its packages are; give a URL"
            ))
        })?;
        if pairing::base_name(name).as_deref() != Some(name) {
            return Err(refuse("not a plain file name".to_owned()));
        }
        pattern.url_for(name)
    };
    let url = Url::parse(&text).map_err(|error| refuse(error.to_string()))?;
    let file = pairing::base_name(url.path())
        .ok_or_else(|| refuse("the URL does not end in a plain file name".to_owned()))?;
    let directory = format!("packages/{file}");
    let path = format!("{directory}/{file}");
    let reference = name.to_owned();
    let name = if name.contains("://") { redacted(&url) } else { name.to_owned() };
    Ok(WantedItem { kind: ManifestKind::Package, name, reference, directory, path, url: Some(url) })
}

/// A text that may or may not be a URL, without the parts of a URL that may be secret.
fn plain(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let parts = text.split_once("://");
    match parts.and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => text.to_owned(),
    }
}

/// Keeps only characters that every file system accepts, and starts with a letter or digit or `_`.
fn safe(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let text: String = text.chars().map(|c| if plain(c) { c } else { '_' }).take(120).collect();
    let text = text.trim_end_matches('.');
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        text.to_owned()
    } else {
        format!("_{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn names_become_places() {
        let profile = VendorProfile::k2view().unwrap();
        let items = wanted_items(
            &profile,
            &texts(&[
                "reg.example:5000/team/app:1.2",
                "x/app:1.2",
                "app@sha256:0123456789abcdef",
                "dir/old.tar",
            ]),
            &texts(&["https://d.example/a/pack-1.tgz?token=x"]),
            |name| name == "dir/old.tar",
        )
        .unwrap();
        let paths: Vec<&str> = items.iter().map(|item| item.path.as_str()).collect();
        assert!(paths[0].starts_with("images/app_1.2-") && paths[0].ends_with("/app_1.2.tar"));
        assert!(paths[1].starts_with("images/app_1.2-") && paths[0] != paths[1]);
        assert_eq!(
            paths[2..],
            [
                "images/app_0123456789ab/app_0123456789ab.tar",
                "images/old/old.tar",
                "packages/pack-1.tgz/pack-1.tgz"
            ]
        );
        assert_eq!(
            (items[3].name.as_str(), items[3].reference.as_str()),
            ("old.tar", "dir/old.tar")
        );
        assert_eq!(items[4].name, "https://d.example/a/pack-1.tgz");
        assert!(items[4].url.as_ref().unwrap().query().is_some());
    }

    #[test]
    fn names_that_urls_spell_otherwise() {
        let profile = VendorProfile::k2view().unwrap();
        for (url, name) in [
            ("https://d.example/app-1.0%2Bb5.tgz", "app-1.0+b5.tgz"),
            ("https://d.example/app%201.0.tgz", "app 1.0.tgz"),
            ("https://d.example/app 1.0.tgz", "app 1.0.tgz"),
        ] {
            let items = wanted_items(&profile, &[], &texts(&[url]), |_| false).unwrap();
            assert_eq!(items[0].path, format!("packages/{name}/{name}"));
            let spelled = items[0].spelled();
            assert!(items[0].url.as_ref().unwrap().as_str().ends_with(spelled), "{spelled}");
            assert_eq!(pairing::base_name(spelled).as_deref(), Some(name));
        }
        for bad in ["a%00.tgz", "%2e%2e", "CON", "a%5cb", "%e2%80%aex.tgz"] {
            let url = format!("https://d.example/{bad}");
            let fault = wanted_items(&profile, &[], &texts(&[&url]), |_| false).unwrap_err();
            assert_eq!(fault.code(), Code::ReferenceInvalid, "{bad}");
        }
    }

    #[test]
    fn a_mistake_in_a_url_shows_no_secret() {
        let profile = VendorProfile::k2view().unwrap();
        let packages = texts(&["https://user:s3cret@[bad/x.tgz?token=s3cret"]);
        let fault = wanted_items(&profile, &[], &packages, |_| false).unwrap_err();
        assert!(!fault.to_string().contains("s3cret"), "{fault}");
    }

    #[test]
    fn what_can_t_be_told_apart_is_not_left_out() {
        let profile = VendorProfile::k2view().unwrap();
        let images = texts(&["old/app.tar", "new/app.tar"]);
        let fault = wanted_items(&profile, &images, &[], |_| true).unwrap_err();
        assert_eq!(fault.code(), Code::ReferenceInvalid);
        let packages = texts(&["https://d.example/a.tgz?id=1", "https://d.example/a.tgz?id=2"]);
        assert!(wanted_items(&profile, &[], &packages, |_| false).is_err());
        let twice = texts(&["https://d.example/a.tgz?id=1", "https://d.example/a.tgz?id=1"]);
        assert_eq!(wanted_items(&profile, &[], &twice, |_| false).unwrap().len(), 1);
    }

    #[test]
    fn hostile_names_stay_below_the_directory() {
        let profile = VendorProfile::k2view().unwrap();
        for name in ["../../etc/passwd", "..", "a/..", "CON", "...", "a\\..\\b", "\u{202e}x", "-rf"]
        {
            if let Ok(found) = wanted_items(&profile, &texts(&[name]), &[], |_| false) {
                let path = &found[0].path;
                assert!(path::portable(path).is_ok() && path.starts_with("images/"), "{path}");
            }
        }
        for name in
            ["pack.tgz", "https://d.example/", "https://d.example/..", "https://d/a%2fb", "ftp", ""]
        {
            let fault = wanted_items(&profile, &[], &texts(&[name]), |_| false).unwrap_err();
            assert_eq!(fault.code(), Code::ReferenceInvalid, "{name}");
        }
    }
}
