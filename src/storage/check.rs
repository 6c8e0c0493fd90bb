//! The check: rows are compared with columns, summaries, indexes and the journal.

use super::cache::ChunkCache;
use super::fault::{OrFault, guard};
use super::index;
use super::journal::{self, RECORDS, RecordBlock, field_id};
use super::overlay::chunk_ids;
use super::schema::LIVE;
use super::store::read_folded;
use super::summary::{ChunkRange, ColumnSummary};
use super::{CheckReport, IndexLayout, ObjectLayout, Row, Snapshot, Store, log, tables, text};
use crate::column::{Bitset, CHUNK_RECORDS, Vector};
use crate::error::Result;
use crate::value::{ChunkId, FieldId, IndexId, ObjectId, RecordId, Shape, Value};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Faults beyond this many are counted, but not described.
const DESCRIBED: usize = 100;

impl Store {
    /// Compares rows, columns, indexes, summaries and journal with each other.
    pub(crate) fn check(&self) -> Result<CheckReport> {
        let (latest, read) = {
            // What nobody writes here others may.
            let _writer = match self.is_reading() {
                true => self.writer_at_load(),
                false => self.writer()?,
            };
            (self.snapshot()?, self.begin_read()?)
        };
        let (folded, _) = guard(|| read_folded(read, ChunkCache::new(0)))?;
        let mut check = Check {
            snapshot: &folded,
            report: CheckReport::default(),
        };
        for layout in folded.overlay.schema.layouts.values() {
            let checked = guard(|| check.object(layout));
            check.note(checked);
        }
        let now = guard(|| log::replay(folded.clone())).unwrap_or_else(|error| {
            check.note(Err(error));
            folded.clone()
        });
        let checked = guard(|| check.columns());
        check.note(checked);
        let checked = guard(|| check.journal(&now));
        check.note(checked);
        let checked = guard(|| check.current(&now));
        check.note(checked);
        // Another process may have gone on meanwhile where this one only reads.
        if !self.is_reading() {
            check.pending(&now, &latest);
        }
        Ok(check.report)
    }
}

/// The check of the folded state, which is the truth of the file but for the log.
struct Check<'a> {
    snapshot: &'a Snapshot,
    report: CheckReport,
}

/// The rows that the stored structures of a chunk must hold, by slot.
type StoredRows = BTreeMap<usize, Arc<Row>>;

