//! What is in a book, as maps in memory, and statements about it with what they do to the maps.

mod alter;
pub(super) mod ask;
mod back;
mod op;
mod past;
mod schema;
mod state;
mod write;

pub(super) use op::{Alter, Op, op};
pub(super) use past::{Moment, NOW, day_said, moment_said};
pub(super) use schema::SCHEMA;
use schema::{Field, Kind, Rule};
use state::{Key, Record, number};
pub(super) use state::{OBJECTS, State};

use past::Past;
use schema::{Object, objects};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

/// What is in the book, and was.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) objects: BTreeMap<&'static str, Object>,
    pub(super) state: State,
    /// The transactions that the journal knows, from the one it begins with.
    pub(super) past: Vec<Past>,
    pub(super) pruned: bool,
    /// The transactions that last changed the records.
    revisions: Rc<BTreeMap<(&'static str, Key), u64>>,
    named: u32,
    /// What the transaction under way is.
    pub(super) open: Open,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub(super) actor: Option<&'static str>,
    /// Whether it did anything.
    touched: bool,
    schema: bool,
    undoing: Option<u64>,
    /// Fields that were made in it.
    fresh: BTreeSet<String>,
    /// Whether a field got another type in it, and the fields that got an index: the past cannot
    /// be asked then.
    retyped: bool,
    indexed: BTreeSet<String>,
}

