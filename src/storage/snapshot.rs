//! A state of the book to read from: stored structure plus overlay.

use super::fault::{OrFault, corrupt, guard};
use super::index::{self, Entry as KeyEntry, KeyRange};
use super::key::{self, KeyWriter};
use super::log::Pending;
use super::overlay::{Overlay, chunk_ids, place};
use super::past::Past;
use super::published::{Published, StoredChunk};
use super::schema::LIVE;
use super::{IndexKind, IndexLayout, ObjectLayout, Row, Settings, chunk};
use crate::column::{Bitset, CHUNK_RECORDS, Texts, Vector};
use crate::error::Result;
use crate::value::{ChunkId, DateTime, FieldId, IndexId, ObjectId, RecordId, Shape, Value};
use std::ops::Bound;
use std::sync::Arc;

/// A frozen state. Cheap to clone; may be sent to other threads.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(super) base: Arc<Published>,
    pub(super) overlay: Arc<Overlay>,
    pub(super) pending: Arc<Pending>,
    /// What is undone, if this is a state of the past: the rest is then the present one.
    pub(super) past: Option<Arc<Past>>,
    /// The state that was committed, if this has changes of a transaction on top.
    pub(super) committed: Option<Arc<Snapshot>>,
}

/// What planning and skipping read of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// Records with a value; of a past state those of the present.
    pub present: u64,
    /// Distinct values, exact up to 256 and an estimate beyond. Values that have gone may still
    /// count.
    pub distinct: u64,
    pub chunks: Vec<ChunkSummary>,
}

/// What is known of one chunk of an integer-shaped column (or of a pair's first part).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ChunkSummary {
    /// Smallest and largest value, where there is one.
    pub range: Option<(i64, i64)>,
    /// Slots without a value, whether or not they have a record.
    pub missing: u32,
    /// False where overlay records lie in the chunk: then nothing may be concluded.
    pub exact: bool,
}

/// One side of a range of index keys.
pub(crate) type KeyBound = Bound<Vec<Value>>;

/// The number of a chunk's slots that lie below `bound`.
fn len_below(chunk: u32, bound: u64) -> usize {
    let ids = chunk_ids(chunk);
    usize::try_from(ids.end.min(bound).saturating_sub(ids.start)).unwrap_or(0)
}

impl Snapshot {
    /// The number of the last transaction seen.
    pub(crate) fn sequence(&self) -> u64 {
        self.past
            .as_ref()
            .map_or(self.pending.sequence, |past| past.sequence)
    }

    /// The moment of the last transaction seen.
    pub(crate) fn last_commit(&self) -> Option<DateTime> {
        self.pending.last_commit
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.overlay.settings
    }

    /// The catalog's bytes as last set; empty in a new store. Equal pointers mean equal catalogs.
    pub(crate) fn catalog(&self) -> &Arc<[u8]> {
        &self.overlay.schema.catalog
    }

    pub(crate) fn layout(&self, object: ObjectId) -> &Arc<ObjectLayout> {
        self.overlay.schema.layout(object)
    }

    /// One more than the largest id ever given.
    pub(crate) fn record_bound(&self, object: ObjectId) -> u64 {
        self.overlay.counts(object).next
    }

    /// Live records; of a past state those of the present, if its journal cannot be read.
    pub(crate) fn record_count(&self, object: ObjectId) -> u64 {
        let now = self.overlay.counts(object).live;
        let Some(past) = &self.past else { return now };
        past.lives(&self.now(), object)
            .map_or(now, |lives| lives.count)
    }

    pub(crate) fn chunk_count(&self, object: ObjectId) -> u32 {
        let chunks = self.record_bound(object).div_ceil(CHUNK_RECORDS as u64);
        u32::try_from(chunks).unwrap_or(u32::MAX)
    }

    /// The number of slots of a chunk.
    pub(super) fn chunk_len(&self, object: ObjectId, chunk: ChunkId) -> usize {
        len_below(chunk.0, self.record_bound(object))
    }

    pub(crate) fn row(&self, object: ObjectId, id: RecordId) -> Result<Option<Arc<Row>>> {
        if let Some(past) = &self.past {
            return past.row(&self.now(), self.layout(object), id);
        }
        match self.overlay.entry(object, id) {
            Some(entry) => Ok(entry.current.clone()),
            None => guard(|| self.base.row(self.layout(object), id)),
        }
    }

