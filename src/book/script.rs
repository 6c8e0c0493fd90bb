//! A script: text read into statements.

use crate::error::{Error, Result};
use crate::query::pipeline;
use crate::query::syntax::{self, Statement};
use std::sync::Arc;

/// Statements read from a text, to be run one by one with
/// [`Session::run`](super::Session::run).
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<Step>,
}

/// One statement of a [`Script`].
#[derive(Clone, Debug)]
pub struct Step {
    pub(super) statement: Statement,
    /// The whole script: errors point into it.
    text: Arc<str>,
    start: usize,
    end: usize,
}

impl Script {
    /// Reads statements separated by `;`. Names are not looked up yet.
    ///
    /// ```
    /// let script = fieldbook::Script::parse("accounts; contacts limit 3")?;
    /// assert_eq!(script.steps()[1].text(), "contacts limit 3");
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of kind `Syntax`, and `too-deep` or `too-long`.
    pub fn parse(text: &str) -> Result<Self> {
        let statements = pipeline::parse(text)?;
        let text: Arc<str> = text.into();
        let step = |(statement, span): (Statement, crate::error::Span)| Step {
            statement,
            text: text.clone(),
            start: span.start,
            end: span.end,
        };
        Ok(Self {
            steps: statements.into_iter().map(step).collect(),
        })
    }

    /// Whether the text ends inside a statement, so that a prompt should ask for another line.
    ///
    /// ```
    /// use fieldbook::Script;
    /// assert!(Script::is_incomplete("accounts where (name = "));
    /// assert!(!Script::is_incomplete("accounts"));
    /// ```
    #[must_use]
    pub fn is_incomplete(text: &str) -> bool {
        syntax::is_incomplete(text)
    }

    /// The statements in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    /// The statement's words.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text
            .get(self.start..self.end)
            .unwrap_or_default()
            .trim()
    }

    /// Whether the statement only reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        pipeline::is_read(&self.statement)
    }

    /// What the statement does to records that a condition alone chooses: `change` or `delete`.
    #[cfg(feature = "shell")]
    pub(crate) fn sweeps(&self) -> Option<&'static str> {
        let mut statement = &self.statement;
        while let Statement::Returning { change, .. } = statement {
            statement = change;
        }
        match statement {
            Statement::Update(update) if update.key.is_none() => Some("change"),
            Statement::Delete(delete) if delete.key.is_none() => Some("delete"),
            Statement::Restore(restore) if restore.key.is_none() => Some("restore"),
            Statement::Upsert(upsert) if upsert.from.is_some() => Some("change"),
            Statement::Undo(_) => Some("change"),
            _ => None,
        }
    }

    /// Whether the statement forgets what no statement brings back.
    #[cfg(feature = "shell")]
    pub(crate) fn forgets(&self) -> bool {
        matches!(self.statement, Statement::Prune { .. })
    }

    /// The same query from after a cursor on; nothing for other statements.
    #[cfg(feature = "shell")]
    pub(crate) fn after(&self, cursor: &str) -> Option<Self> {
        let Statement::Query(query) = &self.statement else {
            return None;
        };
        let mut query = query.clone();
        query.after = Some(syntax::Expr {
            kind: syntax::ExprKind::Literal(syntax::Literal::Text(cursor.to_owned())),
            span: query.span.clone(),
        });
        Some(Self {
            statement: Statement::Query(query),
            ..self.clone()
        })
    }

    pub(super) fn in_text(&self, error: Error) -> Error {
        error.in_text(&self.text)
    }
}
