//! The handle on a directory, by POSIX `openat` with `O_NOFOLLOW`.

mod change;
mod handle;
mod list;
mod medium;

pub use handle::{Folder, open_regular};
pub use medium::Lock;
