//! A report as one page of HTML: what is filed, printed and read by people.
//!
//! The page holds no script and asks for nothing from outside, and its policy tells the browser so.
//! Everything in it that comes from a report goes through [`safe`]. The verdict comes first, then by what
//! was judged, then the answers, the worst first.

mod artifact;
mod run;

use std::io::{self, Write};

use super::Source;
use super::markup::safe;
use super::whole::{Tone, tally, whole};
use super::words::{ORDER, meaning};
use crate::verdict::{ArtifactReport, Outcome};

const STYLE: &str = include_str!("page.css");

/// Rows in one table: a browser lays out only the tables that are looked at.
const ROWS: u64 = 200;

/// Writes the report as one page of HTML 5, complete in itself.
///
/// The source is asked for its artifacts once to count them, and once for each outcome that is there.
///
/// # Errors
/// Those of the writer and of the source.
pub fn html(out: &mut dyn Write, source: &dyn Source) -> io::Result<()> {
    let report = source.run();
    let counts = tally(source)?;
    let whole = whole(report, &counts);
    let tone = match whole.tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Open => "open",
    };
    let title = safe(&whole.title);
    out.write_all(
        b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta name=\"color-scheme\" content=\"light dark\">\n\
        <meta name=\"referrer\" content=\"no-referrer\">\n",
    )?;
    writeln!(out, "<title>{title} \u{b7} Sealift report \u{b7} {}</title>", safe(&report.time))?;
    writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>")?;

    writeln!(out, "<header class=\"{tone}\">\n<p class=\"over\">Sealift verification report</p>")?;
    writeln!(out, "<h1>{title}</h1>")?;
    for line in &whole.lines {
        writeln!(out, "<p>{}</p>", safe(line))?;
    }
    writeln!(out, "</header>\n<main>")?;

    run::facts(out, report)?;
    run::answers(out, report, &counts)?;
    run::coverage(out, report.coverage.as_ref())?;
    for (outcome, word) in ORDER {
        let count = counts.of(outcome);
        if count > 0 {
            section(out, source, outcome, word, count)?;
        }
    }
    run::files(out, report.coverage.as_ref())?;

    out.write_all(
        b"</main>\n<footer>\n<p>This page shows a report and is no proof itself: anybody can write a page. What \
        counts is the program's own run, or its JSON report where you know who kept it. Names and tags are \
        never signed.</p>\n\
        <dl class=\"filed\"><div><dt>Reviewed by</dt><dd></dd></div><div><dt>Date</dt><dd></dd></div>\
        <div><dt>Signature</dt><dd></dd></div></dl>\n</footer>\n</body>\n</html>\n",
    )
}

/// Every answer of one kind.
fn section(
    out: &mut dyn Write,
    source: &dyn Source,
    outcome: Outcome,
    word: &str,
    count: u64,
) -> io::Result<()> {
    let id = word.to_ascii_lowercase().replace(' ', "-");
    let tone = artifact::tone(outcome);
    writeln!(out, "<section aria-labelledby=\"{id}\">")?;
    writeln!(
        out,
        "<h2 id=\"{id}\"><span class=\"tag {tone}\">{word}</span> {count} {}</h2>\n<p>{}</p>",
        if count == 1 { "answer" } else { "answers" },
        meaning(outcome)
    )?;
    let mut place = 0_u64;
    source.each(&mut |report: &ArtifactReport| {
        if report.outcome != outcome {
            return Ok(());
        }
        place += 1;
        if outcome != Outcome::Ok {
            return artifact::card(out, report, word);
        }
        if place % ROWS == 1 {
            if place > 1 {
                out.write_all(b"</tbody></table></div>\n")?;
            }
            artifact::head(out, place, count.min(place + ROWS - 1), count)?;
        }
        artifact::row(out, report)
    })?;
    if outcome == Outcome::Ok {
        out.write_all(b"</tbody></table></div>\n")?;
    }
    writeln!(out, "</section>")
}
