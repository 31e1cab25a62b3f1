//! May this transfer be used here at all: the terms of its key, its stream, its time, its serial. Asked as
//! soon as the seal holds, before anything is hashed, so that nothing of an old transfer reads OK.

use std::collections::{BTreeMap, BTreeSet};

use super::accepted::AcceptedTransfers;
use super::context::Context;
use super::manifest::Manifest;
use super::sealed::Sealed;
use super::{fresh, scalars};
use crate::digest::Sha256Digest;
use crate::trust::{SealTimes, TrustPolicy};
use crate::verdict::{Code, Fault};

/// The transfers that one run judges, for their serials. The answer for each must be the same when the same
/// run is repeated, whatever was accepted in between: so of each stream only the newest counts, and what it
/// builds on.
#[derive(Debug, Default)]
pub struct SerialsOfRun {
    /// The manifests of all of them.
    noted: BTreeSet<Sha256Digest>,
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
    /// Takes note of transfers whose seals hold, that are [`admissible`], and that will be judged.
    #[must_use]
    pub fn new(all: &[Sealed], state: &AcceptedTransfers) -> Self {
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
        let noted = all.iter().map(Sealed::digest).collect();
        let mut together = Self { noted, streams, bases: BTreeSet::new() };
        let base = |sealed: &Sealed| sealed.manifest().base.as_ref().map(|base| base.manifest);
        let mut bases: BTreeSet<Sha256Digest> = all
            .iter()
            .filter(|it| together.admit(state, it.manifest(), &it.digest()).is_ok())
            .filter_map(base)
            .collect();
        loop {
            let further: Vec<Sha256Digest> =
                all.iter().filter(|it| bases.contains(&it.digest())).filter_map(base).collect();
            let before = bases.len();
            bases.extend(further);
            if bases.len() == before {
                break;
            }
        }
        together.bases = bases;
        together
    }

    /// Whether a transfer is here because a newer one builds on it: then it is not remembered.
    #[must_use]
    pub fn is_base(&self, sealed: &Sealed) -> bool {
        self.bases.contains(&sealed.digest())
    }

    /// Judges a serial by what was accepted before and what lies beside it.
    fn admit(
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
                format!("an older transfer of stream {:?} beside a newer one", manifest.stream);
            return Err(Fault::new(Code::SerialRolledBack, message).expected_found(
                format!("a serial of at least {}", newest.serial),
                manifest.serial,
            ));
        }
        let other = newest.manifests.iter().find(|it| *it != digest);
        if let Some(other) = other.filter(|_| newest.serial == manifest.serial)
            && !state.remembers(&manifest.stream, digest)
        {
            let message = format!("serial {} lies here with another manifest", manifest.serial);
            return Err(Fault::new(Code::SerialReused, message).expected_found(other, digest));
        }
        Ok(())
    }
}

/// Whether a transfer may be used, but for its serial: the terms of its key, its stream, its time.
///
/// # Errors
/// [`Code::KeyRevoked`], [`Code::KeyRetired`], [`Code::KeyNotValid`], [`Code::StreamRefused`],
/// [`Code::CreatedInFuture`], [`Code::TransferExpired`] and [`Code::TransferTooOld`].
pub fn admissible(sealed: &Sealed, context: &Context<'_>) -> Result<(), Fault> {
    believed(sealed, context)?;
    let max_age = context.policy.and_then(TrustPolicy::max_age);
    fresh::check(sealed.manifest(), context.now, max_age)
}

/// The terms of the transfer key, and the streams that are accepted.
pub(super) fn believed(sealed: &Sealed, context: &Context<'_>) -> Result<(), Fault> {
    let manifest = sealed.manifest();
    if let Some(key) = context.policy.and_then(|policy| policy.transfer_key(&sealed.key())) {
        let stream = manifest.stream.as_str();
        let known = |state: &AcceptedTransfers| state.remembers(stream, &sealed.digest());
        key.admit(SealTimes {
            stream,
            created: scalars::time(&manifest.created)?,
            now: context.now,
            accepted_before: context.state.is_some_and(known),
        })?;
    }
    let named: BTreeSet<&str> = context.streams.iter().map(String::as_str).collect();
    let listed = context.policy.and_then(TrustPolicy::streams);
    let listed = listed.map(|it| it.iter().map(String::as_str).collect::<BTreeSet<_>>());
    for streams in [Some(named).filter(|it| !it.is_empty()), listed].into_iter().flatten() {
        if !streams.contains(manifest.stream.as_str()) {
            let message = "the transfer is of another stream than those that are accepted here";
            let expected = streams.into_iter().collect::<Vec<_>>().join(" or ");
            return Err(
                Fault::new(Code::StreamRefused, message).expected_found(expected, &manifest.stream)
            );
        }
    }
    Ok(())
}

/// What a base may not be: sealed by a key that is revoked. Its time and stream are the newer one's matter.
pub(super) fn base(sealed: &Sealed, context: &Context<'_>) -> Result<(), Fault> {
    let key = context.policy.and_then(|policy| policy.transfer_key(&sealed.key()));
    match key.filter(|key| key.is_revoked()) {
        Some(key) => {
            let message = format!("the transfer key {:?} is revoked", key.name());
            Err(Fault::new(Code::KeyRevoked, message))
        }
        None => Ok(()),
    }
}

/// Judges the serial; says which was accepted before.
pub(super) fn serial(
    sealed: &Sealed,
    state: &AcceptedTransfers,
    context: &Context<'_>,
) -> Result<String, Fault> {
    let manifest = sealed.manifest();
    match context.together {
        Some(together) => {
            // Looked at twice; what could not be read, or was another, at the first look was not held
            // against the others.
            if !together.noted.contains(&sealed.digest()) {
                let message = "the seal could not be read, or was another, when the run began";
                return Err(Fault::new(Code::Unreadable, message));
            }
            together.admit(state, manifest, &sealed.digest())?;
        }
        None => state.admit(manifest, &sealed.digest())?,
    }
    let last = state.last(&manifest.stream);
    Ok(last.map_or_else(|| "none".to_owned(), |last| last.serial.to_string()))
}
