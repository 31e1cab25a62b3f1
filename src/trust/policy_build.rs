//! From the policy as written to the policy as meant. What is missing, contradictory or said twice
//! is refused, with the place.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::{IMAGE_DIGEST_KINDS, TrustPolicy, Vendor, VendorKey};
use super::policy_raw::{
    RawPolicy, RawStatus, RawTransferKey, RawTransparency, RawUnlisted, RawVendor, RawVendorKey,
    age, malformed, time,
};
use super::terms::{KeyStatus, KeyTerms};
use super::{NamePattern, TransferKey, VendorProfile, is_stream_name};
use crate::digest::Sha256Digest;
use crate::key::{KeyKind, PublicKey};
use crate::limits;
use crate::sigstore::{Transparency, TrustMaterial};
use crate::verdict::Fault;

/// Reads a file that the policy names, at most
/// [`TRUSTED_ROOT_BYTES`](limits::TRUSTED_ROOT_BYTES) of it.
type Read<'r> = dyn FnMut(&str) -> Result<Vec<u8>, Fault> + 'r;

impl TrustPolicy {
    /// Reads a policy (`trust.toml`). `read` is asked for each file that the policy names, by the
    /// name in the policy, and should read no more than
    /// [`TRUSTED_ROOT_BYTES`](limits::TRUSTED_ROOT_BYTES); this function bounds the bytes by their kind.
    ///
    /// # Errors
    /// [`Code::PolicyMalformed`](crate::verdict::Code::PolicyMalformed) with the place: a line, or
    /// the names of vendor and key.
    pub fn from_toml(
        bytes: &[u8],
        read: &mut dyn FnMut(&str) -> Result<Vec<u8>, Fault>,
    ) -> Result<Self, Fault> {
        let digest = Sha256Digest::of(bytes);
        PolicyBuilder { read, keys: BTreeMap::new(), digest }.policy(RawPolicy::parse(bytes)?)
    }
}

struct PolicyBuilder<'b, 'r> {
    read: &'b mut Read<'r>,
    /// Where each key was seen.
    keys: BTreeMap<Sha256Digest, String>,
    digest: Sha256Digest,
}

impl PolicyBuilder<'_, '_> {
    fn policy(mut self, raw: RawPolicy) -> Result<TrustPolicy, Fault> {
        let (mut max_age, mut transfer_keys) = (None, Vec::new());
        let mut accepts_unlisted = false;
        let mut streams = None;
        if let Some(transfer) = raw.transfer {
            accepts_unlisted = transfer.unlisted_vendors == RawUnlisted::Accept;
            max_age = transfer
                .max_age
                .map(|text| age(&text))
                .transpose()
                .map_err(|fault| fault.at("transfer"))?;
            streams = stream_names(transfer.streams).map_err(|fault| fault.at("transfer"))?;
            let mut names = BTreeSet::new();
            for key in filled("transfer.key", transfer.key)?.unwrap_or_default() {
                transfer_keys.push(self.transfer_key(key, &mut names)?);
            }
        }
        let mut vendors = Vec::new();
        let mut names = BTreeSet::new();
        for vendor in filled("vendor", raw.vendor)?.unwrap_or_default() {
            vendors.push(self.vendor(vendor, &mut names)?);
        }
        if vendors.is_empty() && transfer_keys.is_empty() {
            return Err(malformed("the policy names neither a vendor nor a transfer key"));
        }
        let trusted_root = raw
            .trusted_root
            .map(|name| self.trusted_root(&name))
            .transpose()
            .map_err(|fault| fault.at("trusted_root"))?;
        let digest = self.digest;
        Ok(TrustPolicy {
            max_age,
            accepts_unlisted,
            streams,
            transfer_keys,
            vendors,
            trusted_root,
            digest,
        })
    }

    fn transfer_key(
        &mut self,
        raw: RawTransferKey,
        names: &mut BTreeSet<String>,
    ) -> Result<TransferKey, Fault> {
        let place = format!("transfer key \"{}\"", raw.name);
        let build = |this: &mut Self| {
            distinct(names, &raw.name, "transfer keys")?;
            let key = this
                .public_key(raw.file.as_deref(), raw.public_key.as_deref())?
                .ok_or_else(|| malformed("a transfer key needs file or public_key"))?;
            if key.kind() != KeyKind::EcdsaP256 {
                return Err(malformed("the type of key can't seal a transfer")
                    .expected_found(KeyKind::EcdsaP256, key.kind()));
            }
            this.fingerprint(raw.fingerprint.as_deref(), Some(&key), &place)?;
            let terms = terms(
                raw.status,
                [&raw.retired_at, &raw.compromised_at, &raw.valid_from, &raw.valid_until],
                None,
            )?;
            Ok(TransferKey { name: raw.name, key, terms, streams: stream_names(raw.streams)? })
        };
        build(self).map_err(|fault| fault.at(&*place))
    }

