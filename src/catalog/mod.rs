//! The catalog: objects, fields, references, indexes and views; names to ids.
//!
//! A catalog is plain data, decoded once for each version of the schema. It knows no query: stored
//! texts (formulas, defaults, checks, views) are kept as canonical text and read above.

mod deletion;
mod names;
mod object;
mod role;

pub(crate) use deletion::OnDelete;
pub(crate) use names::{same as same_name, singular};
pub(crate) use object::{Field, Formula, Index, Label, Object, View, ViewParameter};
pub(crate) use role::Role;

use crate::error::{Code, Error, Result};
use crate::storage::ObjectLayout;
use crate::value::{FieldId, ObjectId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The labels dropped from each field.
type GoneLabels = Vec<(ObjectId, FieldId, Vec<Label>)>;

/// Every definition of a book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Catalog {
    /// By id; dropped objects keep their place.
    pub objects: Vec<Object>,
    pub views: Vec<View>,
    pub next_index: u32,
}

/// Records that refer to a record of some object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collection {
    pub name: String,
    /// The referring object.
    pub object: ObjectId,
    /// Its reference field.
    pub field: FieldId,
}

impl Catalog {
    /// Decodes a catalog; no bytes are an empty one.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let config = bincode::config::standard();
        let fault = |e| Error::new(Code::Corrupt, "the catalog cannot be read").caused_by(e);
        let (mut catalog, read): (Self, usize) =
            bincode::serde::decode_from_slice(bytes, config).map_err(fault)?;
        // What came later stands behind the rest, and older books lack it.
        let mut rest = &bytes[read..];
        if !rest.is_empty() {
            let (rules, read) = bincode::serde::decode_from_slice(rest, config).map_err(fault)?;
            catalog.set_deletion_rules(rules)?;
            rest = &rest[read..];
        }
        if !rest.is_empty() {
            let (gone, _) = bincode::serde::decode_from_slice(rest, config).map_err(fault)?;
            catalog.set_gone_labels(gone)?;
        }
        Ok(catalog)
    }

    pub(crate) fn encode(&self) -> Result<Arc<[u8]>> {
        let config = bincode::config::standard();
        let fault = |e| Error::new(Code::Internal, "the catalog cannot be written").caused_by(e);
        let mut bytes = bincode::serde::encode_to_vec(self, config).map_err(fault)?;
        let rules = bincode::serde::encode_to_vec(self.deletion_rules(), config);
        bytes.extend(rules.map_err(fault)?);
        let gone = bincode::serde::encode_to_vec(self.gone_labels(), config);
        bytes.extend(gone.map_err(fault)?);
        Ok(bytes.into())
    }

    fn fields(&self) -> impl Iterator<Item = (ObjectId, &Field)> {
        let objects = self.objects.iter();
        objects.flat_map(|object| object.fields.iter().map(|field| (object.id, field)))
    }

    pub(crate) fn field_mut(&mut self, object: ObjectId, field: FieldId) -> Result<&mut Field> {
        let object = self.objects.get_mut(object.0 as usize);
        let field = object.and_then(|object| object.fields.get_mut(usize::from(field.0)));
        field.ok_or_else(|| Error::new(Code::Corrupt, "the catalog tells of no field"))
    }

    fn gone_labels(&self) -> GoneLabels {
        let gone = self
            .fields()
            .filter(|(_, field)| !field.gone_labels.is_empty());
        gone.map(|(object, field)| (object, field.id, field.gone_labels.clone()))
            .collect()
    }

    fn set_gone_labels(&mut self, gone: GoneLabels) -> Result<()> {
        for (object, field, labels) in gone {
            self.field_mut(object, field)?.gone_labels = labels;
        }
        Ok(())
    }

    /// What storage must know of every object, by id.
    pub(crate) fn layouts(&self) -> Vec<Arc<ObjectLayout>> {
        self.objects
            .iter()
            .map(|object| Arc::new(object.layout()))
            .collect()
    }

    pub(crate) fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0 as usize]
    }

    /// Objects that are not dropped.
    pub(crate) fn live_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| !object.dropped)
    }

    /// The object of this name, plural or singular, ignoring case.
    pub(crate) fn find_object(&self, name: &str) -> Option<&Object> {
        self.live_objects()
            .find(|o| names::same(&o.name, name) || names::same(&o.singular, name))
    }

    pub(crate) fn find_view(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| names::same(&view.name, name))
    }

    /// The object that plays a role.
    pub(crate) fn playing(&self, role: Role) -> Option<&Object> {
        self.live_objects().find(|object| object.role == Some(role))
    }

    /// The collections of an object: a reference's `collection` name, else the referring object's
    /// plural name where one unnamed reference joins the two; `children` style names included.
    pub(crate) fn collections(&self, of: ObjectId) -> Vec<Collection> {
        let mut found = Vec::new();
        for object in self.live_objects() {
            let joining = || object.live_fields().filter(|field| field.refers_to(of));
            let unnamed = joining().filter(|field| field.collection.is_none()).count();
            for field in joining() {
                let name = match &field.collection {
                    Some(name) => name.clone(),
                    None if unnamed == 1 => object.name.clone(),
                    None => continue,
                };
                found.push(Collection {
                    name,
                    object: object.id,
                    field: field.id,
                });
            }
        }
        found
    }

    /// The collection of this name of an object, ignoring case.
    pub(crate) fn find_collection(&self, of: ObjectId, name: &str) -> Option<Collection> {
        self.collections(of)
            .into_iter()
            .find(|collection| names::same(&collection.name, name))
    }
}
