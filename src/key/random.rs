//! Random bytes from the operating system, for keys and identifiers.

use p256::elliptic_curve::rand_core::{OsRng, RngCore as _};

use crate::verdict::{Code, Fault};

/// `N` bytes from the operating system's generator, fit for keys; nothing else is ever drawn from.
///
/// # Errors
/// [`Code::Unreadable`] if the operating system gives none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Fault::new(Code::Unreadable, error.to_string()).at("random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random_bytes::<16>().unwrap(), random_bytes::<16>().unwrap());
        assert_ne!(random_bytes::<16>().unwrap(), [0; 16]);
    }
}
