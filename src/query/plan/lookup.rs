//! Finding a record by its label, ignoring case.

use crate::catalog::{Field, Object};
use crate::column::Vector;
use crate::error::{Code, Error, Result};
use crate::query::exec::Context;
use crate::storage::IndexKind;
use crate::value::{ChunkId, ObjectId, RecordId, Value, fold};

/// Chunks read in search of labels near to an unknown one.
const NEAR_CHUNKS: u32 = 2;
/// Records listed when a label is ambiguous.
const LISTED: usize = 5;

/// The one record of `object` whose label or unique text is `label`.
pub(super) fn lookup(object: ObjectId, label: &str, context: &Context<'_>) -> Result<RecordId> {
    let object = context.catalog.object(object);
    let label = label.trim();
    let mut found = Vec::new();
    for field in object.key_fields() {
        found.extend(hits(object, field, label, context)?);
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(unknown(object, label, context)?),
        several => Err(ambiguous(object, label, several, context)?),
    }
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn hits(
    object: &Object,
    field: &Field,
    label: &str,
    context: &Context<'_>,
) -> Result<Vec<RecordId>> {
    let snapshot = context.snapshot;
    if let Some(index) = object.index_on(&[field.id], IndexKind::Folded) {
        let mut found = snapshot.lookup(index.id, &[Value::text(fold(label))])?;
        let mut failure = None;
        // The index ignores accents too and cuts long text.
        found.retain(|&id| match snapshot.row(object.id, id) {
            Ok(row) => row.is_some_and(|row| match row.get(field.id) {
                Value::Text(text) => same(text, label),
                _ => false,
            }),
            Err(error) => {
                failure = Some(error);
                false
            }
        });
        return failure.map_or(Ok(found), Err);
    }
    let mut found = Vec::new();
    for chunk in 0..snapshot.chunk_count(object.id) {
        context.interrupt.check()?;
        if let Vector::Texts(texts) = snapshot.column(object.id, field.id, ChunkId(chunk))? {
            let first = u64::from(chunk) * crate::column::CHUNK_RECORDS as u64;
            let bits = texts.matching(|text| same(text, label));
            found.extend(bits.ones().map(|slot| RecordId(first + slot as u64)));
        }
    }
    Ok(found)
}

fn unknown(object: &Object, label: &str, context: &Context<'_>) -> Result<Error> {
    let message = format!("no {} is called \"{label}\"", object.singular);
    let error = Error::new(Code::UnknownLabel, message);
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
    if object.key_fields().next().is_none() {
        let hint = format!("{} have no label; name one by its id: `#42`", object.name);
        return Ok(error.hint(hint));
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
