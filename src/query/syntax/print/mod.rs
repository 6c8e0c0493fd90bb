//! The printer: a tree back to canonical text. Whatever the parser makes prints to a text that
//! parses to the same tree; stored views, formulas and filters rely on it.

mod expression;
mod statement;

use super::ast::{Binding, Group, Item, Limit, Name, Nested, OrderKey, Query, Source, Text};
use super::bare;
use super::words::{SPECIAL, STATEMENTS, is_bare_name, is_one_of};
use expression::sum;
use std::fmt::{self, Display, Formatter, Write};
use std::slice::from_ref;

/// Writes a list with commas.
fn list<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for c in text.chars() {
        if c == quote {
            f.write_char(c)?;
        }
        f.write_char(c)?;
    }
    f.write_char(quote)
}

/// A name, in back-quotes where it is no bare word.
/// A label as an expression says it: a bare word where one will do, else a string.
pub(crate) struct Spoken<'a>(pub &'a str);

impl Display for Spoken<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_bare_name(self.0) {
            f.write_str(self.0)
        } else {
            quoted(f, self.0, '"')
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_bare_name(&self.text) {
            f.write_str(&self.text)
        } else {
            quoted(f, &self.text, '`')
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, &self.text, '"')
    }
}

/// A path; `this`, `outer` and the like are no names to quote.
struct Path<'a>(&'a [Name]);

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char('.')?;
            }
            if is_one_of(SPECIAL, &name.text) {
                f.write_str(&name.text)?;
            } else {
                write!(f, "{name}")?;
            }
        }
        Ok(())
    }
}

impl Query {
    /// All but where the result begins and ends.
    pub(crate) fn print_rows(&self, f: &mut dyn Write) -> fmt::Result {
        write!(f, "{}", Rows(self))
    }
}

/// A query without `limit` and what comes after it.
struct Rows<'a>(&'a Query);

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Rows(self))?;
        if let Some(limit) = &self.limit {
            write!(f, " {limit}")?;
        }
        if let Some(offset) = &self.offset {
            write!(f, " offset {offset}")?;
        }
        if let Some(after) = &self.after {
            write!(f, " after {after}")?;
        }
        for union in &self.unions {
            write!(f, " union ({union})")?;
        }
        Ok(())
    }
}

impl Display for Rows<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(query) = self;
        match &query.source {
            // What stood right after it would be its rule.
            Source::Duplicates { rule: None, .. } if query.filter.is_some() => {
                write!(f, "({})", query.source)?;
            }
            source => write!(f, "{source}")?,
        }
        if let Some(moment) = &query.as_of {
            write!(f, " as of {}", sum(moment))?;
        }
        if !query.lets.is_empty() {
            f.write_str(" let ")?;
            list(f, &query.lets)?;
        }
        if let Some(filter) = &query.filter {
            write!(f, " where {filter}")?;
        }
        if let Some(group) = &query.group {
            write!(f, " {group}")?;
        }
        if let Some(having) = &query.having {
            write!(f, " having {having}")?;
        }
        if !query.select.is_empty() {
            f.write_str(" select ")?;
            list(f, &query.select)?;
        }
        order_by(f, &query.order)
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::History { kind, path } => write!(f, "{} of {}", kind.word(), Path(path)),
            Self::Life { object, key } => write!(f, "history {object} {key}"),
            Self::Compare { query, period } => {
                write!(f, "compare ({query}) in {}", sum(period))
            }
            Self::Duplicates { of, rule } => {
                let named = matches!(of.source, Self::Named { key: None, .. } | Self::Call { .. });
                if named && **of == bare(of.source.clone()) {
                    write!(f, "duplicates of {}", of.source)?;
                } else {
                    write!(f, "duplicates of ({of})")?;
                }
                rule.iter().try_for_each(|rule| write!(f, " where {rule}"))
            }
            Self::Named { path, key } => {
                match path.split_first() {
                    Some((head, rest)) if is_one_of(STATEMENTS, &head.text) => {
                        quoted(f, &head.text, '`')?;
                        rest.iter()
                            .try_for_each(|name| write!(f, ".{}", Path(from_ref(name))))?;
                    }
                    _ => write!(f, "{}", Path(path))?,
                }
                key.iter().try_for_each(|key| write!(f, " {key}"))
            }
            Self::Find { text, objects } => {
                write!(f, "find {text}")?;
                if objects.is_empty() {
                    return Ok(());
                }
                f.write_str(" in ")?;
                list(f, objects)
            }
            Self::Call { name, arguments } => {
                if is_one_of(STATEMENTS, &name.text) {
                    quoted(f, &name.text, '`')?;
                } else {
                    write!(f, "{name}")?;
                }
                f.write_char('(')?;
                list(f, arguments)?;
                f.write_char(')')
            }
            Self::Query(query) => write!(f, "({query})"),
        }
    }
}

impl Display for Binding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("group by ")?;
        list(f, &self.keys)?;
        let extras = [
            (self.totals, "totals"),
            (self.rollup, "rollup"),
            (self.empty, "empty"),
        ];
        let extras: Vec<&str> = extras.iter().filter(|e| e.0).map(|e| e.1).collect();
        if extras.is_empty() {
            Ok(())
        } else {
            write!(f, " with {}", extras.join(", "))
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) => f.write_char('*'),
            Self::Value { value, alias } => {
                write!(f, "{value}")?;
                alias.iter().try_for_each(|alias| write!(f, " as {alias}"))
            }
            Self::Nested(nested) => write!(f, "{nested}"),
        }
    }
}

impl Display for Nested {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.past {
            None => write!(f, "{}", Path(&self.path))?,
            Some(kind) => write!(f, "{}({})", kind.word(), Path(&self.path))?,
        }
        if let Some(filter) = &self.filter {
            write!(f, " where {filter}")?;
        }
        f.write_str(" { ")?;
        list(f, &self.select)?;
        order_by(f, &self.order)?;
        if let Some(limit) = &self.limit {
            write!(f, " limit {limit}")?;
        }
        f.write_str(" }")?;
        self.alias
            .iter()
            .try_for_each(|alias| write!(f, " as {alias}"))
    }
}

fn order_by(f: &mut Formatter<'_>, keys: &[OrderKey]) -> fmt::Result {
    if keys.is_empty() {
        return Ok(());
    }
    f.write_str(" order by ")?;
    list(f, keys)
}

impl Display for OrderKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            self.value,
            if self.descending { " desc" } else { "" }
        )
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "limit {}", self.count)?;
        if !self.per.is_empty() {
            f.write_str(" per ")?;
            list(f, &self.per)?;
        }
        f.write_str(if self.with_ties { " with ties" } else { "" })
    }
}

/// A function's name: two reserved words are functions too.
fn function(f: &mut Formatter<'_>, name: &Name) -> fmt::Result {
    if is_one_of(&["matches", "has"], &name.text) {
        return f.write_str(&name.text);
    }
    write!(f, "{name}")
}
