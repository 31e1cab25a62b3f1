//! The connected side (feature `online`): fetches images, packages, bundles and keys into a directory,
//! verifies them as they arrive, and seals what is right.
//!
//! Nothing here decides what is genuine: the rooms below do, called as `seal` and `verify` call them.
//! Everything from the network is untrusted: it is bounded, parsed strictly, and never used as a path
//! unchecked.
//!
//! A run reports to a [`Watch`] what it does; only `cli` draws.

mod dry_run;
mod earlier_transfer;
mod engine;
mod fetch;
mod fetch_log;
mod fetch_record;
mod finish;
mod hosts;
pub mod http;
mod local_archive;
mod mirror_request;
pub mod registry;
mod release_file;
mod reports;
mod run;
mod source;
mod stage;
mod staged_download;
mod store;
pub mod tuf;
mod urls;
mod wanted;
mod watch;

pub use dry_run::PlanItem;
pub use earlier_transfer::EarlierTransfer;
pub use engine::{Engine, EngineKind};
pub use fetch_record::FetchRecord;
pub use finish::MirrorOutcome;
pub use hosts::Hosts;
pub use local_archive::ArchiveFiles;
pub use mirror_request::MirrorRequest;
pub use registry::{Platforms, Registry, RegistryOptions};
pub use release_file::{ReleaseFile, TEMPLATE};
pub use source::{FoundImage, ImageDescription, ImageSource};
pub use urls::is_this_machine;
pub use wanted::{WantedItem, wanted_items};
pub use watch::{ProgressTask, SilentWatch, Watch};
