//! The script of a whole book: all definitions, each below what it refers to.
//!
//! Objects stand in the order of their making. What refers to a later object, and all that was
//! added after it, follows as `alter object` once that object is there. Whether a text may stand
//! at a place is what the binder says of it, given the definitions above.

use super::describe::{create, create_index, field_definition, formula_definition, object_text};
use super::name::made;
use super::view;
use crate::catalog::{Catalog, Object, same_name};
use crate::error::Result;
use crate::query::bind::Binder;
use crate::query::syntax::{self, Alteration, CreateView, FieldDefinition, Statement};
use crate::value::{Clock, FieldType, ObjectId};

/// The statements that make every object and view in a book without any.
pub(crate) fn describe_book(catalog: &Catalog, clock: &Clock) -> Result<String> {
    let mut above = catalog.clone();
    above.views.clear();
    for object in &mut above.objects {
        object.dropped = true;
    }
    let mut script = Script {
        catalog,
        clock,
        above,
        extents: vec![Extent::default(); catalog.objects.len()],
        text: String::new(),
    };
    for object in catalog.live_objects() {
        script.create(object)?;
        script.grow()?;
    }
    for view in &catalog.views {
        let tree: CreateView = view::tree(view)?;
        script.say(&Statement::CreateView(tree));
        script.above.views.push(view.clone());
        script.grow()?;
    }
    Ok(script.text)
}

struct Script<'a> {
    catalog: &'a Catalog,
    clock: &'a Clock,
    /// What the script has made so far; the rest of it is marked as dropped or left out.
    above: Catalog,
    /// By object.
    extents: Vec<Extent>,
    text: String,
}

/// How many of an object's parts, in their order, stand in the script.
#[derive(Clone, Copy, Default, PartialEq)]
struct Extent {
    fields: usize,
    formulas: usize,
    checks: usize,
    indexes: usize,
}

