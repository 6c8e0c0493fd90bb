//! A state of the book to read from: stored structure plus overlay.

use super::{ObjectLayout, Row, Settings};
use crate::column::{Bitset, Vector};
use crate::error::Result;
use crate::value::{ChunkId, DateTime, FieldId, IndexId, ObjectId, RecordId, Value};
use std::ops::Bound;
use std::sync::Arc;

/// A frozen state. Cheap to clone; may be sent to other threads.
#[derive(Clone)]
pub(crate) struct Snapshot {}

/// What planning and skipping read of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// Records with a value.
    pub present: u64,
    /// Distinct values, exact up to 256 and an estimate beyond.
    pub distinct: u64,
    pub chunks: Vec<ChunkSummary>,
}

/// What is known of one chunk of an integer-shaped column (or of a pair's first part).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ChunkSummary {
    /// Smallest and largest value, where there is one.
    pub range: Option<(i64, i64)>,
    pub missing: u32,
    /// False where overlay records lie in the chunk: then nothing may be concluded.
    pub exact: bool,
}

/// One side of a range of index keys.
pub(crate) type KeyBound = Bound<Vec<Value>>;

impl Snapshot {
    /// The number of the last transaction seen.
    pub(crate) fn sequence(&self) -> u64 {
        unimplemented!()
    }

    /// The moment of the last transaction seen.
    pub(crate) fn last_commit(&self) -> Option<DateTime> {
        unimplemented!()
    }

    pub(crate) fn settings(&self) -> &Settings {
        unimplemented!()
    }

    /// The catalog's bytes as last set; empty in a new store. Equal pointers mean equal catalogs.
    pub(crate) fn catalog(&self) -> &Arc<[u8]> {
        unimplemented!()
    }

    pub(crate) fn layout(&self, object: ObjectId) -> &Arc<ObjectLayout> {
        let _ = object;
        unimplemented!()
    }

    /// One more than the largest id ever given.
    pub(crate) fn record_bound(&self, object: ObjectId) -> u64 {
        let _ = object;
        unimplemented!()
    }

    /// Live records.
    pub(crate) fn record_count(&self, object: ObjectId) -> u64 {
        let _ = object;
        unimplemented!()
    }

    pub(crate) fn chunk_count(&self, object: ObjectId) -> u32 {
        let _ = object;
        unimplemented!()
    }

    pub(crate) fn row(&self, object: ObjectId, id: RecordId) -> Result<Option<Arc<Row>>> {
        let _ = (object, id);
        unimplemented!()
    }

    /// The records of a chunk that exist. Its length is the chunk's: 3,968, less in the last.
    pub(crate) fn live(&self, object: ObjectId, chunk: ChunkId) -> Result<Bitset> {
        let _ = (object, chunk);
        unimplemented!()
    }

    /// The values of a field in a chunk; slots without a record are missing. A field whose shape
    /// is [`crate::value::Shape::RowOnly`] is read from the rows.
    pub(crate) fn column(
        &self,
        object: ObjectId,
        field: FieldId,
        chunk: ChunkId,
    ) -> Result<Vector> {
        let _ = (object, field, chunk);
        unimplemented!()
    }

    pub(crate) fn summary(&self, object: ObjectId, field: FieldId) -> Result<Summary> {
        let _ = (object, field);
        unimplemented!()
    }

    /// The records whose key equals `key`, in id order.
    pub(crate) fn lookup(&self, index: IndexId, key: &[Value]) -> Result<Vec<RecordId>> {
        let _ = (index, key);
        unimplemented!()
    }

    /// The records whose keys lie in the range, in key order, then id order. A bound may give
    /// only the first fields of the key. Missing comes last.
    pub(crate) fn scan(
        &self,
        index: IndexId,
        low: KeyBound,
        high: KeyBound,
    ) -> Result<Vec<RecordId>> {
        let _ = (index, low, high);
        unimplemented!()
    }
}
