//! The verdict of a run as a whole, in words. The model decides the exit status; this file makes sure that it
//! never looks better than the answers.

use std::io;

use super::ReportSource;
use super::words::ORDER;
use crate::verdict::{ExitStatus, Outcome, Run, StoppedBy, Summary};

/// How a page must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Verified as a whole.
    Good,
    /// Something is not what was signed.
    Bad,
    /// Not decided, or not the whole.
    Open,
}

/// The verdict of a run.
#[derive(Debug)]
pub(super) struct RunVerdict {
    pub(super) tone: Tone,
    /// The verdict, some words.
    pub(super) title: String,
    /// Sentences that must accompany it.
    pub(super) lines: Vec<String>,
    /// Why the run is not a success, if no answer says so.
    pub(super) unexplained: Option<String>,
}

/// Counts the answers, whatever the report's own summary says.
///
/// # Errors
/// Those of the source.
pub(super) fn tally(source: &dyn ReportSource) -> io::Result<Summary> {
    let mut counts = Summary::default();
    source.each(&mut |artifact| {
        counts.count(artifact.outcome());
        Ok(())
    })?;
    Ok(counts)
}

/// The word for a run that was stopped, and what stopped it.
pub(super) fn stopped(run: &Run) -> Option<(&'static str, &'static str)> {
    match (run.partial, run.stopped_by) {
        (_, Some(StoppedBy::FailFast)) => Some(("STOPPED", "stopped at the first failure")),
        (_, Some(StoppedBy::Interrupt)) => Some(("INTERRUPTED", "interrupted")),
        (true, None) => Some(("INTERRUPTED", "ended early")),
        (false, None) if run.exit_status == ExitStatus::Interrupted.code() => {
            Some(("INTERRUPTED", "interrupted"))
        }
        (false, None) => None,
    }
}

/// The verdict of a run with these answers.
pub(super) fn run_verdict(run: &Run, counts: &Summary) -> RunVerdict {
    let (mut tone, word, sentence) = by_status(run.exit_status);
    let mut lines = Vec::new();
    let mut unexplained = None;
    let all_ok = counts.of(Outcome::Ok) == counts.answers;
    let mut title = word.to_owned();

    if let Some(contradiction) = contradiction(run, counts) {
        let text = format!("The report contradicts itself: {contradiction}.");
        lines.push(text.clone());
        unexplained = Some(text);
        (tone, title) = (Tone::Bad, "NOT VERIFIED".to_owned());
    } else if let Some((word, why)) = stopped(run) {
        title = format!("{word}: not everything was looked at");
        let text = format!("The run was {why}. What is not listed here was not verified.");
        lines.push(text.clone());
        unexplained = Some(text);
        let failed = [Outcome::Failed, Outcome::Missing, Outcome::Extra];
        tone = if failed.iter().any(|outcome| counts.of(*outcome) > 0) {
            Tone::Bad
        } else {
            Tone::Open
        };
    } else if counts.answers == 0 {
        let text = "There are no answers. A run that checked nothing is not a success.".to_owned();
        lines.push(text.clone());
        unexplained = Some(text);
    } else {
        lines.push(sentence.to_owned());
        if tone != Tone::Good && all_ok {
            let text = format!(
                "No single answer says why: the run ended with exit status {}.",
                run.exit_status
            );
            lines.push(text.clone());
            unexplained = Some(text);
        }
    }
    if let Some(shard) = &run.shard {
        let part = format!("PART {} OF {}", shard.part, shard.of);
        if tone == Tone::Good {
            (tone, title) = (Tone::Open, part);
            lines = vec!["Everything in this part was verified.".to_owned()];
        } else {
            title = format!("{part}: {title}");
        }
        lines.push(
            "This is one part of a whole, and says nothing of the others: the whole is verified when \
             the reports of all parts are merged and the merged report says so."
                .to_owned(),
        );
    }
    if !all_ok {
        lines.push(format!("Answers: {}.", counted(counts)));
    }
    RunVerdict { tone, title, lines, unexplained }
}

/// How many answers of each kind, the worst first.
pub(super) fn counted(counts: &Summary) -> String {
    let parts: Vec<String> = ORDER
        .iter()
        .filter(|(outcome, _)| counts.of(*outcome) > 0)
        .map(|(outcome, word)| format!("{} {word}", counts.of(*outcome)))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Why an exit status of success can't be believed, given these answers.
fn contradiction(run: &Run, counts: &Summary) -> Option<String> {
    if run.exit_status != ExitStatus::Verified.code() {
        return None;
    }
    let says = "it says exit status 0,";
    if counts.answers == 0 {
        return Some(format!("{says} and has no answers"));
    }
    if counts.of(Outcome::Ok) != counts.answers {
        return Some(format!("{says} and not every answer is OK"));
    }
    if run.partial || run.stopped_by.is_some() {
        return Some(format!("{says} and that not everything was looked at"));
    }
    let summary = run.summary.as_ref()?;
    if summary.answers != counts.answers || summary.of(Outcome::Ok) != counts.answers {
        return Some(format!(
            "its summary has {} answers, {} of them OK, and {} OK are here",
            summary.answers,
            summary.of(Outcome::Ok),
            counts.answers
        ));
    }
    None
}

/// The words of an exit status.
const fn by_status(status: u8) -> (Tone, &'static str, &'static str) {
    match status {
        0 => (Tone::Good, "VERIFIED", "Everything that was found was verified."),
        1 => (
            Tone::Bad,
            "FAILED",
            "Something is not what was signed or promised. Stop: load and install nothing of it before \
             the vendor has answered.",
        ),
        2 => (
            Tone::Open,
            "NOT JUDGED",
            "The command line, the configuration or a key is at fault, so that not everything was judged.",
        ),
        3 => (
            Tone::Open,
            "NOT VERIFIED",
            "The evidence at hand does not decide. What is not OK counts as not verified.",
        ),
        4 => (
            Tone::Open,
            "NOT VERIFIED",
            "Something could not be fetched, so that it was not judged.",
        ),
        _ => (
            Tone::Open,
            "NOT VERIFIED",
            "The run ended with an exit status that is not known here.",
        ),
    }
}
