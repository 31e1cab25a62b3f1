//! A quick look whether a file was meant as an image archive. It tolerates what the reader refuses,
//! because its answer only chooses how to read, and is never a verdict.

use std::io::{self, BufReader, Read};

use tar::Header as Block;

use super::header::{self, BLOCK};
use super::input::read_full;
use super::names::shows_image;
use super::outline::outline;
use crate::limits;

/// Whether a tar archive, compressed or not, has an entry whose name shows that an image archive was
/// meant: `manifest.json`, `index.json`, `oci-layout`, `repositories`, a blob or a layer. Reads as far as the first such entry; gives up, with
/// `false`, at anything that is not tar, and beyond the limits on entries and bytes.
pub fn mentions_image(stream: &mut dyn Read) -> bool {
    outline(stream).image
}

/// The same for the rest of a tar archive after reading stopped, `consumed` bytes from its beginning: any
/// block that is a header with such a name. Reads to the end.
///
/// # Errors
/// Those of the stream.
pub fn rest_mentions_image(stream: &mut dyn Read, consumed: u64) -> io::Result<bool> {
    io::copy(&mut (&mut *stream).take(header::padding(consumed)), &mut io::sink())?;
    let mut reader = BufReader::with_capacity(limits::COPY_BYTES, stream);
    let mut found = false;
    loop {
        let mut bytes = [0; BLOCK];
        if read_full(&mut reader, &mut bytes)? < BLOCK {
            return Ok(found);
        }
        found = found || (header::checksum_holds(&bytes) && names_image(&bytes));
    }
}

fn names_image(bytes: &[u8; BLOCK]) -> bool {
    let name = Block::from_byte_slice(bytes).path_bytes();
    let name = name.strip_prefix(b"/").or_else(|| name.strip_prefix(b"./")).unwrap_or(&name);
    std::str::from_utf8(name).is_ok_and(shows_image)
}
