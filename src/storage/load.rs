//! A bulk load: new records of one object go into the file while their statement still makes more
//! of them, so that they need not all be in memory.
//!
//! The engine's write transaction is open from the first run of records to the commit, and a
//! second thread writes each run into it. Nobody else commits meanwhile; who reads goes on with
//! the state before. Giving up drops the write transaction, and nothing has happened.

use super::fault::{OrFault, PANICKED};
use super::fold::{self, Gathered};
use super::index;
use super::key::KeyWriter;
use super::loaded::{Loaded, end_written};
use super::log;
use super::meta;
use super::overlay::{ObjectOverlay, chunk_ids};
use super::spill::Places;
use super::tables::RowsTable;
use super::{CommitInfo, ObjectLayout, Row, Snapshot, Store, Transaction};
use crate::column::CHUNK_RECORDS;
use crate::error::{Code, Error, Result};
use crate::value::{IndexId, ObjectId, RecordId, Value};
use foldhash::HashMap;
use foldhash::fast::RandomState;
use redb::{ReadableTable, WriteTransaction};
use std::hash::BuildHasher;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// So many new records wait in the overlay before those of whole chunks are written.
pub(super) const RUN_RECORDS: usize = if cfg!(test) { 3_000 } else { 1 << 16 };

/// Ranges of ids: first and number.
pub(super) type Ranges = [(u64, u64)];

/// Entries of indexes and words are gathered over several runs up to this share of the bytes kept
/// of the file: sorted together they touch fewer pages.
const GATHERED: usize = if cfg!(test) { 256 } else { 4 };

/// What a transaction has written into the file before it commits.
pub(super) struct Load<'a> {
    store: &'a Store,
    /// The state that it lies over, the last one until it ends.
    latest: Snapshot,
    layout: Arc<ObjectLayout>,
    inserted: Vec<(u64, u64)>,
    unique: Vec<(IndexId, Keys)>,
    thread: Mutex<Option<Thread>>,
}

type Thread = (SyncSender<Job>, JoinHandle<Result<WriteTransaction>>);

/// The records written so far by their keys in one unique index.
#[derive(Default)]
struct Keys {
    hasher: RandomState,
    records: HashMap<u64, u32>,
    /// Those whose hash another one has.
    others: Vec<(u64, u32)>,
}

enum Job {
    Run(ObjectOverlay),
    /// There are no more runs.
    End,
    Row(RecordId, Sender<Result<Option<Row>>>),
}

impl<'a> Load<'a> {
    /// Begins to write what a transaction adds to an object, as soon as nobody else writes. What
    /// waits in the log is folded by the way. The transaction then lies over the last state.
    fn begin(
        store: &'a Store,
        transaction: &mut Transaction<'a>,
        object: ObjectId,
    ) -> Result<Self> {
        let (latest, write) = store.take_over(transaction)?;
        let layout = latest.layout(object).clone();
        let unique = layout.indexes.iter().filter(|index| index.unique);
        let unique = unique.map(|index| (index.id, Keys::default())).collect();
        // One run waits while another is written.
        let (sender, jobs) = mpsc::sync_channel(1);
        let of = layout.clone();
        let most = store.options.cache_bytes / GATHERED;
        let thread = std::thread::Builder::new()
            .spawn(move || work(write, &of, &jobs, most))
            .map_err(|error| {
                store.end_load();
                Error::new(Code::Io, "a thread cannot start").caused_by(error)
            })?;
        Ok(Self {
            store,
            latest,
            layout,
            inserted: Vec::new(),
            unique,
            thread: Mutex::new(Some((sender, thread))),
        })
    }

    fn sequence(&self) -> u64 {
        self.latest.sequence() + 1
    }

