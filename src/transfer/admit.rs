//! Whether a transfer may be used here at all: the terms of its key, its stream, its time, its serial. This
//! is decided as soon as the seal holds, before anything is hashed, so that nothing in an old transfer is
//! reported as OK.

use std::collections::BTreeSet;

use super::accepted::AcceptedTransfers;
use super::context::Context;
use super::sealed::Sealed;
use super::{fresh, scalars};
use crate::trust::{SealTimes, TrustPolicy};
use crate::verdict::{ArtifactReport, Check, CheckName, Code, Fault, Status};

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

/// Whether the transfer may be used at all, before any of its files is read.
pub(super) fn gate(
    sealed: &Sealed,
    context: &Context<'_>,
    whole: &mut ArtifactReport,
) -> Result<(), Fault> {
    believed(sealed, context)?;
    let max_age = context.policy.and_then(TrustPolicy::max_age);
    let fresh = fresh::check(sealed.manifest(), context.now, max_age);
    let status = if fresh.is_ok() { Status::Passed } else { Status::Failed };
    whole.checks.push(Check::new(CheckName::Freshness, status));
    fresh?;
    let none = AcceptedTransfers::default();
    let before = serial(sealed, context.state.unwrap_or(&none), context);
    if context.state.is_none() && before.is_ok() {
        whole.checks.push(Check::new(CheckName::Serial, Status::NotChecked));
        whole.notes.push("rollback not checked: no --state".to_owned());
        return Ok(());
    }
    let status = if before.is_ok() { Status::Passed } else { Status::Failed };
    let check = Check::new(CheckName::Serial, status).with("serial", sealed.manifest().serial);
    let before = before.inspect_err(|_| whole.checks.push(check.clone()))?;
    whole.checks.push(check.with("before", before));
    Ok(())
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
    let listed = listed.map(|streams| streams.iter().map(String::as_str).collect::<BTreeSet<_>>());
    for streams in [Some(named).filter(|streams| !streams.is_empty()), listed].into_iter().flatten()
    {
        if !streams.contains(manifest.stream.as_str()) {
            let message = "the transfer's stream is not accepted here";
            let expected = streams.into_iter().collect::<Vec<_>>().join(" or ");
            return Err(
                Fault::new(Code::StreamRefused, message).expected_found(expected, &manifest.stream)
            );
        }
    }
    Ok(())
}

/// Refuses an earlier transfer that was sealed by a revoked key. Its time and stream don't matter: those of
/// the newer one are checked.
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

/// Judges the serial; returns the one that was accepted before, for the report.
pub(super) fn serial(
    sealed: &Sealed,
    state: &AcceptedTransfers,
    context: &Context<'_>,
) -> Result<String, Fault> {
    let manifest = sealed.manifest();
    match context.serials {
        Some(serials) => {
            // It is opened twice. One that was unreadable or different the first time was not compared
            // with the others.
            if !serials.noted.contains(&sealed.digest()) {
                let message = "the seal was unreadable, or a different one, when the run began";
                return Err(Fault::new(Code::Unreadable, message));
            }
            serials.admit(state, manifest, &sealed.digest())?;
        }
        None => state.admit(manifest, &sealed.digest())?,
    }
    let last = state.last(&manifest.stream);
    Ok(last.map_or_else(|| "none".to_owned(), |last| last.serial.to_string()))
}
