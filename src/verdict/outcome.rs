//! Outcomes and exit statuses, and the one rule that joins them.

use serde::{Deserialize, Serialize};

/// The answer for one artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Outcome {
    /// A file is there that the manifest does not list.
    Extra,
    /// What was found is not what was signed.
    Failed,
    /// Something promised is absent.
    Missing,
    /// Nothing was verified: it could not be fetched.
    Network,
    /// Everything demanded was verified.
    Ok,
    /// The manifest says that it could not be fetched.
    Omitted,
    /// The evidence at hand decides neither way.
    Undecided,
    /// There is no bundle.
    Unsigned,
    /// Nothing was verified: the command line, the configuration or a key is at fault.
    Usage,
}

impl Outcome {
    /// The word that a result line shows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Extra => "EXTRA",
            Self::Failed => "FAILED",
            Self::Missing => "MISSING",
            Self::Network | Self::Usage => "ERROR",
            Self::Ok => "OK",
            Self::Omitted => "OMITTED",
            Self::Undecided => "UNDECIDED",
            Self::Unsigned => "UNSIGNED",
        }
    }

    /// The exit status of a run in which this was the only answer.
    #[must_use]
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Ok => ExitStatus::Verified,
            Self::Extra | Self::Failed | Self::Missing => ExitStatus::Failed,
            Self::Omitted | Self::Undecided | Self::Unsigned => ExitStatus::Undecided,
            Self::Usage => ExitStatus::Usage,
            Self::Network => ExitStatus::Network,
        }
    }
}

/// What the process answers to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// 0: everything found was verified, and something was found.
    Verified,
    /// 1: an artifact is not what was signed.
    Failed,
    /// 2: usage, configuration, or no key to verify with.
    Usage,
    /// 3: could not decide.
    Undecided,
    /// 4: something could not be fetched (`mirror` only).
    Network,
    /// 130: the run was interrupted, as shells say it of Ctrl-C.
    Interrupted,
}

impl ExitStatus {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
            Self::Network => 4,
            Self::Interrupted => 130,
        }
    }

    /// The status of a run with these answers: 1 wins over 2, 2 over 4, 4 over 3, and no answer at all is
    /// 3.
    #[must_use]
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        outcomes
            .into_iter()
            .map(Outcome::exit_status)
            .max_by_key(|status| match status {
                Self::Verified => 0,
                Self::Undecided => 1,
                Self::Network => 2,
                Self::Usage => 3,
                Self::Failed => 4,
                Self::Interrupted => 5,
            })
            .unwrap_or(Self::Undecided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wins_over_three_and_nothing_is_not_success() {
        assert_eq!(ExitStatus::of([]), ExitStatus::Undecided);
        assert_eq!(ExitStatus::of([Outcome::Ok]), ExitStatus::Verified);
        assert_eq!(ExitStatus::of([Outcome::Ok, Outcome::Unsigned]), ExitStatus::Undecided);
        assert_eq!(
            ExitStatus::of([Outcome::Unsigned, Outcome::Failed, Outcome::Ok]),
            ExitStatus::Failed
        );
        assert_eq!(ExitStatus::of([Outcome::Usage, Outcome::Undecided]), ExitStatus::Usage);
    }

    #[test]
    fn only_ok_says_ok_and_exits_with_0() {
        let all = [
            (Outcome::Extra, "EXTRA", 1),
            (Outcome::Failed, "FAILED", 1),
            (Outcome::Missing, "MISSING", 1),
            (Outcome::Network, "ERROR", 4),
            (Outcome::Ok, "OK", 0),
            (Outcome::Omitted, "OMITTED", 3),
            (Outcome::Undecided, "UNDECIDED", 3),
            (Outcome::Unsigned, "UNSIGNED", 3),
            (Outcome::Usage, "ERROR", 2),
        ];
        for (outcome, word, code) in all {
            assert_eq!((outcome.word(), ExitStatus::of([outcome]).code()), (word, code));
        }
        assert_eq!(ExitStatus::Interrupted.code(), 130);
    }
}
