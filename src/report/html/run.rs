//! What the page says of the run as a whole.

use std::io::{self, Write};

use crate::digest::Sha256Digest;
use crate::report::markup::safe;
use crate::report::whole::counted;
use crate::report::words::{ORDER, cover, duration, meaning, size, so_many};
use crate::verdict::{Basis, Cover, Coverage, Run, Summary};

use super::artifact::tone;

/// One row of a table of facts; `value` is markup.
pub(super) fn fact(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>")
}

/// A digest or another word for machines, as markup.
pub(super) fn code(text: impl ToString) -> String {
    format!("<code>{}</code>", safe(&text.to_string()))
}

fn codes<T: ToString>(items: &[T]) -> Option<String> {
    (!items.is_empty())
        .then(|| items.iter().map(|it| code(it.to_string())).collect::<Vec<_>>().join("<br>"))
}

/// When, by which program, and by what was judged.
pub(super) fn facts(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    writeln!(out, "<section aria-labelledby=\"run\">\n<h2 id=\"run\">The run</h2>")?;
    writeln!(out, "<table class=\"facts\"><tbody>")?;
    if !run.paths.is_empty() {
        let paths: Vec<String> =
            run.paths.iter().map(|path| format!("<bdi>{}</bdi>", safe(path))).collect();
        fact(out, "What", &paths.join("<br>"))?;
    }
    let finished = match &run.finished {
        Some(finished) => format!("{} to {}", safe(&run.time), safe(finished)),
        None => format!("{} (begin; no end is recorded)", safe(&run.time)),
    };
    fact(out, "When (UTC)", &finished)?;
    if let Some(summary) = &run.summary {
        let read = format!("{} in {}", size(summary.bytes), duration(summary.milliseconds));
        fact(out, "Read", &read)?;
    }
    let digest = run.program.map_or_else(|| "its SHA-256 is not recorded".to_owned(), code);
    fact(out, "Program", &format!("sealift {}<br>{digest}", safe(&run.version)))?;
    if let Some(shard) = &run.shard {
        fact(
            out,
            "Part",
            &format!(
                "{} of {}, of a listing of {}<br>{}",
                shard.part,
                shard.of,
                so_many(shard.files, "file"),
                code(shard.listing)
            ),
        )?;
        if let Some(bundles) = codes(&shard.bundles) {
            fact(out, "Bundles for other parts", &bundles)?;
        }
    }
    if let Some(parts) = run.merged {
        fact(out, "Merged", &format!("from the reports of {}", so_many(parts, "part")))?;
    }
    let status = match run.exit_status {
        0 => "0: everything found was verified",
        1 => "1: something is not what was signed or promised",
        2 => "2: usage, configuration, or no key to judge with",
        3 => "3: could not decide",
        4 => "4: something could not be fetched",
        130 => "130: interrupted",
        _ => "unknown",
    };
    fact(out, "Exit status", status)?;
    writeln!(out, "</tbody></table>\n</section>")?;

    writeln!(out, "<section aria-labelledby=\"basis\">\n<h2 id=\"basis\">Judged by</h2>")?;
    match &run.basis {
        Some(it) => basis(out, it)?,
        None => writeln!(
            out,
            "<p class=\"warn\">This report does not say by which keys and policy was judged.</p>"
        )?,
    }
    writeln!(out, "</section>")
}

