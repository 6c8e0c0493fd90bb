//! Labels of records: which record a text names, ignoring case, for queries and writes alike.

use crate::catalog::{Catalog, Field, Object, same_name};
use crate::column::{CHUNK_RECORDS, Vector};
use crate::error::{Code, Error, Result, nearest};
use crate::query::exec::Context;
use crate::storage::{IndexKind, Row, Snapshot};
use crate::value::{ChunkId, FieldType, ObjectId, RecordId, Value, fold};
use foldhash::HashMap;
use std::borrow::Cow;

/// Chunks read in search of labels near to an unknown one.
const NEAR_CHUNKS: u32 = 2;
/// Names listed that a word of an unknown label fits.
const NEAR_LISTED: usize = 3;
/// Records listed when a label is ambiguous.
const LISTED: usize = 5;

/// Texts that named exactly one record while a statement runs.
#[derive(Default)]
pub(crate) struct Known(HashMap<ObjectId, HashMap<Box<str>, RecordId>>);

impl Known {
    pub(crate) fn get(&self, object: ObjectId, label: &str) -> Option<RecordId> {
        let known = self.0.get(&object)?;
        known.get(&*lower(label)).copied()
    }

    pub(crate) fn keep(&mut self, object: ObjectId, label: &str, id: RecordId) {
        // What blanks around it name depends on what is called so without them, too.
        if label.trim().len() < label.len() {
            return;
        }
        let known = self.0.entry(object).or_default();
        known.insert(lower(label).into(), id);
    }

    /// Forgets what `label` names, because a record got or lost it.
    pub(crate) fn forget(&mut self, object: ObjectId, label: &str) {
        if let Some(known) = self.0.get_mut(&object) {
            known.remove(&*lower(label));
        }
    }
}

fn lower(label: &str) -> Cow<'_, str> {
    match label.is_ascii() && !label.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Borrowed(label),
        false => Cow::Owned(label.to_lowercase()),
    }
}

/// A record as messages call it: `accounts "Acme"`, or by its id where it has no label.
pub(crate) fn record_name(
    object: ObjectId,
    id: RecordId,
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> String {
    let row = snapshot.row(object, id).ok().flatten();
    name_of_row(object, id, row.as_deref(), catalog)
}

/// The same of a record with this row.
pub(crate) fn name_of_row(
    object: ObjectId,
    id: RecordId,
    row: Option<&Row>,
    catalog: &Catalog,
) -> String {
    let name = &catalog.object(object).name;
    match row.and_then(|row| label_of_row(object, row, catalog)) {
        Some(label) => format!("{name} \"{label}\""),
        None => format!("{name} {id}"),
    }
}

/// What a record that has no id yet is called.
pub(crate) fn name_of_new(object: ObjectId, row: &Row, catalog: &Catalog) -> String {
    let name = &catalog.object(object).name;
    match label_of_row(object, row, catalog) {
        Some(label) => format!("{name} \"{label}\""),
        None => format!("this record of {name}"),
    }
}

fn label_of_row<'r>(object: ObjectId, row: &'r Row, catalog: &Catalog) -> Option<&'r str> {
    match row.get(catalog.object(object).label_field()?.id) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// What a record with this row is called: its label, or its id.
pub(crate) fn called(
    object: ObjectId,
    id: RecordId,
    row: Option<&Row>,
    catalog: &Catalog,
) -> String {
    let label = row.and_then(|row| label_of_row(object, row, catalog));
    label.map_or_else(|| id.to_string(), str::to_owned)
}

/// The one record of `object` whose label or unique text is `label`, or that it names as `#42`.
pub(crate) fn lookup(object: ObjectId, label: &str, context: &Context<'_>) -> Result<RecordId> {
    match find(object, label, context)? {
        Some(id) => Ok(id),
        None => {
            let error = unknown(context.catalog.object(object), label.trim(), context)?;
            if label.trim().eq_ignore_ascii_case("me") {
                return Err(error.hint("for the one who asks write `me`, without quotes"));
            }
            let error = match context.catalog.find_object(label.trim()) {
                Some(object) => error.hint(format!(
                    "for a query add a clause: ({} where ...)",
                    object.name
                )),
                None => error,
            };
            let mut objects = context.catalog.live_objects();
            Err(
                match objects.any(|object| object.find_field(label.trim()).is_some()) {
                    true => error.hint(format!(
                        "opposite a reference a word is a label; for a field write `this.{}`",
                        label.trim()
                    )),
                    false => error,
                },
            )
        }
    }
}

/// The record of this id, if there is one.
pub(crate) fn existing(object: ObjectId, id: RecordId, context: &Context<'_>) -> Result<RecordId> {
    if context.snapshot.row(object, id)?.is_some() {
        return Ok(id);
    }
    let of = context.catalog.object(object);
    let message = format!("there is no {} {id}", of.singular);
    Err(Error::new(Code::UnknownRecord, message)
        .hint(format!("those there are: {} select id, this", of.name)))
}

