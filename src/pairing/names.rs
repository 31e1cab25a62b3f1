//! Pairing in a whole folder: which of its bundles belongs to an artifact.
//!
//! The steps (the operator's map, the vendor's names, an image's labels, sidecars, the digest that a bundle
//! states) are tried in a fixed order, and the first that finds anything decides; what it finds
//! twice is ambiguous, and no later step is asked. A pairing proves nothing: the bundle must verify.

use std::collections::{BTreeMap, BTreeSet};

use super::{VendorNames, for_package};
use crate::trust::VendorProfile;

/// Appended to a file's name, each gives the name of a bundle for that file.
pub const SIDECARS: [&str; 2] = [".sigstore.json", ".bundle"];

/// The files of a folder by name, and what its bundles say of themselves.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// Sorted.
    names: Vec<&'a str>,
    /// Last parts and the whole names, sorted.
    by_base: Vec<(&'a str, &'a str)>,
    /// Bundles by the digest that they state for the signed text, in hexadecimal.
    by_digest: BTreeMap<&'a str, Vec<&'a str>>,
    /// Bundles by the artifact that the operator's map gives them to.
    by_map: BTreeMap<&'a str, Vec<&'a str>>,
}

/// The step that found a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The operator's pairing map.
    Map,
    /// The name that the vendor's profile gives for a package.
    VendorName,
    /// The name in an image's label.
    Label,
    /// The artifact's name followed by `.sigstore.json` or `.bundle`.
    Sidecar,
    /// The digest that the bundle states.
    StatedDigest,
}

impl Step {
    /// The step in words, for a report.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Map => "the pairing map",
            Self::VendorName => "the vendor's name for it",
            Self::Label => "the name in the image's label",
            Self::Sidecar => "the artifact's own name with a bundle's ending",
            Self::StatedDigest => "the digest that it states",
        }
    }
}

/// What pairing found for one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pairing {
    /// Nothing at any step.
    Nothing,
    /// These bundles, in order, each once: more than one only for an archive of several images.
    Found(Step, Vec<String>),
    /// One step found several for one place.
    Ambiguous(Step, Vec<String>),
}

impl<'a> Names<'a> {
    /// The names of all files in the folder; paths below it, parts joined by `/`.
    pub fn new(files: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = files.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let mut by_base: Vec<(&str, &str)> = names.iter().map(|name| (base(name), *name)).collect();
        by_base.sort_unstable();
        Self { names, by_base, ..Self::default() }
    }

    /// Adds what a bundle states of the text that it signs: a SHA-256 in hexadecimal.
    pub fn state(&mut self, bundle: &'a str, digest: &'a str) {
        self.by_digest.entry(digest).or_insert_with(|| Vec::with_capacity(1)).push(bundle);
    }

    /// Adds what the operator's map says: this bundle is the artifact's.
    pub fn map(&mut self, artifact: &'a str, bundle: &'a str) {
        self.by_map.entry(artifact).or_default().push(bundle);
    }

    /// Whether a file of this name exists.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.names.binary_search(&path).is_ok()
    }

    /// The vendor's bundle next to a file, which makes it a package whatever is in it.
    #[must_use]
    pub fn package_bundle_beside(&self, profile: &VendorProfile, path: &str) -> Option<String> {
        let bundle = beside(path, &for_package(profile, base(path)).bundle?);
        self.has(&bundle).then_some(bundle)
    }

    /// The bundle of a package; `digest` is the SHA-256, in hexadecimal, of the text that the vendor
    /// signs for it.
    #[must_use]
    pub fn package(&self, profile: &VendorProfile, path: &str, digest: &str) -> Pairing {
        let material = for_package(profile, base(path));
        let by_name = self.named(path, material.bundle.as_slice());
        first(
            (Step::Map, self.mapped(path)),
            [
                (Step::VendorName, by_name),
                (Step::Sidecar, self.sidecars(path)),
                (Step::StatedDigest, self.stating([digest])),
            ],
        )
    }

    /// The bundles of an image archive: `material` is what the labels of its images name, `digests`
    /// the SHA-256, in hexadecimal, of each text that the vendor may have signed for it.
    #[must_use]
    pub fn image<'d>(
        &self,
        path: &str,
        material: &[VendorNames],
        digests: impl IntoIterator<Item = &'d str>,
    ) -> Pairing {
        let labels: BTreeSet<String> =
            material.iter().filter_map(|material| material.bundle.clone()).collect();
        let labels: Vec<String> = labels.into_iter().collect();
        let by_label = self.named(path, &labels);
        first(
            (Step::Map, self.mapped(path)),
            [
                (Step::Label, by_label),
                (Step::Sidecar, self.sidecars(path)),
                (Step::StatedDigest, self.stating(digests)),
            ],
        )
    }

    /// For each name the file next to `path`, else the files of that name elsewhere in the folder.
    fn named(&self, path: &str, names: &[String]) -> Vec<Vec<String>> {
        names
            .iter()
            .map(|name| {
                let near = beside(path, name);
                if self.has(&near) {
                    return vec![near];
                }
                let start = self.by_base.partition_point(|(base, _)| *base < name.as_str());
                let rest = self.by_base.get(start..).unwrap_or_default();
                let elsewhere = rest.iter().take_while(|(base, _)| *base == name.as_str());
                elsewhere.map(|(_, file)| (*file).to_owned()).collect()
            })
            .collect()
    }

    /// What the map gives to an artifact; several bundles are several places.
    fn mapped(&self, path: &str) -> Vec<Vec<String>> {
        let bundles = self.by_map.get(path).map_or(&[][..], Vec::as_slice);
        bundles.iter().map(|bundle| vec![(*bundle).to_owned()]).collect()
    }

    fn sidecars(&self, path: &str) -> Vec<Vec<String>> {
        let there = SIDECARS.iter().map(|ending| format!("{path}{ending}"));
        vec![there.filter(|name| self.has(name)).collect()]
    }

    /// Bundles that state one of these digests, each digest a place of its own.
    fn stating<'d>(&self, digests: impl IntoIterator<Item = &'d str>) -> Vec<Vec<String>> {
        digests
            .into_iter()
            .filter_map(|digest| self.by_digest.get(digest))
            .map(|bundles| bundles.iter().map(|bundle| (*bundle).to_owned()).collect())
            .collect()
    }
}

