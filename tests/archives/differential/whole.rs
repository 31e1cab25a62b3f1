//! Compression of layers and of whole archives, broken forms included.

use std::io::{Read as _, Write as _};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(crate) type Encoder = fn(&[u8]) -> Vec<u8>;
pub(crate) const ENCODERS: [(&str, Encoder); 3] =
    [("gzip", gzip), ("bzip2", bzip2), ("zstd", zstd)];

/// The bytes of a layer as they are unpacked, by their magic number.
pub(crate) fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    match bytes {
        [0x1f, 0x8b, ..] => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).ok()?
        }
        [b'B', b'Z', b'h', ..] => {
            bzip2::read::MultiBzDecoder::new(bytes).read_to_end(&mut plain).ok()?
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut rest = bytes;
            while !rest.is_empty() {
                let mut frame = ruzstd::decoding::StreamingDecoder::new(&mut rest).ok()?;
                frame.read_to_end(&mut plain).ok()?;
            }
            plain.len()
        }
        _ => return Some(bytes.to_vec()),
    };
    Some(plain)
}
