//! Work that is shared out over threads, with the results in the order of the items: what a report
//! says must not depend on how many threads there were.
//!
//! Nothing here knows what the work is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Applies `work` to every item with up to `jobs` threads (0 counts as 1); the results stand in the
/// order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        while let Some((number, item)) = take(items, &next) {
            done.push((number, work(item)));
        }
        done
    };
    let mut results = thread::scope(|scope| {
        let helpers: Vec<_> = (1..jobs.min(items.len())).map(|_| scope.spawn(run)).collect();
        let mut results = run();
        for helper in helpers {
            match helper.join() {
                Ok(more) => results.extend(more),
                // A result that is absent would be a check that was left out.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    items.get(number).map(|item| (number, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_and_in_order() {
        let items: Vec<usize> = (0..1000).collect();
        for jobs in [0, 1, 2, 7] {
            assert_eq!(
                map(&items, jobs, |item| item * 2),
                items.iter().map(|i| i * 2).collect::<Vec<_>>()
            );
        }
        assert!(map(&[] as &[u8], 4, |_| ()).is_empty());
    }

    #[test]
    #[should_panic(expected = "lost")]
    fn a_panic_is_not_a_result_left_out() {
        map(&[1, 2, 3], 2, |item| assert!(*item != 2, "lost"));
    }
}
