//! Reading the journal: what came, went and changed in the records of one object.

use super::fault::{OrFault, corrupt, guard};
use super::journal::{self, Block, Change, HeaderKind, RECORDS, RecordBlock};
use super::log::Commit;
use super::overlay::place;
use super::tables::{self, JournalKey};
use super::{ObjectLayout, Row, Snapshot};
use crate::column::{CHUNK_RECORDS, Vector};
use crate::error::{Error, Result};
use crate::value::{ChunkId, DateTime, FieldId, FieldType, ObjectId, RecordId, Shape, Value};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A transaction: when it was, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub sequence: u64,
    pub at: DateTime,
    pub actor: Option<RecordId>,
    pub nature: Nature,
}

/// What a transaction was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    Records,
    /// It changed the schema in more than labels, or the settings.
    Schema,
    /// It did nothing but undo another one.
    Undo(u64),
}

/// Which records came and went in one transaction.
pub(super) struct Moves {
    pub(super) sequence: u64,
    /// Ranges of ids: first and number.
    pub(super) inserted: Vec<(u64, u64)>,
    pub(super) deleted: Vec<(u64, Arc<Row>)>,
}

/// A value that a record had in a field before a transaction.
pub(super) struct Old {
    pub(super) id: RecordId,
    pub(super) sequence: u64,
    pub(super) value: Value,
}

/// What one transaction did to one field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub id: RecordId,
    pub sequence: u64,
    /// Missing before the record came.
    pub old: Value,
    /// Missing after the record went.
    pub new: Value,
    pub kind: EventKind,
}

/// What one transaction did to a record.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub stamp: Stamp,
    pub before: Option<Arc<Row>>,
    pub after: Option<Arc<Row>>,
    /// The record that it was merged into.
    pub into: Option<RecordId>,
    /// The records that were merged into it.
    pub taken: Vec<RecordId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// The record was there when the journal begins: it came, and got its value, no later.
    Kept,
    /// The record came, perhaps again.
    Came,
    Changed,
    /// The record went.
    Went,
}

impl Nature {
    fn of(kind: HeaderKind, settings: bool) -> Self {
        match kind {
            _ if settings => Self::Schema,
            HeaderKind::Schema => Self::Schema,
            HeaderKind::Records | HeaderKind::Labels => Self::Records,
            HeaderKind::Undo(of) => Self::Undo(of),
        }
    }
}

impl Stamp {
    pub(super) fn read(sequence: u64, bytes: &[u8]) -> Result<Self> {
        let header = journal::header(bytes)?;
        Ok(Self {
            sequence,
            at: header.at,
            actor: header.actor,
            nature: Nature::of(header.kind, header.old_settings.is_some()),
        })
    }

    pub(super) fn of(commit: &Commit) -> Self {
        Self {
            sequence: commit.sequence,
            at: commit.at,
            actor: commit.actor,
            nature: Nature::of(commit.kind, commit.old_settings.is_some()),
        }
    }
}

impl Snapshot {
    /// All that happened to a field after the transaction `after`, up to this state, record by
    /// record, oldest first.
    pub(crate) fn events(
        &self,
        object: ObjectId,
        field: FieldId,
        after: u64,
    ) -> Result<Vec<Event>> {
        let now = self.last_committed()?;
        let mut events = Vec::new();
        let event = |id, sequence, old, kind| Event {
            id: RecordId(id),
            sequence,
            old,
            new: Value::Missing,
            kind,
        };
        if now.base.kept > after {
            let then = now.as_of(now.base.kept)?;
            for chunk in 0..then.chunk_count(object) {
                let first = u64::from(chunk) * CHUNK_RECORDS as u64;
                let kept = |id| event(id, now.base.kept, Value::Missing, EventKind::Kept);
                let live = then.live(object, ChunkId(chunk))?;
                events.extend(live.ones().map(|slot| kept(first + slot as u64)));
            }
        }
        for moves in now.moves(object, after)? {
            let sequence = moves.sequence;
            for (first, len) in moves.inserted {
                let came = |id| event(id, sequence, Value::Missing, EventKind::Came);
                events.extend((first..first + len).map(came));
            }
            for (id, row) in moves.deleted {
                events.push(event(id, sequence, row.get(field).clone(), EventKind::Went));
            }
        }
        for old in now.olds(object, field, after)? {
            events.push(event(old.id.0, old.sequence, old.value, EventKind::Changed));
        }
        events.sort_by_key(|event| (event.id, event.sequence));
        let mut values = Values::new(&now, object, field);
        for own in events.chunk_by_mut(|a, b| a.id == b.id) {
            for at in 0..own.len() {
                own[at].new = match (own.get(at + 1), own[at].kind) {
                    (_, EventKind::Went) => Value::Missing,
                    (Some(next), _) => next.old.clone(),
                    (None, _) => values.get(own[at].id)?,
                };
            }
        }
        let last = self.sequence();
        events.retain(|event| event.sequence <= last);
        Ok(events)
    }

