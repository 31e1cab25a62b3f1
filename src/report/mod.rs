//! A report in words, as JSON, as JUnit XML or as a page of HTML. No decisions are made here: outcome,
//! code and next step come with the report.

mod bundle;
mod json;
mod ledger;
mod source;
mod text;

pub use bundle::bundle_lines;
pub use json::{json, parse};
pub use ledger::{Kept, Ledger};
pub use source::Source;
pub use text::{Detail, artifact};