impl Check<'_> {
    fn fault(&mut self, text: String) {
        if self.report.faults.len() < DESCRIBED {
            self.report.faults.push(text);
        }
    }

    /// What cannot be read is a fault, not the end of the check.
    fn note(&mut self, checked: Result<()>) {
        if let Err(error) = checked {
            self.fault(error.message().to_owned());
        }
    }

    fn object(&mut self, layout: &Arc<ObjectLayout>) -> Result<()> {
        let snapshot = self.snapshot;
        let object = layout.id;
        let name = object.0;
        let mut live = 0;
        let mut keys: BTreeMap<IndexId, BTreeSet<index::Entry>> = BTreeMap::new();
        let mut words = text::Changes::default();
        let mut summaries = BTreeMap::new();
        for at in 0..layout.fields.len() {
            let summary = snapshot.base.summary(object, field_id(at))?;
            if summary.chunks.len() > snapshot.chunk_count(object) as usize {
                self.fault(format!(
                    "the summary of field {at} of object {name} is too long"
                ));
            }
            summaries.insert(field_id(at), summary);
        }
        for chunk in (0..snapshot.chunk_count(object)).map(ChunkId) {
            let stored = self.stored_rows(layout, chunk, &mut live)?;
            for (slot, row) in &stored {
                let id = chunk_ids(chunk.0).start + *slot as u64;
                words.row(layout, id, None, Some(row));
                for index in &layout.indexes {
                    if let Some(key) = index::key_of(layout, index, row)? {
                        keys.entry(index.id).or_default().insert((key, id));
                    }
                }
            }
            let bits = snapshot.stored_live(object, chunk)?;
            if bits != Bitset::from_fn(bits.len(), |slot| stored.contains_key(&slot)) {
                self.fault(format!(
                    "chunk {} of object {name} marks other records live than have rows",
                    chunk.0
                ));
            }
            for (&field, summary) in &summaries {
                let checked = self.column(layout, field, chunk, &stored, summary);
                self.note(checked);
            }
        }
        if live != snapshot.record_count(object) {
            self.fault(format!(
                "object {name} has {live} rows, but counts {}",
                snapshot.record_count(object)
            ));
        }
        for index in &layout.indexes {
            let expected = keys.remove(&index.id).unwrap_or_default();
            self.index(index, &expected)?;
        }
        let checked = text::check(snapshot, object, words, |fault| self.fault(fault));
        self.note(checked);
        Ok(())
    }

    /// Reads a chunk's rows.
    fn stored_rows(
        &mut self,
        layout: &ObjectLayout,
        chunk: ChunkId,
        live: &mut u64,
    ) -> Result<StoredRows> {
        let snapshot = self.snapshot;
        let ids = chunk_ids(chunk.0);
        let last = snapshot.chunk_count(layout.id).saturating_sub(1) == chunk.0;
        let bound = snapshot.record_bound(layout.id);
        let mut stored = StoredRows::new();
        if let Some(rows) = snapshot.base.rows(layout.id)? {
            let end = if last { u64::MAX } else { ids.end };
            for entry in rows.range(ids.start..end).or_fault()? {
                let (id, bytes) = entry.or_fault()?;
                let id = id.value();
                *live += 1;
                if id >= bound {
                    self.fault(format!("row #{id} of object {} has no number", layout.id.0));
                    continue;
                }
                let row = match Row::decode(bytes.value(), &layout.fields) {
                    Ok(row) => row,
                    Err(error) => {
                        self.fault(format!(
                            "row #{id} of object {}: {}",
                            layout.id.0,
                            error.message()
                        ));
                        continue;
                    }
                };
                if row.created == 0
                    || row.created > row.changed
                    || row.changed > snapshot.sequence()
                {
                    self.fault(format!(
                        "row #{id} of object {} has an impossible history",
                        layout.id.0
                    ));
                }
                stored.insert(slot(id), Arc::new(row));
            }
        }
        Ok(stored)
    }

    fn column(
        &mut self,
        layout: &ObjectLayout,
        field: FieldId,
        chunk: ChunkId,
        stored: &StoredRows,
        summary: &ColumnSummary,
    ) -> Result<()> {
        let ty = &layout.fields[usize::from(field.0)];
        if ty.dropped || ty.ty.shape() == Shape::RowOnly {
            return Ok(());
        }
        let place = format!(
            "chunk {} of field {} of object {}",
            chunk.0, field.0, layout.id.0
        );
        let vector = self.snapshot.stored_column(layout.id, field, chunk)?;
        self.report.chunks += 1;
        let mut unseen = false;
        for slot in 0..vector.len() {
            let expected = stored
                .get(&slot)
                .map_or(&Value::Missing, |row| row.get(field));
            if vector.value(&ty.ty, slot) != *expected {
                self.fault(format!("{place} holds another value than row slot {slot}"));
                break;
            }
            unseen |= !expected.is_missing() && !summary.has_seen(expected);
        }
        let known = summary.chunks.get(chunk.0 as usize).copied();
        if ChunkRange::of(&vector) != known.unwrap_or_default() || unseen {
            self.fault(format!("{place} is not as its summary says"));
        }
        if let Vector::Tags(tags) = &vector
            && tags
                .sets
                .keys()
                .any(|label| !summary.labels.contains(label))
        {
            self.fault(format!("{place} holds a label its summary lacks"));
        }
        Ok(())
    }

    fn index(&mut self, index: &IndexLayout, expected: &BTreeSet<index::Entry>) -> Result<()> {
        let mut found = BTreeSet::new();
        let base = &self.snapshot.base;
        let all = (Vec::new(), None);
        index::stored(index, &all, base, |key, id| {
            found.insert((key.to_vec(), id));
        })?;
        self.report.index_entries += found.len() as u64;
        let name = index.id.0;
        for (_, id) in expected.difference(&found) {
            self.fault(format!("index {name} lacks an entry for record #{id}"));
        }
        for (_, id) in found.difference(expected) {
            self.fault(format!("index {name} has a wrong entry for record #{id}"));
        }
        Ok(())
    }

    /// Counts the records there are with the log's changes.
    fn current(&mut self, now: &Snapshot) -> Result<()> {
        for layout in now.overlay.schema.layouts.values() {
            self.report.records += now.record_count(layout.id);
            for index in layout.indexes.iter().filter(|index| index.unique) {
                self.unique(now, layout, index)?;
            }
        }
        Ok(())
    }

    /// No two records may share a unique key.
    fn unique(&mut self, now: &Snapshot, layout: &ObjectLayout, index: &IndexLayout) -> Result<()> {
        let mut keys: BTreeMap<Vec<u8>, RecordId> = BTreeMap::new();
        let mut twins = Vec::new();
        now.every_row(layout.id, |id, row| {
            if index
                .fields
                .iter()
                .all(|&field| !row.get(field).is_missing())
                && let Some(other) = keys.insert(index::exact_key_of(layout, index, row)?, id)
            {
                twins.push((other, id));
            }
            Ok(())
        })?;
        for (a, b) in twins {
            self.fault(format!(
                "records {a} and {b} share a key of index {}",
                index.id.0
            ));
        }
        Ok(())
    }

    /// Every stored chunk, index entry and word belongs to something.
    fn columns(&mut self) -> Result<()> {
        let snapshot = self.snapshot;
        let known = |object: u32, field: u16| {
            let layout = snapshot.layout(ObjectId(object));
            let field_layout = layout.fields.get(usize::from(field));
            field == LIVE.0 && !layout.fields.is_empty() || field_layout.is_some_and(|f| !f.dropped)
        };
        for entry in snapshot.base.columns()?.iter().or_fault()? {
            let (object, field, _, chunk) = entry.or_fault()?.0.value();
            if !known(object, field) || chunk >= snapshot.chunk_count(ObjectId(object)) {
                self.fault(format!(
                    "chunk {chunk} of field {field} of object {object} is stray"
                ));
            }
        }
        let mut strays: BTreeMap<u32, u64> = BTreeMap::new();
        let mut entry_of = |index: u32| {
            if !snapshot.overlay.schema.has_index(IndexId(index)) {
                *strays.entry(index).or_default() += 1;
            }
        };
        for entry in snapshot.base.references()?.iter().or_fault()? {
            entry_of(entry.or_fault()?.0.value().0);
        }
        for entry in snapshot.base.keys()?.iter().or_fault()? {
            let entry = entry.or_fault()?.0;
            match (index::split(entry.value()), entry.value().first_chunk()) {
                (Ok(_), Some(index)) => entry_of(u32::from_be_bytes(*index)),
                (split, _) => self.note(split.map(drop)),
            }
        }
        for (index, entries) in strays {
            let entries = match entries {
                1 => "an entry".to_owned(),
                n => format!("{n} entries"),
            };
            self.fault(format!("no object has index {index}, which has {entries}"));
        }
        for object in text::objects(snapshot)? {
            if snapshot.layout(object).fields.is_empty() {
                self.fault(format!(
                    "the text index has words of object {}, which does not exist",
                    object.0
                ));
            }
        }
        Ok(())
    }

    /// Headers, blocks and the index by record agree.
    fn journal(&mut self, now: &Snapshot) -> Result<()> {
        let read: &ReadTransaction = &self.snapshot.base.read;
        let headers = read.open_table(tables::TRANSACTIONS).or_fault()?;
        let blocks = read.open_table(tables::JOURNAL).or_fault()?;
        let by_record = read.open_table(tables::JOURNAL_RECORDS).or_fault()?;
        let catalogs = read.open_table(tables::CATALOGS).or_fault()?;
        let mut touched = 0;
        let mut records = BTreeSet::new();
        // Deleted, and not back so far.
        let mut gone: BTreeSet<(u32, u64)> = BTreeSet::new();
        // By object, transaction and first number how many came.
        let mut came: BTreeMap<(u32, u64, u64), u64> = BTreeMap::new();
        let mut schemas: Vec<u64> = now
            .pending
            .commits
            .iter()
            .filter(|commit| commit.kind.has_catalog())
            .map(|commit| commit.sequence)
            .collect();
        let mut last = None;
        let kept = self.snapshot.base.kept;
        let mut next = kept.max(1);
        let mut stray = false;
        for entry in headers.iter().or_fault()? {
            let (sequence, bytes) = entry.or_fault()?;
            let sequence = sequence.value();
            if sequence > self.snapshot.sequence() {
                stray = true;
                break;
            }
            if sequence != next {
                self.fault(format!("the journal lacks transaction {next}"));
            }
            next = sequence + 1;
            let header = match journal::header(bytes.value()) {
                Ok(header) => header,
                Err(error) => {
                    self.fault(error.message().to_owned());
                    continue;
                }
            };
            if last > Some(header.at) {
                self.fault(format!(
                    "transaction {sequence} lies before the one before it"
                ));
            }
            last = Some(header.at);
            if header.kind.has_catalog() {
                schemas.push(sequence);
            }
            for (object, field) in header.touched {
                touched += 1;
                let Some(bytes) = blocks.get((object.0, field.0, sequence)).or_fault()? else {
                    self.fault(format!(
                        "the journal lacks a block of transaction {sequence}"
                    ));
                    continue;
                };
                let layout = self.snapshot.layout(object);
                if layout.fields.is_empty() {
                    continue;
                }
                let ids: Result<Vec<u64>> = if field == RECORDS {
                    RecordBlock::decode(bytes.value(), layout).map(|block| {
                        let mut ids = Vec::new();
                        for &(first, len) in &block.inserted {
                            let range = (object.0, first)..(object.0, first + len);
                            ids.extend(gone.range(range).map(|(_, id)| *id));
                            came.insert((object.0, sequence, first), len);
                        }
                        for id in &ids {
                            gone.remove(&(object.0, *id));
                        }
                        gone.extend(block.deleted.iter().map(|(id, _)| (object.0, *id)));
                        ids.extend(block.deleted.iter().map(|(id, _)| *id));
                        ids.extend(block.targets());
                        ids
                    })
                } else {
                    journal::decode_block(bytes.value(), layout, field).map(|old| old.ids)
                };
                match ids {
                    Ok(ids) => records.extend(ids.into_iter().map(|id| (object.0, id, sequence))),
                    Err(error) => self.fault(format!(
                        "field {} of object {} in transaction {sequence}: {}",
                        field.0,
                        object.0,
                        error.message()
                    )),
                }
            }
        }
        if next != self.snapshot.sequence() + 1 {
            self.fault(format!("the journal lacks transaction {next}"));
        }
        for sequence in &schemas {
            if catalogs.get(sequence).or_fault()?.is_none() {
                self.fault(format!("transaction {sequence} lacks its catalog"));
            }
        }
        // Of forgotten transactions one catalog is kept, which the journal begins with.
        let first = catalogs.range(..=kept).or_fault()?.count();
        if first > 1 {
            self.fault("the journal has catalogs of transactions that it forgot".to_owned());
        }
        self.report.journal_entries = blocks.len().or_fault()?;
        let mut indexed = BTreeSet::new();
        for entry in by_record.iter().or_fault()? {
            let entry = entry.or_fault()?.0.value();
            if !self.snapshot.layout(ObjectId(entry.0)).fields.is_empty() {
                indexed.insert(entry);
            }
        }
        if stray
            || touched != blocks.len().or_fault()?
            || (schemas.len() + first) as u64 != catalogs.len().or_fault()?
        {
            self.fault("the journal has entries that belong to no transaction".to_owned());
        }
        if kept > 0 {
            // Some came back whose going is forgotten.
            let back = indexed.iter().filter(|(object, id, sequence)| {
                let ranges = came.range((*object, *sequence, 0)..=(*object, *sequence, *id));
                let mut last = ranges.rev();
                last.next()
                    .is_some_and(|((.., first), len)| id - first < *len)
            });
            records.extend(back.copied());
        }
        if let Some((object, id, sequence)) = indexed.symmetric_difference(&records).next() {
            self.fault(format!(
                "the journal's index by record is wrong for record #{id} of object {object} in \
                 transaction {sequence}"
            ));
        }
        Ok(())
    }

    /// The log gives the state that is in memory.
    fn pending(&mut self, now: &Snapshot, latest: &Snapshot) {
        if now.sequence() != latest.sequence() {
            self.fault(format!(
                "the log ends with transaction {}, but the last was {}",
                now.sequence(),
                latest.sequence()
            ));
        }
        for (&object, records) in &now.overlay.objects {
            for (&id, entry) in &records.records {
                let known = latest.overlay.entry(object, RecordId(id));
                let same = known.is_some_and(|known| {
                    known.stored == entry.stored && known.current == entry.current
                });
                if !same {
                    self.fault(format!(
                        "the log gives another pending change of record #{id} of object {}",
                        object.0
                    ));
                }
            }
        }
        for (&object, records) in &latest.overlay.objects {
            for (&id, entry) in &records.records {
                let known = now.overlay.entry(object, RecordId(id));
                if entry.stored != entry.current && known.is_none() {
                    self.fault(format!(
                        "the log lacks the pending change of record #{id} of object {}",
                        object.0
                    ));
                }
            }
            if records.counts.live != now.record_count(object) {
                self.fault(format!(
                    "the log gives another number of records of object {}",
                    object.0
                ));
            }
        }
    }
}

