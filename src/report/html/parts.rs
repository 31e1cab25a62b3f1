//! Small pieces that several parts of the page share.

use maud::{Markup, Render, html};

use crate::report::markup::Text;
use crate::verdict::{ExitStatus, Outcome};

/// The class of an outcome's word.
pub(super) fn tone(outcome: Outcome) -> &'static str {
    match outcome.exit_status() {
        ExitStatus::Verified => "good",
        ExitStatus::Failed => "bad",
        _ => "open",
    }
}

/// One row of a table of facts.
pub(super) fn fact(name: &str, value: impl Render) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } }
}

/// A digest or another word for machines.
pub(super) fn code(text: impl ToString) -> Markup {
    html! { code { (Text(text.to_string())) } }
}

/// The id of the section for an outcome's word.
pub(super) fn id_of(word: &str) -> String {
    word.to_ascii_lowercase().replace(' ', "-")
}
