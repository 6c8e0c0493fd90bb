//! Queries: clauses in order, views and sub-queries as sources.

use super::binder::{Binder, and, cast};
use super::money::Frames;
use super::scope::{Base, Link, Named, Outer, Scope, correlated};
use super::{
    Column, ColumnValue, Duplicates, Expr, Find, History, Limit, Node, OrderKey, Query, Source,
    Type,
};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self};
use crate::value::{FieldType, Value};
use std::cell::RefCell;

/// Columns of a result, and `let` names of a query, at most.
pub(super) const COLUMNS_MAX: usize = 1_000;

impl Binder<'_> {
    /// A whole query.
    pub(crate) fn query(&self, tree: &syntax::Query) -> Result<Query> {
        // A view alone is what it says, with its totals.
        if let (true, Some((name, arguments))) = (is_source(tree), self.view_of(&tree.source)) {
            return self.viewed(name, arguments, |tree| self.query(tree));
        }
        self.query_in(tree, None).map(|(query, _)| query)
    }

    /// A sub-query as a value: the value of its one column, or the record of one row.
    pub(super) fn subquery(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Query,
        span: &Span,
    ) -> Result<Expr> {
        let given = RefCell::default();
        let (mut query, ty, frames) = self.one_column(scope, &given, tree, span)?;
        self.columns_to_base(&mut query, &frames);
        let body = Expr::new(Node::Subquery(Box::new(query)), ty, span);
        Ok(correlated(body, given))
    }

    /// A sub-query of one column, and its type; without `select` the column is the record.
    pub(super) fn one_column(
        &self,
        scope: &Scope<'_>,
        given: &RefCell<Vec<Expr>>,
        tree: &syntax::Query,
        span: &Span,
    ) -> Result<(Query, Type, Frames)> {
        let (mut query, frames) = self.query_in(tree, Some((scope, given)))?;
        query.without_totals();
        let one = frames.shown && query.columns.len() == 1;
        let ty = if is_records(tree) && query.group.is_none() && !one {
            self.record_column(&mut query, span)
        } else {
            None
        };
        let ty = match ty {
            Some(ty) => ty,
            None => self.single_column(&query, span)?,
        };
        Ok((query, ty, frames))
    }

    /// Makes the record itself the only column of a query over records.
    pub(super) fn record_column(&self, query: &mut Query, span: &Span) -> Option<Type> {
        let (node, ty, name) = match &query.source {
            Source::Object(object) => {
                let name = self.object(*object).singular.as_str();
                (Node::Id, Type::Plain(FieldType::Reference(*object)), name)
            }
            Source::Find(find) => (Node::Slot(Find::RECORD), find.record(), "record"),
            Source::History(history) => {
                let record = Type::Plain(FieldType::Reference(history.object));
                (Node::Slot(History::RECORD), record, "record")
            }
            Source::Duplicates(duplicates) => {
                let record = Type::Plain(FieldType::Reference(duplicates.object));
                (Node::Slot(Duplicates::RECORD), record, "record")
            }
            Source::Query(_) | Source::Paired(_) | Source::Life(_) => return None,
        };
        let value = ColumnValue::Expr(Expr::new(node, ty.clone(), span));
        query.columns = vec![Column {
            name: name.to_owned(),
            value,
        }];
        Some(ty)
    }

    /// The type of a query's one column; without `select` that is the record.
    pub(super) fn single_column(&self, query: &Query, span: &Span) -> Result<Type> {
        match query.columns.as_slice() {
            [column] => Ok(column.ty()),
            columns => Err(Error::new(
                Code::Misplaced,
                format!("a query used as a value has {} columns", columns.len()),
            )
            .at(span.clone())
            .expected("one column")
            .hint("end it with `select` and one item")),
        }
    }

    pub(super) fn query_in(
        &self,
        tree: &syntax::Query,
        outer: Option<(&Scope<'_>, &RefCell<Vec<Expr>>)>,
    ) -> Result<(Query, Frames)> {
        let pages = self.pages.take();
        if let (Some(after), false) = (&tree.after, pages) {
            return Err(
                Error::new(Code::Misplaced, "`after` stands in a query inside another")
                    .at(self.at(&after.span))
                    .expected("it at the end of the whole statement"),
            );
        }
        let (mut query, mut frames) = match &tree.as_of {
            None => self.without_unions(tree, outer)?,
            Some(as_of) => {
                let (query, frames) = self.in_past(|| self.without_unions(tree, outer))?;
                let query = Query {
                    as_of: Some(self.as_of(as_of)?),
                    views: self.views(),
                    ..query
                };
                (query, frames)
            }
        };
        for other in &tree.unions {
            let (other_query, below) = self.query_in(other, outer)?;
            self.check_union(&query, &other_query, &self.at(&other.span))?;
            query.unions.push(other_query);
            frames.unions.push(below);
        }
        if !query.unions.is_empty() {
            query.without_totals();
        }
        Ok((query, frames))
    }

    /// A query without those stacked below it, at no other moment.
    fn without_unions(
        &self,
        tree: &syntax::Query,
        outer: Option<(&Scope<'_>, &RefCell<Vec<Expr>>)>,
    ) -> Result<(Query, Frames)> {
        let start = self.start(&tree.source)?;
        let mut records = Scope::new(start.base.clone());
        let shown = start.shown.is_some() || !tree.select.is_empty();
        records.shown = start.shown;
        records.outer = outer.map(|(scope, given)| Outer {
            scope,
            link: Link::Given(given),
        });
        let mut conditions = start.filter;
        if let syntax::Source::Named { key: Some(key), .. } = &tree.source {
            conditions.push(self.key_condition(&records, key)?);
        }
        if tree.lets.len() > COLUMNS_MAX {
            let message = format!("a query gives at most {COLUMNS_MAX} names by `let`");
            return Err(Error::new(Code::Limit, message));
        }
        for binding in &tree.lets {
            let (value, weight) = self.weighed(|| self.expr(&records, &binding.value))?;
            if self.knows(&records, &binding.name) {
                return Err(Error::new(
                    Code::AmbiguousName,
                    format!("`{}` is already a name here", binding.name.text),
                )
                .at(self.at(&binding.name.span))
                .hint("give the `let` another name"));
            }
            records.names.push(Named {
                name: binding.name.text.clone(),
                value,
                weight,
            });
        }
        if let Some(filter) = &tree.filter {
            conditions.push(self.condition(&records, filter)?);
            self.learn(&records, filter);
        }
        let filter = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(and(conditions, &self.at(&tree.span))),
        };
        let mut query = Query {
            filter,
            columns: start.columns,
            order: start.order,
            ..Query::of(start.source)
        };
        let mut frames = Frames {
            base: start.base,
            shown,
            unions: Vec::new(),
        };
        if tree.group.is_some() || self.has_aggregates(&records, tree) {
            self.grouped(&records, tree, &mut query)?;
            frames.base = Base::Nothing;
        } else {
            self.rows(&mut records, tree, &mut query)?;
        }
        Ok((query, frames))
    }

    /// `as of 2026-03-31`, `as of last month`
    pub(super) fn as_of(&self, tree: &syntax::Expr) -> Result<Expr> {
        let moment = self.expr(&Self::nothing(), tree)?;
        if moment.ty == Type::Missing {
            return Ok(cast(moment, Type::DATETIME));
        }
        let moment = self.retype(moment, &Type::PERIOD);
        self.check_moment(&moment, tree)?;
        Ok(moment)
    }

    pub(super) fn check_moment(&self, moment: &Expr, tree: &syntax::Expr) -> Result<()> {
        if matches!(moment.ty, Type::DATE | Type::DATETIME) || moment.ty.is_period() {
            return Ok(());
        }
        let is = self.describe(&moment.ty);
        Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
            .at(moment.span.clone())
            .expected("a day, a moment or a period of the past")
            .hint("for example `as of 2026-03-31`, `as of last month`"))
    }

    /// `accounts "Acme"`, `accounts #42`
    pub(super) fn key_condition(&self, scope: &Scope<'_>, key: &syntax::Expr) -> Result<Expr> {
        let span = &self.at(&key.span);
        let Some(object) = scope.object() else {
            return Err(
                Error::new(Code::Misplaced, "only records of an object have labels")
                    .at(span.clone())
                    .hint("use `where`"),
            );
        };
        let ty = Type::Plain(FieldType::Reference(object));
        self.is_record(scope, key, ty, span)
    }

    /// Whether a record is the one of `ty` that a label or id names; nobody's is an error.
    pub(super) fn is_record(
        &self,
        scope: &Scope<'_>,
        key: &syntax::Expr,
        ty: Type,
        span: &Span,
    ) -> Result<Expr> {
        let named = self.opposite(scope, key, &ty)?;
        let this = Expr::new(Node::Id, ty, span);
        self.comparison(scope, Comparison::Equal, this, named, span)
    }

    /// A query whose rows are records.
    pub(super) fn rows(
        &self,
        scope: &mut Scope<'_>,
        tree: &syntax::Query,
        query: &mut Query,
    ) -> Result<()> {
        if !tree.select.is_empty() {
            query.columns = self.over_rows(scope, |scope| self.items(scope, &tree.select))?;
        }
        self.tail(scope, tree, query)
    }

    /// `having`, `order by`, `limit` and `offset`.
    pub(super) fn tail(
        &self,
        scope: &mut Scope<'_>,
        tree: &syntax::Query,
        query: &mut Query,
    ) -> Result<()> {
        if let Some(having) = &tree.having {
            let having = self.condition(scope, having)?;
            self.check_own_row(&having, "having")?;
            query.having = Some(having);
        }
        if !tree.order.is_empty() {
            query.order = self.over_rows(scope, |scope| self.order(scope, &tree.order))?;
            self.check_order(&query.order)?;
        }
        if let Some(limit) = &tree.limit {
            let mut per = Vec::new();
            for key in &limit.per {
                let key = self.one_value(self.expr(scope, key)?, key)?;
                let key = self.to_base(scope, key);
                self.check_own_row(&key, "per")?;
                per.push(key);
            }
            let count = self.count(&limit.count)?;
            query.limit = Some(Limit {
                count,
                per,
                with_ties: limit.with_ties,
            });
        }
        if let Some(offset) = &tree.offset {
            query.offset = Some(self.count(offset)?);
        }
        Ok(())
    }

    /// A number of rows: a whole number or a parameter.
    pub(super) fn count(&self, tree: &syntax::Expr) -> Result<Expr> {
        let bound = cast_parameter(self.expr(&Self::nothing(), tree)?, &Type::INTEGER);
        let negative = matches!(bound.as_constant(), Some(Value::Integer(n)) if *n < 0);
        if bound.ty != Type::INTEGER || negative {
            return Err(
                Error::new(Code::TypeMismatch, format!("`{tree}` is no number of rows"))
                    .at(bound.span)
                    .expected("a whole number from 0, or a parameter"),
            );
        }
        Ok(bound)
    }

    pub(super) fn order(
        &self,
        scope: &Scope<'_>,
        keys: &[syntax::OrderKey],
    ) -> Result<Vec<OrderKey>> {
        let mut order = Vec::new();
        for key in keys {
            if let syntax::ExprKind::Literal(_) = key.value.kind {
                let message = format!("`{}` is the same for every row", key.value);
                return Err(Error::new(Code::Misplaced, message)
                    .at(self.at(&key.value.span))
                    .expected("a field, or a name given in `select`")
                    .hint("columns are named, not counted"));
            }
            order.extend(self.order_keys(scope, self.expr(scope, &key.value)?, key.descending)?);
        }
        Ok(order)
    }

    pub(super) fn check_union(&self, one: &Query, other: &Query, span: &Span) -> Result<()> {
        if one.columns.len() != other.columns.len() {
            return Err(Error::new(
                Code::TypeMismatch,
                format!(
                    "the queries have {} and {} columns",
                    one.columns.len(),
                    other.columns.len()
                ),
            )
            .at(span.clone())
            .expected("results of the same shape on both sides of `union`"));
        }
        for (a, b) in one.columns.iter().zip(&other.columns) {
            let (above, below) = (a.ty(), b.ty());
            if above != below && !(above.is_period() && below.is_period()) {
                let message = format!(
                    "column `{}` is {} above and {} below",
                    a.name,
                    self.describe(&a.ty()),
                    self.describe(&b.ty())
                );
                return Err(Error::new(Code::TypeMismatch, message).at(span.clone()));
            }
        }
        Ok(())
    }
}

/// Whether a query's rows are the records themselves.
fn is_records(tree: &syntax::Query) -> bool {
    tree.select.is_empty() && tree.group.is_none() && tree.unions.is_empty()
}

/// Whether a query is a source alone.
fn is_source(tree: &syntax::Query) -> bool {
    let clauses = [
        &tree.as_of,
        &tree.filter,
        &tree.having,
        &tree.offset,
        &tree.after,
    ];
    is_records(tree)
        && tree.lets.is_empty()
        && tree.order.is_empty()
        && tree.limit.is_none()
        && clauses.iter().all(|clause| clause.is_none())
}

/// A parameter without a type takes `ty`.
fn cast_parameter(value: Expr, ty: &Type) -> Expr {
    if matches!(value.node, Node::Parameter(_)) {
        cast(value, ty.clone())
    } else {
        value
    }
}
