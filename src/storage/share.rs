//! A book that other processes may write to while nothing is written here: the file is open for
//! reading then, and is opened for writing when a change is to be made.

use super::commit::{Recent, Scope};
use super::fault::{OrFault, corrupt, guard};
use super::journal::{self, HeaderKind};
use super::loaded::Loaded;
use super::log::{self, Commit};
use super::spill::Places;
use super::store::{Engine, Writer, read_meta, read_state};
use super::{Snapshot, Store, StoreOptions, meta, open, tables};
use crate::error::{Code, Error, Result};
use redb::ReadTransaction;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Between two attempts to open a file that another process has.
const PAUSE: Duration = Duration::from_millis(10);

impl Store {
    /// Lets other processes write until something is to be written here, if the book is shared.
    pub(crate) fn rest(&self) -> Result<()> {
        let writer = self.writer_at_load();
        let Some(path) = self.path.as_ref().filter(|_| self.options.shared) else {
            return Ok(());
        };
        if writer.loading || self.is_reading() {
            return Ok(());
        }
        guard(|| {
            self.check_same(path)?;
            let engine = open::reading(path, &self.options)?;
            self.check_same(path)?;
            self.turn_to(engine)
        })?;
        Ok(())
    }

    /// Opens the file for writing, as soon as no other process has it, and goes on from what they
    /// have committed.
    pub(super) fn wake(&self, writer: &mut Writer) -> Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| self.options.shared) else {
            return Ok(());
        };
        if !self.is_reading() {
            return Ok(());
        }
        let open = || {
            let open = || guard(|| open::writing(path, &self.options));
            patiently(&self.options, open).map_err(|error| match error.code() {
                Code::Locked => Error::new(Code::Locked, error.message())
                    .hint("nothing is changed: try again when it is done there"),
                _ => error,
            })
        };
        let mut engine = open()?;
        if self.check_same(path).is_err() {
            // It was compacted meanwhile, or it is another book.
            drop(engine);
            self.snapshot()?;
            engine = open()?;
            self.check_same(path)?;
        }
        let state = guard(|| self.turn_to(engine))?;
        guard(|| self.learn(writer, &state))
    }

    /// Readies the store for a commit, which then waits for no other process.
    pub(crate) fn wake_up(&self) -> Result<()> {
        self.writer().map(drop)
    }

    /// The state of the file that has taken this one's place, if one has; an error if that is
    /// another book.
    pub(super) fn moved(&self, path: &Path, read: &ReadTransaction) -> Result<Option<Snapshot>> {
        if is_replaced(read)? {
            return self.go_over(path).map(Some);
        }
        if !self.options.shared {
            return Ok(None);
        }
        let Err(error) = self.check_same(path) else {
            return Ok(None);
        };
        // A compaction says so a little after it has put the other file there.
        std::thread::sleep(10 * PAUSE);
        match is_replaced(&self.begin_read()?)? {
            true => self.go_over(path).map(Some),
            false => Err(error),
        }
    }

    /// An error if another file lies where the book was.
    fn check_same(&self, path: &Path) -> Result<()> {
        let known = *self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if known == identity(path) {
            return Ok(());
        }
        let message = format!("another file has taken the place of `{}`", path.display());
        Err(Error::new(Code::Io, message).hint("leave it and open the book again"))
    }

    /// Goes over to the file that a compaction has put in this one's place.
    fn go_over(&self, path: &Path) -> Result<Snapshot> {
        let engine = open::reading(path, &self.options)?;
        let meta = read_meta(&engine.begin_read()?)?;
        if meta.replica != self.replica
            || meta.progress.sequence < self.latest().base.progress.sequence
        {
            return self.check_same(path).map(|()| self.latest());
        }
        self.set_identity(path);
        self.turn_to(engine)
    }

    pub(super) fn set_identity(&self, path: &Path) {
        let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        *known = identity(path);
    }

    /// Reads and writes through another engine from now on.
    fn turn_to(&self, engine: Engine) -> Result<Snapshot> {
        let state = self.refreshed(engine.begin_read()?)?;
        self.publish(state.clone());
        let before = self.take_engines();
        self.use_engines(vec![engine]);
        drop(before);
        Ok(state)
    }

    /// The state that a read transaction sees; what is as in the last one is shared with it.
    pub(super) fn refreshed(&self, read: ReadTransaction) -> Result<Snapshot> {
        let latest = self.latest();
        let progress = read_meta(&read)?.progress;
        let last = log::last_read(&read)?.unwrap_or(progress.sequence);
        let same = progress == latest.base.progress && last == latest.sequence();
        let chunks = match same {
            true => {
                let nothing = latest.overlay.folded();
                latest.base.chunks.moved_on(&nothing, &|_, _| false)
            }
            false => latest.base.chunks.anew(),
        };
        let (mut state, _) = read_state(read, chunks)?;
        if same {
            return Ok(Snapshot {
                base: state.base,
                ..latest
            });
        }
        let (schema, known) = (&state.overlay.schema, &latest.overlay.schema);
        if schema.catalog == known.catalog && schema.layouts == known.layouts {
            let known = known.clone();
            Arc::make_mut(&mut state.overlay).schema = known;
        }
        Ok(state)
    }

    /// Takes note of what other processes have committed since the oldest open transaction began,
    /// which that may be in conflict with.
    fn learn(&self, writer: &mut Writer, state: &Snapshot) -> Result<()> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(oldest) = open.keys().next().copied() else {
            return Ok(());
        };
        for sequence in oldest + 1..=state.sequence() {
            let own = |recent: &Recent| recent.commit.sequence == sequence;
            if !writer.recent.iter().any(own) {
                let theirs = state.committed_elsewhere(sequence)?;
                writer.recent.push_back(theirs);
            }
        }
        Ok(())
    }
}

