//! A description of a book's objects and views, for programs and people that look around.

use super::rows::plain_name;
use crate::catalog::{Catalog, Field, Object};
use crate::error::{Code, Error, Result};
use crate::storage::Snapshot;
use crate::value::{FieldType, ObjectId};

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
    /// Whether these records are the askers (`me`).
    pub actors: bool,
    /// The fields shown by a query without `select`; empty for all.
    pub show: Vec<String>,
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
    /// The query's text.
    pub text: String,
}

impl Schema {
    pub(super) fn new(catalog: &Catalog, snapshot: &Snapshot) -> Self {
        let views = catalog.views.iter().map(|view| ViewDescription {
            name: view.name.clone(),
            parameters: view
                .parameters
                .iter()
                .map(|p| match &p.default {
                    Some(default) => format!("{} {} default {default}", p.name, p.ty),
                    None => format!("{} {}", p.name, p.ty),
                })
                .collect(),
            text: view.text.clone(),
        });
        Self {
            objects: catalog
                .live_objects()
                .map(|object| describe(catalog, object, snapshot.record_count(object.id)))
                .collect(),
            views: views.collect(),
        }
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

impl ObjectDescription {
    /// The `create object` statement that makes the object.
    #[must_use]
    pub fn definition(&self) -> String {
        let field = |field: &FieldDescription| {
            let text = format!("  {} {} {}", field.name, field.type_text, field.options);
            text.trim_end().to_owned()
        };
        let checks = self.checks.iter().map(|check| format!("  check ({check})"));
        let lines: Vec<_> = self.fields.iter().map(field).chain(checks).collect();
        let mut text = format!("create object {} (\n{}\n)", self.name, lines.join(",\n"));
        if let Some(field) = &self.ordered_by {
            text.push_str(&format!(" ordered by {field}"));
        }
        if self.actors {
            text.push_str(" actors");
        }
        if !self.show.is_empty() {
            text.push_str(&format!(" show {}", self.show.join(", ")));
        }
        text
    }
}

impl ViewDescription {
    /// The `create view` statement that makes the view.
    #[must_use]
    pub fn definition(&self) -> String {
        let parameters: Vec<_> = self.parameters.iter().map(|p| format!("${p}")).collect();
        let list = match parameters.is_empty() {
            true => String::new(),
            false => format!("({})", parameters.join(", ")),
        };
        format!("create view {}{list} as {}", self.name, self.text)
    }
}

fn describe(catalog: &Catalog, object: &Object, records: u64) -> ObjectDescription {
    let fields = object.live_fields().map(|f| field(catalog, object, f));
    let formulas = object.formulas.iter().map(|formula| FieldDescription {
        name: formula.name.clone(),
        type_text: format!("formula ({})", formula.text),
        options: String::new(),
        targets: Vec::new(),
        labels: Vec::new(),
    });
    let name_of = |id| object.field(id).name.clone();
    ObjectDescription {
        name: object.name.clone(),
        singular: object.singular.clone(),
        records,
        fields: fields.chain(formulas).collect(),
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
        actors: object.actors,
        show: object.show.clone(),
    }
}

fn field(catalog: &Catalog, object: &Object, field: &Field) -> FieldDescription {
    let name = |id: &ObjectId| catalog.object(*id).name.clone();
    let targets = match &field.ty {
        FieldType::Reference(target) => vec![name(target)],
        FieldType::AnyReference(targets) => targets.iter().map(name).collect(),
        _ => Vec::new(),
    };
    let labels: Vec<_> = field.labels.iter().map(|l| l.name.clone()).collect();
    let plain = plain_name(&field.ty);
    let type_text = match &field.ty {
        FieldType::Reference(_) => format!("ref {}", targets.join(", ")),
        FieldType::AnyReference(_) => format!("ref any ({})", targets.join(", ")),
        FieldType::Filter(target) | FieldType::Expression(target) => {
            format!("{plain} on {}", name(target))
        }
        _ if labels.is_empty() => plain.to_owned(),
        _ => format!("{plain} ({})", quoted(&labels).join(", ")),
    };
    let flags = [
        (field.label, "label"),
        (field.required, "required"),
        (field.unique, "unique"),
        (field.hierarchy, "hierarchy"),
    ];
    let flags = flags.iter().filter(|(on, _)| *on);
    let mut options: Vec<_> = flags.map(|(_, word)| (*word).to_owned()).collect();
    if let Some(default) = &field.default {
        options.push(format!("default {default}"));
    }
    if let Some(collection) = &field.collection {
        options.push(format!("collection {collection}"));
    }
    if let Some(date) = field.dated_by {
        options.push(format!("dated by {}", object.field(date).name));
    }
    FieldDescription {
        name: field.name.clone(),
        type_text,
        options: options.join(" "),
        targets,
        labels,
    }
}

/// Labels as the language writes them: those that are no plain word in quotes.
fn quoted(labels: &[String]) -> Vec<String> {
    let plain = |label: &String| {
        label.starts_with(|c: char| c.is_alphabetic())
            && label.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let quote = |label: &String| match plain(label) {
        true => label.clone(),
        false => format!("\"{}\"", label.replace('"', "\"\"")),
    };
    labels.iter().map(quote).collect()
}
