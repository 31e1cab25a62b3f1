//! Every artifact of a folder without a seal: its bundle, its key, its verdict.
//!
//! The same code judges when a folder is sealed and when one is verified that carries no seal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::found::{FileKind, Survey};
use super::hash;
use crate::artifact::{self, Clues, Judge, NamedBundle, Terms, Tries};
use crate::digest::{FileDigest, Sha256Digest};
use crate::directory::{Folder, read_small, system_fault};
use crate::image::{Archive, NoProgress};
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::pairing::{self, Material, Names, Pairing};
use crate::parallel;
use crate::sigstore::{
    self, HashRule, Request, SignatureBundle, Signer, Transparency, TrustMaterial,
};
use crate::trust::{KeyTerms, Profiles, Vendor, VendorProfile};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, KeyTrust, Outcome};

/// What to do about an artifact in a folder that has no bundle.
const PAIR_IT: &str = "Fetch the bundle that belongs to it, and lay it beside it under a name that the vendor profile \
    knows. With `verify`, --map FILE pairs the two whatever they are called.";

/// A vendor's key that the operator named.
#[derive(Debug, Clone)]
pub struct TrustedKey<'a> {
    /// The key.
    pub key: PublicKey,
    /// The vendor in the trust policy, and the terms on which the key counts.
    pub vendor: Option<(&'a Vendor, &'a KeyTerms)>,
    /// Whether it was accepted unseen.
    pub first_use: bool,
}

impl TrustedKey<'_> {
    /// Whether its vendor works by these conventions, as far as a policy says.
    #[must_use]
    pub fn works_by(&self, profile: &VendorProfile) -> bool {
        self.vendor.is_none_or(|(vendor, _)| vendor.profile() == profile)
    }

    /// The request by which a bundle is judged with this key.
    #[must_use]
    pub fn request<'k>(&'k self, vendor_keys: &'k VendorKeys<'_>) -> Request<'k> {
        let relaxed = self.vendor.map(|(vendor, _)| vendor.transparency());
        Request {
            signer: Signer::Key { key: &self.key, hash: vendor_keys.hash },
            trust: vendor_keys.material,
            transparency: relaxed.unwrap_or(vendor_keys.transparency),
            now: vendor_keys.now,
        }
    }
}

/// By whom and by what artifacts are judged.
#[derive(Debug)]
pub struct VendorKeys<'a> {
    /// The keys that the operator named.
    pub keys: Vec<TrustedKey<'a>>,
    /// Keys that lie in the folder and that nobody named: never used, only told of.
    pub unnamed: Vec<PublicKey>,
    /// The logs and authorities to believe.
    pub material: &'a TrustMaterial,
    /// The conventions of vendors that no policy lists.
    pub profiles: Profiles<'a>,
    /// Whether a vendor that no policy lists needs log entries.
    pub transparency: Transparency,
    /// The hash functions to accept.
    pub hash: HashRule,
    /// The present.
    pub now: jiff::Timestamp,
}

/// One artifact and its verdict.
#[derive(Debug)]
pub struct Judged {
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

/// What an artifact is to be judged as.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'s> {
    /// An image archive or OCI layout, and how that was told.
    Image(&'s Archive, Option<&'s str>),
    /// A package: its bytes' digest, how it was told, and what went wrong when it was read as an image.
    Package(FileDigest, &'s str, Option<&'s Fault>),
    /// What is refused before a signature is looked at.
    Refused(&'s Fault),
}

/// One artifact that is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Task<'s> {
    /// Its path below the folder.
    pub path: &'s str,
    /// What it is called, for patterns of names in a policy.
    pub name: &'s str,
    /// What it is.
    pub subject: Subject<'s>,
}

