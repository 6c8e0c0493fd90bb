//! Generated queries about what was, as text.

use super::texts::{combined, some};
use crate::value::{Clock, Date, DateTime, FieldType, Value};
use proptest::prelude::*;

/// Conditions on the changes of a field, or on its spans.
fn changed(field: &str, spans: bool) -> BoxedStrategy<String> {
    let of_value: &'static [&'static str] = match (field, spans) {
        ("stage", false) => &[
            "new = won",
            "old.position < new.position",
            "old is empty and new >= qualify",
            "new.position > 1",
            "old in (won, lost) or new is empty",
            "record.stage.position = new.position",
            "record.account = \"A3\"",
        ],
        ("stage", true) => &[
            "value = won",
            "value >= qualify",
            "value is empty",
            "value.position > 1 and until is empty",
            "record.stage.position != value.position",
        ],
        ("amount", false) => &[
            "new > old",
            "old is empty",
            "new > 300",
            "record.amount = old",
        ],
        ("amount", true) => &["value > 300", "value is empty", "record.amount = value"],
        ("account", false) => &[
            "new under \"A1\"",
            "old.industry = health",
            "new is empty",
            "new in (accounts where employees > 4)",
        ],
        _ => &[
            "value = \"A3\"",
            "value.parent is not empty",
            "value in (accounts where employees > 4)",
        ],
    };
    let of_time: &'static [&'static str] = match spans {
        false => &[
            "at in this month",
            "at < now",
            "at >= now",
            "at < 2026-05-15",
            "transaction > 1",
            "transaction between 2 and 4",
            "record is empty",
        ],
        true => &[
            "since >= now",
            "until < 2027",
            "until is empty",
            "days > 0",
            "transaction < 3",
        ],
    };
    combined(prop_oneof![some(of_value), some(of_time)].boxed())
}

/// Conditions on deals by what they were.
pub(super) fn once() -> BoxedStrategy<String> {
    combined(some(&[
        "exists(changes(stage) where new = won)",
        "count(changes(amount)) > 1",
        "count(changes(amount) where new > old) > 0",
        "not exists(changes(account) where old is not empty)",
        "max(changes(stage).at) >= now",
        "exists(spans(stage) where value >= qualify and until is empty)",
        "sum(spans(count_of).value) > 3",
        "count(spans(account.parent)) > 1",
        "exists(changes(account.employees) where new > outer.count_of)",
        "reached(stage >= proposal)",
        "reached(count_of in (1, 2))",
        "entered(stage = won) < now",
        "time_in(account is empty) >= 0",
    ]))
}

/// Lists of the changes of a field in each record, or of its spans. Values in lists go by names,
/// which the reference does not know; those here are their own.
fn listed() -> BoxedStrategy<String> {
    let fields = prop_oneof![Just("stage"), Just("amount"), Just("account")];
    let list = (fields, any::<bool>()).prop_flat_map(|(field, spans)| {
        let (kind, values, times) = match spans {
            false => ("changes", ["old", "new"].as_slice(), "at, transaction"),
            true => ("spans", ["value"].as_slice(), "since, until, days"),
        };
        let own = match field {
            "stage" => ".position",
            "account" => ".name",
            _ => "",
        };
        let values: Vec<String> = values.iter().map(|v| format!("{v}{own}")).collect();
        let items = prop_oneof![
            Just(values.join(", ")),
            Just(format!("{}, {times}, record.name", values.join(", "))),
            Just(times.to_owned()),
        ];
        let by = values.last().cloned().unwrap_or_default();
        let ends = prop_oneof![
            Just(String::new()),
            Just(" limit 2".to_owned()),
            Just(" order by transaction desc limit 1".to_owned()),
            Just(format!(" order by {by} desc, transaction limit 3")),
        ];
        (changed(field, spans), items, ends).prop_map(move |(filter, items, end)| {
            let filter = match filter.len() % 3 {
                0 => String::new(),
                _ => format!(" where {filter}"),
            };
            format!("{kind}({field}){filter} {{ {items}{end} }}")
        })
    });
    let deals = (once(), list.clone(), list)
        .prop_map(|(filter, a, b)| format!("deals where {filter} select name, {a}, {b}"));
    let fixed = some(&[
        "accounts select name, deals { name, changes(amount) { new, at limit 2 } } as d",
        "deals select name, changes(account.employees) { old, new } as e, \
         spans(account.parent) { value.name, days order by days desc limit 1 } as p",
        "changes of deals.stage select transaction, changes(record.amount) { old, new, at } as a",
        "(deals group by account select account as k) select spans(k.employees) { value, until }",
        "deals select name, changes(amount) where new > outer.amount \
         { new, outer.name as n, outer.account.employees as e }",
        "accounts select name, deals { changes(stage) where new = outer.stage \
         { outer.outer.name } } as d",
        "changes of deals.stage select transaction, record.account.deals { count_of limit 2 } as d",
        "changes of deals.amount select new, count(record.account.deals where amount > 300) as n, \
         record.stage.deals { amount, close order by amount desc, close limit 2 } as d",
        "spans of deals.account select days, value.children { name, deals { amount } as d } as c",
        "spans of accounts.parent where exists(value.deals) select record.name, \
         sum(record.deals.amount) as s",
        "changes of deals.account group by new select count() as n, new.deals { amount } as d, \
         changes(new.employees) { new } as e",
        "deals where about is account select name, changes(about.employees) { old, new } as e, \
         count(spans(about.parent)) as n, spans(about.parent) { value.name } as p",
        "changes of deals.stage where old is empty select spans(record.account) \
         { value.name, count(spans(record.amount)) as n, count(changes(value.employees)) as d }",
    ]);
    prop_oneof![3 => deals, 2 => fixed].boxed()
}

