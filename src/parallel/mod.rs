//! Work that is shared out over threads, with the results in the order of the items: what a report
//! says must not depend on how many threads there were.
//!
//! A [`ThreadLimit`] is a budget of threads for work inside work: a map over files, inside it maps over the
//! layers of an archive. Whoever runs out of items gives its thread back, and an inner map that is still
//! at work takes it at once, so that no processor waits while the last archive is read.
//!
//! Nothing here knows what the work is.

use std::any::Any;
use std::convert::Infallible;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

/// Threads as a budget that all maps of one run share, however deep they are nested: besides the thread
/// that calls the outermost map, as many as there are permits.
#[derive(Debug)]
pub struct ThreadLimit {
    jobs: usize,
    state: Mutex<LimitState>,
    changed: Condvar,
}

#[derive(Debug)]
struct LimitState {
    /// Permits that nobody has.
    free: usize,
    /// Maps that have items left and wait for a permit.
    waiting: usize,
    /// Whether somebody has the turn.
    exclusive: bool,
}

/// The right to keep one thread busy; given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'a>(&'a ThreadLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The right to hold what only one thread of the threads may hold; given back when it is dropped.
#[derive(Debug)]
pub struct Exclusive<'a>(&'a ThreadLimit);

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        self.0.state().exclusive = false;
        self.0.changed.notify_all();
    }
}

impl ThreadLimit {
    /// A threads of `jobs` threads (0 counts as 1), the caller's among them.
    #[must_use]
    pub const fn new(jobs: usize) -> Self {
        let jobs = if jobs == 0 { 1 } else { jobs };
        let state =
            Mutex::new(LimitState { free: jobs.saturating_sub(1), waiting: 0, exclusive: false });
        Self { jobs, state, changed: Condvar::new() }
    }

    /// How many threads may work at once.
    #[must_use]
    pub const fn jobs(&self) -> usize {
        self.jobs
    }

    /// A permit that is free and that no map waits for.
    #[must_use]
    pub fn try_permit(&self) -> Option<Permit<'_>> {
        if self.jobs == 1 {
            return None;
        }
        let mut state = self.state();
        if state.waiting > 0 {
            return None;
        }
        state.free = state.free.checked_sub(1)?;
        Some(Permit(self))
    }

    /// Waits until nobody has the turn. Who has it must not wait for others of the threads.
    #[must_use]
    pub fn exclusive(&self) -> Exclusive<'_> {
        let mut state = self.state();
        while state.exclusive {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.exclusive = true;
        Exclusive(self)
    }

    fn state(&self) -> MutexGuard<'_, LimitState> {
        // Counting can't be interrupted half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let mut state = self.state();
        state.free = state.free.saturating_add(1);
        self.changed.notify_all();
    }

    /// Waits for a permit as long as `wanted` holds. When that changes, [`ThreadLimit::wake`] is to be called.
    fn wait(&self, wanted: impl Fn() -> bool) -> Option<Permit<'_>> {
        let mut state = self.state();
        loop {
            if !wanted() {
                return None;
            }
            if let Some(left) = state.free.checked_sub(1) {
                state.free = left;
                return Some(Permit(self));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets all that wait look whether they still want to.
    fn wake(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    fn begin_waiting(&self) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_add(1);
    }

    fn end_waiting(&self) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}

/// Applies `work` to every item with up to `jobs` threads (0 counts as 1); the results stand in the
/// order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_with(items, &ThreadLimit::new(jobs), work)
}

/// Applies `work` to every item with the calling thread and as many threads of the threads as are free, now
/// or later; the results stand in the order of the items. The caller must be of the threads: its outermost
/// thread, or one that does the work of another map with the same threads.
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

