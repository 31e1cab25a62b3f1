//! A report as text, JSON, JUnit XML or a page of HTML. Nothing is decided here: outcome, code and next step
//! come with the report.

mod below;
mod bundle;
mod compare;
mod forms;
mod html;
mod json;
mod junit;
mod markup;
mod parse;
mod run_verdict;
mod source;
mod stored;
mod text;
mod words;

pub use below::{RelativeName, RequestedPaths};
pub use bundle::bundle_lines;
pub use compare::{Change, Difference, diff, differs};
pub use forms::Form;
pub use html::html;
pub use json::json;
pub use junit::junit;
pub use parse::{parse, parse_stored};
pub use source::ReportSource;
pub use stored::{StoredAnswers, StoredReport, StoredSource};
pub use text::{Detail, artifact, summary, text};
