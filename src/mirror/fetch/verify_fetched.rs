//! Judges what was fetched, by the rules of sealing, and gives the files their names if it is right.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use super::material::NO_BUNDLE;
use super::task::{FetchOutcome, FetchTask};
use crate::digest::Sha256Digest;
use crate::image::Options;
use crate::limits;
use crate::mirror::http::{is_page, page};
use crate::mirror::stage::Stage;
use crate::mirror::wanted::WantedItem;
use crate::mirror::{ImageDescription, ProgressTask};
use crate::transfer::{self, ExaminedFiles, ManifestKind, Origin, SealRequest};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// The report of an item, and the files that were read for it.
pub(super) type Judgement = (ArtifactReport, ExaminedFiles);

impl FetchTask<'_> {
    /// Judges again what an earlier run left of an item.
    pub(in crate::mirror) fn in_place(
        &self,
        wanted: &WantedItem,
    ) -> Result<(ArtifactReport, ExaminedFiles, Origin), Fault> {
        let mut stage = Stage::new(self.store, wanted);
        let below = self.store.folder.folder(&wanted.directory)?;
        for entry in below.list()?.files() {
            let path = format!("{}/{}", wanted.directory, entry.name);
            if path == wanted.path || self.store.last(&path).is_some() {
                stage.put(&path.clone(), path);
            }
        }
        let (report, seen) = self.verify_fetched(&stage, &ImageDescription::default())?;
        let source = self.store.last(&wanted.path).map_or_else(String::new, |record| record.url);
        match self.fits(wanted, &report) {
            true => Ok((report, seen, Origin { name: wanted.name.clone(), source })),
            false => Err(refusal(wanted, report)),
        }
    }

    /// Reads and judges the files of an item where they are now.
    pub(super) fn verify_fetched(
        &self,
        stage: &Stage<'_>,
        description: &ImageDescription,
    ) -> Result<Judgement, Fault> {
        let wanted = stage.wanted();
        let view = stage.view()?;
        let size = view.file(&wanted.path)?.metadata().map_or(0, |metadata| metadata.len());
        let task = ProgressTask::reading(self.watch, &format!("verify {}", wanted.name), size);
        let progress = ReadingProgress(task);
        let origin = Origin { name: wanted.name.clone(), source: description.source.clone() };
        let origins = BTreeMap::from([(wanted.path.clone(), origin)]);
        let request = SealRequest {
            origins: &origins,
            reading: Options { progress: &progress, ..self.sealing.reading },
            ..self.sealing
        };
        let (judged, seen) = transfer::examine(&view, &request, &stage.names())?;
        let kind = match wanted.kind {
            ManifestKind::Image => ArtifactKind::Image,
            ManifestKind::Package => ArtifactKind::Package,
        };
        if judged.report.kind.is_some_and(|found| found != kind) {
            let message = match wanted.kind {
                ManifestKind::Image => "what was fetched as an image is a package",
                ManifestKind::Package => "what was fetched as a package is an image archive",
            };
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        if judged.path != wanted.path {
            let message = "the artifact is another file than the one that was asked for";
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        Ok((judged.report, seen))
    }

    fn fits(&self, wanted: &WantedItem, report: &ArtifactReport) -> bool {
        let unsigned = report.outcome() == Outcome::Unsigned && self.may_be_unsigned(wanted);
        report.outcome() == Outcome::Ok || unsigned
    }

    /// Gives the files their names, if they were judged well.
    pub(super) fn accept(
        &self,
        stage: &mut Stage<'_>,
        judged: Judgement,
        source: String,
    ) -> Result<FetchOutcome, Fault> {
        let (mut report, mut seen) = judged;
        let wanted = stage.wanted();
        if !self.fits(wanted, &report) {
            if wanted.kind == ManifestKind::Package && Self::is_page(stage) {
                // The next run has no use for it, and nothing else need wait for it.
                stage.give_up()?;
                return Err(page().at(source));
            }
            return Err(refusal(wanted, report));
        }
        stage.accept(&mut seen, self.watch)?;
        // The far side and the list of omitted items use this name.
        report.name.clone_from(&wanted.name);
        let origin = Origin { name: wanted.name.clone(), source };
        Ok(FetchOutcome::Accepted { report: Box::new(report), seen, origin })
    }

    /// Whether a web page came in place of a package: that explains why it is not what was signed.
    fn is_page(stage: &Stage<'_>) -> bool {
        let mut start = Vec::new();
        let read = stage
            .view()
            .and_then(|view| view.file(&stage.wanted().path))
            .map(|file| file.take(limits::DIAGNOSIS_BYTES as u64).read_to_end(&mut start));
        matches!(read, Ok(Ok(_))) && is_page(&start)
    }
}

/// The fault for an artifact that was refused.
fn refusal(wanted: &WantedItem, report: ArtifactReport) -> Fault {
    let code = report.code().unwrap_or(Code::NoBundle);
    let reason = report.reason.unwrap_or_else(|| code.meaning().to_owned());
    let fault = Fault::new(code, reason).at(&wanted.name);
    match report.next {
        _ if code == Code::NoBundle => fault.advise(NO_BUNDLE),
        Some(next) => fault.advise(next),
        None => fault,
    }
}

/// Checks that the archive proves every digest that its source stated.
pub(super) fn stated(
    wanted: &WantedItem,
    description: &ImageDescription,
    seen: &ExaminedFiles,
) -> Result<(), Fault> {
    if let (Some(whole), Some(found)) = (description.whole, seen.digest(&wanted.path))
        && whole != found.sha256
    {
        let message = "the archive changed while it was copied; run the command again";
        return Err(Fault::new(Code::SourceDisagrees, message)
            .expected_found(whole, found.sha256)
            .at(&wanted.name));
    }
    let images = seen.images(&wanted.path);
    let proven: BTreeSet<Sha256Digest> = images
        .iter()
        .flat_map(|image| &image.candidates)
        .map(|candidate| candidate.digest)
        .collect();
    match description.stated.iter().find(|digest| !proven.contains(digest)) {
        Some(digest) if !images.is_empty() => {
            let proven: Vec<String> = proven.iter().map(ToString::to_string).collect();
            let message =
                format!("{} states one ID, and the archive proves others", description.source);
            Err(Fault::new(Code::SourceDisagrees, message)
                .expected_found(digest.to_string(), proven.join(", "))
                .at(&wanted.name))
        }
        _ => Ok(()),
    }
}

pub(super) fn digest(judged: &Judgement, wanted: &WantedItem) -> Option<Sha256Digest> {
    judged.1.digest(&wanted.path).map(|digest| digest.sha256)
}

/// Reports how far an archive was read.
struct ReadingProgress<'a>(ProgressTask<'a>);

impl crate::image::Progress for ReadingProgress<'_> {
    fn expect(&self, _: u64) {}
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}