    /// The number of the transaction that made a record's row, if that is committed.
    pub(crate) fn revision(
        &self,
        object: ObjectId,
        id: RecordId,
        row: &Row,
    ) -> Result<Option<u64>> {
        if let (Some(committed), Some(_)) = (&self.committed, self.overlay.entry(object, id)) {
            let before = committed.row(object, id)?;
            // A row that is changed keeps the number until it gets its own.
            if before.is_some_and(|before| *before != *row && before.changed == row.changed) {
                return Ok(None);
            }
        }
        Ok(Some(row.changed).filter(|number| *number > 0))
    }

    /// The same state with the number that its transaction got.
    pub(crate) fn committed_as(mut self, sequence: u64) -> Result<Self> {
        let Some(committed) = self.committed.clone() else {
            return Ok(self);
        };
        for (object, records) in &mut Arc::make_mut(&mut self.overlay).objects {
            for (id, entry) in &mut records.records {
                let Some(row) = &mut entry.current else {
                    continue;
                };
                if committed.row(*object, RecordId(*id))?.as_ref() != Some(row) {
                    Arc::make_mut(row).stamp(sequence);
                }
            }
        }
        Ok(self)
    }

    /// The value of one field of a record, from its chunk if that is decoded, else from its row;
    /// missing if there is no such record.
    pub(crate) fn value(&self, object: ObjectId, field: FieldId, id: RecordId) -> Result<Value> {
        let (chunk, slot) = place(id);
        let at = self.layout(object).fields.get(usize::from(field.0));
        if let (Some(at), None, None) = (at, &self.past, self.overlay.entry(object, id)) {
            let shape = at.ty.shape();
            // The one chunk of few records stays decoded.
            let vector = match self.chunk_count(object) {
                1 if chunk.0 == 0 && shape != Shape::RowOnly => {
                    let stored = || self.stored_vector(object, field, chunk, shape);
                    Some(guard(stored)?)
                }
                _ => self.base.chunks.get((object, field, chunk.0, None), shape),
            };
            if let Some(vector) = vector.filter(|vector| slot < vector.len()) {
                return Ok(vector.value(&at.ty, slot));
            }
        }
        let row = self.row(object, id)?;
        Ok(row.map_or(Value::Missing, |row| row.get(field).clone()))
    }

    /// The records of a chunk that exist. Its length is the chunk's: 3,968, less in the last.
    pub(crate) fn live(&self, object: ObjectId, chunk: ChunkId) -> Result<Bitset> {
        let mut live = guard(|| self.stored_live(object, chunk))?;
        for (slot, entry) in self.overlay.in_chunk(object, chunk.0) {
            live.set(slot, entry.current.is_some());
        }
        if let Some(past) = &self.past {
            let lives = past.lives(&self.now(), object)?;
            lives
                .unborn_in(chunk.0)
                .for_each(|slot| live.set(slot, false));
            lives.gone_in(chunk.0).for_each(|slot| live.set(slot, true));
        }
        Ok(live)
    }

    pub(super) fn stored_live(&self, object: ObjectId, chunk: ChunkId) -> Result<Bitset> {
        match self.stored_vector(object, LIVE, chunk, Shape::Bits)? {
            Vector::Bits(bits) => Ok(bits.data),
            _ => Err(corrupt("the column of live records is not of bits")),
        }
    }

    /// The values of a field in a chunk; slots without a record are missing. A field whose shape
    /// is [`crate::value::Shape::RowOnly`] is read from the rows.
    pub(crate) fn column(
        &self,
        object: ObjectId,
        field: FieldId,
        chunk: ChunkId,
    ) -> Result<Vector> {
        let len = self.chunk_len(object, chunk);
        let layout = self.layout(object);
        let Some(at) = layout.fields.get(usize::from(field.0)) else {
            return Ok(Vector::missing(Shape::RowOnly, len));
        };
        let shape = at.ty.shape();
        if at.dropped {
            return Ok(Vector::missing(shape, len));
        }
        if shape == Shape::RowOnly {
            return self.row_texts(object, field, chunk);
        }
        if let Some(past) = &self.past {
            return self.past_column(past, (object, field, shape), chunk);
        }
        let vector = guard(|| self.stored_column(object, field, chunk))?;
        let changes: Vec<_> = self
            .overlay
            .in_chunk(object, chunk.0)
            .map(|(slot, entry)| {
                let value = entry.current.as_ref().map(|row| row.get(field));
                (slot, value.unwrap_or(&Value::Missing))
            })
            .collect();
        Ok(chunk::patch(vector, &changes))
    }

