//! From the state of each group to its value.

use super::argument_type;
use super::state::{Item, Moments, Pairs, State, Values, compare_keys};
use crate::column::{Floats, Ints, Texts, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Aggregate, AggregateFunction};
use crate::query::exec::evaluate::rounded;
use crate::value::rounded_quotient;
use crate::value::{Currency, Shape, Value};
use std::cmp::Ordering;
use std::mem::take;

/// Numbers in the form of the result: exact integers are units of money, seconds, days.
struct Form<'a> {
    aggregate: &'a Aggregate,
    base: Currency,
}

pub(super) fn finish(
    state: &mut State,
    aggregate: &Aggregate,
    base: Currency,
    count: usize,
) -> Result<Vector> {
    let form = Form { aggregate, base };
    let sums = aggregate.function == AggregateFunction::Sum;
    let shape = aggregate.ty.shape();
    match state {
        State::Counts(counts) if aggregate.function == AggregateFunction::Exists => {
            let values: Vec<_> = counts.iter().map(|&n| Value::Boolean(n > 0)).collect();
            Ok(Vector::from_values(Shape::Bits, &values))
        }
        State::Counts(counts) => Ok(Vector::Ints(Ints::from_options(
            counts.iter().map(|&n| i64::try_from(n).ok()),
        ))),
        State::Sums { sums: all, counts } => form.numbers(all.iter().zip(&*counts).map(
            |(&sum, &count)| match (sums, count) {
                (true, _) => Some(Number::Exact(sum)),
                (false, 0) => None,
                (false, count) if shape == Shape::Floats => {
                    Some(Number::Float(sum as f64 / count as f64))
                }
                (false, count) => Some(Number::Exact(rounded_quotient(sum, count.into()))),
            },
        )),
        State::FloatSums { sums: all, counts } => form.numbers(all.iter().zip(&*counts).map(
            |(&sum, &count)| match (sums, count) {
                (true, _) => Some(Number::Float(sum)),
                (false, 0) => None,
                (false, count) => Some(Number::Float(sum / count as f64)),
            },
        )),
        State::IntExtremes(best) => Ok(Vector::Ints(Ints::from_options(best.iter().copied()))),
        State::FloatExtremes(best) => {
            Ok(Vector::Floats(Floats::from_options(best.iter().copied())))
        }
        State::PairExtremes(best) => {
            let part = |pick: fn((i64, i64)) -> i64| {
                Ints::from_options(best.iter().map(|pair| pair.map(pick)))
            };
            Ok(Vector::Pair(part(|pair| pair.0), part(|pair| pair.1)))
        }
        State::TextExtremes(best) => Ok(Vector::Texts(Texts::from_options(
            best.iter().map(Option::as_deref),
        ))),
        State::BitExtremes(best) => {
            let value = |on: &Option<bool>| on.map_or(Value::Missing, Value::Boolean);
            let values: Vec<_> = best.iter().map(value).collect();
            Ok(Vector::from_values(Shape::Bits, &values))
        }
        State::Ints(values) => {
            let between = |low: i64, high: i64, part: f64| {
                let gap = i128::from(high) - i128::from(low);
                match shape {
                    Shape::Floats => Number::Float(low as f64 + gap as f64 * part),
                    _ => Number::Exact(i128::from(low) + (gap as f64 * part).round() as i128),
                }
            };
            form.numbers(percentiles(values, aggregate, count, i64::cmp, between).into_iter())
        }
        State::Floats(values) => {
            let between = |low: f64, high: f64, part| Number::Float(low + (high - low) * part);
            form.numbers(percentiles(values, aggregate, count, f64::total_cmp, between).into_iter())
        }
        State::Spreads(spreads) => form.numbers(spreads.iter().map(deviation)),
        State::Pairs(pairs) => {
            let slope = aggregate.function == AggregateFunction::Slope;
            form.numbers(pairs.iter().map(|pairs| line(pairs, slope)))
        }
        State::Shares(shares) => form.numbers(
            shares
                .iter()
                .map(|&(hits, all)| (all > 0).then(|| Number::Float(hits as f64 / all as f64))),
        ),
        State::Picks(picks) => {
            let value = |pick: Option<Item>| pick.map_or(Value::Missing, |item| item.value);
            let values: Vec<_> = take(picks).into_iter().map(value).collect();
            Ok(Vector::from_values(
                argument_type(aggregate).shape(),
                &values,
            ))
        }
        State::Lists(lists) => Ok(Vector::Lists(
            take(lists)
                .into_iter()
                .map(|mut items| {
                    items.sort_by(|a, b| compare_keys(&a.keys, &b.keys, &aggregate.order));
                    if items.is_empty() {
                        return Value::Missing;
                    }
                    Value::List(items.into_iter().map(|item| item.value).collect())
                })
                .collect(),
        )),
    }
}

