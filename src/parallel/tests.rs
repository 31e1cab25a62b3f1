//! Maps inside maps, with as many threads as allowed and not one more.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

/// Counts who works at once.
#[derive(Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    fn work(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(300));
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[test]
fn every_item_is_done_once_and_in_order() {
    let items: Vec<usize> = (0..1000).collect();
    let twice: Vec<_> = items.iter().map(|i| i * 2).collect();
    for jobs in [0, 1, 2, 7] {
        assert_eq!(map(&items, jobs, |item| item * 2), twice);
        let threads = ThreadLimit::new(jobs);
        for _ in 0..20 {
            assert_eq!(map_with(&items, &threads, |item| item * 2), twice);
            assert!(map_with(&[] as &[u8], &threads, |_| ()).is_empty());
            assert_eq!(map_with(&[5], &threads, |item| item * 2), [10]);
        }
        assert!(threads.is_unused());
    }
}

#[test]
#[should_panic(expected = "lost")]
fn a_panic_is_not_a_result_left_out() {
    map(&[1, 2, 3], 2, |item| assert!(*item != 2, "lost"));
}

#[test]
fn a_panic_gives_the_threads_back() {
    for jobs in [1, 2, 7] {
        let threads = ThreadLimit::new(jobs);
        for bad in 0..20 {
            let items: Vec<usize> = (0..20).collect();
            let inner = |outer: &usize| {
                map_with(&items, &threads, |item| assert!((*outer, *item) != (bad, 3), "lost"));
            };
            let run = || map_with(&items, &threads, inner);
            let panic = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"lost"));
            assert!(threads.is_unused());
        }
    }
}

#[test]
fn nothing_is_begun_after_an_error() {
    for jobs in [1, 2, 7] {
        let threads = ThreadLimit::new(jobs);
        let begun = AtomicUsize::new(0);
        let items: Vec<usize> = (0..1000).collect();
        let results = map_until_error(
            &items,
            &threads,
            || (),
            |(), item| {
                begun.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_micros(100));
                if *item == 10 { Err(*item) } else { Ok(()) }
            },
        );
        assert_eq!(results.len(), begun.into_inner());
        assert!(results.len() < 500);
        for (number, result) in results {
            assert_eq!(result, if number == 10 { Err(10) } else { Ok(()) });
        }
        assert!(threads.is_unused());
    }
}

#[test]
fn nested_maps_share_the_budget() {
    for jobs in [1, 2, 3, 7] {
        let threads = ThreadLimit::new(jobs);
        let count = Count::default();
        let outer: Vec<usize> = (0..9).collect();
        let inner: Vec<usize> = (0..17).collect();
        let sums = map_with(&outer, &threads, |a| {
            map_with(&inner, &threads, |b| {
                count.work();
                map_with(&[1, 2], &threads, |c| {
                    count.work();
                    a * b * c
                })
                .iter()
                .sum::<usize>()
            })
            .iter()
            .sum::<usize>()
        });
        assert_eq!(sums, outer.iter().map(|a| a * 136 * 3).collect::<Vec<_>>());
        assert!(count.most() <= jobs, "{} of {jobs}", count.most());
        assert!(jobs == 1 || count.most() > 1);
        assert!(threads.is_unused());
    }
}

/// The inner map begins when all threads are taken, and grows when they are free.
#[test]
fn an_inner_map_grows_when_the_outer_one_ends() {
    for jobs in [2, 3, 7] {
        let threads = ThreadLimit::new(jobs);
        let count = Count::default();
        let outer: Vec<usize> = (0..jobs).collect();
        let inner: Vec<usize> = (0..5000).collect();
        map_with(&outer, &threads, |a| {
            if *a == 0 {
                let work = |_: &usize| {
                    if count.most() < jobs {
                        count.work()
                    }
                };
                map_with(&inner, &threads, work);
            } else {
                thread::sleep(Duration::from_millis(5));
            }
        });
        assert_eq!(count.most(), jobs);
        assert!(threads.is_unused());
    }
}
