//! What a run tells whoever watches it.

/// Sees transfers begin, advance and end. Called from several threads.
pub trait Watch: Sync {
    /// A transfer begins: what it is called, how many bytes are here already, and how many there will
    /// be in all, where that is known. The answer names it from now on.
    fn begin(&self, name: &str, here: u64, total: Option<u64>) -> u64;
    /// What was fetched is read once more, so many bytes of it: no part of what there is to fetch.
    fn begin_reading(&self, name: &str, total: u64) -> u64 {
        self.begin(name, 0, Some(total))
    }
    /// So many bytes more.
    fn advance(&self, transfer: u64, bytes: u64);
    /// It ended, well or not.
    fn end(&self, transfer: u64);
    /// Something that the user should read, one line.
    fn say(&self, line: &str);
}

/// Nobody watches.
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

/// One transfer, which ends when this is dropped.
pub struct WatchedTransfer<'a> {
    watch: &'a dyn Watch,
    transfer: u64,
}

impl<'a> WatchedTransfer<'a> {
    /// Begins a transfer.
    pub fn begin(watch: &'a dyn Watch, name: &str, here: u64, total: Option<u64>) -> Self {
        Self { watch, transfer: watch.begin(name, here, total) }
    }

    /// Begins to read what was fetched.
    pub fn reading(watch: &'a dyn Watch, name: &str, total: u64) -> Self {
        Self { watch, transfer: watch.begin_reading(name, total) }
    }

    /// So many bytes more.
    pub fn advance(&self, bytes: u64) {
        self.watch.advance(self.transfer, bytes);
    }
}

impl Drop for WatchedTransfer<'_> {
    fn drop(&mut self) {
        self.watch.end(self.transfer);
    }
}

impl std::fmt::Debug for WatchedTransfer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WatchedTransfer").field("transfer", &self.transfer).finish_non_exhaustive()
    }
}
