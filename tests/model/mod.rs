//! What is in a book, as maps in memory, and statements about it with what they do to the maps.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A record by its fields; those without a value are left out. References say names.
pub(super) type Record = BTreeMap<String, String>;

/// What is in the book. Names are never given twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) records: BTreeMap<&'static str, BTreeMap<String, Record>>,
    pub(super) fields: BTreeMap<&'static str, Vec<String>>,
    indexed: BTreeSet<String>,
    named: u32,
}

/// A statement. Numbers pick among what there is. New kinds of statements go here, into `op` and
/// into [`Model::apply`].
#[derive(Clone, Debug)]
pub(super) enum Op {
    AddFirm(Option<i64>, Option<usize>),
    AddPerson(Option<u8>, Option<usize>, Option<usize>),
    AddOrders(usize, Option<usize>, i64),
    Resize(usize, Option<i64>),
    Grow(i64, i64),
    Charge(i64, i64),
    MoveFirm(usize, Option<usize>),
    MovePerson(usize, Option<usize>, Option<usize>),
    DeleteFirm(usize),
    DeleteFirms(i64),
    DeletePerson(usize),
    DeleteOrders(i64),
    Upsert(Vec<(Option<usize>, Option<i64>)>),
    /// Lines of names and sizes; -1 is no number.
    Import(Vec<(Option<usize>, Option<i64>)>),
    AddField(usize),
    DropField(usize, usize),
    SetField(usize, usize, usize, i64),
    AddIndex(usize, usize),
    Unknown,
    DryRun(Box<Op>),
}

pub(super) const OBJECTS: [&str; 3] = ["firms", "people", "orders"];

pub(super) fn op() -> impl Strategy<Value = Op> {
    let at = || 0..64_usize;
    let maybe = || option::of(0..64_usize);
    let number = || 0..6_i64;
    let lines = |low| vec((maybe(), option::of(low..6_i64)), 1..5);
    let plain = prop_oneof![
        4 => (option::of(number()), maybe()).prop_map(|(a, b)| Op::AddFirm(a, b)),
        4 => (option::of(0..9_u8), maybe(), option::weighted(0.9, at())).prop_map(|(a, b, c)| Op::AddPerson(a, b, c)),
        4 => (1..3_usize, option::weighted(0.9, at()), -1..5_i64)
            .prop_map(|(a, b, c)| Op::AddOrders(a, b, c)),
        1 => at().prop_map(|a| Op::AddOrders(300, Some(a), 3)),
        3 => (at(), option::of(number())).prop_map(|(a, b)| Op::Resize(a, b)),
        2 => (number(), number()).prop_map(|(a, b)| Op::Grow(a, b)),
        2 => (number(), number()).prop_map(|(a, b)| Op::Charge(a, b)),
        3 => (at(), maybe()).prop_map(|(a, b)| Op::MoveFirm(a, b)),
        2 => (at(), maybe(), maybe()).prop_map(|(a, b, c)| Op::MovePerson(a, b, c)),
        3 => at().prop_map(Op::DeleteFirm),
        1 => number().prop_map(Op::DeleteFirms),
        4 => at().prop_map(Op::DeletePerson),
        1 => number().prop_map(Op::DeleteOrders),
        2 => lines(0).prop_map(Op::Upsert),
        2 => lines(-1).prop_map(Op::Import),
        1 => (0..3_usize).prop_map(Op::AddField),
        1 => (0..3_usize, at()).prop_map(|(a, b)| Op::DropField(a, b)),
        2 => (0..3_usize, at(), at(), number()).prop_map(|(a, b, c, d)| Op::SetField(a, b, c, d)),
        1 => (0..3_usize, at()).prop_map(|(a, b)| Op::AddIndex(a, b)),
        1 => Just(Op::Unknown),
    ]
    .boxed();
    let dry = plain.clone().prop_map(|op| Op::DryRun(Box::new(op)));
    prop_oneof![20 => plain, 1 => dry]
}

/// The names at a place of those there are, round and round.
fn pick<'a>(names: &[&'a String], at: usize) -> Option<&'a str> {
    names.get(at % names.len().max(1)).map(|name| name.as_str())
}

pub(super) fn number(record: &Record, field: &str) -> Option<i64> {
    record.get(field).and_then(|text| text.parse().ok())
}

