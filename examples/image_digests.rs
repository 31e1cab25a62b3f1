//! Prints every digest that may have been signed for the images in an archive. Nothing is verified
//! against a signature here.
//!
//! `cargo run --release --example image_digests -- ARCHIVE [JOBS]`

use std::error::Error;
use std::fs::File;
use std::io::{self, Write as _};

use sealift::image::{self, FileAt, Input, NoProgress, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let archive = arguments.next().ok_or("name an archive")?;
    let jobs = match arguments.next() {
        Some(jobs) => jobs.to_string_lossy().parse()?,
        None => std::thread::available_parallelism()?.get(),
    };
    let options = Options { jobs, progress: &NoProgress, cuts: None, threads: None };
    let archive = if archive == "-" {
        image::read(Input::Stream(&mut io::stdin()), &options)?
    } else {
        image::read(Input::File(&FileAt::new(File::open(archive)?)?), &options)?
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{}", archive.format())?;
    for image in &archive.images {
        writeln!(out, "{} ({})", image.unsigned_tags.join(", "), image.platform)?;
        for candidate in &image.candidates {
            writeln!(out, "  {} {}", candidate.kind, candidate.digest)?;
        }
    }
    for note in &archive.notes {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
