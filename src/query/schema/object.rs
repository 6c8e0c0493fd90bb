//! Objects: `create object` and `drop object`.

use super::Definer;
use super::field::{Added, misplaced};
use crate::catalog::{Catalog, Object, Role, singular};
use crate::error::{Code, Error, Result};
use crate::query::bind::{self, Binder};
use crate::query::syntax::{CreateObject, Expr, Name};
use crate::query::write::{self, Writer};
use crate::value::{FieldId, FieldType, ObjectId};
use std::sync::Arc;

impl Definer<'_, '_> {
    pub(super) fn create_object(&mut self, tree: &CreateObject) -> Result<String> {
        self.check_free(&tree.name)?;
        let one = match &tree.singular {
            Some(name) => {
                self.check_free(name)?;
                name.text.clone()
            }
            None => {
                let one = singular(&tree.name.text);
                match self.catalog.find_object(&one) {
                    Some(_) => tree.name.text.clone(),
                    None => one,
                }
            }
        };
        let id = ObjectId(u32::try_from(self.catalog.objects.len()).unwrap_or(u32::MAX));
        self.catalog.objects.push(Object {
            id,
            name: tree.name.text.clone(),
            singular: one,
            fields: Vec::new(),
            formulas: Vec::new(),
            indexes: Vec::new(),
            ordered_by: None,
            checks: tree.checks.iter().map(Expr::to_string).collect(),
            show: Vec::new(),
            role: None,
            dropped: false,
        });
        let mut added = Vec::new();
        for field in &tree.fields {
            added.push(self.add_field(id, field)?);
        }
        self.settle_label(id);
        for one in &added {
            if let Added::Field { field, .. } = one {
                self.index_field(id, *field);
            }
        }
        if let Some(name) = &tree.ordered_by {
            self.order_by(id, name)?;
        }
        if let Some(role) = tree.role {
            self.give_role(id, role, &tree.name)?;
        }
        self.show(id, &tree.show)?;
        self.check_members(&tree.name)?;
        self.bind_added(id, &added)?;
        let binder = Binder::new(&self.catalog, self.environment.clock);
        for check in &tree.checks {
            binder.record_condition(id, check)?;
        }
        self.store()?;
        Ok(format!("created object {}", tree.name.text))
    }

    /// Without a declared label the text field `name` is the label.
    fn settle_label(&mut self, id: ObjectId) {
        let object = self.catalog.object(id);
        if object.label_field().is_none()
            && let Some(field) = object.find_field("name")
            && matches!(field.ty, FieldType::Text)
        {
            let field = usize::from(field.id.0);
            self.object_mut(id).fields[field].label = true;
        }
    }

    /// Makes the object the one that plays a role, if it has the fields for it.
    fn give_role(&mut self, id: ObjectId, role: Role, name: &Name) -> Result<()> {
        let word = role.word();
        if let Some(other) = self.catalog.playing(role) {
            let message = format!("{} are the {word} already", other.name);
            return Err(misplaced(name, &message));
        }
        let object = self.catalog.object(id);
        let lacks = |(field, ty, _): &&(&str, FieldType, &str)| {
            object.find_field(field).is_none_or(|found| found.ty != *ty)
        };
        let lacking: Vec<_> = role
            .fields()
            .iter()
            .filter(lacks)
            .map(|(field, _, ty)| format!("{field} {ty}"))
            .collect();
        if !lacking.is_empty() {
            let message = format!("{word} need the field(s) {}", lacking.join(", "));
            return Err(misplaced(name, &message).hint(role.example()));
        }
        self.object_mut(id).role = Some(role);
        Ok(())
    }

    fn order_by(&mut self, id: ObjectId, name: &Name) -> Result<()> {
        let field = self.field(id, name)?;
        let ty = &self.catalog.object(id).field(field).ty;
        if !matches!(
            ty,
            FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Date
        ) {
            return Err(misplaced(name, "records are ordered by a number or a date"));
        }
        self.object_mut(id).ordered_by = Some(field);
        Ok(())
    }