fn basis(out: &mut dyn Write, basis: &Basis) -> io::Result<()> {
    let digest = |it: &Option<Sha256Digest>| it.map(code);
    writeln!(out, "<table class=\"facts\"><tbody>")?;
    fact(out, "Vendor keys", &codes(&basis.keys).unwrap_or_else(|| "none was named".to_owned()))?;
    if let Some(identity) = &basis.identity {
        fact(out, "Identity", &format!("<bdi>{}</bdi>", safe(identity)))?;
    }
    fact(out, "Transfer keys", &codes(&basis.transfer_keys).unwrap_or_else(|| "none".to_owned()))?;
    fact(out, "Trust policy", &digest(&basis.policy).unwrap_or_else(|| "none".to_owned()))?;
    let root = basis.trusted_root.as_ref().map_or_else(
        || "the built-in one, or that of a sealed transfer".to_owned(),
        |root| {
            let source = match root.source.as_str() {
                "named" => "named by option".to_owned(),
                "policy" => "named in the trust policy".to_owned(),
                "built-in" => "built in".to_owned(),
                other => safe(other),
            };
            format!("{}<br>{source}", code(root.sha256))
        },
    );
    fact(out, "Trusted root", &root)?;
    if !basis.profiles.is_empty() {
        let profiles: Vec<String> = basis
            .profiles
            .iter()
            .map(|it| {
                let from =
                    digest(&it.sha256).unwrap_or_else(|| "built in, or in the policy".into());
                format!("<bdi>{}</bdi>: {from}", safe(&it.name))
            })
            .collect();
        fact(out, "Vendor profiles", &profiles.join("<br>"))?;
    }
    if let Some(map) = digest(&basis.map) {
        fact(out, "Pairing map", &map)?;
    }
    let options = codes(&basis.options).unwrap_or_else(|| "none".to_owned());
    fact(out, "Options that change answers", &options)?;
    writeln!(out, "</tbody></table>")
}

/// How many answers of each kind.
pub(super) fn answers(out: &mut dyn Write, run: &Run, counts: &Summary) -> io::Result<()> {
    writeln!(out, "<section aria-labelledby=\"answers\">\n<h2 id=\"answers\">Answers</h2>")?;
    if counts.answers == 0 {
        writeln!(out, "<p class=\"warn\">There is not one answer.</p>")?;
    } else {
        writeln!(
            out,
            "<table class=\"counts\"><thead><tr><th scope=\"col\">Answer</th>\
             <th scope=\"col\" class=\"number\">Number</th><th scope=\"col\">Meaning</th></tr></thead><tbody>"
        )?;
        for (outcome, word) in ORDER.iter().filter(|(outcome, _)| counts.of(*outcome) > 0) {
            let id = word.to_ascii_lowercase().replace(' ', "-");
            writeln!(
                out,
                "<tr><th scope=\"row\"><a href=\"#{id}\"><span class=\"tag {}\">{word}</span></a></th>\
                 <td class=\"number\">{}</td><td>{}</td></tr>",
                tone(*outcome),
                counts.of(*outcome),
                meaning(*outcome)
            )?;
        }
        writeln!(
            out,
            "</tbody><tfoot><tr><th scope=\"row\">All</th><td class=\"number\">{}</td><td></td></tr></tfoot></table>",
            counts.answers
        )?;
    }
    if let Some(summary) = &run.summary
        && (summary.answers != counts.answers || counted(summary) != counted(counts))
    {
        writeln!(
            out,
            "<p class=\"warn\">The report's own summary says otherwise: {}.</p>",
            counted(summary)
        )?;
    }
    writeln!(out, "</section>")
}

