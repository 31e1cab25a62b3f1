//! The one rule of trying again: what is worth it, how often, and how long to wait.

use std::time::Duration;

use super::Http;
use crate::key::random_bytes;
use crate::verdict::{Code, Fault};

/// The longest pause of our own.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause that a server may ask for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How one attempt failed.
#[derive(Debug)]
pub enum Attempt {
    /// It is worth another.
    Again(Fault),
    /// It is worth another, and the server says after how long.
    After(Fault, Duration),
    /// It is not worth another.
    Stop(Fault),
}

impl From<Fault> for Attempt {
    fn from(fault: Fault) -> Self {
        Self::Stop(fault)
    }
}

impl Http {
    /// Makes attempts until one succeeds, is not worth another, or there were enough.
    ///
    /// # Errors
    /// The last attempt's.
    pub fn retrying<T>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> Result<T, Attempt>,
    ) -> Result<T, Fault> {
        let mut pause = self.options().backoff;
        let mut left = self.options().retries;
        loop {
            let (fault, wait) = match attempt() {
                Ok(value) => return Ok(value),
                Err(Attempt::Stop(fault)) => return Err(fault.at(what)),
                Err(Attempt::Again(fault)) => (fault, jittered(pause)),
                Err(Attempt::After(fault, asked)) if asked > PATIENCE => {
                    let message = format!(
                        "{}; the server asks to come back in {} s",
                        fault.message(),
                        asked.as_secs()
                    );
                    return Err(Fault::new(fault.code(), message).at(what));
                }
                Err(Attempt::After(fault, asked)) => (fault, asked.max(jittered(pause))),
            };
            if left == 0 {
                return Err(fault.at(what));
            }
            left = left.saturating_sub(1);
            std::thread::sleep(wait);
            pause = pause.saturating_mul(2).min(LONGEST);
        }
    }
}

/// Between half of a pause and the whole, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let [chance] = random_bytes().unwrap_or([0_u8; 1]);
    pause.mul_f64(0.5 + f64::from(chance) / 512.0)
}

/// What a status says of another attempt; none for one that is an answer.
pub(super) fn refusal(status: u16, retry_after: Option<&str>) -> Option<Attempt> {
    let reason = reqwest::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let fault = || {
        let message = format!("the server answers {status} {}", reason.unwrap_or_default());
        Fault::new(Code::HttpRefused, message.trim_end())
    };
    match status {
        200 | 206 | 304 | 416 => None,
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Some(match retry_after.and_then(parse_after) {
            Some(wait) => Attempt::After(fault(), wait),
            None => Attempt::Again(fault()),
        }),
        _ => Some(Attempt::Stop(fault())),
    }
}

/// Whether a refusal says that there is no such file, rather than that it can't be had now.
pub(in crate::mirror) fn absent(fault: &Fault) -> bool {
    let says = |status| match refusal(status, None) {
        Some(Attempt::Stop(it)) => it.message() == fault.message(),
        _ => false,
    };
    fault.code() == Code::HttpRefused && (says(404) || says(410))
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn parse_after(text: &str) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let left = time.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parse_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        for bad in ["", "-1", "1.5", "soon", " 7", "99999999999999999999999"] {
            assert_eq!(parse_after(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_passing_troubles_are_worth_another_attempt() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(refusal(status, None), Some(Attempt::Again(_))), "{status}");
            assert!(matches!(refusal(status, Some("3")), Some(Attempt::After(..))), "{status}");
        }
        for status in [204, 301, 400, 401, 403, 404, 410, 501, 505] {
            assert!(matches!(refusal(status, Some("3")), Some(Attempt::Stop(_))), "{status}");
        }
        assert!(refusal(200, None).is_none());
    }

    #[test]
    fn only_what_is_not_there_is_absent() {
        let fault = |status| match refusal(status, None) {
            Some(Attempt::Stop(it) | Attempt::Again(it)) => it.at("u"),
            _ => unreachable!(),
        };
        assert!(absent(&fault(404)) && absent(&fault(410)));
        assert!([401, 403, 429, 500, 503].iter().all(|status| !absent(&fault(*status))));
    }

    #[test]
    fn pauses_are_jittered_within_bounds() {
        let pause = Duration::from_millis(1000);
        for _ in 0..100 {
            let it = jittered(pause);
            assert!(it >= pause / 2 && it <= pause, "{it:?}");
        }
    }
}
