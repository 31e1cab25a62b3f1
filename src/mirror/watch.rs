//! What a run reports while it goes on.

/// Sees transfers begin, advance and end. Called from several threads.
pub trait Watch: Sync {
    /// A transfer begins: its name, how many bytes are here already, and the total if that is known.
    /// Returns the number by which the other calls name it.
    fn begin(&self, name: &str, here: u64, total: Option<u64>) -> u64;
    /// Something that was fetched is read to verify it. That is no part of what there is to fetch.
    fn begin_reading(&self, name: &str, total: u64) -> u64 {
        self.begin(name, 0, Some(total))
    }
    /// This number of further bytes arrived.
    fn advance(&self, transfer: u64, bytes: u64);
    /// It ended, with success or without.
    fn end(&self, transfer: u64);
    /// Something that the user should read, one line.
    fn say(&self, line: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct SilentWatch;

impl Watch for SilentWatch {
    fn begin(&self, _: &str, _: u64, _: Option<u64>) -> u64 {
        0
    }
    fn begin_reading(&self, _: &str, _: u64) -> u64 {
        0
    }
    fn advance(&self, _: u64, _: u64) {}
    fn end(&self, _: u64) {}
    fn say(&self, _: &str) {}
}

/// A transfer that is being watched; it ends when this is dropped.
pub struct ProgressTask<'a> {
    watch: &'a dyn Watch,
    transfer: u64,
}

impl<'a> ProgressTask<'a> {
    /// Begins a transfer.
    pub fn begin(watch: &'a dyn Watch, name: &str, here: u64, total: Option<u64>) -> Self {
        Self { watch, transfer: watch.begin(name, here, total) }
    }

    /// Begins to read something that was fetched.
    pub fn reading(watch: &'a dyn Watch, name: &str, total: u64) -> Self {
        Self { watch, transfer: watch.begin_reading(name, total) }
    }

    /// This number of further bytes arrived.
    pub fn advance(&self, bytes: u64) {
        self.watch.advance(self.transfer, bytes);
    }
}

impl Drop for ProgressTask<'_> {
    fn drop(&mut self) {
        self.watch.end(self.transfer);
    }
}

impl std::fmt::Debug for ProgressTask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProgressTask").field("transfer", &self.transfer).finish_non_exhaustive()
    }
}
