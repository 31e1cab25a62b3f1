//! `sealift verify`: finds out what each PATH is, finds its bundles, and has it judged.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{self, Output, VerifyArgs};
use super::detect;
use super::progress::Bar;
use super::transfer_args::material;
use super::trust_args::{Trust, load_key};
use super::verify_folder::{self, Directory};
use super::{complain, files, jobs, load_profile, shown};
use crate::artifact::detect::{Found, Kind};
use crate::artifact::{self, Judge, NamedBundle, Terms};
use crate::folder::{Authority, TrustedKey};
use crate::image::Options;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing::{self, Material};
use crate::report::{self, Detail};
use crate::sigstore::{HashRule, Request, SignatureBundle, TrustMaterial};
use crate::trust::{TrustPolicy, VendorProfile};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, KeyTrust, Outcome, Report};

/// Whom a run believes, and how it was called.
pub(super) struct Whom<'a> {
    pub(super) arguments: &'a VerifyArgs,
    pub(super) transfer_keys: &'a [PublicKey],
    pub(super) key: Option<&'a PublicKey>,
    pub(super) policy: Option<&'a TrustPolicy>,
    /// The trusted root that was named.
    pub(super) material: Option<&'a TrustMaterial>,
    pub(super) profile: &'a VendorProfile,
    pub(super) hash: HashRule,
    pub(super) now: jiff::Timestamp,
}

/// Runs the command.
pub(super) fn run(arguments: &VerifyArgs) -> Result<ExitStatus, Fault> {
    let profile = load_profile(arguments.vendor_profile.as_deref())?;
    check_usage(arguments)?;
    let policy = arguments.policy.load()?;
    let key = arguments.trust.key.as_deref().map(load_key).transpose()?;
    let logs = &arguments.trust.logs;
    arguments.transfer.narrow(policy.as_ref(), key.as_ref(), logs)?;
    let transfer_keys = arguments.transfer.transfer_keys(policy.as_ref())?;
    arguments.transfer.state_outside(&arguments.files)?;
    let named = material(logs, policy.as_ref())?;
    let started = jiff::Timestamp::now();
    let whom = Whom {
        arguments,
        transfer_keys: &transfer_keys,
        key: key.as_ref(),
        policy: policy.as_ref(),
        material: named.as_ref().map(|(_, material)| material),
        profile: &profile,
        hash: arguments.trust.hash(HashRule::Known),
        now: arguments.transfer.time.unwrap_or(started),
    };
    let bar = Bar::new(!arguments.run.quiet && arguments.run.output == Output::Text);
    // A certificate's identity, and options that go with a key only, are judged where they are loaded.
    let only_directories = arguments.files.iter().all(|path| path.is_dir());
    let nobody = key.is_none() && policy.is_none();
    let identity = if arguments.trust.names_identity() || (nobody && !only_directories) {
        let loaded = arguments.trust.load(HashRule::Known);
        Some(loaded.map_err(|fault| with_key_name(fault, &profile, &arguments.files))?)
    } else {
        None
    };
    let built_in = TrustMaterial::production()?;
    let authority = Authority {
        keys: Vec::new(),
        unnamed: Vec::new(),
        material: whom.material.unwrap_or(&built_in),
        profile: &profile,
        transparency: logs.transparency(),
        hash: whom.hash,
        now: whom.now,
    };
    let keys = verify_folder::keys(&whom);
    let signers = signers(identity.as_ref(), &keys, &authority);
    if signers.is_empty() && !only_directories {
        return Err(with_key_name(no_key(), &profile, &arguments.files));
    }
    let key_file = arguments.trust.key.as_deref().and_then(files::file_name);
    let run = Run { whom: &whom, signers, key_file, bar: &bar };
    let detail = if arguments.run.verbose { Detail::Full } else { Detail::Brief };
    let mut written = Ok(());
    let mut artifacts = Vec::new();
    for path in &arguments.files {
        bar.name(files::show(path));
        for artifact in run.one(path) {
            if arguments.run.output == Output::Text && written.is_ok() {
                let mut out = io::stdout().lock();
                written = bar.suspend(|| report::artifact(&mut out, &artifact, detail));
            }
            artifacts.push(artifact);
        }
    }
    bar.clear();
    let report = Report::new(started.to_string(), artifacts);
    if arguments.run.output == Output::Json {
        written = report::json(&mut io::stdout().lock(), &report);
    }
    let written = written.and_then(|()| io::stdout().flush());
    if let Err(fault) = shown(written) {
        complain(&fault);
        return Ok(ExitStatus::Undecided);
    }
    Ok(ExitStatus::of(report.artifacts.iter().map(|artifact| artifact.outcome)))
}

