//! Queries: the source, the clauses in their order, items and nested collections.

use super::{Node, Reader, Rule, first, only, parts, unquote};
use crate::error::{Code, Error, Result};
use crate::query::syntax::ast::{
    Binding, Expr, ExprKind, Group, HistoryKind, Item, Limit, Literal, Name, Nested, OrderKey,
    Query, Source,
};

/// The order of the clauses, as an error names it.
const CLAUSES: [&str; 11] = [
    "as of", "let", "where", "group by", "having", "select", "order by", "limit", "offset",
    "after", "union",
];
const WHERE: usize = 2;
const SELECT: usize = 5;
const OFFSET: usize = 8;
const UNION: usize = 10;

const FOLLOWS: &str = "`{` follows an expression";
const COLLECTION: &str = "a collection, as in `collection { field, field }`";

/// How much of the tree's height a query takes: the stages after the parser do more for it.
const HEIGHT: usize = 5;

impl Reader {
    pub(super) fn query(self, node: Node) -> Result<Query> {
        let span = self.span(&node);
        let reader = self.deeper(HEIGHT, &node)?;
        let mut inner = node.into_inner().peekable();
        let source = first(&mut inner);
        let alone = inner.peek().is_none();
        let source = if source.as_rule() == Rule::parenthesis {
            let query = reader.source_parenthesis(source)?;
            if alone {
                return Ok(*query);
            }
            wrap(query)
        } else {
            reader.source(reader.operand(source, false)?)?
        };
        let mut query = Query {
            span,
            ..bare(source)
        };
        reader.clauses(&mut query, inner)?;
        Ok(query)
    }

    /// `history opportunities "Acme renewal"`
    pub(super) fn life(self, node: Node) -> Result<Box<Query>> {
        let span = self.span(&node);
        let mut inner = parts(node).filter(|part| part.as_rule() != Rule::life_word);
        let object = self.name(&first(&mut inner));
        let key = Box::new(self.key(first(&mut inner))?);
        Ok(Box::new(Query {
            span,
            ..bare(Source::Life { object, key })
        }))
    }

    /// `compare (query) in last week`
    pub(super) fn compare(self, node: Node) -> Result<Box<Query>> {
        let span = self.span(&node);
        let is_part = |part: &Node| matches!(part.as_rule(), Rule::parenthesis | Rule::sum);
        let mut inner = parts(node).filter(is_part);
        let query = self.source_parenthesis(first(&mut inner))?;
        let period = Box::new(self.sum(first(&mut inner))?);
        Ok(Box::new(Query {
            span,
            ..bare(Source::Compare { query, period })
        }))
    }

    /// `duplicates of contacts where same(email)`
    pub(super) fn duplicates(self, node: Node) -> Result<Box<Query>> {
        let span = self.span(&node);
        let reader = self.deeper(HEIGHT, &node)?;
        let is_part = |part: &Node| !matches!(part.as_rule(), Rule::duplicates_word | Rule::k_of);
        let mut inner = parts(node).filter(is_part);
        let of = first(&mut inner);
        let of = match of.as_rule() {
            Rule::parenthesis => reader.source_parenthesis(of)?,
            _ => Box::new(Query {
                span: self.span(&of),
                ..bare(reader.source(reader.operand(of, false)?)?)
            }),
        };
        let rule = inner.next().map(|clause| reader.expression(only(clause)));
        let rule = rule.transpose()?.map(Box::new);
        Ok(Box::new(Query {
            span,
            ..bare(Source::Duplicates { of, rule })
        }))
    }

    /// `changes of opportunities.stage`
    pub(super) fn history(self, node: Node) -> Box<Query> {
        let span = self.span(&node);
        let mut inner = parts(node);
        let word = first(&mut inner);
        let kind = match word.as_str().chars().next() {
            Some('c' | 'C') => HistoryKind::Changes,
            _ => HistoryKind::Spans,
        };
        let path = inner.last().map_or_else(Vec::new, |path| self.names(path));
        Box::new(Query {
            span,
            ..bare(Source::History { kind, path })
        })
    }

    /// A parenthesis that stands where a query is read: `(accounts)` is one as well.
    pub(super) fn source_parenthesis(self, node: Node) -> Result<Box<Query>> {
        let span = self.span(&node);
        if parts(node.clone()).nth(1).is_some() {
            return self.parenthesised_query(node);
        }
        let source = self.source(self.expression(only(node))?)?;
        Ok(match source {
            Source::Query(query) => query,
            source => Box::new(Query {
                span,
                ..bare(source)
            }),
        })
    }

