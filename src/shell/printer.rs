//! Printing: results to standard output, everything else to standard error.

use super::arguments::Arguments;
use super::format::{self, Format};
use super::signals::{Signals, Stoppable};
use super::terminal::{Progress, Streams, Terminal};
use crate::{Outcome, Rows};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// Where and how to print.
pub(super) struct Printer<'s> {
    output: &'s mut dyn Write,
    messages: &'s mut dyn Write,
    terminal: Terminal,
    quiet: bool,
    pub(super) format: &'static Format,
    pub(super) timing: bool,
    pub(super) progress: Arc<Progress>,
}

impl<'s> Printer<'s> {
    pub(super) fn new(
        arguments: &Arguments,
        streams: &'s mut Streams<'_>,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            output: &mut *streams.output,
            messages: &mut *streams.messages,
            terminal: streams.terminal,
            quiet: arguments.quiet,
            format: format::find(&arguments.format).unwrap_or(&format::FORMATS[0]),
            timing: arguments.timing,
            progress,
        }
    }

    /// Prints what a statement gave; a terminal is told if there are more rows.
    pub(super) fn outcome(
        &mut self,
        outcome: &Outcome,
        more: bool,
        signals: &Signals,
    ) -> io::Result<()> {
        match outcome {
            Outcome::Rows(rows) => {
                self.rows(rows, signals)?;
                if self.terminal.output {
                    let more = if more {
                        ", `.more` goes on, `.cursor` tells where"
                    } else {
                        ""
                    };
                    self.note(&format!("({outcome}{more})"));
                }
            }
            Outcome::DryRun { changes, .. } => {
                self.rows(changes, signals)?;
                self.note(&outcome.to_string());
            }
            Outcome::Plan(text) | Outcome::Sql(text) => self.result(text)?,
            Outcome::Imported(report) if self.quiet => {
                for line in &report.refused {
                    self.message(&line.to_string());
                }
            }
            _ => self.note(&outcome.to_string()),
        }
        self.output.flush()
    }

    /// Prints rows in the format that was asked for.
    fn rows(&mut self, rows: &Rows, signals: &Signals) -> io::Result<()> {
        let output = &mut Stoppable {
            output: self.output,
            signals,
        };
        let printed = (self.format.write)(rows, output, self.terminal.width());
        if printed.is_err() && self.terminal.output {
            // What was stopped within a line must not join the next one.
            writeln!(self.output)?;
            self.output.flush()?;
        }
        printed?;
        self.output.flush()
    }

    /// Whether somebody sees the results as they come.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal.output
    }

    /// Prints text that was asked for.
    pub(super) fn result(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", text.trim_end())?;
        self.output.flush()
    }

    /// Prints a table that was asked for.
    pub(super) fn grid(&mut self, grid: &format::Grid) -> io::Result<()> {
        grid.write(self.output, self.terminal.width(), 0)?;
        self.output.flush()
    }

    /// Tells the user something that must be heard.
    pub(super) fn message(&mut self, text: &str) {
        // Without anyone who reads messages there is nobody to tell.
        drop(writeln!(self.messages, "{}", legible(text)));
    }

    /// Tells the user something, unless quiet.
    pub(super) fn note(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        match self.terminal.messages {
            true => {
                let dim = console::style(legible(text)).for_stderr().dim();
                drop(writeln!(self.messages, "{dim}"));
            }
            false => self.message(text),
        }
    }

    /// Tells how long a statement took, if asked to.
    pub(super) fn took(&mut self, took: Duration) {
        if self.timing {
            self.message(&format!("{:.3} ms", took.as_secs_f64() * 1e3));
        }
    }
}

/// A message without what would steer the terminal: a name in it may come from anywhere.
pub(super) fn legible(text: &str) -> String {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    #[test]
    fn messages_do_not_steer_the_terminal() {
        let shown = super::legible("a\tb\n\u{1b}[31mc\r\u{9b}1md");
        assert_eq!(shown, "a\tb\n\\u{1b}[31mc\\r\\u{9b}1md");
    }
}