/// The first step that found anything; each place of it must hold one file.
fn first(
    step: (Step, Vec<Vec<String>>),
    rest: impl IntoIterator<Item = (Step, Vec<Vec<String>>)>,
) -> Pairing {
    for (step, places) in std::iter::once(step).chain(rest) {
        if let Some(several) = places.iter().find(|found| found.len() > 1) {
            return Pairing::Ambiguous(step, several.clone());
        }
        let mut found: Vec<String> = places.into_iter().flatten().collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            return Pairing::Found(step, found);
        }
    }
    Pairing::Nothing
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name in the directory of `path`.
fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material(name: &str) -> VendorNames {
        VendorNames { bundle: Some(name.to_owned()), key: None }
    }

    fn found(step: Step, names: &[&str]) -> Pairing {
        Pairing::Found(step, names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_first_step_that_finds_anything_decides() {
        let profile = VendorProfile::k2view().unwrap();
        let all =
            ["a/x.tgz", "a/x.tgz.sigstore.json", "s/x.tgz_signature.bundle", "s/other.bundle"];
        let mut names = Names::new(all);
        names.state("s/other.bundle", "00");
        let by_vendor = found(Step::VendorName, &["s/x.tgz_signature.bundle"]);
        assert_eq!(names.package(&profile, "a/x.tgz", "00"), by_vendor);
        let mut names = Names::new(all.into_iter().filter(|name| !name.contains("signature")));
        names.state("s/other.bundle", "00");
        let sidecar = found(Step::Sidecar, &["a/x.tgz.sigstore.json"]);
        assert_eq!(names.package(&profile, "a/x.tgz", "00"), sidecar);
        let stated = found(Step::StatedDigest, &["s/other.bundle"]);
        assert_eq!(names.package(&profile, "b/x.tgz", "00"), stated);
        assert_eq!(names.package(&profile, "b/x.tgz", "01"), Pairing::Nothing);
    }

    #[test]
    fn what_lies_beside_wins_and_two_elsewhere_are_ambiguous() {
        let names = Names::new(["a/i.tar", "a/i.bundle", "b/i.bundle", "c/j.bundle", "d/j.bundle"]);
        let image = |name: &str| names.image("a/i.tar", &[material(name)], ["00"]);
        assert_eq!(image("i.bundle"), found(Step::Label, &["a/i.bundle"]));
        let several = vec!["c/j.bundle".to_owned(), "d/j.bundle".to_owned()];
        assert_eq!(image("j.bundle"), Pairing::Ambiguous(Step::Label, several));
        assert_eq!(image("k.bundle"), Pairing::Nothing);
    }

    #[test]
    fn an_archive_of_several_images_has_several_bundles() {
        let names = Names::new(["i.tar", "one.bundle", "two.bundle"]);
        let material = [material("two.bundle"), material("one.bundle"), material("two.bundle")];
        let both = found(Step::Label, &["one.bundle", "two.bundle"]);
        assert_eq!(names.image("i.tar", &material, []), both);
    }
}
