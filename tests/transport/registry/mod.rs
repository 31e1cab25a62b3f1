//! Images fetched from a real registry (Debian's `docker-registry`): what arrives is what was pushed,
//! is accepted by Sealift's own reading and loaded by real engines; broken transfers go on, and a
//! registry that lies is found out.

mod engines;
mod hostile;
mod images;
mod layout;
mod lies;
mod login;
mod mirror;
mod resume;
mod server;
mod token_service;
mod wire;
