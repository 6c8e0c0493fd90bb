//! The one error of the library: what is wrong, where, what is near and what to do.
//!
//! Every layer builds this type directly. A [`Code`] names the situation and decides its
//! [`Kind`], the caller's possible reaction; the rest is text for a person.

use std::fmt;
use std::ops::Range;

/// The result of every fallible operation of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A place in a statement: a byte range of its text.
pub type Span = Range<usize>;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The text is no statement: fix the text.
    Syntax,
    /// The text names or combines things that do not fit the book: fix the query.
    Bind,
    /// The data breaks a rule of the book: fix the data.
    Constraint,
    /// Something named does not exist.
    NotFound,
    /// Another transaction was first: run the transaction again.
    Conflict,
    /// A limit was reached: ask for less, or raise the limit.
    Limit,
    /// The operating system refused.
    Io,
    /// The file is damaged: restore from a backup.
    Corrupt,
    /// The file was written by another version of the library.
    IncompatibleFormat,
    /// The operation was stopped on request.
    Interrupted,
    /// A fault of the library: please report it.
    Internal,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)*) => {
        /// The situation an error describes, stable across versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code there is, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as printed, for example `unknown-field`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What a caller can do about it.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }
        }
    };
}

codes! {
    /// The text does not follow the grammar.
    Syntax = "syntax", Syntax;
    /// A string, comment or quoted name does not end.
    Unterminated = "unterminated", Syntax;
    /// Parentheses or braces nest too deeply.
    TooDeep = "too-deep", Limit;
    /// A statement is longer than the library reads.
    TooLong = "too-long", Limit;
    /// A literal cannot be read: a date that does not exist, a number out of range.
    BadLiteral = "bad-literal", Syntax;
    /// No object, view or collection has this name.
    UnknownObject = "unknown-object", Bind;
    /// No field, `let` name or alias has this name.
    UnknownField = "unknown-field", Bind;
    /// No function has this name.
    UnknownFunction = "unknown-function", Bind;
    /// No record, picklist value or tag has this label.
    UnknownLabel = "unknown-label", Bind;
    /// Several records have this label.
    AmbiguousLabel = "ambiguous-label", Bind;
    /// A name means two things here.
    AmbiguousName = "ambiguous-name", Bind;
    /// A parameter was not given.
    MissingParameter = "missing-parameter", Bind;
    /// Two types do not fit together.
    TypeMismatch = "type-mismatch", Bind;
    /// A value has no place in an order.
    NotOrdered = "not-ordered", Bind;
    /// A function got the wrong number of arguments.
    WrongArguments = "wrong-arguments", Bind;
    /// An aggregate stands where none may.
    MisplacedAggregate = "misplaced-aggregate", Bind;
    /// A clause or operator cannot be used here.
    Misplaced = "misplaced", Bind;
    /// SQL has no form for a part of the query.
    Untranslatable = "untranslatable", Bind;
    /// A formula, view or stored text reaches itself.
    Recursive = "recursive", Bind;
    /// The name is taken.
    NameTaken = "name-taken", Bind;
    /// Something else still uses what is to be dropped.
    StillUsed = "still-used", Constraint;
    /// A required field is missing.
    Required = "required", Constraint;
    /// A unique field already has this value.
    NotUnique = "not-unique", Constraint;
    /// An `upsert` key fits several records.
    AmbiguousKey = "ambiguous-key", Constraint;
    /// A hierarchy would contain itself.
    Cycle = "cycle", Constraint;
    /// A `check` of the object does not hold.
    CheckFailed = "check-failed", Constraint;
    /// A value does not fit its field.
    BadValue = "bad-value", Constraint;
    /// A record is still referred to.
    StillReferenced = "still-referenced", Constraint;
    /// A transaction cannot be undone: there is none, or later changes stand on it.
    CannotUndo = "cannot-undo", Constraint;
    /// A computation left the range of its type.
    Overflow = "overflow", Constraint;
    /// Amounts in several currencies meet without a rate.
    MissingRate = "missing-rate", Constraint;
    /// A sub-query used as a value gave several rows.
    TooManyRows = "too-many-rows", Constraint;
    /// Lines of an import were refused.
    Rejected = "rejected", Constraint;
    /// No record has this id or key.
    UnknownRecord = "unknown-record", NotFound;
    /// A file does not exist.
    NoSuchFile = "no-such-file", NotFound;
    /// Another transaction changed the same records or the schema first.
    Conflict = "conflict", Conflict;
    /// The book was opened for reading only.
    ReadOnly = "read-only", Constraint;
    /// `begin` within a transaction, or `commit` without one.
    TransactionState = "transaction-state", Bind;
    /// The clock of a transaction lies before the journal's last entry.
    ClockBackwards = "clock-backwards", Constraint;
    /// A limit of memory, size or number was reached.
    Limit = "limit", Limit;
    /// The operating system refused to read or write.
    Io = "io", Io;
    /// Another process holds the book.
    Locked = "locked", Io;
    /// The file is not a book.
    NotABook = "not-a-book", Corrupt;
    /// The book's contents contradict themselves.
    Corrupt = "corrupt", Corrupt;
    /// What is asked lies before the journal begins, which was pruned.
    Pruned = "pruned", NotFound;
    /// The book was written by a newer version.
    NewerFormat = "newer-format", IncompatibleFormat;
    /// The book was written by an older version and not closed cleanly.
    OlderFormat = "older-format", IncompatibleFormat;
    /// The statement was stopped.
    Interrupted = "interrupted", Interrupted;
    /// A fault of the library.
    Internal = "internal", Internal;
}

