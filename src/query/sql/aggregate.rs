//! Aggregates: over the rows of a select, and over the records that refer to a record.

use super::fragment::{Level, Sql, Truth, name};
use super::frame::{Frame, Row, Tables};
use super::order::Key;
use super::show::Shown;
use super::translate::Translator;
use super::untranslatable;
use super::value::{internal, width};
use crate::error::Result;
use crate::query::bind::{Aggregate, AggregateFunction, Collect, Expr, Node, Subtree, Type};
use crate::value::{FieldType, ObjectId};

/// What an aggregate takes of each row: the parts of a value, none for the row itself.
pub(super) struct Taken {
    pub values: Vec<Sql>,
    pub filter: Option<Truth>,
}

impl Taken {
    /// The values where the filter holds, NULL elsewhere; for the row itself a 1.
    pub(super) fn filtered(self) -> Vec<Sql> {
        let values = match self.values.is_empty() {
            true => vec![Sql::atom("1")],
            false => self.values,
        };
        let Some(filter) = self.filter else {
            return values;
        };
        let test = filter.sql.text;
        let value = |value: Sql| match value.text.starts_with('\'') {
            true => value,
            false => Sql::atom(format!("CASE WHEN {test} THEN {} END", value.text)),
        };
        values.into_iter().map(value).collect()
    }
}

/// Whether a condition is true or false for every record, never missing.
fn is_certain(expr: &Expr) -> bool {
    !matches!(
        expr.node,
        Node::Column(_)
            | Node::Slot(_)
            | Node::Follow { .. }
            | Node::Collect(_)
            | Node::Function { .. }
            | Node::Subquery(_)
            | Node::Cast(_)
    )
}

/// Whether an aggregate needs its values numbered in their order first.
pub(super) fn is_ranked(aggregate: &Aggregate) -> bool {
    use AggregateFunction as A;
    match aggregate.function {
        A::Percentile(_) | A::Deviation | A::Correlation | A::Slope => true,
        A::First | A::Last | A::List => true,
        A::Minimum | A::Maximum => aggregate.ty.is_period(),
        _ => false,
    }
}

/// Whether a list of such values is an array of JSON: amounts and numbers, whose text this book
/// writes otherwise than SQL.
pub(super) fn is_json_in_lists(expr: &Expr) -> bool {
    use FieldType as F;
    matches!(
        expr.ty.field_type(),
        F::Number
            | F::Percent
            | F::Money
            | F::Duration
            | F::DateTime
            | F::Period
            | F::AnyReference(_)
    )
}

