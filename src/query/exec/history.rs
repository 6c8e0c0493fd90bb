//! History as rows: what the journal tells of one field.

use super::then::forgotten;
use super::{Context, Executor, Frame, alone};
use crate::column::{Comparison, Vector};
use crate::error::Result;
use crate::query::bind::{self, Expr, History, Life, Node, Query, Type};
use crate::query::label;
use crate::query::plan::{asked_records, first_change};
use crate::query::syntax::HistoryKind;
use crate::storage::{Event, EventKind, Row, Snapshot, Stamp};
use crate::value::{DateTime, FieldType, ObjectId, RecordId, Shape, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// About what an event takes in memory until it is a row.
const EVENT_BYTES: usize = 2 * size_of::<Event>();
/// So few transactions are looked up one by one.
const FEW_STAMPS: usize = 256;
/// Of so few records what the journal tells is read one by one.
const FEW: usize = 8;
/// One in so many, too: all that it tells of a field is read in the time of one life in about 25
/// records, and it may turn out later that more are asked for.
const ONE_IN: usize = 256;

impl Executor<'_> {
    /// The rows of [`History::columns`]: changes as they came, spans record by record. Of the
    /// changes those before [`first_change`] of the filter may be left out.
    pub(super) fn history(&self, history: &History, query: &Query) -> Result<Frame> {
        self.check_kept(&history.columns(), query)?;
        let snapshot = self.context.snapshot;
        let kept = snapshot.kept()?;
        if kept.is_none() && asks_forgotten(history, query) {
            return rows(Vec::new(), history.kind, self.context)
                .map(|rows| frame(history.columns(), &rows));
        }
        if let Some(ids) = asked_records(query.filter.as_ref(), self.context.clock)
            && few(ids.len(), history.object, snapshot)
        {
            let events = snapshot.events_of(history.object, history.field, &ids)?;
            let rows = rows(events, history.kind, self.context)?;
            return Ok(frame(history.columns(), &rows));
        }
        let later = |first: &DateTime| kept.is_none_or(|kept| *first > kept.at);
        let first = first_change(history, query.filter.as_ref(), self.context.clock);
        let after = match first.filter(later) {
            Some(first) => snapshot.sequence_at(DateTime::from_micros(first.micros() - 1))?,
            None => 0,
        };
        let events = snapshot.events(history.object, history.field, after)?;
        let bytes = events.len() * EVENT_BYTES;
        self.evaluator.memory.charge(bytes, history.kind.word())?;
        let rows = rows(events, history.kind, self.context)?;
        self.evaluator.memory.release(bytes);
        Ok(frame(history.columns(), &rows))
    }

    /// Refuses a condition on times before the journal begins.
    fn check_kept(&self, columns: &[(&str, Type)], query: &Query) -> Result<()> {
        let Some(kept) = self.context.snapshot.kept()? else {
            return Ok(());
        };
        let clock = self.context.clock;
        let is_time = |expr: &Expr| match &expr.node {
            Node::Slot(at) => columns
                .get(*at)
                .is_some_and(|(_, ty)| *ty == Type::DATETIME),
            _ => false,
        };
        let first = |bound: &Expr, after: bool| match alone(bound, self.context).ok()? {
            Value::DateTime(moment) => {
                Some(DateTime::from_micros(moment.micros() + i64::from(after)))
            }
            Value::Date(day) => Some(clock.start_of(day)),
            Value::Period(period) => Some(clock.start_of(period.start())),
            _ => None,
        };
        let mut early = None;
        let mut look = |expr: &Expr| {
            let (left, right, comparison) = match &expr.node {
                Node::Compare {
                    left,
                    right,
                    comparison,
                } => (left, right, *comparison),
                Node::InPeriod { value, period } => (value, period, Comparison::GreaterEqual),
                _ => return,
            };
            // What the journal begins with did at that very moment is forgotten too.
            for (time, comparison, bound) in comparison.both_ways(left, right) {
                let first = || first(bound, comparison == Comparison::Greater);
                if is_time(time) && first().is_some_and(|first| first <= kept.at) {
                    early = Some(expr.span.clone());
                }
            }
        };
        let group = query.group.iter();
        let aggregates = group.flat_map(|group| &group.aggregates);
        let filters = aggregates.filter_map(|aggregate| aggregate.filter.as_ref());
        for filter in query.filter.iter().chain(filters) {
            filter.visit(&mut look);
        }
        match early {
            Some(span) => Err(forgotten(&span, kept.at, clock).expected("a later time")),
            None => Ok(()),
        }
    }

    /// The rows of [`Life::columns`]: each transaction's changes, field by field.
    pub(super) fn life(&self, life: &Life, query: &Query) -> Result<Frame> {
        self.check_kept(&life.columns(), query)?;
        let mut rows = vec![Vec::new(); life.columns().len()];
        let Some(Value::Reference(asked)) = life.record.as_constant() else {
            return Ok(frame(life.columns(), &rows));
        };
        let (snapshot, clock) = (self.context.snapshot, self.context.clock);
        let object = self.context.catalog.object(life.object);
        let kept = snapshot.kept()?.map(|kept| kept.sequence);
        let record = Type::Plain(FieldType::Reference(life.object));
        let mut seen = HashSet::new();
        for (id, step) in snapshot.lives(life.object, *asked)? {
            let first = seen.insert(id);
            let whose = |row: Option<&Arc<Row>>| {
                let (row, catalog) = (row.map(Arc::as_ref), self.context.catalog);
                Value::text(label::called(life.object, id, row, catalog))
            };
            let merged = match id == *asked {
                true => Value::Missing,
                false => whose(step.after.as_ref().or(step.before.as_ref())),
            };
            let mut add = |what: &str, field: Value, old: Value, new: Value| {
                let row = [
                    Value::DateTime(step.stamp.at),
                    actor(step.stamp.actor),
                    Value::text(what),
                    field,
                    old,
                    new,
                    merged.clone(),
                    number(step.stamp.sequence),
                ];
                push(&mut rows, row);
            };
            if let Some(into) = step.into {
                let target = self.name_values(vec![Value::Reference(into)], &record)?;
                let target = Value::text(target[0].show(clock));
                add(
                    "merged",
                    Value::Missing,
                    whose(step.before.as_ref()),
                    target,
                );
                continue;
            }
            let what = match (&step.before, &step.after) {
                (None, _) if Some(step.stamp.sequence) == kept => "kept",
                (None, _) if !first => "restored",
                (None, _) => "added",
                (_, None) => "deleted",
                _ => "changed",
            };
            for field in object.live_fields() {
                let value = |row: &Option<Arc<Row>>| {
                    row.as_ref()
                        .map_or(Value::Missing, |row| row.get(field.id).clone())
                };
                let (old, new) = (value(&step.before), value(&step.after));
                if old == new {
                    continue;
                }
                let ty = bind::column(object, field.id, &(0..0)).ty;
                let mut texts = self.name_values(vec![old, new], &ty)?.into_iter();
                let mut text = || match texts.next() {
                    None | Some(Value::Missing) => Value::Missing,
                    Some(value) => {
                        let ty = ty.field_type();
                        Value::text(value.show_as(Some(&ty), clock))
                    }
                };
                add(what, Value::text(&field.name), text(), text());
            }
        }
        Ok(frame(life.columns(), &rows))
    }
}

