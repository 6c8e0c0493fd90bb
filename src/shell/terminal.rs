//! What surrounds the program: its streams, the terminal, the state directory, its progress bar.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufRead, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The streams that the program reads and writes.
pub struct Streams<'a> {
    pub(super) input: &'a mut dyn BufRead,
    pub(super) output: &'a mut dyn Write,
    pub(super) messages: &'a mut dyn Write,
    pub(super) terminal: Terminal,
}

/// Which streams are a terminal, and whether they are the process's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terminal {
    pub(super) input: bool,
    pub(super) output: bool,
    pub(super) messages: bool,
    pub(super) process: bool,
}

impl<'a> Streams<'a> {
    /// Streams that are no terminal: statements, results, and everything else.
    pub fn new(
        input: &'a mut dyn BufRead,
        output: &'a mut dyn Write,
        messages: &'a mut dyn Write,
    ) -> Self {
        Self {
            input,
            output,
            messages,
            terminal: Terminal::default(),
        }
    }
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Terminal {
    pub(super) fn of_process() -> Self {
        Self {
            input: std::io::stdin().is_terminal(),
            output: std::io::stdout().is_terminal(),
            messages: std::io::stderr().is_terminal(),
            process: true,
        }
    }

    /// Columns of the terminal that shows results, if one does.
    pub(super) fn width(self) -> Option<usize> {
        let columns = console::Term::stdout().size_checked()?.1;
        self.output.then_some(usize::from(columns))
    }
}

/// The file that keeps the lines entered, if the user has a home.
pub(super) fn history_file() -> Option<PathBuf> {
    let absolute = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let home = || absolute("HOME").map(|home| home.join(".local").join("state"));
    let state = absolute("XDG_STATE_HOME").or_else(home)?;
    Some(state.join("fieldbook").join("history"))
}

/// A bar that shows how far a long statement is; hidden until told something.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Option<ProgressBar>>);

impl Progress {
    /// Shows that `done` of `total` are done.
    pub(super) fn tell(&self, done: u64, total: u64) {
        const STYLE: &str = "{bar:40} {percent:>3}%  {elapsed} of about {duration}";
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(STYLE);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style)
        });
        bar.set_length(total);
        bar.set_position(done.min(total));
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bar.take() {
            bar.finish_and_clear();
        }
    }
}
