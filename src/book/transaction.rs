//! Transactions as a program holds them: one that reads a frozen state, one that writes.

use super::prepared::one_read;
use super::{Book, Outcome, Parameters, Prepared, Rows, Session, State, rows_of};
use crate::error::Result;
use crate::query::pipeline::{self, Bound};
use crate::storage::Mark;
use crate::value::RecordId;
use serde::Serialize;

/// A frozen state of a book, from [`Book::read`]: what is committed later is not seen.
///
/// It never waits for a writer, and no writer waits for it. Its clock stands still too.
///
/// ```
/// use fieldbook::Book;
///
/// let book = Book::in_memory()?;
/// let before = book.read()?;
/// book.execute("add accounts (name = \"Acme\")")?;
/// assert_eq!(before.query("accounts")?.len(), 0);
/// assert_eq!(book.query("accounts")?.len(), 1);
/// # Ok::<(), fieldbook::Error>(())
/// ```
pub struct ReadTransaction {
    book: Book,
    state: State,
}

impl ReadTransaction {
    pub(super) fn new(book: Book, state: State) -> Self {
        Self { book, state }
    }

    /// Runs one query.
    ///
    /// # Errors
    /// As [`Book::query`].
    pub fn query(&self, text: &str) -> Result<Rows> {
        self.query_with(text, Parameters::new())
    }

    /// Runs one query with values for its `$name`s.
    ///
    /// # Errors
    /// As [`Book::query_with`].
    pub fn query_with(&self, text: &str, parameters: impl Into<Parameters>) -> Result<Rows> {
        let statement = one_read(text)?;
        let bind = pipeline::bind(&statement, &self.state.catalog, &self.state.clock);
        bind.and_then(|bound| {
            let parameters = parameters.into();
            pipeline::check_names(bound.parameters(), parameters.0.keys())?;
            self.run(&bound, &parameters)
        })
        .map_err(|error| error.in_text(text))
    }

    /// The stored fields of one record, as a single row; nothing if there is no such record.
    ///
    /// # Errors
    /// `unknown-object`, `io`.
    pub fn get(&self, object: &str, id: RecordId) -> Result<Option<Rows>> {
        let State {
            snapshot,
            catalog,
            clock,
        } = &self.state;
        let none = Parameters::new();
        let found = self.book.reading(&self.state, &none, |environment| {
            pipeline::record(object, id, snapshot, catalog, environment)
        })?;
        Ok(found.map(|table| Rows::new(table, clock.clone())))
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Runs a statement that was bound in this state's catalog.
    pub(super) fn run(&self, bound: &Bound, parameters: &Parameters) -> Result<Rows> {
        let State {
            snapshot,
            catalog,
            clock,
        } = &self.state;
        let outcome = self.book.reading(&self.state, parameters, |environment| {
            pipeline::run(bound, snapshot, catalog, environment)
        })?;
        rows_of(Outcome::new(outcome, catalog, clock), clock)
    }
}

impl std::fmt::Debug for ReadTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadTransaction").finish_non_exhaustive()
    }
}

/// Changes that become visible to others all at once, from [`Book::write`].
///
/// Its own queries see its changes; nobody else does before [`WriteTransaction::commit`].
/// Dropping it rolls back. It holds no lock, so it may stay open while a person thinks.
///
/// ```
/// use fieldbook::Book;
///
/// let book = Book::in_memory()?;
/// let mut write = book.write()?;
/// write.execute("add accounts (name = \"Acme\"), (name = \"Borealis\")")?;
/// let before = write.savepoint()?;
/// write.execute("delete accounts where true")?;
/// write.roll_back_to(before)?;
/// write.commit()?;
/// assert_eq!(book.query("accounts")?.len(), 2);
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteTransaction<'b> {
    session: Session<'b>,
}

/// A place in a [`WriteTransaction`] to roll back to.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint(Mark);

impl<'b> WriteTransaction<'b> {
    pub(super) fn new(mut session: Session<'b>) -> Self {
        session.hold("the program that runs the script ends it");
        Self { session }
    }

    /// Runs a script; it may not contain `begin`, `commit` or `rollback`.
    ///
    /// # Errors
    /// Of the first statement that fails. It alone is undone, and the transaction goes on.
    pub fn execute(&mut self, script: &str) -> Result<Vec<Outcome>> {
        self.session.execute(script)
    }

    /// Runs one query on the state with this transaction's changes.
    ///
    /// # Errors
    /// As [`Book::query`].
    pub fn query(&self, text: &str) -> Result<Rows> {
        self.query_with(text, Parameters::new())
    }

    /// Runs one query with values for its `$name`s.
    ///
    /// # Errors
    /// As [`Book::query_with`].
    pub fn query_with(&self, text: &str, parameters: impl Into<Parameters>) -> Result<Rows> {
        let read = ReadTransaction::new(self.session.book().clone(), self.session.state()?);
        read.query_with(text, parameters)
    }

    /// Adds one record from a struct or a map.
    ///
    /// # Errors
    /// As [`Book::add`].
    pub fn add<T: Serialize + ?Sized>(&mut self, object: &str, record: &T) -> Result<RecordId> {
        self.session.add(object, record)
    }

    /// Runs a prepared statement.
    ///
    /// # Errors
    /// Whatever is wrong with the statement; it has then changed nothing.
    pub fn run(
        &mut self,
        prepared: &Prepared,
        parameters: impl Into<Parameters>,
    ) -> Result<Outcome> {
        prepared.run_in(&mut self.session, parameters.into())
    }

    /// Marks a place to roll back to.
    ///
    /// # Errors
    /// None while the transaction is open.
    pub fn savepoint(&self) -> Result<Savepoint> {
        self.session.mark().map(Savepoint)
    }

    /// Forgets everything since the savepoint; savepoints made after it are void.
    ///
    /// # Errors
    /// None while the transaction is open.
    pub fn roll_back_to(&mut self, savepoint: Savepoint) -> Result<()> {
        self.session.roll_back_to(savepoint.0)
    }

    /// Makes the changes durable and visible, all or none. Gives the transaction's number, as
    /// `revision()` and `if unchanged since` have it.
    ///
    /// ```
    /// use fieldbook::{Book, params};
    ///
    /// let book = Book::in_memory()?;
    /// let mut write = book.write()?;
    /// write.execute("add accounts (name = \"Acme\")")?;
    /// let seen = write.commit()?;
    /// book.execute("update accounts \"Acme\" set employees = 5")?;
    /// let mine = book.prepare(
    ///     "update accounts \"Acme\" set employees = 6 if unchanged since $seen",
    /// )?;
    /// let refused = mine.execute(params! { seen: i64::try_from(seen)? }).unwrap_err();
    /// assert!(refused.is_conflict());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    ///
    /// # Errors
    /// See [`Session::commit`]; after a `conflict`, run the whole transaction again.
    pub fn commit(mut self) -> Result<u64> {
        self.session.commit()
    }

    /// Forgets the changes, as dropping does.
    pub fn rollback(self) {
        drop(self);
    }
}
