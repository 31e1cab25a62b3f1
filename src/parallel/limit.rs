//! How many threads may work at once, across maps inside maps.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many threads one run may keep busy, shared by all its maps however deep they are nested: the
/// thread that calls the outermost map, and one for each permit.
#[derive(Debug)]
pub struct ThreadLimit {
    jobs: usize,
    state: Mutex<LimitState>,
    changed: Condvar,
}

#[derive(Debug)]
struct LimitState {
    /// Permits that nobody holds.
    free: usize,
    /// Maps that have items left and wait for a permit.
    waiting: usize,
    /// Whether a thread holds [`Exclusive`].
    exclusive: bool,
}

/// The right to keep one thread busy, released when it is dropped.
#[derive(Debug)]
pub struct Permit<'a>(&'a ThreadLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The right to what only one thread may have at a time, released when it is dropped.
#[derive(Debug)]
pub struct Exclusive<'a>(&'a ThreadLimit);

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        self.0.state().exclusive = false;
        self.0.changed.notify_all();
    }
}

impl ThreadLimit {
    /// A limit of `jobs` threads (0 counts as 1), including the caller's.
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

    /// Takes a permit if one is free and no map waits for it.
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

    /// Waits until no other thread holds the exclusive right. Its holder must not wait for another thread
    /// of this limit.
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
        // No panic can interrupt the counting, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn release(&self) {
        let mut state = self.state();
        state.free = state.free.saturating_add(1);
        self.changed.notify_all();
    }

    /// Waits for a permit while `wanted` holds. Whoever changes that must call [`ThreadLimit::wake`].
    pub(super) fn wait(&self, wanted: impl Fn() -> bool) -> Option<Permit<'_>> {
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

    /// Makes all who wait ask again whether they still want to.
    pub(super) fn wake(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    /// Reserves the next free permit for a map that has items left.
    pub(super) fn begin_waiting(&self) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_add(1);
    }

    pub(super) fn end_waiting(&self) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(1);
    }

    /// Whether nobody holds a permit or waits for one.
    #[cfg(test)]
    pub(super) fn is_unused(&self) -> bool {
        let state = self.state();
        (state.free, state.waiting) == (self.jobs - 1, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_is_free_only_if_nobody_waits_for_it() {
        let threads = ThreadLimit::new(3);
        let (one, two) = (threads.try_permit(), threads.try_permit());
        assert!(one.is_some() && two.is_some() && threads.try_permit().is_none());
        drop(one);
        assert!(threads.try_permit().is_some());
        threads.begin_waiting();
        assert!(threads.try_permit().is_none());
        threads.end_waiting();
        drop(two);
        assert!(threads.is_unused());
        assert!(ThreadLimit::new(1).try_permit().is_none());
    }
}