fn is_replaced(read: &ReadTransaction) -> Result<bool> {
    meta::is_replaced(&read.open_table(tables::META).or_fault()?)
}

/// Tries as long as the options say while another process has the file.
pub(super) fn patiently(
    options: &StoreOptions,
    attempt: impl Fn() -> Result<Engine>,
) -> Result<Engine> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if error.code() == Code::Locked && begun.elapsed() < options.patience => {
                std::thread::sleep(PAUSE);
            }
            engine => return engine,
        }
    }
}

/// What tells a file from others, as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some(Identity(metadata.dev(), metadata.ino()))
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some(Identity(0, 0))
}

impl Snapshot {
    /// A commit of another process: which records it changed, not what they became.
    fn committed_elsewhere(&self, sequence: u64) -> Result<Recent> {
        let commit = |kind| {
            let stamp = self.stamp(sequence.max(self.base.kept))?;
            Ok(Arc::new(Commit {
                sequence,
                at: stamp.at,
                actor: stamp.actor,
                replica: 0,
                kind,
                old_settings: None,
                changes: Vec::new(),
            }))
        };
        if sequence <= self.base.kept {
            // What it did is forgotten already.
            return Ok(Recent {
                scope: Scope::Whole,
                commit: commit(HeaderKind::Schema)?,
                loaded: None,
            });
        }
        let (kind, settings) = self.kind_of(sequence)?;
        let mut loaded = Loaded {
            layouts: Vec::new(),
            changed: Places::default(),
            gone: Places::default(),
        };
        for (object, deed) in self.deeds(sequence)? {
            loaded.layouts.push(self.layout(object).clone());
            let changed = deed.came.iter().chain(deed.changed.keys());
            for id in changed.chain(deed.went.keys()) {
                loaded.changed.insert(object, id.0);
            }
            for id in deed.went.keys() {
                loaded.gone.insert(object, id.0);
            }
        }
        Ok(Recent {
            scope: match settings {
                true => Scope::Whole,
                false => Scope::of(kind),
            },
            commit: commit(kind)?,
            loaded: Some(loaded),
        })
    }

