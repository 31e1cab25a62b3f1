//! The reports of items that were not fetched in this run.

use super::wanted::WantedItem;
use crate::transfer::ManifestKind;
use crate::verdict::{ArtifactKind, ArtifactReport, Evidence, Fault};

/// Added to the reason where an item could not be fetched again, and the copy of an earlier run verifies.
pub(super) const KEPT: &str = "the earlier copy was verified again and is kept";
/// The same where that copy does not verify.
pub(super) const KEPT_UNJUDGED: &str = "the earlier copy is kept, but it does not verify either";

/// The report of an item that an earlier transfer carried, based on `known` if it was judged again.
pub(super) fn carried_report(
    wanted: &WantedItem,
    known: Option<Box<ArtifactReport>>,
) -> ArtifactReport {
    let mut report = known.map_or_else(|| report(wanted), |known| *known);
    report.name.clone_from(&wanted.name);
    report.verified(Evidence::Carried)
}

/// The report of an item that was not fetched: OMITTED whatever the outcome of the code, because that is
/// what the manifest says. The code says why, and `more` what became of an earlier copy.
pub(super) fn omission(wanted: &WantedItem, fault: &Fault, more: Option<&str>) -> ArtifactReport {
    let mut report = report(wanted).omitted(fault);
    // The line starts with the name already.
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
        ManifestKind::Image => ArtifactKind::Image,
        ManifestKind::Package => ArtifactKind::Package,
    });
    report
}

/// A fault as one line for the manifest.
pub(super) fn line(fault: &Fault) -> String {
    let text: String =
        fault.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(1000).collect()
}
