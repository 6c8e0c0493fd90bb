//! Conditions that compare values: each gives the slots for which it holds.

use super::{Evaluator, internal};
use crate::column::{Bitset, Comparison, Floats, Ints, Texts, Vector};
use crate::error::Result;
use crate::query::bind::{Expr, Type};
use crate::query::exec::Batch;
use crate::query::plan::Hierarchy;
use crate::value::{Date, FieldType, LabelCode, ObjectId, Value, fold, matches_like};
use std::collections::HashSet;
use std::sync::Arc;

impl Evaluator<'_> {
    pub(super) fn compare(
        &self,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let a = self.evaluate(left, batch)?;
        let b = self.evaluate(right, batch)?;
        if left.ty == Type::Missing || right.ty == Type::Missing {
            return Ok(Bitset::new(batch.len()));
        }
        compare_vectors(comparison, &a, &b, left.ty == Type::MONEY)
            .ok_or_else(|| internal("a comparison of two forms", expr))
    }

    pub(super) fn in_list(
        &self,
        value: &Expr,
        list: &[Expr],
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let vector = self.evaluate(value, batch)?;
        let constants: Option<Vec<&Value>> = list.iter().map(Expr::as_constant).collect();
        match (&vector, constants) {
            (Vector::Ints(ints), Some(constants)) => {
                let mut set: Vec<i64> = constants.into_iter().filter_map(Value::as_int).collect();
                set.sort_unstable();
                Ok(ints.in_set(&set))
            }
            (Vector::Texts(texts), Some(constants)) => {
                let set: HashSet<&str> = constants
                    .into_iter()
                    .filter_map(|value| match value {
                        Value::Text(text) => Some(&**text),
                        _ => None,
                    })
                    .collect();
                Ok(match (set.len(), set.iter().next()) {
                    (1, Some(text)) => texts.equals(text),
                    _ => texts.matching(|text| set.contains(text)),
                })
            }
            _ => {
                let mut hits = Bitset::new(batch.len());
                for item in list {
                    let other = self.evaluate(item, batch)?;
                    if item.ty == Type::Missing || value.ty == Type::Missing {
                        continue;
                    }
                    let same = compare_vectors(Comparison::Equal, &vector, &other, false)
                        .ok_or_else(|| internal("a list of another form", expr))?;
                    hits.or(&same);
                }
                Ok(hits)
            }
        }
    }

    pub(super) fn in_period(
        &self,
        value: &Expr,
        period: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let clock = self.context.clock;
        let timed = value.ty == Type::DATETIME;
        let vector = self.evaluate(value, batch)?;
        let (starts, ends) = match (period.as_constant(), &vector) {
            (Some(Value::Period(period)), Vector::Ints(ints)) => {
                let edge = |day: Date| match timed {
                    true => clock.start_of(day).micros(),
                    false => i64::from(day.days()),
                };
                return Ok(ints.between(edge(period.start()), edge(period.end()) - 1));
            }
            (Some(Value::Missing), _) => return Ok(Bitset::new(batch.len())),
            _ => match self.evaluate(period, batch)? {
                Vector::Pair(starts, ends) => (starts, ends),
                _ => return Err(internal("a span of time that is no period", expr)),
            },
        };
        match vector {
            Vector::Pair(first, last) => {
                let mut hits = first.compare_with(Comparison::GreaterEqual, &starts);
                hits.and(&last.compare_with(Comparison::LessEqual, &ends));
                Ok(hits)
            }
            Vector::Ints(ints) => {
                let days = if timed { self.days_of(&ints) } else { ints };
                let mut hits = days.compare_with(Comparison::GreaterEqual, &starts);
                hits.and(&days.compare_with(Comparison::Less, &ends));
                Ok(hits)
            }
            _ if value.ty == Type::Missing => Ok(Bitset::new(batch.len())),
            _ => Err(internal("a time of another form", expr)),
        }
    }

    pub(super) fn is_object(
        &self,
        value: &Expr,
        object: ObjectId,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        match self.evaluate(value, batch)? {
            Vector::Pair(objects, _) => Ok(objects.compare(Comparison::Equal, i64::from(object.0))),
            vector => {
                let mut hits = vector.missing_slots();
                hits.not();
                let same = value.ty == Type::Plain(FieldType::Reference(object));
                Ok(if same { hits } else { Bitset::new(hits.len()) })
            }
        }
    }

    pub(super) fn has(
        &self,
        value: &Expr,
        label: LabelCode,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        match self.evaluate(value, batch)? {
            Vector::Tags(mut tags) => {
                let set = tags.sets.remove(&label);
                Ok(set.unwrap_or_else(|| Bitset::new(tags.len)))
            }
            _ => Err(internal("a label of no tags", expr)),
        }
    }

    pub(super) fn in_records(
        &self,
        value: &Expr,
        set: &Bitset,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        match self.evaluate(value, batch)? {
            Vector::Ints(ids) | Vector::Pair(_, ids) => Ok(ids.in_bits(set)),
            _ if value.ty == Type::Missing => Ok(Bitset::new(batch.len())),
            _ => Err(internal("a set of records beside no reference", expr)),
        }
    }

    /// The slots where a record is another one, or lies below it.
    pub(super) fn under(
        &self,
        value: &Expr,
        root: &Expr,
        object: ObjectId,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let (Vector::Ints(values), Vector::Ints(roots)) =
            (self.evaluate(value, batch)?, self.evaluate(root, batch)?)
        else {
            return Err(internal("a place in a hierarchy of no reference", expr));
        };
        let known = self.cache.borrow().places.get(&object).cloned();
        let places = match known {
            Some(places) => places,
            None => {
                let places = Arc::new(Hierarchy::read(object, self.context)?.places());
                let mut cache = self.cache.borrow_mut();
                cache.places.insert(object, Arc::clone(&places));
                places
            }
        };
        let pairs = values.iter().zip(roots.iter());
        let mut hits = Bitset::new(batch.len());
        for (at, pair) in pairs.enumerate() {
            if let (Some(value), Some(root)) = pair
                && places.is_under(value, root)
            {
                hits.set(at, true);
            }
        }
        Ok(hits)
    }

    pub(super) fn in_integers(
        &self,
        value: &Expr,
        set: &[i64],
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        match self.evaluate(value, batch)? {
            Vector::Ints(ints) => Ok(ints.in_set(set)),
            _ if value.ty == Type::Missing => Ok(Bitset::new(batch.len())),
            _ => Err(internal("a set of numbers of another form", expr)),
        }
    }

    pub(super) fn contains(
        &self,
        value: &Expr,
        pattern: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let texts = self.texts(value, expr, batch)?;
        if let Some(pattern) = pattern.as_constant() {
            return Ok(match pattern {
                Value::Text(pattern) => texts.contains(&fold(pattern)),
                _ => Bitset::new(texts.len()),
            });
        }
        let patterns = self.texts(pattern, expr, batch)?;
        Ok(each_text(&texts, &patterns, |text, pattern| {
            fold(text).contains(&*fold(pattern))
        }))
    }

    pub(super) fn like(
        &self,
        value: &Expr,
        pattern: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let texts = self.texts(value, expr, batch)?;
        if let Some(pattern) = pattern.as_constant() {
            let Value::Text(pattern) = pattern else {
                return Ok(Bitset::new(texts.len()));
            };
            let pattern = fold(pattern);
            return Ok(texts.matching(|text| matches_like(&fold(text), &pattern)));
        }
        let patterns = self.texts(pattern, expr, batch)?;
        Ok(each_text(&texts, &patterns, |text, pattern| {
            matches_like(&fold(text), &fold(pattern))
        }))
    }

    pub(super) fn texts(&self, value: &Expr, expr: &Expr, batch: &Batch<'_>) -> Result<Texts> {
        match self.evaluate(value, batch)? {
            Vector::Texts(texts) => Ok(texts),
            _ => Err(internal("a text of another form", expr)),
        }
    }

    /// The days of moments, in the clock's zone.
    pub(super) fn days_of(&self, moments: &Ints) -> Ints {
        let mut day = self.context.clock.days();
        Ints::from_options(
            moments
                .iter()
                .map(|micros| micros.map(|m| i64::from(day(m)))),
        )
    }
}

