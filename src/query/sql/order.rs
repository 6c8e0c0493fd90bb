//! The order of rows: what they sort by, and what functions over the rows run along.

use super::fragment::Sql;
use super::frame::Frame;
use super::levels::over;
use super::translate::Translator;
use crate::error::Result;
use crate::query::bind::{Expr, OrderKey, Query, sort_keys};
use crate::value::{FieldType, ObjectId};

/// A key of an order.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub sql: Sql,
    pub descending: bool,
    /// Never missing, and another one in every row.
    pub tie: bool,
}

/// The keys of `limit ... per`, of `order by`, and those that tell tied rows apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// What `limit ... per` groups by.
    pub partition: Vec<String>,
    pub given: Vec<Key>,
    /// Whether there is an `order by`, so that rows can be tied.
    pub ordered: bool,
    pub all: Vec<Key>,
}

impl Key {
    pub(super) fn text(&self) -> String {
        self.reversed_if(false)
    }

    /// Missing comes last, or in the reverse order first.
    pub(super) fn reversed_if(&self, reverse: bool) -> String {
        let down = if self.descending != reverse {
            " DESC"
        } else {
            ""
        };
        let missing = match (self.tie, reverse) {
            (true, _) => "",
            (false, true) => " NULLS FIRST",
            (false, false) => " NULLS LAST",
        };
        format!("{}{down}{missing}", self.sql.text)
    }
}

impl Order {
    pub(super) fn texts(&self) -> Vec<String> {
        self.all.iter().map(Key::text).collect()
    }

    pub(super) fn over(&self, rows: &str) -> String {
        over(&[], &self.texts(), rows)
    }
}

impl Translator<'_> {
    /// Does something with the order in which functions over the rows run.
    pub(super) fn within<T>(&self, order: Order, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.over.borrow_mut().push(order);
        let result = work();
        self.over.borrow_mut().pop();
        result
    }

    /// `limit ... per` and `order by`.
    pub(super) fn order(&self, frame: &Frame<'_>, query: &Query) -> Result<Order> {
        let mut order = Order::default();
        for per in query.limit.iter().flat_map(|limit| &limit.per) {
            let parts = self.value(frame, per)?;
            let columns = parts.iter().filter(|part| !part.text.starts_with('\''));
            order
                .partition
                .extend(columns.map(|part| part.text.clone()));
            order.all.extend(self.ascending(frame, per)?);
        }
        order.ordered = !query.order.is_empty();
        // Functions over the rows run in no order while the order is made of them.
        let mut before = order.clone();
        if query.group.is_none() {
            before.all.push(self.tie(frame));
        }
        order.given = self.within(before, || self.keys(frame, &query.order))?;
        order.all.extend(order.given.iter().cloned());
        Ok(order)
    }

    /// The keys by which values of an expression sort.
    pub(super) fn ascending(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Vec<Key>> {
        let keys: Vec<OrderKey> = sort_keys(expr, self.context.catalog)
            .into_iter()
            .map(|value| OrderKey {
                value,
                descending: false,
            })
            .collect();
        self.keys(frame, &keys)
    }

    pub(super) fn keys(&self, frame: &Frame<'_>, keys: &[OrderKey]) -> Result<Vec<Key>> {
        let mut all = Vec::new();
        for key in keys {
            // What is the same everywhere sorts nothing, and a number would be a column's.
            if key.value.as_constant().is_some() || self.closed(&key.value)?.is_some() {
                continue;
            }
            let mut parts = self.value(frame, &key.value)?;
            if let FieldType::AnyReference(objects) = key.value.ty.field_type() {
                parts.swap(0, 1);
                parts[0] = self.kind_rank(&objects, &parts[0]);
            }
            parts.retain(|part| !part.is_null() && !part.text.starts_with('\''));
            all.extend(parts.into_iter().map(|sql| Key {
                sql,
                descending: key.descending,
                tie: false,
            }));
        }
        Ok(all)
    }

    /// The place of a kind: objects sort as they were made.
    fn kind_rank(&self, objects: &[ObjectId], kind: &Sql) -> Sql {
        let mut objects = objects.to_vec();
        objects.sort_unstable_by_key(|object| object.0);
        let cases: Vec<String> = objects
            .iter()
            .enumerate()
            .map(|(at, object)| format!("WHEN {} THEN {at}", self.kind(*object).text))
            .collect();
        Sql::atom(format!("CASE {} {} END", kind.text, cases.join(" ")))
    }
}
