//! Refreshes the Sigstore trusted root through TUF, with the client of `sigstore-trust-root`. The chain of
//! trust starts at a root that is built in or that the operator gives, never at one from the network.

use std::time::Duration;

use serde_json::Value;
use sigstore_trust_root::{TrustedRoot, TufBootstrap, TufConfig};

use super::http::Http;
use crate::verdict::{Code, Fault};

/// How long the whole refresh may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A TUF repository other than Sigstore's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufRepository {
    /// Its URL.
    pub url: String,
    /// Its `root.json`, obtained out of band.
    pub root: Vec<u8>,
}

/// Fetches the trusted root: from Sigstore's public instance unless another repository is named.
///
/// # Errors
/// [`Code::NetworkFailed`] when it can't be reached, or its metadata does not verify or has expired.
pub fn refresh(http: &Http, repository: Option<&TufRepository>) -> Result<Vec<u8>, Fault> {
    let config = match repository {
        None => TufConfig::production(),
        Some(named) => TufConfig::custom(named.url.as_str(), TufBootstrap::trusted(&named.root)),
    };
    // Without a cache: trust starts in the program or in a file, and the result goes into the transfer.
    let config = config.without_cache().with_http_client(http.client().clone());
    let place = repository.map_or("the TUF repository of Sigstore", |named| named.url.as_str());
    let fail = |reason: String| Fault::new(Code::NetworkFailed, reason).at(place);
    let fetched = http
        .block_on(async { tokio::time::timeout(PATIENCE, TrustedRoot::from_tuf(config)).await });
    let root = fetched
        .map_err(|_| fail(format!("no answer within {} s", PATIENCE.as_secs())))?
        .map_err(|error| fail(error.to_string()))?;
    serde_json::to_vec_pretty(&root).map_err(|error| fail(error.to_string()))
}

/// The day on which the newest log or authority in a trusted root became valid. It shows the age of the
/// root, which carries no date of its own.
#[must_use]
pub fn newest(trusted_root: &[u8]) -> Option<String> {
    fn starts(value: &Value, newest: &mut Option<String>) {
        match value {
            Value::Object(members) => {
                let start = members.get("validFor").and_then(|period| period.get("start"));
                if let Some(start) = start.and_then(Value::as_str)
                    && newest.as_deref().is_none_or(|newest| start > newest)
                {
                    *newest = Some(start.to_owned());
                }
                members.values().for_each(|value| starts(value, newest));
            }
            Value::Array(values) => values.iter().for_each(|value| starts(value, newest)),
            _ => {}
        }
    }
    let value: Value = serde_json::from_slice(trusted_root).ok()?;
    let mut newest = None;
    starts(&value, &mut newest);
    newest.map(|time| time.chars().take(10).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigstore::TrustMaterial;

    #[test]
    fn the_built_in_root_has_an_age() {
        let age = newest(&TrustMaterial::production_bytes()).unwrap();
        assert!(age.starts_with("202") && age.len() == 10, "{age}");
        assert_eq!(newest(b"{}"), None);
        assert_eq!(newest(b"x"), None);
    }
}
