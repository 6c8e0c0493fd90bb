//! Sources: what a query reads, and what a view or sub-query below it already says.

use super::binder::{Binder, cast};
use super::money::Frames;
use super::scope::{Base, Slot};
use super::{Column, ColumnValue, Expr, Meant, Node, OrderKey, Query, Source, Type, ascending};
use crate::catalog::Object;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self};
use crate::value::{FieldType, ObjectId};
use std::collections::HashMap;

/// A source with what it already says: a view's conditions, columns and order.
pub(super) struct Start {
    pub base: Base,
    pub source: Source,
    pub filter: Vec<Expr>,
    pub columns: Vec<Column>,
    pub order: Vec<OrderKey>,
    /// The columns by which alone the records are known.
    pub shown: Option<Vec<Column>>,
}

impl Start {
    /// A source of rows that are no records, with these columns.
    pub(super) fn of_columns(
        columns: impl IntoIterator<Item = (impl Into<String>, Type)>,
        source: Source,
        span: &Span,
    ) -> Self {
        let slots: Vec<Slot> = columns
            .into_iter()
            .map(|(name, ty)| Slot::new(name.into(), ty))
            .collect();
        let columns = slots.iter().enumerate().map(|(at, slot)| Column {
            name: slot.name.clone(),
            value: ColumnValue::Expr(Expr::new(Node::Slot(at), slot.ty.clone(), span)),
        });
        Self {
            columns: columns.collect(),
            base: Base::Slots(slots),
            source,
            filter: Vec::new(),
            order: Vec::new(),
            shown: None,
        }
    }
}

