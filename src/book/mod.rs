//! The library's public face: open a book, read it, write it, get typed rows.
//!
//! Everything here is made of the layers below: a [`Book`] is a store with a clock and a cached
//! catalog, a [`Session`] runs statements on it, and the transactions are sessions with fewer
//! doors. Nothing here prints or reads the environment.

mod deserialize;
mod options;
mod outcome;
mod parameters;
mod prepared;
mod reading;
mod rows;
mod schema;
mod script;
mod serialize;
mod session;
mod transaction;

pub use crate::query::outcome::Heading as Column;
pub use options::Options;
pub use outcome::{CreatedRecords, ImportReport, ImportedColumn, Outcome, RefusedLine};
pub use parameters::Parameters;
pub use prepared::{ParameterDescription, Prepared};
pub use rows::{Iter, Row, Rows};
pub use schema::{FieldDescription, ObjectDescription, Schema, ViewDescription};
pub use script::{Script, Step};
pub use session::Session;
pub use transaction::{ReadTransaction, Savepoint, WriteTransaction};

#[cfg(feature = "shell")]
pub(crate) use crate::query::render::Format;

use crate::catalog::Catalog;
use crate::crm;
use crate::error::{Code, Error, Result};
use crate::query::exec::{Interrupt, Threads};
use crate::query::outcome::Outcome as Inner;
use crate::query::pipeline::Environment;
use crate::query::{Known, label};
use crate::storage::{CommitInfo, Sizes, Snapshot, Store, Transaction};
use crate::value::{Clock, DateTime, ObjectId, RecordId};
use jiff::tz::TimeZone;
use options::Now;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// An open book: one file, or one in memory.
///
/// Cheap to clone and shared by threads; clones are the same book. Reading never waits for
/// writing: every query sees the last committed state, and a [`ReadTransaction`] keeps the one it
/// began with. Writers work on their own state and meet at commit, where the second of two that
/// changed the same records gets an error of kind [`Conflict`](crate::Kind::Conflict).
///
/// ```
/// use fieldbook::Book;
///
/// let book = Book::in_memory()?;
/// book.execute("add accounts (name = \"Acme\", industry = manufacturing)")?;
/// let name: String = book.query("accounts where industry = manufacturing select name")?.one()?;
/// assert_eq!(name, "Acme");
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Clone)]
pub struct Book(Arc<Shared>);

struct Shared {
    store: Store,
    now: Now,
    memory_bytes: usize,
    threads: Threads,
    actor: Option<RecordId>,
    /// The catalog last decoded; catalogs with equal pointers are equal.
    catalog: Mutex<Option<Decoded>>,
    known: Arc<Known>,
    /// Held from reading the last transaction's moment to committing the next one.
    committing: Mutex<()>,
}

/// A catalog with the bytes it comes from.
struct Decoded {
    bytes: Arc<[u8]>,
    catalog: Arc<Catalog>,
}

/// What [`Book::check`] counted and found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Records that exist.
    pub records: u64,
    /// Column chunks compared with their records.
    pub chunks: u64,
    /// Index entries compared with their records.
    pub index_entries: u64,
    /// Journal entries read.
    pub journal_entries: u64,
    /// One sentence for each contradiction; empty when all is well.
    pub faults: Vec<String>,
}

/// A frozen state of a book, with its definitions and the clock at which it is read.
struct State {
    snapshot: Snapshot,
    catalog: Arc<Catalog>,
    clock: Clock,
}

/// How often a single statement that loses against another transaction is run again.
const ATTEMPTS_MAX: usize = 16;

impl Book {
    /// Opens the book at `path`, made with the built-in CRM objects if the file is missing.
    ///
    /// ```no_run
    /// let book = fieldbook::Book::open("sales.fieldbook")?;
    /// println!("{} deals are open", book.query("opportunities where open")?.len());
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// Options for opening: reading only, a fixed clock, memory.
    pub fn options() -> Options {
        Options::default()
    }

    /// Makes a book in memory with the built-in CRM objects.
    ///
    /// # Errors
    /// Only if the machine has no memory left.
    pub fn in_memory() -> Result<Self> {
        Self::options().in_memory()
    }

