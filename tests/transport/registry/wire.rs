//! A wire to a registry that can be cut, that can lie about ranges, and that can be busy; and a
//! registry that says too much.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A wire to a server: counts the bytes that come back, and is cut after so many of them.
pub(crate) struct Wire {
    pub(crate) host: String,
    pub(crate) state: Arc<State>,
}

pub(crate) struct State {
    counted: AtomicU64,
    limit: AtomicU64,
    /// What one connection carries before it is cut.
    pub(crate) each: AtomicU64,
    /// So many connections are answered with 503.
    pub(crate) busy: AtomicU64,
    /// Whether the server does not get to see which range is asked for.
    pub(crate) whole: AtomicBool,
}

impl Wire {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            counted: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
            each: AtomicU64::new(u64::MAX),
            busy: AtomicU64::new(0),
            whole: AtomicBool::new(false),
        });
        let wire = Self { host, state: Arc::clone(&state) };
        let server = server.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if state.counted.load(SeqCst) >= state.limit.load(SeqCst) {
                    continue;
                }
                let less = |busy: u64| busy.checked_sub(1);
                if state.busy.fetch_update(SeqCst, SeqCst, less).is_ok() {
                    std::thread::spawn(move || refuse(&client));
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let state = Arc::clone(&state);
                std::thread::spawn(move || carry(&client, &server, &state));
            }
        });
        wire
    }

    /// Lets so many bytes through from now on; then nothing at all.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.state.counted.store(0, SeqCst);
        self.state.limit.store(bytes, SeqCst);
    }

    /// How many bytes came back since the last call of [`Wire::cut_after`].
    pub(crate) fn counted(&self) -> u64 {
        self.state.counted.load(SeqCst)
    }
}

/// A registry whose manifests never end.
pub(crate) fn endless() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 4096];
            let count = client.read(&mut asked).unwrap_or(0);
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{";
            drop(client.write_all(answer));
            if asked[..count].windows(9).any(|it| it == b"manifests") {
                while client.write_all(&[b' '; 1 << 16]).is_ok() {}
            }
        }
    });
    host
}

const BUSY: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn refuse(mut client: &TcpStream) {
    drop(client.read(&mut [0; 4096]));
    drop(client.write_all(BUSY));
}

fn carry(client: &TcpStream, server: &TcpStream, state: &State) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = (&mut { client }).read(&mut buffer) {
                // Busy also for a connection that was there before.
                let less = |busy: u64| busy.checked_sub(1);
                if state.busy.fetch_update(SeqCst, SeqCst, less).is_ok() {
                    drop((&mut { client }).write_all(BUSY));
                    drop(client.shutdown(Shutdown::Both));
                    break;
                }
                let asked = &mut buffer[..count];
                let range = b"\r\nrange: ";
                let at = asked.windows(range.len()).position(|it| it == range);
                if let Some(at) = at.filter(|_| state.whole.load(SeqCst)) {
                    asked[at + 2] = b'x';
                }
                if (&mut { server }).write_all(asked).is_err() {
                    break;
                }
            }
            drop(server.shutdown(Shutdown::Write));
        });
        let mut buffer = [0; 16 << 10];
        let mut carried = 0;
        loop {
            let count = match (&mut { server }).read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let before = state.counted.fetch_add(count as u64, SeqCst);
            let left = state.limit.load(SeqCst).saturating_sub(before);
            let left = left.min(state.each.load(SeqCst).saturating_sub(carried));
            let through = usize::try_from(left).unwrap_or(usize::MAX).min(count);
            carried += count as u64;
            if (&mut { client }).write_all(&buffer[..through]).is_err() || through < count {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
    });
}
