//! The trust policy as written: fields and their types, with nothing decided about them.
//!
//! Every table refuses fields that it does not know, so that a misspelt rule can't be silently
//! ignored. What the fields mean together is decided in `policy_build.rs`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::limits;
use crate::verdict::{Code, Fault};

/// The one version of the format.
const VERSION: i64 = 1;
/// No transfer is awaited for longer, and no sum with a time of this era overflows.
const LONGEST_AGE_HOURS: i64 = 24 * 36_500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    /// Looked at before everything else, see [`RawPolicy::parse`].
    #[serde(rename = "version")]
    _version: toml::Value,
    pub(super) transfer: Option<RawTransfer>,
    pub(super) vendor: Option<Vec<RawVendor>>,
    pub(super) trusted_root: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTransfer {
    pub(super) max_age: Option<String>,
    #[serde(default)]
    pub(super) unlisted_vendors: RawUnlisted,
    pub(super) streams: Option<Vec<String>>,
    pub(super) key: Option<Vec<RawTransferKey>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawUnlisted {
    Accept,
    #[default]
    Refuse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTransferKey {
    pub(super) name: String,
    pub(super) file: Option<String>,
    pub(super) public_key: Option<String>,
    pub(super) fingerprint: Option<String>,
    #[serde(default)]
    pub(super) status: RawStatus,
    pub(super) retired_at: Option<toml::Value>,
    pub(super) compromised_at: Option<toml::Value>,
    pub(super) valid_from: Option<toml::Value>,
    pub(super) valid_until: Option<toml::Value>,
    pub(super) streams: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVendor {
    pub(super) name: String,
    pub(super) profile: Option<String>,
    #[serde(default)]
    pub(super) transparency: RawTransparency,
    pub(super) digest_kinds: Option<Vec<String>>,
    pub(super) allow_unsigned: Option<Vec<String>>,
    pub(super) allow_unsigned_images: Option<Vec<String>>,
    pub(super) key: Option<Vec<RawVendorKey>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawTransparency {
    #[default]
    Required,
    Optional,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVendorKey {
    pub(super) name: String,
    pub(super) file: Option<String>,
    pub(super) public_key: Option<String>,
    pub(super) fingerprint: Option<String>,
    #[serde(default)]
    pub(super) status: RawStatus,
    pub(super) retired_at: Option<toml::Value>,
    pub(super) compromised_at: Option<toml::Value>,
    pub(super) valid_from: Option<toml::Value>,
    pub(super) valid_until: Option<toml::Value>,
    pub(super) artifacts: Option<Vec<String>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawStatus {
    #[default]
    Active,
    Retired,
    Revoked,
}

/// A fault of the policy.
pub(super) fn malformed(reason: impl Into<String>) -> Fault {
    Fault::new(Code::PolicyMalformed, reason)
}

impl RawPolicy {
    /// Reads the text; an unknown version is reported before unknown fields, which it may explain.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Versioned {
            version: Option<toml::Value>,
        }

        if bytes.len() as u64 > limits::POLICY_BYTES {
            return Err(malformed(format!("larger than {} bytes", limits::POLICY_BYTES)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let versioned: Versioned = toml::from_str(text).map_err(|error| refused(text, &error))?;
        match versioned.version {
            Some(toml::Value::Integer(VERSION)) => {}
            None => {
                let message = format!("the version of the format is missing: version = {VERSION}");
                return Err(malformed(message));
            }
            Some(other) => {
                return Err(malformed("the version of the format is not known")
                    .at("version")
                    .expected_found(VERSION, other));
            }
        }
        toml::from_str(text).map_err(|error| refused(text, &error))
    }
}

/// The parser's words, with the line.
fn refused(text: &str, error: &toml::de::Error) -> Fault {
    let fault = malformed(error.message());
    match error.span().and_then(|span| text.as_bytes().get(..span.start)) {
        Some(before) => {
            let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
            fault.at(format!("line {line}"))
        }
        None => fault,
    }
}

/// A time with its offset, as a TOML date-time or as a string (RFC 3339 section 5.6).
pub(super) fn time(field: &str, value: &toml::Value) -> Result<Timestamp, Fault> {
    let text = match value {
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let refuse = |reason: &str| {
        malformed(format!("{field} {reason}"))
            .expected_found("a time like 2026-01-31T00:00:00Z", &text)
    };
    if !is_rfc3339(&text) {
        return Err(refuse("is not a time with date, seconds and offset (RFC 3339)"));
    }
    text.parse().map_err(|_| refuse("is a time that does not exist"))
}

/// Whether the text has the form of RFC 3339; jiff reads many forms more.
fn is_rfc3339(text: &str) -> bool {
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(found, expected)| {
                if expected == b'0' { found.is_ascii_digit() } else { found == expected }
            })
    };
    let Some((moment, mut rest)) = text.split_at_checked(19) else { return false };
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == fraction.len() {
            return false;
        }
    }
    fits(moment, "0000-00-00T00:00:00")
        && ["Z", "+00:00", "-00:00"].iter().any(|form| fits(rest, form))
}

/// `30d` or `48h`.
pub(super) fn age(text: &str) -> Result<SignedDuration, Fault> {
    let hours = [("d", 24), ("h", 1)].iter().find_map(|(unit, hours)| {
        let number = text.strip_suffix(unit)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if digits { number.parse::<i64>().ok()?.checked_mul(*hours) } else { None }
    });
    match hours {
        Some(hours @ 1..=LONGEST_AGE_HOURS) => {
            Ok(SignedDuration::from_secs(hours.saturating_mul(3600)))
        }
        _ => Err(malformed("max_age is not a number of days or hours")
            .expected_found("\"30d\" or \"48h\", at most 100 years", format_args!("{text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_an_offset() {
        let read = |text: &str| {
            let table: toml::Table = format!("t = {text}").parse().unwrap();
            time("valid_from", table.get("t").unwrap())
        };
        let moment: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        for good in [
            "2026-01-31T10:00:00Z",
            "2026-01-31 10:00:00Z",
            "2026-01-31T12:00:00+02:00",
            "\"2026-01-31T10:00:00Z\"",
            "\"2026-01-31T09:30:00.000-00:30\"",
        ] {
            assert_eq!(read(good), Ok(moment), "{good}");
        }
        for bad in [
            "2026-01-31T10:00:00",
            "2026-01-31",
            "10:00:00",
            "\"2026-01-31T10:00:00\"",
            "\"2026-01-31T10:00:00.Z\"",
            "\"2026-01-31T10:00Z\"",
            "\"20260131T100000Z\"",
            "\"2026-01-31T10:00:00+0200\"",
            "\"2026-01-31T10:00:00Z[UTC]\"",
            "\"2026-02-30T10:00:00Z\"",
            "\" 2026-01-31T10:00:00Z\"",
            "\"äääääääääääääääääääää\"",
            "\"\"",
            "1769853600",
            "true",
        ] {
            let fault = read(bad).unwrap_err();
            assert_eq!(fault.code(), Code::PolicyMalformed);
            assert!(fault.message().starts_with("valid_from is "), "{bad}: {fault}");
            assert!(fault.found().is_some());
        }
    }

    #[test]
    fn ages_are_whole_days_or_hours() {
        assert_eq!(age("30d"), Ok(SignedDuration::from_hours(720)));
        assert_eq!(age("48h"), Ok(SignedDuration::from_hours(48)));
        assert!(age("36500d").is_ok());
        for bad in [
            "",
            "d",
            "30",
            "0d",
            "00h",
            "-1d",
            "+1d",
            "1.5d",
            "1 d",
            "1D",
            "1w",
            "36501d",
            "99999999999999999999d",
            "9223372036854775807d",
            "٣d",
        ] {
            let fault = age(bad).unwrap_err();
            assert!(fault.message().contains("max_age"), "{bad}: {fault}");
        }
    }
}
