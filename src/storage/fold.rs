//! The fold: changed records into chunks, indexes and summaries, in one sorted pass.

use super::chunk;
use super::entries::Entries;
use super::fault::{OrFault, corrupt};
use super::index::{self, IndexTables};
use super::journal::field_id;
use super::meta::{self, Progress};
use super::overlay::{Entry, ObjectOverlay, Overlay};
use super::published::StoredChunk;
use super::schema::{LIVE, Schema};
use super::summary::ColumnSummary;
use super::tables::{self, Bytes, ColumnKey, SummaryKey};
use super::{IndexKind, ObjectLayout, Row, Snapshot, log, text};
use crate::column::{CHUNK_RECORDS, Vector};
use crate::error::{Code, Error, Result};
use crate::value::{FieldId, IndexId, LabelCode, ObjectId, Shape, Value};
use redb::{ReadableTable, Table, WriteTransaction};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;

/// What a fold writes into indexes, in the order in which it goes there.
pub(super) struct Sorted {
    indexes: Vec<(IndexId, IndexChanges)>,
    words: Vec<(ObjectId, text::Words)>,
}

#[derive(Default)]
struct IndexChanges {
    gone: Entries,
    come: Entries,
}

/// From so many changed records on it pays to sort beside other work.
const MANY: usize = 4096;

/// Does `work`, and sorts what the overlay changes in indexes, beside it if that is much. Indexes
/// in `new` hold nothing yet and get all their keys.
pub(super) fn sort_beside(
    overlay: &Overlay,
    new: &BTreeSet<IndexId>,
    work: impl FnOnce() -> Result<()>,
) -> Result<Sorted> {
    let records = overlay.objects.values().map(|o| o.records.len());
    if records.sum::<usize>() < MANY {
        work()?;
        return sort(overlay, new);
    }
    let sort = || beside(|| Ok(text::words(overlay)), || index_changes(overlay, new));
    let ((words, indexes), ()) = beside(sort, work)?;
    Ok(Sorted { indexes, words })
}

/// Does two things at once, the first in another thread; if that panics, so does this.
fn beside<A: Send, B>(
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let one = std::thread::Builder::new()
            .spawn_scoped(scope, one)
            .map_err(|error| Error::new(Code::Io, "a thread cannot start").caused_by(error))?;
        let other = other();
        let one = one.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((one?, other?))
    })
}

/// Sorts what the overlay changes in indexes.
pub(super) fn sort(overlay: &Overlay, new: &BTreeSet<IndexId>) -> Result<Sorted> {
    Ok(Sorted {
        indexes: index_changes(overlay, new)?,
        words: text::words(overlay),
    })
}

/// Folds a state's commits that wait in the log.
pub(super) fn fold_log(write: &WriteTransaction, state: &Snapshot) -> Result<()> {
    let (overlay, pending) = (&state.overlay, &state.pending);
    if pending.commits.is_empty() {
        return Ok(());
    }
    let archive = || log::archive(write, &pending.commits, &overlay.schema);
    let sorted = sort_beside(overlay, &BTreeSet::new(), archive)?;
    fold(write, overlay, sorted)?;
    end(write, overlay, &pending.progress())
}

/// Writes everything the overlay lays over the stored structures into them.
pub(super) fn fold(write: &WriteTransaction, overlay: &Overlay, sorted: Sorted) -> Result<()> {
    fold_fields(write, overlay, &sorted.indexes)?;
    text::fold(write, sorted.words)
}

/// Writes how far the fold came, and what there is now, and empties the log.
pub(super) fn end(write: &WriteTransaction, overlay: &Overlay, progress: &Progress) -> Result<()> {
    for (&object, records) in &overlay.objects {
        meta::write_counts(write, object, &records.counts)?;
    }
    meta::write_progress(write, progress)?;
    log::clear(write)
}

