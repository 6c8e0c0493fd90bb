//! The open file: published state, pending changes, and their fold.

use super::cache::ChunkCache;
use super::commit::Recent;
use super::fault::{OrFault, guard};
use super::log::{self, Pending};
use super::meta::{self, Meta, Progress};
use super::overlay::Overlay;
use super::published::Published;
use super::schema::Schema;
use super::share::{Identity, identity};
use super::{Snapshot, Transaction, tables};
use crate::error::{Code, Error, Result};
use crate::value::{Currency, FiscalYear, ObjectId, RecordId};
use redb::{
    Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable, TableError,
    WriteTransaction,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// How a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct StoreOptions {
    pub read_only: bool,
    pub create: bool,
    /// Bytes of what is kept of the file: pages and decoded chunks, half each.
    pub cache_bytes: usize,
    /// Settings of a new store.
    pub settings: Settings,
    pub durability: Durability,
    /// Whether no other process may read meanwhile.
    pub exclusive: bool,
    /// Whether other processes may write while nothing is written here.
    pub shared: bool,
    /// How long to wait for another process that has the file.
    pub patience: Duration,
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
    pub fiscal: FiscalYear,
    pub base: Currency,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            fiscal: FiscalYear::default(),
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
            exclusive: false,
            shared: false,
            patience: Duration::ZERO,
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
    pub(super) options: StoreOptions,
    /// Where the book's file is, unless it is in memory.
    pub(super) path: Option<PathBuf>,
    /// Which file that is.
    pub(super) identity: Mutex<Option<Identity>>,
    writer: Mutex<Writer>,
    /// Told when a bulk load ends.
    load_ended: Condvar,
    /// The next id of each object, given out or not yet committed.
    reserved: Mutex<BTreeMap<ObjectId, u64>>,
    /// How many open transactions began at each state.
    pub(super) open: Mutex<BTreeMap<u64, usize>>,
    /// Whether a write ran into damaged pages: nothing more is written.
    broken: AtomicBool,
    /// Whether a write failed, so that the file may hold another state than the last one.
    doubtful: AtomicBool,
    /// The last one is in use; those before it were compacted away, but may still be read. They
    /// come last, so that they outlive the read transaction in `published`.
    engines: RwLock<Vec<Engine>>,
}

pub(super) enum Engine {
    Writing(Database),
    Reading(ReadOnlyDatabase),
}

/// What only the committing thread has.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) recent: VecDeque<Recent>,
    /// Whether a transaction is in the middle of a bulk load: it alone writes.
    pub(super) loading: bool,
}

impl Store {
    pub(super) fn new(
        engine: Engine,
        snapshot: Snapshot,
        meta: &Meta,
        options: &StoreOptions,
        path: Option<PathBuf>,
    ) -> Self {
        let objects = snapshot.overlay.objects.iter();
        let reserved = objects.map(|(object, o)| (*object, o.counts.next));
        Self {
            reserved: Mutex::new(reserved.collect()),
            published: RwLock::new(snapshot),
            replica: meta.replica,
            options: options.clone(),
            identity: Mutex::new(path.as_deref().and_then(identity)),
            path,
            writer: Mutex::default(),
            load_ended: Condvar::new(),
            open: Mutex::default(),
            broken: AtomicBool::new(false),
            doubtful: AtomicBool::new(false),
            engines: RwLock::new(vec![engine]),
        }
    }

