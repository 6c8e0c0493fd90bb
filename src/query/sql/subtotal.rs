//! Subtotals and totals: what they say of the groups they sum, and the order these take from them.

use super::frame::{Frame, Row, Tables};
use super::order::Order;
use super::parts::Part;
use super::rows::Branch;
use super::translate::{Mode, Translator};
use super::untranslatable;
use crate::error::Result;
use crate::query::bind::{Column, ColumnValue, Expr, Group, OrderKey, Query};
use crate::value::Value;

/// The order asked for, of what a subtotal has: it is no row that functions over the rows see.
pub(super) fn by_sums(query: &Query) -> Vec<OrderKey> {
    let plain = query.order.iter().filter(|key| !key.value.is_over_rows());
    plain.cloned().collect()
}

impl Translator<'_> {
    /// The groups, each beside the subtotals it is ordered by; and these, shortest first.
    pub(super) fn with_sums(
        &self,
        query: &Query,
        groups: &str,
        totals: &[(usize, String)],
        names: &[Vec<Part>],
    ) -> (String, Vec<Row>) {
        let mut base = self.base_of(groups);
        let mut sums = Vec::new();
        if by_sums(query).is_empty() {
            return (base, sums);
        }
        for (depth, table) in totals.iter().rev().filter(|(depth, _)| *depth > 0) {
            let own = self.key_columns(table, &names[..*depth]);
            let all = self.key_columns(groups, &names[..*depth]);
            let same: Vec<String> = all
                .iter()
                .zip(own)
                .map(|(key, own)| format!("{own} IS NOT DISTINCT FROM {key}"))
                .collect();
            let (joined, on) = (self.base_of(table), same.join(" AND "));
            base = format!("{base}\nJOIN {joined}\n  ON {on}");
            sums.push(Row::Slots(self.slots(table, names).into()));
        }
        (base, sums)
    }

    /// The columns that keys have in a table.
    pub(super) fn key_columns(&self, table: &str, names: &[Vec<Part>]) -> Vec<String> {
        let slots = self.slots(table, names);
        let columns = slots.into_iter().flatten();
        columns
            .filter(|part| !part.text.starts_with('\''))
            .map(|part| part.text)
            .collect()
    }

    /// What subtotals have no form beside.
    pub(super) fn check_rollup(&self, query: &Query, group: &Group) -> Result<()> {
        let (last, first) = match group.keys.split_last().filter(|_| group.subtotals) {
            Some((last, first)) => (self.hierarchy_of(last), first),
            None => (None, &[][..]),
        };
        if let Some(key) = first.iter().find(|key| self.hierarchy_of(key).is_some()) {
            let what = "`with rollup` over a hierarchy before another key";
            return Err(untranslatable(what, &key.span)
                .hint("the order by subtotals of subtotals has no form: make it the last key"));
        }
        let ordered = query.order.iter().map(|key| &key.value);
        let columns = query
            .columns
            .iter()
            .filter_map(|column| match &column.value {
                ColumnValue::Expr(expr) => Some(expr),
                ColumnValue::Nested(_) => None,
            });
        let over = ordered.chain(columns).find(|expr| expr.is_over_rows());
        if let (Some(_), Some(over)) = (last, over) {
            let what = "a function over the rows of a hierarchy";
            return Err(untranslatable(what, &over.span)
                .hint("a row that holds others counts but once there: ask without `rollup`"));
        }
        match &query.limit {
            Some(limit) if limit.with_ties || !limit.per.is_empty() => Err(untranslatable(
                "`per` and `with ties` beside subtotals",
                &limit.count.span,
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn total_branch(
        &self,
        query: &Query,
        total: &str,
        names: &[Vec<Part>],
        mode: Mode,
    ) -> Result<Branch> {
        let tables = Tables::new(self.base_of(total));
        let frame = Frame {
            tables: &tables,
            row: Row::Slots(self.slots(total, names).into()),
        };
        // The total is no row that columns over all rows count, nor one that a limit cuts off.
        let columns = query
            .columns
            .iter()
            .map(|column| {
                let value = match &column.value {
                    ColumnValue::Expr(expr) if expr.is_over_rows() => {
                        let nothing = Value::Missing;
                        ColumnValue::Expr(Expr::constant(nothing, expr.ty.clone(), &expr.span))
                    }
                    other => other.clone(),
                };
                Column {
                    name: column.name.clone(),
                    value,
                }
            })
            .collect();
        let row = Query {
            columns,
            limit: None,
            offset: None,
            ..query.clone()
        };
        self.branch(&frame, &row, mode, Vec::new(), Order::default())
    }
}
