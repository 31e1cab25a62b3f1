//! The reports of items that were not fetched in this run.

use super::wanted::WantedItem;
use crate::transfer::Kind;
use crate::verdict::{ArtifactKind, ArtifactReport, Evidence, Fault};

/// What is said of something that could not be brought anew, and was verified where it lies.
pub(super) const KEPT: &str = "the earlier copy was verified again and is kept";
/// The same where it could not be verified.
pub(super) const KEPT_UNJUDGED: &str = "the earlier copy is kept, but it does not verify either";

/// The report of what an earlier transfer carried; with the verdict, where one was reached anew.
pub(super) fn carried_report(
    wanted: &WantedItem,
    known: Option<Box<ArtifactReport>>,
) -> ArtifactReport {
    let mut report = known.map_or_else(|| report(wanted), |it| *it);
    report.name.clone_from(&wanted.name);
    report.verified(Evidence::Carried)
}

/// The report of something that is not brought: OMITTED whatever the code's own outcome is, because
/// that is what the far side will be told; the code says why, and `more` what became of it.
pub(super) fn omission(wanted: &WantedItem, fault: &Fault, more: Option<&str>) -> ArtifactReport {
    let mut report = report(wanted).omitted(fault);
    // The line begins with the name already.
    let prefix = format!("{}: ", wanted.name);
    if let Some(reason) = &mut report.reason {
        while let Some(rest) = reason.strip_prefix(&prefix) {
            *reason = rest.to_owned();
        }
        if let Some(more) = more {
            *reason = format!("{reason}; {more}");
        }
    }
    report
}

fn report(wanted: &WantedItem) -> ArtifactReport {
    let mut report = ArtifactReport::new(wanted.name.as_str());
    report.kind = Some(match wanted.kind {
        Kind::Image => ArtifactKind::Image,
        Kind::Package => ArtifactKind::Package,
    });
    report
}

/// A fault as one line of a manifest.
pub(super) fn line(fault: &Fault) -> String {
    let text: String =
        fault.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(1000).collect()
}
