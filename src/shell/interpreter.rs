//! Running scripts and dot-commands, and printing what they give.

use super::commands;
use super::printer::Printer;
use super::signals::Signals;
use crate::error::{Code, Error};
use crate::{Script, Session};
use std::io;
use std::ops::ControlFlow;
use std::time::Instant;

/// A session with a place to print.
pub(super) struct Interpreter<'b, 's> {
    pub(super) session: Session<'b>,
    pub(super) printer: Printer<'s>,
    pub(super) signals: Signals,
}

/// Why a script or dot-command went no further.
#[derive(Debug)]
pub(super) enum Failure {
    Statement(Error),
    /// A dot-command was wrong.
    Command(String),
    /// Nobody reads the results.
    Output,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Statement(error)
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Output
    }
}

impl Interpreter<'_, '_> {
    /// Runs statements up to the first that fails.
    pub(super) fn script(&mut self, text: &str) -> Result<(), Failure> {
        for step in Script::parse(text)?.steps() {
            if self.signals.received() {
                return Err(stopped().into());
            }
            let started = Instant::now();
            let outcome = self.session.run(step);
            self.printer.progress.clear();
            let took = started.elapsed();
            match self.printer.outcome(&outcome?, &self.signals) {
                Err(_) if self.signals.received() => return Err(stopped().into()),
                printed => printed?,
            }
            self.printer.took(took);
        }
        Ok(())
    }

    /// Runs a line of a conversation: statements, or a dot-command.
    pub(super) fn line(&mut self, line: &str) -> Result<ControlFlow<()>, Failure> {
        match line.trim().strip_prefix('.') {
            Some(command) => commands::run(self, command),
            None => self.script(line).map(ControlFlow::Continue),
        }
    }

    /// Says what is wrong.
    pub(super) fn complain(&mut self, failure: &Failure) {
        match failure {
            Failure::Statement(error) => self.printer.message(error.report().trim_end()),
            Failure::Command(message) => self.printer.message(&format!("error: {message}")),
            Failure::Output => {}
        }
    }
}

fn stopped() -> Error {
    Error::new(Code::Interrupted, "the script was stopped")
}
