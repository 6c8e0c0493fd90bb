//! The open file: published state, pending changes, and their fold.

use super::commit::Recent;
use super::fault::{OrFault, fault};
use super::meta::{self, Meta, Progress};
use super::overlay::Overlay;
use super::published::Published;
use super::schema::Schema;
use super::{Snapshot, Transaction, fold, journal, tables};
use crate::error::{Code, Error, Result};
use crate::value::{Currency, FOLDING_VERSION, ObjectId, RecordId};
use redb::backends::InMemoryBackend;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase, ReadableTable, StorageBackend, StorageError, TableError, WriteTransaction,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// How a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct StoreOptions {
    pub read_only: bool,
    pub create: bool,
    /// Bytes of page cache.
    pub cache_bytes: usize,
    /// Settings of a new store.
    pub settings: Settings,
    pub durability: Durability,
}

/// When a commit is safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A commit survives a crash of the program and a power cut.
    #[default]
    Committed,
    /// Commits survive neither until the store is closed; other processes cannot read
    /// meanwhile. The file stays sound: after a crash it holds what it held when opened.
    Closed,
}

/// What the meta table says of the book besides its format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// IANA name of the zone in which days begin and end.
    pub zone: String,
    /// Month in which the fiscal year starts, 1 to 12.
    pub fiscal_start: i8,
    pub base: Currency,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            fiscal_start: 1,
            base: Currency::USD,
        }
    }
}

impl Default for StoreOptions {
    /// A file to read and write, created if missing.
    fn default() -> Self {
        Self {
            read_only: false,
            create: true,
            cache_bytes: 256 << 20,
            settings: Settings::default(),
            durability: Durability::default(),
        }
    }
}

/// What [`Store::check`] counted and found.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckReport {
    pub records: u64,
    pub chunks: u64,
    pub index_entries: u64,
    pub journal_entries: u64,
    /// One sentence for each contradiction; empty when all is well.
    pub faults: Vec<String>,
}

/// An open book file, or one in memory. Shared by threads.
pub(crate) struct Store {
    published: RwLock<Snapshot>,
    pub(super) replica: u64,
    durability: Durability,
    writer: Mutex<Writer>,
    /// The next id of each object, given out or not yet committed.
    reserved: Mutex<BTreeMap<ObjectId, u64>>,
    /// How many open transactions began at each state.
    open: Mutex<BTreeMap<u64, usize>>,
    /// Last, so that it outlives the read transaction in `published`.
    engine: Engine,
}

enum Engine {
    Writing(Database),
    Reading(ReadOnlyDatabase),
}

/// What only the committing thread has.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) recent: VecDeque<Recent>,
}

