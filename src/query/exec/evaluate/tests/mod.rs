//! What tests of evaluation share: a small stored book, and words for expressions.

mod groups;
mod nodes;
mod paths;
mod threads;
mod times;

use super::*;
use crate::catalog::{Catalog, Field, Index, Label, Object, OnDelete};
use crate::column::Comparison;
use crate::query::bind::{
    Aggregate, AggregateFunction, Arithmetic, Collect, Function, OrderKey, Type,
};
use crate::query::exec::aggregate::Accumulator;
use crate::query::exec::{Interrupt, Roles, Threads};
use crate::storage::{CommitInfo, IndexKind, Row, Store, StoreOptions};
use crate::value::{
    Clock, Currency, DateTime, Duration, FieldId, FieldType, IndexId, LabelCode, Money, Period,
    Unit, Value,
};
use std::collections::HashMap;
use std::sync::Arc;

const ACCOUNTS: ObjectId = ObjectId(0);
const DEALS: ObjectId = ObjectId(1);

fn catalog() -> Catalog {
    let field = |id, name: &str, ty, labels: &[&str]| Field {
        id: FieldId(id),
        name: name.into(),
        ty,
        required: false,
        unique: false,
        label: false,
        default: None,
        hierarchy: false,
        collection: None,
        dated_by: None,
        on_delete: OnDelete::default(),
        // Codes run against the ranks.
        gone_labels: Vec::new(),
        labels: (0..)
            .zip(labels)
            .map(|(at, name)| Label {
                code: LabelCode(9 - at),
                name: (*name).into(),
            })
            .collect(),
        open: false,
        dropped: false,
    };
    let object = |id, name: &str, fields, indexes| Object {
        id,
        name: name.into(),
        singular: name.into(),
        fields,
        formulas: Vec::new(),
        indexes,
        ordered_by: None,
        checks: Vec::new(),
        show: Vec::new(),
        role: None,
        dropped: false,
    };
    let accounts = vec![
        field(0, "name", FieldType::Text, &[]),
        field(1, "size", FieldType::Integer, &[]),
        field(
            2,
            "tier",
            FieldType::Picklist,
            &["bronze", "silver", "gold"],
        ),
    ];
    let deals = vec![
        field(0, "account", FieldType::Reference(ACCOUNTS), &[]),
        field(1, "amount", FieldType::Integer, &[]),
    ];
    let index = Index {
        id: IndexId(0),
        kind: IndexKind::Reference,
        fields: vec![FieldId(0)],
        unique: false,
        declared: false,
    };
    Catalog {
        objects: vec![
            object(ACCOUNTS, "accounts", accounts, Vec::new()),
            object(DEALS, "deals", deals, vec![index]),
        ],
        views: Vec::new(),
        next_index: 1,
    }
}

const DEAL_COUNT: i64 = 4200;

fn account_of(deal: i64) -> Option<i64> {
    (deal % 7 != 0).then_some(deal * 13 % 100)
}

fn size_of(account: i64) -> Option<i64> {
    (account % 9 != 0).then_some(account * 3)
}

fn stored(catalog: &Catalog) -> Store {
    let store = Store::in_memory(&StoreOptions {
        cache_bytes: 1 << 20,
        ..StoreOptions::default()
    })
    .unwrap();
    let mut transaction = store.begin().unwrap();
    transaction
        .set_schema(catalog.encode().unwrap(), catalog.layouts())
        .unwrap();
    for account in 0..100 {
        let values = [
            (FieldId(0), Value::text(format!("a{account}"))),
            (
                FieldId(1),
                size_of(account).map_or(Value::Missing, Value::Integer),
            ),
        ];
        transaction
            .insert(ACCOUNTS, values.into_iter().collect())
            .unwrap();
    }
    for deal in 0..DEAL_COUNT {
        let account = account_of(deal).map(|id| Value::Reference(RecordId(id as u64)));
        let values = [
            (FieldId(0), account.unwrap_or(Value::Missing)),
            (FieldId(1), Value::Integer(deal)),
        ];
        transaction
            .insert(DEALS, values.into_iter().collect())
            .unwrap();
    }
    let at = DateTime::from_micros(0);
    transaction.commit(CommitInfo { at, actor: None }).unwrap();
    store
}

fn with<R>(run: impl for<'a> FnOnce(&Evaluator<'a>, &'a Context<'a>) -> R) -> R {
    static BOOK: std::sync::OnceLock<(Catalog, Store)> = std::sync::OnceLock::new();
    let (catalog, store) = BOOK.get_or_init(|| {
        let catalog = catalog();
        let store = stored(&catalog);
        (catalog, store)
    });
    let clock = Clock {
        now: DateTime::from_micros(0),
        ..Clock::system()
    };
    let clock = clock.in_zone("Europe/Berlin").unwrap();
    let context = Context {
        snapshot: &store.snapshot().unwrap(),
        catalog,
        clock: &clock,
        past: None,
        me: None,
        parameters: &HashMap::new(),
        interrupt: &Interrupt::default(),
        memory_bytes: 1 << 30,
        threads: Threads::ONE,
        roles: Roles::default(),
    };
    run(&Evaluator::new(&context), &context)
}

