//! What was is again: `undo`, `restore`, and `merge`, which asks when a value was set.

use super::past::Nature;
use super::schema::Rule;
use super::state::{Change, OBJECTS, Record, State, number, set};
use super::{Key, Kind, Model, Op};
use std::collections::{BTreeMap, BTreeSet};

impl Model {
    /// The transactions that are undone.
    fn undone(&self) -> BTreeSet<u64> {
        let mut undone = BTreeSet::new();
        for past in self.past.iter().rev() {
            if let Nature::Undo(of) = past.nature
                && !undone.contains(&past.sequence)
            {
                undone.insert(of);
            }
        }
        undone
    }

    /// The place in the past of a transaction; nothing of the one that the journal begins with.
    fn place(&self, sequence: u64) -> Option<usize> {
        let mut all = self.past.iter();
        all.position(|past| past.sequence == sequence)
            .filter(|at| *at > 0)
    }

    /// Whether a transaction is an undoing of an undoing and so on, in the end, of something done.
    fn is_doing(&self, sequence: u64) -> bool {
        match self.place(sequence).map(|at| self.past[at].nature) {
            Some(Nature::Undo(of)) => !self.is_doing(of),
            _ => true,
        }
    }

    pub(super) fn undo(&mut self, op: &Op) -> Option<(String, bool)> {
        let undone = self.undone();
        let own = |at: &usize| {
            let past = &self.past[*at];
            past.actor == self.open.actor && !undone.contains(&past.sequence)
        };
        let mut places = (1..self.past.len()).rev();
        let (text, place) = match op {
            Op::UndoNumber(at) => {
                let past = &self.past[at % self.past.len()];
                let place = self.place(past.sequence);
                let place = place.filter(|_| !undone.contains(&past.sequence));
                (format!("undo {}", past.sequence), place)
            }
            Op::Redo => {
                let takes_back = |at: &usize| match self.past[*at].nature {
                    Nature::Undo(of) => self.is_doing(of),
                    _ => false,
                };
                (
                    "redo".to_owned(),
                    places.find(|at| own(at) && takes_back(at)),
                )
            }
            _ => {
                let is_undo = |at: &usize| matches!(self.past[*at].nature, Nature::Undo(_));
                ("undo".to_owned(), places.find(|at| own(at) && !is_undo(at)))
            }
        };
        let done = !self.open.touched && place.is_some_and(|place| self.take_back(place, &undone));
        Some((text, done))
    }

    fn take_back(&mut self, place: usize, undone: &BTreeSet<u64>) -> bool {
        let target = &self.past[place];
        if target.nature == Nature::Schema || target.lost {
            return false;
        }
        let sequence = target.sequence;
        let later = place + 1..self.past.len();
        let counts = |at: &usize| {
            let later = &self.past[*at];
            let of_later = matches!(later.nature, Nature::Undo(of) if of > sequence);
            !undone.contains(&later.sequence) && !of_later
        };
        let later: Vec<usize> = later.filter(counts).collect();
        let mut state = self.state.clone();
        for object in OBJECTS {
            for change in self.did(place, object) {
                let stands = |at: &usize| {
                    let mut others = self.did(*at, object).into_iter();
                    others.any(|other| stands_on(&other, &change))
                };
                if later.iter().any(stands) {
                    return false;
                }
                let table = state.of_mut(object);
                match (change.before, change.after) {
                    (None, _) => drop(table.remove(&change.key)),
                    (Some(before), None) => drop(table.insert(change.key, before.clone())),
                    (Some(_), Some(_)) => {
                        let record = table.get_mut(&change.key).expect("nobody deleted it");
                        for field in change.fields() {
                            set(record, field, change.was(field).cloned());
                        }
                    }
                }
            }
        }
        self.state = state;
        self.open.touched = true;
        self.open.undoing = Some(sequence);
        true
    }

    /// The records that are gone, as they were last.
    fn dead(&self, object: &str) -> BTreeMap<Key, Record> {
        let mut dead = BTreeMap::new();
        for past in &self.past {
            dead.extend(past.state.of(object).clone());
        }
        dead.retain(|key, _| self.state.get(object, *key).is_none());
        // Of its own deletions a transaction knows the last values.
        for (key, record) in self.open.gone.of(object) {
            dead.entry(*key)
                .and_modify(|known| known.clone_from(record));
        }
        dead
    }

    pub(super) fn restore(
        &mut self,
        object: &'static str,
        at: Option<usize>,
    ) -> Option<(String, bool)> {
        let dead = self.dead(object);
        let Some(at) = at else {
            let text = format!("restore {} where true", self.o(object));
            self.bring_back(object, dead);
            return Some((text, !self.open.retyped));
        };
        let records: Vec<&Record> = dead.values().collect();
        let last = self.last_gone.get(object).filter(|_| at % 2 == 0);
        let last = last.and_then(|(key, _)| dead.get(key));
        let some = || records.get(at % records.len().max(1)).copied();
        let name = last.or_else(some)?["name"].clone();
        let text = format!("restore {} \"{name}\"", self.o(object));
        let called = dead
            .into_iter()
            .filter(|(_, record)| record["name"] == name);
        let called: BTreeMap<_, _> = called.collect();
        let one = called.len() == 1 && !self.open.retyped;
        self.bring_back(object, called);
        Some((text, one))
    }