/// A statement, and what becomes of it.
pub(super) struct Applied {
    pub(super) text: String,
    pub(super) done: bool,
    /// How many rows its dry run has.
    pub(super) rows: Option<usize>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            objects: objects(),
            state: State::empty(),
            past: Vec::new(),
            pruned: false,
            revisions: Rc::default(),
            named: 0,
            open: Open::default(),
        }
    }

    /// A number that was not given before.
    fn next(&mut self) -> u32 {
        self.named += 1;
        self.named
    }

    fn new_name(&mut self, object: &str) -> String {
        format!("{}{}", &object[..1], self.next())
    }

    pub(super) fn object(&self, object: &str) -> &Object {
        &self.objects[object]
    }

    fn object_mut(&mut self, object: &str) -> &mut Object {
        self.objects.get_mut(object).expect("all objects are there")
    }

    /// What an object is called.
    pub(super) fn o(&self, object: &str) -> &str {
        &self.object(object).name
    }

    /// What a field is called.
    pub(super) fn f(&self, object: &str, key: &str) -> &str {
        &self.object(object).field(key).name
    }

    pub(super) fn fields(&self, object: &str) -> &[Field] {
        &self.object(object).fields
    }

    /// All fields that refer to records of an object, with the object that has them.
    fn references(&self, object: &str) -> Vec<(&'static str, String, Rule)> {
        let mut found = Vec::new();
        for referring in OBJECTS {
            for field in self.fields(referring) {
                if let Kind::To(to, rule) = field.kind
                    && to == object
                {
                    found.push((referring, field.key.clone(), rule));
                }
            }
        }
        found
    }

    fn pick(&self, object: &str, at: usize) -> Option<Key> {
        let keys: Vec<Key> = self.state.of(object).keys().copied().collect();
        keys.get(at % keys.len().max(1)).copied()
    }

    fn pick_maybe(&self, object: &str, at: Option<usize>) -> Option<Key> {
        at.and_then(|at| self.pick(object, at))
    }

    /// What a record is called now.
    pub(super) fn name(&self, object: &str, key: Key) -> Option<&String> {
        self.state.value(object, key, "name")
    }

    fn quoted(&self, object: &str, key: Option<Key>) -> String {
        let name = key.and_then(|key| self.name(object, key));
        name.map_or_else(|| "empty".to_owned(), |name| format!("\"{name}\""))
    }

    /// A value as an answer shows it, where the records are those of a state.
    pub(super) fn shown(&self, field: &Field, value: Option<&String>, then: &State) -> String {
        match (&field.kind, value) {
            (_, None) => String::new(),
            (Kind::Labels(_), Some(label)) => field.label(label).to_owned(),
            (Kind::To(to, _), Some(key)) => {
                let key = key.parse().expect("a reference is a number");
                let name = then.value(to, key, "name");
                name.cloned().unwrap_or_else(|| "#".to_owned())
            }
            (_, Some(value)) => value.clone(),
        }
    }

    /// A value as a statement says it.
    fn said(&self, field: &Field, value: Option<&String>) -> String {
        match (&field.kind, value) {
            (_, None) => "empty".to_owned(),
            (Kind::Integer | Kind::Number, Some(value)) => value.clone(),
            _ => format!("\"{}\"", self.shown(field, value, &self.state)),
        }
    }

    /// The record and all that lie below it.
    pub(super) fn subtree(state: &State, root: Key) -> BTreeSet<Key> {
        let mut found = BTreeSet::from([root]);
        loop {
            let before = found.len();
            for (key, firm) in state.of("firms") {
                let parent = firm.get("parent").and_then(|key| key.parse().ok());
                if parent.is_some_and(|parent| found.contains(&parent)) {
                    found.insert(*key);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Whether all rules are held.
    fn is_sound(&self) -> bool {
        OBJECTS.iter().all(|object| {
            let records = self.state.of(object).values();
            self.fields(object).iter().all(|field| {
                let mut seen = BTreeSet::new();
                let mut values = records.clone().filter_map(|record| record.get(&field.key));
                values.all(|value| {
                    let there = match field.kind {
                        Kind::To(to, _) => {
                            let key = value.parse().expect("a reference is a number");
                            self.state.get(to, key).is_some()
                        }
                        _ => field.knows(value),
                    };
                    there && (!field.unique || seen.insert(value))
                })
            })
        }) && self.state.of("orders").values().all(|order| {
            order.contains_key("firm") && number(order, "amount").is_none_or(|n| n >= 0)
        }) && self.has_no_circle()
    }

    fn has_no_circle(&self) -> bool {
        self.state.of("firms").keys().all(|start| {
            let above = |key: Key| -> Option<Key> {
                let parent = self.state.value("firms", key, "parent");
                parent.and_then(|key| key.parse().ok())
            };
            let mut at = above(*start);
            for _ in 0..self.state.of("firms").len() {
                match at {
                    Some(key) if key == *start => return false,
                    Some(key) => at = above(key),
                    None => return true,
                }
            }
            // A circle that others are in.
            true
        })
    }

    /// The statement, and whether it succeeds; what it does is then done. Nothing if there is
    /// nothing that it could be about.
    pub(super) fn apply(&mut self, op: &Op, directory: &Path) -> Option<Applied> {
        let before = self.clone();
        let (told, dry) = match op {
            Op::DryRun(op) => (&**op, true),
            op => (op, false),
        };
        let schema = matches!(told, Op::Alter(..));
        let Some((text, done)) = self.attempt(told, directory) else {
            *self = before;
            return None;
        };
        let done = done && self.is_sound();
        if dry {
            let rows = self.lines_since(&before.state);
            *self = before;
            return Some(Applied {
                text: format!("dry run {text}"),
                done: done && !schema,
                rows: Some(rows),
            });
        }
        if !done {
            *self = before;
        } else if schema || self.state != before.state {
            self.open.touched = true;
            if !matches!(told, Op::Undo | Op::Redo | Op::UndoNumber(_)) {
                self.open.undoing = None;
            }
        }
        Some(Applied {
            text,
            done,
            rows: None,
        })
    }

    /// How many lines tell what changed: one for a record that came or went, one for each field
    /// of others.
    fn lines_since(&self, before: &State) -> usize {
        let changes = OBJECTS
            .iter()
            .flat_map(|o| self.state.changes_since(before, o));
        changes
            .map(|change| match (change.before, change.after) {
                (Some(_), Some(_)) => change.fields().len(),
                _ => 1,
            })
            .sum()
    }

    fn attempt(&mut self, op: &Op, directory: &Path) -> Option<(String, bool)> {
        match op {
            Op::Undo | Op::Redo | Op::UndoNumber(_) => self.undo(op),
            Op::Restore(object, at) => self.restore(OBJECTS[*object], *at),
            Op::RestoreFirms(size) => Some(self.restore_firms(*size)),
            Op::Merge(object, source, target, keep, fields) => {
                self.merge(OBJECTS[*object], (*source, *target), *keep, fields)
            }
            Op::Alter(object, change) => self.alter(OBJECTS[*object], change),
            op => self.write(op, directory),
        }
    }

    /// The cells of all records of an object in a state, by name.
    pub(super) fn table(&self, object: &str, then: &State) -> Vec<Vec<String>> {
        let mut rows: Vec<_> = then
            .of(object)
            .values()
            .map(|record| {
                let cell = |field: &Field| self.shown(field, record.get(&field.key), then);
                self.fields(object).iter().map(cell).collect::<Vec<_>>()
            })
            .collect();
        rows.sort();
        rows
    }
}
