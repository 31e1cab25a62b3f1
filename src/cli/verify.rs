//! `sealift verify`: finds out what each FILE is, finds its bundles, and has it judged.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use super::args::{Kind, Output, VerifyArgs};
use super::files::{self, Opened};
use super::progress::Bar;
use super::{complain, shown};
use crate::artifact::{self, FileDigest, Judge, NamedBundle};
use crate::digest::{HashingReader, Sha256Digest};
use crate::image::{self, Archive, Input, Options};
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
    let bytes = files::read_small(path, limits::PROFILE_BYTES, Code::ProfileMalformed)?;
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

/// What one reading found a file to be.
enum Found {
    Image(Box<Archive>, String),
    /// With how it was told and, if reading it as an image went wrong half-way, why.
    Package(FileDigest, String, Option<Fault>),
}

/// What is no image archive is a package; a tar archive that broke off may be half an image.
fn not_an_image(digest: FileDigest, fault: Fault) -> Found {
    let detected = format!("package: not an image archive ({fault})");
    let whole = matches!(fault.code(), Code::ArchiveUnrecognised | Code::ManifestMissing);
    Found::Package(digest, detected, (!whole).then_some(fault))
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
        match self.read(path) {
            Err(fault) => artifact::refused(report, &fault, Vec::new(), &self.judge),
            Ok(Found::Package(digest, detected, fault)) => {
                report.detected = Some(detected);
                report.likely_causes.extend(
                    fault.map(|fault| format!("as an image archive it is damaged: {fault}")),
                );
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

    /// Reads the artifact once, as what it is.
    fn read(&self, path: &Path) -> Result<Found, Fault> {
        let kind = match self.arguments.kind {
            Some(Kind::Image) => Some((Kind::Image, "--type image".to_owned())),
            Some(Kind::Package) => Some((Kind::Package, "--type package".to_owned())),
            None => self
                .bundle_beside(path)
                .map(|name| (Kind::Package, format!("package: {name} lies beside it"))),
        };
        let opened = files::open(path)?;
        match (kind, opened) {
            (Some((Kind::Package, _)), Opened::Directory) => {
                Err(Fault::new(Code::Usage, "a directory can't be a package").at(files::show(path)))
            }
            (Some((Kind::Package, detected)), Opened::File(file)) => {
                Ok(Found::Package(self.hash_file(path, file)?, detected, None))
            }
            (Some((Kind::Package, detected)), Opened::Pipe(pipe)) => {
                Ok(Found::Package(self.hash(path, pipe)?, detected, None))
            }
            (forced, opened) => self.read_image(path, opened, forced.is_some()),
        }
    }

    /// Reads an image archive; what turns out to be none is a package, unless an image was forced.
    fn read_image(&self, path: &Path, opened: Opened, forced: bool) -> Result<Found, Fault> {
        let found = |archive: Archive| {
            let detected = format!("image archive: {}", archive.format());
            Ok(Found::Image(Box::new(archive), detected))
        };
        let options = Options { jobs: self.jobs(), progress: self.bar };
        match opened {
            Opened::Directory
                if !path.join("index.json").exists() && !path.join("oci-layout").exists() =>
            {
                let message = "a directory is verified as an OCI layout, and this one holds neither \
                               index.json nor oci-layout; name the files in it";
                Err(Fault::new(Code::Usage, message).at(files::show(path)))
            }
            Opened::Directory => {
                let tree = files::Directory(path);
                image::read(Input::Layout(&tree), &options).map_err(|it| it.fault).and_then(found)
            }
            Opened::File(file) => {
                let positioned = files::positioned(path, &file)?;
                let refusal = match image::read(Input::File(&positioned), &options) {
                    Ok(archive) => return found(archive),
                    Err(refusal) => refusal,
                };
                let meant = forced
                    || refusal.looks_like_image
                    || refusal.fault.code() == Code::Unreadable
                    || image::mentions_image(&mut files::rewound(path, &file)?);
                if meant {
                    return Err(refusal.fault);
                }
                let digest = self.hash_file(path, files::rewound(path, &file)?)?;
                Ok(not_an_image(digest, refusal.fault))
            }
            Opened::Pipe(pipe) if forced => {
                let mut pipe = pipe;
                image::read(Input::Stream(&mut pipe), &options)
                    .map_err(|it| it.fault)
                    .and_then(found)
            }
            Opened::Pipe(pipe) => {
                // One reading only: hash the whole stream besides, in case it is a package.
                let mut hashing = HashingReader::new(pipe);
                match image::read(Input::Stream(&mut hashing), &options) {
                    Ok(archive) => found(archive),
                    Err(refusal)
                        if refusal.looks_like_image || refusal.fault.code() == Code::Unreadable =>
                    {
                        Err(refusal.fault)
                    }
                    Err(refusal) => {
                        let digest = self.drain(path, hashing)?;
                        Ok(not_an_image(digest, refusal.fault))
                    }
                }
            }
        }
    }

    fn hash_file(&self, path: &Path, file: File) -> Result<FileDigest, Fault> {
        if let Ok(metadata) = file.metadata() {
            image::Progress::expect(self.bar, metadata.len());
        }
        self.hash(path, file)
    }

    fn hash(&self, path: &Path, stream: impl Read) -> Result<FileDigest, Fault> {
        self.drain(path, HashingReader::new(stream))
    }

    fn drain<R: Read>(
        &self,
        path: &Path,
        mut hashing: HashingReader<R>,
    ) -> Result<FileDigest, Fault> {
        let mut buffer = vec![0; 256 << 10];
        loop {
            match hashing.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => image::Progress::advance(self.bar, count as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(files::unreadable(&files::show(path), &error)),
            }
        }
        let size = hashing.count();
        let (_, sha256): (_, Sha256Digest) = hashing.finish();
        Ok(FileDigest { sha256, size })
    }

    fn jobs(&self) -> usize {
        match self.arguments.jobs {
            Some(jobs) => jobs.into(),
            None => thread::available_parallelism().map_or(1, Into::into),
        }
    }

    /// The name of the package bundle that lies beside a file.
    fn bundle_beside(&self, path: &Path) -> Option<String> {
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
    let content = files::read_small(path, limit, Code::BundleTooLarge).and_then(|bytes| {
        *left = left.saturating_sub(bytes.len() as u64);
        SignatureBundle::parse(&bytes).map_err(|fault| fault.at(files::show(path)))
    });
    NamedBundle { name: files::show(path), content }
}
