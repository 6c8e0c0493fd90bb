//! Text: patterns over folded text.

use super::fragment::{self, Level, Sql, Truth};
use super::frame::{Frame, Row, Target};
use super::translate::Translator;
use super::untranslatable;
use crate::error::Result;
use crate::query::bind::{Expr, Function, Node};
use crate::value::{Value, fold};

impl Translator<'_> {
    /// A text without case and accents.
    fn folded(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Sql> {
        if let Some(Value::Text(text)) = self.known_text(expr)? {
            return Ok(fragment::text(&fold(&text), self.dialect));
        }
        match (&expr.node, &frame.row) {
            (Node::Column(field), Row::Record { object, alias }) => {
                let columns = self.columns_of(*object, *field);
                match &columns.beside {
                    Some(column) => Ok(self.qualified(alias, column)),
                    None => Err(computed(expr)),
                }
            }
            (
                Node::Follow {
                    reference,
                    object,
                    inner,
                },
                _,
            ) => match self.target(frame, reference, *object)? {
                Target::Same(frame) | Target::Joined(frame, _) => self.folded(&frame, inner),
                Target::Apart => {
                    let mut parts = self.apart(frame, reference, *object, |frame| {
                        Ok(vec![self.folded(frame, inner)?])
                    })?;
                    Ok(parts.remove(0))
                }
            },
            (
                Node::Function {
                    function,
                    arguments,
                },
                _,
            ) => match (function, arguments.as_slice()) {
                (Function::Lower | Function::Upper, [text]) => self.folded(frame, text),
                (Function::Coalesce, _) => {
                    let texts = arguments
                        .iter()
                        .map(|text| self.folded(frame, text))
                        .collect::<Result<Vec<_>>>()?;
                    let texts: Vec<&Sql> = texts.iter().collect();
                    Ok(Sql::call("coalesce", &texts))
                }
                (Function::If, [test, yes, no]) => Ok(Sql::atom(format!(
                    "CASE WHEN {} THEN {} ELSE {} END",
                    self.condition(frame, test)?.sql.text,
                    self.folded(frame, yes)?.text,
                    self.folded(frame, no)?.text
                ))),
                _ => Err(computed(expr)),
            },
            (Node::Constant(Value::Missing), _) => Ok(Sql::null()),
            _ => Err(computed(expr)),
        }
    }

    fn known_text(&self, expr: &Expr) -> Result<Option<Value>> {
        match &expr.node {
            Node::Constant(value) => Ok(Some(value.clone())),
            _ => self.closed(expr),
        }
    }

    pub(super) fn contains(
        &self,
        frame: &Frame<'_>,
        value: &Expr,
        pattern: &Expr,
    ) -> Result<Truth> {
        let text = self.folded(frame, value)?;
        match self.known_text(pattern)? {
            Some(Value::Text(pattern)) => {
                let pattern = fold(&pattern);
                let escaped = escape(&pattern);
                Ok(self.matching(&text, &format!("%{escaped}%")))
            }
            Some(_) => Ok(Truth::constant(false)),
            None => {
                let pattern = self.folded(frame, pattern)?;
                let found = Sql::call("instr", &[&text, &pattern]);
                Ok(Truth::open(Sql::new(
                    format!("{} > 0", found.text),
                    Level::Compare,
                )))
            }
        }
    }

    pub(super) fn like(&self, frame: &Frame<'_>, value: &Expr, pattern: &Expr) -> Result<Truth> {
        let text = self.folded(frame, value)?;
        match self.known_text(pattern)? {
            Some(Value::Text(pattern)) => {
                let pattern = escape(&fold(&pattern)).replace('*', "%").replace('?', "_");
                Ok(self.matching(&text, &pattern))
            }
            Some(_) => Ok(Truth::constant(false)),
            None => Err(untranslatable(
                "`like` with a pattern that differs by record",
                &pattern.span,
            )),
        }
    }

    fn matching(&self, text: &Sql, pattern: &str) -> Truth {
        let literal = fragment::text(pattern, self.dialect);
        let escape = match pattern.contains('\\') {
            true => " ESCAPE '\\'",
            false => "",
        };
        Truth::open(Sql::new(
            format!("{} LIKE {}{escape}", text.at(Level::Sum), literal.text),
            Level::Compare,
        ))
    }
}

/// The text as a pattern that only it fits.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn computed(expr: &Expr) -> crate::error::Error {
    untranslatable("`~` or `like` over computed text", &expr.span)
        .expected("a text field")
        .hint("only stored text has a form without case and accents beside it")
}
