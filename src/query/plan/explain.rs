//! The plan as a person reads it: an indented tree, what happens last on top.

use super::access::{Access, Path, choose};
use super::condition::conjuncts;
use super::describe::Words;
use super::fold::fold;
use super::hierarchy::Hierarchy;
use super::probe::first_change;
use crate::column::Comparison;
use crate::error::Result;
use crate::query::bind::{ColumnValue, Expr, Find, History, Nested, Node, Query, Source, Type};
use crate::query::exec::{
    Context, Evaluator, Profile, Then, Work, is_column_over_rows, part, run_profiled, search,
};
use crate::value::{FieldType, ObjectId, RecordId, Value};
use std::fmt::Write;
use std::time::Duration;

/// The plan of a query. With `analyze` the query runs, and what each part did is added.
pub(crate) fn explain(query: &Query, context: &Context<'_>, analyze: bool) -> Result<String> {
    let folded = fold(query, context)?;
    let profile = match analyze {
        true => Some(run_profiled(&folded, context)?.1),
        false => None,
    };
    let mut tree = Tree {
        context,
        profile,
        lines: Vec::new(),
        hints: Vec::new(),
    };
    tree.query(&folded, 0)?;
    Ok(tree.text())
}

/// A line of the plan, how deep it stands, and what was done there.
struct Line {
    depth: usize,
    words: String,
    did: Vec<String>,
}

