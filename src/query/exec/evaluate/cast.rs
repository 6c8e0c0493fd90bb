//! The same quantity as another type.

use super::arithmetic::{map_floats, map_ints, rounded, to_floats};
use super::{Evaluator, internal, overflow};
use crate::column::{Comparison, Floats, Ints, Texts, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Type};
use crate::query::exec::Batch;
use crate::value::{Date, FieldType, Money, Shape, Value};

impl Evaluator<'_> {
    pub(super) fn cast(&self, value: &Expr, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        use FieldType as F;
        let vector = self.evaluate(value, batch)?;
        if value.ty == Type::Missing {
            return Ok(Vector::missing(expr.ty.shape(), batch.len()));
        }
        let (from, to) = (value.ty.field_type(), expr.ty.field_type());
        Ok(match (vector, &from, &to) {
            (Vector::Texts(texts), _, to) if to.is_text() => Vector::Texts(texts),
            (Vector::Texts(texts), _, to) => self.read(&texts, to, expr)?,
            (Vector::Ints(ints), F::Integer, F::Number | F::Percent) => {
                Vector::Floats(to_floats(&ints))
            }
            (Vector::Ints(ints), F::Integer, F::Money) => {
                let units = map_ints(&ints, |n| {
                    let units = n.checked_mul(Money::SCALE).ok_or_else(|| overflow(expr))?;
                    Ok(Some(units))
                })?;
                self.in_base(units)
            }
            (Vector::Floats(floats), F::Number | F::Percent, F::Money) => {
                let mut units = Vec::with_capacity(floats.len());
                for n in floats.iter() {
                    units.push(match n {
                        Some(n) => {
                            let units = rounded(n * Money::SCALE as f64);
                            Some(units.ok_or_else(|| overflow(expr))?)
                        }
                        None => None,
                    });
                }
                self.in_base(Ints::from_options(units.into_iter()))
            }
            (Vector::Floats(floats), _, F::Number | F::Percent) => Vector::Floats(floats),
            (Vector::Floats(floats), _, F::Integer) => whole(&floats, expr)?,
            (Vector::Pair(units, _), F::Money, F::Number) => {
                map_floats(&to_floats(&units), expr, |n| n / Money::SCALE as f64)?
            }
            (Vector::Ints(days), F::Date, F::DateTime) => Vector::Ints(self.starts_of(&days)),
            (Vector::Ints(moments), F::DateTime, F::Date) => Vector::Ints(self.days_of(&moments)),
            (Vector::Ints(times), F::Date | F::DateTime, F::Period) => {
                let days = match from {
                    F::DateTime => self.days_of(&times),
                    _ => times,
                };
                let ends = map_ints(&days, |day| Ok(Some(day + 1)))?;
                Vector::Pair(days, ends)
            }
            (Vector::Pair(starts, _), F::Period, F::Date) => Vector::Ints(starts),
            (Vector::Pair(starts, _), F::Period, F::DateTime) => {
                Vector::Ints(self.starts_of(&starts))
            }
            (Vector::Ints(ids), F::Reference(object), F::AnyReference(_)) => {
                let object = i64::from(object.0);
                Vector::Pair(map_ints(&ids, |_| Ok(Some(object)))?, ids)
            }
            (Vector::Pair(objects, ids), F::AnyReference(_), F::Reference(object)) => {
                let own = objects.compare(Comparison::Equal, object.0.into());
                let ids = ids
                    .iter()
                    .enumerate()
                    .map(|(at, id)| id.filter(|_| own.get(at)));
                Vector::Ints(Ints::from_options(ids))
            }
            (vector, _, to) if to.is_text() => {
                let shown: Vec<Option<String>> = (0..vector.len())
                    .map(|at| self.show(&vector.value(&from, at), &value.ty))
                    .collect();
                Vector::Texts(Texts::from_options(shown.iter().map(Option::as_deref)))
            }
            // References, whole numbers and lengths of time share a form.
            (Vector::Ints(ints), _, to) if to.shape() == Shape::Ints => Vector::Ints(ints),
            (vector, from, to) if from == to => vector,
            _ => return Err(internal("a cast that has no meaning", expr)),
        })
    }

    /// The values that texts stand for.
    fn read(&self, texts: &Texts, to: &FieldType, expr: &Expr) -> Result<Vector> {
        let mut values = Vec::with_capacity(texts.len());
        for text in texts.iter() {
            let value = to.parse(text.unwrap_or(""), self.context.clock);
            values.push(value.map_err(|error| error.at(expr.span.clone()))?);
        }
        Ok(Vector::from_values(to.shape(), &values))
    }

    fn show(&self, value: &Value, ty: &Type) -> Option<String> {
        match (value, ty) {
            (Value::Missing, _) => None,
            (Value::Label(code), Type::Label(object, field)) => {
                let field = self.context.catalog.object(*object).field(*field);
                field.label_name(*code).map(str::to_owned)
            }
            _ => {
                let value = ty.named(value.clone());
                Some(value.show_as(Some(&ty.field_type()), self.context.clock))
            }
        }
    }

    fn in_base(&self, units: Ints) -> Vector {
        let base = i64::from(self.context.clock.base.code());
        let missing = units.missing();
        let currency =
            Ints::from_options((0..units.len()).map(|at| Some(base).filter(|_| !missing.get(at))));
        Vector::Pair(units, currency)
    }

    /// The first moments of days.
    fn starts_of(&self, days: &Ints) -> Ints {
        let mut last = None;
        Ints::from_options(days.iter().map(|day| {
            let day = i32::try_from(day?).unwrap_or(i32::MAX);
            Some(match last {
                Some((known, moment)) if known == day => moment,
                _ => {
                    let moment = self.context.clock.start_of(Date::from_days(day)).micros();
                    last = Some((day, moment));
                    moment
                }
            })
        }))
    }
}

fn whole(floats: &Floats, expr: &Expr) -> Result<Vector> {
    let mut values = Vec::with_capacity(floats.len());
    for n in floats.iter() {
        values.push(match n {
            Some(n) if n.fract() != 0.0 => {
                let error = Error::new(Code::BadValue, format!("`{n}` is not a whole number"));
                return Err(error
                    .at(expr.span.clone())
                    .hint("round(x) gives the nearest one"));
            }
            Some(n) => Some(rounded(n).ok_or_else(|| overflow(expr))?),
            None => None,
        });
    }
    Ok(Vector::Ints(Ints::from_options(values.into_iter())))
}