    /// The same of some records, all that is known of them.
    pub(crate) fn events_of(
        &self,
        object: ObjectId,
        field: FieldId,
        ids: &[RecordId],
    ) -> Result<Vec<Event>> {
        let kept = self.base.kept;
        let mut events = Vec::new();
        for &id in ids {
            for step in self.life(object, id)? {
                let sequence = step.stamp.sequence;
                let kind = match (&step.before, &step.after) {
                    (None, _) if sequence == kept => EventKind::Kept,
                    (None, _) => EventKind::Came,
                    (_, None) => EventKind::Went,
                    _ => EventKind::Changed,
                };
                let value = |row: Option<Arc<Row>>| {
                    row.map_or(Value::Missing, |row| row.get(field).clone())
                };
                let (old, new) = (value(step.before), value(step.after));
                if kind != EventKind::Changed || old != new {
                    events.push(Event {
                        id,
                        sequence,
                        old,
                        new,
                        kind,
                    });
                }
            }
        }
        Ok(events)
    }

    /// What each transaction did to one record, oldest first.
    pub(crate) fn life(&self, object: ObjectId, id: RecordId) -> Result<Vec<Step>> {
        let now = self.last_committed()?;
        let layout = now.layout(object).clone();
        let mut steps = Vec::new();
        let mut state = now.row(object, id)?;
        let mut step = |sequence: u64, before: Option<Arc<Row>>, after: &mut Option<Arc<Row>>| {
            let merged = now.merged(&layout, sequence)?;
            let into = merged.iter().find(|(source, _)| *source == id);
            let taken = merged.iter().filter(|(_, target)| *target == id);
            steps.push(Step {
                stamp: now.stamp(sequence)?,
                before: before.clone(),
                after: std::mem::replace(after, before),
                into: into.map(|(_, target)| *target),
                taken: taken.map(|(source, _)| *source).collect(),
            });
            Ok::<_, Error>(())
        };
        // What the journal begins with came there, for all that is known.
        let created = |row: &Arc<Row>| row.created.max(now.base.kept);
        for sequence in now.touches(object, id)?.into_iter().rev() {
            let before = now.row_before(&layout, id, sequence, state.as_ref())?;
            step(sequence, before, &mut state)?;
        }
        if let Some(created) = state.as_ref().map(created) {
            step(created, None, &mut state)?;
        }
        steps.reverse();
        let last = self.sequence();
        steps.retain(|step| step.stamp.sequence <= last);
        Ok(steps)
    }

    /// The lives of a record and of all that were merged into it, and have not come back since:
    /// each step with whose it is, oldest first.
    pub(crate) fn lives(&self, object: ObjectId, id: RecordId) -> Result<Vec<(RecordId, Step)>> {
        let mut lives = Vec::new();
        let (mut due, mut done) = (vec![(id, None)], BTreeSet::new());
        while let Some((id, merged)) = due.pop() {
            let mut life = self.life(object, id)?;
            for at in 0..life.len() {
                life[at].into = life[first_done(&life, at)].into;
            }
            if let (Some(merged), false) = (merged, life.is_empty())
                && life[first_done(&life, life.len() - 1)].stamp.sequence != merged
            {
                continue;
            }
            if !done.insert(id) {
                continue;
            }
            for step in &life {
                let sequence = step.stamp.sequence;
                due.extend(step.taken.iter().map(|source| (*source, Some(sequence))));
            }
            lives.extend(life.into_iter().map(|step| (id, step)));
        }
        // What went into a record did so before that was changed.
        lives.reverse();
        lives.sort_by_key(|(_, step)| step.stamp.sequence);
        Ok(lives)
    }

