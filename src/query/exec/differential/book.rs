//! A small catalog and generated books of it: stored, pending and open changes.

use crate::catalog::{Catalog, Field, Index, Label, Object, OnDelete, Role};
use crate::storage::{CommitInfo, IndexKind, Row, Snapshot, Store, StoreOptions, Transaction};
use crate::value::{
    Clock, Currency, Date, DateTime, Duration, FieldId, FieldType, IndexId, LabelCode, Money,
    ObjectId, Period, RecordId, Value,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const STAGES: ObjectId = ObjectId(0);
const ACCOUNTS: ObjectId = ObjectId(1);
const DEALS: ObjectId = ObjectId(2);
const RATES: ObjectId = ObjectId(3);
const HOURS: ObjectId = ObjectId(4);
const HOLIDAYS: ObjectId = ObjectId(5);

fn field(id: u16, name: &str, ty: FieldType) -> Field {
    Field {
        id: FieldId(id),
        name: name.to_owned(),
        ty,
        required: false,
        unique: false,
        label: name == "name",
        default: None,
        hierarchy: name == "parent",
        collection: match name {
            "parent" => Some("children".to_owned()),
            "about" => Some("mentions".to_owned()),
            _ => None,
        },
        on_delete: OnDelete::default(),
        dated_by: (name == "amount").then_some(FieldId(4)),
        labels: Vec::new(),
        gone_labels: Vec::new(),
        open: false,
        dropped: false,
    }
}

fn labels(names: &[&str]) -> Vec<Label> {
    // Ranks and codes differ: codes count down.
    let last = u32::try_from(names.len()).unwrap();
    (1..)
        .zip(names)
        .map(|(at, name)| Label {
            code: LabelCode(last - at),
            name: (*name).to_owned(),
        })
        .collect()
}

fn object(id: ObjectId, name: &str, singular: &str, fields: Vec<(&str, FieldType)>) -> Object {
    Object {
        id,
        name: name.to_owned(),
        singular: singular.to_owned(),
        fields: (0..)
            .zip(fields)
            .map(|(at, (name, ty))| field(at, name, ty))
            .collect(),
        formulas: Vec::new(),
        indexes: Vec::new(),
        ordered_by: None,
        checks: Vec::new(),
        show: Vec::new(),
        role: None,
        dropped: false,
    }
}

pub(super) fn catalog() -> Catalog {
    use FieldType as F;
    let mut stages = object(
        STAGES,
        "stages",
        "stage",
        vec![
            ("name", F::Text),
            ("position", F::Integer),
            ("gate", F::Filter(DEALS)),
        ],
    );
    stages.ordered_by = Some(FieldId(1));
    let mut accounts = object(
        ACCOUNTS,
        "accounts",
        "account",
        vec![
            ("name", F::Text),
            ("parent", F::Reference(ACCOUNTS)),
            ("industry", F::Picklist),
            ("employees", F::Integer),
            ("size", F::Number),
            ("tags", F::Tags),
            ("active", F::Boolean),
            ("founded", F::Date),
            ("site", F::Url),
            ("visit", F::Duration),
            ("plan", F::Period),
            ("rule", F::Filter(ACCOUNTS)),
            ("worth", F::Expression(DEALS)),
        ],
    );
    accounts.fields[2].labels = labels(&["retail", "finance", "health"]);
    accounts.fields[5].labels = labels(&["vip", "risky", "partner"]);
    let mut deals = object(
        DEALS,
        "deals",
        "deal",
        vec![
            ("name", F::Text),
            ("account", F::Reference(ACCOUNTS)),
            ("stage", F::Reference(STAGES)),
            ("amount", F::Money),
            ("close", F::Date),
            ("at", F::DateTime),
            ("about", F::AnyReference(vec![ACCOUNTS, STAGES])),
            ("note", F::LongText),
            ("chance", F::Percent),
            ("count_of", F::Integer),
        ],
    );
    let mut rates = object(
        RATES,
        "rates",
        "rate",
        vec![
            ("currency", F::Text),
            ("valid_on", F::Date),
            ("rate", F::Number),
        ],
    );
    rates.role = Some(Role::Rates);
    let mut hours = object(
        HOURS,
        "hours",
        "hour",
        vec![
            ("weekday", F::Integer),
            ("opens", F::Duration),
            ("closes", F::Duration),
        ],
    );
    hours.role = Some(Role::WorkingHours);
    let mut holidays = object(HOLIDAYS, "holidays", "holiday", vec![("day", F::Date)]);
    holidays.role = Some(Role::Holidays);
    let mut next = 0;
    let mut index = |object: &mut Object, kind, fields: &[u16]| {
        object.indexes.push(Index {
            id: IndexId(next),
            kind,
            fields: fields.iter().copied().map(FieldId).collect(),
            unique: false,
            declared: false,
        });
        next += 1;
    };
    index(&mut stages, IndexKind::Folded, &[0]);
    index(&mut accounts, IndexKind::Folded, &[0]);
    index(&mut accounts, IndexKind::Ordered, &[0]);
    accounts.indexes[1].unique = true;
    index(&mut accounts, IndexKind::Reference, &[1]);
    index(&mut deals, IndexKind::Reference, &[1]);
    index(&mut deals, IndexKind::Reference, &[2]);
    index(&mut deals, IndexKind::Ordered, &[4]);
    index(&mut deals, IndexKind::Ordered, &[2, 9]);
    index(&mut deals, IndexKind::Ordered, &[9, 4]);
    index(&mut accounts, IndexKind::Ordered, &[2, 3, 6]);
    index(&mut accounts, IndexKind::Ordered, &[6, 8]);
    Catalog {
        objects: vec![stages, accounts, deals, rates, hours, holidays],
        views: Vec::new(),
        next_index: next,
    }
}

pub(super) fn clock() -> Clock {
    let mut clock = Clock::system().in_zone("America/Phoenix").unwrap();
    clock.now = clock.start_of(Date::from_ymd(2026, 5, 15).unwrap());
    clock
}

fn stage_rows() -> Vec<Row> {
    ["prospect", "qualify", "proposal", "won", "lost"]
        .into_iter()
        .zip([Some(1), Some(2), Some(3), Some(4), None])
        .zip([
            None,
            Some("amount > 200"),
            Some("amount > 200"),
            Some("matches(account.rule, account) or stage = #3"),
            Some("account is empty and not name ~ \"a\""),
        ])
        .map(|((name, position), gate)| {
            let position = position.map_or(Value::Missing, Value::Integer);
            let gate = gate.map_or(Value::Missing, Value::text);
            row(vec![Value::text(name), position, gate])
        })
        .collect()
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(
    some: impl Strategy<Value = T> + 'static,
    value: fn(T) -> Value,
) -> BoxedStrategy<Value> {
    option::weighted(0.8, some)
        .prop_map(move |some| some.map_or(Value::Missing, value))
        .boxed()
}

fn day() -> impl Strategy<Value = i32> {
    let base = Date::from_ymd(2026, 5, 15).unwrap().days();
    (-60i32..60).prop_map(move |offset| base + offset)
}

fn row(values: Vec<Value>) -> Row {
    (0..).map(FieldId).zip(values).collect()
}

fn eur() -> Currency {
    Currency::new("EUR").unwrap()
}

/// A rate in quarters; the first one is older than every day.
fn rate(at: usize) -> impl Strategy<Value = Row> {
    let offset = if at == 0 { -60i32..-59 } else { -60i32..90 };
    (offset, 1i32..9).prop_map(|(offset, quarters)| {
        let today = Date::from_ymd(2026, 5, 15).unwrap().days();
        row(vec![
            Value::text("eur"),
            Value::Date(Date::from_days(today + offset)),
            Value::Number(f64::from(quarters) / 4.0),
        ])
    })
}

/// An account; its parent is one before it, so that there is no cycle.
fn account(at: usize) -> impl Strategy<Value = Row> {
    let parent = if at == 0 {
        Just(Value::Missing).boxed()
    } else {
        maybe(0..at as u64, |id| Value::Reference(RecordId(id)))
    };
    vec![
        Just(Value::text(format!("A{at}"))).boxed(),
        parent,
        maybe(0u32..3, |code| Value::Label(LabelCode(code))),
        maybe(0i64..9, Value::Integer),
        maybe(-8i32..8, |n| Value::Number(f64::from(n) / 4.0)),
        maybe(btree_set(0u32..3, 1..3), |codes| {
            Value::Tags(codes.into_iter().map(LabelCode).collect())
        }),
        maybe(any::<bool>(), Value::Boolean),
        maybe(day(), |day| Value::Date(Date::from_days(day))),
        maybe("[a-c]{1,3}", Value::text),
        maybe(0i64..9, |n| Value::Duration(Duration::from_seconds(n * 60))),
        maybe(day(), |day| {
            Value::Period(Period::new(Date::from_days(day), Date::from_days(day + 30)))
        }),
        maybe(
            select(
                &[
                    "industry = finance",
                    "employees > 3",
                    "tags has vip or active",
                    "active",
                ][..],
            ),
            Value::text,
        ),
        maybe(
            select(
                &[
                    "count_of * 2",
                    "amount * chance",
                    "chance",
                    "days(close, today)",
                ][..],
            ),
            Value::text,
        ),
    ]
    .prop_map(row)
}

fn deal(accounts: usize) -> impl Strategy<Value = Row> {
    let accounts = accounts as u64;
    vec![
        maybe("[a-bÄ]{1,3}", Value::text),
        maybe(0..accounts, |id| Value::Reference(RecordId(id))),
        maybe(0u64..5, |id| Value::Reference(RecordId(id))),
        maybe((0i64..10, any::<bool>()), |(n, foreign)| {
            let currency = if foreign { eur() } else { Currency::USD };
            Value::Money(Money::from_units(n * 1_000_000, currency))
        }),
        maybe(day(), |day| Value::Date(Date::from_days(day))),
        maybe((day(), 0i64..24), |(day, hour): (i32, i64)| {
            let micros = (i64::from(day) * 24 + hour) * 3_600_000_000;
            Value::DateTime(DateTime::from_micros(micros))
        }),
        maybe((0u32..2, 0..accounts.min(5)), |(of, id): (u32, u64)| {
            Value::AnyReference(if of == 0 { ACCOUNTS } else { STAGES }, RecordId(id))
        }),
        maybe("[x-z]{0,4}( [xy]{4,9})?", Value::text),
        maybe(0i32..5, |n| Value::Number(f64::from(n) / 4.0)),
        maybe(0i64..4, Value::Integer),
    ]
    .prop_map(row)
}

/// What a book holds and how it got there.
#[derive(Clone, Debug)]
pub(super) struct Data {
    accounts: Vec<Row>,
    deals: Vec<Row>,
    rates: Vec<Row>,
    /// Deals are repeated so often, so that there are several chunks.
    repeat: usize,
    /// Whether the first commit is folded into chunks.
    folded: bool,
    /// Deals replaced or (none) deleted: those of the first list committed, of the second not.
    pending: Vec<(usize, Option<Row>)>,
    open: Vec<(usize, Option<Row>)>,
}

pub(super) fn data(repeat: usize) -> impl Strategy<Value = Data> {
    const COUNT: usize = 8;
    let accounts: Vec<_> = (0..COUNT).map(account).collect();
    let change = || (0usize..40 * repeat, option::of(deal(COUNT)));
    (
        accounts,
        vec(deal(COUNT), 0..40),
        (0..4).map(rate).collect::<Vec<_>>(),
        any::<bool>(),
        vec(change(), 0..4),
        vec(change(), 0..4),
    )
        .prop_map(
            move |(accounts, deals, rates, folded, pending, open)| Data {
                accounts,
                deals,
                rates,
                repeat,
                folded,
                pending,
                open,
            },
        )
}

fn change(transaction: &mut Transaction<'_>, changes: &[(usize, Option<Row>)]) {
    for (at, row) in changes {
        let id = RecordId(*at as u64);
        if transaction.snapshot().row(DEALS, id).unwrap().is_none() {
            continue;
        }
        match row {
            Some(row) => transaction.put(DEALS, id, row.clone()).unwrap(),
            None => drop(transaction.delete(DEALS, id).unwrap()),
        }
    }
}

fn commit(transaction: Transaction<'_>) {
    commit_at(transaction, clock().now);
}

fn commit_at(transaction: Transaction<'_>, at: DateTime) {
    transaction.commit(CommitInfo { at, actor: None }).unwrap();
}

/// The first transaction: all but the changes, the rates and the calendar.
fn begun(data: &Data, catalog: &Catalog) -> Store {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let mut first = store.begin().unwrap();
    first
        .set_schema(catalog.encode().unwrap(), catalog.layouts())
        .unwrap();
    for row in stage_rows() {
        first.insert(STAGES, row).unwrap();
    }
    for row in &data.accounts {
        first.insert(ACCOUNTS, row.clone()).unwrap();
    }
    for row in std::iter::repeat_n(&data.deals, data.repeat).flatten() {
        first.insert(DEALS, row.clone()).unwrap();
    }
    let april = Date::from_ymd(2026, 4, 25).unwrap();
    commit_at(first, clock().start_of(april));
    if data.folded {
        store.fold().unwrap();
    }
    store
}

fn settle(transaction: &mut Transaction<'_>, data: &Data) {
    for (weekday, opens, closes) in [(1, 9, 12), (1, 13, 17), (2, 0, 8), (3, 9, 17), (6, 20, 24)] {
        let hour = |n: i64| Value::Duration(Duration::from_seconds(n * 3600));
        let values = vec![Value::Integer(weekday), hour(opens), hour(closes)];
        transaction.insert(HOURS, row(values)).unwrap();
    }
    let monday = Value::Date(Date::from_ymd(2026, 5, 4).unwrap());
    transaction.insert(HOLIDAYS, row(vec![monday])).unwrap();
    for row in &data.rates {
        transaction.insert(RATES, row.clone()).unwrap();
    }
}

/// Runs `test` on the state that the data leads to.
pub(super) fn with_book<R>(data: &Data, catalog: &Catalog, test: impl FnOnce(&Snapshot) -> R) -> R {
    let store = begun(data, catalog);
    let mut second = store.begin().unwrap();
    change(&mut second, &data.pending);
    commit(second);
    let mut open = store.begin().unwrap();
    change(&mut open, &data.open);
    settle(&mut open, data);
    test(open.snapshot())
}

/// Runs `test` on a book whose journal is pruned before a day of May, and on the same with all of
/// its journal: its transactions are of April and of that month.
pub(super) fn with_pruned<R>(
    data: &Data,
    catalog: &Catalog,
    day: i32,
    test: impl FnOnce(&Snapshot, &Snapshot) -> R,
) -> R {
    let first = Date::from_ymd(2026, 5, 1).unwrap();
    let start = |day: i32| clock().start_of(Date::from_days(first.days() + day));
    let [pruned, whole] = [(); 2].map(|()| {
        let store = begun(data, catalog);
        let mut second = store.begin().unwrap();
        change(&mut second, &data.pending);
        settle(&mut second, data);
        commit_at(second, start(2));
        for (at, changes) in (1..).zip(data.open.chunks(1)) {
            let mut next = store.begin().unwrap();
            change(&mut next, changes);
            let id = RecordId(at as u64);
            if let Some(known) = next.snapshot().row(ACCOUNTS, id).unwrap() {
                let mut row = data.accounts[at - 1].clone();
                row.set(FieldId(0), known.get(FieldId(0)).clone());
                next.put(ACCOUNTS, id, row).unwrap();
            }
            commit_at(next, start(3 * i32::try_from(at).unwrap()));
            if data.folded && at == 1 {
                store.fold().unwrap();
            }
        }
        store
    });
    pruned.prune_journal(start(day)).unwrap();
    test(&pruned.snapshot().unwrap(), &whole.snapshot().unwrap())
}

/// Runs `test` on a state that is past, and on the same in a book that was not changed since.
pub(super) fn with_past<R>(
    data: &Data,
    catalog: &Catalog,
    test: impl FnOnce(&Snapshot, &Snapshot) -> R,
) -> R {
    let [changed, plain] = [(); 2].map(|()| {
        let store = begun(data, catalog);
        let mut second = store.begin().unwrap();
        change(&mut second, &data.pending);
        settle(&mut second, data);
        commit(second);
        store
    });
    plain.fold().unwrap();
    let then = changed.snapshot().unwrap().sequence();
    // What changes after it: deals again, what accounts, stages, rates and the calendar say.
    let mut third = changed.begin().unwrap();
    for (id, row) in (0..).map(RecordId).zip(data.deals.iter().rev().take(3)) {
        third.insert(DEALS, row.clone()).unwrap();
        let known = third.snapshot().row(DEALS, id).unwrap();
        if known.is_some() {
            third.put(DEALS, id, row.clone()).unwrap();
        }
    }
    change(&mut third, &data.open);
    commit(third);
    if data.folded {
        changed.fold().unwrap();
    }
    let mut fourth = changed.begin().unwrap();
    for (id, row) in (1..).map(RecordId).zip(&data.accounts) {
        let gone = id.0 == 1 || fourth.snapshot().row(ACCOUNTS, id).unwrap().is_none();
        if !gone {
            let mut row = row.clone();
            row.set(FieldId(0), Value::text(format!("B{}", id.0)));
            fourth.put(ACCOUNTS, id, row).unwrap();
        }
    }
    fourth.delete(ACCOUNTS, RecordId(1)).unwrap();
    fourth.delete(STAGES, RecordId(3)).unwrap();
    fourth.delete(HOLIDAYS, RecordId(0)).unwrap();
    fourth.delete(RATES, RecordId(0)).unwrap();
    fourth.delete(HOURS, RecordId(1)).unwrap();
    commit(fourth);
    let past = changed.snapshot().unwrap().as_of(then).unwrap();
    test(&past, &plain.snapshot().unwrap())
}
