//! Progress on standard error for runs that read or fetch many files: on a terminal one bar for each
//! large file and one for the total, elsewhere a few plain lines every five seconds.
//!
//! `total_bar` has the single bar of the commands that go through one source.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::verdict::{line, printable};

/// How often a plain line is written.
const EVERY: Duration = Duration::from_secs(5);

/// A file from this size on has a bar of its own: 8 MiB.
const SHOWN_BYTES: u64 = 8 << 20;

/// Shows the progress of downloads and reads, unless the run is quiet.
pub(super) struct ProgressLines {
    quiet: bool,
    bars: Option<MultiProgress>,
    state: Mutex<ProgressState>,
}

struct ProgressState {
    next: u64,
    running: BTreeMap<u64, RunningFile>,
    whole: Option<ProgressBar>,
    /// Bytes so far, without those of earlier runs.
    bytes: u64,
    /// Bytes that are still expected.
    expected: u64,
    begun: Instant,
    last_line: Instant,
}

struct RunningFile {
    name: String,
    done: u64,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    /// Whether its bytes count for the total.
    counted: bool,
}

impl ProgressLines {
    /// Draws bars on a terminal, writes lines elsewhere, nothing when quiet.
    pub(super) fn new(quiet: bool) -> Self {
        let bars = (!quiet && stderr().is_terminal())
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5)));
        let whole =
            bars.as_ref().map(|bars| {
                bars.add(ProgressBar::new(0).with_style(style(
                    "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} total",
                )))
            });
        let now = Instant::now();
        let state = ProgressState {
            next: 0,
            running: BTreeMap::new(),
            whole,
            bytes: 0,
            expected: 0,
            begun: now,
            last_line: now,
        };
        Self { quiet, bars, state: Mutex::new(state) }
    }

    /// Removes all bars from the terminal.
    pub(super) fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    /// Adds to the bytes that are expected in total.
    pub(super) fn expect(&self, bytes: u64) {
        self.with(|state| {
            state.expected = state.expected.saturating_add(bytes);
            if let Some(whole) = &state.whole {
                whole.set_length(state.expected);
            }
        });
    }

    /// Begins one of the expected files. Returns its number, or 0 if it is too small to be shown.
    pub(super) fn file(&self, name: &str, size: u64) -> u64 {
        if size < SHOWN_BYTES {
            return 0;
        }
        self.with(|state| self.start(state, name, 0, Some(size)))
    }

    /// Adds bytes that were read from a file.
    pub(super) fn read(&self, number: u64, bytes: u64) {
        self.went_on(number, bytes);
    }

    /// Ends a file.
    pub(super) fn done(&self, number: u64) {
        self.with(|state| drop(self.finish(state, number)));
    }

    /// Hides the bars while something else is written.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut ProgressState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self, text: &str) {
        let text = printable(text);
        match &self.bars {
            Some(bars) => bars.suspend(|| {
                let _ = line!(stderr().lock(), "{text}");
            }),
            None => {
                let _ = line!(stderr().lock(), "{text}");
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl ProgressLines {
    fn start(&self, state: &mut ProgressState, name: &str, here: u64, total: Option<u64>) -> u64 {
        let bar = self.bars.as_ref().map(|bars| {
            let template = "{bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}";
            let bar = match total {
                Some(total) => ProgressBar::new(total).with_style(style(template)),
                None => ProgressBar::no_length()
                    .with_style(style("{spinner} {bytes} {bytes_per_sec} {wide_msg}")),
            };
            let bar = bars.add(bar.with_message(printable(name)));
            bar.set_position(here);
            bar.reset_eta();
            bar
        });
        state.next = state.next.saturating_add(1);
        let running = RunningFile { name: name.to_owned(), done: here, total, bar, counted: true };
        state.running.insert(state.next, running);
        state.next
    }

    fn went_on(&self, number: u64, bytes: u64) {
        let lines = self.with(|state| {
            if state.running.get(&number).is_none_or(|file| file.counted) {
                state.bytes = state.bytes.saturating_add(bytes);
                if let Some(whole) = &state.whole {
                    whole.inc(bytes);
                }
            }
            if let Some(running) = state.running.get_mut(&number) {
                running.done = running.done.saturating_add(bytes);
                if let Some(bar) = &running.bar {
                    bar.inc(bytes);
                }
            }
            let due = self.bars.is_none() && !self.quiet && state.last_line.elapsed() >= EVERY;
            due.then(|| {
                state.last_line = Instant::now();
                plain_lines(state)
            })
        });
        for line in lines.unwrap_or_default() {
            self.line(&line);
        }
    }

    fn finish(&self, state: &mut ProgressState, number: u64) -> Option<RunningFile> {
        let running = state.running.remove(&number)?;
        if let (Some(bars), Some(bar)) = (&self.bars, &running.bar) {
            bar.finish_and_clear();
            bars.remove(bar);
        }
        Some(running)
    }
}

#[cfg(feature = "online")]
impl crate::mirror::Watch for ProgressLines {
    fn begin(&self, name: &str, here: u64, total: Option<u64>) -> u64 {
        self.expect(total.unwrap_or(here).saturating_sub(here));
        self.with(|state| self.start(state, name, here, total))
    }

    fn begin_reading(&self, name: &str, total: u64) -> u64 {
        self.with(|state| {
            let number = self.start(state, name, 0, Some(total));
            if let Some(running) = state.running.get_mut(&number) {
                running.counted = false;
            }
            number
        })
    }

    fn advance(&self, transfer: u64, bytes: u64) {
        self.went_on(transfer, bytes);
    }

    fn end(&self, transfer: u64) {
        self.with(|state| {
            if let Some(running) = self.finish(state, transfer).filter(|file| file.counted) {
                // Bytes that did not arrive are no longer expected.
                let rest = running.total.unwrap_or(running.done).saturating_sub(running.done);
                state.expected = state.expected.saturating_sub(rest);
            }
        });
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            self.line(line);
        }
    }
}

/// One line for each running file and one for the total.
fn plain_lines(state: &ProgressState) -> Vec<String> {
    let mut lines: Vec<String> = state
        .running
        .values()
        .map(|file| match file.total {
            Some(total) => {
                format!("{}: {} of {}", file.name, HumanBytes(file.done), HumanBytes(total))
            }
            None => format!("{}: {}", file.name, HumanBytes(file.done)),
        })
        .collect();
    let millis = u64::try_from(state.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let rate = state.bytes.saturating_mul(1000).checked_div(millis).unwrap_or_default();
    let left = state.expected.saturating_sub(state.bytes);
    let time =
        left.checked_div(rate).map_or_else(String::new, |seconds| format!(", {seconds} s left"));
    let done = HumanBytes(state.bytes);
    let all = HumanBytes(state.expected);
    lines.push(format!("total: {done} of {all}, {}/s{time}", HumanBytes(rate)));
    lines
}

#[cfg(all(test, feature = "online"))]
mod tests {
    use super::*;
    use crate::mirror::Watch as _;

    #[test]
    fn what_is_read_again_is_counted_once() {
        let progress = ProgressLines::new(true);
        let fetch = progress.begin("a", 10, Some(100));
        progress.advance(fetch, 90);
        progress.end(fetch);
        let reading = progress.begin_reading("verify a", 100);
        progress.advance(reading, 100);
        progress.end(reading);
        assert_eq!(progress.with(|state| (state.bytes, state.expected)), (90, 90));
    }
}