    /// The same of a state of the past, which has a column for the field.
    fn past_column(
        &self,
        past: &Past,
        (object, field, shape): (ObjectId, FieldId, Shape),
        chunk: ChunkId,
    ) -> Result<Vector> {
        let key = (object, field, chunk.0, Some(past.sequence));
        if let Some(vector) = self.base.chunks.get(key, shape) {
            return Ok(chunk::resize(vector, self.chunk_len(object, chunk)));
        }
        let now = self.now();
        let (lives, values) = (past.lives(&now, object)?, past.values(&now, object, field)?);
        let vector = now.column(object, field, chunk)?;
        let len = vector.len();
        // What is not there has no value, whatever it had since.
        let unborn = lives.unborn_in(chunk.0).map(|slot| (slot, Value::Missing));
        let undone = values.in_chunk(chunk.0).chain(unborn);
        let undone: Vec<_> = undone.filter(|(slot, _)| *slot < len).collect();
        if undone.is_empty() {
            return Ok(vector);
        }
        let vector = chunk::patch(vector, &undone);
        self.base.chunks.put(key, vector.clone());
        Ok(vector)
    }

    /// The values of a field in a chunk as folded.
    pub(super) fn stored_column(
        &self,
        object: ObjectId,
        field: FieldId,
        chunk: ChunkId,
    ) -> Result<Vector> {
        let at = self.layout(object).fields.get(usize::from(field.0));
        let shape = at.map_or(Shape::RowOnly, |field| field.ty.shape());
        self.stored_vector(object, field, chunk, shape)
    }

    fn stored_vector(
        &self,
        object: ObjectId,
        field: FieldId,
        chunk: ChunkId,
        shape: Shape,
    ) -> Result<Vector> {
        let len = self.chunk_len(object, chunk);
        let key = (object, field, chunk.0, None);
        if let Some(vector) = self.base.chunks.get(key, shape) {
            return Ok(chunk::resize(vector, len));
        }
        let summary;
        let labels = if shape == Shape::Tags {
            summary = self.base.summary(object, field)?;
            &summary.labels[..]
        } else {
            &[]
        };
        let parts = StoredChunk {
            columns: &self.base.columns()?,
            object,
            field,
            chunk: chunk.0,
        };
        let vector = chunk::decode_stored(shape, len, labels, &parts)?;
        self.base.chunks.put(key, vector.clone());
        Ok(chunk::resize(vector, len))
    }

    /// The texts of a field that has no column.
    fn row_texts(&self, object: ObjectId, field: FieldId, chunk: ChunkId) -> Result<Vector> {
        let mut values = vec![Value::Missing; self.chunk_len(object, chunk)];
        let start = chunk_ids(chunk.0).start;
        self.each_row(object, chunk, |id, row| {
            if let Some(value) = values.get_mut(usize::try_from(id.0 - start).unwrap_or(0)) {
                *value = row.get(field).clone();
            }
            Ok(())
        })?;
        let texts = values.iter().map(|value| match value {
            Value::Text(text) => Some(&**text),
            _ => None,
        });
        Ok(Vector::Texts(Texts::from_options(texts)))
    }

    /// Calls `each` with the rows of a chunk in id order.
    pub(super) fn each_row(
        &self,
        object: ObjectId,
        chunk: ChunkId,
        mut each: impl FnMut(RecordId, &Arc<Row>) -> Result<()>,
    ) -> Result<()> {
        let layout = self.layout(object);
        let ids = chunk_ids(chunk.0);
        if self.past.is_some() {
            for slot in self.live(object, chunk)?.ones() {
                let id = RecordId(ids.start + slot as u64);
                if let Some(row) = self.row(object, id)? {
                    each(id, &row)?;
                }
            }
            return Ok(());
        }
        let mut rows = Vec::new();
        guard(|| {
            let Some(table) = self.base.rows(object)? else {
                return Ok(());
            };
            for entry in table.range(ids.clone()).or_fault()? {
                let (id, bytes) = entry.or_fault()?;
                let id = RecordId(id.value());
                if self.overlay.entry(object, id).is_none() {
                    rows.push((id, Arc::new(Row::decode(bytes.value(), &layout.fields)?)));
                }
            }
            Ok(())
        })?;
        for (slot, entry) in self.overlay.in_chunk(object, chunk.0) {
            if let Some(row) = &entry.current {
                rows.push((RecordId(ids.start + slot as u64), row.clone()));
            }
        }
        rows.sort_unstable_by_key(|(id, _)| *id);
        rows.iter().try_for_each(|(id, row)| each(*id, row))
    }

    /// Calls `each` with all rows of an object in id order.
    pub(super) fn every_row(
        &self,
        object: ObjectId,
        mut each: impl FnMut(RecordId, &Arc<Row>) -> Result<()>,
    ) -> Result<()> {
        (0..self.chunk_count(object))
            .try_for_each(|chunk| self.each_row(object, ChunkId(chunk), &mut each))
    }

