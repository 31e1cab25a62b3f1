//! A run that is interrupted: it ends at once, says so, and leaves what it found in whole reports.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::made::{Made, Said};
use crate::support::tools::{Ran, run};

/// A folder that takes long: small packages first, then large ones.
fn folder() -> Made {
    let made = Made::new();
    for number in 0..20 {
        made.package(&format!("a-{number:02}.tgz"), &number.to_string());
    }
    for number in 0..4 {
        // Sparse: it takes no room, and hashing it takes as long as any.
        let file = fs::File::create(made.path(&format!("z-{number}.bin"))).unwrap();
        file.set_len(3 << 30).unwrap();
    }
    made
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the program listens to signals and is busy with a large file, or stands still.
fn wait_until_busy(child: &Child) {
    let of = |name: &str| format!("/proc/{}/{name}", child.id());
    let listens = || {
        let status = fs::read_to_string(of("status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.is_some_and(|it| u64::from_str_radix(it.trim(), 16).unwrap() & 2 != 0)
    };
    let large = || {
        let open = fs::read_dir(of("fd")).into_iter().flatten().flatten();
        let mut open = open.filter_map(|it| fs::read_link(it.path()).ok());
        open.any(|it| it.extension().is_some_and(|it| it == "bin"))
    };
    let begun = Instant::now();
    while !listens() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (begun, mut seen) = (Instant::now(), 0);
    while seen < 3 && begun.elapsed() < Duration::from_secs(2) {
        seen = if large() { seen + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Sends a signal, and says how long the program then took to end.
fn stop(child: &mut Child, signal: &str) -> Duration {
    wait_until_busy(child);
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    run(Command::new("kill").args([signal, &child.id().to_string()])).succeeded();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

/// It must be one second; a busy machine may take its time to start and end processes.
const AT_ONCE: Duration = Duration::from_millis(1500);

fn left_over(made: &Made) -> Vec<String> {
    let entries = fs::read_dir(made.yard.path("")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|it| it.contains(".sealift-")).collect()
}

#[test]
fn an_interrupted_run_leaves_whole_reports_of_a_part() {
    let made = folder();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut command =
            made.command("-o json --jobs 1 --report p.json --report p.html --report p.xml");
        let mut child = start(command.arg("r"));
        let took = stop(&mut child, signal);
        let output = child.wait_with_output().unwrap();
        assert!(took < AT_ONCE, "{signal}: {took:?}");
        assert_eq!(output.status.signal(), None);
        let said = Said::new(Ran::new(&output));
        assert_eq!(said.status, 130);
        assert_eq!(said.report["partial"], true);
        assert_eq!(said.report["stopped_by"], "interrupt");
        let kept: Value =
            serde_json::from_slice(&fs::read(made.yard.path("p.json")).unwrap()).unwrap();
        assert_eq!(kept, said.report);
        assert_eq!(said.answers().len(), 20, "{:?}", said.answers());
        assert!(said.answers().iter().all(|it| it.ends_with(": OK")), "{:?}", said.answers());
        let page = fs::read_to_string(made.yard.path("p.html")).unwrap();
        assert!(page.contains("INTERRUPTED") && page.trim_end().ends_with("</html>"));
        assert_eq!(left_over(&made), [""; 0]);
        // It is no part that could be merged, nor a success.
        for name in ["p.json", "p.html", "p.xml"] {
            fs::remove_file(made.yard.path(name)).unwrap();
        }
    }
}

#[test]
fn in_text_the_last_line_says_that_it_is_partial() {
    let made = folder();
    let mut child = start(made.command("--jobs 2").arg("r"));
    let took = stop(&mut child, "-INT");
    let output = Ran::new(&child.wait_with_output().unwrap());
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(output.status, Some(130), "{}", output.text());
    assert!(output.stdout.contains("\nPARTIAL: interrupted"), "{}", output.stdout);
    assert!(output.stdout.ends_with('\n'));
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up() {
    let made = Made::new();
    // More than a pipe holds.
    for number in 0..400 {
        made.file(&format!("{number:03}-{}.txt", "x".repeat(180)), "x");
    }
    for number in 0..2 {
        fs::File::create(made.path(&format!("z-{number}.bin"))).unwrap().set_len(3 << 30).unwrap();
    }
    for output in ["json", "text"] {
        let mut command = made.command(&format!("--jobs 1 --report p.json -o {output}"));
        let mut child = start(command.arg("r"));
        let took = stop(&mut child, "-INT");
        assert!(took < AT_ONCE, "{output}: {took:?}");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{output}");
        let report: Value =
            serde_json::from_slice(&fs::read(made.yard.path("p.json")).unwrap()).unwrap();
        assert_eq!(report["partial"], true, "{output}");
        fs::remove_file(made.yard.path("p.json")).unwrap();
        assert_eq!(left_over(&made), [""; 0]);
        let mut rest = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    }
    // One that has gone is no error, and changes no answer.
    fs::remove_file(made.path("z-0.bin")).unwrap();
    fs::remove_file(made.path("z-1.bin")).unwrap();
    let mut child = start(made.command("").arg("r"));
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
