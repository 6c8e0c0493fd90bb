//! Values: an expression as the SQL of each part of its value.
//!
//! Most values have one part. Money has an amount in ten-thousandths and a currency, a period its
//! start and end, a reference to any of several an id and a kind.

use super::fragment::{self, Level, Sql, Truth, name};
use super::frame::{Frame, Row, Target, is_strict};
use super::translate::Translator;
use super::untranslatable;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Arithmetic, Expr, Node, Type};
use crate::query::exec::known_rates;
use crate::query::label;
use crate::query::plan;
use crate::value::{FieldId, FieldType, Money, ObjectId, RecordId, Value};
use std::sync::Arc;

/// The number of parts of values of a type.
pub(super) fn width(ty: &Type) -> usize {
    match ty.field_type() {
        FieldType::Money | FieldType::Period | FieldType::AnyReference(_) => 2,
        _ => 1,
    }
}

impl Translator<'_> {
    /// The parts of an expression's value, NULL where it is missing.
    pub(super) fn value(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Vec<Sql>> {
        if let Some(constant) = self.closed(expr)? {
            return self.constant(&constant, &expr.ty, expr);
        }
        match &expr.node {
            Node::Constant(value) => self.constant(value, &expr.ty, expr),
            Node::Id => match &frame.row {
                Row::Record { object, alias } => Ok(vec![self.id_of(*object, alias)]),
                Row::Slots(_) => Err(internal(expr)),
            },
            Node::Column(field) => self.column(frame, *field, expr),
            Node::Slot(at) => match &frame.row {
                Row::Slots(slots) => slots.get(*at).cloned().ok_or_else(|| internal(expr)),
                Row::Record { .. } => Err(internal(expr)),
            },
            Node::Follow {
                reference,
                object,
                inner,
            } => self.follow(frame, reference, *object, inner),
            Node::Collect(collect) => self.collect(frame, collect),
            Node::Correlated { given, body } => {
                self.giving(frame, given, || self.value(frame, body))
            }
            Node::Given(at) => {
                let given = self.given.borrow();
                let value = given.last().and_then(|values| values.get(*at)).cloned();
                value.ok_or_else(|| internal(expr))
            }
            Node::Window(window) => self.window(frame, window, expr),
            Node::Arithmetic {
                operator,
                left,
                right,
            } => self.arithmetic(frame, *operator, left, right, expr),
            Node::Negate(value) => {
                let mut parts = self.value(frame, value)?;
                parts[0] = Sql::new(format!("-{}", parts[0].at(Level::Atom)), Level::Product);
                Ok(parts)
            }
            Node::Shift {
                value,
                months,
                days,
                seconds,
                times,
            } => {
                let by = [*months, *days, *seconds];
                self.shift(frame, value, by, times.as_deref(), expr)
            }
            Node::Bucket { unit, value } => {
                let day = self.day_of(frame, value)?;
                let first = match self.context.clock.fiscal.first_month() {
                    None if unit.is_fiscal() => {
                        return Err(untranslatable("a fiscal year of weeks", &expr.span));
                    }
                    first => i64::from(first.unwrap_or(1)),
                };
                let start = self.dialect.start_of(*unit, &day, first);
                let end = self.dialect.end_of(*unit, &start);
                Ok(vec![start, end])
            }
            Node::ToBase { value, on } => self.to_base(frame, value, on.as_deref()),
            Node::Convert { value, to, on } => {
                known_rates(*to, self.context, &expr.span)?;
                self.convert(frame, value, *to, on.as_deref())
            }
            Node::Cast(value) => self.cast(frame, value, expr),
            Node::Rank(value) => self.rank(frame, value).map(|rank| vec![rank]),
            Node::Function {
                function,
                arguments,
            } => self.function(frame, *function, arguments, expr),
            Node::Lookup { object, label } => self.lookup(*object, label).map(|id| vec![id]),
            Node::Subquery(query) => self.single(query),
            Node::Stored { .. } => Err(untranslatable("a stored rule", &expr.span)
                .hint("each record may have another: write what it says in the query")),
            _ if expr.ty == Type::BOOLEAN => {
                let truth = self.condition(frame, expr)?;
                Ok(vec![truth.value()])
            }
            Node::Work { .. } => Err(untranslatable("working time", &expr.span)
                .hint("it runs over the book's calendar and holidays, hour by hour")),
            _ => Err(untranslatable("this", &expr.span)),
        }
    }

    /// The value of an expression that depends on no record.
    pub(super) fn closed(&self, expr: &Expr) -> Result<Option<Value>> {
        if matches!(expr.node, Node::Constant(_)) || !is_closed(expr) {
            return Ok(None);
        }
        match plan::fold_expr(expr, self.context)?.as_constant() {
            Some(value) => Ok(Some(value.clone())),
            None => Err(internal(expr)),
        }
    }

    pub(super) fn constant(&self, value: &Value, ty: &Type, expr: &Expr) -> Result<Vec<Sql>> {
        Ok(match (value, ty) {
            (Value::Missing, _) => vec![Sql::null(); width(ty)],
            (Value::Money(money), _) => vec![
                fragment::integer(money.units()),
                fragment::text(&money.currency().to_string(), self.dialect),
            ],
            (Value::Period(period), _) => vec![
                fragment::date(period.start(), self.dialect),
                fragment::date(period.end(), self.dialect),
            ],
            (Value::AnyReference(object, id), _) => {
                vec![fragment::integer(id.0.cast_signed()), self.kind(*object)]
            }
            (Value::Label(code), Type::Label(object, field)) => {
                let field = self.context.catalog.object(*object).field(*field);
                let name = field.label_name(*code).unwrap_or_default();
                vec![fragment::text(name, self.dialect)]
            }
            (value, _) => match fragment::plain(value, self.dialect) {
                Some(sql) => vec![sql],
                None => return Err(untranslatable("this value", &expr.span)),
            },
        })
    }

    fn column(&self, frame: &Frame<'_>, field: FieldId, expr: &Expr) -> Result<Vec<Sql>> {
        let Row::Record { object, alias } = &frame.row else {
            return Err(internal(expr));
        };
        if let Type::Tags(..) = expr.ty {
            return self.tags_shown(&self.id_of(*object, alias), *object, field);
        }
        let columns = self.columns_of(*object, field);
        let part = |column: &String| self.qualified(alias, column);
        Ok(columns.parts.iter().map(part).collect())
    }

    fn follow(
        &self,
        frame: &Frame<'_>,
        reference: &Expr,
        object: ObjectId,
        inner: &Arc<Expr>,
    ) -> Result<Vec<Sql>> {
        match self.target(frame, reference, object)? {
            Target::Same(frame) => self.value(&frame, inner),
            Target::Joined(joined, alias) => {
                let parts = self.value(&joined, inner)?;
                if is_strict(inner) {
                    return Ok(parts);
                }
                let id = self.id_of(object, &alias).text;
                let there = |part: Sql| {
                    Sql::atom(format!("CASE WHEN {id} IS NOT NULL THEN {} END", part.text))
                };
                Ok(parts.into_iter().map(there).collect())
            }
            Target::Apart => self.apart(frame, reference, object, |frame| self.value(frame, inner)),
        }
    }

    fn arithmetic(
        &self,
        frame: &Frame<'_>,
        operator: Arithmetic,
        left: &Expr,
        right: &Expr,
        expr: &Expr,
    ) -> Result<Vec<Sql>> {
        let a = self.value(frame, left)?;
        let b = self.value(frame, right)?;
        let (x, y) = (&a[0], &b[0]);
        let result = expr.ty.field_type();
        let number = matches!(result, FieldType::Number | FieldType::Percent);
        let zero = || Sql::atom(format!("nullif({}, 0)", y.text));
        let sql = match operator {
            _ if left.ty == Type::DATETIME && right.ty == Type::DATETIME => {
                // Cut down towards zero, as SQLite's quotient is; DuckDB's `//` alike.
                let micros = Sql::binary(x, "-", y, Level::Sum);
                self.dialect.quotient(&micros, 1_000_000)
            }
            Arithmetic::Add | Arithmetic::Subtract => {
                let sign = if operator == Arithmetic::Add {
                    "+"
                } else {
                    "-"
                };
                let length = match left.ty == Type::DATETIME {
                    true => Sql::new(
                        format!("{} * 1000000", y.at(Level::Product)),
                        Level::Product,
                    ),
                    false => y.clone(),
                };
                Sql::binary(x, sign, &length, Level::Sum)
            }
            Arithmetic::Multiply if number || result == FieldType::Integer => {
                Sql::binary(x, "*", y, Level::Product)
            }
            Arithmetic::Multiply => Sql::binary(x, "*", y, Level::Product).whole(),
            Arithmetic::Divide if number => Sql::binary(&x.double(), "/", &zero(), Level::Product),
            Arithmetic::Divide => Sql::binary(&x.double(), "/", &zero(), Level::Product).whole(),
        };
        let mut parts = vec![sql];
        parts.extend(a.into_iter().skip(1));
        parts.truncate(width(&expr.ty));
        Ok(parts)
    }

    fn cast(&self, frame: &Frame<'_>, value: &Expr, expr: &Expr) -> Result<Vec<Sql>> {
        use FieldType as F;
        if value.ty == Type::Missing {
            return Ok(vec![Sql::null(); width(&expr.ty)]);
        }
        let (from, to) = (value.ty.field_type(), expr.ty.field_type());
        let parts = match (&from, &to) {
            (F::Date | F::DateTime, F::Date | F::Period) => vec![self.day_of(frame, value)?],
            _ => self.value(frame, value)?,
        };
        let first = &parts[0];
        Ok(match (&from, &to) {
            (from, to) if from == to => parts,
            (from, to) if from.is_text() && to.is_text() => parts,
            (F::Picklist, to) if to.is_text() => parts,
            (F::Integer, F::Number | F::Percent) | (F::Number | F::Percent, F::Number) => parts,
            (F::Number, F::Percent) => parts,
            (F::Number | F::Percent, F::Integer) => {
                vec![Sql::atom(format!("CAST({} AS BIGINT)", first.text))]
            }
            (F::Integer, F::Money) => {
                let units = Sql::binary(first, "*", &scale(), Level::Product);
                vec![units, self.base()]
            }
            (F::Number | F::Percent, F::Money) => {
                let units = Sql::binary(first, "*", &scale(), Level::Product);
                vec![units.whole(), self.base()]
            }
            (F::Money, F::Number) => vec![amount(first)],
            (F::DateTime, F::Date) => parts,
            (F::Date, F::DateTime) => vec![self.moment_of(first)],
            (F::Period, F::DateTime) => vec![self.moment_of(first)],
            (F::Date | F::DateTime, F::Period) => {
                let end = self.dialect.add_days(first, 1, None);
                vec![first.clone(), end]
            }
            (F::Period, F::Date) => vec![first.clone()],
            (F::Reference(object), F::AnyReference(_)) => {
                vec![first.clone(), self.kind(*object)]
            }
            (F::AnyReference(_), F::Reference(object)) => {
                let kind = Sql::binary(&parts[1], "=", &self.kind(*object), Level::Compare);
                vec![Sql::atom(format!(
                    "CASE WHEN {} THEN {} END",
                    kind.text, first.text
                ))]
            }
            (F::Integer | F::Duration | F::Reference(_), F::Integer | F::Duration) => parts,
            (F::Integer, F::Reference(_)) => parts,
            _ => {
                return Err(untranslatable(
                    "reading a value as another type",
                    &expr.span,
                ));
            }
        })
    }

    /// The place of a label among the declared ones.
    fn rank(&self, frame: &Frame<'_>, value: &Expr) -> Result<Sql> {
        let Type::Label(object, field) = value.ty else {
            return Err(internal(value));
        };
        let label = self.value(frame, value)?.remove(0);
        if let Some(Value::Label(code)) = value.as_constant() {
            let field = self.context.catalog.object(object).field(field);
            let rank = field.label_rank(*code).and_then(|n| i64::try_from(n).ok());
            return Ok(rank.map_or_else(Sql::null, fragment::integer));
        }
        let Some(table) = &self.columns_of(object, field).labels else {
            return Err(internal(value));
        };
        Ok(Sql::atom(format!(
            "(SELECT rank FROM {} WHERE label = {})",
            name(table),
            label.at(Level::Sum)
        )))
    }

    /// The condition that a record of the table `alias` is the one a text names.
    pub(super) fn called(&self, object: ObjectId, text: &Expr, alias: &str) -> Result<Truth> {
        let column = |field: FieldId| {
            let columns = self.columns_of(object, field);
            self.qualified(alias, &columns.parts[0])
        };
        let id = match self.named(object, text)? {
            None => return Ok(Truth::constant(false)),
            Some(Named::Field(field, text)) => {
                let text = fragment::text(&text, self.dialect);
                let same = Sql::binary(&column(field), "=", &text, Level::Compare);
                return Ok(Truth::open(same));
            }
            Some(Named::Id(id)) => fragment::integer(id.0.cast_signed()),
        };
        let same = Sql::binary(&self.id_of(object, alias), "=", &id, Level::Compare);
        Ok(Truth::open(same))
    }

    /// The id of the record that a text names.
    fn lookup(&self, object: ObjectId, text: &Expr) -> Result<Sql> {
        match self.named(object, text)? {
            None => Ok(Sql::null()),
            Some(Named::Id(id)) => Ok(fragment::integer(id.0.cast_signed())),
            Some(Named::Field(field, text)) => {
                let table = self.relational.table(object);
                Ok(Sql::atom(format!(
                    "(SELECT {} FROM {} WHERE {} = {})",
                    name(&table.id),
                    name(&table.name),
                    name(&table.columns(field).parts[0]),
                    fragment::text(&text, self.dialect).text
                )))
            }
        }
    }

    /// The record a text names: by a field's very text, which no other record has.
    fn named(&self, object: ObjectId, text: &Expr) -> Result<Option<Named>> {
        let folded = plan::fold_expr(text, self.context)?;
        let text = match folded.as_constant() {
            Some(Value::Text(text)) => text,
            Some(Value::Missing) => return Ok(None),
            Some(Value::Reference(id)) => {
                let found = label::existing(object, *id, self.context);
                let id = found.map_err(|error| error.at(folded.span.clone()))?;
                return Ok(Some(Named::Id(id)));
            }
            _ => return Err(internal(text)),
        };
        let id = label::lookup(object, text, self.context)
            .map_err(|error| error.at(folded.span.clone()))?;
        let Some(row) = self.context.snapshot.row(object, id)? else {
            return Ok(Some(Named::Id(id)));
        };
        let definition = self.context.catalog.object(object);
        let called = definition.key_fields().find_map(|field| {
            let stored = row.get(field.id);
            match stored {
                Value::Text(stored) if crate::catalog::same_name(stored, text.trim()) => {
                    Some(Named::Field(field.id, Arc::clone(stored)))
                }
                _ => None,
            }
        });
        Ok(Some(called.unwrap_or(Named::Id(id))))
    }
}