    /// The last committed state. Cheap; never blocks on a writer.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        let latest = self.latest();
        if !self.is_reading() {
            return Ok(latest);
        }
        // Another process may have committed or folded since.
        let newer = guard(|| {
            let read = self.begin_read()?;
            if let Some(path) = &self.path
                && let Some(moved) = self.moved(path, &read)?
            {
                return Ok(Some(moved));
            }
            let progress = read_meta(&read)?.progress;
            let last = log::last_read(&read)?.unwrap_or(progress.sequence);
            (progress != latest.base.progress || last != latest.sequence())
                .then(|| self.refreshed(read))
                .transpose()
        })?;
        let Some(snapshot) = newer else {
            return Ok(latest);
        };
        self.publish(snapshot.clone());
        Ok(snapshot)
    }

    /// Whether the file is open for reading at the moment.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.engines().last(), Some(Engine::Reading(_)))
    }

    /// Whether nothing can be written.
    pub(super) fn is_read_only(&self) -> bool {
        self.is_reading() && !self.options.shared
    }

    /// Starts a write transaction on the last committed state. Holds no lock.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>> {
        if self.is_read_only() {
            return Err(read_only());
        }
        if self.is_reading() {
            self.snapshot()?;
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
            Some((&oldest, _)) => writer
                .recent
                .retain(|recent| recent.commit.sequence > oldest),
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

    /// Takes the newest ids back; others leave a gap.
    pub(super) fn give_back(&self, object: ObjectId, first: u64, len: u64) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = reserved.get_mut(&object)
            && *next == first + len
        {
            *next = first;
        }
    }

    /// The right to write, once nobody else has it.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let ended = self
            .load_ended
            .wait_while(self.writer_at_load(), |writer| writer.loading);
        let mut writer = ended.unwrap_or_else(PoisonError::into_inner);
        self.wake(&mut writer)?;
        Ok(writer)
    }

    /// The same for the transaction that is in the middle of a bulk load.
    pub(super) fn writer_at_load(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end_load(&self) {
        self.writer_at_load().loading = false;
        self.load_ended.notify_all();
    }

    /// Writes nothing more: a write has stopped half-way.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
    }

    pub(super) fn latest(&self) -> Snapshot {
        let published = self.published.read();
        published.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs work that writes. After a panic in it the store writes nothing more.
    pub(super) fn write_guarded<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut whole = false;
        let done = guard(|| {
            let done = work();
            whole = true;
            done
        });
        if !whole {
            self.break_off();
        }
        if done.is_err() {
            self.doubtful.store(true, Ordering::Release);
        }
        done
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction> {
        if self.broken.load(Ordering::Acquire) {
            return Err(unknown_state());
        }
        let mut write = match self.engines().last() {
            Some(Engine::Writing(database)) => database.begin_write().or_fault()?,
            _ => return Err(read_only()),
        };
        if self.options.durability == Durability::Closed {
            write.set_durability(redb::Durability::None).or_fault()?;
        }
        Ok(write)
    }

    /// Begins to write upon the state `latest`, which the file must still have: after a write
    /// that failed it may have another.
    pub(super) fn begin_write_on(&self, latest: &Snapshot) -> Result<WriteTransaction> {
        let write = self.begin_write()?;
        if self.doubtful.load(Ordering::Acquire) {
            let folded = meta::read_progress(&write.open_table(tables::META).or_fault()?)?;
            let last = log::last(&write.open_table(tables::LOG).or_fault()?)?;
            let same = folded == latest.base.progress
                && last.unwrap_or(folded.sequence) == latest.sequence();
            if !same {
                return Err(unknown_state());
            }
            self.doubtful.store(false, Ordering::Release);
        }
        Ok(write)
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction> {
        match self.engines().last() {
            Some(engine) => engine.begin_read(),
            None => Err(read_only()),
        }
    }

    fn engines(&self) -> RwLockReadGuard<'_, Vec<Engine>> {
        self.engines.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All files this store holds open, for another store or to be closed.
    pub(super) fn take_engines(&self) -> Vec<Engine> {
        let mut engines = self.engines.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *engines)
    }

    pub(super) fn use_engines(&self, more: Vec<Engine>) {
        let mut engines = self.engines.write().unwrap_or_else(PoisonError::into_inner);
        engines.extend(more);
    }

    /// Makes the folded state just written the one that is read; `beside` tells the chunks that
    /// were written beside the overlay.
    pub(super) fn publish_folded(
        &self,
        progress: Progress,
        overlay: &Overlay,
        beside: &dyn Fn(ObjectId, u32) -> bool,
    ) -> Result<()> {
        let chunks = self.latest().base.chunks.moved_on(overlay, beside);
        let overlay = overlay.folded();
        let objects = overlay.schema.layouts.keys().copied();
        let base = Published::new(self.begin_read()?, progress, objects, chunks)?;
        self.publish(Snapshot {
            base: Arc::new(base),
            overlay: Arc::new(overlay),
            pending: Arc::new(Pending::none(progress)),
            past: None,
            committed: None,
        });
        Ok(())
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *published = snapshot;
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Pending changes are in the log, so failing here loses nothing.
        let _ = self.fold();
        if self.options.durability == Durability::Closed {
            self.options.durability = Durability::Committed;
            let _ = self.write_guarded(|| self.begin_write()?.commit().or_fault());
        }
        let engines = self.take_engines();
        let _ = guard(|| {
            drop(engines);
            Ok(())
        });
    }
}

impl Engine {
    pub(super) fn begin_read(&self) -> Result<ReadTransaction> {
        match self {
            Self::Writing(database) => database.begin_read().or_fault(),
            Self::Reading(database) => database.begin_read().or_fault(),
        }
    }
}

fn unknown_state() -> Error {
    Error::new(Code::Io, "an earlier write failed with the file changed")
        .hint("close the book and open it again")
}

pub(super) fn read_only() -> Error {
    Error::new(Code::ReadOnly, "the book was opened for reading only")
}

pub(super) fn read_meta(read: &ReadTransaction) -> Result<Meta> {
    match read.open_table(tables::META) {
        Ok(table) => Meta::read(&table),
        Err(TableError::Storage(error)) => Err(error).or_fault(),
        Err(error) => Err(Error::new(Code::NotABook, "the file is not a book").caused_by(error)),
    }
}

/// Reads the last committed state.
pub(super) fn read_state(read: ReadTransaction, chunks: ChunkCache) -> Result<(Snapshot, Meta)> {
    let (folded, meta) = read_folded(read, chunks)?;
    Ok((log::replay(folded)?, meta))
}

/// Reads the last folded state: its meta table and its schema, which may have newer labels.
pub(super) fn read_folded(read: ReadTransaction, chunks: ChunkCache) -> Result<(Snapshot, Meta)> {
    let meta = read_meta(&read)?;
    let catalogs = read.open_table(tables::CATALOGS).or_fault()?;
    let schema = match catalogs.last().or_fault()? {
        Some((_, bytes)) => Schema::decode(bytes.value())?,
        None => Schema::new(Arc::from([]), []),
    };
    let objects = schema.layouts.keys().copied();
    let base = Published::new(read, meta.progress, objects, chunks)?;
    let mut overlay = Overlay::new(Arc::new(schema), Arc::new(meta.settings.clone()));
    for (object, counts) in &meta.counts {
        overlay.objects.entry(*object).or_default().counts = *counts;
    }
    let snapshot = Snapshot {
        base: Arc::new(base),
        overlay: Arc::new(overlay),
        pending: Arc::new(Pending::none(meta.progress)),
        past: None,
        committed: None,
    };
    Ok((snapshot, meta))
}
