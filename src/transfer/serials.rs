//! The serials of all transfers that are judged in one run: an older one next to a newer one is refused,
//! unless the newer one builds on it.

use std::collections::{BTreeMap, BTreeSet};

use super::accepted::AcceptedTransfers;
use super::manifest::Manifest;
use super::sealed::Sealed;
use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// The transfers that one run judges, for their serials. The answer for each must be the same when the same
/// run is repeated, whatever was accepted in between: so of each stream only the newest counts, and what it
/// builds on.
#[derive(Debug, Default)]
pub struct SerialsOfRun {
    /// The manifests of all of them.
    pub(super) noted: BTreeSet<Sha256Digest>,
    streams: BTreeMap<String, Newest>,
    /// What the newest ones build on, and what that builds on.
    bases: BTreeSet<Sha256Digest>,
}

#[derive(Debug)]
struct Newest {
    serial: u64,
    manifests: BTreeSet<Sha256Digest>,
}

impl SerialsOfRun {
    /// Notes the transfers that will be judged: their seals hold, and they are [`admissible`](super::admissible).
    #[must_use]
    pub fn new(all: &[&Sealed], state: &AcceptedTransfers) -> Self {
        let mut streams: BTreeMap<String, Newest> = BTreeMap::new();
        for sealed in all {
            let manifest = sealed.manifest();
            let newest = streams
                .entry(manifest.stream.clone())
                .or_insert_with(|| Newest { serial: 0, manifests: BTreeSet::new() });
            if manifest.serial > newest.serial {
                *newest = Newest { serial: manifest.serial, manifests: BTreeSet::new() };
            }
            if manifest.serial == newest.serial {
                newest.manifests.insert(sealed.digest());
            }
        }
        let noted = all.iter().map(|sealed| sealed.digest()).collect();
        let mut serials = Self { noted, streams, bases: BTreeSet::new() };
        let base = |sealed: &&Sealed| sealed.manifest().base.as_ref().map(|base| base.manifest);
        let mut bases: BTreeSet<Sha256Digest> = all
            .iter()
            .filter(|sealed| serials.admit(state, sealed.manifest(), &sealed.digest()).is_ok())
            .filter_map(base)
            .collect();
        loop {
            let further: Vec<Sha256Digest> = all
                .iter()
                .filter(|sealed| bases.contains(&sealed.digest()))
                .filter_map(base)
                .collect();
            let before = bases.len();
            bases.extend(further);
            if bases.len() == before {
                break;
            }
        }
        serials.bases = bases;
        serials
    }

    /// Whether a newer transfer of the run builds on this one, which is not remembered then.
    #[must_use]
    pub fn is_base(&self, sealed: &Sealed) -> bool {
        self.bases.contains(&sealed.digest())
    }

    /// Judges a serial by the transfers accepted before and those of the same run.
    pub(super) fn admit(
        &self,
        state: &AcceptedTransfers,
        manifest: &Manifest,
        digest: &Sha256Digest,
    ) -> Result<(), Fault> {
        if self.bases.contains(digest) {
            return Ok(());
        }
        state.admit(manifest, digest)?;
        let Some(newest) = self.streams.get(&manifest.stream) else { return Ok(()) };
        if manifest.serial < newest.serial {
            let message =
                format!("an older transfer of stream {:?} next to a newer one", manifest.stream);
            return Err(Fault::new(Code::SerialRolledBack, message).expected_found(
                format!("a serial of at least {}", newest.serial),
                manifest.serial,
            ));
        }
        let other = newest.manifests.iter().find(|other| *other != digest);
        if let Some(other) = other.filter(|_| newest.serial == manifest.serial)
            && !state.remembers(&manifest.stream, digest)
        {
            let message = format!(
                "another transfer here has serial {} with another manifest",
                manifest.serial
            );
            return Err(Fault::new(Code::SerialReused, message).expected_found(other, digest));
        }
        Ok(())
    }
}