    pub(crate) fn summary(&self, object: ObjectId, field: FieldId) -> Result<Summary> {
        let stored = guard(|| self.base.summary(object, field))?;
        let mut present = stored.present();
        let bound = self.record_bound(object);
        let mut chunks: Vec<ChunkSummary> = (0..self.chunk_count(object))
            .map(|chunk| {
                let known = stored
                    .chunks
                    .get(chunk as usize)
                    .copied()
                    .unwrap_or_default();
                let len = u32::try_from(len_below(chunk, bound)).unwrap_or(0);
                ChunkSummary {
                    range: known.range,
                    missing: len.saturating_sub(known.present),
                    exact: true,
                }
            })
            .collect();
        if let Some(records) = self.overlay.objects.get(&object) {
            let has = |row: &Option<Arc<Row>>| {
                u64::from(row.as_ref().is_some_and(|row| !row.get(field).is_missing()))
            };
            for (id, entry) in &records.records {
                present = (present + has(&entry.current)).saturating_sub(has(&entry.stored));
                let chunk = usize::try_from(id / CHUNK_RECORDS as u64).unwrap_or(usize::MAX);
                if let Some(chunk) = chunks.get_mut(chunk) {
                    chunk.exact = false;
                }
            }
        }
        if let Some(past) = &self.past {
            for chunk in self.changed_chunks(past, object, field)? {
                if let Some(chunk) = chunks.get_mut(chunk as usize) {
                    chunk.exact = false;
                }
            }
        }
        Ok(Summary {
            present,
            distinct: stored.distinct().min(present),
            chunks,
        })
    }

