//! Fetches a newer trusted root than the built-in one.

use super::args::MirrorArgs;
use crate::cli::files;
use crate::cli::sealing::SealSettings;
use crate::limits;
use crate::mirror::Watch;
use crate::mirror::http::Http;
use crate::mirror::tuf::{self, TufRepository};
use crate::sigstore::TrustMaterial;
use crate::verdict::{Code, Fault};

/// Replaces the built-in trusted root by a newer one if possible. A repository that the operator named
/// must answer; Sigstore's own need not.
pub(super) fn refresh(
    arguments: &MirrorArgs,
    http: &Http,
    sealing: &mut SealSettings<'_>,
    watch: &dyn Watch,
) -> Result<(), Fault> {
    let repository = match (&arguments.tuf_mirror, &arguments.tuf_root) {
        (Some(url), Some(path)) => {
            let root = files::read_config(path, limits::TRUSTED_ROOT_BYTES, Code::Usage)?;
            Some(TufRepository { url: url.clone(), root })
        }
        _ => None,
    };
    let age = |bytes: &[u8]| tuf::newest(bytes).unwrap_or_else(|| "unknown".to_owned());
    match tuf::refresh(http, repository.as_ref()) {
        Ok(bytes) => {
            sealing.material = TrustMaterial::from_json(&bytes)?;
            let age = age(&bytes);
            watch.say(&format!("trusted root: fetched; its newest log or authority is from {age}"));
            sealing.root = Some(bytes);
            Ok(())
        }
        Err(fault) if repository.is_some() => Err(fault),
        Err(fault) => {
            let age = age(&TrustMaterial::production_bytes());
            watch.say(&format!(
                "trusted root: built in; its newest log or authority is from {age}; a newer one could \
                 not be fetched ({fault})"
            ));
            Ok(())
        }
    }
}
