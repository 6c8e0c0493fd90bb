//! Completion while typing: commands, objects, views, keywords, and the fields of the objects
//! that the line names, along paths too.

use super::commands::COMMANDS;
use super::format;
use crate::{ObjectDescription, Schema, Script};
use rustyline::completion::{Completer, Pair};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper as Helps, Highlighter, Hinter};

/// What the line editor asks while a line is typed.
#[derive(Default, Helps, Highlighter, Hinter)]
pub(super) struct Helper {
    pub(super) schema: Schema,
}

/// The words that begin statements and clauses, and those within.
const KEYWORDS: &[&str] = &[
    "add",
    "alter object",
    "and",
    "as",
    "asc",
    "begin",
    "between",
    "commit",
    "create index on",
    "create object",
    "create view",
    "delete",
    "desc",
    "drop",
    "dry run",
    "duplicates of",
    "empty",
    "exists",
    "explain",
    "export",
    "false",
    "find",
    "from",
    "group by",
    "having",
    "import",
    "in",
    "is empty",
    "last",
    "let",
    "like",
    "limit",
    "me",
    "merge",
    "next",
    "not",
    "offset",
    "on",
    "or",
    "order by",
    "outer",
    "prune journal before",
    "redo",
    "restore",
    "returning",
    "rollback",
    "savepoint",
    "select",
    "set",
    "sql",
    "this",
    "to",
    "today",
    "true",
    "under",
    "undo",
    "update",
    "upsert",
    "where",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "coalesce",
    "month",
    "quarter",
    "year",
];

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let whole = text.trim_start().starts_with('.') || !Script::is_incomplete(text);
        Ok(match whole {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let (start, names) = self.candidates(before);
        let pair = |name: String| Pair {
            display: name.clone(),
            replacement: name,
        };
        Ok((start, names.into_iter().map(pair).collect()))
    }
}

impl Helper {
    /// Where the word before the cursor begins, and what it may become, sorted.
    fn candidates(&self, before: &str) -> (usize, Vec<String>) {
        if let Some(command) = before.trim_start().strip_prefix('.') {
            return self.command_candidates(before, command);
        }
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let path_start = before.trim_end_matches(part).len();
        let path = &before[path_start..];
        let start = path_start + path.rfind('.').map_or(0, |dot| dot + 1);
        let word = before[start..].to_lowercase();
        let words = before[..path_start].split(|c: char| !c.is_alphanumeric() && c != '_');
        let named: Vec<&ObjectDescription> = words
            .filter_map(|word| self.schema.object(word).ok())
            .collect();
        let steps: Vec<&str> = path.split('.').collect();
        let (_, parents) = steps.split_last().unwrap_or((&"", &[]));
        let mut names: Vec<String> = Vec::new();
        if parents.is_empty() {
            names.extend(named.iter().flat_map(|object| members(object)));
            names.extend(self.schema.objects.iter().map(|object| object.name.clone()));
            names.extend(self.schema.views.iter().map(|view| view.name.clone()));
            names.extend(KEYWORDS.iter().map(|word| (*word).to_owned()));
        } else {
            for object in named {
                let reached = self.follow(object, parents);
                names.extend(reached.into_iter().flat_map(members));
            }
        }
        names.retain(|name| name.to_lowercase().starts_with(&word));
        names.sort_unstable();
        names.dedup();
        (start, names)
    }

    fn command_candidates(&self, before: &str, command: &str) -> (usize, Vec<String>) {
        let start = before.rfind([' ', '.']).map_or(0, |at| at + 1);
        let word = &before[start..];
        let names: Vec<&str> = match command.split_once(' ') {
            None => COMMANDS.iter().map(|command| command.name).collect(),
            Some(("describe" | "schema", _)) => {
                let objects = self.schema.objects.iter();
                objects.map(|object| object.name.as_str()).collect()
            }
            Some(("format", _)) => format::names().collect(),
            Some(_) => Vec::new(),
        };
        let fitting = names.into_iter().filter(|name| name.starts_with(word));
        (start, fitting.map(str::to_owned).collect())
    }

    /// The objects at the end of a path that begins at `object`.
    fn follow<'a>(
        &'a self,
        object: &'a ObjectDescription,
        path: &[&str],
    ) -> Vec<&'a ObjectDescription> {
        let mut reached = vec![object];
        for step in path {
            let next = reached.iter().flat_map(|object| targets(object, step));
            reached = next
                .filter_map(|name| self.schema.object(name).ok())
                .collect();
        }
        reached
    }
}

fn members(object: &ObjectDescription) -> Vec<String> {
    let fields = object.fields.iter().map(|field| field.name.clone());
    let collections = object.collections.iter().map(|(name, _)| name.clone());
    fields.chain(collections).collect()
}

fn targets<'a>(object: &'a ObjectDescription, step: &str) -> Vec<&'a str> {
    let fields = object.fields.iter();
    let fields = fields.filter(|field| field.name.eq_ignore_ascii_case(step));
    let of_fields = fields.flat_map(|field| field.targets.iter().map(String::as_str));
    let collections = object.collections.iter();
    let of_collections = collections
        .filter(|(name, _)| name.eq_ignore_ascii_case(step))
        .map(|(_, object)| object.as_str());
    of_fields.chain(of_collections).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldDescription;

    fn object(name: &str, fields: &[(&str, &str)], collections: &[&str]) -> ObjectDescription {
        let field = |(name, target): &(&str, &str)| FieldDescription {
            name: (*name).to_owned(),
            type_text: String::new(),
            options: String::new(),
            targets: vec![(*target).to_owned()],
            labels: Vec::new(),
        };
        ObjectDescription {
            name: name.to_owned(),
            singular: name.trim_end_matches('s').to_owned(),
            records: 0,
            fields: fields.iter().map(field).collect(),
            collections: collections
                .iter()
                .map(|name| ((*name).to_owned(), (*name).to_owned()))
                .collect(),
            ordered_by: None,
            checks: Vec::new(),
            indexes: Vec::new(),
            role: None,
            show: Vec::new(),
            definition: String::new(),
        }
    }

    fn complete(before: &str) -> (usize, Vec<String>) {
        let schema = Schema {
            objects: vec![
                object(
                    "accounts",
                    &[("name", ""), ("parent", "accounts")],
                    &["deals"],
                ),
                object("deals", &[("account", "accounts"), ("amount", "")], &[]),
            ],
            views: Vec::new(),
        };
        Helper { schema }.candidates(before)
    }

    fn names(before: &str) -> Vec<String> {
        complete(before).1
    }

    #[test]
    fn fields_of_the_named_object_and_along_paths() {
        assert_eq!(complete("deals where am"), (12, vec!["amount".to_owned()]));
        assert_eq!(names("deals where ac"), ["account", "accounts"]);
        assert_eq!(
            complete("deals where account.na"),
            (20, vec!["name".to_owned()])
        );
        assert_eq!(names("deals where account.parent.d"), ["deals"]);
        assert_eq!(names("accounts where sum(deals.a"), ["account", "amount"]);
        assert!(names("where account.na").is_empty());
        assert_eq!(names("accounts whe"), ["where"]);
    }

    #[test]
    fn commands_and_what_they_take() {
        assert_eq!(complete(".des"), (1, vec!["describe".to_owned()]));
        assert_eq!(complete(".describe d"), (10, vec!["deals".to_owned()]));
        assert_eq!(names(".format js"), ["json", "jsonl"]);
    }
}
