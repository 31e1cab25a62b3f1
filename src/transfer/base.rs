//! The earlier transfer that a differential one builds on: which of those given it is, and whether it
//! holds what it is said to hold. It is checked in `check`, as any other transfer.

use super::context::Context;
use super::manifest::{Base, Manifest};
use super::opened::OpenedTransfer;
use crate::directory::Folder;
use crate::verdict::{Code, Fault};

/// Finds the earlier transfer among those given, by the digest of its manifest.
pub(super) fn find<'a>(
    base: &Base,
    context: &Context<'a>,
) -> Result<(&'a Folder, OpenedTransfer), Fault> {
    let meant =
        format!("transfer {} (stream {}, serial {})", base.transfer_id, base.stream, base.serial);
    if context.bases.is_empty() {
        return Err(Fault::new(Code::BaseNotGiven, format!("it builds on {meant}")));
    }
    let mut unusable = None;
    for folder in context.bases {
        let opened = OpenedTransfer::open(folder, context.transfer_keys);
        let found = match &opened.sealed {
            Ok(sealed) if sealed.digest() == base.manifest => sealed.manifest(),
            Ok(_) => continue,
            Err(fault) => {
                unusable.get_or_insert(fault.clone());
                continue;
            }
        };
        let same = (&found.transfer_id, &found.stream, found.serial)
            == (&base.transfer_id, &base.stream, base.serial);
        if !same {
            let message = "its manifest is the right one, but its id, stream or serial is not";
            return Err(Fault::new(Code::BaseMismatch, message).at(folder.shown()).expected_found(
                meant,
                format!("{} (stream {}, serial {})", found.transfer_id, found.stream, found.serial),
            ));
        }
        return Ok((folder, opened));
    }
    if let Some(fault) = unusable {
        return Err(fault);
    }
    let given: Vec<&str> = context.bases.iter().map(Folder::shown).collect();
    Err(Fault::new(
        Code::BaseMismatch,
        "none of the earlier transfers given is the one that it builds on",
    )
    .expected_found(meant, given.join(", ")))
}

/// Refuses an earlier transfer that does not hold what the newer one says it holds.
pub(super) fn holds(folder: &Folder, earlier: &Manifest, base: &Base) -> Result<(), Fault> {
    for item in &base.artifacts {
        let there = earlier.file(&item.path);
        let listed = earlier.artifacts.iter().any(|artifact| {
            (artifact.kind, &artifact.name, &artifact.path) == (item.kind, &item.name, &item.path)
        });
        if !listed || there.is_none_or(|file| file.sha256 != item.sha256) {
            let message = format!("the earlier transfer does not hold {}", item.name);
            return Err(Fault::new(Code::BaseMismatch, message)
                .at(folder.show(&item.path))
                .expected_found(
                    item.sha256,
                    there.map_or("no file".to_owned(), |file| file.sha256.to_string()),
                ));
        }
    }
    Ok(())
}