    /// The transactions that changed or deleted a record or brought it back, oldest first.
    fn touches(&self, object: ObjectId, id: RecordId) -> Result<Vec<u64>> {
        let mut all = Vec::new();
        guard(|| {
            let by_record = self
                .base
                .read
                .open_table(tables::JOURNAL_RECORDS)
                .or_fault()?;
            let keys = (object.0, id.0, 0)..=(object.0, id.0, u64::MAX);
            for entry in by_record.range(keys).or_fault()? {
                all.push(entry.or_fault()?.0.value().2);
            }
            Ok(())
        })?;
        for commit in self.commits_after(0) {
            let touched = |change: &Change| {
                change.id == id && (change.before.is_some() || change.is_return())
                    || change.into == Some(id)
            };
            if changes_of(commit, object).iter().any(touched) {
                all.push(commit.sequence);
            }
        }
        Ok(all)
    }

    /// A record's row before a transaction that changed or deleted it; nothing before one that
    /// brought it back.
    fn row_before(
        &self,
        layout: &ObjectLayout,
        id: RecordId,
        sequence: u64,
        after: Option<&Arc<Row>>,
    ) -> Result<Option<Arc<Row>>> {
        if let Some(commit) = self.pending_commit(sequence) {
            let mut changes = changes_of(commit, layout.id).iter();
            return Ok(match changes.find(|change| change.id == id) {
                Some(own) => own.before.clone(),
                // Others were merged into it.
                None => after.cloned(),
            });
        }
        guard(|| {
            let journal = self.base.read.open_table(tables::JOURNAL).or_fault()?;
            let block = |field: FieldId| journal.get((layout.id.0, field.0, sequence)).or_fault();
            let Some(after) = after else {
                let Some(bytes) = block(RECORDS)? else {
                    return Ok(None);
                };
                let gone = RecordBlock::decode(bytes.value(), layout)?.deleted;
                let own = gone.into_iter().find(|(gone, _)| *gone == id.0);
                return Ok(own.map(|(_, row)| Arc::new(row)));
            };
            let mut before = after.clone();
            let mut changed = false;
            for field in (0..layout.fields.len()).map(journal::field_id) {
                let Some(bytes) = block(field)? else { continue };
                let olds = journal::decode_block(bytes.value(), layout, field)?;
                if let Ok(at) = olds.ids.binary_search(&id.0) {
                    let ty = &layout.fields[usize::from(field.0)].ty;
                    Arc::make_mut(&mut before).set(field, olds.values.value(ty, at));
                    changed = true;
                }
            }
            if changed {
                return Ok(Some(before));
            }
            let Some(bytes) = block(RECORDS)? else {
                return Ok(None);
            };
            // It came back, or others were merged into it.
            let block = RecordBlock::decode(bytes.value(), layout)?;
            let stays = !block.inserts(id.0) && block.targets().any(|target| target == id.0);
            Ok(stays.then_some(before))
        })
    }

    /// Which records of an object a transaction merged, each with the one it went into.
    fn merged(&self, layout: &ObjectLayout, sequence: u64) -> Result<Vec<(RecordId, RecordId)>> {
        if let Some(commit) = self.pending_commit(sequence) {
            let changes = changes_of(commit, layout.id).iter();
            return Ok(changes
                .filter_map(|change| Some((change.id, change.into?)))
                .collect());
        }
        guard(|| {
            let journal = self.base.read.open_table(tables::JOURNAL).or_fault()?;
            let Some(bytes) = journal.get((layout.id.0, RECORDS.0, sequence)).or_fault()? else {
                return Ok(Vec::new());
            };
            let merged = RecordBlock::decode(bytes.value(), layout)?
                .merged
                .into_iter();
            Ok(merged
                .map(|(id, into)| (RecordId(id), RecordId(into)))
                .collect())
        })
    }

