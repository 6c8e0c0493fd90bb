//! Two transactions that began in the same state, and statements that make and drop objects and
//! views.

use super::schema::{Kind, Shows, View, fields};
use super::state::{OBJECTS, State};
use super::{Alter, Key, Model};
use std::collections::BTreeSet;

impl Model {
    /// What another transaction begins with that sees nothing of one under way.
    pub(crate) fn after(&self, other: &Self) -> Self {
        Self {
            named: other.named,
            done: super::Open::default(),
            ..self.clone()
        }
    }

    /// What a transaction comes to that began in the state of `base` and commits after another
    /// one, which led to `self`; nothing if the two do not go together.
    pub(crate) fn join(&self, base: &Self, mine: &Self) -> Option<Self> {
        let changed = |model: &Self, object| -> BTreeSet<Key> {
            let changes = model.state.changes_since(&base.state, object);
            changes.into_iter().map(|change| change.key).collect()
        };
        let does = |model: &Self, open: &super::Open| {
            let records = OBJECTS
                .iter()
                .any(|object| !changed(model, object).is_empty());
            (open.schema, open.grown, records)
        };
        let theirs = self.done.clone();
        let (my_schema, my_labels, my_records) = does(mine, &mine.open);
        let (their_schema, their_labels, their_records) = does(self, &theirs);
        let mut joined = mine.clone();
        if !(their_schema || their_labels || their_records) {
            return Some(joined);
        }
        joined.past.clone_from(&self.past);
        joined.revisions.clone_from(&self.revisions);
        if !(my_schema || my_labels || my_records) {
            return Some(Self {
                open: mine.open.clone(),
                named: mine.named,
                ..self.clone()
            });
        }
        if my_schema || their_schema || my_labels && their_labels {
            return None;
        }
        let mut state: State = self.state.clone();
        for object in OBJECTS {
            if !changed(mine, object).is_disjoint(&changed(self, object)) {
                return None;
            }
            for change in mine.state.changes_since(&base.state, object) {
                let table = state.of_mut(object);
                match change.after {
                    Some(record) => drop(table.insert(change.key, record.clone())),
                    None => drop(table.remove(&change.key)),
                }
            }
        }
        joined.state = state;
        if their_labels {
            joined.objects.clone_from(&self.objects);
        }
        joined.is_sound().then_some(joined)
    }

    pub(super) fn create_visits(&mut self) -> Option<(String, bool)> {
        let n = self.next();
        let text = format!(
            "create object visits (name text label unique, \
             who ref {} collection seen{n} on delete cascade)",
            self.o("people")
        );
        self.open.schema = true;
        if self.object("visits").live {
            // Under its first name it may be taken.
            let taken = self.o("visits") == "visits";
            return taken.then_some((text, false));
        }
        let visits = self.object_mut("visits");
        visits.live = true;
        visits.name = "visits".to_owned();
        visits.fields = fields("visits");
        visits.joint.clear();
        for key in ["visits.name", "visits.who"] {
            self.open.indexed.insert(key.to_owned());
        }
        Some((text, true))
    }

    pub(super) fn drop_object(&mut self, object: &'static str) -> Option<(String, bool)> {
        let text = format!("drop object {}", self.o(object));
        self.open.schema = true;
        let own = |referring: &str| referring == object;
        let referred = self.references(object).iter().any(|(of, ..)| !own(of));
        let shown = self
            .views
            .iter()
            .any(|view| own(view.object) || matches!(view.shows, Shows::Of(_, to) if own(to)));
        if object != "visits" || referred || shown {
            return Some((text, false));
        }
        for at in 1..self.past.len() {
            let lost = !self.did(at, object).is_empty();
            self.past[at].lost |= lost;
        }
        for state in self.states_mut() {
            state.of_mut(object).clear();
        }
        let fields = std::mem::take(&mut self.object_mut(object).fields);
        let gone = |key: &String| {
            key.starts_with("visits.") || fields.iter().any(|field| field.key == *key)
        };
        self.open.indexed.retain(|key| !gone(key));
        self.object_mut(object).live = false;
        Some((text, true))
    }