    fn vendor(&mut self, raw: RawVendor, names: &mut BTreeSet<String>) -> Result<Vendor, Fault> {
        let place = format!("vendor \"{}\"", raw.name);
        let at = |fault: Fault| fault.at(&*place);
        distinct(names, &raw.name, "vendors").map_err(at)?;
        let profile = match raw.profile.as_deref() {
            None | Some("k2view") => VendorProfile::k2view(),
            Some(name) => self.bytes(name).and_then(|bytes| VendorProfile::from_toml(&bytes)),
        }
        .map_err(|fault| at(unusable(&fault).at("profile")))?;
        let digest_kinds = filled("digest_kinds", raw.digest_kinds).map_err(at)?;
        let digest_kinds = digest_kinds.map(digest_kinds_of).transpose().map_err(at)?;
        let allow_unsigned = patterns("allow_unsigned", raw.allow_unsigned).map_err(at)?;
        let images = patterns("allow_unsigned_images", raw.allow_unsigned_images).map_err(at)?;
        let raw_keys = filled("key", raw.key).map_err(at)?;
        let raw_keys = raw_keys.ok_or_else(|| at(malformed("the vendor has no key")))?;
        let mut keys = Vec::new();
        let mut key_names = BTreeSet::new();
        for key in raw_keys {
            let place = format!("{place}, key \"{}\"", key.name);
            keys.push(
                self.vendor_key(key, &mut key_names, &place).map_err(|fault| fault.at(&*place))?,
            );
        }
        Ok(Vendor {
            name: raw.name,
            profile,
            transparency: match raw.transparency {
                RawTransparency::Required => Transparency::Required,
                RawTransparency::Optional => Transparency::AbsentAllowed,
            },
            digest_kinds,
            allow_unsigned: allow_unsigned.unwrap_or_default(),
            allow_unsigned_images: images.unwrap_or_default(),
            keys,
        })
    }

    fn vendor_key(
        &mut self,
        raw: RawVendorKey,
        names: &mut BTreeSet<String>,
        place: &str,
    ) -> Result<VendorKey, Fault> {
        distinct(names, &raw.name, "keys")?;
        let key = self.public_key(raw.file.as_deref(), raw.public_key.as_deref())?;
        let fingerprint = self.fingerprint(raw.fingerprint.as_deref(), key.as_ref(), place)?;
        let times = [&raw.retired_at, &raw.compromised_at, &raw.valid_from, &raw.valid_until];
        let terms = terms(raw.status, times, patterns("artifacts", raw.artifacts.clone())?)?;
        Ok(VendorKey { name: raw.name, fingerprint, key, terms })
    }

    /// The key in a file or inline.
    fn public_key(
        &mut self,
        file: Option<&str>,
        inline: Option<&str>,
    ) -> Result<Option<PublicKey>, Fault> {
        let read = |bytes: &[u8]| PublicKey::from_pem(bytes).map(Some);
        match (file, inline) {
            (Some(_), Some(_)) => Err(malformed("file and public_key are given: one of them")),
            (None, None) => Ok(None),
            (Some(name), None) => self
                .bytes(name)
                .and_then(|bytes| read(&bytes))
                .map_err(|fault| unusable(&fault).at(format!("file \"{name}\""))),
            (None, Some(text)) => {
                read(text.as_bytes()).map_err(|fault| unusable(&fault).at("public_key"))
            }
        }
    }

    /// The key's fingerprint, equal to the one that is written down, and seen for the first time.
    fn fingerprint(
        &mut self,
        written: Option<&str>,
        key: Option<&PublicKey>,
        place: &str,
    ) -> Result<Sha256Digest, Fault> {
        let written: Option<Sha256Digest> =
            written.map(str::parse).transpose().map_err(|error| {
                malformed(format!("{error}"))
                    .at("fingerprint")
                    .expected_found("sha256: and 64 digits", written.unwrap_or_default())
            })?;
        let fingerprint = match (written, key.map(PublicKey::fingerprint)) {
            (Some(written), Some(found)) if written != found => {
                return Err(malformed("the key is not the one that the fingerprint names")
                    .expected_found(written, found));
            }
            (Some(fingerprint), _) | (None, Some(fingerprint)) => fingerprint,
            (None, None) => {
                return Err(malformed("the key needs a fingerprint, a file or public_key"));
            }
        };
        match self.keys.insert(fingerprint, place.to_owned()) {
            None => Ok(fingerprint),
            Some(first) => Err(malformed(format!("the same key as {first}: {fingerprint}"))),
        }
    }

    fn trusted_root(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        let bytes = self.bytes(name).map_err(|fault| unusable(&fault))?;
        TrustMaterial::from_json(&bytes).map_err(|fault| unusable(&fault))?;
        Ok(bytes)
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        if name.is_empty() {
            return Err(malformed("a file name is empty"));
        }
        (self.read)(name)
    }
}

