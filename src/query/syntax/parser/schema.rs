//! Definitions: objects, fields, their types, indexes and views.

use super::{Node, Reader, Rule, first, only, parts};
use crate::catalog::{OnDelete, Role};
use crate::error::{Code, Error, Result};
use crate::query::syntax::ast::{
    Alteration, CreateObject, CreateView, FieldChange, FieldDefinition, FieldOption, Name,
    Statement, TypeName, ViewParameter,
};
use crate::query::syntax::words::{PLAIN_TYPES, TYPES, is_one_of};

impl Reader {
    pub(super) fn create_object(self, node: Node) -> Result<CreateObject> {
        let mut inner = parts(node);
        let name = self.name(&first(&mut inner));
        let mut object = CreateObject {
            name,
            singular: None,
            fields: Vec::new(),
            checks: Vec::new(),
            ordered_by: None,
            role: None,
            show: Vec::new(),
        };
        for part in inner {
            match part.as_rule() {
                Rule::check => object.checks.push(self.expression(only(part))?),
                Rule::field => object.fields.push(self.field(part)?),
                Rule::ordered => object.ordered_by = Some(self.name(&only(part))),
                Rule::role => object.role = self.role(&part, object.role)?,
                Rule::singular => object.singular = Some(self.name(&only(part))),
                _ => object.show = self.names(part),
            }
        }
        Ok(object)
    }

    /// What an object is declared as; it is one thing only.
    fn role(self, node: &Node, before: Option<Role>) -> Result<Option<Role>> {
        let role = Role::parse(node.as_str());
        match before.filter(|before| role != Some(*before)) {
            Some(before) => {
                let message = format!("the object is declared `{}` already", before.word());
                Err(Error::new(Code::Syntax, message).at(self.span(node)))
            }
            None => Ok(role),
        }
    }

    fn field(self, node: Node) -> Result<FieldDefinition> {
        let mut inner = parts(node);
        let name = self.name(&first(&mut inner));
        let ty = self.type_name(first(&mut inner))?;
        let options = inner
            .map(|option| self.option(option))
            .collect::<Result<_>>()?;
        Ok(FieldDefinition { name, ty, options })
    }

    fn type_name(self, node: Node) -> Result<TypeName> {
        let rule = node.as_rule();
        let mut inner = parts(node);
        let head = first(&mut inner);
        Ok(match rule {
            Rule::formula => TypeName::Formula(self.expression(head)?),
            Rule::any_reference => TypeName::AnyReference(self.names(head)),
            Rule::reference => TypeName::Reference(self.name(&head)),
            Rule::filter_on => TypeName::Filter(self.name(&head)),
            Rule::expression_on => TypeName::Expression(self.name(&head)),
            Rule::labels => TypeName::Labels {
                name: self.name(&head),
                labels: inner.map(|label| self.label(label)).collect(),
            },
            _ => TypeName::Plain(self.plain_type(self.name(&head))?),
        })
    }

    fn plain_type(self, name: Name) -> Result<Name> {
        if is_one_of(PLAIN_TYPES, &name.text) {
            return Ok(name);
        }
        let word = name.text.to_ascii_lowercase();
        let error = match word.as_str() {
            "ref" => Error::new(Code::Syntax, "`ref` lacks an object").hint("write `ref OBJECT`"),
            "filter" | "expression" => {
                Error::new(Code::Syntax, format!("`{word}` lacks an object"))
                    .hint(format!("write `{word} on OBJECT`"))
            }
            "formula" => Error::new(Code::Syntax, "`formula` lacks its expression")
                .hint("write `formula (a * b)`"),
            _ => {
                let error = Error::new(Code::Syntax, format!("there is no field type `{word}`"));
                match foreign_type(&word) {
                    Some(ours) => error.hint(format!("the type is called `{ours}`")),
                    None => error.near(&word, TYPES.iter().copied()),
                }
                .hint(format!("the types are {}", TYPES.join(", ")))
            }
        };
        Err(error.at(name.span).expected("a field type"))
    }

    fn option(self, node: Node) -> Result<FieldOption> {
        Ok(match node.as_rule() {
            Rule::flag => match node.as_str().to_ascii_lowercase().as_str() {
                "required" => FieldOption::Required,
                "unique" => FieldOption::Unique,
                "label" => FieldOption::Label,
                _ => FieldOption::Hierarchy,
            },
            Rule::default => FieldOption::Default(self.sum(only(node))?),
            Rule::collection => FieldOption::Collection(self.name(&only(node))),
            Rule::on_delete => FieldOption::OnDelete(on_delete(node)),
            _ => FieldOption::DatedBy(self.name(&only(node))),
        })
    }

