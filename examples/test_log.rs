//! A transparency log for `scripts/make-example.sh`, on the loopback interface, with a key that
//! nobody keeps: `test_log KEY_FILE URL_FILE` writes the log's public key (PEM) and its URL into
//! these files and answers until it is ended.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read as _;

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "written for tests")]
#[path = "../tests/support/log.rs"]
mod log;
#[path = "../tests/support/rekor.rs"]
mod rekor;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(key_file), Some(url_file), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: test_log KEY_FILE URL_FILE".into());
    };
    let mut scalar = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut scalar)?;
    let key = log::TestKey::from_scalar(&scalar).ok_or("not a key; try again")?;
    let log = log::TestLog::with_key(key, "sealift-test-log");
    fs::write(key_file, log.pem())?;
    let server = rekor::Server::bind(log)?;
    fs::write(url_file, server.url()?)?;
    Ok(server.serve()?)
}
