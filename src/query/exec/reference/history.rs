//! History from the states after each transaction, compared one with the next.

use super::{Line, Reference};
use crate::query::bind::History;
use crate::query::exec::history::rows;
use crate::storage::{Event, EventKind};
use crate::value::{RecordId, Value};
use std::collections::BTreeMap;

impl Reference<'_> {
    pub(super) fn history(&self, history: &History) -> Vec<Line> {
        let snapshot = self.context.snapshot;
        let state = |sequence: u64| -> BTreeMap<RecordId, Value> {
            let then = snapshot.as_of(sequence).unwrap();
            let rows = (0..then.record_bound(history.object)).filter_map(|id| {
                let row = then.row(history.object, RecordId(id)).unwrap()?;
                Some((RecordId(id), row.get(history.field).clone()))
            });
            rows.collect()
        };
        let kept = snapshot.kept().unwrap().map(|stamp| stamp.sequence);
        let mut before = BTreeMap::new();
        let mut events = Vec::new();
        for stamp in snapshot.transactions(0).unwrap() {
            let sequence = stamp.sequence;
            if sequence > snapshot.sequence() {
                break;
            }
            let after = state(sequence);
            let event = |id: &RecordId, kind| Event {
                id: *id,
                sequence,
                old: before.get(id).cloned().unwrap_or_default(),
                new: after.get(id).cloned().unwrap_or_default(),
                kind,
            };
            for id in before.keys().filter(|id| !after.contains_key(id)) {
                events.push(event(id, EventKind::Went));
            }
            for (id, value) in &after {
                match before.get(id) {
                    None if Some(sequence) == kept => events.push(event(id, EventKind::Kept)),
                    None => events.push(event(id, EventKind::Came)),
                    Some(old) if old != value => events.push(event(id, EventKind::Changed)),
                    Some(_) => {}
                }
            }
            before = after;
        }
        events.sort_by_key(|event| (event.id, event.sequence));
        let columns = rows(events, history.kind, self.context).unwrap();
        let len = columns.first().map_or(0, Vec::len);
        (0..len)
            .map(|at| Line::Slots(columns.iter().map(|column| column[at].clone()).collect()))
            .collect()
    }
}
