//! A key that may seal a transfer, and the terms on which its seals count.
//!
//! A seal is in no log, so nothing proves when it was made. A retired key therefore counts until it is
//! retired, by the verifier's clock, and afterwards only for a transfer that this side accepted before.
//! A revoked key counts for nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::terms::{KeyStatus, KeyTerms};
use crate::key::PublicKey;
use crate::verdict::{Code, Fault};

/// Whether this can be the name of a stream.
///
/// It has 1 to 64 characters of `a-z 0-9 . _ -`, a letter or digit first.
#[must_use]
pub(crate) fn is_stream_name(name: &str) -> bool {
    let plain =
        name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    plain && first && name.len() <= 64
}

/// A key that may seal a transfer (ECDSA P-256).
#[derive(Debug, Clone)]
pub struct TransferKey {
    pub(super) name: String,
    pub(super) key: PublicKey,
    /// Without names of artifacts: those are for vendors' keys.
    pub(super) terms: KeyTerms,
    /// None: all streams.
    pub(super) streams: Option<BTreeSet<String>>,
}

/// What is known of a seal that holds.
#[derive(Debug, Clone, Copy)]
pub struct SealTimes<'a> {
    /// The stream of its transfer.
    pub stream: &'a str,
    /// When it says that it was made.
    pub created: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// Whether this side remembers that it accepted this transfer.
    pub accepted_before: bool,
}

impl TransferKey {
    /// What the operator calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it is revoked: then nothing that it sealed counts, at no time.
    #[must_use]
    pub(crate) const fn is_revoked(&self) -> bool {
        matches!(self.terms.status, KeyStatus::Revoked { .. })
    }

    /// Whether its seals count at one time and not at another.
    pub(super) const fn depends_on_now(&self) -> bool {
        let KeyTerms { status, valid_from, valid_until, artifacts: _ } = &self.terms;
        match status {
            KeyStatus::Revoked { .. } => false,
            KeyStatus::Retired { .. } => true,
            KeyStatus::Active => valid_from.is_some() || valid_until.is_some(),
        }
    }

    /// The streams for which it counts; none: all.
    #[must_use]
    pub const fn streams(&self) -> Option<&BTreeSet<String>> {
        self.streams.as_ref()
    }