/// The slot of a record in its chunk.
fn slot(id: u64) -> usize {
    usize::try_from(id % CHUNK_RECORDS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::meta::{self, Counts};
    use crate::storage::model::{self, COUNT, NAME, OBJECT, OTHER, PARENT, at};
    use redb::WriteTransaction;

    type Rows<'txn> = redb::Table<'txn, u64, &'static [u8]>;

    /// A store with folded records, and pending changes to one of them and a new one.
    fn store() -> Store {
        let store = model::store();
        let row = |name: &str, n: i64| -> Row {
            let values = [
                (NAME, Value::text(name)),
                (COUNT, Value::Integer(n)),
                (PARENT, Value::Reference(RecordId(0))),
            ];
            values.into_iter().collect()
        };
        let mut transaction = store.begin().unwrap();
        for n in 0..10 {
            transaction.insert(OBJECT, row("acme", n)).unwrap();
        }
        transaction.delete(OBJECT, RecordId(3)).unwrap();
        transaction.commit(at(1)).unwrap();
        let mut transaction = store.begin().unwrap();
        transaction.delete(OBJECT, RecordId(4)).unwrap();
        transaction
            .put(OBJECT, RecordId(6), row("acme", 66))
            .unwrap();
        transaction.commit(at(2)).unwrap();
        store.fold().unwrap();
        let mut transaction = store.begin().unwrap();
        transaction
            .put(OBJECT, RecordId(1), row("other", 99))
            .unwrap();
        transaction.insert(OBJECT, row("new", 7)).unwrap();
        transaction.commit(at(3)).unwrap();
        store
    }

    /// The faults found after `plant` wrote to the file; the memory stays as it was.
    fn faults(plant: impl FnOnce(&WriteTransaction)) -> Vec<String> {
        let store = store();
        let write = store.begin_write().unwrap();
        plant(&write);
        write.commit().unwrap();
        store.check().unwrap().faults
    }

    fn assert_found(part: &str, plant: impl FnOnce(&WriteTransaction)) {
        let faults = faults(plant);
        assert!(
            faults.iter().any(|fault| fault.contains(part)),
            "{part}: {faults:?}"
        );
    }

    macro_rules! table {
        ($write:expr, $name:ident) => {
            $write.open_table(tables::$name).unwrap()
        };
    }

    #[test]
    fn a_sound_store_has_no_faults() {
        assert_eq!(faults(|_| ()), Vec::<String>::new());
        let report = store().check().unwrap();
        assert_eq!((report.records, report.index_entries), (9, 3 * 8));
    }

    #[test]
    fn faults_in_rows_are_found() {
        let name = tables::RowsTable::new(OBJECT);
        let rows = |write: &WriteTransaction, change: fn(&mut Rows<'_>)| {
            change(&mut write.open_table(name.definition()).unwrap());
        };
        assert_found("other records live", |w| {
            rows(w, |t| drop(t.remove(5).unwrap()))
        });
        assert_found("counts 8", |w| rows(w, |t| drop(t.remove(5).unwrap())));
        assert_found("cannot be read", |w| {
            rows(w, |t| drop(t.insert(5, &[1, 1, 9][..])))
        });
        assert_found("has no number", |w| {
            rows(w, |t| drop(t.insert(50, &[1, 1, 0][..])))
        });
        assert_found("impossible history", |w| {
            rows(w, |t| drop(t.insert(5, &[9, 1, 0][..])))
        });
        assert_found("another value", |w| {
            rows(w, |t| drop(t.insert(5, &[1, 1, 0][..])))
        });
    }

    #[test]
    fn faults_in_columns_are_found() {
        let count = (OBJECT.0, COUNT.0, 0, 0);
        assert_found("another value", |w| {
            drop(table!(w, COLUMNS).remove(count).unwrap())
        });
        assert_found("unknown encoding 99", |w| {
            drop(table!(w, COLUMNS).insert(count, &[99, 10, 0][..]));
        });
        assert_found("longer than its object", |w| {
            drop(table!(w, COLUMNS).insert(count, &[1, 200, 0][..]));
        });
        assert_found("other records live", |w| {
            drop(table!(w, COLUMNS).remove((OBJECT.0, LIVE.0, 0, 0)).unwrap());
        });
        assert_found("stray", |w| {
            drop(table!(w, COLUMNS).insert((OBJECT.0, COUNT.0, 0, 4), &[1, 1, 0][..]));
        });
        assert_found("stray", |w| {
            drop(table!(w, COLUMNS).insert((77, 0, 0, 0), &[][..]))
        });
        let key = (OBJECT.0, COUNT.0);
        assert_found("summary", |w| {
            drop(table!(w, SUMMARIES).remove(key).unwrap())
        });
        assert_found("a summary cannot be read", |w| {
            drop(table!(w, SUMMARIES).insert(key, &[9][..]));
        });
    }

    #[test]
    fn faults_in_indexes_are_found() {
        let parent = (model::PARENT_INDEX.0, 0, 5);
        assert_found("lacks an entry for record #5", |w| {
            drop(table!(w, REFERENCES).remove(parent).unwrap());
        });
        assert_found("wrong entry for record #5", |w| {
            drop(table!(w, REFERENCES).insert((parent.0, 8, 5), ()));
        });
        assert_found("no object has index 99, which has an entry", |w| {
            drop(table!(w, REFERENCES).insert((99, 8, 5), ()));
        });
        assert_found("lacks an entry", |w| {
            drop(table!(w, KEYS).pop_first().unwrap())
        });
        assert_found("too short", |w| {
            drop(table!(w, KEYS).insert(&[0, 0, 0, 1][..], ()))
        });
    }

    #[test]
    fn entries_of_indexes_that_were_dropped_are_found() {
        let store = store();
        store.fold().unwrap();
        let (references, keys) = {
            let read = store.begin_read().unwrap();
            let references = read.open_table(tables::REFERENCES).unwrap();
            let keys = read.open_table(tables::KEYS).unwrap();
            let references = references.iter().unwrap().map(|e| e.unwrap().0.value());
            let keys = keys.iter().unwrap().map(|e| e.unwrap().0.value().to_vec());
            (references.collect::<Vec<_>>(), keys.collect::<Vec<_>>())
        };
        let mut layouts = model::layouts();
        Arc::make_mut(&mut layouts[0]).indexes.clear();
        let mut transaction = store.begin().unwrap();
        transaction
            .set_schema(Arc::from(*b"fewer"), layouts)
            .unwrap();
        transaction.commit(at(4)).unwrap();
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        let write = store.begin_write().unwrap();
        for entry in references {
            table!(write, REFERENCES).insert(entry, ()).unwrap();
        }
        for entry in keys {
            table!(write, KEYS).insert(entry.as_slice(), ()).unwrap();
        }
        write.commit().unwrap();
        let fault = |index: IndexId, entries: usize| {
            let index = index.0;
            format!("no object has index {index}, which has {entries} entries")
        };
        assert_eq!(
            store.check().unwrap().faults,
            [
                fault(model::NAME_INDEX, 9),
                fault(model::PARENT_INDEX, 9),
                fault(model::PAIR_INDEX, 9),
            ]
        );
    }

    #[test]
    fn faults_in_the_text_index_are_found() {
        assert_found("lacks `acme` in chunk 0 of object 1", |w| {
            drop(table!(w, WORDS).remove(&b"\x01acme\0\0"[..]).unwrap());
        });
        assert_found("wrong about `acme`", |w| {
            drop(table!(w, WORDS).insert(&b"\x01acme\0\0"[..], &[1, 0, 1, 8][..]));
        });
        assert_found("wrong about `other` in chunk 3", |w| {
            drop(table!(w, WORDS).insert(&b"\x01other\0\x03"[..], &[1, 0, 1, 8][..]));
        });
        assert_found("key of the text index", |w| {
            drop(table!(w, WORDS).insert(&b"\x01acme"[..], &[1, 0, 1, 8][..]));
        });
        assert_found("object 99, which does not exist", |w| {
            drop(table!(w, WORDS).insert(&b"\x63acme\0\0"[..], &[1, 0, 1, 8][..]));
        });
        assert_found("lacks `acme` in the vocabulary", |w| {
            drop(table!(w, WORDS).remove(&b"\x01\x01\x04acme"[..]).unwrap());
        });
        assert_found("wrong about `new` in the vocabulary", |w| {
            drop(table!(w, WORDS).insert(&b"\x01\x01\x03new"[..], &[][..]));
        });
    }

    #[test]
    fn faults_in_the_journal_are_found() {
        assert_found("lacks transaction 2", |w| {
            drop(table!(w, TRANSACTIONS).remove(2).unwrap())
        });
        assert_found("belong to no transaction", |w| {
            drop(table!(w, TRANSACTIONS).insert(70, &[][..]));
        });
        let block = (OBJECT.0, COUNT.0, 3);
        assert_found("lacks a block", |w| {
            drop(table!(w, JOURNAL).remove(block).unwrap())
        });
        assert_found("cannot be read", |w| {
            drop(table!(w, JOURNAL).insert(block, &[200][..]))
        });
        assert_found("index by record", |w| {
            drop(table!(w, JOURNAL_RECORDS).remove((OBJECT.0, 4, 3)).unwrap());
        });
        assert_found("lacks its catalog", |w| {
            drop(table!(w, CATALOGS).remove(1).unwrap())
        });
    }

    #[test]
    fn faults_in_the_log_are_found() {
        assert_found("lacks the pending change of record #1", |w| {
            drop(table!(w, LOG).remove(4).unwrap());
        });
        assert_found("ends with transaction 3, but the last was 4", |w| {
            drop(table!(w, LOG).remove(4).unwrap());
        });
        assert_found("the log lacks transaction 5", |w| {
            drop(table!(w, LOG).insert(6, &[][..]));
        });
        let spoilt = |change: fn(&mut Vec<u8>)| {
            move |w: &WriteTransaction| {
                let mut table = table!(w, LOG);
                let mut bytes = table.get(4).unwrap().unwrap().value().to_vec();
                change(&mut bytes);
                table.insert(4, bytes.as_slice()).unwrap();
            }
        };
        assert_found(
            "cannot be read",
            spoilt(|bytes| bytes.truncate(bytes.len() - 1)),
        );
        assert_found("cannot be read", spoilt(|bytes| bytes.push(0)));
        // The last byte is the reference to record 0.
        assert_found(
            "another pending change of record #10",
            spoilt(|bytes| *bytes.last_mut().unwrap() = 5),
        );
    }

    #[test]
    fn faults_in_the_meta_table_are_found() {
        let store = store();
        let write = store.begin_write().unwrap();
        meta::write_counts(&write, OBJECT, &Counts { next: 10, live: 9 }).unwrap();
        write.commit().unwrap();
        let faults = store.check().unwrap().faults;
        assert_eq!(faults[0], "object 1 has 8 rows, but counts 9");
    }

    #[test]
    fn twins_are_found() {
        let store = model::store();
        let mut transaction = store.begin().unwrap();
        for _ in 0..2 {
            let row = [(NAME, Value::text("same"))].into_iter().collect();
            transaction.insert(OTHER, row).unwrap();
        }
        transaction.commit(at(1)).unwrap();
        let faults = store.check().unwrap().faults;
        assert_eq!(faults, ["records #0 and #1 share a key of index 4"]);
    }
}
