//! Queries: clauses in order, views and sub-queries as sources.

use super::binder::{Binder, and, cast};
use super::call::path_of;
use super::scope::{Base, GroupKey, GroupScope, Named, Scope, same};
use super::{
    Aggregate, Column, ColumnValue, Expr, Group, Limit, Nested, Node, OrderKey, Query, Source,
    Type, Window, WindowFunction,
};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind, Item};
use crate::value::{FieldType, ObjectId};
use std::cell::RefCell;
use std::collections::HashMap;

/// Columns of a result, and `let` names of a query, at most.
const COLUMNS_MAX: usize = 1_000;

/// A source with what it already says: a view's conditions, columns and order.
struct Start {
    base: Base,
    source: Source,
    filter: Vec<Expr>,
    columns: Vec<Column>,
    order: Vec<OrderKey>,
    names: Vec<Named>,
}

impl Binder<'_> {
    /// A whole query.
    pub(crate) fn query(&self, tree: &syntax::Query) -> Result<Query> {
        self.query_in(tree, None)
    }

    /// A sub-query, whose `outer` is `scope`.
    pub(super) fn subquery_of(&self, scope: &Scope<'_>, tree: &syntax::Query) -> Result<Query> {
        self.query_in(tree, Some(scope))
    }

    /// A sub-query as a value: the value of its one column, or the record of one row.
    pub(super) fn subquery(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Query,
        span: &Span,
    ) -> Result<Expr> {
        let (query, ty) = self.one_column(scope, tree, span)?;
        Ok(Expr::new(Node::Subquery(Box::new(query)), ty, span))
    }

    /// A sub-query of one column, and its type; without `select` the column is the record.
    pub(super) fn one_column(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Query,
        span: &Span,
    ) -> Result<(Query, Type)> {
        let mut query = self.subquery_of(scope, tree)?;
        let ty = if is_records(tree) && query.group.is_none() {
            self.record_column(&mut query, span)
        } else {
            None
        };
        let ty = match ty {
            Some(ty) => ty,
            None => self.single_column(&query, span)?,
        };
        Ok((query, ty))
    }

    /// Makes the record itself the only column of a query over records.
    pub(super) fn record_column(&self, query: &mut Query, span: &Span) -> Option<Type> {
        let Source::Object(object) = query.source else {
            return None;
        };
        let ty = Type::Plain(FieldType::Reference(object));
        let value = ColumnValue::Expr(Expr::new(Node::Id, ty.clone(), span));
        query.columns = vec![Column {
            name: self.object(object).singular.clone(),
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

    fn query_in(&self, tree: &syntax::Query, outer: Option<&Scope<'_>>) -> Result<Query> {
        let start = self.start(&tree.source)?;
        let mut records = Scope::new(start.base.clone());
        records.names = start.names;
        records.outer = outer.map(|scope| super::scope::Outer { scope, link: None });
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
        }
        let filter = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(and(conditions, &self.at(&tree.span))),
        };
        let mut query = Query {
            source: start.source,
            filter,
            group: None,
            having: None,
            columns: start.columns,
            order: start.order,
            limit: None,
            offset: None,
            unions: Vec::new(),
        };
        if tree.group.is_some() || self.has_aggregates(&records, tree) {
            self.grouped(&records, tree, &mut query)?;
        } else {
            self.rows(&mut records, tree, &mut query)?;
        }
        for other in &tree.unions {
            let other_query = self.query_in(other, outer)?;
            self.check_union(&query, &other_query, &self.at(&other.span))?;
            query.unions.push(other_query);
        }
        Ok(query)
    }

    /// `accounts "Acme"`, `accounts #42`
    fn key_condition(&self, scope: &Scope<'_>, key: &syntax::Expr) -> Result<Expr> {
        let span = &self.at(&key.span);
        let Some(object) = scope.object() else {
            return Err(
                Error::new(Code::Misplaced, "only records of an object have labels")
                    .at(span.clone())
                    .hint("use `where`"),
            );
        };
        let ty = Type::Plain(FieldType::Reference(object));
        let this = Expr::new(Node::Id, ty.clone(), span);
        let key = self.opposite(scope, key, &ty)?;
        self.comparison(Comparison::Equal, this, key, span)
    }

    fn start(&self, source: &syntax::Source) -> Result<Start> {
        let (name, arguments) = match source {
            syntax::Source::Query(tree) => {
                let query = self.query(tree)?;
                return Ok(self.start_of(query, tree, &tree.span));
            }
            syntax::Source::Named { path, .. } => {
                let [name] = path.as_slice() else {
                    let written: Vec<_> = path.iter().map(|name| name.text.as_str()).collect();
                    return Err(Error::new(
                        Code::UnknownObject,
                        format!("`{}` is no object", written.join(".")),
                    )
                    .at(self.at(&path[0].span))
                    .expected("an object or a view"));
                };
                (name, None)
            }
            syntax::Source::Call { name, arguments } => (name, Some(arguments.as_slice())),
        };
        if arguments.is_none()
            && let Some(object) = self.catalog.find_object(&name.text)
        {
            return Ok(self.start_object(object.id, &self.at(&name.span)));
        }
        self.start_view(name, arguments.unwrap_or(&[]))
    }

    fn start_object(&self, object: ObjectId, span: &Span) -> Start {
        let mut columns = Vec::new();
        let definition = self.object(object);
        let fields = definition.live_fields().map(|field| field.name.as_str());
        let shown: Vec<&str> = if definition.show.is_empty() {
            fields.collect()
        } else {
            definition.show.iter().map(String::as_str).collect()
        };
        for name in shown {
            let word = [syntax::Name {
                text: name.to_owned(),
                span: span.clone(),
            }];
            // A shown name whose definition has gone is left out.
            if let Ok(value) = self.object_path(object, &word, span) {
                columns.push(Column {
                    name: name.to_owned(),
                    value: ColumnValue::Expr(value),
                });
            }
        }
        Start {
            base: Base::Object(object),
            source: Source::Object(object),
            filter: Vec::new(),
            columns,
            order: Vec::new(),
            names: Vec::new(),
        }
    }

    fn start_view(&self, name: &syntax::Name, arguments: &[syntax::Expr]) -> Result<Start> {
        let span = self.at(&name.span);
        let Some(view) = self.catalog.find_view(&name.text) else {
            let objects = self
                .catalog
                .live_objects()
                .map(|object| object.name.as_str());
            let views = self.catalog.views.iter().map(|view| view.name.as_str());
            let error = Error::new(
                Code::UnknownObject,
                format!("there is no object or view `{}`", name.text),
            )
            .at(span)
            .near(&name.text, objects.chain(views));
            return Err(error);
        };
        if arguments.len() > view.parameters.len() {
            return Err(Error::new(
                Code::WrongArguments,
                format!(
                    "view `{}` takes {} argument(s)",
                    view.name,
                    view.parameters.len()
                ),
            )
            .at(span));
        }
        let mut known = HashMap::new();
        for (at, parameter) in view.parameters.iter().enumerate() {
            let ty = self.type_named(&parameter.ty)?;
            let tree = match (arguments.get(at), &parameter.default) {
                (Some(tree), _) => Some(tree.clone()),
                (None, Some(text)) => Some(syntax::parse_expression(text)?),
                (None, None) => None,
            };
            // Without an argument the parameter of the same name is asked for.
            let value = match tree {
                Some(tree) => self.argument(&tree, &ty)?,
                None => Expr::new(
                    Node::Parameter(parameter.name.clone()),
                    ty,
                    &self.at(&name.span),
                ),
            };
            known.insert(parameter.name.to_lowercase(), value);
        }
        self.expand(format!("view {}", view.name), &name.span, || {
            self.arguments.borrow_mut().push(known);
            let bound = syntax::parse_query(&view.text).and_then(|tree| {
                let query = self.query(&tree)?;
                Ok(self.start_of(query, &tree, &name.span))
            });
            self.arguments.borrow_mut().pop();
            bound
        })
    }

    /// An argument of a view in its parameter's type.
    fn argument(&self, tree: &syntax::Expr, ty: &Type) -> Result<Expr> {
        let bound = self.opposite(&Self::nothing(), tree, ty)?;
        let numeric = |ty: &Type| {
            matches!(
                ty,
                Type::Plain(
                    FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Money
                )
            )
        };
        if bound.ty == *ty || bound.ty == Type::Missing || numeric(&bound.ty) && numeric(ty) {
            return Ok(cast(bound, ty.clone()));
        }
        let message = format!(
            "{} where the view takes {}",
            self.describe(&bound.ty),
            self.describe(ty)
        );
        Err(Error::new(Code::TypeMismatch, message).at(bound.span))
    }

    /// The type a view parameter is declared with: a field type, or an object for its records.
    pub(super) fn type_named(&self, name: &str) -> Result<Type> {
        let ty = match name.to_lowercase().as_str() {
            "text" => FieldType::Text,
            "integer" => FieldType::Integer,
            "number" => FieldType::Number,
            "money" => FieldType::Money,
            "percent" => FieldType::Percent,
            "date" => FieldType::Date,
            "datetime" => FieldType::DateTime,
            "period" => FieldType::Period,
            "boolean" => FieldType::Boolean,
            "duration" => FieldType::Duration,
            other => {
                let object = other.strip_prefix("ref ").unwrap_or(other).trim();
                match self.catalog.find_object(object) {
                    Some(object) => FieldType::Reference(object.id),
                    None => {
                        return Err(Error::new(
                            Code::UnknownObject,
                            format!("`{name}` is no type of a parameter"),
                        )
                        .expected(
                            "text, integer, number, money, percent, date, datetime, \
                            period, boolean, duration or ref and an object",
                        ));
                    }
                }
            }
        };
        Ok(Type::Plain(ty))
    }

    /// What stands on a bound query: its records where it only chooses and shows them, else its
    /// rows.
    fn start_of(&self, query: Query, tree: &syntax::Query, span: &Span) -> Start {
        let simple = query.group.is_none()
            && query.having.is_none()
            && query.limit.is_none()
            && query.offset.is_none()
            && query.unions.is_empty()
            && query
                .columns
                .iter()
                .all(|c| matches!(c.value, ColumnValue::Expr(_)));
        let base = match (&query.source, simple) {
            (Source::Object(object), true) => Base::Object(*object),
            _ => {
                let slots = query
                    .columns
                    .iter()
                    .map(|c| (c.name.clone(), c.ty()))
                    .collect();
                let columns = query
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| Column {
                        name: column.name.clone(),
                        value: ColumnValue::Expr(Expr::new(
                            Node::Slot(at),
                            column.ty(),
                            &self.at(span),
                        )),
                    })
                    .collect();
                return Start {
                    base: Base::Slots(slots),
                    source: Source::Query(Box::new(query)),
                    filter: Vec::new(),
                    columns,
                    order: Vec::new(),
                    names: Vec::new(),
                };
            }
        };
        // Computed columns of the view are names for what stands on it.
        let Base::Object(object) = base else {
            unreachable!("rows returned above")
        };
        let definition = self.object(object);
        let mut names = Vec::new();
        if !tree.select.is_empty() {
            for column in &query.columns {
                if let ColumnValue::Expr(value) = &column.value
                    && definition.find_field(&column.name).is_none()
                    && definition.find_formula(&column.name).is_none()
                {
                    names.push(Named {
                        name: column.name.clone(),
                        value: value.clone(),
                        weight: 1,
                    });
                }
            }
        }
        Start {
            base: Base::Object(object),
            source: query.source,
            filter: query.filter.into_iter().collect(),
            columns: query.columns,
            order: query.order,
            names,
        }
    }

    /// Whether a query without `group by` has an aggregate over its rows.
    fn has_aggregates(&self, scope: &Scope<'_>, tree: &syntax::Query) -> bool {
        let mut found = false;
        let mut look = |expr: &syntax::Expr| {
            visit_calls(expr, &mut |call| {
                found |= self.is_group_aggregate(scope, call)
            });
        };
        for item in &tree.select {
            if let Item::Value { value, .. } = item {
                match window(value) {
                    Some((_, arguments)) => arguments.iter().for_each(&mut look),
                    None => look(value),
                }
            }
        }
        tree.having.iter().for_each(&mut look);
        found
    }

    /// A query whose rows are records.
    fn rows(&self, scope: &mut Scope<'_>, tree: &syntax::Query, query: &mut Query) -> Result<()> {
        if !tree.select.is_empty() {
            query.columns = self.items(scope, &tree.select)?;
        }
        self.tail(scope, tree, query)
    }

    /// A query whose rows are groups.
    fn grouped(&self, records: &Scope<'_>, tree: &syntax::Query, query: &mut Query) -> Result<()> {
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
            if matches!(bound.ty, Type::List(_) | Type::Nested | Type::Tags(..)) {
                let is = self.describe(&bound.ty);
                return Err(Error::new(Code::TypeMismatch, format!("`{key}` is {is}"))
                    .at(bound.span)
                    .expected("one value a record to group by"));
            }
            let bound = super::binder::to_base(bound);
            let name = alias
                .as_ref()
                .map_or_else(|| column_name(key), |name| name.text.clone());
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
            };
            let counted = self.call(&scope, &count, &tree.span)?;
            columns.push(Column {
                name: "count".to_owned(),
                value: ColumnValue::Expr(counted),
            });
            query.columns = columns;
        } else {
            query.columns = self.items(&mut scope, &tree.select)?;
        }
        self.tail(&scope, tree, query)?;
        let aggregates = scope.group.map(|group| group.aggregates.into_inner());
        let aggregates: Vec<Aggregate> = aggregates
            .unwrap_or_default()
            .into_iter()
            .map(|(_, aggregate)| aggregate)
            .collect();
        query.group = Some(Group {
            keys: exprs,
            aggregates,
            totals: group.is_some_and(|group| group.totals),
            rollup: group.is_some_and(|group| group.rollup),
            empty: group.is_some_and(|group| group.empty),
        });
        Ok(())
    }

    /// `having`, `order by`, `limit` and `offset`.
    fn tail(&self, scope: &Scope<'_>, tree: &syntax::Query, query: &mut Query) -> Result<()> {
        if let Some(having) = &tree.having {
            query.having = Some(self.condition(scope, having)?);
        }
        if !tree.order.is_empty() {
            query.order = self.order(scope, &tree.order)?;
        }
        if let Some(limit) = &tree.limit {
            let mut per = Vec::new();
            for key in &limit.per {
                per.push(super::binder::to_base(self.expr(scope, key)?));
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
    fn count(&self, tree: &syntax::Expr) -> Result<Expr> {
        let bound = cast_parameter(self.expr(&Self::nothing(), tree)?, &Type::INTEGER);
        let negative =
            matches!(bound.as_constant(), Some(crate::value::Value::Integer(n)) if *n < 0);
        if bound.ty != Type::INTEGER || negative {
            return Err(
                Error::new(Code::TypeMismatch, format!("`{tree}` is no number of rows"))
                    .at(bound.span)
                    .expected("a whole number from 0, or a parameter"),
            );
        }
        Ok(bound)
    }

    fn order(&self, scope: &Scope<'_>, keys: &[syntax::OrderKey]) -> Result<Vec<OrderKey>> {
        let mut order = Vec::new();
        for key in keys {
            order.extend(self.order_keys(self.expr(scope, &key.value)?, key.descending)?);
        }
        Ok(order)
    }

    /// The items of `select`; aliases hold in later items.
    fn items(&self, scope: &mut Scope<'_>, items: &[Item]) -> Result<Vec<Column>> {
        if items.len() > COLUMNS_MAX {
            let message = format!("a result has at most {COLUMNS_MAX} columns");
            return Err(Error::new(Code::Limit, message));
        }
        let mut columns = Vec::new();
        for item in items {
            match item {
                Item::All(span) => self.all_fields(scope, span, &mut columns)?,
                Item::Nested(nested) => columns.push(self.nested(scope, nested)?),
                Item::Value { value, alias } => {
                    let name = alias
                        .as_ref()
                        .map_or_else(|| column_name(value), |a| a.text.clone());
                    let (bound, weight) = self.weighed(|| match window(value) {
                        Some((function, arguments)) => {
                            self.window(scope, function, arguments, value)
                        }
                        None => self.expr(scope, value).map(ColumnValue::Expr),
                    })?;
                    if let (Some(alias), ColumnValue::Expr(bound)) = (alias, &bound) {
                        scope.aliases.push(Named {
                            name: alias.text.clone(),
                            value: bound.clone(),
                            weight,
                        });
                    }
                    columns.push(Column { name, value: bound });
                }
            }
        }
        Ok(columns)
    }

    fn all_fields(&self, scope: &Scope<'_>, span: &Span, columns: &mut Vec<Column>) -> Result<()> {
        match &scope.base {
            Base::Object(object) => {
                for field in self.object(*object).live_fields() {
                    let value = ColumnValue::Expr(self.column(*object, field.id, span));
                    columns.push(Column {
                        name: field.name.clone(),
                        value,
                    });
                }
                Ok(())
            }
            Base::Slots(slots) => {
                for (at, (name, ty)) in slots.iter().enumerate() {
                    let value = ColumnValue::Expr(Expr::new(Node::Slot(at), ty.clone(), span));
                    columns.push(Column {
                        name: name.clone(),
                        value,
                    });
                }
                Ok(())
            }
            Base::Nothing => Err(
                Error::new(Code::Misplaced, "a group has no fields of its own")
                    .at(self.at(span))
                    .expected("group keys and aggregates"),
            ),
        }
    }

    fn window(
        &self,
        scope: &Scope<'_>,
        function: WindowFunction,
        arguments: &[syntax::Expr],
        tree: &syntax::Expr,
    ) -> Result<ColumnValue> {
        let takes = usize::from(function != WindowFunction::Rank);
        if arguments.len() != takes {
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{tree}` needs {takes} argument(s)"),
            )
            .at(self.at(&tree.span)));
        }
        let argument = match arguments.first() {
            Some(argument) => Some(super::binder::to_base(self.expr(scope, argument)?)),
            None => None,
        };
        let ty = match (&argument, function) {
            (None, _) => Type::INTEGER,
            (Some(_), WindowFunction::Growth) => Type::Plain(FieldType::Percent),
            (Some(argument), WindowFunction::Previous) => argument.ty.clone(),
            (Some(argument), _) => match &argument.ty {
                ty @ Type::Plain(
                    FieldType::Integer
                    | FieldType::Number
                    | FieldType::Money
                    | FieldType::Percent
                    | FieldType::Duration,
                ) => ty.clone(),
                other => {
                    let is = self.describe(other);
                    return Err(
                        Error::new(Code::TypeMismatch, format!("`{tree}` is over {is}"))
                            .at(argument.span.clone())
                            .expected("a number, an amount or a duration"),
                    );
                }
            },
        };
        Ok(ColumnValue::Window(Window {
            function,
            argument,
            ty,
        }))
    }

    /// Records of a collection inside each row.
    fn nested(&self, scope: &Scope<'_>, tree: &syntax::Nested) -> Result<Column> {
        let written: Vec<_> = tree.path.iter().map(|name| name.text.as_str()).collect();
        let written = written.join(".");
        let span = tree.path.first().map_or(0..0, |name| self.at(&name.span));
        let joined = self.joined(scope, &tree.path, &span)?;
        let Some(joined) = joined.filter(|joined| joined.rest.is_empty() && joined.lead.is_none())
        else {
            let error = Error::new(
                Code::UnknownObject,
                format!("`{written}` is no collection here"),
            )
            .at(span);
            let all = scope
                .object()
                .map(|id| self.catalog.collections(id))
                .unwrap_or_default();
            return Err(error.near(&written, all.iter().map(|c| c.name.as_str())));
        };
        let link = Some((joined.owner.clone(), joined.base));
        let mut inner = Scope::inside(joined.object, scope, link);
        let filter = match &tree.filter {
            Some(filter) => Some(self.condition(&inner, filter)?),
            None => None,
        };
        let columns = self.items(&mut inner, &tree.select)?;
        let order = self.order(&inner, &tree.order)?;
        let limit = match &tree.limit {
            Some(limit) => Some(self.count(limit)?),
            None => None,
        };
        let nested = Nested {
            object: joined.object,
            owner: joined.owner,
            filter,
            columns,
            order,
            limit,
        };
        let name = tree
            .alias
            .as_ref()
            .map_or(written, |alias| alias.text.clone());
        Ok(Column {
            name,
            value: ColumnValue::Nested(Box::new(nested)),
        })
    }

    fn check_union(&self, one: &Query, other: &Query, span: &Span) -> Result<()> {
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
            if a.ty() != b.ty() {
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

impl Column {
    pub(crate) fn ty(&self) -> Type {
        match &self.value {
            ColumnValue::Expr(value) => value.ty.clone(),
            ColumnValue::Window(window) => window.ty.clone(),
            ColumnValue::Nested(_) => Type::Nested,
        }
    }
}

/// Whether a query's rows are the records themselves.
fn is_records(tree: &syntax::Query) -> bool {
    tree.select.is_empty() && tree.group.is_none() && tree.unions.is_empty()
}

/// A parameter without a type takes `ty`.
fn cast_parameter(value: Expr, ty: &Type) -> Expr {
    if matches!(value.node, Node::Parameter(_)) {
        cast(value, ty.clone())
    } else {
        value
    }
}

/// The heading of an item without an alias: its text, `count` for `count()`.
fn column_name(tree: &syntax::Expr) -> String {
    match &tree.kind {
        ExprKind::Call(call) if call.arguments.is_empty() && call.filter.is_none() => {
            call.name.text.to_lowercase()
        }
        _ => match path_of(tree) {
            Some(names) => {
                let names: Vec<_> = names
                    .iter()
                    .map(|name| name.text.as_str())
                    .filter(|name| !same(name, "this"))
                    .collect();
                names.join(".")
            }
            None => tree.to_string(),
        },
    }
}

/// The function over a result's rows that a call names, and its arguments.
fn window(tree: &syntax::Expr) -> Option<(WindowFunction, &[syntax::Expr])> {
    let ExprKind::Call(call) = &tree.kind else {
        return None;
    };
    let function = match call.name.text.to_lowercase().as_str() {
        "total" => WindowFunction::Total,
        "rank" => WindowFunction::Rank,
        "running" => WindowFunction::Running,
        "previous" => WindowFunction::Previous,
        "growth" => WindowFunction::Growth,
        _ => return None,
    };
    Some((function, &call.arguments))
}

/// Visits the calls of an expression, outermost first, not those inside a call's parentheses
/// once it is an aggregate, nor those of sub-queries.
fn visit_calls(tree: &syntax::Expr, visit: &mut dyn FnMut(&syntax::Call)) {
    match &tree.kind {
        ExprKind::Call(call) => {
            visit(call);
            call.arguments
                .iter()
                .for_each(|argument| visit_calls(argument, visit));
        }
        ExprKind::Binary { left, right, .. } => {
            visit_calls(left, visit);
            visit_calls(right, visit);
        }
        ExprKind::Not(inner) | ExprKind::Negate(inner) => visit_calls(inner, visit),
        ExprKind::In { value, list, .. } => {
            visit_calls(value, visit);
            visit_calls(list, visit);
        }
        ExprKind::Between {
            value, low, high, ..
        } => {
            visit_calls(value, visit);
            visit_calls(low, visit);
            visit_calls(high, visit);
        }
        ExprKind::Is { value, .. } => visit_calls(value, visit),
        ExprKind::List(items) => items.iter().for_each(|item| visit_calls(item, visit)),
        ExprKind::Literal(_) | ExprKind::Parameter(_) | ExprKind::Path(_) | ExprKind::Query(_) => {}
    }
}
