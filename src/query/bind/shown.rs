//! The columns of a query underneath as names, and what is said of others.

use super::binder::Binder;
use super::scope::same;
use super::{Column, ColumnValue, Expr};
use crate::error::{Code, Error, Result, Span, nearest};
use crate::query::syntax::Name;
use crate::value::ObjectId;

impl Binder<'_> {
    /// A path that starts at a column that a query underneath shows of its records.
    pub(super) fn shown_path(
        &self,
        object: ObjectId,
        shown: &[Column],
        names: &[Name],
        span: &Span,
    ) -> Result<Expr> {
        let (first, rest) = names.split_first().expect("a path has a name");
        let Some(column) = shown.iter().find(|column| same(&column.name, &first.text)) else {
            return Err(self.not_shown(object, shown, first));
        };
        match &column.value {
            ColumnValue::Expr(value) => {
                let mut parts = 0;
                value.visit_all(&mut |_| parts += 1);
                self.carry(parts, span)?;
                let value = Expr {
                    span: span.clone(),
                    ..value.clone()
                };
                self.continue_path(value, rest, span)
            }
            ColumnValue::Nested(_) => Err(Error::new(
                Code::TypeMismatch,
                format!("`{}` is a list of records", column.name),
            )
            .at(self.at(&first.span))
            .expected("a value")
            .hint("`select *` shows it")),
        }
    }

    /// The error about a name that a query underneath does not show.
    pub(super) fn not_shown(&self, object: ObjectId, shown: &[Column], name: &Name) -> Error {
        let names: Vec<_> = shown.iter().map(|column| column.name.as_str()).collect();
        let object = self.object(object);
        let known = object.find_field(&name.text).is_some()
            || object.find_formula(&name.text).is_some()
            || self
                .catalog
                .find_collection(object.id, &name.text)
                .is_some();
        if known {
            let message = format!("there is no column `{}`", name.text);
            return Error::new(Code::UnknownField, message)
                .at(self.at(&name.span))
                .hint(format!("the columns here: {}", names.join(", ")))
                .hint(format!(
                    "{} have `{}`: the query underneath must `select` it",
                    object.name, name.text
                ));
        }
        self.unknown_column(name, &names)
    }

    pub(super) fn unknown_column(&self, name: &Name, names: &[&str]) -> Error {
        let message = format!("there is no column `{}`", name.text);
        let error = Error::new(Code::UnknownField, message).at(self.at(&name.span));
        match nearest(&name.text, names.iter().copied()) {
            Some(_) => error.near(&name.text, names.iter().copied()),
            None => error
                .hint(format!("the columns here: {}", names.join(", ")))
                .hint("text is written in quotes"),
        }
    }
}