    /// Fills a new store and finds the actor.
    fn new(store: Store, options: &Options, fill: Option<&[&str]>) -> Result<Self> {
        let mut book = Self(Arc::new(Shared {
            store,
            now: options.now,
            memory_bytes: options.memory_bytes,
            threads: Threads::of(options.threads),
            actor: None,
            catalog: Mutex::new(None),
            known: Arc::default(),
            committing: Mutex::new(()),
        }));
        if let Some(scripts) = fill
            && book.0.store.snapshot()?.sequence() == 0
        {
            book.fill(scripts)?;
        }
        if let Some(label) = &options.actor {
            let actor = book.session().find_actor(label)?;
            if let Some(shared) = Arc::get_mut(&mut book.0) {
                shared.actor = Some(actor);
            }
        }
        Ok(book)
    }

    /// Makes a book in memory with a made-up company of so many opportunities, a tenth as many
    /// accounts, three contacts an account and three activities an opportunity. The same number
    /// gives the same book on the same day.
    ///
    /// # Errors
    /// Only if the machine has no memory left.
    pub fn demo(opportunities: u64) -> Result<Self> {
        Self::options().demo(opportunities)
    }

    /// Fills a new book with the sample; `progress` is told the records made and those in all.
    pub(crate) fn fill_sample(
        &self,
        scale: u64,
        progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Result<()> {
        const SEED: u64 = 1;
        let State { catalog, clock, .. } = self.state()?;
        crm::fill(&self.0.store, &catalog, &clock, scale, SEED, progress)?;
        self.session().execute(crm::SAMPLE).map(drop)
    }

    /// The first transaction of a new book. Even a bare one has it, so that it stays bare. It
    /// lies before all history, which may so be loaded oldest first.
    fn fill(&self, scripts: &[&str]) -> Result<()> {
        let mut session = self.session();
        session.execute("begin at 0001-01-01")?;
        session.keep_schema()?;
        for script in scripts {
            session.execute(script)?;
        }
        session.commit().map(drop)
    }

    /// Runs one query on the last committed state.
    ///
    /// # Errors
    /// `misplaced` if the text is not one statement that reads, and whatever is wrong with it.
    pub fn query(&self, text: &str) -> Result<Rows> {
        self.read()?.query(text)
    }

    /// Runs one query with values for its `$name`s.
    ///
    /// ```
    /// use fieldbook::{Book, params};
    ///
    /// let book = Book::in_memory()?;
    /// book.execute("add accounts (name = \"Acme\", employees = 900)")?;
    /// let rows = book.query_with("accounts where employees >= $min", params! { min: 500 })?;
    /// assert_eq!(rows.len(), 1);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Book::query`]; `missing-parameter` for one that the text names and nobody gave.
    pub fn query_with(&self, text: &str, parameters: impl Into<Parameters>) -> Result<Rows> {
        self.read()?.query_with(text, parameters)
    }

    /// Runs a script. Each statement commits by itself, unless the script says `begin`; a
    /// transaction that the script leaves open is rolled back.
    ///
    /// # Errors
    /// Of the first statement that fails; those before it stand.
    pub fn execute(&self, script: &str) -> Result<Vec<Outcome>> {
        self.session().execute(script)
    }

    /// Adds one record from a struct or a map: field names are column names, and what is `None`
    /// is left out, so that defaults apply. References, picklists and tags take labels.
    ///
    /// ```
    /// use fieldbook::{Book, Date};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Account<'a> {
    ///     name: &'a str,
    ///     industry: Option<&'a str>,
    /// }
    ///
    /// let book = Book::in_memory()?;
    /// let id = book.add("accounts", &Account { name: "Acme", industry: None })?;
    /// assert_eq!(book.read()?.get("accounts", id)?.unwrap().one::<Named>()?.name, "Acme");
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Named {
    ///     name: String,
    /// }
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// Of kind `Bind` for names that do not fit, `Constraint` for values that do not.
    pub fn add<T: Serialize + ?Sized>(&self, object: &str, record: &T) -> Result<RecordId> {
        self.session().add(object, record)
    }

    /// Begins to read: the transaction sees the last committed state until dropped.
    ///
    /// # Errors
    /// `corrupt` if the definitions cannot be read, `io`.
    pub fn read(&self) -> Result<ReadTransaction> {
        Ok(ReadTransaction::new(self.clone(), self.state()?))
    }

    /// Begins to write. Nobody waits for it; see [`WriteTransaction::commit`].
    ///
    /// # Errors
    /// `read-only` on a book opened so.
    pub fn write(&self) -> Result<WriteTransaction<'_>> {
        let mut session = self.session();
        session.begin()?;
        Ok(WriteTransaction::new(session))
    }

    /// Reads a statement once, to be run many times with different parameters.
    ///
    /// # Errors
    /// `misplaced` if the text is not one statement; whatever is wrong with its grammar. Names
    /// are looked up when it runs, so it may be prepared before its objects exist.
    pub fn prepare(&self, text: &str) -> Result<Prepared> {
        Prepared::new(self.clone(), text)
    }

    /// Begins a session: statements one after the other, as a shell runs them.
    #[must_use]
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// The objects and views.
    ///
    /// # Errors
    /// `corrupt` if the definitions cannot be read, `io`.
    pub fn schema(&self) -> Result<Schema> {
        let state = self.state()?;
        Schema::new(&state.catalog, &state.snapshot, &state.clock)
    }

    /// Compares records, columns, indexes and journal with each other: seconds a gigabyte.
    ///
    /// # Errors
    /// `io`, or `corrupt` if the file cannot even be read; contradictions are in the report.
    pub fn check(&self) -> Result<CheckReport> {
        let report = self.0.store.check()?;
        Ok(CheckReport {
            records: report.records,
            chunks: report.chunks,
            index_entries: report.index_entries,
            journal_entries: report.journal_entries,
            faults: report.faults,
        })
    }

    /// Copies the last committed state into a new file, while others read and write.
    ///
    /// # Errors
    /// `io`, also if the file exists.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.0.store.backup(path.as_ref())
    }

