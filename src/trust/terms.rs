//! The terms on which a vendor's key is trusted: for which names, and for signatures of what time.
//!
//! A time counts only if a verified log entry or timestamp proves it; the caller hands in those. What a
//! signature says of itself is never asked.

use jiff::Timestamp;

use super::NamePattern;
use super::artifact_name::{ArtifactName, NameMismatch};
use crate::verdict::{Code, Fault};

/// Whether a key is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyStatus {
    /// In use.
    #[default]
    Active,
    /// Replaced, and never known to be in wrong hands.
    Retired {
        /// Signatures count if they are proven to be earlier.
        at: Timestamp,
    },
    /// Not to be trusted.
    Revoked {
        /// Since when the key may be in wrong hands; signatures that are proven to be earlier
        /// count. Without it none does.
        compromised_at: Option<Timestamp>,
    },
}

/// When and for what a key counts. The default is a key in use, at any time, for any name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyTerms {
    pub(super) status: KeyStatus,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) valid_until: Option<Timestamp>,
    /// None: all names.
    pub(super) artifacts: Option<Vec<NamePattern>>,
}

impl KeyTerms {
    /// Whether the key is in use.
    #[must_use]
    pub const fn status(&self) -> KeyStatus {
        self.status
    }

    /// The first moment at which a signature counts.
    #[must_use]
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// The moment before which a signature must have been made to count.
    #[must_use]
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// The patterns of the names for which the key counts; none: for all.
    #[must_use]
    pub fn artifacts(&self) -> Option<&[NamePattern]> {
        self.artifacts.as_deref()
    }

    /// Whether a verified signature by the key counts for an artifact of this name; returns notes.
    ///
    /// `times` are the proven times of the signature, in any order. Each must fit, because the key's
    /// holder chooses what goes into a bundle.
    ///
    /// # Errors
    /// [`Code::KeyRevoked`], [`Code::NameNotAllowed`], [`Code::KeyRetired`],
    /// [`Code::KeyNotValid`], or [`Code::TimeNotProven`] if the terms ask for a time and there is none.
    pub fn admit<'a>(
        &self,
        name: impl Into<ArtifactName<'a>>,
        times: &[Timestamp],
    ) -> Result<Vec<String>, Fault> {
        let earliest = times.iter().min().copied();
        let latest = times.iter().max().copied();
        let mut notes = Vec::new();
        // Revocation first: it is the answer that someone must act on.
        if let KeyStatus::Revoked { compromised_at } = self.status {
            notes.push(admit_revoked(compromised_at, latest)?);
        }
        self.admit_name(name.into())?;
        if let KeyStatus::Retired { at } = self.status {
            notes.push(admit_retired(at, latest)?);
        }
        self.admit_window(earliest, latest)?;
        Ok(notes)
    }

    fn admit_name(&self, name: ArtifactName<'_>) -> Result<(), Fault> {
        let Some(patterns) = &self.artifacts else { return Ok(()) };
        let Err(mismatch) = name.fits(patterns) else { return Ok(()) };
        let listed: Vec<&str> = patterns.iter().map(NamePattern::as_str).collect();
        let message = "the key is not listed for artifacts of this name";
        let refuse = |found: &str| {
            Fault::new(Code::NameNotAllowed, message).expected_found(listed.join(" or "), found)
        };
        Err(match mismatch {
            NameMismatch::Name(name) => refuse(name),
            NameMismatch::Path(path) => refuse(path).at(path),
        })
    }

    fn admit_window(
        &self,
        earliest: Option<Timestamp>,
        latest: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let Some(window) = self.window() else { return Ok(()) };
        let (Some(earliest), Some(latest)) = (earliest, latest) else {
            return Err(Fault::new(
                Code::TimeNotProven,
                "the key counts in its validity window only, and nothing proves when the signature was made",
            )
            .expected_found(format_args!("a proven time {window}"), "none"));
        };
        let outside = if self.valid_from.is_some_and(|from| earliest < from) {
            earliest
        } else if self.valid_until.is_some_and(|until| latest >= until) {
            latest
        } else {
            return Ok(());
        };
        Err(Fault::new(Code::KeyNotValid, "signed outside the key's validity window")
            .expected_found(window, outside))
    }

    /// The validity window in words, if there is one.
    pub(super) fn window(&self) -> Option<String> {
        match (self.valid_from, self.valid_until) {
            (None, None) => None,
            (Some(from), None) => Some(format!("from {from} on")),
            (None, Some(until)) => Some(format!("before {until}")),
            (Some(from), Some(until)) => Some(format!("from {from} on and before {until}")),
        }
    }
}

