//! Statements that add, change and delete records.

use super::schema::{Kind, Rule, tags};
use super::state::{OBJECTS, Record, Table, number, set};
use super::{Key, Model, Op};
use std::collections::BTreeSet;
use std::path::Path;

fn shown(value: Option<i64>) -> String {
    value.map_or_else(|| "empty".to_owned(), |n| n.to_string())
}

pub(super) fn digits(value: Option<i64>) -> Option<String> {
    value.map(|n| n.to_string())
}

pub(super) fn reference(key: Option<Key>) -> Option<String> {
    key.map(|key| key.to_string())
}

impl Model {
    pub(super) fn add(
        &mut self,
        object: &str,
        name: &str,
        values: &[(&str, Option<String>)],
    ) -> Key {
        let mut record = Record::new();
        for field in self.fields(object) {
            let default = field.default.map(|default| default.of(name).to_string());
            set(&mut record, &field.key, default);
        }
        record.insert("name".to_owned(), name.to_owned());
        for (field, value) in values {
            set(&mut record, field, value.clone());
        }
        let key = self.next();
        self.state.of_mut(object).insert(key, record);
        key
    }

    pub(super) fn assign(&mut self, object: &str, key: Key, field: &str, value: Option<String>) {
        let record = self.state.of_mut(object).get_mut(&key);
        set(record.expect("it is there"), field, value);
    }

    pub(super) fn with(&self, object: &str, field: &str, value: &str) -> Option<Key> {
        let mut records = self.state.of(object).iter();
        let found = records.find(|(_, record)| record.get(field).is_some_and(|v| v == value));
        found.map(|(key, _)| *key)
    }

    /// Adds to all numbers from a bound on.
    fn shift(&mut self, object: &str, field: &str, from: i64, by: i64) {
        let shift = |record: &mut Record| {
            if let Some(n) = number(record, field).filter(|n| *n >= from) {
                set(record, field, digits(Some(n + by)));
            }
        };
        self.state.of_mut(object).values_mut().for_each(shift);
    }

    pub(super) fn filtered(&self, object: &str, passes: impl Fn(&Record) -> bool) -> BTreeSet<Key> {
        let table: &Table = self.state.of(object);
        let passing = table.iter().filter(|(_, record)| passes(record));
        passing.map(|(key, _)| *key).collect()
    }

    /// Deletes records, and does what the references to them say; false if they are in the way.
    fn delete(&mut self, object: &'static str, keys: BTreeSet<Key>) -> bool {
        let mut gone: BTreeSet<(&str, Key)> = keys.into_iter().map(|key| (object, key)).collect();
        let live: Vec<&str> = self.live().collect();
        let all: Vec<_> = live
            .iter()
            .flat_map(|to| {
                let references = self.references(to).into_iter();
                references.map(move |(of, field, rule)| (*to, of, field, rule))
            })
            .collect();
        let refers = |record: &Record, field: &str, to, gone: &BTreeSet<(&str, Key)>| {
            let key = record.get(field).and_then(|key| key.parse().ok());
            key.is_some_and(|key| gone.contains(&(to, key)))
        };
        loop {
            let before = gone.len();
            for (to, of, field, _) in all.iter().filter(|(.., rule)| *rule == Rule::Cascade) {
                let with_them = self.filtered(of, |record| refers(record, field, *to, &gone));
                gone.extend(with_them.into_iter().map(|key| (*of, key)));
            }
            if gone.len() == before {
                break;
            }
        }
        for (object, key) in &gone {
            let record = self.state.of_mut(object).remove(key);
            self.open
                .gone
                .of_mut(object)
                .extend(record.map(|record| (*key, record)));
        }
        for (to, of, field, rule) in &all {
            for key in self.filtered(of, |record| refers(record, field, *to, &gone)) {
                match rule {
                    Rule::Refuse | Rule::Cascade => return false,
                    Rule::Empty => self.assign(of, key, field, None),
                }
            }
        }
        true
    }

