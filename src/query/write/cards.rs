//! Cards: the records of one object as components of a vCard (RFC 6350) or iCalendar (RFC 5545)
//! file, one after the other, after a table that says which property holds which field.

use crate::error::{Code, Error, Result};
use crate::query::bind::{Binder, Column, ColumnValue, Expr, Query, Source};
use crate::query::outcome::Table;
use crate::query::syntax::{self, Text};
use crate::value::{Clock, DateTime, RecordName, Value};
use std::io::{self, Write};
use std::path::Path;

/// Bytes of a line of a card; longer ones are folded (RFC 6350, 3.2; RFC 5545, 3.1).
const FOLD: usize = 75;

/// How the records of one object are written as cards.
pub(crate) struct Cards {
    /// The endings of files in this form.
    pub ending: &'static str,
    /// The plural name of the object.
    pub object: &'static str,
    /// What stands before and behind all cards.
    pub head: &'static str,
    pub foot: &'static str,
    /// The components: the first one whose label the record has in the field named, else the last.
    pub components: &'static [Component],
    /// Properties that each card has besides; `{uid}` and `{now}` are put in.
    pub fixed: &'static str,
}

pub(crate) struct Component {
    pub name: &'static str,
    /// The field and the labels that choose it, and a field that it cannot do without.
    pub when: Option<(&'static str, &'static [&'static str], &'static str)>,
    pub properties: &'static [Property],
}

pub(crate) struct Property {
    pub field: &'static str,
    pub name: &'static str,
    /// The `TYPE` that tells it from others of its name.
    pub kind: &'static str,
    /// The part of a structured value, from 0; a text without parts has none.
    pub part: Option<usize>,
    /// Labels and the words that stand for them.
    pub words: &'static [(&'static str, &'static str)],
}

impl Property {
    pub(crate) const fn new(field: &'static str, name: &'static str) -> Self {
        Self {
            field,
            name,
            kind: "",
            part: None,
            words: &[],
        }
    }

    pub(crate) const fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) const fn part(self, part: usize) -> Self {
        Self {
            part: Some(part),
            ..self
        }
    }

    pub(crate) const fn words(self, words: &'static [(&'static str, &'static str)]) -> Self {
        Self { words, ..self }
    }
}

/// The cards that a file's ending asks for; an error where the object has none.
pub(super) fn of_file(
    path: &Path,
    object: &str,
    all: &'static [Cards],
) -> Result<Option<&'static Cards>> {
    let Some(ending) = card_ending(path) else {
        return Ok(None);
    };
    let cards = all.iter().filter(|cards| cards.ending == ending);
    match cards.clone().find(|cards| cards.object == object) {
        Some(cards) => Ok(Some(cards)),
        None => {
            let known: Vec<_> = cards.map(|cards| cards.object).collect();
            Err(Error::new(
                Code::BadValue,
                format!("{object} are not kept in .{ending} files"),
            )
            .hint(match known[..] {
                [] => "take .csv or .jsonl".to_owned(),
                _ => format!("{} are; take .csv or .jsonl", known.join(", ")),
            }))
        }
    }
}

/// The ending, if it is one of a file of cards.
fn card_ending(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    ["vcf", "ics"]
        .into_iter()
        .find(|known| ending.eq_ignore_ascii_case(known))
}

/// The query of an export; for cards each row tells its record too, and has all fields where
/// nothing is selected.
pub(crate) fn with_record(tree: &syntax::Query, file: &Text, binder: &Binder<'_>) -> Result<Query> {
    if card_ending(Path::new(&file.text)).is_none() {
        return binder.paged_query(tree);
    }
    let mut query = binder.paged_query(tree)?;
    let Source::Object(object) = query.source else {
        return Err(no_records(file));
    };
    if query.group.is_some() || !query.unions.is_empty() {
        return Err(no_records(file));
    }
    if tree.select.is_empty() {
        let mut tree = tree.clone();
        tree.select.push(syntax::Item::All(tree.span.clone()));
        query = binder.paged_query(&tree)?;
    }
    query.columns.push(Column {
        name: String::new(),
        value: ColumnValue::Expr(Expr::this(object, &file.span)),
    });
    Ok(query)
}

