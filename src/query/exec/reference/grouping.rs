//! Groups, subtotals, hierarchies and empty groups, as plain as can be.

use super::{Line, Reference};
use crate::query::bind::{Expr, Group, Node, OrderKey, Query, Type, first_keys};
use crate::value::{FieldType, ObjectId, Period, RecordId, Value};
use std::cmp::Ordering;

pub(super) struct Grouping {
    /// The groups by all keys.
    pub lines: Vec<Line>,
    /// By depth, deepest first: the subtotals, shown or not; at last the total.
    totals: Vec<(usize, Vec<Line>)>,
    /// By key, the hierarchy it is rolled up over.
    hierarchies: Vec<Option<ObjectId>>,
    keys: Vec<Expr>,
    rollup: bool,
    subtotals: bool,
}

fn key_of(line: &Line, keys: usize) -> &[Value] {
    match line {
        Line::Slots(values) => &values[..keys],
        Line::Record(..) => panic!("a group that is a record"),
    }
}

impl Grouping {
    pub(super) fn of(
        reference: &Reference<'_>,
        query: &Query,
        group: &Group,
        lines: &[Line],
    ) -> Self {
        let full = group.keys.len();
        let catalog = reference.context.catalog;
        let hierarchies: Vec<Option<ObjectId>> = group
            .keys
            .iter()
            .map(|key| match &key.ty {
                Type::Plain(FieldType::Reference(object)) if group.subtotals => {
                    catalog.object(*object).hierarchy_field().map(|_| *object)
                }
                _ => None,
            })
            .collect();
        // Every combination of keys that a record counts for.
        let combinations = |line: &Line, depth: usize| -> Vec<Vec<Value>> {
            let mut all = vec![Vec::new()];
            for (key, hierarchy) in group.keys.iter().zip(&hierarchies).take(depth) {
                let own = reference.value(key, line.at());
                let values = match (hierarchy, &own) {
                    (Some(object), Value::Reference(id)) => reference
                        .path(*object, *id)
                        .into_iter()
                        .map(Value::Reference)
                        .collect(),
                    _ => vec![own],
                };
                let longer = |start: &Vec<Value>| {
                    let start = start.clone();
                    let with = move |value: &Value| {
                        let mut one = start.clone();
                        one.push(value.clone());
                        one
                    };
                    values.iter().map(with).collect::<Vec<_>>()
                };
                all = all.iter().flat_map(longer).collect();
            }
            all
        };
        let level = |depth: usize, seeds: Vec<Vec<Value>>| -> Vec<Line> {
            let mut groups: Vec<(Vec<Value>, Vec<Line>)> = Vec::new();
            for line in lines {
                for key in combinations(line, depth) {
                    match groups.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, members)) => members.push(line.clone()),
                        None => groups.push((key, vec![line.clone()])),
                    }
                }
            }
            for key in seeds {
                let key = key[..depth].to_vec();
                if !groups.iter().any(|(known, _)| *known == key) {
                    groups.push((key, Vec::new()));
                }
            }
            if depth == 0 && groups.is_empty() {
                groups.push((Vec::new(), Vec::new()));
            }
            groups
                .into_iter()
                .map(|(mut slots, members)| {
                    slots.resize(full, Value::Missing);
                    slots.extend(reference.aggregates(&group.aggregates, &members));
                    Line::Slots(slots)
                })
                .collect()
        };
        let seeds = if group.empty {
            every_group(reference, query, group, lines)
        } else {
            Vec::new()
        };
        let mut totals = Vec::new();
        for depth in (1..full).rev() {
            if group.rollup {
                totals.push((depth, level(depth, seeds.clone())));
            }
        }
        if group.totals && full > 0 {
            totals.push((0, level(0, Vec::new())));
        }
        Self {
            lines: level(full, seeds),
            totals,
            hierarchies,
            keys: (0..)
                .zip(&group.keys)
                .map(|(at, key)| Expr::new(Node::Slot(at), key.ty.clone(), &key.span))
                .collect(),
            rollup: group.rollup,
            subtotals: group.subtotals,
        }
    }

    /// Puts the places of lines in order; `order` are the lines' values of the order asked for.
    pub(super) fn sort(
        &self,
        reference: &Reference<'_>,
        query: &Query,
        per: &[Expr],
        lines: &[Line],
        order: &[Vec<Value>],
        places: &mut [usize],
    ) {
        let count = self.keys.len();
        let first = if self.rollup {
            count.saturating_sub(1)
        } else {
            0
        };
        let siblings = |a: usize, b: usize| {
            reference
                .by_values(&query.order, &order[a], &order[b])
                .then_with(|| reference.by_keys(&self.keys[first..], &lines[a], &lines[b]))
        };
        let chain = |at: usize, key: usize| -> Vec<Value> {
            let object = self.hierarchies[key];
            let mut chain = match (object, &key_of(&lines[at], count)[key]) {
                (Some(object), Value::Reference(id)) => reference
                    .path(object, *id)
                    .into_iter()
                    .map(Value::Reference)
                    .collect(),
                (_, other) => vec![other.clone()],
            };
            chain.reverse();
            chain
        };
        // By the subtotals of two groups that differ in this key, and in none before it.
        let by_key = |key: usize, a: usize, b: usize| {
            by_chains(&chain(a, key), &chain(b, key), |x, y| {
                let subtotal = |value: &Value| {
                    let mut prefix = key_of(&lines[a], count)[..=key].to_vec();
                    prefix[key] = value.clone();
                    self.subtotal(&prefix)
                };
                let values = |line: &Line| -> Vec<Value> {
                    let one = |order: &OrderKey| match order.value.is_over_rows() {
                        true => Value::Missing,
                        false => reference.value(&order.value, line.at()),
                    };
                    query.order.iter().map(one).collect()
                };
                let (x, y) = (subtotal(x), subtotal(y));
                reference
                    .by_values(&query.order, &values(x), &values(y))
                    .then_with(|| reference.by_keys(&self.keys[key..=key], x, y))
            })
        };
        // The lines above in the same run, by which a line is placed.
        let shown = |at: usize| -> Vec<usize> {
            chain(at, count - 1)
                .into_iter()
                .filter_map(|node| {
                    let mut key = key_of(&lines[at], count).to_vec();
                    key[count - 1] = node;
                    (0..lines.len()).find(|&other| {
                        key_of(&lines[other], count) == key
                            && reference.by_keys(per, &lines[other], &lines[at]).is_eq()
                    })
                })
                .collect()
        };
        // The first keys come in an order of their own.
        let sorted = match first_keys(query) {
            Some(outer) if outer <= first => &[][..],
            _ => per,
        };
        places.sort_by(|&a, &b| {
            let before = reference
                .by_keys(sorted, &lines[a], &lines[b])
                .then_with(|| {
                    (0..first)
                        .map(|key| by_key(key, a, b))
                        .find(|ordering| ordering.is_ne())
                        .unwrap_or(Ordering::Equal)
                });
            before.then_with(|| match self.hierarchies.last().copied().flatten() {
                None => siblings(a, b),
                Some(_) => by_chains(&shown(a), &shown(b), |&a, &b| siblings(a, b)),
            })
        });
    }

    /// The subtotal over the groups with these first keys.
    fn subtotal(&self, prefix: &[Value]) -> &Line {
        let depth = prefix.len();
        let level = self.totals.iter().find(|(of, _)| *of == depth);
        let mut lines = level.iter().flat_map(|(_, lines)| lines);
        lines.find(|line| key_of(line, depth) == prefix).unwrap()
    }

    /// Whether no other line of its group sums up a line's records with others.
    pub(super) fn is_top(
        &self,
        reference: &Reference<'_>,
        lines: &[Line],
        peers: &[usize],
        at: usize,
    ) -> bool {
        let count = self.keys.len();
        let own = key_of(&lines[at], count);
        let holds = |other: &[Value]| {
            (0..count).all(
                |key| match (self.hierarchies[key], &own[key], &other[key]) {
                    (Some(object), Value::Reference(id), Value::Reference(up)) => {
                        reference.path(object, *id).contains(up)
                    }
                    (_, own, other) => own == other,
                },
            )
        };
        !peers
            .iter()
            .any(|&other| other != at && holds(key_of(&lines[other], count)))
    }

    /// The kept lines with subtotals after the last line each sums, and the total at the end.
    pub(super) fn with_totals(&self, lines: &mut Vec<Line>, kept: &[usize]) -> Vec<usize> {
        let count = self.keys.len();
        let mut order = Vec::new();
        for (place, &at) in kept.iter().enumerate() {
            order.push(at);
            let depths = self.totals.iter().map(|(depth, _)| *depth);
            for depth in depths.filter(|&depth| depth > 0 && self.subtotals) {
                let prefix = key_of(&lines[at], count)[..depth].to_vec();
                let later = kept[place + 1..]
                    .iter()
                    .any(|&later| key_of(&lines[later], count)[..depth] == prefix);
                if !later {
                    lines.push(self.subtotal(&prefix).clone());
                    order.push(lines.len() - 1);
                }
            }
        }
        if let Some((0, totals)) = self.totals.last() {
            lines.push(totals[0].clone());
            order.push(lines.len() - 1);
        }
        order
    }
}

