//! The one HTTP stack of the mirror: over TLS, to allowed hosts only, with retries and resumed downloads.
//!
//! What a server sends is untrusted: bounded, never decoded before it is hashed, and refused if it
//! contradicts itself. Redirects are followed here, so that each is checked; the client beneath follows
//! none. Nothing here keeps or looks up credentials, or decides what is genuine.
//!
//! All calls are synchronous. They may come from several threads, but not from inside the runtime that
//! [`Http`] owns.

mod body;
mod client;
mod error;
mod framing;
mod head;
mod headers;
mod large_file;
mod options;
mod page;
mod part;
mod proxies;
mod retry;
mod retry_after;
mod send;
mod small_file;
mod space;

pub(super) use body::{EarlyEnds, Pace, opening};
pub use client::Http;
pub(super) use error::refusal;
pub use error::{AttemptError, is_transient, refused};
pub(super) use framing::length;
pub use head::RemoteFile;
pub(super) use headers::ContentRange;
pub use headers::Validators;
pub use large_file::LargeFile;
pub use options::HttpOptions;
pub(super) use page::{is_page, page, says_page};
pub use proxies::Proxies;
pub(super) use send::HttpRequest;
pub use small_file::SmallFile;
pub(super) use space::{fits, unwritten};
