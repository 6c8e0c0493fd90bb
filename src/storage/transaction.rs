//! A write transaction: a snapshot, an overlay of what it changed, and the way to commit.

use super::index;
use super::inherit::Inherited;
use super::journal::Change;
use super::load::Load;
use super::meta::RECORDS_MAX;
use super::overlay::Overlay;
use super::schema::Schema;
use super::spill::Spill;
use super::{ObjectLayout, Row, Settings, Snapshot, Store};
use crate::error::{Code, Error, Result};
use crate::value::{DateTime, IndexId, ObjectId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Uncommitted changes over a snapshot. Dropping it forgets them.
pub(crate) struct Transaction<'a> {
    pub(super) store: &'a Store,
    pub(super) base: Snapshot,
    pub(super) state: Snapshot,
    pub(super) log: Vec<Undo>,
    /// What is written into the file already; it began when nothing else was done.
    pub(super) load: Option<Load<'a>>,
    /// The same of a transaction that goes on reading what it wrote.
    pub(super) spill: Option<Spill<'a>>,
    /// Fields that take the place of others.
    pub(super) inherited: Vec<Inherited>,
}

/// A place to roll back to.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Mark(usize);

impl Mark {
    pub(super) const START: Self = Self(0);
}

/// Who committed, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitInfo {
    /// If this is earlier than the last transaction's, that one's counts.
    pub at: DateTime,
    pub actor: Option<RecordId>,
}

/// How to take one step back.
pub(super) enum Undo {
    Insert {
        object: ObjectId,
        id: RecordId,
        /// The bound of ids before.
        next: u64,
    },
    Change {
        object: ObjectId,
        id: RecordId,
        /// Nothing where it had gone.
        before: Option<Arc<Row>>,
    },
    /// The record deleted just before went into another one.
    Merge {
        object: ObjectId,
        id: RecordId,
        into: RecordId,
    },
    /// All before this was one transaction's undoing.
    Undoing(u64),
    Whole(Arc<Overlay>),
    /// The schema before, of equal layouts.
    Schema {
        before: Arc<Schema>,
        /// Whether it only got labels.
        grown: bool,
    },
    Settings(Arc<Settings>),
    /// The last field that inherited.
    Inherit,
}

impl Undo {
    /// The record that was added.
    pub(super) fn inserted(&self) -> Option<RecordId> {
        match self {
            Self::Insert { id, .. } => Some(*id),
            _ => None,
        }
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(store: &'a Store, base: Snapshot) -> Self {
        Self {
            store,
            state: untouched(&base),
            base,
            log: Vec::new(),
            load: None,
            spill: None,
            inherited: Vec::new(),
        }
    }

    /// The state with this transaction's changes.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.state
    }

    pub(super) fn overlay(&mut self) -> &mut Overlay {
        Arc::make_mut(&mut self.state.overlay)
    }

    /// Adds a record under the next id.
    pub(crate) fn insert(&mut self, object: ObjectId, row: Row) -> Result<RecordId> {
        row.check(self.state.overlay.schema.known(object)?)?;
        let next = self.state.record_bound(object);
        let id = self.store.reserve(object, next);
        if id.0 >= RECORDS_MAX {
            return Err(Error::new(
                Code::Limit,
                format!("object {} has no more record numbers", object.0),
            ));
        }
        self.overlay().set(object, id, None, Some(Arc::new(row)))?;
        self.log.push(Undo::Insert { object, id, next });
        Ok(id)
    }

    /// Replaces a record's row. The record must exist.
    #[cfg(test)]
    pub(crate) fn put(&mut self, object: ObjectId, id: RecordId, row: Row) -> Result<()> {
        self.state.overlay.schema.known(object)?;
        let before = self.existing(object, id)?;
        self.replace(object, id, before, row)
    }

    /// Replaces `before`, which is the record's row.
    pub(crate) fn replace(
        &mut self,
        object: ObjectId,
        id: RecordId,
        before: Arc<Row>,
        mut row: Row,
    ) -> Result<()> {
        debug_assert_eq!(self.state.row(object, id)?.as_ref(), Some(&before));
        row.check(self.state.overlay.schema.known(object)?)?;
        row.created = before.created;
        row.changed = before.changed;
        self.overlay()
            .set(object, id, Some(&before), Some(Arc::new(row)))?;
        let before = Some(before);
        self.log.push(Undo::Change { object, id, before });
        Ok(())
    }

