//! Writes: importing a CSV file, and single durable inserts into a file.

mod harness;

use criterion::{BatchSize, Criterion, Throughput};
use fieldbook::{Book, Parameters};
use std::fmt::Write;
use std::hint::black_box;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let folder = tempfile::tempdir().expect("a directory");
    let lines = harness::scale().min(100_000);
    let mut csv = String::from("company,sector,people\n");
    for line in 0..lines {
        writeln!(csv, "Company {line},retail,{}", line % 5000).expect("text grows");
    }
    let file = folder.path().join("accounts.csv");
    std::fs::write(&file, csv).expect("the file is written");
    let import = format!(
        "import accounts from \"{}\" (name = company, industry = sector, employees = people)",
        file.display()
    );
    let mut group = criterion.benchmark_group("import");
    group.throughput(Throughput::Elements(lines));
    group.bench_function("accounts", |b| {
        b.iter_batched(
            || Book::in_memory().expect("a book"),
            |book| black_box(book.execute(&import).expect("imported")),
            BatchSize::PerIteration,
        );
    });
    group.finish();
    let mut group = criterion.benchmark_group("commit");
    let book = Book::open(folder.path().join("bench.fieldbook")).expect("a book");
    let add = book
        .prepare("add accounts (name = $name, employees = 7)")
        .expect("is read");
    let mut number = 0;
    group.bench_function("one_durable_insert", |b| {
        b.iter(|| {
            number += 1;
            let parameters = Parameters::new().with("name", format!("New {number}"));
            black_box(add.execute(parameters).expect("added"))
        });
    });
    group.finish();
    criterion.final_summary();
}
