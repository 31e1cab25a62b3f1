//! strace as the cause of faults: a program's system calls are written down once, and then each is
//! met by a signal or an error in a run of its own.
//!
//! Calls are counted by name from the start of the program. That is the same in every run only as
//! long as the program works with one thread, so Sealift runs with `--jobs 1` here, and a trace with
//! several threads at work is refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::skip;
use super::tools::{Ran, broken, run};

/// Whether strace is here and may be used.
pub(crate) fn works() -> bool {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        skip("strace is not installed");
        return false;
    }
    let words = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=exit_group:signal=KILL", "true"];
    let ran = Command::new("strace").args(words).stderr(Stdio::null()).status();
    let works = ran.as_ref().is_ok_and(|status| status.signal() == Some(9));
    if !works {
        broken(&format!("strace injects nothing: {ran:?}"));
    }
    works
}

/// One system call of a recorded run.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Which of the calls of this name, from 1.
    pub(crate) number: usize,
    pub(crate) name: String,
    /// The arguments as strace writes them, each descriptor with its path: `3</tmp/x>, …`.
    pub(crate) arguments: String,
    /// What it returned: a number, perhaps with words behind it.
    pub(crate) result: String,
}

impl Call {
    /// Whether the call creates, changes, removes or syncs something on a disk.
    pub(crate) fn writes(&self) -> bool {
        match self.name.as_str() {
            "write" | "pwrite64" | "writev" => {
                !self.arguments.starts_with("1<") && !self.arguments.starts_with("2<")
            }
            "openat" | "open" => ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"]
                .iter()
                .any(|flag| self.arguments.contains(flag)),
            name => [
                "fsync",
                "fdatasync",
                "rename",
                "unlink",
                "mkdir",
                "rmdir",
                "link",
                "symlink",
                "truncate",
                "ftruncate",
                "fallocate",
                "chmod",
                "fchmod",
                "chown",
                "fchown",
                "utime",
                "futimes",
                "mknod",
                "creat",
                "setxattr",
                "fsetxattr",
                "copy_file_range",
                "sendfile",
            ]
            .iter()
            .any(|start| name.starts_with(start)),
        }
    }

    /// Whether an argument names this path or something below it.
    pub(crate) fn touches(&self, path: &Path) -> bool {
        self.arguments.contains(path.to_str().unwrap())
    }

    /// `NAME number N (arguments)`, for messages.
    pub(crate) fn shown(&self) -> String {
        format!("{} number {} ({} = {})", self.name, self.number, self.arguments, self.result)
    }

    /// What strace is told to do to this call.
    pub(crate) fn inject(&self, what: &str) -> String {
        format!("{}:{what}:when={}", self.name, self.number)
    }
}

/// A program under strace.
fn traced(program: &Command, log: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(log).args(words);
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a program and answers its system calls in order.
pub(crate) fn record(program: &Command) -> (Ran, Vec<Call>) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let ran = run(&mut traced(program, log.path(), &["-y", "-s", "0"]));
    let text = fs::read_to_string(log.path()).unwrap();
    (ran, calls(&text))
}

/// The calls of the thread that began. Another one may wait for signals, and touch nothing on a disk.
fn calls(text: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut first = None;
    let mut unfinished: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let (id, rest) = line.split_once(' ').unwrap();
        let mut rest = rest.trim_start().to_owned();
        // strace cuts a call in two when another thread is heard of meanwhile.
        if let Some(begin) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(id, begin.to_owned());
            continue;
        }
        if rest.starts_with("<... ") {
            let end = rest.split_once(" resumed>").map(|(_, end)| end.to_owned()).unwrap();
            rest = unfinished.remove(id).unwrap_or_default() + &end;
        }
        let Some((call, result)) = rest.rsplit_once(" = ") else { continue };
        let Some((name, arguments)) = call.split_once('(') else { continue };
        let number = calls.iter().filter(|call| call.name == name).count() + 1;
        let call = Call {
            number,
            name: name.to_owned(),
            arguments: arguments.trim_end().trim_end_matches(')').to_owned(),
            result: result.to_owned(),
        };
        if *first.get_or_insert(id) == id {
            calls.push(call);
        } else {
            let waits =
                !call.writes() && !["open", "openat", "pread64"].contains(&call.name.as_str());
            assert!(waits, "several threads: {line}");
        }
    }
    calls
}

