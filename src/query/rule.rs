//! A stored rule made ready to run: its text bound and folded over the records of its object.

use crate::error::{Error, Result, Span};
use crate::query::bind::{Binder, Expr, Type};
use crate::query::exec::Context;
use crate::query::{plan, syntax};
use crate::value::{ObjectId, Value};

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
        bound().map_err(|error| wrong(&error, text, self.span, &what()))
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

fn wrong(error: &Error, text: &str, span: &Span, what: &str) -> Error {
    let message = format!("{what} means nothing: {}", error.message());
    let wrong = Error::new(error.code(), message)
        .at(span.clone())
        .hint(format!("it says: {text}"));
    let hints = error.hints().iter();
    hints.fold(wrong, |wrong, hint| wrong.hint(hint))
}