    /// The records whose key equals `key`, in id order.
    pub(crate) fn lookup(&self, index: IndexId, key: &[Value]) -> Result<Vec<RecordId>> {
        let (layout, index) = self.overlay.schema.index(index)?;
        let low = index::encode(layout, index, key, KeyWriter::new())?;
        let range = (low.bytes.clone(), key::after(&low.bytes));
        let mut found = self.entries(layout, index, &range)?;
        if low.cut {
            let exact = index::encode(layout, index, key, KeyWriter::exact())?.bytes;
            self.keep_exact(layout, index, &mut found, |key| key.starts_with(&exact))?;
        }
        let mut ids: Vec<_> = found.into_iter().map(|(_, id)| RecordId(id)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The records whose keys lie in the range, in key order, then id order. A bound may give
    /// only the first fields of the key. Missing comes last.
    pub(crate) fn scan(
        &self,
        index: IndexId,
        low: KeyBound,
        high: KeyBound,
    ) -> Result<Vec<RecordId>> {
        let (layout, index) = self.overlay.schema.index(index)?;
        let encode = |key: &[Value], writer| index::encode(layout, index, key, writer);
        let mut cut = false;
        let from = match &low {
            Bound::Unbounded => Some(Vec::new()),
            Bound::Included(key) | Bound::Excluded(key) => {
                let written = encode(key, KeyWriter::new())?;
                cut |= written.cut;
                // A cut text may be that of a greater value.
                if matches!(low, Bound::Included(_)) || written.cut {
                    Some(written.bytes)
                } else {
                    key::after(&written.bytes)
                }
            }
        };
        let Some(from) = from else {
            return Ok(Vec::new());
        };
        let to = match &high {
            Bound::Unbounded => None,
            Bound::Included(key) | Bound::Excluded(key) => {
                let written = encode(key, KeyWriter::new())?;
                cut |= written.cut;
                if matches!(high, Bound::Included(_)) || written.cut {
                    key::after(&written.bytes)
                } else {
                    Some(written.bytes)
                }
            }
        };
        let mut found = self.entries(layout, index, &(from, to))?;
        if cut {
            let exact = |bound: &KeyBound| match bound {
                Bound::Included(key) | Bound::Excluded(key) => {
                    Ok(Some(encode(key, KeyWriter::exact())?.bytes))
                }
                Bound::Unbounded => Ok::<_, crate::error::Error>(None),
            };
            let (from, to) = (exact(&low)?, exact(&high)?);
            self.keep_exact(layout, index, &mut found, |key| {
                let after_low = from.as_ref().is_none_or(|from| {
                    let inside = matches!(low, Bound::Included(_)) || !key.starts_with(from);
                    key >= &from[..] && inside
                });
                let before_high = to.as_ref().is_none_or(|to| {
                    key < &to[..] || matches!(high, Bound::Included(_)) && key.starts_with(to)
                });
                after_low && before_high
            })?;
        }
        self.order_cut(layout, index, &mut found)?;
        Ok(found.into_iter().map(|(_, id)| RecordId(id)).collect())
    }

    /// The entries in a range, stored and overlaid, in order.
    fn entries(
        &self,
        layout: &ObjectLayout,
        index: &IndexLayout,
        range: &KeyRange,
    ) -> Result<Vec<KeyEntry>> {
        let mut found = Vec::new();
        let changed = self.overlay.objects.get(&layout.id).map(|o| &o.records);
        let hidden = |id: u64| changed.is_some_and(|changed| changed.contains_key(&id));
        guard(|| {
            index::stored(index, range, &self.base, |key, id| {
                if !hidden(id) {
                    found.push((key.to_vec(), id));
                }
            })
        })?;
        let stored = found.len();
        let low = Bound::Included((range.0.clone(), 0));
        let high = match &range.1 {
            Some(high) => Bound::Excluded((high.clone(), 0)),
            None => Bound::Unbounded,
        };
        let holds_any = range.1.as_ref().is_none_or(|high| *high > range.0);
        if let (true, Some(keys)) = (holds_any, self.overlay.keys(index.id)?) {
            found.extend(keys.range((low.clone(), high.clone())).cloned());
        }
        let mut mixed = found.len() > stored;
        if let Some(past) = &self.past {
            let now = self.now();
            let (lives, past) = (
                past.lives(&now, layout.id)?,
                past.keys(&now, layout, index)?,
            );
            found.retain(|(_, id)| !lives.is_unborn(*id) && !past.hides(*id));
            if holds_any {
                found.extend(past.keys.range((low, high)).cloned());
            }
            mixed = true;
        }
        let with_missing = index.kind == IndexKind::Reference
            && range.0.as_slice() <= &[0xFF][..]
            && range.1.as_deref().is_none_or(|high| high > &[0xFF][..]);
        if with_missing {
            self.without_reference(layout.id, index.fields[0], &mut found)?;
            mixed = true;
        }
        if mixed {
            found.sort();
        }
        Ok(found)
    }

    /// The records whose reference is missing: they have no entry, so the column tells.
    fn without_reference(
        &self,
        object: ObjectId,
        field: FieldId,
        found: &mut Vec<KeyEntry>,
    ) -> Result<()> {
        for chunk in (0..self.chunk_count(object)).map(ChunkId) {
            let mut missing = self.column(object, field, chunk)?.missing_slots();
            missing.and(&self.live(object, chunk)?);
            let start = chunk_ids(chunk.0).start;
            found.extend(missing.ones().map(|slot| (vec![0xFF], start + slot as u64)));
        }
        Ok(())
    }

    /// Keeps the entries whose uncut key passes `test`.
    fn keep_exact(
        &self,
        layout: &ObjectLayout,
        index: &IndexLayout,
        found: &mut Vec<KeyEntry>,
        test: impl Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(found.len());
        for (key, id) in found.drain(..) {
            if test(&self.exact_key(layout, index, &key, id)?) {
                kept.push((key, id));
            }
        }
        *found = kept;
        Ok(())
    }

    /// The uncut key of an entry; a key shorter than a cut text is uncut already.
    fn exact_key(
        &self,
        layout: &ObjectLayout,
        index: &IndexLayout,
        key: &[u8],
        id: u64,
    ) -> Result<Vec<u8>> {
        if key.len() < key::TEXT_BYTES {
            return Ok(key.to_vec());
        }
        let row = self.row(layout.id, RecordId(id))?.ok_or_else(|| {
            corrupt(format!(
                "index {} names the absent record #{id}",
                index.id.0
            ))
        })?;
        index::exact_key_of(layout, index, &row)
    }

    /// Orders entries whose keys agree only because a text was cut.
    fn order_cut(
        &self,
        layout: &ObjectLayout,
        index: &IndexLayout,
        found: &mut [KeyEntry],
    ) -> Result<()> {
        for run in found.chunk_by_mut(|a, b| a.0 == b.0) {
            if run.len() == 1 || run[0].0.len() < key::TEXT_BYTES {
                continue;
            }
            let mut exact = run
                .iter()
                .map(|(key, id)| Ok((self.exact_key(layout, index, key, *id)?, *id)))
                .collect::<Result<Vec<_>>>()?;
            exact.sort();
            for (entry, (_, id)) in run.iter_mut().zip(exact) {
                entry.1 = id;
            }
        }
        Ok(())
    }
}