fn expr(node: Node, ty: Type) -> Expr {
    Expr::new(node, ty, &(3..7))
}

fn slot(at: usize, ty: &Type) -> Expr {
    expr(Node::Slot(at), ty.clone())
}

fn field(at: u16, ty: Type) -> Expr {
    expr(Node::Column(FieldId(at)), ty)
}

fn is(value: Value, ty: &Type) -> Expr {
    expr(Node::Constant(value), ty.clone())
}

fn calc(operator: Arithmetic, left: Expr, right: Expr, ty: Type) -> Expr {
    let (left, right) = (Box::new(left), Box::new(right));
    expr(
        Node::Arithmetic {
            operator,
            left,
            right,
        },
        ty,
    )
}

fn compare(comparison: Comparison, left: Expr, right: Expr) -> Expr {
    let (left, right) = (Box::new(left), Box::new(right));
    expr(
        Node::Compare {
            comparison,
            left,
            right,
        },
        Type::BOOLEAN,
    )
}

fn call(function: Function, arguments: Vec<Expr>, ty: Type) -> Expr {
    expr(
        Node::Function {
            function,
            arguments,
        },
        ty,
    )
}

fn follow(reference: Expr, object: ObjectId, inner: Expr) -> Expr {
    let ty = inner.ty.clone();
    let (reference, inner) = (Box::new(reference), Arc::new(inner));
    expr(
        Node::Follow {
            reference,
            object,
            inner,
        },
        ty,
    )
}

fn frame(columns: &[(&Type, Vec<Value>)]) -> Frame {
    Frame {
        len: columns[0].1.len(),
        columns: columns
            .iter()
            .map(|(ty, values)| Vector::from_values(ty.shape(), values))
            .collect(),
    }
}

fn values(evaluator: &Evaluator<'_>, expr: &Expr, batch: &Batch<'_>) -> Result<Vec<Value>> {
    let vector = evaluator.evaluate(expr, batch)?;
    assert_eq!(vector.len(), batch.len());
    let ty = expr.ty.field_type();
    Ok((0..vector.len()).map(|at| vector.value(&ty, at)).collect())
}

/// Checks an expression over rows of slots, at once, and row by row.
fn check(columns: &[(&Type, Vec<Value>)], expr: &Expr, expected: &[Value]) {
    let all = frame(columns);
    with(|evaluator, _| {
        let found = values(evaluator, expr, &Batch::Slots(&all)).unwrap();
        assert_eq!(found, expected, "{expr:?}");
        for (row, expected) in expected.iter().enumerate() {
            let one = frame(
                &columns
                    .iter()
                    .map(|(ty, values)| (*ty, vec![values[row].clone()]))
                    .collect::<Vec<_>>(),
            );
            let found = values(evaluator, expr, &Batch::Slots(&one)).unwrap();
            assert_eq!(&found[0], expected, "row {row} of {expr:?}");
        }
        if expr.ty == Type::BOOLEAN {
            let hits = evaluator.test(expr, &Batch::Slots(&all)).unwrap();
            let expected: Vec<_> = expected
                .iter()
                .map(|v| *v == Value::Boolean(true))
                .collect();
            assert_eq!(
                (0..all.len).map(|at| hits.get(at)).collect::<Vec<_>>(),
                expected
            );
        }
    });
}

fn code_of(columns: &[(&Type, Vec<Value>)], expr: &Expr) -> Code {
    let all = frame(columns);
    with(|evaluator, _| {
        let error = evaluator.evaluate(expr, &Batch::Slots(&all)).unwrap_err();
        assert_eq!(error.span(), Some(3..7));
        error.code()
    })
}

const NONE: Value = Value::Missing;

fn int(n: i64) -> Value {
    Value::Integer(n)
}

fn num(n: f64) -> Value {
    Value::Number(n)
}

fn usd(units: i64) -> Value {
    Value::Money(Money::from_units(units, Currency::USD))
}

fn day(text: &str) -> Value {
    FieldType::Date.parse(text, &Clock::system()).unwrap()
}

fn moment(text: &str) -> Value {
    let clock = Clock::system().in_zone("Europe/Berlin").unwrap();
    Value::DateTime(crate::value::parse_datetime(text, &clock).unwrap())
}

fn period(from: &str, to: &str) -> Value {
    match (day(from), day(to)) {
        (Value::Date(from), Value::Date(to)) => Value::Period(Period::new(from, to)),
        _ => NONE,
    }
}

fn truths(hits: &[bool]) -> Vec<Value> {
    hits.iter().map(|&on| Value::Boolean(on)).collect()
}

fn aggregate(function: AggregateFunction, argument: Option<Expr>, ty: Type) -> Aggregate {
    Aggregate {
        function,
        argument,
        second: None,
        filter: None,
        distinct: false,
        order: Vec::new(),
        ty,
        over: None,
    }
}