    pub(super) fn alter_object(self, node: Node) -> Result<Statement> {
        let mut inner = parts(node);
        let object = self.name(&first(&mut inner));
        let changes = inner
            .map(|change| self.alteration(change))
            .collect::<Result<_>>()?;
        Ok(Statement::AlterObject { object, changes })
    }

    fn alteration(self, node: Node) -> Result<Alteration> {
        let rule = node.as_rule();
        if rule == Rule::show {
            return Ok(Alteration::SetShow(self.names(node)));
        }
        let mut inner = parts(node);
        let head = first(&mut inner);
        Ok(match rule {
            Rule::add_field => Alteration::AddField(self.field(head)?),
            Rule::alter_field => Alteration::AlterField {
                field: self.name(&head),
                change: self.field_change(first(&mut inner))?,
            },
            Rule::drop_field => Alteration::DropField(self.name(&head)),
            Rule::rename_field => {
                let to = self.name(&first(&mut inner));
                Alteration::RenameField {
                    from: self.name(&head),
                    to,
                }
            }
            Rule::rename => Alteration::Rename(self.name(&head)),
            Rule::add_check => Alteration::AddCheck(self.expression(only(head))?),
            Rule::drop_check => Alteration::DropCheck(self.expression(only(head))?),
            Rule::rename_label => {
                let from = self.label(first(&mut inner));
                Alteration::RenameLabel {
                    field: self.name(&head),
                    from,
                    to: self.label(first(&mut inner)),
                }
            }
            Rule::drop_label => Alteration::DropLabel {
                field: self.name(&head),
                label: self.label(first(&mut inner)),
            },
            _ => {
                let label = self.label(first(&mut inner));
                Alteration::AddLabel {
                    field: self.name(&head),
                    label,
                }
            }
        })
    }

    fn field_change(self, node: Node) -> Result<FieldChange> {
        Ok(match node.as_rule() {
            Rule::on_delete => FieldChange::OnDelete(on_delete(node)),
            Rule::default => FieldChange::Default(Some(Box::new(self.sum(only(node))?))),
            Rule::drop_default => FieldChange::Default(None),
            Rule::label_order => {
                FieldChange::Order(parts(node).map(|label| self.label(label)).collect())
            }
            _ => {
                let mut inner = parts(node);
                let ty = self.type_name(first(&mut inner))?;
                let default = inner.next().map(|node| self.sum(only(node)));
                FieldChange::Type {
                    ty,
                    default: default.transpose()?.map(Box::new),
                }
            }
        })
    }

    pub(super) fn create_index(self, node: Node) -> Statement {
        let mut inner = parts(node);
        let object = self.name(&first(&mut inner));
        let fields = self.names(first(&mut inner));
        Statement::CreateIndex {
            object,
            fields,
            unique: inner.next().is_some(),
        }
    }

    pub(super) fn create_view(self, node: Node) -> Result<CreateView> {
        let mut inner = parts(node);
        let name = self.name(&first(&mut inner));
        let mut parameters = Vec::new();
        let mut next = first(&mut inner);
        if next.as_rule() == Rule::view_parameters {
            for parameter in parts(next) {
                parameters.push(self.view_parameter(parameter)?);
            }
            next = first(&mut inner);
        }
        Ok(CreateView {
            name,
            parameters,
            query: self.query(next)?,
        })
    }

    fn view_parameter(self, node: Node) -> Result<ViewParameter> {
        let mut inner = parts(node);
        let name = first(&mut inner).as_str()[1..].to_owned();
        let ty = self.type_name(first(&mut inner))?;
        let default = inner.next().map(|node| self.sum(only(node))).transpose()?;
        Ok(ViewParameter { name, ty, default })
    }
}

fn on_delete(node: Node) -> OnDelete {
    OnDelete::parse(only(node).as_str()).unwrap_or_default()
}

/// What another system's type is called here.
fn foreign_type(word: &str) -> Option<&'static str> {
    Some(match word {
        "string" | "varchar" | "char" => "text",
        "int" | "bigint" => "integer",
        "float" | "double" | "decimal" | "numeric" | "real" => "number",
        "bool" => "boolean",
        "timestamp" | "time" => "datetime",
        "currency" => "money",
        "enum" => "picklist",
        "reference" | "lookup" => "ref",
        _ => return None,
    })
}