    /// The query in a parenthesis that has a key or clauses.
    pub(super) fn parenthesised_query(self, node: Node) -> Result<Box<Query>> {
        let span = self.span(&node);
        let reader = self.deeper(HEIGHT, &node)?;
        let mut inner = parts(node);
        let source = reader.source(reader.expression(first(&mut inner))?)?;
        let mut query = Box::new(Query {
            span,
            ..bare(source)
        });
        reader.clauses(&mut query, inner)?;
        Ok(query)
    }

    /// Takes an expression for a source.
    fn source(self, expr: Expr) -> Result<Source> {
        match expr.kind {
            ExprKind::Path(path) => Ok(Source::Named { path, key: None }),
            ExprKind::Query(query) => Ok(wrap(query)),
            ExprKind::Call(call)
                if !call.distinct
                    && call.filter.is_none()
                    && call.order.is_empty()
                    && call.member.is_empty() =>
            {
                Ok(Source::Call {
                    name: call.name,
                    arguments: call.arguments,
                })
            }
            ExprKind::Literal(_) => Err(Error::new(Code::Syntax, "a value stands alone here")
                .at(expr.span)
                .expected("`,` between the values of a list, or an operator")),
            _ => Err(
                Error::new(Code::Syntax, "a query does not begin with an expression")
                    .at(expr.span)
                    .expected("an object, a view, a collection or a query in parentheses"),
            ),
        }
    }

