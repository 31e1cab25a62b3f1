//! Decompressed data in pieces: made by the thread that wants them or, as soon as the limit has a permit
//! to spare, by a second thread that runs ahead.
//!
//! Which of the two it is changes neither what a piece holds, nor which fault is found where, nor how
//! far the input is read.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

use super::budget::{CompressedCounter, Meter};
use super::inflate::Inflater;
use crate::limits;
use crate::parallel::{Permit, ThreadLimit};

/// How many pieces there are at once: one in use, the others made ahead.
const PIECES: usize = 4;

/// A piece as it was made: the buffer, how much of it is filled (0 at the end), and how many compressed
/// bytes it took.
type Chunk = io::Result<(Vec<u8>, usize, u64)>;

/// Decompressed data to read, or to take a piece at a time. A trait, because a closure can't say how long
/// the thread that decompresses lives.
pub(super) trait Pieces: Read + Send {
    /// The next piece; empty at the end and after an error.
    ///
    /// # Errors
    /// As the inflater.
    fn piece(&mut self) -> io::Result<&[u8]>;
}

struct ReadAhead<'scope, 'env, R: Read> {
    scope: &'scope Scope<'scope, 'env>,
    threads: &'scope ThreadLimit,
    meter: Meter<'scope>,
    producer: Producer<'scope, R>,
    buffer: Vec<u8>,
    /// Where the rest of the current piece is in `buffer`.
    start: usize,
    end: usize,
}

enum Producer<'scope, R: Read> {
    /// Before the first piece: short data needs no second thread.
    Unused(Inflater<'scope, R>),
    Here(Inflater<'scope, R>),
    There {
        made: Receiver<Chunk>,
        used: Sender<Vec<u8>>,
    },
    /// At the end, or after an error.
    Done,
}

impl<'scope, 'env, R: Read + Send + 'scope> ReadAhead<'scope, 'env, R> {
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        threads: &'scope ThreadLimit,
        meter: Meter<'scope>,
        inflater: Inflater<'scope, R>,
    ) -> Self {
        let producer = Producer::Unused(inflater);
        Self { scope, threads, meter, producer, buffer: Vec::new(), start: 0, end: 0 }
    }

    /// Makes the pieces that a second thread could have made by now, so that the input is read equally far
    /// on one thread and on two.
    fn leave(mut self) {
        if let Producer::There { made, used } = self.producer {
            drop(used);
            while made.recv().is_ok() {}
        } else {
            for _ in 1..PIECES {
                if self.make().is_err() {
                    break;
                }
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        (self.start, self.end) = (0, 0);
        if matches!(self.producer, Producer::Here(_))
            && let Some(permit) = self.threads.try_permit()
        {
            self.split(permit);
        }
        let Producer::There { made, used } = &self.producer else {
            let read = self.make()?;
            return self.count(read);
        };
        // Fails if the last piece is made already, and then nobody needs the buffer.
        used.send(std::mem::take(&mut self.buffer)).ok();
        // The thread ends only at the end of the data or after an error.
        let lost = || Err(io::Error::other("the thread that decompresses was lost"));
        match made.recv().unwrap_or_else(|_| lost()) {
            Ok((buffer, end, read)) => {
                (self.buffer, self.end) = (buffer, end);
                if end == 0 {
                    self.producer = Producer::Done;
                }
                self.count(read)
            }
            Err(error) => {
                self.producer = Producer::Done;
                Err(error)
            }
        }
    }

    /// Counts the piece in the buffer. One beyond the budget is not handed out.
    fn count(&mut self, read: u64) -> io::Result<()> {
        self.meter.piece(self.end, read).map_err(|fault| {
            self.end = 0;
            io::Error::other(fault)
        })
    }

    /// Makes the next piece on this thread; says how many compressed bytes it took.
    fn make(&mut self) -> io::Result<u64> {
        let mut read = 0;
        self.producer = match std::mem::replace(&mut self.producer, Producer::Done) {
            Producer::Unused(mut inflater) | Producer::Here(mut inflater) => {
                // Zeroed by the allocator: `resize` writes each byte, which takes long without optimisation.
                if self.buffer.is_empty() {
                    self.buffer = vec![0; limits::COPY_BYTES];
                }
                self.end = inflater.read(&mut self.buffer)?;
                read = self.meter.counter().read(inflater.consumed());
                if self.end == 0 { Producer::Done } else { Producer::Here(inflater) }
            }
            other => other,
        };
        Ok(read)
    }

    /// Moves the inflater to a second thread.
    fn split(&mut self, permit: Permit<'scope>) {
        let Producer::Here(inflater) = std::mem::replace(&mut self.producer, Producer::Done) else {
            return;
        };
        let (to_user, made) = channel();
        let (used, from_user) = channel();
        // `fill` adds one more: its own.
        for _ in 1..PIECES {
            used.send(vec![0; limits::COPY_BYTES]).ok();
        }
        self.producer = Producer::There { made, used };
        let counter = self.meter.counter();
        self.scope.spawn(move || make_ahead(inflater, counter, &from_user, &to_user, permit));
    }
}

/// Fills every buffer that comes with a piece, until the data or the buffers end.
fn make_ahead<R: Read>(
    mut inflater: Inflater<'_, R>,
    counter: CompressedCounter<'_>,
    used: &Receiver<Vec<u8>>,
    made: &Sender<Chunk>,
    permit: Permit<'_>,
) {
    for mut buffer in used {
        let piece = inflater.read(&mut buffer);
        let piece = piece.map(|end| (buffer, end, counter.read(inflater.consumed())));
        let more = matches!(&piece, Ok((_, 1.., _)));
        if made.send(piece).is_err() || !more {
            break;
        }
    }
    drop(permit);
}

impl<'scope, R: Read + Send + 'scope> Pieces for ReadAhead<'scope, '_, R> {
    fn piece(&mut self) -> io::Result<&[u8]> {
        self.fill()?;
        let piece = self.buffer.get(self.start..self.end).unwrap_or_default();
        self.start = self.end;
        Ok(piece)
    }
}

impl<'scope, R: Read + Send + 'scope> Read for ReadAhead<'scope, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            self.fill()?;
        }
        let mut rest = self.buffer.get(self.start..self.end).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.start = self.start.saturating_add(count);
        Ok(count)
    }
}

/// Reads what `inflater` yields with `pass`, made ahead where the limit has a permit to spare, and counted
/// by `meter` where it is used.
pub(super) fn ahead<R: Read + Send, T>(
    inflater: Inflater<'_, R>,
    threads: &ThreadLimit,
    meter: Meter<'_>,
    pass: impl FnOnce(&mut dyn Pieces) -> T,
) -> T {
    thread::scope(|scope| {
        let mut ahead = ReadAhead::new(scope, threads, meter, inflater);
        let passed = pass(&mut ahead);
        ahead.leave();
        passed
    })
}