/// Columns, summaries and ordered indexes.
fn fold_fields(
    write: &WriteTransaction,
    overlay: &Overlay,
    indexes: &[(IndexId, IndexChanges)],
) -> Result<()> {
    for (&object, records) in &overlay.objects {
        fold_columns(write, overlay.schema.layout(object), records)?;
    }
    let mut tables = IndexTables::open(write)?;
    for (id, changes) in indexes {
        let (layout, index) = overlay.schema.index(*id)?;
        let records = overlay.counts(layout.id).next;
        changes.gone.remove(&mut tables, index, records)?;
        changes.come.insert(&mut tables, index)?;
    }
    Ok(())
}

/// Columns and summaries of one object.
pub(super) fn fold_columns(
    write: &WriteTransaction,
    layout: &ObjectLayout,
    records: &ObjectOverlay,
) -> Result<()> {
    let mut fold = Fold {
        columns: write.open_table(tables::COLUMNS).or_fault()?,
        summaries: write.open_table(tables::SUMMARIES).or_fault()?,
    };
    fold.columns(layout, records)
}

/// What new records of one object bring into its indexes.
pub(super) struct Gathered<'a> {
    layout: &'a ObjectLayout,
    /// One for each index.
    entries: Vec<Entries>,
    words: text::Changes,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(layout: &'a ObjectLayout) -> Self {
        Self {
            layout,
            entries: layout.indexes.iter().map(|_| Entries::default()).collect(),
            words: text::Changes::default(),
        }
    }

    /// Adds records, whose ids lie beyond those before.
    pub(super) fn add(&mut self, records: &ObjectOverlay) -> Result<()> {
        for (&id, entry) in &records.records {
            let Some(row) = &entry.current else { continue };
            for (index, entries) in self.layout.indexes.iter().zip(&mut self.entries) {
                entries.add(self.layout, index, row, id)?;
            }
            self.words.row(self.layout, id, None, Some(row));
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        let entries: usize = self.entries.iter().map(Entries::bytes).sum();
        entries + self.words.bytes()
    }

    /// Writes everything; the meta table still has the counts before.
    pub(super) fn write(self, write: &WriteTransaction) -> Result<()> {
        let Self {
            layout,
            mut entries,
            words,
        } = self;
        let (references, keys): (Vec<_>, Vec<_>) = layout
            .indexes
            .iter()
            .zip(&mut entries)
            .partition(|(index, _)| index.kind == IndexKind::Reference);
        beside(
            || text::fold(write, vec![(layout.id, words.sorted())]),
            || {
                let references = || {
                    let mut table = write.open_table(tables::REFERENCES).or_fault()?;
                    references.into_iter().try_for_each(|(index, entries)| {
                        entries.sort();
                        entries.insert_references(&mut table, index)
                    })
                };
                let keys = || {
                    let mut table = write.open_table(tables::KEYS).or_fault()?;
                    keys.into_iter().try_for_each(|(_, entries)| {
                        entries.sort();
                        entries.insert_keys(&mut table)
                    })
                };
                beside(references, keys).map(|_| ())
            },
        )
        .map(|_| ())
    }
}

fn index_changes(
    overlay: &Overlay,
    new: &BTreeSet<IndexId>,
) -> Result<Vec<(IndexId, IndexChanges)>> {
    let mut all = Vec::new();
    for (&object, records) in &overlay.objects {
        let layout = overlay.schema.layout(object);
        for index in layout.indexes.iter().filter(|i| !new.contains(&i.id)) {
            let mut changes = IndexChanges::default();
            let IndexChanges { gone, come } = &mut changes;
            for (&id, entry) in &records.records {
                let (old, new) = (entry.stored.as_deref(), entry.current.as_deref());
                let both = old.zip(new);
                if both.is_some_and(|(a, b)| index.fields.iter().all(|&f| a.get(f) == b.get(f))) {
                    continue;
                }
                if let Some(old) = old {
                    gone.add(layout, index, old, id)?;
                }
                if let Some(new) = new {
                    come.add(layout, index, new, id)?;
                }
                if both.is_some() {
                    gone.cancel(come);
                }
            }
            gone.sort();
            come.sort();
            all.push((index.id, changes));
        }
    }
    for &id in new {
        let (_, index) = overlay.schema.index(id)?;
        if let Some(keys) = overlay.keys(id)? {
            let come = Entries::of(index, keys);
            let gone = Entries::default();
            all.push((id, IndexChanges { gone, come }));
        }
    }
    Ok(all)
}

