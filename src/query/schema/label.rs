//! The labels of picklists and tags: added, renamed, dropped, put in order. Codes never change,
//! and no record is written.

use super::field::check_label;
use super::rename::Renaming;
use super::{Definer, name};
use crate::catalog::{Field, Label, same_name};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{Name, Spoken};
use crate::query::write::each_value;
use crate::value::{FieldId, FieldType, ObjectId, Value};

impl Definer<'_, '_> {
    /// A field with labels.
    fn labelled(&self, id: ObjectId, field: &Name) -> Result<&Field> {
        let definition = self.catalog.object(id).field(self.field(id, field)?);
        if matches!(definition.ty, FieldType::Picklist | FieldType::Tags) {
            return Ok(definition);
        }
        Err(Error::new(
            Code::TypeMismatch,
            format!("`{}` has no labels", definition.name),
        )
        .at(field.span.clone())
        .expected("a picklist or tags"))
    }

    fn label<'f>(field: &'f Field, label: &Name) -> Result<&'f Label> {
        field.find_label(&label.text).ok_or_else(|| {
            let names = || field.labels.iter().map(|label| label.name.as_str());
            let message = format!("`{}` has no label `{}`", field.name, label.text);
            let error = Error::new(Code::UnknownLabel, message).at(label.span.clone());
            let all: Vec<_> = names().take(12).collect();
            let error = error.near_words(&label.text, names());
            error.hint(format!("labels of `{}`: {}", field.name, all.join(", ")))
        })
    }

    fn field_mut(&mut self, id: ObjectId, field: FieldId) -> &mut Field {
        &mut self.object_mut(id).fields[usize::from(field.0)]
    }

    pub(super) fn add_label(&mut self, id: ObjectId, field: &Name, label: &Name) -> Result<()> {
        let definition = self.labelled(id, field)?;
        check_label(label, definition.ty == FieldType::Tags)?;
        if definition.find_label(&label.text).is_some() {
            return Err(name::taken(label, "there is already a label"));
        }
        let at = definition.id;
        self.field_mut(id, at).add_label(&label.text);
        Ok(())
    }

    pub(super) fn rename_label(
        &mut self,
        id: ObjectId,
        field: &Name,
        from: &Name,
        to: &Name,
    ) -> Result<()> {
        let definition = self.labelled(id, field)?;
        let code = Self::label(definition, from)?.code;
        check_label(to, definition.ty == FieldType::Tags)?;
        if !same_name(&from.text, &to.text) && definition.find_label(&to.text).is_some() {
            return Err(name::taken(to, "there is already a label"));
        }
        let at = definition.id;
        self.carry_name(&Renaming::Label(id, at, code, &to.text), from, |catalog| {
            let field = &mut catalog.objects[id.0 as usize].fields[usize::from(at.0)];
            let mut labels = field.labels.iter_mut();
            if let Some(label) = labels.find(|label| label.code == code) {
                label.name.clone_from(&to.text);
            }
        })
    }

    pub(super) fn drop_label(&mut self, id: ObjectId, field: &Name, label: &Name) -> Result<()> {
        let definition = self.labelled(id, field)?;
        let found = Self::label(definition, label)?.clone();
        let (at, last) = (
            definition.id,
            definition.labels.len() == 1 && !definition.open,
        );
        if last {
            let message = format!(
                "`{}` is the only label of `{}`",
                found.name, definition.name
            );
            return Err(Error::new(Code::Misplaced, message)
                .at(label.span.clone())
                .hint("drop the field, or add another label first"));
        }
        let mut count = 0_u64;
        let has = |value: Value| match value {
            Value::Label(code) => code == found.code,
            Value::Tags(codes) => codes.contains(&found.code),
            _ => false,
        };
        let definition = self.catalog.object(id).field(at);
        each_value(self.transaction.snapshot(), id, definition, |_, value| {
            count += u64::from(has(value));
        })?;
        if count > 0 {
            return Err(self
                .used_label(id, at, &found, count)
                .at(label.span.clone()));
        }
        self.field_mut(id, at).take_label(found.code, true);
        Ok(())
    }

    fn used_label(&self, id: ObjectId, field: FieldId, label: &Label, count: u64) -> Error {
        let object = self.catalog.object(id);
        let field = object.field(field);
        let spoken = Spoken(&label.name);
        let (whose, have) = match count {
            1 => (&object.singular, "has"),
            _ => (&object.name, "have"),
        };
        let message = format!("{count} {whose} {have} the label `{}`", label.name);
        let error = Error::new(Code::StillUsed, message);
        let (of, by) = (name::made(&object.name), name::made(&field.name));
        match field.ty {
            FieldType::Tags => error.hint(format!("find them: {of} where {by} has {spoken}")),
            _ => {
                let others = field.labels.iter().filter(|other| other.code != label.code);
                let other = others.map(|other| Spoken(&other.name)).next();
                let other = other.map_or_else(|| "empty".to_owned(), |other| other.to_string());
                error
                    .hint(format!(
                        "give them another one: update {of} where {by} = {spoken} set {by} = \
                         {other}"
                    ))
                    .hint(format!(
                        "or keep it under another name: alter object {of} rename label {by} \
                         {spoken} to ..."
                    ))
            }
        }
    }

    pub(super) fn order_labels(
        &mut self,
        id: ObjectId,
        field: &Name,
        order: &[Name],
    ) -> Result<()> {
        let definition = self.labelled(id, field)?;
        let mut labels: Vec<Label> = Vec::with_capacity(order.len());
        for name in order {
            let label = Self::label(definition, name)?;
            if labels.contains(label) {
                return Err(name::taken(name, "the order has already a label"));
            }
            labels.push(label.clone());
        }
        let left: Vec<_> = definition
            .labels
            .iter()
            .filter(|label| !labels.contains(label))
            .map(|label| format!("`{}`", label.name))
            .collect();
        if let (Some(last), false) = (order.last(), left.is_empty()) {
            let message = format!("the order leaves out {}", left.join(", "));
            return Err(Error::new(Code::BadValue, message)
                .at(last.span.clone())
                .expected(format!("each label of `{}` once", definition.name)));
        }
        let at = definition.id;
        self.field_mut(id, at).labels = labels;
        Ok(())
    }
}
