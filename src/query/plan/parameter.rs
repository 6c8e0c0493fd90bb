//! A parameter's value in the type that the query needs.

use super::fold::type_of;
use crate::column::Comparison;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Binder, Expr, Node, Type};
use crate::query::exec::Context;
use crate::query::label;
use crate::value::{FieldType, Money, Period, Value};

/// The value given for `name` as a value of type `ty`.
pub(super) fn parameter(name: &str, ty: &Type, context: &Context<'_>) -> Result<Value> {
    let value = given(name, ty, context)?;
    let clock = context.clock;
    // A bare year is one of the kind that it stands opposite.
    if let (Type::Fiscal, Ok(year)) = (ty, value.show(clock).trim().parse::<u16>())
        && let Ok(year) = FieldType::Period.parse(&format!("FY{year}"), clock)
    {
        return Ok(year);
    }
    match ty {
        Type::Plain(_) | Type::Fiscal => plain(name, value, &ty.field_type(), context, &|wanted| {
            let wanted = wanted.map_or_else(|| described(ty, context), str::to_owned);
            mismatch(name, value, &wanted, context)
        }),
        Type::Label(object, field) => match value {
            Value::Text(text) => {
                let field = context.catalog.object(*object).field(*field);
                let found = field.find_label(text.trim()).map(|label| label.code);
                found.map(Value::Label).ok_or_else(|| {
                    Error::new(
                        Code::UnknownLabel,
                        format!("`{}` has no label `{text}`", field.name),
                    )
                    .near(text, field.labels.iter().map(|label| label.name.as_str()))
                    .hint(format!("this is the value given for `${name}`"))
                })
            }
            Value::Label(_) | Value::Missing => Ok(value.clone()),
            _ => Err(mismatch(name, value, &described(ty, context), context)),
        },
        Type::Missing | Type::Tags(..) | Type::List(_) | Type::Nested => Ok(value.clone()),
    }
}

/// The period that the value given for a parameter stands for where a finer time is asked for: a
/// day opposite a moment, a month opposite a day, as when it stood there itself.
pub(crate) fn coarser(expr: &Expr, context: &Context<'_>) -> Option<Period> {
    let name = match &expr.node {
        Node::Parameter(name) => name,
        Node::Cast(inner) => match &inner.node {
            Node::Parameter(name) if inner.ty == Type::Missing => name,
            _ => return None,
        },
        _ => return None,
    };
    let clock = context.clock;
    let period = |text: &str| match FieldType::Period.parse(text, clock) {
        Ok(Value::Period(period)) => Some(period),
        _ => None,
    };
    let (value, moment) = (context.parameters.get(name)?, expr.ty == Type::DATETIME);
    if !moment && expr.ty != Type::DATE {
        return None;
    }
    match value {
        Value::Date(day) if moment => Some(Period::new(*day, day.end())),
        Value::Period(period) => Some(*period),
        Value::Integer(year) => Period::of_year(*year),
        Value::Text(text) if moment || FieldType::Date.parse(text, clock).is_err() => period(text),
        _ => None,
    }
}

/// A comparison as a parameter in it means it, where that is coarser than the times it stands
/// opposite.
pub(crate) fn coarsened(expr: &Expr, context: &Context<'_>) -> Result<Option<Expr>> {
    match &expr.node {
        Node::Compare {
            comparison,
            left,
            right,
        } => {
            for (value, comparison, given) in comparison.both_ways(left, right) {
                if let Some(period) = coarser(given, context) {
                    let period = Expr::period(period, &given.span);
                    let binder = Binder::new(context.catalog, context.clock);
                    return binder.compare_time(comparison, value, &period, &expr.span);
                }
            }
            Ok(None)
        }
        Node::InList { value, list }
            if list.iter().any(|item| coarser(item, context).is_some()) =>
        {
            let equal = |item: &Expr| {
                let node = Node::Compare {
                    comparison: Comparison::Equal,
                    left: value.clone(),
                    right: Box::new(item.clone()),
                };
                Expr::new(node, Type::BOOLEAN, &expr.span)
            };
            let any = Node::Or(list.iter().map(equal).collect());
            Ok(Some(Expr::new(any, Type::BOOLEAN, &expr.span)))
        }
        _ => Ok(None),
    }
}

