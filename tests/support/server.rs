//! A small HTTP/1.1 server that misbehaves as it is told: plain, without TLS, one request a connection.
//!
//! The script is a function from the request, and how many came before it, to what is done with the
//! connection, byte for byte. Whatever is left after that, the connection is closed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, or what else stands in its place.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header field, its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What is done with a connection.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// These bytes go out.
    Send(Vec<u8>),
    /// Nothing happens for a time.
    Wait(Duration),
}

/// An answer with a length that is right, unless `headers` has another one.
pub(crate) fn reply(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<Action> {
    let length = body.len().to_string();
    let mut all = headers.to_vec();
    let own = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    if !own("Content-Length") && !own("Transfer-Encoding") && !status.starts_with("304") {
        all.push(("Content-Length", &length));
    }
    vec![Action::Send(head(status, &all)), Action::Send(body.to_vec())]
}

/// The beginning of an answer, up to the empty line.
pub(crate) fn head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

type Script = dyn Fn(usize, &Request) -> Vec<Action> + Send + Sync;

/// A server on a free port of this machine, until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts with a script; its first argument counts requests from 0.
    pub(crate) fn new(
        script: impl Fn(usize, &Request) -> Vec<Action> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (script, count) = (Arc::new(script), Arc::new(AtomicUsize::new(0)));
        let (seen_by_all, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (script, count, seen) =
                    (Arc::clone(&script), Arc::clone(&count), Arc::clone(&seen_by_all));
                // Not joined: a script may wait for long, and its client be gone.
                thread::spawn(move || serve(stream, &*script, &count, &seen));
            }
        });
        Self { address, seen, stop, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that came so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(mut stream: TcpStream, script: &Script, count: &AtomicUsize, seen: &Mutex<Vec<Request>>) {
    drop(stream.set_read_timeout(Some(Duration::from_secs(10))));
    drop(stream.set_nodelay(true));
    let Some(request) = read(&stream) else { return };
    let number = count.fetch_add(1, Ordering::SeqCst);
    seen.lock().unwrap().push(request.clone());
    for action in script(number, &request) {
        match action {
            Action::Wait(time) => thread::sleep(time),
            Action::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut request = Request { method, target, headers: Vec::new(), body: Vec::new() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request.header("Content-Length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// A server that answers everything with this beginning and then bytes without end; where it is, and
/// how many bytes it could send so far.
pub(crate) fn endless(begin: &[u8]) -> (SocketAddr, impl Fn() -> usize + use<>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let (counted, begin) = (Arc::clone(&sent), begin.to_vec());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (sent, begin) = (Arc::clone(&sent), begin.clone());
            thread::spawn(move || {
                if read(&stream).is_none() || stream.write_all(&begin).is_err() {
                    return;
                }
                while stream.write_all(&[b'x'; 1 << 14]).is_ok() {
                    sent.fetch_add(1 << 14, Ordering::SeqCst);
                }
            });
        }
    });
    (address, move || counted.load(Ordering::SeqCst))
}
