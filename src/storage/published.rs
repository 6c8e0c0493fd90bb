//! A committed state of the file, open for reading: tables and how far it has come.

use super::cache::ChunkCache;
use super::chunk::Parts;
use super::fault::OrFault;
use super::meta::{self, Progress};
use super::summary::ColumnSummary;
use super::tables::{self, Bytes, ColumnKey, ReferenceKey, RowsTable, SummaryKey};
use super::{ObjectLayout, Row};
use crate::error::Result;
use crate::value::{FieldId, ObjectId, RecordId};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Rows = ReadOnlyTable<u64, Bytes>;

/// One redb read transaction and its tables, shared by the snapshots of all states up to the next
/// fold.
pub(super) struct Published {
    pub(super) progress: Progress,
    /// The transaction with which the journal begins; 0 if all are kept.
    pub(super) kept: u64,
    pub(super) read: ReadTransaction,
    pub(super) columns: ReadOnlyTable<ColumnKey, Bytes>,
    pub(super) references: ReadOnlyTable<ReferenceKey, ()>,
    pub(super) keys: ReadOnlyTable<Bytes, ()>,
    pub(super) words: ReadOnlyTable<Bytes, Bytes>,
    summaries: ReadOnlyTable<SummaryKey, Bytes>,
    rows: BTreeMap<ObjectId, OnceLock<Option<Rows>>>,
    pub(super) chunks: ChunkCache,
    decoded: Mutex<BTreeMap<(ObjectId, FieldId), Arc<ColumnSummary>>>,
}

impl Published {
    pub(super) fn new(
        read: ReadTransaction,
        progress: Progress,
        objects: impl Iterator<Item = ObjectId>,
        chunks: ChunkCache,
    ) -> Result<Self> {
        Ok(Self {
            progress,
            kept: meta::read_kept(&read.open_table(tables::META).or_fault()?)?,
            columns: read.open_table(tables::COLUMNS).or_fault()?,
            references: read.open_table(tables::REFERENCES).or_fault()?,
            keys: read.open_table(tables::KEYS).or_fault()?,
            words: read.open_table(tables::WORDS).or_fault()?,
            summaries: read.open_table(tables::SUMMARIES).or_fault()?,
            rows: objects.map(|object| (object, OnceLock::new())).collect(),
            chunks,
            decoded: Mutex::default(),
            read,
        })
    }

    /// The rows of an object; nothing if it never had any.
    pub(super) fn rows(&self, object: ObjectId) -> Result<Option<&Rows>> {
        let Some(cell) = self.rows.get(&object) else {
            return Ok(None);
        };
        if let Some(rows) = cell.get() {
            return Ok(rows.as_ref());
        }
        let rows = match self.read.open_table(RowsTable::new(object).definition()) {
            Ok(rows) => Some(rows),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(error).or_fault(),
        };
        Ok(cell.get_or_init(|| rows).as_ref())
    }

    pub(super) fn row(&self, layout: &ObjectLayout, id: RecordId) -> Result<Option<Arc<Row>>> {
        let Some(rows) = self.rows(layout.id)? else {
            return Ok(None);
        };
        let bytes = rows.get(id.0).or_fault()?;
        bytes
            .map(|bytes| Ok(Arc::new(Row::decode(bytes.value(), &layout.fields)?)))
            .transpose()
    }

    pub(super) fn summary(&self, object: ObjectId, field: FieldId) -> Result<Arc<ColumnSummary>> {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(summary) = decoded.get(&(object, field)) {
            return Ok(summary.clone());
        }
        let summary = match self.summaries.get((object.0, field.0)).or_fault()? {
            Some(bytes) => ColumnSummary::decode(bytes.value())?,
            None => ColumnSummary::default(),
        };
        let summary = Arc::new(summary);
        decoded.insert((object, field), summary.clone());
        Ok(summary)
    }
}

/// The parts of one chunk of one column in the table of columns.
pub(super) struct StoredChunk<'a, T> {
    pub(super) columns: &'a T,
    pub(super) object: ObjectId,
    pub(super) field: FieldId,
    pub(super) chunk: u32,
}

impl<T: ReadableTable<ColumnKey, Bytes>> Parts for StoredChunk<'_, T> {
    fn read<R>(&self, part: u32, read: impl FnOnce(&[u8]) -> Result<R>) -> Result<Option<R>> {
        let key = (self.object.0, self.field.0, part, self.chunk);
        let bytes = self.columns.get(key).or_fault()?;
        bytes.map(|bytes| read(bytes.value())).transpose()
    }
}