    pub(super) fn show(&mut self, id: ObjectId, names: &[Name]) -> Result<()> {
        let object = self.catalog.object(id);
        let mut show = Vec::new();
        for name in names {
            let found = object
                .find_field(&name.text)
                .map(|field| &field.name)
                .or_else(|| object.find_formula(&name.text).map(|formula| &formula.name));
            match found {
                Some(found) => show.push(found.clone()),
                None => return Err(unknown_field(object, name)),
            }
        }
        self.object_mut(id).show = show;
        Ok(())
    }

    pub(super) fn field(&self, id: ObjectId, name: &Name) -> Result<FieldId> {
        let object = self.catalog.object(id);
        match object.find_field(&name.text) {
            Some(field) => Ok(field.id),
            None if object.find_formula(&name.text).is_some() => {
                Err(misplaced(name, "a formula has no values of its own"))
            }
            None => Err(unknown_field(object, name)),
        }
    }

    /// Binds the expressions of new fields and formulas, now that all names are there.
    pub(super) fn bind_added(&mut self, id: ObjectId, added: &[Added<'_>]) -> Result<()> {
        for one in added {
            if let Added::Field {
                field,
                dated_by: Some(by),
                name,
                ..
            } = one
            {
                let by_field = self.field(id, by)?;
                let object = self.catalog.object(id);
                let day = matches!(
                    object.field(by_field).ty,
                    FieldType::Date | FieldType::DateTime
                );
                if !day || object.field(*field).ty != FieldType::Money {
                    return Err(misplaced(name, "an amount is dated by a date"));
                }
                let place = usize::from(field.0);
                self.object_mut(id).fields[place].dated_by = Some(by_field);
            }
        }
        let catalog = self.shared();
        let binder = Binder::new(&catalog, self.environment.clock);
        let object = catalog.object(id);
        for one in added {
            match one {
                Added::Formula { name, tree } => {
                    binder.formula(object, &name.text, tree)?;
                }
                Added::Field {
                    field,
                    default: Some(tree),
                    ..
                } => {
                    let default = binder.assigned_in(object, object.field(*field), tree)?;
                    self.check_constant(id, *field, &default)
                        .map_err(|error| error.at(tree.span.clone()))?;
                }
                Added::Field { .. } => {}
            }
        }
        write::default_order(object).map(drop)
    }

    /// Refuses a default that no record could take, as far as it is constant.
    pub(super) fn check_constant(
        &mut self,
        id: ObjectId,
        field: FieldId,
        default: &bind::Expr,
    ) -> Result<()> {
        let catalog = self.shared();
        Writer::new(self.transaction, catalog, self.environment).check_default(id, field, default)
    }

    pub(super) fn drop_object(&mut self, tree: &Name) -> Result<String> {
        let id = self.object(tree)?.id;
        let name = self.catalog.object(id).name.clone();
        let users = referring(&self.catalog, id);
        if !users.is_empty() {
            return Err(super::usage::still_used(tree, &users));
        }
        let object = self.object_mut(id);
        object.dropped = true;
        object.role = None;
        object.indexes.clear();
        self.check_texts(tree)?;
        self.store()?;
        Ok(format!("dropped object {name}"))
    }

    pub(super) fn shared(&self) -> Arc<Catalog> {
        Arc::new(self.catalog.clone())
    }
}

/// Fields of other objects whose type names this one.
fn referring(catalog: &Catalog, id: ObjectId) -> Vec<String> {
    let mut users = Vec::new();
    for object in catalog.live_objects().filter(|object| object.id != id) {
        for field in object.live_fields() {
            let rule =
                matches!(field.ty, FieldType::Filter(on) | FieldType::Expression(on) if on == id);
            if rule || field.refers_to(id) {
                users.push(format!("field `{}` of {}", field.name, object.name));
            }
        }
    }
    users
}

pub(super) fn unknown_field(object: &Object, name: &Name) -> Error {
    let fields = object.live_fields().map(|field| field.name.as_str());
    let formulas = object.formulas.iter().map(|formula| formula.name.as_str());
    Error::new(
        Code::UnknownField,
        format!("{} have no field `{}`", object.name, name.text),
    )
    .at(name.span.clone())
    .near(&name.text, fields.chain(formulas))
}
