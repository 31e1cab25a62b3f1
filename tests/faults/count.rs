//! How often which answer came.

use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Count(pub(crate) BTreeMap<String, usize>);

impl Count {
    pub(crate) fn add(&mut self, word: impl Into<String>) {
        *self.0.entry(word.into()).or_default() += 1;
    }

    /// Shown by `cargo test -- --nocapture`.
    pub(crate) fn print(&self, what: &str) {
        let all: usize = self.0.values().sum();
        eprintln!("{what}: {all} runs: {:?}", self.0);
    }
}