/// How a record is named.
enum Named {
    Field(FieldId, Arc<str>),
    Id(RecordId),
}

/// Ten-thousandths in a unit of money.
fn scale() -> Sql {
    fragment::integer(Money::SCALE)
}

/// The amount of so many ten-thousandths.
pub(super) fn amount(units: &Sql) -> Sql {
    Sql::new(
        format!("{} / 10000.0", units.at(Level::Product)),
        Level::Product,
    )
}

pub(super) fn internal(expr: &Expr) -> Error {
    Error::new(Code::Internal, "an expression that has no place here").at(expr.span.clone())
}

/// Whether an expression depends on no record at all: clock, asker and parameters aside.
fn is_closed(expr: &Expr) -> bool {
    match &expr.node {
        Node::Constant(_)
        | Node::Parameter(_)
        | Node::Today
        | Node::Now
        | Node::Me
        | Node::RelativePeriod { .. } => true,
        Node::SpanPeriod { count, .. } => is_closed(count),
        Node::And(parts) | Node::Or(parts) => parts.iter().all(is_closed),
        Node::Not(value) | Node::IsMissing(value) | Node::Negate(value) | Node::Cast(value) => {
            is_closed(value)
        }
        Node::Compare { left, right, .. } | Node::Arithmetic { left, right, .. } => {
            is_closed(left) && is_closed(right)
        }
        Node::InPeriod { value, period } => is_closed(value) && is_closed(period),
        Node::InList { value, list } => is_closed(value) && list.iter().all(is_closed),
        Node::Shift { value, times, .. } | Node::Work { value, times, .. } => {
            is_closed(value) && times.as_deref().is_none_or(is_closed)
        }
        Node::Bucket { value, .. } | Node::ToBase { value, .. } | Node::Convert { value, .. } => {
            is_closed(value)
        }
        Node::Function { arguments, .. } => arguments.iter().all(is_closed),
        _ => false,
    }
}
