//! Where the answers of a run go: lines as they come, a progress bar below them, and the reports at the
//! end, also when the run is interrupted.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::progress_lines::ProgressLines;
use super::{complain, new_file, shown};
use crate::release::{Events, Place};
use crate::report::{self, Detail, Form, RelativeName, RequestedPaths, StoredAnswers};
use crate::verdict::{
    ArtifactReport, Code, Cover, ExitStatus, Fault, Outcome, Report, Run, Shard, StoppedBy,
    Summary, line,
};

/// What is shown and written.
#[derive(Debug)]
pub(super) struct ConsoleOptions {
    /// The form on standard output.
    pub(super) output: Form,
    pub(super) detail: Detail,
    /// Files that get the report too.
    pub(super) files: Vec<(PathBuf, Form)>,
    /// An earlier report: only what differs from it is shown.
    pub(super) earlier: Option<Report>,
    /// Whether a summary ends the text.
    pub(super) summary: bool,
    pub(super) quiet: bool,
}

/// The answers of a run, shared with whoever handles an interruption.
pub(super) struct Console {
    progress: ProgressLines,
    output: Form,
    detail: Detail,
    files: Vec<(PathBuf, Form)>,
    summary: bool,
    /// Whether failures are told on the terminal although standard output has another form.
    tells: bool,
    begun: Instant,
    bytes: AtomicU64,
    state: Mutex<ConsoleState>,
    /// What was written to standard output, held while it is: whoever waits for the other end of a pipe must
    /// not keep the answers from whoever is interrupted.
    out: Mutex<io::Result<()>>,
}

struct ConsoleState {
    /// Which of the paths is being checked.
    path: usize,
    run: Run,
    count: Summary,
    /// Kept only if a report other than lines of text is wanted.
    stored: Option<StoredAnswers<(usize, Place)>>,
    earlier: Option<EarlierAnswers>,
    /// What an answer could not be kept for.
    lost: io::Result<()>,
    ended: bool,
}

/// The answers of an earlier run.
struct EarlierAnswers {
    /// By what they are called below the paths that were asked for then.
    answers: HashMap<RelativeName, VecDeque<ArtifactReport>>,
    /// What things are called now.
    now: RequestedPaths,
    /// Which part it was of.
    shard: Option<(u32, u32)>,
    same: u64,
}