fn set(record: &mut Record, field: &str, value: Option<String>) {
    match value {
        Some(value) => record.insert(field.to_owned(), value),
        None => record.remove(field),
    };
}

fn shown(value: Option<i64>) -> String {
    value.map_or_else(|| "empty".to_owned(), |n| n.to_string())
}

fn quoted(name: Option<&str>) -> String {
    name.map_or_else(|| "empty".to_owned(), |name| format!("\"{name}\""))
}

impl Model {
    pub(super) fn new() -> Self {
        let mut model = Self::default();
        for (object, fields) in OBJECTS.into_iter().zip([
            &["size", "parent"][..],
            &["email", "firm", "boss"],
            &["firm", "amount"],
        ]) {
            let fields = fields.iter().map(|field| (*field).to_owned());
            model.fields.insert(object, fields.collect());
            model.records.insert(object, BTreeMap::new());
        }
        let root = Record::from([("size".to_owned(), "1".to_owned())]);
        model.of("firms").insert("root".to_owned(), root);
        model
    }

    fn of(&mut self, object: &str) -> &mut BTreeMap<String, Record> {
        self.records.get_mut(object).expect("it is there")
    }

    pub(super) fn all(&self, object: &str) -> &BTreeMap<String, Record> {
        &self.records[object]
    }

    fn name(&mut self, object: &str) -> String {
        self.named += 1;
        format!("{}{}", &object[..1], self.named)
    }

    pub(super) fn names(&self, object: &str) -> Vec<String> {
        self.all(object).keys().cloned().collect()
    }

    fn pick(&self, object: &str, at: usize) -> Option<String> {
        pick(&self.all(object).keys().collect::<Vec<_>>(), at).map(str::to_owned)
    }

    /// A firm that may go: any but the root.
    fn pick_firm(&self, at: usize) -> Option<String> {
        let names: Vec<_> = self
            .all("firms")
            .keys()
            .filter(|name| *name != "root")
            .collect();
        pick(&names, at).map(str::to_owned)
    }

    fn pick_maybe(&self, object: &str, at: Option<usize>) -> Option<String> {
        at.and_then(|at| self.pick(object, at))
    }

