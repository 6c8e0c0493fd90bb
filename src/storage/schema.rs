//! The layouts and the catalog's bytes of one state, and what lies between two of them.

use super::codec::{self, Reader, Writer};
use super::{IndexKind, IndexLayout, ObjectLayout};
use crate::error::{Code, Error, Result};
use crate::value::{FieldId, FieldType, IndexId, ObjectId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of the hidden column of live records; no field may have it.
pub(super) const LIVE: FieldId = FieldId(u16::MAX);

/// What one state of the book knows of its objects.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) catalog: Arc<[u8]>,
    pub(super) layouts: BTreeMap<ObjectId, Arc<ObjectLayout>>,
    indexes: BTreeMap<IndexId, (ObjectId, usize)>,
    /// Stands in for an object that does not exist.
    none: Arc<ObjectLayout>,
}

impl Schema {
    pub(super) fn new(
        catalog: Arc<[u8]>,
        layouts: impl IntoIterator<Item = Arc<ObjectLayout>>,
    ) -> Self {
        let layouts: BTreeMap<_, _> = layouts.into_iter().map(|l| (l.id, l)).collect();
        let indexes = layouts
            .values()
            .flat_map(|layout| {
                let places = layout.indexes.iter().enumerate();
                places.map(|(at, index)| (index.id, (layout.id, at)))
            })
            .collect();
        let none = ObjectLayout {
            id: ObjectId(u32::MAX),
            fields: Vec::new(),
            indexes: Vec::new(),
            hierarchy: None,
        };
        Self {
            catalog,
            layouts,
            indexes,
            none: Arc::new(none),
        }
    }

    /// The same layouts with another catalog.
    pub(super) fn with_catalog(&self, catalog: Arc<[u8]>) -> Self {
        Self {
            catalog,
            ..self.clone()
        }
    }

    pub(super) fn layout(&self, object: ObjectId) -> &Arc<ObjectLayout> {
        self.layouts.get(&object).unwrap_or(&self.none)
    }

    pub(super) fn known(&self, object: ObjectId) -> Result<&Arc<ObjectLayout>> {
        self.layouts.get(&object).ok_or_else(|| {
            Error::new(
                Code::Internal,
                format!("object {} does not exist", object.0),
            )
        })
    }

    pub(super) fn index(&self, index: IndexId) -> Result<(&Arc<ObjectLayout>, &IndexLayout)> {
        self.indexes
            .get(&index)
            .and_then(|&(object, at)| {
                let layout = self.layouts.get(&object)?;
                Some((layout, layout.indexes.get(at)?))
            })
            .ok_or_else(|| Error::new(Code::Internal, format!("index {} does not exist", index.0)))
    }

    pub(super) fn index_ids(&self) -> impl Iterator<Item = IndexId> + '_ {
        self.indexes.keys().copied()
    }

    pub(super) fn has_index(&self, index: IndexId) -> bool {
        self.indexes.contains_key(&index)
    }

    /// An error if `next` cannot follow this schema.
    pub(super) fn check_successor(&self, next: &Self) -> Result<()> {
        let bad = |message: String| Err(Error::new(Code::Internal, message));
        for layout in next.layouts.values() {
            if layout.fields.len() >= usize::from(LIVE.0) {
                return bad(format!("object {} has too many fields", layout.id.0));
            }
            for index in &layout.indexes {
                check_index(layout, index)?;
            }
            let Some(old) = self.layouts.get(&layout.id) else {
                continue;
            };
            let kept = old.fields.iter().zip(&layout.fields);
            if old.fields.len() > layout.fields.len()
                || kept.into_iter().any(|(a, b)| !same_form(&a.ty, &b.ty))
            {
                return bad(format!("object {} lost or retyped a field", layout.id.0));
            }
        }
        for id in self.index_ids().filter(|id| next.has_index(*id)) {
            let ((old_layout, old), (layout, index)) = (self.index(id)?, next.index(id)?);
            if old_layout.id != layout.id || old.kind != index.kind || old.fields != index.fields {
                return bad(format!("index {} was given another meaning", id.0));
            }
        }
        Ok(())
    }

    /// The layouts, then the catalog's bytes.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let layouts: Vec<&ObjectLayout> = self.layouts.values().map(|l| &**l).collect();
        let mut out = Writer::default();
        out.put_block(&codec::encode(&layouts)?);
        out.bytes.extend_from_slice(&self.catalog);
        Ok(out.bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("the catalog", bytes);
        let layouts: Vec<ObjectLayout> = codec::decode("the catalog", reader.get_block()?)?;
        let schema = Self::new(reader.rest().into(), layouts.into_iter().map(Arc::new));
        Self::new(Arc::from([]), []).check_successor(&schema)?;
        Ok(schema)
    }
}

fn check_index(layout: &ObjectLayout, index: &IndexLayout) -> Result<()> {
    let of_field = |field: &FieldId| layout.fields.get(usize::from(field.0));
    let sound = !index.fields.is_empty()
        && index
            .fields
            .iter()
            .all(|f| of_field(f).is_some_and(|f| !f.dropped));
    let reference =
        |ty: &FieldType| matches!(ty, FieldType::Reference(_) | FieldType::AnyReference(_));
    let of_reference = index.kind != IndexKind::Reference
        || (index.fields.len() == 1
            && of_field(&index.fields[0]).is_some_and(|f| reference(&f.ty)));
    if sound && of_reference {
        Ok(())
    } else {
        Err(Error::new(
            Code::Internal,
            format!("index {} names fields it cannot hold", index.id.0),
        ))
    }
}

/// Whether values of both types have the same bytes.
fn same_form(a: &FieldType, b: &FieldType) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}