    /// Has a run of records written.
    fn run(&mut self, run: ObjectOverlay) -> Result<()> {
        for (&id, entry) in &run.records {
            match self.inserted.last_mut() {
                Some((first, len)) if *first + *len == id => *len += 1,
                _ => self.inserted.push((id, 1)),
            }
            let Some(row) = &entry.current else { continue };
            for (index, keys) in &mut self.unique {
                let layout = &*self.layout;
                let Some(index) = layout.indexes.iter().find(|other| other.id == *index) else {
                    continue;
                };
                if index
                    .fields
                    .iter()
                    .any(|field| row.get(*field).is_missing())
                {
                    continue;
                }
                let hash = keys
                    .hasher
                    .hash_one(index::exact_key_of(layout, index, row)?);
                let record = u32::try_from(id).unwrap_or(u32::MAX);
                if let Some(other) = keys.records.insert(hash, record) {
                    keys.others.push((hash, other));
                }
            }
        }
        self.send(Job::Run(run))
    }

    fn send(&self, job: Job) -> Result<()> {
        let sent = self.thread().as_ref().map(|(jobs, _)| jobs.send(job));
        if matches!(sent, Some(Ok(()))) {
            return Ok(());
        }
        // The thread has ended early: it says why.
        self.join()?;
        Err(Error::new(Code::Internal, "a bulk load has ended early"))
    }