    /// Writes the book into a new file without gaps, checks it and puts it in the place of the old
    /// one; gives the file's bytes before and after. Who commits meanwhile waits; another process
    /// that reads sees what is committed later when it opens the book again. A crash leaves a
    /// whole book.
    ///
    /// # Errors
    /// `read-only`; `io`, also for a book in memory; `corrupt` if the check finds faults.
    pub fn compact(&self) -> Result<(u64, u64)> {
        self.0.store.compact()
    }

    /// Forgets the transactions before a moment, but for the state that they led to; gives their
    /// number. What was before can no longer be asked; the file is smaller once compacted.
    ///
    /// # Errors
    /// `read-only`, `io`.
    pub fn prune_journal(&self, before: DateTime) -> Result<u64> {
        self.0.store.prune_journal(before)
    }

    /// The moment of the first state that can be asked `as of`, if the journal was pruned.
    ///
    /// # Errors
    /// `corrupt`, `io`.
    pub fn journal_begins(&self) -> Result<Option<DateTime>> {
        let kept = self.0.store.snapshot()?.kept()?;
        Ok(kept.map(|stamp| stamp.at))
    }

    /// Lets other processes change a [shared](Options::shared) book until something is to be
    /// written here; on other books it has no effect. Transactions stay open; one that began after
    /// a commit and before the next rest keeps the others waiting until it ends.
    ///
    /// ```
    /// use fieldbook::Book;
    /// # let directory = tempfile::tempdir().expect("a place for files");
    /// # let path = directory.path().join("sales.fieldbook");
    /// let book = Book::options().shared(true).open(&path)?;
    /// book.execute("add accounts (name = \"Acme\")")?;
    /// book.rest()?;
    /// // Another process, or here another handle:
    /// Book::open(&path)?.execute("add accounts (name = \"Borealis\")")?;
    /// let count: i64 = book.query("accounts select count()")?.one()?;
    /// assert_eq!(count, 2);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// `io`, and `locked` if another process holds the book exclusively.
    pub fn rest(&self) -> Result<()> {
        self.0.store.rest()
    }

    /// What each part of the file takes. It reads all of it.
    ///
    /// # Errors
    /// `corrupt`, `io`.
    pub fn sizes(&self) -> Result<Sizes> {
        self.0.store.sizes()
    }

