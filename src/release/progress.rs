//! Reports the progress of one file or transfer directory.

use super::folder_request::Events;
use crate::image::Progress;

/// What is read at the moment. It ends when this is dropped.
#[derive(Debug)]
pub struct FileProgress<'a> {
    events: &'a dyn Events,
    number: u64,
    /// Whether the run knows its size already.
    expected: bool,
}

impl<'a> FileProgress<'a> {
    /// Begins one of the files of a folder, whose sizes are all known.
    pub(super) fn new(events: &'a dyn Events, name: &str, size: u64) -> Self {
        Self { events, number: events.begin(name, size), expected: true }
    }

    /// Begins a file that is judged alone: its reader reports how much there is to read.
    pub fn alone(events: &'a dyn Events, name: &str, size: u64) -> Self {
        Self { events, number: events.begin(name, size), expected: false }
    }
}

impl Drop for FileProgress<'_> {
    fn drop(&mut self) {
        self.events.end(self.number);
    }
}

impl Progress for FileProgress<'_> {
    fn expect(&self, bytes: u64) {
        if !self.expected {
            self.events.expect(bytes);
        }
    }

    fn advance(&self, bytes: u64) {
        self.events.advance(self.number, bytes);
    }
}