    /// The transactions after `after`, oldest first.
    pub(crate) fn transactions(&self, after: u64) -> Result<Vec<Stamp>> {
        let mut all = Vec::new();
        guard(|| {
            let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
            for entry in headers.range(after + 1..).or_fault()? {
                let (sequence, bytes) = entry.or_fault()?;
                all.push(Stamp::read(sequence.value(), bytes.value())?);
            }
            Ok(())
        })?;
        all.extend(self.commits_after(after).map(Stamp::of));
        Ok(all)
    }

    /// One transaction.
    pub(crate) fn stamp(&self, sequence: u64) -> Result<Stamp> {
        if let Some(commit) = self.pending_commit(sequence) {
            return Ok(Stamp::of(commit));
        }
        guard(|| {
            let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
            let bytes = headers.get(sequence).or_fault()?;
            let bytes = bytes
                .ok_or_else(|| corrupt(format!("the journal lacks transaction {sequence}")))?;
            Stamp::read(sequence, bytes.value())
        })
    }

    /// The last transaction at or before a moment; if there was none yet, or it is forgotten, that
    /// with which the journal begins, or 0.
    pub(crate) fn sequence_at(&self, moment: DateTime) -> Result<u64> {
        let pending = &self.pending.commits;
        let known = pending.partition_point(|commit| commit.at <= moment);
        if known > 0 {
            return Ok(pending[known - 1].sequence);
        }
        let folded = self.base.progress;
        if folded.last_commit.is_none_or(|last| last <= moment) {
            return Ok(folded.sequence);
        }
        guard(|| {
            let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
            // `low` is at or before the moment, `high` is after it.
            let (mut low, mut high) = (self.base.kept, folded.sequence);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let bytes = headers.get(middle).or_fault()?;
                let at = bytes
                    .map(|bytes| journal::header(bytes.value()))
                    .transpose()?;
                match at {
                    Some(header) if header.at > moment => high = middle,
                    _ => low = middle,
                }
            }
            Ok(low)
        })
    }

    /// The commit of that sequence, if it is not folded.
    pub(super) fn pending_commit(&self, sequence: u64) -> Option<&Commit> {
        self.commits_after(0)
            .find(|commit| commit.sequence == sequence)
    }

    /// The commits after `after` that are not folded.
    fn commits_after(&self, after: u64) -> impl Iterator<Item = &Commit> {
        let commits = self.pending.commits.iter().map(|commit| &**commit);
        commits.filter(move |commit| commit.sequence > after)
    }

    /// What came and went after the transaction `after`, oldest first.
    pub(super) fn moves(&self, object: ObjectId, after: u64) -> Result<Vec<Moves>> {
        let layout = self.layout(object);
        let mut all = Vec::new();
        self.blocks_after(object, RECORDS, after, |sequence, bytes| {
            let block = RecordBlock::decode(bytes, layout)?;
            let deleted = block.deleted.into_iter();
            all.push(Moves {
                sequence,
                inserted: block.inserted,
                deleted: deleted.map(|(id, row)| (id, Arc::new(row))).collect(),
            });
            Ok(())
        })?;
        for commit in self.commits_after(after) {
            let mut moves = Moves {
                sequence: commit.sequence,
                inserted: Vec::new(),
                deleted: Vec::new(),
            };
            for change in changes_of(commit, object) {
                match (&change.before, &change.after) {
                    (None, Some(_)) => moves.inserted.push((change.id.0, 1)),
                    (Some(row), None) => moves.deleted.push((change.id.0, row.clone())),
                    _ => {}
                }
            }
            if !(moves.inserted.is_empty() && moves.deleted.is_empty()) {
                all.push(moves);
            }
        }
        Ok(all)
    }

    /// What a field was before each change of it after the transaction `after`, oldest first;
    /// that records came or went is no change here.
    pub(super) fn olds(&self, object: ObjectId, field: FieldId, after: u64) -> Result<Vec<Old>> {
        let mut all = Vec::new();
        let Some(ty) = self.layout(object).fields.get(usize::from(field.0)) else {
            return Ok(all);
        };
        for (sequence, block) in self.old_blocks(object, field, after)? {
            all.extend(block.iter(&ty.ty).map(|(id, value)| Old {
                id: RecordId(id),
                sequence,
                value,
            }));
        }
        Ok(all)
    }

    /// The same by transaction.
    pub(super) fn old_blocks(
        &self,
        object: ObjectId,
        field: FieldId,
        after: u64,
    ) -> Result<Vec<(u64, Block)>> {
        let layout = self.layout(object);
        let mut all = Vec::new();
        self.blocks_after(object, field, after, |sequence, bytes| {
            all.push((sequence, journal::decode_block(bytes, layout, field)?));
            Ok(())
        })?;
        let shape = layout.fields.get(usize::from(field.0));
        let shape = shape.map_or(Shape::RowOnly, |field| field.ty.shape());
        for commit in self.commits_after(after) {
            let changed = changes_of(commit, object).iter().filter_map(|change| {
                let (before, now) = (change.before.as_ref()?, change.after.as_ref()?);
                let old = before.get(field);
                (old != now.get(field)).then(|| (change.id.0, old.clone()))
            });
            let mut changed = changed.peekable();
            if changed.peek().is_some() {
                all.push((commit.sequence, Block::of(shape, changed)));
            }
        }
        Ok(all)
    }

    /// The fields of some records that transactions after `after` changed, with the numbers of
    /// those; sorted by record.
    pub(crate) fn changed_after(
        &self,
        object: ObjectId,
        ids: &[RecordId],
        after: u64,
    ) -> Result<Vec<(RecordId, u64, FieldId)>> {
        let mut all = Vec::new();
        for at in 0..self.layout(object).fields.len() {
            let field = journal::field_id(at);
            let olds = self.olds(object, field, after)?.into_iter();
            let own = olds.filter(|old| ids.contains(&old.id));
            all.extend(own.map(|old| (old.id, old.sequence, field)));
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Calls `each` with the folded blocks of a field after a transaction, oldest first.
    fn blocks_after(
        &self,
        object: ObjectId,
        field: FieldId,
        after: u64,
        mut each: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        guard(|| {
            let journal = self.base.read.open_table(tables::JOURNAL).or_fault()?;
            let key = |sequence| -> JournalKey { (object.0, field.0, sequence) };
            let keys: RangeInclusive<JournalKey> =
                key(after.saturating_add(1))..=key(self.base.progress.sequence);
            if after >= self.base.progress.sequence {
                return Ok(());
            }
            for entry in journal.range(keys).or_fault()? {
                let (key, bytes) = entry.or_fault()?;
                each(key.value().2, bytes.value())?;
            }
            Ok(())
        })
    }
}

fn changes_of(commit: &Commit, object: ObjectId) -> &[Change] {
    let changes = &commit.changes;
    let from = changes.partition_point(|change| change.object < object);
    let to = changes.partition_point(|change| change.object <= object);
    &changes[from..to]
}

/// A field's values now, asked for by ascending id.
struct Values<'a> {
    now: &'a Snapshot,
    object: ObjectId,
    field: FieldId,
    ty: Option<&'a FieldType>,
    chunk: Option<(ChunkId, Vector)>,
}

