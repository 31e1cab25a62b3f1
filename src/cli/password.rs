//! Where the password of a private key comes from: a file, the environment, or a prompt.
//!
//! The most specific source wins: `--password-file` is typed for this very call, `SEALIFT_PASSWORD` is
//! set for Sealift, `COSIGN_PASSWORD` for the same key in cosign. An empty password is a password, as in
//! cosign; the terminal is asked only if no source has one.

use std::env;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::apart::Named;
use super::files;
use crate::limits;
use crate::verdict::{Code, Fault};

/// The environment variables, the first that is set wins.
const VARIABLES: [&str; 2] = ["SEALIFT_PASSWORD", "COSIGN_PASSWORD"];

/// The option that names a password file.
#[derive(Debug, Args)]
pub(super) struct PasswordArgs {
    /// File with the password of the private key in its first line
    ///
    /// Without it, the password is taken from SEALIFT_PASSWORD, then from COSIGN_PASSWORD, then
    /// asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The file that the option names.
    pub(super) fn file(&self) -> Option<Named> {
        self.password_file.as_ref().map(|path| Named::new("--password-file", path))
    }

    /// The password of a key that exists; a prompt asks once.
    ///
    /// # Errors
    /// [`Code::PasswordMissing`], and the faults of the file named.
    pub(super) fn existing(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        match self.given()? {
            Some(password) => Ok(password),
            None => ask("Password for the private key: "),
        }
    }

    /// The password for a new key; a prompt asks twice, because nobody sees what is typed.
    ///
    /// # Errors
    /// Those of [`existing`](Self::existing); [`Code::Usage`] if the two differ.
    pub(super) fn fresh(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        if let Some(password) = self.given()? {
            return Ok(password);
        }
        let password = ask("Password for the new private key: ")?;
        if password == ask("Repeat the password: ")? {
            Ok(password)
        } else {
            Err(Fault::new(Code::Usage, "the two passwords differ"))
        }
    }

    /// The password, if it need not be asked for.
    fn given(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        if let Some(path) = &self.password_file {
            return first_line(path).map(Some);
        }
        Ok(VARIABLES
            .iter()
            .find_map(env::var_os)
            .map(|value| Zeroizing::new(value.into_encoded_bytes())))
    }
}

/// The first line of a small file without its line end (LF or CR LF); a file without a line end is
/// one line.
fn first_line(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let limit = limits::PASSWORD_BYTES;
    let place = files::show(path);
    // Large enough from the start: growing would leave copies of the password in memory.
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(limit).unwrap_or(0).saturating_mul(2)));
    files::open_stream(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| files::unreadable(&place, &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("larger than {limit} bytes, too large for a password file");
        return Err(Fault::new(Code::Usage, message).at(place));
    }
    if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        bytes.truncate(end);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Asks on the terminal, without showing what is typed.
fn ask(prompt: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            Code::PasswordMissing,
            "no password was given, and there is no terminal to ask on",
        ));
    }
    rpassword::prompt_password(prompt)
        .map(|password| Zeroizing::new(password.into_bytes()))
        .map_err(|error| {
            Fault::new(Code::PasswordMissing, format!("no password was entered: {error}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, bytes).unwrap();
        PasswordArgs { password_file: Some(path) }.existing().map(|line| line.to_vec())
    }

    #[test]
    fn a_password_file_gives_its_first_line() {
        for (file, expected) in [
            (&b"pw"[..], &b"pw"[..]),
            (b"pw\n", b"pw"),
            (b"pw\r\n", b"pw"),
            (b"pw\nmore\n", b"pw"),
            (b" p w \n", b" p w "),
            // Not a line end of its own: part of the password.
            (b"pw\r", b"pw\r"),
            (b"pw\r\r\n", b"pw\r"),
            (b"", b""),
            (b"\n", b""),
            (b"\xff\x00\n", b"\xff\x00"),
            (&[b'x'; 4096], &[b'x'; 4096]),
        ] {
            assert_eq!(line(file).unwrap(), expected, "{file:?}");
        }
    }

    #[test]
    fn a_password_file_is_small_and_there() {
        let fault = line(&[b'x'; 4097]).unwrap_err();
        assert!(fault.code() == Code::Usage && fault.message().contains("4096"), "{fault}");
        let absent = PasswordArgs { password_file: Some(PathBuf::from("no/such/file")) };
        assert_eq!(absent.fresh().unwrap_err().code(), Code::FileNotFound);
    }
}