/// Whether it is cheaper to read what the journal tells of so many records one by one, than all
/// that it tells of a field of the object.
pub(super) fn few(count: usize, object: ObjectId, snapshot: &Snapshot) -> bool {
    let all = usize::try_from(snapshot.record_count(object)).unwrap_or(usize::MAX);
    count <= FEW.max(all / ONE_IN)
}

/// Whether a query wants nothing but what was so before the journal begins.
fn asks_forgotten(history: &History, query: &Query) -> bool {
    let beginning = match history.kind {
        HistoryKind::Changes => History::AT,
        HistoryKind::Spans => History::SINCE,
    };
    let is_forgotten = |expr: &Expr| match &expr.node {
        Node::IsMissing(of) => of.node == Node::Slot(beginning),
        _ => false,
    };
    query.filter.as_ref().is_some_and(is_forgotten)
}

fn frame(columns: impl IntoIterator<Item = (&'static str, Type)>, rows: &[Vec<Value>]) -> Frame {
    let columns = columns.into_iter().zip(rows);
    let columns = columns.map(|((_, ty), values)| match ty.shape() {
        Shape::RowOnly => Vector::from_values(Shape::Texts, values),
        shape => Vector::from_values(shape, values),
    });
    Frame {
        columns: columns.collect(),
        len: rows.first().map_or(0, Vec::len),
    }
}

/// Adds a row to columns of values.
fn push(columns: &mut [Vec<Value>], row: impl IntoIterator<Item = Value>) {
    let cells = columns.iter_mut().zip(row);
    cells.for_each(|(column, value)| column.push(value));
}

fn actor(actor: Option<RecordId>) -> Value {
    actor.map_or(Value::Missing, Value::Reference)
}

/// The number of a transaction.
fn number(sequence: u64) -> Value {
    Value::Integer(i64::try_from(sequence).unwrap_or(i64::MAX))
}

/// The values of [`History::columns`], column by column.
pub(super) fn rows(
    mut events: Vec<Event>,
    kind: HistoryKind,
    context: &Context<'_>,
) -> Result<Vec<Vec<Value>>> {
    let known = events.iter().filter(|event| event.kind != EventKind::Kept);
    let mut known: Vec<u64> = known.map(|event| event.sequence).collect();
    known.sort_unstable();
    known.dedup();
    let stamps = match known.first() {
        Some(first) if known.len() > FEW_STAMPS => context.snapshot.transactions(first - 1)?,
        _ => known
            .iter()
            .map(|&sequence| context.snapshot.stamp(sequence))
            .collect::<Result<_>>()?,
    };
    // Nothing of what was before the journal begins.
    let stamp = |event: &Event| {
        let sequence = (event.kind != EventKind::Kept).then_some(event.sequence)?;
        let at = stamps.binary_search_by_key(&sequence, |stamp| stamp.sequence);
        at.ok().map(|at| stamps[at])
    };
    let moment = |stamp: Option<Stamp>| stamp.map_or(Value::Missing, |s| Value::DateTime(s.at));
    let actor = |stamp: Option<Stamp>| actor(stamp.and_then(|stamp| stamp.actor));
    let number = |stamp: Option<Stamp>| stamp.map_or(Value::Missing, |s| number(s.sequence));
    match kind {
        HistoryKind::Changes => {
            events.retain(|event| event.old != event.new);
            events.sort_by_key(|event| (event.sequence, event.id));
            let mut columns = vec![Vec::new(); 6];
            for event in events {
                let stamp = stamp(&event);
                let row = [
                    Value::Reference(event.id),
                    event.old,
                    event.new,
                    moment(stamp),
                    actor(stamp),
                    number(stamp),
                ];
                push(&mut columns, row);
            }
            Ok(columns)
        }
        HistoryKind::Spans => {
            let mut columns = vec![Vec::new(); 7];
            let clock = context.clock;
            for (at, event) in events.iter().enumerate() {
                if event.kind == EventKind::Went {
                    continue;
                }
                let since = stamp(event);
                let next = events.get(at + 1).filter(|next| next.id == event.id);
                let until = next.and_then(stamp);
                let day = |stamp: Option<Stamp>| {
                    let at = stamp.map_or(clock.now, |stamp| stamp.at);
                    i64::from(clock.date_of(at).days())
                };
                let days = |since| Value::Integer(day(until) - day(Some(since)));
                let row = [
                    Value::Reference(event.id),
                    event.new.clone(),
                    moment(since),
                    moment(until),
                    since.map_or(Value::Missing, days),
                    actor(since),
                    number(since),
                ];
                push(&mut columns, row);
            }
            Ok(columns)
        }
    }
}
