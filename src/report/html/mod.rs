//! A report as one page of HTML: to be read, printed and filed.
//!
//! The page has no script and loads nothing from outside, and its policy tells the browser so. `maud`
//! escapes everything that is put into it, and text from a report is also [`Text`]. The verdict comes
//! first, then the rules that applied, then the answers, worst first.

mod artifact;
mod parts;
mod run;

use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use super::ReportSource;
use super::markup::Text;
use super::run_verdict::{Tone, run_verdict, tally};
use super::words::{ORDER, meaning};
use crate::verdict::{ArtifactReport, Outcome};

const STYLE: &str = include_str!("page.css");

/// Rows in one table: a browser lays out only the tables that are in view.
const ROWS: u64 = 200;

/// Writes the report as one self-contained page of HTML 5.
///
/// The source is asked for its artifacts once to count them, and once more for each outcome that occurs.
///
/// # Errors
/// Those of the writer and of the source.
pub fn html(out: &mut dyn Write, source: &dyn ReportSource) -> io::Result<()> {
    let report = source.run();
    let counts = tally(source)?;
    let verdict = run_verdict(report, &counts);
    let tone = match verdict.tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Open => "open",
    };
    let title = Text(&verdict.title);
    out.write_all(b"<!DOCTYPE html>\n<html lang=\"en\">\n")?;
    // The policy comes before everything that it could forbid.
    put(
        out,
        &html! {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) " · Sealift report · " (Text(&report.time)) }
                style { (PreEscaped(STYLE)) }
            }
        },
    )?;
    out.write_all(b"<body>\n")?;
    put(
        out,
        &html! {
            header class=(tone) {
                p.over { "Sealift verification report" }
                h1 { (title) }
                @for line in &verdict.lines { p { (Text(line)) } }
                p.what {
                    @for path in &report.paths { bdi { (Text(path)) } " · " }
                    (Text(&report.time))
                }
            }
        },
    )?;
    out.write_all(b"<main>\n")?;
    put(out, &run::facts(report))?;
    put(out, &run::answers(report, &counts))?;
    put(out, &run::coverage(report.coverage.as_ref()))?;
    for (outcome, word) in ORDER {
        let count = counts.of(outcome);
        if count > 0 {
            section(out, source, outcome, word, count)?;
        }
    }
    for list in run::files(report.coverage.as_ref()) {
        put(out, &list)?;
    }
    out.write_all(b"</main>\n")?;
    put(out, &footer())?;
    out.write_all(b"</body>\n</html>\n")
}

/// Writes one piece of the page on a line of its own.
fn put(out: &mut dyn Write, piece: &Markup) -> io::Result<()> {
    out.write_all(piece.0.as_bytes())?;
    out.write_all(b"\n")
}

/// What a reader of the page must know about it, and space for filing it on paper.
fn footer() -> Markup {
    html! {
        footer {
            p {
                "This page shows a report and proves nothing: anybody can write a page. Rely on your own run of \
                 the program, or on its JSON report if you know who kept it. Names and tags are never signed."
            }
            dl.filed {
                @for field in ["Reviewed by", "Date", "Signature"] {
                    div { dt { (field) } dd {} }
                }
            }
        }
    }
}

/// Every answer of one kind.
fn section(
    out: &mut dyn Write,
    source: &dyn ReportSource,
    outcome: Outcome,
    word: &str,
    count: u64,
) -> io::Result<()> {
    let id = parts::id_of(word);
    writeln!(out, "<section aria-labelledby=\"{id}\">")?;
    put(
        out,
        &html! {
            h2 id=(id) {
                span class={ "tag " (parts::tone(outcome)) } { (word) }
                " " (count) " " (if count == 1 { "answer" } else { "answers" })
            }
            p { (meaning(outcome)) }
        },
    )?;
    let mut number = 0_u64;
    source.each(&mut |report: &ArtifactReport| {
        if report.outcome() != outcome {
            return Ok(());
        }
        number = number.saturating_add(1);
        if outcome != Outcome::Ok {
            return put(out, &artifact::card(report, word));
        }
        if number % ROWS == 1 {
            if number > 1 {
                out.write_all(b"</tbody></table></div>\n")?;
            }
            let last = count.min(number.saturating_add(ROWS - 1));
            out.write_all(b"<div class=\"chunk\"><table class=\"rows\">")?;
            put(out, &artifact::head(number, last, count))?;
            out.write_all(b"<tbody>\n")?;
        }
        put(out, &artifact::row(report))
    })?;
    if outcome == Outcome::Ok {
        out.write_all(b"</tbody></table></div>\n")?;
    }
    writeln!(out, "</section>")
}