fn admit_revoked(
    compromised_at: Option<Timestamp>,
    latest: Option<Timestamp>,
) -> Result<String, Fault> {
    let Some(limit) = compromised_at else {
        return Err(Fault::new(Code::KeyRevoked, "the key is revoked"));
    };
    let expected = format!("a proven time before {limit}");
    match latest {
        None => Err(Fault::new(
            Code::KeyRevoked,
            "the key is revoked, and nothing proves that the signature is older than its compromise",
        )
        .expected_found(expected, "none")),
        Some(time) if time >= limit => Err(Fault::new(
            Code::KeyRevoked,
            "the key is revoked, and the signature is not older than its compromise",
        )
        .expected_found(expected, time)),
        Some(time) => Ok(format!(
            "the key is revoked as compromised from {limit} on; the signature is proven to be older, of {time}"
        )),
    }
}

fn admit_retired(at: Timestamp, latest: Option<Timestamp>) -> Result<String, Fault> {
    let expected = format!("a proven time before {at}");
    match latest {
        None => Err(Fault::new(
            Code::TimeNotProven,
            "the key is retired, and nothing proves that the signature is older than that",
        )
        .expected_found(expected, "none")),
        Some(time) if time >= at => {
            Err(Fault::new(Code::KeyRetired, "signed after the key was retired")
                .expected_found(expected, time))
        }
        Some(time) => Ok(format!(
            "the key is retired since {at}; the signature is proven to be older, of {time}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: &str = "2024-06-01T00:00:00Z";
    const LIMIT: &str = "2025-01-01T00:00:00Z";
    const LATE: &str = "2025-06-01T00:00:00Z";

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn status(status: KeyStatus) -> KeyTerms {
        KeyTerms { status, ..KeyTerms::default() }
    }

    /// The code of the refusal, or the number of notes.
    fn answer(terms: &KeyTerms, times: &[&str]) -> Result<usize, Code> {
        let times: Vec<Timestamp> = times.iter().map(|text| time(text)).collect();
        terms.admit("a", &times).map(|notes| notes.len()).map_err(|fault| fault.code())
    }

    #[test]
    fn terms_are_told_as_they_are() {
        let patterns = vec![NamePattern::new("fabric*").unwrap()];
        let terms = KeyTerms {
            valid_from: Some(time(EARLY)),
            valid_until: Some(time(LATE)),
            artifacts: Some(patterns.clone()),
            ..KeyTerms::default()
        };
        assert_eq!(terms.valid_from(), Some(time(EARLY)));
        assert_eq!(terms.valid_until(), Some(time(LATE)));
        assert_eq!(terms.artifacts(), Some(&*patterns));
        assert_eq!(KeyTerms::default().artifacts(), None);
    }

    #[test]
    fn the_default_admits_everything_without_a_time() {
        assert_eq!(answer(&KeyTerms::default(), &[]), Ok(0));
        assert_eq!(answer(&KeyTerms::default(), &[LATE]), Ok(0));
    }

    #[test]
    fn a_retired_key_counts_before_it_was_retired() {
        let terms = status(KeyStatus::Retired { at: time(LIMIT) });
        assert_eq!(answer(&terms, &[]), Err(Code::TimeNotProven));
        assert_eq!(answer(&terms, &[EARLY]), Ok(1));
        assert_eq!(answer(&terms, &[LIMIT]), Err(Code::KeyRetired));
        assert_eq!(answer(&terms, &[EARLY, LATE]), Err(Code::KeyRetired));
        assert_eq!(answer(&terms, &[LATE, EARLY]), Err(Code::KeyRetired));
        let fault = terms.admit("a", &[time(LATE)]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "signed after the key was retired; expected a proven time before 2025-01-01T00:00:00Z, \
             found 2025-06-01T00:00:00Z"
        );
    }

    #[test]
    fn a_revoked_key_never_counts_or_before_its_compromise() {
        let never = status(KeyStatus::Revoked { compromised_at: None });
        assert_eq!(answer(&never, &[]), Err(Code::KeyRevoked));
        assert_eq!(answer(&never, &[EARLY]), Err(Code::KeyRevoked));
        let terms = status(KeyStatus::Revoked { compromised_at: Some(time(LIMIT)) });
        assert_eq!(answer(&terms, &[]), Err(Code::KeyRevoked));
        assert_eq!(answer(&terms, &[EARLY]), Ok(1));
        assert_eq!(answer(&terms, &[LIMIT]), Err(Code::KeyRevoked));
        assert_eq!(answer(&terms, &[EARLY, LATE]), Err(Code::KeyRevoked));
        let words = terms.admit("a", &[]).unwrap_err().to_string();
        assert!(words.contains("nothing proves that the signature is older"), "{words}");
    }

    #[test]
    fn a_window_asks_for_a_proven_time_within() {
        let from = KeyTerms { valid_from: Some(time(LIMIT)), ..KeyTerms::default() };
        let until = KeyTerms { valid_until: Some(time(LIMIT)), ..KeyTerms::default() };
        let both = KeyTerms { valid_until: Some(time(LATE)), ..from.clone() };
        for terms in [&from, &until, &both] {
            assert_eq!(answer(terms, &[]), Err(Code::TimeNotProven));
            assert_eq!(answer(terms, &[EARLY, LATE]), Err(Code::KeyNotValid));
        }
        assert_eq!(answer(&from, &[LIMIT, LATE]), Ok(0));
        assert_eq!(answer(&from, &[EARLY]), Err(Code::KeyNotValid));
        assert_eq!(answer(&until, &[EARLY]), Ok(0));
        assert_eq!(answer(&until, &[LIMIT]), Err(Code::KeyNotValid));
        assert_eq!(answer(&both, &[LIMIT]), Ok(0));
        assert_eq!(answer(&both, &[LATE]), Err(Code::KeyNotValid));
        let fault = both.admit("a", &[time(EARLY)]).unwrap_err();
        assert_eq!(
            (fault.expected(), fault.found()),
            (
                Some("from 2025-01-01T00:00:00Z on and before 2025-06-01T00:00:00Z"),
                Some("2024-06-01T00:00:00Z")
            )
        );
    }

    #[test]
    fn only_listed_names_count() {
        let patterns = ["k2view/*", "tools-*.tar.gz"];
        let terms = KeyTerms {
            artifacts: Some(patterns.map(|text| NamePattern::new(text).unwrap()).to_vec()),
            ..KeyTerms::default()
        };
        assert!(terms.admit("k2view/a", &[]).is_ok());
        assert!(terms.admit("tools-1.tar.gz", &[]).is_ok());
        let fault = terms.admit("other\n", &[]).unwrap_err();
        assert_eq!(fault.code(), Code::NameNotAllowed);
        assert_eq!(
            fault.to_string(),
            "the key is not listed for artifacts of this name; expected k2view/* or \
             tools-*.tar.gz, found other\\n"
        );
        let revoked = KeyTerms { status: KeyStatus::Revoked { compromised_at: None }, ..terms };
        assert_eq!(answer(&revoked, &[]), Err(Code::KeyRevoked));
    }
}
