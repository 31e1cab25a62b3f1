//! What to seal and by which rules: everything that sealing needs apart from the folder itself.
//!
//! A request can be refused before any folder is looked at ([`possible`]). Nothing is sealed here.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{CHECK_SCRIPT, FETCH_LOG};
use super::manifest::{Base, OmittedItem, Requested};
use super::named_keys::{self, NamedKeys};
use super::scalars;
use crate::artifact::{BundleRules, VendorKeys};
use crate::image::Options;
use crate::key::PrivateKey;
use crate::limits;
use crate::path;
use crate::sigstore::{HashRule, Transparency, TrustMaterial};
use crate::survey::Survey;
use crate::trust::{Profiles, VendorProfile};
use crate::verdict::{Code, Fault};

/// How to seal.
#[derive(Debug, Clone, Copy)]
pub struct SealRequest<'a> {
    /// The operator's transfer key.
    pub key: &'a PrivateKey,
    /// Which vendor keys count.
    pub named_keys: NamedKeys<'a>,
    /// The conventions of vendors that no policy lists.
    pub profile: &'a VendorProfile,
    /// Whether those vendors need log entries.
    pub transparency: Transparency,
    /// The logs and authorities to trust.
    pub material: &'a TrustMaterial,
    /// The trusted root's file; none for the built-in one.
    pub trusted_root: Option<&'a [u8]>,
    /// Names of artifacts that may be unsigned.
    pub allow_unsigned: &'a [String],
    /// The line of transfers.
    pub stream: &'a str,
    /// When the transfer expires.
    pub expires: Option<jiff::Timestamp>,
    /// Free text.
    pub notes: Option<&'a str>,
    /// What was asked for on the connected side.
    pub requested: &'a [Requested],
    /// What of it could not be fetched.
    pub omitted: &'a [OmittedItem],
    /// The earlier transfer that this one builds on.
    pub base: Option<&'a Base>,
    /// Files that the operator excludes from the seal, by path. They stay in the folder; if they are carried
    /// along, the far side refuses them.
    pub exclude: &'a BTreeSet<String>,
    /// The names and sources of artifacts, by path.
    pub origins: &'a BTreeMap<String, Origin>,
    /// Files to add in `tools/`, and the log of fetches.
    pub extra: &'a [AddedFile],
    /// 128 random bits.
    pub transfer_id: [u8; 16],
    /// The present.
    pub now: jiff::Timestamp,
    /// Threads and progress.
    pub reading: Options<'a>,
}

impl<'a> SealRequest<'a> {
    /// Whether an artifact that nobody signed may be sealed: by the policy if it lists vendors (an option
    /// must agree with it); else by option. `image` says whether it is one by its content.
    #[must_use]
    pub fn allows_unsigned(&self, name: &str, path: &str, image: bool) -> bool {
        match self.named_keys.policy.filter(|policy| !policy.vendors().is_empty()) {
            Some(policy) => {
                policy.vendors().iter().any(|vendor| vendor.allows_unsigned(name, path, image))
            }
            None => self.allow_unsigned.iter().any(|allowed| allowed == name || allowed == path),
        }
    }

    /// The vendor keys to trust, given what the folder holds.
    pub(super) fn vendor_keys(&self, survey: &Survey) -> Result<VendorKeys<'a>, Fault> {
        let (keys, unnamed) = named_keys::keys(&self.named_keys, survey)?;
        Ok(VendorKeys {
            keys,
            unnamed,
            profiles: Profiles::one(self.profile),
            rules: BundleRules {
                trust: self.material,
                transparency: self.transparency,
                hash: HashRule::Known,
                now: self.now,
            },
        })
    }

    /// The operator's names of artifacts, by path.
    pub(super) fn names_by_path(&self) -> BTreeMap<&str, &str> {
        self.origins.iter().map(|(path, origin)| (path.as_str(), origin.name.as_str())).collect()
    }
}

/// What the operator calls an artifact and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name: the reference or URL that was asked for.
    pub name: String,
    /// Where it came from.
    pub source: String,
}

/// One file that sealing adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFile {
    /// Its path below the directory.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// Refuses a request that can't be carried out, whatever the folder holds.
///
/// # Errors
/// [`Code::Usage`] and [`Code::PolicyForbids`].
pub fn possible(request: &SealRequest<'_>) -> Result<(), Fault> {
    scalars::stream(request.stream).map_err(|fault| Fault::new(Code::Usage, fault.to_string()))?;
    if request.expires.is_some_and(|expires| expires <= request.now) {
        return Err(Fault::new(Code::Usage, "--expires is not in the future"));
    }
    if request.notes.is_some_and(|notes| notes.len() > limits::MANIFEST_NOTES_BYTES) {
        let message = format!("--notes has more than {} bytes", limits::MANIFEST_NOTES_BYTES);
        return Err(Fault::new(Code::Usage, message));
    }
    named_keys::permitted(&request.named_keys)?;
    extra(request)
}

/// Refuses added files outside of `tools/`, except for the log of fetches.
fn extra(request: &SealRequest<'_>) -> Result<(), Fault> {
    let fits = |name: &str| {
        name == FETCH_LOG || (name.starts_with("tools/") && path::portable(name).is_ok())
    };
    let mut names = BTreeSet::new();
    let mut twice = |file: &AddedFile| !names.insert(file.name.to_ascii_lowercase());
    let own = |file: &AddedFile| file.name.eq_ignore_ascii_case(CHECK_SCRIPT);
    match request.extra.iter().find(|file| !fits(&file.name) || own(file) || twice(file)) {
        Some(file) => {
            let message =
                "a file that is added to the seal must be in tools/, under a name of its own";
            Err(Fault::new(Code::Usage, message).at(&file.name))
        }
        None => Ok(()),
    }
}
