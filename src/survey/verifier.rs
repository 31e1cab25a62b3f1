//! One artifact of a folder without a seal: its bundles, its key, its verdict.

use std::fmt;

use super::hash;
use crate::artifact::{
    ArtifactContent, ArtifactSigner, ArtifactVerifier, BundleLoader, Clues, NamedBundle,
    OfferedBundles, TrustedKey, TryBudget, VendorKeys, signs_file,
};
use crate::digest::{FileDigest, Sha256Digest};
use crate::directory::{Folder, read_small, system_fault};
use crate::image::NoProgress;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing::{self, Names, Pairing, VendorNames};
use crate::sigstore::Signer;
use crate::trust::{ArtifactName, VendorProfile};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// What to do about an artifact in a folder that has no bundle.
const PAIR_IT: &str = "Fetch its bundle, and put the bundle next to the file under a name that the vendor profile \
    knows. With `verify`, --map FILE pairs the two whatever they are called.";

/// One artifact that is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Task<'s> {
    /// Its path below the folder.
    pub path: &'s str,
    /// What it is called, for patterns of names in a policy.
    pub name: &'s str,
    /// What it is.
    pub content: ArtifactContent<'s>,
}

/// One artifact and its verdict.
#[derive(Debug)]
pub struct ArtifactOutcome {
    /// The verdict.
    pub report: ArtifactReport,
    /// Its path below the folder.
    pub path: String,
    /// What it is called: the last part of its path, or the whole where another has the same.
    pub name: String,
    /// The bundles that were paired with it.
    pub bundles: Vec<String>,
    /// The vendor, as the policy or the profile names it.
    pub vendor: String,
    /// Whether the key was accepted unseen.
    pub first_use: bool,
}

impl ArtifactOutcome {
    fn new(task: &Task<'_>, profile: &VendorProfile) -> Self {
        Self {
            report: ArtifactReport::new(task.path),
            path: task.path.to_owned(),
            name: task.name.to_owned(),
            bundles: Vec::new(),
            vendor: profile.name.clone(),
            first_use: false,
        }
    }

    fn refused(self, fault: &Fault) -> Self {
        Self { report: self.report.refused(fault), ..self }
    }
}

/// Judges artifacts of a folder one by one: pairs each with its bundles and chooses the key.
pub struct FolderVerifier<'a> {
    /// The folder that holds the bundles.
    pub folder: &'a Folder,
    /// Its files by name, and what its bundles state.
    pub names: &'a Names<'a>,
    /// The digest that a file had when it was surveyed, where that was seen: a bundle must still have it.
    pub known: &'a (dyn Fn(&str) -> Option<Sha256Digest> + Sync),
    /// The vendors' keys and the trust settings to judge by.
    pub vendor_keys: &'a VendorKeys<'a>,
}

impl fmt::Debug for FolderVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderVerifier").field("names", &self.names).finish_non_exhaustive()
    }
}

