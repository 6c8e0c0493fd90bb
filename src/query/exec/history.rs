//! History as rows: what the journal tells of one field.

use super::{Context, Executor, Frame};
use crate::column::Vector;
use crate::error::Result;
use crate::query::bind::History;
use crate::query::syntax::HistoryKind;
use crate::storage::{Event, EventKind};
use crate::value::{DateTime, RecordId, Shape, Value};

/// About what an event takes in memory until it is a row.
const EVENT_BYTES: usize = 2 * size_of::<Event>();

impl Executor<'_> {
    /// The rows of [`History::columns`]: changes as they came, spans record by record.
    pub(super) fn history(&self, history: &History) -> Result<Frame> {
        let events = self
            .context
            .snapshot
            .events(history.object, history.field)?;
        let bytes = events.len() * EVENT_BYTES;
        self.evaluator.memory.charge(bytes, history.kind.word())?;
        let rows = rows(events, history.kind, self.context)?;
        let shapes = history.columns().into_iter().map(|(_, ty)| ty.shape());
        let len = rows.first().map_or(0, Vec::len);
        let columns = shapes.zip(&rows);
        let columns = columns.map(|(shape, values)| match shape {
            Shape::RowOnly => Vector::from_values(Shape::Texts, values),
            shape => Vector::from_values(shape, values),
        });
        let columns = columns.collect();
        self.evaluator.memory.release(bytes);
        Ok(Frame { columns, len })
    }
}

/// The values of [`History::columns`], column by column.
pub(super) fn rows(
    mut events: Vec<Event>,
    kind: HistoryKind,
    context: &Context<'_>,
) -> Result<Vec<Vec<Value>>> {
    let stamps = context.snapshot.transactions(0)?;
    let stamp = |sequence: u64| -> (DateTime, Option<RecordId>) {
        let at = stamps.binary_search_by_key(&sequence, |stamp| stamp.sequence);
        let stamp = at.ok().map(|at| stamps[at]);
        stamp.map_or((DateTime::from_micros(0), None), |stamp| {
            (stamp.at, stamp.actor)
        })
    };
    let actor = |actor: Option<RecordId>| actor.map_or(Value::Missing, Value::Reference);
    match kind {
        HistoryKind::Changes => {
            events.retain(|event| event.old != event.new);
            events.sort_by_key(|event| (event.sequence, event.id));
            let mut columns = vec![Vec::new(); 5];
            for event in events {
                let (at, who) = stamp(event.sequence);
                let row = [
                    Value::Reference(event.id),
                    event.old,
                    event.new,
                    Value::DateTime(at),
                    actor(who),
                ];
                columns
                    .iter_mut()
                    .zip(row)
                    .for_each(|(column, value)| column.push(value));
            }
            Ok(columns)
        }
        HistoryKind::Spans => {
            let mut columns = vec![Vec::new(); 6];
            let clock = context.clock;
            for (at, event) in events.iter().enumerate() {
                if event.kind == EventKind::Went {
                    continue;
                }
                let (since, who) = stamp(event.sequence);
                let next = events.get(at + 1).filter(|next| next.id == event.id);
                let until = next.map(|next| stamp(next.sequence).0);
                let end = until.unwrap_or(clock.now);
                let days = clock.date_of(end).days() - clock.date_of(since).days();
                let row = [
                    Value::Reference(event.id),
                    event.new.clone(),
                    Value::DateTime(since),
                    until.map_or(Value::Missing, Value::DateTime),
                    Value::Integer(days.into()),
                    actor(who),
                ];
                columns
                    .iter_mut()
                    .zip(row)
                    .for_each(|(column, value)| column.push(value));
            }
            Ok(columns)
        }
    }
}
