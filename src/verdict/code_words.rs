//! What a code says of itself: its name, its words and its outcome, from the table in `code`.

use std::fmt;
use std::str::FromStr;

use super::code::NextStep;
use super::{Code, Outcome};

impl Code {
    /// The stable name, in kebab case.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The answer that a fault with this code means for the artifact.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.row().outcome
    }

    /// What it says, in one line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// What it means, in some sentences.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What to do next.
    #[must_use]
    pub fn next(self) -> &'static str {
        match self.row().next {
            NextStep::Stop(next) | NextStep::Then(next) => next,
        }
    }

    /// Whether the next step is to stop the deployment.
    pub(super) fn stops_deployment(self) -> bool {
        matches!(self.row().next, NextStep::Stop(_))
    }

    /// The heading under which the documentation lists it.
    #[must_use]
    pub fn group(self) -> &'static str {
        self.row().group
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.name() == name).ok_or(UnknownCode)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::custom(format!("an unknown code {name:?}")))
    }
}

/// There is no such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such code")]
pub struct UnknownCode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_round_trip() {
        for &code in Code::ALL {
            assert_eq!(code.name().parse(), Ok(code));
            assert!(!code.meaning().is_empty() && !code.next().is_empty(), "{code}");
            assert_ne!(code.outcome(), Outcome::Ok, "{code}: a code is a refusal");
        }
        assert_eq!("no-such-code".parse::<Code>(), Err(UnknownCode));
    }
}
