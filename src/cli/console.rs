//! Where the results of a run go: lines as they come, progress below them, and the reports at the end,
//! also when the run is interrupted.
//!
//! Nothing is decided here but the exit status, from the outcomes.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::changed_since::EarlierResults;
use super::progress_lines::ProgressLines;
use super::{
    atomic_output,
    output::{complain, shown},
};
use crate::release::{AnswerPlace, Events};
use crate::report::{self, Detail, Form, StoredAnswers};
use crate::verdict::{
    ArtifactReport, Code, ExitStatus, Fault, Outcome, Report, Run, Shard, StoppedBy, Summary,
};

/// What a run shows, and the reports it writes.
#[derive(Debug)]
pub(super) struct ConsoleOptions {
    /// The form of standard output.
    pub(super) output: Form,
    pub(super) detail: Detail,
    /// Files to which the report is written too.
    pub(super) files: Vec<(PathBuf, Form)>,
    /// An earlier report: only what differs from it is shown.
    pub(super) earlier: Option<Report>,
    /// Whether a summary ends the text.
    pub(super) summary: bool,
    pub(super) quiet: bool,
}

/// The results of a run, shared with the handler of interruptions.
pub(super) struct Console {
    progress: ProgressLines,
    output: Form,
    detail: Detail,
    files: Vec<(PathBuf, Form)>,
    summary: bool,
    /// Whether failures are also shown on the terminal, because standard output has another form.
    shows_failures: bool,
    begun: Instant,
    bytes: AtomicU64,
    state: Mutex<ConsoleState>,
    /// How writing to standard output went. It has a lock of its own: a write that waits for a slow pipe must
    /// not hold up the handler of interruptions, which needs `state`.
    out: Mutex<io::Result<()>>,
}

struct ConsoleState {
    /// Which of the paths is being checked.
    path: usize,
    run: Run,
    count: Summary,
    /// Kept only if a report other than lines of text is wanted.
    stored: Option<StoredAnswers<(usize, AnswerPlace)>>,
    earlier: Option<EarlierResults>,
    /// Why a result could not be kept.
    lost: io::Result<()>,
    ended: bool,
}

impl Console {
    /// A console for a run.
    pub(super) fn new(options: ConsoleOptions, run: Run) -> Arc<Self> {
        let keeps = options.output != Form::Text || !options.files.is_empty();
        let earlier = options.earlier.map(|report| EarlierResults::new(report, &run));
        Arc::new(Self {
            progress: ProgressLines::new(options.quiet),
            output: options.output,
            detail: options.detail,
            files: options.files,
            summary: options.summary,
            shows_failures: options.output != Form::Text
                && !options.quiet
                && io::stderr().is_terminal(),
            begun: Instant::now(),
            bytes: AtomicU64::new(0),
            state: Mutex::new(ConsoleState {
                path: 0,
                run,
                count: Summary::default(),
                stored: keeps.then(StoredAnswers::default),
                earlier,
                lost: Ok(()),
                ended: false,
            }),
            out: Mutex::new(Ok(())),
        })
    }

    fn state(&self) -> MutexGuard<'_, ConsoleState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the next path.
    pub(super) fn next_path(&self) {
        let mut state = self.state();
        state.path = state.path.saturating_add(1);
    }

    /// Changes the description of the run in the report.
    pub(super) fn of_run(&self, change: impl FnOnce(&mut Run)) {
        change(&mut self.state().run);
    }

    /// Whether any result so far is a failure.
    pub(super) fn has_failed(&self) -> bool {
        let failed = |outcome: &Outcome| outcome.exit_status() == ExitStatus::Failed;
        self.state().count.outcomes.keys().any(failed)
    }

    /// Writes what is left to write. Returns the exit status of the run, and the faults of reports that could
    /// not be written ([`Code::WriteFailed`]): these never hide a failure.
    pub(super) fn end(&self) -> (ExitStatus, Vec<Fault>) {
        let mut state = self.state();
        let outcomes: Vec<Outcome> = state.count.outcomes.keys().copied().collect();
        state.run.exit_status = ExitStatus::of(outcomes.iter().copied()).code();
        let faults = self.conclude(&mut state);
        let written = faults.iter().map(Fault::outcome);
        (ExitStatus::of(outcomes.into_iter().chain(written)), faults)
    }

    /// Ends the run where it is: writes the results so far as a partial report, and exits with 130.
    pub(super) fn interrupt(&self) {
        let mut state = self.state();
        // The run has ended, and the process is about to.
        if state.ended {
            return;
        }
        state.run.partial = true;
        state.run.stopped_by = Some(StoppedBy::Interrupt);
        state.run.exit_status = ExitStatus::Interrupted.code();
        self.conclude(&mut state).iter().for_each(complain);
        std::process::exit(ExitStatus::Interrupted.code().into());
    }