/// Removes what the new schema no longer has: columns, summaries, indexes and rows.
pub(super) fn drop_gone(write: &WriteTransaction, old: &Schema, new: &Schema) -> Result<()> {
    let mut columns = write.open_table(tables::COLUMNS).or_fault()?;
    let mut summaries = write.open_table(tables::SUMMARIES).or_fault()?;
    let mut drop_column = |object: ObjectId, field: FieldId| {
        let (o, f) = (object.0, field.0);
        columns
            .retain_in((o, f, 0, 0)..=(o, f, u32::MAX, u32::MAX), |_, _| false)
            .or_fault()?;
        summaries.remove((o, f)).or_fault()?;
        Ok::<_, Error>(())
    };
    for (&object, layout) in &old.layouts {
        let kept = new.layouts.get(&object);
        text::drop_fields(write, layout, kept.map(|kept| &**kept))?;
        for (at, _) in layout.fields.iter().enumerate().filter(|(_, f)| !f.dropped) {
            if kept.is_none_or(|kept| kept.fields[at].dropped) {
                drop_column(object, field_id(at))?;
            }
        }
        if kept.is_none() {
            drop_column(object, LIVE)?;
            let rows = tables::RowsTable::new(object);
            write.delete_table(rows.definition()).or_fault()?;
        }
    }
    let mut indexes = IndexTables::open(write)?;
    for index in old.index_ids().filter(|id| !new.has_index(*id)) {
        indexes.clear(index)?;
    }
    Ok(())
}

struct Fold<'txn> {
    columns: Table<'txn, ColumnKey, Bytes>,
    summaries: Table<'txn, SummaryKey, Bytes>,
}

/// The changed records of one chunk, by slot.
type Changed<'a> = [(usize, &'a Entry)];