    pub(super) fn restore_firms(&mut self, than: i64) -> (String, bool) {
        let mut dead = self.dead("firms");
        dead.retain(|_, firm| number(firm, "size").is_some_and(|size| size >= than));
        self.bring_back("firms", dead);
        let (firms, size) = (self.o("firms"), self.f("firms", "size"));
        let done = !self.open.retyped;
        (format!("restore {firms} where {size} >= {than}"), done)
    }

    fn bring_back(&mut self, object: &str, mut dead: BTreeMap<Key, Record>) {
        let coming: BTreeSet<Key> = dead.keys().copied().collect();
        for field in self.fields(object) {
            let Kind::To(to, Rule::Empty) = field.kind else {
                continue;
            };
            for record in dead.values_mut() {
                let key = record.get(&field.key).and_then(|key| key.parse().ok());
                let there = key.is_none_or(|key: Key| {
                    self.state.get(to, key).is_some() || to == object && coming.contains(&key)
                });
                if !there {
                    record.remove(&field.key);
                }
            }
        }
        self.state.of_mut(object).extend(dead);
    }

    pub(super) fn merge(
        &mut self,
        object: &'static str,
        (source, target): (usize, usize),
        keep: u8,
        said: &[(usize, u8)],
    ) -> Option<(String, bool)> {
        let sides = ["target", "source", "newest"];
        let (source, target) = (self.pick(object, source)?, self.pick(object, target)?);
        let fields = self.fields(object).to_vec();
        let said: BTreeMap<usize, u8> =
            said.iter().map(|(at, b)| (at % fields.len(), *b)).collect();
        let words: Vec<_> = said
            .iter()
            .map(|(at, side)| format!("{} = {}", fields[*at].name, sides[usize::from(*side)]))
            .collect();
        let text = format!(
            "merge {} {} into {}{}{}",
            self.o(object),
            self.quoted(object, Some(source)),
            self.quoted(object, Some(target)),
            match keep {
                3 => String::new(),
                keep => format!(" keep {}", sides[usize::from(keep)]),
            },
            match words.is_empty() {
                true => String::new(),
                false => format!(" ({})", words.join(", ")),
            }
        );
        if source == target {
            return Some((text, false));
        }
        let pair = [source, target].map(|key| key.to_string());
        let mut merged = Record::new();
        for (at, field) in fields.iter().enumerate() {
            let own = |key: Key| {
                let value = self.state.value(object, key, &field.key).cloned();
                let itself = matches!(field.kind, Kind::To(to, _) if to == object);
                value.filter(|value| !itself || !pair.contains(value))
            };
            let (of_source, of_target) = (own(source), own(target));
            let side = said.get(&at).copied().unwrap_or(keep % 3);
            let exact = said.contains_key(&at) && side != 2;
            let source_wins = match side {
                0 => false,
                1 => true,
                _ => {
                    let set_in = |key| self.set_in(object, key, &field.key);
                    set_in(source) > set_in(target)
                }
            };
            let value = match (of_source, of_target) {
                (Some(one), None) | (None, Some(one)) if !exact => Some(one),
                (source, _) if source_wins => source,
                (_, target) => target,
            };
            set(&mut merged, &field.key, value);
        }
        for (referring, field, _) in self.references(object) {
            for (key, record) in self.state.of_mut(referring) {
                let both = referring == object && [source, target].contains(key);
                if !both && record.get(&field) == Some(&pair[0]) {
                    record.insert(field.clone(), pair[1].clone());
                }
            }
        }
        let table = self.state.of_mut(object);
        let gone = table.remove(&source).map(|record| (source, record));
        table.insert(target, merged);
        self.open.gone.of_mut(object).extend(gone);
        let may_ask = !self.open.retyped && self.open.indexed.is_empty();
        Some((text, may_ask))
    }

    /// The transaction that gave a field of a record its value. One that brought a value back did
    /// not: it is as old as it was before it went.
    fn set_in(&self, object: &str, key: Key, field: &str) -> u64 {
        let value = |state: &State| state.value(object, key, field).cloned();
        let known = |at: usize| self.past[at].state.get(object, key).is_some();
        let last = &self.past[self.past.len() - 1].state;
        if last.get(object, key).is_none() || value(last) != value(&self.state) {
            return u64::MAX;
        }
        let mut at = self.past.len() - 1;
        loop {
            let before = at.checked_sub(1);
            let was = before.and_then(|before| value(&self.past[before].state));
            if was != value(&self.past[at].state) {
                let dead = before.filter(|before| !known(*before));
                let lived = dead.and_then(|dead| (0..dead).rev().find(|at| known(*at)));
                let set_by = match (self.past[at].nature, lived) {
                    // As old as in the state before what is undone.
                    (Nature::Undo(of), _) => self.place(of).map(|of| of - 1),
                    (_, Some(lived)) => Some(lived),
                    _ => return self.past[at].sequence,
                };
                match set_by {
                    Some(earlier) => at = earlier,
                    None => return 0,
                }
            } else {
                match before {
                    Some(before) => at = before,
                    None => return 0,
                }
            }
        }
    }
}

/// Whether a later change was made on what a change to be undone did.
fn stands_on(later: &Change<'_>, change: &Change<'_>) -> bool {
    later.key == change.key
        && match (later.before, later.after, change.before, change.after) {
            (Some(_), Some(_), Some(_), Some(_)) => !later.fields().is_disjoint(&change.fields()),
            _ => true,
        }
}
