//! A state of the file, open for reading: tables and how far it has come.

use super::cache::ChunkCache;
use super::chunk::Parts;
use super::fault::OrFault;
use super::meta::{self, Progress};
use super::summary::ColumnSummary;
use super::tables::{self, Bytes, ColumnKey, ReferenceKey, RowsTable, SummaryKey};
use super::written::{Reading, Rows, Turn, Written};
use super::{ObjectLayout, Row};
use crate::error::Result;
use crate::value::{FieldId, ObjectId, RecordId};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// One redb transaction and its tables, shared by the snapshots of all states up to the next fold.
pub(super) struct Published {
    /// Of the last committed state that is folded.
    pub(super) progress: Progress,
    /// The transaction with which the journal begins; 0 if all are kept.
    pub(super) kept: u64,
    /// Of the last committed state: it has the journal.
    pub(super) read: ReadTransaction,
    source: Source,
    pub(super) chunks: ChunkCache,
    decoded: Mutex<BTreeMap<(ObjectId, FieldId), Arc<ColumnSummary>>>,
}

enum Source {
    Committed(Box<Committed>),
    /// What is written and not yet committed, and the objects that have rows there.
    Written(Arc<Written>, BTreeSet<ObjectId>),
}

struct Committed {
    columns: ReadOnlyTable<ColumnKey, Bytes>,
    references: ReadOnlyTable<ReferenceKey, ()>,
    keys: ReadOnlyTable<Bytes, ()>,
    words: ReadOnlyTable<Bytes, Bytes>,
    summaries: ReadOnlyTable<SummaryKey, Bytes>,
    rows: BTreeMap<ObjectId, OnceLock<Option<ReadOnlyTable<u64, Bytes>>>>,
}

impl Published {
    pub(super) fn new(
        read: ReadTransaction,
        progress: Progress,
        objects: impl Iterator<Item = ObjectId>,
        chunks: ChunkCache,
    ) -> Result<Self> {
        let committed = Committed {
            columns: read.open_table(tables::COLUMNS).or_fault()?,
            references: read.open_table(tables::REFERENCES).or_fault()?,
            keys: read.open_table(tables::KEYS).or_fault()?,
            words: read.open_table(tables::WORDS).or_fault()?,
            summaries: read.open_table(tables::SUMMARIES).or_fault()?,
            rows: objects.map(|object| (object, OnceLock::new())).collect(),
        };
        Ok(Self {
            progress,
            kept: meta::read_kept(&read.open_table(tables::META).or_fault()?)?,
            source: Source::Committed(Box::new(committed)),
            chunks,
            decoded: Mutex::default(),
            read,
        })
    }

    /// What is written upon `committed`, with a read transaction on that. Once more is written,
    /// this must not be read.
    pub(super) fn written(
        written: Arc<Written>,
        committed: &Self,
        read: ReadTransaction,
        chunks: ChunkCache,
    ) -> Result<Self> {
        let objects = written.objects()?;
        Ok(Self {
            progress: committed.progress,
            kept: committed.kept,
            read,
            source: Source::Written(written, objects),
            chunks,
            decoded: Mutex::default(),
        })
    }

    pub(super) fn columns(&self) -> Result<Reading<'_, ColumnKey, Bytes>> {
        match &self.source {
            Source::Committed(tables) => Ok(Reading::Committed(&tables.columns)),
            Source::Written(written, _) => written.table(Turn::Columns, tables::COLUMNS),
        }
    }

    pub(super) fn references(&self) -> Result<Reading<'_, ReferenceKey, ()>> {
        match &self.source {
            Source::Committed(tables) => Ok(Reading::Committed(&tables.references)),
            Source::Written(written, _) => written.table(Turn::References, tables::REFERENCES),
        }
    }

    pub(super) fn keys(&self) -> Result<Reading<'_, Bytes, ()>> {
        match &self.source {
            Source::Committed(tables) => Ok(Reading::Committed(&tables.keys)),
            Source::Written(written, _) => written.table(Turn::Keys, tables::KEYS),
        }
    }

    pub(super) fn words(&self) -> Result<Reading<'_, Bytes, Bytes>> {
        match &self.source {
            Source::Committed(tables) => Ok(Reading::Committed(&tables.words)),
            Source::Written(written, _) => written.table(Turn::Words, tables::WORDS),
        }
    }

    fn summaries(&self) -> Result<Reading<'_, SummaryKey, Bytes>> {
        match &self.source {
            Source::Committed(tables) => Ok(Reading::Committed(&tables.summaries)),
            Source::Written(written, _) => written.table(Turn::Summaries, tables::SUMMARIES),
        }
    }

    /// The rows of an object; nothing if it never had any.
    pub(super) fn rows(&self, object: ObjectId) -> Result<Option<Rows<'_>>> {
        let name = RowsTable::new(object);
        let committed = match &self.source {
            Source::Committed(committed) => committed,
            Source::Written(written, objects) if objects.contains(&object) => {
                return written.table(Turn::Rows, name.definition()).map(Some);
            }
            Source::Written(..) => return Ok(None),
        };
        let Some(cell) = committed.rows.get(&object) else {
            return Ok(None);
        };
        if cell.get().is_none() {
            let rows = match self.read.open_table(name.definition()) {
                Ok(rows) => Some(rows),
                Err(TableError::TableDoesNotExist(_)) => None,
                Err(error) => return Err(error).or_fault(),
            };
            cell.get_or_init(|| rows);
        }
        Ok(cell.get().and_then(Option::as_ref).map(Reading::Committed))
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
        let summary = match self.summaries()?.get((object.0, field.0)).or_fault()? {
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

impl<T> StoredChunk<'_, T> {
    fn key(&self, part: u32) -> ColumnKey {
        (self.object.0, self.field.0, part, self.chunk)
    }
}

impl Parts for StoredChunk<'_, Table<'_, ColumnKey, Bytes>> {
    fn read<R>(&self, part: u32, read: impl FnOnce(&[u8]) -> Result<R>) -> Result<Option<R>> {
        let bytes = self.columns.get(self.key(part)).or_fault()?;
        bytes.map(|bytes| read(bytes.value())).transpose()
    }
}

impl Parts for StoredChunk<'_, Reading<'_, ColumnKey, Bytes>> {
    fn read<R>(&self, part: u32, read: impl FnOnce(&[u8]) -> Result<R>) -> Result<Option<R>> {
        let bytes = self.columns.get(self.key(part)).or_fault()?;
        bytes.map(|bytes| read(bytes.value())).transpose()
    }
}