    /// The kind of a transaction, and whether it changed the settings.
    fn kind_of(&self, sequence: u64) -> Result<(HeaderKind, bool)> {
        if let Some(commit) = self.pending_commit(sequence) {
            return Ok((commit.kind, commit.old_settings.is_some()));
        }
        let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
        let bytes = headers.get(sequence).or_fault()?;
        let lacks = || corrupt(format!("the journal lacks transaction {sequence}"));
        let header = journal::header(bytes.ok_or_else(lacks)?.value())?;
        Ok((header.kind, header.old_settings.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Code;
    use crate::storage::model::{self, COUNT, NAME, OBJECT, PARENT, at};
    use crate::storage::{Row, Store, StoreOptions, Transaction};
    use crate::value::{RecordId, Value};
    use std::path::Path;

    fn open(path: &Path, shared: bool) -> crate::error::Result<Store> {
        let options = StoreOptions {
            shared,
            ..StoreOptions::default()
        };
        Store::open(path, &options)
    }

    fn counting(n: i64) -> Row {
        Row::from_iter([
            (COUNT, Value::Integer(n)),
            (NAME, Value::text(n.to_string())),
        ])
    }

    /// One transaction.
    fn commit<T>(store: &Store, clock: i64, work: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut transaction = store.begin().unwrap();
        let done = work(&mut transaction);
        transaction.commit(at(clock)).unwrap();
        done
    }

    /// A new shared store of so many records.
    fn shared(path: &Path, records: i64) -> Store {
        let store = open(path, true).unwrap();
        model::set_schema(&store);
        commit(&store, 1, |t| {
            for n in 0..records {
                t.insert(OBJECT, counting(n)).unwrap();
            }
        });
        store
    }

    /// Another process puts these rows, adds one record, and is gone.
    fn elsewhere(path: &Path, rows: &[(u64, Row)], clock: i64) -> RecordId {
        commit(&open(path, false).unwrap(), clock, |t| {
            for (id, row) in rows {
                t.put(OBJECT, RecordId(*id), row.clone()).unwrap();
            }
            t.insert(OBJECT, counting(100)).unwrap()
        })
    }

    fn count(store: &Store, id: u64) -> Value {
        let row = store.snapshot().unwrap().row(OBJECT, RecordId(id)).unwrap();
        row.map_or(Value::Missing, |row| row.get(COUNT).clone())
    }

    #[test]
    fn others_write_while_a_shared_store_rests() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.fieldbook");
        let store = shared(&path, 5);
        elsewhere_is_locked(&path);
        store.rest().unwrap();
        elsewhere(&path, &[(0, counting(10))], 2);
        assert_eq!(count(&store, 0), Value::Integer(10));
        // One that has nothing to do with theirs goes on; it is written on top.
        let mut mine = store.begin().unwrap();
        mine.put(OBJECT, RecordId(1), counting(11)).unwrap();
        let mut both = store.begin().unwrap();
        both.put(OBJECT, RecordId(2), counting(12)).unwrap();
        let mut refers = store.begin().unwrap();
        let row = Row::from_iter([(PARENT, Value::Reference(RecordId(3)))]);
        refers.put(OBJECT, RecordId(4), row).unwrap();
        let mut adds = store.begin().unwrap();
        let taken = adds.insert(OBJECT, counting(6)).unwrap();
        assert_eq!(elsewhere(&path, &[(2, counting(20))], 3), taken);
        commit(&open(&path, false).unwrap(), 4, |t| {
            t.delete(OBJECT, RecordId(3)).unwrap();
        });
        mine.commit(at(5)).unwrap();
        assert_eq!(both.commit(at(6)).unwrap_err().code(), Code::Conflict);
        assert_eq!(refers.commit(at(6)).unwrap_err().code(), Code::Conflict);
        assert_eq!(adds.commit(at(6)).unwrap_err().code(), Code::Conflict);
        for (id, n) in [(0, 10), (1, 11), (2, 20), (taken.0, 100)] {
            assert_eq!(count(&store, id), Value::Integer(n), "{id}");
        }
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        store.rest().unwrap();
        drop(store);
        let store = open(&path, false).unwrap();
        assert_eq!(count(&store, 1), Value::Integer(11));
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }

    #[test]
    fn readers_go_over_to_a_compacted_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.fieldbook");
        let store = shared(&path, 1);
        store.rest().unwrap();
        let options = StoreOptions {
            read_only: true,
            ..StoreOptions::default()
        };
        let reader = Store::open(&path, &options).unwrap();
        let mut mine = store.begin().unwrap();
        mine.put(OBJECT, RecordId(0), counting(2)).unwrap();
        open(&path, false).unwrap().compact().unwrap();
        elsewhere(&path, &[], 2);
        assert_eq!(count(&reader, 1), Value::Integer(100));
        assert_eq!(count(&store, 1), Value::Integer(100));
        mine.commit(at(3)).unwrap();
        assert_eq!(count(&reader, 0), Value::Integer(2));
        store.rest().unwrap();
        // It is compacted while one waits.
        let third = open(&path, true).unwrap();
        third.rest().unwrap();
        let mut waiting = third.begin().unwrap();
        waiting.put(OBJECT, RecordId(0), counting(2)).unwrap();
        open(&path, false).unwrap().compact().unwrap();
        third.wake(&mut third.writer_at_load()).unwrap();
        waiting.commit(at(3)).unwrap();
        drop(third);
        // One that rests may compact, too.
        store.compact().unwrap();
        assert_eq!(count(&reader, 0), Value::Integer(2));
        elsewhere_is_locked(&path);
        store.rest().unwrap();
        elsewhere(&path, &[(0, counting(3))], 4);
        assert_eq!(count(&reader, 0), Value::Integer(3));
        assert_eq!(count(&store, 0), Value::Integer(3));
    }

    fn elsewhere_is_locked(path: &Path) {
        let other = open(path, false);
        assert_eq!(other.map(|_| ()).unwrap_err().code(), Code::Locked);
    }

    #[test]
    fn another_file_in_its_place_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.fieldbook");
        let other = directory.path().join("other.fieldbook");
        let store = shared(&path, 1);
        store.rest().unwrap();
        std::fs::copy(&path, &other).unwrap();
        elsewhere(&other, &[], 2);
        let mut mine = store.begin().unwrap();
        mine.put(OBJECT, RecordId(0), counting(2)).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(mine.commit(at(3)).unwrap_err().code(), Code::Io);
        assert_eq!(store.begin().map(|_| ()).unwrap_err().code(), Code::Io);
        assert_eq!(store.snapshot().map(|_| ()).unwrap_err().code(), Code::Io);
        let other = open(&path, true).unwrap();
        assert_eq!(count(&other, 0), Value::Integer(0));
        assert_eq!(other.check().unwrap().faults, Vec::<String>::new());
        // One that is writing stays with its own file.
        std::fs::copy(&path, directory.path().join("third.fieldbook")).unwrap();
        std::fs::rename(directory.path().join("third.fieldbook"), &path).unwrap();
        assert_eq!(other.rest().unwrap_err().code(), Code::Io);
        assert_eq!(count(&other, 0), Value::Integer(0));
    }