    fn delete_one(&mut self, object: &'static str, key: Key) -> (String, bool) {
        let record = self.quoted(object, Some(key));
        let text = format!("delete {} {record}", self.o(object));
        let was = self.state.of(object)[&key].clone();
        let done = self.delete(object, BTreeSet::from([key]));
        self.last_gone.insert(object, (key, was));
        (text, done)
    }

    pub(super) fn write(&mut self, op: &Op, directory: &Path) -> Option<(String, bool)> {
        let [firms, people, orders, _] = OBJECTS.map(|object| self.o(object).to_owned());
        let of_firm = |field| self.f("firms", field).to_owned();
        let (size, parent, firm_name) = (of_firm("size"), of_firm("parent"), of_firm("name"));
        let of_person = |field| self.f("people", field).to_owned();
        let (email, boss) = (of_person("email"), of_person("boss"));
        let (employer, person_name) = (of_person("firm"), of_person("name"));
        let of_order = |field| self.f("orders", field).to_owned();
        let (amount, buyer, order_name) = (of_order("amount"), of_order("firm"), of_order("name"));
        let told = match op {
            Op::AddFirm(n, above) => {
                let above = self.pick_maybe("firms", *above);
                let name = self.new_name("firms");
                let text = format!(
                    "add {firms} ({firm_name} = \"{name}\", {size} = {}, {parent} = {})",
                    shown(*n),
                    self.quoted("firms", above)
                );
                self.add(
                    "firms",
                    &name,
                    &[("size", digits(*n)), ("parent", reference(above))],
                );
                (text, true)
            }
            Op::AddPerson(n, firm, above) => {
                let mail = n.map(|n| format!("e{n}@acme.example"));
                let firm = self.pick_maybe("firms", *firm);
                let above = self.pick_maybe("people", *above);
                let name = self.new_name("people");
                let text = format!(
                    "add {people} ({person_name} = \"{name}\", {email} = {}, {employer} = {}, \
                     {boss} = {})",
                    mail.as_ref()
                        .map_or("empty".to_owned(), |mail| format!("\"{mail}\"")),
                    self.quoted("firms", firm),
                    self.quoted("people", above)
                );
                let (firm, above) = (reference(firm), reference(above));
                self.add(
                    "people",
                    &name,
                    &[("email", mail), ("firm", firm), ("boss", above)],
                );
                (text, true)
            }
            Op::AddOrders(count, firm, last) => {
                let firm = self.pick_maybe("firms", *firm);
                let mut rows = Vec::new();
                for at in 1..=*count {
                    let name = self.new_name("orders");
                    // The last one alone may break the check.
                    let n = if at == *count { *last } else { 2 };
                    rows.push(format!(
                        "({order_name} = \"{name}\", {buyer} = {}, {amount} = {n})",
                        self.quoted("firms", firm)
                    ));
                    let values = [("firm", reference(firm)), ("amount", digits(Some(n)))];
                    self.add("orders", &name, &values);
                }
                (format!("add {orders} {}", rows.join(", ")), true)
            }
            Op::AddVisit(who, value) => {
                let who = self.pick_maybe("people", *who);
                let name = self.new_name("visits");
                let mut said = format!("{} = \"{name}\"", self.f("visits", "name"));
                said.push_str(&format!(
                    ", {} = {}",
                    self.f("visits", "who"),
                    self.quoted("people", who)
                ));
                let filled = self.pick_value("visits", *value, Some(*value));
                let key = self.add("visits", &name, &[("who", reference(who))]);
                if let Some((field, value)) = filled {
                    let value_said = self.said(&field, value.as_ref());
                    said.push_str(&format!(", {} = {value_said}", field.name));
                    self.assign("visits", key, &field.key, value);
                }
                (format!("add {} ({said})", self.o("visits")), true)
            }
            Op::Resize(at, n) => {
                let key = self.pick("firms", *at)?;
                let firm = self.quoted("firms", Some(key));
                self.assign("firms", key, "size", digits(*n));
                (
                    format!("update {firms} {firm} set {size} = {}", shown(*n)),
                    true,
                )
            }
            Op::ResizeUnchanged(at, n, since) => {
                let key = self.pick("firms", *at)?;
                // What this transaction itself did is nobody else's change.
                let changed = self.revision("firms", key)?;
                let seen = match since % 3 {
                    0 => changed,
                    1 => changed - 1,
                    _ => self.past[since % self.past.len()].sequence,
                };
                let text = format!(
                    "update {firms} {} set {size} = {n} if unchanged since {seen}",
                    self.quoted("firms", Some(key))
                );
                self.assign("firms", key, "size", digits(Some(*n)));
                (text, changed <= seen)
            }
            Op::Grow(from, by) => {
                self.shift("firms", "size", *from, *by);
                let text =
                    format!("update {firms} where {size} >= {from} set {size} = {size} + {by}");
                (text, true)
            }
            Op::Charge(from, by) => {
                self.shift("orders", "amount", *from, -*by);
                let text = format!(
                    "update {orders} where {amount} >= {from} set {amount} = {amount} - {by}"
                );
                (text, true)
            }
            Op::MoveFirm(at, under) => {
                let key = self.pick("firms", *at)?;
                let above = self.pick_maybe("firms", *under);
                let text = format!(
                    "update {firms} {} set {parent} = {}",
                    self.quoted("firms", Some(key)),
                    self.quoted("firms", above)
                );
                self.assign("firms", key, "parent", reference(above));
                (text, true)
            }
            Op::MovePerson(at, firm, above) => {
                let key = self.pick("people", *at)?;
                let firm = self.pick_maybe("firms", *firm);
                let above = self.pick_maybe("people", *above);
                let text = format!(
                    "update {people} {} set {employer} = {}, {boss} = {}",
                    self.quoted("people", Some(key)),
                    self.quoted("firms", firm),
                    self.quoted("people", above)
                );
                self.assign("people", key, "firm", reference(firm));
                self.assign("people", key, "boss", reference(above));
                (text, true)
            }
            Op::MoveOrder(at, firm) => {
                let key = self.pick("orders", *at)?;
                let firm = self.pick_maybe("firms", *firm);
                let text = format!(
                    "update {orders} {} set {buyer} = {}",
                    self.quoted("orders", Some(key)),
                    self.quoted("firms", firm)
                );
                self.assign("orders", key, "firm", reference(firm));
                (text, true)
            }
            Op::Call(object, at, as_other) => {
                let object = OBJECTS[*object];
                let key = self.pick(object, *at)?;
                let other = self.pick_maybe(object, *as_other);
                let new = match other.and_then(|other| self.name(object, other)) {
                    Some(name) => name.clone(),
                    None => self.new_name(object),
                };
                let text = format!(
                    "update {} {} set {} = \"{new}\"",
                    self.o(object),
                    self.quoted(object, Some(key)),
                    self.f(object, "name")
                );
                self.assign(object, key, "name", Some(new));
                (text, true)
            }
            Op::Swap(object, a, b) => {
                let object = OBJECTS[*object];
                let (a, b) = (self.pick(object, *a)?, self.pick(object, *b)?);
                let (one, other) = (self.quoted(object, Some(a)), self.quoted(object, Some(b)));
                let (called, name) = (self.o(object), self.f(object, "name"));
                let text = format!(
                    "update {called} where {name} in ({one}, {other}) \
                     set {name} = if({name} = {one}, {other}, {one})"
                );
                let names = [a, b].map(|key| self.name(object, key).cloned());
                let [one, other] = names;
                self.assign(object, a, "name", other);
                self.assign(object, b, "name", one);
                (text, true)
            }
            Op::Delete(object, at) => {
                let object = OBJECTS[*object];
                let key = self.pick(object, *at)?;
                self.delete_one(object, key)
            }
            Op::DeleteReferred(object, nth) => {
                let (_, gone) = self.last_gone.get(OBJECTS[*object])?;
                let referred = self.fields(OBJECTS[*object]).iter().filter_map(|field| {
                    let Kind::To(to, rule) = field.kind else {
                        return None;
                    };
                    let key = gone.get(&field.key)?.parse().ok()?;
                    let there = self.state.get(to, key).is_some();
                    there.then_some((rule != Rule::Empty, to, key))
                });
                let mut referred: Vec<(bool, &str, Key)> = referred.collect();
                // Often one that is emptied when the record comes back.
                referred.sort_by_key(|(kept, ..)| *kept && nth % 3 > 0);
                let at = if nth % 3 > 0 { 0 } else { nth / 3 };
                let (_, of, key) = *referred.get(at % referred.len().max(1))?;
                self.delete_one(of, key)
            }
            Op::DeleteFirms(below) => {
                let small =
                    self.filtered("firms", |f| number(f, "size").is_some_and(|n| n < *below));
                let text = format!("delete {firms} where {size} < {below}");
                (text, self.delete("firms", small))
            }
            Op::DeleteOrders(below) => {
                let small = |order: &Record| number(order, "amount").is_some_and(|n| n < *below);
                let small = self.filtered("orders", small);
                let text = format!("delete {orders} where {amount} < {below}");
                (text, self.delete("orders", small))
            }
            Op::Upsert(rows) => {
                let mut items = Vec::new();
                for (at, n) in rows {
                    let name = self.known_or_new(*at);
                    items.push(format!(
                        "({firm_name} = \"{name}\", {size} = {})",
                        shown(*n)
                    ));
                    self.put_firm(&name, *n);
                }
                (
                    format!("upsert {firms} on {firm_name} {}", items.join(", ")),
                    true,
                )
            }
            Op::UpsertPeople(rows) => {
                let mut items = Vec::new();
                for (n, at) in rows {
                    let mail = format!("e{n}@acme.example");
                    let firm = self.pick_maybe("firms", *at);
                    let name = self.new_name("people");
                    items.push(format!(
                        "({email} = \"{mail}\", {person_name} = \"{name}\", {employer} = {})",
                        self.quoted("firms", firm)
                    ));
                    let known = self.with("people", "email", &mail);
                    let key = known.unwrap_or_else(|| self.add("people", &name, &[]));
                    self.assign("people", key, "email", Some(mail));
                    self.assign("people", key, "name", Some(name));
                    self.assign("people", key, "firm", reference(firm));
                }
                (
                    format!("upsert {people} on {email} {}", items.join(", ")),
                    true,
                )
            }
            Op::UpsertOrders(rows) => {
                let mut items = Vec::new();
                let mut single = true;
                for (at, n) in rows {
                    let firm = self.pick("firms", *at)?;
                    let name = self.new_name("orders");
                    items.push(format!(
                        "({buyer} = {}, {amount} = {n}, {order_name} = \"{name}\")",
                        self.quoted("firms", Some(firm))
                    ));
                    single &= self.put_order(firm, *n, &name);
                }
                (
                    format!("upsert {orders} on {buyer}, {amount} {}", items.join(", ")),
                    single,
                )
            }
            Op::UpsertFrom(from, n) => {
                let text = format!(
                    "upsert {orders} on {buyer}, {amount} from ({firms} where {size} >= {from}) \
                     ({buyer} = this, {amount} = {n}, {order_name} = concat(\"q\", {firm_name}))"
                );
                let mut single = true;
                for firm in
                    self.filtered("firms", |f| number(f, "size").is_some_and(|s| s >= *from))
                {
                    let name = format!("q{}", self.name("firms", firm).expect("all have names"));
                    single &= self.put_order(firm, *n, &name) && self.is_sound();
                }
                (text, single)
            }
            Op::Import(lines) => {
                let mut file = format!("{firm_name},{size}\n");
                for (at, n) in lines {
                    let name = self.known_or_new(*at);
                    let cell = match n {
                        Some(-1) => {
                            self.refused += 1;
                            "many".to_owned()
                        }
                        n => digits(*n).unwrap_or_default(),
                    };
                    file.push_str(&format!("{name},{cell}\n"));
                    if *n != Some(-1) {
                        self.put_firm(&name, *n);
                    }
                }
                let path = directory.join("firms.csv");
                std::fs::write(&path, file).expect("the file is written");
                let path = path.display();
                (
                    format!("import {firms} from \"{path}\" on {firm_name}"),
                    true,
                )
            }
            Op::ImportPeople(lines) => {
                let mut file = "mail,called,works\n".to_owned();
                for (mail, called, works) in lines {
                    let mail = mail.map(|n| format!("e{n}@acme.example"));
                    let called = self.pick_maybe("people", *called);
                    let called = match called.and_then(|key| self.name("people", key)) {
                        Some(name) => name.clone(),
                        None => self.new_name("people"),
                    };
                    let works = works.map(|n| match self.pick("firms", n) {
                        Some(key) if n % 3 > 0 => self.quoted("firms", Some(key)).replace('"', ""),
                        _ => format!("z{}", n % 4),
                    });
                    let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
                    file.push_str(&format!("{},{called},{}\n", cell(&mail), cell(&works)));
                    self.import_person(mail, called, works);
                }
                let path = directory.join("people.csv");
                std::fs::write(&path, file).expect("the file is written");
                let path = path.display();
                let text = format!(
                    "import {people} from \"{path}\" on {email} creating {firms} \
                     ({email} = mail, {person_name} = called, {employer} = works)"
                );
                (text, true)
            }
            Op::SetField(object, at, record, value) => {
                let object = OBJECTS[*object];
                let key = self.pick(object, *record)?;
                let (field, value) = self.pick_value(object, *at, *value)?;
                let text = format!(
                    "update {} {} set {} = {}",
                    self.o(object),
                    self.quoted(object, Some(key)),
                    field.name,
                    self.said(&field, value.as_ref())
                );
                self.assign(object, key, &field.key, value);
                (text, true)
            }
            Op::SetFields(object, at, value) => {
                let object = OBJECTS[*object];
                let (field, value) = self.pick_value(object, *at, *value)?;
                let (called, said) = (self.o(object), self.said(&field, value.as_ref()));
                let text = format!("update {called} where true set {} = {said}", field.name);
                for key in self.filtered(object, |_| true) {
                    self.assign(object, key, &field.key, value.clone());
                }
                (text, true)
            }
            Op::SetLabel(object, at, record, label) => {
                let object = OBJECTS[*object];
                let key = self.pick(object, *record)?;
                let (field, _, label) = self.pick_label(object, *at, *label)?;
                let text = format!(
                    "update {} {} set {} = {}",
                    self.o(object),
                    self.quoted(object, Some(key)),
                    field.name,
                    self.said(&field, Some(&label))
                );
                self.assign(object, key, &field.key, Some(label));
                (text, true)
            }
            Op::EmptyLabel(object, at, label) => {
                let object = OBJECTS[*object];
                let (field, _, label) = self.pick_label(object, *at, *label)?;
                let has = |record: &Record| {
                    let value = record.get(&field.key);
                    value.is_some_and(|value| tags(value).any(|own| own == label))
                };
                let compared = match field.kind {
                    Kind::Tags(..) => "has",
                    _ => "=",
                };
                let (called, name) = (self.o(object), &field.name);
                let text = format!(
                    "update {called} where {name} {compared} \"{}\" set {name} = empty",
                    field.label(&label)
                );
                for key in self.filtered(object, has) {
                    self.assign(object, key, &field.key, None);
                }
                (text, true)
            }
            _ => (format!("update {firms} \"nobody\" set {size} = 1"), false),
        };
        Some(told)
    }
}
