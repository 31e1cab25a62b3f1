//! How much memory the windows of compressed streams may take in all.
//!
//! A decoder holds the window (xz: dictionary) that a stream asks for. Every stream may have a small one.
//! In the whole run one stream at a time has a large one, and a stream inside another that may hold one
//! gets none. A stream that asks for more than the largest gets the largest: it decodes correctly unless
//! it refers further back, and then ends in a fault.

use crate::limits;
use crate::parallel::{Exclusive, ThreadLimit};
use crate::verdict::{Code, Fault};

/// Which windows a stream may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Windows<'a> {
    /// Large ones too, one stream at a time.
    OneLarge(&'a ThreadLimit),
    /// Small ones only.
    Small,
}

/// The window that a stream has.
#[derive(Debug)]
pub(super) struct Window<'a> {
    /// What it asked for.
    pub(super) wanted: u64,
    /// What it got, in bytes.
    pub(super) size: u64,
    _exclusive: Option<Exclusive<'a>>,
}

impl<'a> Windows<'a> {
    /// Waits until there is room for a window.
    pub(super) fn open(self, wanted: u64) -> Window<'a> {
        let (most, exclusive) = match self {
            Self::OneLarge(threads) if wanted > limits::WINDOW_BYTES => {
                (limits::LARGE_WINDOW_BYTES, Some(threads.exclusive()))
            }
            _ => (limits::WINDOW_BYTES, None),
        };
        Window { wanted, size: wanted.min(most), _exclusive: exclusive }
    }
}

impl Window<'_> {
    /// Whether only one stream at a time may have it.
    pub(super) const fn is_large(&self) -> bool {
        self.size > limits::WINDOW_BYTES
    }

    /// The fault of a stream that doesn't decode, if too small a window may be the reason.
    pub(super) fn fault(&self) -> Option<Fault> {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        (self.size < self.wanted).then(|| {
            Fault::new(
                Code::WindowTooLarge,
                format!(
                    "compressed data asks for a window of {} MiB and needs more than {} MiB of it, or \
                     is damaged; decompress it with the program that made it, or compress it again \
                     with gzip, zstd up to -19 or xz up to -8",
                    mib(self.wanted),
                    mib(self.size)
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_windows_are_held_one_at_a_time() {
        const MIB: u64 = 1 << 20;
        let threads = ThreadLimit::new(2);
        let small: Vec<_> = (0..9).map(|_| Windows::OneLarge(&threads).open(8 * MIB)).collect();
        assert!(small.iter().all(|window| !window.is_large() && window.fault().is_none()));
        let large = Windows::OneLarge(&threads).open(32 * MIB);
        assert!(large.is_large() && large.size == 32 * MIB && large.fault().is_none());
        let inner = Windows::Small.open(128 * MIB);
        assert_eq!(inner.size, 8 * MIB);
        assert_eq!(inner.fault().unwrap().code(), Code::WindowTooLarge);
        std::thread::scope(|scope| {
            let (send, receive) = std::sync::mpsc::channel();
            let threads = &threads;
            scope.spawn(move || send.send(Windows::OneLarge(threads).open(128 * MIB).size));
            // Nothing can arrive yet, however long one waits.
            assert!(receive.try_recv().is_err());
            drop(large);
            assert_eq!(receive.recv(), Ok(32 * MIB));
        });
    }
}
