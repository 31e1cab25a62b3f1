//! The bundles and keys of an image or a package, fetched from the vendor's site before the artifact itself.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::task::FetchTask;
use crate::directory::TEMPORARY;
use crate::key::PublicKey;
use crate::limits;
use crate::mirror::stage::Stage;
use crate::pairing;
use crate::path;
use crate::transfer::{self, Foreseen};
use crate::verdict::{Code, Fault, ServerAnswer};

/// What to do if the vendor offers no bundle.
pub(super) const NO_BUNDLE: &str = "Ask the vendor for an image or package that is signed, and check the name. To carry it knowingly \
    unsigned, which every later check shows, use --allow-unsigned NAME.";

impl FetchTask<'_> {
    /// Fetches the bundles and keys that an image's labels name; returns the paths of the bundles.
    pub(super) fn image_material(
        &self,
        stage: &mut Stage<'_>,
        labels: &[BTreeMap<String, String>],
    ) -> Result<Vec<String>, Fault> {
        let wanted = stage.wanted();
        let rules = &self.sealing.profile.image;
        let mut named = BTreeSet::new();
        for labels in labels {
            if let Some(url) = labels.get(&rules.bundle_label) {
                named.insert((url.as_str(), labels.get(&rules.key_label).map(String::as_str)));
            }
        }
        if named.is_empty() && !self.may_be_unsigned(wanted) {
            let message = format!("its config has no label {}", rules.bundle_label);
            return Err(Fault::new(Code::NoBundle, message).at(&wanted.name).advise(NO_BUNDLE));
        }
        let mut bundles = Vec::new();
        for (url, key) in named.into_iter().take(limits::BUNDLES) {
            let Some(name) = pairing::base_name(url) else {
                let message = "the bundle's label is not a URL that ends in a plain file name";
                return Err(Fault::new(Code::HostNotAllowed, message).at(url));
            };
            match self.vendor_file(stage, url, &name, limits::BUNDLE_BYTES) {
                // It is unsigned, and the operator said so: as for a package.
                Err(fault) if absent(&fault) && self.may_be_unsigned(wanted) => continue,
                other => drop(other?),
            }
            bundles.push(format!("{}/{name}", wanted.directory));
            let key = key.map(|key| match pairing::base_name(key) {
                Some(name) if name == key => Ok((self.site()?.key_url.url_for(&name), name)),
                _ => {
                    Err(Fault::new(Code::HostNotAllowed, "the key's label is not a file name")
                        .at(key))
                }
            });
            self.key(stage, key)?;
        }
        Ok(bundles)
    }

    /// Stops if no bundle can count, before anything large is fetched.
    pub(super) fn foresee(
        &self,
        stage: &Stage<'_>,
        bundles: &[String],
        artifact: Foreseen<'_>,
    ) -> Result<(), Fault> {
        let (view, material, wanted) = (stage.view()?, stage.material(), stage.wanted());
        transfer::foresee(&view, &self.sealing, &wanted.name, &material, bundles, artifact)
    }

    pub(super) fn package_key(
        &self,
        stage: &mut Stage<'_>,
        url: &str,
        name: &str,
    ) -> Result<(), Fault> {
        let path = format!("{}/{name}", stage.wanted().directory);
        let found = self.vendor_file(stage, url, name, limits::KEY_BYTES).and_then(|bytes| {
            pairing::key_url(&bytes)
                .and_then(|url| Ok((url, pairing::key_name(&bytes)?)))
                .inspect_err(|_| stage.drop(&path))
        });
        self.key(stage, Some(found))
    }

    /// Fetches the key that the vendor names, and stops if no key can count: before the large download,
    /// not after it.
    fn key(
        &self,
        stage: &mut Stage<'_>,
        named: Option<Result<(String, String), Fault>>,
    ) -> Result<(), Fault> {
        let named_keys = &self.sealing.named_keys;
        let wanted = stage.wanted();
        let fetched = match named {
            Some(named) => named.and_then(|(url, name)| {
                let bytes = self.vendor_file(stage, &url, &name, limits::KEY_BYTES)?;
                PublicKey::from_found(&name, &bytes).map_err(|fault| {
                    // It would be sealed as a file that nobody signed.
                    stage.drop(&format!("{}/{name}", wanted.directory));
                    fault.at(url)
                })
            }),
            None => Err(Fault::new(Code::KeyNotNamed, "the vendor names no key").at(&wanted.name)),
        };
        match fetched {
            Ok(key) if named_keys.admits(&key.fingerprint()) => Ok(()),
            // That this machine could not write or read it says nothing about the vendor's key.
            Err(fault)
                if matches!(fault.code(), Code::WriteFailed | Code::NoSpace | Code::Unreadable) =>
            {
                Err(fault)
            }
            // The operator's own keys decide.
            Ok(_) if named_keys.has_keys() => Ok(()),
            Err(_) if named_keys.has_keys() => {
                stage.keep_keys();
                Ok(())
            }
            Ok(key) => {
                let fingerprint = key.fingerprint();
                let message = format!(
                    "the vendor's site names the key {fingerprint}, which nobody named here; check the \
                     fingerprint with the vendor out of band, then use --pin-key {fingerprint}"
                );
                Err(Fault::new(Code::KeyNotNamed, message).at(&wanted.name))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Fetches a small file from one of the vendor's hosts into the artifact's directory.
    pub(super) fn vendor_file(
        &self,
        stage: &mut Stage<'_>,
        url: &str,
        name: &str,
        cap: u64,
    ) -> Result<Vec<u8>, Fault> {
        let url = Url::parse(url)
            .map_err(|error| Fault::new(Code::HostNotAllowed, error.to_string()).at(url))?;
        let wanted = stage.wanted();
        let path = format!("{}/{name}", wanted.directory);
        if path.to_ascii_lowercase().ends_with(TEMPORARY) {
            let message =
                "the vendor's name for a bundle or key has the ending of a temporary file";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        path::portable(&path)
            .map_err(|reason| Fault::new(Code::PathNotPortable, reason.to_string()).at(&*path))?;
        if path.eq_ignore_ascii_case(&wanted.path) {
            let message = "the vendor's name for a bundle or key is the artifact's own";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        stage.small(self.http, &url, &self.hosts, &path, cap)
    }
}

/// Whether the server says that there is no such file, rather than that it can't be had now.
pub(super) fn absent(fault: &Fault) -> bool {
    matches!(fault.answer(), Some(ServerAnswer::Status(404 | 410)))
}
