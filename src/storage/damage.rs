//! The damage test: a book with flipped bytes answers or says that it is damaged, and never panics.

use super::fault::PANICKED;
use super::model::{self, COUNT, NAME, NAME_INDEX, OBJECT, OTHER, PAIR_INDEX, PARENT, at};
use super::{Row, Store, StoreOptions, tables};
use crate::error::{Error, Result};
use crate::storage::journal::field_id;
use crate::value::{ChunkId, RecordId, Sought, Value};
use proptest::prelude::*;
use redb::{Builder, Key, ReadableTable, TableDefinition, WriteTransaction};
use std::ops::Bound;
use std::path::Path;
use std::sync::LazyLock;

/// A book with folded records and with pending ones.
static BOOK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book");
    let store = model::store();
    let row = |n: i64| -> Row {
        let parent = RecordId(u64::try_from(n).unwrap() / 2);
        [
            (NAME, Value::text(format!("name {n}"))),
            (COUNT, Value::Integer(n % 7)),
            (PARENT, Value::Reference(parent)),
        ]
        .into_iter()
        .collect()
    };
    let mut transaction = store.begin().unwrap();
    for n in 0..300 {
        transaction.insert(OBJECT, row(n)).unwrap();
    }
    transaction.commit(at(1)).unwrap();
    let mut transaction = store.begin().unwrap();
    for n in 0..20 {
        transaction.put(OBJECT, RecordId(n), row(7)).unwrap();
        transaction.insert(OBJECT, row(9)).unwrap();
    }
    transaction.delete(OBJECT, RecordId(50)).unwrap();
    transaction.insert(OTHER, Row::default()).unwrap();
    transaction.commit(at(2)).unwrap();
    store.backup(&path).unwrap();
    assert_eq!(store.snapshot().unwrap().pending.commits.len(), 1);
    std::fs::read(&path).unwrap()
});

/// Does with a book whatever can be done, as far as it goes.
fn use_all(path: &Path, faults: &mut Vec<Error>) -> Result<()> {
    let store = Store::open(path, &StoreOptions::default())?;
    let mut note = |error: Option<Error>| faults.extend(error);
    let mut transaction = store.begin()?;
    let snapshot = transaction.snapshot().clone();
    for object in [OBJECT, OTHER] {
        let last = snapshot.chunk_count(object).saturating_sub(1);
        for chunk in [ChunkId(0), ChunkId(last)] {
            note(snapshot.live(object, chunk).err());
            for at in 0..snapshot.layout(object).fields.len() {
                note(snapshot.column(object, field_id(at), chunk).err());
                note(snapshot.summary(object, field_id(at)).err());
            }
        }
        for id in [0, 7, 50, 299, 319] {
            note(snapshot.row(object, RecordId(id)).err());
        }
    }
    note(snapshot.lookup(NAME_INDEX, &[Value::text("name 7")]).err());
    let all = || (Bound::Unbounded, Bound::Unbounded);
    note(snapshot.scan(PAIR_INDEX, all().0, all().1).err());
    for text in ["nam", "mane", "7"] {
        note(
            snapshot
                .find_word(OBJECT, &Sought::all(text)[0], &mut |_| Ok(()))
                .err(),
        );
    }
    note(transaction.put(OBJECT, RecordId(1), Row::default()).err());
    note(transaction.delete(OBJECT, RecordId(2)).err());
    note(transaction.insert(OBJECT, Row::default()).err());
    note(transaction.commit(at(3)).err());
    match store.check() {
        Ok(report) => report.faults.iter().for_each(|fault| {
            note(Some(Error::new(crate::error::Code::Corrupt, fault.clone())));
        }),
        Err(error) => note(Some(error)),
    }
    note(store.fold().err());
    note(store.backup(&path.with_extension("copy")).err());
    Ok(())
}

/// Uses a book of these bytes after `damage` was done to its file.
fn faults(bytes: &[u8], damage: impl FnOnce(&Path)) -> Vec<Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book");
    std::fs::write(&path, bytes).unwrap();
    damage(&path);
    let mut faults = Vec::new();
    if let Err(error) = use_all(&path, &mut faults) {
        faults.push(error);
    }
    faults
}

/// Changes a byte of the value at a place of a table, modulo its length.
fn spoil<K: Key + 'static>(
    write: &WriteTransaction,
    table: TableDefinition<'_, K, tables::Bytes>,
    (entry, byte, mask): (usize, usize, u8),
) {
    let mut table = write.open_table(table).unwrap();
    let len = table.iter().unwrap().count();
    if len == 0 {
        return;
    }
    let (key, mut bytes) = {
        let (key, value) = table.iter().unwrap().nth(entry % len).unwrap().unwrap();
        let key = K::as_bytes(&key.value()).as_ref().to_vec();
        (key, value.value().to_vec())
    };
    if !bytes.is_empty() {
        let place = byte % bytes.len();
        bytes[place] ^= mask;
        let key = K::from_bytes(&key);
        table.insert(key, bytes.as_slice()).unwrap();
    }
}

#[test]
fn the_book_is_sound_before() {
    assert!(faults(&BOOK, |_| ()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn flipped_bits_of_the_file_are_told(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 20),
    ) {
        let mut bytes = BOOK.clone();
        for (place, bit) in &flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        faults(&bytes, |_| ());
    }
}

/// A number that takes more bytes than it needs once sent the check round in circles.
#[test]
fn numbers_of_too_many_bytes_are_told() {
    for key in [&[0x80, 5, 9][..], &[0xFF, 0, 0, 0, 5, 9]] {
        let faults = faults(&BOOK, |path| add_words_key(path, key));
        assert!(!faults.is_empty(), "{key:?}");
    }
}

/// Adds a key of so many bytes to the text index.
fn add_words_key(path: &Path, key: &[u8]) {
    let database = Builder::new().open(path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut words = write.open_table(tables::WORDS).unwrap();
        words.insert(key, [1, 0, 1, 8].as_slice()).unwrap();
    }
    write.commit().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn keys_that_say_the_impossible_are_told(bytes in prop::collection::vec(any::<u8>(), 0..6)) {
        let faults = faults(&BOOK, |path| {
            add_words_key(path, &bytes);
            add_words_key(path, &[&[1, 1], bytes.as_slice()].concat());
        });
        prop_assert!(!faults.is_empty());
        let panicked = faults.iter().find(|fault| fault.message() == PANICKED);
        prop_assert!(panicked.is_none(), "{:?}", panicked);
    }

    #[test]
    fn values_that_say_the_impossible_are_told(
        table in 0..8,
        spoils in prop::collection::vec((any::<usize>(), any::<usize>(), 1_u8..), 1..3),
    ) {
        let faults = faults(&BOOK, |path| {
            let database = Builder::new().open(path).unwrap();
            let write = database.begin_write().unwrap();
            for place in spoils {
                let rows = tables::RowsTable::new(OBJECT);
                match table {
                    0 => spoil(&write, tables::META, place),
                    1 => spoil(&write, tables::COLUMNS, place),
                    2 => spoil(&write, tables::JOURNAL, place),
                    3 => spoil(&write, tables::TRANSACTIONS, place),
                    4 => spoil(&write, tables::SUMMARIES, place),
                    5 => spoil(&write, tables::WORDS, place),
                    6 => spoil(&write, tables::LOG, place),
                    _ => spoil(&write, rows.definition(), place),
                }
            }
            write.commit().unwrap();
        });
        let panicked = faults.iter().find(|fault| fault.message() == PANICKED);
        prop_assert!(panicked.is_none(), "{:?}", panicked);
    }
}
