//! A release folder as a whole: any number of artifacts, bundles, keys and transfer directories, at any
//! depth, each judged where that is decided for all commands, and findings about all of them together.
//!
//! It goes to the end whatever fails, reports each answer as soon as it is known, and keeps none of them.
//! The answers, and their places in the report, are the same however many threads work. What is
//! shown, and where reports are kept, is the business of the rooms above.

mod bundle_usage;
mod check;
mod cover;
mod filter;
mod first_look;
mod folder_request;
mod folder_run;
mod listing;
mod map;
mod merge;
mod progress;
mod shard;
mod signed_list;
mod transfers;
mod unit_verifier;
mod units;
mod unsealed_files;

pub use check::check;
pub use cover::required;
pub use filter::Filter;
pub use folder_request::{
    AnswerPlace, Events, FolderKind, FolderRequest, FolderSummary, ListedFolder, OpenedAhead,
    TransferRequest,
};
pub use listing::digest as listing_digest;
pub use map::PairingMap;
pub use merge::merge;
pub use progress::FileProgress;
pub use shard::{ShardIndex, assign};
pub use signed_list::signed_lists;
pub use unit_verifier::outside_transfers;
pub use units::{holds_transfer, transfer_directories};