fn no_key() -> Fault {
    let message = "neither --key, nor a certificate identity and issuer, nor a trust policy with keys was given";
    Fault::new(Code::NoKey, message)
}

fn check_usage(arguments: &VerifyArgs) -> Result<(), Fault> {
    if !arguments.bundle.is_empty() && arguments.files.len() != 1 {
        return Err(Fault::new(Code::Usage, "with --bundle there is one FILE"));
    }
    if arguments.bundle.len() > limits::BUNDLES {
        return Err(Fault::new(Code::Usage, format!("more than {} bundles", limits::BUNDLES)));
    }
    if arguments.transfer.init_state && arguments.files.len() != 1 {
        return Err(Fault::new(Code::Usage, "with --init-state there is one PATH"));
    }
    let transfer = &arguments.transfer;
    let for_directories = !transfer.transfer_key.is_empty()
        || transfer.state.is_some()
        || !transfer.base.is_empty()
        || transfer.full_digest
        || transfer.unsealed
        || !transfer.allow_unsigned.is_empty();
    // A path that does not exist has an error of its own.
    if for_directories && arguments.files.iter().all(|path| path.is_file()) {
        let message = "options for transfer directories were given, and no PATH is a directory";
        return Err(Fault::new(Code::Usage, message));
    }
    Ok(())
}

/// One way to judge a file: whose signature, and on which terms.
struct Signer<'a> {
    request: Request<'a>,
    /// What the trust policy says of the key.
    vendor: Option<&'a TrustedKey<'a>>,
}

/// The signers in question: a certificate's identity, or one of the keys.
fn signers<'a>(
    identity: Option<&'a Trust>,
    keys: &'a [TrustedKey<'a>],
    authority: &'a Authority<'a>,
) -> Vec<Signer<'a>> {
    match identity {
        Some(trust) => vec![Signer { request: trust.request(authority.now), vendor: None }],
        None => keys
            .iter()
            .map(|key| Signer { request: key.request(authority), vendor: Some(key) })
            .collect(),
    }
}

/// When no key was given: says which one the vendor names, since that is what the user must get.
fn with_key_name(fault: Fault, profile: &VendorProfile, paths: &[PathBuf]) -> Fault {
    if fault.code() != Code::NoKey {
        return fault;
    }
    let named = paths.iter().find_map(|path| {
        let file = pairing::for_package(profile, &files::file_name(path)?).key?;
        let json = path.with_file_name(file);
        let bytes = files::read_small(&json, limits::KEY_BYTES, Code::KeyNotAKey).ok()?;
        Some((json, pairing::key_name(&bytes).ok()?))
    });
    match named {
        Some((json, key)) => Fault::new(
            Code::NoKey,
            format!("{}; {} names the vendor's key {key:?}", fault.message(), files::show(&json)),
        ),
        None => fault,
    }
}

struct Run<'a> {
    whom: &'a Whom<'a>,
    signers: Vec<Signer<'a>>,
    /// File name of the operator's key.
    key_file: Option<String>,
    bar: &'a Bar,
}