impl Script<'_> {
    fn say(&mut self, statement: &Statement) {
        self.text.push_str(&format!("{statement};\n"));
    }

    fn create(&mut self, object: &Object) -> Result<()> {
        self.above.objects[object.id.0 as usize].dropped = false;
        let to = self.reach(object)?;
        let mut tree = create(self.catalog, object)?;
        tree.fields = self.definitions(object, Extent::default(), to)?;
        tree.checks.truncate(to.checks);
        tree.show = shown(object, to).into_iter().map(made).collect();
        self.text.push_str(&object_text(&tree));
        self.index(object, to);
        Ok(())
    }

    /// Adds to the objects above what may stand here by now.
    fn grow(&mut self) -> Result<()> {
        loop {
            let before = self.extents.clone();
            for object in self.catalog.live_objects() {
                if !self.above.object(object.id).dropped {
                    self.alter(object)?;
                }
            }
            if self.extents == before {
                return Ok(());
            }
        }
    }

    fn alter(&mut self, object: &Object) -> Result<()> {
        let from = self.extents[object.id.0 as usize];
        let to = self.reach(object)?;
        let fields = self.definitions(object, from, to)?;
        let mut changes: Vec<_> = fields.into_iter().map(Alteration::AddField).collect();
        for check in &object.checks[from.checks..to.checks] {
            changes.push(Alteration::AddCheck(syntax::parse_expression(check)?));
        }
        if shown(object, from) != shown(object, to) {
            let names = shown(object, to).into_iter().map(made);
            changes.push(Alteration::SetShow(names.collect()));
        }
        if !changes.is_empty() {
            self.say(&Statement::AlterObject {
                object: made(&object.name),
                changes,
            });
        }
        self.index(object, to);
        Ok(())
    }

    /// The declared indexes over the fields up to `to`, which is then where the object stands.
    fn index(&mut self, object: &Object, mut to: Extent) {
        let declared: Vec<_> = object.indexes.iter().filter(|i| i.declared).collect();
        while let Some(index) = declared.get(to.indexes) {
            if index.fields.iter().any(|id| usize::from(id.0) >= to.fields) {
                break;
            }
            self.say(&create_index(object, index));
            to.indexes += 1;
        }
        self.extents[object.id.0 as usize] = to;
    }

    fn definitions(
        &self,
        object: &Object,
        from: Extent,
        to: Extent,
    ) -> Result<Vec<FieldDefinition>> {
        let fields = &object.fields[from.fields..to.fields];
        let fields = fields.iter().filter(|field| !field.dropped);
        let fields = fields.map(|field| field_definition(self.catalog, object, field));
        let formulas = &object.formulas[from.formulas..to.formulas];
        fields
            .chain(formulas.iter().map(formula_definition))
            .collect()
    }

    /// How far the definition of an object may go here. What is above then has it up to there.
    fn reach(&mut self, object: &Object) -> Result<Extent> {
        let from = self.extents[object.id.0 as usize];
        let later = |id: &ObjectId| self.above.object(*id).dropped;
        let ahead = object.fields.iter().position(|field| {
            !field.dropped
                && match &field.ty {
                    FieldType::Reference(id)
                    | FieldType::Filter(id)
                    | FieldType::Expression(id) => later(id),
                    FieldType::AnyReference(ids) => ids.iter().any(later),
                    _ => false,
                }
        });
        let mut to = Extent {
            fields: ahead.unwrap_or(object.fields.len()),
            formulas: object.formulas.len(),
            checks: object.checks.len(),
            indexes: from.indexes,
        };
        loop {
            let above = &mut self.above.objects[object.id.0 as usize];
            above.formulas = object.formulas[..to.formulas].to_vec();
            for (at, field) in above.fields.iter_mut().enumerate() {
                field.dropped = object.fields[at].dropped || at >= to.fields;
            }
            match self.obstacle(object, from, to)? {
                Some(shorter) => to = shorter,
                None => return Ok(to),
            }
        }
    }

    /// An extent that ends before a part that means nothing yet, if there is one up to `to`.
    fn obstacle(&self, object: &Object, from: Extent, to: Extent) -> Result<Option<Extent>> {
        let binder = Binder::new(&self.above, self.clock);
        let above = self.above.object(object.id);
        for (at, field) in above.fields.iter().enumerate().take(to.fields) {
            if at < from.fields || field.dropped {
                continue;
            }
            let dated = field.dated_by;
            let mut sound = dated.is_none_or(|id| usize::from(id.0) < to.fields);
            if let Some(text) = &field.default {
                let tree = syntax::parse_expression(text)?;
                sound = sound && binder.assigned_in(above, field, &tree).is_ok();
            }
            if !sound {
                return Ok(Some(Extent { fields: at, ..to }));
            }
        }
        for (at, formula) in above.formulas.iter().enumerate().skip(from.formulas) {
            let tree = syntax::parse_expression(&formula.text)?;
            if binder.formula(above, &formula.name, &tree).is_err() {
                return Ok(Some(Extent { formulas: at, ..to }));
            }
        }
        for (at, check) in object.checks.iter().enumerate().take(to.checks) {
            let tree = syntax::parse_expression(check)?;
            if at >= from.checks && binder.record_condition(object.id, &tree).is_err() {
                return Ok(Some(Extent { checks: at, ..to }));
            }
        }
        Ok(None)
    }
}

/// The names shown without `select` that the extent holds.
fn shown(object: &Object, extent: Extent) -> Vec<&str> {
    let fields = object.fields.iter().take(extent.fields);
    let fields = fields.filter(|field| !field.dropped).map(|f| &f.name);
    let formulas = object
        .formulas
        .iter()
        .take(extent.formulas)
        .map(|f| &f.name);
    let there: Vec<_> = fields.chain(formulas).collect();
    let is_there = |name: &&String| there.iter().any(|other| same_name(other, name));
    let shown = object.show.iter().filter(is_there);
    shown.map(String::as_str).collect()
}
