//! Words, signs and spellings of other languages, each with what says the same here.

use super::{Failure, Phrase};
use crate::error::{Code, Error, nearest};
use crate::query::syntax::scan::{Token, TokenKind};
use crate::query::syntax::words::{RESERVED, STATEMENTS, is_one_of};

/// Words that cannot stand where they were met, and what says the same here.
const WORDS: &[(&str, &str)] = &[
    (
        "join",
        "leave it out and follow the reference: `reference.field`",
    ),
    ("case", "write `if(condition, value, otherwise)`"),
    ("when", "write `if(condition, value, otherwise)`"),
    ("into", "write `add {object} (field = value)`"),
    ("insert", "write `add {object} (field = value)`"),
    ("values", "write `add {object} (field = value)`"),
    (
        "table",
        "what other systems call a table is an object: write `object`",
    ),
    ("ilike", "write `like` or `~`; both ignore case"),
    ("column", "write `field`"),
    (
        "from",
        "what is read comes first, without `from`: `{object} where ... select ...`",
    ),
    ("contains", "write `~`: `{x} ~ \"part\"`"),
    ("includes", "for text write `~`; for tags write `has`"),
    ("starts", "write `like`: `{x} like \"part*\"`"),
    ("begins", "write `like`: `{x} like \"part*\"`"),
    ("ends", "write `like`: `{x} like \"*part\"`"),
    (
        "regexp",
        "write `~` for a part of a text, or `like` with `*` and `?`",
    ),
    (
        "rlike",
        "write `~` for a part of a text, or `like` with `*` and `?`",
    ),
    (
        "matches",
        "for text write `~` or `like`; a stored filter is asked by `matches(filter)`",
    ),
    ("sort", "write `order by`"),
    ("sortby", "write `order by`"),
    ("sorted", "write `order by`"),
    ("within", "write `in`: `{x} in last 30 days`"),
    ("equals", "write `=`"),
    ("equal", "write `=`"),
    ("than", "comparisons are signs: `>`, `<`, `>=`, `<=`"),
    ("more", "comparisons are signs: `>`, `<`, `>=`, `<=`"),
    ("less", "comparisons are signs: `>`, `<`, `>=`, `<=`"),
    ("greater", "comparisons are signs: `>`, `<`, `>=`, `<=`"),
    ("ago", "subtract: `today - 30 days`"),
    ("descending", "write `desc`"),
    ("ascending", "write `asc`, or nothing"),
    ("nulls", "leave it out: missing values come last, both ways"),
    (
        "top",
        "write `limit 5`; with `order by`, the first 5 of that order",
    ),
    ("take", "write `limit 5`"),
    ("first", "write `limit 5`"),
    ("head", "write `limit 5`"),
    ("fetch", "write `limit 5`"),
    ("skip", "write `offset 5`"),
    (
        "distinct",
        "group by it: `{object} group by x`; or count(distinct x)",
    ),
    (
        "over",
        "write `rank()`, `running(x)` or `total(x)`: they run over the rows of the result",
    ),
    ("partition", "write `limit 3 per x`, or `group by x`"),
    ("extend", "write `let total = ...` before `where`"),
    ("summarize", "write `group by x select x, count()`"),
    ("project", "write `select`"),
    ("filter", "write `where`"),
];

/// The same for words that begin a statement.
const FIRST_WORDS: &[(&str, &str)] = &[
    (
        "from",
        "what is read comes first, without `from`: `{object} where ... select ...`",
    ),
    ("where", "what is read comes first: `{object} where ...`"),
    (
        "with",
        "name a query with `create view`, or put it in parentheses: `({object} where ...)`",
    ),
    (
        "show",
        "write the object alone: `{object}`; the shell's `.objects` lists all objects",
    ),
    (
        "describe",
        "the shell's `.describe {object}` shows the fields of an object",
    ),
    (
        "use",
        "a book is opened when the shell starts; then its objects stand for themselves",
    ),
    ("truncate", "write `delete {object} where true`"),
    ("merge", "write `upsert {object} on key (key = value, ...)`"),
    (
        "replace",
        "write `upsert {object} on key (key = value, ...)`",
    ),
    ("insert", "write `add {object} (field = value)`"),
    ("top", "write `{object} limit 5`"),
    ("my", "of the one who asks: `{object} where x = me`"),
    ("all", "write the object alone: `{object}`"),
    ("get", "what is read comes first: `{object} where ...`"),
    (
        "find",
        "what is read comes first: `{object} where x ~ \"part\"`",
    ),
    ("list", "what is read comes first: `{object} where ...`"),
    ("duplicates", "write `duplicates of {object}`"),
    (
        "dedupe",
        "`duplicates of {object}` tells which, `merge` makes one record of two",
    ),
    ("grant", "who may do what is not said in the language"),
];