enum Number {
    Exact(i128),
    Float(f64),
}

impl Form<'_> {
    fn numbers(&self, numbers: impl Iterator<Item = Option<Number>>) -> Result<Vector> {
        if self.aggregate.ty.shape() == Shape::Floats {
            let mut values = Vec::new();
            for number in numbers {
                let number = match number {
                    Some(Number::Exact(n)) => n as f64,
                    Some(Number::Float(n)) => n,
                    None => f64::NAN,
                };
                if number.is_infinite() {
                    return Err(self.overflow());
                }
                values.push(number + 0.0);
            }
            return Ok(Vector::Floats(values.into_iter().collect()));
        }
        let mut values = Vec::new();
        for number in numbers {
            values.push(match number {
                Some(Number::Exact(n)) => Some(i64::try_from(n).map_err(|_| self.overflow())?),
                Some(Number::Float(n)) => Some(rounded(n).ok_or_else(|| self.overflow())?),
                None => None,
            });
        }
        let currency = i64::from(self.base.code());
        let currencies = values
            .iter()
            .map(|units: &Option<i64>| units.map(|_| currency));
        let currencies = Ints::from_options(currencies);
        let ints = Ints::from_options(values.into_iter());
        Ok(match self.aggregate.ty.shape() {
            Shape::Pair => Vector::Pair(ints, currencies),
            _ => Vector::Ints(ints),
        })
    }

    fn overflow(&self) -> Error {
        let error = Error::new(Code::Overflow, "the result is too large for its type");
        match &self.aggregate.argument {
            Some(argument) => error.at(argument.span.clone()),
            None => error,
        }
    }
}

/// The sample standard deviation; of fewer than two values there is none.
fn deviation(spread: &Moments) -> Option<Number> {
    let others = spread.count.checked_sub(1).filter(|&others| others > 0)?;
    Some(Number::Float((spread.squares / others as f64).sqrt()))
}

/// The slope of the line of least squares, or how well it fits; of pairs whose first numbers (for
/// the fit also the second) are all the same there is none.
fn line(pairs: &Pairs, slope: bool) -> Option<Number> {
    let (x, y) = pairs.squares;
    if pairs.count < 2 || x <= 0.0 || !slope && y <= 0.0 {
        return None;
    }
    let number = match slope {
        true => pairs.products / x,
        false => (pairs.products / (x.sqrt() * y.sqrt())).clamp(-1.0, 1.0),
    };
    Some(Number::Float(number))
}

/// For each group the value below which the wanted part of its values lies.
fn percentiles<T: Copy>(
    values: &mut Values<T>,
    aggregate: &Aggregate,
    count: usize,
    compare: impl Fn(&T, &T) -> Ordering,
    between: impl Fn(T, T, f64) -> Number,
) -> Vec<Option<Number>> {
    let AggregateFunction::Percentile(part) = aggregate.function else {
        return Vec::new();
    };
    // Percentiles are whole: in hundredths the place between two neighbours is exact.
    let percent = (part * 100.0).round() as usize;
    let (all, starts) = values.by_group(count);
    starts
        .windows(2)
        .map(|ends| {
            let own = &mut all[ends[0]..ends[1]];
            let most = own.len().checked_sub(1)?;
            let at = percent * most;
            let below = (at / 100).min(most);
            let (_, &mut low, above) = own.select_nth_unstable_by(below, &compare);
            let high = above.iter().copied().min_by(&compare).unwrap_or(low);
            Some(between(low, high, (at % 100) as f64 / 100.0))
        })
        .collect()
}
