//! `sealift verify`: finds out what each FILE is, finds its bundles, and has it judged.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use super::args::{self, Output, VerifyArgs};
use super::detect;
use super::files;
use super::progress::Bar;
use super::{complain, shown};
use crate::artifact::detect::{Found, Kind};
use crate::artifact::{self, Judge, NamedBundle};
use crate::image::Options;
use crate::limits;
use crate::pairing::{self, Material};
use crate::report::{self, Detail};
use crate::sigstore::{HashRule, SignatureBundle};
use crate::trust::VendorProfile;
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, Report};

/// Runs the command.
pub(super) fn run(arguments: &VerifyArgs) -> Result<ExitStatus, Fault> {
    let profile = load_profile(arguments.vendor_profile.as_deref())?;
    if !arguments.bundle.is_empty() && arguments.files.len() != 1 {
        return Err(Fault::new(Code::Usage, "with --bundle there is one FILE"));
    }
    if arguments.bundle.len() > limits::BUNDLES {
        return Err(Fault::new(Code::Usage, format!("more than {} bundles", limits::BUNDLES)));
    }
    let trust = arguments
        .trust
        .load(HashRule::Known)
        .map_err(|fault| with_key_name(fault, &profile, &arguments.files))?;
    let time = jiff::Timestamp::now();
    let bar = Bar::new(!arguments.quiet && arguments.output == Output::Text);
    let request = trust.request();
    let judge = Judge { request: &request, profile: &profile };
    let key_file = trust.key_file.as_deref();
    let run = Run { arguments, judge, key_file, bar: &bar };
    let detail = if arguments.verbose { Detail::Full } else { Detail::Brief };
    let mut written = Ok(());
    let mut artifacts = Vec::new();
    for path in &arguments.files {
        bar.name(files::show(path));
        let artifact = run.one(path);
        if arguments.output == Output::Text && written.is_ok() {
            written = bar.suspend(|| report::artifact(&mut io::stdout().lock(), &artifact, detail));
        }
        artifacts.push(artifact);
    }
    bar.clear();
    let report = Report::new(time.to_string(), artifacts);
    if arguments.output == Output::Json {
        written = report::json(&mut io::stdout().lock(), &report);
    }
    let written = written.and_then(|()| io::stdout().flush());
    if let Err(fault) = shown(written) {
        complain(&fault);
        return Ok(ExitStatus::Undecided);
    }
    Ok(ExitStatus::of(report.artifacts.iter().map(|artifact| artifact.outcome)))
}

fn load_profile(path: Option<&Path>) -> Result<VendorProfile, Fault> {
    let Some(path) = path else { return VendorProfile::k2view() };
    let bytes = files::read_config(path, limits::PROFILE_BYTES, Code::ProfileMalformed)?;
    VendorProfile::from_toml(&bytes).map_err(|fault| fault.at(files::show(path)))
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
    arguments: &'a VerifyArgs,
    judge: Judge<'a>,
    /// File name of the operator's key.
    key_file: Option<&'a str>,
    bar: &'a Bar,
}

impl Run<'_> {
    fn one(&self, path: &Path) -> ArtifactReport {
        let mut report = ArtifactReport::new(files::show(path));
        let options = Options { jobs: self.jobs(), progress: self.bar, cuts: None };
        match detect::read(path, self.forced(path), &options) {
            Err(fault) => artifact::refused(report, &fault, Vec::new(), &self.judge),
            Ok(Found::Package(digest, detected, fault)) => {
                report.detected = Some(detected);
                report
                    .likely_causes
                    .extend(fault.map(|fault| format!("read as an image archive: {fault}")));
                let material = files::file_name(path)
                    .map(|name| pairing::for_package(self.judge.profile, &name))
                    .unwrap_or_default();
                let bundles = self.bundles(path, &[material], &mut report);
                if bundles.len() > 1 {
                    let fault = Fault::new(Code::Usage, "a package has one bundle");
                    return report.refused(&fault);
                }
                artifact::package(report, digest, bundles.first(), &self.judge)
            }
            Ok(Found::Image(archive, detected)) => {
                report.detected = Some(detected);
                let material: Vec<_> = archive
                    .images
                    .iter()
                    .map(|image| pairing::for_image(self.judge.profile, &image.labels))
                    .collect();
                let bundles = self.bundles(path, &material, &mut report);
                let report = artifact::image(report, &archive, &bundles, &self.judge);
                self.with_key_name(report, &material)
            }
        }
    }

    /// When a signature was refused: whether the vendor names another key than the one given.
    fn with_key_name(&self, mut report: ArtifactReport, material: &[Material]) -> ArtifactReport {
        let named = material.iter().find_map(|it| it.key.as_deref());
        if let (Outcome::Failed, Some(named), Some(given)) = (report.outcome, named, self.key_file)
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
        match self.arguments.kind {
            Some(args::Kind::Image) => Some((Kind::Image, "--type image".to_owned())),
            Some(args::Kind::Package) => Some((Kind::Package, "--type package".to_owned())),
            None => self
                .bundle_beside(path)
                .map(|name| (Kind::Package, format!("package: {name} lies beside it"))),
        }
    }

    fn jobs(&self) -> usize {
        match self.arguments.jobs {
            Some(jobs) => jobs.into(),
            None => thread::available_parallelism().map_or(1, Into::into),
        }
    }

    /// The name of the package bundle that lies beside a file.
    fn bundle_beside(&self, path: &Path) -> Option<String> {
        if path.as_os_str() == "-" {
            return None;
        }
        let name = pairing::for_package(self.judge.profile, &files::file_name(path)?).bundle?;
        path.with_file_name(&name).is_file().then_some(name)
    }

    /// The bundles named on the command line, else those that lie beside the file under the
    /// vendor's names.
    fn bundles(
        &self,
        path: &Path,
        material: &[Material],
        report: &mut ArtifactReport,
    ) -> Vec<NamedBundle> {
        if !self.arguments.bundle.is_empty() {
            return load_bundles(self.arguments.bundle.iter().cloned());
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
