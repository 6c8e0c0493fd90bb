//! A transaction too big for memory: what it has changed goes into the file from time to time,
//! where it reads it again, as the engine's write transaction stays open until the commit.
//!
//! Nobody else commits meanwhile; who reads goes on with the state before. Giving up drops the
//! write transaction, and nothing has happened.

use super::cache::ChunkCache;
use super::fault::OrFault;
use super::fold;
use super::index::insert_sorted;
use super::journal::{self, Change, HeaderKind, RECORDS, RecordBlock, field_id};
use super::load::RUN_RECORDS;
use super::loaded::{Loaded, end_written};
use super::log;
use super::meta;
use super::overlay::{chunk_ids, place};
use super::published::Published;
use super::tables::{self, RowsTable};
use super::transaction::{Mark, Undo};
use super::written::Written;
use super::{CommitInfo, Snapshot, Store, Transaction};
use crate::column::{Bitset, CHUNK_RECORDS, Vector};
use crate::error::{Code, Error, Result};
use crate::value::{ChunkId, FieldId, ObjectId, RecordId};
use redb::WriteTransaction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many steps wait in the overlay before it is written.
const RUN_STEPS: usize = if cfg!(test) { 40 } else { RUN_RECORDS };

/// Records by object and chunk.
#[derive(Default)]
pub(super) struct Places(BTreeMap<(ObjectId, u32), Bitset>);

impl Places {
    pub(super) fn contains(&self, object: ObjectId, id: RecordId) -> bool {
        let (chunk, slot) = place(id);
        let set = self.0.get(&(object, chunk.0));
        set.is_some_and(|set| set.get(slot))
    }

    pub(super) fn insert(&mut self, object: ObjectId, id: u64) {
        let (chunk, slot) = place(RecordId(id));
        let set = self.0.entry((object, chunk.0));
        set.or_insert_with(|| Bitset::new(CHUNK_RECORDS))
            .set(slot, true);
    }

    /// The chunks of an object.
    fn of(&self, object: ObjectId) -> impl Iterator<Item = (ChunkId, &Bitset)> {
        let all = self.0.range((object, 0)..=(object, u32::MAX));
        all.map(|((_, chunk), set)| (ChunkId(*chunk), set))
    }
}

/// What a transaction has written into the file before it commits.
pub(super) struct Spill<'a> {
    store: &'a Store,
    /// The state that it lies over, the last one until it ends.
    latest: Snapshot,
    written: Option<Arc<Written>>,
    /// All records that it wrote.
    changed: Places,
    /// Those of the state before that it deleted.
    gone: Places,
}

impl<'a> Spill<'a> {
    /// Begins to write what a transaction changes, as soon as nobody else writes. What waits in
    /// the log is folded by the way.
    fn begin(store: &'a Store, transaction: &mut Transaction<'a>) -> Result<Self> {
        let (latest, write) = store.take_over(transaction)?;
        let spill = Self {
            store,
            latest: latest.clone(),
            written: Some(Arc::new(Written::new(write))),
            changed: Places::default(),
            gone: Places::default(),
        };
        let mut overlay = latest.overlay.folded();
        let schema = &transaction.state.overlay.schema;
        if !Arc::ptr_eq(schema, &overlay.schema) {
            overlay.set_schema(schema.clone());
        }
        for change in transaction.changes() {
            let (object, id) = (change.object, change.id);
            overlay.set(object, id, change.before.as_ref(), change.after)?;
        }
        transaction.state = Snapshot {
            base: spill.base(ChunkCache::new(store.options.cache_bytes / 8))?,
            overlay: Arc::new(overlay),
            pending: latest.pending.clone(),
            past: None,
            committed: Some(Arc::new(latest)),
        };
        Ok(spill)
    }

    fn sequence(&self) -> u64 {
        self.latest.sequence() + 1
    }

    fn written(&self) -> Result<&Arc<Written>> {
        let written = self.written.as_ref();
        written.ok_or_else(|| Error::new(Code::Internal, "a write has ended already"))
    }

    /// What is written so far, to read from.
    fn base(&self, chunks: ChunkCache) -> Result<Arc<Published>> {
        let (written, read) = (self.written()?.clone(), self.store.begin_read()?);
        let base = Published::written(written, &self.latest.base, read, chunks)?;
        Ok(Arc::new(base))
    }

