//! A whole run: locate everything, see that there is space, fetch and judge each item, seal what is right.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fetch::{FetchTask, Located};
use super::finish::MirrorOutcome;
use super::mirror_request::MirrorRequest;
use super::stage::Stage;
use super::store::Store;
use super::wanted::WantedItem;
use crate::parallel;
use crate::transfer::SealError;
use crate::verdict::{Code, Fault};

impl MirrorRequest<'_> {
    /// Fetches, judges and seals.
    ///
    /// # Errors
    /// [`Code::NoSpace`] and [`Code::FileTooLarge`], before anything is fetched.
    pub fn run(self) -> Result<MirrorOutcome, Fault> {
        let store = Store::new(self.folder);
        let fetch_task = self.fetch_task(&store);
        let locations = self.locate_all(&fetch_task);
        self.space(&fetch_task, &locations)?;
        let there = self.wanted.iter().map(|wanted| wanted.path.clone());
        let before: BTreeSet<String> =
            there.filter(|path| self.folder.file(path).is_ok()).collect();
        let stopped = AtomicBool::new(false);
        let tasks: Vec<(&WantedItem, Result<Located<'_>, Fault>)> =
            self.wanted.iter().zip(locations).collect();
        let results = parallel::map(&tasks, self.jobs, |(wanted, located)| {
            if stopped.load(Ordering::Relaxed) {
                let message = "not tried, because another one failed (--fail-fast)";
                return Err(Fault::new(Code::NotBrought, message));
            }
            let result = match located {
                Ok(located) => fetch_task.fetch(wanted, located),
                Err(fault) => Err(fault.clone()),
            };
            if result.is_err() && self.fail_fast {
                stopped.store(true, Ordering::Relaxed);
            }
            result
        });
        drop(tasks);
        let outcomes = self.finish(&fetch_task, &before, results);
        if matches!(outcomes.made, Err(SealError::Fault(_))) {
            store.settle()?;
        }
        Ok(outcomes)
    }

    /// Refuses what does not fit on the medium, by the sizes that are certain: those of archives on this
    /// machine. A size that a server states may be wrong, so it concerns its own artifact only; that all of
    /// them may not fit is a warning.
    fn space(
        &self,
        fetch_task: &FetchTask<'_>,
        locations: &[Result<Located<'_>, Fault>],
    ) -> Result<(), Fault> {
        let room = self.folder.free_space()?;
        let (mut needed, mut stated) = (0_u64, 0_u64);
        for (wanted, located) in self.wanted.iter().zip(locations) {
            let Ok(located) = located else { continue };
            let spared =
                fetch_task.is_here(wanted, located) || fetch_task.is_carried(wanted, located);
            let Some(size) = located.size().filter(|_| !spared) else { continue };
            let left = size.saturating_sub(Stage::new(fetch_task.store, wanted).bytes());
            stated = stated.saturating_add(left);
            if !located.is_local() {
                continue;
            }
            if room.largest_file.is_some_and(|largest| size > largest) {
                return Err(Fault::new(
                    Code::FileTooLarge,
                    format!("{} has {size} bytes", wanted.name),
                )
                .at(self.folder.shown()));
            }
            needed = needed.saturating_add(left);
        }
        if needed > room.free {
            return Err(Fault::new(Code::NoSpace, "not enough space")
                .at(self.folder.shown())
                .expected_found(format!("{needed} bytes"), format!("{} bytes free", room.free)));
        }
        if stated > room.free {
            self.watch.say(&format!(
                "{}: {} bytes are free, and the servers state {stated} bytes to fetch: not \
                 everything may fit",
                self.folder.shown(),
                room.free
            ));
        }
        Ok(())
    }
}
