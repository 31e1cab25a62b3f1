//! Whether a transfer is fresh: its time of sealing and its expiry against the present.

use super::manifest::Manifest;
use super::scalars;
use crate::verdict::{Code, Fault};

/// How far ahead a time of sealing may be: clocks differ, and are set wrong by time zones.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Refuses a transfer from the future, an expired one, and one older than the policy allows.
pub(super) fn check(
    manifest: &Manifest,
    now: jiff::Timestamp,
    max_age: Option<jiff::SignedDuration>,
) -> Result<(), Fault> {
    let created = scalars::time(&manifest.created)?;
    let age = now.duration_since(created);
    if age < -AHEAD {
        let message = "the time of sealing is more than a day ahead";
        return Err(Fault::new(Code::CreatedInFuture, message)
            .expected_found(format!("about {now} or earlier"), created));
    }
    if let Some(expires) = &manifest.expires
        && now >= scalars::time(expires)?
    {
        return Err(Fault::new(Code::TransferExpired, "it has expired")
            .expected_found(format!("a time before {expires}"), now));
    }
    if let Some(most) = max_age
        && age > most
    {
        let message = "it was sealed too long ago";
        return Err(Fault::new(Code::TransferTooOld, message).expected_found(
            format!("at most {} hours", most.as_hours()),
            format!("{} hours", age.as_hours()),
        ));
    }
    Ok(())
}
