//! What is in a book, as maps in memory, and statements about it with what they do to the maps.

mod alter;
pub(super) mod ask;
mod back;
mod op;
mod past;
mod schema;
mod state;
mod together;
mod value;
mod write;

pub(super) use op::{Alter, Op, churn, clash, define, op, story};
pub(super) use past::{Moment, NOW, day_said, moment_said};
pub(super) use schema::SCHEMA;
use schema::{Field, Kind, Rule, View};
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
    pub(super) views: Vec<View>,
    pub(super) state: State,
    /// The transactions that the journal knows, from the one it begins with.
    pub(super) past: Vec<Past>,
    pub(super) pruned: bool,
    /// The transactions that last changed the records.
    revisions: Rc<BTreeMap<(&'static str, Key), u64>>,
    named: u32,
    /// The record of each object that was deleted last, as it was.
    last_gone: BTreeMap<&'static str, (Key, Record)>,
    /// The lines that the last import refuses.
    refused: usize,
    /// What the transaction under way is.
    pub(super) open: Open,
    /// What the last one was.
    done: Open,
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
    /// Whether tags got new labels.
    grown: bool,
    /// What was deleted in it, as it was last.
    gone: State,
}

/// A statement, and what becomes of it.
pub(super) struct Applied {
    pub(super) text: String,
    pub(super) done: bool,
    /// How many rows its dry run has.
    pub(super) rows: Option<usize>,
    /// How many lines an import refuses.
    pub(super) refused: usize,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            objects: objects(),
            views: Vec::new(),
            state: State::empty(),
            past: Vec::new(),
            pruned: false,
            revisions: Rc::default(),
            named: 0,
            last_gone: BTreeMap::new(),
            refused: 0,
            open: Open::default(),
            done: Open::default(),
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