/// Runs a program of several threads; how often the one that makes a call most makes it, for each name
/// of a call that changes something on a disk. A count in `when=` is one of each thread.
pub(crate) fn most(program: &Command) -> (Ran, BTreeMap<String, usize>) {
    const TRACE: &str =
        "trace=write,pwrite64,renameat,unlinkat,fsync,mkdirat,ftruncate,openat,fchmod";
    let log = tempfile::NamedTempFile::new().unwrap();
    let ran = run(&mut traced(program, log.path(), &["-y", "-s", "0", "-e", TRACE]));
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let text = fs::read_to_string(log.path()).unwrap();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        if let Some((name, _)) = rest.trim_start().split_once('(') {
            *counts.entry((name, thread)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((name, _), count) in counts {
        let so_far = most.entry(name.to_owned()).or_default();
        *so_far = count.max(*so_far);
    }
    (ran, most)
}

/// How a run with an injected fault ended.
#[derive(Debug)]
pub(crate) struct Injected {
    pub(crate) ran: Ran,
    /// Whether the call that was meant came.
    pub(crate) met: bool,
}

/// Runs a program in which one call fails or returns what `what` says (`error=EIO`, `retval=0`).
pub(crate) fn inject(program: &Command, call: &Call, what: &str) -> Injected {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={}", call.name);
    let inject = format!("inject={}", call.inject(what));
    let ran = run(&mut traced(program, log.path(), &["-e", &trace, "-e", &inject]));
    let text = fs::read_to_string(log.path()).unwrap();
    Injected { ran, met: text.contains("(INJECTED)") }
}

/// Runs a program that is killed when it enters one call; whether it was.
pub(crate) fn kill(program: &Command, call: &Call) -> bool {
    let trace = format!("trace={}", call.name);
    let inject = format!("inject={}", call.inject("signal=KILL"));
    let mut command = traced(program, Path::new("/dev/null"), &["-e", &trace, "-e", &inject]);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    status.signal() == Some(9)
}

/// A program that stops after each call of a chosen range of one name, until it is let go.
pub(crate) struct Stopping {
    strace: Child,
    log: PathBuf,
    stops: usize,
    _folder: tempfile::TempDir,
}

impl Stopping {
    /// Starts it; `count` stops from the given call on.
    pub(crate) fn start(program: &Command, call: &Call, count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let trace = format!("trace={}", call.name);
        let last = call.number + count - 1;
        let inject = format!("inject={}:signal=STOP:when={}..{last}", call.name, call.number);
        let mut command = traced(program, &log, &["-e", &trace, "-e", &inject]);
        let strace = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { strace, log, stops: 0, _folder: folder }
    }

    /// Waits for the next stop; false if the program ended before.
    pub(crate) fn wait(&mut self) -> bool {
        let started = Instant::now();
        loop {
            let ended = self.strace.try_wait().unwrap().is_some();
            if self.stopped() > self.stops {
                self.stops += 1;
                return true;
            }
            if ended {
                return false;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it neither stops nor ends");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn stopped(&self) -> usize {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // Each thread says that it stopped; the first is the one that counts.
        let Some(id) = text.split_whitespace().next() else { return 0 };
        let stops = |line: &&str| {
            line.split_whitespace().next() == Some(id)
                && line.contains("--- stopped by SIGSTOP ---")
        };
        text.lines().filter(stops).count()
    }

    /// Lets it go on.
    pub(crate) fn go(&self) {
        let text = fs::read_to_string(&self.log).unwrap();
        let id = text.split_whitespace().next().unwrap();
        run(Command::new("kill").args(["-CONT", id])).succeeded();
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Ran {
        Ran::new(&self.strace.wait_with_output().unwrap())
    }
}
