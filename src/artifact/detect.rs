//! stub
#![allow(missing_docs, clippy::unwrap_used, reason = "stub")]
use super::FileDigest;
use crate::digest::HashingReader;
use crate::image::*;
use crate::verdict::{Code, Fault};
use std::io::Read;
#[derive(Debug, PartialEq)]
pub enum Kind {
    Image,
    Package,
}
#[derive(Debug)]
pub enum Found {
    Image(Box<Archive>, String),
    Package(FileDigest, String, Option<Fault>),
}
pub fn read_hashing(
    r: &mut dyn Read,
    f: Option<(Kind, String)>,
    o: &Options<'_>,
) -> Result<(Result<Found, Fault>, FileDigest), Fault> {
    let mut h = HashingReader::new(r);
    let refusal = if f.as_ref().is_some_and(|f| f.0 == Kind::Package) {
        None
    } else {
        match crate::image::read(Input::Stream(&mut h), o) {
            Ok(a) => Some(Ok(a)),
            Err(e) => Some(Err(e)),
        }
    };
    std::io::copy(&mut h, &mut std::io::sink())
        .map_err(|e| Fault::new(Code::Unreadable, e.to_string()))?;
    let size = h.count();
    let d = FileDigest { sha256: h.finish().1, size };
    let found = match refusal {
        None => Ok(Found::Package(d, f.unwrap().1, None)),
        Some(Ok(a)) => Ok(Found::Image(Box::new(a), "image archive".into())),
        Some(Err(e)) if f.is_some() || e.looks_like_image => Err(e.fault),
        Some(Err(e)) => {
            Ok(Found::Package(d, format!("package: not an image archive ({})", e.fault), None))
        }
    };
    Ok((found, d))
}