    /// Writes what the overlay of a state holds, which then lies in its base.
    fn run(&mut self, state: &mut Snapshot) -> Result<()> {
        let folded = Arc::new(state.overlay.folded());
        let overlay = std::mem::replace(&mut state.overlay, folded);
        let (mut overlay, sequence) = (Arc::unwrap_or_clone(overlay), self.sequence());
        let mut changes = Vec::new();
        for (&object, records) in &mut overlay.objects {
            for (&id, entry) in &mut records.records {
                if entry.stored == entry.current {
                    continue;
                }
                self.changed.insert(object, id);
                if let Some(row) = &mut entry.current {
                    Arc::make_mut(row).stamp(sequence);
                }
                changes.push(Change {
                    object,
                    id: RecordId(id),
                    before: entry.stored.clone(),
                    after: entry.current.clone(),
                    into: None,
                });
            }
        }
        let write = &self.written()?.write;
        let sorted = fold::sort_beside(&overlay, &BTreeSet::new(), || {
            log::write_rows(write, &changes)
        })?;
        drop(changes);
        fold::fold(write, &overlay, sorted)?;
        for (&object, records) in &overlay.objects {
            meta::write_counts(write, object, &records.counts)?;
        }
        let chunks = state.base.chunks.moved_on(&overlay, &|_, _| false);
        state.base = self.base(chunks)?;
        Ok(())
    }

    /// Writes the journal's blocks: what was before against what is in `state` now. Gives the
    /// blocks' keys.
    fn write_journal(&mut self, state: &Snapshot) -> Result<Vec<(ObjectId, FieldId)>> {
        let (written, mut touched) = (self.written()?.clone(), Vec::new());
        let objects = self.changed.0.keys().map(|(object, _)| *object);
        let objects: BTreeSet<ObjectId> = objects.collect();
        for object in objects {
            let mut parts = Vec::new();
            for (chunk, slots) in self.changed.of(object) {
                parts.push(Part::new(object, chunk, slots, &self.latest, state)?);
            }
            let mut known = Places::default();
            for (at, field) in state.layout(object).fields.iter().enumerate() {
                let (mut ids, mut olds) = (Vec::new(), Vec::new());
                for part in parts
                    .iter()
                    .filter(|part| !field.dropped && !part.kept.none())
                {
                    let old = self.latest.column(object, field_id(at), part.chunk)?;
                    let new = state.column(object, field_id(at), part.chunk)?;
                    for slot in part.kept.ones() {
                        let value = old.value(&field.ty, slot);
                        if value != new.value(&field.ty, slot) {
                            ids.push(part.id(slot));
                            olds.push(value);
                        }
                    }
                }
                if !ids.is_empty() {
                    ids.iter().for_each(|id| known.insert(object, *id));
                    let olds = Vector::from_values(field.ty.shape(), &olds);
                    touched.push((object, field_id(at)));
                    let bytes = journal::encode_olds(&ids, &olds);
                    self.write_block(&written.write, (object, field_id(at)), &bytes)?;
                }
            }
            let mut records = RecordBlock::default();
            for part in &parts {
                let same = part.kept.ones().map(|slot| part.id(slot));
                let same = same.filter(|id| !known.contains(object, RecordId(*id)));
                self.write_back(&written.write, object, &same.collect::<Vec<_>>())?;
                for id in part.come.ones().map(|slot| part.id(slot)) {
                    match records.inserted.last_mut() {
                        Some((first, len)) if *first + *len == id => *len += 1,
                        _ => records.inserted.push((id, 1)),
                    }
                    // One that has no later id than others had may be one that comes back.
                    if id < self.latest.record_bound(object)
                        && let Some(row) = state.row(object, RecordId(id))?
                        && row.created != self.sequence()
                    {
                        known.insert(object, id);
                    }
                }
                for id in part.gone.ones().map(|slot| part.id(slot)) {
                    let row = self.latest.row(object, RecordId(id))?;
                    records.deleted.extend(row.map(|row| (id, (*row).clone())));
                    known.insert(object, id);
                    self.gone.insert(object, id);
                }
            }
            if records != RecordBlock::default() {
                touched.push((object, RECORDS));
                self.write_block(&written.write, (object, RECORDS), &records.encode())?;
            }
            self.write_known(&written.write, object, &known)?;
        }
        Ok(touched)
    }

