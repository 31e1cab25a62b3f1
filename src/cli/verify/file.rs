//! `sealift verify FILE`: finds out what a file is, finds its bundles beside it, and has it judged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::settings::VerifySettings;
use crate::artifact::detect::{Found, Kind};
use crate::artifact::{self, Clues, Judge, NamedBundle, Terms, Tries};
use crate::cli::{detect, files, run_args};
use crate::image::Options;
use crate::limits;
use crate::pairing::{self, Material};
use crate::release;
use crate::sigstore::{self, Request, SignatureBundle};
use crate::survey::{TrustedKey, VendorKeys};
use crate::trust::VendorProfile;
use crate::verdict::{ArtifactReport, Code, Fault, KeyTrust, Outcome};

use crate::cli::trust_args::Trust;

/// One way to judge a file: whose signature, by which conventions, and on which terms.
pub(super) struct Signer<'a> {
    request: Request<'a>,
    profile: &'a VendorProfile,
    /// What the trust policy says of the key.
    vendor: Option<&'a TrustedKey<'a>>,
}

/// The signers in question: a certificate's identity, or one of the keys; by each vendor's conventions.
pub(super) fn signers<'a>(
    identity: Option<&'a Trust<'a>>,
    vendor_keys: &'a VendorKeys<'a>,
) -> Vec<Signer<'a>> {
    match identity {
        Some(trust) => vendor_keys
            .profiles
            .iter()
            .map(|profile| Signer {
                request: trust.request(vendor_keys.now),
                profile,
                vendor: None,
            })
            .collect(),
        None => vendor_keys
            .keys
            .iter()
            .flat_map(|key| {
                let own = key.vendor.map(|(vendor, _)| vendor.profile());
                let all: Vec<&VendorProfile> = match own {
                    Some(own) => vec![own],
                    None => vendor_keys.profiles.iter().collect(),
                };
                all.into_iter().map(move |profile| Signer {
                    request: key.request(vendor_keys),
                    profile,
                    vendor: Some(key),
                })
            })
            .collect(),
    }
}

/// Judges single files.
pub(super) struct Single<'a> {
    pub(super) settings: &'a VerifySettings<'a>,
    pub(super) signers: Vec<Signer<'a>>,
    /// File name of the operator's key.
    pub(super) key_file: Option<String>,
}

