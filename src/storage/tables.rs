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
/// The text index; see [`super::text`].
pub(super) const WORDS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("words");
/// Transaction to what a small commit changed; see [`super::log`].
pub(super) const LOG: TableDefinition<'_, u64, Bytes> = TableDefinition::new("log");
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

#[cfg(test)]
mod tests {
    use crate::column::CHUNK_RECORDS;
    use crate::storage::chunk::{PIECE_BYTES, code};
    use crate::storage::text::POSTINGS_CODE;
    use crate::storage::{commit, key, meta, model, schema};
    use redb::TableHandle;
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("../../docs/file-format.md");

    #[test]
    fn the_page_on_the_format_names_every_table() {
        let store = model::store();
        let mut transaction = store.begin().unwrap();
        let row = crate::storage::Row::default();
        transaction.insert(model::OBJECT, row).unwrap();
        transaction.commit(model::at(1)).unwrap();
        store.fold().unwrap();
        let tables: BTreeSet<String> = store
            .begin_read()
            .unwrap()
            .list_tables()
            .unwrap()
            .map(|table| table.name().replace("rows/1", "rows/N"))
            .collect();
        let section = PAGE.split("## ").find(|text| text.starts_with("Tables"));
        let named: BTreeSet<String> = section
            .unwrap()
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
            .collect();
        assert_eq!(tables, named);
    }

    #[test]
    fn the_page_on_the_format_has_the_numbers_of_the_code() {
        let encodings = [
            (code::CONSTANT_INT, "constant integer"),
            (code::INTS_8, "integers of 1 byte"),
            (code::INTS_16, "integers of 2 bytes"),
            (code::INTS_32, "integers of 4 bytes"),
            (code::INTS_64, "integers of 8 bytes"),
            (code::CONSTANT_FLOAT, "constant float"),
            (code::FLOATS, "floats"),
            (code::CONSTANT_BITS, "constant bits"),
            (code::BITS, "bits"),
            (code::CONSTANT_TEXT, "constant text"),
            (code::DICTIONARY, "dictionary"),
            (code::PLAIN_TEXT, "plain text"),
        ];
        let mut lines: Vec<String> = encodings
            .iter()
            .map(|(code, name)| format!("| {code} | {name} |"))
            .collect();
        lines.push(format!("Format version: {}.", meta::FORMAT));
        lines.push(format!("one field of {} records", grouped(CHUNK_RECORDS)));
        lines.push(format!("{} bytes is cut", grouped(PIECE_BYTES)));
        lines.push(format!("\n{} changed records", commit::PENDING_RECORDS));
        lines.push(format!("at most {} bytes", key::TEXT_BYTES));
        lines.push(format!("Field {} of every object", schema::LIVE.0));
        lines.push(format!("A block has encoding {}", POSTINGS_CODE));
        assert_eq!(key::TARGET_LIMIT, 1 << 40);
        for line in lines {
            assert!(PAGE.contains(&line), "docs/file-format.md lacks `{line}`");
        }
    }

    fn grouped(n: usize) -> String {
        format!("{},{:03}", n / 1000, n % 1000)
    }
}
