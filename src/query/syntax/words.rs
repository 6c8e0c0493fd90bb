//! The reserved words, and when a name needs back-quotes. Not the contextual keywords' grammar.

/// The words that are no names unless they stand in back-quotes.
pub(super) const RESERVED: &[&str] = &[
    "and", "or", "not", "where", "having", "select", "limit", "offset", "in", "is", "as",
    "between", "like", "under", "above", "matches", "has", "with", "per", "let", "set", "on",
    "from", "to", "asc", "desc", "empty", "true", "false", "today", "now", "me", "this", "outer",
];

/// The reserved words that are operands by themselves, at the head of a path.
pub(super) const SPECIAL: &[&str] = &["today", "now", "me", "this", "outer"];

/// The words that are names only where no keyword, and no better word, could be meant.
const CONTEXTUAL: &[&str] = &["order", "group", "distinct", "null"];

/// The words that begin a statement, or follow such a word; an object of this name is quoted.
pub(super) const STATEMENTS: &[&str] = &[
    "explain",
    "analyze",
    "sql",
    "add",
    "update",
    "upsert",
    "delete",
    "import",
    "export",
    "create",
    "alter",
    "drop",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "merge",
    "restore",
    "undo",
    "redo",
];

/// Every type a field can have, as written.
pub(super) const TYPES: &[&str] = &[
    "text",
    "longtext",
    "integer",
    "number",
    "money",
    "percent",
    "date",
    "datetime",
    "period",
    "boolean",
    "picklist",
    "tags",
    "email",
    "phone",
    "url",
    "duration",
    "ref",
    "filter",
    "expression",
    "formula",
];

/// The types that are one word and take nothing after it.
pub(super) const PLAIN_TYPES: &[&str] = &[
    "text", "longtext", "integer", "number", "money", "percent", "date", "datetime", "period",
    "boolean", "email", "phone", "url", "duration",
];

pub(super) fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether the grammar reads `text` as a name without back-quotes, wherever a name may stand.
pub(super) fn is_bare_name(text: &str) -> bool {
    let letter = |c: char| c == '_' || c.is_ascii_alphabetic() || pest::unicode::LETTER(c);
    let later = |c: char| letter(c) || c.is_ascii_digit();
    let mut characters = text.chars();
    characters.next().is_some_and(letter)
        && characters.all(later)
        && !is_one_of(RESERVED, text)
        && !is_one_of(CONTEXTUAL, text)
}

/// The name that a text says, perhaps in back-quotes.
pub(crate) fn spoken_name(text: &str) -> String {
    let quoted = text
        .strip_prefix('`')
        .and_then(|text| text.strip_suffix('`'));
    quoted.map_or_else(|| text.to_owned(), |name| name.replace("``", "`"))
}

/// Every word that the reference tells of.
#[cfg(test)]
pub(crate) const WORDS: &[&[&str]] = &[RESERVED, STATEMENTS, TYPES];
