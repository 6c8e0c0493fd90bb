//! Running scripts and dot-commands, and printing what they give.

use super::commands;
use super::printer::Printer;
use super::signals::Signals;
use crate::error::{Code, Error};
use crate::{Outcome, Script, Session, Step};
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// A session with a place to print.
pub(super) struct Interpreter<'b, 's> {
    pub(super) session: Session<'b>,
    pub(super) printer: Printer<'s>,
    pub(super) signals: Signals,
    /// The last query from where its rows were cut off.
    pub(super) more: Option<Step>,
    /// Where that is, as `after` takes it.
    pub(super) cursor: Option<String>,
    pub(super) confirm: Confirm,
}

/// When a conversation asks before it changes records.
pub(super) struct Confirm {
    /// From more records than this on; never without it.
    pub(super) above: Option<u64>,
    /// Puts a question; absent where nobody is there to answer.
    pub(super) ask: Option<Ask>,
}

/// Whether the answer to a question is yes.
pub(super) type Ask = Box<dyn FnMut(&str) -> bool>;

impl Default for Confirm {
    fn default() -> Self {
        Self {
            above: Some(100),
            ask: None,
        }
    }
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
        self.tell(step, &outcome?, took)
    }

    /// Runs one statement of a conversation: what changes many records, or drops for good what
    /// there is, only after a question.
    fn asked_step(&mut self, step: &Step) -> Result<(), Failure> {
        if let (true, Some(_), Some(ask)) =
            (step.forgets(), self.confirm.above, &mut self.confirm.ask)
            && !ask("forget the history before then for good? [y/N] ")
        {
            self.printer.note("nothing is changed");
            return Ok(());
        }
        let (Some(above), Some(ask)) = (self.confirm.above, &mut self.confirm.ask) else {
            return self.step(step);
        };
        let loss = self.session.loss(step)?;
        if step.sweeps().is_none() && loss.is_none() {
            return self.step(step);
        }
        if self.signals.received() {
            return Err(stopped().into());
        }
        let started = Instant::now();
        let mut took = None;
        let outcome = self.session.run_if(step, |count| {
            took = Some(started.elapsed());
            match (&loss, step.sweeps()) {
                (Some(loss), _) => ask(&format!("drop {loss} for good? [y/N] ")),
                (None, Some(verb)) if count > above => {
                    ask(&format!("{verb} {} records? [y/N] ", grouped(count)))
                }
                _ => true,
            }
        });
        let took = took.unwrap_or_else(|| started.elapsed());
        match outcome? {
            Some(outcome) => self.tell(step, &outcome, took),
            None => {
                self.printer.note("nothing is changed");
                Ok(())
            }
        }
    }

    /// Prints what a statement gave.
    fn tell(&mut self, step: &Step, outcome: &Outcome, took: Duration) -> Result<(), Failure> {
        let mut more = false;
        if let Outcome::Rows(rows) = outcome {
            self.cursor = rows.cursor();
            self.more = self.cursor.as_ref().and_then(|cursor| step.after(cursor));
            more = self.more.is_some();
        }
        match self.printer.outcome(outcome, more, &self.signals) {
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
            None => {
                let script = Script::parse(line)?;
                let mut steps = script.steps().iter();
                steps.try_for_each(|step| {
                    self.asked_step(step)?;
                    self.rest()
                })?;
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    /// Lets others write until the next change.
    pub(super) fn rest(&self) -> Result<(), Failure> {
        Ok(self.session.book().rest()?)
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

/// A number with a comma before every third digit from its end: `1,234`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    /// The output and the messages of a conversation with a bare book.
    fn printed(confirm: Confirm, talk: impl FnOnce(&mut Interpreter<'_, '_>)) -> (String, String) {
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
            confirm,
        };
        talk(&mut interpreter);
        drop(interpreter);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output), text(messages))
    }

    #[test]
    fn more_goes_on_after_the_last_rows() {
        let make = "create object notes (name text label); \
            add notes (name = \"c\"), (name = \"b\"), (name = \"a\")";
        let add = "add notes (name = \"aa\"), (name = \"bb\")";
        let (output, _) = printed(Confirm::default(), |interpreter| {
            for line in [make, "notes order by name limit 2", add, ".more"] {
                assert!(interpreter.line(line).unwrap().is_continue());
            }
            let none = interpreter.line(".more");
            assert!(matches!(none, Err(Failure::Command(text)) if text.contains("no more rows")));
        });
        assert_eq!(output, "name\n----\na\nb\nname\n----\nbb\nc\n");
    }

    /// What is asked, of which every second question is answered with yes.
    fn every_second() -> (Rc<RefCell<Vec<String>>>, Confirm) {
        let asked = Rc::new(RefCell::new(Vec::new()));
        let questions = asked.clone();
        let confirm = Confirm {
            ask: Some(Box::new(move |question| {
                questions.borrow_mut().push(question.to_owned());
                questions.borrow().len() % 2 == 0
            })),
            ..Confirm::default()
        };
        (asked, confirm)
    }

    #[test]
    fn a_conversation_asks_before_it_changes_many_records() {
        let (asked, confirm) = every_second();
        let lines = [
            "create object notes (name text label, size integer)",
            "add notes (name = \"a\"), (name = \"b\"), (name = \"c\")",
            // So few are not asked about.
            "update notes where true set size = 1",
            ".confirm 2",
            "update notes where true set size = 2",
            "update notes where true set size = 3 returning count()",
            "update notes where name = \"a\" set size = 9; update notes #1 set size = 9",
            "begin; update notes #0 set size = 10",
            "delete notes where true",
            "notes select name, size; commit",
            "dry run delete notes where true",
            "prune journal before 2000-01-01",
            "prune journal before 2000-01-01",
            ".confirm off",
            "delete notes where true",
            "notes select count()",
        ];
        let (output, messages) = printed(confirm, |interpreter| {
            for line in lines {
                assert!(interpreter.line(line).unwrap().is_continue(), "{line}");
            }
            let wrong = interpreter.line(".confirm many");
            assert!(matches!(wrong, Err(Failure::Command(text)) if text.contains("usage")));
        });
        let questions = [
            "change 3 records? [y/N] ",
            "change 3 records? [y/N] ",
            "delete 3 records? [y/N] ",
            "forget the history before then for good? [y/N] ",
            "forget the history before then for good? [y/N] ",
        ];
        assert_eq!(asked.borrow().as_slice(), questions);
        let rows: Vec<_> = output.lines().collect();
        assert_eq!(rows[..3], ["count", "-----", "    3"]);
        assert_eq!(
            rows[3..8],
            [
                "name  size",
                "----  ----",
                "a       10",
                "b        9",
                "c        3"
            ]
        );
        assert_eq!(rows[rows.len() - 1], "    0");
        assert_eq!(
            messages.matches("nothing is changed").count(),
            4,
            "{messages}"
        );
    }

    #[test]
    fn a_conversation_asks_before_it_drops_for_good_what_there_is() {
        let (asked, confirm) = every_second();
        let lines = [
            "create object notes (name text label, a integer, b text, c text, d text)",
            "create object refs (note ref notes)",
            "alter object notes drop field d",
            "add notes (name = \"x\", a = 1), (name = \"y\", a = 2, b = \"b\")",
            // What nothing has, and what cannot be, is not asked about.
            "alter object notes drop field c, add field e integer",
            "alter object notes drop field b",
            "alter object notes drop field b",
            "alter object notes rename field a to z, drop field z, drop field e",
            "notes select name, a",
            "begin; alter object notes drop field a, drop field name; rollback",
            "drop object refs",
            "drop object notes",
            "notes select count()",
            "drop object notes",
            "create object notes (name text label, a integer)",
            "add notes (name = \"x\")",
            ".confirm 2",
            "add notes (name = \"y\"), (name = \"z\")",
            "upsert notes on name from (notes) (name = this.name, a = 7)",
            "notes where a = 7 select count() as seven",
            "update notes where true set a = 8 returning max(revision()) as revision",
            ".confirm off",
            "drop object notes",
        ];
        let (output, messages) = printed(confirm, |interpreter| {
            for line in lines {
                assert!(interpreter.line(line).unwrap().is_continue(), "{line}");
            }
        });
        let questions = [
            "drop `b` of notes with its 1 value for good? [y/N] ",
            "drop `b` of notes with its 1 value for good? [y/N] ",
            "drop `a` of notes with its 2 values for good? [y/N] ",
            "drop `a`, `name` of notes with their 4 values for good? [y/N] ",
            "drop notes with its 2 records for good? [y/N] ",
            "drop notes with its 2 records for good? [y/N] ",
            "change 3 records? [y/N] ",
            "change 3 records? [y/N] ",
        ];
        assert_eq!(asked.borrow().as_slice(), questions);
        assert_eq!(
            messages.matches("nothing is changed").count(),
            4,
            "{messages}"
        );
        let rows: Vec<_> = output.lines().map(str::trim).collect();
        assert_eq!(rows[..4], ["name  a", "----  -", "x     1", "y     2"]);
        // The twelfth after the one that began the book: what was refused is none.
        assert_eq!(
            rows[4..],
            [
                "count", "-----", "2", "seven", "-----", "0", "revision", "--------", "13"
            ]
        );
    }

    #[test]
    fn who_was_first_while_a_question_waited_counts() {
        let book = Book::options().bare(true).in_memory().unwrap();
        let make = "create object notes (name text label, size integer); \
            add notes (name = \"a\", size = 1)";
        book.execute(make).unwrap();
        let update = "update notes where true set size = size + 1 returning size, revision()";
        let script = Script::parse(update).unwrap();
        let mut session = book.session();
        let mut asked = 0;
        let outcome = session.run_if(&script.steps()[0], |_| {
            asked += 1;
            // First in the way, then beside it.
            match asked {
                1 => drop(book.execute("update notes \"a\" set size = 10").unwrap()),
                _ => drop(book.execute("add notes (name = \"b\")").unwrap()),
            }
            true
        });
        let Some(Outcome::Rows(rows)) = outcome.unwrap() else {
            panic!("no rows");
        };
        let now = book.query("notes \"a\" select size, revision()").unwrap();
        let values =
            |rows: &crate::Rows| rows.iter().map(|r| r.values().to_vec()).collect::<Vec<_>>();
        assert_eq!(values(&rows), values(&now));
        assert_eq!(values(&now)[0][0], crate::Value::Integer(11));
        assert_eq!(asked, 2);
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        let grouped: Vec<_> = [0, 999, 1_000, 1_234_567].map(grouped).to_vec();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }
}