fn no_records(file: &Text) -> Error {
    Error::new(
        Code::Misplaced,
        format!(
            "the rows for \"{}\" are no records of one object",
            file.text
        ),
    )
    .at(file.span.clone())
}

/// A moment in UTC.
pub(super) fn utc_text(moment: DateTime, dash: &str, colon: &str) -> String {
    let (day, micros) = Clock::system().local_of(moment);
    let seconds = micros / 1_000_000;
    let day = day.to_string().replace('-', dash);
    format!(
        "{day}T{:02}{colon}{:02}{colon}{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// A line of content, folded between characters.
fn fold(line: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = line;
    let mut room = FOLD;
    while rest.len() > room {
        let end = (0..=room).rev().find(|at| rest.is_char_boundary(*at));
        let (first, more) = rest.split_at(end.unwrap_or(room));
        write!(out, "{first}\r\n ")?;
        rest = more;
        room = FOLD - 1;
    }
    write!(out, "{rest}\r\n")
}

/// Writes rows, whose last column is the record itself, as cards.
pub(super) fn write(
    cards: &Cards,
    table: &Table,
    clock: &Clock,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = |text: &str, out: &mut dyn Write| text.lines().try_for_each(|l| fold(l, out));
    lines(cards.head, out)?;
    for row in &table.rows {
        let Some(Value::Record(record)) = row.last() else {
            continue;
        };
        let value = |field: &str| {
            let place = table
                .columns
                .iter()
                .position(|column| *column.name == *field);
            place.map_or(&Value::Missing, |place| &row[place])
        };
        let chosen = |component: &&Component| {
            component.when.is_none_or(|(field, labels, needed)| {
                let label = value(field).show(clock);
                labels.contains(&&*label) && !value(needed).is_missing()
            })
        };
        let Some(component) = cards.components.iter().find(chosen) else {
            continue;
        };
        fold(&format!("BEGIN:{}", component.name), out)?;
        let fixed = cards.fixed.replace("{uid}", &uid(record));
        lines(
            &fixed.replace("{now}", &(utc_text(clock.now, "", "") + "Z")),
            out,
        )?;
        let mut written = Vec::new();
        for property in component.properties {
            if written.contains(&property.name) && property.part.is_some() {
                continue;
            }
            let line = match property.part {
                Some(_) => {
                    written.push(property.name);
                    structured(component, property.name, &value, clock)
                }
                None => content(property, value(property.field), clock),
            };
            line.map_or(Ok(()), |line| fold(&line, out))?;
        }
        fold(&format!("END:{}", component.name), out)?;
    }
    lines(cards.foot, out)
}

/// The same for a record in each file.
fn uid(record: &RecordName) -> String {
    format!("{}-{}@fieldbook", record.object, record.id.0)
}

/// The line of a property; none for a missing value.
fn content(property: &Property, value: &Value, clock: &Clock) -> Option<String> {
    let name = match property.kind {
        "" => property.name.to_owned(),
        kind => format!("{};TYPE={kind}", property.name),
    };
    match value {
        Value::Missing => None,
        Value::DateTime(moment) => Some(format!("{name}:{}Z", utc_text(*moment, "", ""))),
        Value::Date(day) => {
            let day = day.to_string().replace('-', "");
            Some(format!("{name};VALUE=DATE:{day}"))
        }
        value => {
            let text = value.show(clock);
            let word = property.words.iter().find(|(label, _)| *label == text);
            let text = word.map_or_else(|| escape(&text), |(_, word)| (*word).to_owned());
            Some(format!("{name}:{text}"))
        }
    }
}

/// The line of a property that holds several fields in its parts.
fn structured<'v>(
    component: &Component,
    name: &str,
    value: &dyn Fn(&str) -> &'v Value,
    clock: &Clock,
) -> Option<String> {
    let mut parts = Vec::new();
    for property in component.properties.iter().filter(|p| p.name == name) {
        parts.push(escape(&value(property.field).show(clock)));
    }
    while parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    (!parts.is_empty()).then(|| format!("{name}:{}", parts.join(";")))
}