impl Store {
    pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        let missing = !path.exists();
        if missing && (options.read_only || !options.create) {
            return Err(Error::new(
                Code::NoSuchFile,
                format!("the book `{}` does not exist", path.display()),
            ));
        }
        let new = missing || is_empty(path, options)?;
        if !new {
            check_magic(path)?;
        }
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes);
        builder.set_concurrency_mode(match options.durability {
            Durability::Committed => ConcurrencyMode::SingleWriter,
            Durability::Closed => ConcurrencyMode::ExclusiveWriter,
        });
        let named = |error| open_fault(path, error);
        let engine = if options.read_only {
            Engine::Reading(builder.open_read_only(path).map_err(named)?)
        } else if new {
            Engine::Writing(builder.create(path).map_err(named)?)
        } else {
            Engine::Writing(builder.open(path).map_err(named)?)
        };
        Self::start(engine, new, options).map_err(|error| {
            if error.code() == Code::NotABook {
                not_a_book(path)
            } else {
                error
            }
        })
    }

    pub(crate) fn in_memory(options: &StoreOptions) -> Result<Self> {
        Self::on_backend(InMemoryBackend::new(), true, options)
    }

    /// Opens a book, or a new one, on bytes that need not be a file.
    pub(super) fn on_backend(
        backend: impl StorageBackend,
        new: bool,
        options: &StoreOptions,
    ) -> Result<Self> {
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes);
        let database = builder
            .create_with_backend(backend)
            .map_err(redb::Error::from)
            .or_fault()?;
        Self::start(Engine::Writing(database), new, options)
    }

    fn start(engine: Engine, new: bool, options: &StoreOptions) -> Result<Self> {
        if let Engine::Writing(database) = &engine {
            if new {
                create(database, options)?;
            }
            rebuild_folded(database)?;
        }
        let (snapshot, meta) = read_state(engine.begin_read()?)?;
        if meta.folding != FOLDING_VERSION {
            return Err(Error::new(
                Code::ReadOnly,
                "the book's text indexes are of another version and must be rebuilt",
            )
            .hint("open it for writing once"));
        }
        let reserved = meta
            .counts
            .iter()
            .map(|(object, counts)| (*object, counts.next));
        Ok(Self {
            published: RwLock::new(snapshot),
            replica: meta.replica,
            durability: options.durability,
            writer: Mutex::default(),
            reserved: Mutex::new(reserved.collect()),
            open: Mutex::default(),
            engine,
        })
    }

    /// The last committed state. Cheap; never blocks on a writer.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        let latest = self.latest();
        let Engine::Reading(database) = &self.engine else {
            return Ok(latest);
        };
        // Another process may have committed or folded since.
        let read = database.begin_read().or_fault()?;
        let meta = read_meta(&read)?;
        if meta.progress == latest.base.progress {
            return Ok(latest);
        }
        let (snapshot, _) = read_state(read)?;
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        Ok(snapshot)
    }

    /// Starts a write transaction on the last committed state. Holds no lock.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>> {
        if matches!(self.engine, Engine::Reading(_)) {
            return Err(read_only());
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let base = self.latest();
        *open.entry(base.sequence()).or_default() += 1;
        Ok(Transaction::new(self, base))
    }

    /// A transaction on the state `sequence` has ended.
    pub(super) fn forget(&self, sequence: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&sequence) {
            *count -= 1;
            if *count == 0 {
                open.remove(&sequence);
            }
        }
    }

    /// Drops the commits that every open transaction has seen, but for one on `ending`.
    pub(super) fn prune(&self, writer: &mut Writer, ending: u64) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = open
            .iter()
            .find(|(sequence, count)| **sequence != ending || **count > 1);
        match oldest {
            Some((&oldest, _)) => writer.recent.retain(|recent| recent.sequence > oldest),
            None => writer.recent.clear(),
        }
    }

    /// The next id of an object, which is at least `bound`.
    pub(super) fn reserve(&self, object: ObjectId, bound: u64) -> RecordId {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let next = reserved.entry(object).or_insert(0);
        let id = (*next).max(bound);
        *next = id + 1;
        RecordId(id)
    }

    /// Takes the newest id back; others leave a gap.
    pub(super) fn give_back(&self, object: ObjectId, id: RecordId) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = reserved.get_mut(&object)
            && *next == id.0 + 1
        {
            *next = id.0;
        }
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn latest(&self) -> Snapshot {
        let published = self.published.read();
        published.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction> {
        let Engine::Writing(database) = &self.engine else {
            return Err(read_only());
        };
        let mut write = database.begin_write().or_fault()?;
        if self.durability == Durability::Closed {
            write.set_durability(redb::Durability::None).or_fault()?;
        }
        Ok(write)
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction> {
        self.engine.begin_read()
    }

    /// Makes the state just written the one that is read.
    pub(super) fn publish(&self, progress: Progress, overlay: Arc<Overlay>) -> Result<()> {
        let objects = overlay.schema.layouts.keys().copied();
        let base = Arc::new(Published::new(self.begin_read()?, progress, objects)?);
        let snapshot = Snapshot { base, overlay };
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Pending changes are in the journal, so failing here loses nothing.
        if matches!(self.engine, Engine::Writing(_)) {
            let _ = self.fold();
            self.durability = Durability::Committed;
            let _ = self.begin_write().map(|write| write.commit());
        }
    }
}

impl Engine {
    fn begin_read(&self) -> Result<ReadTransaction> {
        match self {
            Self::Writing(database) => database.begin_read().or_fault(),
            Self::Reading(database) => database.begin_read().or_fault(),
        }
    }
}

fn read_only() -> Error {
    Error::new(Code::ReadOnly, "the book was opened for reading only")
}

fn not_a_book(path: &Path) -> Error {
    Error::new(
        Code::NotABook,
        format!("the file `{}` is not a book", path.display()),
    )
}

/// Whether a file holds no byte, and may become a book.
fn is_empty(path: &Path, options: &StoreOptions) -> Result<bool> {
    let metadata = std::fs::metadata(path).map_err(|error| io_fault(path, error))?;
    if metadata.is_dir() {
        return Err(not_a_book(path).hint("it is a directory"));
    }
    if metadata.len() == 0 && (options.read_only || !options.create) {
        return Err(not_a_book(path).hint("it is empty"));
    }
    Ok(metadata.len() == 0)
}

/// An error unless the file starts as redb's files do.
fn check_magic(path: &Path) -> Result<()> {
    const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| io_fault(path, error))?;
    if start == MAGIC {
        Ok(())
    } else {
        Err(not_a_book(path))
    }
}