pub(super) fn history() -> BoxedStrategy<String> {
    let columns = some(&[
        "record, old, new, at, transaction",
        "new",
        "record.name, old, at",
    ]);
    let lengths = some(&[
        "record, value, since, until, days, transaction",
        "value, days",
    ]);
    let end = some(&[
        "",
        " order by transaction desc, record",
        " limit 3",
        " order by at limit 4",
    ]);
    let ends = some(&["", " order by transaction desc, record", " limit 3"]);
    let field = || prop_oneof![Just("stage"), Just("amount"), Just("account")];
    let changes = (field(), columns, end).prop_flat_map(|(field, columns, end)| {
        changed(field, false).prop_map(move |filter| {
            format!("changes of deals.{field} where {filter} select {columns}{end}")
        })
    });
    let spans = (field(), lengths, ends).prop_flat_map(|(field, columns, end)| {
        changed(field, true).prop_map(move |filter| {
            format!("spans of deals.{field} where {filter} select {columns}{end}")
        })
    });
    let grouped = some(&[
        "changes of deals.stage group by new select new, count() as n, count(distinct record) as d",
        "changes of deals.amount group by record.account as k with totals select k, sum(new) as a, \
         sum(old) as b",
        "changes of deals.account group by month(at) as k, new select k, new, count() as n",
        "changes of accounts.parent group by new select new, count() as n",
        "spans of deals.stage group by value select value, avg(days) as d, count() as n",
        "spans of deals.account group by value with rollup select value, count() as n",
        "deals let moves = count(changes(stage)), past = sum(spans(count_of).value) \
         group by moves select moves, count() as n, sum(past) as s",
        "changes of deals.note select record, old, new, transaction",
        "changes of accounts.tags select record, old, new, transaction",
        "spans of accounts.name select record, value, since, until",
    ]);
    let deals = (
        once(),
        some(&[
            "name, stage",
            "name, count(changes(stage)) as n, max(changes(amount).new) as most",
            "name, entered(stage = won) as since, time_in(stage = won) as days",
        ]),
    )
        .prop_map(|(filter, columns)| format!("deals where {filter} select {columns}"));
    prop_oneof![4 => changes, 4 => spans, 2 => grouped, 4 => deals, 4 => listed()].boxed()
}

/// Conditions on early times.
pub(super) fn early() -> BoxedStrategy<String> {
    let times = |column: &'static str| {
        let compared = some(&["<", "<=", ">", ">=", "="]);
        let named = (compared, 24..42).prop_map(move |(compared, day)| match day {
            ..31 => format!("{column} {compared} 2026-04-{day}"),
            day => format!("{column} {compared} 2026-05-{:02}", day - 30),
        });
        let others = match column {
            "at" => &["at is empty", "new = won", "old is empty"],
            _ => &["since is empty", "until is empty", "days > 3"],
        };
        combined(prop_oneof![named, some(others)].boxed())
    };
    let changes = times("at").prop_map(|filter| {
        format!("changes of deals.stage where {filter} select record, old, new, at, transaction")
    });
    let spans = prop_oneof![times("since"), times("until")].prop_map(|filter| {
        format!("spans of deals.stage where {filter} select record, value, since, until, days")
    });
    prop_oneof![changes, spans].boxed()
}

/// Whether a condition on a time names one that is not after this one. Texts name days as
/// [`early`] does.
pub(super) fn names_before(text: &str, begin: DateTime, clock: &Clock) -> bool {
    let words: Vec<&str> = text.split([' ', '(', ')']).collect();
    words.windows(3).any(|window| {
        let [column, compared, day] = window else {
            return false;
        };
        let day = match (*column, *day) {
            ("at" | "since" | "until", "this") => "2026-05-01",
            ("at" | "since" | "until", day) => day,
            _ => return false,
        };
        let Ok(Value::Date(day)) = FieldType::Date.parse(day, clock) else {
            return false;
        };
        // What is after a day is from the next one on, what is not after it ends there.
        let from = match *compared {
            ">" | "<=" => Date::from_days(day.days() + 1),
            _ => day,
        };
        clock.start_of(from) <= begin
    })
}