impl Translator<'_> {
    /// What an aggregate takes of the frame's rows.
    pub(super) fn taken(&self, frame: &Frame<'_>, aggregate: &Aggregate) -> Result<Taken> {
        use AggregateFunction as A;
        let mut filter = match &aggregate.filter {
            Some(filter) => Some(self.condition(frame, filter)?),
            None => None,
        };
        let mut also = |truth: Truth| {
            filter = Some(match filter.take() {
                Some(filter) => Truth::all(&[filter, truth]),
                None => truth,
            });
        };
        let mut values = Vec::new();
        let argument = aggregate.argument.as_ref();
        match (aggregate.function, argument) {
            (A::Exists, _) | (_, None) => {}
            (_, Some(argument)) if argument.ty == Type::Missing => also(Truth::constant(false)),
            (A::Count, Some(argument)) if !aggregate.distinct => match argument.ty {
                Type::BOOLEAN => also(self.condition(frame, argument)?),
                Type::Tags(..) => {
                    let (id, object, field) = self.tags_of(frame, argument)?;
                    let tags = self.tags_shown(&id, object, field)?.remove(0);
                    values.push(tags);
                }
                _ => values.push(self.value(frame, argument)?.remove(0)),
            },
            (A::Count, Some(argument)) => {
                let parts = self.value(frame, argument)?;
                let texts: Vec<String> = parts.iter().map(|part| part.at(Level::Atom)).collect();
                values.push(match texts.len() {
                    1 => parts[0].clone(),
                    _ => Sql::atom(format!("({})", texts.join(" || ' ' || "))),
                });
            }
            (A::Share, Some(argument)) if is_certain(argument) => {
                let truth = self.condition(frame, argument)?.sql.text;
                values.push(Sql::atom(format!(
                    "CASE WHEN {truth} THEN 1.0 ELSE 0.0 END"
                )));
            }
            (A::Share, Some(argument)) => {
                let value = self.value(frame, argument)?.remove(0);
                values.push(Sql::atom(format!(
                    "CASE WHEN {0} THEN 1.0 WHEN NOT {1} THEN 0.0 END",
                    value.text,
                    value.at(Level::Compare)
                )));
            }
            (A::Correlation | A::Slope, Some(argument)) => {
                values = self.value(frame, argument)?;
                let second = aggregate.second.as_ref();
                values.extend(
                    second
                        .map(|s| self.value(frame, s))
                        .transpose()?
                        .into_iter()
                        .flatten(),
                );
                // Both of a pair are there, or neither is.
                let there = |value: &Sql| format!("{} IS NOT NULL", value.at(Level::Sum));
                let there: Vec<String> = values.iter().map(there).collect();
                also(Truth::exact(Sql::new(there.join(" AND "), Level::And)));
            }
            (A::List, Some(argument)) => values.push(self.listed(frame, argument)?),
            (_, Some(argument)) => values = self.value(frame, argument)?,
        }
        Ok(Taken { values, filter })
    }

    /// The keys by which `first`, `last` and `list` order their rows.
    pub(super) fn taken_by(&self, frame: &Frame<'_>, aggregate: &Aggregate) -> Result<Vec<Key>> {
        let backwards = match aggregate.function {
            AggregateFunction::Maximum => true,
            AggregateFunction::Minimum => false,
            _ => return self.keys(frame, &aggregate.order),
        };
        let Some(argument) = &aggregate.argument else {
            return Ok(Vec::new());
        };
        let parts = self.value(frame, argument)?;
        Ok(parts
            .into_iter()
            .map(|sql| Key {
                sql,
                descending: backwards,
                tie: false,
            })
            .collect())
    }

    /// An aggregate that SQL has, as a whole of parts.
    pub(super) fn plain(&self, aggregate: &Aggregate, taken: &Taken) -> Result<Vec<Sql>> {
        use AggregateFunction as A;
        let filter = match &taken.filter {
            Some(filter) => format!(" FILTER (WHERE {})", filter.sql.text),
            None => String::new(),
        };
        let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
        let value = taken
            .values
            .first()
            .map_or("*", |value| value.text.as_str());
        let of = |function: &str| format!("{function}({distinct}{value}){filter}");
        let ty = aggregate.ty.field_type();
        let sql = match aggregate.function {
            A::Count => Sql::atom(of("count")),
            A::Exists => Sql::new(format!("{} > 0", of("count")), Level::Compare),
            A::Sum => Sql::atom(format!("coalesce({}, 0)", of("sum"))),
            A::Average if matches!(ty, FieldType::Money | FieldType::Duration) => {
                let share = format!("CAST({} AS DOUBLE) / {}", of("sum"), of("count"));
                Sql::atom(share).whole()
            }
            A::Share if aggregate.distinct => {
                return Err(self.unsaid(aggregate, "`share(distinct ...)`"));
            }
            A::Average | A::Share => Sql::atom(of("avg")),
            A::Minimum => Sql::atom(of("min")),
            A::Maximum => Sql::atom(of("max")),
            _ => return Err(self.unsaid(aggregate, "this aggregate")),
        };
        let mut parts = vec![sql];
        if ty == FieldType::Money {
            parts.push(self.base());
        }
        Ok(parts)
    }

    pub(super) fn unsaid(&self, aggregate: &Aggregate, what: &str) -> crate::error::Error {
        let span = aggregate.argument.as_ref().map(|a| a.span.clone());
        untranslatable(what, &span.unwrap_or_default())
    }

    /// An aggregate over the records that belong to the frame's.
    pub(super) fn collect(&self, frame: &Frame<'_>, collect: &Collect) -> Result<Vec<Sql>> {
        if collect.aggregate.function == AggregateFunction::Exists {
            return Ok(vec![self.exists(frame, collect)?.sql]);
        }
        self.collected(collect.object, &collect.aggregate, |inner| {
            let owner = (&collect.owner, collect.subtree.as_ref());
            self.belonging(frame, inner, owner, collect.filter.as_ref())
        })
    }

    /// An aggregate over those records of an object that `belonging` tells.
    pub(super) fn collected(
        &self,
        object: ObjectId,
        aggregate: &Aggregate,
        belonging: impl FnOnce(&Frame<'_>) -> Result<Vec<Truth>>,
    ) -> Result<Vec<Sql>> {
        let (tables, row) = self.open(object);
        let inner = Frame {
            tables: &tables,
            row,
        };
        let belonging = belonging(&inner)?;
        let taken = self.taken(&inner, aggregate)?;
        let ranked = is_ranked(aggregate);
        let parts = match ranked {
            false => self.plain(aggregate, &taken)?,
            true => {
                let by = self.taken_by(&inner, aggregate)?;
                return self.collect_ranked(&inner, aggregate, taken, by, &belonging);
            }
        };
        let select = |part: Sql| {
            if part.text.starts_with('\'') {
                return part;
            }
            let mut select = tables.select();
            select.columns = vec![part.text];
            select.filter = belonging.clone();
            select.nested()
        };
        Ok(parts.into_iter().map(select).collect())
    }

    fn collect_ranked(
        &self,
        inner: &Frame<'_>,
        aggregate: &Aggregate,
        taken: Taken,
        by: Vec<Key>,
        belonging: &[Truth],
    ) -> Result<Vec<Sql>> {
        let values = taken.filtered();
        let names: Vec<Sql> = (1..=values.len())
            .map(|at| match at {
                1 => Sql::atom("item"),
                _ => Sql::atom(format!("item_{at}")),
            })
            .collect();
        let Row::Record { object, alias } = &inner.row else {
            return Ok(Vec::new());
        };
        let tie = Key {
            sql: self.id_of(*object, alias),
            descending: false,
            tie: true,
        };
        let ranked = self.ranked(aggregate, "item", &values, &names, &by, &tie, &[])?;
        let mut numbered = inner.tables.select();
        numbered.columns = values
            .iter()
            .zip(&names)
            .map(|(value, name)| format!("{} AS {}", value.text, name.text))
            .collect();
        numbered.columns.extend(ranked.columns);
        numbered.filter = belonging.to_vec();
        let alias = self.alias("numbered");
        let from = format!("{} AS {}", numbered.nested().text, name(&alias));
        let select = |part: Sql| {
            if part.text.starts_with('\'') {
                return part;
            }
            let mut select = Tables::new(from.clone()).select();
            select.columns = vec![part.text];
            select.nested()
        };
        Ok(ranked.parts.into_iter().map(select).collect())
    }

    pub(super) fn exists(&self, frame: &Frame<'_>, collect: &Collect) -> Result<Truth> {
        let (tables, row) = self.open(collect.object);
        let inner = Frame {
            tables: &tables,
            row,
        };
        let owner = (&collect.owner, collect.subtree.as_ref());
        let mut belonging = self.belonging(frame, &inner, owner, collect.filter.as_ref())?;
        if let Some(filter) = &collect.aggregate.filter {
            belonging.push(self.condition(&inner, filter)?);
        }
        let mut select = tables.select();
        select.columns = vec!["*".to_owned()];
        select.filter = belonging;
        let text = format!("EXISTS {}", select.nested().text);
        Ok(Truth::exact(Sql::atom(text)))
    }

    /// That the inner record belongs to the frame's, and passes the filter.
    pub(super) fn belonging(
        &self,
        frame: &Frame<'_>,
        inner: &Frame<'_>,
        (owner, subtree): (&Expr, Option<&Subtree>),
        filter: Option<&Expr>,
    ) -> Result<Vec<Truth>> {
        let Row::Record { object, alias } = &frame.row else {
            return Err(internal(owner));
        };
        let id = self.id_of(*object, alias);
        let mut conditions = self.owned(inner, (owner, subtree), (*object, &id))?;
        if let Some(filter) = filter {
            conditions.extend(self.conjuncts(inner, filter)?);
        }
        Ok(conditions)
    }

    /// That the inner record belongs to the one of an object with this id.
    pub(super) fn owned(
        &self,
        inner: &Frame<'_>,
        (owner, subtree): (&Expr, Option<&Subtree>),
        (object, id): (ObjectId, &Sql),
    ) -> Result<Vec<Truth>> {
        let parts = self.value(inner, owner)?;
        if let Some(subtree) = subtree {
            return Ok(vec![self.hanging(&parts[0], subtree, (object, id))?]);
        }
        let same = |a: &Sql, b: &Sql| Truth::open(Sql::binary(a, "=", b, Level::Compare));
        let mut conditions = Vec::new();
        if let Some(kind) = parts.get(1) {
            conditions.push(same(kind, &self.kind(object)));
        }
        conditions.push(same(&parts[0], id));
        Ok(conditions)
    }

    /// The parts of a condition that must all hold.
    pub(super) fn conjuncts(&self, frame: &Frame<'_>, filter: &Expr) -> Result<Vec<Truth>> {
        match &filter.node {
            _ if self.closed(filter)?.is_some() => Ok(vec![self.condition(frame, filter)?]),
            Node::InPeriod { value, period } => self.in_period(frame, value, period),
            Node::And(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.conjuncts(frame, part)?);
                }
                Ok(all)
            }
            _ => Ok(vec![self.condition(frame, filter)?]),
        }
    }

    /// A value as text in a list, or as JSON where a list of text would not tell values apart.
    fn listed(&self, frame: &Frame<'_>, argument: &Expr) -> Result<Sql> {
        match argument.ty.field_type() {
            FieldType::Integer | FieldType::Date => {
                let value = self.value(frame, argument)?.remove(0);
                Ok(Sql::atom(format!("CAST({} AS VARCHAR)", value.text)))
            }
            FieldType::Boolean => {
                let value = self.value(frame, argument)?.remove(0);
                Ok(Sql::atom(format!(
                    "CASE WHEN {0} THEN 'true' WHEN NOT {1} THEN 'false' END",
                    value.text,
                    value.at(Level::Compare)
                )))
            }
            FieldType::Picklist | FieldType::Reference(_) => {
                let Shown { mut parts, .. } = self.shown(frame, argument)?;
                Ok(parts.remove(0))
            }
            ty if ty.is_text() && width(&argument.ty) == 1 => {
                Ok(self.value(frame, argument)?.remove(0))
            }
            _ => self.nested_item(frame, argument),
        }
    }
}
