//! Reads bodies within bounds: of size and time for small ones, and of the slowest pace for large ones.

use std::time::{Duration, Instant};

use reqwest::Response;

use super::{AttemptError, Http};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The slowest pace of a body: at least [`limits::PACE_BYTES`] in each stretch of waiting. A server that
/// sends a byte now and then never stalls, and never ends.
#[derive(Debug, Default)]
pub(in crate::mirror) struct Pace {
    waited: Duration,
    came: u64,
}

impl Pace {
    /// Counts bytes that came after a wait. The time that this side takes to write them does not count.
    fn took(
        &mut self,
        stretch: Duration,
        waited: Duration,
        bytes: u64,
    ) -> Result<(), AttemptError> {
        self.waited = self.waited.saturating_add(waited);
        self.came = self.came.saturating_add(bytes);
        if self.waited < stretch {
            return Ok(());
        }
        let came = self.came;
        *self = Self::default();
        if came >= limits::PACE_BYTES {
            return Ok(());
        }
        let message = format!("only {came} bytes came in {} s", stretch.as_secs_f32());
        Err(AttemptError::Retry(Fault::new(Code::NetworkFailed, message), None))
    }
}

/// How far those attempts came that started at the first byte and ended before the last. An attempt that
/// continued another one says nothing: the network may have ended it.
#[derive(Debug, Default)]
pub(in crate::mirror) struct EarlyEnds {
    furthest: u64,
    /// How many came no further than an earlier one.
    in_vain: u32,
}

impl EarlyEnds {
    /// Counts an attempt that ended after this many bytes.
    pub(in crate::mirror) fn at(&mut self, here: u64) {
        if here > self.furthest {
            *self = Self { furthest: here, in_vain: 0 };
        } else if here > 0 {
            self.in_vain = self.in_vain.saturating_add(1);
        }
    }

    /// The fault to report instead of this one if the server states more bytes than it ever sends. A partial
    /// file of that kind would stay for ever, and keep everything else from being sealed.
    pub(in crate::mirror) fn contradiction(&self, fault: &Fault) -> Option<Fault> {
        let message = format!(
            "every attempt ends after {} bytes, before the file is complete: {}",
            self.furthest,
            fault.message()
        );
        (self.in_vain > 0).then(|| Fault::new(Code::ResponseInvalid, message))
    }
}

impl Http {
    /// The next chunk of a large body; none at its end.
    pub(in crate::mirror) fn chunk(
        &self,
        response: &mut Response,
        pace: &mut Pace,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, AttemptError> {
        let begun = Instant::now();
        let chunk = self.block_on(response.chunk()).map_err(AttemptError::from)?;
        if let Some(bytes) = &chunk {
            pace.took(self.options().stall_timeout, begun.elapsed(), bytes.len() as u64)?;
        }
        Ok(chunk)
    }

    /// The complete body of a small response: at most `cap` bytes, within twice the time that a server may
    /// send nothing.
    pub(in crate::mirror) fn whole(
        &self,
        response: &mut Response,
        cap: u64,
    ) -> Result<Vec<u8>, AttemptError> {
        let large = || Fault::new(Code::ResponseTooLarge, format!("larger than {cap} bytes"));
        if response.content_length().is_some_and(|length| length > cap) {
            return Err(large().into());
        }
        let patience = self.options().stall_timeout.saturating_mul(2);
        let whole = async {
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if (body.len() as u64).saturating_add(chunk.len() as u64) > cap {
                    return Err(large().into());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        };
        // Created inside the future: the timer needs the runtime.
        self.block_on(async { tokio::time::timeout(patience, whole).await }).unwrap_or_else(|_| {
            let message = format!("no complete response within {} s", patience.as_secs_f32());
            Err(AttemptError::Fatal(Fault::new(Code::NetworkFailed, message)))
        })
    }
}

/// The start of the body of a refusal, as far as it comes: it may say why.
pub(in crate::mirror) fn opening(http: &Http, response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let left = limits::REFUSAL_BYTES.saturating_sub(body.len());
            body.extend(chunk.iter().take(left));
            if body.len() >= limits::REFUSAL_BYTES {
                break;
            }
        }
    };
    let patience = http.options().stall_timeout;
    drop(http.block_on(async { tokio::time::timeout(patience, read).await }));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_is_no_transfer() {
        let (stretch, second) = (Duration::from_secs(10), Duration::from_secs(1));
        let mut pace = Pace::default();
        for _ in 0..9 {
            assert!(pace.took(stretch, second, 1).is_ok());
        }
        assert!(matches!(pace.took(stretch, second, 1), Err(AttemptError::Retry(..))));
        // A fast start does not excuse a slow end, nor the other way round.
        let mut pace = Pace::default();
        for _ in 0..100 {
            assert!(pace.took(stretch, second, limits::PACE_BYTES / 10 + 1).is_ok());
        }
        for _ in 0..100_000 {
            assert!(pace.took(stretch, Duration::ZERO, 1).is_ok());
        }
    }
}
