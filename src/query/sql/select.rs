//! A `SELECT`, a clause a line.

use super::fragment::{Level, Sql, Truth, indent};

/// The clauses of one `SELECT`.
#[derive(Clone, Debug, Default)]
pub(super) struct Select {
    /// Items with their aliases.
    pub columns: Vec<String>,
    pub from: String,
    pub joins: Vec<String>,
    pub filter: Vec<Truth>,
    pub group: Vec<String>,
    pub order: Vec<String>,
    pub limit: Option<String>,
    pub offset: Option<String>,
}

/// A sub-select of so few letters stands on one line.
const SHORT: usize = 76;

impl Select {
    /// A clause a line.
    pub(super) fn text(&self) -> String {
        let mut lines = match self.columns.as_slice() {
            [one] => vec![format!("SELECT {one}")],
            columns => {
                let columns: Vec<String> = columns.iter().map(|column| indent(column)).collect();
                vec![format!("SELECT\n{}", columns.join(",\n"))]
            }
        };
        if !self.from.is_empty() {
            lines.push(format!("FROM {}", self.from));
        }
        lines.extend(self.joins.iter().cloned());
        let mut word = "WHERE";
        for condition in self.conditions() {
            let condition = hang(&condition);
            match word {
                "WHERE" => lines.push(format!("WHERE {condition}")),
                _ => lines.push(format!("  AND {condition}")),
            }
            word = "AND";
        }
        if !self.group.is_empty() {
            lines.push(format!("GROUP BY {}", self.group.join(", ")));
        }
        lines.extend(self.tail());
        lines.join("\n")
    }

    fn conditions(&self) -> Vec<String> {
        let alone = self.filter.len() == 1;
        let text = |truth: &Truth| match alone {
            true => truth.sql.text.clone(),
            false => truth.sql.at(Level::Not),
        };
        self.filter.iter().map(text).collect()
    }

    fn tail(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.order.is_empty() {
            let one = format!("ORDER BY {}", self.order.join(", "));
            match one.len() <= 100 && !one.contains('\n') {
                true => lines.push(one),
                false => lines.push(format!("ORDER BY\n{}", indent(&self.order.join(",\n")))),
            }
        }
        lines.extend(self.limit.iter().map(|limit| format!("LIMIT {limit}")));
        lines.extend(self.offset.iter().map(|offset| format!("OFFSET {offset}")));
        lines
    }

    /// In parentheses, on one line where it is short.
    pub(super) fn nested(&self) -> Sql {
        Sql::atom(parenthesised(&self.text()))
    }

    /// Adds a condition, its parts on lines of their own.
    pub(super) fn require(&mut self, truth: Truth) {
        self.filter.push(truth);
    }
}

/// A select's text in parentheses, on one line where it is short.
pub(super) fn parenthesised(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let line = lines.join(" ");
    match line.len() <= SHORT {
        true => format!("({line})"),
        false => format!("(\n{}\n)", indent(text)),
    }
}

/// Further lines of a text two columns in.
fn hang(text: &str) -> String {
    match text.split_once('\n') {
        // What stands in parentheses is indented already.
        Some((first, _)) if first.ends_with('(') && text.ends_with("\n)") => text.to_owned(),
        Some((first, rest)) => format!("{first}\n{}", indent(rest)),
        None => text.to_owned(),
    }
}
