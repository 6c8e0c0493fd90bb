//! Questions over the sample book: scans, groups, point reads, and reading a statement's text.

mod harness;

use criterion::Criterion;
use fieldbook::Parameters;
use std::hint::black_box;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let book = harness::sample();
    for (group, questions) in [("scan", harness::SCANS), ("group", harness::GROUPS)] {
        let mut group = criterion.benchmark_group(group);
        for (name, question) in questions {
            let prepared = book.prepare(question).expect("the question is read");
            group.bench_function(*name, |b| {
                b.iter(|| black_box(prepared.query(Parameters::new()).expect("an answer")));
            });
        }
    }
    let mut group = criterion.benchmark_group("point");
    let by_id = book
        .prepare("accounts where id = $id select name, owner")
        .expect("is read");
    let count = harness::scale() / 10;
    let mut id = 0;
    group.bench_function("by_id", |b| {
        b.iter(|| {
            id = (id + 7919) % count.max(1);
            let parameters = Parameters::new().with("id", i64::try_from(id).expect("small"));
            black_box(by_id.query(parameters).expect("an answer"))
        });
    });
    let by_key = book
        .prepare("contacts where email = $email")
        .expect("is read");
    group.bench_function("by_key", |b| {
        b.iter(|| {
            let parameters = Parameters::new().with("email", "paz@acme.example");
            black_box(by_key.query(parameters).expect("an answer"))
        });
    });
    group.finish();
    let mut group = criterion.benchmark_group("statement");
    let text = harness::SCANS[1].1;
    group.bench_function("read_text", |b| {
        b.iter(|| black_box(book.prepare(text).expect("the question is read")));
    });
    group.bench_function("whole_chain_on_no_rows", |b| {
        let text = "opportunities where stage >= proposal and amount > 100k limit 0";
        b.iter(|| black_box(book.query(text).expect("an answer")));
    });
    group.finish();
    criterion.final_summary();
}
