//! The tables of a book's file and the types of their keys.

use crate::value::ObjectId;
use redb::TableDefinition;

pub(super) type ColumnKey = (u32, u16, u32, u32);
pub(super) type SummaryKey = (u32, u16);
pub(super) type ReferenceKey = (u32, u64, u64);
pub(super) type JournalKey = (u32, u16, u64);
pub(super) type Bytes = &'static [u8];

/// What the file says of itself; see [`super::meta`].
pub(super) const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
/// (object, field, part, chunk) to a part of a column chunk.
pub(super) const COLUMNS: TableDefinition<'_, ColumnKey, Bytes> = TableDefinition::new("columns");
/// (object, field) to a summary.
pub(super) const SUMMARIES: TableDefinition<'_, SummaryKey, Bytes> =
    TableDefinition::new("summaries");
/// (index, target, record).
pub(super) const REFERENCES: TableDefinition<'_, ReferenceKey, ()> =
    TableDefinition::new("references");
/// Index, key, record in one string of bytes.
pub(super) const KEYS: TableDefinition<'_, Bytes, ()> = TableDefinition::new("keys");
/// Transaction to its header.
pub(super) const TRANSACTIONS: TableDefinition<'_, u64, Bytes> =
    TableDefinition::new("transactions");
/// Transaction to the layouts and catalog it set.
pub(super) const CATALOGS: TableDefinition<'_, u64, Bytes> = TableDefinition::new("catalogs");
/// (object, field, transaction) to a block of changes.
pub(super) const JOURNAL: TableDefinition<'_, JournalKey, Bytes> = TableDefinition::new("journal");
/// (object, record, transaction) of changes and deletes.
pub(super) const JOURNAL_RECORDS: TableDefinition<'_, ReferenceKey, ()> =
    TableDefinition::new("journal_records");

/// Record to row, one table an object.
pub(super) struct RowsTable(String);

impl RowsTable {
    pub(super) const PREFIX: &'static str = "rows/";

    pub(super) fn new(object: ObjectId) -> Self {
        Self(format!("{}{}", Self::PREFIX, object.0))
    }

    pub(super) fn definition(&self) -> TableDefinition<'_, u64, Bytes> {
        TableDefinition::new(&self.0)
    }
}