/// As [`map_with`], with something that each thread makes for itself by `begin` (a buffer, say). No item
/// is begun after an error; the results of those that were done stand with their numbers.
pub fn map_until_error<T: Sync, B, R: Send, E: Send>(
    items: &[T],
    threads: &ThreadLimit,
    begin: impl Fn() -> B + Sync,
    work: impl Fn(&mut B, &T) -> Result<R, E> + Sync,
) -> Vec<(usize, Result<R, E>)> {
    let map = ParallelMap {
        items,
        threads,
        begin,
        work,
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
        helper_waits: AtomicBool::new(false),
        helpers: AtomicUsize::new(0),
        done: Mutex::new(Vec::new()),
        panic: Mutex::new(None),
    };
    let lent = thread::scope(|scope| {
        map.work_items(scope);
        // Who only waits for the others lets somebody else work.
        let lend = map.helpers.load(Ordering::SeqCst) > 0;
        if lend {
            threads.release();
        }
        lend
    });
    if lent {
        std::mem::forget(threads.wait(|| true));
    }
    // A result that is absent would be a check that was left out.
    if let Some(panic) = into_inner(map.panic) {
        panic::resume_unwind(panic);
    }
    let mut done = into_inner(map.done);
    done.sort_unstable_by_key(|(number, _)| *number);
    done
}

/// One map and those who work at it.
struct ParallelMap<'a, T, F, W, R> {
    items: &'a [T],
    threads: &'a ThreadLimit,
    begin: F,
    work: W,
    next: AtomicUsize,
    stopped: AtomicBool,
    /// Whether a thread waits for a permit to help.
    helper_waits: AtomicBool,
    /// Threads with a permit that help.
    helpers: AtomicUsize,
    done: Mutex<Vec<(usize, R)>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<T, B, R, E, F, W> ParallelMap<'_, T, F, W, Result<R, E>>
where
    T: Sync,
    R: Send,
    E: Send,
    F: Fn() -> B + Sync,
    W: Fn(&mut B, &T) -> Result<R, E> + Sync,
{
    /// Works until no item is left.
    fn work_items<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        // A panic is carried to the caller, with its words.
        let worked = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut own = (self.begin)();
            let mut done = Vec::new();
            while let Some((number, item)) = self.take() {
                self.spawn_helper(scope);
                let result = (self.work)(&mut own, item);
                if result.is_err() {
                    self.stop();
                }
                done.push((number, result));
            }
            self.done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut done);
        }));
        if let Err(panic) = worked {
            self.stop();
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    fn take(&self) -> Option<(usize, &T)> {
        if self.stopped.load(Ordering::SeqCst) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let item = self.items.get(number)?;
        if self.threads.jobs > 1 && number.saturating_add(1) == self.items.len() {
            self.threads.wake();
        }
        Some((number, item))
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.threads.wake();
    }

    fn is_left(&self) -> bool {
        !self.stopped.load(Ordering::SeqCst) && self.next.load(Ordering::SeqCst) < self.items.len()
    }

    /// Sees to it that one thread waits to help, as long as there is something to help with.
    fn spawn_helper<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let wanted = self.threads.jobs > 1 && self.is_left();
        if !wanted || self.helper_waits.swap(true, Ordering::SeqCst) {
            return;
        }
        // Before the thread runs: until then nobody else shall take what is free.
        self.threads.begin_waiting();
        let helper = move || {
            let permit = self.threads.wait(|| self.is_left());
            self.threads.end_waiting();
            if permit.is_some() {
                self.helpers.fetch_add(1, Ordering::SeqCst);
                self.helper_waits.store(false, Ordering::SeqCst);
                self.work_items(scope);
                self.helpers.fetch_sub(1, Ordering::SeqCst);
            }
        };
        if thread::Builder::new().spawn_scoped(scope, helper).is_err() {
            // The system has no thread left; those that are there do the work.
            self.threads.end_waiting();
        }
    }
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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

    fn all_given_back(threads: &ThreadLimit) {
        let state = threads.state();
        assert_eq!((state.free, state.waiting), (threads.jobs - 1, 0));
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
            all_given_back(&threads);
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
                all_given_back(&threads);
            }
        }
    }

    #[test]
    fn nothing_is_begun_behind_an_error() {
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
            all_given_back(&threads);
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
            all_given_back(&threads);
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
            all_given_back(&threads);
        }
    }

    #[test]
    fn what_is_spare_is_what_nobody_waits_for() {
        let threads = ThreadLimit::new(3);
        let (one, two) = (threads.try_permit(), threads.try_permit());
        assert!(one.is_some() && two.is_some() && threads.try_permit().is_none());
        drop(one);
        assert!(threads.try_permit().is_some());
        threads.begin_waiting();
        assert!(threads.try_permit().is_none());
        threads.end_waiting();
        drop(two);
        all_given_back(&threads);
        assert!(ThreadLimit::new(1).try_permit().is_none());
    }
}
