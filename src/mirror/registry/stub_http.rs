//! STUB, deleted at the merge with `mirror::http`: the part of its interface that is used here.

use std::future::Future;
use std::time::Duration;

use crate::verdict::{Code, Fault};

/// How to speak HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca_pem: Vec<Vec<u8>>,
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// How often a failed request is tried again.
    pub retries: u32,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still.
    pub stall_timeout: Duration,
    /// The first pause before trying again; doubled each time.
    pub backoff: Duration,
}

/// Whether a failed step is worth another try.
#[derive(Debug)]
pub enum Attempt {
    /// Yes.
    Again(Fault),
    /// No.
    Stop(Fault),
}

/// Everything that speaks HTTP.
#[derive(Debug)]
pub struct Http {
    runtime: tokio::runtime::Runtime,
    options: HttpOptions,
}

impl Http {
    /// A runtime and its options.
    ///
    /// # Errors
    /// [`Code::NetworkFailed`].
    pub fn new(options: HttpOptions) -> Result<Self, Fault> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Fault::new(Code::NetworkFailed, error.to_string()))?;
        Ok(Self { runtime, options })
    }

    /// The options.
    #[must_use]
    pub const fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Runs a future to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a step until it succeeds, is not worth another try, or was tried often enough.
    ///
    /// # Errors
    /// The last one of the step.
    pub fn retrying<T>(
        &self,
        what: &str,
        mut step: impl FnMut() -> Result<T, Attempt>,
    ) -> Result<T, Fault> {
        let mut pause = self.options.backoff;
        let mut left = self.options.retries;
        loop {
            match step() {
                Ok(value) => return Ok(value),
                Err(Attempt::Stop(fault)) => return Err(fault.at(what)),
                Err(Attempt::Again(fault)) if left == 0 => return Err(fault.at(what)),
                Err(Attempt::Again(_)) => {
                    left = left.saturating_sub(1);
                    std::thread::sleep(pause);
                    pause = pause.saturating_mul(2);
                }
            }
        }
    }
}
