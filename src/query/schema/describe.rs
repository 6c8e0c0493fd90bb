//! Description: an object or view as the script that makes it.

use super::name::made;
use crate::catalog::{Catalog, Field, Formula, Index, Object, OnDelete, View, singular};
use crate::error::Result;
use crate::query::bind::{Binder, Type};
use crate::query::syntax::{
    self, CreateObject, FieldDefinition, FieldOption, Name, Statement, TypeName,
};
use crate::value::{Clock, FieldType, ObjectId};

/// The statements that make an object: itself, then its declared indexes.
pub(crate) fn describe_object(catalog: &Catalog, object: &Object) -> Result<String> {
    let mut text = object_text(&create(catalog, object)?);
    for index in object.indexes.iter().filter(|index| index.declared) {
        text.push_str(&format!("{};\n", create_index(object, index)));
    }
    Ok(text)
}

/// A definition with a line for each field.
pub(super) fn object_text(tree: &CreateObject) -> String {
    format!("{tree:#};\n")
}

/// The statement that makes a view.
pub(crate) fn describe_view(view: &View) -> Result<String> {
    let statement = Statement::CreateView(super::view::tree(view)?);
    Ok(format!("{statement};\n"))
}

/// The columns of a view's rows, each with its type.
pub(crate) fn view_columns(
    view: &View,
    catalog: &Catalog,
    clock: &Clock,
) -> Result<Vec<(String, Type)>> {
    let query = Binder::new(catalog, clock).view(&super::view::tree(view)?)?;
    let columns = query.columns.iter();
    Ok(columns.map(|c| (c.name.clone(), c.ty())).collect())
}

/// A field as `create object` says it.
pub(crate) fn field_definition(
    catalog: &Catalog,
    object: &Object,
    field: &Field,
) -> Result<FieldDefinition> {
    Ok(FieldDefinition {
        name: made(&field.name),
        ty: type_name(catalog, field),
        options: options(object, field)?,
    })
}

pub(super) fn formula_definition(formula: &Formula) -> Result<FieldDefinition> {
    Ok(FieldDefinition {
        name: made(&formula.name),
        ty: TypeName::Formula(syntax::parse_expression(&formula.text)?),
        options: Vec::new(),
    })
}

pub(super) fn create_index(object: &Object, index: &Index) -> Statement {
    let name = |field: &_| made(&object.field(*field).name);
    Statement::CreateIndex {
        object: made(&object.name),
        fields: index.fields.iter().map(name).collect(),
        unique: index.unique,
    }
}

/// The statement that makes an object without its indexes.
pub(super) fn create(catalog: &Catalog, object: &Object) -> Result<CreateObject> {
    let usual = singular(&object.name) == object.singular;
    let fields = object.live_fields();
    let fields = fields.map(|field| field_definition(catalog, object, field));
    let formulas = object.formulas.iter().map(formula_definition);
    let checks = object.checks.iter();
    Ok(CreateObject {
        name: made(&object.name),
        singular: (!usual).then(|| made(&object.singular)),
        fields: fields.chain(formulas).collect::<Result<_>>()?,
        checks: checks
            .map(|text| syntax::parse_expression(text))
            .collect::<Result<_>>()?,
        ordered_by: object.ordered_by.map(|id| made(&object.field(id).name)),
        role: object.role,
        show: object.show.iter().map(|name| made(name)).collect(),
    })
}

fn options(object: &Object, field: &Field) -> Result<Vec<FieldOption>> {
    let mut options = Vec::new();
    if field.label {
        options.push(FieldOption::Label);
    }
    if field.required {
        options.push(FieldOption::Required);
    }
    if field.unique {
        options.push(FieldOption::Unique);
    }
    if field.hierarchy {
        options.push(FieldOption::Hierarchy);
    }
    if let Some(name) = &field.collection {
        options.push(FieldOption::Collection(made(name)));
    }
    if let Some(by) = field.dated_by {
        options.push(FieldOption::DatedBy(made(&object.field(by).name)));
    }
    if field.on_delete != OnDelete::Refuse {
        options.push(FieldOption::OnDelete(field.on_delete));
    }
    if let Some(text) = &field.default {
        options.push(FieldOption::Default(syntax::parse_expression(text)?));
    }
    Ok(options)
}

fn type_name(catalog: &Catalog, field: &Field) -> TypeName {
    let object = |id: ObjectId| made(&catalog.object(id).name);
    let plain = |word: &str| TypeName::Plain(made(word));
    let labels = |word: &str, of: &Field| TypeName::Labels {
        name: made(word),
        labels: match of.open {
            true => Vec::new(),
            false => of
                .labels
                .iter()
                .map(|label| made(&label.name))
                .collect::<Vec<Name>>(),
        },
    };
    match &field.ty {
        FieldType::Text => plain("text"),
        FieldType::LongText => plain("longtext"),
        FieldType::Integer => plain("integer"),
        FieldType::Number => plain("number"),
        FieldType::Money => plain("money"),
        FieldType::Percent => plain("percent"),
        FieldType::Date => plain("date"),
        FieldType::DateTime => plain("datetime"),
        FieldType::Period => plain("period"),
        FieldType::Boolean => plain("boolean"),
        FieldType::Email => plain("email"),
        FieldType::Phone => plain("phone"),
        FieldType::Url => plain("url"),
        FieldType::Duration => plain("duration"),
        FieldType::Picklist => labels("picklist", field),
        FieldType::Tags => labels("tags", field),
        FieldType::Reference(id) => TypeName::Reference(object(*id)),
        FieldType::AnyReference(ids) => {
            TypeName::AnyReference(ids.iter().map(|id| object(*id)).collect())
        }
        FieldType::Filter(id) => TypeName::Filter(object(*id)),
        FieldType::Expression(id) => TypeName::Expression(object(*id)),
    }
}