    /// The write transaction, once its thread has ended.
    fn join(&self) -> Result<WriteTransaction> {
        let Some((jobs, thread)) = self.thread().take() else {
            return Err(Error::new(Code::Internal, "a bulk load has ended already"));
        };
        drop(jobs);
        thread.join().unwrap_or_else(|_| {
            self.store.break_off();
            Err(Error::new(Code::Corrupt, PANICKED).hint("restore it from a backup"))
        })
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record that is written already.
    fn row(&self, id: RecordId) -> Result<Option<Row>> {
        let at = self.inserted.partition_point(|(first, _)| *first <= id.0);
        let range = at.checked_sub(1).map(|at| self.inserted[at]);
        if range.is_none_or(|(first, len)| id.0 >= first + len) {
            return Ok(None);
        }
        let (reply, answer) = mpsc::channel();
        self.send(Job::Row(id, reply))?;
        match answer.recv() {
            Ok(row) => row,
            Err(_) => self.join().map(|_| None),
        }
    }

    /// The records written so far with this key in a unique index.
    fn lookup(&self, id: IndexId, key: &[Value]) -> Result<Vec<RecordId>> {
        let Some((_, keys)) = self.unique.iter().find(|(known, _)| *known == id) else {
            return Ok(Vec::new());
        };
        let layout = self.layout.clone();
        let Some(index) = layout.indexes.iter().find(|index| index.id == id) else {
            return Ok(Vec::new());
        };
        let key = index::encode(&layout, index, key, KeyWriter::exact())?.bytes;
        let hash = keys.hasher.hash_one(&key);
        let others = keys.others.iter().filter(|(other, _)| *other == hash);
        let others = others.map(|(_, record)| *record);
        let near: Vec<u32> = keys
            .records
            .get(&hash)
            .copied()
            .into_iter()
            .chain(others)
            .collect();
        let mut found = Vec::new();
        for record in near {
            let record = RecordId(record.into());
            if let Some(row) = self.row(record)?
                && index::exact_key_of(&layout, index, &row)? == key
            {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// The write transaction, once everything is in it.
    fn end(&self) -> Result<WriteTransaction> {
        self.send(Job::End)?;
        self.join()
    }

    /// Gives back the ids that nobody got a later one after.
    pub(super) fn give_back(&self) {
        for (first, len) in self.inserted.iter().rev() {
            self.store.give_back(self.layout.id, *first, *len);
        }
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        // Unless it was committed, this drops the write transaction.
        let _ = self.join();
        self.store.end_load();
    }
}

/// Does the jobs until there are no more; gathers `most` bytes.
fn work(
    write: WriteTransaction,
    layout: &ObjectLayout,
    jobs: &Receiver<Job>,
    most: usize,
) -> Result<WriteTransaction> {
    let mut gathered = Gathered::new(layout);
    let mut counts = None;
    for job in jobs {
        let full = match job {
            Job::Run(run) => {
                let name = RowsTable::new(layout.id);
                let mut rows = write.open_table(name.definition()).or_fault()?;
                let new = run.records.iter();
                log::add_rows(&mut rows, new.map(|(id, entry)| (*id, &entry.current)))?;
                drop(rows);
                fold::fold_columns(&write, layout, &run)?;
                gathered.add(&run)?;
                counts = Some(run.counts);
                gathered.bytes() >= most
            }
            Job::End => true,
            Job::Row(id, reply) => {
                // Who asked may be gone.
                let _ = reply.send(row(&write, layout, id));
                false
            }
        };
        if full && let Some(counts) = counts.take() {
            std::mem::replace(&mut gathered, Gathered::new(layout)).write(&write)?;
            meta::write_counts(&write, layout.id, &counts)?;
        }
    }
    Ok(write)
}

fn row(write: &WriteTransaction, layout: &ObjectLayout, id: RecordId) -> Result<Option<Row>> {
    let name = RowsTable::new(layout.id);
    let rows = write.open_table(name.definition()).or_fault()?;
    let bytes = rows.get(id.0).or_fault()?;
    bytes
        .map(|bytes| Row::decode(bytes.value(), &layout.fields))
        .transpose()
}

impl<'a> Transaction<'a> {
    /// Writes new records of an object into the file if many wait, in a transaction that does
    /// nothing but add to this object and whose statement looks at none of them again but through
    /// [`Transaction::lookup`] and [`Transaction::row`]. True if what others have committed lies
    /// under it from now on.
    pub(crate) fn load(&mut self, object: ObjectId) -> Result<bool> {
        if self.log.len() < RUN_RECORDS {
            return Ok(false);
        }
        let mut moved = false;
        if self.load.is_none() {
            let (store, before) = (self.store, self.state.pending.clone());
            self.load = Some(store.write_guarded(|| Load::begin(store, self, object))?);
            moved = !Arc::ptr_eq(&before, &self.state.pending);
        }
        let chunk = CHUNK_RECORDS as u64;
        self.load_below(self.state.record_bound(object) / chunk * chunk)?;
        Ok(moved)
    }

    /// Writes the new records below an id.
    fn load_below(&mut self, bound: u64) -> Result<()> {
        let Some(load) = &mut self.load else {
            return Ok(());
        };
        let sequence = load.sequence();
        let overlay = Arc::make_mut(&mut self.state.overlay);
        let Some(records) = overlay.objects.get_mut(&load.layout.id) else {
            return Ok(());
        };
        let mut own = ObjectOverlay {
            counts: records.counts,
            ..ObjectOverlay::default()
        };
        own.counts.next = own.counts.next.min(bound);
        let cut = self
            .log
            .partition_point(|undo| undo.inserted().is_some_and(|id| id.0 < bound));
        for undo in self.log.drain(..cut) {
            let id = undo.inserted().map_or(0, |id| id.0);
            if let Some(mut entry) = records.records.remove(&id) {
                if let Some(row) = &mut entry.current {
                    Arc::make_mut(row).stamp(sequence);
                }
                own.records.insert(id, entry);
            }
        }
        if own.records.is_empty() {
            return Ok(());
        }
        overlay.forget_keys(&load.layout);
        load.run(own)
    }

    /// A record, be it in the overlay or written by a bulk load.
    pub(crate) fn row(&self, object: ObjectId, id: RecordId) -> Result<Option<Arc<Row>>> {
        match &self.load {
            Some(load) if load.layout.id == object => match load.row(id)? {
                Some(row) => Ok(Some(Arc::new(row))),
                None => self.state.row(object, id),
            },
            _ => self.state.row(object, id),
        }
    }

    /// The records whose key in a unique index equals `key`, also those written by a bulk load.
    pub(crate) fn lookup(&self, index: IndexId, key: &[Value]) -> Result<Vec<RecordId>> {
        let mut found = self.state.lookup(index, key)?;
        if let Some(load) = &self.load {
            found.extend(load.lookup(index, key)?);
        }
        Ok(found)
    }

    /// Whether it has begun to write into the file, so that nobody else can commit.
    pub(crate) fn is_loading(&self) -> bool {
        self.load.is_some() || self.spill.is_some()
    }
}

impl Store {
    /// Commits what a transaction has loaded.
    pub(super) fn commit_load(
        &self,
        transaction: &mut Transaction<'_>,
        info: CommitInfo,
    ) -> Result<u64> {
        transaction.load_below(u64::MAX)?;
        let Some(load) = &transaction.load else {
            return Err(Error::new(Code::Internal, "there is no bulk load"));
        };
        let (object, overlay) = (load.layout.id, &transaction.state.overlay);
        let commit = self.written_commit(&load.latest, overlay, info);
        let write = load.end()?;
        log::archive_loaded(&write, &commit, object, &load.inserted)?;
        let progress = end_written(&write, overlay, &commit)?;
        write.commit().or_fault()?;
        let within = |of: ObjectId, chunk: u32| {
            let ids = chunk_ids(chunk);
            let lies = |(first, len): &(u64, u64)| *first < ids.end && ids.start < first + len;
            of == object && load.inserted.iter().any(lies)
        };
        self.publish_folded(progress, overlay, &within)?;
        let loaded = Loaded {
            layouts: vec![load.layout.clone()],
            changed: Places::default(),
            gone: Places::default(),
        };
        let sequence = commit.sequence;
        self.remember(commit, loaded, transaction.base.sequence());
        transaction.load = None;
        Ok(sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model::{self, COUNT, Model, NAME, OBJECT, OTHER, PARENT, at};
    use crate::value::FieldId;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn row(n: u64) -> Row {
        let count = i64::try_from(n % 7).unwrap();
        [
            (NAME, Value::text(format!("name {n}"))),
            (COUNT, Value::Integer(count)),
            (PARENT, Value::Reference(RecordId(n % 3))),
        ]
        .into_iter()
        .collect()
    }

    /// Adds many records, as an import does.
    fn load(transaction: &mut Transaction<'_>, model: &mut Model, count: u64) -> Result<()> {
        for n in 0..count {
            let id = transaction.insert(OBJECT, row(n))?;
            model.insert(id, row(n));
            if n % 1_000 == 999 {
                transaction.load(OBJECT)?;
            }
        }
        assert!(transaction.is_loading());
        Ok(())
    }

    fn set(store: &Store, clock: i64, work: impl FnOnce(&mut Transaction<'_>)) {
        let mut transaction = store.begin().unwrap();
        work(&mut transaction);
        transaction.commit(at(clock)).unwrap();
    }

    fn assert_sound(store: &Store, model: &Model) {
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        model::assert_equal(&store.snapshot().unwrap(), model);
    }

    /// A store with three records, of which one is not folded and one is gone.
    fn store() -> (Store, Model) {
        let store = model::store();
        let mut model = Model::new();
        set(&store, 1, |transaction| {
            for n in 0..3 {
                let id = transaction.insert(OBJECT, row(n)).unwrap();
                model.insert(id, row(n));
            }
        });
        store.fold().unwrap();
        set(&store, 2, |transaction| {
            transaction.put(OBJECT, RecordId(1), row(9)).unwrap();
            transaction.delete(OBJECT, RecordId(2)).unwrap();
        });
        model.insert(RecordId(1), row(9));
        model.remove(&RecordId(2));
        (store, model)
    }

    #[test]
    fn what_is_loaded_is_there_once_committed() {
        let (store, mut model) = store();
        let before = model.clone();
        let mut transaction = store.begin().unwrap();
        // An id given to someone else leaves a gap.
        let mut other = store.begin().unwrap();
        assert_eq!(other.insert(OBJECT, row(77)).unwrap(), RecordId(3));
        load(&mut transaction, &mut model, 9_000).unwrap();
        // What is cached of it meanwhile is not what comes.
        let seen = transaction.snapshot();
        for chunk in 0..seen.chunk_count(OBJECT) {
            seen.column(OBJECT, COUNT, crate::value::ChunkId(chunk))
                .unwrap();
        }
        let told = transaction.row(OBJECT, RecordId(4)).unwrap();
        assert_eq!(told.as_deref(), Some(&row(0)));
        model::assert_equal(&store.snapshot().unwrap(), &before);
        assert_eq!(transaction.commit(at(3)).unwrap(), 4);
        assert_sound(&store, &model);
        assert_eq!(other.commit(at(3)).unwrap(), 5);
        model.insert(RecordId(3), row(77));
        assert_sound(&store, &model);
        set(&store, 4, |transaction| {
            assert_eq!(transaction.insert(OBJECT, row(5)).unwrap(), RecordId(9_004));
        });
        model.insert(RecordId(9_004), row(5));
        store.fold().unwrap();
        assert_sound(&store, &model);
    }

    #[test]
    fn a_load_that_is_given_up_leaves_nothing() {
        let (store, model) = store();
        let mut transaction = store.begin().unwrap();
        let mark = transaction.mark();
        load(&mut transaction, &mut Model::new(), 6_000).unwrap();
        transaction.roll_back_to(mark);
        assert!(!transaction.is_loading());
        assert_sound(&store, &model);
        load(&mut transaction, &mut Model::new(), 6_000).unwrap();
        drop(transaction);
        assert_sound(&store, &model);
        set(&store, 3, |transaction| {
            assert_eq!(transaction.insert(OBJECT, row(0)).unwrap(), RecordId(3));
        });
    }

    #[test]
    fn who_commits_waits_for_a_load() {
        let (store, mut model) = store();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let mut transaction = store.begin().unwrap();
            load(&mut transaction, &mut model, 6_000).unwrap();
            scope.spawn(|| {
                set(&store, 9, |transaction| {
                    transaction.put(OBJECT, RecordId(0), row(8)).unwrap();
                });
                done.store(true, Ordering::SeqCst);
            });
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!done.load(Ordering::SeqCst));
            transaction.commit(at(3)).unwrap();
        });
        model.insert(RecordId(0), row(8));
        assert_sound(&store, &model);
    }

    #[test]
    fn what_others_committed_first_lies_under_a_load() {
        let (store, mut model) = store();
        let mut transaction = store.begin().unwrap();
        set(&store, 3, |other| {
            other.put(OBJECT, RecordId(1), row(1)).unwrap();
        });
        model.insert(RecordId(1), row(1));
        load(&mut transaction, &mut model, 6_000).unwrap();
        transaction.commit(at(4)).unwrap();
        assert_sound(&store, &model);
        let mut transaction = store.begin().unwrap();
        set(&store, 5, |other| {
            other.delete(OBJECT, RecordId(0)).unwrap();
        });
        model.remove(&RecordId(0));
        let told = load(&mut transaction, &mut Model::new(), 6_000).unwrap_err();
        assert_eq!(told.code(), Code::Conflict);
        drop(transaction);
        assert_sound(&store, &model);
    }

    #[test]
    fn a_delete_conflicts_with_what_was_loaded_meanwhile() {
        let (store, mut model) = store();
        let mut gone = store.begin().unwrap();
        gone.delete(OBJECT, RecordId(0)).unwrap();
        let mut kept = store.begin().unwrap();
        kept.put(OBJECT, RecordId(1), row(3)).unwrap();
        let mut transaction = store.begin().unwrap();
        load(&mut transaction, &mut model, 6_000).unwrap();
        transaction.commit(at(3)).unwrap();
        assert_eq!(gone.commit(at(4)).unwrap_err().code(), Code::Conflict);
        kept.commit(at(4)).unwrap();
        model.insert(RecordId(1), row(3));
        assert_sound(&store, &model);
    }

    #[test]
    fn unique_keys_are_found_in_all_runs() {
        let store = model::store();
        let index = IndexId(4);
        let mail = |n: u64| Value::text(format!("{n}@acme.example"));
        let long = |end: &str| Value::text("x".repeat(80) + end);
        let of = |value: Value| -> Row { [(FieldId(0), value)].into_iter().collect() };
        let mut transaction = store.begin().unwrap();
        transaction.insert(OTHER, of(long("a"))).unwrap();
        for n in 1..9_000 {
            transaction.insert(OTHER, of(mail(n))).unwrap();
            transaction.load(OTHER).unwrap();
        }
        let look = |value: Value| transaction.lookup(index, &[value]).unwrap();
        for n in [1, 4_000, 7_000, 8_999] {
            assert_eq!(look(mail(n)), [RecordId(n)]);
        }
        assert_eq!(look(long("a")), [RecordId(0)]);
        assert_eq!(look(long("b")), []);
        assert_eq!(look(mail(0)), []);
        transaction.commit(at(1)).unwrap();
        let found = store.snapshot().unwrap().lookup(index, &[mail(4_000)]);
        assert_eq!(found.unwrap(), [RecordId(4_000)]);
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }
}