/// An error of the library.
///
/// `Display` gives one line, `code: message`; [`Error::report`] gives the full text with the
/// statement's line, a caret under the words at fault, and the hints.
///
/// ```
/// let book = fieldbook::Book::demo(10)?;
/// let error = book.query("opportunities where stag = won").unwrap_err();
/// assert_eq!(error.code().as_str(), "unknown-field");
/// assert!(error.report().contains("stage"));
/// # Ok::<(), fieldbook::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    span: Option<Span>,
    text: Option<String>,
    expected: Option<String>,
    hints: Vec<String>,
    record: Option<Subject>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The record that a message begins with, which is known by numbers alone.
struct Subject {
    object: u32,
    id: u64,
    /// How much of the message says so.
    len: usize,
}

impl Error {
    /// Makes an error; `message` is lower case, without a full stop, and quotes what is at fault.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            span: None,
            text: None,
            expected: None,
            hints: Vec::new(),
            record: None,
            source: None,
        }))
    }

    /// Says where in the statement it is; the innermost place, set first, stays.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// Attaches the statement's text, so that [`Error::report`] can show it; the first one stays.
    #[must_use]
    pub fn in_text(mut self, text: &str) -> Self {
        self.0.text.get_or_insert_with(|| text.to_owned());
        self
    }

    /// Says what was expected, in the words of the language; printed after the caret.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// Says which record the first `len` bytes of the message are about.
    #[must_use]
    pub(crate) fn about_record(mut self, object: u32, id: u64, len: usize) -> Self {
        self.0.record = Some(Subject { object, id, len });
        self
    }

    /// Lets the message say the name of the record that it begins with.
    #[must_use]
    pub(crate) fn name_record(mut self, name: impl FnOnce(u32, u64) -> String) -> Self {
        if let Some(Subject { object, id, len }) = self.0.record.take() {
            self.0.message.replace_range(..len, &name(object, id));
        }
        self
    }

    /// Adds to the message what it is about, in the user's words.
    #[must_use]
    pub(crate) fn about(mut self, words: impl AsRef<str>) -> Self {
        self.0.message.push_str(": ");
        self.0.message.push_str(words.as_ref());
        self
    }

    /// Adds a sentence that helps: what is near, what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds the nearest of `names` to `word` as a hint, if one is near.
    #[must_use]
    pub fn near<'a>(self, word: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, names) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// As [`Self::near`]; a name of several words is also near to what is near to one of them.
    #[must_use]
    pub(crate) fn near_words<'a>(
        self,
        word: &str,
        names: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    ) -> Self {
        let names = names.into_iter();
        let part = |name: &&str| {
            let parts = name.split_whitespace().filter(|part| part.len() > 2);
            nearest(word, parts).is_some()
        };
        match nearest(word, names.clone()) {
            Some(_) => self.near(word, names),
            None => match names.clone().find(part) {
                Some(name) => self.hint(format!("did you mean `{name}`?")),
                None => self,
            },
        }
    }

    /// Attaches the lower error that caused this one.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The situation.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The place in the statement's text, if the error is about one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span.clone()
    }

    /// What was expected there, if known.
    #[must_use]
    pub fn expectation(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// The sentences that help.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Whether running the transaction again may succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind() == Kind::Conflict
    }

    /// The full text for a person: message, the statement's line with a caret, hints.
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = format!("error[{}]: {}\n", self.0.code.as_str(), self.0.message);
        match (&self.0.text, &self.0.span) {
            (Some(text), Some(span)) => out.push_str(&excerpt(text, span, self.expectation())),
            _ => {
                if let Some(expected) = self.expectation() {
                    out.push_str(&format!("  = expected {expected}\n"));
                }
            }
        }
        for hint in &self.0.hints {
            out.push_str(&format!("  = {hint}\n"));
        }
        if self.kind() == Kind::Internal {
            out.push_str("  = this is a fault of Fieldbook; please report it with the statement\n");
        }
        out
    }
}