impl Run<'_> {
    fn options(&self) -> Options<'_> {
        Options {
            jobs: jobs(self.whom.arguments.run.jobs),
            progress: self.bar,
            cuts: None,
            crew: None,
        }
    }

    /// Judges what a path leads to.
    fn one(&self, path: &Path) -> Vec<ArtifactReport> {
        if path.as_os_str() == "-" || !path.is_dir() {
            return vec![self.file(path)];
        }
        let (folder, listing) = match verify_folder::open(path) {
            Ok(opened) => opened,
            Err(fault) => return vec![ArtifactReport::new(files::show(path)).refused(&fault)],
        };
        match verify_folder::kind(self.whom, &listing) {
            Directory::Transfer => verify_folder::sealed(self.whom, &folder, self.options()),
            Directory::Plain
                if self.whom.arguments.kind.is_none() && self.whom.arguments.bundle.is_empty() =>
            {
                verify_folder::plain(self.whom, &folder, &listing, self.options())
            }
            Directory::Layout | Directory::Plain => vec![self.file(path)],
        }
    }

    /// Judges one file, pipe or OCI layout: it is read once, and judged by each signer in turn until
    /// one holds.
    fn file(&self, path: &Path) -> ArtifactReport {
        let report = ArtifactReport::new(files::show(path));
        let found = detect::read(path, self.forced(path), &self.options());
        let mut first = None;
        for signer in &self.signers {
            let profile =
                signer.vendor.map_or(self.whom.profile, |key| key.profile(self.whom.profile));
            let terms = signer.vendor.and_then(|key| key.vendor);
            let name = files::file_name(path).unwrap_or_default();
            let terms = terms.map(|(vendor, key)| Terms { name: &name, key, vendor });
            let judge = Judge { request: &signer.request, profile, terms };
            let mut report = self.judge(path, report.clone(), &found, &judge);
            report.key_trust = judge.terms.map(|_| KeyTrust::Policy);
            if report.outcome == Outcome::Ok {
                return report;
            }
            first.get_or_insert(report);
        }
        first.unwrap_or_else(|| report.refused(&no_key()))
    }

    fn judge(
        &self,
        path: &Path,
        mut report: ArtifactReport,
        found: &Result<Found, Fault>,
        judge: &Judge<'_>,
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
                let bundles = self.bundles(path, &[material], &mut report);
                if bundles.len() > 1 {
                    let fault = Fault::new(Code::Usage, "a package has one bundle");
                    return report.refused(&fault);
                }
                artifact::package(report, *digest, bundles.first(), judge)
            }
            Ok(Found::Image(archive, detected)) => {
                report.detected = Some(detected.clone());
                let material: Vec<_> = archive
                    .images
                    .iter()
                    .map(|image| pairing::for_image(judge.profile, &image.labels))
                    .collect();
                let bundles = self.bundles(path, &material, &mut report);
                let report = artifact::image(report, archive, &bundles, judge);
                self.with_key_name(report, &material)
            }
        }
    }

    /// When a signature was refused: whether the vendor names another key than the one given.
    fn with_key_name(&self, mut report: ArtifactReport, material: &[Material]) -> ArtifactReport {
        let named = material.iter().find_map(|it| it.key.as_deref());
        if let (Outcome::Failed, Some(named), Some(given)) = (report.outcome, named, &self.key_file)
            && named != given
        {
            report
                .likely_causes
                .push(format!("the image's label names the key {named}, you gave {given}"));
        }
        report
    }

    /// What the user says that a file is, or the bundle beside it.
    fn forced(&self, path: &Path) -> Option<(Kind, String)> {
        match self.whom.arguments.kind {
            Some(args::Kind::Image) => Some((Kind::Image, "--type image".to_owned())),
            Some(args::Kind::Package) => Some((Kind::Package, "--type package".to_owned())),
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
        let vendors = self.signers.iter().filter_map(|signer| signer.vendor);
        let profiles = vendors.map(|key| key.profile(self.whom.profile)).chain([self.whom.profile]);
        profiles
            .filter_map(|profile| pairing::for_package(profile, &file).bundle)
            .find(|name| path.with_file_name(name).is_file())
    }

    /// The bundles named on the command line, else those that lie beside the file under the
    /// vendor's names.
    fn bundles(
        &self,
        path: &Path,
        material: &[Material],
        report: &mut ArtifactReport,
    ) -> Vec<NamedBundle> {
        let arguments = self.whom.arguments;
        if !arguments.bundle.is_empty() {
            return load_bundles(arguments.bundle.iter().cloned());
        }
        let mut names: Vec<_> = material.iter().filter_map(|it| it.bundle.clone()).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            report.likely_causes.push("no label of the archive names a bundle".to_owned());
        }
        if names.len() > limits::BUNDLES {
            let message = format!("its labels name more than {} bundles", limits::BUNDLES);
            let content = Err(Fault::new(Code::ArchiveTooLarge, message).at(files::show(path)));
            return vec![NamedBundle { name: files::show(path), content }];
        }
        let beside = names.iter().map(|name| path.with_file_name(name));
        let (there, absent): (Vec<_>, Vec<_>) = beside.partition(|path| path.exists());
        for path in absent.iter().take(limits::DIAGNOSIS_TRIES) {
            report.likely_causes.push(format!("there is no {}", files::show(path)));
        }
        load_bundles(there)
    }
}

/// Reads and parses the bundles of one artifact. All of them are held in memory, and labels of the
/// archive can name thousands, so they are bounded together as well.
fn load_bundles(paths: impl IntoIterator<Item = PathBuf>) -> Vec<NamedBundle> {
    let mut left = limits::BUNDLES_TOTAL_BYTES;
    paths.into_iter().map(|path| load_bundle(&path, &mut left)).collect()
}

/// Reads and parses a bundle, which takes its size from the `left` bytes; what is wrong with it is
/// part of the verdict.
pub(super) fn load_bundle(path: &Path, left: &mut u64) -> NamedBundle {
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
    let content = files::read_small(path, limit, Code::BundleTooLarge).map_err(too_large);
    let content = content.and_then(|bytes| {
        *left = left.saturating_sub(bytes.len() as u64);
        SignatureBundle::parse(&bytes).map_err(|fault| fault.at(files::show(path)))
    });
    NamedBundle { name: files::show(path), content }
}
