//! `find`: what is looked for, where, and the columns of what is found.

use super::binder::{Binder, cast};
use super::scope::{Base, Slot};
use super::source::Start;
use super::{Column, ColumnValue, Expr, Find, Node, OrderKey, Source, Type};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{self, ExprKind, Literal, Name};

impl Binder<'_> {
    /// `find "mesa tools" in accounts, contacts`
    pub(super) fn find(&self, text: &syntax::Expr, objects: &[Name]) -> Result<Start> {
        let span = &self.at(&text.span);
        if let ExprKind::Literal(Literal::Record(id)) = text.kind {
            return Err(
                Error::new(Code::TypeMismatch, format!("`#{id}` is no text"))
                    .at(span.clone())
                    .expected("the words to find, in quotes"),
            );
        }
        let mut words = self.expr(&Self::nothing(), text)?;
        if words.ty == Type::Missing {
            words = cast(words, Type::TEXT);
        }
        if !matches!(&words.ty, Type::Plain(ty) if ty.is_text()) {
            let is = self.describe(&words.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{text}` is {is}"))
                .at(span.clone())
                .expected("the words to find, as text"));
        }
        let mut searched = Vec::new();
        for name in objects {
            searched.push(self.searched(name)?);
        }
        if searched.is_empty() {
            searched.extend(self.catalog.live_objects().map(|object| object.id));
        }
        searched.sort_unstable();
        searched.dedup();
        let find = Find {
            text: words,
            objects: searched,
        };
        let slots = find
            .columns()
            .map(|(name, ty)| Slot::new(name.to_owned(), ty));
        let slot = |at: usize, ty: &Type| Expr::new(Node::Slot(at), ty.clone(), span);
        let columns = slots.iter().enumerate().map(|(at, of)| Column {
            name: of.name.clone(),
            value: ColumnValue::Expr(slot(at, &of.ty)),
        });
        Ok(Start {
            columns: columns.collect(),
            base: Base::Slots(slots.to_vec()),
            source: Source::Find(Box::new(find)),
            filter: Vec::new(),
            order: vec![OrderKey {
                value: slot(Find::SCORE, &Type::NUMBER),
                descending: true,
            }],
            shown: None,
        })
    }

    fn searched(&self, name: &Name) -> Result<crate::value::ObjectId> {
        let found = self.catalog.find_object(&name.text);
        found.map(|object| object.id).ok_or_else(|| {
            let names = self.catalog.live_objects().map(|o| o.name.as_str());
            Error::new(
                Code::UnknownObject,
                format!("there is no object `{}`", name.text),
            )
            .at(self.at(&name.span))
            .near(&name.text, names)
        })
    }
}
