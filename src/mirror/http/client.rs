//! The client, the runtime that drives it, and how it behaves.

use std::future::Future;

use super::HttpOptions;
use crate::verdict::{Code, Fault};

/// Threads that drive connections; hashing and writing happen on the caller's.
const THREADS: usize = 2;

/// A client, the runtime that drives it, and how it behaves.
pub struct Http {
    options: HttpOptions,
    client: reqwest::Client,
    /// For hosts whose place was said.
    pub(super) placed: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Http {
    /// A client that trusts the platform's roots and those that were named, and uses the proxies that
    /// were named.
    ///
    /// # Errors
    /// [`Code::Usage`] when what was named is no certificate or no place, and [`Code::NetworkFailed`] when the
    /// platform has no roots or no threads.
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

    /// The client: it follows no redirect, checks no host, and tries nothing twice.
    #[must_use]
    pub const fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// What it was made with, for another client that has to behave alike.
    #[must_use]
    pub const fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Runs a future to its end on this thread.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a future beside everything else.
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