    fn clauses<'a>(self, query: &mut Query, clauses: impl Iterator<Item = Node<'a>>) -> Result<()> {
        let mut last = None;
        for clause in clauses {
            match clause.as_rule() {
                Rule::key => {
                    self.key_of(&mut query.source, clause)?;
                    continue;
                }
                Rule::among => {
                    self.among(&mut query.source, clause)?;
                    continue;
                }
                _ => {}
            }
            let rank = rank(clause.as_rule());
            if let Some(last) = last
                && rank <= last
                && rank < UNION
            {
                return Err(self.misplaced(&clause, last, rank));
            }
            last = Some(rank);
            self.clause(query, clause)?;
        }
        Ok(())
    }

    fn clause(self, query: &mut Query, clause: Node) -> Result<()> {
        match clause.as_rule() {
            Rule::as_of_clause => query.as_of = Some(self.sum(only(clause))?),
            Rule::let_clause => query.lets = self.bindings(clause)?,
            Rule::where_clause => query.filter = Some(self.expression(only(clause))?),
            Rule::group_clause => query.group = Some(self.group(clause)?),
            Rule::having_clause => query.having = Some(self.expression(only(clause))?),
            Rule::select_clause => {
                for item in parts(clause) {
                    query.select.push(self.item(item)?);
                }
            }
            Rule::order_clause => query.order = self.order_keys(clause)?,
            Rule::limit_clause => query.limit = Some(self.limit(clause)?),
            Rule::offset_clause => query.offset = Some(self.count(only(clause))?),
            Rule::after_clause if query.offset.is_some() => {
                let message = "`after` and `offset` do not go together";
                return Err(Error::new(Code::Syntax, message)
                    .at(self.span(&clause))
                    .hint("a cursor says where to go on: leave `offset` out"));
            }
            Rule::after_clause => query.after = Some(self.operand(only(clause), false)?),
            _ => query.unions.push(*self.source_parenthesis(only(clause))?),
        }
        Ok(())
    }

    /// The error for a clause of rank `rank` after one of rank `last`, which belongs behind it.
    fn misplaced(self, clause: &Node, last: usize, rank: usize) -> Error {
        let word = CLAUSES[rank];
        let start = self.span(clause).start;
        let keyword = clause
            .as_str()
            .split_whitespace()
            .next()
            .map_or(0, str::len);
        let error = |message| Error::new(Code::Syntax, message).at(start..start + keyword);
        if rank == last {
            return error(format!("`{word}` stands twice")).hint(match word {
                "where" | "having" => "join the conditions with `and`",
                "limit" | "offset" | "after" => "remove one",
                _ => "separate its parts with `,`",
            });
        }
        let wrong = error(format!("`{word}` belongs before `{}`", CLAUSES[last])).hint(format!(
            "the clauses come in this order: {}",
            CLAUSES.join(", ")
        ));
        match (word, CLAUSES[last]) {
            ("where", "group by" | "having" | "select") => {
                wrong.hint("a condition on groups is `having`, before `select` as well")
            }
            (_, "union") => wrong.hint(format!(
                "for all rows, put parentheses around what is stacked: `((...) union (...)) \
                 {word} ...`"
            )),
            _ => wrong,
        }
    }

    fn key_of(self, source: &mut Source, node: Node) -> Result<()> {
        match source {
            Source::Named { path, .. } if is_find(path) => {
                *source = Source::Find {
                    text: Box::new(self.key(node)?),
                    objects: Vec::new(),
                };
                Ok(())
            }
            Source::Named { key, .. } => {
                *key = Some(self.key(node)?);
                Ok(())
            }
            _ => Err(
                Error::new(Code::Syntax, "only an object's name takes a label or id")
                    .at(self.span(&node))
                    .hint("write a condition: `where name = …`"),
            ),
        }
    }

    /// `in accounts, contacts` after what to find
    fn among(self, source: &mut Source, node: Node) -> Result<()> {
        match source {
            Source::Find { objects, .. } => {
                *objects = parts(node)
                    .last()
                    .map_or_else(Vec::new, |names| self.names(names));
                Ok(())
            }
            _ => Err(Error::new(Code::Syntax, "only `find` takes objects here")
                .at(self.span(&node))
                .hint("a condition follows `where`: `... where x in (a, b)`")),
        }
    }

    /// `"label"`, `#42` or `$parameter` after an object's name.
    pub(super) fn key(self, node: Node) -> Result<Expr> {
        self.operand(only(node), false)
    }

    fn group(self, node: Node) -> Result<Group> {
        let mut group = Group {
            keys: Vec::new(),
            totals: false,
            rollup: false,
            empty: false,
        };
        for part in parts(node) {
            if part.as_rule() == Rule::group_key {
                let (value, alias) = self.aliased(part)?;
                group.keys.push(Item::Value { value, alias });
                continue;
            }
            for extra in parts(part) {
                match extra.as_str().to_ascii_lowercase().as_str() {
                    "totals" => group.totals = true,
                    "rollup" => group.rollup = true,
                    _ => group.empty = true,
                }
            }
        }
        Ok(group)
    }

    fn aliased(self, node: Node) -> Result<(Expr, Option<Name>)> {
        let mut inner = parts(node);
        let value = self.expression(first(&mut inner))?;
        Ok((value, inner.next().map(|alias| self.name(&only(alias)))))
    }

    pub(super) fn item(self, node: Node) -> Result<Item> {
        let (mut filter, mut braces, mut alias) = (None, None, None);
        let mut inner = parts(node);
        let head = first(&mut inner);
        if head.as_rule() == Rule::all {
            return Ok(Item::All(self.span(&head)));
        }
        for part in inner {
            match part.as_rule() {
                Rule::where_clause => filter = Some(part),
                Rule::braces => braces = Some(part),
                _ => alias = Some(self.name(&only(part))),
            }
        }
        let value = self.expression(head)?;
        let Some(braces) = braces else {
            return match filter {
                Some(clause) => Err(self.misplaced(&clause, SELECT, WHERE)),
                None => Ok(Item::Value { value, alias }),
            };
        };
        let (past, path) = collection(value)?;
        let reader = self.deeper(1, &braces)?;
        let mut nested = Nested {
            past,
            path,
            filter: None,
            select: Vec::new(),
            order: Vec::new(),
            limit: None,
            alias,
        };
        if let Some(clause) = filter {
            nested.filter = Some(reader.expression(only(clause))?);
        }
        for part in parts(braces) {
            match part.as_rule() {
                Rule::order_clause => nested.order = reader.order_keys(part)?,
                Rule::limit_clause => {
                    let span = self.span(&part);
                    let limit = reader.limit(part)?;
                    if !limit.per.is_empty() || limit.with_ties {
                        return Err(Error::new(Code::Syntax, "`{ }` takes a plain `limit` only")
                            .at(span)
                            .hint("each record has its own list already: write `limit 3`"));
                    }
                    nested.limit = Some(limit.count);
                }
                _ => {
                    let is_where = |part: &Node| part.as_rule() == Rule::where_clause;
                    let clause = parts(part.clone()).find(is_where);
                    let braced = parts(part.clone()).any(|part| part.as_rule() == Rule::braces);
                    if let (Some(clause), false) = (clause, braced) {
                        let start = self.span(&clause).start;
                        return Err(Error::new(Code::Syntax, "`where` belongs before `{`")
                            .at(start..start + "where".len())
                            .hint("write `... where CONDITION { ... }`"));
                    }
                    nested.select.push(reader.item(part)?);
                }
            }
        }
        Ok(Item::Nested(Box::new(nested)))
    }

    pub(super) fn order_keys(self, node: Node) -> Result<Vec<OrderKey>> {
        let mut keys = Vec::new();
        for key in parts(node) {
            let mut inner = parts(key);
            let value = self.expression(first(&mut inner))?;
            let descending = inner
                .next()
                .is_some_and(|word| word.as_str().eq_ignore_ascii_case("desc"));
            keys.push(OrderKey { value, descending });
        }
        Ok(keys)
    }

    fn limit(self, node: Node) -> Result<Limit> {
        let mut inner = parts(node);
        let count = self.count(first(&mut inner))?;
        let mut limit = Limit {
            count,
            per: Vec::new(),
            with_ties: false,
        };
        for part in inner {
            if part.as_rule() == Rule::ties {
                limit.with_ties = true;
            } else {
                limit.per = parts(part)
                    .map(|part| self.expression(part))
                    .collect::<Result<_>>()?;
            }
        }
        Ok(limit)
    }

    /// A whole number or a parameter.
    fn count(self, node: Node) -> Result<Expr> {
        let count = self.operand(only(node), false)?;
        match count.kind {
            ExprKind::Literal(Literal::Integer(_)) | ExprKind::Parameter(_) => Ok(count),
            _ => Err(Error::new(Code::BadLiteral, "a count is a whole number")
                .at(count.span)
                .expected("a whole number or a parameter")),
        }
    }

    /// `a = e, b = e`
    pub(super) fn bindings(self, node: Node) -> Result<Vec<Binding>> {
        let mut bindings = Vec::new();
        for binding in parts(node) {
            let mut inner = parts(binding);
            let name = self.name(&first(&mut inner));
            bindings.push(Binding {
                name,
                value: self.assigned(first(&mut inner))?,
            });
        }
        Ok(bindings)
    }

    /// The word of a label, bare, back-quoted or in quotes.
    pub(super) fn label(self, node: Node) -> Name {
        let inner = only(node);
        if inner.as_rule() == Rule::string {
            return Name {
                text: unquote(inner.as_str()),
                span: self.span(&inner),
            };
        }
        self.name(&inner)
    }
}

