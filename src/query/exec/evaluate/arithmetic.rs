//! Arithmetic: missing where an operand is, an error where the result leaves its type.

use super::{Evaluator, internal, overflow};
use crate::column::{Bitset, Floats, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{Arithmetic, Expr, Type};
use crate::query::exec::Batch;
use crate::value::{DateTime, Duration, rounded_quotient};
use std::sync::Arc;

impl Evaluator<'_> {
    pub(super) fn arithmetic(
        &self,
        expr: &Expr,
        operator: Arithmetic,
        left: &Expr,
        right: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let a = self.evaluate(left, batch)?;
        let b = self.evaluate(right, batch)?;
        if left.ty == Type::Missing || right.ty == Type::Missing {
            return Ok(Vector::missing(expr.ty.shape(), batch.len()));
        }
        let product = matches!(operator, Arithmetic::Multiply | Arithmetic::Divide);
        match (&a, &b) {
            (Vector::Floats(a), Vector::Floats(b)) => numbers(operator, a, b, expr),
            (Vector::Ints(a), Vector::Ints(b)) if operator == Arithmetic::Divide => {
                numbers(operator, &to_floats(a), &to_floats(b), expr)
            }
            (Vector::Ints(a), Vector::Ints(b)) if left.ty == Type::DATETIME => {
                moments(operator, a, b, &right.ty, expr)
            }
            (Vector::Ints(a), Vector::Ints(b)) => integers(operator, a, b, expr).map(Vector::Ints),
            (Vector::Ints(a), Vector::Floats(b)) if product => {
                scaled(operator, a, b, expr).map(Vector::Ints)
            }
            (Vector::Pair(units, currency), Vector::Floats(b)) if product => {
                let units = scaled(operator, units, b, expr)?;
                Ok(amounts(units, currency))
            }
            (Vector::Pair(a, x), Vector::Pair(b, y)) => {
                for (x, y) in x.iter().zip(y.iter()) {
                    if let (Some(x), Some(y)) = (x, y)
                        && x != y
                    {
                        return Err(internal("arithmetic of two currencies", expr));
                    }
                }
                if operator == Arithmetic::Divide {
                    return numbers(operator, &to_floats(a), &to_floats(b), expr);
                }
                let units = integers(operator, a, b, expr)?;
                Ok(amounts(units, x))
            }
            _ => Err(internal("arithmetic of two forms", expr)),
        }
    }

    pub(super) fn negate(&self, expr: &Expr, value: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let negated = |ints: &Ints| {
            map_ints(ints, |n| {
                n.checked_neg().ok_or_else(|| overflow(expr)).map(Some)
            })
        };
        match self.evaluate(value, batch)? {
            Vector::Ints(ints) => negated(&ints).map(Vector::Ints),
            Vector::Pair(units, currency) => Ok(Vector::Pair(negated(&units)?, currency)),
            Vector::Floats(floats) => map_floats(&floats, expr, |n| -n),
            _ if value.ty == Type::Missing => Ok(Vector::missing(expr.ty.shape(), batch.len())),
            _ => Err(internal("the negative of another form", expr)),
        }
    }
}

/// Amounts of these units; the currency is missing wherever they are.
fn amounts(units: Ints, currency: &Ints) -> Vector {
    let missing = units.missing();
    let currency = match currency {
        currency if missing.none() => currency.clone(),
        currency => Ints::from_options(
            currency
                .iter()
                .enumerate()
                .map(|(at, code)| code.filter(|_| !missing.get(at))),
        ),
    };
    Vector::Pair(units, currency)
}

pub(super) fn to_floats(ints: &Ints) -> Floats {
    match ints {
        Ints::Constant { value, len } => Floats::Constant {
            value: value.map(|n| n as f64),
            len: *len,
        },
        _ => Floats::from_options(ints.iter().map(|n| n.map(|n| n as f64))),
    }
}

/// Each pair of values, where neither is missing.
pub(super) fn zip_ints(
    a: &Ints,
    b: &Ints,
    mut each: impl FnMut(i64, i64) -> Result<Option<i64>>,
) -> Result<Ints> {
    if let (Ints::Constant { value: a, len }, Ints::Constant { value: b, .. }) = (a, b) {
        let value = match a.zip(*b) {
            Some((a, b)) => each(a, b)?,
            None => None,
        };
        return Ok(Ints::Constant { value, len: *len });
    }
    let len = a.len();
    let mut values = vec![0; len];
    let mut missing = Bitset::new(len);
    let (mut left, mut right) = ([0; 64], [0; 64]);
    for (index, out) in values.chunks_mut(64).enumerate() {
        let present = a.load(index, &mut left) & b.load(index, &mut right);
        for (at, out) in out.iter_mut().enumerate() {
            let value = if present >> at & 1 == 1 {
                each(left[at], right[at])?
            } else {
                None
            };
            match value {
                Some(value) => *out = value,
                None => missing.set(index * 64 + at, true),
            }
        }
    }
    Ok(Ints::I64 {
        values: Arc::new(values),
        missing: (!missing.none()).then_some(missing),
    })
}

pub(super) fn map_ints(
    ints: &Ints,
    mut each: impl FnMut(i64) -> Result<Option<i64>>,
) -> Result<Ints> {
    let other = Ints::Constant {
        value: Some(0),
        len: ints.len(),
    };
    zip_ints(ints, &other, |n, _| each(n))
}