    fn write_block(
        &self,
        write: &WriteTransaction,
        (object, field): (ObjectId, FieldId),
        bytes: &[u8],
    ) -> Result<()> {
        let mut journal = write.open_table(tables::JOURNAL).or_fault()?;
        let key = (object.0, field.0, self.sequence());
        journal.insert(key, bytes).or_fault()?;
        Ok(())
    }

    /// Writes which records of an object have changed, gone or come back.
    fn write_known(
        &self,
        write: &WriteTransaction,
        object: ObjectId,
        known: &Places,
    ) -> Result<()> {
        let mut by_record = write.open_table(tables::JOURNAL_RECORDS).or_fault()?;
        for (chunk, slots) in known.of(object) {
            let start = chunk_ids(chunk.0).start;
            let key = |slot| ((object.0, start + slot as u64, self.sequence()), ());
            let keys: Vec<_> = slots.ones().map(key).collect();
            insert_sorted(&mut by_record, keys.into_iter())?;
        }
        Ok(())
    }

    /// Writes the rows again of records that have become what they had been.
    fn write_back(&self, write: &WriteTransaction, object: ObjectId, ids: &[u64]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let name = RowsTable::new(object);
        let mut rows = write.open_table(name.definition()).or_fault()?;
        for id in ids {
            if let Some(row) = self.latest.row(object, RecordId(*id))? {
                rows.insert(id, row.encode().as_slice()).or_fault()?;
            }
        }
        Ok(())
    }

    /// Whether a chunk is another one now than is folded in the state before.
    fn has_changed(&self, object: ObjectId, chunk: u32) -> bool {
        let mut pending = self.latest.overlay.in_chunk(object, chunk);
        self.changed.0.contains_key(&(object, chunk)) || pending.next().is_some()
    }

    /// Gives back the ids that nobody got a later one after.
    pub(super) fn give_back(&self) {
        for ((object, chunk), slots) in self.changed.0.iter().rev() {
            let (start, bound) = (chunk_ids(*chunk).start, self.latest.record_bound(*object));
            let ids: Vec<u64> = slots.ones().map(|slot| start + slot as u64).collect();
            for id in ids.into_iter().rev().take_while(|id| *id >= bound) {
                self.store.give_back(*object, id, 1);
            }
        }
    }
}

/// What became of the records of a chunk.
struct Part {
    chunk: ChunkId,
    come: Bitset,
    kept: Bitset,
    gone: Bitset,
}

impl Part {
    fn new(
        object: ObjectId,
        chunk: ChunkId,
        slots: &Bitset,
        then: &Snapshot,
        now: &Snapshot,
    ) -> Result<Self> {
        let (mut was, mut is) = (then.live(object, chunk)?, now.live(object, chunk)?);
        was.resize(slots.len());
        is.resize(slots.len());
        let (mut come, mut kept, mut gone) = (slots.clone(), slots.clone(), slots.clone());
        come.and(&is);
        come.and_not(&was);
        kept.and(&is);
        kept.and(&was);
        gone.and(&was);
        gone.and_not(&is);
        Ok(Self {
            chunk,
            come,
            kept,
            gone,
        })
    }

    fn id(&self, slot: usize) -> u64 {
        chunk_ids(self.chunk.0).start + slot as u64
    }
}

impl Drop for Spill<'_> {
    fn drop(&mut self) {
        // Unless it was committed, this drops the write transaction.
        self.written = None;
        self.store.end_load();
    }
}

impl<'a> Transaction<'a> {
    /// Writes its changes into the file if many wait. From then on it can only be rolled back as
    /// a whole. True if what others have committed lies under it from now on.
    pub(crate) fn spill(&mut self) -> Result<bool> {
        match self.log.len() < RUN_STEPS {
            true => Ok(false),
            false => self.spill_all(),
        }
    }

    pub(super) fn spill_all(&mut self) -> Result<bool> {
        let (store, before) = (self.store, self.state.pending.clone());
        let mut moved = false;
        store.write_guarded(|| {
            if self.spill.is_none() {
                self.spill = Some(Spill::begin(store, self)?);
                moved = !Arc::ptr_eq(&before, &self.state.pending);
            }
            self.log
                .retain(|undo| !matches!(undo, Undo::Insert { .. } | Undo::Change { .. }));
            match &mut self.spill {
                Some(spill) => spill.run(&mut self.state),
                None => Ok(()),
            }
        })?;
        Ok(moved)
    }
}