impl Console {
    /// A console for a run.
    pub(super) fn new(wanted: ConsoleOptions, run: Run) -> Arc<Self> {
        let keeps = wanted.output != Form::Text || !wanted.files.is_empty();
        let earlier = wanted.earlier.map(|report| {
            let shard = report.run.shard.as_ref().map(|it| (it.part, it.of));
            let mut answers: HashMap<RelativeName, VecDeque<ArtifactReport>> = HashMap::new();
            let (then, now) = RequestedPaths::both(&report.run, &run);
            for artifact in report.artifacts {
                answers.entry(then.artifact(&artifact)).or_default().push_back(artifact);
            }
            EarlierAnswers { answers, now, shard, same: 0 }
        });
        Arc::new(Self {
            progress: ProgressLines::new(wanted.quiet),
            output: wanted.output,
            detail: wanted.detail,
            files: wanted.files,
            summary: wanted.summary,
            tells: wanted.output != Form::Text && !wanted.quiet && io::stderr().is_terminal(),
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

    /// Goes on to the next path.
    pub(super) fn next_path(&self) {
        let mut state = self.state();
        state.path = state.path.saturating_add(1);
    }

    /// Changes what is said of the run.
    pub(super) fn of_run(&self, change: impl FnOnce(&mut Run)) {
        change(&mut self.state().run);
    }

    /// Whether any answer so far is a failure.
    pub(super) fn has_failed(&self) -> bool {
        let failed = |outcome: &Outcome| outcome.exit_status() == ExitStatus::Failed;
        self.state().count.outcomes.keys().any(failed)
    }

    /// Writes everything that is left to write. Gives the exit status of the run, and why reports could not
    /// be written ([`Code::WriteFailed`]): that never hides a failure.
    pub(super) fn end(&self) -> (ExitStatus, Vec<Fault>) {
        let mut state = self.state();
        let outcomes: Vec<Outcome> = state.count.outcomes.keys().copied().collect();
        state.run.exit_status = ExitStatus::of(outcomes.iter().copied()).code();
        let faults = self.conclude(&mut state);
        let written = faults.iter().map(Fault::outcome);
        (ExitStatus::of(outcomes.into_iter().chain(written)), faults)
    }

    /// Ends the run where it is: what was found so far is written, as a part of the whole, and the process
    /// ends with 130.
    pub(super) fn interrupt(&self) {
        let mut state = self.state();
        // Whoever ended it is about to leave.
        if state.ended {
            return;
        }
        state.run.partial = true;
        state.run.stopped_by = Some(StoppedBy::Interrupt);
        state.run.exit_status = ExitStatus::Interrupted.code();
        self.conclude(&mut state).iter().for_each(complain);
        std::process::exit(ExitStatus::Interrupted.code().into());
    }

    /// Writes the files first: nobody can hold them up. Goes on whatever can't be written.
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
                    new_file::replace(path, |file| form.write(file, &source, Detail::Full));
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
            let mut gone: Vec<(&String, Outcome, &RelativeName)> = Vec::new();
            for (called, answers) in &earlier.answers {
                gone.extend(answers.iter().map(|it| (&it.name, it.outcome(), called)));
            }
            gone.sort();
            let shard = state.run.shard.as_ref().map(|it| (it.part, it.of));
            // Another part says nothing of these, nor does what was left out.
            let excluded: BTreeSet<RelativeName> = state
                .run
                .coverage
                .iter()
                .flat_map(|it| &it.files)
                .filter(|it| it.cover == Cover::Excluded)
                .map(|it| earlier.now.file(&it.name))
                .collect();
            let left_out = |called: &RelativeName| {
                let (number, within, name) = called;
                let below = (*number, within.clone(), format!("{name}/"));
                excluded.contains(called)
                    || excluded
                        .range(&below..)
                        .next()
                        .is_some_and(|it| it.0 == below.0 && it.2.starts_with(&below.2))
            };
            gone.retain(|(.., called)| !left_out(called));
            if !state.run.partial && shard == earlier.shard {
                for (name, outcome, _) in gone {
                    let name = crate::verdict::printable(name);
                    line!(out, "{name}: gone, it was {}", outcome.word())?;
                }
            }
            let verb =
                if earlier.same == 1 { "result is unchanged" } else { "results are unchanged" };
            line!(out, "{} {verb}", earlier.same)?;
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
        } else if self.tells && !fine {
            self.progress.suspend(|| {
                let mut lines = Vec::new();
                let _ = report::artifact(&mut lines, report, Detail::Brief);
                let _ = io::stderr().lock().write_all(&lines);
            });
        }
    }
}

impl EarlierAnswers {
    /// Whether an answer is what it was.
    fn knows(&mut self, report: &ArtifactReport) -> bool {
        let called = self.now.artifact(report);
        let Some(before) = self.answers.get_mut(&called).and_then(VecDeque::pop_front) else {
            return false;
        };
        let same = report::differs(&before, report).is_none();
        self.same = self.same.saturating_add(u64::from(same));
        same
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
        super::warn(text);
    }

    fn part(&self, shard: Shard) {
        self.of_run(|run| run.shard = Some(shard));
    }

    fn answer(&self, place: Place, report: ArtifactReport) {
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
        let known = state.earlier.as_mut().is_some_and(|earlier| earlier.knows(&report));
        drop(state);
        if !known {
            self.tell(&report);
        }
    }
}

/// How long the writing of a partial report may take before the process ends without it.
const PATIENCE: Duration = Duration::from_millis(900);

/// Has an interruption (Ctrl-C, or the request to end) end the run with what was found so far.
///
/// # Errors
/// [`Code::Unreadable`] when the system does not let it.
pub(super) fn on_interrupt(console: &Arc<Console>) -> Result<(), Fault> {
    let console = Arc::clone(console);
    ctrlc::set_handler(move || {
        // Whatever holds the answers up, the operator gets the terminal back.
        let files: Vec<PathBuf> = console.files.iter().map(|(path, _)| path.clone()).collect();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            files.iter().for_each(|path| new_file::give_up(path));
            std::process::exit(ExitStatus::Interrupted.code().into());
        });
        console.interrupt();
    })
    .map_err(|error| Fault::new(Code::Unreadable, format!("signals can't be handled: {error}")))
}
