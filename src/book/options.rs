//! How a book is opened.

use super::Book;
use crate::crm;
use crate::error::Result;
use crate::storage::{Durability, Settings, Store, StoreOptions};
use crate::value::{Clock, Date, DateTime};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

/// Threads of a statement, if nobody says how many.
const THREADS_MAX: usize = 8;

/// The moment that `now` and `today` mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Now {
    /// The system's clock, read at each statement.
    #[default]
    System,
    At(DateTime),
    /// Noon of a day in the book's zone.
    Noon(Date),
}

impl Now {
    pub(super) fn set(self, clock: &mut Clock) {
        match self {
            Self::System => {}
            Self::At(moment) => clock.now = moment,
            Self::Noon(day) => {
                const HALF_DAY_MICROS: i64 = 12 * 3_600 * 1_000_000;
                clock.now = DateTime::from_micros(clock.start_of(day).micros() + HALF_DAY_MICROS);
            }
        }
    }
}

/// Options for opening a book, from [`Book::options`].
///
/// ```
/// use fieldbook::{Book, Date};
///
/// let book = Book::options()
///     .today(Date::from_ymd(2026, 5, 15).unwrap())
///     .in_memory()?;
/// let day: String = book.query("stages select today as day limit 1")?.one()?;
/// assert_eq!(day, "2026-05-15");
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a book is opened"]
pub struct Options {
    read_only: bool,
    create: bool,
    bare: bool,
    durability: Durability,
    exclusive: bool,
    shared: bool,
    patience: Duration,
    pub(super) memory_bytes: usize,
    pub(super) threads: usize,
    pub(super) now: Now,
    pub(super) actor: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            read_only: false,
            create: true,
            bare: false,
            durability: Durability::default(),
            exclusive: false,
            shared: false,
            patience: Duration::ZERO,
            memory_bytes: 512 << 20,
            threads: available_parallelism().map_or(1, |n| n.get().min(THREADS_MAX)),
            now: Now::System,
            actor: None,
        }
    }
}

impl Options {
    /// Whether the book is for reading only; a missing file is then an error. Default: no.
    pub fn read_only(mut self, on: bool) -> Self {
        self.read_only = on;
        self
    }

    /// Whether a missing file is made. Default: yes.
    pub fn create(mut self, on: bool) -> Self {
        self.create = on;
        self
    }

    /// Whether a new book is made without the built-in CRM objects and views. Default: no.
    pub fn bare(mut self, on: bool) -> Self {
        self.bare = on;
        self
    }

