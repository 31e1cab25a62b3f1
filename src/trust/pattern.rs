//! Patterns for artifact names: `*` matches any run of characters, including `/`, and `?` matches one
//! character. Everything else matches itself. There are no sets, no escapes and no second way to
//! write a pattern, so a reader sees what a policy allows.

use std::fmt;

use crate::limits;

/// A pattern for names of artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPattern {
    /// It would match the empty name only.
    #[error("a name pattern is empty")]
    Empty,
    /// Longer than [`limits::PATTERN_BYTES`].
    #[error("a name pattern is longer than {} bytes", limits::PATTERN_BYTES)]
    TooLong,
    /// Names have no control characters, and a pattern with one can't be read.
    #[error("a name pattern contains a control character")]
    Control,
}

impl NamePattern {
    /// A pattern.
    ///
    /// # Errors
    /// [`BadPattern`] if it is empty, too long or has control characters in it.
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        if pattern.is_empty() {
            return Err(BadPattern::Empty);
        }
        if pattern.len() > limits::PATTERN_BYTES {
            return Err(BadPattern::TooLong);
        }
        if pattern.chars().any(char::is_control) {
            return Err(BadPattern::Control);
        }
        Ok(Self(pattern.to_owned()))
    }

    /// Whether the whole name matches, letter case included.
    ///
    /// The time is linear in the name: a character costs at most one pass over the pattern, however
    /// many `*` that has. Only the last `*` is ever tried again, because a shorter run for an earlier
    /// one leaves the later ones no fewer choices.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut rest = name.chars();
        // After the last `*`: what follows it in the pattern, and the name from where its run ends.
        let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            match pattern.next() {
                Some('*') => {
                    star = Some((pattern.clone(), rest.clone()));
                    continue;
                }
                Some(expected) => {
                    let Some(found) = rest.next() else {
                        // The name is at its end, and longer runs only shorten it further.
                        return false;
                    };
                    if expected == '?' || expected == found {
                        continue;
                    }
                }
                None => {
                    if rest.next().is_none() {
                        return true;
                    }
                }
            }
            let Some((after, mut run)) = star.take() else { return false };
            if run.next().is_none() {
                return false;
            }
            pattern = after.clone();
            rest = run.clone();
            star = Some((after, run));
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name) in [
            ("README.txt", "README.txt"),
            ("*", ""),
            ("*", "a/b"),
            ("**", "x"),
            ("k2view/*", "k2view/fabric/8.1"),
            ("tools-*.tar.gz", "tools-1.0.tar.gz"),
            ("tools-*.tar.gz", "tools-.tar.gz.tar.gz"),
            ("*.tar", "a.tar.tar"),
            ("a?c", "a/c"),
            ("a?c", "aéc"),
            ("*a*b?*", "xxaxxbx"),
            ("*ab", "aab"),
            ("*?b", "aaab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("README.txt", "README_txt"),
            ("README.txt", "readme.txt"),
            ("README.txt", "README.txt2"),
            ("README.txt", "x/README.txt"),
            ("README.txt", ""),
            ("k2view/*", "k2view"),
            ("tools-*.tar.gz", "tools-1.0.tar.gz.bundle"),
            ("?", ""),
            ("?", "ab"),
            ("a*b*c", "acb"),
            ("[a]", "a"),
            ("\\*", "*"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!(NamePattern::new(""), Err(BadPattern::Empty));
        assert_eq!(NamePattern::new("a\nb"), Err(BadPattern::Control));
        let long = "*".repeat(limits::PATTERN_BYTES + 1);
        assert_eq!(NamePattern::new(&long), Err(BadPattern::TooLong));
        assert!(NamePattern::new(&long[1..]).is_ok());
    }

    /// Each of these would keep a matcher that tries every `*` again busy for ever: this test would
    /// not end.
    #[test]
    fn hostile_patterns_cost_little() {
        let name = "a".repeat(10_000);
        for (pattern, expected) in [
            ("a*".repeat(2_000), true),
            (format!("{}b", "a*".repeat(2_000)), false),
            (format!("{}b", "*?".repeat(2_000)), false),
            (format!("*{}b", "a".repeat(4_000)), false),
            (format!("*{}", "?".repeat(4_000)), true),
            ("*".repeat(4_000), true),
        ] {
            assert_eq!(matches(&pattern, &name), expected, "{}", &pattern[..10]);
        }
    }

    proptest! {
        /// The same answer as a regular expression made from the pattern.
        #[test]
        fn as_a_regular_expression(pattern in "[ab*?]{1,8}", name in "[ab]{0,12}") {
            let regex: String = pattern
                .chars()
                .map(|c| match c {
                    '*' => "(?s:.*)".to_owned(),
                    '?' => "(?s:.)".to_owned(),
                    c => regex::escape(&c.to_string()),
                })
                .collect();
            let regex = regex::Regex::new(&format!("^{regex}$")).unwrap();
            prop_assert_eq!(matches(&pattern, &name), regex.is_match(&name));
        }
    }
}