    /// The objects that there are.
    pub(super) fn live(&self) -> impl Iterator<Item = &'static str> {
        let live = |object: &&str| self.object(object).live;
        OBJECTS.into_iter().filter(live)
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
        for referring in self.live() {
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
            (Kind::Tags(..), Some(tags)) => {
                let names: Vec<_> = schema::tags(tags).map(|tag| field.label(tag)).collect();
                names.join(", ")
            }
            (Kind::To(to, _), Some(key)) => {
                let key = key.parse().expect("a reference is a number");
                let name = then.value(to, key, "name");
                name.cloned().unwrap_or_else(|| "#".to_owned())
            }
            // A record that is gone is told by its number.
            (_, Some(value)) if value.starts_with('#') => "#".to_owned(),
            (_, Some(value)) => value.clone(),
        }
    }

    /// A value as a statement says it.
    fn said(&self, field: &Field, value: Option<&String>) -> String {
        match (&field.kind, value) {
            (_, None) => "empty".to_owned(),
            (Kind::Integer | Kind::Number | Kind::Date | Kind::DateTime, Some(value)) => {
                value.clone()
            }
            (Kind::Tags(..), Some(tags)) => {
                let names: Vec<_> = schema::tags(tags).map(|tag| field.label(tag)).collect();
                format!("({})", schema::quoted_all(&names))
            }
            _ => format!("\"{}\"", self.shown(field, value, &self.state)),
        }
    }

    /// What a value of one field becomes in another; nothing if it cannot.
    fn converted(&self, from: &Field, value: &str, to: &Field) -> Option<String> {
        let shown = match (&from.kind, &to.kind) {
            (Kind::To(of, _), _) => {
                let key = value.parse().expect("a reference is a number");
                let name = self.name(of, key).cloned();
                name.unwrap_or_else(|| format!("#{key}"))
            }
            (Kind::DateTime, Kind::Date) => value[..10].to_owned(),
            (Kind::Labels(_) | Kind::Tags(..), _) => {
                self.shown(from, Some(&value.to_owned()), &self.state)
            }
            _ => value.to_owned(),
        };
        let is_time = |text: &str, len| text.len() == len && text.starts_with("2020-");
        match &to.kind {
            Kind::Integer => shown.parse::<i64>().ok().map(|n| n.to_string()),
            Kind::Number => shown.parse::<f64>().ok().map(|n| n.to_string()),
            Kind::Date => is_time(&shown, 10).then_some(shown),
            Kind::DateTime if is_time(&shown, 10) => Some(format!("{shown}T00:00:00")),
            Kind::DateTime => is_time(&shown, 19).then_some(shown),
            Kind::Text => Some(shown),
            Kind::Labels(labels) => labels.iter().find(|key| to.label(key) == shown).cloned(),
            Kind::Tags(..) => {
                // In the order of the labels.
                let own = |key: &&String| shown.split(", ").any(|name| to.label(key) == name);
                let mut keys: Vec<_> = to.labels.keys().filter(own).cloned().collect();
                keys.sort_by_key(|key| schema::place(key));
                let all = shown.split(", ").collect::<BTreeSet<_>>().len() == keys.len();
                all.then(|| keys.join(","))
            }
            Kind::To(of, _) => match shown.strip_prefix('#') {
                Some(key) => {
                    let key: Key = key.parse().expect("it was a record's");
                    self.state.get(of, key).map(|_| key.to_string())
                }
                None => self.with(of, "name", &shown).map(|key| key.to_string()),
            },
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
            }) && self.object(object).joint.iter().all(|(fields, unique)| {
                let mut seen = BTreeSet::new();
                let mut keys = records.clone().filter_map(|record| {
                    let [one, other] = fields;
                    record.get(one).zip(record.get(other))
                });
                !unique || keys.all(|key| seen.insert(key))
            }) && self.object(object).bound.is_none_or(|(field, most)| {
                let mut numbers = records.filter_map(|record| number(record, field));
                numbers.all(|n| n <= most)
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
        self.refused = 0;
        let schema = matches!(
            told,
            Op::Alter(..)
                | Op::CreateVisits
                | Op::DropObject(_)
                | Op::CreateView(..)
                | Op::DropView(_)
        );
        let Some((text, done)) = self.attempt(told, directory) else {
            *self = before;
            return None;
        };
        let done = done && self.is_sound();
        let refused = self.refused;
        if dry {
            let rows = self.lines_since(&before.state);
            *self = before;
            return Some(Applied {
                text: format!("dry run {text}"),
                done: done && !schema,
                rows: Some(rows),
                refused,
            });
        }
        if !done {
            *self = before;
        } else if schema || self.open.grown || self.state != before.state {
            self.open.touched = true;
            if !matches!(told, Op::Undo | Op::Redo | Op::UndoNumber(_)) {
                self.open.undoing = None;
            }
        }
        Some(Applied {
            text,
            done,
            rows: None,
            refused,
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
        let of = match op {
            Op::Restore(object, _)
            | Op::Merge(object, ..)
            | Op::Alter(object, _)
            | Op::DropObject(object)
            | Op::CreateView(object, ..)
            | Op::Call(object, ..)
            | Op::Swap(object, ..)
            | Op::Delete(object, _)
            | Op::DeleteReferred(object, _)
            | Op::SetLabel(object, ..)
            | Op::EmptyLabel(object, ..)
            | Op::SetField(object, ..)
            | Op::SetFields(object, ..) => OBJECTS[*object],
            Op::AddVisit(..) => "visits",
            _ => "firms",
        };
        if !self.object(of).live {
            return None;
        }
        match op {
            Op::Undo | Op::Redo | Op::UndoNumber(_) => self.undo(op),
            Op::Restore(object, at) => self.restore(OBJECTS[*object], *at),
            Op::RestoreFirms(size) => Some(self.restore_firms(*size)),
            Op::Merge(object, source, target, keep, fields) => {
                self.merge(OBJECTS[*object], (*source, *target), *keep, fields)
            }
            Op::Alter(object, change) => {
                let viewed = self
                    .viewed(change)
                    .filter(|object| self.object(object).live);
                self.alter(viewed.unwrap_or(OBJECTS[*object]), change)
            }
            Op::CreateVisits => self.create_visits(),
            Op::DropObject(object) => self.drop_object(OBJECTS[*object]),
            Op::CreateView(object, at, shows) => self.create_view(OBJECTS[*object], *at, *shows),
            Op::DropView(at) => self.drop_view(*at),
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
                let computed = self.object(object).formulas.iter().map(|formula| {
                    // Without its number a condition is false, an amount missing.
                    let none = || (formula.of == "amount").then(|| "false".to_owned());
                    let n = number(record, formula.of).map(formula.is);
                    n.or_else(none).unwrap_or_default()
                });
                let fields = self.fields(object).iter().map(cell);
                fields.chain(computed).collect::<Vec<_>>()
            })
            .collect();
        rows.sort();
        rows
    }
}
