//! `compare (query) in period`: a query's rows before and after a period, with what differs.

use super::aggregate::or_nothing;
use super::binder::{Binder, and, not};
use super::item::tell_apart;
use super::source::Start;
use super::{
    Arithmetic, Column, ColumnValue, Expr, Function, Node, Paired, Query, Source, Type, ascending,
};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax;
use crate::value::{FieldType, Value};

impl Binder<'_> {
    pub(super) fn compared(&self, tree: &syntax::Query, period: &syntax::Expr) -> Result<Start> {
        let span = &self.at(&tree.span);
        if let Some(as_of) = &tree.as_of {
            return Err(
                Error::new(Code::Misplaced, "`compare` sets the moments of its query")
                    .at(self.at(&as_of.span))
                    .hint("leave `as of` out"),
            );
        }
        let bound = self.retype(self.expr(&Self::nothing(), period)?, &Type::PERIOD);
        if !bound.ty.is_period() {
            let is = self.describe(&bound.ty);
            return Err(
                Error::new(Code::TypeMismatch, format!("`{period}` is {is}"))
                    .at(bound.span)
                    .expected("a period, whose two edges are compared")
                    .hint("for example `in last week`, `in 2026-Q1`"),
            );
        }
        let (mut query, frames) = self.in_past(|| self.query_in(tree, None))?;
        query.without_totals();
        self.columns_to_base(&mut query, &frames);
        let keys = self.keys_first(&mut query, span)?;
        // The end of the day before the period, and of its last day or today.
        let edge = |function: Function| {
            let arguments = vec![bound.clone()];
            let node = Node::Function {
                function,
                arguments,
            };
            let edge = Expr::new(node, Type::DATE, &bound.span);
            let node = Node::Shift {
                value: Box::new(edge),
                months: 0,
                days: -1,
                seconds: 0,
                times: None,
            };
            Expr::new(node, Type::DATE, &bound.span)
        };
        let today = Expr::new(Node::Today, Type::DATE, &bound.span);
        let arguments = vec![edge(Function::PeriodEnd), today];
        let node = Node::Function {
            function: Function::Least,
            arguments,
        };
        let last = Expr::new(node, Type::DATE, &bound.span);
        let at = |moment: Expr| Query {
            as_of: Some(moment),
            views: self.views(),
            ..query.clone()
        };
        let paired = Paired {
            before: at(edge(Function::PeriodStart)),
            after: at(last),
            keys,
        };
        let inner = self.differences(paired, span);
        let columns: Vec<(String, Type)> = inner
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty()))
            .collect();
        let slot =
            |(at, (_, ty)): (usize, &(String, Type))| Expr::new(Node::Slot(at), ty.clone(), span);
        let by: Vec<Expr> = columns.iter().enumerate().take(keys).map(slot).collect();
        Ok(Start {
            order: ascending(&by, self.catalog),
            ..Start::of_columns(columns, Source::Query(Box::new(inner)), span)
        })
    }

    /// Brings the columns that tell a query's rows apart to the front; gives how many they are.
    fn keys_first(&self, query: &mut Query, span: &Span) -> Result<usize> {
        let refused = |what: &str| {
            Error::new(Code::Misplaced, format!("{what} cannot be compared"))
                .at(span.clone())
                .expected("groups, or records of an object")
        };
        if !query.unions.is_empty() {
            return Err(refused("rows of a `union`"));
        }
        let nested = |column: &Column| matches!(column.ty(), Type::List(_) | Type::Nested);
        if query.columns.iter().any(nested) {
            return Err(refused("lists in rows"));
        }
        if let Some(group) = &query.group {
            let count = group.keys.len();
            let is_key = |column: &Column, at: usize| match &column.value {
                ColumnValue::Expr(value) => matches!(value.node, Node::Slot(slot) if slot == at),
                ColumnValue::Nested(_) => false,
            };
            for at in 0..count {
                let place = query.columns.iter().position(|column| is_key(column, at));
                let Some(place) = place else {
                    return Err(refused("groups whose keys are not all shown")
                        .hint("add the keys to `select`"));
                };
                let column = query.columns.remove(place);
                query.columns.insert(at, column);
            }
            return Ok(count);
        }
        let Source::Object(object) = query.source else {
            return Err(refused("rows that are no records"));
        };
        let this = Column {
            name: self.object(object).singular.clone(),
            value: ColumnValue::Expr(Expr::this(object, span)),
        };
        query.columns.insert(0, this);
        Ok(1)
    }

    /// The rows that differ: keys, what became of each, and every value before and after.
    fn differences(&self, paired: Paired, span: &Span) -> Query {
        let keys = paired.keys;
        let all: Vec<(String, Type)> = paired
            .before
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty()))
            .collect();
        let values = all.len() - keys;
        let slot = |at: usize, ty: &Type| Expr::new(Node::Slot(at), ty.clone(), span);
        let shown = |name: String, value: Expr| Column {
            name,
            value: ColumnValue::Expr(value),
        };
        let (was, is) = (
            slot(keys + 2 * values, &Type::BOOLEAN),
            slot(keys + 2 * values + 1, &Type::BOOLEAN),
        );
        let mut columns: Vec<Column> = all[..keys]
            .iter()
            .enumerate()
            .map(|(at, (name, ty))| shown(name.clone(), slot(at, ty)))
            .collect();
        let word = |word: &str| Expr::constant(Value::text(word), Type::TEXT, span);
        let choice = |condition: Expr, yes: Expr, no: Expr| {
            let node = Node::Function {
                function: Function::If,
                arguments: vec![condition, yes, no],
            };
            Expr::new(node, Type::TEXT, span)
        };
        let stayed = choice(is.clone(), word("changed"), word("gone"));
        columns.push(shown(
            "change".to_owned(),
            choice(was.clone(), stayed, word("added")),
        ));
        let missing = |value: &Expr| {
            Expr::new(
                Node::IsMissing(Box::new(value.clone())),
                Type::BOOLEAN,
                span,
            )
        };
        let mut same = vec![was, is];
        for (at, (name, ty)) in all[keys..].iter().enumerate() {
            let (before, after) = (slot(keys + at, ty), slot(keys + values + at, ty));
            let equal = Node::Compare {
                comparison: Comparison::Equal,
                left: Box::new(before.clone()),
                right: Box::new(after.clone()),
            };
            let neither = and(vec![missing(&before), missing(&after)], span);
            let equal = Expr::new(equal, Type::BOOLEAN, span);
            same.push(Expr::new(
                Node::Or(vec![equal, neither]),
                Type::BOOLEAN,
                span,
            ));
            let change = difference(&before, &after, span);
            columns.push(shown(format!("{name}_before"), before));
            columns.push(shown(format!("{name}_after"), after));
            columns.extend(change.map(|change| shown(format!("{name}_change"), change)));
        }
        tell_apart(&mut columns);
        Query {
            filter: Some(not(and(same, span))),
            columns,
            ..Query::of(Source::Paired(Box::new(paired)))
        }
    }
}

/// What came to a quantity; without one it was, or is, nothing.
fn difference(before: &Expr, after: &Expr, span: &Span) -> Option<Expr> {
    use FieldType as F;
    let Type::Plain(ty) = &before.ty else {
        return None;
    };
    if !matches!(
        ty,
        F::Integer | F::Number | F::Money | F::Percent | F::Duration
    ) {
        return None;
    }
    let node = Node::Arithmetic {
        operator: Arithmetic::Subtract,
        left: Box::new(or_nothing(after.clone())),
        right: Box::new(or_nothing(before.clone())),
    };
    Some(Expr::new(node, before.ty.clone(), span))
}