struct Tree<'a> {
    context: &'a Context<'a>,
    profile: Option<Profile>,
    lines: Vec<Line>,
    hints: Vec<String>,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, words: impl Into<String>) {
        self.lines.push(Line {
            depth,
            words: words.into(),
            did: Vec::new(),
        });
    }

    /// Adds to a line what a part did.
    fn did(&mut self, line: usize, part: usize, words: impl FnOnce(&Work) -> Option<String>) {
        let work = self.profile.as_ref().and_then(|profile| profile.of(part));
        let did = work.as_ref().and_then(words);
        if let (Some(line), Some(did)) = (self.lines.get_mut(line), did) {
            line.did.push(did);
        }
    }

    fn text(self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let _ = write!(text, "{:1$}{2}", "", line.depth * 2, line.words);
            if !line.did.is_empty() {
                let _ = write!(text, " | {}", line.did.join("; "));
            }
            text.push('\n');
        }
        for hint in &self.hints {
            let _ = writeln!(text, "= {hint}");
        }
        text
    }

    fn query(&mut self, query: &Query, depth: usize) -> Result<()> {
        if query.unions.is_empty() {
            return self.one(query, depth);
        }
        self.line(depth, "union");
        self.one(query, depth + 1)?;
        for union in &query.unions {
            self.query(union, depth + 1)?;
        }
        Ok(())
    }

    /// A query without those stacked below it.
    fn one(&mut self, query: &Query, depth: usize) -> Result<()> {
        let Some(then) = Then::of(query, self.context)? else {
            return self.one_now(query, depth);
        };
        let context = then.context(self.context);
        let moment = Value::DateTime(then.moment()).show(context.clock);
        self.line(depth, format!("as of {moment}"));
        let mut inner = Tree {
            context: &context,
            profile: self.profile.take(),
            lines: std::mem::take(&mut self.lines),
            hints: std::mem::take(&mut self.hints),
        };
        let done = inner.one_now(query, depth + 1);
        (self.profile, self.lines, self.hints) = (inner.profile, inner.lines, inner.hints);
        done
    }

    /// A query at the moment of the context.
    fn one_now(&mut self, query: &Query, mut depth: usize) -> Result<()> {
        let top = self.lines.len();
        let below = source_names(&query.source);
        let source = Words {
            context: self.context,
            object: match query.source {
                Source::Object(object) => Some(object),
                _ => None,
            },
            slots: &below,
        };
        let grouped: Vec<String> = query.group.iter().fold(Vec::new(), |mut names, group| {
            names.extend(group.keys.iter().map(|key| source.expr(key)));
            names.extend(group.aggregates.iter().map(|a| source.aggregate(a)));
            names
        });
        let rows = match query.group {
            Some(_) => Words {
                object: None,
                slots: &grouped,
                ..source
            },
            None => source,
        };
        for words in clauses(query, &rows) {
            self.line(depth, words);
            depth += 1;
        }
        if let Some(group) = &query.group {
            let aggregates: Vec<_> = group
                .aggregates
                .iter()
                .map(|a| source.aggregate(a))
                .collect();
            let by = match group.keys.as_slice() {
                [] => "all in one".to_owned(),
                keys => format!("group by {}", source.list(keys)),
            };
            let marks = [
                (group.totals, "totals"),
                (group.rollup, "rollup"),
                (group.empty, "empty"),
            ];
            let marks: Vec<_> = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
            let marks = match marks.as_slice() {
                [] => String::new(),
                marks => format!(" with {}", marks.join(", ")),
            };
            let what = if aggregates.is_empty() {
                String::new()
            } else {
                format!(": {}", aggregates.join(", "))
            };
            self.line(depth, format!("{by}{marks}{what}"));
            let line = self.lines.len() - 1;
            self.did(line, part(query), |work| {
                Some(counted(work.groups, "group"))
            });
            depth += 1;
        }
        match &query.source {
            Source::Object(object) => {
                let evaluator = Evaluator::new(self.context);
                let access = choose(*object, query.filter.as_ref(), &evaluator, self.context)?;
                self.access(&access, &source, part(query), depth);
                self.hint(query, &source)?;
            }
            _ => {
                if let Some(filter) = &query.filter {
                    self.line(depth, format!("where {}", source.expr(filter)));
                    depth += 1;
                }
                match &query.source {
                    Source::Query(inner) => self.query(inner, depth)?,
                    Source::Find(find) => self.find(find, part(query), depth)?,
                    Source::Life(life) => {
                        let name = &self.context.catalog.object(life.object).name;
                        let record = source.expr(&life.record);
                        self.line(depth, format!("journal: history {name} {record}"));
                    }
                    Source::Paired(paired) => {
                        self.line(depth, "before and after");
                        self.query(&paired.before, depth + 1)?;
                        self.query(&paired.after, depth + 1)?;
                    }
                    Source::Duplicates(duplicates) => {
                        for rule in &duplicates.rules {
                            let ways = duplicates.ways(rule)?;
                            let ways: Vec<_> =
                                ways.iter().map(|way| duplicates.told(way)).collect();
                            let pairs = match ways.as_slice() {
                                [] => "none".to_owned(),
                                ways => ways.join("; "),
                            };
                            self.line(
                                depth,
                                format!("duplicates by {}: pairs of {pairs}", rule.words),
                            );
                        }
                        self.query(&duplicates.among, depth + 1)?;
                    }
                    Source::History(history) => {
                        let words = self.journal(history, query.filter.as_ref());
                        self.line(depth, format!("journal: {words}"));
                    }
                    Source::Object(_) => {}
                }
            }
        }
        self.insides(query, &source, &rows, depth + 1);
        self.did(top, part(query), |work| {
            let rows = counted(work.rows, "row");
            Some(format!("{rows} in {}", time(work.all)))
        });
        Ok(())
    }

    /// The collections that a query's expressions run over, and the lists in its rows.
    fn insides(&mut self, query: &Query, source: &Words<'_>, rows: &Words<'_>, depth: usize) {
        let mut found = Vec::new();
        let mut own: Vec<&Expr> = query.filter.iter().collect();
        if let Some(group) = &query.group {
            own.extend(&group.keys);
            for aggregate in &group.aggregates {
                own.extend(aggregate.argument.iter().chain(&aggregate.second));
                own.extend(aggregate.filter.iter());
                own.extend(aggregate.order.iter().map(|key| &key.value));
            }
        }
        own.iter().for_each(|expr| collections(expr, &mut found));
        let of_source = found.len();
        query
            .having
            .iter()
            .for_each(|expr| collections(expr, &mut found));
        let overs = query.group.iter().flat_map(|group| &group.aggregates);
        for (aggregate, over) in overs.filter_map(|own| Some((own, own.over.as_ref()?))) {
            let words = source.aggregate(aggregate);
            let chunks = self.context.snapshot.chunk_count(over.object);
            let size = counted(chunks.into(), "chunk");
            self.line(depth, format!("for each group: {words}, at most {size}"));
            let line = self.lines.len() - 1;
            self.did(line, part(over), |work| Some(read(work)));
            over.filter
                .iter()
                .for_each(|expr| collections(expr, &mut found));
        }
        let mut lists = Vec::new();
        for column in &query.columns {
            match &column.value {
                ColumnValue::Expr(expr) => collections(expr, &mut found),
                ColumnValue::Nested(nested) => lists.push(&**nested),
            }
        }
        query
            .order
            .iter()
            .for_each(|key| collections(&key.value, &mut found));
        let mut known = Vec::new();
        for (at, expr) in found.iter().enumerate() {
            let (place, object) = match &expr.node {
                Node::Collect(collect) => (part(&**collect), Some(collect.object)),
                Node::Correlated { body, .. } => (part(&**body), None),
                _ => continue,
            };
            if known.contains(&place) {
                continue;
            }
            known.push(place);
            let words = if at < of_source { source } else { rows };
            let size = object.map(|object| self.context.snapshot.chunk_count(object));
            let size = size.map(|chunks| format!(", at most {}", counted(chunks.into(), "chunk")));
            self.line(
                depth,
                format!("for each: {}{}", words.expr(expr), size.unwrap_or_default()),
            );
            let line = self.lines.len() - 1;
            self.did(line, place, |work| match object {
                Some(_) => Some(read(work)),
                None => {
                    let runs = counted(work.runs, "run");
                    Some(format!("{runs} in {}", time(work.all)))
                }
            });
        }
        for nested in lists {
            self.list(nested, depth);
        }
    }

    /// The part of the journal that a history reads.
    fn journal(&self, history: &History, filter: Option<&Expr>) -> String {
        let object = self.context.catalog.object(history.object);
        let field = &object.field(history.field).name;
        let clock = self.context.clock;
        let from = first_change(history, filter, clock);
        let from = from.map(|at| format!(" from {} on", Value::DateTime(at).show(clock)));
        let (word, name, from) = (history.kind.word(), &object.name, from.unwrap_or_default());
        format!("{word} of {name}.{field}{from}")
    }

    /// The rows of a collection listed in each row.
    fn list(&mut self, nested: &Nested, depth: usize) {
        let slots = source_names(&nested.source);
        let (object, name) = match &nested.source {
            Source::Object(object) => {
                let name = self.context.catalog.object(*object).name.clone();
                (Some(*object), name)
            }
            Source::History(history) => (None, self.journal(history, nested.filter.as_ref())),
            _ => (None, String::new()),
        };
        let words = Words {
            context: self.context,
            object,
            slots: &slots,
        };
        let filter = nested.filter.as_ref();
        let filter = filter.map(|filter| format!(" where {}", words.expr(filter)));
        let filter = filter.unwrap_or_default();
        self.line(depth, format!("list in each row: {name}{filter}"));
        let line = self.lines.len() - 1;
        self.did(line, part(nested), |work| match object {
            Some(_) => Some(read(work)),
            None => Some(time(work.all)),
        });
        for column in &nested.columns {
            if let ColumnValue::Nested(inner) = &column.value {
                self.list(inner, depth + 1);
            }
        }
    }

    /// Says so where `=` on a node finds nothing, and there are others below it.
    fn hint(&mut self, query: &Query, words: &Words<'_>) -> Result<()> {
        for condition in conjuncts(query.filter.as_ref()) {
            let Some((object, id)) = exact_node(&condition, self.context) else {
                continue;
            };
            let below = Hierarchy::read(object, self.context)?.below(id);
            if below.count() < 2 {
                continue;
            }
            let said = words.expr(&condition);
            let alone = Query {
                filter: Some(condition),
                ..Query::of(query.source.clone())
            };
            if run_profiled(&alone, self.context)?.0 == 0 {
                self.hints.push(format!(
                    "nothing has {said}; `under` in place of `=` includes what lies below"
                ));
            }
        }
        Ok(())
    }

    fn access(&mut self, access: &Access, words: &Words<'_>, own: usize, depth: usize) {
        let name = self.context.catalog.object(access.object).name.clone();
        let by = access
            .by
            .as_ref()
            .map(|by| words.expr(by))
            .unwrap_or_default();
        let records = counted(access.expected, "record");
        let how = match &access.path {
            Path::Nothing => format!("nothing of {name}: the condition never holds"),
            Path::Scan { chunks, total } => {
                let skipped = *total as usize - chunks.len();
                let skipped = if skipped > 0 {
                    format!(", {skipped} skipped")
                } else {
                    String::new()
                };
                let read = counted(chunks.len() as u64, "chunk");
                format!("scan {name}: {read} of {total}{skipped}, about {records}")
            }
            Path::Ids(_) => format!("{name} by id: {by}, at most {records}"),
            path @ (Path::Lookup { .. } | Path::Range { .. } | Path::Both(_)) => {
                let indexes = self.indexes(access, path);
                format!("{name} by index on {indexes}: {by}, about {records}")
            }
        };
        self.line(depth, how);
        let line = self.lines.len() - 1;
        self.did(line, own, |work| Some(read(work)));
        for condition in &access.conditions {
            self.line(depth + 1, format!("where {}", words.expr(&condition.shown)));
            if let Node::Follow { inner, object, .. } = &condition.shown.node {
                let name = self.context.catalog.object(*object).name.clone();
                let line = self.lines.len() - 1;
                self.did(line, part(&**inner), |work| {
                    let chunks = counted(work.chunks, "chunk");
                    Some(format!("{chunks} of {name} read in {}", time(work.finding)))
                });
            }
        }
    }

    fn find(&mut self, find: &Find, own: usize, depth: usize) -> Result<()> {
        let found = search(find, self.context, &Evaluator::new(self.context))?;
        let objects: Vec<_> = find
            .objects
            .iter()
            .map(|object| self.context.catalog.object(*object).name.as_str())
            .collect();
        let objects = match objects.as_slice() {
            few @ ([_] | [_, _] | [_, _, _]) => few.join(", "),
            many => counted(many.len() as u64, "object"),
        };
        let records = counted(found.hits.len() as u64, "record");
        self.line(
            depth,
            format!("find in {objects} by the text index: {records}"),
        );
        let line = self.lines.len() - 1;
        self.did(line, own, |work| Some(read(work)));
        for word in &found.words {
            let beginning = if word.sought.prefix {
                ", or its beginning"
            } else {
                ""
            };
            let edits = match word.sought.edits {
                0 => "",
                1 => ", or one edit off",
                _ => ", or two edits off",
            };
            let words = format!(
                "word \"{}\"{beginning}{edits}: {} of the index, {}, {}",
                word.sought.text,
                counted(word.spellings, "word"),
                counted(word.postings, "posting"),
                counted(word.records, "record"),
            );
            self.line(depth + 1, words);
        }
        Ok(())
    }

    /// The fields of the indexes that a path reads.
    fn indexes(&self, access: &Access, path: &Path) -> String {
        let id = match path {
            Path::Both(paths) => {
                return paths
                    .each_ref()
                    .map(|path| self.indexes(access, path))
                    .join(" and on ");
            }
            Path::Lookup { index, .. } | Path::Range { index, .. } => Some(*index),
            Path::Nothing | Path::Scan { .. } | Path::Ids(_) => None,
        };
        let object = self.context.catalog.object(access.object);
        let mut indexes = object.indexes.iter();
        let found = indexes.find(|index| Some(index.id) == id);
        let fields = found.map_or(&[][..], |index| index.fields.as_slice());
        let names: Vec<_> = fields
            .iter()
            .map(|&f| object.field(f).name.as_str())
            .collect();
        names.join(", ")
    }
}

