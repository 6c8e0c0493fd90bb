//! Examples for hints: names that this book has.

use super::binder::Binder;
use super::scope::Scope;
use crate::catalog::{Collection, Object};
use crate::error::{Code, Error};
use crate::query::bind::Type;
use crate::query::syntax::Name;
use crate::value::{FieldType, ObjectId};

impl Binder<'_> {
    /// The first field of an object whose type fits.
    pub(super) fn some_field(
        &self,
        object: ObjectId,
        fits: impl Fn(&FieldType) -> bool,
    ) -> Option<&str> {
        let mut fields = self.object(object).live_fields();
        let field = fields.find(|field| fits(&field.ty));
        field.map(|field| field.name.as_str())
    }

    /// A collection of an object's records.
    pub(super) fn some_collection(&self, object: ObjectId) -> Option<String> {
        let all = self.catalog.collections(object);
        all.into_iter().next().map(|collection| collection.name)
    }

    /// A path from an object's record to a field of one it refers to.
    pub(super) fn some_path(&self, object: ObjectId) -> Option<String> {
        let mut fields = self.object(object).live_fields();
        fields.find_map(|field| {
            let FieldType::Reference(target) = field.ty else {
                return None;
            };
            let shown = some_text(self.object(target))?;
            Some(format!("{}.{shown}", field.name))
        })
    }

    /// What one may ask of a collection's records at `path`, which ends at `field` of `object`.
    pub(super) fn collection_hint(
        &self,
        path: &str,
        object: ObjectId,
        field: Option<&str>,
    ) -> String {
        let time = |ty: &FieldType| matches!(ty, FieldType::Date | FieldType::DateTime);
        let day = self.some_field(object, time);
        let Some(field) = field else {
            let sum = self.some_field(object, is_quantity);
            let sum = sum.map_or_else(String::new, |field| format!(", sum({path}.{field})"));
            return format!("ask count({path}), exists({path} where ...){sum}");
        };
        let is_number = |of: &Object| of.find_field(field).is_some_and(|f| is_quantity(&f.ty));
        let all = match is_number(self.object(object)) {
            true => "sum",
            false => "list",
        };
        match day {
            Some(day) => format!("ask {all}({path}.{field}), first({path}.{field} by {day} desc)"),
            None => format!("ask {all}({path}.{field}), max({path}.{field})"),
        }
    }

    /// An aggregate over a collection of the records at hand.
    pub(super) fn collection_example(&self, scope: &Scope<'_>, aggregate: &str) -> String {
        let example = scope.object().and_then(|object| {
            let all = self.catalog.collections(object);
            all.into_iter().find_map(|collection| {
                let field = self.some_field(collection.object, is_quantity)?;
                Some((collection.name, field.to_owned()))
            })
        });
        let (collection, field) = example.unwrap_or(("collection".into(), "field".into()));
        let example = match aggregate {
            "exists" => format!("{collection} where ..."),
            _ => format!("{collection}.{field}"),
        };
        format!("about the records of a collection: {aggregate}({example})")
    }

    /// The error for a collection of what a reference to any of several leads to, before it is
    /// asked which of them that is; `ask` says how one goes on.
    pub(super) fn untested(
        &self,
        scope: &Scope<'_>,
        names: &[Name],
        ask: impl Fn(&str) -> String,
    ) -> Option<Error> {
        let (last, path) = names.split_last().filter(|(_, path)| !path.is_empty())?;
        let Type::Plain(FieldType::AnyReference(objects)) =
            self.path(scope, path, &(0..0)).ok()?.ty
        else {
            return None;
        };
        let has = |id: &&ObjectId| {
            let mut all = self.catalog.collections(**id).into_iter();
            all.any(|collection| collection.name.eq_ignore_ascii_case(&last.text))
        };
        let object = self.object(*objects.iter().find(has)?);
        let path: Vec<&str> = path.iter().map(|name| name.text.as_str()).collect();
        let (path, own) = (path.join("."), &last.text);
        let message = format!("`{path}` may refer to what has no `{own}`");
        Some(Error::new(Code::Misplaced, message).hint(format!(
            "the test comes first: `where {path} is {} {}`",
            object.singular,
            ask(&format!("{path}.{own}"))
        )))
    }

    /// How else one gets from a record of `object` at records called `name`, which are no
    /// collection of it.
    pub(super) fn other_way(&self, object: ObjectId, name: &str, error: Error) -> Error {
        let collections = self.catalog.collections(object);
        let names = || {
            collections
                .iter()
                .map(|collection| collection.name.as_str())
        };
        let Some(wanted) = self.catalog.find_object(name) else {
            let near = crate::error::nearest(name, names());
            return match (near, names().collect::<Vec<_>>()) {
                (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
                (None, all) if all.is_empty() => error,
                (None, all) => error.hint(format!("collections: {}", all.join(", "))),
            };
        };
        let mut ways: Vec<String> = Vec::new();
        let to_wanted = |collection: &&Collection| collection.object == wanted.id;
        ways.extend(collections.iter().filter(to_wanted).map(|c| c.name.clone()));
        let further = |lead: &str, from: ObjectId, ways: &mut Vec<String>| {
            let further = self.catalog.collections(from);
            let further = further.iter().filter(to_wanted);
            ways.extend(further.map(|collection| format!("{lead}.{}", collection.name)));
        };
        if ways.is_empty() {
            for collection in &collections {
                further(&collection.name, collection.object, &mut ways);
            }
            for field in self.object(object).live_fields() {
                if let FieldType::Reference(target) = field.ty {
                    further(&field.name, target, &mut ways);
                }
            }
        }
        let mut back = wanted.live_fields().filter(|field| field.refers_to(object));
        match (ways.as_slice(), back.next()) {
            ([], Some(field)) => error.hint(format!(
                "no collection is named for `{0}.{1}`: ask ({0} where {1} = outer select count()) \
                 > 0",
                wanted.name, field.name
            )),
            ([], None) => error.hint(format!(
                "no reference leads from {} to these records; about all {1} ask ({1} where ... \
                 select count()) > 0",
                wanted.name, wanted.name
            )),
            (ways, _) => {
                let ways = ways.iter().take(3);
                let ways: Vec<_> = ways.map(|way| format!("exists({way} where ...)")).collect();
                error.hint(format!("the way there: {}", ways.join(" or ")))
            }
        }
    }
}

fn is_quantity(ty: &FieldType) -> bool {
    matches!(
        ty,
        FieldType::Integer | FieldType::Number | FieldType::Money | FieldType::Duration
    )
}

/// The field that names a record, or one that may.
fn some_text(object: &Object) -> Option<&str> {
    let text = || object.live_fields().find(|field| field.ty.is_text());
    let field = object.label_field().or_else(text);
    field.map(|field| field.name.as_str())
}