/// The kinds of cover with their counts, the best first.
fn covers(coverage: &Coverage) -> [(Cover, &'static str, u64); 5] {
    [
        (Cover::Vendor, "vendor", coverage.vendor),
        (Cover::SealOnly, "seal", coverage.seal_only),
        (Cover::Material, "material", coverage.material),
        (Cover::Uncovered, "uncovered", coverage.uncovered),
        (Cover::Excluded, "excluded", coverage.excluded),
    ]
}

/// Tenths of a percent of the whole.
fn share(count: u64, total: u64) -> u128 {
    u128::from(count).saturating_mul(1000).checked_div(u128::from(total)).unwrap_or_default()
}

/// How the files are covered: a bar, and the same in words and numbers.
pub(super) fn coverage(out: &mut dyn Write, coverage: Option<&Coverage>) -> io::Result<()> {
    writeln!(out, "<section aria-labelledby=\"coverage\">\n<h2 id=\"coverage\">Files</h2>")?;
    let Some(coverage) = coverage else {
        writeln!(out, "<p>This report does not say how each file is covered.</p>\n</section>")?;
        return Ok(());
    };
    let total = coverage.total();
    writeln!(
        out,
        "<svg class=\"bar\" viewBox=\"0 0 1000 28\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    )?;
    let mut before = 0_u64;
    for (_, class, count) in covers(coverage) {
        let (from, to) = (share(before, total), share(before.saturating_add(count), total));
        before = before.saturating_add(count);
        // What is there is seen, however small its share.
        let width = if count > 0 { to.saturating_sub(from).max(6) } else { 0 };
        if width > 0 {
            let from = from.min(1000 - 6);
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{from}\" width=\"{width}\" height=\"28\"/>"
            )?;
        }
    }
    writeln!(out, "</svg>")?;
    writeln!(
        out,
        "<table class=\"counts\"><thead><tr><th scope=\"col\">Files</th>\
         <th scope=\"col\" class=\"number\">Number</th><th scope=\"col\" class=\"number\">Share</th></tr></thead><tbody>"
    )?;
    for (kind, class, count) in covers(coverage) {
        if count == 0 && kind == Cover::Excluded {
            continue;
        }
        let share = share(count, total);
        writeln!(
            out,
            "<tr><th scope=\"row\"><svg class=\"key\" viewBox=\"0 0 1 1\" aria-hidden=\"true\">\
             <rect class=\"{class}\" width=\"1\" height=\"1\"/></svg> {}</th>\
             <td class=\"number\">{count}</td><td class=\"number\">{}.{} %</td></tr>",
            cover(kind),
            share / 10,
            share % 10
        )?;
    }
    writeln!(
        out,
        "</tbody><tfoot><tr><th scope=\"row\">All</th><td class=\"number\">{total}</td><td></td></tr></tfoot></table>\n</section>"
    )
}

/// The files that nothing covers, or a seal alone, by name.
pub(super) fn files(out: &mut dyn Write, coverage: Option<&Coverage>) -> io::Result<()> {
    let Some(coverage) = coverage else { return Ok(()) };
    let lists = [
        (
            Cover::Uncovered,
            coverage.uncovered,
            "Uncovered files",
            "Nothing vouches for these files.",
        ),
        (
            Cover::Excluded,
            coverage.excluded,
            "Excluded files",
            "The operator left these files out; nothing vouches for them.",
        ),
        (
            Cover::SealOnly,
            coverage.seal_only,
            "Files under a seal only",
            "The one who sealed the transfer vouches for these files, and no vendor does.",
        ),
    ];
    for (kind, count, title, text) in lists {
        let named = || coverage.files.iter().filter(move |file| file.cover == kind);
        if count == 0 && named().next().is_none() {
            continue;
        }
        writeln!(out, "<section class=\"files\">\n<h2>{title}</h2>\n<p>{text}</p>")?;
        let named_count = named().count();
        if u64::try_from(named_count).is_ok_and(|it| it < count) {
            writeln!(
                out,
                "<p class=\"warn\">The report counts {count} of them, and names {named_count}.</p>"
            )?;
        }
        if named_count > 0 {
            writeln!(
                out,
                "<table class=\"list\"><thead><tr><th scope=\"col\">Name</th>\
                 <th scope=\"col\" class=\"number\">Bytes</th></tr></thead><tbody>"
            )?;
            for file in named() {
                writeln!(
                    out,
                    "<tr><th scope=\"row\"><bdi>{}</bdi></th><td class=\"number\">{}</td></tr>",
                    safe(&file.name),
                    file.size
                )?;
            }
            writeln!(out, "</tbody></table>")?;
        }
        writeln!(out, "</section>")?;
    }
    Ok(())
}