/// What a part read.
fn read(work: &Work) -> String {
    let chunks = match (work.chunks, work.skipped) {
        (0, 0) => String::new(),
        (read, 0) => format!("{}, ", counted(read, "chunk")),
        (read, skipped) => format!("{}, {skipped} skipped, ", counted(read, "chunk")),
    };
    let postings = match work.postings {
        0 => String::new(),
        n => format!("{}, ", counted(n, "posting")),
    };
    let records = counted(work.records, "record");
    let (passed, time) = (work.passed, time(work.finding));
    let threads = match work.threads {
        0 => String::new(),
        n => format!(" of {n} threads"),
    };
    format!("{chunks}{postings}{records} read, {passed} passed in {time}{threads}")
}

fn time(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

/// The aggregates over collections in an expression, and what runs for values around it.
fn collections(expr: &Expr, found: &mut Vec<Expr>) {
    match &expr.node {
        Node::Collect(collect) => {
            found.push(expr.clone());
            let aggregate = &collect.aggregate;
            let inside = collect.filter.iter().chain(&aggregate.filter);
            for expr in inside.chain(&aggregate.argument).chain(&aggregate.second) {
                collections(expr, found);
            }
        }
        Node::Correlated { .. } => found.push(expr.clone()),
        Node::Follow { inner, .. } => collections(inner, found),
        _ => {}
    }
    for operand in expr.node.operands() {
        collections(operand, found);
    }
}

/// The node that a condition asks a reference to be, exactly.
fn exact_node(condition: &Expr, context: &Context<'_>) -> Option<(ObjectId, RecordId)> {
    match &condition.node {
        Node::Follow { inner, .. } => exact_node(inner, context),
        Node::Compare {
            comparison: Comparison::Equal,
            left,
            right,
        } => match (&left.node, &left.ty, right.as_constant()) {
            (
                Node::Column(_),
                Type::Plain(FieldType::Reference(object)),
                Some(Value::Reference(id)),
            ) => {
                let hierarchy = context.catalog.object(*object).hierarchy_field();
                hierarchy.map(|_| (*object, *id))
            }
            _ => None,
        },
        _ => None,
    }
}

fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn source_names(source: &Source) -> Vec<String> {
    match source {
        Source::Object(_) => Vec::new(),
        Source::Query(inner) => inner.columns.iter().map(|c| c.name.clone()).collect(),
        Source::Life(life) => life.columns().map(|(name, _)| name.to_owned()).to_vec(),
        Source::Paired(paired) => {
            let names = |end: &str| {
                let values = paired.after.columns.iter().skip(paired.keys);
                let named = values.map(|column| format!("{}_{end}", column.name));
                named.collect::<Vec<_>>()
            };
            let keys = paired.after.columns.iter().take(paired.keys);
            let mut all: Vec<String> = keys.map(|column| column.name.clone()).collect();
            all.extend(names("before"));
            all.extend(names("after"));
            all.extend(["there before".to_owned(), "there after".to_owned()]);
            all
        }
        Source::History(history) => {
            let columns = history.columns();
            columns.iter().map(|(name, _)| (*name).to_owned()).collect()
        }
        Source::Duplicates(duplicates) => duplicates
            .columns()
            .map(|(name, _)| name.to_owned())
            .to_vec(),
        Source::Find(find) => find.columns().map(|(name, _)| name.to_owned()).to_vec(),
    }
}

/// The clauses after grouping, last first.
fn clauses(query: &Query, rows: &Words<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(offset) = &query.offset {
        found.push(format!("offset {}", rows.expr(offset)));
    }
    if query.page.as_ref().is_some_and(|page| page.after.is_some()) {
        found.push("after a cursor".to_owned());
    }
    if let Some(limit) = &query.limit {
        let per = match limit.per.as_slice() {
            [] => String::new(),
            per => format!(" per {}", rows.list(per)),
        };
        let ties = if limit.with_ties { " with ties" } else { "" };
        found.push(format!("limit {}{per}{ties}", rows.expr(&limit.count)));
    }
    let over = query.columns.iter().filter(|c| is_column_over_rows(c));
    let names: Vec<_> = over.map(|column| column.name.as_str()).collect();
    if !names.is_empty() {
        found.push(format!("over all rows: {}", names.join(", ")));
    }
    if !query.order.is_empty() {
        found.push(format!("order by {}", rows.order(&query.order)));
    }
    if let Some(having) = &query.having {
        found.push(format!("having {}", rows.expr(having)));
    }
    found
}
