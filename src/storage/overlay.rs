//! Records that are new, changed or gone since the last fold, laid over the stored structures.

use super::fault::corrupt;
use super::index::{self, Entry as KeyEntry};
use super::meta::Counts;
use super::schema::Schema;
use super::{ObjectLayout, Row, Settings};
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::value::{ChunkId, IndexId, ObjectId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// One state's difference from the stored structures, with its schema and settings.
#[derive(Clone)]
pub(super) struct Overlay {
    pub(super) schema: Arc<Schema>,
    pub(super) settings: Arc<Settings>,
    pub(super) objects: BTreeMap<ObjectId, ObjectOverlay>,
    /// The index keys of current rows: of the records in the overlay, and of every record for
    /// an index that is not stored yet. They are kept from the first time they are asked for.
    keys: BTreeMap<IndexId, Keys>,
    /// Whether a field takes the place of another, whose past it has only once that is committed.
    pub(super) inherits: bool,
}

type Keys = OnceLock<Arc<BTreeSet<KeyEntry>>>;

#[derive(Clone, Default)]
pub(super) struct ObjectOverlay {
    pub(super) records: BTreeMap<u64, Entry>,
    pub(super) counts: Counts,
}

/// A record that differs.
#[derive(Clone, Default)]
pub(super) struct Entry {
    /// The row that chunks and indexes hold.
    pub(super) stored: Option<Arc<Row>>,
    pub(super) current: Option<Arc<Row>>,
}

impl Overlay {
    pub(super) fn new(schema: Arc<Schema>, settings: Arc<Settings>) -> Self {
        Self {
            schema,
            settings,
            objects: BTreeMap::new(),
            keys: BTreeMap::new(),
            inherits: false,
        }
    }

    pub(super) fn counts(&self, object: ObjectId) -> Counts {
        self.objects
            .get(&object)
            .map_or_else(Counts::default, |o| o.counts)
    }

    pub(super) fn entry(&self, object: ObjectId, id: RecordId) -> Option<&Entry> {
        self.objects.get(&object)?.records.get(&id.0)
    }

    /// The records of a chunk that differ, by slot.
    pub(super) fn in_chunk(
        &self,
        object: ObjectId,
        chunk: u32,
    ) -> impl Iterator<Item = (usize, &Entry)> {
        let ids = chunk_ids(chunk);
        let start = ids.start;
        self.objects
            .get(&object)
            .into_iter()
            .flat_map(move |o| o.records.range(ids.clone()))
            .map(move |(id, entry)| (usize::try_from(id - start).unwrap_or(0), entry))
    }

    pub(super) fn keys(&self, index: IndexId) -> Result<Option<&BTreeSet<KeyEntry>>> {
        let Some(keys) = self.keys.get(&index) else {
            return Ok(None);
        };
        if keys.get().is_none() {
            let (layout, index) = self.schema.index(index)?;
            let mut built = BTreeSet::new();
            for (&id, entry) in self.objects.get(&layout.id).iter().flat_map(|o| &o.records) {
                if let Some(row) = &entry.current {
                    built.extend(index::key_of(layout, index, row)?.map(|key| (key, id)));
                }
            }
            keys.get_or_init(|| Arc::new(built));
        }
        Ok(keys.get().map(|keys| &**keys))
    }

    /// Gives a record another row, or none; `before` is the row it had.
    pub(super) fn set(
        &mut self,
        object: ObjectId,
        id: RecordId,
        before: Option<&Arc<Row>>,
        after: Option<Arc<Row>>,
    ) -> Result<()> {
        self.rekey(object, id, before, after.as_ref())?;
        let records = &mut self.objects.entry(object).or_default();
        records.counts.next = records.counts.next.max(id.0 + 1);
        records.counts.live += u64::from(after.is_some());
        records.counts.live = records
            .counts
            .live
            .checked_sub(u64::from(before.is_some()))
            .ok_or_else(|| corrupt("the meta table counts too few records"))?;
        let entry = records.records.entry(id.0).or_insert_with(|| Entry {
            stored: before.cloned(),
            current: None,
        });
        entry.current = after;
        Ok(())
    }

    /// Moves a record's index keys from one row to another.
    fn rekey(
        &mut self,
        object: ObjectId,
        id: RecordId,
        before: Option<&Arc<Row>>,
        after: Option<&Arc<Row>>,
    ) -> Result<()> {
        let layout = self.schema.layout(object).clone();
        for index in &layout.indexes {
            let Some(keys) = self.keys.entry(index.id).or_default().get_mut() else {
                continue;
            };
            let key = |row: Option<&Arc<Row>>| match row {
                Some(row) => index::key_of(&layout, index, row),
                None => Ok(None),
            };
            let (old, new) = (key(before)?, key(after)?);
            let keys = Arc::make_mut(keys);
            if let Some(old) = old {
                keys.remove(&(old, id.0));
            }
            if let Some(new) = new {
                keys.insert((new, id.0));
            }
        }
        Ok(())
    }

    /// Lets go of the keys of an object's records, which are gathered again when asked for.
    pub(super) fn forget_keys(&mut self, layout: &ObjectLayout) {
        for index in &layout.indexes {
            if let Some(keys) = self.keys.get_mut(&index.id) {
                *keys = Keys::new();
            }
        }
    }

    /// Changes the schema: what belongs to dropped objects and indexes goes.
    pub(super) fn set_schema(&mut self, schema: Arc<Schema>) {
        self.objects
            .retain(|object, _| schema.layouts.contains_key(object));
        self.keys.retain(|index, _| schema.has_index(*index));
        self.schema = schema;
    }

    /// Sets all keys of an index that is not stored yet.
    pub(super) fn set_keys(&mut self, index: IndexId, keys: BTreeSet<KeyEntry>) {
        self.keys.insert(index, Keys::from(Arc::new(keys)));
    }

    /// The same state once everything is folded.
    pub(super) fn folded(&self) -> Self {
        let mut folded = Self::new(self.schema.clone(), self.settings.clone());
        for (&object, records) in &self.objects {
            folded.objects.entry(object).or_default().counts = records.counts;
        }
        folded
    }
}

/// The chunk of a record and its slot there; ids beyond all chunks share the last.
pub(crate) fn place(id: RecordId) -> (ChunkId, usize) {
    let chunk = u32::try_from(id.0 / CHUNK_RECORDS as u64).unwrap_or(u32::MAX);
    (ChunkId(chunk), (id.0 % CHUNK_RECORDS as u64) as usize)
}

/// The ids of a chunk's records.
pub(super) fn chunk_ids(chunk: u32) -> Range<u64> {
    let len = CHUNK_RECORDS as u64;
    let start = u64::from(chunk) * len;
    start..start + len
}
