//! Grouped queries: keys, and whether there are aggregates at all.

use super::binder::Binder;
use super::item::tell_apart;
use super::scope::{Base, GroupKey, GroupScope, Scope};
use super::{Aggregate, Column, ColumnValue, Expr, Group, Node, Query, Type, WindowFunction};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{self, ExprKind, Item};
use crate::value::FieldType;
use std::cell::RefCell;

impl Binder<'_> {
    /// Whether a query without `group by` has an aggregate over its rows.
    pub(super) fn has_aggregates(&self, scope: &Scope<'_>, tree: &syntax::Query) -> bool {
        let mut found = false;
        let mut look = |expr: &syntax::Expr| {
            visit_calls(expr, &mut |call| {
                found |= self.is_group_aggregate(scope, call)
            });
        };
        for item in &tree.select {
            if let Item::Value { value, .. } = item {
                look(value);
            }
        }
        tree.having.iter().for_each(&mut look);
        found
    }

    /// How a query without keys is grouped by all that it shows beside aggregates.
    fn group_by_all(&self, records: &Scope<'_>, tree: &syntax::Query, error: Error) -> Error {
        if error.code() != Code::MisplacedAggregate || tree.group.is_some() {
            return error;
        }
        let is_key = |value: &syntax::Expr| {
            let mut found = false;
            visit_calls(value, &mut |call| {
                found |= self.is_group_aggregate(records, call)
            });
            !found
        };
        let values = tree.select.iter().filter_map(|item| match item {
            Item::Value { value, .. } if is_key(value) => Some(value.to_string()),
            _ => None,
        });
        match values.collect::<Vec<_>>().as_slice() {
            [] | [_] => error,
            keys => error.hint(format!("by all of them: `group by {}`", keys.join(", "))),
        }
    }

    /// A query whose rows are groups.
    pub(super) fn grouped(
        &self,
        records: &Scope<'_>,
        tree: &syntax::Query,
        query: &mut Query,
    ) -> Result<()> {
        let mut keys = Vec::new();
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        let group = tree.group.as_ref();
        for item in group.map_or(&[][..], |group| &group.keys) {
            let Item::Value { value: key, alias } = item else {
                return Err(Error::new(Code::Misplaced, "only values can be group keys")
                    .at(self.at(&tree.span)));
            };
            let bound = self.expr(records, key)?;
            let bound = self.to_base(records, self.one_value(bound, key)?);
            self.check_alias(alias.as_ref(), &columns)?;
            let name = self.heading(records, key, alias.as_ref());
            if tree.select.is_empty() {
                self.mention_heading(key, alias.as_ref());
            }
            let slot = Expr::new(Node::Slot(exprs.len()), bound.ty.clone(), &bound.span);
            columns.push(Column {
                name,
                value: ColumnValue::Expr(slot),
            });
            keys.push(GroupKey {
                tree: key.clone(),
                alias: alias.as_ref().map(|name| name.text.clone()),
                ty: bound.ty.clone(),
            });
            exprs.push(bound);
        }
        let mut scope = Scope::new(Base::Nothing);
        scope.group = Some(GroupScope {
            records,
            keys,
            aggregates: RefCell::default(),
        });
        query.order = Vec::new();
        if tree.select.is_empty() {
            let count = syntax::Call {
                name: syntax::Name {
                    text: "count".to_owned(),
                    span: tree.span.clone(),
                },
                arguments: Vec::new(),
                distinct: false,
                filter: None,
                order: Vec::new(),
                member: Vec::new(),
            };
            let counted = self.call(&scope, &count, &tree.span)?;
            columns.push(Column {
                name: "count".to_owned(),
                value: ColumnValue::Expr(counted),
            });
            tell_apart(&mut columns);
            query.columns = columns;
        } else {
            query.columns = self
                .over_rows(&mut scope, |scope| self.items(scope, &tree.select))
                .map_err(|error| self.group_by_all(records, tree, error))?;
        }
        self.tail(&mut scope, tree, query)?;
        let aggregates = scope.group.map(|group| group.aggregates.into_inner());
        let aggregates: Vec<Aggregate> = aggregates
            .unwrap_or_default()
            .into_iter()
            .map(|(_, aggregate)| aggregate)
            .collect();
        if group.is_some_and(|group| group.rollup) {
            self.check_rollup(&exprs, query)?;
        }
        query.group = Some(Group {
            keys: exprs,
            aggregates,
            totals: group.is_some_and(|group| group.totals),
            rollup: group.is_some_and(|group| group.rollup),
            subtotals: group.is_some_and(|group| group.rollup),
            empty: group.is_some_and(|group| group.empty),
        });
        Ok(())
    }
}

