//! One map: the threads that work at it, and how more join them.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use super::limit::ThreadLimit;

/// As [`map_with`](super::map_with), with something that each thread makes for itself by `begin` (a
/// buffer, say). After an error no further item is begun; the results so far come with the numbers of
/// their items, in order.
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
        // A thread that only waits for its helpers lets another one work.
        let lend = map.helpers.load(Ordering::SeqCst) > 0;
        if lend {
            threads.release();
        }
        lend
    });
    if lent {
        std::mem::forget(threads.wait(|| true));
    }
    // Without the result of the item that panicked, a check would be missing.
    if let Some(panic) = into_inner(map.panic) {
        panic::resume_unwind(panic);
    }
    let mut done = into_inner(map.done);
    done.sort_unstable_by_key(|(number, _)| *number);
    done
}

/// One map and the threads that work at it.
struct ParallelMap<'a, T, F, W, R> {
    items: &'a [T],
    threads: &'a ThreadLimit,
    begin: F,
    work: W,
    next: AtomicUsize,
    stopped: AtomicBool,
    /// Whether a thread waits for a permit to help.
    helper_waits: AtomicBool,
    /// Threads that help, each with a permit.
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
        // A panic goes on in the caller, with its payload.
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
        if self.threads.jobs() > 1 && number.saturating_add(1) == self.items.len() {
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

    /// Makes one thread wait for a permit to help, if there are items left and none waits yet.
    fn spawn_helper<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let wanted = self.threads.jobs() > 1 && self.is_left();
        if !wanted || self.helper_waits.swap(true, Ordering::SeqCst) {
            return;
        }
        // Announced before the thread runs, so that nobody else takes the free permit meanwhile.
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
            // The system has no thread left; those that run do the work.
            self.threads.end_waiting();
        }
    }
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
