//! Records as maps, and what differs between two states of a book.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A record of the model by the order in which it came; the book's own numbers are not looked at.
pub(crate) type Key = u32;

/// Values by the keys of their fields; those without a value are left out. A reference is the
/// number of a record, a picklist's value the key of its label.
pub(crate) type Record = BTreeMap<String, String>;
pub(crate) type Table = BTreeMap<Key, Record>;

/// The last one comes and goes.
pub(crate) const OBJECTS: [&str; 4] = ["firms", "people", "orders", "visits"];

/// The records of all objects. Tables that did not change are shared between states.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State(BTreeMap<&'static str, Rc<Table>>);

/// A record that came, went or was changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) key: Key,
    pub(crate) before: Option<&'a Record>,
    pub(crate) after: Option<&'a Record>,
}

impl<'a> Change<'a> {
    /// The fields that have another value; for records that came or went, those with a value.
    pub(crate) fn fields(&self) -> BTreeSet<&'a String> {
        let both = self.before.into_iter().chain(self.after);
        both.flat_map(BTreeMap::keys)
            .filter(|field| self.was(field) != self.is(field))
            .collect()
    }

    pub(crate) fn was(&self, field: &str) -> Option<&'a String> {
        self.before.and_then(|record| record.get(field))
    }

    pub(crate) fn is(&self, field: &str) -> Option<&'a String> {
        self.after.and_then(|record| record.get(field))
    }
}

impl Default for State {
    fn default() -> Self {
        Self::empty()
    }
}

impl State {
    pub(crate) fn empty() -> Self {
        Self(OBJECTS.map(|object| (object, Rc::default())).into())
    }

    pub(crate) fn of(&self, object: &str) -> &Table {
        &self.0[object]
    }

    pub(crate) fn of_mut(&mut self, object: &str) -> &mut Table {
        Rc::make_mut(self.0.get_mut(object).expect("all objects are there"))
    }

    pub(crate) fn get(&self, object: &str, key: Key) -> Option<&Record> {
        self.of(object).get(&key)
    }

    pub(crate) fn value(&self, object: &str, key: Key, field: &str) -> Option<&String> {
        self.get(object, key).and_then(|record| record.get(field))
    }

    pub(crate) fn changes_since<'a>(&'a self, before: &'a Self, object: &str) -> Vec<Change<'a>> {
        if Rc::ptr_eq(&self.0[object], &before.0[object]) {
            return Vec::new();
        }
        let (was, is) = (before.of(object), self.of(object));
        let keys: BTreeSet<Key> = was.keys().chain(is.keys()).copied().collect();
        let changes = keys.into_iter().map(|key| Change {
            key,
            before: was.get(&key),
            after: is.get(&key),
        });
        changes.filter(|c| c.before != c.after).collect()
    }
}

pub(crate) fn set(record: &mut Record, field: &str, value: Option<String>) {
    match value {
        Some(value) => record.insert(field.to_owned(), value),
        None => record.remove(field),
    };
}

pub(crate) fn number(record: &Record, field: &str) -> Option<i64> {
    record.get(field).and_then(|text| text.parse().ok())
}