/// Each number, where there is one; NaN is missing, anything infinite too large.
pub(super) fn map_floats(
    floats: &Floats,
    expr: &Expr,
    each: impl Fn(f64) -> f64,
) -> Result<Vector> {
    // Adding zero makes a negative zero a plain one.
    let each = |n: f64| each(n) + 0.0;
    let floats = match floats {
        Floats::Constant { value, len } => Floats::Constant {
            value: value.map(each).filter(|n| !n.is_nan()),
            len: *len,
        },
        Floats::Values(values) => values.iter().map(|&n| each(n)).collect(),
    };
    finite(floats, expr)
}

fn finite(floats: Floats, expr: &Expr) -> Result<Vector> {
    let infinite = match &floats {
        Floats::Constant { value, .. } => value.is_some_and(f64::is_infinite),
        Floats::Values(values) => values.iter().any(|n| n.is_infinite()),
    };
    if infinite {
        return Err(overflow(expr));
    }
    Ok(Vector::Floats(floats))
}

fn numbers(operator: Arithmetic, a: &Floats, b: &Floats, expr: &Expr) -> Result<Vector> {
    fn spread(floats: &Floats) -> std::borrow::Cow<'_, [f64]> {
        match floats {
            Floats::Constant { value, len } => vec![value.unwrap_or(f64::NAN); *len].into(),
            Floats::Values(values) => values.as_slice().into(),
        }
    }
    fn zipped(a: &[f64], b: &[f64], each: impl Fn(f64, f64) -> f64) -> Floats {
        a.iter().zip(b).map(|(&a, &b)| each(a, b) + 0.0).collect()
    }
    if let Floats::Constant { value: Some(b), .. } = b {
        return match operator {
            Arithmetic::Add => map_floats(a, expr, |a| a + b),
            Arithmetic::Subtract => map_floats(a, expr, |a| a - b),
            Arithmetic::Multiply => map_floats(a, expr, |a| a * b),
            Arithmetic::Divide => map_floats(a, expr, |a| divide(a, *b)),
        };
    }
    let (a, b) = (spread(a), spread(b));
    let floats = match operator {
        Arithmetic::Add => zipped(&a, &b, |a, b| a + b),
        Arithmetic::Subtract => zipped(&a, &b, |a, b| a - b),
        Arithmetic::Multiply => zipped(&a, &b, |a, b| a * b),
        Arithmetic::Divide => zipped(&a, &b, divide),
    };
    finite(floats, expr)
}

fn divide(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}

fn integers(operator: Arithmetic, a: &Ints, b: &Ints, expr: &Expr) -> Result<Ints> {
    let apply = |each: fn(i64, i64) -> Option<i64>| {
        zip_ints(a, b, |a, b| {
            each(a, b).ok_or_else(|| overflow(expr)).map(Some)
        })
    };
    match operator {
        Arithmetic::Add => apply(i64::checked_add),
        Arithmetic::Subtract => apply(i64::checked_sub),
        Arithmetic::Multiply => apply(i64::checked_mul),
        Arithmetic::Divide => Err(internal("a quotient of whole numbers", expr)),
    }
}

/// Amounts or lengths of time times or by numbers, rounded half away from zero.
fn scaled(operator: Arithmetic, a: &Ints, b: &Floats, expr: &Expr) -> Result<Ints> {
    // Whole factors are exact, also beyond the digits of a float.
    let whole = |n: f64| (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i128);
    let one = |n: i64, factor: f64| {
        if operator == Arithmetic::Divide && factor == 0.0 {
            return Ok(None);
        }
        let result = match (whole(factor), operator) {
            (Some(by), Arithmetic::Multiply) => i64::try_from(i128::from(n) * by).ok(),
            (Some(by), _) => i64::try_from(rounded_quotient(n.into(), by)).ok(),
            (None, Arithmetic::Multiply) => rounded(n as f64 * factor),
            (None, _) => rounded(n as f64 / factor),
        };
        result.map(Some).ok_or_else(|| overflow(expr))
    };
    if let (Ints::Constant { value, len }, Floats::Constant { value: factor, .. }) = (a, b) {
        let value = match value.zip(*factor) {
            Some((n, factor)) => one(n, factor)?,
            None => None,
        };
        return Ok(Ints::Constant { value, len: *len });
    }
    let mut values = Vec::with_capacity(a.len());
    for (n, factor) in a.iter().zip(b.iter()) {
        values.push(match (n, factor) {
            (Some(n), Some(factor)) => one(n, factor)?,
            _ => None,
        });
    }
    Ok(Ints::from_options(values.into_iter()))
}

/// The whole number nearest to a number, if it has 64 bits.
pub(in crate::query::exec) fn rounded(n: f64) -> Option<i64> {
    let n = n.round();
    (n.abs() < 9.2e18).then_some(n as i64)
}

fn moments(operator: Arithmetic, a: &Ints, b: &Ints, other: &Type, expr: &Expr) -> Result<Vector> {
    let moment = DateTime::from_micros;
    let ints = match (operator, *other == Type::DATETIME) {
        (Arithmetic::Subtract, true) => zip_ints(a, b, |later, earlier| {
            Ok(Some(moment(later).since(moment(earlier)).seconds()))
        }),
        (Arithmetic::Add | Arithmetic::Subtract, false) => zip_ints(a, b, |time, length| {
            let length = match operator {
                Arithmetic::Subtract => length.checked_neg().ok_or_else(|| overflow(expr))?,
                _ => length,
            };
            let moved = moment(time).add(Duration::from_seconds(length));
            moved
                .map(|moved| Some(moved.micros()))
                .map_err(|e| e.at(expr.span.clone()))
        }),
        _ => Err(internal("arithmetic of moments", expr)),
    };
    ints.map(Vector::Ints)
}
