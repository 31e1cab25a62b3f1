//! A directory seen through one handle: what is in it, files opened without following a link, and
//! files written so that they are whole or not there.
//!
//! Every part of every path is opened from the handle on the part above it, so that a directory
//! that is replaced by a link meanwhile leads nowhere else. Names in a listing are what the file
//! system says, unchecked; the rooms above decide what is portable.

mod entry;
#[cfg(any(not(unix), test))]
#[cfg_attr(unix, allow(dead_code, unreachable_pub, reason = "compiled for its tests only"))]
mod portable;
mod read;
mod system;
#[cfg(unix)]
mod unix;
mod write;

pub use entry::{Entry, EntryKind, FreeSpace, Listing, Stamp, TEMPORARY};
#[cfg(not(unix))]
pub use portable::{Folder, Lock, open_regular};
pub use read::read_small;
pub use system::{system_fault, system_file};
#[cfg(unix)]
pub use unix::{Folder, Lock, open_regular};
pub use write::write_beside;

#[cfg(test)]
#[cfg(unix)]
mod tests;
