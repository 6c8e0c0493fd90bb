//! Usage: which stored texts would mean nothing once a definition is gone or renamed.
//!
//! Nothing is searched for names: every stored text is bound again, so what counts as a use is
//! what the binder says.

use super::Definer;
use crate::catalog::{Catalog, Field, Object};
use crate::error::{Code, Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax::{self, Name};
use crate::query::write::each_value;
use crate::value::{Clock, FieldId, FieldType, ObjectId, RecordId, Value};

/// Stored rules that an error lists.
const LISTED: usize = 10;

/// Where a stored text stands in the catalog.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Formula(ObjectId, usize),
    Default(ObjectId, FieldId),
    Check(ObjectId, usize),
    View(usize),
}

pub(super) fn still_used(name: &Name, users: &[String]) -> Error {
    let more = match users.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let listed = users[..users.len().min(LISTED)].join(", ");
    Error::new(
        Code::StillUsed,
        format!("`{}` is still used by {listed}{more}", name.text),
    )
    .at(name.span.clone())
    .hint("drop or change those first")
}

impl Definer<'_, '_> {
    /// Refuses a change after which a stored text means nothing; `blame` is what goes away.
    pub(super) fn check_texts(&self, blame: &Name) -> Result<()> {
        let clock = self.environment.clock;
        let mut users = Vec::new();
        for place in places(&self.catalog) {
            if binds(place, &self.catalog, clock).is_err()
                && place.is_in(&self.before)
                && (place.text(&self.catalog) != place.text(&self.before)
                    || binds(place, &self.before, clock).is_ok())
            {
                users.push(place.what(&self.catalog));
            }
        }
        self.check_rules(&mut users)?;
        if users.is_empty() {
            Ok(())
        } else {
            Err(still_used(blame, &users))
        }
    }

    /// Filters and expressions in records that bind no more.
    fn check_rules(&self, users: &mut Vec<String>) -> Result<()> {
        let (before, after) = (
            Binder::new(&self.before, self.environment.clock),
            Binder::new(&self.catalog, self.environment.clock),
        );
        self.each_rule(|object, field, on, id, text| {
            let now = self.rewritten.get(&(object.id, field.id, id));
            let (Ok(was), Ok(now)) = (
                syntax::parse_expression(text),
                syntax::parse_expression(now.map_or(text, |now| now)),
            ) else {
                return;
            };
            if after.record_expression(on, &now).is_err()
                && before.record_expression(on, &was).is_ok()
            {
                users.push(format!("`{}` of {} {id}", field.name, object.name));
            }
        })
    }

    /// Calls `each` with the filters and expressions in records: object, field, whose records they
    /// are about, the record, and the text that it has.
    pub(super) fn each_rule(
        &self,
        mut each: impl FnMut(&Object, &Field, ObjectId, RecordId, &str),
    ) -> Result<()> {
        for object in self.catalog.live_objects() {
            for field in object.live_fields() {
                let on = match field.ty {
                    FieldType::Filter(on) | FieldType::Expression(on) => on,
                    _ => continue,
                };
                if self.before.objects.len() <= object.id.0 as usize
                    || self.before.object(object.id).fields.len() <= usize::from(field.id.0)
                {
                    continue;
                }
                let snapshot = self.transaction.snapshot();
                each_value(snapshot, object.id, field, |id, value| {
                    if let Value::Text(text) = value {
                        each(object, field, on, id, &text);
                    }
                })?;
            }
        }
        Ok(())
    }
}

/// All stored texts.
pub(super) fn places(catalog: &Catalog) -> Vec<Place> {
    let mut places = Vec::new();
    for object in catalog.live_objects() {
        let formulas = 0..object.formulas.len();
        places.extend(formulas.map(|at| Place::Formula(object.id, at)));
        let defaults = object.live_fields().filter(|field| field.default.is_some());
        places.extend(defaults.map(|field| Place::Default(object.id, field.id)));
        places.extend((0..object.checks.len()).map(|at| Place::Check(object.id, at)));
    }
    places.extend((0..catalog.views.len()).map(Place::View));
    places
}

impl Place {
    /// Whether the catalog has a text here.
    fn is_in(self, catalog: &Catalog) -> bool {
        let object = |id: ObjectId| catalog.objects.get(id.0 as usize);
        match self {
            Self::Formula(id, at) => object(id).is_some_and(|o| at < o.formulas.len()),
            Self::Default(id, field) => object(id)
                .and_then(|o| o.fields.get(usize::from(field.0)))
                .is_some_and(|field| field.default.is_some()),
            Self::Check(id, at) => object(id).is_some_and(|o| at < o.checks.len()),
            Self::View(at) => at < catalog.views.len(),
        }
    }

    pub(super) fn what(self, catalog: &Catalog) -> String {
        let name = |id: ObjectId| &catalog.object(id).name;
        match self {
            Self::Formula(id, at) => {
                let formula = &catalog.object(id).formulas[at];
                format!("formula `{}` of {}", formula.name, name(id))
            }
            Self::Default(id, field) => {
                let field = catalog.object(id).field(field);
                format!("the default of `{}` of {}", field.name, name(id))
            }
            Self::Check(id, _) => format!("the check `{}` of {}", self.text(catalog), name(id)),
            Self::View(at) => format!("view `{}`", catalog.views[at].name),
        }
    }

    pub(super) fn text(self, catalog: &Catalog) -> &str {
        match self {
            Self::Formula(id, at) => &catalog.object(id).formulas[at].text,
            Self::Default(id, field) => catalog
                .object(id)
                .field(field)
                .default
                .as_deref()
                .unwrap_or(""),
            Self::Check(id, at) => &catalog.object(id).checks[at],
            Self::View(at) => &catalog.views[at].text,
        }
    }

    pub(super) fn set_text(self, catalog: &mut Catalog, text: String) {
        let object = |id: ObjectId| id.0 as usize;
        match self {
            Self::Formula(id, at) => catalog.objects[object(id)].formulas[at].text = text,
            Self::Default(id, field) => {
                catalog.objects[object(id)].fields[usize::from(field.0)].default = Some(text);
            }
            Self::Check(id, at) => catalog.objects[object(id)].checks[at] = text,
            Self::View(at) => catalog.views[at].text = text,
        }
    }

    /// Binds the text, without the defaults of a view's parameters.
    pub(super) fn bind(self, binder: &Binder<'_>, catalog: &Catalog) -> Result<()> {
        let text = self.text(catalog);
        if let Self::View(at) = self {
            let mut tree = super::view::tree(&catalog.views[at])?;
            for parameter in &mut tree.parameters {
                parameter.default = None;
            }
            return binder.view(&tree).map(drop);
        }
        let tree = syntax::parse_expression(text)?;
        match self {
            Self::Formula(id, at) => {
                let object = catalog.object(id);
                binder.formula(object, &object.formulas[at].name, &tree)
            }
            Self::Default(id, field) => {
                let object = catalog.object(id);
                binder.assigned_in(object, object.field(field), &tree)
            }
            Self::Check(id, _) => binder.record_condition(id, &tree),
            Self::View(_) => return Ok(()),
        }
        .map(drop)
    }
}

fn binds(place: Place, catalog: &Catalog, clock: &Clock) -> Result<()> {
    let binder = Binder::new(catalog, clock);
    match place {
        Place::View(at) => binder
            .view(&super::view::tree(&catalog.views[at])?)
            .map(drop),
        _ => place.bind(&binder, catalog),
    }
}