/// A fault of a file that the policy names, as a fault of the policy.
fn unusable(fault: &Fault) -> Fault {
    let mut out = malformed(fault.message());
    if let (Some(expected), Some(found)) = (fault.expected(), fault.found()) {
        out = out.expected_found(expected, found);
    }
    match fault.place() {
        Some(place) => out.at(place),
        None => out,
    }
}

/// A list that is given must not be empty: one person would read that as "none", another as "all".
fn filled<T>(field: &str, list: Option<Vec<T>>) -> Result<Option<Vec<T>>, Fault> {
    match list {
        Some(list) if list.is_empty() => {
            Err(malformed(format!("the list {field} is empty; leave it out or fill it")))
        }
        list => Ok(list),
    }
}

/// A name that can be read, and that no other of its kind has.
fn distinct(names: &mut BTreeSet<String>, name: &str, kind: &str) -> Result<(), Fault> {
    if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        return Err(malformed("the name is empty, or has control characters or spaces around it"));
    }
    if name.len() > limits::ARCHIVE_NAME_BYTES {
        let message = format!("the name is longer than {} bytes", limits::ARCHIVE_NAME_BYTES);
        return Err(malformed(message));
    }
    if !names.insert(name.to_owned()) {
        return Err(malformed(format!("two {kind} have this name")));
    }
    Ok(())
}

fn patterns(field: &str, list: Option<Vec<String>>) -> Result<Option<Vec<NamePattern>>, Fault> {
    let Some(list) = filled(field, list)? else { return Ok(None) };
    let patterns: Result<_, _> = list.iter().map(|text| NamePattern::new(text)).collect();
    patterns.map(Some).map_err(|error| malformed(error.to_string()).at(field))
}

fn digest_kinds_of(list: Vec<String>) -> Result<BTreeSet<&'static str>, Fault> {
    list.into_iter()
        .map(|kind| {
            IMAGE_DIGEST_KINDS.into_iter().find(|known| *known == kind).ok_or_else(|| {
                malformed("there is no such kind of digest")
                    .at("digest_kinds")
                    .expected_found(IMAGE_DIGEST_KINDS.join(" or "), kind)
            })
        })
        .collect()
}

/// Names of streams, each once.
fn stream_names(list: Option<Vec<String>>) -> Result<Option<BTreeSet<String>>, Fault> {
    let Some(list) = filled("streams", list)? else { return Ok(None) };
    let mut names = BTreeSet::new();
    for name in list {
        if !is_stream_name(&name) {
            return Err(malformed("not the name of a stream").at("streams").expected_found(
                "1 to 64 of a-z 0-9 . _ -, a letter or digit first",
                format_args!("{name:?}"),
            ));
        }
        if !names.insert(name) {
            return Err(malformed("a stream is listed twice").at("streams"));
        }
    }
    Ok(Some(names))
}

/// The terms of a key; `times` are `retired_at`, `compromised_at`, `valid_from` and `valid_until`.
fn terms(
    status: RawStatus,
    times: [&Option<toml::Value>; 4],
    artifacts: Option<Vec<NamePattern>>,
) -> Result<KeyTerms, Fault> {
    let [retired_at, compromised_at, valid_from, valid_until] = times;
    let terms = KeyTerms {
        status: self::status(status, retired_at.as_ref(), compromised_at.as_ref())?,
        valid_from: optional_time("valid_from", valid_from.as_ref())?,
        valid_until: optional_time("valid_until", valid_until.as_ref())?,
        artifacts,
    };
    if let (Some(from), Some(until)) = (terms.valid_from, terms.valid_until)
        && from >= until
    {
        return Err(malformed("valid_until is not after valid_from")
            .expected_found(format_args!("a time after {from}"), until));
    }
    Ok(terms)
}

/// The status with its time; a time that belongs to another status is a contradiction.
fn status(
    status: RawStatus,
    retired_at: Option<&toml::Value>,
    compromised_at: Option<&toml::Value>,
) -> Result<KeyStatus, Fault> {
    let retired_at = optional_time("retired_at", retired_at)?;
    let compromised_at = optional_time("compromised_at", compromised_at)?;
    match (status, retired_at, compromised_at) {
        (RawStatus::Active, None, None) => Ok(KeyStatus::Active),
        (RawStatus::Retired, Some(at), None) => Ok(KeyStatus::Retired { at }),
        (RawStatus::Revoked, None, compromised_at) => Ok(KeyStatus::Revoked { compromised_at }),
        (RawStatus::Retired, None, _) => Err(malformed("a retired key needs retired_at")),
        (_, Some(_), _) => Err(malformed("retired_at belongs to status = \"retired\" only")),
        (_, _, Some(_)) => Err(malformed("compromised_at belongs to status = \"revoked\" only")),
    }
}

fn optional_time(
    field: &str,
    value: Option<&toml::Value>,
) -> Result<Option<jiff::Timestamp>, Fault> {
    value.map(|value| time(field, value)).transpose()
}
