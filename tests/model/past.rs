//! The transactions of the model, and what is told of them.

use super::state::{Change, OBJECTS};
use super::{Key, Model, State};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Minutes since the first day of 2020.
pub(crate) type Moment = i64;

/// What the book takes for now: the last day of the year.
pub(crate) const NOW: Moment = 365 * 1440;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    Plain,
    Schema,
    Undo(u64),
}

/// A transaction, and what there was after it.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) sequence: u64,
    pub(crate) at: Moment,
    pub(crate) actor: Option<&'static str>,
    pub(crate) nature: Nature,
    /// Whether what it changed cannot be told any more, so that it is not undone.
    pub(crate) lost: bool,
    pub(crate) state: State,
}

/// A line of `changes of`.
#[derive(Clone, Debug)]
pub(crate) struct Changed<'a> {
    pub(crate) of: &'a Past,
    pub(crate) key: Key,
    pub(crate) old: Option<&'a String>,
    pub(crate) new: Option<&'a String>,
}

/// A line of `spans of`.
#[derive(Clone, Debug)]
pub(crate) struct Span<'a> {
    pub(crate) key: Key,
    pub(crate) value: Option<&'a String>,
    pub(crate) from: &'a Past,
    pub(crate) to: Option<&'a Past>,
}

pub(crate) fn day_said(at: Moment) -> String {
    let mut day = at / 1440;
    let mut month = 1;
    for days in [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("2020-{month:02}-{:02}", day + 1)
}

pub(crate) fn moment_said(at: Moment) -> String {
    format!("{}T{:02}:{:02}:00", day_said(at), at / 60 % 24, at % 60)
}

impl Model {
    /// The transaction under way becomes one of the past.
    pub(crate) fn commit(&mut self, sequence: u64, at: Moment) {
        let empty = State::empty();
        let before = self.past.last().map_or(&empty, |last| &last.state);
        for object in OBJECTS {
            for change in self.state.changes_since(before, object) {
                Rc::make_mut(&mut self.revisions).insert((object, change.key), sequence);
            }
        }
        let nature = match (self.open.schema, self.open.undoing) {
            (true, _) => Nature::Schema,
            (false, Some(of)) => Nature::Undo(of),
            (false, None) => Nature::Plain,
        };
        self.done = std::mem::take(&mut self.open);
        let actor = self.done.actor;
        self.past.push(Past {
            sequence,
            at,
            actor,
            nature,
            lost: false,
            state: self.state.clone(),
        });
    }

    /// Forgets what was before the last transaction before a day; whether that is anything.
    pub(crate) fn prune(&mut self, day: Moment) -> bool {
        let before = self.past.iter().filter(|past| past.at < day).count();
        if before == 0 || before == 1 && self.pruned {
            return false;
        }
        self.past.drain(..before - 1);
        self.past[0].actor = None;
        self.pruned = true;
        true
    }

    pub(crate) fn revision(&self, object: &'static str, key: Key) -> Option<u64> {
        self.revisions.get(&(object, key)).copied()
    }

    /// What there was at a moment; nothing before the first transaction.
    pub(crate) fn as_of(&self, at: Moment) -> Option<&Past> {
        self.past.iter().rev().find(|past| past.at <= at)
    }

    /// The records of an object that a transaction changed, by its place in the past.
    pub(crate) fn did(&self, at: usize, object: &str) -> Vec<Change<'_>> {
        self.past[at]
            .state
            .changes_since(&self.past[at - 1].state, object)
    }

    /// All changes of a field that are known, oldest first.
    pub(crate) fn changes<'a>(&'a self, object: &str, field: &str) -> Vec<Changed<'a>> {
        let first = &self.past[0];
        let begin = first.state.of(object).iter();
        let mut all: Vec<_> = begin
            .filter_map(|(key, record)| {
                let new = Some(record.get(field)?);
                Some(Changed {
                    of: first,
                    key: *key,
                    old: None,
                    new,
                })
            })
            .collect();
        for at in 1..self.past.len() {
            let changed = self.did(at, object).into_iter().map(|change| Changed {
                of: &self.past[at],
                key: change.key,
                old: change.was(field),
                new: change.is(field),
            });
            all.extend(changed.filter(|change| change.old != change.new));
        }
        all
    }

    /// The spans of time in which a field of a record had one value, by record.
    pub(crate) fn spans<'a>(&'a self, object: &str, field: &str) -> Vec<Span<'a>> {
        let mut open: BTreeMap<Key, Span<'a>> = BTreeMap::new();
        let mut all = Vec::new();
        for past in &self.past {
            let records = past.state.of(object);
            let ended = |span: &Span<'_>| match records.get(&span.key) {
                Some(record) => record.get(field) != span.value,
                None => true,
            };
            let over: Vec<Key> = open.values().filter(|s| ended(s)).map(|s| s.key).collect();
            for key in over {
                let span = open.remove(&key).expect("it is open");
                all.push(Span {
                    to: Some(past),
                    ..span
                });
            }
            for (key, record) in records {
                open.entry(*key).or_insert_with(|| Span {
                    key: *key,
                    value: record.get(field),
                    from: past,
                    to: None,
                });
            }
        }
        all.extend(open.into_values());
        all
    }

    /// What happened to one record: transaction, change, field, old and new value.
    pub(crate) fn history(&self, object: &str, key: Key) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let mut known = false;
        for (at, past) in self.past.iter().enumerate() {
            let empty = State::empty();
            let before = if at == 0 {
                &empty
            } else {
                &self.past[at - 1].state
            };
            let change = Change {
                key,
                before: before.get(object, key),
                after: past.state.get(object, key),
            };
            let what = match (change.before, change.after) {
                (None, Some(_)) if at == 0 && self.pruned => "kept",
                (None, Some(_)) if known => "restored",
                (None, Some(_)) => "added",
                (Some(_), None) => "deleted",
                _ => "changed",
            };
            known |= change.after.is_some();
            for field in self.fields(object) {
                let (old, new) = (change.was(&field.key), change.is(&field.key));
                if old != new {
                    lines.push(vec![
                        past.sequence.to_string(),
                        what.to_owned(),
                        field.name.clone(),
                        self.shown(field, old, &self.state),
                        self.shown(field, new, &self.state),
                    ]);
                }
            }
        }
        lines.sort();
        lines
    }
}