/// The line of `text` that holds `span`, with carets under it; long lines are cut around it.
fn excerpt(text: &str, span: &Span, expected: Option<&str>) -> String {
    const WIDTH: usize = 100;
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(span.start), floor(span.end.max(span.start)));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let number = text[..start].matches('\n').count() + 1;
    let line: Vec<char> = text[line_start..line_end].chars().collect();
    let column = text[line_start..start].chars().count();
    let width = text[start..end.min(line_end).max(start)]
        .chars()
        .count()
        .max(1);
    let cut = column.saturating_sub(WIDTH / 2);
    let clean = |c: &char| if c.is_control() { ' ' } else { *c };
    let shown: String = line.iter().skip(cut).take(WIDTH).map(clean).collect();
    let lead = if cut > 0 { "..." } else { "" };
    let gutter = " ".repeat(number.to_string().len());
    let pad = " ".repeat(column - cut + lead.len());
    let carets = "^".repeat(width.min(WIDTH - (column - cut).min(WIDTH - 1)));
    let expected = expected
        .map(|e| format!(" expected {e}"))
        .unwrap_or_default();
    let shown = shown.trim_end();
    format!("{gutter} |\n{number} | {lead}{shown}\n{gutter} | {pad}{carets}{expected}\n")
}

/// The name of `names` nearest to `word` by edit distance, ignoring case, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let limit = (word.len() / 3).max(1);
    names
        .into_iter()
        .map(|name| {
            let letters: Vec<char> = name.to_lowercase().chars().take(64).collect();
            (edit_distance(&word, &letters), name)
        })
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// The optimal string alignment distance: insertions, deletions, changes and swaps of neighbours.
pub(crate) fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, &cb) in b.iter().enumerate() {
            let change = last[j] + usize::from(ca != cb);
            row[j + 1] = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && ca == b[j - 1] && a[i - 1] == cb {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report().trim_end())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_puts_the_caret_under_the_words() {
        let text = "accounts\nwhere industri = finance";
        let error = Error::new(Code::UnknownField, "accounts has no field `industri`")
            .at(15..23)
            .in_text(text)
            .expected("a field of accounts")
            .near("industri", ["name", "industry"]);
        assert_eq!(
            error.report(),
            "error[unknown-field]: accounts has no field `industri`\n  |\n\
             2 | where industri = finance\n  |       ^^^^^^^^ expected a field of accounts\n  \
             = did you mean `industry`?\n"
        );
    }

    #[test]
    fn codes_are_unique() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn nearest_knows_swaps_and_limits() {
        assert_eq!(nearest("satge", ["stage", "amount"]), Some("stage"));
        assert_eq!(nearest("zzz", ["stage", "amount"]), None);
    }
}
