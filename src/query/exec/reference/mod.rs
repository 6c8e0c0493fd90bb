//! The reference evaluator: a record at a time, as plain as can be, written from the language's
//! definition and not from the executor. Tests compare the two.

mod aggregate;
mod duplicates;
mod find;
mod grouping;
mod history;
mod value;
mod window;

use super::{Context, Then};
use crate::query::bind::{
    ColumnValue, Expr, Nested, OrderKey, Paired, Query, Source, Subtree, Type,
};
use crate::storage::Row;
use crate::value::{Clock, Date, Duration, FieldType, Money, ObjectId, Record, RecordId, Value};
use grouping::Grouping;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// What an expression's columns refer to.
#[derive(Clone, Copy)]
enum At<'r> {
    Record(ObjectId, RecordId),
    Slots(&'r [Value]),
}

/// A query and its rows.
type Told = (Arc<Query>, Arc<Vec<Vec<Value>>>);

/// All records of a book, in memory.
pub(super) struct Reference<'a> {
    context: &'a Context<'a>,
    /// What bodies around which values are given are folded with.
    folding: &'a Context<'a>,
    records: HashMap<ObjectId, Vec<(RecordId, Arc<Row>)>>,
    /// What queries told of records.
    told: RefCell<Vec<Told>>,
    worked: RefCell<HashMap<(i64, i64, bool), i64>>,
    /// The transaction that the journal begins with, or 0.
    begin: u64,
}

/// A row of a grouped or ungrouped query before its columns are computed.
#[derive(Clone, Debug)]
enum Line {
    Record(ObjectId, RecordId),
    Slots(Vec<Value>),
}

impl Line {
    fn at(&self) -> At<'_> {
        match self {
            Self::Record(object, id) => At::Record(*object, *id),
            Self::Slots(values) => At::Slots(values),
        }
    }
}