    /// Writes what is pending and lets go of the file, if this is the book's last handle.
    ///
    /// Dropping does the same, but cannot tell of an error.
    ///
    /// # Errors
    /// `io`. Everything committed is safe even then.
    pub fn close(self) -> Result<()> {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => shared.store.fold(),
            Err(_) => Ok(()),
        }
    }

    /// The last committed state.
    fn state(&self) -> Result<State> {
        self.state_of(self.0.store.snapshot()?)
    }

    fn state_of(&self, snapshot: Snapshot) -> Result<State> {
        Ok(State {
            catalog: self.catalog(&snapshot)?,
            clock: self.clock(&snapshot)?,
            snapshot,
        })
    }

    fn catalog(&self, snapshot: &Snapshot) -> Result<Arc<Catalog>> {
        let bytes = snapshot.catalog();
        let mut cached = self
            .0
            .catalog
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(decoded) = &*cached
            && Arc::ptr_eq(&decoded.bytes, bytes)
        {
            return Ok(decoded.catalog.clone());
        }
        let catalog = Arc::new(Catalog::decode(bytes)?);
        *cached = Some(Decoded {
            bytes: bytes.clone(),
            catalog: catalog.clone(),
        });
        Ok(catalog)
    }

    /// The clock of this book at this moment: its zone, fiscal year and base currency.
    fn clock(&self, snapshot: &Snapshot) -> Result<Clock> {
        let settings = snapshot.settings();
        let zone = TimeZone::get(&settings.zone).map_err(|e| {
            let message = format!("the book's zone `{}` is unknown", settings.zone);
            Error::new(Code::Corrupt, message).caused_by(e)
        })?;
        let mut clock = Clock {
            zone,
            fiscal: settings.fiscal,
            base: settings.base,
            ..Clock::system()
        };
        self.0.now.set(&mut clock);
        Ok(clock)
    }

    /// Reads with what surrounds a statement outside of any session.
    fn reading<R>(
        &self,
        state: &State,
        parameters: &Parameters,
        work: impl FnOnce(&Environment<'_>) -> Result<R>,
    ) -> Result<R> {
        work(&Environment {
            alone: false,
            clock: &state.clock,
            me: self.0.actor,
            parameters: &parameters.0,
            interrupt: &Interrupt::default(),
            memory_bytes: self.work_bytes(),
            threads: self.0.threads,
            directory: Path::new(""),
            atomic: false,
            dry: false,
            progress: &|_, _| {},
            known: &self.0.known,
            cards: crm::CARDS,
        })
    }

    fn work_bytes(&self) -> usize {
        self.0.memory_bytes / 2
    }

    fn commit(&self, transaction: Transaction<'_>, info: CommitInfo) -> Result<u64> {
        let committing = &self.0.committing;
        // While one loads, nobody else can commit, and who holds this may wait for it.
        let _alone = (!transaction.is_loading())
            .then(|| committing.lock().unwrap_or_else(PoisonError::into_inner));
        transaction.commit(info)
    }

    /// The error with the names of what the store knows by numbers.
    fn named(&self, error: Error) -> Error {
        let Ok(State {
            catalog, snapshot, ..
        }) = self.state()
        else {
            return error;
        };
        error.name_record(|object, id| {
            let (object, id) = (ObjectId(object), RecordId(id));
            let row = snapshot.row(object, id).ok().flatten();
            label::name_of_row(object, id, row.as_deref(), &catalog)
        })
    }
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

/// The rows of a statement that reads.
fn rows_of(outcome: Outcome, clock: &Clock) -> Result<Rows> {
    match outcome {
        Outcome::Rows(rows) => Ok(rows),
        Outcome::Plan(plan) => Ok(Rows::lines("plan", &plan, clock.clone())),
        Outcome::Sql(text) => Ok(Rows::lines("sql", &text, clock.clone())),
        _ => Err(not_one_read()),
    }
}

fn not_one_read() -> Error {
    Error::new(
        Code::Misplaced,
        "a query is one statement that reads and gives rows",
    )
    .hint("`execute` runs any statements")
}
