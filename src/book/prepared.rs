//! A prepared statement: read once, run many times.

use super::transaction::ReadTransaction;
use super::{Book, Outcome, Parameters, Rows, Script, Session, State, not_one_read};
use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::query::pipeline::{self, Bound};
use crate::query::syntax::Statement;
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// The statement as it was last bound, if it reads.
    bound: Arc<Mutex<Option<InCatalog>>>,
}

/// A bound statement and what it was bound in.
#[derive(Clone, Debug)]
struct InCatalog {
    catalog: Arc<Catalog>,
    zone: TimeZone,
    bound: Arc<Bound>,
}

impl Prepared {
    pub(super) fn new(book: Book, text: &str) -> Result<Self> {
        Ok(Self {
            book,
            text: text.into(),
            statement: Arc::new(one_statement(text)?),
            bound: Arc::default(),
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
        if !pipeline::is_read(&self.statement) {
            return Err(not_one_read().in_text(&self.text));
        }
        self.bind(read.state())
            .and_then(|bound| read.run(&bound, &parameters.into()))
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
        let outcome = match pipeline::is_read(&self.statement) {
            true => session.state().and_then(|state| {
                let bound = self.bind(&state)?;
                session.run_bound(&bound, &state)
            }),
            false => session.perform(&self.statement),
        };
        session.swap_parameters(before);
        outcome.map_err(|error| error.in_text(&self.text))
    }

    /// The statement with its names looked up: once for each version of the schema.
    fn bind(&self, state: &State) -> Result<Arc<Bound>> {
        let last = || self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last()
            && Arc::ptr_eq(&known.catalog, &state.catalog)
            && known.zone == state.clock.zone
        {
            return Ok(known.bound.clone());
        }
        let bound = pipeline::bind(&self.statement, &state.catalog, &state.clock)?;
        let bound = Arc::new(bound);
        *last() = Some(InCatalog {
            catalog: state.catalog.clone(),
            zone: state.clock.zone.clone(),
            bound: bound.clone(),
        });
        Ok(bound)
    }
}

/// Reads a text that is one statement, which reads.
pub(super) fn one_read(text: &str) -> Result<Statement> {
    let statement = one_statement(text)?;
    match pipeline::is_read(&statement) {
        true => Ok(statement),
        false => Err(not_one_read().in_text(text)),
    }
}

/// Reads a text that is one statement.
fn one_statement(text: &str) -> Result<Statement> {
    let script = Script::parse(text)?;
    match script.steps() {
        [step] => Ok(step.statement.clone()),
        [] => Err(Error::new(Code::Syntax, "the text holds no statement").in_text(text)),
        _ => Err(not_one_read().in_text(text)),
    }
}
