//! What the forms of a report are written from: a run, and its artifacts one after the other.

use std::io;

use crate::verdict::{ArtifactReport, Report, Run};

/// A report whose artifacts need not all be in memory at once.
pub trait ReportSource {
    /// The run as a whole.
    fn run(&self) -> &Run;

    /// How many artifacts there are.
    fn count(&self) -> usize;

    /// Visits every artifact in the order of the report. Can be called again.
    ///
    /// # Errors
    /// The first error of `visit`, which ends the iteration.
    fn each(&self, visit: &mut dyn FnMut(&ArtifactReport) -> io::Result<()>) -> io::Result<()>;
}

impl ReportSource for Report {
    fn run(&self) -> &Run {
        &self.run
    }

    fn count(&self) -> usize {
        self.artifacts.len()
    }

    fn each(&self, visit: &mut dyn FnMut(&ArtifactReport) -> io::Result<()>) -> io::Result<()> {
        self.artifacts.iter().try_for_each(visit)
    }
}
