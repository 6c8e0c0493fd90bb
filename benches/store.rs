//! What the store under the engine costs: opening tables, random reads, growing tables in order,
//! and the pages that values take.

#![expect(clippy::print_stdout, reason = "pages are counted, not timed")]

use criterion::{BatchSize, Criterion};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};
use std::hint::black_box;
use std::ops::Bound;
use std::path::Path;

const NUMBERED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("numbered");
const NAMED: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("named");
const EMPTY: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("empty");
/// As parts of chunks have.
const PARTS: TableDefinition<'_, (u32, u16, u32, u32), &[u8]> = TableDefinition::new("parts");
const KEYS: TableDefinition<'_, (u32, u64, u64), ()> = TableDefinition::new("keys");
const ROWS: u64 = 1_000_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let folder = tempfile::tempdir().expect("a directory");
    let rows = match std::env::args().any(|argument| argument == "--test") {
        true => 1_000,
        false => ROWS,
    };
    let store = filled(&folder.path().join("filled"), rows);
    reads(&mut criterion, &store, rows);
    inserts(&mut criterion, folder.path());
    sizes(folder.path());
    criterion.final_summary();
}

/// A store of rows of 100 bytes under numbers and under keys of bytes.
fn filled(path: &Path, rows: u64) -> Database {
    let store = Database::create(path).expect("a store");
    let writing = store.begin_write().expect("a transaction");
    {
        let mut numbered = writing.open_table(NUMBERED).expect("a table");
        let mut named = writing.open_table(NAMED).expect("a table");
        writing.open_table(EMPTY).expect("a table");
        for id in 0..rows {
            let row = [id as u8; 100];
            numbered.insert(id, &row[..]).expect("a row");
            let key = id.to_be_bytes();
            named.insert(&key[..], &row[..]).expect("a row");
        }
    }
    writing.commit().expect("committed");
    store
}

fn reads(criterion: &mut Criterion, store: &Database, rows: u64) {
    let reading = store.begin_read().expect("a transaction");
    let mut group = criterion.benchmark_group("store");
    let mut open = |name: &str, table: TableDefinition<'_, u64, &'static [u8]>| {
        group.bench_function(name, |b| {
            b.iter(|| black_box(reading.open_table(table).expect("a table")));
        });
    };
    open("a table opened", NUMBERED);
    open("an empty table opened", EMPTY);
    let numbered = reading.open_table(NUMBERED).expect("a table");
    let named = reading.open_table(NAMED).expect("a table");
    let next = |at: &mut u64| {
        *at = (*at + 618_033) % rows;
        *at
    };
    let mut at = 0;
    group.bench_function("a random row by number", |b| {
        b.iter(|| black_box(numbered.get(next(&mut at)).expect("is read")));
    });
    group.bench_function("a random row by bytes", |b| {
        b.iter(|| {
            black_box(
                named
                    .get(&next(&mut at).to_be_bytes()[..])
                    .expect("is read"),
            )
        });
    });
    group.finish();
}

/// Ten thousand sorted keys between those of a table, singly and through its cursor.
fn inserts(criterion: &mut Criterion, folder: &Path) {
    const MORE: u64 = 10_000;
    let fresh = || {
        let path = folder.join("between");
        let _ = std::fs::remove_file(&path);
        let store = Database::create(path).expect("a store");
        let writing = store.begin_write().expect("a transaction");
        {
            let mut keys = writing.open_table(KEYS).expect("a table");
            keys.insert((1, 0, 0), ()).expect("a key");
            keys.insert((3, 0, 0), ()).expect("a key");
        }
        writing.commit().expect("committed");
        store
    };
    let add = |store: &Database, sorted: bool| {
        let writing = store.begin_write().expect("a transaction");
        let pages = {
            let mut keys = writing.open_table(KEYS).expect("a table");
            if sorted {
                let first = Bound::Included((2, 0, 0));
                let mut cursor = keys.lower_bound_mut(first).expect("a cursor");
                for id in 0..MORE {
                    cursor.insert_before((2, id, id), ()).expect("a key");
                }
                cursor.close().expect("closed");
            } else {
                for id in 0..MORE {
                    keys.insert((2, id, id), ()).expect("a key");
                }
            }
            keys.stats().expect("statistics").leaf_pages()
        };
        writing.commit().expect("committed");
        pages
    };
    let mut group = criterion.benchmark_group("store, 10,000 keys between others");
    for (name, sorted) in [("singly", false), ("through a cursor", true)] {
        println!("{name}: {} leaf pages", add(&fresh(), sorted));
        group.bench_function(name, |b| {
            b.iter_batched(
                fresh,
                |store| black_box(add(&store, sorted)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The bytes that one value of each size takes in a leaf of its own.
fn sizes(folder: &Path) {
    for size in [4_072, 4_080, 8_168, 8_176] {
        let store = Database::create(folder.join(size.to_string())).expect("a store");
        let writing = store.begin_write().expect("a transaction");
        {
            let mut parts = writing.open_table(PARTS).expect("a table");
            let value = vec![0; size];
            parts.insert((0, 0, 0, 0), &value[..]).expect("a part");
            let stats = parts.stats().expect("statistics");
            let bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
            println!("a value of {size} bytes takes {bytes}");
        }
        writing.commit().expect("committed");
    }
}
