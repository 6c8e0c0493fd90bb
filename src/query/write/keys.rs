//! Keys of `upsert ... on`: which records have these values in these fields.

use super::writer::Writer;
use crate::catalog::Object;
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::IndexKind;
use crate::value::{ChunkId, FieldId, IndexId, ObjectId, RecordId, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

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
    Digests(Digests),
}

/// Records by the digests of their keys: 128 bits, of two hash functions chosen at random, so
/// many that two keys never share one.
#[derive(Default)]
struct Digests {
    hashers: [RandomState; 2],
    first: HashMap<Digest, RecordId, foldhash::fast::RandomState>,
    /// The others of keys that several records have.
    more: HashMap<Digest, Vec<RecordId>>,
}

type Digest = [u64; 2];

impl Digests {
    /// The digest of a key that goes on with a value.
    fn digest(&self, before: Digest, value: &Value) -> Digest {
        let mut bytes = Vec::with_capacity(64);
        push_bytes(&mut bytes, value);
        let hash = |at: usize| self.hashers[at].hash_one((before, &bytes));
        [hash(0), hash(1)]
    }

    fn of(&self, key: &[Value]) -> Digest {
        let values = key.iter();
        values.fold(Digest::default(), |digest, value| {
            self.digest(digest, value)
        })
    }

    fn add(&mut self, digest: Digest, id: RecordId) {
        match self.first.entry(digest) {
            Entry::Vacant(first) => _ = first.insert(id),
            Entry::Occupied(_) => self.more.entry(digest).or_default().push(id),
        }
    }

    fn get(&self, digest: Digest) -> Vec<RecordId> {
        let first = self.first.get(&digest).into_iter();
        first
            .chain(self.more.get(&digest).into_iter().flatten())
            .copied()
            .collect()
    }
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
            None => Source::Digests(build(writer, definition, fields)?),
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
            Source::Digests(known) => Ok(known.get(known.of(key))),
        }
    }

    /// A record has been added with this key.
    pub(super) fn added(&mut self, key: &[Value], id: RecordId) {
        if let Source::Digests(known) = &mut self.source {
            known.add(known.of(key), id);
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

fn build(writer: &Writer<'_, '_>, object: &Object, fields: &[FieldId]) -> Result<Digests> {
    let mut all = Digests::default();
    let snapshot = writer.snapshot();
    for chunk in (0..snapshot.chunk_count(object.id)).map(ChunkId) {
        let first = u64::from(chunk.0) * CHUNK_RECORDS as u64;
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let field = object.field(*field);
            columns.push((&field.ty, snapshot.column(object.id, field.id, chunk)?));
        }
        for slot in snapshot.live(object.id, chunk)?.ones() {
            let mut values = columns.iter().map(|(ty, column)| column.value(ty, slot));
            let digest = values.try_fold(Digest::default(), |digest, value| {
                (!value.is_missing()).then(|| all.digest(digest, &value))
            });
            if let Some(digest) = digest {
                all.add(digest, RecordId(first + slot as u64));
            }
        }
    }
    Ok(all)
}

impl Writer<'_, '_> {
    /// Two records with the same key, as messages call them.
    pub(crate) fn duplicates(
        &self,
        object: ObjectId,
        fields: &[FieldId],
    ) -> Result<Option<(String, String)>> {
        let keys = build(self, self.catalog.object(object), fields)?;
        let several = keys
            .more
            .iter()
            .map(|(key, more)| (keys.first[key], more[0]));
        let name = |id: RecordId| self.name_of(object, id);
        Ok(several.min().map(|(a, b)| (name(a), name(b))))
    }
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
