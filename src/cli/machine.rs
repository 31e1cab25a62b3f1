//! What a run takes from this machine: the number of its cores, and the program's own file.

use std::io::Read as _;
use std::thread;

use crate::digest::{HashingReader, Sha256Digest};
use crate::limits;

/// The number of threads: as requested, otherwise one for each core.
pub(super) fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(|| thread::available_parallelism().map_or(1, Into::into), Into::into)
}

/// SHA-256 of this program's file, if it can be read.
pub(super) fn program_digest() -> Option<Sha256Digest> {
    let mut file = HashingReader::new(std::fs::File::open(std::env::current_exe().ok()?).ok()?);
    // Few system calls: this is done in every run that writes a report.
    let mut buffer = vec![0; limits::COPY_BYTES.saturating_mul(8)];
    while file.read(&mut buffer).ok()? > 0 {}
    Some(file.finish().1)
}