    /// The firms and what lies below them.
    pub(super) fn subtree(&self, roots: &[String]) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = roots.iter().cloned().collect();
        loop {
            let below = self.all("firms").iter().filter(|(name, firm)| {
                !found.contains(*name) && firm.get("parent").is_some_and(|p| found.contains(p))
            });
            let below: Vec<String> = below.map(|(name, _)| name.clone()).collect();
            if below.is_empty() {
                return found;
            }
            found.extend(below);
        }
    }

    /// Deletes firms with all that goes with them; false if an order stands in the way.
    fn delete_firms(&mut self, roots: &[String]) -> bool {
        let gone = self.subtree(roots);
        let mut orders = self.all("orders").values();
        if orders.any(|order| order.get("firm").is_some_and(|firm| gone.contains(firm))) {
            return false;
        }
        self.of("firms").retain(|name, _| !gone.contains(name));
        let people = self.all("people").iter();
        let people = people.filter(|(_, p)| p.get("firm").is_some_and(|firm| gone.contains(firm)));
        let people: BTreeSet<String> = people.map(|(name, _)| name.clone()).collect();
        self.delete_people(&people);
        true
    }

    fn delete_people(&mut self, gone: &BTreeSet<String>) {
        self.of("people").retain(|name, _| !gone.contains(name));
        for person in self.of("people").values_mut() {
            if person.get("boss").is_some_and(|boss| gone.contains(boss)) {
                person.remove("boss");
            }
        }
    }

    /// The statement, and whether it succeeds; what it does is then done. Nothing if there is
    /// nothing that it could be about.
    pub(super) fn apply(&mut self, op: &Op, directory: &Path) -> Option<(String, bool)> {
        let (text, done) = match op {
            Op::AddFirm(size, parent) => {
                let parent = self.pick_maybe("firms", *parent);
                let name = self.name("firms");
                let text = format!(
                    "add firms (name = \"{name}\", size = {}, parent = {})",
                    shown(*size),
                    quoted(parent.as_deref())
                );
                let mut firm = Record::new();
                set(&mut firm, "size", size.map(|n| n.to_string()));
                set(&mut firm, "parent", parent);
                self.of("firms").insert(name, firm);
                (text, true)
            }
            Op::AddPerson(email, firm, boss) => {
                let email = email.map(|n| format!("e{n}@acme.example"));
                let (firm, boss) = (
                    self.pick_maybe("firms", *firm),
                    self.pick_maybe("people", *boss),
                );
                let name = self.name("people");
                let text = format!(
                    "add people (name = \"{name}\", email = {}, firm = {}, boss = {})",
                    quoted(email.as_deref()),
                    quoted(firm.as_deref()),
                    quoted(boss.as_deref())
                );
                let mut others = self.all("people").values();
                let free = email.is_none() || others.all(|p| p.get("email") != email.as_ref());
                let mut person = Record::new();
                set(&mut person, "email", email);
                set(&mut person, "firm", firm);
                set(&mut person, "boss", boss);
                self.of("people").insert(name, person);
                (text, free)
            }
            Op::AddOrders(count, firm, amount) => {
                let firm = self.pick_maybe("firms", *firm);
                let mut rows = Vec::new();
                for at in 0..*count {
                    let name = self.name("orders");
                    // The last one alone may break the check.
                    let amount = if at + 1 == *count { *amount } else { 2 };
                    rows.push(format!(
                        "(name = \"{name}\", firm = {}, amount = {amount})",
                        quoted(firm.as_deref())
                    ));
                    let mut order = Record::new();
                    set(&mut order, "firm", firm.clone());
                    set(&mut order, "amount", Some(amount.to_string()));
                    self.of("orders").insert(name, order);
                }
                let text = format!("add orders {}", rows.join(", "));
                (text, firm.is_some() && *amount >= 0)
            }
            Op::Resize(at, size) => {
                let name = self.pick("firms", *at)?;
                let text = format!("update firms \"{name}\" set size = {}", shown(*size));
                let firm = self.of("firms").get_mut(&name)?;
                set(firm, "size", size.map(|n| n.to_string()));
                (text, true)
            }
            Op::Grow(from, by) => {
                let text = format!("update firms where size >= {from} set size = size + {by}");
                for firm in self.of("firms").values_mut() {
                    if let Some(size) = number(firm, "size").filter(|size| size >= from) {
                        set(firm, "size", Some((size + by).to_string()));
                    }
                }
                (text, true)
            }
            Op::Charge(from, by) => {
                let text =
                    format!("update orders where amount >= {from} set amount = amount - {by}");
                let mut sound = true;
                for order in self.of("orders").values_mut() {
                    if let Some(amount) = number(order, "amount").filter(|amount| amount >= from) {
                        set(order, "amount", Some((amount - by).to_string()));
                        sound &= amount >= *by;
                    }
                }
                (text, sound)
            }
            Op::MoveFirm(at, under) => {
                let name = self.pick_firm(*at)?;
                let parent = self.pick_maybe("firms", *under);
                let text = format!(
                    "update firms \"{name}\" set parent = {}",
                    quoted(parent.as_deref())
                );
                let below = self.subtree(std::slice::from_ref(&name));
                let sound = parent.as_ref().is_none_or(|parent| !below.contains(parent));
                set(self.of("firms").get_mut(&name)?, "parent", parent);
                (text, sound)
            }
            Op::MovePerson(at, firm, boss) => {
                let name = self.pick("people", *at)?;
                let (firm, boss) = (
                    self.pick_maybe("firms", *firm),
                    self.pick_maybe("people", *boss),
                );
                let text = format!(
                    "update people \"{name}\" set firm = {}, boss = {}",
                    quoted(firm.as_deref()),
                    quoted(boss.as_deref())
                );
                let person = self.of("people").get_mut(&name)?;
                set(person, "firm", firm);
                set(person, "boss", boss);
                (text, true)
            }
            Op::DeleteFirm(at) => {
                let name = self.pick_firm(*at)?;
                let text = format!("delete firms \"{name}\"");
                (text, self.delete_firms(&[name]))
            }
            Op::DeleteFirms(below) => {
                let small = self.all("firms").iter();
                let small = small.filter(|(_, f)| number(f, "size").is_some_and(|n| n < *below));
                let small: Vec<_> = small.map(|(name, _)| name.clone()).collect();
                let small: Vec<_> = small.into_iter().filter(|name| name != "root").collect();
                let text = format!("delete firms where size < {below} and name != \"root\"");
                (text, self.delete_firms(&small))
            }
            Op::DeletePerson(at) => {
                let name = self.pick("people", *at)?;
                let text = format!("delete people \"{name}\"");
                self.delete_people(&BTreeSet::from([name]));
                (text, true)
            }
            Op::DeleteOrders(below) => {
                let keep = |order: &Record| number(order, "amount").is_none_or(|n| n >= *below);
                self.of("orders").retain(|_, order| keep(order));
                (format!("delete orders where amount < {below}"), true)
            }
            Op::Upsert(rows) => {
                let mut items = Vec::new();
                for (name, size) in rows {
                    let name = self.known_or_new(*name);
                    items.push(format!("(name = \"{name}\", size = {})", shown(*size)));
                    self.resize(name, *size);
                }
                (format!("upsert firms on name {}", items.join(", ")), true)
            }
            Op::Import(lines) => {
                let mut file = "name,size\n".to_owned();
                for (name, size) in lines {
                    let name = self.known_or_new(*name);
                    let cell = match size {
                        Some(-1) => "many".to_owned(),
                        Some(n) => n.to_string(),
                        None => String::new(),
                    };
                    file.push_str(&format!("{name},{cell}\n"));
                    if *size != Some(-1) {
                        self.resize(name, *size);
                    }
                }
                let path = directory.join("firms.csv");
                std::fs::write(&path, file).expect("the file is written");
                (
                    format!("import firms from \"{}\" on name", path.display()),
                    true,
                )
            }
            Op::AddField(object) => {
                let object = OBJECTS[*object];
                let name = format!("x{}", self.name(object));
                let text = format!("alter object {object} add field {name} integer");
                self.fields.get_mut(object)?.push(name);
                (text, true)
            }
            Op::DropField(object, at) => {
                let object = OBJECTS[*object];
                let name = self.added(object, *at)?;
                let text = format!("alter object {object} drop field {name}");
                self.fields.get_mut(object)?.retain(|field| *field != name);
                (text, true)
            }
            Op::SetField(object, field, at, value) => {
                let object = OBJECTS[*object];
                let (field, name) = (self.added(object, *field)?, self.pick(object, *at)?);
                let text = format!("update {object} \"{name}\" set {field} = {value}");
                set(
                    self.of(object).get_mut(&name)?,
                    &field,
                    Some(value.to_string()),
                );
                (text, true)
            }
            Op::AddIndex(object, field) => {
                let object = OBJECTS[*object];
                let field = self.added(object, *field)?;
                let new = self.indexed.insert(field.clone());
                (format!("create index on {object} ({field})"), new)
            }
            Op::Unknown => ("update firms \"nobody\" set size = 1".to_owned(), false),
            Op::DryRun(op) => {
                let before = self.clone();
                let (text, done) = self.apply(op, directory)?;
                *self = before;
                let schema = matches!(**op, Op::AddField(_) | Op::DropField(..) | Op::AddIndex(..));
                (format!("dry run {text}"), done && !schema)
            }
        };
        Some((text, done))
    }

    fn known_or_new(&mut self, at: Option<usize>) -> String {
        self.pick_maybe("firms", at)
            .unwrap_or_else(|| self.name("firms"))
    }

    fn resize(&mut self, name: String, size: Option<i64>) {
        let firm = self.of("firms").entry(name).or_default();
        set(firm, "size", size.map(|n| n.to_string()));
    }

    /// A field that was added later.
    fn added(&self, object: &str, at: usize) -> Option<String> {
        let fields = &self.fields[object];
        let added: Vec<_> = fields
            .iter()
            .filter(|field| field.starts_with('x'))
            .collect();
        pick(&added, at).map(str::to_owned)
    }

    /// The cells of all records of an object, by name, in fields that may be those of later.
    pub(super) fn table(&self, object: &str, fields: &[String]) -> Vec<Vec<String>> {
        let cells = |(name, record): (&String, &Record)| {
            let cell = |field: &String| record.get(field).cloned().unwrap_or_default();
            std::iter::once(name.clone())
                .chain(fields.iter().map(cell))
                .collect()
        };
        self.all(object).iter().map(cells).collect()
    }
}
