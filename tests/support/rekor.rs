//! The test log behind HTTP: the one call of Rekor's version 1 API that `cosign sign-blob` makes,
//! `POST /api/v1/log/entries`. Listens on the loopback interface only.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::log::TestLog;

/// Larger requests than this are refused.
const LARGEST_REQUEST: usize = 1 << 20;

/// A log that waits for requests.
pub(crate) struct Server {
    listener: TcpListener,
    log: TestLog,
}

impl Server {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn bind(log: TestLog) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, log })
    }

    /// The URL to give to cosign.
    pub(crate) fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Answers requests one after another, for ever. A bad request is answered or dropped and never
    /// ends the server.
    pub(crate) fn serve(mut self) -> io::Result<()> {
        loop {
            let (stream, _) = self.listener.accept()?;
            let answered = read_request(&stream).and_then(|(line, body)| {
                let (status, uuid, text) = self.answer(&line, &body);
                respond(&stream, status, &uuid, &text)
            });
            drop(answered);
        }
    }

    /// Status line, UUID and body for one request.
    fn answer(&mut self, line: &str, body: &[u8]) -> (&'static str, String, String) {
        if line != "POST /api/v1/log/entries HTTP/1.1" {
            return ("404 Not Found", String::new(), String::from("{}"));
        }
        match canonical_entry(body).and_then(|entry| Ok((entry, now()?))) {
            Ok((entry, time)) => {
                let answer = self.log.add(entry.as_bytes(), time).rekor_response();
                let uuid = answer.as_object().and_then(|it| it.keys().next().cloned());
                ("201 Created", uuid.unwrap_or_default(), answer.to_string())
            }
            Err(error) => {
                let text = serde_json::json!({ "code": 400, "message": error.to_string() });
                ("400 Bad Request", String::new(), text.to_string())
            }
        }
    }
}

/// Unix seconds.
fn now() -> Result<u64, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// The entry as Rekor stores it: hashedrekord 0.0.1 with exactly these members in this order,
/// without white space (RFC 8785).
fn canonical_entry(body: &[u8]) -> Result<String, Box<dyn Error>> {
    let proposed: Value = serde_json::from_slice(body)?;
    let field = |pointer: &str| -> Result<String, Box<dyn Error>> {
        let value = proposed.pointer(pointer).and_then(Value::as_str);
        Ok(Value::from(value.ok_or_else(|| format!("no {pointer}"))?).to_string())
    };
    if field("/kind")? != r#""hashedrekord""# || field("/apiVersion")? != r#""0.0.1""# {
        return Err("only hashedrekord 0.0.1 is logged here".into());
    }
    Ok(format!(
        concat!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"#,
            r#""algorithm":{},"value":{}}}}},"#,
            r#""signature":{{"content":{},"publicKey":{{"content":{}}}}}}}}}"#
        ),
        field("/spec/data/hash/algorithm")?,
        field("/spec/data/hash/value")?,
        field("/spec/signature/content")?,
        field("/spec/signature/publicKey/content")?,
    ))
}

/// The request line and the body.
fn read_request(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream).take(LARGEST_REQUEST as u64);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0_usize;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    if length > LARGEST_REQUEST {
        return Err(io::Error::other("the request is too large"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((request.trim_end().to_owned(), body))
}

/// cosign 2 reads the UUID from Location, cosign 3 from ETag.
fn respond(mut stream: &TcpStream, status: &str, uuid: &str, body: &str) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nETag: {uuid}\r\n\
         Location: /api/v1/log/entries/{uuid}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