impl<'a> Values<'a> {
    fn new(now: &'a Snapshot, object: ObjectId, field: FieldId) -> Self {
        let fields = &now.layout(object).fields;
        Self {
            now,
            object,
            field,
            ty: fields.get(usize::from(field.0)).map(|field| &field.ty),
            chunk: None,
        }
    }

    fn get(&mut self, id: RecordId) -> Result<Value> {
        let Some(ty) = self.ty else {
            return Ok(Value::Missing);
        };
        let (chunk, slot) = place(id);
        if self.chunk.as_ref().is_none_or(|(known, _)| *known != chunk) {
            let vector = self.now.column(self.object, self.field, chunk)?;
            self.chunk = Some((chunk, vector));
        }
        Ok(match &self.chunk {
            Some((_, Vector::Texts(texts))) if slot < texts.len() => {
                texts.get(slot).map_or(Value::Missing, Value::text)
            }
            Some((_, vector)) if slot < vector.len() => vector.value(ty, slot),
            _ => Value::Missing,
        })
    }
}

/// The step of a life that first made what a step has made: one that undoes another makes again
/// what was before that.
fn first_done(life: &[Step], mut at: usize) -> usize {
    while let Nature::Undo(of) = life[at].stamp.nature
        && let Some(before) = life[..at].iter().rposition(|step| step.stamp.sequence < of)
    {
        at = before;
    }
    at
}

