//! A run of records, or of rows without records, over which an expression is evaluated.

use crate::column::Vector;
use crate::storage::Row;
use crate::value::{ChunkId, ObjectId, RecordId};
use std::sync::Arc;

/// What an expression's columns refer to.
#[derive(Clone, Debug)]
pub(crate) enum Batch<'a> {
    /// All slots of one chunk of an object, live or not.
    Chunk {
        object: ObjectId,
        chunk: ChunkId,
        len: usize,
    },
    /// Records by id, in any order.
    Records {
        object: ObjectId,
        ids: &'a [RecordId],
    },
    /// Rows not (yet) stored, as a default or a check sees a record being written; `ids` are
    /// their records' ids where they have one.
    Rows {
        object: ObjectId,
        rows: &'a [Arc<Row>],
        ids: Option<&'a [RecordId]>,
    },
    /// Rows of a frame without object.
    Slots(&'a Frame),
}

/// Columns of equal length without an object: groups, a sub-query's rows, an import's cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub columns: Vec<Vector>,
    pub len: usize,
}

impl Batch<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Chunk { len, .. } => *len,
            Self::Records { ids, .. } => ids.len(),
            Self::Rows { rows, .. } => rows.len(),
            Self::Slots(frame) => frame.len,
        }
    }
}
