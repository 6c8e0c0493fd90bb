//! Compacting: the tables in a new file, in key order, that takes the place of the old one; and
//! what each part of the file takes.

use super::backup::{beside, io_fault, sync_parent};
use super::fault::{OrFault, guard};
use super::store::read_only;
use super::tables::{self, RowsTable};
use super::{Snapshot, Store, StoreOptions, meta};
use crate::error::{Code, Error, Result};
use redb::{ReadTransaction, ReadableTableMetadata, TableHandle};
use std::path::Path;

/// What the parts of a book's file take, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// Records.
    pub records: u64,
    /// Columns, and their smallest and largest values.
    pub columns: u64,
    /// Indexes of references, unique fields and whatever is declared.
    pub indexes: u64,
    /// The index of words.
    pub text: u64,
    /// The journal, and the log of changes that are not yet in it.
    pub journal: u64,
    /// Definitions and counts.
    pub definitions: u64,
    /// What is free for changes to come, or keeps order in the file.
    pub rest: u64,
}

impl Sizes {
    /// The parts by name.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, u64); 7] {
        [
            ("records", self.records),
            ("columns", self.columns),
            ("indexes", self.indexes),
            ("text", self.text),
            ("journal", self.journal),
            ("definitions", self.definitions),
            ("rest", self.rest),
        ]
    }

    /// The bytes of the whole file.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts().iter().map(|(_, bytes)| bytes).sum()
    }
}

impl Store {
    /// Writes the book into a new file, checks it, and puts it in the place of the old one; gives
    /// the file's length before and after. A crash leaves either file whole under the name.
    pub(crate) fn compact(&self) -> Result<(u64, u64)> {
        if self.is_read_only() {
            return Err(read_only());
        }
        let Some(path) = &self.path else {
            return Err(Error::new(
                Code::Io,
                "the book is in memory and has no file",
            ));
        };
        self.fold()?;
        // Whoever commits waits until the new file is in its place.
        let _writer = self.writer()?;
        let before = length(path)?;
        let partial = beside(path);
        let replaced = self.replace(&partial, path);
        if partial.exists() {
            // The first error is the one that matters.
            let _ = std::fs::remove_file(partial);
        }
        replaced?;
        Ok((before, length(path)?))
    }

    fn replace(&self, partial: &Path, path: &Path) -> Result<()> {
        let latest = self.latest();
        self.copy_to(partial)?;
        let options = StoreOptions {
            create: false,
            ..self.options.clone()
        };
        let copy = Self::open(partial, &options)?;
        if let Some(fault) = copy.check()?.faults.first() {
            return Err(Error::new(
                Code::Corrupt,
                format!("the book is not compacted, as it has faults: {fault}"),
            )
            .hint("run a check of the book, and restore it from a backup"));
        }
        std::fs::rename(partial, path).map_err(|error| io_fault(path, error))?;
        // The new file is open, and so locked, since before it had the name.
        let base = copy.latest().base;
        if let Ok(write) = self.begin_write() {
            // Who reads the old file goes over to the new one; if this fails, at the next opening.
            let _ = guard(|| {
                meta::write_replaced(&write)?;
                write.commit().or_fault()
            });
        }
        self.set_identity(path);
        self.use_engines(copy.take_engines());
        self.publish(Snapshot { base, ..latest });
        sync_parent(path).map_err(|error| io_fault(path, error))
    }

    /// What each part of the file takes.
    pub(crate) fn sizes(&self) -> Result<Sizes> {
        let read = self.begin_read()?;
        let mut sizes = guard(|| measure(&read))?;
        if let Some(path) = &self.path {
            sizes.rest = length(path)?.saturating_sub(sizes.total());
        }
        Ok(sizes)
    }
}

fn length(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path).map_err(|error| io_fault(path, error))?;
    Ok(metadata.len())
}

fn measure(read: &ReadTransaction) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    for table in read.list_tables().or_fault()? {
        let name = table.name().to_owned();
        let stats = read.open_untyped_table(table).or_fault()?.stats();
        let stats = stats.or_fault()?;
        let bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        let is = |table: &dyn TableHandle| table.name() == name;
        let part = if name.starts_with(RowsTable::PREFIX) {
            &mut sizes.records
        } else if is(&tables::COLUMNS) || is(&tables::SUMMARIES) {
            &mut sizes.columns
        } else if is(&tables::REFERENCES) || is(&tables::KEYS) {
            &mut sizes.indexes
        } else if is(&tables::WORDS) {
            &mut sizes.text
        } else if is(&tables::META) || is(&tables::CATALOGS) {
            &mut sizes.definitions
        } else {
            &mut sizes.journal
        };
        *part += bytes;
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use crate::error::Code;
    use crate::storage::model::{self, NAME, NAME_INDEX, OBJECT, at};
    use crate::storage::{Row, Store, StoreOptions, tables};
    use crate::value::{RecordId, Value};

    fn named(name: &str) -> Row {
        Row::from_iter([(NAME, Value::text(name))])
    }

    #[test]
    fn a_compacted_book_is_the_same_in_less() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        model::set_schema(&store);
        let mut transaction = store.begin().unwrap();
        for n in 0..5000 {
            let name = format!("name {n}");
            transaction.insert(OBJECT, named(&name)).unwrap();
        }
        transaction.commit(at(1)).unwrap();
        let mut transaction = store.begin().unwrap();
        for n in 0..4000 {
            transaction.delete(OBJECT, RecordId(n)).unwrap();
        }
        transaction.commit(at(2)).unwrap();
        let mut open = store.begin().unwrap();
        open.put(OBJECT, RecordId(4500), named("pending")).unwrap();
        let old = store.snapshot().unwrap();
        let (before, after) = store.compact().unwrap();
        assert!(after < before / 2, "{before} {after}");
        assert_eq!(store.sizes().unwrap().total(), after);
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1);
        // What was read before is read on, and what was begun is committed to the new file.
        let row = old.row(OBJECT, RecordId(4001)).unwrap();
        assert_eq!(row.as_deref(), Some(&named("name 4001")));
        open.commit(at(3)).unwrap();
        let locked = Store::open(&path, &StoreOptions::default()).map(|_| ());
        assert_eq!(locked.unwrap_err().code(), Code::Locked);
        store.compact().unwrap();
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        drop((old, store));
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(
            (snapshot.sequence(), snapshot.record_count(OBJECT)),
            (4, 1000)
        );
        let found = snapshot.lookup(NAME_INDEX, &[Value::text("pending")]);
        assert_eq!(found.unwrap(), [RecordId(4500)]);
    }

    #[test]
    fn a_book_with_faults_or_without_a_file_is_not_compacted() {
        assert_eq!(model::store().compact().unwrap_err().code(), Code::Io);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        model::set_schema(&store);
        let mut transaction = store.begin().unwrap();
        transaction.insert(OBJECT, named("a")).unwrap();
        transaction.commit(at(1)).unwrap();
        store.fold().unwrap();
        let write = store.begin_write().unwrap();
        let name = tables::RowsTable::new(OBJECT);
        let mut rows = write.open_table(name.definition()).unwrap();
        rows.remove(0).unwrap();
        drop(rows);
        write.commit().unwrap();
        assert_eq!(store.compact().unwrap_err().code(), Code::Corrupt);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(store.snapshot().unwrap().record_count(OBJECT), 1);
    }
}
