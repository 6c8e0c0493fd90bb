//! Labels: which record a text names, remembered while a statement runs.

use super::columns::each_value;
use crate::catalog::{Catalog, Field, Object, same_name};
use crate::error::{Code, Error, Result};
use crate::storage::{IndexKind, Snapshot};
use crate::value::{FieldType, ObjectId, RecordId, Value, fold};
use std::collections::HashMap;

/// Objects with more records get no "did you mean": it would compare every label.
const NEAR_RECORDS: u64 = 500;

/// Texts that named exactly one record.
#[derive(Default)]
pub(crate) struct Labels {
    known: HashMap<ObjectId, HashMap<Box<str>, RecordId>>,
}

impl Labels {
    /// The record of `object` that `text` names, ignoring case, or `#id`; nothing if there is
    /// none, an error if there are several.
    pub(super) fn find(
        &mut self,
        catalog: &Catalog,
        snapshot: &Snapshot,
        object: ObjectId,
        text: &str,
    ) -> Result<Option<RecordId>> {
        let text = text.trim();
        let lower = text.to_lowercase();
        if let Some(&id) = self.known.get(&object).and_then(|known| known.get(&*lower)) {
            return Ok(Some(id));
        }
        let definition = catalog.object(object);
        let mut hits = Vec::new();
        for field in definition.key_fields() {
            hits.extend(with_text(snapshot, definition, field, text)?);
        }
        hits.sort_unstable();
        hits.dedup();
        match hits[..] {
            [] => match record_number(text) {
                Some(id) => Ok(snapshot.row(object, id)?.map(|_| id)),
                None => Ok(None),
            },
            [id] => {
                let known = self.known.entry(object).or_default();
                known.insert(lower.into(), id);
                Ok(Some(id))
            }
            _ => Err(ambiguous(definition, text, &hits)),
        }
    }

    /// Forgets what `text` names, because a record got or lost it.
    pub(super) fn forget(&mut self, object: ObjectId, text: &str) {
        if let Some(known) = self.known.get_mut(&object) {
            known.remove(&*text.trim().to_lowercase());
        }
    }
}

/// The id written as `#42`.
pub(super) fn record_number(text: &str) -> Option<RecordId> {
    text.strip_prefix('#')?.parse().ok().map(RecordId)
}

fn ambiguous(object: &Object, text: &str, hits: &[RecordId]) -> Error {
    let listed: Vec<_> = hits.iter().take(5).map(RecordId::to_string).collect();
    let more = if hits.len() > 5 { ", ..." } else { "" };
    Error::new(
        Code::AmbiguousLabel,
        format!(
            "`{text}` names {} records of {}: {}{more}",
            hits.len(),
            object.name,
            listed.join(", ")
        ),
    )
    .hint(format!("name one by its id, for example {}", hits[0]))
}

/// The error for a text that names no record, with the nearest label of a small object.
pub(super) fn unknown(
    catalog: &Catalog,
    snapshot: &Snapshot,
    object: ObjectId,
    text: &str,
) -> Error {
    let definition = catalog.object(object);
    let error = Error::new(
        Code::UnknownLabel,
        format!("{} has no record called `{text}`", definition.name),
    );
    if definition.key_fields().next().is_none() {
        return error.hint(format!(
            "{} has no label; name a record by its id, for example #1",
            definition.name
        ));
    }
    if snapshot.record_count(object) > NEAR_RECORDS {
        return error;
    }
    let mut names = Vec::new();
    for field in definition.key_fields() {
        // A hint is not worth an error of its own.
        let _ = each_value(snapshot, object, field, |_, value| {
            if let Value::Text(name) = value {
                names.push(name);
            }
        });
    }
    error.near(text, names.iter().map(|name| &**name))
}

/// Records whose `field` is `text`, ignoring case.
fn with_text(
    snapshot: &Snapshot,
    object: &Object,
    field: &Field,
    text: &str,
) -> Result<Vec<RecordId>> {
    if let Some(index) = object.index_on(&[field.id], IndexKind::Folded) {
        let mut hits = Vec::new();
        // The index ignores accents too and cuts long text.
        for id in snapshot.lookup(index.id, &[Value::text(fold(text))])? {
            let row = snapshot.row(object.id, id)?;
            let value = row.as_ref().map(|row| row.get(field.id));
            if matches!(value, Some(Value::Text(name)) if same_name(name, text)) {
                hits.push(id);
            }
        }
        return Ok(hits);
    }
    if field.ty == FieldType::Email
        && let Some(index) = object.index_on(&[field.id], IndexKind::Ordered)
    {
        return snapshot.lookup(index.id, &[Value::text(text.to_lowercase())]);
    }
    let mut hits = Vec::new();
    each_value(snapshot, object.id, field, |id, value| {
        if matches!(&value, Value::Text(name) if same_name(name, text)) {
            hits.push(id);
        }
    })?;
    Ok(hits)
}
