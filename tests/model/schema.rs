//! Objects and fields of the model, and what a value becomes in another type.

use super::state::{OBJECTS, Record};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Refuse,
    Empty,
    Cascade,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Number,
    Text,
    /// The keys of its labels, the lowest first.
    Labels(Vec<String>),
    To(&'static str, Rule),
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// What records have its values by: never that of another field.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What its labels are called, also those that are dropped.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) index: bool,
    pub(crate) unique: bool,
    /// Whether a statement added it.
    pub(crate) added: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) const SCHEMA: &str = "
  create object reps (name text label unique) actors;
  create object firms (name text label unique, size integer,
    parent ref firms hierarchy collection children on delete cascade);
  create object people (name text label unique, email email unique,
    firm ref firms collection crew on delete cascade, boss ref people collection staff on delete empty);
  create object orders (name text label unique, firm ref firms required, amount integer,
    check (not (amount < 0)));
  add reps (name = \"Dee\"), (name = \"Ben\")";

pub(crate) fn objects() -> BTreeMap<&'static str, Object> {
    let field = |key: &str, kind: Kind| Field {
        key: key.to_owned(),
        name: key.to_owned(),
        index: matches!(kind, Kind::To(..)),
        kind,
        labels: BTreeMap::new(),
        unique: matches!(key, "name" | "email"),
        added: false,
    };
    let name = || field("name", Kind::Text);
    let fields = [
        vec![
            name(),
            field("size", Kind::Integer),
            field("parent", Kind::To("firms", Rule::Cascade)),
        ],
        vec![
            name(),
            field("email", Kind::Text),
            field("firm", Kind::To("firms", Rule::Cascade)),
            field("boss", Kind::To("people", Rule::Empty)),
        ],
        vec![
            name(),
            field("firm", Kind::To("firms", Rule::Refuse)),
            field("amount", Kind::Integer),
        ],
    ];
    let objects = OBJECTS.into_iter().zip(fields);
    objects
        .map(|(object, fields)| {
            let name = object.to_owned();
            (object, Object { name, fields })
        })
        .collect()
}

impl Object {
    pub(crate) fn field(&self, key: &str) -> &Field {
        let mut fields = self.fields.iter();
        fields.find(|field| field.key == key).expect("it is there")
    }

    pub(crate) fn field_mut(&mut self, key: &str) -> &mut Field {
        let mut fields = self.fields.iter_mut();
        fields.find(|field| field.key == key).expect("it is there")
    }
}

impl Field {
    /// The name of a label, and that of a label that is dropped.
    pub(crate) fn label(&self, key: &str) -> &str {
        &self.labels[key]
    }

    /// Whether a value is one that the field may have.
    pub(crate) fn knows(&self, value: &str) -> bool {
        match &self.kind {
            Kind::Labels(labels) => labels.iter().any(|label| label == value),
            _ => true,
        }
    }

    /// What a value of this field becomes in another; nothing if it cannot.
    pub(crate) fn converted(&self, value: &str, to: &Field) -> Option<String> {
        let shown = match &self.kind {
            Kind::Labels(_) => self.label(value),
            _ => value,
        };
        match &to.kind {
            Kind::Integer => shown.parse::<i64>().ok().map(|n| n.to_string()),
            Kind::Number => shown.parse::<f64>().ok().map(|n| n.to_string()),
            Kind::Text => Some(shown.to_owned()),
            Kind::Labels(labels) => labels.iter().find(|key| to.label(key) == shown).cloned(),
            Kind::To(..) => None,
        }
    }
}

/// Has a record's value of one field become that of another; false if it cannot.
pub(crate) fn convert(record: &mut Record, from: &Field, to: &Field) -> bool {
    let Some(value) = record.remove(&from.key) else {
        return true;
    };
    let converted = from.converted(&value, to);
    let kept = converted.is_some();
    converted.map(|value| record.insert(to.key.clone(), value));
    kept
}

pub(crate) fn quoted_all(words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words
        .iter()
        .map(|word| format!("\"{}\"", word.as_ref()))
        .collect();
    words.join(", ")
}