impl Single<'_> {
    /// Judges one file, pipe or OCI layout: it is read once, and judged by each signer in turn until
    /// one holds.
    pub(super) fn file(&self, path: &Path, options: &Options<'_>) -> ArtifactReport {
        let found = detect::read(path, self.forced(path), options);
        let mut report = self.judged(path, &found);
        let image = matches!(found, Ok(Found::Image(..)) | Err(_));
        if report.outcome() != Outcome::Ok && image && self.settings.forced.is_none() {
            report = self.as_package(path, options).unwrap_or(report);
        }
        if !self.settings.require_coverage {
            return report;
        }
        release::required(report)
    }

    /// The answer for what is no good image, where its one bundle signs the SHA-256 of the file itself: such a
    /// bundle says what the vendor took it for, and the whole file is what it covers.
    fn as_package(&self, path: &Path, options: &Options<'_>) -> Option<ArtifactReport> {
        if !path.is_file() {
            return None;
        }
        let [named] = self.settings.bundles.as_slice() else { return None };
        // A pipe was read already.
        if !named.is_file() {
            return None;
        }
        let bundle = found_bundle(named, &mut limits::BUNDLE_BYTES.clone());
        let content = bundle.content.as_ref().ok()?;
        let told = format!("package: {} signs the SHA-256 of the file itself", files::show(named));
        let found = detect::read(path, Some((Kind::Package, told)), options).ok()?;
        let Found::Package(digest, ..) = &found else { return None };
        let signs = |signer: &Signer<'_>| {
            let text = signer.profile.package.message.message(&digest.sha256);
            content.states(text.as_bytes()).unwrap_or_else(|| {
                sigstore::signature_holds(content, text.as_bytes(), &signer.request.signer)
            })
        };
        self.signers.iter().any(signs).then(|| self.judged(path, &Ok(found)))
    }

    fn judged(&self, path: &Path, found: &Result<Found, Fault>) -> ArtifactReport {
        let report = ArtifactReport::new(files::show(path));
        let mut first: Option<ArtifactReport> = None;
        let mut loaded = Loaded::default();
        // A few keys may try as much as one may.
        let keys = self.signers.len().clamp(1, 5);
        let tries = Tries::new(limits::SELECTION_TRIES.saturating_mul(keys));
        for signer in &self.signers {
            let profile = signer.profile;
            let terms = signer.vendor.and_then(|key| key.vendor);
            let name = files::file_name(path).unwrap_or_default();
            let whole = files::slashed(path);
            let terms =
                terms.map(|(vendor, key)| Terms { name: &name, path: Some(&whole), key, vendor });
            let judge = Judge {
                request: &signer.request,
                profile,
                terms,
                tries: &tries,
                clues: &Clues::default(),
            };
            let mut report = self.judge(path, report.clone(), found, &judge, &mut loaded);
            report.key_trust = judge.terms.map(|_| KeyTrust::Policy);
            if report.outcome() == Outcome::Ok {
                return report;
            }
            // What a bundle says goes before the lack of one by another vendor's names.
            match &first {
                Some(before) if before.code() != Some(Code::NoBundle) => {}
                Some(_) if report.code() == Some(Code::NoBundle) => {}
                _ => first = Some(report),
            }
        }
        first.unwrap_or_else(|| report.refused(&crate::cli::trust_settings::no_key()))
    }

    fn judge(
        &self,
        path: &Path,
        mut report: ArtifactReport,
        found: &Result<Found, Fault>,
        judge: &Judge<'_>,
        loaded: &mut Loaded,
    ) -> ArtifactReport {
        match found {
            Err(fault) => artifact::refused(report, fault, Vec::new(), judge),
            Ok(Found::Package(digest, detected, fault)) => {
                report.detected = Some(detected.clone());
                report
                    .likely_causes
                    .extend(fault.iter().map(|fault| format!("read as an image archive: {fault}")));
                let material = files::file_name(path)
                    .map(|name| pairing::for_package(judge.profile, &name))
                    .unwrap_or_default();
                let bundles = self.bundles(path, &[material], &mut report, loaded);
                if bundles.len() > 1 {
                    let fault = Fault::new(Code::Usage, "a package has one bundle");
                    return report.refused(&fault);
                }
                let clues = self.clues(&self.key_json(path, judge.profile), bundles);
                artifact::package(
                    report,
                    *digest,
                    bundles.first(),
                    &Judge { clues: &clues, ..*judge },
                )
            }
            Ok(Found::Image(archive, detected)) => {
                report.detected = Some(detected.clone());
                let material: Vec<_> = archive
                    .images
                    .iter()
                    .map(|image| pairing::for_image(judge.profile, &image.labels))
                    .collect();
                let bundles = self.bundles(path, &material, &mut report, loaded);
                let named = match material.as_slice() {
                    [material] => ("the image's label".to_owned(), material.clone()),
                    _ => <(String, Material)>::default(),
                };
                let clues = self.clues(&named, bundles);
                artifact::image(report, archive, bundles, &Judge { clues: &clues, ..*judge })
            }
        }
    }

    /// Whether the vendor names another key or bundle than those given.
    fn clues(&self, named: &(String, Material), bundles: &[NamedBundle]) -> Clues {
        let (by, material) = named;
        let given = |named: &String, given: Option<&str>, what: &str| {
            let given = given.filter(|given| given != named)?;
            Some(format!("{by} names the {what} {named}, you gave {given}"))
        };
        let bundle = match bundles {
            [bundle] => bundle.name.rsplit('/').next(),
            _ => None,
        };
        Clues {
            key: material.key.as_ref().and_then(|it| given(it, self.key_file.as_deref(), "key")),
            bundle: material.bundle.as_ref().and_then(|it| given(it, bundle, "bundle")),
        }
    }

    /// What the vendor's JSON file beside a package names as its key.
    fn key_json(&self, path: &Path, profile: &VendorProfile) -> (String, Material) {
        let file = files::file_name(path).unwrap_or_default();
        let json = profile.package.key_file.name_for(&file);
        let beside = path.with_file_name(&json);
        let bytes = files::read_found(&beside, limits::KEY_BYTES, Code::BundleTooLarge).ok();
        let key = bytes.and_then(|bytes| pairing::key_name(&bytes).ok());
        (json, Material { bundle: None, key })
    }

    /// What the user says that a file is, or the bundle beside it.
    fn forced(&self, path: &Path) -> Option<(Kind, String)> {
        match self.settings.forced {
            Some(run_args::ForcedType::Image) => Some((Kind::Image, "--type image".to_owned())),
            Some(run_args::ForcedType::Package) => {
                Some((Kind::Package, "--type package".to_owned()))
            }
            None => self
                .bundle_beside(path)
                .map(|name| (Kind::Package, format!("package: {name} lies beside it"))),
        }
    }

    /// The name of the package bundle that lies beside a file.
    fn bundle_beside(&self, path: &Path) -> Option<String> {
        if path.as_os_str() == "-" {
            return None;
        }
        let file = files::file_name(path)?;
        self.signers
            .iter()
            .map(|signer| signer.profile)
            .filter_map(|profile| pairing::for_package(profile, &file).bundle)
            .find(|name| path.with_file_name(name).is_file())
    }

    /// The bundles named on the command line, else those that lie beside the file under the
    /// vendor's names.
    fn bundles<'l>(
        &self,
        path: &Path,
        material: &[Material],
        report: &mut ArtifactReport,
        loaded: &'l mut Loaded,
    ) -> &'l [NamedBundle] {
        let named = &self.settings.bundles;
        if !named.is_empty() {
            return loaded.get(named.clone(), load_bundle);
        }
        let mut names: Vec<_> = material.iter().filter_map(|it| it.bundle.clone()).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            report.likely_causes.push("no label of the archive names a bundle".to_owned());
        }
        if names.len() > limits::BUNDLES {
            let message = format!("its labels name more than {} bundles", limits::BUNDLES);
            let fault = Fault::new(Code::ArchiveTooLarge, message).at(files::show(path));
            return loaded.get(vec![path.to_owned()], |path, _| NamedBundle {
                name: files::show(path),
                content: Err(fault.clone()),
            });
        }
        let beside = names.iter().map(|name| path.with_file_name(name));
        let (there, absent): (Vec<_>, Vec<_>) = beside.partition(|path| path.exists());
        for path in absent.iter().take(limits::DIAGNOSIS_TRIES) {
            report.likely_causes.push(format!("there is no {}", files::show(path)));
        }
        loaded.get(there, found_bundle)
    }
}

