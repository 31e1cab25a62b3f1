//! A blob: any bytes, signed as they are (`verify-blob`).

use std::io::Read;

use super::{BundleVerdict, Judge, NamedBundle, refused, verified};
use crate::sigstore::{self, Subject};
use crate::verdict::{ArtifactKind, ArtifactReport};

/// Verifies a stream of bytes against one bundle; the stream is read once, in constant memory.
#[must_use]
pub fn blob(
    mut report: ArtifactReport,
    stream: &mut dyn Read,
    bundle: &NamedBundle,
    judge: &Judge<'_>,
) -> ArtifactReport {
    report.kind = Some(ArtifactKind::Blob);
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => {
            report.bundles.push(BundleVerdict::unread(bundle, fault).report);
            return refused(report, fault, Vec::new(), judge);
        }
    };
    match sigstore::verify(content, Subject::Reader(stream), judge.request) {
        Ok(proof) => {
            report.bundles.push(BundleVerdict::new(bundle, Ok(&proof)).report);
            verified(report, judge)
        }
        Err(refusal) => {
            let verdict = BundleVerdict::new(bundle, Err(&refusal));
            report.bundles.push(verdict.report);
            let fault = refusal.fault.clone().at(bundle.name.as_str());
            refused(report, &fault, verdict.causes, judge)
        }
    }
}
