//! A parameter's value in the type that the query needs.

use crate::error::{Code, Error, Result};
use crate::query::bind::Type;
use crate::query::exec::Context;
use crate::query::label;
use crate::value::{FieldType, Money, Value};

/// The value given for `name` as a value of type `ty`.
pub(super) fn parameter(name: &str, ty: &Type, context: &Context<'_>) -> Result<Value> {
    let Some(value) = context.parameters.get(name) else {
        return Err(Error::new(
            Code::MissingParameter,
            format!("no value was given for `${name}`"),
        )
        .near(name, context.parameters.keys().map(String::as_str))
        .hint(format!("give one: --param {name}=...")));
    };
    match ty {
        Type::Plain(ty) => plain(name, value, ty, context),
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
                })
            }
            Value::Label(_) | Value::Missing => Ok(value.clone()),
            _ => Err(mismatch(name, "a label")),
        },
        Type::Missing | Type::Tags(..) | Type::List(_) | Type::Nested => Ok(value.clone()),
    }
}

fn plain(name: &str, value: &Value, ty: &FieldType, context: &Context<'_>) -> Result<Value> {
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
            .ok_or_else(|| mismatch(name, "an amount within range"))?,
        (FieldType::Money, Value::Number(n)) => Money::from_number(*n, clock.base)
            .map(Value::Money)
            .ok_or_else(|| mismatch(name, "an amount within range"))?,
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
        ) => return Err(mismatch(name, "a record")),
        (ty, Value::Text(text)) => ty
            .parse(text, clock)
            .map_err(|e| e.hint(format!("this is the value given for `${name}`")))?,
        (ty, _) => return Err(mismatch(name, &format!("of type {ty:?}").to_lowercase())),
    })
}

fn mismatch(name: &str, wanted: &str) -> Error {
    Error::new(
        Code::TypeMismatch,
        format!("the value given for `${name}` is not {wanted}"),
    )
}