/// Judges every artifact of a survey, in the order of the names; also says which bundles belong to
/// none. `called` holds the operator's names of artifacts, by path.
#[must_use]
pub fn judge(
    folder: &Folder,
    survey: &Survey,
    vendor_keys: &VendorKeys<'_>,
    called: &BTreeMap<&str, &str>,
    jobs: usize,
) -> (Vec<Judged>, Vec<String>) {
    let mut names = Names::new(survey.files.iter().map(|file| file.name.as_str()));
    for file in &survey.files {
        if let FileKind::Bundle(Some(stated)) = &file.what {
            names.state(&file.name, stated);
        }
    }
    let mut tasks: Vec<Task<'_>> = survey
        .files
        .iter()
        .filter_map(|file| {
            let subject = match &file.what {
                FileKind::Image(archive, detected) => Subject::Image(archive, Some(detected)),
                FileKind::Package(detected, fault) => {
                    Subject::Package(file.digest, detected, fault.as_deref())
                }
                FileKind::Refused(fault) => Subject::Refused(fault),
                _ => return None,
            };
            Some(Task { path: &file.name, name: &file.name, subject })
        })
        .chain(survey.layouts.iter().map(|layout| Task {
            path: &layout.name,
            name: &layout.name,
            subject: match &layout.archive {
                Ok(archive) => Subject::Image(archive, None),
                Err(fault) => Subject::Refused(fault),
            },
        }))
        .collect();
    tasks.sort_by_key(|task| task.path);
    let shared = SharedNames::new(tasks.iter().map(|task| task.path));
    for task in &mut tasks {
        task.name = called.get(task.path).copied().unwrap_or_else(|| shared.name(task.path));
    }
    let known = |name: &str| survey.file(name).map(|file| file.digest.sha256);
    let verifier = FolderVerifier { folder, names: &names, known: &known, vendor_keys };
    let judged = parallel::map(&tasks, jobs, |task| verifier.judge(task));
    let used: BTreeSet<&str> =
        judged.iter().flat_map(|it| it.bundles.iter().map(String::as_str)).collect();
    let unpaired = survey
        .files
        .iter()
        .filter(|file| matches!(file.what, FileKind::Bundle(_)) && !used.contains(&*file.name))
        .map(|file| file.name.clone())
        .collect();
    (judged, unpaired)
}

/// Which last parts of paths several artifacts share: those go by their whole paths.
#[derive(Debug)]
pub struct SharedNames<'a>(BTreeSet<&'a str>);

impl<'a> SharedNames<'a> {
    /// Of the artifacts with these paths.
    pub fn new(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut seen = BTreeSet::new();
        Self(paths.into_iter().map(base).filter(|base| !seen.insert(*base)).collect())
    }