/// As [`lookup`], but nothing if there is no such record.
pub(crate) fn find(
    object: ObjectId,
    label: &str,
    context: &Context<'_>,
) -> Result<Option<RecordId>> {
    let object = context.catalog.object(object);
    let called = |label: &str| -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        for field in object.key_fields() {
            found.extend(hits(object, field, label, context)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    };
    // Blanks around a label count where a record is called so.
    let trimmed = label.trim();
    let mut found = called(label)?;
    if found.is_empty() && trimmed.len() < label.len() {
        found = called(trimmed)?;
    }
    let label = trimmed;
    match (&found[..], record_number(label)) {
        ([one], _) => Ok(Some(*one)),
        ([], Some(id)) => Ok(context.snapshot.row(object.id, id)?.map(|_| id)),
        ([], None) => Ok(None),
        (several, _) => Err(ambiguous(object, label, several, context)?),
    }
}

/// The id written as `#42`.
pub(crate) fn record_number(text: &str) -> Option<RecordId> {
    text.strip_prefix('#')?.parse().ok().map(RecordId)
}

fn hits(
    object: &Object,
    field: &Field,
    label: &str,
    context: &Context<'_>,
) -> Result<Vec<RecordId>> {
    let snapshot = context.snapshot;
    let mut found = Vec::new();
    if let Some(index) = object.index_on(&[field.id], IndexKind::Folded) {
        // The index ignores accents too and cuts long text.
        for id in snapshot.lookup(index.id, &[Value::text(fold(label))])? {
            let row = snapshot.row(object.id, id)?;
            let value = row.as_ref().map(|row| row.get(field.id));
            if matches!(value, Some(Value::Text(text)) if same_name(text, label)) {
                found.push(id);
            }
        }
        return Ok(found);
    }
    if field.ty == FieldType::Email
        && let Some(index) = object.index_on(&[field.id], IndexKind::Ordered)
    {
        // E-mail is lower case when written.
        return snapshot.lookup(index.id, &[Value::text(label.to_lowercase())]);
    }
    for chunk in 0..snapshot.chunk_count(object.id) {
        context.interrupt.check()?;
        if let Vector::Texts(texts) = snapshot.column(object.id, field.id, ChunkId(chunk))? {
            let first = u64::from(chunk) * CHUNK_RECORDS as u64;
            let bits = texts.matching(|text| same_name(text, label));
            found.extend(bits.ones().map(|slot| RecordId(first + slot as u64)));
        }
    }
    Ok(found)
}

fn unknown(object: &Object, label: &str, context: &Context<'_>) -> Result<Error> {
    let message = format!("no {} is called \"{label}\"", object.singular);
    let error = Error::new(Code::UnknownLabel, message);
    if object.key_fields().next().is_none() {
        let hint = format!("{} have no label; name one by its id: `#42`", object.name);
        return Ok(error.hint(hint));
    }
    let mut names = Vec::new();
    for field in object.key_fields() {
        for chunk in 0..context.snapshot.chunk_count(object.id).min(NEAR_CHUNKS) {
            let column = context
                .snapshot
                .column(object.id, field.id, ChunkId(chunk))?;
            if let Vector::Texts(texts) = column {
                names.extend(texts.iter().flatten().map(str::to_owned));
            }
        }
    }
    let near = near(label, names.iter().map(String::as_str));
    Ok(match near.as_slice() {
        [] => error,
        [one] => error.hint(format!("did you mean `{one}`?")),
        several => {
            let several: Vec<_> = several.iter().map(|name| format!("`{name}`")).collect();
            error.hint(format!("did you mean one of {}?", several.join(", ")))
        }
    })
}

/// The names that `label` may stand for: the nearest one, else those with a word that begins so or
/// that is near, shortest first.
fn near<'n>(label: &str, names: impl Iterator<Item = &'n str> + Clone) -> Vec<&'n str> {
    if let Some(name) = nearest(label, names.clone()) {
        return vec![name];
    }
    let label = fold(label);
    if label.is_empty() {
        return Vec::new();
    }
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_owned).collect()
    };
    let begins = |name: &&str| {
        let name = fold(name);
        name.starts_with(&*label) || words(&name).iter().any(|word| word.starts_with(&*label))
    };
    let mut found: Vec<_> = names.clone().filter(begins).collect();
    if found.is_empty() {
        let within = words(&label);
        let is_word = |name: &&str| within.contains(&fold(name).into_owned());
        found = names.clone().filter(is_word).collect();
    }
    if found.is_empty() && label.chars().count() > 3 {
        let is_near = |name: &&str| {
            let words = words(&fold(name));
            nearest(&label, words.iter().map(String::as_str)).is_some()
        };
        found = names.filter(is_near).collect();
    }
    found.sort_by_key(|name| (name.chars().count(), *name));
    found.dedup();
    found.truncate(NEAR_LISTED);
    found
}

fn ambiguous(
    object: &Object,
    label: &str,
    found: &[RecordId],
    context: &Context<'_>,
) -> Result<Error> {
    let mut listed = Vec::new();
    for &id in found.iter().take(LISTED) {
        let row = context.snapshot.row(object.id, id)?;
        let texts: Vec<_> = object
            .key_fields()
            .filter_map(|field| match row.as_ref().map(|row| row.get(field.id)) {
                Some(Value::Text(text)) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        listed.push(format!("{id} ({})", texts.join(", ")));
    }
    if found.len() > LISTED {
        listed.push(format!("and {} more", found.len() - LISTED));
    }
    Ok(Error::new(
        Code::AmbiguousLabel,
        format!("{} {} are called \"{label}\"", found.len(), object.name),
    )
    .hint(format!("name one by its id: {}", listed.join(", "))))
}
