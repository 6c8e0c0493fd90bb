//! Queries as standard SQL over the book's relational form, and that form as a script: people
//! trust what they can check. Nothing here runs a query; the executor never reads any of it.
//!
//! The bound tree is translated as it is, so that labels and sub-queries stand in the SQL as
//! sub-selects. What depends on the clock, the asker or parameters is printed as its value. Our
//! meaning is expressed exactly; what SQL cannot say is an error, never other SQL.

mod aggregate;
mod condition;
mod dialect;
mod domain;
mod fragment;
mod frame;
mod function;
mod group;
mod levels;
mod money;
mod names;
mod order;
mod over;
mod parts;
mod relational;
mod rows;
mod script;
mod select;
mod show;
mod subquery;
mod subtotal;
mod text;
mod time;
mod translate;
mod tree;
mod value;
mod window;

pub(crate) use script::export;
pub(crate) use translate::translate;

use crate::error::{Code, Error, Span};
use crate::query::syntax::Dialect;

/// The error for what has no form in SQL.
fn untranslatable(what: impl Into<String>, span: &Span) -> Error {
    Error::new(
        Code::Untranslatable,
        format!("{} cannot be said in SQL", what.into()),
    )
    .at(span.clone())
}