    /// What the artifact of a path is called: the last part of it, or the whole where another has the
    /// same.
    #[must_use]
    pub fn name<'p>(&self, path: &'p str) -> &'p str {
        if self.0.contains(base(path)) { path } else { base(path) }
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where artifacts are judged one by one: the one place that pairs, chooses a key and decides.
pub struct FolderVerifier<'a> {
    /// The folder that the bundles lie in.
    pub folder: &'a Folder,
    /// Its files by name, and what its bundles state.
    pub names: &'a Names<'a>,
    /// The digest that a file had when it was surveyed, where that was seen: a bundle must still have it.
    pub known: &'a (dyn Fn(&str) -> Option<Sha256Digest> + Sync),
    /// By whom and by what is judged.
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
    pub fn judge(&self, task: &Task<'_>) -> Judged {
        let judged = self.judge_as_told(task);
        let image = matches!(task.subject, Subject::Image(..) | Subject::Refused(_));
        if judged.report.outcome() == Outcome::Ok || !image || judged.bundles.is_empty() {
            return judged;
        }
        match self.signed_as_package(task, &judged.bundles) {
            Some((digest, bundle)) => {
                let detected = format!("package: {bundle} signs the SHA-256 of the file itself");
                let subject = Subject::Package(digest, &detected, None);
                self.judge_as_told(&Task { subject, ..*task })
            }
            None => judged,
        }
    }

    /// The digest of a file, and the bundle that says that it signs just that.
    fn signed_as_package(
        &self,
        task: &Task<'_>,
        bundles: &[String],
    ) -> Option<(FileDigest, String)> {
        let [name] = bundles else { return None };
        let bundle = self.load(name, &mut limits::BUNDLES_TOTAL_BYTES.clone());
        let content = bundle.content.as_ref().ok()?;
        // A layout directory is no file.
        let digest = hash(self.folder, task.path, u64::MAX, &NoProgress).ok()?;
        let tries = Tries::default();
        let mut profiles: Vec<_> = self.vendor_keys.profiles.iter().collect();
        profiles
            .extend(self.vendor_keys.keys.iter().filter_map(|key| Some(key.vendor?.0.profile())));
        let signs = profiles.into_iter().any(|profile| {
            let text = profile.package.message.message(&digest.sha256);
            content.states(text.as_bytes()).unwrap_or_else(|| {
                let task = Task { subject: Subject::Package(digest, "", None), ..*task };
                let texts = Texts::of(&task, profile);
                let keys = self.vendor_keys.keys.iter().map(|it| &it.key);
                let mut keys = keys.chain(&self.vendor_keys.unnamed);
                let bundles = std::slice::from_ref(&bundle);
                keys.any(|key| self.signed_by(key, bundles, &texts, &tries))
            })
        });
        signs.then(|| (digest, base(name).to_owned()))
    }

    /// What names around an artifact tell of its bundle and key.
    fn clues(&self, task: &Task<'_>, profile: &VendorProfile, bundles: &[String]) -> Clues {
        let (named_by, material) = match &task.subject {
            Subject::Image(archive, _) => match archive.images.as_slice() {
                [image] => {
                    ("the image's label".to_owned(), pairing::for_image(profile, &image.labels))
                }
                _ => return Clues::default(),
            },
            Subject::Package(..) => {
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
                (json, Material { bundle: None, key })
            }
            Subject::Refused(_) => return Clues::default(),
        };
        let used = bundles.first().map(|it| base(it));
        Clues {
            key: material.key.map(|key| {
                format!("{named_by} names the key {key}: compare it with the key given")
            }),
            bundle: material.bundle.filter(|it| used.is_some_and(|used| used != it)).map(|it| {
                format!("{named_by} names the bundle {it}, used was {}", used.unwrap_or_default())
            }),
        }
    }

    fn judge_as_told(&self, task: &Task<'_>) -> Judged {
        let mut report = ArtifactReport::new(task.path);
        let (pairing, profile) = self.pair(task);
        let texts = Texts::of(task, profile);
        let tries = Tries::default();
        let mut judged = Judged {
            report: ArtifactReport::new(task.path),
            path: task.path.to_owned(),
            name: task.name.to_owned(),
            bundles: Vec::new(),
            vendor: profile.name.clone(),
            first_use: false,
        };
        let bundles = match pairing {
            Pairing::Nothing => {
                if let Some(fault) = system_fault(task.path) {
                    report.kind = Some(ArtifactKind::File);
                    judged.report = report.refused(&fault.at(self.folder.show(task.path)));
                    return judged;
                }
                Vec::new()
            }
            Pairing::Found(_, names) => {
                let mut left = limits::BUNDLES_TOTAL_BYTES;
                let bundles = names.iter().map(|name| self.load(name, &mut left)).collect();
                report.paired = names.iter().map(|name| self.folder.show(name)).collect();
                judged.bundles = names;
                bundles
            }
            Pairing::Ambiguous(step, names) => {
                let message = format!("{} fits several: {}", step.words(), names.join(", "));
                report.paired = names.iter().map(|name| self.folder.show(name)).collect();
                let fault = Fault::new(Code::PairingAmbiguous, message);
                judged.report = report.refused(&fault.at(self.folder.show(task.path)));
                return judged;
            }
        };
        report.kind = Some(match task.subject {
            Subject::Package(..) => ArtifactKind::Package,
            _ => ArtifactKind::Image,
        });
        let chosen = match self.choose(&bundles, &texts, profile, &tries) {
            Ok(chosen) => chosen,
            // What can't be what was signed is said first, whoever signed it.
            Err(fault) if !matches!(task.subject, Subject::Refused(_)) => {
                judged.report = report.refused(&fault.at(self.folder.show(task.path)));
                return judged;
            }
            Err(_) => None,
        };
        let Some(key) = chosen else {
            judged.report = match &task.subject {
                Subject::Refused(fault) => report.refused(fault),
                _ => {
                    let message = "no signature bundle was found for it";
                    report.refused(&Fault::new(Code::NoBundle, message).advise(PAIR_IT))
                }
            };
            return judged;
        };
        let clues = self.clues(task, profile, &judged.bundles);
        let request = key.request(self.vendor_keys);
        let terms = key.vendor.map(|(vendor, terms)| Terms {
            name: task.name,
            path: Some(task.path),
            key: terms,
            vendor,
        });
        let judge = Judge { request: &request, profile, terms, tries: &tries, clues: &clues };
        if let Some((vendor, _)) = key.vendor {
            vendor.name().clone_into(&mut judged.vendor);
        }
        judged.first_use = key.first_use && !bundles.is_empty();
        judged.report = match &task.subject {
            Subject::Image(archive, detected) => {
                report.detected = detected.map(str::to_owned);
                artifact::image(report, archive, &bundles, &judge)
            }
            Subject::Package(digest, detected, fault) => {
                report.detected = Some((*detected).to_owned());
                report
                    .likely_causes
                    .extend(fault.map(|fault| format!("read as an image archive: {fault}")));
                match bundles.as_slice() {
                    [] | [_] => artifact::package(report, *digest, bundles.first(), &judge),
                    _ => report
                        .refused(&Fault::new(Code::PairingAmbiguous, "a package has one bundle")),
                }
            }
            Subject::Refused(fault) => artifact::refused(report, fault, Vec::new(), &judge),
        };
        if judged.report.code() == Some(Code::NoBundle) {
            judged.report.next = Some(PAIR_IT.to_owned());
        }
        judged.report.first_use = judged.first_use;
        judged.report.key_trust = key.vendor.map(|_| KeyTrust::Policy);
        judged
    }

    /// The bundles of an artifact, by the first vendor's conventions that find any. Where those of other vendors
    /// find the very same bundles (by a sidecar's name, say, which is no vendor's own), the vendor is
    /// the one whose key signed them; so no bundle that was found is ever passed over.
    fn pair(&self, task: &Task<'_>) -> (Pairing, &VendorProfile) {
        let vendors = self.vendor_keys.keys.iter().filter_map(|key| key.vendor);
        let mut profiles: Vec<&VendorProfile> = Vec::new();
        let named = vendors.map(|(vendor, _)| vendor.profile());
        for profile in named.chain(self.vendor_keys.profiles.iter()) {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
        let found = profiles.iter().enumerate().find_map(|(number, &profile)| {
            let pairing = self.pair_by(task, profile);
            (pairing != Pairing::Nothing).then_some((number, pairing, profile))
        });
        let Some((number, pairing, first)) = found else {
            let profile = profiles.first().copied();
            return (Pairing::Nothing, profile.unwrap_or(self.vendor_keys.profiles.first()));
        };
        let Pairing::Found(_, names) = &pairing else { return (pairing, first) };
        let same = |profile: &VendorProfile| matches!(self.pair_by(task, profile), Pairing::Found(_, others) if others == *names);
        let rest = profiles.get(number.saturating_add(1)..).unwrap_or_default();
        let rest: Vec<_> = rest.iter().copied().filter(|profile| same(profile)).collect();
        if rest.is_empty() || names.len() > limits::BUNDLES {
            return (pairing, first);
        }
        let mut left = limits::BUNDLES_TOTAL_BYTES;
        let bundles: Vec<_> = names.iter().map(|name| self.load(name, &mut left)).collect();
        let tries = Tries::default();
        let signed = std::iter::once(first).chain(rest).find(|profile| {
            let texts = Texts::of(task, profile);
            let mut keys = self.vendor_keys.keys.iter().filter(|key| key.works_by(profile));
            keys.any(|key| self.signed_by(&key.key, &bundles, &texts, &tries))
        });
        (pairing, signed.unwrap_or(first))
    }

    /// Whether any of the bundles holds a signature by this key over any of the texts, as far as the
    /// tries go.
    fn signed_by(
        &self,
        key: &PublicKey,
        bundles: &[NamedBundle],
        texts: &Texts,
        tries: &Tries,
    ) -> bool {
        let signer = Signer::Key { key, hash: self.vendor_keys.hash };
        bundles.iter().filter_map(|bundle| bundle.content.as_ref().ok()).any(|bundle| {
            texts.of_bundle(bundle).iter().any(|text| {
                tries.take() && sigstore::signature_holds(bundle, text.as_bytes(), &signer)
            })
        })
    }

    fn pair_by(&self, task: &Task<'_>, profile: &VendorProfile) -> Pairing {
        let digests = Texts::of(task, profile).digests;
        let digests = digests.iter().map(String::as_str);
        match &task.subject {
            Subject::Package(..) => {
                let mut digests = digests;
                self.names.package(profile, task.path, digests.next().unwrap_or_default())
            }
            Subject::Image(archive, _) => {
                let material: Vec<_> = archive
                    .images
                    .iter()
                    .map(|image| pairing::for_image(profile, &image.labels))
                    .collect();
                self.names.image(task.path, &material, digests)
            }
            Subject::Refused(_) => self.names.image(task.path, &[], []),
        }
    }

    /// Reads a bundle again, which must be what was surveyed.
    fn load(&self, name: &str, left: &mut u64) -> NamedBundle {
        let limit = limits::BUNDLE_BYTES.min(*left);
        let content = read_small(self.folder, name, limit, Code::BundleTooLarge).and_then(
            |(bytes, digest)| {
                *left = left.saturating_sub(bytes.len() as u64);
                if (self.known)(name).is_some_and(|known| known != digest) {
                    let message = "the file changed while the folder was read";
                    return Err(Fault::new(Code::Unreadable, message).at(self.folder.show(name)));
                }
                SignatureBundle::parse_found(&bytes)
                    .map_err(|fault| fault.at(self.folder.show(name)))
            },
        );
        NamedBundle { name: self.folder.show(name), content }
    }

    /// The key that signed; where none of the named ones did, the first, for the diagnosis. None when
    /// there is nothing to judge.
    fn choose(
        &self,
        bundles: &[NamedBundle],
        texts: &Texts,
        profile: &VendorProfile,
        tries: &Tries,
    ) -> Result<Option<&TrustedKey<'_>>, Fault> {
        let vendor_keys = self.vendor_keys;
        let signed_by = |key: &PublicKey| self.signed_by(key, bundles, texts, tries);
        let mut fitting: Vec<_> =
            vendor_keys.keys.iter().filter(|key| key.works_by(profile)).collect();
        if fitting.is_empty() {
            fitting.extend(&vendor_keys.keys);
        }
        if fitting.len() > 1 || !vendor_keys.unnamed.is_empty() {
            if let Some(key) = fitting.iter().find(|key| signed_by(&key.key)) {
                return Ok(Some(key));
            }
            if let Some(key) = vendor_keys.unnamed.iter().find(|key| signed_by(key)) {
                let message = format!(
                    "signed by a key that lies in the folder and that you have not named, {}: if \
                     it is the vendor's, say --pin-key {}",
                    key.kind(),
                    key.fingerprint()
                );
                return Err(Fault::new(Code::KeyNotNamed, message));
            }
        }
        match fitting.first() {
            Some(key) => Ok(Some(key)),
            None if bundles.is_empty() => Ok(None),
            None => Err(Fault::new(
                Code::NoKey,
                "there is a bundle, and no vendor key to judge it with",
            )),
        }
    }
}

