//! The files and layouts of a folder that carry no seal: sorted out, paired, and judged.

use std::cmp::Reverse;

use super::first_look::KnownUnit;
use super::folder_run::FolderRun;
use super::unit_verifier::{UnitVerifier, is_material};
use super::units::{Unit, UnitKind};
use super::{PairingMap, cover};
use crate::digest::FileDigest;
use crate::image::Options;
use crate::key::PublicKey;
use crate::pairing::Names;
use crate::parallel::{self, ThreadLimit};
use crate::survey::{FileKind, FileReader, FolderVerifier, SharedNames, SurveyOptions};
use crate::verdict::{ArtifactReport, Code, Cover, Fault};

/// The units of a folder by what the first look found.
#[derive(Default)]
struct Sorted<'s> {
    /// Whether there is anything to judge.
    anything: bool,
    artifacts: Vec<&'s str>,
    keys: Vec<&'s PublicKey>,
    /// Bundles that state a digest, with it.
    stated: Vec<(&'s str, &'s str)>,
    /// The shown names of the bundles in this part.
    bundles: Vec<String>,
}

/// What the first look found of a small file.
fn small(seen: &[Option<KnownUnit>], number: usize) -> Option<(&FileDigest, &FileKind)> {
    match seen.get(number) {
        Some(Some(KnownUnit::Small(digest, kind))) => Some((digest, kind)),
        _ => None,
    }
}

impl<'a> FolderRun<'a, '_> {
    /// Judges files and layouts. Gives the shown names of the bundles that are in this part.
    ///
    /// # Errors
    /// [`Code::MapMalformed`] for a map that names what is not there.
    pub(super) fn files(&self) -> Result<Vec<String>, Fault> {
        let folder = self.listed.folder;
        let reading = Options { jobs: 1, ..self.request.reading };
        let profiles = self.request.vendors.all_profiles();
        let options = SurveyOptions { profiles: &profiles, reading, own: |_| false };
        let seen = self.first_look(&FileReader::new(folder, &self.names(), &options));
        let sorted = self.sort(&seen);
        let names = self.pair(&sorted)?;
        let vendor_keys = self.request.vendors.vendor_keys(&sorted.keys);
        if vendor_keys.keys.is_empty() && sorted.anything && self.listed.judges_unsealed() {
            self.without_key(&seen);
            return Ok(sorted.bundles);
        }
        let known = |name: &str| {
            let (digest, _) = small(&seen, self.number_of(name)?)?;
            Some(digest.sha256)
        };
        let shared = SharedNames::new(sorted.artifacts.iter().copied());
        let reader = FileReader::new(folder, &names, &options);
        let verifier =
            FolderVerifier { folder, names: &names, known: &known, vendor_keys: &vendor_keys };
        // Archives that are still read when others are done get the threads of those.
        let threads = ThreadLimit::new(self.request.reading.jobs);
        let unit_verifier = UnitVerifier {
            run: self,
            verifier: &verifier,
            reader: &reader,
            shared: &shared,
            threads: &threads,
        };
        let mut tasks: Vec<(usize, &Unit)> =
            self.asked().filter(|(_, unit)| !matches!(unit.kind, UnitKind::Transfer)).collect();
        if self.request.reading.jobs > 1 {
            // The largest first, so that all threads end together.
            tasks.sort_by_key(|(_, unit)| Reverse(unit.size));
        }
        parallel::map_with(&tasks, &threads, |(number, unit)| {
            if !self.is_stopped() {
                unit_verifier.verify(unit, seen.get(*number).and_then(Option::as_ref));
            }
        });
        Ok(sorted.bundles)
    }

    fn sort<'s>(&'s self, seen: &'s [Option<KnownUnit>]) -> Sorted<'s> {
        let mut sorted = Sorted::default();
        for (number, (unit, seen)) in self.units.iter().zip(seen).enumerate() {
            let Some(seen) = seen else { continue };
            match seen {
                KnownUnit::Small(_, FileKind::Bundle(content)) => {
                    sorted.anything = true;
                    if let Some(digest) = content {
                        sorted.stated.push((unit.name.as_str(), digest.as_str()));
                    }
                    if self.is_mine(number) {
                        sorted.bundles.push(self.listed.folder.show(&unit.name));
                    }
                }
                KnownUnit::Small(_, FileKind::Key(key)) => sorted.keys.push(key),
                KnownUnit::Small(_, FileKind::KeyName | FileKind::TrustedRoot) => {}
                KnownUnit::Small(..) | KnownUnit::Later => {
                    sorted.anything = true;
                    sorted.artifacts.push(unit.name.as_str());
                }
                KnownUnit::Fault(_) => sorted.artifacts.push(unit.name.as_str()),
            }
        }
        sorted
    }

    /// The names by which bundles are found: what bundles state, and the operator's map.
    fn pair<'s>(&'s self, sorted: &Sorted<'s>) -> Result<Names<'s>, Fault> {
        let mut names = self.names();
        for (bundle, digest) in &sorted.stated {
            names.state(bundle, digest);
        }
        for (artifact, bundle) in self.request.map.into_iter().flat_map(PairingMap::pairs) {
            for name in [artifact, bundle] {
                if !names.has(name) && self.number_of(name).is_none() {
                    let message = "there is no such file in the folder";
                    let fault = Fault::new(Code::MapMalformed, message);
                    return Err(fault.at(self.listed.folder.show(name)));
                }
            }
            names.map(artifact, bundle);
        }
        Ok(names)
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.units.binary_search_by(|unit| unit.name.as_str().cmp(name)).ok()
    }

    /// The one answer for a folder that there is no key to judge by.
    fn without_key(&self, seen: &[Option<KnownUnit>]) {
        let message = "neither --key nor a trust policy with vendor keys was given";
        let fault = Fault::new(Code::NoKey, message);
        let report = ArtifactReport::new(self.listed.folder.shown()).refused(&fault);
        for (number, unit) in self.asked() {
            let cover = match (&unit.kind, small(seen, number)) {
                (UnitKind::Transfer, _) => continue,
                (_, Some((_, kind))) if is_material(kind) => cover::of_material(kind),
                _ if !self.request.filter.admits(&unit.name) => Cover::Excluded,
                _ => Cover::Uncovered,
            };
            let files = self.files_of(unit).into_iter();
            self.covered(files.map(|(name, size)| (name.into(), size, cover)));
        }
        self.answer("", 0, report);
    }
}