fn io_fault(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::Io,
        format!("the file `{}` cannot be opened: {error}", path.display()),
    )
    .caused_by(error)
}

fn open_fault(path: &Path, error: DatabaseError) -> Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => Error::new(
            Code::Locked,
            format!("the book `{}` is in use by another process", path.display()),
        )
        .hint("close it there, or open it for reading only")
        .caused_by(error),
        DatabaseError::RepairAborted => Error::new(
            Code::ReadOnly,
            format!("the book `{}` was not closed cleanly", path.display()),
        )
        .hint("open it for writing once, which repairs it")
        .caused_by(error),
        DatabaseError::Storage(StorageError::Io(error)) => io_fault(path, error),
        DatabaseError::Storage(StorageError::Corrupted(text)) => Error::new(
            Code::Corrupt,
            format!("the book `{}` is damaged: {text}", path.display()),
        ),
        other => fault(other.into()),
    }
}

/// Writes the tables of a new book.
fn create(database: &Database, options: &StoreOptions) -> Result<()> {
    let write = database.begin_write().or_fault()?;
    write.open_table(tables::COLUMNS).or_fault()?;
    write.open_table(tables::SUMMARIES).or_fault()?;
    write.open_table(tables::REFERENCES).or_fault()?;
    write.open_table(tables::KEYS).or_fault()?;
    write.open_table(tables::TRANSACTIONS).or_fault()?;
    write.open_table(tables::CATALOGS).or_fault()?;
    write.open_table(tables::JOURNAL).or_fault()?;
    write.open_table(tables::JOURNAL_RECORDS).or_fault()?;
    let meta = Meta {
        // A hasher's random keys are all the chance the standard library has to offer.
        replica: RandomState::new().hash_one("replica"),
        settings: options.settings.clone(),
        folding: FOLDING_VERSION,
        progress: Progress::default(),
        counts: Vec::new(),
    };
    meta.write(&write)?;
    write.commit().or_fault()
}

/// Rebuilds the indexes over folded text if the folding has changed since they were written.
fn rebuild_folded(database: &Database) -> Result<()> {
    let (snapshot, meta) = read_state(database.begin_read().or_fault()?)?;
    if meta.folding == FOLDING_VERSION {
        return Ok(());
    }
    let write = database.begin_write().or_fault()?;
    fold::rebuild_folded(&write, &snapshot)?;
    meta::write_folding(&write, FOLDING_VERSION)?;
    let progress = Progress {
        folded: meta.progress.sequence,
        ..meta.progress
    };
    meta::write_progress(&write, &progress)?;
    write.commit().or_fault()
}

fn read_meta(read: &ReadTransaction) -> Result<Meta> {
    match read.open_table(tables::META) {
        Ok(table) => Meta::read(&table),
        Err(TableError::Storage(error)) => Err(error).or_fault(),
        Err(error) => Err(Error::new(Code::NotABook, "the file is not a book").caused_by(error)),
    }
}

/// Reads a committed state: its meta table, its schema and what is not yet folded.
pub(super) fn read_state(read: ReadTransaction) -> Result<(Snapshot, Meta)> {
    let meta = read_meta(&read)?;
    let catalogs = read.open_table(tables::CATALOGS).or_fault()?;
    let schema = match catalogs.last().or_fault()? {
        Some((_, bytes)) => Schema::decode(bytes.value())?,
        None => Schema::new(Arc::from([]), []),
    };
    let objects = schema.layouts.keys().copied();
    let base = Published::new(read, meta.progress, objects)?;
    let mut overlay = Overlay::new(Arc::new(schema), Arc::new(meta.settings.clone()));
    for (object, counts) in &meta.counts {
        overlay.objects.entry(*object).or_default().counts = *counts;
    }
    let pending = journal::unfolded(
        &base.read.open_table(tables::TRANSACTIONS).or_fault()?,
        &base.read.open_table(tables::JOURNAL).or_fault()?,
        &overlay.schema,
        (meta.progress.folded, meta.progress.sequence),
        |layout, id| base.row(layout, id),
    )?;
    for ((object, id), entry) in pending {
        overlay.restore(object, id, entry)?;
    }
    let snapshot = Snapshot {
        base: Arc::new(base),
        overlay: Arc::new(overlay),
    };
    Ok((snapshot, meta))
}
