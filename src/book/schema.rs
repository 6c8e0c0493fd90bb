//! A description of a book's objects and views, for programs and people that look around.

use super::rows::type_name;
use crate::catalog::{Catalog, Field, Object, Role, View, ViewParameter};
use crate::error::{Code, Error, Result};
use crate::query::schema::{describe_object, describe_view, field_definition, view_columns};
use crate::storage::Snapshot;
use crate::value::{Clock, FieldType, ObjectId};

/// The objects and views of a book as they were when asked.
///
/// ```
/// let book = fieldbook::Book::in_memory()?;
/// let schema = book.schema()?;
/// let accounts = schema.object("accounts")?;
/// assert_eq!(accounts.singular, "account");
/// assert!(accounts.fields.iter().any(|field| field.name == "industry"));
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Schema {
    /// The objects in the order of their making.
    pub objects: Vec<ObjectDescription>,
    /// The views in the order of their making.
    pub views: Vec<ViewDescription>,
}

/// An object: a kind of record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectDescription {
    /// The plural name: `accounts`.
    pub name: String,
    /// The name of one: `account`.
    pub singular: String,
    /// How many records there are.
    pub records: u64,
    /// Fields, then formulas, as declared.
    pub fields: Vec<FieldDescription>,
    /// The collections of a record, each with the object its records belong to.
    pub collections: Vec<(String, String)>,
    /// The field by which references to these records are ordered.
    pub ordered_by: Option<String>,
    /// Conditions that every record must meet.
    pub checks: Vec<String>,
    /// Fields of declared indexes, and whether each is unique.
    pub indexes: Vec<(Vec<String>, bool)>,
    /// What the engine takes these records for: `actors` (the askers, `me`), `rates`,
    /// `working_hours` or `holidays`.
    pub role: Option<&'static str>,
    /// The fields shown by a query without `select`; empty for all.
    pub show: Vec<String>,
    /// The statements that make the object and its indexes.
    pub definition: String,
}

/// A field or formula of an object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FieldDescription {
    /// The field's name.
    pub name: String,
    /// The type as `create object` writes it: `ref accounts`, `formula (stage.outcome = won)`.
    pub type_text: String,
    /// What else `create object` says of it: `required unique default today`.
    pub options: String,
    /// The objects a reference may point to.
    pub targets: Vec<String>,
    /// The labels of a picklist or tags field, in order.
    pub labels: Vec<String>,
}

/// A view: a query under a name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewDescription {
    /// The view's name.
    pub name: String,
    /// Its parameters as written, without the `$`: `min money`.
    pub parameters: Vec<String>,
    /// The columns of its rows by name, each with the kind of its values: `money`, `ref`.
    pub columns: Vec<(String, &'static str)>,
    /// The query's text.
    pub text: String,
    /// The statement that makes the view.
    pub definition: String,
}

impl Schema {
    pub(super) fn new(catalog: &Catalog, snapshot: &Snapshot, clock: &Clock) -> Result<Self> {
        let objects = catalog.live_objects();
        let objects = objects.map(|o| describe(catalog, o, snapshot.record_count(o.id)));
        let views = catalog.views.iter();
        let views = views.map(|view| describe_one_view(view, catalog, clock));
        Ok(Self {
            objects: objects.collect::<Result<_>>()?,
            views: views.collect::<Result<_>>()?,
        })
    }

    /// The view of this name, ignoring case.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<&ViewDescription> {
        let mut views = self.views.iter();
        views.find(|view| view.name.eq_ignore_ascii_case(name))
    }

    /// The object of this name, plural or singular, ignoring case.
    ///
    /// # Errors
    /// `unknown-object`, with the nearest name.
    pub fn object(&self, name: &str) -> Result<&ObjectDescription> {
        let same = |object: &&ObjectDescription| {
            object.name.eq_ignore_ascii_case(name) || object.singular.eq_ignore_ascii_case(name)
        };
        self.objects.iter().find(same).ok_or_else(|| {
            let names = self.objects.iter().map(|object| object.name.as_str());
            Error::new(
                Code::UnknownObject,
                format!("the book has no object `{name}`"),
            )
            .near(name, names)
        })
    }
}

fn describe_one_view(view: &View, catalog: &Catalog, clock: &Clock) -> Result<ViewDescription> {
    let parameter = |p: &ViewParameter| match &p.default {
        Some(default) => format!("{} {} default {default}", p.name, p.ty),
        None => format!("{} {}", p.name, p.ty),
    };
    Ok(ViewDescription {
        name: view.name.clone(),
        parameters: view.parameters.iter().map(parameter).collect(),
        columns: view_columns(view, catalog, clock)?
            .into_iter()
            .map(|(name, ty)| (name, type_name(&ty)))
            .collect(),
        text: view.text.clone(),
        definition: describe_view(view)?,
    })
}

fn describe(catalog: &Catalog, object: &Object, records: u64) -> Result<ObjectDescription> {
    let fields = object.live_fields().map(|f| field(catalog, object, f));
    let formulas = object.formulas.iter().map(|formula| {
        Ok(FieldDescription {
            name: formula.name.clone(),
            type_text: format!("formula ({})", formula.text),
            options: String::new(),
            targets: Vec::new(),
            labels: Vec::new(),
        })
    });
    let name_of = |id| object.field(id).name.clone();
    Ok(ObjectDescription {
        name: object.name.clone(),
        singular: object.singular.clone(),
        records,
        fields: fields.chain(formulas).collect::<Result<_>>()?,
        collections: catalog
            .collections(object.id)
            .into_iter()
            .map(|c| (c.name, catalog.object(c.object).name.clone()))
            .collect(),
        ordered_by: object.ordered_by.map(name_of),
        checks: object.checks.clone(),
        indexes: object
            .indexes
            .iter()
            .filter(|index| index.declared)
            .map(|index| {
                let names = index.fields.iter().map(|id| name_of(*id));
                (names.collect(), index.unique)
            })
            .collect(),
        role: object.role.map(Role::word),
        show: object.show.clone(),
        definition: describe_object(catalog, object)?,
    })
}

fn field(catalog: &Catalog, object: &Object, field: &Field) -> Result<FieldDescription> {
    let name = |id: &ObjectId| catalog.object(*id).name.clone();
    let targets = match &field.ty {
        FieldType::Reference(target) => vec![name(target)],
        FieldType::AnyReference(targets) => targets.iter().map(name).collect(),
        _ => Vec::new(),
    };
    let tree = field_definition(catalog, object, field)?;
    let options: Vec<_> = tree.options.iter().map(ToString::to_string).collect();
    Ok(FieldDescription {
        name: field.name.clone(),
        type_text: tree.ty.to_string(),
        options: options.join(" "),
        targets,
        labels: field.labels.iter().map(|l| l.name.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::Book;

    #[test]
    fn the_script_of_the_crm_makes_the_same_schema() {
        let book = Book::in_memory().unwrap();
        let script = book.session().schema_script().unwrap();
        let copy = Book::options().bare(true).in_memory().unwrap();
        copy.execute(&script).unwrap();
        let (book, copy) = (book.state().unwrap(), copy.state().unwrap());
        assert_eq!(*copy.catalog, *book.catalog, "{script}");
    }
}
