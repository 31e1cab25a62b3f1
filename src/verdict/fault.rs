//! A fault: one refusal, with everything a person needs to act on it.

use std::fmt;

use super::{Code, Outcome, SENTENCE, printable, printable_within};

/// Where in the input a fault is, from the outside in: a file, an entry in it, a field.
pub type Place = String;

/// What a server answered instead of a file. Code that has to decide further reads this, never a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAnswer {
    /// An HTTP status that refuses.
    Status(u16),
    /// A web page: that of a proxy or a login.
    WebPage,
}

/// One refusal: what, where, expected and found, and a stable code.
///
/// The [`Code`] says what to do next, unless the caller knows better. Any text here may come from
/// hostile input. It is escaped when it is shown (see [`Fault::fmt`](fmt::Display)), never before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    code: Code,
    message: String,
    place: Option<Place>,
    expected: Option<Box<str>>,
    found: Option<Box<str>>,
    next: Option<Box<str>>,
    answer: Option<ServerAnswer>,
    about_other_text: bool,
}

impl Fault {
    /// A fault; `message` is one lower-case sentence without a full stop.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
            expected: None,
            found: None,
            next: None,
            answer: None,
            about_other_text: false,
        }
    }

    /// Says which directory the fault's place, if any, is in.
    #[must_use]
    pub fn below(mut self, directory: impl Into<Place>) -> Self {
        let directory = directory.into();
        self.place = Some(match self.place {
            Some(inner) => format!("{directory}/{inner}"),
            None => directory,
        });
        self
    }

    /// Says where the fault is; the outermost call gives the outermost place.
    #[must_use]
    pub fn at(mut self, place: impl Into<Place>) -> Self {
        let outer = place.into();
        self.place = Some(match self.place {
            Some(inner) => format!("{outer}: {inner}"),
            None => outer,
        });
        self
    }

    /// Says what was expected and what was found instead.
    #[must_use]
    pub(crate) fn expected_found(
        mut self,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        self.expected = Some(expected.to_string().into());
        self.found = Some(found.to_string().into());
        self
    }

    /// Says what to do next, where that of the code does not fit.
    #[must_use]
    pub(crate) fn advise(mut self, next: impl Into<Box<str>>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Records what the server answered.
    #[must_use]
    pub const fn answered(mut self, answer: ServerAnswer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// What the server answered, if the fault is about that.
    #[must_use]
    pub const fn answer(&self) -> Option<ServerAnswer> {
        self.answer
    }

    /// Records that the log entry holds the digest of another text than the verified one.
    #[must_use]
    pub(crate) const fn about_other_text(mut self) -> Self {
        self.about_other_text = true;
        self
    }

    /// Whether the log entry holds the digest of another text than the verified one.
    pub(crate) const fn is_about_other_text(&self) -> bool {
        self.about_other_text
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> &str {
        self.next.as_deref().unwrap_or_else(|| self.code.next())
    }

    /// Whether the code's own next step, to stop the deployment, applies.
    pub(crate) fn stops_deployment(&self) -> bool {
        self.next.is_none() && self.code.stops_deployment()
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The answer that this fault means for the artifact.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.code.outcome()
    }

    /// The sentence, unescaped.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where, unescaped.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What was expected, unescaped.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// What was found, unescaped.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }
}

impl fmt::Display for Fault {
    /// One line, control characters escaped so that no input can write on the terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}: ", printable(place))?;
        }
        // Our own sentence, which may quote the input: what it says last is the point of it.
        f.write_str(&printable_within(&self.message, SENTENCE))?;
        if let (Some(expected), Some(found)) = (&self.expected, &self.found) {
            write!(f, "; expected {}, found {}", printable(expected), printable(found))?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_nest_and_hostile_text_is_escaped() {
        let fault = Fault::new(Code::BundleMalformed, "unknown field")
            .at("rekorBundle\u{1b}[2J")
            .at("a.bundle")
            .expected_found("x", "y\nz");
        assert_eq!(
            fault.to_string(),
            "a.bundle: rekorBundle\\u{1b}[2J: unknown field; expected x, found y\\nz"
        );
    }
}