/// The texts that the vendor may have signed for an artifact.
struct Texts {
    texts: Vec<String>,
    /// The SHA-256 of each, in hexadecimal.
    digests: Vec<String>,
    by_digest: HashMap<[u8; 32], usize>,
}

impl Texts {
    fn of(task: &Task<'_>, profile: &VendorProfile) -> Self {
        let texts: Vec<String> = match &task.subject {
            Subject::Package(digest, ..) => {
                vec![profile.package.message.message(&digest.sha256)]
            }
            Subject::Image(archive, _) => {
                let digests: BTreeSet<_> = archive
                    .images
                    .iter()
                    .flat_map(|image| &image.candidates)
                    .map(|candidate| candidate.digest)
                    .collect();
                digests.iter().map(|digest| profile.image.message.message(digest)).collect()
            }
            Subject::Refused(_) => Vec::new(),
        };
        let digests: Vec<_> = texts.iter().map(|text| Sha256Digest::of(text.as_bytes())).collect();
        Self {
            by_digest: digests.iter().enumerate().map(|(at, it)| (*it.as_bytes(), at)).collect(),
            digests: digests.iter().map(Sha256Digest::to_hex).collect(),
            texts,
        }
    }

    /// Those that a bundle may be about: the one whose digest it states, else all. An attestation is
    /// no signature of any.
    fn of_bundle(&self, bundle: &SignatureBundle) -> &[String] {
        match bundle.stated() {
            _ if bundle.is_attestation() => &[],
            Some((HashAlgorithm::Sha256, stated)) => match self.by_digest.get(stated) {
                Some(at) => {
                    self.texts.get(*at..).and_then(|rest| rest.get(..1)).unwrap_or_default()
                }
                None => &[],
            },
            _ => &self.texts,
        }
    }
}
