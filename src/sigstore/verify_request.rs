//! What the operator asks of a bundle.

use regex::{Regex, RegexBuilder};

use super::TrustMaterial;
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::verdict::{Code, Fault};

/// Which hash function a message signature may be made over.
///
/// cosign signs and verifies with SHA-256 whatever the key, unless `--signature-digest-algorithm`
/// says otherwise; cosign 3 signs with SHA-384 when the key is P-384.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashRule {
    /// This one and no other.
    Exactly(HashAlgorithm),
    /// SHA-256, and for P-384 keys also SHA-384; the proof says which one matched.
    Known,
}

/// A text to compare a certificate's identity or issuer with.
#[derive(Debug, Clone)]
pub struct Matcher(MatcherKind);

#[derive(Debug, Clone)]
enum MatcherKind {
    Exact(String),
    Pattern(Regex),
}

impl Matcher {
    /// Equal to `text`.
    ///
    /// # Errors
    /// [`Code::Usage`] if it is empty: cosign reads that as "not given".
    pub fn exact(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err(Fault::new(Code::Usage, "an empty identity or issuer matches nothing"));
        }
        Ok(Self(MatcherKind::Exact(text.to_owned())))
    }

    /// Somewhere in the text, a match of this regular expression: unanchored, as in cosign (Go's
    /// `regexp.MatchString`). Write `^…$` to match the whole.
    ///
    /// # Errors
    /// [`Code::PatternInvalid`] if it is empty, too large or no regular expression.
    pub fn pattern(pattern: &str) -> Result<Self, Fault> {
        let refuse = |reason: String| Fault::new(Code::PatternInvalid, reason);
        if pattern.is_empty() {
            return Err(refuse("an empty pattern matches everybody".to_owned()));
        }
        if pattern.len() > limits::PATTERN_BYTES {
            return Err(refuse(format!("more than {} bytes", limits::PATTERN_BYTES)));
        }
        RegexBuilder::new(pattern)
            .size_limit(1 << 20)
            .build()
            .map(|regex| Self(MatcherKind::Pattern(regex)))
            .map_err(|error| refuse(error.to_string()))
    }

    /// Whether `text` is what was asked for.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            MatcherKind::Exact(expected) => expected == text,
            MatcherKind::Pattern(regex) => regex.is_match(text),
        }
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            MatcherKind::Exact(text) => f.write_str(text),
            MatcherKind::Pattern(regex) => write!(f, "a match of {regex}"),
        }
    }
}

/// Whose signature is asked for. A key and an identity never mix.
#[derive(Debug, Clone)]
pub enum Signer<'a> {
    /// The holder of this key.
    Key {
        /// The operator's key.
        key: &'a PublicKey,
        /// The hash functions to accept.
        hash: HashRule,
    },
    /// The holder of a certificate (keyless signing).
    Identity {
        /// The certificate's subject alternative name.
        identity: Matcher,
        /// The OIDC issuer that vouched for it.
        issuer: Matcher,
    },
}

/// Whether a log entry must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transparency {
    /// As in `cosign verify-blob`.
    Required,
    /// `--insecure-ignore-tlog`: relaxes "absent" only. An entry that is there must hold.
    AbsentAllowed,
}

/// Everything that a bundle is verified against.
#[derive(Debug, Clone)]
pub struct VerifyRequest<'a> {
    /// Whose signature.
    pub signer: Signer<'a>,
    /// The logs and authorities to trust.
    pub trust: &'a TrustMaterial,
    /// Whether a log entry must be there.
    pub transparency: Transparency,
    /// The present, to refuse times in the future.
    pub now: jiff::Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_unanchored_and_texts_are_exact() {
        let pattern = Matcher::pattern("example").unwrap();
        assert!(pattern.matches("dev@example.com") && !pattern.matches("dev@other.com"));
        assert!(!Matcher::pattern("^example$").unwrap().matches("dev@example.com"));
        let exact = Matcher::exact("a.c").unwrap();
        assert!(exact.matches("a.c") && !exact.matches("abc") && !exact.matches("xa.c"));
    }

    #[test]
    fn what_would_match_everybody_or_nobody_is_refused() {
        assert_eq!(Matcher::exact("").unwrap_err().code(), Code::Usage);
        for pattern in ["", "(", &"a".repeat(limits::PATTERN_BYTES + 1), "(?:a{1000}){1000}"] {
            let code = Matcher::pattern(pattern).unwrap_err().code();
            assert_eq!(code, Code::PatternInvalid, "{}", pattern.len());
        }
    }
}