    #[test]
    fn a_schema_changed_elsewhere_is_a_conflict() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.fieldbook");
        let store = shared(&path, 1);
        store.rest().unwrap();
        let mut mine = store.begin().unwrap();
        mine.put(OBJECT, RecordId(0), counting(2)).unwrap();
        commit(&open(&path, false).unwrap(), 2, |t| {
            t.set_labels(std::sync::Arc::from(*b"labels"));
        });
        let mut labels = store.begin().unwrap();
        mine.commit(at(3)).unwrap();
        store.rest().unwrap();
        labels.set_labels(std::sync::Arc::from(*b"mine"));
        commit(&open(&path, false).unwrap(), 4, |t| {
            t.set_labels(std::sync::Arc::from(*b"theirs"));
        });
        assert_eq!(labels.commit(at(5)).unwrap_err().code(), Code::Conflict);
        assert_eq!(&**store.snapshot().unwrap().catalog(), b"theirs");
        // Who cannot write yet reads, and writes once the other is done.
        elsewhere_is_locked(&path);
        let second = open(&path, true).unwrap();
        assert_eq!(count(&second, 0), Value::Integer(2));
        store.rest().unwrap();
        commit(&second, 6, |t| {
            t.put(OBJECT, RecordId(0), counting(3)).unwrap()
        });
        second.rest().unwrap();
        assert_eq!(count(&store, 0), Value::Integer(3));
    }
}