impl Store {
    /// Commits what a transaction has spilled.
    pub(super) fn commit_spill(
        &self,
        transaction: &mut Transaction<'_>,
        info: CommitInfo,
    ) -> Result<u64> {
        transaction.spill_all()?;
        let Some(spill) = &mut transaction.spill else {
            return Err(Error::new(Code::Internal, "there is no spill"));
        };
        let overlay = transaction.state.overlay.clone();
        let commit = self.written_commit(&spill.latest, &overlay, info);
        let touched = spill.write_journal(&transaction.state)?;
        if touched.is_empty() && commit.kind == HeaderKind::Records {
            transaction.roll_back_to(Mark::START);
            return Ok(transaction.base.sequence());
        }
        let write = &spill.written()?.write;
        log::write_header(write, &commit, touched)?;
        let progress = end_written(write, &overlay, &commit)?;
        // Nothing reads any more from what is written.
        transaction.state = transaction.base.clone();
        let written = spill.written.take().and_then(Arc::into_inner);
        let written = written.ok_or_else(|| Error::new(Code::Internal, "a write is in use"))?;
        written.write.commit().or_fault()?;
        let changed = |object, chunk| spill.has_changed(object, chunk);
        self.publish_folded(progress, &overlay, &changed)?;
        let objects = spill.changed.0.keys().map(|(object, _)| *object);
        let layouts: BTreeMap<_, _> = objects
            .map(|object| (object, overlay.schema.layout(object).clone()))
            .collect();
        let loaded = Loaded {
            layouts: layouts.into_values().collect(),
            changed: std::mem::take(&mut spill.changed),
            gone: std::mem::take(&mut spill.gone),
        };
        let sequence = commit.sequence;
        self.remember(commit, loaded, transaction.base.sequence());
        transaction.spill = None;
        Ok(sequence)
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Code;
    use crate::storage::model::{self, COUNT, Model, NAME, OBJECT, OTHER, PARENT, at};
    use crate::storage::{Row, Store, Transaction};
    use crate::value::{RecordId, Value};

    fn row(n: i64) -> Row {
        [
            (NAME, Value::text(format!("name {n}"))),
            (COUNT, Value::Integer(n)),
        ]
        .into_iter()
        .collect()
    }

    fn assert_sound(store: &Store, model: &Model) {
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        model::assert_equal(&store.snapshot().unwrap(), model);
    }

    /// A store of ten records, of which one waits in the log.
    fn store() -> (Store, Model) {
        let store = model::store();
        let mut model = Model::new();
        for (n, clock) in (0..10).zip(1..) {
            let mut transaction = store.begin().unwrap();
            let id = transaction.insert(OBJECT, row(n)).unwrap();
            transaction.commit(at(clock)).unwrap();
            model.insert(id, row(n));
            if n == 8 {
                store.fold().unwrap();
            }
        }
        (store, model)
    }

    fn put(transaction: &mut Transaction<'_>, model: &mut Model, id: u64, n: i64) {
        transaction.put(OBJECT, RecordId(id), row(n)).unwrap();
        model.insert(RecordId(id), row(n));
    }

    #[test]
    fn many_changes_go_into_the_file_as_they_are_made() {
        let (store, mut model) = store();
        let before = model.clone();
        let mut transaction = store.begin().unwrap();
        let mut spilled = 0;
        for n in 0..4_100 {
            let id = transaction.insert(OBJECT, row(n)).unwrap();
            model.insert(id, row(n));
            if n % 4 == 0 {
                // What was there, what is in the file by now, and the last one.
                put(&mut transaction, &mut model, n as u64 / 500, n);
                put(&mut transaction, &mut model, id.0 / 2, -n);
                put(&mut transaction, &mut model, id.0, n + 1);
            }
            let waiting = transaction.log.len();
            assert!(!transaction.spill().unwrap());
            spilled += u32::from(transaction.log.len() < waiting);
            assert!(transaction.log.len() < 44);
        }
        assert!(spilled > 100, "{spilled}");
        model::assert_equal(transaction.snapshot(), &model);
        model::assert_equal(&store.snapshot().unwrap(), &before);
        let sequence = transaction.commit(at(20)).unwrap();
        assert_sound(&store, &model);
        let then = store.snapshot().unwrap().as_of(sequence - 1).unwrap();
        model::assert_equal(&then, &before);
    }

    #[test]
    fn what_became_again_what_it_was_has_not_changed() {
        let (store, mut model) = store();
        let mut transaction = store.begin().unwrap();
        put(&mut transaction, &mut model, 3, 77);
        put(&mut transaction, &mut model, 4, 77);
        transaction.spill_all().unwrap();
        put(&mut transaction, &mut model, 3, 3);
        transaction.delete(OBJECT, RecordId(5)).unwrap();
        transaction.spill_all().unwrap();
        transaction.restore(OBJECT, RecordId(5), row(5)).unwrap();
        let id = transaction.insert(OBJECT, row(1)).unwrap();
        transaction.spill_all().unwrap();
        transaction.delete(OBJECT, id).unwrap();
        let sequence = transaction.commit(at(20)).unwrap();
        assert_sound(&store, &model);
        let now = store.snapshot().unwrap();
        let revision = |id| now.row(OBJECT, RecordId(id)).unwrap().unwrap().revision();
        assert_eq!(revision(4), sequence);
        assert_eq!(revision(3), 5);
        assert_eq!(revision(5), 7);
        let deed = &now.deeds(sequence).unwrap()[&OBJECT];
        assert!(deed.came.is_empty() && deed.went.is_empty());
        assert_eq!(deed.changed.keys().collect::<Vec<_>>(), [&RecordId(4)]);
    }

    #[test]
    fn a_spill_that_is_given_up_leaves_nothing() {
        let (store, model) = store();
        let mut transaction = store.begin().unwrap();
        let mark = transaction.mark();
        for _ in 0..2 {
            put(&mut transaction, &mut Model::new(), 1, 5);
            transaction.insert(OBJECT, row(1)).unwrap();
            transaction.spill_all().unwrap();
            transaction.insert(OBJECT, row(2)).unwrap();
            transaction.roll_back_to(mark);
            assert!(transaction.is_untouched());
            model::assert_equal(transaction.snapshot(), &model);
        }
        transaction.insert(OBJECT, row(1)).unwrap();
        transaction.spill_all().unwrap();
        drop(transaction);
        assert_sound(&store, &model);
        let mut transaction = store.begin().unwrap();
        assert_eq!(transaction.insert(OBJECT, row(0)).unwrap(), RecordId(10));
    }

    #[test]
    fn others_conflict_with_what_was_spilled_meanwhile() {
        let (store, mut model) = store();
        let mut others: Vec<_> = (0..4).map(|_| store.begin().unwrap()).collect();
        others[0].put(OBJECT, RecordId(2), row(22)).unwrap();
        others[1].delete(OBJECT, RecordId(3)).unwrap();
        let refers = Row::from_iter([(PARENT, Value::Reference(RecordId(7)))]);
        others[2].insert(OBJECT, refers).unwrap();
        others[3].put(OBJECT, RecordId(4), row(44)).unwrap();
        others[3].insert(OTHER, Row::default()).unwrap();
        let mut transaction = store.begin().unwrap();
        put(&mut transaction, &mut model, 2, 5);
        transaction.delete(OBJECT, RecordId(7)).unwrap();
        model.remove(&RecordId(7));
        transaction.spill_all().unwrap();
        transaction.commit(at(20)).unwrap();
        let told: Vec<_> = others
            .into_iter()
            .map(|other| other.commit(at(21)).map_err(|error| error.code()).err())
            .collect();
        let conflict = Some(Code::Conflict);
        assert_eq!(told, [conflict, conflict, conflict, None]);
        model.insert(RecordId(4), row(44));
        assert_sound(&store, &model);
    }

    #[test]
    fn what_others_committed_first_lies_under_a_spill() {
        let (store, mut model) = store();
        let mut transaction = store.begin().unwrap();
        let mut late = store.begin().unwrap();
        let mut other = store.begin().unwrap();
        put(&mut other, &mut model, 1, 11);
        other.commit(at(20)).unwrap();
        put(&mut transaction, &mut model, 2, 22);
        transaction.spill_all().unwrap();
        model::assert_equal(transaction.snapshot(), &model);
        transaction.commit(at(21)).unwrap();
        assert_sound(&store, &model);
        put(&mut late, &mut Model::new(), 1, 12);
        assert_eq!(late.spill_all().unwrap_err().code(), Code::Conflict);
        drop(late);
        assert_sound(&store, &model);
    }
}
