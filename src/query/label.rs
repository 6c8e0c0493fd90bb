//! Labels of records: which record a text names, ignoring case, for queries and writes alike.

use crate::catalog::{Catalog, Field, Object, same_name};
use crate::column::{CHUNK_RECORDS, Vector};
use crate::error::{Code, Error, Result};
use crate::query::exec::Context;
use crate::storage::{IndexKind, Snapshot};
use crate::value::{ChunkId, FieldType, ObjectId, RecordId, Value, fold};
use std::collections::HashMap;

/// Chunks read in search of labels near to an unknown one.
const NEAR_CHUNKS: u32 = 2;
/// Records listed when a label is ambiguous.
const LISTED: usize = 5;

/// Texts that named exactly one record while a statement runs.
#[derive(Default)]
pub(crate) struct Known(HashMap<ObjectId, HashMap<Box<str>, RecordId>>);

impl Known {
    pub(crate) fn get(&self, object: ObjectId, label: &str) -> Option<RecordId> {
        let known = self.0.get(&object)?;
        known.get(&*label.trim().to_lowercase()).copied()
    }

    pub(crate) fn keep(&mut self, object: ObjectId, label: &str, id: RecordId) {
        let known = self.0.entry(object).or_default();
        known.insert(label.trim().to_lowercase().into(), id);
    }

    /// Forgets what `label` names, because a record got or lost it.
    pub(crate) fn forget(&mut self, object: ObjectId, label: &str) {
        if let Some(known) = self.0.get_mut(&object) {
            known.remove(&*label.trim().to_lowercase());
        }
    }
}

/// A record as messages call it: `accounts "Acme"`, or by its id where it has no label.
pub(crate) fn record_name(
    object: ObjectId,
    id: RecordId,
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> String {
    let definition = catalog.object(object);
    let label = definition.label_field().and_then(|field| {
        let row = snapshot.row(object, id).ok()??;
        match row.get(field.id) {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    });
    match label {
        Some(label) => format!("{} \"{label}\"", definition.name),
        None => format!("{} {id}", definition.name),
    }
}

/// The one record of `object` whose label or unique text is `label`, or that it names as `#42`.
pub(crate) fn lookup(object: ObjectId, label: &str, context: &Context<'_>) -> Result<RecordId> {
    match find(object, label, context)? {
        Some(id) => Ok(id),
        None => {
            let error = unknown(context.catalog.object(object), label.trim(), context)?;
            Err(match context.catalog.find_object(label.trim()) {
                Some(object) => error.hint(format!(
                    "for a query add a clause: ({} where ...)",
                    object.name
                )),
                None => {
                    let mut objects = context.catalog.live_objects();
                    match objects.any(|object| object.find_field(label.trim()).is_some()) {
                        true => error.hint(format!(
                            "opposite a reference a word is a label; for a field write `this.{}`",
                            label.trim()
                        )),
                        false => error,
                    }
                }
            })
        }
    }
}

/// As [`lookup`], but nothing if there is no such record.
pub(crate) fn find(
    object: ObjectId,
    label: &str,
    context: &Context<'_>,
) -> Result<Option<RecordId>> {
    let object = context.catalog.object(object);
    let label = label.trim();
    let mut found = Vec::new();
    for field in object.key_fields() {
        found.extend(hits(object, field, label, context)?);
    }
    found.sort_unstable();
    found.dedup();
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
    Ok(error.near(label, names.iter().map(String::as_str)))
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
