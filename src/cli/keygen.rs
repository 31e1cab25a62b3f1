//! `sealift keygen`: the operator's own key pair for sealing transfers.
//!
//! The two files have the formats of `cosign generate-key-pair`, and cosign can use them. Whoever
//! checks a transfer must not take the public key from the transfer alone: this prints what to
//! compare.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::atomic_output::{NewFile, Readers, must_be_free};
use super::password::PasswordArgs;
use super::{
    files,
    output::{shown, warn},
};
use crate::key::{PrivateKey, PublicKey, words};
use crate::verdict::{ExitStatus, Fault, line, printable};

/// Create a key pair for sealing transfers
///
/// Writes PREFIX.key, encrypted with a password, and PREFIX.pub. The key is ECDSA P-256, in the
/// file formats of `cosign generate-key-pair`. Existing files are never overwritten. Prints the
/// fingerprint, also in words, to be compared out of band.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Path of both files, without .key and .pub
    #[arg(long, value_name = "PREFIX", default_value = "transfer")]
    pub(super) output_key_prefix: PathBuf,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// Makes a key pair and writes its two files, or neither.
pub(super) fn run(arguments: &KeygenArgs) -> Result<ExitStatus, Fault> {
    let private_path = with_extension(&arguments.output_key_prefix, "key");
    let public_path = with_extension(&arguments.output_key_prefix, "pub");
    for path in [&private_path, &public_path] {
        must_be_free(path)?;
    }
    let password = arguments.password.fresh()?;
    if password.is_empty() {
        warn("the password is empty: anyone who can read the private key file can sign with it");
    }
    let key = PrivateKey::generate()?;
    let encrypted = key.to_encrypted_pem(&password)?;

    // Both names are taken before either file has content, and both files are whole before either is
    // kept: an error on the way leaves neither.
    let mut public = NewFile::create(&public_path, Readers::Default)?;
    let mut private = NewFile::create(&private_path, Readers::Owner)?;
    public.fill(key.public().to_pem().as_bytes())?;
    private.fill(encrypted.as_bytes())?;
    public.keep();
    private.keep();
    shown(tell(&mut io::stdout().lock(), &private_path, &public_path, key.public()))
}

/// `transfer` and `key` make `transfer.key`; a dot in the prefix is part of the name.
fn with_extension(prefix: &Path, extension: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn tell(
    out: &mut dyn Write,
    private_path: &Path,
    public_path: &Path,
    key: &PublicKey,
) -> io::Result<()> {
    let show = |path| printable(&files::show(path));
    let fingerprint = key.fingerprint();
    line!(out, "private key: {}", show(private_path))?;
    line!(out, "public key:  {}", show(public_path))?;
    line!(out, "fingerprint: {fingerprint}")?;
    line!(out, "in words:    {}", words(&fingerprint))?;
    line!(
        out,
        "Before the far side trusts {}, compare the fingerprint or the twelve words over a channel \
         that does not carry the transfer; `sealift inspect` shows them there.",
        show(public_path)
    )
}