/// Whether a name with a key is the word `find`.
fn is_find(path: &[Name]) -> bool {
    matches!(path, [name] if name.text.eq_ignore_ascii_case("find"))
}

/// What a list is of: a collection, or the history of a field.
fn collection(value: Expr) -> Result<(Option<HistoryKind>, Vec<Name>)> {
    let refused = |message: String, expected: String| {
        let error = Error::new(Code::Syntax, message).at(value.span.clone());
        Err(error.expected(expected))
    };
    let call = match value.kind {
        ExprKind::Path(path) => return Ok((None, path)),
        ExprKind::Call(call) => call,
        _ => return refused(FOLLOWS.to_owned(), COLLECTION.to_owned()),
    };
    let Some(kind) = HistoryKind::named(&call.name.text) else {
        return refused(FOLLOWS.to_owned(), COLLECTION.to_owned());
    };
    let plain =
        !call.distinct && call.filter.is_none() && call.order.is_empty() && call.member.is_empty();
    match call.arguments.as_slice() {
        [
            Expr {
                kind: ExprKind::Path(path),
                ..
            },
        ] if plain => Ok((Some(kind), path.clone())),
        _ => refused(
            format!("`{call}` is no list"),
            format!(
                "one field, as in `{}(field) where ... {{ {} }}`",
                kind.word(),
                kind.shown()
            ),
        ),
    }
}

/// The place of a clause in [`CLAUSES`].
fn rank(rule: Rule) -> usize {
    match rule {
        Rule::as_of_clause => 0,
        Rule::let_clause => 1,
        Rule::where_clause => WHERE,
        Rule::group_clause => 3,
        Rule::having_clause => 4,
        Rule::select_clause => SELECT,
        Rule::order_clause => 6,
        Rule::limit_clause => 7,
        Rule::offset_clause => OFFSET,
        Rule::after_clause => OFFSET + 1,
        _ => UNION,
    }
}

/// A query without clauses.
pub(crate) fn bare(source: Source) -> Query {
    Query {
        source,
        as_of: None,
        lets: Vec::new(),
        filter: None,
        group: None,
        having: None,
        select: Vec::new(),
        order: Vec::new(),
        limit: None,
        offset: None,
        after: None,
        unions: Vec::new(),
        span: 0..0,
    }
}

/// A parenthesised query as a source; a mere name in parentheses is that name.
fn wrap(query: Box<Query>) -> Source {
    let keyed = matches!(query.source, Source::Named { key: Some(_), .. });
    if *query == bare(query.source.clone()) && !keyed {
        query.source
    } else {
        Source::Query(query)
    }
}
