//! What the page says about the run as a whole.

use maud::{Markup, html};

use super::parts::{code, fact, id_of, tone};
use crate::digest::Sha256Digest;
use crate::report::markup::Text;
use crate::report::run_verdict::counted;
use crate::report::words::{ORDER, cover, duration, meaning, size, so_many};
use crate::verdict::{Basis, Cover, Coverage, Run, Summary, TrustedRoot};

/// Digests or words, one below the other, or what to say if there are none.
fn codes<T: ToString>(items: &[T], none: &str) -> Markup {
    html! {
        @if items.is_empty() { (none) }
        @for (index, item) in items.iter().enumerate() {
            @if index > 0 { br; }
            (code(item.to_string()))
        }
    }
}

/// When, by which program, and by which rules.
pub(super) fn facts(run: &Run) -> Markup {
    html! {
        section aria-labelledby="run" {
            h2 id="run" { "The run" }
            table.facts { tbody {
                @if !run.paths.is_empty() { (fact("What", paths(&run.paths))) }
                (fact("When (UTC)", html! {
                    (Text(&run.time))
                    @match &run.finished {
                        Some(finished) => { " to " (Text(finished)) },
                        None => { " (begin; no end is recorded)" },
                    }
                }))
                @if let Some(summary) = &run.summary {
                    (fact("Read", html! { (size(summary.bytes)) " in " (duration(summary.milliseconds)) }))
                }
                (fact("Program", html! {
                    "sealift " (Text(&run.version)) br;
                    (codes(run.program.as_slice(), "its SHA-256 is not recorded"))
                }))
                @if let Some(shard) = &run.shard {
                    (fact("Part", html! {
                        (shard.part) " of " (shard.of) ", of a listing of " (so_many(shard.files, "file"))
                        br; (code(shard.listing))
                    }))
                    @if !shard.bundles.is_empty() {
                        (fact("Bundles for other parts", codes(&shard.bundles, "")))
                    }
                }
                @if let Some(parts) = run.merged {
                    (fact("Merged", html! { "from the reports of " (so_many(parts, "part")) }))
                }
                (fact("Exit status", exit_status(run.exit_status)))
            } }
        }
        section aria-labelledby="basis" {
            h2 id="basis" { "Judged by" }
            @match &run.basis {
                Some(shown) => (basis(shown)),
                None => p.warn { "This report does not say by which keys and policy it judged." },
            }
        }
    }
}

fn paths(paths: &[String]) -> Markup {
    html! {
        @for (index, path) in paths.iter().enumerate() {
            @if index > 0 { br; }
            bdi { (Text(path)) }
        }
    }
}

const fn exit_status(status: u8) -> &'static str {
    match status {
        0 => "0: everything found was verified",
        1 => "1: something is not what was signed or promised",
        2 => "2: usage, configuration, or no key to judge with",
        3 => "3: could not decide",
        4 => "4: something could not be fetched",
        130 => "130: interrupted",
        _ => "unknown",
    }
}

fn basis(basis: &Basis) -> Markup {
    let digest = |digest: &Option<Sha256Digest>, none| codes(digest.as_slice(), none);
    html! {
        table.facts { tbody {
            (fact("Vendor keys", codes(&basis.keys, "none was named")))
            @if let Some(identity) = &basis.identity {
                (fact("Identity", html! { bdi { (Text(identity)) } }))
            }
            (fact("Transfer keys", codes(&basis.transfer_keys, "none")))
            (fact("Trust policy", digest(&basis.policy, "none")))
            (fact("Trusted root", trusted_root(basis.trusted_root.as_ref())))
            @if !basis.profiles.is_empty() {
                (fact("Vendor profiles", html! {
                    @for (index, profile) in basis.profiles.iter().enumerate() {
                        @if index > 0 { br; }
                        bdi { (Text(&profile.name)) } ": "
                        (digest(&profile.sha256, "built in, or in the policy"))
                    }
                }))
            }
            @if basis.map.is_some() { (fact("Pairing map", digest(&basis.map, ""))) }
            (fact("Options that change answers", codes(&basis.options, "none")))
        } }
    }
}

fn trusted_root(root: Option<&TrustedRoot>) -> Markup {
    let Some(root) = root else {
        return html! { "the built-in one, or that of a sealed transfer" };
    };
    let source = match root.source.as_str() {
        "named" => "named by option",
        "policy" => "named in the trust policy",
        "built-in" => "built in",
        other => other,
    };
    html! { (code(root.sha256)) br; (Text(source)) }
}

