//! One object's definition: fields, formulas, indexes; and views.

use super::{OnDelete, Role, names};
use crate::storage::{FieldLayout, IndexKind, IndexLayout, ObjectLayout};
use crate::value::{FieldId, FieldType, IndexId, LabelCode, ObjectId};
use serde::{Deserialize, Serialize};

/// A kind of record: accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub id: ObjectId,
    pub name: String,
    pub singular: String,
    /// By id; dropped fields keep their place.
    pub fields: Vec<Field>,
    pub formulas: Vec<Formula>,
    pub indexes: Vec<Index>,
    /// The field by which references to this object are ordered.
    pub ordered_by: Option<FieldId>,
    /// Canonical texts of conditions that every record must meet.
    pub checks: Vec<String>,
    /// Names of the fields and formulas shown without `select`; empty: all fields.
    pub show: Vec<String>,
    /// What the engine takes these records for.
    pub role: Option<Role>,
    pub dropped: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub id: FieldId,
    pub name: String,
    pub ty: FieldType,
    pub required: bool,
    pub unique: bool,
    /// Whether this field's text is what the record is called.
    pub label: bool,
    /// Canonical text of an expression over the new record.
    pub default: Option<String>,
    /// Whether this reference to the own object makes a hierarchy.
    pub hierarchy: bool,
    /// The name of the records that refer here, where it is not the object's plural.
    pub collection: Option<String>,
    /// What becomes of the record when the one that this field refers to is deleted.
    #[serde(skip)]
    pub on_delete: OnDelete,
    /// The date field that tells which day's exchange rate counts.
    pub dated_by: Option<FieldId>,
    /// Labels of a picklist or tags field, in rank order.
    pub labels: Vec<Label>,
    /// Labels that were dropped: history has them, and no other label gets their codes.
    #[serde(skip)]
    pub gone_labels: Vec<Label>,
    /// Whether writing an unknown tag declares it: tags whose labels nobody listed.
    pub open: bool,
    pub dropped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub code: LabelCode,
    pub name: String,
}

/// A field that is computed when read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Formula {
    pub name: String,
    /// Canonical text of an expression over the record.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    pub id: IndexId,
    pub kind: IndexKind,
    pub fields: Vec<FieldId>,
    pub unique: bool,
    /// Made by `create index`; others come with unique, label and reference fields.
    pub declared: bool,
}

/// A query under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct View {
    pub name: String,
    pub parameters: Vec<ViewParameter>,
    /// Canonical text of the query.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ViewParameter {
    pub name: String,
    /// The type as written, for example `money`.
    pub ty: String,
    /// Canonical text of a constant expression.
    pub default: Option<String>,
}

impl Object {
    /// Fields that are not dropped.
    pub(crate) fn live_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.dropped)
    }

    pub(crate) fn field(&self, id: FieldId) -> &Field {
        &self.fields[usize::from(id.0)]
    }

    /// The field of this name, ignoring case.
    pub(crate) fn find_field(&self, name: &str) -> Option<&Field> {
        self.live_fields()
            .find(|field| names::same(&field.name, name))
    }

    pub(crate) fn find_formula(&self, name: &str) -> Option<&Formula> {
        self.formulas
            .iter()
            .find(|formula| names::same(&formula.name, name))
    }

    /// The field whose text names a record: the one declared `label`.
    pub(crate) fn label_field(&self) -> Option<&Field> {
        self.live_fields().find(|field| field.label)
    }

    /// The self-reference that makes this object a hierarchy.
    pub(crate) fn hierarchy_field(&self) -> Option<&Field> {
        self.live_fields().find(|field| field.hierarchy)
    }

    /// Fields in which a bare word is looked up: the label and the unique text fields.
    pub(crate) fn key_fields(&self) -> impl Iterator<Item = &Field> {
        self.live_fields()
            .filter(|field| field.label || (field.unique && field.ty.is_text()))
    }

    /// The index over exactly these fields of this kind.
    pub(crate) fn index_on(&self, fields: &[FieldId], kind: IndexKind) -> Option<&Index> {
        self.indexes
            .iter()
            .find(|index| index.fields == fields && index.kind == kind)
    }

    pub(crate) fn layout(&self) -> ObjectLayout {
        let field = |field: &Field| FieldLayout {
            ty: field.ty.clone(),
            dropped: field.dropped || self.dropped,
        };
        let index = |index: &Index| IndexLayout {
            id: index.id,
            kind: index.kind,
            fields: index.fields.clone(),
            unique: index.unique,
        };
        ObjectLayout {
            id: self.id,
            fields: self.fields.iter().map(field).collect(),
            indexes: self.indexes.iter().map(index).collect(),
            hierarchy: self.hierarchy_field().map(|field| field.id),
        }
    }
}

impl Field {
    pub(crate) fn refers_to(&self, object: ObjectId) -> bool {
        self.ty.refers_to(object)
    }

    /// The label of this name, ignoring case.
    pub(crate) fn find_label(&self, name: &str) -> Option<&Label> {
        self.labels
            .iter()
            .find(|label| names::same(&label.name, name))
    }

    /// What a label is called, or was when it was dropped.
    pub(crate) fn label_name(&self, code: LabelCode) -> Option<&str> {
        let labels = self.labels.iter().chain(&self.gone_labels);
        let mut found = labels.filter(|label| label.code == code);
        found.next().map(|label| label.name.as_str())
    }

    /// Adds a label behind the others and gives its code: a new one, or that which the label had
    /// before it was dropped.
    pub(crate) fn add_label(&mut self, name: &str) -> LabelCode {
        let gone = &mut self.gone_labels;
        let again = gone
            .iter()
            .rposition(|label| names::same(&label.name, name));
        let code = match again {
            Some(at) => gone.remove(at).code,
            None => {
                let codes = self.labels.iter().chain(&*gone).map(|label| label.code.0);
                LabelCode(codes.max().map_or(0, |last| last + 1))
            }
        };
        self.labels.push(Label {
            code,
            name: name.to_owned(),
        });
        code
    }

    /// Takes a label away; a `known` one keeps its code for when it comes again.
    pub(crate) fn take_label(&mut self, code: LabelCode, known: bool) {
        let taken = self.labels.extract_if(.., |label| label.code == code);
        self.gone_labels.extend(taken.filter(|_| known));
    }

    /// The place of a label among the declared ones, from 0.
    pub(crate) fn label_rank(&self, code: LabelCode) -> Option<usize> {
        self.labels.iter().position(|label| label.code == code)
    }
}
