//! Work on several threads, with the results in the order of the items: what a report says must not
//! depend on how many threads there were.
//!
//! A [`ThreadLimit`] bounds work inside work: a map over files, and in it maps over the layers of an
//! archive. A thread that runs out of items releases its permit, and an inner map that is still busy
//! takes it at once, so that no processor idles while the last archive is read.
//!
//! Nothing here knows what the work is.

mod limit;
mod map;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

pub use limit::{Exclusive, Permit, ThreadLimit};
pub use map::map_until_error;

/// Applies `work` to every item on up to `jobs` threads (0 counts as 1). The results are in the order of
/// the items.
pub fn map<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_with(items, &ThreadLimit::new(jobs), work)
}

/// Applies `work` to every item on the calling thread and on as many more as the limit allows, now or
/// later. The results are in the order of the items.
///
/// The caller must be counted by the limit: the thread of the outermost map, or one that works at another
/// map of the same limit.
pub fn map_with<T: Sync, R: Send>(
    items: &[T],
    threads: &ThreadLimit,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    map_until_error(items, threads, || (), |(), item| Ok::<_, Infallible>(work(item)))
        .into_iter()
        .map(|(_, result)| match result {
            Ok(result) => result,
            Err(never) => match never {},
        })
        .collect()
}
