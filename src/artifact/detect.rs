//! stub
use crate::image::*; use crate::verdict::Fault; use super::FileDigest; use std::io::Read;
#[derive(Debug)] pub enum Kind { Image, Package }
#[derive(Debug)] pub enum Found { Image(Box<Archive>, String), Package(FileDigest, String, Option<Fault>) }
pub fn read_hashing(_r: &mut dyn Read, _f: Option<(Kind,String)>, _o:&Options<'_>) -> Result<(Result<Found,Fault>, FileDigest), Fault> { todo!() }
