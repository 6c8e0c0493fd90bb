//! The scan before the grammar: linear, and the only part that sees a text of any size.
//!
//! It blanks comments, cuts the text at `;`, bounds nesting and length, and refuses what would
//! give the grammar's errors no good place: open strings and parentheses. It reads no meaning.

use crate::error::{Code, Error, Result, Span};
use std::borrow::Cow;

/// Parentheses, braces and chains of `not` and `-` nest at most this deep.
pub(super) const NESTING_MAX: usize = 100;
const SCRIPT_BYTES_MAX: usize = 16 << 20;
const STATEMENT_BYTES_MAX: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Letters and digits that begin with a letter.
    Word,
    /// Letters and digits that begin with a digit.
    Number,
    /// A string in quotes.
    Text,
    /// A name in back-quotes.
    Quoted,
    Comment,
    Symbol(char),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

impl Token {
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.span.clone()]
    }

    /// Whether an operand can end with this token.
    pub(super) fn ends_operand(&self) -> bool {
        match self.kind {
            TokenKind::Comment => false,
            TokenKind::Symbol(c) => matches!(c, ')' | '}' | '%'),
            _ => true,
        }
    }
}

/// The statements of a text, and the text with its comments and odd blanks made spaces.
pub(super) struct Script<'a> {
    pub text: Cow<'a, str>,
    pub statements: Vec<Span>,
}

/// Cuts a text into tokens; stops after the first error.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Only blanks stand before this place on its line.
    line_starts: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line_starts: true,
        }
    }

    /// The length of the string or quoted name that starts here, its quote doubled inside.
    fn quoted(&self, quote: char) -> Result<usize> {
        let rest = &self.text[self.at..];
        let mut from = 1;
        while let Some(end) = rest[from..].find(quote) {
            from += end + 1;
            if !rest[from..].starts_with(quote) {
                return match rest[..from].find('\0') {
                    Some(nul) => Err(control_character('\0', self.at + nul)),
                    None => Ok(from),
                };
            }
            from += 1;
        }
        let what = if quote == '`' { "name" } else { "string" };
        let error = Error::new(
            Code::Unterminated,
            format!("the {what} that starts here does not end"),
        )
        .at(self.at..self.at + 1)
        .hint(format!(
            "close it with {quote}; inside, {quote} is written twice"
        ));
        Err(match self.text[..self.at].contains(&format!("\\{quote}")) {
            true => error.hint(format!(
                "a backslash is a letter like others: write {quote}{quote}"
            )),
            false => error,
        })
    }

    fn starts_comment(&self) -> bool {
        let bytes = self.text.as_bytes();
        let blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
        self.text[self.at..].starts_with("--")
            && (self.line_starts || blank(self.at - 1) && blank(self.at + 2))
    }

    fn token(&mut self) -> Option<Result<Token>> {
        let rest = self.text[self.at..].trim_start_matches(is_blank);
        let skipped = &self.text[self.at..self.text.len() - rest.len()];
        self.line_starts = self.at == 0 || skipped.contains('\n');
        self.at += skipped.len();
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            '"' | '\'' | '`' => match self.quoted(first) {
                Ok(length) if first == '`' => (TokenKind::Quoted, length),
                Ok(length) => (TokenKind::Text, length),
                Err(error) => return Some(Err(error)),
            },
            '-' if self.starts_comment() => {
                (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()))
            }
            c if c.is_control() => return Some(Err(control_character(c, self.at))),
            c if is_letter(c) => {
                let kind = if c.is_ascii_digit() {
                    TokenKind::Number
                } else {
                    TokenKind::Word
                };
                (kind, rest.find(|c| !is_letter(c)).unwrap_or(rest.len()))
            }
            c => (TokenKind::Symbol(c), c.len_utf8()),
        };
        let span = self.at..self.at + length;
        self.at += length;
        Some(Ok(Token { kind, span }))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token>;

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.token();
        if matches!(token, Some(Err(_))) {
            self.at = self.text.len();
        }
        token
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Coarser than the grammar: it decides what is a name.
fn is_letter(c: char) -> bool {
    c == '_'
        || c.is_ascii_alphanumeric()
        || !c.is_ascii() && !is_blank(c) && !is_curly_quote(c) && !c.is_control()
}

pub(super) fn is_curly_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}')
}

