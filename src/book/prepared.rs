//! A prepared statement: read once, run many times.

use super::rows::type_name;
use super::transaction::ReadTransaction;
use super::{Book, Outcome, Parameters, Rows, Session, State, not_one_read};
use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Parameter, Type};
use crate::query::pipeline::{self, Bound};
use crate::query::syntax::Statement;
use crate::value::FieldType;
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

/// A parameter of a statement, from [`Prepared::parameters`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterDescription {
    /// The name, without the `$`.
    pub name: String,
    /// What its values are, in the words of `create object`: `money`, `date`, `ref accounts`;
    /// `any` where the statement does not tell.
    pub type_text: String,
}

/// A bound statement and what it was bound in.
#[derive(Clone, Debug)]
struct InCatalog {
    catalog: Arc<Catalog>,
    zone: TimeZone,
    /// Absent for a statement that changes records.
    bound: Option<Arc<Bound>>,
    parameters: Arc<[Parameter]>,
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

    /// The parameters in the order of their names, each with the type that it has from where it
    /// stands, by the definitions as they are now.
    ///
    /// ```
    /// let book = fieldbook::Book::in_memory()?;
    /// let deals = book.prepare("opportunities where amount >= $min and account = $account")?;
    /// let known = deals.parameters()?;
    /// assert_eq!((&*known[0].name, &*known[0].type_text), ("account", "ref accounts"));
    /// assert_eq!((&*known[1].name, &*known[1].type_text), ("min", "money"));
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the statement's names and types.
    pub fn parameters(&self) -> Result<Vec<ParameterDescription>> {
        let state = self.book.state()?;
        let known = self
            .in_catalog(&state)
            .map_err(|error| error.in_text(&self.text))?;
        let describe = |parameter: &Parameter| ParameterDescription {
            name: parameter.name.clone(),
            type_text: type_text(&parameter.ty, &state.catalog),
        };
        Ok(known.parameters.iter().map(describe).collect())
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
        let parameters = parameters.into();
        self.in_catalog(read.state())
            .and_then(|known| {
                pipeline::check_names(&known.parameters, parameters.0.keys())?;
                let bound = known.bound.ok_or_else(not_one_read)?;
                read.run(&bound, &parameters)
            })
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
        let given: Vec<String> = parameters.0.keys().cloned().collect();
        let before = session.swap_parameters(parameters);
        let outcome = self.run_with(session, &given);
        session.swap_parameters(before);
        outcome.map_err(|error| error.in_text(&self.text))
    }

    fn run_with(&self, session: &mut Session<'_>, given: &[String]) -> Result<Outcome> {
        if !pipeline::has_parameters(&self.statement) {
            return session.perform(&self.statement);
        }
        let state = session.state()?;
        let known = self.in_catalog(&state)?;
        pipeline::check_names(&known.parameters, given.iter())?;
        match known.bound {
            Some(bound) => session.run_bound(&bound, &state),
            None => session.perform(&self.statement),
        }
    }

    /// The statement with its names looked up: once for each version of the schema.
    fn in_catalog(&self, state: &State) -> Result<InCatalog> {
        let last = || self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last()
            && Arc::ptr_eq(&known.catalog, &state.catalog)
            && known.zone == state.clock.zone
        {
            return Ok(known.clone());
        }
        let (statement, catalog, clock) = (&*self.statement, &*state.catalog, &state.clock);
        let (bound, parameters) = match pipeline::is_read(statement) {
            true => {
                let bound = pipeline::bind(statement, catalog, clock)?;
                let parameters = bound.parameters().to_vec();
                (Some(Arc::new(bound)), parameters)
            }
            false if pipeline::has_parameters(&self.statement) => {
                (None, pipeline::parameters(statement, catalog, clock)?)
            }
            false => (None, Vec::new()),
        };
        let known = InCatalog {
            catalog: state.catalog.clone(),
            zone: state.clock.zone.clone(),
            bound,
            parameters: parameters.into(),
        };
        *last() = Some(known.clone());
        Ok(known)
    }
}

/// A type as `create object` writes it.
fn type_text(ty: &Type, catalog: &Catalog) -> String {
    match ty {
        Type::Missing => "any".to_owned(),
        Type::Plain(FieldType::Reference(object)) => {
            format!("ref {}", catalog.object(*object).name)
        }
        ty => type_name(ty).to_owned(),
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
    let mut statements = pipeline::parse(text)?;
    match (statements.pop(), statements.is_empty()) {
        (Some((statement, _)), true) => Ok(statement),
        (None, _) => Err(Error::new(Code::Syntax, "the text holds no statement").in_text(text)),
        _ => Err(not_one_read().in_text(text)),
    }
}