/// How many answers there are of each kind.
pub(super) fn answers(run: &Run, counts: &Summary) -> Markup {
    html! {
        section aria-labelledby="answers" {
            h2 id="answers" { "Answers" }
            @if counts.answers == 0 {
                p.warn { "There are no answers." }
            } @else {
                table.counts {
                    thead { tr {
                        th scope="col" { "Answer" } th.number scope="col" { "Number" } th scope="col" { "Meaning" }
                    } }
                    tbody { @for (outcome, word) in ORDER.iter().filter(|(outcome, _)| counts.of(*outcome) > 0) {
                        tr {
                            th scope="row" { a href={ "#" (id_of(word)) } {
                                span class={ "tag " (tone(*outcome)) } { (word) }
                            } }
                            td.number { (counts.of(*outcome)) }
                            td { (meaning(*outcome)) }
                        }
                    } }
                    tfoot { tr { th scope="row" { "All" } td.number { (counts.answers) } td {} } }
                }
            }
            @if let Some(summary) = &run.summary {
                @if summary.answers != counts.answers || counted(summary) != counted(counts) {
                    p.warn { "The report's own summary says otherwise: " (Text(counted(summary))) "." }
                }
            }
        }
    }
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

/// What covers the files: as a bar, and in words and numbers.
pub(super) fn coverage(coverage: Option<&Coverage>) -> Markup {
    html! {
        section aria-labelledby="coverage" {
            h2 id="coverage" { "Files" }
            @match coverage {
                None => p { "This report does not say what covers each file." },
                Some(coverage) => { (bar(coverage)) (shares(coverage)) },
            }
        }
    }
}

fn bar(coverage: &Coverage) -> Markup {
    let total = coverage.total();
    let mut before = 0_u64;
    let parts = covers(coverage).map(|(_, class, count)| {
        let (from, to) = (share(before, total), share(before.saturating_add(count), total));
        before = before.saturating_add(count);
        // Every part is visible, however small its share.
        let width = if count > 0 { to.saturating_sub(from).max(6) } else { 0 };
        (class, from.min(1000 - 6), width)
    });
    html! {
        svg.bar viewBox="0 0 1000 28" preserveAspectRatio="none" aria-hidden="true" {
            @for (class, from, width) in parts.into_iter().filter(|(.., width)| *width > 0) {
                rect class=(class) x=(from) width=(width) height="28" {}
            }
        }
    }
}

fn shares(coverage: &Coverage) -> Markup {
    let total = coverage.total();
    let shown = |kind: Cover, count: u64| count > 0 || kind != Cover::Excluded;
    html! {
        table.counts {
            thead { tr {
                th scope="col" { "Files" } th.number scope="col" { "Number" } th.number scope="col" { "Share" }
            } }
            tbody { @for (kind, class, count) in covers(coverage).into_iter().filter(|(kind, _, count)| shown(*kind, *count)) {
                tr {
                    th scope="row" {
                        svg.key viewBox="0 0 1 1" aria-hidden="true" { rect class=(class) width="1" height="1" {} }
                        " " (cover(kind))
                    }
                    td.number { (count) }
                    td.number { (share(count, total) / 10) "." (share(count, total) % 10) " %" }
                }
            } }
            tfoot { tr { th scope="row" { "All" } td.number { (total) } td {} } }
        }
    }
}

/// The files that nothing covers, or only a seal, by name.
pub(super) fn files(coverage: Option<&Coverage>) -> Vec<Markup> {
    let Some(coverage) = coverage else { return Vec::new() };
    [
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
            "The operator excluded these files; nothing vouches for them.",
        ),
        (
            Cover::SealOnly,
            coverage.seal_only,
            "Files under a seal only",
            "Whoever sealed the transfer vouches for these files, and no vendor does.",
        ),
    ]
    .into_iter()
    .filter_map(|(kind, count, title, text)| list(coverage, kind, count, title, text))
    .collect()
}

fn list(coverage: &Coverage, kind: Cover, count: u64, title: &str, text: &str) -> Option<Markup> {
    let named: Vec<_> = coverage.files.iter().filter(|file| file.cover == kind).collect();
    (count > 0 || !named.is_empty()).then(|| {
        html! {
            section.files {
                h2 { (title) }
                p { (text) }
                @if u64::try_from(named.len()).is_ok_and(|number| number < count) {
                    p.warn { "The report counts " (count) " of them, and names " (named.len()) "." }
                }
                @if !named.is_empty() {
                    table.list {
                        thead { tr { th scope="col" { "Name" } th.number scope="col" { "Bytes" } } }
                        tbody { @for file in &named {
                            tr { th scope="row" { bdi { (Text(&file.name)) } } td.number { (file.size) } }
                        } }
                    }
                }
            }
        }
    })
}
