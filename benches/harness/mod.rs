//! What the benches share: the scale, the sample book, and the questions by name.

use fieldbook::Book;
use std::env;

/// Opportunities of the sample book: `FIELDBOOK_BENCH_SCALE`, else 100,000.
pub fn scale() -> u64 {
    env::var("FIELDBOOK_BENCH_SCALE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000)
}

/// The sample book in memory.
pub fn sample() -> Book {
    Book::demo(scale()).expect("the sample book is made")
}

/// Scans: conditions over columns, parents and collections.
pub const SCANS: &[(&str, &str)] = &[
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
pub const GROUPS: &[(&str, &str)] = &[
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
