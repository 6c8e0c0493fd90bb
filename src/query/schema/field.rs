//! A field's definition: its type as written, its options, and the indexes that come with it.

use super::Definer;
use super::name;
use crate::catalog::{Field, Formula, Index, Label, Object, OnDelete, same_name};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{Expr, FieldDefinition, FieldOption, Name, TypeName};
use crate::storage::IndexKind;
use crate::value::{FieldId, FieldType, IndexId, LabelCode, ObjectId, Shape};

/// Fields an object has in its life, dropped ones included.
pub(super) const FIELDS: usize = 4_000;

/// What a definition's expressions are, to be bound once all names are there.
pub(super) enum Added<'s> {
    Field {
        field: FieldId,
        name: &'s Name,
        default: Option<&'s Expr>,
        dated_by: Option<&'s Name>,
    },
    Formula {
        name: &'s Name,
        tree: &'s Expr,
    },
}

/// The field type of a word such as `money`.
fn plain(name: &Name) -> Option<FieldType> {
    Some(match name.text.to_ascii_lowercase().as_str() {
        "text" => FieldType::Text,
        "longtext" => FieldType::LongText,
        "integer" => FieldType::Integer,
        "number" => FieldType::Number,
        "money" => FieldType::Money,
        "percent" => FieldType::Percent,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "period" => FieldType::Period,
        "boolean" => FieldType::Boolean,
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "duration" => FieldType::Duration,
        "tags" => FieldType::Tags,
        _ => return None,
    })
}

/// The labels of a picklist or tags field.
fn labels(names: &[Name], tags: bool) -> Result<Vec<Label>> {
    let mut labels: Vec<Label> = Vec::new();
    for name in names {
        check_label(name, tags)?;
        if labels
            .iter()
            .any(|label| same_name(&label.name, &name.text))
        {
            return Err(name::taken(name, "there is already a label"));
        }
        labels.push(Label {
            code: LabelCode(u32::try_from(labels.len()).unwrap_or(u32::MAX)),
            name: name.text.clone(),
        });
    }
    Ok(labels)
}

pub(super) fn check_label(name: &Name, tags: bool) -> Result<()> {
    name::check(name)?;
    if tags && name.text.contains([',', ';']) {
        return Err(Error::new(
            Code::BadValue,
            format!("the tag `{}` holds a comma", name.text),
        )
        .at(name.span.clone())
        .hint("commas and semicolons stand between tags"));
    }
    Ok(())
}

