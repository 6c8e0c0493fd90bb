//! Random statements against a model: after each step the book answers as the model does, what
//! fails leaves no trace, and every earlier step can be asked for.

mod model;

use fieldbook::{Book, DateTime, Durability, Parameters, Rows, Value};
use model::{Model, OBJECTS, Op, Record, number, op};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const SCHEMA: &str = "
  create object firms (name text label unique, size integer,
    parent ref firms hierarchy collection children on delete cascade);
  create object people (name text label unique, email email unique,
    firm ref firms on delete cascade, boss ref people collection staff on delete empty);
  create object orders (name text label unique, firm ref firms required, amount integer,
    check (not (amount < 0)));
  add firms (name = \"root\", size = 1)";

#[derive(Clone, Debug)]
enum Inner {
    Op(Op),
    Save,
    Back,
}

#[derive(Clone, Debug)]
enum Step {
    Op(Op),
    /// Whether it is committed in the end.
    Transaction(Vec<Inner>, bool),
    Reopen,
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    let inner =
        prop_oneof![6 => op().prop_map(Inner::Op), 1 => Just(Inner::Save), 1 => Just(Inner::Back)];
    prop_oneof![
        12 => op().prop_map(Step::Op),
        4 => (vec(inner, 1..6), prop::bool::weighted(0.7)).prop_map(|(a, b)| Step::Transaction(a, b)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

fn cells(rows: &Rows) -> Vec<Vec<String>> {
    let width = rows.columns().len();
    rows.iter()
        .map(|row| (0..width).map(|at| row.text(at)).collect())
        .collect()
}

/// What every state is asked for, now or as of `$t`.
fn assert_answers(
    model: &Model,
    fields: &BTreeMap<&'static str, Vec<String>>,
    moment: &str,
    ask: impl Fn(&str) -> Vec<Vec<String>>,
) {
    for object in OBJECTS {
        let fields = &fields[object];
        let column = |field: &String| match field.as_str() {
            "firm" | "parent" | "boss" => format!("{field}.name"),
            _ => field.clone(),
        };
        let columns: Vec<_> = fields.iter().map(column).collect();
        let select = [vec!["name".to_owned()], columns].concat().join(", ");
        let text = format!("{object} {moment} select {select} order by name");
        assert_eq!(ask(&text), model.table(object, fields), "{text}");
    }
    // Through indexes, collections and the hierarchy.
    let people = model.all("people");
    let email = |person: &Record| person.get("email").cloned();
    if let Some(email) = people.values().find_map(email) {
        let known = people
            .iter()
            .filter(|(_, p)| p.get("email") == Some(&email));
        let known: Vec<_> = known.map(|(name, _)| vec![name.clone()]).collect();
        let text = format!("people {moment} where email = \"{email}\" select name");
        assert_eq!(ask(&text), known, "{text}");
    }
    let orders = model.all("orders");
    let firms = model.names("firms").into_iter().map(|name| {
        let own = orders
            .values()
            .filter(|order| order.get("firm") == Some(&name));
        let sum: i64 = own.filter_map(|order| number(order, "amount")).sum();
        let staff = people
            .values()
            .filter(|p| p.get("firm") == Some(&name))
            .count();
        let below = model.subtree(std::slice::from_ref(&name)).len();
        vec![name, sum.to_string(), staff.to_string(), below.to_string()]
    });
    let text = format!(
        "firms {moment} select name, sum(orders.amount), count(people), count(subtree) order by name"
    );
    assert_eq!(ask(&text), firms.collect::<Vec<_>>(), "{text}");
}

/// A state that was committed, and a moment at which it was the last.
struct Seen {
    at: DateTime,
    model: Model,
}

/// Asks with the parameters that a text names.
fn asker<'a>(
    book: &'a Book,
    moments: &'a [(&'static str, DateTime)],
) -> impl Fn(&str) -> Vec<Vec<String>> + 'a {
    move |text| {
        let mut parameters = Parameters::new();
        for (name, moment) in moments {
            if text.contains(&format!("${name}")) {
                parameters.set(*name, *moment);
            }
        }
        match book.query_with(text, parameters) {
            Ok(rows) => cells(&rows),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

fn now(book: &Book) -> DateTime {
    let rows = book.query("firms \"root\" select now").expect("no fault");
    match rows.row(0).expect("no fault").values()[0] {
        Value::DateTime(moment) => moment,
        ref other => panic!("{other:?} is no moment"),
    }
}

/// The number of the last transaction.
fn sequence(book: &Book) -> u64 {
    book.write().expect("no fault").commit().expect("no fault")
}

/// What changed in the sizes of firms from one state to the next.
fn resized(before: &Model, after: &Model) -> Vec<Vec<String>> {
    let size = |model: &Model, name: &String| {
        let firm = model.all("firms").get(name);
        firm.and_then(|firm| firm.get("size"))
            .cloned()
            .unwrap_or_default()
    };
    let mut names = before.names("firms");
    names.extend(after.names("firms"));
    names.sort();
    names.dedup();
    let pairs = names
        .iter()
        .map(|name| vec![size(before, name), size(after, name)]);
    let mut pairs: Vec<_> = pairs.filter(|pair| pair[0] != pair[1]).collect();
    pairs.sort();
    pairs
}

/// The past of step `then` of those seen, and what changed from there to the next.
fn assert_past(book: &Book, seen: &[Seen], then: usize) {
    let last = &seen[seen.len() - 1].model;
    let past = &seen[then];
    let moments = [("t", past.at)];
    let ask = asker(book, &moments);
    assert_answers(&past.model, &last.fields, "as of $t", &ask);
    let was = last.names("firms").into_iter().map(|name| {
        let firm = past.model.all("firms").get(&name);
        let size = firm.and_then(|firm| firm.get("size")).cloned();
        vec![name, size.unwrap_or_default()]
    });
    let text = "firms select name, was(size, $t) order by name";
    assert_eq!(ask(text), was.collect::<Vec<_>>(), "{text}");
    let reached = last.names("firms").into_iter().filter(|name| {
        let mut all = seen
            .iter()
            .filter_map(|state| state.model.all("firms").get(name));
        all.any(|firm| number(firm, "size").is_some_and(|size| size >= 3))
    });
    let text = "firms where reached(size >= 3) select name order by name";
    assert_eq!(
        ask(text),
        reached.map(|name| vec![name]).collect::<Vec<_>>(),
        "{text}"
    );
    if let Some(next) = seen.get(then + 1) {
        let moments = [("a", past.at), ("b", next.at)];
        let ask = asker(book, &moments);
        let text = "changes of firms.size where at > $a and at <= $b select old, new";
        let mut found = ask(text);
        found.sort();
        assert_eq!(found, resized(&past.model, &next.model), "{text}");
    }
    let mut spans: Vec<Vec<String>> = Vec::new();
    let states = seen.iter().map(|state| &state.model).collect::<Vec<_>>();
    for (at, state) in states.iter().enumerate() {
        let before = if at == 0 { None } else { Some(states[at - 1]) };
        for (name, firm) in state.all("firms") {
            let was = before.and_then(|before| before.all("firms").get(name));
            if was.is_none_or(|was| was.get("size") != firm.get("size")) {
                spans.push(vec![firm.get("size").cloned().unwrap_or_default()]);
            }
        }
    }
    spans.sort();
    let text = "spans of firms.size select value";
    let mut found = ask(text);
    found.sort();
    assert_eq!(found, spans, "{text}");
}

struct Run {
    directory: tempfile::TempDir,
    book: Book,
    model: Model,
    seen: Vec<Seen>,
}

impl Run {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("no fault");
        let book = Self::open(directory.path());
        book.execute(SCHEMA).expect("no fault");
        let model = Model::new();
        let at = now(&book);
        let seen = vec![Seen {
            at,
            model: model.clone(),
        }];
        Self {
            directory,
            book,
            model,
            seen,
        }
    }

    fn open(directory: &Path) -> Book {
        let options = Book::options().bare(true).durability(Durability::Closed);
        options
            .open(directory.join("book.fieldbook"))
            .expect("no fault")
    }

    fn step(&mut self, step: &Step) {
        let before = sequence(&self.book);
        let old = self.model.clone();
        match step {
            Step::Op(op) => {
                let Some((text, done)) = self.model.apply(op, self.directory.path()) else {
                    return;
                };
                let told = self.book.execute(&text);
                assert_eq!(told.is_ok(), done, "{text}: {told:?}");
                if !done {
                    self.model = old;
                    assert_eq!(sequence(&self.book), before, "{text} left a trace");
                }
            }
            Step::Transaction(inner, commit) => {
                let mut write = self.book.write().expect("no fault");
                let mut saved = None;
                for inner in inner {
                    match inner {
                        Inner::Op(op) => {
                            let old = self.model.clone();
                            let applied = self.model.apply(op, self.directory.path());
                            let Some((text, done)) = applied else {
                                continue;
                            };
                            let told = write.execute(&text);
                            assert_eq!(told.is_ok(), done, "in a transaction {text}: {told:?}");
                            if !done {
                                self.model = old;
                            }
                        }
                        Inner::Save => {
                            saved = Some((write.savepoint().expect("no fault"), self.model.clone()))
                        }
                        Inner::Back => {
                            if let Some((point, model)) = saved.take() {
                                write.roll_back_to(point).expect("no fault");
                                self.model = model;
                            }
                        }
                    }
                }
                assert_answers(&self.model, &self.model.fields, "", |text| {
                    cells(
                        &write
                            .query(text)
                            .map_err(|e| format!("{text}: {e}"))
                            .expect("no fault"),
                    )
                });
                if *commit {
                    write.commit().expect("no fault");
                } else {
                    write.rollback();
                    self.model = old;
                    assert_eq!(sequence(&self.book), before, "a rollback left a trace");
                }
            }
            Step::Reopen => {
                let path = self.directory.path().to_owned();
                let book = std::mem::replace(&mut self.book, Book::in_memory().expect("no fault"));
                book.close().expect("no fault");
                self.book = Self::open(&path);
            }
            Step::Compact => drop(self.book.compact().expect("no fault")),
        }
        let ask = asker(&self.book, &[]);
        assert_answers(&self.model, &self.model.fields, "", ask);
        if sequence(&self.book) != before {
            // The moment is past before anything else is committed.
            let at = now(&self.book);
            while now(&self.book) == at {}
            self.seen.push(Seen {
                at,
                model: self.model.clone(),
            });
        }
    }
}

fn cases() -> u32 {
    let asked = std::env::var("FIELDBOOK_MODEL_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(8)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_book_is_as_the_model(
        steps in vec((step(), any::<prop::sample::Index>()), 1..50),
    ) {
        let mut run = Run::new();
        for n in 0..4 {
            run.step(&Step::Op(Op::AddFirm(Some(3), Some(n))));
            run.step(&Step::Op(Op::AddPerson(Some(n as u8), Some(n), Some(n))));
        }
        run.step(&Step::Op(Op::AddOrders(3, Some(1), 4)));
        for (step, then) in &steps {
            run.step(step);
            assert_past(&run.book, &run.seen, then.index(run.seen.len()));
        }
        let report = run.book.check().expect("no fault");
        prop_assert!(report.faults.is_empty(), "{:?}", report.faults);
    }
}