fn each_text(a: &Texts, b: &Texts, test: impl Fn(&str, &str) -> bool) -> Bitset {
    Bitset::from_fn(a.len(), |at| match (a.get(at), b.get(at)) {
        (Some(a), Some(b)) => test(a, b),
        _ => false,
    })
}

/// The slots where both sides are there and compare so; none if their shapes differ. Amounts
/// compare by units alone: they are of one currency.
pub(super) fn compare_vectors(
    comparison: Comparison,
    a: &Vector,
    b: &Vector,
    amounts: bool,
) -> Option<Bitset> {
    Some(match (a, b) {
        (Vector::Ints(a), Vector::Ints(b)) => a.compare_with(comparison, b),
        (Vector::Floats(a), Vector::Floats(b)) => match (a, b) {
            (_, Floats::Constant { value, len }) => match value {
                Some(value) => a.compare(comparison, *value),
                None => Bitset::new(*len),
            },
            (Floats::Constant { value, len }, _) => match value {
                Some(value) => b.compare(comparison.flipped(), *value),
                None => Bitset::new(*len),
            },
            _ => a.compare_with(comparison, b),
        },
        (Vector::Texts(a), Vector::Texts(b)) => match (a, b) {
            (_, Texts::Constant { value, len }) => match value {
                Some(text) => compare_text(comparison, a, text),
                None => Bitset::new(*len),
            },
            (Texts::Constant { value, len }, _) => match value {
                Some(text) => compare_text(comparison.flipped(), b, text),
                None => Bitset::new(*len),
            },
            _ => each_text(a, b, |a, b| comparison.holds(a.cmp(b))),
        },
        (Vector::Pair(a, _), Vector::Pair(b, _)) if amounts => a.compare_with(comparison, b),
        (Vector::Pair(a, x), Vector::Pair(b, y)) => {
            let mut hits = a.compare_with(Comparison::Equal, b);
            hits.and(&x.compare_with(comparison, y));
            let strict = match comparison {
                Comparison::Equal => return Some(hits),
                Comparison::Less | Comparison::LessEqual => Comparison::Less,
                Comparison::Greater | Comparison::GreaterEqual => Comparison::Greater,
            };
            hits.or(&a.compare_with(strict, b));
            hits
        }
        (Vector::Bits(a), Vector::Bits(b)) => {
            let mut hits = Bitset::from_fn(a.data.len(), |at| {
                comparison.holds(a.data.get(at).cmp(&b.data.get(at)))
            });
            for missing in [&a.missing, &b.missing].into_iter().flatten() {
                hits.and_not(missing);
            }
            hits
        }
        (Vector::Tags(_), Vector::Tags(_)) => Bitset::from_fn(a.len(), |at| {
            let (a, b) = (a.value(&FieldType::Tags, at), b.value(&FieldType::Tags, at));
            !a.is_missing() && !b.is_missing() && comparison.holds(a.compare(&b))
        }),
        _ => return None,
    })
}

fn compare_text(comparison: Comparison, texts: &Texts, other: &str) -> Bitset {
    match comparison {
        Comparison::Equal => texts.equals(other),
        _ => texts.matching(|text| comparison.holds(text.cmp(other))),
    }
}
