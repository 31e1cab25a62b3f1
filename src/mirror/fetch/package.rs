//! Fetches a package: its bundle and key first, then the file.

use url::Url;

use super::material::absent;
use super::task::{FetchOutcome, FetchTask};
use super::verify_fetched::{Judgement, digest};
use crate::limits;
use crate::mirror::ImageDescription;
use crate::mirror::stage::Stage;
use crate::mirror::urls::redacted;
use crate::mirror::wanted::WantedItem;
use crate::pairing;
use crate::sigstore::SignatureBundle;
use crate::transfer::{self, Foreseen};
use crate::verdict::{Code, Fault, Outcome};

impl FetchTask<'_> {
    pub(super) fn package(&self, wanted: &WantedItem, url: &Url) -> Result<FetchOutcome, Fault> {
        let site = self.site()?;
        let file = wanted.path.rsplit('/').next().unwrap_or_default();
        let names = pairing::for_package(self.sealing.profile, file);
        let (Some(bundle), Some(key_file)) = (names.bundle, names.key) else {
            return Err(Fault::new(Code::ReferenceInvalid, "no name for its bundle").at(file));
        };
        let mut stage = Stage::new(self.store, wanted);
        let path = format!("{}/{bundle}", wanted.directory);
        let bundle = match self.vendor_file(
            &mut stage,
            &site.bundle_url.url_for(wanted.spelled()),
            &bundle,
            limits::BUNDLE_BYTES,
        ) {
            // It is unsigned, and the operator said so.
            Err(fault) if absent(&fault) && self.may_be_unsigned(wanted) => None,
            other => Some(other?),
        };
        if bundle.is_some() {
            self.package_key(&mut stage, &site.key_file_url.url_for(wanted.spelled()), &key_file)?;
            self.foresee(&stage, &[path], Foreseen::Package)?;
        }
        let there = self.store.folder.file(&wanted.path).is_ok();
        let signed = bundle.and_then(|bytes| SignatureBundle::parse_found(&bytes).ok());
        if let (Some(earlier), Some(bundle), false) = (self.earlier, signed, there)
            && let Some((item, digest)) = earlier.package(wanted, &bundle, self.sealing.profile)
        {
            // A bundle's statement counts only if the bundle verifies.
            let (view, material) = (stage.view()?, stage.material());
            let known =
                transfer::examine_absent(&view, &self.sealing, &wanted.path, &material, digest);
            match known {
                Ok(judged) if judged.report.outcome() == Outcome::Ok => {
                    stage.give_up()?;
                    return Ok(FetchOutcome::Carried(item, Some(Box::new(judged.report))));
                }
                _ => self.watch.say(&format!(
                    "{}: the bundle is not for what the earlier transfer carried; fetching it",
                    wanted.name
                )),
            }
        }
        let description = ImageDescription::default();
        // A file that no run fetched is used if it is what the vendor signed; otherwise it is in the way.
        if there && self.store.last(&wanted.path).is_none() {
            stage.put(&wanted.path, wanted.path.clone());
            let judged = self.verify_fetched(&stage, &description)?;
            if judged.0.outcome() != Outcome::Ok {
                self.store.may_replace(&wanted.path)?;
            }
            return self.accept(&mut stage, judged, redacted(url));
        }
        let hosts = self.hosts.and(url);
        let mut fetched = stage.large(self.http, url, &hosts, false, self.watch)?;
        let mut judged = self.verify_fetched(&stage, &description)?;
        let other = !fetched && !self.is_fetched(&stage, &judged);
        // A medium that lost power may have lost bytes that were written: fetch it again in one piece.
        let joined = fetched
            && stage
                .place()
                .and_then(|place| self.store.last(place))
                .is_some_and(|record| record.resumed_from > 0);
        if other || (joined && judged.0.outcome() == Outcome::Failed) {
            let why =
                if other { "not what was fetched before" } else { "wrong after it was continued" };
            self.watch.say(&format!("{}: {why}; fetching it again", wanted.path));
            fetched = stage.large(self.http, url, &hosts, true, self.watch)?;
            judged = self.verify_fetched(&stage, &description)?;
        }
        if fetched && !self.is_fetched(&stage, &judged) {
            let message = "the file on the disk is not what arrived";
            return Err(
                Fault::new(Code::SourceDisagrees, message).at(self.store.folder.show(&wanted.path))
            );
        }
        self.accept(&mut stage, judged, redacted(url))
    }

    /// Whether the file that was judged is the one that this or an earlier run fetched.
    fn is_fetched(&self, stage: &Stage<'_>, judged: &Judgement) -> bool {
        let digest = digest(judged, stage.wanted());
        let mut places = stage.place().into_iter().chain([stage.wanted().path.as_str()]);
        places.any(|place| self.store.is_recorded(place, digest))
    }
}
