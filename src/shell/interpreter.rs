//! Running scripts and dot-commands, and printing what they give.

use super::commands;
use super::printer::Printer;
use super::signals::Signals;
use crate::error::{Code, Error};
use crate::{Outcome, Script, Session, Step};
use std::io;
use std::ops::ControlFlow;
use std::time::Instant;

/// A session with a place to print.
pub(super) struct Interpreter<'b, 's> {
    pub(super) session: Session<'b>,
    pub(super) printer: Printer<'s>,
    pub(super) signals: Signals,
    /// The last query from where its rows were cut off.
    pub(super) more: Option<Step>,
    /// Where that is, as `after` takes it.
    pub(super) cursor: Option<String>,
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
            self.step(step)?;
        }
        Ok(())
    }

    /// Runs one statement.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Failure> {
        if self.signals.received() {
            return Err(stopped().into());
        }
        let started = Instant::now();
        let outcome = self.session.run(step);
        self.printer.progress.clear();
        let took = started.elapsed();
        let outcome = outcome?;
        let mut more = false;
        if let Outcome::Rows(rows) = &outcome {
            self.cursor = rows.cursor();
            self.more = self.cursor.as_ref().and_then(|cursor| step.after(cursor));
            more = self.more.is_some();
        }
        match self.printer.outcome(&outcome, more, &self.signals) {
            Err(_) if self.signals.received() => return Err(stopped().into()),
            printed => printed?,
        }
        self.printer.took(took);
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

#[cfg(test)]
mod tests {
    use super::super::arguments::Arguments;
    use super::super::terminal::{Progress, Streams};
    use super::*;
    use crate::Book;
    use clap::Parser as _;
    use std::sync::Arc;

    #[test]
    fn more_goes_on_after_the_last_rows() {
        let book = Book::options().bare(true).in_memory().unwrap();
        let (mut output, mut messages) = (Vec::new(), Vec::new());
        let mut input = &b""[..];
        let mut streams = Streams::new(&mut input, &mut output, &mut messages);
        let arguments = Arguments::parse_from(["fieldbook"]);
        let mut interpreter = Interpreter {
            session: book.session(),
            printer: Printer::new(&arguments, &mut streams, Arc::new(Progress::default())),
            signals: Signals::default(),
            more: None,
            cursor: None,
        };
        let make = "create object notes (name text label); \
            add notes (name = \"c\"), (name = \"b\"), (name = \"a\")";
        let add = "add notes (name = \"aa\"), (name = \"bb\")";
        for line in [make, "notes order by name limit 2", add, ".more"] {
            assert!(interpreter.line(line).unwrap().is_continue());
        }
        let none = interpreter.line(".more");
        assert!(matches!(none, Err(Failure::Command(text)) if text.contains("no more rows")));
        drop(interpreter);
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output, "name\n----\na\nb\nname\n----\nbb\nc\n");
    }
}
