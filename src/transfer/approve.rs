//! Whether a folder may be sealed, by the verdicts on everything in it: each artifact is signed, or
//! unsigned as allowed, and nothing else speaks against it.

use std::collections::BTreeSet;

use super::manifest::{Artifact, ManifestKind};
use super::seal_request::{Origin, SealRequest};
use crate::directory::Folder;
use crate::survey::{ArtifactOutcome, Survey};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// Why a folder was not sealed.
#[derive(Debug)]
pub enum SealError {
    /// What was found about the artifacts and files; at least one is not OK.
    Artifacts(Vec<ArtifactReport>),
    /// Something else.
    Fault(Fault),
}

impl From<Fault> for SealError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The artifacts of the manifest, if everything may be sealed.
pub(super) fn artifacts(
    folder: &Folder,
    request: &SealRequest<'_>,
    survey: &Survey,
    all: Vec<ArtifactOutcome>,
    unpaired: Vec<String>,
    reports: &mut Vec<ArtifactReport>,
) -> Result<Vec<Artifact>, SealError> {
    let mut artifacts = Vec::new();
    let mut unused: BTreeSet<&str> = request.allow_unsigned.iter().map(String::as_str).collect();
    let mut stopped = !reports.is_empty();
    for mut judged in all {
        let by_option = unused.remove(judged.name.as_str()) | unused.remove(judged.path.as_str());
        let image = judged.report.kind == Some(ArtifactKind::Image);
        let unsigned = judged.report.outcome() == Outcome::Unsigned
            && request.allows_unsigned(&judged.name, &judged.path, image);
        if unsigned {
            judged.report.next =
                Some("Nothing: it is sealed unsigned, as allowed, and will answer so.".to_owned());
        }
        if judged.report.code() == Some(Code::NoKey) {
            judged.report.next = Some(
                "Name the vendor's public key with --vendor-key FILE, or its fingerprint with --pin-key, or list \
                 it in the trust policy; compare the fingerprint with the vendor out of band first."
                    .to_owned(),
            );
        }
        if judged.report.outcome() == Outcome::Unsigned && !unsigned {
            judged.report.next = Some(if by_option {
                let field = if image { "allow_unsigned_images" } else { "allow_unsigned" };
                format!(
                    "Add its bundle and seal again. The policy's {field} does not allow both its name and \
                     its path {:?}, and --allow-unsigned can't add to it.",
                    judged.path
                )
            } else {
                let next = "Add its bundle and seal again. To seal it knowingly unsigned, which every \
                            later check shows, say --allow-unsigned";
                format!("{next} {:?}.", judged.name)
            });
        }
        stopped |= judged.report.outcome() != Outcome::Ok && !unsigned;
        artifacts.push(artifact(&judged, request.origins.get(&judged.path), unsigned));
        reports.push(judged.report);
    }
    for (name, fault) in &survey.faults {
        let mut report = ArtifactReport::new(name.as_str());
        report.kind = Some(ArtifactKind::File);
        reports.push(report.refused(fault));
        stopped = true;
    }
    for bundle in unpaired {
        let fault = Fault::new(Code::MaterialUnpaired, "it belongs to no artifact in the folder");
        let mut report = ArtifactReport::new(bundle.as_str());
        report.kind = Some(ArtifactKind::File);
        reports.push(report.refused(&fault.at(folder.show(&bundle))));
        stopped = true;
    }
    if stopped {
        return Err(SealError::Artifacts(std::mem::take(reports)));
    }
    if let Some(name) = unused.into_iter().next() {
        let message = format!("--allow-unsigned {name:?} names nothing in the folder");
        return Err(Fault::new(Code::Usage, message).into());
    }
    if artifacts.is_empty() {
        let message = "there is no image archive and no package in the folder: nothing to seal";
        return Err(Fault::new(Code::Usage, message).at(folder.shown()).into());
    }
    Ok(artifacts)
}

fn artifact(judged: &ArtifactOutcome, origin: Option<&Origin>, unsigned: bool) -> Artifact {
    let report = &judged.report;
    let mut digest_kinds: Vec<String> =
        report.matched.iter().map(|matched| matched.kind.clone()).collect();
    digest_kinds.sort_unstable();
    digest_kinds.dedup();
    Artifact {
        kind: match report.kind {
            Some(ArtifactKind::Image) => ManifestKind::Image,
            _ => ManifestKind::Package,
        },
        name: judged.name.clone(),
        path: judged.path.clone(),
        bundles: judged.bundles.clone(),
        key: report.key,
        vendor: (!unsigned).then(|| judged.vendor.clone()),
        source: origin.map(|origin| origin.source.clone()),
        digest_kinds,
        allow_unsigned: unsigned,
        first_use: judged.first_use,
    }
}
