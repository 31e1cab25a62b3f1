//! The client, the runtime that drives it, and how it behaves.

use std::future::Future;

use super::HttpOptions;
use crate::verdict::{Code, Fault};

/// Threads that drive connections. Hashing and writing happen on the caller's thread.
const THREADS: usize = 2;

/// A client, the runtime that drives it, and how it behaves.
pub struct Http {
    options: HttpOptions,
    client: reqwest::Client,
    /// For hosts whose address is given by `--connect-to`.
    pub(super) placed: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Http {
    /// A client that trusts the platform's roots and those of the options, and uses the proxies of the
    /// options.
    ///
    /// # Errors
    /// [`Code::Usage`] for an invalid certificate or address in the options, and [`Code::NetworkFailed`] when
    /// the platform has no roots or no threads.
    pub fn new(options: HttpOptions) -> Result<Self, Fault> {
        let client = options.client(false)?;
        let placed = match options.connect_to.as_slice() {
            [] => client.clone(),
            _ => options.client(true)?,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("sealift-http")
            .enable_all()
            .build()
            .map_err(|error| Fault::new(Code::NetworkFailed, error.to_string()))?;
        Ok(Self { options, client, placed, runtime })
    }

    /// The client. It follows no redirects, checks no hosts, and retries nothing.
    #[must_use]
    pub const fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The options, for another client that has to behave in the same way.
    #[must_use]
    pub const fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Runs a future to completion on this thread.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a future in the background.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime.spawn(future)
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("options", &self.options).finish_non_exhaustive()
    }
}
