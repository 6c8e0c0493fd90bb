//! What a book is asked, and what the model says to it.

use super::past::{Changed, NOW, Past, Span, day_said, moment_said};
use super::{Field, Key, Kind, Model, Moment, Record, State, number};
use fieldbook::Schema;
use std::collections::{BTreeMap, BTreeSet};

type Cells = Vec<Vec<String>>;

/// Answers a query with the texts of its rows, or says why not.
pub(crate) trait Ask: Fn(&str) -> Result<Cells, String> {}
impl<T: Fn(&str) -> Result<Cells, String>> Ask for T {}

/// Records that are gone are told by numbers, which the model does not know.
fn plain(cells: Cells) -> Cells {
    let plain = |cell: String| {
        if cell.starts_with('#') {
            "#".to_owned()
        } else {
            cell
        }
    };
    let plain = |row: Vec<String>| row.into_iter().map(plain).collect();
    cells.into_iter().map(plain).collect()
}

fn same(ask: &impl Ask, text: &str, expected: &Cells) {
    match ask(text) {
        Ok(found) => assert_eq!(plain(found), *expected, "{text}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// The same where the order is not told.
fn same_in_any_order(ask: &impl Ask, text: &str, mut expected: Cells) {
    expected.sort();
    let sorted = |text: &str| {
        let mut found = plain(ask(text)?);
        found.sort();
        Ok(found)
    };
    same(&sorted, text, &expected);
}

/// The field as a column that tells a record by its name.
fn column(model: &Model, field: &Field) -> String {
    match field.kind {
        Kind::To(to, _) => format!("{}.{}", field.name, model.f(to, "name")),
        _ => field.name.clone(),
    }
}

fn is_reference(field: &Field) -> bool {
    matches!(field.kind, Kind::To(..))
}

/// The definitions: fields and formulas with labels, indexes that statements made, and views.
pub(crate) fn schema(model: &Model, told: &Schema) {
    let names: BTreeSet<_> = told.views.iter().map(|view| &view.name).collect();
    assert_eq!(names, model.views.iter().map(|view| &view.name).collect());
    // The actors are an object of their own.
    assert_eq!(told.objects.len(), model.live().count() + 1);
    for object in model.live() {
        let told = told.object(model.o(object)).expect("it is there");
        let fields = told.fields.iter();
        let fields: Vec<_> = fields.map(|f| (f.name.clone(), f.labels.clone())).collect();
        let own = model.fields(object).iter().map(|field| {
            let labels = field.kind.labels().into_iter().flatten();
            let labels = labels.map(|label| field.label(label).to_owned()).collect();
            (field.name.clone(), labels)
        });
        let formulas = model.object(object).formulas.iter();
        let formulas = formulas.map(|formula| (formula.name.clone(), Vec::new()));
        assert_eq!(fields, own.chain(formulas).collect::<Vec<_>>(), "{object}");
        let indexes: BTreeSet<_> = told.indexes.iter().cloned().collect();
        let own = model.fields(object).iter().filter(|field| field.index);
        let own = own.map(|field| (vec![field.name.clone()], field.unique));
        let joint = model.object(object).joint.iter().map(|(fields, unique)| {
            let names = fields.each_ref().map(|key| model.f(object, key).to_owned());
            (names.to_vec(), *unique)
        });
        assert_eq!(indexes, own.chain(joint).collect(), "{object}");
    }
}

/// All that is in a state, now or at a moment.
pub(crate) fn state(model: &Model, then: &State, moment: &str, ask: impl Ask) {
    for object in model.live() {
        let (called, name) = (model.o(object), model.f(object, "name"));
        let formulas = model.object(object).formulas.iter();
        let columns = model
            .fields(object)
            .iter()
            .map(|field| column(model, field))
            .chain(formulas.map(|formula| formula.name.clone()));
        let columns: Vec<_> = columns.collect();
        let text = format!(
            "{called} {moment} select {} order by {name}",
            columns.join(", ")
        );
        same(&ask, &text, &model.table(object, then));
        let turn = then.of(object).len();
        for (nth, field) in model.fields(object).iter().enumerate() {
            // Each by its turn, the second one always.
            if !(nth + turn).is_multiple_of(3) && nth != 1 {
                continue;
            }
            by_value(model, (then, moment), (object, nth), field, &ask);
        }
        for (keys, _) in &model.object(object).joint {
            by_two(model, (then, moment), (object, keys), &ask);
        }
    }
    collections(model, then, moment, &ask);
    if moment.is_empty() {
        for view in &model.views {
            let Some((asked, shown)) = model.view(view) else {
                continue;
            };
            let table = then.of(view.object);
            let mut names: Cells = shown
                .iter()
                .map(|key| vec![table[key]["name"].clone()])
                .collect();
            names.sort();
            let heading = &view.heading;
            same(
                &ask,
                &format!("{asked} select {heading} order by {heading}"),
                &names,
            );
        }
        find(model, then, &ask);
    }
}

/// The records of one object with a word in any text.
fn find(model: &Model, then: &State, ask: &impl Ask) {
    let all: usize = model.live().map(|object| then.of(object).len()).sum();
    let objects: Vec<_> = model.live().collect();
    let object = objects[all % objects.len()];
    let records = then.of(object);
    let Some(record) = records.values().nth(records.len() / 2) else {
        return;
    };
    let texts = model.fields(object).iter();
    let texts: Vec<_> = texts.filter(|field| field.kind == Kind::Text).collect();
    let word = texts.iter().rev().find_map(|field| record.get(&field.key));
    let words = |text: &String| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_owned).collect()
    };
    let word = words(word.expect("all have names"))[0].clone();
    let mut all = records.values().flat_map(|record| record.values());
    // What is near in writing is not looked at, nor what a number of the book stands in.
    if !word.contains(|c: char| c.is_ascii_digit()) || all.any(|value| value.starts_with('#')) {
        return;
    }
    let begins = |text: &String| words(text).iter().any(|own| own.starts_with(&word));
    let found = records.values().filter(|record| {
        let mut own = texts.iter().filter_map(|field| record.get(&field.key));
        own.any(begins)
    });
    let found = found.map(|record| vec![record["name"].clone()]).collect();
    let (called, name) = (model.o(object), model.f(object, "name"));
    let text = format!("find \"{word}\" in {called} select record.{name}");
    same_in_any_order(ask, &text, found);
}

/// A value, or one of its tags, as a condition of today says it, if it can.
fn spoken(model: &Model, then: &State, field: &Field, value: &str) -> Option<String> {
    Some(match field.kind {
        Kind::To(to, _) => {
            let key: Key = value.parse().expect("a reference is a number");
            // Labels are those of now.
            match model.name(to, key) {
                Some(name) if then.value(to, key, "name") == Some(name) => format!("\"{name}\""),
                _ => return None,
            }
        }
        Kind::Integer | Kind::Number | Kind::Date | Kind::DateTime => value.to_owned(),
        Kind::Labels(_) | Kind::Tags(..) if !field.knows(value) => return None,
        Kind::Tags(..) => {
            let tag = super::schema::tags(value).last().expect("it is not empty");
            format!("\"{}\"", field.label(tag))
        }
        Kind::Text if value.starts_with('#') => return None,
        _ => format!("\"{}\"", model.shown(field, Some(&value.to_owned()), then)),
    })
}

/// The records with two values that one of them has, by the index over both.
fn by_two(
    model: &Model,
    (then, moment): (&State, &str),
    (object, keys): (&str, &[String; 2]),
    ask: &impl Ask,
) {
    let records = then.of(object);
    let values = |record: &Record| {
        let [one, other] = keys.each_ref().map(|key| record.get(key).cloned());
        one.zip(other)
    };
    let mut all = records.values().filter_map(values);
    let Some((one, other)) = all.nth(records.len() / 3) else {
        return;
    };
    let fields = keys.each_ref().map(|key| model.object(object).field(key));
    let [said, other_said] = [(fields[0], &one), (fields[1], &other)]
        .map(|(field, value)| spoken(model, then, field, value));
    let (Some(said), Some(other_said)) = (said, other_said) else {
        return;
    };
    let amount = |text: &str| text.parse::<f64>().expect("it is a number");
    let compared: &[&str] = match fields[1].kind {
        Kind::Integer | Kind::Number => &["=", ">="],
        _ => &["="],
    };
    for compared in compared {
        let passing = records.values().filter(|record| {
            let own = values(record).filter(|(own, _)| *own == one);
            own.is_some_and(|(_, own)| match *compared {
                "=" => own == other,
                _ => amount(&own) >= amount(&other),
            })
        });
        let mut names: Cells = passing.map(|record| vec![record["name"].clone()]).collect();
        names.sort();
        let (called, name) = (model.o(object), model.f(object, "name"));
        let [a, b] = fields.map(|field| &field.name);
        let text = format!(
            "{called} {moment} where {a} = {said} and {b} {compared} {other_said} \
             select {name} order by {name}"
        );
        same(ask, &text, &names);
    }
}

/// The records with one of the values that a field has: by its index, or by scanning.
fn by_value(
    model: &Model,
    (then, moment): (&State, &str),
    (object, nth): (&str, usize),
    field: &Field,
    ask: &impl Ask,
) {
    let records = then.of(object);
    let mut values = records.values().filter_map(|record| record.get(&field.key));
    let Some(value) = values.nth(nth.min(records.len() / 2)) else {
        return;
    };
    let Some(called) = spoken(model, then, field, value) else {
        return;
    };
    let name = model.f(object, "name");
    let named = |passes: &dyn Fn(&String) -> bool| -> Cells {
        let passing = records
            .values()
            .filter(|record| record.get(&field.key).is_some_and(passes));
        let mut names: Vec<_> = passing.map(|record| vec![record["name"].clone()]).collect();
        names.sort();
        names
    };
    let asked = |compared: &str| {
        let (object, field) = (model.o(object), &field.name);
        format!("{object} {moment} where {field} {compared} {called} select {name} order by {name}")
    };
    if let Kind::Tags(..) = field.kind {
        let tag = super::schema::tags(value).last();
        let has = |other: &String| super::schema::tags(other).any(|own| Some(own) == tag);
        return same(ask, &asked("has"), &named(&has));
    }
    same(ask, &asked("="), &named(&|other| other == value));
    match &field.kind {
        Kind::Labels(labels) => {
            let rank = |label: &String| labels.iter().position(|other| other == label);
            let from = rank(value);
            same(
                ask,
                &asked(">="),
                &named(&|label| rank(label) >= from && rank(label).is_some()),
            );
        }
        Kind::Date | Kind::DateTime => same(ask, &asked(">="), &named(&|other| other >= value)),
        Kind::Integer | Kind::Number => {
            let amount = |text: &String| text.parse::<f64>().expect("it is a number");
            let from = amount(value);
            same(ask, &asked(">="), &named(&|other| amount(other) >= from));
        }
        _ => {}
    }
}

/// Through collections and the hierarchy.
fn collections(model: &Model, then: &State, moment: &str, ask: &impl Ask) {
    let orders = then.of("orders").values();
    let people = then.of("people").values();
    let firms = then.of("firms").iter().map(|(key, firm)| {
        let is_own = |record: &&Record| record.get("firm") == Some(&key.to_string());
        let own = orders.clone().filter(is_own);
        let sum: i64 = own.filter_map(|order| number(order, "amount")).sum();
        let staff = people.clone().filter(is_own).count();
        let below = Model::subtree(then, *key).len();
        vec![
            firm["name"].clone(),
            sum.to_string(),
            staff.to_string(),
            below.to_string(),
        ]
    });
    let mut firms: Cells = firms.collect();
    firms.sort();
    let (called, name) = (model.o("firms"), model.f("firms", "name"));
    let (orders, amount) = (model.o("orders"), model.f("orders", "amount"));
    let text = format!(
        "{called} {moment} select {name}, sum({orders}.{amount}), count(crew), count(subtree) \
         order by {name}"
    );
    same(ask, &text, &firms);
}

/// The numbers of the transactions that last changed the records.
pub(crate) fn revisions(model: &Model, ask: impl Ask) {
    for object in model.live() {
        let rows = model.state.of(object).iter().map(|(key, record)| {
            let revision = model.revision(object, *key).expect("it was committed");
            vec![record["name"].clone(), revision.to_string()]
        });
        let (called, name) = (model.o(object), model.f(object, "name"));
        let text = format!("{called} select {name}, revision()");
        same_in_any_order(&ask, &text, rows.collect());
    }
}

/// The book as it was at the moment of a transaction, at the end of its day, or before all.
pub(crate) fn as_of(model: &Model, then: Moment, which: usize, ask: impl Ask) {
    let begin = model.past[0].at - 1;
    let (at, said) = match which % 5 {
        0 => (begin, moment_said(begin)),
        1 => (then - then % 1440 + 1439, day_said(then)),
        _ => (then, moment_said(then)),
    };
    let said = format!("as of {said}");
    match model.as_of(at) {
        Some(known) => state(model, &known.state, &said, &ask),
        None if model.pruned => {
            for object in model.live() {
                let error = ask(&format!("{} {said}", model.o(object)));
                let error = error.expect_err("it is forgotten");
                assert!(error.contains("error[pruned]"), "{error}");
            }
        }
        None => state(model, &State::empty(), &said, &ask),
    }
}

/// The past of a field, told by now.
pub(crate) fn history(model: &Model, object: &str, field: &Field, then: Moment, ask: impl Ask) {
    let now = &model.state;
    let (called, name, of) = (model.o(object), model.f(object, "name"), &field.name);
    let record = |key: Key| now.value(object, key, "name").cloned();
    // How what the journal begins with came about is not known.
    let known = |past: &Past| !model.pruned || past.sequence != model.past[0].sequence;
    let when = |past: &Past| -> Vec<String> {
        let (actor, number) = (past.actor.unwrap_or_default(), past.sequence);
        match known(past) {
            true => vec![moment_said(past.at), actor.to_owned(), number.to_string()],
            false => vec![String::new(); 3],
        }
    };
    let changes = model.changes(object, &field.key);
    let told = |since: Moment| -> Cells {
        let later = changes
            .iter()
            .filter(|change| since == Moment::MIN || change.of.at >= since);
        let line = |change: &Changed<'_>| {
            let values = [
                record(change.key).unwrap_or_else(|| "#".to_owned()),
                model.shown(field, change.old, now),
                model.shown(field, change.new, now),
            ];
            [values.to_vec(), when(change.of)].concat()
        };
        later.map(line).collect()
    };
    let columns = "select record, old, new, at, actor, transaction";
    let text = format!("changes of {called}.{of} {columns}");
    same_in_any_order(&ask, &text, told(Moment::MIN));
    let text = format!(
        "changes of {called}.{of} where at >= {} {columns}",
        moment_said(then)
    );
    if model.pruned && then <= model.past[0].at {
        let error = ask(&text).expect_err("it is forgotten");
        assert!(error.contains("error[pruned]"), "{error}");
    } else {
        same_in_any_order(&ask, &text, told(then));
    }

    let day = |at: Moment| at.div_euclid(1440);
    let spans = model.spans(object, &field.key);
    let days = |span: &Span<'_>| {
        let until = span.to.map_or(day(NOW), |past| day(past.at));
        known(span.from).then(|| until - day(span.from.at))
    };
    let lines = spans.iter().map(|span| {
        let values = [
            record(span.key).unwrap_or_else(|| "#".to_owned()),
            model.shown(field, span.value, now),
            days(span).map_or_else(String::new, |days| days.to_string()),
            span.to
                .map_or_else(String::new, |past| moment_said(past.at)),
        ];
        [values.to_vec(), when(span.from)].concat()
    });
    let text = format!(
        "spans of {called}.{of} select record, value, days, until, since, actor, transaction"
    );
    same_in_any_order(&ask, &text, lines.collect());

    // About each record.
    let mut counts: BTreeMap<Key, (usize, i64)> = BTreeMap::new();
    for change in &changes {
        counts.entry(change.key).or_default().0 += 1;
    }
    for span in &spans {
        counts.entry(span.key).or_default().1 += days(span).unwrap_or(0);
    }
    let lines = now.of(object).iter().map(|(key, record)| {
        let (count, days) = counts.get(key).copied().unwrap_or_default();
        vec![record["name"].clone(), count.to_string(), days.to_string()]
    });
    let text = format!("{called} select {name}, count(changes({of})), sum(spans({of}).days)");
    same_in_any_order(&ask, &text, lines.collect());

    if is_reference(field) || matches!(field.kind, Kind::Tags(..)) {
        return;
    }
    let was = model.as_of(then);
    let lines = now.of(object).iter().map(|(key, record)| {
        let value = was.and_then(|past| past.state.value(object, *key, &field.key));
        vec![record["name"].clone(), model.shown(field, value, now)]
    });
    let text = format!("{called} select {name}, was({of}, {})", moment_said(then));
    same_in_any_order(&ask, &text, lines.collect());

    let Some(value) = changes.last().and_then(|change| change.new.or(change.old)) else {
        return;
    };
    // Of records that are older than the journal it is not known.
    if model.pruned || !field.knows(value) || value.starts_with('#') {
        return;
    }
    let said = model.said(field, Some(value));
    let lines = now.of(object).iter().map(|(key, record)| {
        let mut own = changes.iter().filter(|change| change.key == *key);
        let first = own.find(|change| change.new == Some(value));
        let spans = spans
            .iter()
            .filter(|s| s.key == *key && s.value == Some(value));
        let reached = first.is_some().to_string();
        let told = [
            first.map_or_else(String::new, |change| moment_said(change.of.at)),
            spans.filter_map(days).sum::<i64>().to_string(),
        ];
        [vec![record["name"].clone(), reached], told.to_vec()].concat()
    });
    let text = format!(
        "{called} select {name}, reached({of} = {said}), entered({of} = {said}), \
         time_in({of} = {said})"
    );
    same_in_any_order(&ask, &text, lines.collect());
}

/// The life of one record, but for how it went, which a merge tells in its own way.
pub(crate) fn life(model: &Model, object: &str, key: Key, ask: impl Ask) {
    let name = model.name(object, key).expect("it is there");
    let references = model
        .fields(object)
        .iter()
        .filter(|field| is_reference(field));
    let references: Vec<_> = references.map(|field| field.name.clone()).collect();
    let mut lines = model.history(object, key);
    lines.retain(|line| !references.contains(&line[2]) && line[1] != "deleted");
    let text = format!(
        "(history {} \"{name}\") where merged is empty and not (change in (\"merged\", \"deleted\")) \
         and not (field in ({})) select transaction, change, field, old, new",
        model.o(object),
        super::schema::quoted_all(&references)
    );
    same_in_any_order(&ask, &text, lines);
}
