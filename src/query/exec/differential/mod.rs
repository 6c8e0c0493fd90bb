//! The executor against the reference evaluator, on generated books and queries.

mod book;
mod past;
mod texts;

use super::reference::Reference;
use super::{Context, Interrupt, Roles, Threads, run, run_frame};
use crate::catalog::Catalog;
use crate::error::{Code, Error};
use crate::query::bind::{Binder, ColumnValue, Expr, Query};
use crate::query::plan::{explain, fold};
use crate::query::syntax;
use crate::storage::Snapshot;
use crate::value::{Clock, Value};
use book::{Data, catalog, clock, data, with_book, with_past, with_pruned};
use past::{early, history};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;
use texts::{deal_columns, deal_condition, duplicates, order, query};

fn bind(text: &str, catalog: &Catalog, clock: &Clock) -> Query {
    let tree = syntax::parse_query(text)
        .map_err(|e| e.in_text(text))
        .unwrap();
    Binder::new(catalog, clock)
        .query(&tree)
        .map_err(|e| e.in_text(text))
        .unwrap()
}

/// What surrounds an execution.
struct Around {
    catalog: Catalog,
    clock: Clock,
    parameters: HashMap<String, Value>,
    interrupt: Interrupt,
}

impl Around {
    fn new() -> Self {
        Self {
            catalog: catalog(),
            clock: clock(),
            parameters: HashMap::new(),
            interrupt: Interrupt::default(),
        }
    }

    fn context<'a>(&'a self, snapshot: &'a Snapshot, threads: Threads) -> Context<'a> {
        Context {
            snapshot,
            catalog: &self.catalog,
            clock: &self.clock,
            past: None,
            me: None,
            parameters: &self.parameters,
            interrupt: &self.interrupt,
            memory_bytes: 1 << 30,
            threads,
            roles: Roles::default(),
        }
    }
}

fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
        (Value::Money(a), Value::Money(b)) => {
            (a.units() - b.units()).abs() <= 1 && a.currency() == b.currency()
        }
        (Value::Nested(a), Value::Nested(b)) => {
            a.len() == b.len()
                && a.iter().zip(b.iter()).all(|(a, b)| {
                    a.values.len() == b.values.len()
                        && a.values.iter().zip(&b.values).all(|(a, b)| near(a, b))
                })
        }
        _ => a == b,
    }
}

/// The executor's rows as the reference gives them: codes and ids, nested records as values.
fn executed(query: &Query, context: &Context<'_>) -> Vec<Vec<Value>> {
    let nested = |value: &ColumnValue| matches!(value, ColumnValue::Nested(_));
    if query.columns.iter().any(|column| nested(&column.value)) {
        return run(query, context).unwrap().rows;
    }
    let frame = run_frame(query, context).unwrap();
    let named = run(query, context).unwrap();
    assert_eq!(named.rows.len(), frame.len, "rows with names and without");
    (0..frame.len)
        .map(|at| {
            let column =
                |(column, heading): (&crate::column::Vector, &super::super::outcome::Heading)| {
                    column.value(&heading.ty.field_type(), at)
                };
            frame
                .columns
                .iter()
                .zip(named.columns.iter())
                .map(column)
                .collect()
        })
        .collect()
}

fn compare(data: &Data, texts: &[String]) -> Result<(), TestCaseError> {
    with_book(data, &catalog(), |state| agree(state, state, texts))
}

/// What the executor finds in a state, and the reference in one that says the same.
fn agree(state: &Snapshot, model: &Snapshot, texts: &[String]) -> Result<(), TestCaseError> {
    let around = Around::new();
    let context = around.context(state, Threads::ONE);
    let told = around.context(model, Threads::ONE);
    let begin = state.kept().unwrap();
    let known = begin.map_or(&told, |_| &context);
    let reference = Reference::new(&told);
    let reference = reference.beginning_with(begin.map_or(0, |stamp| stamp.sequence), known);
    for text in texts {
        let query = bind(text, &around.catalog, &around.clock);
        let folded = fold(&query, known).map_err(|e| e.in_text(text)).unwrap();
        let never = Some(&Value::Boolean(false));
        // What no record can meet is answered whatever it says of times.
        if let Some(begin) = begin
            && past::names_before(text, begin.at, &around.clock)
            && folded.filter.as_ref().and_then(Expr::as_constant) != never
        {
            let refused = run(&query, &context).map(|table| table.rows);
            let code = refused.as_ref().map_err(Error::code);
            prop_assert_eq!(code, Err(Code::Pruned), "{}", text);
            continue;
        }
        let expected = reference.rows(&folded);
        let found = executed(&query, &context);
        let same = expected.len() == found.len()
            && expected
                .iter()
                .zip(&found)
                .all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)));
        prop_assert!(
            same,
            "{text}\n{}\nexpected {expected:#?}\nfound {found:#?}",
            explain(&query, &context, false).unwrap()
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_executor_agrees_with_the_reference(data in data(1), texts in vec(query(), 8)) {
        compare(&data, &texts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn duplicates_are_found_without_comparing_all(
        data in data(1),
        texts in vec(duplicates(), 6),
    ) {
        compare(&data, &texts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_past_reads_as_a_book_without_what_came_since(
        data in data(1),
        texts in vec(query(), 8),
    ) {
        with_past(&data, &catalog(), |past, plain| agree(past, plain, &texts))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn history_agrees_with_the_states_after_each_transaction(
        data in data(1),
        texts in vec(history(), 8),
    ) {
        with_past(&data, &catalog(), |past, plain| {
            agree(past, plain, &texts)?;
            agree(plain, plain, &texts)
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_pruned_is_missing_or_refused(
        data in data(1),
        texts in vec(prop_oneof![history(), early()], 12),
        day in -1..19,
    ) {
        with_pruned(&data, &catalog(), day, |pruned, whole| agree(pruned, whole, &texts))?;
    }
}

/// Rows and errors on several threads as on one, sums of fractions to the last digit.
fn compare_threads(data: &Data, texts: &[String]) -> Result<(), TestCaseError> {
    let around = Around::new();
    with_book(data, &around.catalog, |snapshot| {
        let answer = |query: &Query, most: usize| {
            let worth = Duration::ZERO;
            let table = run(query, &around.context(snapshot, Threads { most, worth }));
            table
                .map(|table| format!("{:?}", table.rows))
                .map_err(|error| error.report())
        };
        for text in texts {
            let query = bind(text, &around.catalog, &around.clock);
            let one = answer(&query, 1);
            prop_assert_eq!(&answer(&query, 2), &one, "2 threads: {}", text);
            prop_assert_eq!(&answer(&query, 3), &one, "3 threads: {}", text);
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_the_same_at_any_number_of_threads(
        data in data(900),
        texts in vec(query(), 12),
    ) {
        compare_threads(&data, &texts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn the_executor_agrees_over_several_chunks(
        data in data(250),
        filter in deal_condition(),
        columns in deal_columns(),
        order in order(),
    ) {
        compare(&data, &[
            format!("deals where {filter} select {columns}{order} limit 5"),
            format!("deals where {filter} group by stage, count_of select stage, count_of, \
              count() as n, sum(amount) as s"),
        ])?;
    }
}
