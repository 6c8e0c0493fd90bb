//! `alter object`: fields, names, labels, checks and the list of columns shown.

use super::field::{Added, check_label, set_on_delete};
use super::{Definer, name, usage};
use crate::catalog::{Label, Object, same_name, singular};
use crate::error::{Code, Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax::{Alteration, Expr, Name};
use crate::value::{FieldId, FieldType, LabelCode, ObjectId};

impl Definer<'_, '_> {
    pub(super) fn alter_object(&mut self, tree: &Name, changes: &[Alteration]) -> Result<String> {
        let id = self.object(tree)?.id;
        let mut added = Vec::new();
        let mut checks = Vec::new();
        for change in changes {
            match change {
                Alteration::AddField(field) => {
                    let one = self.add_field(id, field)?;
                    if let Added::Field { field, .. } = &one {
                        self.index_field(id, *field);
                    }
                    added.push(one);
                }
                Alteration::AlterField { field, on_delete } => {
                    let FieldId(place) = self.field(id, field)?;
                    let definition = &mut self.object_mut(id).fields[usize::from(place)];
                    set_on_delete(definition, *on_delete, field)?;
                }
                Alteration::DropField(name) => self.drop_field(id, name)?,
                Alteration::RenameField { from, to } => self.rename_field(id, from, to)?,
                Alteration::Rename(name) => self.rename(id, name)?,
                Alteration::AddCheck(check) => {
                    self.object_mut(id).checks.push(check.to_string());
                    checks.push(check);
                }
                Alteration::AddLabel { field, label } => self.add_label(id, field, label)?,
                Alteration::SetShow(names) => self.show(id, names)?,
            }
        }
        let blame = blamed(changes).unwrap_or(tree);
        self.check_members(blame)?;
        self.bind_added(id, &added)?;
        let binder = Binder::new(&self.catalog, self.environment.clock);
        for check in &checks {
            binder.record_condition(id, check)?;
        }
        self.check_texts(blame)?;
        self.store()?;
        self.fill(id, &added)?;
        self.hold_checks(id, &checks)?;
        Ok(format!("altered object {}", self.catalog.object(id).name))
    }

    /// Existing records must meet a new check.
    fn hold_checks(&mut self, id: ObjectId, checks: &[&Expr]) -> Result<()> {
        let Some(last) = checks.last() else {
            return Ok(());
        };
        self.check_records(id).map_err(|e| e.at(last.span.clone()))
    }

    fn drop_field(&mut self, id: ObjectId, name: &Name) -> Result<()> {
        let object = self.catalog.object(id);
        if object.find_formula(&name.text).is_some() {
            let object = self.object_mut(id);
            if object.show.iter().any(|shown| same_name(shown, &name.text)) {
                return Err(usage::still_used(
                    name,
                    &["the list of columns shown".to_owned()],
                ));
            }
            object
                .formulas
                .retain(|formula| !same_name(&formula.name, &name.text));
            return Ok(());
        }
        let field = self.field(id, name)?;
        let object = self.catalog.object(id);
        let mut users = Vec::new();
        if object.show.iter().any(|shown| same_name(shown, &name.text)) {
            users.push("the list of columns shown".to_owned());
        }
        if object.ordered_by == Some(field) {
            users.push(format!("the order of {}", object.name));
        }
        let declared = |index: &&crate::catalog::Index| index.declared;
        for index in object.indexes.iter().filter(declared) {
            if index.fields.contains(&field) {
                users.push("an index".to_owned());
            }
        }
        users.extend(role_use(object, field));
        for dated in object.live_fields() {
            if dated.dated_by == Some(field) {
                users.push(format!("field `{}`, which it dates", dated.name));
            }
        }
        if !users.is_empty() {
            return Err(usage::still_used(name, &users));
        }
        let object = self.object_mut(id);
        object.fields[usize::from(field.0)].dropped = true;
        object
            .indexes
            .retain(|index| !index.fields.contains(&field));
        Ok(())
    }

    fn rename_field(&mut self, id: ObjectId, from: &Name, to: &Name) -> Result<()> {
        name::check(to)?;
        let old = self.catalog.object(id);
        let other = old.find_field(&to.text).is_some() || old.find_formula(&to.text).is_some();
        if other && !same_name(&from.text, &to.text) {
            let by = format!("{} have already something", old.name);
            return Err(name::taken(to, &by));
        }
        let field = self.field(id, from)?;
        let object = self.catalog.object(id);
        if let Some(user) = role_use(object, field).filter(|_| !same_name(&from.text, &to.text)) {
            return Err(usage::still_used(from, &[user]));
        }
        let object = self.object_mut(id);
        object.fields[usize::from(field.0)]
            .name
            .clone_from(&to.text);
        for shown in &mut object.show {
            if same_name(shown, &from.text) {
                shown.clone_from(&to.text);
            }
        }
        Ok(())
    }

    fn rename(&mut self, id: ObjectId, to: &Name) -> Result<()> {
        let object = self.catalog.object(id);
        if !same_name(&object.name, &to.text) {
            self.check_free(to)?;
        }
        let usual = object.singular == singular(&object.name);
        let object = self.object_mut(id);
        object.name.clone_from(&to.text);
        if usual {
            object.singular = singular(&to.text);
        }
        Ok(())
    }

    fn add_label(&mut self, id: ObjectId, field: &Name, label: &Name) -> Result<()> {
        let at = self.field(id, field)?;
        let definition = self.catalog.object(id).field(at);
        if !matches!(definition.ty, FieldType::Picklist | FieldType::Tags) {
            return Err(Error::new(
                Code::TypeMismatch,
                format!("`{}` has no labels", definition.name),
            )
            .at(field.span.clone())
            .expected("a picklist or tags"));
        }
        check_label(label, definition.ty == FieldType::Tags)?;
        if definition.find_label(&label.text).is_some() {
            return Err(name::taken(label, "there is already a label"));
        }
        let next = definition.labels.iter().map(|label| label.code.0 + 1).max();
        let label = Label {
            code: LabelCode(next.unwrap_or(0)),
            name: label.text.clone(),
        };
        let FieldId(place) = at;
        self.object_mut(id).fields[usize::from(place)]
            .labels
            .push(label);
        Ok(())
    }
}

/// What the object is taken for, if that needs the field under its name.
fn role_use(object: &Object, field: FieldId) -> Option<String> {
    let role = object.role?;
    let mut needed = object.role_fields();
    let used = needed.any(|needed| needed.id == field);
    used.then(|| format!("{}, which are the {}", object.name, role.word()))
}

/// The name that goes away, or else the first one that comes.
fn blamed(changes: &[Alteration]) -> Option<&Name> {
    let gone = changes.iter().find_map(|change| match change {
        Alteration::DropField(name) | Alteration::RenameField { from: name, .. } => Some(name),
        Alteration::Rename(name) => Some(name),
        _ => None,
    });
    gone.or_else(|| {
        changes.iter().find_map(|change| match change {
            Alteration::AddField(field) => Some(&field.name),
            _ => None,
        })
    })
}
