//! Single values of a manifest and the form that each must have.

use crate::path;
use crate::trust::is_stream_name;
use crate::verdict::{Code, Fault};

use super::layout::{self, PathUse};

/// The largest integer that every JSON reader keeps exact: 2^53 - 1.
pub(super) const LARGEST: u64 = (1 << 53) - 1;

pub(super) fn malformed(reason: impl Into<String>) -> Fault {
    Fault::new(Code::ManifestMalformed, reason)
}

/// Accepts the name of a stream: 1 to 64 characters of `a-z 0-9 . _ -`, a letter or digit first.
///
/// # Errors
/// [`Code::ManifestMalformed`].
pub fn stream(name: &str) -> Result<(), Fault> {
    if is_stream_name(name) {
        return Ok(());
    }
    let message = "a stream's name has 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit";
    Err(malformed(message).at("stream"))
}

/// Reads a time of the manifest: RFC 3339, UTC with `Z`, whole seconds.
///
/// # Errors
/// [`Code::ManifestMalformed`].
pub fn time(text: &str) -> Result<jiff::Timestamp, Fault> {
    let time: jiff::Timestamp =
        text.parse().map_err(|error: jiff::Error| malformed(error.to_string()))?;
    if time.to_string() == text && time.subsec_nanosecond() == 0 {
        return Ok(time);
    }
    Err(malformed("not a time in UTC with whole seconds")
        .expected_found("YYYY-MM-DDThh:mm:ssZ", text))
}

pub(super) fn transfer_id(id: &str) -> Result<(), Fault> {
    let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && id.len() == 32 {
        Ok(())
    } else {
        Err(malformed("not 32 lower-case hexadecimal digits"))
    }
}

pub(super) fn serial(serial: u64) -> Result<(), Fault> {
    if (1..=LARGEST).contains(&serial) { Ok(()) } else { Err(malformed("not 1 to 2^53 - 1")) }
}

/// Refuses a serial that is far ahead of the clock by which it was sealed: one such seal would use up
/// all serials of its stream.
pub(super) fn not_ahead(serial: u64, created: jiff::Timestamp) -> Result<(), Fault> {
    const DAY: u64 = 24 * 60 * 60;
    let most = u64::try_from(created.as_second()).unwrap_or_default().saturating_add(DAY);
    if serial <= most {
        return Ok(());
    }
    let message = "the serial is more than a day ahead of the time of sealing";
    Err(malformed(message).expected_found(format!("at most {most}"), serial))
}

pub(super) fn text(text: &str, most: usize) -> Result<(), Fault> {
    if text.is_empty() || text.len() > most || text.chars().any(char::is_control) {
        return Err(malformed(format!(
            "not a line of 1 to {most} bytes without control characters"
        )));
    }
    Ok(())
}

/// Accepts a path that a file of the transfer directory may have.
pub(super) fn portable(name: &str) -> Result<(), Fault> {
    path::portable(name)
        .map_err(|reason| Fault::new(Code::PathNotPortable, reason.to_string()).at(name))?;
    layout::path_use(name).map_err(|reason| malformed(reason.words()).at(name))?;
    Ok(())
}

/// Accepts a path of an artifact or a bundle: what `trust/` and `tools/` hold is neither.
pub(super) fn outside(name: &str) -> Result<(), Fault> {
    portable(name)?;
    match layout::path_use(name) {
        Ok(PathUse::Free) => Ok(()),
        _ => Err(malformed("an artifact or bundle can't be in trust/ or tools/").at(name)),
    }
}
