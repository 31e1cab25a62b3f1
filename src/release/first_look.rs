//! The first look at every file of a folder: material is known by its form, and what a small file is
//! does not need to be read again.

use std::sync::atomic::Ordering;

use super::folder_run::{FolderRun, gone};
use super::units::UnitKind;
use crate::digest::FileDigest;
use crate::limits;
use crate::parallel;
use crate::survey::{FileKind, FileReader, FirstLook};
use crate::verdict::Fault;

/// Files that are looked at together.
const GROUP: usize = 4096;

/// What is known of a unit after the first look.
pub(super) enum KnownUnit {
    /// What a small file is.
    Small(FileDigest, FileKind),
    /// It is to be read when its turn comes.
    Later,
    /// It can't be read.
    Fault(Fault),
}

impl FolderRun<'_, '_> {
    /// Looks at all units, in their order; none for what is not a file.
    pub(super) fn first_look(&self, reader: &FileReader<'_>) -> Vec<Option<KnownUnit>> {
        let all: Vec<usize> = (0..self.units.len()).collect();
        let mut seen = Vec::with_capacity(all.len());
        // In groups, so that results are held twice for few of them only.
        for group in all.chunks(GROUP) {
            let jobs = self.request.reading.jobs;
            seen.extend(parallel::map(group, jobs, |number| self.look(reader, *number)));
        }
        seen
    }

    fn look(&self, reader: &FileReader<'_>, number: usize) -> Option<KnownUnit> {
        let unit = self.units.get(number)?;
        match unit.kind {
            UnitKind::File => {}
            UnitKind::Layout => return Some(KnownUnit::Later),
            UnitKind::Refused(_) | UnitKind::Transfer => return None,
        }
        let wanted = self.listed.judges_unsealed()
            && self.is_mine(number)
            && self.request.filter.admits(&unit.name);
        Some(match reader.first(&unit.name, wanted) {
            Ok(FirstLook::Found(found)) => {
                if wanted {
                    let number = self.events.begin(&found.name, found.digest.size);
                    self.events.advance(number, found.digest.size);
                    self.events.end(number);
                }
                if self.kept(&found.what) {
                    KnownUnit::Small(found.digest, found.what)
                } else {
                    KnownUnit::Later
                }
            }
            Ok(FirstLook::Later) => KnownUnit::Later,
            Err(fault) => KnownUnit::Fault(gone(fault)),
        })
    }

    /// Whether there is room for what the first look found until its turn comes: a small file may hold an
    /// archive that takes sixty times as much in memory, and is then read again.
    fn kept(&self, what: &FileKind) -> bool {
        let FileKind::Image(archive, _) = what else { return true };
        let weight = archive.weight();
        let more =
            |sum: usize| Some(sum.saturating_add(weight)).filter(|sum| *sum <= limits::SEEN_BYTES);
        self.seen_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}
