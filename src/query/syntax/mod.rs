//! Syntax: text to tree and back. Knows the grammar and no names of any book.

mod ast;

pub(crate) use ast::*;

use crate::error::Result;
use crate::value::{FieldType, Value};

/// Reads a script: statements separated by `;`, with the byte range of each.
pub(crate) fn parse_script(text: &str) -> Result<Vec<(Statement, crate::error::Span)>> {
    let _ = text;
    Ok(Vec::new())
}

/// Reads one expression, as stored formulas, filters, defaults and checks are.
pub(crate) fn parse_expression(text: &str) -> Result<Expr> {
    parse_query(text)
        .map(|q| q.filter.into_iter().next())
        .and_then(|e| e.ok_or_else(|| crate::error::Error::new(crate::error::Code::Syntax, "")))
}

/// Reads one query, as stored views are.
pub(crate) fn parse_query(text: &str) -> Result<Query> {
    Err(crate::error::Error::new(
        crate::error::Code::Syntax,
        text.to_owned(),
    ))
}

/// Whether the text ends inside a statement, so that a REPL should read another line.
pub(crate) fn is_incomplete(text: &str) -> bool {
    let _ = text;
    false
}
