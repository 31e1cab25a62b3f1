//! Any bytes as an image archive: no panic, and the same answer from a pipe and from a file.
//!
//! `cargo +nightly fuzz run archive`

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealift::image::{self, Input, NoProgress, Options};

/// Sets every header's checksum right, so that changes reach what lies behind it.
fn repaired(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block.get(257..262) != Some(b"ustar") {
            continue;
        }
        let Some(field) = block.get_mut(148..156) else { continue };
        field.fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(field) = block.get_mut(148..156) {
            field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let options = Options { jobs: 2, progress: &NoProgress, cuts: None, threads: None };
    for bytes in [data.to_vec(), repaired(data)] {
        let file = image::read(Input::File(&bytes), &options);
        let stream = image::read(Input::Stream(&mut bytes.as_slice()), &options);
        assert_eq!(file, stream);
        image::mentions_image(&mut bytes.as_slice());
    }
});
