//! Syntax errors in the language's own words: pest's failed rules become what a person expects,
//! and the common mistakes of other languages get the sentence that mends them.

mod foreign;
mod phrase;
mod teach;

use super::parser::Rule;
use super::scan::{Token, TokenKind, Tokens};
use super::words::{RESERVED, is_one_of};
use crate::error::{Code, Error, Span};
use pest::error::{Error as PestError, ErrorVariant, InputLocation};
use phrase::{Phrase, phrase};

pub(super) fn is_keyword(rule: Rule) -> bool {
    matches!(phrase(rule), Phrase::Keyword(_))
}

/// Where pest gave up.
pub(super) fn position(error: &PestError<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// A failed parse: the tokens around the place, and what would have fitted.
struct Failure<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// Which token did not fit; the number of tokens at the end of the text.
    at: usize,
    expected: Vec<Phrase>,
}

/// Words pest's error about the statement `text` that starts at `base`.
pub(super) fn explain(text: &str, base: usize, error: &PestError<Rule>) -> Error {
    let position = position(error);
    let tokens: Vec<Token> = Tokens::new(text).map_while(Result::ok).collect();
    let at = tokens.partition_point(|token| token.span.end <= position);
    let expected = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().map(|rule| phrase(*rule).told()).collect()
        }
        // pest's own guard: its caller's stack is nearly full.
        ErrorVariant::CustomError { .. } => {
            return Error::new(
                Code::TooDeep,
                "the statement nests too deeply for this thread",
            )
            .at(base..base + text.len());
        }
    };
    let failure = Failure {
        text,
        tokens,
        at,
        expected,
    };
    let span = failure.span();
    failure.error().at(base + span.start..base + span.end)
}

impl Failure<'_> {
    /// The text of the token `offset` places from the one that did not fit, in lower case.
    fn word(&self, offset: isize) -> String {
        self.token(offset)
            .map_or_else(String::new, |t| t.text(self.text).to_ascii_lowercase())
    }

    fn token(&self, offset: isize) -> Option<&Token> {
        self.tokens.get(self.at.checked_add_signed(offset)?)
    }

    fn first_word(&self) -> String {
        self.tokens
            .first()
            .map_or_else(String::new, |t| t.text(self.text).to_ascii_lowercase())
    }

    fn span(&self) -> Span {
        match self.token(0) {
            Some(token) => token.span.clone(),
            None => self.text.len()..self.text.len(),
        }
    }

    fn error(&self) -> Error {
        let error = self.taught().unwrap_or_else(|| self.plain());
        match self.expectation() {
            Some(expected) => error.expected(expected),
            None => error,
        }
    }

    /// The error when no known mistake explains it.
    fn plain(&self) -> Error {
        let Some(token) = self.token(0) else {
            return Error::new(Code::Syntax, "the statement ends too early");
        };
        let word = token.text(self.text);
        let shown: String = word.chars().take(40).collect();
        let error = Error::new(Code::Syntax, format!("`{shown}` does not fit here"));
        let is_word = token.kind == TokenKind::Word;
        let takes_name = [Phrase::Name, Phrase::Value]
            .iter()
            .any(|p| self.expected.contains(p));
        if is_word && is_one_of(RESERVED, word) && takes_name {
            return error.hint(format!(
                "`{word}` is a reserved word; as a name it stands in back-quotes: `` `{word}` ``"
            ));
        }
        if is_word {
            error.near(word, self.expected_words())
        } else {
            error
        }
    }

    /// The keywords that would have fitted.
    fn expected_words(&self) -> impl Iterator<Item = &'static str> {
        let told = self.expected.iter().filter_map(|phrase| match phrase {
            Phrase::Part(word) | Phrase::Clause(word) => Some(*word),
            Phrase::Words(words) => Some(*words),
            _ => None,
        });
        let quoted = told.flat_map(|words| match words.contains('`') {
            true => words.split('`').skip(1).step_by(2).collect(),
            false => vec![words],
        });
        quoted.filter(|word| {
            let letter = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '_');
            word.chars().all(letter) && !word.starts_with("a ") && !word.starts_with("an ")
        })
    }

    /// Whether an expression could have gone on where the parser stopped.
    fn operand_ended(&self) -> bool {
        self.expected.contains(&Phrase::Operator)
    }

    /// What would have fitted, in the language's words.
    fn expectation(&self) -> Option<String> {
        let mut phrases = self.expected.clone();
        phrases.sort_unstable();
        phrases.dedup();
        let clauses = phrases
            .iter()
            .filter(|p| matches!(p, Phrase::Clause(_)))
            .count();
        // A statement may begin with many words.
        let begins = self.at == 0;
        let mut words: Vec<String> = Vec::new();
        for phrase in phrases {
            let word = match phrase {
                Phrase::Value if self.word(-1) == "undo" => "a transaction's number".to_owned(),
                Phrase::Value => "a value".to_owned(),
                // A value may be a name: one word for both.
                Phrase::Name if self.expected.contains(&Phrase::Value) => continue,
                Phrase::Name => "a name".to_owned(),
                Phrase::Operator => "an operator".to_owned(),
                Phrase::Words(words) => words.to_owned(),
                Phrase::Keyword(_) | Phrase::Part(_) if begins => {
                    "a statement such as `add`, `update`, `delete` or `create`".to_owned()
                }
                Phrase::Keyword(word) | Phrase::Part(word) => format!("`{word}`"),
                Phrase::Clause(_) if clauses > 3 => "another clause".to_owned(),
                Phrase::Clause(word) => format!("`{word}`"),
                Phrase::End => "the end of the statement".to_owned(),
                Phrase::Nothing => continue,
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let last = words.pop()?;
        Some(if words.is_empty() {
            last
        } else {
            format!("{} or {last}", words.join(", "))
        })
    }
}
