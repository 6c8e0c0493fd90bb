//! A stored rule made ready to run: its text bound and folded over the records of its object.

use crate::error::{Error, Result, Span};
use crate::query::bind::{Binder, Expr, SpokenLabel, Type};
use crate::query::exec::Context;
use crate::query::{label, plan, syntax};
use crate::value::{FieldType, ObjectId, Value};
use std::cmp::Reverse;

/// Where stored rules are applied, and as what.
pub(crate) struct Call<'s> {
    pub object: ObjectId,
    /// A filter, which holds or not; else an expression, which gives a number.
    pub truth: bool,
    pub depth: u8,
    /// The words that apply them, to which errors point.
    pub span: &'s Span,
}

impl Call<'_> {
    /// The rule of this text; `what` names it in errors.
    pub(crate) fn expr(
        &self,
        text: &str,
        context: &Context<'_>,
        what: &dyn Fn() -> String,
    ) -> Result<Expr> {
        let bound = || {
            let tree = syntax::parse_expression(text)?;
            let binder = Binder::new(context.catalog, context.clock);
            let bound = binder.stored_at(self.depth, self.span, self.object, self.truth, &tree)?;
            plan::fold_expr(&bound, context)
        };
        bound().map_err(|error| {
            let ty = match self.truth {
                true => FieldType::Filter(self.object),
                false => FieldType::Expression(self.object),
            };
            let shown = shown(text, &ty, context).unwrap_or_else(|_| text.to_owned());
            wrong(&error, &shown, self.span, &what())
        })
    }

    /// What no rule, and no record, gives.
    pub(crate) fn nothing(&self) -> Expr {
        let (value, ty) = match self.truth {
            true => (Value::Boolean(false), Type::BOOLEAN),
            false => (Value::Missing, Type::NUMBER),
        };
        Expr::constant(value, ty, self.span)
    }
}

/// A stored rule of a field of this type as a person writes it: records by their labels, where a
/// label names just one. What no longer means anything stays as it is stored.
pub(crate) fn shown(text: &str, ty: &FieldType, context: &Context<'_>) -> Result<String> {
    let Ok(tree) = syntax::parse_expression(text) else {
        return Ok(text.to_owned());
    };
    let binder = Binder::new(context.catalog, context.clock);
    let bound = match ty {
        FieldType::Filter(object) => binder.record_condition(*object, &tree),
        FieldType::Expression(object) => binder.record_number(*object, &tree),
        _ => return Ok(text.to_owned()),
    };
    if bound.is_err() {
        return Ok(text.to_owned());
    }
    let mut labels = binder.spoken_labels();
    labels.sort_by_key(|label| Reverse(label.span.start));
    labels.dedup_by_key(|label| label.span.start);
    let mut shown = text.to_owned();
    for SpokenLabel { object, text, span } in labels {
        let field = context.catalog.object(object).label_field();
        let (Some(id), Some(field)) = (label::record_number(&text), field) else {
            continue;
        };
        let row = context.snapshot.row(object, id)?;
        let Some(Value::Text(label)) = row.as_ref().map(|row| row.get(field.id)) else {
            continue;
        };
        if matches!(label::find(object, label, context), Ok(Some(found)) if found == id) {
            shown.replace_range(span, &syntax::Literal::Text(label.to_string()).to_string());
        }
    }
    Ok(shown)
}

fn wrong(error: &Error, text: &str, span: &Span, what: &str) -> Error {
    let message = format!("{what} means nothing: {}", error.message());
    let wrong = Error::new(error.code(), message)
        .at(span.clone())
        .hint(format!("it says: {text}"));
    let hints = error.hints().iter();
    hints.fold(wrong, |wrong, hint| wrong.hint(hint))
}
