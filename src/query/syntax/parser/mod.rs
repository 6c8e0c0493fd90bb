//! The parser: pest's pairs to the syntax tree. Its one state is where the statement stands in
//! the text and how deep the tree has become.

mod expression;
mod literal;
mod query;
mod schema;
mod statement;

use super::ast::{Expr, Name, Query, Statement, Text};
use super::explain;
use crate::error::{Code, Error, Result, Span};
use pest::Parser;
use pest::iterators::Pair;

#[allow(
    missing_docs,
    unreachable_pub,
    reason = "the derived rule type has neither"
)]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "query/syntax/grammar.pest"]
    pub struct Grammar;
}

pub(super) use grammar::Rule;
pub(super) use literal::move_point;
pub(crate) use query::bare;
type Node<'a> = Pair<'a, Rule>;

/// The tree of an expression is at most this high: later stages recurse over it.
const HEIGHT_MAX: usize = 250;

/// Reads the parts of one statement.
#[derive(Clone, Copy)]
struct Reader {
    /// Where the statement starts in the text that spans refer to.
    base: usize,
    height: usize,
}

/// Reads the statement at `span` of `text`.
pub(super) fn statement(text: &str, span: Span) -> Result<Statement> {
    parse(
        [Rule::whole_statement, Rule::told_statement],
        text,
        span,
        Reader::statement,
    )
}

/// Reads the query at `span` of `text`.
pub(super) fn query(text: &str, span: Span) -> Result<Query> {
    parse(
        [Rule::whole_query, Rule::told_query],
        text,
        span,
        Reader::query,
    )
}

/// Reads the expression at `span` of `text`.
pub(super) fn expression(text: &str, span: Span) -> Result<Expr> {
    parse(
        [Rule::whole_expression, Rule::told_expression],
        text,
        span,
        Reader::expression,
    )
}

/// Where the grammar stops reading the statement at `span` of `text`, if it does.
pub(super) fn failure(text: &str, span: Span) -> Option<usize> {
    let error = grammar::Grammar::parse(Rule::told_statement, &text[span.clone()]).err()?;
    Some(span.start + explain::position(&error))
}

/// Whether the grammar reads a statement alike when all that would have fitted is to be told.
#[cfg(test)]
pub(super) fn guards_change_nothing(text: &str) -> bool {
    let read = |rule| grammar::Grammar::parse(rule, text).map(|nodes| nodes.to_string());
    read(Rule::whole_statement).ok() == read(Rule::told_statement).ok()
}

fn parse<T>(
    [quick, teller]: [Rule; 2],
    text: &str,
    span: Span,
    read: impl Fn(Reader, Node) -> Result<T>,
) -> Result<T> {
    let statement = &text[span.clone()];
    let mut nodes = grammar::Grammar::parse(quick, statement)
        .or_else(|_| grammar::Grammar::parse(teller, statement))
        .map_err(|error| explain::explain(statement, span.start, &error))?;
    let reader = Reader {
        base: span.start,
        height: 0,
    };
    read(reader, first(&mut nodes))
}

/// The next node, which the grammar promises.
fn first<'a>(nodes: &mut impl Iterator<Item = Node<'a>>) -> Node<'a> {
    nodes
        .next()
        .expect("the grammar gives this rule a part here")
}

/// The parts of a node, without its keywords.
fn parts(node: Node) -> impl Iterator<Item = Node> {
    node.into_inner()
        .filter(|part| !explain::is_keyword(part.as_rule()))
}

/// The only part of a node.
fn only(node: Node) -> Node {
    first(&mut parts(node))
}

/// A string's text, or a back-quoted name's: without its quotes, doubled ones made one.
fn unquote(text: &str) -> String {
    let quote = &text[..1];
    text[1..text.len() - 1].replace(&quote.repeat(2), quote)
}

impl Reader {
    fn span(self, node: &Node) -> Span {
        let span = node.as_span();
        let start = self.base + span.start();
        start..start + span.as_str().trim_end().len()
    }

    /// A reader for parts `by` levels further down the tree.
    fn deeper(self, by: usize, node: &Node) -> Result<Self> {
        let height = self.height + by;
        if height > HEIGHT_MAX {
            return Err(Error::new(
                Code::TooDeep,
                format!("the expression has more than {HEIGHT_MAX} operators on top of each other"),
            )
            .at(self.span(node))
            .hint("put parts of it in parentheses, or name them with `let`"));
        }
        Ok(Self { height, ..self })
    }

    fn name(self, node: &Node) -> Name {
        let text = node.as_str().trim_end();
        let text = if text.starts_with('`') {
            unquote(text)
        } else {
            text.to_owned()
        };
        Name {
            text,
            span: self.span(node),
        }
    }

    fn names(self, node: Node) -> Vec<Name> {
        parts(node).map(|name| self.name(&name)).collect()
    }

    fn text(self, node: &Node) -> Text {
        Text {
            text: unquote(node.as_str()),
            span: self.span(node),
        }
    }
}