fn control_character(c: char, at: usize) -> Error {
    let code = u32::from(c);
    Error::new(
        Code::Syntax,
        format!("the text holds the control character U+{code:04X}"),
    )
    .at(at..at + c.len_utf8())
    .hint("remove it; a statement is plain text")
}

/// How deep the scan stands, and where it came from.
#[derive(Default)]
struct Nesting {
    open: Vec<(char, usize)>,
    /// Prefix operators in a row before the token.
    prefixes: usize,
}

impl Nesting {
    fn step(&mut self, token: &Token, text: &str) -> Result<()> {
        let at = token.span.start;
        match token.kind {
            TokenKind::Symbol(c @ ('(' | '{')) => {
                self.open.push((c, at));
                self.prefixes = 0;
            }
            TokenKind::Symbol(c @ (')' | '}')) => {
                self.close(c, at)?;
                self.prefixes = 0;
            }
            TokenKind::Symbol('-' | '!') => self.prefixes += 1,
            TokenKind::Word if token.text(text).eq_ignore_ascii_case("not") => self.prefixes += 1,
            _ => self.prefixes = 0,
        }
        if self.open.len() + self.prefixes > NESTING_MAX {
            return Err(Error::new(
                Code::TooDeep,
                format!("the statement nests deeper than {NESTING_MAX} levels"),
            )
            .at(token.span.clone())
            .hint("name parts with `let`, or in a view or formula of their own"));
        }
        Ok(())
    }

    fn close(&mut self, c: char, at: usize) -> Result<()> {
        let opening = if c == ')' { '(' } else { '{' };
        match self.open.pop() {
            Some((open, _)) if open == opening => Ok(()),
            Some((open, opened)) => Err(Error::new(
                Code::Syntax,
                format!("`{open}` is closed by `{c}`"),
            )
            .at(opened..opened + 1)
            .hint(format!("close it before `{c}`, or remove it"))),
            None => Err(Error::new(Code::Syntax, format!("`{c}` closes nothing"))
                .at(at..at + 1)
                .hint(format!("remove it, or open `{opening}` before"))),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.prefixes = 0;
        match self.open.pop() {
            Some((open, at)) => {
                let close = if open == '(' { ')' } else { '}' };
                Err(
                    Error::new(Code::Syntax, format!("`{open}` is never closed"))
                        .at(at..at + 1)
                        .hint(format!("put `{close}` where its part ends")),
                )
            }
            None => Ok(()),
        }
    }
}

/// Scans a script.
pub(super) fn scan(text: &str) -> Result<Script<'_>> {
    if text.len() > SCRIPT_BYTES_MAX {
        return Err(too_long("script", SCRIPT_BYTES_MAX).hint("split it into several files"));
    }
    let mut script = Script {
        text: Cow::Borrowed(text),
        statements: Vec::new(),
    };
    let mut nesting = Nesting::default();
    let mut statement: Option<Span> = None;
    let mut end = 0;
    for token in Tokens::new(text) {
        let token = token?;
        if !text[end..token.span.start].is_ascii() {
            blank(&mut script.text, end..token.span.start);
        }
        end = token.span.end;
        match token.kind {
            TokenKind::Comment => blank(&mut script.text, token.span),
            TokenKind::Symbol(';') => {
                nesting.finish().map_err(|error| {
                    error.hint("`;` ends a statement; what stands in a list is separated by `,`")
                })?;
                script.statements.extend(statement.take());
            }
            _ => {
                nesting.step(&token, text)?;
                let start = statement.map_or(token.span.start, |span| span.start);
                if token.span.end - start > STATEMENT_BYTES_MAX {
                    return Err(too_long("statement", STATEMENT_BYTES_MAX)
                        .at(start..start + 1)
                        .hint("split it, or import the data from a file"));
                }
                statement = Some(start..token.span.end);
            }
        }
    }
    nesting.finish()?;
    script.statements.extend(statement);
    if !text[end..].is_ascii() {
        blank(&mut script.text, end..text.len());
    }
    Ok(script)
}

/// Makes a stretch of the text spaces, byte for byte, so that places stay.
fn blank(text: &mut Cow<'_, str>, span: Span) {
    let spaces = " ".repeat(span.len());
    text.to_mut().replace_range(span, &spaces);
}

fn too_long(what: &str, limit: usize) -> Error {
    Error::new(
        Code::TooLong,
        format!("the {what} is longer than {} MiB", limit >> 20),
    )
}
