//! The common mistakes: each is recognised by the words around it and answered with the way the
//! same thing is written here.

use super::{Failure, Phrase};
use crate::error::{Code, Error, nearest};
use crate::query::syntax::scan::{TokenKind, is_curly_quote};
use crate::query::syntax::words::{RESERVED, STATEMENTS, is_one_of};

impl Failure<'_> {
    pub(super) fn taught(&self) -> Option<Error> {
        self.foreign_sign()
            .or_else(|| self.wrong_character())
            .or_else(|| self.wrong_order())
            .or_else(|| self.lacks_by())
            .or_else(|| self.foreign_word())
            .or_else(|| self.foreign_value())
            .or_else(|| self.foreign_comma())
            .or_else(|| self.wrong_call())
            .or_else(|| self.beside_object())
            .or_else(|| self.hanging_comma())
            .or_else(|| self.side_by_side())
    }

    fn wrong_character(&self) -> Option<Error> {
        let TokenKind::Symbol(c) = self.token(0)?.kind else {
            return None;
        };
        let error = Error::new(Code::Syntax, format!("`{c}` does not fit here"));
        let before = self.word(-1);
        Some(match c {
            c if is_curly_quote(c) => Error::new(Code::Syntax, format!("`{c}` is a curly quote"))
                .hint("strings stand in straight quotes: \"Acme\" or 'Acme'"),
            '=' if before == "=" => {
                Error::new(Code::Syntax, "`==` is no operator here").hint("write `=`")
            }
            ':' => error.hint("write `=` between a name and its value"),
            '[' | ']' => error.hint("lists and names with blanks: `(a, b)`, `` `Due date` ``"),
            '%' if self.operand_ended() => error.hint("a percentage has no blank: `40%`"),
            '.' if self.token(1).is_some_and(|t| t.kind == TokenKind::Number) => {
                error.hint(format!("write `0.{}`", self.word(1)))
            }
            _ => return None,
        })
    }

    /// SQL's order of things.
    fn wrong_order(&self) -> Option<Error> {
        let word = self.word(0);
        let first = self.first_word();
        if self.at == 0 && word == "select" {
            let from = self
                .tokens
                .iter()
                .position(|token| token.text(self.text).eq_ignore_ascii_case("from"));
            let object = from
                .and_then(|from| self.tokens.get(from + 1))
                .filter(|token| token.kind == TokenKind::Word)
                .map_or("accounts", |token| token.text(self.text));
            return Some(
                Error::new(Code::Syntax, "a statement does not begin with `select`").hint(format!(
                    "what is read comes first, without `from`: `{object} where ... select ...`"
                )),
            );
        }
        let before = self.word(-1);
        if first == "explain"
            && matches!(self.at, 2 | 3)
            && before != "analyze"
            && is_one_of(STATEMENTS, &before)
        {
            let message = format!("`explain` takes a query, and `{before}` begins none");
            return Some(
                Error::new(Code::Syntax, message)
                    .hint("write `explain accounts where ...`, or `explain analyze ...`"),
            );
        }
        let text = self.token(0).is_some_and(|t| t.kind == TokenKind::Text);
        if first == "find" && (self.at == 1 || self.at == 2 && text) {
            return Some(
                Error::new(Code::Syntax, "`find` takes all words in one pair of quotes")
                    .hint("write `find \"mesa tools\"`"),
            );
        }
        match (first.as_str(), word.as_str()) {
            ("update", "where") => Some(
                Error::new(Code::Syntax, "`where` stands after `set`")
                    .hint("write `update accounts where ... set ...`"),
            ),
            ("delete", "from") => Some(
                Error::new(Code::Syntax, "`delete` takes no `from`")
                    .hint("write `delete accounts where ...`"),
            ),
            _ => None,
        }
    }

    fn lacks_by(&self) -> Option<Error> {
        let word = self.word(0);
        if !matches!(word.as_str(), "order" | "group") || self.word(1) == "by" {
            return None;
        }
        let next = match self.token(1).map(|token| token.kind) {
            Some(TokenKind::Word) => self.word(1),
            _ => "amount".to_owned(),
        };
        Some(
            Error::new(Code::Syntax, format!("`{word}` lacks `by`"))
                .hint(format!("write `{word} by {next}`")),
        )
    }

    fn wrong_call(&self) -> Option<Error> {
        let word = self.word(0);
        if word == "*" && self.word(-1) == "(" && self.word(1) == ")" {
            let function = self.word(-2);
            return Some(
                Error::new(Code::Syntax, format!("`{function}(*)` is not written here"))
                    .hint(format!("write `{function}()`")),
            );
        }
        if word == "(" && self.word(-2) == "." {
            return Some(
                Error::new(Code::Syntax, "a function's name has no dots")
                    .hint("the path goes inside: `sum(opportunities.amount)`"),
            );
        }
        None
    }

    fn hanging_comma(&self) -> Option<Error> {
        let word = self.word(0);
        let stops = self.token(0).is_none() || matches!(word.as_str(), ")" | "}" | ",");
        let keyword = self.token(0).is_some_and(|t| t.kind == TokenKind::Word)
            && (is_one_of(RESERVED, &word)
                || matches!(word.as_str(), "order" | "group") && self.word(1) == "by")
            && !self.expected.contains(&Phrase::Operator);
        if self.word(-1) != "," || !(stops || keyword) {
            return None;
        }
        Some(Error::new(Code::Syntax, "nothing follows `,`").hint(if keyword {
            format!(
                "remove the `,`; or, if `{word}` is a name, put it in back-quotes: `` `{word}` ``"
            )
        } else {
            "remove the `,`, or go on after it".to_owned()
        }))
    }

    /// Two operands without anything between them.
    fn side_by_side(&self) -> Option<Error> {
        let token = self.token(0)?;
        let before = self.token(-1)?;
        let starts = match token.kind {
            TokenKind::Word => !is_one_of(RESERVED, &self.word(0)),
            TokenKind::Number | TokenKind::Text | TokenKind::Quoted => true,
            _ => false,
        };
        if !starts || !before.ends_operand() || self.keyword_before() {
            return None;
        }
        let shown: String = token.text(self.text).chars().take(40).collect();
        if self.at == 1 && before.kind == TokenKind::Word {
            let first = self.first_word();
            if let Some(word) = nearest(&first, STATEMENTS.iter().copied()) {
                return Some(
                    Error::new(Code::Syntax, format!("`{shown}` does not fit here"))
                        .hint(format!("did you mean `{word} {shown}`?")),
                );
            }
        }
        if !self.operand_ended() {
            return None;
        }
        let previous = before.text(self.text);
        let error = Error::new(
            Code::Syntax,
            format!("`{shown}` follows `{previous}` without an operator"),
        );
        if token.kind == TokenKind::Word && nearest(&shown, self.expected_words()).is_some() {
            return Some(error.near(&shown, self.expected_words()));
        }
        let aliased = self.expected.contains(&Phrase::Part("as"));
        Some(match token.kind {
            TokenKind::Word | TokenKind::Quoted if aliased => error.hint(format!(
                "to name a column, write `{previous} as {shown}`; to show both, put `,` between"
            )),
            TokenKind::Word => {
                error.hint("a label of several words stands in quotes: \"North West\"")
            }
            _ => error.hint("join them with an operator, or separate them with `,`"),
        })
    }

    /// Whether the token before is a keyword, after which an operand is no second one.
    fn keyword_before(&self) -> bool {
        const OPERANDS: &[&str] = &[
            "empty", "true", "false", "today", "now", "me", "this", "outer",
        ];
        let word = self.word(-1);
        is_one_of(RESERVED, &word) && !is_one_of(OPERANDS, &word)
    }
}