/// The bundles of a file, each set of them read and parsed once, whichever keys and conventions it is
/// judged by: a pipe that the operator named can't be read twice.
#[derive(Default)]
struct Loaded(BTreeMap<Vec<PathBuf>, Vec<NamedBundle>>);

impl Loaded {
    /// All of a set are held in memory, and labels of an archive can name thousands, so they are bounded
    /// together as well.
    fn get(
        &mut self,
        paths: Vec<PathBuf>,
        load: impl Fn(&Path, &mut u64) -> NamedBundle,
    ) -> &[NamedBundle] {
        self.0.entry(paths).or_insert_with_key(|paths| {
            let mut left = limits::BUNDLES_TOTAL_BYTES;
            paths.iter().map(|path| load(path, &mut left)).collect()
        })
    }
}

/// How a bundle's file is read: within so many bytes, and the code for a larger one.
type Reading = fn(&Path, u64, Code) -> Result<Vec<u8>, Fault>;

/// Reads and parses a bundle that the operator named, which takes its size from the `left` bytes; what is
/// wrong with it is part of the verdict.
pub(in crate::cli) fn load_bundle(path: &Path, left: &mut u64) -> NamedBundle {
    read_bundle(path, left, files::read_small)
}

/// The same for one that was found beside a file.
fn found_bundle(path: &Path, left: &mut u64) -> NamedBundle {
    read_bundle(path, left, files::read_found)
}

/// Whether a file holds a signature and nothing else, as base64 or as the DER of ECDSA.
fn is_bare(bytes: &[u8]) -> bool {
    let whole = |rest: &[u8], length: u8| rest.len() == usize::from(length);
    match bytes {
        [0x30, length, rest @ ..] if whole(rest, *length) => true,
        _ => std::str::from_utf8(bytes)
            .is_ok_and(|text| SignatureBundle::from_base64(text).is_some()),
    }
}

fn bare_signature() -> Fault {
    Fault::new(Code::BundleMalformed, "this is a bare signature, and no bundle").advise(
        "Give the bundle. A bare signature is checked by `sealift verify-blob --signature FILE`, and with \
         --insecure-ignore-tlog only: it has no log entry.",
    )
}

fn read_bundle(path: &Path, left: &mut u64, read: Reading) -> NamedBundle {
    let limit = limits::BUNDLE_BYTES.min(*left);
    let too_large = |fault: Fault| {
        let together = fault.code() == Code::BundleTooLarge && limit < limits::BUNDLE_BYTES;
        if !together {
            return fault;
        }
        let total = limits::BUNDLES_TOTAL_BYTES;
        let message = format!("the bundles together are larger than {total} bytes");
        Fault::new(Code::BundleTooLarge, message).at(files::show(path))
    };
    let content = read(path, limit, Code::BundleTooLarge).map_err(too_large);
    let content = content.and_then(|bytes| {
        *left = left.saturating_sub(bytes.len() as u64);
        SignatureBundle::parse(&bytes).map_err(|fault| {
            let fault = if is_bare(&bytes) { bare_signature() } else { fault };
            fault.at(files::show(path))
        })
    });
    NamedBundle { name: files::show(path), content }
}