impl Binder<'_> {
    /// The object of this name.
    pub(super) fn named_object(&self, name: &syntax::Name) -> Result<&Object> {
        let object = self.catalog.find_object(&name.text).ok_or_else(|| {
            let names = self.catalog.live_objects().map(|o| o.name.as_str());
            let message = format!("there is no object `{}`", name.text);
            Error::new(Code::UnknownObject, message)
                .at(self.at(&name.span))
                .near(&name.text, names)
        })?;
        self.mention(Meant::Object(object.id), &name.span);
        Ok(object)
    }

    pub(super) fn start(&self, source: &syntax::Source) -> Result<Start> {
        let (name, arguments) = match source {
            syntax::Source::Query(tree) => {
                let (query, frames) = self.query_in(tree, None)?;
                return self.start_of(query, &frames, &tree.span);
            }
            syntax::Source::Named { path, .. } => {
                let [name] = path.as_slice() else {
                    let written: Vec<_> = path.iter().map(|name| name.text.as_str()).collect();
                    return Err(Error::new(
                        Code::UnknownObject,
                        format!("`{}` is no object", written.join(".")),
                    )
                    .at(self.at(&path[0].span))
                    .expected("an object or a view")
                    .hint(format!(
                        "to show a field write `{} select {}`",
                        written[0],
                        written[1..].join(".")
                    )));
                };
                (name, None)
            }
            syntax::Source::Find { text, objects } => return self.find(text, objects),
            syntax::Source::Life { object, key } => return self.life(object, key),
            syntax::Source::Compare { query, period } => return self.compared(query, period),
            syntax::Source::Duplicates { of, rule } => {
                return self.duplicates(of, rule.as_deref());
            }
            syntax::Source::History { kind, path } => return self.history_of(*kind, path),
            syntax::Source::Call { name, arguments } => (name, Some(arguments.as_slice())),
        };
        if arguments.is_none()
            && let Some(object) = self.catalog.find_object(&name.text)
        {
            self.mention(Meant::Object(object.id), &name.span);
            return Ok(self.start_object(object.id, &self.at(&name.span)));
        }
        self.viewed(name, arguments.unwrap_or(&[]), |tree| {
            let (query, frames) = self.query_in(tree, None)?;
            self.start_of(query, &frames, &name.span)
        })
    }

    /// The view that a source names, with the arguments given to it.
    pub(super) fn view_of<'t>(
        &self,
        source: &'t syntax::Source,
    ) -> Option<(&'t syntax::Name, &'t [syntax::Expr])> {
        let (name, arguments) = match source {
            syntax::Source::Named { path, key: None } => match path.as_slice() {
                [name] if self.catalog.find_object(&name.text).is_none() => (name, &[][..]),
                _ => return None,
            },
            syntax::Source::Call { name, arguments } => (name, arguments.as_slice()),
            _ => return None,
        };
        let view = self.catalog.find_view(&name.text);
        view.map(|_| (name, arguments))
    }

    pub(super) fn start_object(&self, object: ObjectId, span: &Span) -> Start {
        let mut columns = Vec::new();
        let definition = self.object(object);
        let fields = definition.live_fields().map(|field| field.name.as_str());
        let shown: Vec<&str> = if definition.show.is_empty() {
            fields.collect()
        } else {
            definition.show.iter().map(String::as_str).collect()
        };
        // The text does not say these names.
        let before = self.place.replace(Some(span.clone()));
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
        self.place.replace(before);
        Start {
            base: Base::Object(object),
            source: Source::Object(object),
            filter: Vec::new(),
            columns,
            order: Vec::new(),
            shown: None,
        }
    }

    /// What `bind` makes of a view's query, with the view's parameters known.
    pub(super) fn viewed<T>(
        &self,
        name: &syntax::Name,
        arguments: &[syntax::Expr],
        bind: impl FnOnce(&syntax::Query) -> Result<T>,
    ) -> Result<T> {
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
            .at(span);
            let function = super::aggregate::aggregate(&name.text).is_some()
                || super::foreign::is_function(&name.text);
            return Err(match name.text.to_lowercase().as_str() {
                "help" | "quit" | "exit" => error.hint(format!("the shell knows `.{}`", name.text)),
                "find" => error.hint("to search all text, write `find \"two words\"`"),
                _ if function => error.hint(format!(
                    "what is read comes first: `OBJECT select {}(...)`",
                    name.text
                )),
                _ => error.near(&name.text, objects.chain(views)),
            });
        };
        self.mention(Meant::View(view.name.clone()), &name.span);
        if arguments.len() > view.parameters.len() {
            return Err(Error::new(
                Code::WrongArguments,
                format!(
                    "view `{}` takes {}, and has {} here",
                    view.name,
                    match view.parameters.len() {
                        0 => "no arguments".to_owned(),
                        1 => "one argument".to_owned(),
                        count => format!("{count} arguments"),
                    },
                    arguments.len()
                ),
            )
            .at(span));
        }
        for argument in arguments {
            let syntax::ExprKind::Binary {
                op: syntax::BinaryOp::Equal,
                left,
                right,
            } = &argument.kind
            else {
                continue;
            };
            let name = match &left.kind {
                syntax::ExprKind::Path(names) if names.len() == 1 => &names[0].text,
                syntax::ExprKind::Parameter(name) => name,
                _ => continue,
            };
            let parameters: Vec<_> = view
                .parameters
                .iter()
                .map(|p| format!("${}", p.name))
                .collect();
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{name} = {right}` names an argument, and they go by their place"),
            )
            .at(self.at(&argument.span))
            .expected("values alone")
            .hint(format!(
                "its parameters: {}({})",
                view.name,
                parameters.join(", ")
            )));
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
                Some(tree) => self.argument(&tree, &ty, &parameter.name)?,
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
            let bound = syntax::parse_query(&view.text).and_then(|tree| bind(&tree));
            self.arguments.borrow_mut().pop();
            bound
        })
    }

    /// An argument of a view in its parameter's type.
    pub(super) fn argument(&self, tree: &syntax::Expr, ty: &Type, name: &str) -> Result<Expr> {
        let bound = self.opposite(&Self::nothing(), tree, ty)?;
        let numeric = |ty: &Type| {
            matches!(
                ty,
                Type::Plain(
                    FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Money
                )
            )
        };
        if bound.ty.is_period() && ty.is_period() {
            return Ok(bound);
        }
        if bound.ty == *ty || bound.ty == Type::Missing || numeric(&bound.ty) && numeric(ty) {
            return Ok(cast(bound, ty.clone()));
        }
        let message = format!(
            "`${name}` is {}, and `{tree}` is {}",
            self.describe(ty),
            self.describe(&bound.ty)
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
                match self.catalog.find_object(&syntax::spoken_name(object)) {
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
    pub(super) fn start_of(&self, mut query: Query, frames: &Frames, span: &Span) -> Result<Start> {
        let over_rows = |column: &Column| match &column.value {
            ColumnValue::Expr(value) => value.is_over_rows(),
            ColumnValue::Nested(_) => false,
        };
        let simple = query.group.is_none()
            && query.as_of.is_none()
            && query.having.is_none()
            && query.unions.is_empty()
            && !query.columns.iter().any(over_rows);
        if let (Source::Object(object), true) = (&query.source, simple) {
            let filter = match query.limit.is_some() || query.offset.is_some() {
                true => Some(chosen(&query, *object, &self.at(span))),
                false => query.filter,
            };
            let per = query.limit.iter().flat_map(|limit| &limit.per);
            let mut order = ascending(per, self.catalog);
            order.extend(query.order);
            return Ok(Start {
                base: Base::Object(*object),
                shown: frames.shown.then(|| query.columns.clone()),
                source: query.source,
                filter: filter.into_iter().collect(),
                columns: query.columns,
                order,
            });
        }
        let is_list = |column: &&Column| matches!(column.value, ColumnValue::Nested(_));
        if let Some(list) = query.columns.iter().find(is_list) {
            let message = format!("another query cannot read the list `{}`", list.name);
            return Err(Error::new(Code::Misplaced, message)
                .at(self.at(span))
                .expected("values in its rows")
                .hint("leave the list out here: the query around this one can show it"));
        }
        query.without_totals();
        let days = self.add_days(&mut query, frames);
        let shown = || query.columns.iter().zip(&days);
        let slots = shown()
            .map(|(column, day)| Slot {
                name: column.name.clone(),
                ty: column.ty(),
                day: *day,
            })
            .collect();
        let columns = shown()
            .enumerate()
            .map(|(at, (column, _))| Column {
                name: column.name.clone(),
                value: ColumnValue::Expr(Expr::new(Node::Slot(at), column.ty(), &self.at(span))),
            })
            .collect();
        Ok(Start {
            base: Base::Slots(slots),
            source: Source::Query(Box::new(query)),
            filter: Vec::new(),
            columns,
            order: Vec::new(),
            shown: None,
        })
    }
}

/// The condition that a record is among those that a query of one object chooses.
fn chosen(query: &Query, object: ObjectId, span: &Span) -> Expr {
    let this = Expr::this(object, span);
    let mut query = query.clone();
    query.columns = vec![Column {
        name: "this".to_owned(),
        value: ColumnValue::Expr(this.clone()),
    }];
    let node = Node::InQuery {
        value: Box::new(this),
        query: Box::new(query),
    };
    Expr::new(node, Type::BOOLEAN, span)
}
