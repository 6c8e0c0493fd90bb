//! Questions over the sample book: scans, groups, point reads, and reading a statement's text.

mod harness;

use criterion::{BatchSize, Criterion};
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
    let text = "opportunities where stage >= proposal and amount > 100k limit 0";
    group.bench_function("whole_chain_on_no_rows", |b| {
        b.iter(|| black_box(book.query(text).expect("an answer")));
    });
    let prepared = book.prepare(text).expect("the question is read");
    group.bench_function("prepared_on_no_rows", |b| {
        b.iter(|| black_box(prepared.query(Parameters::new()).expect("an answer")));
    });
    group.finish();
    past(&mut criterion, &book);
    criterion.final_summary();
}

const BY_STAGE: &str = "group by stage select stage, count(), sum(amount)";
/// Single updates of the book of small commits.
const COMMITS: u32 = 5_000;

/// The past beside the present. What is to be undone for a moment is found out when it is first
/// asked for, and kept until the next fold.
fn past(criterion: &mut Criterion, book: &Book) {
    let mut group = criterion.benchmark_group("past");
    let mut ask = |name: &str, book: &Book, question: &str| {
        let prepared = book.prepare(question).expect("the question is read");
        group.bench_function(name, |b| {
            b.iter(|| black_box(prepared.query(Parameters::new()).expect("an answer")));
        });
        if !name.contains("back") {
            return;
        }
        group.bench_function(format!("{name}_first"), |b| {
            // A change of the schema folds.
            let fold = || {
                let fold = "create view folds as opportunities; drop view folds";
                book.execute(fold).expect("a fold");
            };
            let first = |()| black_box(prepared.query(Parameters::new()).expect("an answer"));
            b.iter_batched(fold, first, BatchSize::PerIteration);
        });
    };
    let undone = "changes of opportunities.stage where at > today - 3 months \
                  and old is not empty select count()";
    let undone: i64 = book
        .query(undone)
        .and_then(|rows| rows.one())
        .expect("a count");
    let by_stage = |moment: &str| format!("opportunities {moment} {BY_STAGE}");
    ask("now", book, &by_stage(""));
    let back = by_stage("as of today - 3 months");
    ask(&format!("3_months_back_undoing_{undone}"), book, &back);
    let changes = "changes of opportunities.stage where at in last week select count()";
    ask("changes_in_last_week", book, changes);

    let book = Book::demo(1_000).expect("the sample book is made");
    let update = book
        .prepare("update opportunities where id = $id set amount = $amount")
        .expect("is read");
    for n in 0..COMMITS {
        let parameters = Parameters::new().with("id", n % 1_000).with("amount", n);
        update.execute(parameters).expect("an update");
    }
    ask("small_commits_now", &book, &by_stage(""));
    let back = by_stage("as of today - 1 day");
    ask("small_commits_back", &book, &back);
    let changes = "changes of opportunities.amount select count(), sum(new)";
    ask("small_commits_changes", &book, changes);
    group.finish();
}