impl Binder<'_> {
    /// What parts rows into groups: one value a row.
    pub(super) fn one_value(&self, bound: Expr, tree: &syntax::Expr) -> Result<Expr> {
        if !matches!(bound.ty, Type::List(_) | Type::Nested | Type::Tags(..)) {
            return Ok(bound);
        }
        let is = self.describe(&bound.ty);
        Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
            .at(bound.span)
            .expected("one value a record to group by"))
    }

    /// Errors where `rollup` would add nothing, and where rows that hold each other make no line.
    fn check_rollup(&self, keys: &[Expr], query: &Query) -> Result<()> {
        let rolled = |key: &Expr| match &key.ty {
            Type::Plain(FieldType::Reference(object)) => {
                self.object(*object).hierarchy_field().is_some()
            }
            _ => false,
        };
        if !keys.iter().any(rolled) {
            return match keys {
                [key] => Err(Error::new(
                    Code::Misplaced,
                    "`rollup` adds nothing to one key that is no hierarchy",
                )
                .at(key.span.clone())
                .hint("`with totals` adds the total")),
                _ => Ok(()),
            };
        }
        let first = first_keys(query).filter(|&first| first < keys.len());
        for per in query.limit.iter().flat_map(|limit| &limit.per) {
            let mut parts = false;
            per.visit(&mut |expr| {
                if let Node::Slot(slot) = expr.node {
                    parts |= keys.get(slot).is_none_or(rolled);
                }
            });
            if parts && first.is_none() {
                return Err(Error::new(
                    Code::Misplaced,
                    "this parts the rows of a hierarchy from those below them",
                )
                .at(per.span.clone())
                .expected("the first of several group keys")
                .hint("group by the keys of `per` first, then by the others"));
            }
        }
        let columns = query
            .columns
            .iter()
            .filter_map(|column| match &column.value {
                ColumnValue::Expr(value) => Some(value),
                ColumnValue::Nested(_) => None,
            });
        let (mut wrong, mut total) = (None, None);
        for value in columns.chain(query.order.iter().map(|key| &key.value)) {
            value.visit(&mut |expr| {
                if let Node::Window(window) = &expr.node {
                    match window.function {
                        WindowFunction::Total => &mut total,
                        _ => &mut wrong,
                    }
                    .get_or_insert_with(|| expr.span.clone());
                }
            });
        }
        if let Some(span) = wrong {
            return Err(Error::new(
                Code::Misplaced,
                "over a hierarchy a row sums up the rows below it, and this runs from row to row",
            )
            .at(span)
            .expected("`total`, or a group without `rollup`"));
        }
        // Of two trees a row may share records with another without holding it.
        let trees = keys[first.unwrap_or(0)..].iter().filter(|key| rolled(key));
        match total.filter(|_| query.having.is_some() && trees.count() > 1) {
            None => Ok(()),
            Some(span) => Err(Error::new(
                Code::Misplaced,
                "the rows that `having` leaves of two hierarchies may share records",
            )
            .at(span)
            .expected("no `having`, or one hierarchy")
            .hint("`with totals` gives the total of all records")),
        }
    }
}

/// How many of the group's keys `limit ... per` names, if these are its first, in order.
pub(crate) fn first_keys(query: &Query) -> Option<usize> {
    let per = &query.limit.as_ref()?.per;
    let is_key = |(at, key): (usize, &Expr)| matches!(key.node, Node::Slot(slot) if slot == at);
    (!per.is_empty() && per.iter().enumerate().all(is_key)).then_some(per.len())
}

/// Visits the calls of an expression, outermost first, those inside a call's parentheses too but
/// not those of sub-queries.
fn visit_calls(tree: &syntax::Expr, visit: &mut dyn FnMut(&syntax::Call)) {
    if let ExprKind::Call(call) = &tree.kind {
        visit(call);
    }
    let children = tree.children().into_iter();
    children.for_each(|child| visit_calls(child, visit));
}