impl FolderVerifier<'_> {
    /// Judges one artifact.
    ///
    /// What is not OK as an image is a package where its bundle signs the SHA-256 of the file itself: such a
    /// bundle says what the vendor took it for, and the whole file is what it covers.
    #[must_use]
    pub fn verify(&self, task: &Task<'_>) -> ArtifactOutcome {
        let judged = self.verify_as_told(task);
        let is_package = matches!(task.content, ArtifactContent::Package(..));
        if judged.report.outcome() == Outcome::Ok || is_package || judged.bundles.is_empty() {
            return judged;
        }
        match self.signed_as_package(task, &judged.bundles) {
            Some((digest, bundle)) => {
                let detected = format!("package: {bundle} signs the SHA-256 of the file itself");
                let content = ArtifactContent::Package(digest, Some(&detected), None);
                self.verify_as_told(&Task { content, ..*task })
            }
            None => judged,
        }
    }

    fn verify_as_told(&self, task: &Task<'_>) -> ArtifactOutcome {
        let (pairing, profile) = self.pair(task);
        let mut judged = ArtifactOutcome::new(task, profile);
        let here = |fault: Fault| fault.at(self.folder.show(task.path));
        let shown = |names: &[String]| names.iter().map(|name| self.folder.show(name)).collect();
        match pairing {
            Pairing::Nothing => {
                if let Some(fault) = system_fault(task.path) {
                    judged.report.kind = Some(ArtifactKind::File);
                    return judged.refused(&here(fault));
                }
            }
            Pairing::Found(_, names) => {
                judged.report.paired = shown(&names);
                judged.bundles = names;
            }
            Pairing::Ambiguous(step, names) => {
                judged.report.paired = shown(&names);
                let message = format!("{} fits several: {}", step.words(), names.join(", "));
                return judged.refused(&here(Fault::new(Code::PairingAmbiguous, message)));
            }
        }
        let mut loader = BundleLoader::of_folder();
        let bundles: Vec<NamedBundle> =
            judged.bundles.iter().map(|name| self.load(name, &mut loader)).collect();
        judged.report.kind = Some(match task.content {
            ArtifactContent::Package(..) => ArtifactKind::Package,
            _ => ArtifactKind::Image,
        });
        let tries = TryBudget::default();
        let key = match (self.choose(task, &bundles, profile, &tries), task.content) {
            (Ok(Some(key)), _) => key,
            // An artifact that can't be the signed one is reported first, whoever signed it.
            (_, ArtifactContent::Refused(fault)) => return judged.refused(fault),
            (Err(fault), _) => return judged.refused(&here(fault)),
            (Ok(None), _) => {
                let fault = Fault::new(Code::NoBundle, "no signature bundle was found for it");
                return judged.refused(&fault.advise(PAIR_IT));
            }
        };
        self.verify_by_key(task, key, profile, &bundles, &tries, judged)
    }

    /// Judges an artifact by the one key that was chosen.
    fn verify_by_key(
        &self,
        task: &Task<'_>,
        key: &TrustedKey<'_>,
        profile: &VendorProfile,
        bundles: &[NamedBundle],
        tries: &TryBudget,
        mut judged: ArtifactOutcome,
    ) -> ArtifactOutcome {
        let clues = self.clues(task, profile, &judged.bundles);
        let mut offered = OfferedBundles { bundles, clues, likely_causes: Vec::new() };
        let signers = [ArtifactSigner { signer: self.vendor_keys.signer(key), profile }];
        let called = ArtifactName { name: task.name, path: Some(task.path) };
        let verifier = ArtifactVerifier { signers: &signers, tries };
        let mut report = verifier.verify(judged.report, called, task.content, &mut offered);
        if report.code() == Some(Code::NoBundle) {
            report.next = Some(PAIR_IT.to_owned());
        }
        if let Some((vendor, _)) = key.listed {
            vendor.name().clone_into(&mut judged.vendor);
        }
        judged.first_use = key.first_use && !bundles.is_empty();
        report.first_use = judged.first_use;
        ArtifactOutcome { report, ..judged }
    }

    /// The digest of a file, and the bundle that says that it signs just that.
    fn signed_as_package(
        &self,
        task: &Task<'_>,
        bundles: &[String],
    ) -> Option<(FileDigest, String)> {
        let [name] = bundles else { return None };
        let bundle = self.load(name, &mut BundleLoader::of_folder());
        let content = bundle.content.as_ref().ok()?;
        // A layout directory is not a file.
        let digest = hash(self.folder, task.path, u64::MAX, &NoProgress).ok()?;
        let tries = TryBudget::default();
        let keys = &self.vendor_keys;
        let of_policy = keys.keys.iter().filter_map(|key| Some(key.listed?.0.profile()));
        let signs = keys.profiles.iter().chain(of_policy).any(|profile| {
            let named = keys.keys.iter().map(|key| &key.key);
            let signers = named.chain(&keys.unnamed).map(|key| self.signer(key));
            signs_file(content, digest, profile, signers, &tries)
        });
        signs.then(|| (digest, base(name).to_owned()))
    }

    /// Which bundle and key the names around an artifact suggest.
    fn clues(&self, task: &Task<'_>, profile: &VendorProfile, bundles: &[String]) -> Clues {
        let (named_by, material) = match &task.content {
            ArtifactContent::Image(archive, _) => match archive.images.as_slice() {
                [image] => {
                    ("the image's label".to_owned(), pairing::for_image(profile, &image.labels))
                }
                _ => return Clues::default(),
            },
            ArtifactContent::Package(..) => {
                let json = profile.package.key_file.name_for(base(task.path));
                let directory = task.path.strip_suffix(base(task.path)).unwrap_or_default();
                let path = format!("{directory}{json}");
                let limit = limits::KEY_BYTES;
                let bytes = self
                    .names
                    .has(&path)
                    .then(|| read_small(self.folder, &path, limit, Code::BundleTooLarge));
                let key = bytes.and_then(Result::ok);
                let key = key.and_then(|(bytes, _)| pairing::key_name(&bytes).ok());
                (json, VendorNames { bundle: None, key })
            }
            ArtifactContent::Refused(_) => return Clues::default(),
        };
        let used = bundles.first().map(|bundle| base(bundle));
        Clues {
            key: material.key.map(|key| {
                format!("{named_by} names the key {key}: compare it with the key given")
            }),
            bundle: material.bundle.filter(|named| used.is_some_and(|used| used != named)).map(
                |named| {
                    format!(
                        "{named_by} names the bundle {named}, used was {}",
                        used.unwrap_or_default()
                    )
                },
            ),
        }
    }

    /// Reads a bundle again, which must be what was surveyed.
    pub(super) fn load(&self, name: &str, loader: &mut BundleLoader) -> NamedBundle {
        let place = self.folder.show(name);
        loader.load(&*place, &place, |limit| {
            let (bytes, digest) = read_small(self.folder, name, limit, Code::BundleTooLarge)?;
            if (self.known)(name).is_some_and(|known| known != digest) {
                let message = "the file changed while the folder was read";
                return Err(Fault::new(Code::Unreadable, message).at(&*place));
            }
            Ok(bytes)
        })
    }

    /// Whoever has this key, for finding out what a bundle is about.
    pub(super) fn signer<'k>(&self, key: &'k PublicKey) -> Signer<'k> {
        Signer::Key { key, hash: self.vendor_keys.rules.hash }
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
