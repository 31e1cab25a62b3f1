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

/// The policy stands before everything that it could forbid.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
"#;

/// What a reader of the page must know of it, and room for whoever files it on paper.
const FOOT: &str = r#"</main>
<footer>
<p>This page shows a report and is no proof itself: anybody can write a page. What counts is the program's own
run, or its JSON report where you know who kept it. Names and tags are never signed.</p>
<dl class="filed"><div><dt>Reviewed by</dt><dd></dd></div><div><dt>Date</dt><dd></dd></div>
<div><dt>Signature</dt><dd></dd></div></dl>
</footer>
</body>
</html>
"#;

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
    out.write_all(HEAD.as_bytes())?;
    writeln!(out, "<title>{title} \u{b7} Sealift report \u{b7} {}</title>", safe(&report.time))?;
    writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>")?;

    writeln!(out, "<header class=\"{tone}\">\n<p class=\"over\">Sealift verification report</p>")?;
    writeln!(out, "<h1>{title}</h1>")?;
    for line in &whole.lines {
        writeln!(out, "<p>{}</p>", safe(line))?;
    }
    let paths: Vec<String> =
        report.paths.iter().map(|path| format!("<bdi>{}</bdi> \u{b7} ", safe(path))).collect();
    writeln!(out, "<p class=\"what\">{}{}</p>", paths.concat(), safe(&report.time))?;
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

    out.write_all(FOOT.as_bytes())
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
        if report.outcome() != outcome {
            return Ok(());
        }
        place = place.saturating_add(1);
        if outcome != Outcome::Ok {
            return artifact::card(out, report, word);
        }
        if place % ROWS == 1 {
            if place > 1 {
                out.write_all(b"</tbody></table></div>\n")?;
            }
            artifact::head(out, place, count.min(place.saturating_add(ROWS - 1)), count)?;
        }
        artifact::row(out, report)
    })?;
    if outcome == Outcome::Ok {
        out.write_all(b"</tbody></table></div>\n")?;
    }
    writeln!(out, "</section>")
}
