//! The bundles of a single file: those that options name, else those next to it under the vendor's names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::detect::Found;
use crate::artifact::{BundleLoader, BundleSource, Clues, NamedBundle, OfferedBundles};
use crate::cli::files;
use crate::limits;
use crate::pairing::{self, VendorNames};
use crate::trust::VendorProfile;
use crate::verdict::{Code, Fault};

/// Where the bundles of a file come from.
pub(super) struct FileBundles<'a> {
    pub(super) path: &'a Path,
    /// What the file is.
    pub(super) found: Option<&'a Found>,
    /// The bundles that options name.
    pub(super) named: &'a [PathBuf],
    /// File name of the operator's key.
    pub(super) key_file: Option<&'a str>,
    /// Each set of bundles, read and parsed once, whichever keys and conventions the file is judged by: a pipe
    /// that the operator named can't be read twice.
    loaded: BTreeMap<Vec<PathBuf>, Vec<NamedBundle>>,
}

impl<'a> FileBundles<'a> {
    pub(super) const fn new(
        path: &'a Path,
        found: Option<&'a Found>,
        named: &'a [PathBuf],
        key_file: Option<&'a str>,
    ) -> Self {
        Self { path, found, named, key_file, loaded: BTreeMap::new() }
    }

    /// The names that belong to the file, and where the vendor gives them.
    fn material(&self, profile: &VendorProfile) -> (Vec<VendorNames>, String, VendorNames) {
        match self.found {
            Some(Found::Image(archive, _)) => {
                let images = archive.images.iter();
                let all: Vec<VendorNames> =
                    images.map(|image| pairing::for_image(profile, &image.labels)).collect();
                match all.as_slice() {
                    [one] => (all.clone(), "the image's label".to_owned(), one.clone()),
                    _ => (all, String::new(), VendorNames::default()),
                }
            }
            Some(Found::Package(..)) => {
                let file = files::file_name(self.path);
                let names = file.map(|file| pairing::for_package(profile, &file));
                let (json, key) = key_json(self.path, profile);
                (vec![names.unwrap_or_default()], json, VendorNames { bundle: None, key })
            }
            None => (Vec::new(), String::new(), VendorNames::default()),
        }
    }

    /// The paths of the bundles next to the file, and what to report of those that are missing.
    fn sidecars(&self, material: &[VendorNames]) -> Result<(Vec<PathBuf>, Vec<String>), Fault> {
        let mut names: Vec<_> = material.iter().filter_map(|names| names.bundle.clone()).collect();
        names.sort();
        names.dedup();
        let mut likely_causes = Vec::new();
        if names.is_empty() {
            likely_causes.push("no label of the archive names a bundle".to_owned());
        }
        if names.len() > limits::BUNDLES {
            let message = format!("its labels name more than {} bundles", limits::BUNDLES);
            return Err(Fault::new(Code::ArchiveTooLarge, message).at(files::show(self.path)));
        }
        let sidecars = names.iter().map(|name| self.path.with_file_name(name));
        let (there, absent): (Vec<_>, Vec<_>) = sidecars.partition(|path| path.exists());
        for path in absent.iter().take(limits::DIAGNOSIS_TRIES) {
            likely_causes.push(format!("there is no {}", files::show(path)));
        }
        Ok((there, likely_causes))
    }
}

impl BundleSource for FileBundles<'_> {
    fn offer(&mut self, profile: &VendorProfile) -> OfferedBundles<'_> {
        let (material, by, names) = self.material(profile);
        let mut likely_causes = Vec::new();
        let bundles: &[NamedBundle] = if self.named.is_empty() {
            match self.sidecars(&material) {
                Ok((paths, causes)) => {
                    likely_causes = causes;
                    self.loaded.entry(paths).or_insert_with_key(|paths| load(paths, load_found))
                }
                Err(fault) => {
                    let name = files::show(self.path);
                    let refused = || vec![NamedBundle { name, content: Err(fault) }];
                    self.loaded.entry(vec![self.path.to_owned()]).or_insert_with(refused)
                }
            }
        } else {
            let paths = self.named.to_vec();
            self.loaded.entry(paths).or_insert_with_key(|paths| load(paths, load_named))
        };
        let clues = clues(&by, &names, bundles, self.key_file);
        OfferedBundles { bundles, clues, likely_causes }
    }
}

/// Whether the vendor names another key or bundle than those given.
fn clues(by: &str, names: &VendorNames, bundles: &[NamedBundle], key_file: Option<&str>) -> Clues {
    let differs = |named: &String, given: Option<&str>, what: &str| {
        let given = given.filter(|given| given != named)?;
        Some(format!("{by} names the {what} {named}, you gave {given}"))
    };
    let bundle = match bundles {
        [bundle] => bundle.name.rsplit('/').next(),
        _ => None,
    };
    Clues {
        key: names.key.as_ref().and_then(|named| differs(named, key_file, "key")),
        bundle: names.bundle.as_ref().and_then(|named| differs(named, bundle, "bundle")),
    }
}

/// The vendor's JSON file next to a package, and the key that it names.
fn key_json(path: &Path, profile: &VendorProfile) -> (String, Option<String>) {
    let file = files::file_name(path).unwrap_or_default();
    let json = profile.package.key_file.name_for(&file);
    let key_file = path.with_file_name(&json);
    let bytes = files::read_found(&key_file, limits::KEY_BYTES, Code::BundleTooLarge).ok();
    let key = bytes.and_then(|bytes| pairing::key_name(&bytes).ok());
    (json, key)
}

fn load(paths: &[PathBuf], one: fn(&Path, &mut BundleLoader) -> NamedBundle) -> Vec<NamedBundle> {
    let mut loader = BundleLoader::of_file();
    paths.iter().map(|path| one(path, &mut loader)).collect()
}

/// Loads a bundle that the operator named, which may be a pipe.
pub(in crate::cli) fn load_named(path: &Path, loader: &mut BundleLoader) -> NamedBundle {
    let place = files::show(path);
    let read = |limit| files::read_small(path, limit, Code::BundleTooLarge);
    loader.load(&*place, &place, read)
}

/// Loads a bundle that was found next to a file: a regular file only.
pub(super) fn load_found(path: &Path, loader: &mut BundleLoader) -> NamedBundle {
    let place = files::show(path);
    let read = |limit| files::read_found(path, limit, Code::BundleTooLarge);
    loader.load(&*place, &place, read)
}
