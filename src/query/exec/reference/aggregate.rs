//! Aggregates from their definitions, over the records of a group or of a collection.

use super::{Line, Reference, from_number, number, passes, plain_order};
use crate::query::bind::{Aggregate, AggregateFunction, Over, Type};
use crate::value::{Clock, Duration, FieldType, Money, RecordId, Value};
use std::cmp::Ordering;
use std::collections::HashSet;

impl Reference<'_> {
    pub(super) fn aggregates(&self, aggregates: &[Aggregate], members: &[Line]) -> Vec<Value> {
        aggregates
            .iter()
            .map(|aggregate| self.aggregate(aggregate, members))
            .collect()
    }

    pub(super) fn aggregate(&self, aggregate: &Aggregate, members: &[Line]) -> Value {
        let gathered;
        let members = match &aggregate.over {
            None => members,
            Some(over) => {
                gathered = self.gathered(over, members);
                &gathered
            }
        };
        let mut members: Vec<&Line> = members
            .iter()
            .filter(|line| passes(self, aggregate.filter.as_ref(), line.at()))
            .collect();
        members.sort_by(|a, b| self.by_order(&aggregate.order, a.at(), b.at()));
        if aggregate.function == AggregateFunction::Exists {
            return Value::Boolean(!members.is_empty());
        }
        let Some(argument) = &aggregate.argument else {
            return Value::Integer(members.len() as i64);
        };
        if let Some(second) = &aggregate.second {
            let pair = |line: &&Line| {
                let x = number(&self.value(argument, line.at()))?;
                Some((x, number(&self.value(second, line.at()))?))
            };
            let pairs: Vec<(f64, f64)> = members.iter().filter_map(pair).collect();
            let slope = aggregate.function == AggregateFunction::Slope;
            return line(&pairs, slope).map_or(Value::Missing, Value::Number);
        }
        let mut values: Vec<Value> = members
            .iter()
            .map(|line| self.value(argument, line.at()))
            .filter(|value| !value.is_missing())
            .collect();
        if aggregate.distinct {
            let mut distinct: Vec<Value> = Vec::new();
            for value in values {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            values = distinct;
        }
        let truths = values
            .iter()
            .filter(|value| **value == Value::Boolean(true))
            .count();
        let numbers: Vec<f64> = values.iter().filter_map(number).collect();
        let of = |n: f64| from_number(&aggregate.ty, n, self.context.clock);
        let mean = || numbers.iter().sum::<f64>() / numbers.len() as f64;
        match aggregate.function {
            AggregateFunction::Count if argument.ty == Type::BOOLEAN && !aggregate.distinct => {
                Value::Integer(truths as i64)
            }
            AggregateFunction::Count => Value::Integer(values.len() as i64),
            AggregateFunction::Sum => sum(&aggregate.ty, &values, self.context.clock),
            _ if values.is_empty() => Value::Missing,
            AggregateFunction::Average => of(mean()),
            AggregateFunction::Share => Value::Number(truths as f64 / values.len() as f64),
            AggregateFunction::Minimum => values
                .into_iter()
                .min_by(|a, b| self.ranked(&argument.ty, a, b))
                .unwrap(),
            AggregateFunction::Maximum => values
                .into_iter()
                .max_by(|a, b| self.ranked(&argument.ty, a, b))
                .unwrap(),
            AggregateFunction::Percentile(p) => {
                let mut numbers = numbers;
                numbers.sort_by(f64::total_cmp);
                let place = p * (numbers.len() - 1) as f64;
                let (low, high) = (place.floor() as usize, place.ceil() as usize);
                of(numbers[low] + (numbers[high] - numbers[low]) * (place - place.floor()))
            }
            AggregateFunction::First => values[0].clone(),
            AggregateFunction::Last => values[values.len() - 1].clone(),
            AggregateFunction::Deviation if numbers.len() < 2 => Value::Missing,
            AggregateFunction::Deviation => {
                let squares: f64 = numbers.iter().map(|n| (n - mean()).powi(2)).sum();
                of((squares / (numbers.len() - 1) as f64).sqrt())
            }
            AggregateFunction::List => Value::List(values.into()),
            AggregateFunction::Correlation
            | AggregateFunction::Slope
            | AggregateFunction::Exists => {
                panic!("the reference knows no {:?}", aggregate.function)
            }
        }
    }

    /// The records of a collection that belong to any member's record.
    fn gathered(&self, over: &Over, members: &[Line]) -> Vec<Line> {
        let from = |line: &Line| match self.value(&over.from, line.at()) {
            Value::Reference(id) => Some(id),
            _ => None,
        };
        let bases: HashSet<RecordId> = members.iter().filter_map(from).collect();
        let belongs = |line: &Line, base: RecordId| {
            let subtree = over.subtree.as_ref();
            self.belongs(line, &over.owner, subtree, over.base, base)
        };
        self.records[&over.object]
            .iter()
            .map(|(id, _)| Line::Record(over.object, *id))
            .filter(|line| passes(self, over.filter.as_ref(), line.at()))
            .filter(|line| bases.iter().any(|&base| belongs(line, base)))
            .collect()
    }

    fn ranked(&self, ty: &Type, a: &Value, b: &Value) -> Ordering {
        match (ty, a, b) {
            (Type::Label(object, field), Value::Label(a), Value::Label(b)) => {
                let field = self.context.catalog.object(*object).field(*field);
                field.label_rank(*a).cmp(&field.label_rank(*b))
            }
            _ => plain_order(a, b),
        }
    }
}

/// From the definition, in two passes: covariance over variance, or over both deviations.
fn line(pairs: &[(f64, f64)], slope: bool) -> Option<f64> {
    let mean =
        |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / pairs.len() as f64;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |each: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|pair| each(pair.0 - x, pair.1 - y)).sum()
    };
    let (xx, yy) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    let xy = sum(&|x, y| x * y);
    let same =
        |pick: fn(&(f64, f64)) -> f64| pairs.iter().all(|pair| pick(pair) == pick(&pairs[0]));
    if pairs.len() < 2 || same(|pair| pair.0) || !slope && same(|pair| pair.1) {
        return None;
    }
    Some(if slope {
        xy / xx
    } else {
        xy / (xx * yy).sqrt()
    })
}

pub(super) fn sum(ty: &Type, values: &[Value], clock: &Clock) -> Value {
    let ints = |unit: fn(&Value) -> Option<i64>| values.iter().filter_map(unit).sum::<i64>();
    match ty {
        Type::Plain(FieldType::Integer) => Value::Integer(ints(Value::as_int)),
        Type::Plain(FieldType::Duration) => {
            Value::Duration(Duration::from_seconds(ints(Value::as_int)))
        }
        Type::Plain(FieldType::Money) => {
            let units = ints(|value| value.as_pair().map(|pair| pair.0));
            Value::Money(Money::from_units(units, clock.base))
        }
        _ => Value::Number(values.iter().filter_map(number).sum()),
    }
}