    /// Writes the report files first, since no pipe can hold them up, then standard output. A failed write
    /// does not stop the others.
    fn conclude(&self, state: &mut ConsoleState) -> Vec<Fault> {
        state.ended = true;
        self.progress.clear();
        let milliseconds = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        state.run.finished = Some(jiff::Timestamp::now().to_string());
        state.run.summary = Some(Summary {
            bytes: self.bytes.load(Ordering::Relaxed),
            milliseconds,
            ..state.count.clone()
        });
        let mut faults = Vec::new();
        if let Some(stored) = &state.stored {
            let source = stored.of(&state.run);
            for (path, form) in &self.files {
                let written =
                    atomic_output::replace(path, |file| form.write(file, &source, Detail::Full));
                faults.extend(written.err());
            }
        }
        let mut before = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = std::mem::replace(&mut *before, Ok(()));
        let lost = std::mem::replace(&mut state.lost, Ok(()));
        let mut out = io::BufWriter::new(io::stdout().lock());
        written = written.and(lost);
        if self.output == Form::Text {
            written = written.and_then(|()| self.last_lines(&mut out, state));
        } else if let Some(stored) = &state.stored {
            let source = stored.of(&state.run);
            written = written.and_then(|()| self.output.write(&mut out, &source, self.detail));
        }
        let written = written.and_then(|()| out.flush());
        faults.extend(shown(written).err());
        faults
    }

    fn last_lines(&self, out: &mut dyn io::Write, state: &mut ConsoleState) -> io::Result<()> {
        if let Some(earlier) = &state.earlier {
            earlier.last_lines(out, &state.run)?;
        }
        if self.summary || state.run.partial {
            report::summary(out, &state.run)?;
        }
        Ok(())
    }

    fn tell(&self, report: &ArtifactReport) {
        let mut written = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let fine = matches!(report.outcome(), Outcome::Ok);
        if self.output == Form::Text {
            if written.is_ok() {
                *written = self.progress.suspend(|| {
                    let mut lines = Vec::new();
                    report::artifact(&mut lines, report, self.detail)?;
                    io::stdout().lock().write_all(&lines)
                });
            }
        } else if self.shows_failures && !fine {
            self.progress.suspend(|| {
                let mut lines = Vec::new();
                let _ = report::artifact(&mut lines, report, Detail::Brief);
                let _ = io::stderr().lock().write_all(&lines);
            });
        }
    }
}

impl Events for Console {
    fn expect(&self, bytes: u64) {
        self.progress.expect(bytes);
    }

    fn begin(&self, name: &str, size: u64) -> u64 {
        self.progress.file(name, size)
    }

    fn advance(&self, number: u64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.progress.read(number, bytes);
    }

    fn end(&self, number: u64) {
        self.progress.done(number);
    }

    fn warn(&self, text: &str) {
        super::output::warn(text);
    }

    fn part(&self, shard: Shard) {
        self.of_run(|run| run.shard = Some(shard));
    }

    fn answer(&self, place: AnswerPlace, report: ArtifactReport) {
        let mut state = self.state();
        if state.ended {
            return;
        }
        state.count.count(report.outcome());
        let key = (state.path, place);
        if let Some(stored) = &mut state.stored
            && let Err(error) = stored.push(key, &report)
        {
            state.lost = Err(error);
        }
        let known = state.earlier.as_mut().is_some_and(|earlier| earlier.is_unchanged(&report));
        drop(state);
        if !known {
            self.tell(&report);
        }
    }
}

/// How long writing a partial report may take before the process exits without it.
const PATIENCE: Duration = Duration::from_millis(900);

/// Lets an interruption (Ctrl-C, or a request to terminate) end the run with the results so far.
///
/// # Errors
/// [`Code::Unreadable`] if the system refuses the handler.
pub(super) fn on_interrupt(console: &Arc<Console>) -> Result<(), Fault> {
    let console = Arc::clone(console);
    ctrlc::set_handler(move || {
        // Whatever holds the report up, the operator gets the terminal back.
        let files: Vec<PathBuf> = console.files.iter().map(|(path, _)| path.clone()).collect();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            files.iter().for_each(|path| atomic_output::give_up(path));
            std::process::exit(ExitStatus::Interrupted.code().into());
        });
        console.interrupt();
    })
    .map_err(|error| Fault::new(Code::Unreadable, format!("signals can't be handled: {error}")))
}
