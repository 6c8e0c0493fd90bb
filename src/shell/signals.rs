//! Ctrl-C and termination: they stop the statement, and end the program only where none runs.

use crate::query::exec::Interrupt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// What signals have come, and whom they stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Signals since the last statement began.
    received: AtomicU32,
    /// Whether the program waits for a line: Ctrl-C is then a key and no signal.
    waiting: AtomicBool,
    /// Whether a signal came while it did.
    leave: AtomicBool,
    interrupt: OnceLock<Interrupt>,
}

/// A statement that does not stop when asked this often is left behind.
const PATIENCE: u32 = 3;

impl Signals {
    /// Listens to the process's signals from now on.
    pub(super) fn listen() -> Self {
        let signals = Self::default();
        let state = signals.0.clone();
        // A second handler in one process is refused; the first one then stays.
        drop(ctrlc::set_handler(move || state.receive()));
        signals
    }

    /// Has signals stop what the flag stops.
    pub(super) fn stops(&self, interrupt: Interrupt) {
        self.0.interrupt.get_or_init(|| interrupt);
    }

    /// Whether a signal came since [`Signals::reset`].
    pub(super) fn received(&self) -> bool {
        self.0.received.load(Ordering::Relaxed) > 0
    }

    /// Whether a signal came while the program waited for a line.
    pub(super) fn leave(&self) -> bool {
        self.0.leave.load(Ordering::Relaxed)
    }

    pub(super) fn wait_for_line(&self, on: bool) {
        self.0.waiting.store(on, Ordering::Relaxed);
    }

    /// Makes ready for the next statement of a conversation.
    pub(super) fn reset(&self) {
        self.0.received.store(0, Ordering::Relaxed);
        if let Some(interrupt) = self.0.interrupt.get() {
            interrupt.reset();
        }
    }
}

/// An output that ends when a signal comes, so that long results can be stopped.
pub(super) struct Stoppable<'a> {
    pub(super) output: &'a mut dyn Write,
    pub(super) signals: &'a Signals,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.signals.received() {
            return Err(io::Error::other("stopped by a signal"));
        }
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl State {
    fn receive(&self) {
        if self.waiting.load(Ordering::Relaxed) {
            self.leave.store(true, Ordering::Relaxed);
            // The line editor listens to this one signal, and gives the terminal back.
            let id = std::process::id().to_string();
            let sent = std::process::Command::new("kill")
                .args(["-INT", &id])
                .status();
            if !sent.is_ok_and(|status| status.success()) {
                std::process::exit(130);
            }
            return;
        }
        if self.received.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            std::process::exit(130);
        }
        if let Some(interrupt) = self.interrupt.get() {
            interrupt.stop();
        }
    }
}
