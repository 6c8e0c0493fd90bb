//! Keys of `upsert ... on`: which records have these values in these fields.

use super::columns::each_value;
use super::writer::Writer;
use crate::catalog::Object;
use crate::error::Result;
use crate::storage::IndexKind;
use crate::value::{FieldId, IndexId, ObjectId, RecordId, Value};
use std::collections::HashMap;

/// The records of an object by the values of some fields.
pub(super) struct Keys {
    object: ObjectId,
    fields: Vec<FieldId>,
    source: Source,
}

enum Source {
    /// An index, and its fields' places among ours.
    Index(IndexId, Vec<usize>),
    /// All keys, built once and kept up to date.
    Map(HashMap<Vec<u8>, Vec<RecordId>>),
}

impl Keys {
    pub(super) fn new(
        writer: &Writer<'_, '_>,
        object: ObjectId,
        fields: &[FieldId],
    ) -> Result<Self> {
        let definition = writer.catalog.object(object);
        let source = match index_over(definition, fields) {
            Some((index, places)) => Source::Index(index, places),
            None => Source::Map(build(writer, definition, fields)?),
        };
        Ok(Self {
            object,
            fields: fields.to_vec(),
            source,
        })
    }

    pub(super) fn fields(&self) -> &[FieldId] {
        &self.fields
    }

    /// The records with this key, in id order.
    pub(super) fn find(&self, writer: &Writer<'_, '_>, key: &[Value]) -> Result<Vec<RecordId>> {
        match &self.source {
            Source::Index(index, places) => {
                let key: Vec<_> = places.iter().map(|at| key[*at].clone()).collect();
                writer.snapshot().lookup(*index, &key)
            }
            Source::Map(map) => Ok(map.get(&bytes(key)).cloned().unwrap_or_default()),
        }
    }

    /// A record has been added with this key.
    pub(super) fn added(&mut self, key: &[Value], id: RecordId) {
        if let Source::Map(map) = &mut self.source {
            map.entry(bytes(key)).or_default().push(id);
        }
    }

    pub(super) fn object(&self) -> ObjectId {
        self.object
    }
}

/// An index over exactly these fields, in any order.
fn index_over(object: &Object, fields: &[FieldId]) -> Option<(IndexId, Vec<usize>)> {
    let place = |field: &FieldId| fields.iter().position(|own| own == field);
    object
        .indexes
        .iter()
        .filter(|index| index.kind != IndexKind::Folded && index.fields.len() == fields.len())
        .find_map(|index| {
            Some((
                index.id,
                index.fields.iter().map(place).collect::<Option<_>>()?,
            ))
        })
}

fn build(
    writer: &Writer<'_, '_>,
    object: &Object,
    fields: &[FieldId],
) -> Result<HashMap<Vec<u8>, Vec<RecordId>>> {
    let mut keys: Vec<(RecordId, Option<Vec<u8>>)> = Vec::new();
    for (place, field) in fields.iter().enumerate() {
        let mut at = 0;
        each_value(
            writer.snapshot(),
            object.id,
            object.field(*field),
            |id, value| {
                if place == 0 {
                    keys.push((id, Some(Vec::new())));
                }
                match &mut keys[at].1 {
                    Some(key) if !value.is_missing() => push_bytes(key, &value),
                    key => *key = None,
                }
                at += 1;
            },
        )?;
    }
    let mut map: HashMap<_, Vec<RecordId>> = HashMap::with_capacity(keys.len());
    for (id, key) in keys {
        if let Some(key) = key {
            map.entry(key).or_default().push(id);
        }
    }
    Ok(map)
}

impl Writer<'_, '_> {
    /// Two records with the same key, as messages call them.
    pub(crate) fn duplicates(
        &self,
        object: ObjectId,
        fields: &[FieldId],
    ) -> Result<Option<(String, String)>> {
        let keys = build(self, self.catalog.object(object), fields)?;
        let several = keys.into_values().filter(|ids| ids.len() > 1).min();
        let name = |id: RecordId| self.name_of(object, id);
        Ok(several.map(|ids| (name(ids[0]), name(ids[1]))))
    }
}

fn bytes(key: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    key.iter().for_each(|value| push_bytes(&mut out, value));
    out
}

/// Values of one field have one form, so that equal bytes are equal keys.
fn push_bytes(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text.as_bytes());
        }
        Value::Boolean(b) => out.push(u8::from(*b)),
        // Zero has two forms that are equal.
        Value::Number(n) => out.extend((n + 0.0).to_bits().to_le_bytes()),
        Value::Tags(codes) => {
            out.extend((codes.len() as u64).to_le_bytes());
            codes
                .iter()
                .for_each(|code| out.extend(code.0.to_le_bytes()));
        }
        _ => {
            if let Some((a, b)) = value.as_pair() {
                out.extend(a.to_le_bytes());
                out.extend(b.to_le_bytes());
            } else if let Some(n) = value.as_int() {
                out.extend(n.to_le_bytes());
            }
        }
    }
}
