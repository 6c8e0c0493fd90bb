//! Stored rules: filters and expressions that are values of fields, applied to records.

use super::binder::{Binder, cast};
use super::scope::{Base, Scope};
use super::{Expr, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax;
use crate::value::{FieldType, ObjectId};

/// Rules that may apply each other, one inside the other.
const DEPTH_MAX: u8 = 8;

impl Binder<'_> {
    /// `matches(filter)`, `value(expression)`; a second argument is the record it is applied to.
    pub(super) fn stored(
        &self,
        scope: &Scope<'_>,
        name: &str,
        trees: &[syntax::Expr],
        span: &Span,
    ) -> Result<Expr> {
        let tree = &trees[0];
        let rule = self.expr(scope, tree)?;
        let (object, ty) = match (name, &rule.ty) {
            ("matches", Type::Plain(FieldType::Filter(object))) => (*object, Type::BOOLEAN),
            ("value", Type::Plain(FieldType::Expression(object))) => (*object, Type::NUMBER),
            (_, ty) => {
                let (kind, other) = match name {
                    "matches" => ("filter", "value"),
                    _ => ("expression", "matches"),
                };
                let message = format!("`{tree}` is {}", self.describe(ty));
                let error = Error::new(Code::TypeMismatch, message)
                    .at(rule.span.clone())
                    .expected(format!("a field of type `{kind} on` an object"));
                return Err(match ty {
                    Type::Plain(FieldType::Filter(_) | FieldType::Expression(_)) => {
                        error.hint(format!("write {other}({tree})"))
                    }
                    Type::Plain(FieldType::Reference(object)) => {
                        let fits = |ty: &FieldType| match kind {
                            "filter" => matches!(ty, FieldType::Filter(_)),
                            _ => matches!(ty, FieldType::Expression(_)),
                        };
                        let mut fields = self.object(*object).live_fields();
                        match fields.find(|field| fits(&field.ty)) {
                            Some(field) => {
                                error.hint(format!("write {name}({tree}.{})", field.name))
                            }
                            None => error,
                        }
                    }
                    _ => error,
                });
            }
        };
        let record = match trees.get(1) {
            Some(tree) => self.expr(scope, tree)?,
            None => {
                let Some(own) = scope.object() else {
                    let message = format!("`{name}` needs a record, and here is none");
                    return Err(Error::new(Code::Misplaced, message).at(span.clone()).hint(
                        format!(
                            "name the record: {name}({tree}, record); or ask before grouping: \
                             group by {name}({tree}) as fits"
                        ),
                    ));
                };
                Expr::this(own, span)
            }
        };
        let fits = match &record.ty {
            Type::Plain(FieldType::Reference(one)) => *one == object,
            Type::Plain(FieldType::AnyReference(any)) => any.contains(&object),
            _ => false,
        };
        if !fits {
            let of = self.object(object);
            let message = match (trees.get(1), scope.object()) {
                (None, Some(own)) => format!(
                    "`{tree}` is {}, and the record here is one of {}",
                    self.describe(&rule.ty),
                    self.object(own).name
                ),
                (given, _) => format!(
                    "`{tree}` is {}, and `{}` is {}",
                    self.describe(&rule.ty),
                    given.map_or_else(String::new, ToString::to_string),
                    self.describe(&record.ty)
                ),
            };
            return Err(Error::new(Code::TypeMismatch, message)
                .at(record.span)
                .expected(format!("a record of {}", of.name))
                .hint(format!(
                    "a second argument says which: {name}({tree}, {})",
                    of.singular
                )));
        }
        let node = Node::Stored {
            rule: Box::new(rule),
            object,
            record: Box::new(record),
            depth: self.depth,
        };
        Ok(Expr::new(node, ty, span))
    }

    /// A stored expression over the records of an object: its number.
    pub(crate) fn record_number(&self, object: ObjectId, tree: &syntax::Expr) -> Result<Expr> {
        let bound = self.record_expression(object, tree)?;
        match bound.ty {
            Type::Plain(
                FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Money,
            ) => {
                let scope = Scope::new(Base::Object(object));
                Ok(cast(self.to_base(&scope, bound), Type::NUMBER))
            }
            _ => {
                let is = self.describe(&bound.ty);
                let error = Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(bound.span)
                    .expected("a number, a percentage or an amount");
                Err(match bound.ty {
                    Type::BOOLEAN => {
                        error.hint("a field for conditions is declared `filter on` the object")
                    }
                    _ => error,
                })
            }
        }
    }

    /// A stored text that the words at `span` apply, met `depth` rules deep.
    pub(crate) fn stored_at(
        mut self,
        depth: u8,
        span: &Span,
        object: ObjectId,
        truth: bool,
        tree: &syntax::Expr,
    ) -> Result<Expr> {
        if depth >= DEPTH_MAX {
            let message = format!("stored rules apply each other over {DEPTH_MAX} deep");
            return Err(Error::new(Code::Recursive, message)
                .at(span.clone())
                .hint("a rule that applies itself never ends"));
        }
        self.depth = depth + 1;
        self.place.replace(Some(span.clone()));
        if truth {
            self.record_condition(object, tree)
        } else {
            self.record_number(object, tree)
        }
    }
}