impl Definer<'_, '_> {
    /// Adds a field or formula to an object, without binding its expressions.
    pub(super) fn add_field<'s>(
        &mut self,
        object: ObjectId,
        tree: &'s FieldDefinition,
    ) -> Result<Added<'s>> {
        name::check(&tree.name)?;
        let definition = self.catalog.object(object);
        let known = |name: &Name| {
            definition.find_field(&name.text).is_some()
                || definition.find_formula(&name.text).is_some()
        };
        if known(&tree.name) {
            let by = format!("{} have already something", definition.name);
            return Err(name::taken(&tree.name, &by));
        }
        if let TypeName::Formula(expr) = &tree.ty {
            if !tree.options.is_empty() {
                return Err(misplaced(&tree.name, "a formula takes no options"));
            }
            let formula = Formula {
                name: tree.name.text.clone(),
                text: expr.to_string(),
            };
            self.object_mut(object).formulas.push(formula);
            return Ok(Added::Formula {
                name: &tree.name,
                tree: expr,
            });
        }
        let place = definition.fields.len();
        let id = u16::try_from(place).ok().filter(|_| place < FIELDS);
        let Some(id) = id.map(FieldId) else {
            return Err(Error::new(
                Code::Limit,
                format!("an object has at most {FIELDS} fields"),
            )
            .at(tree.name.span.clone()));
        };
        let (ty, labels) = self.field_type(&tree.ty)?;
        let mut field = Field {
            id,
            name: tree.name.text.clone(),
            open: ty == FieldType::Tags && labels.is_empty(),
            ty,
            required: false,
            unique: false,
            label: false,
            default: None,
            hierarchy: false,
            collection: None,
            dated_by: None,
            on_delete: OnDelete::default(),
            labels,
            gone_labels: Vec::new(),
            dropped: false,
        };
        let (mut default, mut dated_by, mut on_delete) = (None, None, None);
        for option in &tree.options {
            match option {
                FieldOption::Required => field.required = true,
                FieldOption::Unique => field.unique = true,
                FieldOption::Label => field.label = true,
                FieldOption::Hierarchy => field.hierarchy = true,
                FieldOption::Default(expr) => {
                    field.default = Some(expr.to_string());
                    default = Some(expr);
                }
                FieldOption::Collection(name) => {
                    name::check(name)?;
                    field.collection = Some(name.text.clone());
                }
                FieldOption::DatedBy(name) => dated_by = Some(name),
                FieldOption::OnDelete(rule) => on_delete = Some(*rule),
            }
        }
        if let Some(rule) = on_delete {
            set_on_delete(&mut field, rule, &tree.name)?;
        }
        self.check_options(object, &field, &tree.name)?;
        self.object_mut(object).fields.push(field);
        Ok(Added::Field {
            field: id,
            name: &tree.name,
            default,
            dated_by,
        })
    }

    pub(super) fn check_options(&self, object: ObjectId, field: &Field, name: &Name) -> Result<()> {
        let definition = self.catalog.object(object);
        let refers = matches!(
            field.ty,
            FieldType::Reference(_) | FieldType::AnyReference(_)
        );
        if field.unique && matches!(field.ty.shape(), Shape::RowOnly | Shape::Tags) {
            return Err(misplaced(
                name,
                "long texts, rules and tags cannot be unique",
            ));
        }
        if field.label && field.ty.shape() != Shape::Texts {
            return Err(misplaced(name, "only a text can be the label"));
        }
        if field.label && definition.label_field().is_some() {
            return Err(misplaced(name, "an object has one label"));
        }
        if field.collection.is_some() && !refers {
            return Err(misplaced(name, "only a reference makes a collection"));
        }
        if field.hierarchy && field.ty != FieldType::Reference(object) {
            return Err(misplaced(
                name,
                "a hierarchy is a reference to its own object",
            ));
        }
        if field.hierarchy && definition.hierarchy_field().is_some() {
            return Err(misplaced(name, "an object has one hierarchy"));
        }
        Ok(())
    }

    pub(super) fn field_type(&self, tree: &TypeName) -> Result<(FieldType, Vec<Label>)> {
        let id = |name: &Name| {
            self.object(name).map(|object| object.id).map_err(|error| {
                error.hint(format!(
                    "create `{}` first, or add this field later: alter object ... add field ...",
                    name.text
                ))
            })
        };
        let ty = match tree {
            TypeName::Plain(name) => plain(name).ok_or_else(|| {
                Error::new(Code::Syntax, format!("`{}` is no field type", name.text))
                    .at(name.span.clone())
            })?,
            TypeName::Labels { name, labels: list } => {
                let tags = name.text.eq_ignore_ascii_case("tags");
                if !tags && list.is_empty() {
                    return Err(Error::new(Code::Syntax, "a picklist needs its labels")
                        .at(name.span.clone())
                        .expected("picklist (first, second, ...)"));
                }
                let ty = if tags {
                    FieldType::Tags
                } else {
                    FieldType::Picklist
                };
                return Ok((ty, labels(list, tags)?));
            }
            TypeName::Reference(name) => FieldType::Reference(id(name)?),
            TypeName::AnyReference(names) => {
                let mut ids: Vec<_> = names.iter().map(id).collect::<Result<_>>()?;
                ids.sort_unstable();
                ids.dedup();
                FieldType::AnyReference(ids)
            }
            TypeName::Filter(name) => FieldType::Filter(id(name)?),
            TypeName::Expression(name) => FieldType::Expression(id(name)?),
            TypeName::Formula(expr) => {
                return Err(
                    Error::new(Code::Misplaced, "a formula is no type of values")
                        .at(expr.span.clone()),
                );
            }
        };
        Ok((ty, Vec::new()))
    }

    /// Makes the indexes that come with a field: of unique fields, labels and references.
    pub(super) fn index_field(&mut self, object: ObjectId, field: FieldId) {
        let definition = self.catalog.object(object).field(field);
        // An e-mail address is folded when written: its unique index finds it.
        let folded = definition.label
            || definition.unique && definition.ty.is_text() && definition.ty != FieldType::Email;
        let kinds = [
            (definition.unique, IndexKind::Ordered),
            (folded, IndexKind::Folded),
            (
                matches!(definition.ty, FieldType::Reference(_)),
                IndexKind::Reference,
            ),
        ];
        for (wanted, kind) in kinds {
            if wanted {
                let unique = kind == IndexKind::Ordered;
                self.add_index(object, kind, vec![field], unique, false);
            }
        }
    }

    pub(super) fn add_index(
        &mut self,
        object: ObjectId,
        kind: IndexKind,
        fields: Vec<FieldId>,
        unique: bool,
        declared: bool,
    ) {
        let id = IndexId(self.catalog.next_index);
        self.catalog.next_index += 1;
        self.object_mut(object).indexes.push(Index {
            id,
            kind,
            fields,
            unique,
            declared,
        });
    }

    pub(super) fn object_mut(&mut self, id: ObjectId) -> &mut Object {
        &mut self.catalog.objects[id.0 as usize]
    }
}

/// Sets what becomes of the records whose field refers to a deleted one.
pub(super) fn set_on_delete(field: &mut Field, rule: OnDelete, name: &Name) -> Result<()> {
    let refers = matches!(
        field.ty,
        FieldType::Reference(_) | FieldType::AnyReference(_)
    );
    if !refers {
        return Err(misplaced(name, "only a reference has a rule on delete"));
    }
    if field.required && rule == OnDelete::Empty {
        let error = misplaced(name, "a required reference cannot become empty");
        return Err(error.hint("`on delete cascade` deletes the record too"));
    }
    field.on_delete = rule;
    Ok(())
}

pub(super) fn misplaced(name: &Name, message: &str) -> Error {
    Error::new(Code::Misplaced, format!("`{}`: {message}", name.text)).at(name.span.clone())
}
