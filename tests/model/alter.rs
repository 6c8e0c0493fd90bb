//! Statements about objects, fields, labels and indexes.

use super::schema::{Field, Kind, Rule, convert, quoted_all};
use super::{Alter, Model};
use std::collections::{BTreeMap, BTreeSet};

impl Model {
    /// A field that was added, of some kind.
    pub(super) fn pick_field(
        &self,
        object: &str,
        at: usize,
        fits: impl Fn(&Field) -> bool,
    ) -> Option<Field> {
        let fields = self.fields(object).iter();
        let fields: Vec<_> = fields.filter(|field| field.added && fits(field)).collect();
        fields.get(at % fields.len().max(1)).copied().cloned()
    }

    /// A field with labels, and one of them.
    fn pick_label(
        &self,
        object: &str,
        field: usize,
        at: usize,
    ) -> Option<(Field, Vec<String>, String)> {
        let field = self.pick_field(object, field, |f| matches!(f.kind, Kind::Labels(_)))?;
        let Kind::Labels(labels) = &field.kind else {
            return None;
        };
        let label = labels[at % labels.len()].clone();
        let labels = labels.clone();
        Some((field, labels, label))
    }

    fn type_said(&self, field: &Field) -> String {
        match &field.kind {
            Kind::Integer => "integer".to_owned(),
            Kind::Number => "number".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Labels(labels) => {
                let labels: Vec<_> = labels.iter().map(|key| field.label(key)).collect();
                format!("picklist ({})", quoted_all(&labels))
            }
            Kind::To(object, rule) => {
                let rule = match rule {
                    Rule::Refuse => "",
                    Rule::Empty => " on delete empty",
                    Rule::Cascade => " on delete cascade",
                };
                format!("ref {} collection c{}{rule}", self.o(object), field.key)
            }
        }
    }

    /// Labels of these names, with keys that no others have.
    fn labels(
        &mut self,
        names: impl IntoIterator<Item = String>,
    ) -> (Kind, BTreeMap<String, String>) {
        let labels: Vec<_> = names
            .into_iter()
            .map(|name| (format!("L{}", self.next()), name))
            .collect();
        let keys = labels.iter().map(|(key, _)| key.clone()).collect();
        (Kind::Labels(keys), labels.into_iter().collect())
    }

    pub(super) fn alter(&mut self, object: &'static str, change: &Alter) -> Option<(String, bool)> {
        self.open.schema = true;
        let called = self.o(object).to_owned();
        let (change, done) = match change {
            Alter::AddField(kind) => (self.add_field(object, *kind), true),
            Alter::DropField(at) => {
                let field = self.pick_field(object, *at, |_| true)?;
                self.mark_lost(object, &field.key, |_| true);
                for state in self.states_mut() {
                    for record in state.of_mut(object).values_mut() {
                        record.remove(&field.key);
                    }
                }
                self.object_mut(object)
                    .fields
                    .retain(|f| f.key != field.key);
                self.open.indexed.remove(&field.key);
                (format!("drop field {}", field.name), true)
            }
            Alter::RenameField(at) => {
                let at = at % self.fields(object).len();
                let new = format!("n{}", self.next());
                let field = &mut self.object_mut(object).fields[at];
                let change = format!("rename field {} to {new}", field.name);
                field.name = new;
                (change, true)
            }
            Alter::RenameObject => {
                let new = format!("k{}s", self.next());
                let change = format!("rename to {new}");
                self.object_mut(object).name = new;
                (change, true)
            }
            Alter::Retype(at, kind) => self.retype(object, *at, *kind)?,
            Alter::AddLabel(at, again) => {
                let (field, mut labels, _) = self.pick_label(object, *at, 0)?;
                let gone = field.labels.keys().find(|key| !labels.contains(key));
                let (key, name) = match gone.filter(|_| *again) {
                    Some(key) => (key.clone(), field.label(key).to_owned()),
                    None => (format!("L{}", self.next()), format!("l{}", self.next())),
                };
                let change = format!("add label {} \"{name}\"", field.name);
                labels.push(key.clone());
                let field = self.object_mut(object).field_mut(&field.key);
                field.labels.insert(key, name);
                field.kind = Kind::Labels(labels);
                (change, true)
            }
            Alter::RenameLabel(at, label) => {
                let (field, _, label) = self.pick_label(object, *at, *label)?;
                let new = format!("l{}", self.next());
                let (field_name, old) = (&field.name, field.label(&label));
                let change = format!("rename label {field_name} \"{old}\" to \"{new}\"");
                let field = self.object_mut(object).field_mut(&field.key);
                field.labels.insert(label, new);
                (change, true)
            }
            Alter::DropLabel(at, label) => {
                let (field, mut labels, label) = self.pick_label(object, *at, *label)?;
                if labels.len() < 2 {
                    return None;
                }
                labels.retain(|key| *key != label);
                self.object_mut(object).field_mut(&field.key).kind = Kind::Labels(labels);
                let dropped = field.label(&label);
                // Those who have it are in the way.
                (format!("drop label {} \"{dropped}\"", field.name), true)
            }
            Alter::Reorder(at, by) => {
                let (field, mut labels, _) = self.pick_label(object, *at, 0)?;
                if labels.len() < 2 {
                    return None;
                }
                let by = 1 + by % (labels.len() - 1);
                labels.rotate_left(by);
                let names: Vec<_> = labels.iter().map(|key| field.label(key)).collect();
                let change = format!("alter field {} order ({})", field.name, quoted_all(&names));
                self.object_mut(object).field_mut(&field.key).kind = Kind::Labels(labels);
                (change, true)
            }
            Alter::AddIndex(at, unique) => {
                let field = self.pick_field(object, *at, |f| !matches!(f.kind, Kind::To(..)))?;
                let name = &field.name;
                let unique_said = if *unique { " unique" } else { "" };
                let text = format!("create index on {called} ({name}){unique_said}");
                let now = self.object_mut(object).field_mut(&field.key);
                (now.index, now.unique) = (true, *unique);
                self.open.indexed.insert(field.key.clone());
                return Some((text, !field.index));
            }
            Alter::DropIndex(at) => {
                let fits = |f: &Field| f.index && !matches!(f.kind, Kind::To(..));
                let field = self.pick_field(object, *at, fits)?;
                let now = self.object_mut(object).field_mut(&field.key);
                (now.index, now.unique) = (false, false);
                self.open.indexed.remove(&field.key);
                return Some((format!("drop index on {called} ({})", field.name), true));
            }
        };
        Some((format!("alter object {called} {change}"), done))
    }

