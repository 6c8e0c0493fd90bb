//! Names of definitions: what may be one, and which are taken.

use super::Definer;
use crate::catalog::{Catalog, Object, same_name};
use crate::error::{Code, Error, Result};
use crate::query::syntax::Name;

/// Characters of a name.
const NAME_CHARACTERS: usize = 100;

/// Refuses what no definition may be called.
pub(super) fn check(name: &Name) -> Result<()> {
    let text = &name.text;
    let bad = text.trim() != text || text.is_empty() || text.chars().any(char::is_control);
    if bad {
        return Err(Error::new(Code::BadValue, format!("`{text}` is no name"))
            .at(name.span.clone())
            .expected("letters, digits and `_`"));
    }
    if text.chars().count() > NAME_CHARACTERS {
        return Err(Error::new(
            Code::Limit,
            format!("a name has at most {NAME_CHARACTERS} characters"),
        )
        .at(name.span.clone()));
    }
    Ok(())
}

pub(super) fn taken(name: &Name, by: &str) -> Error {
    Error::new(Code::NameTaken, format!("{by} called `{}`", name.text)).at(name.span.clone())
}

impl Definer<'_, '_> {
    /// The object of this name.
    pub(super) fn object(&self, name: &Name) -> Result<&Object> {
        find(&self.catalog, name)
    }

    /// Refuses a name that an object or view has.
    pub(super) fn check_free(&self, name: &Name) -> Result<()> {
        check(name)?;
        if let Some(object) = self.catalog.find_object(&name.text) {
            let one = format!("there is an object `{}` already, also", object.name);
            return Err(if same_name(&object.name, &name.text) {
                taken(name, "there is already an object")
            } else {
                taken(name, &one)
            });
        }
        if self.catalog.find_view(&name.text).is_some() {
            return Err(taken(name, "there is already a view"));
        }
        Ok(())
    }

    /// Refuses two fields, formulas or collections of one name on one object. `blame` is the
    /// name in the statement that brought the trouble.
    pub(super) fn check_members(&self, blame: &Name) -> Result<()> {
        for object in self.catalog.live_objects() {
            let mut names: Vec<String> = Vec::new();
            let mut seen = |name: &str, what: &str| {
                if names.iter().any(|other| same_name(other, name)) {
                    let message = format!(
                        "{} would have two things called `{name}`, one of them {what}",
                        object.name
                    );
                    let error = Error::new(Code::NameTaken, message).at(blame.span.clone());
                    return Err(if what == "a collection" {
                        error
                            .hint("give the records that refer here another name: `collection ...`")
                    } else {
                        error
                    });
                }
                names.push(name.to_owned());
                Ok(())
            };
            for field in object.live_fields() {
                seen(&field.name, "a field")?;
            }
            for formula in &object.formulas {
                seen(&formula.name, "a formula")?;
            }
            if object.hierarchy_field().is_some() {
                seen("subtree", "the subtree")?;
            }
            for collection in self.catalog.collections(object.id) {
                seen(&collection.name, "a collection")?;
            }
        }
        Ok(())
    }
}

pub(super) fn find<'c>(catalog: &'c Catalog, name: &Name) -> Result<&'c Object> {
    find_object(catalog, &name.text).map_err(|error| error.at(name.span.clone()))
}

/// The object of this name, or an error with the nearest one.
pub(crate) fn find_object<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Object> {
    catalog.find_object(name).ok_or_else(|| {
        let names = catalog.live_objects().map(|object| object.name.as_str());
        let message = format!("there is no object `{name}`");
        Error::new(Code::UnknownObject, message).near(name, names)
    })
}

/// A name that no statement holds.
pub(super) fn made(text: &str) -> Name {
    Name {
        text: text.to_owned(),
        span: 0..0,
    }
}
