//! Usage: which stored texts would mean nothing once a definition is gone or renamed.
//!
//! Nothing is searched for names: every stored text is bound again, so what counts as a use is
//! what the binder says.

use super::Definer;
use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax::{self, Name};
use crate::query::write::each_value;
use crate::value::{Clock, FieldId, FieldType, ObjectId, Value};

/// Stored rules that an error lists.
const LISTED: usize = 10;

/// A stored text and how to bind it.
struct Stored<'c> {
    what: String,
    text: &'c str,
    kind: Kind<'c>,
}

enum Kind<'c> {
    Formula(ObjectId, &'c str),
    Default(ObjectId, FieldId),
    Check(ObjectId),
    View(&'c crate::catalog::View),
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
        for stored in texts(&self.catalog) {
            if binds(&stored, &self.catalog, clock).is_err()
                && binds(&stored, &self.before, clock).is_ok()
            {
                users.push(stored.what);
            }
        }
        self.stored_rules(&mut users)?;
        if users.is_empty() {
            Ok(())
        } else {
            Err(still_used(blame, &users))
        }
    }

    /// Filters and expressions in records that bind no more.
    fn stored_rules(&self, users: &mut Vec<String>) -> Result<()> {
        let (before, after) = (
            Binder::new(&self.before, self.environment.clock),
            Binder::new(&self.catalog, self.environment.clock),
        );
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
                each_value(
                    self.transaction.snapshot(),
                    object.id,
                    field,
                    |id, value| {
                        let Value::Text(text) = value else { return };
                        let Ok(tree) = syntax::parse_expression(&text) else {
                            return;
                        };
                        if after.record_expression(on, &tree).is_err()
                            && before.record_expression(on, &tree).is_ok()
                        {
                            users.push(format!("`{}` of {} {id}", field.name, object.name));
                        }
                    },
                )?;
            }
        }
        Ok(())
    }
}

fn texts(catalog: &Catalog) -> Vec<Stored<'_>> {
    let mut texts = Vec::new();
    for object in catalog.live_objects() {
        let of = &object.name;
        for formula in &object.formulas {
            texts.push(Stored {
                what: format!("formula `{}` of {of}", formula.name),
                text: &formula.text,
                kind: Kind::Formula(object.id, &formula.name),
            });
        }
        for field in object.live_fields() {
            if let Some(text) = &field.default {
                texts.push(Stored {
                    what: format!("the default of `{}` of {of}", field.name),
                    text,
                    kind: Kind::Default(object.id, field.id),
                });
            }
        }
        for text in &object.checks {
            texts.push(Stored {
                what: format!("the check `{text}` of {of}"),
                text,
                kind: Kind::Check(object.id),
            });
        }
    }
    texts.extend(catalog.views.iter().map(|view| Stored {
        what: format!("view `{}`", view.name),
        text: &view.text,
        kind: Kind::View(view),
    }));
    texts
}

fn binds(stored: &Stored<'_>, catalog: &Catalog, clock: &Clock) -> Result<()> {
    let binder = Binder::new(catalog, clock);
    if let Kind::View(view) = stored.kind {
        return binder.view(&super::view::tree(view)?).map(drop);
    }
    let tree = syntax::parse_expression(stored.text)?;
    match stored.kind {
        Kind::Formula(id, name) => binder.formula(catalog.object(id), name, &tree).map(drop),
        Kind::Default(id, field) => {
            let object = catalog.object(id);
            binder
                .assigned_in(object, object.field(field), &tree)
                .map(drop)
        }
        Kind::Check(id) => binder.record_condition(id, &tree).map(drop),
        Kind::View(_) => Ok(()),
    }
}