    /// Whether a seal by the key counts.
    ///
    /// # Errors
    /// [`Code::KeyRevoked`], [`Code::StreamRefused`], [`Code::KeyRetired`] and [`Code::KeyNotValid`].
    pub fn admit(&self, seal: SealTimes<'_>) -> Result<(), Fault> {
        let name = &self.name;
        if self.is_revoked() {
            let message = format!("the transfer key {name:?} is revoked");
            return Err(Fault::new(Code::KeyRevoked, message));
        }
        if let Some(streams) = &self.streams
            && !streams.contains(seal.stream)
        {
            let listed: Vec<&str> = streams.iter().map(String::as_str).collect();
            let message =
                format!("the policy does not list the transfer key {name:?} for this stream");
            return Err(Fault::new(Code::StreamRefused, message)
                .expected_found(listed.join(" or "), seal.stream));
        }
        let latest = seal.created.max(seal.now);
        let earliest = seal.created.min(seal.now);
        if let KeyStatus::Retired { at } = self.terms.status
            && latest >= at
            && !seal.accepted_before
        {
            let message =
                format!("the transfer key {name:?} is retired, and a seal proves no time");
            return Err(Fault::new(Code::KeyRetired, message).expected_found(
                format!("a time before {at}, or a transfer accepted before"),
                latest,
            ));
        }
        let outside = if self.terms.valid_from.is_some_and(|from| earliest < from) {
            earliest
        } else if !seal.accepted_before
            && self.terms.valid_until.is_some_and(|until| latest >= until)
        {
            latest
        } else {
            return Ok(());
        };
        let message = format!("outside the time for which the transfer key {name:?} is valid");
        Err(Fault::new(Code::KeyNotValid, message)
            .expected_found(self.terms.window().unwrap_or_default(), outside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn key(terms: KeyTerms) -> TransferKey {
        let key = PrivateKey::generate().unwrap().public().clone();
        TransferKey { name: "us".to_owned(), key, terms, streams: None }
    }

    fn code(key: &TransferKey, created: &str, now: &str, accepted_before: bool) -> Option<Code> {
        let (created, now) = (time(created), time(now));
        let seal = SealTimes { stream: "default", created, now, accepted_before };
        key.admit(seal).err().map(|fault| fault.code())
    }

    const EARLY: &str = "2026-01-01T00:00:00Z";
    const LIMIT: &str = "2026-02-01T00:00:00Z";
    const LATE: &str = "2026-03-01T00:00:00Z";

    #[test]
    fn a_retired_key_seals_nothing_new() {
        let key =
            key(KeyTerms { status: KeyStatus::Retired { at: time(LIMIT) }, ..KeyTerms::default() });
        assert_eq!(code(&key, EARLY, EARLY, false), None);
        // Its holder can write any time into a seal.
        assert_eq!(code(&key, EARLY, LATE, false), Some(Code::KeyRetired));
        assert_eq!(code(&key, EARLY, LIMIT, false), Some(Code::KeyRetired));
        assert_eq!(code(&key, LIMIT, EARLY, false), Some(Code::KeyRetired));
        assert_eq!(code(&key, EARLY, LATE, true), None);
    }

    #[test]
    fn a_revoked_key_counts_for_nothing() {
        for compromised_at in [None, Some(time(LATE))] {
            let status = KeyStatus::Revoked { compromised_at };
            let key = key(KeyTerms { status, ..KeyTerms::default() });
            for accepted_before in [false, true] {
                assert_eq!(code(&key, EARLY, EARLY, accepted_before), Some(Code::KeyRevoked));
            }
        }
    }

    #[test]
    fn a_window_holds_for_both_times() {
        let key = key(KeyTerms {
            valid_from: Some(time(LIMIT)),
            valid_until: Some(time(LATE)),
            ..KeyTerms::default()
        });
        assert_eq!(code(&key, LIMIT, LIMIT, false), None);
        assert_eq!(code(&key, EARLY, LIMIT, false), Some(Code::KeyNotValid));
        assert_eq!(code(&key, LIMIT, EARLY, true), Some(Code::KeyNotValid));
        assert_eq!(code(&key, LIMIT, LATE, false), Some(Code::KeyNotValid));
        assert_eq!(code(&key, LIMIT, LATE, true), None);
    }

    /// The predicate says what `admit` does: held against every pair of moments.
    #[test]
    fn what_depends_on_now_is_known() {
        let times = [EARLY, LIMIT, LATE];
        let statuses = [
            KeyStatus::Active,
            KeyStatus::Retired { at: time(LIMIT) },
            KeyStatus::Revoked { compromised_at: None },
            KeyStatus::Revoked { compromised_at: Some(time(LIMIT)) },
        ];
        let windows = [
            (None, None),
            (Some(time(LIMIT)), None),
            (None, Some(time(LATE))),
            (Some(time(LIMIT)), Some(time(LATE))),
        ];
        for status in statuses {
            for (valid_from, valid_until) in windows {
                let key = key(KeyTerms { status, valid_from, valid_until, artifacts: None });
                let differs = times.iter().any(|created| {
                    let first = code(&key, created, EARLY, false);
                    times.iter().any(|now| code(&key, created, now, false) != first)
                });
                assert_eq!(key.depends_on_now(), differs, "{:?}", key.terms);
            }
        }
    }

    #[test]
    fn a_key_may_be_for_some_streams() {
        let mut key = key(KeyTerms::default());
        assert_eq!(code(&key, EARLY, EARLY, false), None);
        key.streams = Some(BTreeSet::from(["station-a".to_owned()]));
        assert_eq!(code(&key, EARLY, EARLY, true), Some(Code::StreamRefused));
    }
}
