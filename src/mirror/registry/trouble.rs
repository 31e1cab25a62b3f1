//! What `oci-client`'s errors mean: whether to try again, and in whose words.

use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};

use super::wire;
use crate::mirror::http::Trouble as Attempt;
use crate::verdict::{Code, Fault};

/// Why an attempt to fetch a blob ended.
pub(super) enum Trouble {
    Attempt(Attempt),
    /// The pass of this number opens nothing, or nothing more.
    Expired(u64),
}

impl From<Attempt> for Trouble {
    fn from(attempt: Attempt) -> Self {
        Self::Attempt(attempt)
    }
}

/// Judges an error of a request that showed the pass of this number.
pub(super) fn of(error: OciDistributionError, number: u64) -> Trouble {
    use OciDistributionError as Error;
    Trouble::Attempt(match error {
        Error::UnauthorizedError { .. } => return Trouble::Expired(number),
        Error::RequestError(error) => wire::failed(error),
        Error::ServerError { code, message, .. } => wire::refused(code, message.as_bytes()),
        // A refusal in the registry's own form comes without its status.
        Error::RegistryError { envelope, .. } => {
            let later = envelope.errors.iter().any(|it| it.code == OciErrorCode::Toomanyrequests);
            let words: Vec<String> =
                envelope.errors.iter().take(3).map(|it| it.message.clone()).collect();
            let message = format!("the registry refuses: {}", words.join("; "));
            let fault = Fault::new(Code::HttpRefused, message);
            if later { Attempt::Again(fault, None) } else { Attempt::Stop(fault) }
        }
        other => Attempt::Stop(Fault::new(Code::ResponseInvalid, other.to_string())),
    })
}

/// An answer that broke off.
pub(super) fn broken(error: std::io::Error) -> Attempt {
    match error.into_inner().map(|inner| inner.downcast::<reqwest::Error>()) {
        Some(Ok(error)) => wire::failed(*error),
        Some(Err(error)) => {
            Attempt::Again(Fault::new(Code::NetworkFailed, error.to_string()), None)
        }
        None => Attempt::Again(Fault::new(Code::NetworkFailed, "the transfer broke off"), None),
    }
}

/// Whether the library's own check of the digest failed.
pub(super) fn is_digest(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<DigestError>())
}