    /// Bytes of memory that the book may hold: a quarter for pages of the file, a quarter for
    /// decoded chunks of columns, the other half for the work of each statement. A statement
    /// that needs more fails and names its clause. Default: 512 MiB.
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Threads that one statement may use while it reads, where much is to be read; 1 means its
    /// own alone. The answer is the same. Default: those the machine has, at most 8.
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = count;
        self
    }

    /// What a commit survives. Default: [`Durability::Committed`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Whether no other process may read the book while it is open for writing here, which
    /// makes commits quicker. Default: no.
    pub fn exclusive(mut self, on: bool) -> Self {
        self.exclusive = on;
        self
    }

    /// Whether other processes may change the book while nobody writes here: after
    /// [`Book::rest`] the file is open for reading, until a commit opens it for writing again. A
    /// transaction that began before their commits is refused with `conflict` if it does not go
    /// with them. It has no effect on an [exclusive](Self::exclusive) book, or one that is safe
    /// only once it is closed. Default: no.
    pub fn shared(mut self, on: bool) -> Self {
        self.shared = on;
        self
    }

    /// How long to wait for another process that writes to the book, before opening it for writing
    /// is refused with `locked`. Default: not at all.
    pub fn patience(mut self, most: Duration) -> Self {
        self.patience = most;
        self
    }

    /// Fixes `now`. Default: the system's clock, read at each statement.
    pub fn now(mut self, moment: DateTime) -> Self {
        self.now = Now::At(moment);
        self
    }

    /// Fixes `today`, and `now` at twelve hours after the day's start in the book's zone.
    pub fn today(mut self, day: Date) -> Self {
        self.now = Now::Noon(day);
        self
    }

    /// Who is asking: the label or key of a record of the object declared `actors`, in the
    /// built-in book a rep's name or e-mail address. It is `me` in statements, and the actor in
    /// the journal.
    pub fn actor(mut self, label: impl Into<String>) -> Self {
        self.actor = Some(label.into());
        self
    }

    /// Opens the book in the file at `path`; a new one gets the built-in CRM.
    ///
    /// # Errors
    /// `no-such-file`, `not-a-book`, `newer-format`, `older-format`, `corrupt`, `locked` by another
    /// process, or `io`; `unknown-label` if there is no such actor.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Book> {
        let path = path.as_ref();
        if self.create && !self.read_only && !path.exists() {
            let made = self.make(path);
            // Another may have been faster; theirs is as good.
            if !path.exists() {
                made?;
            }
        }
        Book::new(Store::open(path, &self.for_store())?, self, self.fill())
    }

    /// Makes the file of a new book, small and whole: it is filled in memory, and then the file
    /// is there.
    fn make(&self, path: &Path) -> Result<()> {
        let draft = self.without_actor().in_memory()?;
        draft.0.store.fold()?;
        draft.backup(path)
    }

    /// Nobody is there yet whom a new book could know.
    fn without_actor(&self) -> Self {
        Self {
            actor: None,
            ..self.clone()
        }
    }

    /// Makes a book in memory that is gone when dropped.
    ///
    /// # Errors
    /// `unknown-label` if there is no such actor.
    pub fn in_memory(&self) -> Result<Book> {
        Book::new(Store::in_memory(&self.for_store())?, self, self.fill())
    }

    /// Makes a sample book in memory: see [`Book::demo`]. Its days lie around these options' day.
    ///
    /// ```
    /// use fieldbook::{Book, Date};
    /// let day = Date::from_ymd(2026, 5, 15).expect("a day of the calendar");
    /// let book = Book::options().today(day).demo(100)?;
    /// let count: i64 = book.query("opportunities select count()")?.one()?;
    /// assert_eq!(count, 100);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown-label` if an actor is given: the sample has no records before it is made. A
    /// session can [act as](crate::Session::act_as) one of them.
    pub fn demo(&self, opportunities: u64) -> Result<Book> {
        let book = self.in_memory()?;
        book.fill_sample(opportunities, &|_, _| ControlFlow::Continue(()))?;
        Ok(book)
    }

    /// Makes a sample book in a new file, for samples too large for memory: it is written beside
    /// its place first, and takes [`memory_bytes`](Self::memory_bytes) and some 100 bytes an
    /// opportunity of memory. `progress` is told the records made and those there will be, and may
    /// stop it: then there is no file.
    ///
    /// ```
    /// use fieldbook::{Book, Date};
    /// use std::ops::ControlFlow;
    /// # let directory = tempfile::tempdir().expect("a place for files");
    /// # let path = directory.path().join("sample.fieldbook");
    /// let day = Date::from_ymd(2026, 5, 15).expect("a day of the calendar");
    /// Book::options().today(day).save_demo(&path, 100, &|_, _| ControlFlow::Continue(()))?;
    /// let count: i64 = Book::open(&path)?.query("opportunities select count()")?.one()?;
    /// assert_eq!(count, 100);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// `io` if there is a file at `path` or it cannot be made; `interrupted` if it was stopped.
    pub fn save_demo(
        &self,
        path: impl AsRef<Path>,
        opportunities: u64,
        progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let path = path.as_ref();
        Store::drafted(path, &self.for_store(), |store| {
            let draft = Book::new(store, &self.without_actor(), self.fill())?;
            draft.fill_sample(opportunities, progress)?;
            draft.0.store.fold()?;
            draft.backup(path)
        })
    }

    /// What a book without any transaction yet gets, if it may be written.
    fn fill(&self) -> Option<&'static [&'static str]> {
        match (self.read_only, self.bare) {
            (true, _) => None,
            (false, true) => Some(&[]),
            (false, false) => Some(&[crm::SCHEMA, crm::VIEWS]),
        }
    }

    fn for_store(&self) -> StoreOptions {
        StoreOptions {
            read_only: self.read_only,
            create: self.create && !self.read_only,
            cache_bytes: self.memory_bytes / 2,
            settings: Settings::default(),
            durability: self.durability,
            exclusive: self.exclusive,
            shared: self.shared
                && !self.read_only
                && !self.exclusive
                && self.durability != Durability::Closed,
            patience: self.patience,
        }
    }
}