#[cfg(test)]
mod tests {
    use crate::storage::model::{self, COUNT, NAME, OBJECT, at};
    use crate::storage::{Row, Store, StoreOptions};
    use crate::value::{RecordId, Value};

    /// Records 0, 1 and 2 come in one transaction; 0 goes into 1, and 1, changed, into 2; then 1
    /// comes back. Each step is followed by a fold, or not.
    #[test]
    fn lives_go_on_in_the_records_that_were_merged_into() {
        for folds in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("merged.fieldbook");
            let store = Store::open(&path, &StoreOptions::default()).unwrap();
            model::set_schema(&store);
            let [a, b, c] = [0, 1, 2].map(RecordId);
            let mut clock = 1;
            let mut commit = |work: &dyn Fn(&mut super::super::Transaction<'_>)| {
                let mut transaction = store.begin().unwrap();
                work(&mut transaction);
                clock += 1;
                let sequence = transaction.commit(at(clock)).unwrap();
                if folds {
                    store.fold().unwrap();
                }
                sequence
            };
            let named =
                |n: i64| Row::from_iter([(COUNT, Value::Integer(n)), (NAME, Value::text("x"))]);
            let came = commit(&|t| (0..3).for_each(|n| _ = t.insert(OBJECT, named(n)).unwrap()));
            let first = commit(&|t| t.merge(OBJECT, a, b).unwrap());
            let second = commit(&|t| {
                t.put(OBJECT, c, named(7)).unwrap();
                t.merge(OBJECT, b, c).unwrap();
            });
            let lives = |id: RecordId, as_of: u64| -> Vec<(u64, u64)> {
                let then = store.snapshot().unwrap().as_of(as_of).unwrap();
                let steps = then.lives(OBJECT, id).unwrap().into_iter();
                steps
                    .map(|(own, step)| (step.stamp.sequence, own.0))
                    .collect()
            };
            assert_eq!(
                lives(b, first),
                [(came, 0), (came, 1), (first, 0), (first, 1)]
            );
            let all = [
                (came, 0),
                (came, 1),
                (came, 2),
                (first, 0),
                (first, 1),
                (second, 1),
                (second, 2),
            ];
            assert_eq!(lives(c, second), all);
            assert_eq!(lives(a, second), [(came, 0), (first, 0)]);
            let row = store
                .snapshot()
                .unwrap()
                .as_of(first)
                .unwrap()
                .row(OBJECT, b)
                .unwrap()
                .unwrap();
            let third = commit(&|t| t.restore(OBJECT, b, (*row).clone()).unwrap());
            assert_eq!(lives(c, third), [(came, 2), (second, 2)]);
            assert_eq!(
                lives(b, third),
                [
                    (came, 0),
                    (came, 1),
                    (first, 0),
                    (first, 1),
                    (second, 1),
                    (third, 1)
                ]
            );
            drop(store);
            let store = Store::open(&path, &StoreOptions::default()).unwrap();
            let steps = store
                .snapshot()
                .unwrap()
                .as_of(second)
                .unwrap()
                .lives(OBJECT, c)
                .unwrap();
            assert_eq!(steps.len(), all.len());
            assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        }
    }
}
