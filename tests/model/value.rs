//! Values that statements give, and records that are put by a key.

use super::past::{day_said, moment_said};
use super::schema::{Field, Kind, place};
use super::state::{Record, number};
use super::write::{digits, reference};
use super::{Key, Model};
use std::collections::BTreeSet;

impl Model {
    /// A field that was added, and a value for it.
    pub(super) fn pick_value(
        &mut self,
        object: &str,
        at: usize,
        value: Option<usize>,
    ) -> Option<(Field, Option<String>)> {
        let field = self.pick_field(object, at, |_| true)?;
        let words = [
            "5",
            "07",
            "7",
            "many",
            "1.5",
            "x",
            "2020-02-03",
            "2020-02-13",
        ];
        let value = value.and_then(|n| match &field.kind {
            Kind::Date => Some(day_said((n % 40) as i64 * 1440)),
            Kind::DateTime => Some(moment_said((n % 40) as i64 * 700)),
            Kind::Text if n % 3 == 0 => {
                let to = if object == "people" {
                    "orders"
                } else {
                    "people"
                };
                let named = self.pick(to, n).and_then(|key| self.name(to, key));
                named.or(Some(&words[n % words.len()].to_owned())).cloned()
            }
            Kind::Tags(labels, open) => self.pick_tags(object, &field.key, (labels, *open), n),
            Kind::Integer => Some((n % 8).to_string()),
            Kind::Number => Some((n as f64 / 2.0).to_string()),
            Kind::Text => Some(words[n % words.len()].to_owned()),
            Kind::Labels(labels) => Some(labels[n % labels.len()].clone()),
            Kind::To(to, _) => reference(self.pick(to, n)),
        });
        // With the labels that came.
        let field = self.object(object).field(&field.key).clone();
        Some((field, value))
    }

    /// One or two tags, perhaps new ones.
    fn pick_tags(
        &mut self,
        object: &str,
        key: &str,
        (labels, open): (&[String], bool),
        n: usize,
    ) -> Option<String> {
        let mut labels = labels.to_vec();
        let mut picked = BTreeSet::new();
        for n in [n, n / 7] {
            if !open {
                picked.insert(labels[n % labels.len()].clone());
                continue;
            }
            let name = format!("t{}", n % 6);
            let field = self.object(object).field(key);
            let called = |label: &&String| field.label(label) == name;
            // One that is dropped comes back.
            let known = labels.iter().find(called).cloned();
            let known = known.or_else(|| field.labels.keys().rfind(called).cloned());
            let label = known.unwrap_or_else(|| format!("L{}", self.next()));
            if !labels.contains(&label) {
                labels.push(label.clone());
                self.open.grown = true;
                self.open.undoing = None;
                let field = self.object_mut(object).field_mut(key);
                field.kind.set_labels(labels.clone());
                field.labels.insert(label.clone(), name);
            }
            picked.insert(label);
        }
        let mut picked: Vec<String> = picked.into_iter().collect();
        picked.sort_by_key(|label| place(label));
        Some(picked.join(","))
    }

    /// A line of an import: refused without a key, or if another one has its name.
    pub(super) fn import_person(
        &mut self,
        mail: Option<String>,
        name: String,
        firm: Option<String>,
    ) {
        let known = mail
            .as_ref()
            .and_then(|mail| self.with("people", "email", mail));
        let called = self.with("people", "name", &name);
        let (Some(mail), true) = (mail, called.is_none() || called == known) else {
            self.refused += 1;
            return;
        };
        let firm = firm.map(|firm| match self.with("firms", "name", &firm) {
            Some(key) => key,
            None => self.add("firms", &firm, &[]),
        });
        let key = known.unwrap_or_else(|| self.add("people", &name, &[]));
        self.assign("people", key, "email", Some(mail));
        self.assign("people", key, "name", Some(name));
        self.assign("people", key, "firm", reference(firm));
    }

    pub(super) fn known_or_new(&mut self, at: Option<usize>) -> String {
        let known = self.pick_maybe("firms", at);
        match known.and_then(|key| self.name("firms", key)) {
            Some(name) => name.clone(),
            None => self.new_name("firms"),
        }
    }

    pub(super) fn put_firm(&mut self, name: &str, size: Option<i64>) {
        let known = self.with("firms", "name", name);
        let key = known.unwrap_or_else(|| self.add("firms", name, &[]));
        self.assign("firms", key, "size", digits(size));
    }

    /// The order of a firm with an amount gets a name, or comes; false if there are several.
    pub(super) fn put_order(&mut self, firm: Key, amount: i64, name: &str) -> bool {
        let is_it = |order: &Record| {
            order.get("firm") == Some(&firm.to_string()) && number(order, "amount") == Some(amount)
        };
        let known = self.filtered("orders", is_it);
        match known.first() {
            Some(key) => self.assign("orders", *key, "name", Some(name.to_owned())),
            None => {
                let values = [
                    ("firm", reference(Some(firm))),
                    ("amount", digits(Some(amount))),
                ];
                self.add("orders", name, &values);
            }
        }
        known.len() < 2
    }
}