impl Fold<'_> {
    fn columns(&mut self, layout: &ObjectLayout, records: &ObjectOverlay) -> Result<()> {
        let mut summaries: BTreeMap<FieldId, ColumnSummary> = BTreeMap::new();
        let all: Vec<(&u64, &Entry)> = records.records.iter().collect();
        let chunk_of = |id: u64| id / CHUNK_RECORDS as u64;
        for group in all.chunk_by(|a, b| chunk_of(*a.0) == chunk_of(*b.0)) {
            let number = chunk_of(*group[0].0);
            let start = number * CHUNK_RECORDS as u64;
            let chunk = u32::try_from(number).map_err(|_| corrupt("an object is too large"))?;
            let len = (records.counts.next - start).min(CHUNK_RECORDS as u64);
            let len = usize::try_from(len).unwrap_or(CHUNK_RECORDS);
            let changed: Vec<_> = group
                .iter()
                .map(|(id, entry)| (usize::try_from(*id - start).unwrap_or(0), *entry))
                .collect();
            self.live(layout.id, chunk, len, &changed)?;
            for (at, field) in layout.fields.iter().enumerate() {
                let shape = field.ty.shape();
                if field.dropped || shape == Shape::RowOnly {
                    continue;
                }
                let field = field_id(at);
                let changes = field_changes(field, &changed);
                if changes.is_empty() {
                    continue;
                }
                let summary = match summaries.entry(field) {
                    std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::btree_map::Entry::Vacant(slot) => slot.insert(
                        match self.summaries.get((layout.id.0, field.0)).or_fault()? {
                            Some(bytes) => ColumnSummary::decode(bytes.value())?,
                            None => ColumnSummary::default(),
                        },
                    ),
                };
                let place = (layout.id, field, chunk);
                let vector = self.rewrite(place, shape, len, &summary.labels, &changes)?;
                summary.set_chunk(chunk, &vector);
                changes.iter().for_each(|(_, value)| summary.note(value));
            }
        }
        for (field, summary) in summaries {
            let bytes = summary.encode()?;
            let key = (layout.id.0, field.0);
            self.summaries.insert(key, bytes.as_slice()).or_fault()?;
        }
        Ok(())
    }

    fn live(
        &mut self,
        object: ObjectId,
        chunk: u32,
        len: usize,
        changed: &Changed<'_>,
    ) -> Result<()> {
        let changes: Vec<_> = changed
            .iter()
            .filter(|(_, entry)| entry.stored.is_some() != entry.current.is_some())
            .map(|(slot, entry)| (*slot, Value::Boolean(entry.current.is_some())))
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let changes: Vec<_> = changes.iter().map(|(slot, value)| (*slot, value)).collect();
        let place = (object, LIVE, chunk);
        self.rewrite(place, Shape::Bits, len, &[], &changes)?;
        Ok(())
    }

    /// Decodes a chunk, patches it and stores it again.
    fn rewrite(
        &mut self,
        (object, field, chunk): (ObjectId, FieldId, u32),
        shape: Shape,
        len: usize,
        labels: &[LabelCode],
        changes: &[(usize, &Value)],
    ) -> Result<Vector> {
        let stored = StoredChunk {
            columns: &self.columns,
            object,
            field,
            chunk,
        };
        let old = chunk::decode(shape, len, labels, &stored)?;
        let mut vector = chunk::patch(old, changes);
        if let Vector::Bits(bits) = &mut vector
            && field == LIVE
        {
            bits.missing = None;
        }
        let key = |part: u32| (object.0, field.0, part, chunk);
        let parts = chunk::encode(&vector);
        for (part, bytes) in &parts {
            self.columns
                .insert(key(*part), bytes.as_slice())
                .or_fault()?;
        }
        let written = |part: u32| parts.iter().any(|(known, _)| *known == part);
        let mut stale: Vec<u32> = match shape {
            Shape::Tags => labels.iter().map(|label| label.0).collect(),
            Shape::Pair => vec![0, 1],
            _ => vec![0],
        };
        stale.retain(|part| !written(*part));
        for part in stale {
            self.columns.remove(key(part)).or_fault()?;
        }
        if shape == Shape::Texts {
            // A shorter text has fewer pieces than before.
            let mut part = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            while self.columns.remove(key(part)).or_fault()?.is_some() {
                part += 1;
            }
        }
        Ok(vector)
    }
}

/// The slots whose value of a field differs from the stored one.
fn field_changes<'a>(field: FieldId, changed: &Changed<'a>) -> Vec<(usize, &'a Value)> {
    fn value(row: &Option<Arc<Row>>, field: FieldId) -> &Value {
        row.as_ref().map_or(&Value::Missing, |row| row.get(field))
    }
    changed
        .iter()
        .map(|&(slot, entry)| {
            (
                slot,
                value(&entry.stored, field),
                value(&entry.current, field),
            )
        })
        .filter(|(_, stored, current)| match (stored, current) {
            (Value::Missing, current) => !current.is_missing(),
            (stored, current) => stored != current,
        })
        .map(|(slot, _, current)| (slot, current))
        .collect()
}

/// Folds everything, and writes the text index and every index over folded text anew.
pub(super) fn rebuild_folded(write: &WriteTransaction, snapshot: &Snapshot) -> Result<()> {
    let overlay = &snapshot.overlay;
    let mut whole = Overlay::clone(overlay);
    let mut rebuilt = BTreeSet::new();
    let mut tables = IndexTables::open(write)?;
    for id in overlay.schema.index_ids() {
        let (layout, index) = overlay.schema.index(id)?;
        if index.kind != IndexKind::Folded {
            continue;
        }
        tables.clear(id)?;
        let mut keys = BTreeSet::new();
        snapshot.every_row(layout.id, |record, row| {
            keys.extend(index::key_of(layout, index, row)?.map(|key| (key, record.0)));
            Ok(())
        })?;
        whole.set_keys(id, keys);
        rebuilt.insert(id);
    }
    drop(tables);
    fold_fields(write, &whole, &index_changes(&whole, &rebuilt)?)?;
    text::rebuild(write, snapshot)
}
