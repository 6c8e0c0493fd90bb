//! Indexes: `create index` and `drop index`.

use super::Definer;
use crate::error::{Code, Error, Result};
use crate::query::syntax::Name;
use crate::query::write::Writer;
use crate::storage::IndexKind;
use crate::value::{FieldId, FieldType, ObjectId, Shape};

/// Fields of one index.
const FIELDS: usize = 8;

impl Definer<'_, '_> {
    pub(super) fn create_index(
        &mut self,
        object: &Name,
        names: &[Name],
        unique: bool,
    ) -> Result<String> {
        let id = self.object(object)?.id;
        let fields = self.index_fields(id, names)?;
        for (field, name) in fields.iter().zip(names) {
            let ty = &self.catalog.object(id).field(*field).ty;
            if matches!(ty.shape(), Shape::RowOnly | Shape::Tags) {
                return Err(Error::new(
                    Code::TypeMismatch,
                    format!("`{}` cannot be indexed", name.text),
                )
                .at(name.span.clone())
                .hint("long texts, rules and tags have no order"));
            }
        }
        let definition = self.catalog.object(id);
        let one_reference =
            fields.len() == 1 && matches!(definition.field(fields[0]).ty, FieldType::Reference(_));
        let kind = if one_reference && !unique {
            IndexKind::Reference
        } else {
            IndexKind::Ordered
        };
        let said = said(names);
        if definition.index_on(&fields, kind).is_some() {
            return Err(Error::new(
                Code::NameTaken,
                format!("{} are indexed by {said} already", definition.name),
            )
            .at(object.span.clone()));
        }
        if unique {
            let catalog = self.shared();
            let writer = Writer::new(self.transaction, catalog, self.environment);
            if let Some((a, b)) = writer.duplicates(id, &fields)? {
                return Err(Error::new(
                    Code::NotUnique,
                    format!("{said} is the same for {a} and {b}"),
                )
                .at(object.span.clone())
                .hint("merge or change one of them first"));
            }
        }
        self.add_index(id, kind, fields, unique, true);
        self.store()?;
        Ok(format!("created index on {} ({said})", object.text))
    }

    pub(super) fn drop_index(&mut self, object: &Name, names: &[Name]) -> Result<String> {
        let id = self.object(object)?.id;
        let fields = self.index_fields(id, names)?;
        let said = said(names);
        let definition = self.object_mut(id);
        let before = definition.indexes.len();
        let own = definition
            .indexes
            .iter()
            .any(|index| index.fields == fields);
        definition
            .indexes
            .retain(|index| !index.declared || index.fields != fields);
        if definition.indexes.len() == before {
            let error = Error::new(
                Code::UnknownObject,
                format!("{} have no declared index on {said}", definition.name),
            )
            .at(object.span.clone());
            return Err(if own {
                error.hint("the index of a label, unique field or reference goes with its field")
            } else {
                error
            });
        }
        self.store()?;
        Ok(format!("dropped index on {} ({said})", object.text))
    }

    fn index_fields(&self, id: ObjectId, names: &[Name]) -> Result<Vec<FieldId>> {
        let mut fields = Vec::new();
        for name in names {
            let field = self.field(id, name)?;
            if fields.contains(&field) {
                return Err(super::name::taken(name, "the index has already a field"));
            }
            fields.push(field);
        }
        if fields.len() > FIELDS {
            return Err(
                Error::new(Code::Limit, format!("an index has at most {FIELDS} fields"))
                    .at(names[FIELDS].span.clone()),
            );
        }
        Ok(fields)
    }
}

fn said(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(|name| name.text.as_str()).collect();
    names.join(", ")
}
