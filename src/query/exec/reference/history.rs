//! History from the states after each transaction, compared one with the next.

use super::{Line, Reference};
use crate::query::bind::History;
use crate::query::syntax::HistoryKind;
use crate::storage::Stamp;
use crate::value::{Date, RecordId, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The values of a field by record, and the transaction that led to them, if that is known.
type Then = (Option<Stamp>, BTreeMap<RecordId, Value>);

impl Reference<'_> {
    pub(super) fn history(&self, history: &History) -> Vec<Line> {
        let lines = match history.kind {
            HistoryKind::Changes => self.changes_told(&self.states(history)),
            HistoryKind::Spans => self.spans_told(&self.states(history)),
        };
        lines.into_iter().map(Line::Slots).collect()
    }

    /// All states from the one on with which the journal begins.
    fn states(&self, history: &History) -> Vec<Then> {
        let snapshot = self.context.snapshot;
        let stamps = snapshot.transactions(0).unwrap().into_iter();
        let known = stamps
            .filter(|stamp| stamp.sequence >= self.begin && stamp.sequence <= snapshot.sequence());
        known
            .map(|stamp| {
                let then = snapshot.as_of(stamp.sequence).unwrap();
                let rows = (0..then.record_bound(history.object)).filter_map(|id| {
                    let row = then.row(history.object, RecordId(id)).unwrap()?;
                    Some((RecordId(id), row.get(history.field).clone()))
                });
                let forgotten = stamp.sequence == self.begin;
                ((!forgotten).then_some(stamp), rows.collect())
            })
            .collect()
    }

    fn changes_told(&self, states: &[Then]) -> Vec<Vec<Value>> {
        let mut lines = Vec::new();
        let mut before = &BTreeMap::new();
        for (stamp, after) in states {
            let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for id in ids {
                let value = |state: &BTreeMap<RecordId, Value>| {
                    state.get(id).cloned().unwrap_or(Value::Missing)
                };
                let (old, new) = (value(before), value(after));
                if old != new {
                    let [at, actor, number] = told(*stamp);
                    lines.push(vec![Value::Reference(*id), old, new, at, actor, number]);
                }
            }
            before = after;
        }
        lines
    }

    /// A line from each state in which a record has a value that it did not have before, or came.
    fn spans_told(&self, states: &[Then]) -> Vec<Vec<Value>> {
        let clock = self.context.clock;
        let day = |stamp: &Stamp| clock.date_of(stamp.at);
        let days = |from: Date, to: Date| Value::Integer(i64::from(to.days() - from.days()));
        let all: BTreeSet<_> = states.iter().flat_map(|(_, state)| state.keys()).collect();
        let mut lines = Vec::new();
        for id in all {
            let mut before = None;
            for (at, (stamp, state)) in states.iter().enumerate() {
                let value = state.get(id);
                if let Some(own) = value.filter(|_| value != before) {
                    let ends = |(_, later): &&Then| later.get(id) != Some(own);
                    let until = states[at..].iter().find(ends).and_then(|(stamp, _)| *stamp);
                    let last = until.as_ref().map_or_else(|| clock.today(), day);
                    let [since, actor, number] = told(*stamp);
                    lines.push(vec![
                        Value::Reference(*id),
                        own.clone(),
                        since,
                        until.map_or(Value::Missing, |stamp| Value::DateTime(stamp.at)),
                        stamp.map_or(Value::Missing, |stamp| days(day(&stamp), last)),
                        actor,
                        number,
                    ]);
                }
                before = value;
            }
        }
        lines
    }
}

/// When a transaction was, whose, and its number.
fn told(stamp: Option<Stamp>) -> [Value; 3] {
    let of = |value: fn(Stamp) -> Value| stamp.map_or(Value::Missing, value);
    [
        of(|stamp| Value::DateTime(stamp.at)),
        of(|stamp| stamp.actor.map_or(Value::Missing, Value::Reference)),
        of(|stamp| Value::Integer(i64::try_from(stamp.sequence).unwrap())),
    ]
}
