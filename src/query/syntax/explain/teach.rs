//! The common mistakes: each is recognised by the words around it and answered with the way the
//! same thing is written here.

use super::{Failure, Phrase};
use crate::error::{Code, Error, nearest};
use crate::query::syntax::scan::{TokenKind, is_curly_quote};
use crate::query::syntax::words::{RESERVED, STATEMENTS, is_one_of};

/// Functions that people write without parentheses.
const AGGREGATES: &[&str] = &["count", "sum", "avg", "min", "max", "median", "list"];

impl Failure<'_> {
    pub(super) fn taught(&self) -> Option<Error> {
        self.next_statement()
            .or_else(|| self.foreign_sign())
            .or_else(|| self.wrong_character())
            .or_else(|| self.wrong_letter())
            .or_else(|| self.wrong_order())
            .or_else(|| self.lacks_by())
            .or_else(|| self.foreign_word())
            .or_else(|| self.foreign_value())
            .or_else(|| self.foreign_comma())
            .or_else(|| self.wrong_call())
            .or_else(|| self.beside_object())
            .or_else(|| self.hanging_comma())
            .or_else(|| self.side_by_side())
            .or_else(|| self.bare_values())
    }

    /// Another statement on a line of its own, and no `;` before it.
    fn next_statement(&self) -> Option<Error> {
        let token = self.token(0)?;
        let before = self.token(-1)?;
        let apart = self.text[before.span.end..token.span.start].contains('\n');
        let begins = token.kind == TokenKind::Word && is_one_of(STATEMENTS, &self.word(0));
        if !apart || !begins || !before.ends_operand() || self.keyword_before() {
            return None;
        }
        let shown = token.text(self.text);
        Some(
            Error::new(Code::Syntax, format!("`{shown}` does not fit here")).hint(format!(
                "if it begins another statement, write `;` before `{shown}`"
            )),
        )
    }

    fn wrong_character(&self) -> Option<Error> {
        let TokenKind::Symbol(c) = self.token(0)?.kind else {
            return None;
        };
        let error = Error::new(Code::Syntax, format!("`{c}` does not fit here"));
        let before = self.word(-1);
        Some(match c {
            c if is_curly_quote(c) => Error::new(Code::Syntax, format!("`{c}` is a curly quote"))
                .hint("strings stand in straight quotes: \"text\" or 'text'"),
            '=' if before == "=" => {
                Error::new(Code::Syntax, "`==` is no operator here").hint("write `=`")
            }
            ':' => error.hint("write `=` between a name and its value"),
            '[' | ']' => error.hint("lists and names with blanks: `(a, b)`, `` `Due date` ``"),
            '%' if self.operand_ended() => {
                let number = self.token(-1).is_some_and(|t| t.kind == TokenKind::Number);
                let after = self.token(1).is_some_and(|t| t.kind != TokenKind::Word);
                let a = self.token(-1).map_or("a", |token| token.text(self.text));
                let b = self.token(1).map_or("b", |token| token.text(self.text));
                let error = Error::new(Code::Syntax, "there is no operator `%`");
                let error = match number {
                    true => error.hint(format!("a percentage has no blank: `{a}%`")),
                    false => error,
                };
                match after || !number {
                    true => error.hint(format!("the remainder is `{a} - {b} * floor({a} / {b})`")),
                    false => error,
                }
            }
            '.' if self.token(1).is_some_and(|t| t.kind == TokenKind::Number) => {
                error.hint(format!("write `0.{}`", self.word(1)))
            }
            _ => return None,
        })
    }

    /// A sign that is no letter of a name, pasted from elsewhere: a dash, a currency.
    fn wrong_letter(&self) -> Option<Error> {
        const DASHES: [char; 5] = ['\u{2010}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];
        const CURRENCIES: [char; 4] = ['\u{20ac}', '\u{a3}', '\u{a5}', '\u{20b9}'];
        let text = self.token(0)?.text(self.text);
        let shown: String = text.chars().take(40).collect();
        let error = Error::new(Code::Syntax, format!("`{shown}` does not fit here"));
        if text.contains(DASHES) {
            let hint = "minus is written `-`; from one day to another, `between a and b`";
            return Some(error.hint(format!("this is a dash: {hint}")));
        }
        text.contains(CURRENCIES).then(|| {
            let number = text.replace(CURRENCIES, "");
            error.hint(format!("an amount has no sign: write `{number}`"))
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
                .map_or("OBJECT", |token| token.text(self.text));
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
                    .hint("write `explain ... where ...`, or `explain analyze ...`"),
            );
        }
        let text = self.token(0).is_some_and(|t| t.kind == TokenKind::Text);
        if first == "find" && (self.at == 1 || self.at == 2 && text) {
            return Some(
                Error::new(Code::Syntax, "`find` takes all words in one pair of quotes")
                    .hint("write `find \"two words\"`"),
            );
        }
        match (first.as_str(), word.as_str()) {
            ("update", "where") => Some(
                Error::new(Code::Syntax, "`where` stands after `set`")
                    .hint(self.filled("write `update {object} where ... set ...`")),
            ),
            ("merge", "into") if self.at == 2 => {
                let (key, other) = match self.token(-1)?.kind {
                    TokenKind::Word => ("\"a\"", "\"b\""),
                    _ => {
                        let text = |offset| self.token(offset).map(|token| token.text(self.text));
                        (text(-1)?, text(1).unwrap_or("\"b\""))
                    }
                };
                let hint = format!("write `merge OBJECT {key} into {other}`");
                Some(Error::new(Code::Syntax, "`merge` lacks its object or a record").hint(hint))
            }
            ("delete", "from") => Some(
                Error::new(Code::Syntax, "`delete` takes no `from`")
                    .hint(self.filled("write `delete {object} where ...`")),
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
            Some(TokenKind::Word) if nearest(&self.word(1), ["by"]).is_some() => self.word(2),
            Some(TokenKind::Word) => self.word(1),
            _ => "x".to_owned(),
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
        if word == "*" && self.word(-1) == "." {
            return Some(
                Error::new(Code::Syntax, "`*` stands alone")
                    .hint("all fields of the object: `select *`"),
            );
        }
        if self.token(0).is_none() && self.word(-1) == ")" {
            let tokens = self.tokens.iter().map(|token| token.text(self.text));
            let words: Vec<_> = tokens.collect();
            let between = words
                .iter()
                .rposition(|word| word.eq_ignore_ascii_case("between"))?;
            if words.get(between + 1) == Some(&"(") {
                return Some(
                    Error::new(Code::Syntax, "`between` lacks its second value")
                        .hint("it takes no parentheses: `between a and b`"),
                );
            }
        }
        if word == "(" && self.word(-2) == "." {
            return Some(
                Error::new(Code::Syntax, "a function's name has no dots")
                    .hint("the path goes inside: `sum(collection.field)`"),
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
            let near = nearest(&first, STATEMENTS.iter().copied());
            if let Some(word) = near.filter(|word| *word != first) {
                return Some(
                    Error::new(Code::Syntax, format!("`{shown}` does not fit here"))
                        .hint(format!("did you mean `{word} {shown}`?")),
                );
            }
        }
        if !self.operand_ended() {
            let name = format!("{} {shown}", before.text(self.text));
            return (self.word(-2) == "as").then(|| {
                Error::new(Code::Syntax, format!("`{shown}` does not fit here")).hint(format!(
                    "a name with blanks stands in back-quotes: `` as `{name}` ``"
                ))
            });
        }
        let previous = before.text(self.text);
        let error = Error::new(
            Code::Syntax,
            format!("`{shown}` follows `{previous}` without an operator"),
        );
        if token.kind == TokenKind::Word && nearest(&shown, self.expected_words()).is_some() {
            return Some(error.near(&shown, self.expected_words()));
        }
        if AGGREGATES.contains(&self.word(-1).as_str()) {
            return Some(error.hint(format!("write `{previous}({shown})`")));
        }
        if self.word(0) == "by" {
            return Some(error.hint("groups come before `select`: `... group by x select x, ...`"));
        }
        let aliased = self.expected.contains(&Phrase::Part("as"));
        Some(match token.kind {
            TokenKind::Word | TokenKind::Quoted if aliased => error.hint(format!(
                "to name a column, write `{previous} as {shown}`; to show both, put `,` between"
            )),
            TokenKind::Word => {
                let bare = before.kind == TokenKind::Word && !is_one_of(RESERVED, &self.word(-1));
                let error = match bare {
                    true => error.hint(format!(
                        "a label of several words stands in quotes: \"{previous} {shown}\""
                    )),
                    false => error,
                };
                match self.expected.contains(&Phrase::Part(",")) {
                    true => error.hint(format!("two are separated: `{previous}, {shown}`")),
                    false => error,
                }
            }
            _ => error.hint("join them with an operator, or separate them with `,`"),
        })
    }

    /// `add` without its parentheses, or without the names of its fields.
    fn bare_values(&self) -> Option<Error> {
        let token = self.token(0)?;
        let bindings = self.expected.contains(&Phrase::Part("("));
        let names = self.word(-1) == "(" && token.kind == TokenKind::Text;
        let first = self.first_word();
        if !matches!(first.as_str(), "add" | "upsert") || !(bindings || names) {
            return None;
        }
        let object = self.tokens.get(1)?.text(self.text);
        let error = format!("`{}` does not fit here", token.text(self.text));
        let key = if first == "upsert" { " on key" } else { "" };
        let shape = format!(
            "the values stand in parentheses: `{first} {object}{key} (field = value, ...)`"
        );
        Some(Error::new(Code::Syntax, error).hint(shape))
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
