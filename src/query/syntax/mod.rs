//! Syntax: text to tree and back. Knows the grammar and no names of any book.
//!
//! A text passes the [`scan`], which is linear and bounds what follows, then the grammar a
//! statement at a time, then the [`parser`], which makes the tree. Trees implement `Display`: the
//! canonical text, which parses to the same tree again.

mod ast;
mod children;
mod explain;
mod parser;
mod print;
mod scan;
#[cfg(test)]
mod tests;
mod words;
#[cfg(test)]
pub(crate) use words::WORDS;
pub(crate) use words::spoken_name;

pub(crate) use ast::*;
pub(crate) use parser::bare;
pub(crate) use print::Spoken;

use crate::error::{Code, Error, Result, Span};
use scan::{Script, Token, TokenKind, Tokens};

/// Reads a script: statements separated by `;`, with the byte range of each.
pub(crate) fn parse_script(text: &str) -> Result<Vec<(Statement, Span)>> {
    let parse = || {
        let script = scan::scan(text)?;
        let statement = |span: &Span| {
            parser::statement(&script.text, span.clone()).map(|tree| (tree, span.clone()))
        };
        script
            .statements
            .iter()
            .map(statement)
            .collect::<Result<Vec<_>>>()
    };
    parse().map_err(|error: Error| error.in_text(text))
}

/// Reads one expression, as stored formulas, filters, defaults and checks are.
pub(crate) fn parse_expression(text: &str) -> Result<Expr> {
    one(text, "expression", parser::expression)
}

/// Reads one query, as stored views are.
pub(crate) fn parse_query(text: &str) -> Result<Query> {
    one(text, "query", parser::query)
}

fn one<T>(text: &str, what: &str, parse: impl Fn(&str, Span) -> Result<T>) -> Result<T> {
    let read = || {
        let script = scan::scan(text)?;
        match &script.statements[..] {
            [span] => parse(&script.text, span.clone()),
            [] => Err(Error::new(Code::Syntax, format!("there is no {what}"))),
            [_, second, ..] => Err(Error::new(
                Code::Syntax,
                format!("there is more than one {what}"),
            )
            .at(second.clone())),
        }
    };
    read().map_err(|error: Error| error.in_text(text))
}

/// Whether the text ends where no statement has begun: after a `;`, or before the first.
#[cfg(feature = "shell")]
pub(crate) fn is_between(text: &str) -> bool {
    let mut between = true;
    for token in Tokens::new(text) {
        match token.map(|token| token.kind) {
            Ok(TokenKind::Comment) => {}
            Ok(kind) => between = matches!(kind, TokenKind::Symbol(';')),
            Err(_) => return false,
        }
    }
    between
}

/// Whether the text ends inside a statement, so that a REPL should read another line.
pub(crate) fn is_incomplete(text: &str) -> bool {
    let mut open = 0_usize;
    let mut last = None;
    for token in Tokens::new(text) {
        let token = match token {
            Ok(token) => token,
            Err(error) => return error.code() == Code::Unterminated,
        };
        match token.kind {
            TokenKind::Comment => continue,
            TokenKind::Symbol('(' | '{') => open += 1,
            TokenKind::Symbol(')' | '}') => open = open.saturating_sub(1),
            TokenKind::Symbol(';') => {
                (open, last) = (0, None);
                continue;
            }
            _ => {}
        }
        last = Some(token);
    }
    let Some(last) = last else { return false };
    if open > 0 || goes_on(&last, text) {
        return true;
    }
    let Ok(Script { text, statements }) = scan::scan(text) else {
        return false;
    };
    let end = statements.last().map(|span| span.end);
    let failure = statements
        .last()
        .and_then(|span| parser::failure(&text, span.clone()));
    failure.is_some() && failure >= end
}

/// Whether no statement ends with this token.
fn goes_on(token: &Token, text: &str) -> bool {
    let text = token.text(text);
    match token.kind {
        TokenKind::Symbol(c) => !matches!(c, ')' | '}' | '%' | '*'),
        TokenKind::Word => {
            words::is_one_of(words::RESERVED, text)
                && !words::is_one_of(words::SPECIAL, text)
                && !words::is_one_of(&["asc", "desc", "empty", "true", "false"], text)
        }
        _ => false,
    }
}