    pub(super) fn create_view(
        &mut self,
        object: &'static str,
        at: usize,
        shows: u8,
    ) -> Option<(String, bool)> {
        if self.views.len() > 2 {
            return self.drop_view(at);
        }
        self.open.schema = true;
        let called = self.o(object);
        let field = |fits: fn(&Kind) -> bool| self.pick_field(object, at, |f| fits(&f.kind));
        let (parameter, condition, shows) = match shows {
            0 => {
                let of = match object {
                    "firms" => "size",
                    "orders" => "amount",
                    _ => return None,
                };
                let condition = format!("{} >= $min", self.f(object, of));
                (
                    "($min integer default 2)".to_owned(),
                    condition,
                    Shows::Number(of),
                )
            }
            1 => {
                let field = field(|_| true)?;
                let condition = format!("{} is not empty", field.name);
                (String::new(), condition, Shows::Filled(field.key))
            }
            2 => {
                let field = field(|kind| matches!(kind, Kind::Labels(_)))?;
                let Kind::Labels(labels) = &field.kind else {
                    return None;
                };
                let label = labels[at % labels.len()].clone();
                let condition = format!("{} = \"{}\"", field.name, field.label(&label));
                (String::new(), condition, Shows::Label(field.key, label))
            }
            _ => {
                let is_reference = |f: &&super::Field| matches!(f.kind, Kind::To(..));
                let fields: Vec<_> = self.fields(object).iter().filter(is_reference).collect();
                let field = *fields.get(at % fields.len().max(1))?;
                let Kind::To(to, _) = field.kind else {
                    return None;
                };
                let parameter = format!("($of ref {})", self.o(to));
                let condition = format!("{} = $of", field.name);
                (parameter, condition, Shows::Of(field.key.clone(), to))
            }
        };
        let heading = self.f(object, "name").to_owned();
        let called = called.to_owned();
        let name = format!("v{}", self.next());
        let text =
            format!("create view {name}{parameter} as {called} where {condition} select {heading}");
        self.views.push(View {
            name,
            object,
            shows,
            heading,
        });
        Some((text, true))
    }

    pub(super) fn drop_view(&mut self, at: usize) -> Option<(String, bool)> {
        self.open.schema = true;
        let at = at % self.views.len().max(1);
        self.views.get(at)?;
        let view = self.views.remove(at);
        Some((format!("drop view {}", view.name), true))
    }

    /// An object whose new name, or that of its label, a view has to follow.
    pub(super) fn viewed(&self, change: &Alter) -> Option<&'static str> {
        let mut views = self.views.iter().rev();
        match change {
            Alter::RenameField(at) if at % 3 == 0 => views.next().map(|view| view.object),
            Alter::RenameObject => views.find_map(|view| match view.shows {
                Shows::Of(_, to) => Some(to),
                _ => None,
            }),
            _ => None,
        }
    }

    /// Whether a view says a field, or one of its labels.
    pub(super) fn is_viewed(&self, key: &str) -> bool {
        self.views.iter().any(|view| match &view.shows {
            Shows::Filled(field) | Shows::Label(field, _) | Shows::Of(field, _) => field == key,
            Shows::Number(_) => false,
        })
    }

    /// A question to a view and the keys of the records that it shows.
    pub(super) fn view(&self, view: &View) -> Option<(String, BTreeSet<Key>)> {
        let table = self.state.of(view.object);
        let numbers = |from: i64, of: &str| {
            let of = of.to_owned();
            self.filtered(view.object, move |record| {
                super::number(record, &of).is_some_and(|n| n >= from)
            })
        };
        Some(match &view.shows {
            Shows::Number(of) if table.len().is_multiple_of(2) => {
                (view.name.clone(), numbers(2, of))
            }
            Shows::Number(of) => (format!("{}(3)", view.name), numbers(3, of)),
            Shows::Filled(key) => {
                let filled = self.filtered(view.object, |record| record.contains_key(key));
                (view.name.clone(), filled)
            }
            Shows::Label(key, label) => {
                let has = self.filtered(view.object, |record| record.get(key) == Some(label));
                (view.name.clone(), has)
            }
            Shows::Of(key, to) => {
                let of = table.values().find_map(|record| record.get(key))?;
                let has = self.filtered(view.object, |record| record.get(key) == Some(of));
                let name = self.name(to, of.parse().expect("a reference is a number"))?;
                (format!("{}(\"{name}\")", view.name), has)
            }
        })
    }
}
