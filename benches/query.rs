//! Questions over the sample book: scans, groups, point reads, and reading a statement's text.

mod harness;

use criterion::Criterion;
use fieldbook::{Book, Parameters};
use std::hint::black_box;

/// The sample book in memory.
fn sample() -> Book {
    Book::demo(harness::scale()).expect("the sample book is made")
}

/// Scans: conditions over columns, parents and collections.
const SCANS: &[(&str, &str)] = &[
    (
        "count_territory_stage",
        "opportunities where territory=SW and stage>=proposal select count()",
    ),
    (
        "list_top_20",
        "opportunities where territory=SW and stage>=proposal \
        order by amount desc limit 20",
    ),
    (
        "parent_condition",
        "opportunities where account.industry = finance select count()",
    ),
    (
        "subtree",
        "opportunities where territory under West and open select sum(amount)",
    ),
    (
        "anti_join",
        "accounts where not exists(activities where done_at in last 6 months) \
        select count()",
    ),
    ("substring", "accounts where name ~ \"acme\" select count()"),
];

/// Groups: sums by small domains, by periods, by parents.
const GROUPS: &[(&str, &str)] = &[
    (
        "sum_by_stage",
        "opportunities group by stage select stage, count(), sum(amount)",
    ),
    (
        "won_by_month_and_owner",
        "opportunities where won group by month(close_date), owner \
        select owner, sum(amount)",
    ),
    (
        "by_parent_field",
        "opportunities group by account.owner.manager \
        select account.owner.manager, sum(amount)",
    ),
    (
        "pipeline_by_account",
        "accounts let pipeline = sum(opportunities.amount where open) \
        where pipeline > 100k select count()",
    ),
];

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let book = sample();
    for (group, questions) in [("scan", SCANS), ("group", GROUPS)] {
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
        .prepare("reps where handle = $key select name")
        .expect("is read");
    group.bench_function("by_key", |b| {
        b.iter(|| {
            let parameters = Parameters::new().with("key", "dee");
            black_box(by_key.query(parameters).expect("an answer"))
        });
    });
    let by_text = book
        .prepare("contacts where email = $email")
        .expect("is read");
    group.bench_function("by_text_without_index", |b| {
        b.iter(|| {
            let parameters = Parameters::new().with("email", "paz@acme.example");
            black_box(by_text.query(parameters).expect("an answer"))
        });
    });
    group.finish();
    let mut group = criterion.benchmark_group("statement");
    let text = SCANS[1].1;
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
