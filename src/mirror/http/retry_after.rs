//! `Retry-After`: how long a server asks a client to wait.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::headers::{number, one};

/// `Retry-After`, if it is a number of seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    parse_retry_after(one(headers, &RETRY_AFTER)?, now)
}

fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Some(seconds) = number(text) {
        return Some(Duration::from_secs(seconds));
    }
    let seconds = date(text)?.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A date in the form that every server writes (IMF-fixdate of RFC 9110), and in no other.
fn date(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let same = printer.timestamp_to_rfc9110_string(&time).ok()?;
    (same == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(784_111_777, 0);

    #[test]
    fn seconds_or_a_date() {
        let wait = |text| parse_retry_after(text, NOW).map(|wait| wait.as_secs());
        assert_eq!(wait("0"), Some(0));
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(wait("Sun, 06 Nov 1994 08:40:37 GMT"), Some(0));
        for bad in [
            "",
            "-1",
            "+1",
            "1.5",
            " 1",
            "1 ",
            "1s",
            "soon",
            "99999999999999999999",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            assert_eq!(wait(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn waits_are_read_exactly(text in "[-+0-9 .]{0,22}|\\PC{0,40}") {
            if let Some(wait) = parse_retry_after(&text, NOW) {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(text.parse(), Ok(wait.as_secs()));
            }
        }

        #[test]
        fn written_dates_are_read(second in 784_111_777_i64..2_000_000_000) {
            let time = Timestamp::from_second(second).unwrap();
            let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
            let text = printer.timestamp_to_rfc9110_string(&time).unwrap();
            let wait = parse_retry_after(&text, NOW).unwrap();
            prop_assert_eq!(wait.as_secs(), u64::try_from(second - NOW.as_second()).unwrap());
        }
    }
}