/// The value given for a parameter.
pub(super) fn given<'a>(name: &str, ty: &Type, context: &Context<'a>) -> Result<&'a Value> {
    context.parameters.get(name).ok_or_else(|| {
        let error = Error::new(
            Code::MissingParameter,
            format!("no value was given for `${name}`"),
        );
        let error = match ty {
            Type::Missing => error,
            _ => error.expected(described(ty, context)),
        };
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return error.hint(format!("an amount has no sign before it: {name}"));
        }
        error
            .near(name, context.parameters.keys().map(String::as_str))
            .hint(format!("give one: --param {name}=..."))
    })
}

fn described(ty: &Type, context: &Context<'_>) -> String {
    Binder::new(context.catalog, context.clock).describe(ty)
}

fn plain(
    name: &str,
    value: &Value,
    ty: &FieldType,
    context: &Context<'_>,
    mismatch: &dyn Fn(Option<&str>) -> Error,
) -> Result<Value> {
    let clock = context.clock;
    Ok(match (ty, value) {
        (_, Value::Missing) => Value::Missing,
        (FieldType::Reference(_), Value::Reference(id)) => Value::Reference(*id),
        (FieldType::Reference(_), Value::Record(record)) => Value::Reference(record.id),
        (FieldType::AnyReference(_), Value::AnyReference(..))
        | (FieldType::Boolean, Value::Boolean(_))
        | (FieldType::Integer, Value::Integer(_))
        | (FieldType::Number | FieldType::Percent, Value::Number(_))
        | (FieldType::Money, Value::Money(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::DateTime, Value::DateTime(_))
        | (FieldType::Period, Value::Period(_))
        | (FieldType::Duration, Value::Duration(_)) => value.clone(),
        (ty, Value::Text(_)) if ty.is_text() => value.clone(),
        (ty, Value::Record(record)) if ty.is_text() => Value::Text(record.label.clone()),
        (ty, value) if ty.is_text() => Value::text(value.show(clock)),
        (FieldType::Number | FieldType::Percent, Value::Integer(n)) => Value::Number(*n as f64),
        (FieldType::Integer, Value::Number(n)) if n.fract() == 0.0 && n.abs() < 9.0e15 => {
            Value::Integer(*n as i64)
        }
        (FieldType::Money, Value::Integer(n)) => n
            .checked_mul(Money::SCALE)
            .map(|units| Value::Money(Money::from_units(units, clock.base)))
            .ok_or_else(|| mismatch(Some("an amount within range")))?,
        (FieldType::Money, Value::Number(n)) => Money::from_number(*n, clock.base)
            .map(Value::Money)
            .ok_or_else(|| mismatch(Some("an amount within range")))?,
        (FieldType::Period, Value::Integer(year)) => Period::of_year(*year)
            .map(Value::Period)
            .ok_or_else(|| mismatch(None))?,
        (FieldType::DateTime, Value::Date(day)) => Value::DateTime(clock.start_of(*day)),
        (FieldType::Date, Value::DateTime(moment)) => Value::Date(clock.date_of(*moment)),
        (FieldType::Reference(object), Value::Text(text)) => {
            Value::Reference(label::lookup(*object, text, context)?)
        }
        (
            FieldType::Reference(_)
            | FieldType::AnyReference(_)
            | FieldType::Picklist
            | FieldType::Tags,
            _,
        ) => return Err(mismatch(None)),
        (ty, Value::Text(text)) => ty
            .parse(text, clock)
            .map_err(|e| e.hint(format!("this is the value given for `${name}`")))?,
        _ => return Err(mismatch(None)),
    })
}

fn mismatch(name: &str, value: &Value, wanted: &str, context: &Context<'_>) -> Error {
    let got = match type_of(value) {
        Type::Missing => "of another kind".to_owned(),
        ty => described(&ty, context),
    };
    let message = format!("the value given for `${name}` is {got}");
    Error::new(Code::TypeMismatch, message).expected(wanted)
}