/// Reserved words that are values.
const VALUES: &[&str] = &["me", "today", "now", "this", "true", "false"];

/// Two signs that are one here.
const SIGNS: &[(&str, &str, &str)] = &[
    ("~", "=", "~"),
    ("=", "~", "~"),
    ("=", ">", ">="),
    ("=", "<", "<="),
    ("!", "<", ">="),
    ("!", ">", "<="),
    ("*", "=", "="),
];

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The number of the month that a word names.
pub(super) fn month(word: &str) -> Option<usize> {
    let word = word.to_ascii_lowercase();
    let full = word.len() == 3 || word.len() > 3 && word.chars().all(|c| c.is_ascii_alphabetic());
    let at = MONTHS.iter().position(|month| word.starts_with(month))?;
    (full && word.len() <= 9).then_some(at + 1)
}

fn in_currency(number: &str, currency: &str) -> String {
    format!(
        "a number beside an amount is in the book's currency: `{number}`; one in another \
         stands in quotes: `\"{number} {currency}\"`"
    )
}

fn no_place(word: &str) -> Error {
    Error::new(Code::Syntax, format!("`{word}` does not fit here"))
}

impl Failure<'_> {
    /// A word of another language, where it stands or where it began the statement.
    pub(super) fn foreign_word(&self) -> Option<Error> {
        let look = |table: &[(&str, &'static str)], word: &str| {
            let known = table.iter().find(|(foreign, _)| *foreign == word);
            known.map(|(_, hint)| *hint)
        };
        let first = self.first_word();
        let word = self.word(0);
        // The name of an object may begin a query; then another clause could have followed it.
        // `merge` alone begins a statement.
        let said = match first.as_str() {
            "merge" => format!("merge {word}"),
            _ => first.clone(),
        };
        if self.at <= 1
            && (said == first || said == "merge into")
            && let Some(hint) = look(FIRST_WORDS, &first)
        {
            return Some(
                Error::new(Code::Syntax, format!("`{said}` begins no statement"))
                    .hint(self.filled(hint)),
            );
        }
        if self.token(0)?.kind != TokenKind::Word {
            return None;
        }
        let special = match self.word(-1).as_str() {
            "distinct" | "unique" => look(WORDS, "distinct"),
            "the" => Some("leave `the` out"),
            "is" if is_one_of(VALUES, &word) => Some("`is` asks for `empty`; else write `=`"),
            "union" => Some("each part stands in parentheses: `(...) union (...)`"),
            _ if word == "as" && self.word(-3) == "cast" => {
                Some("a value is not cast: each function takes what fits")
            }
            _ => None,
        };
        if let Some(hint) = special {
            return Some(no_place(self.token(0)?.text(self.text)).hint(self.filled(hint)));
        }
        if word == "select" && self.word(-1) == "(" {
            let hint = match self.word(-2).as_str() {
                "exists" => "name the collection: `exists(collection where ...)`",
                _ => "the object comes first: `({object} where ... select ...)`",
            };
            return Some(
                Error::new(Code::Syntax, "a query does not begin with `select`")
                    .hint(self.filled(hint)),
            );
        }
        // A reserved word where a name could stand was meant as one.
        if is_one_of(RESERVED, &word) && self.expected.contains(&Phrase::Value) {
            return None;
        }
        let hint = look(WORDS, &word)?;
        let error = Error::new(Code::Syntax, format!("there is no `{word}` here"));
        Some(error.hint(self.filled(hint)))
    }

    /// A hint with the statement's own object and field in it, as far as they are plain.
    pub(super) fn filled(&self, hint: &str) -> String {
        let field = self.token(-1).filter(|token| self.is_name(token));
        let field = field.map_or("x", |token| token.text(self.text));
        hint.replace("{object}", self.read_object().unwrap_or("OBJECT"))
            .replace("{x}", field)
    }

    fn is_name(&self, token: &Token) -> bool {
        let word = token.text(self.text);
        token.kind == TokenKind::Word
            && !is_one_of(RESERVED, word)
            && !is_one_of(STATEMENTS, word)
            && !FIRST_WORDS
                .iter()
                .any(|(first, _)| first.eq_ignore_ascii_case(word))
    }

    /// The object that the statement is about: behind SQL's word for it, else at the beginning.
    pub(super) fn read_object(&self) -> Option<&str> {
        const BEFORE: &[&str] = &[
            "from", "into", "table", "describe", "truncate", "delete", "update",
        ];
        let after = |pair: &[Token]| is_one_of(BEFORE, pair[0].text(self.text));
        let mut pairs = self.tokens.windows(2);
        let named = pairs.find(|pair| after(pair) && self.is_name(&pair[1]));
        let named = match named {
            Some(pair) => Some(&pair[1]),
            None if self.first_word() == "with" => None,
            None => self.tokens.iter().take(3).find(|token| self.is_name(token)),
        };
        named.map(|token| token.text(self.text))
    }

    /// A sign that is written otherwise.
    pub(super) fn foreign_sign(&self) -> Option<Error> {
        let (before, sign) = (self.word(-1), self.word(0));
        if let Some((a, b, ours)) = SIGNS.iter().find(|(a, b, _)| *a == before && *b == sign) {
            let error = Error::new(Code::Syntax, format!("`{a}{b}` is no operator here"));
            return Some(error.hint(format!("write `{ours}`")));
        }
        let error = || no_place(&sign);
        match sign.as_str() {
            "=" if matches!(before.as_str(), ">" | "<" | "!") => {
                Some(error().hint(format!("an operator has no blank: write `{before}=`")))
            }
            "<" | ">" | "=" | "~" | "!" if matches!(before.as_str(), "and" | "or") => {
                Some(error().hint("name the field again: `x > 5 and x < 10`"))
            }
            "=" if self.at == 0 => Some(error().hint("leave it out: a statement is no formula")),
            "|" => Some(error().hint(
                "there are no pipes: clauses follow each other, `... where ... select ...`; \
                 `or` joins conditions",
            )),
            ":" if before == ":" || self.word(1) == ":" => {
                Some(error().hint("a value is not cast: each function takes what fits"))
            }
            ":" if before.starts_with("last_n") || before.starts_with("next_n") => {
                Some(error().hint("write `x in last 30 days`"))
            }
            "(" if matches!(before.as_str(), "today" | "now" | "me") => {
                Some(error().hint(format!("write `{before}`, without parentheses")))
            }
            "{" if self.at == 1 => {
                let object = self.first_word();
                Some(error().hint(format!("write `{object} select ...`")))
            }
            "[" if self.at == 1 => {
                let object = self.first_word();
                Some(error().hint(format!("write `{object} \"label\"`")))
            }
            "[" if before == "in" => Some(error().hint("a list stands in parentheses: `(a, b)`")),
            "#" => Some(error().hint("an id has no blank: `#42`")),
            "\\" => Some(error().hint("a backslash means nothing here")),
            _ => None,
        }
    }

    /// A comma that would have to be something else.
    pub(super) fn foreign_comma(&self) -> Option<Error> {
        if self.word(0) != "," {
            return None;
        }
        let error = no_place(",");
        let number = |offset| {
            let token = self.token(offset)?;
            (token.kind == TokenKind::Number).then(|| token.text(self.text))
        };
        if self.word(-2) == "limit" {
            let (skip, count) = (self.word(-1), self.word(1));
            return Some(error.hint(format!("write `limit {count} offset {skip}`")));
        }
        if let (Some(high), Some(low)) = (number(-1), number(1))
            && low.len() == 3
            && high.len() <= 3
            && self.token(1)?.span.start == self.token(0)?.span.end
        {
            return Some(error.hint(format!(
                "numbers have no thousands separator: write `{high}{low}` or `{high}k`"
            )));
        }
        if let (Some(high), Some(low)) = (number(-1), number(1))
            && self.word(-2) == "."
            && let Some(higher) = number(-3)
        {
            let whole = format!("{higher}{high}");
            return Some(error.hint(format!(
                "the decimal sign is a point, and thousands have none: `{whole}.{low}`"
            )));
        }
        match self.word(-2).as_str() {
            "between" => Some(error.hint("write `between 5 and 10`")),
            "in" => Some(error.hint("a list stands in parentheses: `in (a, b)`")),
            "under" | "above" | "=" | "like" | "~" => {
                Some(error.hint("join conditions with `and` or `or`: `a = 1 or a = 2`"))
            }
            _ => None,
        }
    }

    /// A date or an amount in the spelling of elsewhere.
    pub(super) fn foreign_value(&self) -> Option<Error> {
        let (before, word) = (self.word(-1), self.word(0));
        let is = |offset, kind| self.token(offset).is_some_and(|token| token.kind == kind);
        let currency =
            |text: &str| text.len() == 3 && text.chars().all(|c| c.is_ascii_alphabetic());
        let thousands = |token: &Token| {
            let text = token.text(self.text);
            text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())
        };
        let hint = if is(-1, TokenKind::Number)
            && is(0, TokenKind::Number)
            && self.word(-2) != "limit"
            && self.token(0).is_some_and(thousands)
        {
            format!("numbers have no thousands separator: write `{before}{word}`")
        } else if is(-1, TokenKind::Number) && is(0, TokenKind::Word) {
            if self.word(-2) == "limit" {
                return None;
            }
            let shown = self.token(0)?.text(self.text);
            if let Some(month) = month(&word) {
                format!("dates are written year, month, day: `2026-{month:02}-01`")
            } else if word.len() == 2 && word.starts_with('q') {
                format!(
                    "a quarter has no blank: `{before}-{}`",
                    word.to_ascii_uppercase()
                )
            } else if currency(&word) && shown == shown.to_ascii_uppercase() {
                in_currency(&before, shown)
            } else {
                return None;
            }
        } else if is(-1, TokenKind::Word) && is(0, TokenKind::Number) {
            let shown = self.token(-1)?.text(self.text);
            if self.at == 1 {
                format!("an id has `#` before it: `{shown} #{word}`")
            } else if let Some(month) = month(&before) {
                format!("dates are written year, month, day: `2026-{month:02}-01`")
            } else if currency(&before) && shown == shown.to_ascii_uppercase() {
                in_currency(&word, shown)
            } else {
                return None;
            }
        } else if word == "all" && before == "limit" {
            "leave `limit` out: then all rows come".to_owned()
        } else if is(0, TokenKind::Number) && self.word(-2) == "limit" {
            format!("write `limit {before} offset {word}`")
        } else if is(0, TokenKind::Text) && before == "as" {
            let name = self.token(0)?.text(self.text);
            let name = name.trim_matches(|c| c == '"' || c == '\'');
            format!("a name with blanks stands in back-quotes: `` as `{name}` ``")
        } else {
            return None;
        };
        Some(no_place(self.token(0)?.text(self.text)).hint(hint))
    }

    /// What follows the object that a query begins with, and is no clause.
    pub(super) fn beside_object(&self) -> Option<Error> {
        let token = self.token(0)?;
        let object = self.tokens.first()?.text(self.text);
        if self.tokens.first()?.kind != TokenKind::Word
            || !self.expected.contains(&Phrase::Clause("where"))
            || nearest(object, STATEMENTS.iter().copied()).is_some()
        {
            return None;
        }
        let shown: String = token.text(self.text).chars().take(40).collect();
        let word = self.word(0);
        match (self.at, token.kind) {
            (1, TokenKind::Word) if word == "with" => {
                Some(no_place(&shown).hint("it follows `group by`: `group by x with totals`"))
            }
            (1, TokenKind::Word) if object.eq_ignore_ascii_case("compare") => {
                let hint = "a query stands in parentheses: `compare (OBJECT where ...) in PERIOD`";
                Some(no_place(&shown).hint(hint))
            }
            (1, TokenKind::Word)
                if is_one_of(&["changes", "spans"], object) && self.is_name(token) =>
            {
                let dotted = |token: &&Token| self.is_name(token) || token.text(self.text) == ".";
                let path = self.tokens[1..].iter().take_while(dotted);
                let path: String = path.map(|token| token.text(self.text)).collect();
                let path = match path.contains('.') {
                    true => path,
                    false => format!("{path}.FIELD"),
                };
                Some(no_place(&shown).hint(format!("write `{object} of {path}`")))
            }
            (1, TokenKind::Word) if word == "as" || self.word(1) == "where" => {
                Some(no_place(&shown).hint(format!(
                    "{object} need no other name: their fields stand for themselves"
                )))
            }
            (1, TokenKind::Word) => {
                if nearest(&word, self.expected_words()).is_some() {
                    return None;
                }
                Some(
                    no_place(&shown)
                        .hint(format!("to show a field write `{object} select {shown}`"))
                        .hint(format!(
                            "one record is named in quotes: `{object} \"{shown}\"`"
                        )),
                )
            }
            (2, TokenKind::Text) if self.token(-1)?.kind == TokenKind::Text => {
                let first = self.token(-1)?.text(self.text);
                Some(no_place(&shown).hint(format!(
                    "for several records write `{object} where name in ({first}, {shown})`"
                )))
            }
            _ => None,
        }
    }
}
