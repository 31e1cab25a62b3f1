//! Fetches an image: its bundles and keys first, then the archive.

use super::judge::{Judgement, digest, stated};
use super::task::{FetchOutcome, FetchTask};
use crate::mirror::stage::Stage;
use crate::mirror::wanted::WantedItem;
use crate::mirror::{FetchRecord, FoundImage, ImageDescription};
use crate::transfer::Foreseen;
use crate::verdict::{Fault, Outcome};

impl FetchTask<'_> {
    pub(super) fn image(
        &self,
        wanted: &WantedItem,
        found: &dyn FoundImage,
    ) -> Result<FetchOutcome, Fault> {
        let description = found.description();
        let there = |path: &str| self.store.folder.file(path).is_ok();
        // What lies here need not be fetched, and nothing is taken away.
        if !there(&wanted.path)
            && let Some(item) = self.earlier.and_then(|it| it.image(wanted, description))
        {
            Stage::new(self.store, wanted).give_up()?;
            return Ok(FetchOutcome::Carried(item, None));
        }
        for note in &description.notes {
            self.watch.say(&format!("{}: {note}", wanted.name));
        }
        let mut stage = Stage::new(self.store, wanted);
        let mut alone = None;
        // An archive shows its labels only when it is read.
        if !description.labels.is_empty() {
            let bundles = self.image_material(&mut stage, &description.labels)?;
            // Of a registry every digest is known that the archive will prove.
            if description.source.starts_with("docker://") {
                self.foresee(&stage, &bundles, Foreseen::Image(&description.stated))?;
                // An index that lists what is not brought goes along only if somebody signed it.
                alone = found.without_index().filter(|(index, _)| {
                    let index = Foreseen::Image(std::slice::from_ref(index));
                    bundles.is_empty() || self.foresee(&stage, &bundles, index).is_err()
                });
            }
        }
        let found = match &alone {
            None => found,
            Some((index, alone)) => {
                let name = &wanted.name;
                self.watch
                    .say(&format!("{name}: left out: the index {index}, which nobody signed"));
                &**alone
            }
        };
        let description = found.description();
        let recorded =
            |place: &str| self.store.last(place).is_some_and(|it| it.url == description.source);
        // A run that ended before it had read what it fetched did not record it: what the source
        // states tells whether it is the same.
        let mut here = None;
        for place in stage.places() {
            if here.is_none()
                && there(&place)
                && (recorded(&place) || !description.stated.is_empty())
            {
                stage.put(&wanted.path, place.clone());
                let judged = self.judge(&stage, description).ok();
                here = judged.filter(|it| self.is_it(&stage, description, recorded(&place), it));
                if here.is_none() && recorded(&place) {
                    self.watch.say(&format!("{place}: not what was fetched before; fetched again"));
                }
            }
        }
        let new = here.is_none() || !stage.place().is_some_and(recorded);
        let mut judged = match here {
            Some(judged) => judged,
            None => {
                self.store.may_replace(&wanted.path)?;
                self.fetch_image(&mut stage, found)?;
                self.judge(&stage, description)?
            }
        };
        if description.labels.is_empty() {
            let labels: Vec<_> =
                judged.1.images(&wanted.path).iter().map(|image| image.labels.clone()).collect();
            self.image_material(&mut stage, &labels)?;
            judged = self.judge(&stage, description)?;
        }
        stated(wanted, description, &judged.1)?;
        if new
            && let (Some(it), Some(place)) = (judged.1.digest(&wanted.path), stage.place())
            && (place != wanted.path || self.store.last(place).is_some())
        {
            let source = description.source.clone();
            self.store.record([FetchRecord::local(source, place, it.size, it.sha256)])?;
        }
        self.accept(&mut stage, judged, description.source.clone())
    }

    /// Whether the archive that lies here is the image that was found: the one that was recorded, or
    /// one that verifies; with the digests that the source states, among them those of the chosen
    /// platforms.
    fn is_it(
        &self,
        stage: &Stage<'_>,
        description: &ImageDescription,
        recorded: bool,
        judged: &Judgement,
    ) -> bool {
        let wanted = stage.wanted();
        let same = match stage.place() {
            Some(place) if recorded => self.store.is_recorded(place, digest(judged, wanted)),
            _ => judged.0.outcome() == Outcome::Ok,
        };
        same && stated(wanted, description, &judged.1).is_ok()
    }

    fn fetch_image(&self, stage: &mut Stage<'_>, found: &dyn FoundImage) -> Result<(), Fault> {
        stage.begin()?;
        let path = &stage.wanted().path;
        let beside = stage.beside(path);
        let fetched = found.fetch(self.store.folder, &beside, self.watch)?;
        self.store.came();
        stage.put(path, beside);
        // The whole archive is recorded when it was read and is right.
        let blobs = fetched.into_iter().filter(|it| it.url != found.description().source);
        self.store.record(blobs)
    }
}
