//! A directory seen through one handle: what lies in it, files opened without following a link,
//! files written so that they are whole or not there, and what the files are as a release.
//!
//! Every part of every path is opened from the handle on the part above it, so that a directory
//! that is replaced by a link meanwhile leads nowhere else. Names in a listing are what the file
//! system says, unchecked; what is portable is decided by the rooms above.
//!
//! [`survey()`] and [`judge()`] look at a folder that carries no seal, or does not yet.

mod entry;
#[cfg(unix)]
mod handle;
#[cfg(any(not(unix), test))]
#[cfg_attr(unix, allow(dead_code, unreachable_pub, reason = "compiled for its tests only"))]
mod handle_portable;
mod judge;
mod layout;
mod material;
mod read;
mod survey;
mod system;
mod write;

pub use entry::{Entry, EntryKind, Listing, Room, Stamp};
#[cfg(unix)]
pub use handle::{Folder, Lock, open_regular};
#[cfg(not(unix))]
pub use handle_portable::{Folder, Lock, open_regular};
pub use judge::{
    FolderVerifier, Judged, SharedNames, Subject, Task, TrustedKey, VendorKeys, judge,
};
pub use layout::{LayoutTree, is_layout};
pub use material::{Spot, is_material};
pub use read::{hash, read_small};
pub use survey::{
    First, FoundFile, Reader, Survey, SurveyOptions, What, above, layout_directories, survey,
};
pub use system::{system_fault, system_file};
pub use write::{TEMPORARY, write_beside};

#[cfg(test)]
#[cfg(unix)]
mod tests;
