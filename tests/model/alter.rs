//! Statements about objects, fields, labels and indexes.

use super::schema::{Default, Field, Kind, Rule, Shows, quoted_all};
use super::state::Record;
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
    pub(super) fn pick_label(
        &self,
        object: &str,
        field: usize,
        at: usize,
    ) -> Option<(Field, Vec<String>, String)> {
        let field = self.pick_field(object, field, |f| f.kind.labels().is_some())?;
        let labels = field.kind.labels()?;
        let label = labels.get(at % labels.len().max(1))?.clone();
        let labels = labels.clone();
        Some((field, labels, label))
    }

    fn type_said(&self, field: &Field) -> String {
        match &field.kind {
            Kind::Integer => "integer".to_owned(),
            Kind::Number => "number".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Date => "date".to_owned(),
            Kind::DateTime => "datetime".to_owned(),
            Kind::Tags(_, true) => "tags".to_owned(),
            Kind::Labels(labels) | Kind::Tags(labels, false) => {
                let word = match field.kind {
                    Kind::Labels(_) => "picklist",
                    _ => "tags",
                };
                let labels: Vec<_> = labels.iter().map(|key| field.label(key)).collect();
                format!("{word} ({})", quoted_all(&labels))
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
    ) -> (Vec<String>, BTreeMap<String, String>) {
        let labels: Vec<_> = names
            .into_iter()
            .map(|name| (format!("L{}", self.next()), name))
            .collect();
        let keys = labels.iter().map(|(key, _)| key.clone()).collect();
        (keys, labels.into_iter().collect())
    }

    pub(super) fn alter(&mut self, object: &'static str, change: &Alter) -> Option<(String, bool)> {
        self.open.schema = true;
        let called = self.o(object).to_owned();
        let (change, done) = match change {
            Alter::AddField(kind) => (self.add_field(object, *kind), true),
            Alter::DropField(at) => {
                let field = self.pick_field(object, *at, |_| true)?;
                let joint = self.is_joint(object, &field.key);
                if field.index || joint || self.is_viewed(&field.key) {
                    let text = format!("alter object {called} drop field {}", field.name);
                    return Some((text, false));
                }
                self.mark_lost(object, &field.key, |_, _| true);
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
                let new = format!("n{}", self.next());
                let object = self.object_mut(object);
                let all = object.fields.len() + object.formulas.len();
                let names = object.fields.iter_mut().map(|field| &mut field.name);
                let mut names = names.chain(object.formulas.iter_mut().map(|f| &mut f.name));
                // What records are called by more often.
                let at = if at % 3 == 0 { 0 } else { at % all };
                let name = names.nth(at).expect("there are so many");
                let change = format!("rename field {name} to {new}");
                *name = new;
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
                // A label that is dropped comes back with its name.
                let gone = field.labels.keys().rfind(|key| !labels.contains(key));
                let (key, name) = match gone.filter(|_| *again || at % 2 == 0) {
                    Some(key) => (key.clone(), field.label(key).to_owned()),
                    None => (format!("L{}", self.next()), format!("l{}", self.next())),
                };
                let change = format!("add label {} \"{name}\"", field.name);
                labels.push(key.clone());
                let field = self.object_mut(object).field_mut(&field.key);
                field.labels.insert(key, name);
                field.kind.set_labels(labels);
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
                let viewed = self.views.iter().any(|view| {
                    matches!(&view.shows, Shows::Label(of, own) if *of == field.key && *own == label)
                });
                let open = matches!(field.kind, Kind::Tags(_, true));
                let kept = viewed || labels.len() < 2 && !open;
                labels.retain(|key| *key != label);
                let now = self.object_mut(object).field_mut(&field.key);
                now.kind.set_labels(labels);
                let dropped = field.label(&label);
                // Those who have it are in the way.
                (format!("drop label {} \"{dropped}\"", field.name), !kept)
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
                let now = self.object_mut(object).field_mut(&field.key);
                now.kind.set_labels(labels);
                (change, true)
            }
            Alter::AddCheck(most) => {
                let of = match object {
                    "firms" => "size",
                    "orders" => "amount",
                    _ => return None,
                };
                if self.object(object).bound.is_some() {
                    return None;
                }
                self.object_mut(object).bound = Some((of, *most));
                let change = format!("add check (not ({} > {most}))", self.f(object, of));
                (change, true)
            }
            Alter::AddIndex(at, unique) => {
                let fits = |f: &Field| !matches!(f.kind, Kind::To(..) | Kind::Tags(..));
                let field = self.pick_field(object, *at, fits)?;
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
            Alter::AddJoint(one, other, unique) => {
                let fields = self.fields(object).iter();
                let fields = fields.filter(|f| !matches!(f.kind, Kind::Tags(..)));
                let fields: Vec<_> = fields.collect();
                let one = fields[one % fields.len()];
                let other = fields[other % fields.len()];
                if one.key == other.key {
                    return None;
                }
                let unique_said = if *unique { " unique" } else { "" };
                let (a, b) = (&one.name, &other.name);
                let text = format!("create index on {called} ({a}, {b}){unique_said}");
                let joint = [one.key.clone(), other.key.clone()];
                let known = self
                    .object(object)
                    .joint
                    .iter()
                    .any(|(own, _)| *own == joint);
                self.open
                    .indexed
                    .insert(format!("{object}.{}", joint.join("+")));
                self.object_mut(object).joint.push((joint, *unique));
                return Some((text, !known));
            }
            Alter::DropJoint(at) => {
                let joint = &self.object(object).joint;
                let at = at % joint.len().max(1);
                let (fields, _) = joint.get(at)?.clone();
                self.object_mut(object).joint.remove(at);
                self.open
                    .indexed
                    .remove(&format!("{object}.{}", fields.join("+")));
                let [a, b] = fields.map(|key| self.f(object, &key).to_owned());
                return Some((format!("drop index on {called} ({a}, {b})"), true));
            }
        };
        Some((format!("alter object {called} {change}"), done))
    }

    fn add_field(&mut self, object: &str, kind: u8) -> String {
        let key = format!("x{}", self.next());
        let to = match object {
            _ if kind == 11 && self.object("visits").live => "visits",
            "orders" => "people",
            _ => "firms",
        };
        let rule = [Rule::Empty, Rule::Cascade, Rule::Refuse][self.next() as usize % 3];
        let kind_at = kind;
        let (kind, labels) = match kind {
            0 | 1 => (Kind::Integer, BTreeMap::new()),
            2 | 12 => (Kind::Text, BTreeMap::new()),
            3 => (Kind::Number, BTreeMap::new()),
            4 | 5 | 9 => {
                let n = self.next();
                let (keys, labels) =
                    self.labels(["a", "b", "c"].map(|letter| format!("l{n}{letter}")));
                match kind {
                    9 => (Kind::Tags(keys, false), labels),
                    _ => (Kind::Labels(keys), labels),
                }
            }
            7 => (Kind::Date, BTreeMap::new()),
            8 => (Kind::DateTime, BTreeMap::new()),
            10 => (Kind::Tags(Vec::new(), true), BTreeMap::new()),
            13 | 14 => (Kind::Integer, BTreeMap::new()),
            _ => (Kind::To(to, rule), BTreeMap::new()),
        };
        let field = Field {
            name: key.clone(),
            index: false,
            key,
            kind,
            labels,
            unique: false,
            added: true,
            default: match (kind_at, self.next() % 9) {
                (13, n) => Some(Default::Always(n.into())),
                (14, n) => Some(Default::Long(n.into(), 3)),
                _ => None,
            },
        };
        self.open.fresh.insert(field.key.clone());
        if matches!(field.kind, Kind::To(..)) {
            self.open.indexed.insert(field.key.clone());
        }
        let default = match field.default {
            None => String::new(),
            Some(Default::Always(n)) => format!(" default {n}"),
            Some(Default::Long(long, n)) => {
                let name = self.f(object, "name");
                format!(" default if(length({name}) > 2, {long}, {n})")
            }
        };
        let said = self.type_said(&field);
        let change = format!("add field {} {said}{default}", field.name);
        // The records that there are get it too.
        if let Some(default) = field.default {
            for record in self.state.of_mut(object).values_mut() {
                let value = default.of(&record["name"]).to_string();
                record.insert(field.key.clone(), value);
            }
        }
        self.object_mut(object).fields.push(field);
        change
    }

    fn retype(&mut self, object: &'static str, at: usize, kind: u8) -> Option<(String, bool)> {
        let fresh = self.open.fresh.clone();
        let fits = |f: &Field| !fresh.contains(&f.key);
        let old = self.pick_field(object, at, fits)?;
        // A view of it may mean nothing then.
        if self.views.iter().any(|view| match &view.shows {
            Shows::Label(key, _) | Shows::Of(key, _) => *key == old.key,
            _ => false,
        }) {
            return None;
        }
        let (kind, labels) = match kind {
            0 => (Kind::Integer, BTreeMap::new()),
            1 => (Kind::Number, BTreeMap::new()),
            2 => (Kind::Text, BTreeMap::new()),
            3 => (Kind::Date, BTreeMap::new()),
            4 => (Kind::DateTime, BTreeMap::new()),
            5 => {
                let to = match object {
                    "people" => "orders",
                    _ => "people",
                };
                let rule = match old.kind {
                    Kind::To(_, rule) => rule,
                    _ => Rule::Refuse,
                };
                (Kind::To(to, rule), BTreeMap::new())
            }
            8 => {
                // Each gets a label.
                let values = self.values(object, &old.key);
                let mut names: Vec<String> = Vec::new();
                for value in values {
                    let shown = self.shown(&old, Some(value), &self.state);
                    for name in shown.split(", ") {
                        if !names.iter().any(|known| known == name) {
                            names.push(name.to_owned());
                        }
                    }
                }
                if names.iter().any(|name| name == "#") {
                    return None;
                }
                let (keys, labels) = self.labels(names);
                (Kind::Tags(keys, true), labels)
            }
            kind => {
                let records = self.state.of(object).values();
                let values = records.filter_map(|record| record.get(&old.key));
                let shown = values.map(|value| self.shown(&old, Some(value), &self.state));
                let names: BTreeSet<_> = match kind {
                    7 => shown
                        .flat_map(|all| all.split(", ").map(str::to_owned).collect::<Vec<_>>())
                        .collect(),
                    _ => shown.collect(),
                };
                if names.contains("#") {
                    return None;
                }
                // Sometimes one is left out.
                let all = names.len() - usize::from(at.is_multiple_of(5)).min(names.len());
                let names = names.into_iter().rev().take(all);
                let names = names.chain(["spare".to_owned()]).collect::<BTreeSet<_>>();
                let (keys, labels) = self.labels(names);
                match kind {
                    7 => (Kind::Tags(keys, false), labels),
                    _ => (Kind::Labels(keys), labels),
                }
            }
        };
        let new = Field {
            key: format!("x{}", self.next()),
            kind,
            labels,
            default: None,
            ..old.clone()
        };
        let said = match new.kind {
            Kind::To(to, _) => format!("ref {}", self.o(to)),
            _ => self.type_said(&new),
        };
        let none = old.default.map_or("", |_| " default empty");
        let change = format!("alter field {} type {said}{none}", old.name);
        let tags = matches!(new.kind, Kind::Tags(..));
        if !old.kind.goes_to(&new.kind) || tags && (old.index || self.is_joint(object, &old.key)) {
            return Some((change, false));
        }
        let now = self.clone();
        // What it was cannot be again, or it is the same as what it became.
        self.mark_lost(object, &old.key, |was, is| {
            let [was_now, is_now] = [was, is].map(|value| now.converted(&old, value?, &new));
            was.is_some() && was_now.is_none() || was_now == is_now
        });
        let convert = |record: &mut Record| match record.remove(&old.key) {
            None => true,
            Some(value) => {
                let converted = now.converted(&old, &value, &new);
                let kept = converted.is_some();
                converted.map(|value| record.insert(new.key.clone(), value));
                kept
            }
        };
        let mut done = true;
        for record in self.state.of_mut(object).values_mut() {
            done &= convert(record);
        }
        for past in &mut self.past {
            for record in past.state.of_mut(object).values_mut() {
                convert(record);
            }
        }
        self.open.fresh.insert(new.key.clone());
        if matches!(new.kind, Kind::To(..)) {
            self.open.indexed.insert(new.key.clone());
        }
        self.open.indexed.remove(&old.key);
        let joint = self.object_mut(object).joint.iter_mut();
        for key in joint
            .flat_map(|(fields, _)| fields)
            .filter(|key| **key == old.key)
        {
            key.clone_from(&new.key);
        }
        for view in &mut self.views {
            if let Shows::Filled(key) = &mut view.shows
                && *key == old.key
            {
                key.clone_from(&new.key);
            }
        }
        let fields = &mut self.object_mut(object).fields;
        fields.retain(|field| field.key != old.key);
        fields.push(new);
        self.open.retyped = true;
        Some((change, done))
    }

    /// Whether an index is over a field and another one.
    fn is_joint(&self, object: &str, field: &str) -> bool {
        let mut joint = self.object(object).joint.iter();
        joint.any(|(fields, _)| fields.iter().any(|key| key == field))
    }

    /// The values of a field: of now, of the last transaction, those that were changed, and those
    /// that went with their records.
    fn values<'a>(&'a self, object: &str, field: &'a str) -> Vec<&'a String> {
        let last = self.past.last().map(|past| &past.state);
        let states = [&self.state].into_iter().chain(last);
        let records = states.flat_map(|state| state.of(object).values());
        let mut all: Vec<_> = records.filter_map(|record| record.get(field)).collect();
        for gone in [false, true] {
            for at in 1..self.past.len() {
                let changes = self.did(at, object).into_iter();
                let changes = changes.filter(|change| change.after.is_none() == gone);
                let changes = changes.filter(|change| change.was(field) != change.is(field));
                all.extend(changes.filter_map(|change| change.was(field)));
            }
        }
        all
    }

    /// Transactions that changed the value of a field to which this applies are not undone.
    fn mark_lost(
        &mut self,
        object: &str,
        field: &str,
        applies: impl Fn(Option<&str>, Option<&str>) -> bool,
    ) {
        for at in 1..self.past.len() {
            let lost = self.did(at, object).into_iter().any(|change| {
                let changed = change.before.is_some()
                    && change.after.is_some()
                    && change.was(field) != change.is(field);
                let [was, is] = [change.was(field), change.is(field)];
                changed && applies(was.map(String::as_str), is.map(String::as_str))
            });
            self.past[at].lost |= lost;
        }
    }

    pub(super) fn states_mut(&mut self) -> impl Iterator<Item = &mut super::State> {
        let past = self.past.iter_mut().map(|past| &mut past.state);
        [&mut self.state, &mut self.open.gone]
            .into_iter()
            .chain(past)
    }
}
