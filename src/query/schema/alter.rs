//! `alter object`: fields, names, labels, checks and the list of columns shown.

use super::field::{Added, set_on_delete};
use super::retype::is_empty;
use super::{Definer, usage};
use crate::catalog::{Object, same_name};
use crate::error::{Code, Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax::{Alteration, Expr, FieldChange, Name, parse_expression};
use crate::value::{FieldId, ObjectId};

impl Definer<'_, '_> {
    pub(super) fn alter_object(&mut self, tree: &Name, changes: &[Alteration]) -> Result<String> {
        let id = self.object(tree)?.id;
        let mut added = Vec::new();
        let mut changed = Vec::new();
        let mut checks = Vec::new();
        let mut retyped = Vec::new();
        for change in changes {
            match change {
                Alteration::AddField(field) => {
                    let one = self.add_field(id, field)?;
                    if let Added::Field { field, .. } = &one {
                        self.index_field(id, *field);
                    }
                    added.push(one);
                }
                Alteration::AlterField { field, change } => match change {
                    FieldChange::OnDelete(rule) => {
                        let FieldId(place) = self.field(id, field)?;
                        let definition = &mut self.object_mut(id).fields[usize::from(place)];
                        set_on_delete(definition, *rule, field)?;
                    }
                    FieldChange::Default(default) => {
                        changed.push(self.set_default(id, field, default.as_deref())?);
                    }
                    FieldChange::Order(labels) => self.order_labels(id, field, labels)?,
                    FieldChange::Type { ty, default } => {
                        retyped.push(self.retype(id, field, ty, default.as_deref())?);
                    }
                },
                Alteration::DropField(name) => self.drop_field(id, name)?,
                Alteration::RenameField { from, to } => self.rename_field(id, from, to)?,
                Alteration::Rename(name) => self.rename(tree, id, name)?,
                Alteration::AddCheck(check) => {
                    self.object_mut(id).checks.push(check.to_string());
                    checks.push(check);
                }
                Alteration::DropCheck(check) => self.drop_check(id, check)?,
                Alteration::AddLabel { field, label } => self.add_label(id, field, label)?,
                Alteration::RenameLabel { field, from, to } => {
                    self.rename_label(id, field, from, to)?;
                }
                Alteration::DropLabel { field, label } => self.drop_label(id, field, label)?,
                Alteration::SetShow(names) => self.show(id, names)?,
            }
        }
        let blame = blamed(changes).unwrap_or(tree);
        self.check_members(blame)?;
        self.bind_added(id, &added)?;
        self.bind_added(id, &changed)?;
        let binder = Binder::new(&self.catalog, self.environment.clock);
        for check in &checks {
            binder.record_condition(id, check)?;
        }
        self.check_texts(blame)?;
        self.store()?;
        self.write_rules()?;
        let last = checks.last().map(|check| &check.span);
        let blame = last.or(retyped.last().map(|one| &one.name.span)).cloned();
        let told = self.convert_all(id, retyped)?;
        self.fill(id, &added)?;
        if let Some(span) = blame {
            self.check_records(id).map_err(|e| e.at(span))?;
        }
        Ok(format!(
            "altered object {}{told}",
            self.catalog.object(id).name
        ))
    }

    fn set_default<'s>(
        &mut self,
        id: ObjectId,
        name: &'s Name,
        default: Option<&'s Expr>,
    ) -> Result<Added<'s>> {
        let field = self.field(id, name)?;
        let default = default.filter(|tree| !is_empty(tree));
        self.object_mut(id).fields[usize::from(field.0)].default = default.map(Expr::to_string);
        Ok(Added::Field {
            field,
            name,
            default,
            dated_by: None,
        })
    }

    fn drop_check(&mut self, id: ObjectId, tree: &Expr) -> Result<()> {
        let object = self.object_mut(id);
        // They are told from each other by what they say, however it is written.
        let is_other = |text: &String| parse_expression(text).ok().as_ref() != Some(tree);
        let before = object.checks.len();
        object.checks.retain(is_other);
        if object.checks.len() < before {
            return Ok(());
        }
        let message = format!("{} have no such check", object.name);
        let error = Error::new(Code::UnknownObject, message).at(tree.span.clone());
        Err(match object.checks.as_slice() {
            [] => error.hint("they have none"),
            checks => error
                .near(&tree.to_string(), checks.iter().map(String::as_str))
                .hint(format!("checks of {}: {}", object.name, checks.join(", "))),
        })
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
}

/// What the object is taken for, if that needs the field under its name.
pub(super) fn role_use(object: &Object, field: FieldId) -> Option<String> {
    let role = object.role?;
    let mut needed = object.role_fields();
    let used = needed.any(|needed| needed.id == field);
    used.then(|| format!("{}, which are the {}", object.name, role.word()))
}

/// The name that goes away, or else the first one that comes.
fn blamed(changes: &[Alteration]) -> Option<&Name> {
    let gone = changes.iter().find_map(|change| match change {
        Alteration::DropField(name)
        | Alteration::RenameField { from: name, .. }
        | Alteration::RenameLabel { from: name, .. }
        | Alteration::DropLabel { label: name, .. }
        | Alteration::AlterField {
            field: name,
            change: FieldChange::Type { .. },
        } => Some(name),
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
