//! A prepared statement: read once, run many times.

use super::transaction::ReadTransaction;
use super::{Book, Outcome, Parameters, Rows, Script, Session, not_one_read};
use crate::error::{Code, Error, Result};
use crate::query::syntax::Statement;
use std::sync::Arc;

/// A statement read once, to be run many times, from [`Book::prepare`].
///
/// ```
/// use fieldbook::{Book, params};
///
/// let book = Book::in_memory()?;
/// let add = book.prepare("add accounts (name = $name, employees = $employees)")?;
/// add.execute(params! { name: "Acme", employees: 900 })?;
/// add.execute(params! { name: "Borealis", employees: 300 })?;
///
/// let large = book.prepare("accounts where employees > $min select name")?;
/// let names: Vec<String> = large.query(params! { min: 500 })?.deserialize()?;
/// assert_eq!(names, ["Acme"]);
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    book: Book,
    text: Arc<str>,
    statement: Arc<Statement>,
}

impl Prepared {
    pub(super) fn new(book: Book, text: &str) -> Result<Self> {
        Ok(Self {
            book,
            text: text.into(),
            statement: Arc::new(one_statement(text)?),
        })
    }

    /// The statement's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs the query on the last committed state.
    ///
    /// # Errors
    /// As [`Book::query_with`].
    pub fn query(&self, parameters: impl Into<Parameters>) -> Result<Rows> {
        self.query_in(&self.book.read()?, parameters)
    }

    /// Runs the query on the state of `read`.
    ///
    /// # Errors
    /// As [`Book::query_with`].
    pub fn query_in(
        &self,
        read: &ReadTransaction,
        parameters: impl Into<Parameters>,
    ) -> Result<Rows> {
        read.run(&self.statement, &parameters.into())
            .map_err(|error| error.in_text(&self.text))
    }

    /// Runs the statement and commits it. To run it in a transaction of several, see
    /// [`WriteTransaction::run`](super::WriteTransaction::run).
    ///
    /// # Errors
    /// Whatever is wrong with the statement; it has then changed nothing.
    pub fn execute(&self, parameters: impl Into<Parameters>) -> Result<Outcome> {
        self.run_in(&mut self.book.session(), parameters.into())
    }

    pub(super) fn run_in(
        &self,
        session: &mut Session<'_>,
        parameters: Parameters,
    ) -> Result<Outcome> {
        let before = session.swap_parameters(parameters);
        let outcome = session.perform(&self.statement);
        session.swap_parameters(before);
        outcome.map_err(|error| error.in_text(&self.text))
    }
}

/// Reads a text that is one statement.
pub(super) fn one_statement(text: &str) -> Result<Statement> {
    let script = Script::parse(text)?;
    match script.steps() {
        [step] => Ok(step.statement.clone()),
        [] => Err(Error::new(Code::Syntax, "the text holds no statement").in_text(text)),
        _ => Err(not_one_read().in_text(text)),
    }
}