impl<'a> Reference<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let mut records = HashMap::new();
        for object in context.catalog.live_objects() {
            let bound = context.snapshot.record_bound(object.id);
            let rows = (0..bound)
                .filter_map(|id| {
                    let row = context.snapshot.row(object.id, RecordId(id)).unwrap();
                    row.map(|row| (RecordId(id), row))
                })
                .collect();
            records.insert(object.id, rows);
        }
        let worked = RefCell::default();
        Self {
            context,
            folding: context,
            records,
            told: RefCell::default(),
            worked,
            begin: 0,
        }
    }

    /// One to which all is forgotten of what was before the state that a transaction led to, as to
    /// the context.
    pub(super) fn beginning_with(self, begin: u64, folding: &'a Context<'a>) -> Self {
        Self {
            begin,
            folding,
            ..self
        }
    }

    /// The rows of a folded query, with codes and ids.
    pub(super) fn rows(&self, query: &Query) -> Vec<Vec<Value>> {
        let mut rows = match Then::of(query, self.context).unwrap() {
            Some(then) => Reference::new(&then.context(self.context)).own_rows(query),
            None => self.own_rows(query),
        };
        for union in &query.unions {
            rows.extend(self.rows(union));
        }
        rows
    }

    /// The rows without those stacked below them.
    fn own_rows(&self, query: &Query) -> Vec<Vec<Value>> {
        let mut lines = self.lines(&query.source);
        lines.retain(|line| passes(self, query.filter.as_ref(), line.at()));
        let mut grouping = None;
        if let Some(group) = &query.group {
            let made = Grouping::of(self, query, group, &lines);
            lines = made.lines.clone();
            grouping = Some(made);
        }
        lines.retain(|line| passes(self, query.having.as_ref(), line.at()));
        let per = query.limit.as_ref().map_or(&[][..], |limit| &limit.per);
        let grouping = grouping.as_ref();
        let order = self.order_over(query, &lines, per, grouping);
        let mut places: Vec<usize> = (0..lines.len()).collect();
        match grouping {
            Some(grouping) => grouping.sort(self, query, per, &lines, &order, &mut places),
            None => places.sort_by(|&a, &b| {
                self.by_keys(per, &lines[a], &lines[b])
                    .then_with(|| self.by_values(&query.order, &order[a], &order[b]))
            }),
        }
        let order: Vec<Vec<Value>> = places.iter().map(|&at| order[at].clone()).collect();
        let mut lines: Vec<Line> = places.iter().map(|&at| lines[at].clone()).collect();
        let windows: Vec<Option<Vec<Value>>> = query
            .columns
            .iter()
            .map(|column| match &column.value {
                ColumnValue::Expr(expr) if expr.is_over_rows() => {
                    Some(self.over(expr, &lines, &order, per, grouping))
                }
                _ => None,
            })
            .collect();
        let mut kept = self.limited(query, &lines, &order, per);
        if let Some(grouping) = grouping {
            kept = grouping.with_totals(&mut lines, &kept);
        }
        kept.into_iter()
            .map(|at| {
                let column = |(column, window): (&ColumnValue, &Option<Vec<Value>>)| match (
                    column, window,
                ) {
                    (_, Some(values)) => values.get(at).cloned().unwrap_or_default(),
                    (ColumnValue::Expr(expr), _) => self.value(expr, lines[at].at()),
                    (ColumnValue::Nested(nested), _) => self.nested(nested, lines[at].at()),
                };
                let columns = query.columns.iter().map(|column| &column.value);
                columns.zip(&windows).map(column).collect()
            })
            .collect()
    }

    fn lines(&self, source: &Source) -> Vec<Line> {
        match source {
            Source::Object(object) => self.records[object]
                .iter()
                .map(|(id, _)| Line::Record(*object, *id))
                .collect(),
            Source::Query(query) => self.rows(query).into_iter().map(Line::Slots).collect(),
            Source::Life(life) => panic!("no reference for {life:?}"),
            Source::Paired(paired) => self.paired(paired),
            Source::Duplicates(duplicates) => self.duplicates(duplicates),
            Source::History(history) => self.history(history),
            Source::Find(find) => self.find(find),
        }
    }

    fn paired(&self, paired: &Paired) -> Vec<Line> {
        let (before, after) = (self.rows(&paired.before), self.rows(&paired.after));
        let same = |a: &[Value], b: &[Value]| a[..paired.keys] == b[..paired.keys];
        let width = paired.before.columns.len();
        let nothing = vec![Value::Missing; width];
        let line = |was: Option<&Vec<Value>>, is: Option<&Vec<Value>>| {
            let keys = was.or(is).unwrap_or(&nothing)[..paired.keys].iter();
            let values = |row: Option<&Vec<Value>>| row.unwrap_or(&nothing)[paired.keys..].to_vec();
            let there = [was, is].map(|row| Value::Boolean(row.is_some()));
            let slots = keys
                .cloned()
                .chain(values(was))
                .chain(values(is))
                .chain(there);
            Line::Slots(slots.collect())
        };
        let mut lines: Vec<Line> = before
            .iter()
            .map(|row| line(Some(row), after.iter().find(|other| same(row, other))))
            .collect();
        let new = after
            .iter()
            .filter(|row| !before.iter().any(|other| same(row, other)));
        lines.extend(new.map(|row| line(None, Some(row))));
        lines
    }

    fn limited(
        &self,
        query: &Query,
        lines: &[Line],
        order: &[Vec<Value>],
        per: &[Expr],
    ) -> Vec<usize> {
        let whole = |expr: &Expr| match expr.as_constant() {
            Some(Value::Integer(n)) => usize::try_from(*n).unwrap(),
            other => panic!("limit {other:?}"),
        };
        let offset = query.offset.as_ref().map_or(0, whole);
        let Some(limit) = &query.limit else {
            return (offset.min(lines.len())..lines.len()).collect();
        };
        let count = whole(&limit.count);
        let same_group = |a: &Line, b: &Line| {
            per.iter()
                .all(|key| self.value(key, a.at()) == self.value(key, b.at()))
        };
        let tied = |a: usize, b: usize| {
            limit.with_ties
                && !query.order.is_empty()
                && self.by_values(&query.order, &order[a], &order[b]) == Ordering::Equal
        };
        let skip = if per.is_empty() { offset } else { 0 };
        let mut kept: Vec<usize> = Vec::new();
        for at in skip..lines.len() {
            let group: Vec<usize> = kept
                .iter()
                .copied()
                .filter(|&other| same_group(&lines[other], &lines[at]))
                .collect();
            let with_last = group.last().is_some_and(|&last| tied(last, at));
            if group.len() < count || with_last {
                kept.push(at);
            }
        }
        if per.is_empty() {
            return kept;
        }
        kept.into_iter().skip(offset).collect()
    }

    fn by_order(&self, order: &[OrderKey], a: At<'_>, b: At<'_>) -> Ordering {
        let values = |at: At<'_>| -> Vec<Value> {
            order.iter().map(|key| self.value(&key.value, at)).collect()
        };
        self.by_values(order, &values(a), &values(b))
    }

    fn by_values(&self, order: &[OrderKey], a: &[Value], b: &[Value]) -> Ordering {
        for (key, (a, b)) in order.iter().zip(a.iter().zip(b)) {
            let ordering = match (a.is_missing(), b.is_missing()) {
                (false, false) if key.descending => plain_order(b, a),
                (false, false) => plain_order(a, b),
                (a, b) => a.cmp(&b),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        Ordering::Equal
    }

    /// Group keys: labels by rank, references by their object's order, label, id.
    fn by_keys(&self, keys: &[Expr], a: &Line, b: &Line) -> Ordering {
        let form = |key: &Expr, line: &Line| -> Vec<Value> {
            let value = self.value(key, line.at());
            match (&key.ty, &value) {
                (Type::Label(object, field), Value::Label(code)) => {
                    let field = self.context.catalog.object(*object).field(*field);
                    let rank = field.label_rank(*code).unwrap();
                    vec![Value::Integer(rank as i64)]
                }
                (Type::Plain(FieldType::Reference(object)), Value::Reference(id)) => {
                    let object = self.context.catalog.object(*object);
                    let row = self.row(object.id, *id);
                    let field = |field| row.map_or(Value::Missing, |row| row.get(field).clone());
                    let mut forms = Vec::new();
                    forms.extend(object.ordered_by.map(field));
                    forms.extend(object.label_field().map(|label| field(label.id)));
                    forms.push(value);
                    forms
                }
                _ => vec![value],
            }
        };
        for key in keys {
            let (a, b) = (form(key, a), form(key, b));
            let missing = |forms: &[Value]| forms.len() == 1 && forms[0].is_missing();
            let ordering = match (missing(&a), missing(&b)) {
                (false, false) => a
                    .iter()
                    .zip(&b)
                    .map(|(a, b)| plain_order(a, b))
                    .find(|ordering| ordering.is_ne())
                    .unwrap_or(Ordering::Equal),
                (a, b) => a.cmp(&b),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        Ordering::Equal
    }

    fn nested(&self, nested: &Nested, at: At<'_>) -> Value {
        let start = match (&nested.from, at) {
            (None, At::Record(object, owner)) => Some((object, owner)),
            (Some((from, base)), _) => match self.value(from, at) {
                Value::Reference(id) => Some((*base, id)),
                _ => None,
            },
            _ => panic!("a nested collection of no record"),
        };
        let Some((object, owner)) = start else {
            return Value::Nested(Arc::default());
        };
        let mut members: Vec<Line> = self
            .lines(&nested.source)
            .into_iter()
            .filter(|line| {
                let (of, subtree) = (&nested.owner, nested.subtree.as_ref());
                self.belongs(line, of, subtree, object, owner)
            })
            .filter(|line| passes(self, nested.filter.as_ref(), line.at()))
            .collect();
        members.sort_by(|a, b| self.by_order(&nested.order, a.at(), b.at()));
        if let Some(Value::Integer(n)) = nested.limit.as_ref().and_then(Expr::as_constant) {
            members.truncate(usize::try_from(*n).unwrap());
        }
        let names: Arc<[Arc<str>]> = nested
            .columns
            .iter()
            .map(|column| column.name.as_str().into())
            .collect();
        let record = |line: &Line| Record {
            names: Arc::clone(&names),
            values: nested
                .columns
                .iter()
                .map(|column| match &column.value {
                    ColumnValue::Expr(expr) => self.value(expr, line.at()),
                    ColumnValue::Nested(nested) => self.nested(nested, line.at()),
                })
                .collect(),
        };
        Value::Nested(members.iter().map(record).collect())
    }

    /// The record and those above it, nearest first; the record alone where there is no hierarchy.
    fn path(&self, object: ObjectId, id: RecordId) -> Vec<RecordId> {
        let mut path = vec![id];
        while let Some(field) = self.context.catalog.object(object).hierarchy_field()
            && let Some(row) = self.row(object, path[path.len() - 1])
            && let Value::Reference(up) = *row.get(field.id)
            && !path.contains(&up)
        {
            path.push(up);
        }
        path
    }

    /// Whether a record of a collection belongs to a record.
    fn belongs(
        &self,
        line: &Line,
        owner: &Expr,
        subtree: Option<&Subtree>,
        object: ObjectId,
        id: RecordId,
    ) -> bool {
        let is = |value: Value| {
            value == Value::Reference(id) || value == Value::AnyReference(object, id)
        };
        let found = self.value(owner, line.at());
        let Some(subtree) = subtree else {
            return is(found);
        };
        let node = match found {
            Value::Reference(node) => node,
            Value::AnyReference(of, node) if of == subtree.object => node,
            _ => return false,
        };
        self.path(subtree.object, node)
            .into_iter()
            .any(|node| is(self.value(&subtree.owner, At::Record(subtree.object, node))))
    }

    fn row(&self, object: ObjectId, id: RecordId) -> Option<&Arc<Row>> {
        let records = &self.records[&object];
        let at = records.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(&records[at].1)
    }
}

fn passes(reference: &Reference<'_>, filter: Option<&Expr>, at: At<'_>) -> bool {
    filter.is_none_or(|filter| reference.holds(filter, at))
}

fn plain_order(a: &Value, b: &Value) -> Ordering {
    a.compare(b)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Number(n) => Some(*n),
        Value::Money(m) => Some(m.units() as f64),
        Value::Duration(d) => Some(d.seconds() as f64),
        Value::Date(day) => Some(f64::from(day.days())),
        _ => None,
    }
}

/// A number of units of the type, rounded where the type holds whole ones.
fn from_number(ty: &Type, n: f64, clock: &Clock) -> Value {
    match ty {
        Type::Plain(FieldType::Money) => {
            Value::Money(Money::from_units(n.round() as i64, clock.base))
        }
        Type::Plain(FieldType::Duration) => {
            Value::Duration(Duration::from_seconds(n.round() as i64))
        }
        Type::Plain(FieldType::Integer) => Value::Integer(n as i64),
        Type::Plain(FieldType::Date) => Value::Date(Date::from_days(n.round() as i32)),
        _ => Value::Number(n),
    }
}
