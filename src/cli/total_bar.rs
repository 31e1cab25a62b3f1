//! Progress on standard error for runs that go through one source: a single bar with the total.
//!
//! `progress_lines` has what runs over many files show.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::image::Progress;

/// Draws nothing unless standard error is a terminal.
#[derive(Debug)]
pub(super) struct TotalBar(ProgressBar);

impl TotalBar {
    /// A bar; a hidden one if `wanted` is false or nobody could see it.
    pub(super) fn new(wanted: bool) -> Self {
        if !(wanted && stderr().is_terminal()) {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Names what is being read.
    pub(super) fn name(&self, name: String) {
        self.0.set_message(name);
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for TotalBar {
    fn expect(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
