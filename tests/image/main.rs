//! The image room from outside: real and hostile archives, every way to read them, and what must
//! never change the answer.

#[path = "../support/tar.rs"]
mod tar;

mod attacks;
mod compression;
mod equal;
mod flips;
mod formats;
mod limits;
mod random;
mod sample;
mod shared;