    /// Adds a record under an id that was given before and has none now. One that had gone comes
    /// back: its row says when it came first.
    pub(crate) fn restore(&mut self, object: ObjectId, id: RecordId, mut row: Row) -> Result<()> {
        row.check(self.state.overlay.schema.known(object)?)?;
        if id.0 >= self.state.record_bound(object) || self.state.row(object, id)?.is_some() {
            return Err(Error::new(
                Code::Internal,
                format!("the record `{id}` of object {} did not go", object.0),
            ));
        }
        // One that this transaction took may be again what it was.
        let before = self.base.row(object, id)?;
        row.changed = before.map_or(0, |before| before.changed);
        self.overlay().set(object, id, None, Some(Arc::new(row)))?;
        let before = None;
        self.log.push(Undo::Change { object, id, before });
        Ok(())
    }

    /// Says that what was done so far undoes a transaction.
    pub(crate) fn set_undoing(&mut self, sequence: u64) {
        self.log.push(Undo::Undoing(sequence));
    }

    /// Whether nothing was done yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.log.is_empty() && !self.is_loading()
    }

    /// The transaction that this one undoes, if it does nothing else.
    pub(super) fn undoes(&self) -> Option<u64> {
        match self.log.last() {
            Some(Undo::Undoing(sequence)) => Some(*sequence),
            _ => None,
        }
    }

    /// Removes a record and gives its row. It must exist; who refers to it is the caller's
    /// concern.
    pub(crate) fn delete(&mut self, object: ObjectId, id: RecordId) -> Result<Arc<Row>> {
        let before = self.existing(object, id)?;
        self.overlay().set(object, id, Some(&before), None)?;
        self.log.push(Undo::Change {
            object,
            id,
            before: Some(before.clone()),
        });
        Ok(before)
    }

    /// Removes a record whose life goes on in another one of the object; not in a transaction that
    /// goes into the file before its end, which keeps no steps.
    pub(crate) fn merge(&mut self, object: ObjectId, id: RecordId, into: RecordId) -> Result<()> {
        debug_assert!(!self.is_loading());
        self.existing(object, into)?;
        self.delete(object, id)?;
        self.log.push(Undo::Merge { object, id, into });
        Ok(())
    }

    /// The last row that this transaction changed or removed of each record of an object.
    pub(crate) fn last_rows(&self, object: ObjectId) -> BTreeMap<RecordId, Arc<Row>> {
        let rows = self.log.iter().filter_map(|undo| match undo {
            Undo::Change {
                object: of,
                id,
                before: Some(before),
            } if *of == object => Some((*id, before.clone())),
            _ => None,
        });
        rows.collect()
    }

    fn existing(&self, object: ObjectId, id: RecordId) -> Result<Arc<Row>> {
        self.state.row(object, id)?.ok_or_else(|| {
            Error::new(
                Code::UnknownRecord,
                format!("object {} has no record `{id}`", object.0),
            )
        })
    }

    /// Sets the catalog's bytes and the layouts that go with it. New fields and indexes may be
    /// used at once in the same transaction; an index over existing records is filled at once.
    pub(crate) fn set_schema(
        &mut self,
        catalog: Arc<[u8]>,
        layouts: Vec<Arc<ObjectLayout>>,
    ) -> Result<()> {
        let schema = Arc::new(Schema::new(catalog, layouts));
        let old = self.state.overlay.schema.clone();
        old.check_successor(&schema)?;
        if old.layouts == schema.layouts {
            self.replace_schema(schema, false);
            return Ok(());
        }
        let before = self.state.overlay.clone();
        self.overlay().set_schema(schema.clone());
        self.log.push(Undo::Whole(before));
        for id in schema.index_ids().filter(|id| !old.has_index(*id)) {
            match self.all_keys(id) {
                Ok(keys) => self.overlay().set_keys(id, keys),
                Err(error) => {
                    self.roll_back_to(Mark(self.log.len() - 1));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Sets the catalog's bytes where they only got labels: what others write meanwhile keeps
    /// its meaning, so nothing but other new labels is in conflict with them.
    pub(crate) fn set_labels(&mut self, catalog: Arc<[u8]>) {
        let schema = self.state.overlay.schema.with_catalog(catalog);
        self.replace_schema(Arc::new(schema), true);
    }

    fn replace_schema(&mut self, schema: Arc<Schema>, grown: bool) {
        let before = std::mem::replace(&mut self.overlay().schema, schema);
        self.log.push(Undo::Schema { before, grown });
    }

    /// Whether the schema changed in more than labels.
    pub(super) fn redefined(&self) -> bool {
        let more = |undo: &Undo| matches!(undo, Undo::Whole(_) | Undo::Schema { grown: false, .. });
        self.log.iter().any(more)
    }

    /// The keys of all records in an index that is not stored yet.
    fn all_keys(&self, index: IndexId) -> Result<BTreeSet<index::Entry>> {
        let (layout, index) = self.state.overlay.schema.index(index)?;
        let mut keys = BTreeSet::new();
        self.state.every_row(layout.id, |id, row| {
            keys.extend(index::key_of(layout, index, row)?.map(|key| (key, id.0)));
            Ok(())
        })?;
        if index.unique {
            let mut last: Option<&index::Entry> = None;
            for entry in &keys {
                if let Some((key, id)) = last
                    && *key == entry.0
                    && self.same_key(layout, index, *id, entry.1)?
                {
                    return Err(Error::new(
                        Code::NotUnique,
                        format!("records `#{id}` and `#{}` have the same key", entry.1),
                    ));
                }
                last = Some(entry);
            }
        }
        Ok(keys)
    }

    /// Whether two records with equal keys have equal values in all fields, none missing.
    fn same_key(
        &self,
        layout: &ObjectLayout,
        index: &super::IndexLayout,
        a: u64,
        b: u64,
    ) -> Result<bool> {
        let a = self.existing(layout.id, RecordId(a))?;
        let b = self.existing(layout.id, RecordId(b))?;
        let exact = |row| index::exact_key_of(layout, index, row);
        Ok(index.fields.iter().all(|&f| !a.get(f).is_missing()) && exact(&a)? == exact(&b)?)
    }

    pub(crate) fn set_settings(&mut self, settings: Settings) {
        let before = self.state.overlay.settings.clone();
        self.overlay().settings = Arc::new(settings);
        self.log.push(Undo::Settings(before));
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// Forgets everything since the mark.
    pub(crate) fn roll_back_to(&mut self, mark: Mark) {
        if self.is_loading() {
            self.give_back();
            self.state = untouched(&self.base);
            self.load = None;
            self.spill = None;
            self.log.clear();
            return;
        }
        for undo in self.log.drain(mark.0.min(self.log.len())..).rev() {
            let overlay = Arc::make_mut(&mut self.state.overlay);
            let undone = match undo {
                Undo::Insert { object, id, next } => {
                    let row = overlay.entry(object, id).and_then(|e| e.current.clone());
                    let undone = overlay.set(object, id, row.as_ref(), None);
                    if let Some(records) = overlay.objects.get_mut(&object) {
                        // The id lies beyond all records again: no chunk has a slot for it.
                        records.records.remove(&id.0);
                        records.counts.next = next;
                    }
                    self.store.give_back(object, id.0, 1);
                    undone
                }
                Undo::Change { object, id, before } => {
                    let row = overlay.entry(object, id).and_then(|e| e.current.clone());
                    overlay.set(object, id, row.as_ref(), before)
                }
                Undo::Merge { .. } | Undo::Undoing(_) => Ok(()),
                Undo::Whole(overlay) => {
                    self.state.overlay = overlay;
                    Ok(())
                }
                Undo::Schema { before, .. } => {
                    overlay.schema = before;
                    Ok(())
                }
                Undo::Settings(settings) => {
                    overlay.settings = settings;
                    Ok(())
                }
                Undo::Inherit => {
                    self.inherited.pop();
                    overlay.inherits = !self.inherited.is_empty();
                    Ok(())
                }
            };
            // Setting a row fails only on a value that no key can hold, and this one was set.
            debug_assert!(undone.is_ok());
        }
    }

    /// Makes the changes durable, all or none; gives the transaction's number. A transaction
    /// without changes gives the snapshot's number and writes nothing.
    pub(crate) fn commit(mut self, info: CommitInfo) -> Result<u64> {
        let committed = self.store.commit(&mut self, info);
        if committed.is_ok() {
            // What is committed is not to be given back.
            self.log.clear();
        }
        committed
    }

    /// Gives back the ids of the records it added.
    fn give_back(&self) {
        for undo in self.log.iter().rev() {
            if let Undo::Insert { object, id, .. } = undo {
                self.store.give_back(*object, id.0, 1);
            }
        }
        if let Some(load) = &self.load {
            load.give_back();
        }
        if let Some(spill) = &self.spill {
            spill.give_back();
        }
    }

    /// The changed state for a commit to go on with, which nobody else holds then.
    pub(super) fn take_overlay(&mut self) -> Arc<Overlay> {
        std::mem::replace(&mut self.state.overlay, self.base.overlay.clone())
    }

    /// Each record that differs from the base, sorted by object and id.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.changes_since(Mark(0))
    }

    /// Each record that differs from what it was at the mark, sorted by object and id.
    pub(crate) fn changes_since(&self, mark: Mark) -> Vec<Change> {
        let log = &self.log[mark.0.min(self.log.len())..];
        let mut merged = BTreeMap::new();
        for undo in log {
            match undo {
                Undo::Merge { object, id, into } => merged.insert((*object, *id), *into),
                Undo::Change { object, id, .. } => merged.remove(&(*object, *id)),
                _ => None,
            };
        }
        let undone = log.iter().filter_map(|undo| match undo {
            Undo::Insert { object, id, .. } => Some(((*object, *id), None)),
            Undo::Change { object, id, before } => Some(((*object, *id), before.clone())),
            Undo::Merge { .. }
            | Undo::Undoing(_)
            | Undo::Whole(_)
            | Undo::Schema { .. }
            | Undo::Settings(_)
            | Undo::Inherit => None,
        });
        // Of a record's steps the first, which stays in front of the others.
        let mut first: Vec<_> = undone.collect();
        first.sort_by_key(|(place, _)| *place);
        first.dedup_by_key(|(place, _)| *place);
        let overlay = &self.state.overlay;
        let changes = first
            .into_iter()
            .filter(|((object, _), _)| overlay.schema.layouts.contains_key(object))
            .map(|((object, id), before)| Change {
                object,
                id,
                before,
                after: overlay.entry(object, id).and_then(|e| e.current.clone()),
                into: merged.get(&(object, id)).copied(),
            });
        changes.filter(|c| c.before != c.after).collect()
    }
}

/// A state that nothing is changed in yet.
fn untouched(base: &Snapshot) -> Snapshot {
    Snapshot {
        committed: Some(Arc::new(base.clone())),
        ..base.clone()
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.give_back();
        self.store.forget(self.base.sequence());
    }
}

#[cfg(test)]
mod tests {
    use crate::storage::model::{self, NAME, OBJECT, at};
    use crate::storage::{Row, journal::field_id};
    use crate::value::{ChunkId, Value};

    #[test]
    fn an_undone_insert_leaves_no_slot() {
        let store = model::store();
        let row = |name: &str| -> Row { [(NAME, Value::text(name))].into_iter().collect() };
        let mut transaction = store.begin().unwrap();
        transaction.insert(OBJECT, row("a")).unwrap();
        let mark = transaction.mark();
        transaction.insert(OBJECT, row("b")).unwrap();
        transaction.insert(OBJECT, row("c")).unwrap();
        transaction.roll_back_to(mark);
        let types = model::types();
        for (at, ty) in types.iter().enumerate() {
            let column = transaction
                .snapshot()
                .column(OBJECT, field_id(at), ChunkId(0));
            assert_eq!(column.unwrap().len(), 1, "{ty:?}");
        }
        let live = transaction.snapshot().live(OBJECT, ChunkId(0)).unwrap();
        assert_eq!(live.ones().collect::<Vec<_>>(), [0]);
        transaction.commit(at(1)).unwrap();
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }
}
