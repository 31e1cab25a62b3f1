//! Names in a folder that a transfer can't carry.

use super::layout::{self, Reserved};
use crate::directory::{EntryKind, Folder, Listing};
use crate::path;
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault};

/// Names that a transfer can't carry, and why.
pub(super) fn unfit(folder: &Folder, listing: &Listing) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    let mut add =
        |name: &str, fault: Fault| faults.push((name.to_owned(), fault.at(folder.show(name))));
    for entry in &listing.entries {
        if entry.kind == EntryKind::Directory {
            if let Some(reason) = layout::directory(&entry.name) {
                add(&entry.name, Fault::new(Code::NameCollision, reason.words()));
            }
        } else if let Err(reason) = path::portable(&entry.name) {
            add(&entry.name, Fault::new(Code::PathNotPortable, reason.to_string()));
        } else if let Err(reason) = layout::path_use(&entry.name) {
            let code = match reason {
                Reserved::Trust => Code::FileExtra,
                Reserved::Seal | Reserved::Temporary | Reserved::Directory => Code::NameCollision,
            };
            add(&entry.name, Fault::new(code, reason.words()));
        }
    }
    for names in listing.collisions() {
        let message = format!("names that differ only in case: {}", names.join(", "));
        if let Some(first) = names.first() {
            add(first, Fault::new(Code::NameCollision, message));
        }
    }
    faults
}

/// Reports of names that a transfer can't carry.
pub(super) fn reports(folder: &Folder, listing: &Listing) -> Vec<ArtifactReport> {
    let report = |(name, fault): (String, Fault)| {
        let mut report = ArtifactReport::new(name);
        report.kind = Some(ArtifactKind::File);
        report.refused(&fault)
    };
    unfit(folder, listing).into_iter().map(report).collect()
}
