//! History: `changes of opportunities.stage`, `spans of opportunities.stage`.

use super::binder::Binder;
use super::scope::{Base, Slot};
use super::source::Start;
use super::order::column;
use super::{Column, ColumnValue, Expr, History, Node, Source};
use crate::catalog::{Object, Role};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{HistoryKind, Name};
use crate::value::FieldId;

impl Binder<'_> {
    /// `changes of opportunities.stage`
    pub(super) fn history_of(&self, kind: HistoryKind, path: &[Name]) -> Result<Start> {
        let [name, field] = path else {
            let written: Vec<_> = path.iter().map(|name| name.text.as_str()).collect();
            let span = path[0].span.start..path[path.len() - 1].span.end;
            let message = format!("`{}` is no field of an object", written.join("."));
            return Err(Error::new(Code::UnknownField, message)
                .at(self.at(&span))
                .expected("an object and one of its fields")
                .hint(format!("for example `{} of {}.FIELD`", kind.word(), written[0])));
        };
        let Some(object) = self.catalog.find_object(&name.text) else {
            let names = self.catalog.live_objects().map(|o| o.name.as_str());
            let message = format!("there is no object `{}`", name.text);
            return Err(Error::new(Code::UnknownObject, message)
                .at(self.at(&name.span))
                .near(&name.text, names));
        };
        let history = self.history(kind, object, self.past_field(object, field)?);
        let span = &self.at(&(name.span.start..field.span.end));
        let slots = history.columns().into_iter();
        let slots: Vec<Slot> = slots
            .map(|(name, ty)| Slot::new(name.to_owned(), ty))
            .collect();
        let columns = slots.iter().enumerate().map(|(at, slot)| Column {
            name: slot.name.clone(),
            value: ColumnValue::Expr(Expr::new(Node::Slot(at), slot.ty.clone(), span)),
        });
        Ok(Start {
            columns: columns.collect(),
            base: Base::Slots(slots),
            source: Source::History(Box::new(history)),
            filter: Vec::new(),
            order: Vec::new(),
            shown: None,
        })
    }

    pub(super) fn history(&self, kind: HistoryKind, object: &Object, field: FieldId) -> History {
        History {
            kind,
            object: object.id,
            field,
            ty: column(object, field, &(0..0)).ty,
            actors: self.catalog.playing(Role::Actors).map(|actors| actors.id),
        }
    }

    /// A field that the journal knows.
    pub(super) fn past_field(&self, object: &Object, name: &Name) -> Result<FieldId> {
        if let Some(field) = object.find_field(&name.text) {
            return Ok(field.id);
        }
        let names = object.live_fields().map(|field| field.name.as_str());
        let error = match object.find_formula(&name.text) {
            Some(_) => Error::new(
                Code::UnknownField,
                format!("`{}` is computed, and has no history of its own", name.text),
            )
            .hint("ask for the history of a field that it is computed from, or `was(...)`"),
            None => Error::new(
                Code::UnknownField,
                format!("{} have no field `{}`", object.name, name.text),
            )
            .near(&name.text, names),
        };
        Err(error.at(self.at(&name.span)))
    }
}