/// Where two chains part, the order of what comes next; else the shorter first.
fn by_chains<T: PartialEq>(a: &[T], b: &[T], order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    a.iter()
        .zip(b)
        .find(|(a, b)| a != b)
        .map_or(a.len().cmp(&b.len()), |(a, b)| order(a, b))
}

fn every_group(
    reference: &Reference<'_>,
    query: &Query,
    group: &Group,
    lines: &[Line],
) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::new()];
    for key in &group.keys {
        let domain = domain(reference, query, key, lines);
        all = all
            .iter()
            .flat_map(|start: &Vec<Value>| {
                domain.iter().map(|value| {
                    let mut one = start.clone();
                    one.push(value.clone());
                    one
                })
            })
            .collect();
    }
    all
}

fn domain(reference: &Reference<'_>, query: &Query, key: &Expr, lines: &[Line]) -> Vec<Value> {
    let context = reference.context;
    match (&key.ty, &key.node) {
        (Type::Label(object, field), _) => {
            let field = context.catalog.object(*object).field(*field);
            let codes = field.labels.iter().map(|label| Value::Label(label.code));
            codes.collect()
        }
        (Type::Plain(FieldType::Boolean), _) => {
            vec![Value::Boolean(false), Value::Boolean(true)]
        }
        (Type::Plain(FieldType::Reference(object)), _) => reference.records[object]
            .iter()
            .map(|(id, _): &(RecordId, _)| Value::Reference(*id))
            .collect(),
        (_, Node::Bucket { unit, value: days }) => {
            let parts = match query.filter.as_ref().map(|filter| &filter.node) {
                Some(Node::And(parts)) => parts.clone(),
                _ => query.filter.iter().cloned().collect(),
            };
            let asked = parts
                .iter()
                .find_map(|part| match (&part.node, &days.node) {
                    (Node::InPeriod { value, period }, Node::Column(days)) => {
                        let same = matches!(value.node, Node::Column(field) if field == *days);
                        period.as_constant().filter(|_| same).cloned()
                    }
                    _ => None,
                });
            let seen = lines.iter().map(|line| reference.value(key, line.at()));
            let periods: Vec<Period> = seen
                .chain(asked.clone())
                .filter(|value| asked.is_none() || Some(value) == asked.as_ref())
                .filter_map(|value| match value {
                    Value::Period(period) => Some(period),
                    _ => None,
                })
                .collect();
            let first = periods.iter().map(|period| period.start()).min();
            let last = periods.iter().map(|period| period.end()).max();
            let mut found = Vec::new();
            if let (Some(mut day), Some(last)) = (first, last) {
                while day < last {
                    let period = Period::of_unit(*unit, day, 0, context.clock).unwrap();
                    found.push(Value::Period(period));
                    day = period.end();
                }
            }
            found
        }
        (ty, _) => panic!("no domain of {ty:?}"),
    }
}