    fn add_field(&mut self, object: &str, kind: u8) -> String {
        let key = format!("x{}", self.next());
        let to = if object == "orders" {
            "people"
        } else {
            "firms"
        };
        let rule = [Rule::Empty, Rule::Cascade, Rule::Refuse][self.next() as usize % 3];
        let (kind, labels) = match kind {
            0 | 1 => (Kind::Integer, BTreeMap::new()),
            2 => (Kind::Text, BTreeMap::new()),
            3 => (Kind::Number, BTreeMap::new()),
            4 | 5 => {
                let n = self.next();
                self.labels(["a", "b", "c"].map(|letter| format!("l{n}{letter}")))
            }
            _ => (Kind::To(to, rule), BTreeMap::new()),
        };
        let field = Field {
            name: key.clone(),
            index: matches!(kind, Kind::To(..)),
            key,
            kind,
            labels,
            unique: false,
            added: true,
        };
        self.open.fresh.insert(field.key.clone());
        if field.index {
            self.open.indexed.insert(field.key.clone());
        }
        let change = format!("add field {} {}", field.name, self.type_said(&field));
        self.object_mut(object).fields.push(field);
        change
    }

    fn retype(&mut self, object: &str, at: usize, kind: u8) -> Option<(String, bool)> {
        let fresh = self.open.fresh.clone();
        let fits = |f: &Field| !fresh.contains(&f.key) && !matches!(f.kind, Kind::To(..));
        let old = self.pick_field(object, at, fits)?;
        let worded = matches!(old.kind, Kind::Text | Kind::Labels(_));
        let (kind, labels) = match kind {
            0 => (Kind::Integer, BTreeMap::new()),
            1 => (Kind::Number, BTreeMap::new()),
            2 => (Kind::Text, BTreeMap::new()),
            _ if worded => {
                let records = self.state.of(object).values();
                let values = records.filter_map(|record| record.get(&old.key));
                let names: BTreeSet<_> = values
                    .map(|value| self.shown(&old, Some(value), &self.state))
                    .collect();
                // Sometimes one is left out.
                let all = names.len() - usize::from(at.is_multiple_of(5)).min(names.len());
                let names = names.into_iter().rev().take(all);
                self.labels(names.chain(["spare".to_owned()]).collect::<BTreeSet<_>>())
            }
            _ => return None,
        };
        let same = kind == old.kind;
        let new = Field {
            key: format!("x{}", self.next()),
            kind,
            labels,
            ..old.clone()
        };
        let change = format!("alter field {} type {}", old.name, self.type_said(&new));
        if same {
            return Some((change, false));
        }
        let (from, to) = (old.clone(), new.clone());
        self.mark_lost(object, &old.key, |old| {
            old.is_some_and(|old| from.converted(old, &to).is_none())
        });
        let records = self.state.of_mut(object).values_mut();
        let failed = records.filter(|record| record.contains_key(&old.key));
        let failed: Vec<bool> = failed.map(|record| convert(record, &old, &new)).collect();
        let done = failed.into_iter().all(|kept| kept);
        for past in &mut self.past {
            for record in past.state.of_mut(object).values_mut() {
                convert(record, &old, &new);
            }
        }
        self.open.fresh.insert(new.key.clone());
        let fields = &mut self.object_mut(object).fields;
        fields.retain(|field| field.key != old.key);
        fields.push(new);
        self.open.retyped = true;
        Some((change, done))
    }

    /// Transactions that changed the value of a field to which this applies are not undone.
    fn mark_lost(&mut self, object: &str, field: &str, applies: impl Fn(Option<&str>) -> bool) {
        for at in 1..self.past.len() {
            let lost = self.did(at, object).into_iter().any(|change| {
                let changed = change.before.is_some()
                    && change.after.is_some()
                    && change.was(field) != change.is(field);
                changed && applies(change.was(field).map(String::as_str))
            });
            self.past[at].lost |= lost;
        }
    }

    fn states_mut(&mut self) -> impl Iterator<Item = &mut super::State> {
        let past = self.past.iter_mut().map(|past| &mut past.state);
        std::iter::once(&mut self.state).chain(past)
    }
}
