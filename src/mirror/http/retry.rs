//! When a request is retried: the one rule for every request of the mirror.

use std::thread;
use std::time::Duration;

use super::{AttemptError, Http};
use crate::key::random_bytes;
use crate::limits;
use crate::mirror::{SilentWatch, Watch};
use crate::verdict::{Fault, printable};

impl Http {
    /// Repeats a step until it succeeds, can't succeed, or was tried too often. The step gets the number of
    /// earlier tries.
    ///
    /// # Errors
    /// The last fault of the step.
    pub fn retrying<T>(
        &self,
        what: &str,
        step: impl FnMut(u32) -> Result<T, AttemptError>,
    ) -> Result<T, Fault> {
        self.retrying_watched(what, &SilentWatch, step)
    }

    /// The same, and reports every retry.
    ///
    /// # Errors
    /// The last fault of the step.
    pub fn retrying_watched<T>(
        &self,
        what: &str,
        watch: &dyn Watch,
        mut step: impl FnMut(u32) -> Result<T, AttemptError>,
    ) -> Result<T, Fault> {
        let retries = self.options().retries;
        let mut tried: u32 = 0;
        loop {
            let (fault, asked) = match step(tried) {
                Ok(done) => return Ok(done),
                Err(AttemptError::Fatal(fault)) => return Err(fault),
                Err(AttemptError::Retry(fault, asked)) => (fault, asked.unwrap_or_default()),
            };
            if asked > limits::RETRY_AFTER {
                return Err(longer(&fault, &later(asked, jiff::Timestamp::now())));
            }
            if tried >= retries {
                let tries = tried.saturating_add(1);
                let often = if tried == 0 { String::new() } else { format!("tried {tries} times") };
                return Err(longer(&fault, &often));
            }
            let wait = pause(self.options().backoff, tried).max(asked);
            tried = tried.saturating_add(1);
            watch.say(&format!(
                "{}: {}; trying again in {:.1} s ({tried} of {retries})",
                printable(what),
                printable(fault.message()),
                wait.as_secs_f32()
            ));
            thread::sleep(wait);
        }
    }
}

/// When a server asks to be asked again, if that is too late for this run.
fn later(wait: Duration, now: jiff::Timestamp) -> String {
    let seconds = wait.as_secs();
    let when = i64::try_from(seconds).ok().and_then(|seconds| {
        jiff::Timestamp::from_second(now.as_second().checked_add(seconds)?).ok()
    });
    let when = when.map_or_else(String::new, |when| format!(", at {when}"));
    format!("it asks to be tried again in {seconds} seconds{when}")
}

/// The fault with an addition to its message.
fn longer(fault: &Fault, words: &str) -> Fault {
    if words.is_empty() {
        return fault.clone();
    }
    let longer = Fault::new(fault.code(), format!("{}; {words}", fault.message()));
    match fault.place() {
        Some(place) => longer.at(place),
        None => longer,
    }
}

/// Twice as long each time, and then a random time between half of that and all of it, so that clients
/// that were turned away together don't come back together.
fn pause(first: Duration, tried: u32) -> Duration {
    let whole = first.saturating_mul(2_u32.saturating_pow(tried)).min(limits::RETRY_PAUSE);
    let half = whole.checked_div(2).unwrap_or_default();
    let chance = random_bytes::<2>().map_or(0, u16::from_be_bytes);
    let share = half.saturating_mul(u32::from(chance)).checked_div(u32::from(u16::MAX));
    half.saturating_add(share.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_late_is_said_with_its_time() {
        let now = jiff::Timestamp::constant(784_111_777, 0);
        let said = later(Duration::from_secs(3600), now);
        assert_eq!(said, "it asks to be tried again in 3600 seconds, at 1994-11-06T09:49:37Z");
        assert!(later(Duration::from_secs(u64::MAX), now).ends_with(" seconds"));
    }

    #[test]
    fn pauses_grow_and_end() {
        let first = Duration::from_millis(500);
        for (tried, most) in [(0, 500), (1, 1000), (3, 4000), (40, 30_000)] {
            let most = Duration::from_millis(most);
            for _ in 0..50 {
                let wait = pause(first, tried);
                assert!(wait >= most / 2 && wait <= most, "{tried}: {wait:?}");
            }
        }
        assert_eq!(pause(Duration::ZERO, 3), Duration::ZERO);
    }
}
